//! What a pass would read, whom it would call back, and names that were mistyped.

use super::*;
use crate::check::facts::Refused;

fn refused(code: u16) -> Refused {
    Refused {
        code,
        message: "no".into(),
    }
}

#[test]
fn a_full_scan_of_each_pass_is_refused_unless_the_table_is_small_or_it_is_allowed() {
    type Change = fn(&mut World);
    let faults: [(Change, &str); 3] = [
        (|w| drop_index(w.source(), "updated"), "src.updateColumn"),
        (|w| drop_index(w.source(), "PRIMARY"), "src.idColumn"),
        (
            |w| drop_index(w.copy(), "number"),
            "des[0].byColumn (copy1)",
        ),
    ];
    for (fault, key) in faults {
        for (rows, allowed, level, words) in [
            (
                10_001,
                false,
                Level::Error,
                "set \"allowFullScan\": true in src",
            ),
            (
                10_000,
                false,
                Level::Warning,
                "that will do up to 10,000 rows",
            ),
            (10_001, true, Level::Note, "src.allowFullScan allows it"),
        ] {
            let mut world = World::sound();
            fault(&mut world);
            for side in [&mut world.facts.source, &mut world.facts.destinations[0]] {
                side.as_mut().unwrap().table.rows = Some(rows);
            }
            if allowed {
                world.source_key(r#""allowFullScan": true"#);
            }
            let advice = world.advice();
            let found = advice
                .iter()
                .find(|it| it.key == key && it.text.contains("no index begins with"))
                .unwrap();
            assert_eq!(found.level, level, "{key} {rows} {allowed}");
            assert!(found.text.contains(words), "{}", found.text);
            assert!(found.remedy[0].starts_with("CREATE "), "{:?}", found.remedy);
        }
    }
}

#[test]
fn a_scan_that_only_the_plan_shows_to_be_long_is_refused_too() {
    let mut world = World::sound();
    drop_index(world.source(), "updated");
    world.source().table.rows = None;
    reads_all(world.source(), 10_001);
    assert_eq!(exit(&world.advice()), Exit::Config);
}

#[test]
fn an_endpoint_that_takes_no_connection_is_a_warning() {
    assert_said(&[
        (
            |w| w.facts.endpoints = vec![Err("The connection was refused".into())],
            "warning: des[0].callbackNotification.url (copy1): http://127.0.0.1/x: The connection was refused",
            &["stay owed"],
        ),
        (
            |_| {},
            "ok: des[0].callbackNotification.url (copy1): http://127.0.0.1/x takes connections",
            &[],
        ),
        (
            |w| w.set("http://127.0.0.1/x", "https://h/x?token=1"),
            "ok: des[0].callbackNotification.url (copy1): https://h/x?… takes connections, and its certificate is valid",
            &[],
        ),
    ]);
}

/// What is said of a copy with so many rows beside a source with so many.
fn beside(source: u64, copy: u64, change: impl Fn(&mut World)) -> String {
    said(|w| {
        w.facts.state.has_checkpoint = false;
        w.source().table.rows = Some(source);
        w.copy().table.rows = Some(copy);
        w.copy().table.counted = Some(copy.min(TableFacts::COUNTED_MAX));
        change(w);
    })
}

#[test]
fn a_copy_that_lacks_most_rows_is_told_with_what_follows() {
    let empty = beside(300_000, 0, |_| {});
    let words =
        "b.user is empty, and the source has about 300,000 rows: as many callbacks will follow";
    assert!(empty.contains(words), "{empty}");
    for (source, copy, words) in [
        (
            300_000,
            149_999,
            "has about 149,999 rows, and the source has about 300,000 rows: up to as many",
        ),
        (100, 0, "is empty"),
        (300_000, 150_000, ""),
        (99, 0, ""),
        (0, 0, ""),
    ] {
        let said = beside(source, copy, |_| {});
        let found = said.contains("will follow");
        assert_eq!(found, !words.is_empty(), "{source} {copy}: {said}");
        assert!(said.contains(words), "{source} {copy}: {said}");
    }
}

#[test]
fn many_callbacks_are_a_warning_and_few_are_good_to_know() {
    for (rows, level) in [(9_999, Level::Note), (10_000, Level::Warning)] {
        let mut world = World::sound();
        world.source().table.rows = Some(rows);
        world.copy().table.counted = Some(0);
        let advice = world.advice();
        let found = advice.iter().find(|it| it.text.contains("is empty"));
        assert_eq!(found.map(|it| it.level), Some(level), "{rows}");
    }
}

#[test]
fn no_callbacks_are_announced_where_none_will_follow() {
    let quiet: [fn(&mut World); 4] = [
        |w| w.facts.state.has_checkpoint = true,
        |w| w.facts.state.first_cupids_id = Some(7),
        |w| w.source_key(r#""insertStartId": 7"#),
        |w| w.set(r#""insert": true"#, r#""insert": false"#),
    ];
    for (number, change) in quiet.into_iter().enumerate() {
        let said = beside(300_000, 0, change);
        assert!(!said.contains("will follow"), "case {number}: {said}");
        assert!(
            said.contains("`run` does not look at all of them"),
            "case {number}: {said}"
        );
    }
}

#[test]
fn an_estimate_alone_calls_no_copy_empty() {
    let stale = |w: &mut World| w.copy().table.counted = None;
    assert!(!beside(300_000, 0, stale).contains("is empty"));
    let filled = |w: &mut World| w.copy().table.counted = Some(TableFacts::COUNTED_MAX);
    assert!(!beside(1_500, 0, filled).contains("source has about"));
    let partial = |w: &mut World| w.source_key(r#""where": "id > 5""#);
    assert!(!beside(300_000, 9, partial).contains("source has about"));
    assert!(beside(300_000, 0, partial).contains("up to as many callbacks"));
}

#[test]
fn a_mistyped_database_is_named() {
    for code in [1044, 1049, 1142, 1146] {
        let said = said(|w| {
            w.set("dbname=b", "dbname=serach");
            w.copy().table.columns.clear();
            w.copy().table.databases = vec!["a".into(), "search".into()];
            w.copy().table.readable = Some(refused(code));
        });
        let words = "sees no database \\\"serach\\\"; did you mean search?";
        assert!(
            said.contains(words) && !said.contains("GRANT SELECT ON"),
            "{code}: {said}"
        );
    }
}

#[test]
fn a_database_that_the_configuration_names_elsewhere_may_be_meant_or_not() {
    let said = said(|w| {
        w.set("dbname=a", "dbname=shop");
        w.set("dbname=b", "dbname=shop2");
        w.copy().table.columns.clear();
        w.copy().table.databases = vec!["shop".into()];
        w.copy().table.readable = Some(refused(1142));
    });
    for words in [
        "no such database; did you mean shop?)",
        "GRANT SELECT ON `shop2`.`user`",
    ] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_table_that_is_not_there_for_the_account_may_be_mistyped() {
    let said = said(|w| {
        w.copy().table.columns.clear();
        w.copy().table.other_tables = vec!["users".into()];
        w.copy().table.readable = Some(refused(1142));
    });
    assert!(said.contains("did you mean users?)"), "{said}");
}

#[test]
fn a_column_that_may_not_be_read_is_granted_alone() {
    assert_said(&[
        (
            |w| {
                w.copy().server.grants =
                    vec!["GRANT SELECT (`id`, `number`) ON `b`.`user` TO `r`@`%`".into()];
                w.copy()
                    .table
                    .columns
                    .retain(|column| column.name != "name");
            },
            "error: des[0].columns (copy1): holds \"name\", which 'r'@'%' may not read",
            &["GRANT SELECT (`name`) ON `b`.`user` TO 'r'@'%';"],
        ),
        (
            |w| {
                w.source().table.columns.truncate(2);
                w.source().table.readable = Some(refused(1143));
            },
            "error: src.table: 'r'@'%' may not read every column of a.user that is needed, only id, number;",
            &["GRANT SELECT ON `a`.`user` TO 'r'@'%';"],
        ),
    ]);
}
