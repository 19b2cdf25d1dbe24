use super::*;

const MINUTE_US: i64 = 60_000_000;

fn condition(key: &str, since_us: i64) -> Condition {
    Condition {
        key: key.into(),
        since_us,
        text: format!("{key}!"),
    }
}

fn wrong(key: &str) -> Line {
    Line::Wrong(format!("{key}!"))
}

#[test]
fn what_lasts_is_said_at_its_begin_each_hour_and_at_its_end() {
    let mut said = BTreeMap::new();
    let owed = [condition("owed search", 0)];
    let heard: Vec<i64> = (0..150)
        .filter(|minute| !lines(&mut said, &owed, true, false, minute * MINUTE_US).is_empty())
        .collect();
    assert_eq!(heard, [0, 60, 120]);
    let over = lines(&mut said, &[], true, false, 150 * MINUTE_US);
    let text = "search: nothing is owed any more after 2 h";
    assert_eq!(over, [Line::Over(text.into())]);
    assert!(lines(&mut said, &[], true, false, 151 * MINUTE_US).is_empty());
}

#[test]
fn who_looks_is_told_each_time() {
    let mut said = BTreeMap::new();
    for minute in 0..3 {
        let now = lines(
            &mut said,
            &[condition("failed", 0)],
            true,
            true,
            minute * MINUTE_US,
        );
        assert_eq!(now, [wrong("failed")]);
    }
}

#[test]
fn a_pass_that_failed_ends_nothing_that_it_did_not_look_at() {
    let mut said = BTreeMap::new();
    let unread = [condition("unread cache", 0)];
    assert_eq!(
        lines(&mut said, &unread, true, false, 0),
        [wrong("unread cache")]
    );
    let failed = [condition("failed", 1)];
    assert_eq!(
        lines(&mut said, &failed, false, false, 1),
        [wrong("failed")]
    );
    assert!(lines(&mut said, &failed, false, false, 2).is_empty());
    let over = lines(&mut said, &unread, true, false, 3);
    assert_eq!(
        over,
        [Line::Over("a pass succeeded again after 0 s".into())]
    );
    let over = lines(&mut said, &[], true, false, 4);
    assert_eq!(
        over,
        [Line::Over("cache: can be read again after 0 s".into())]
    );
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_silent_for_ever() {
    let mut said = BTreeMap::new();
    let owed = [condition("owed search", 100 * MINUTE_US)];
    assert_eq!(
        lines(&mut said, &owed, true, false, 100 * MINUTE_US).len(),
        1
    );
    assert_eq!(lines(&mut said, &owed, true, false, 5 * MINUTE_US).len(), 1);
    assert!(lines(&mut said, &owed, true, false, 6 * MINUTE_US).is_empty());
}

#[test]
fn everything_that_lasts_has_a_word_for_its_end() {
    for (key, text) in [
        ("failed", "a pass succeeded again after 1 s"),
        (
            "no id source",
            "source: every row has an id again after 1 s",
        ),
        ("unread my db", "my db: can be read again after 1 s"),
        ("paused source", "source: the scan goes on after 1 s"),
        ("paused search", "search: the scan goes on after 1 s"),
    ] {
        assert_eq!(over(key, "1 s").as_deref(), Some(text));
    }
    for key in ["strangers callbacks", "of another version"] {
        assert_eq!(over(key, "1 s"), None);
    }
}
