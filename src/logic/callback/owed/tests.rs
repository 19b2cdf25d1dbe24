use super::*;
use crate::logic::value::cell::Id;

/// A row whose name differs.
pub(in crate::logic) fn owed(id: Id) -> Owed {
    Owed::new(
        "my2.user",
        id,
        "N-1",
        Kind::Different,
        vec!["name".into()],
        1_700_000_000_000_000,
    )
}

#[test]
fn the_webhook_id_changes_with_the_detection_and_with_the_content() {
    let id = |owed: Owed, body: &[u8]| owed.webhook_id("user", body);
    let first = id(owed(1), b"{}");
    assert_eq!(
        first,
        id(
            Owed {
                attempts: 3,
                ..owed(1)
            },
            b"{}"
        )
    );
    let others = [
        id(owed(1), b"{ }"),
        id(owed(2), b"{}"),
        id(
            Owed {
                detected_us: 1,
                ..owed(1)
            },
            b"{}",
        ),
    ];
    assert!(!others.contains(&first));
}

#[test]
fn copies_that_changed_have_to_differ_for_a_while_again() {
    let mut owed = Owed {
        copies: Some(1),
        ..owed(1)
    };
    assert!(owed.is_lasting(1, 0) && !owed.is_lasting(2, 0));
    assert_eq!(owed.doubt(2, 1000, 50), 1050);
    assert!(!owed.is_lasting(2, 1049) && owed.is_lasting(2, 1050));
    assert_eq!(owed.doubt(2, 1010, 50), 1050, "still the same doubt");
    assert_eq!(owed.doubt(2, 10, 50), 60, "the clock was set back");
    assert_eq!(owed.doubt(3, 40, 50), 90, "they changed once more");
}

#[test]
fn a_row_that_is_gone_is_given_its_time_over_runs() {
    let mut owed = owed(1);
    assert!(!owed.is_gone_for_good(100, 50) && owed.gone_us == Some(100));
    let line = serde_json::to_string(&owed).unwrap();
    let mut owed: Owed = serde_json::from_str(&line).unwrap();
    assert!(!owed.is_gone_for_good(149, 50));
    assert!(owed.clone().is_gone_for_good(150, 50));
    assert!(!owed.is_gone_for_good(20, 50), "the clock was set back");
    assert!(!owed.is_gone_for_good(69, 50) && owed.is_gone_for_good(70, 50));
    let mut at_once = super::tests::owed(2);
    assert!(at_once.is_gone_for_good(100, 0));
}

#[test]
fn a_row_that_is_back_has_to_differ_for_a_while_again() {
    let mut owed = Owed {
        copies: Some(1),
        ..owed(1)
    };
    assert!(!owed.is_back(Some(1), 100, 50) && owed.is_lasting(1, 100));
    owed.is_gone_for_good(100, 60);
    assert!(owed.is_back(Some(1), 120, 50));
    assert!(!owed.is_lasting(1, 169) && owed.is_lasting(1, 170));
    assert!(!owed.is_back(Some(1), 180, 50), "once");
}

#[test]
fn a_row_that_is_back_and_too_large_is_not_gone_and_has_to_differ_for_a_while_once_it_is_read() {
    let mut owed = Owed {
        copies: Some(1),
        ..owed(1)
    };
    owed.is_gone_for_good(100, 60);
    assert!(owed.is_back(None, 120, 50) && owed.gone_us.is_none());
    assert!(!owed.is_gone_for_good(200, 60), "it is gone only since now");
    assert!(owed.is_back(None, 220, 50));
    assert!(!owed.is_lasting(1, 1_000_000));
    assert_eq!(owed.doubt(1, 1_000, 50), 1_050);
    assert!(owed.is_lasting(1, 1_050));
}

#[test]
fn a_line_of_an_earlier_version_is_not_doubted() {
    assert!(owed(1).is_lasting(1, 0));
}

#[test]
fn a_clock_that_was_set_back_makes_no_wait_longer_than_the_longest() {
    let owed = Owed {
        not_before_us: Some(RETRY_AFTER_MAX_US + 1),
        ..owed(1)
    };
    assert!(!owed.waits(0) && owed.waits(1));
}

#[test]
fn a_row_that_is_refused_while_others_are_taken_waits_longer_from_run_to_run() {
    let mut owed = owed(1);
    for (now_us, retry_at_us) in [(0, 10), (100, 120), (200, 230)] {
        owed.back_off(now_us, |runs| i64::from(runs) * 10);
        assert_eq!(owed.retry_at_us, Some(retry_at_us));
        assert!(owed.backs_off(retry_at_us - 1) && !owed.backs_off(retry_at_us));
        let line = serde_json::to_string(&owed).unwrap();
        assert_eq!(
            serde_json::from_str::<Owed>(&line).unwrap(),
            owed,
            "over runs"
        );
    }
    let long_ago_us = 230 - RETRY_AFTER_MAX_US - 1;
    assert!(!owed.backs_off(long_ago_us), "the clock was set back");
}

#[test]
fn a_row_that_was_taken_is_compared_when_its_time_has_come() {
    let taken = owed(1).taken(7, 100, 50);
    assert!(!taken.is_owed());
    for (now_us, expected) in [(100, false), (149, false), (150, true), (99, true)] {
        let is_due = taken.is_to_verify(now_us, 50);
        assert_eq!(is_due, expected, "{now_us}"); // At 99 the clock was set back.
    }
    assert!(owed(1).is_owed() && !owed(1).is_to_verify(i64::MAX, 50));
}

#[test]
fn a_line_of_an_earlier_version_waits_for_nothing() {
    let line =
        r#"{"version":1,"destination":"d","id":1,"key":"k","kind":"missing","detectedUs":1}"#;
    let owed: Owed = serde_json::from_str(line).unwrap();
    assert!(!owed.backs_off(0) && !owed.in_vain);
    assert!(
        !serde_json::to_string(&owed)
            .unwrap()
            .contains("refusedRuns")
    );
}

#[test]
fn long_keys_are_shortened_at_a_character() {
    let owed = Owed::new("d", 1, &"é".repeat(300), Kind::Missing, vec![], 0);
    assert_eq!(owed.key.chars().count(), TEXT_MAX + 1);
}
