use super::*;
use crate::logic::compare::rows;
use crate::logic::value::cell::Id;
use crate::logic::value::oversize::{Part, TooLarge};

const MINUTE_US: i64 = 60_000_000;
/// 2026-01-01T09:13:10Z.
const NOW_US: i64 = 1_767_258_790_000_000;

fn owed(destination: &str, id: Id, columns: &[&str]) -> Owed {
    let kind = if columns.is_empty() {
        rows::Kind::Missing
    } else {
        rows::Kind::Different
    };
    let columns = columns.iter().map(|&column| column.to_owned()).collect();
    Owed::new(
        destination,
        id,
        "N-77120",
        kind,
        columns,
        NOW_US - 12 * MINUTE_US,
    )
}

fn list(owed: &[Owed], limit: usize) -> String {
    let reader = Reader {
        config: "user.json",
        now_us: NOW_US,
        is_configured: &|name| name != "old",
    };
    reader.list(&owed.iter().collect::<Vec<_>>(), limit)
}

#[test]
fn the_list_says_what_why_since_when_and_what_to_type() {
    let busy = Owed {
        attempts: 4,
        last_error: Some("status 503".into()),
        not_before_us: Some(NOW_US + 7 * MINUTE_US + 1_000_000),
        ..owed("search", 8_312_001, &["name", "avatar"])
    };
    let fresh = owed("search", 9, &[]);
    assert_eq!(
        list(&[busy, fresh], 50),
        "\
destination  id       key      kind       columns       since       tries  last answer
search       8312001  N-77120  different  name, avatar  12 min ago      4  503; asked to wait until 09:20:11Z
search       9        N-77120  missing                  12 min ago      0
2 owed. cupid owed user.json show search/8312001
"
    );
}

#[test]
fn a_list_that_is_cut_says_so_and_an_empty_one_that_nothing_is_owed() {
    let three = [1, 2, 3].map(|id| owed("search", id, &[]));
    let text = list(&three, 2);
    assert_eq!(text.lines().count(), 4);
    assert!(text.ends_with("\n3 owed, the first 2 shown. cupid owed user.json show search/1\n"));
    assert_eq!(list(&[], 50), "Nothing is owed.\n");
}

#[test]
fn what_keeps_a_row_owed_is_said() {
    let too_large = TooLarge {
        part: Part::Row,
        bytes: 70_000_000,
    };
    for (owed, expected) in [
        (
            owed("old", 1, &[]),
            "the configuration no longer names the destination",
        ),
        (
            Owed {
                too_large: Some(too_large),
                ..owed("search", 1, &[])
            },
            "set aside: all its columns have about 70,000,000 bytes",
        ),
        (
            Owed {
                gone_us: Some(NOW_US - MINUTE_US),
                ..owed("search", 1, &[])
            },
            "the source row is gone since 09:12:10Z",
        ),
        (
            Owed {
                last_error: Some("no answer in time".into()),
                not_before_us: Some(NOW_US - 1), // That is over.
                ..owed("search", 1, &[])
            },
            "no answer in time\n",
        ),
    ] {
        let text = list(&[owed], 50);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn what_a_row_holds_cannot_leave_its_line_or_move_the_cursor() {
    let nasty = Owed {
        key: "\u{1b}[2J\n".repeat(30),
        last_error: Some("a\nb".into()),
        ..owed("a b", 1, &["x\ny"])
    };
    let text = list(std::slice::from_ref(&nasty), 50);
    assert_eq!(text.lines().count(), 3);
    assert!(
        !text.contains('\u{1b}') && text.contains("show 'a b/1'"),
        "{text}"
    );
}

#[test]
fn both_rows_stand_side_by_side() {
    let column = |source: &str, value: &str, copy: Option<(&str, &str)>, differs| Compared {
        source: source.into(),
        source_value: value.into(),
        destination: copy.map(|(name, value)| (name.into(), value.into())),
        differs,
    };
    let rows = Rows {
        columns: vec![
            column("id", "5", None, false),
            column("name", "Ann", Some(("nick", "Anna")), true),
        ],
        copies: 1,
        body: "{}".into(),
    };
    assert_eq!(
        rows_text(&rows),
        "   source column  value  copy's column  value
   id             5
*  name           Ann    nick           Anna
  The body that would be sent:
{}
"
    );
    let missing = Rows { copies: 0, ..rows };
    assert!(rows_text(&missing).contains("no row of this key"));
}

#[test]
fn a_word_is_quoted_where_a_shell_would_take_it_for_something_else() {
    for (word, expected) in [
        ("/etc/cupid/user.json", "/etc/cupid/user.json"),
        ("用户.json", "用户.json"),
        ("search/[\"5\",\"N-1\"]", "'search/[\"5\",\"N-1\"]'"),
        ("it's", "'it'\\''s'"),
        ("", "''"),
    ] {
        assert_eq!(shell_word(word), expected);
    }
}
