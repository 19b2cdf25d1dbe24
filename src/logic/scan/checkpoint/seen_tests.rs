//! What is remembered of the window, and what is worth a write.

use super::*;

fn at(until_us: i64, seen: &[(Id, u64)]) -> Position {
    let mut all = Seen::default();
    for &(id, fingerprint) in seen {
        all.insert(id, fingerprint);
    }
    Position {
        destinations: vec!["a".into()],
        next_id: Some(5),
        gaps: Gaps::default(),
        suspects: Suspects::default(),
        trail: crate::logic::scan::trail::Trail::default(),
        update: Some(UpdatePosition {
            until_us,
            resume: None,
            seen: all,
            moments: None,
        }),
    }
}

fn checkpoint(positions: &[Position]) -> Checkpoint {
    Checkpoint {
        version: VERSION,
        source: "my.user".into(),
        config: None,
        source_server: None,
        destinations: vec![],
        positions: positions.to_vec(),
    }
}

#[test]
fn so_many_rows_are_remembered_and_no_more_but_a_known_one_is_kept_up_to_date() {
    let mut seen = Seen::default();
    assert!(seen.is_empty());
    let many = Id::try_from(SEEN_MAX).unwrap();
    (0..=many).for_each(|id| seen.insert(id, 1));
    assert_eq!(seen.len(), SEEN_MAX);
    assert!(!seen.is_empty());
    assert!(seen.contains(many - 1, 1) && !seen.contains(many, 1));
    seen.insert(0, 2);
    assert!(seen.contains(0, 2) && !seen.contains(0, 1));
}

#[test]
fn what_only_one_of_two_destinations_was_compared_with_is_forgotten_when_they_are_joined() {
    let one = at(9, &[(1, 10), (2, 20), (3, 30)]);
    let other = at(9, &[(1, 10), (2, 21)]);
    let joined = joined(vec![one, other]);
    assert_eq!(
        joined,
        [Position {
            destinations: vec!["a".into(), "a".into()],
            ..at(9, &[(1, 10)])
        }]
    );
}

#[test]
fn a_window_that_moved_a_little_over_nothing_is_not_worth_a_write() {
    let hour = 3_600_000_000;
    let old = checkpoint(&[at(hour, &[]), at(2 * hour, &[])]);
    let moved = |first_us, second_us| {
        checkpoint(&[at(hour + first_us, &[]), at(2 * hour + second_us, &[])])
    };
    assert!(old.is_nearly(&old));
    assert!(old.is_nearly(&moved(
        WINDOW_WORTH_SAVING_US - 1,
        1 - WINDOW_WORTH_SAVING_US
    )));
    assert!(!old.is_nearly(&moved(WINDOW_WORTH_SAVING_US, 0)));
    assert!(!old.is_nearly(&moved(0, -WINDOW_WORTH_SAVING_US)));
    assert!(!old.is_nearly(&checkpoint(&[at(hour, &[])])));
    assert!(!checkpoint(&[at(hour, &[])]).is_nearly(&old));
    assert!(!old.is_nearly(&checkpoint(&[at(hour, &[(1, 1)]), at(2 * hour, &[])])));
    let mut further = old.clone();
    further.positions[0].next_id = Some(6);
    assert!(!old.is_nearly(&further));
}

#[test]
fn a_file_that_cannot_be_used_says_why() {
    for (unusable, words) in [
        (
            Unusable::Damaged("at line 1".into()),
            "damaged or not a checkpoint (at line 1)",
        ),
        (
            Unusable::Newer(7),
            "version 7, written by a newer cupid; this one reads 2",
        ),
        (
            Unusable::Foreign("my.other".into()),
            "the source table \"my.other\"",
        ),
    ] {
        assert!(unusable.to_string().contains(words), "{unusable}");
    }
}
