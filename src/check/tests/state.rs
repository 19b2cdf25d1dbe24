//! The state folder, the first run, and what a table must show.

use super::*;
use crate::config::refusals;

#[test]
fn the_folder_is_there_or_will_be() {
    assert!(said(|_| {}).contains("/s can be written"));
    let missing = said(|w| w.facts.state.exists = false);
    assert!(missing.contains("/s is not there yet; the first run creates it"));
    let damaged = said(|w| w.facts.state.unusable = vec!["t.json is damaged".into()]);
    assert!(damaged.contains("t.json is damaged"), "{damaged}");
}

#[test]
fn a_first_run_over_much_is_told_before_it_begins() {
    const WORDS: &str = "compares the whole table";
    let first = |rows, change: fn(&mut World)| {
        said(|w| {
            w.facts.state.has_checkpoint = false;
            w.source().table.rows = Some(rows);
            change(w);
        })
    };
    assert!(first(100_001, |_| {}).contains(WORDS));
    assert!(!first(100_000, |_| {}).contains(WORDS));
    let no_first_run: [fn(&mut World); 4] = [
        |w| w.facts.state.has_checkpoint = true,
        |w| w.facts.state.unusable = vec!["t.json is damaged".into()],
        |w| w.set(r#""insert": true"#, r#""insert": false"#),
        |w| w.source_key(r#""insertStartId": 7"#),
    ];
    for (number, change) in no_first_run.into_iter().enumerate() {
        assert!(!first(100_001, change).contains(WORDS), "case {number}");
    }
}

#[test]
fn ids_that_went_back_and_ids_below_the_beginning_are_warned_of() {
    let beyond = |id_max| said(|w| w.facts.state.beyond = Some((1_000, id_max)));
    let fewer = beyond(Some(2));
    assert!(
        fewer.contains("a.user went back, its highest id is 2"),
        "{fewer}"
    );
    assert!(fewer.contains("ids up to 1,000 were compared"), "{fewer}");
    assert!(beyond(None).contains("a.user is empty, and ids up to 1,000"));

    let lowest = |id, change: fn(&mut World)| {
        said(|w| {
            w.facts.state.has_checkpoint = false;
            w.facts.state.lowest_id = Some(id);
            change(w);
        })
    };
    let words = "is not given, so the first run begins at id 0";
    assert!(lowest(-5, |_| {}).contains(words));
    assert!(!lowest(0, |_| {}).contains(words));
    assert!(!lowest(-5, |w| w.source_key(r#""insertStartId": 7"#)).contains(words));
}

#[test]
fn a_table_that_is_denied_or_not_there_is_told_apart() {
    let refused = |code| {
        said(|w| {
            w.copy().table.columns.clear();
            let message = "because".into();
            w.copy().table.readable = Some(Refused { code, message });
        })
    };
    for code in [1142, 1143, 1044] {
        assert!(refused(code).contains("SELECT is missing"), "{code}");
    }
    for code in [1146, 1049] {
        assert!(refused(code).contains("a table that exists"), "{code}");
    }
    assert!(refused(1356).contains("b.user cannot be read: because"));
}

#[test]
fn of_a_table_that_cannot_be_read_nothing_else_is_said() {
    let unreadable = said(|w| {
        w.copy().table.readable = Some(Refused {
            code: 1143,
            message: "denied".into(),
        });
    });
    assert!(!unreadable.contains("look-ups by number"), "{unreadable}");
    let without_columns = said(|w| w.copy().table.columns.clear());
    assert!(!without_columns.contains("should name a column"));
}

#[test]
fn fifty_columns_are_listed() {
    let names: Vec<String> = (0..60).map(|n| format!("c{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let text = refusals::no_column("zzzz", "a.user", &names);
    assert!(text.ends_with(", c48, c49"), "{text}");
    assert!(refusals::no_column("zzzz", "a.user", &names[..2]).ends_with("has c00, c01"));
    assert!(refusals::no_column("c0O", "a.user", &names[..1]).ends_with("; did you mean c00?"));
    assert!(refusals::no_table("a.usr", &["user"]).ends_with("; did you mean user?"));
    assert!(refusals::no_time("c", "json").contains("\"c\", a column of type json"));
    assert!(refusals::no_integer("c", "json").contains("\"c\", a column of type json"));
    assert!(refusals::no_format("c").contains("the column \"c\" holds text"));
}
