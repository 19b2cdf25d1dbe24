use super::*;
use crate::logic::scan::gaps::Gap;

fn sample() -> Checkpoint {
    let mut seen = Seen::default();
    seen.insert(-5, 17);
    seen.insert(Id::from(u64::MAX), 18);
    let position = Position {
        destinations: vec!["a".into()],
        next_id: Some(Id::from(u64::MAX) + 1),
        gaps: Gaps {
            holes: vec![Gap {
                from: 3,
                to: 4,
                due_us: 9,
            }],
            ranges: vec![],
        },
        suspects: serde_json::from_str("[[1, 1], [6, 8]]").unwrap(),
        update: Some(UpdatePosition {
            until_us: 1_700_000_000_000_000,
            resume: Some(Resume {
                to_us: 5,
                after: Cursor {
                    time: "2024-01-02 03:04:05".into(),
                    id: 7,
                },
            }),
            seen,
            moments: None,
        }),
        trail: serde_json::from_str(
            r#"{"from": 0, "top": [9, 1], "marks": [[3, 4, false], [9, 1, true]], "columns": 2}"#,
        )
        .unwrap(),
    };
    Checkpoint {
        version: VERSION,
        source: "my.user".into(),
        config: Some("/etc/cupid/user.json".into()),
        source_server: Some("db1:3306".into()),
        destinations: vec![id("a")],
        positions: vec![position],
    }
}

fn id(name: &str) -> DestinationId {
    DestinationId {
        name: name.into(),
        server: "db2:3306".into(),
        table: "my2.user".into(),
        tag: "00000000".into(),
    }
}

#[test]
fn a_checkpoint_comes_back_as_it_was_written() {
    let text = sample().to_text().unwrap();
    assert_eq!(Checkpoint::parse(&text, "my.user").unwrap(), sample());
}

#[test]
fn anything_else_is_refused_and_says_what_it_is() {
    let text = sample().to_text().unwrap();
    for cut in [0, 1, 10, text.len() / 2, text.len() - 3] {
        assert!(
            matches!(
                Checkpoint::parse(&text[..cut], "my.user"),
                Err(Unusable::Damaged(_))
            ),
            "{cut}"
        );
    }
    assert!(matches!(
        Checkpoint::parse("{\"a\":1}", "my.user"),
        Err(Unusable::Damaged(_))
    ));
    assert!(matches!(
        Checkpoint::parse(&text, "my.other"),
        Err(Unusable::Foreign(_))
    ));
    let newer = text.replacen("\"version\":2", "\"version\":3", 1);
    assert_eq!(
        Checkpoint::parse(&newer, "my.user"),
        Err(Unusable::Newer(3))
    );
    let extra = text.replacen("\"version\":2", "\"version\":2,\"x\":2", 1);
    assert!(matches!(
        Checkpoint::parse(&extra, "my.user"),
        Err(Unusable::Damaged(_))
    ));
}

#[test]
fn a_checkpoint_of_the_first_version_is_read() {
    let text = r#"{"version":1,"source":"my.user","positions":[{"destinations":["my2.user"],"nextId":7}]}"#;
    let read = Checkpoint::parse(text, "my.user").unwrap();
    assert_eq!(read.positions[0].next_id, Some(7));
    assert_eq!((read.config, read.destinations), (None, vec![]));
}

#[test]
fn a_destination_has_one_address() {
    for destinations in [vec![id("b")], vec![id("a"), id("a")]] {
        let wrong = Checkpoint {
            destinations,
            ..sample()
        };
        let read = Checkpoint::parse(&wrong.to_text().unwrap(), "my.user");
        assert!(matches!(read, Err(Unusable::Damaged(_))), "{read:?}");
    }
}

#[test]
fn a_destination_that_caught_up_is_joined_with_the_others() {
    let one = sample().positions.remove(0);
    let mut two = one.clone();
    two.destinations = vec!["b".into()];
    two.gaps.holes = vec![Gap {
        from: 1,
        to: 1,
        due_us: 9,
    }];
    two.suspects.forget_to(7);
    let lagging = Position {
        destinations: vec!["c".into()],
        next_id: Some(2),
        ..Position::default()
    };
    let out = joined(vec![one, two, lagging.clone()]);
    assert_eq!(out.len(), 2);
    assert_eq!(out[0].destinations, ["a", "b"]);
    assert_eq!(out[0].gaps.holes.len(), 2);
    assert_eq!(out[0].suspects, sample().positions[0].suspects);
    assert_eq!(out[1], lagging);
}

#[test]
fn a_column_that_says_moments_otherwise_is_read_from_farther_back() {
    let mut update = sample().positions.remove(0).update.unwrap();
    let until_us = update.until_us;
    assert_eq!(
        update.say_moments("t timestamp"),
        None,
        "it was not noted before"
    );
    assert_eq!((update.until_us, update.resume.is_some()), (until_us, true));
    assert_eq!(update.say_moments("t timestamp"), None);
    let before = update.say_moments("t datetime in +08:00");
    assert_eq!(before.as_deref(), Some("t timestamp"));
    assert_eq!(update.until_us, until_us - ZONES_APART_US);
    assert_eq!(update.resume, None);
    assert_eq!(update.say_moments("t datetime in +08:00"), None, "once");
    assert_eq!(update.until_us, until_us - ZONES_APART_US);
}

#[test]
fn a_new_destination_starts_with_the_foremost() {
    let mut checkpoint = sample();
    checkpoint.positions.push(Position {
        destinations: vec!["b".into()],
        next_id: Some(2),
        ..Position::default()
    });
    let positions = checkpoint.positions_of(&["b".into(), "new".into(), "a".into()]);
    assert_eq!(positions[0].destinations, ["a", "new"]);
    assert_eq!(positions[1].destinations, ["b"]);
    let positions = checkpoint.positions_of(&["b".into()]);
    assert_eq!(positions.len(), 1);
}
