use super::*;
use crate::logic::callback::owed::tests::owed;
use crate::logic::compare::rows::Kind;
use crate::logic::value::cell::Id;

fn text(outbox: &Outbox) -> String {
    outbox
        .iter()
        .map(|owed| serde_json::to_string(owed).unwrap() + "\n")
        .collect()
}

#[test]
fn the_newest_detection_wins_and_keeps_its_tries() {
    let mut outbox = Outbox::default();
    outbox.replace(Owed {
        attempts: 7,
        ..owed(1)
    });
    outbox.add(Owed {
        kind: Kind::Missing,
        detected_us: 5,
        ..owed(1)
    });
    let all: Vec<_> = outbox.iter().collect();
    assert_eq!(all.len(), 1);
    assert_eq!(
        (all[0].kind, all[0].attempts, all[0].detected_us),
        (Kind::Missing, 7, 1_700_000_000_000_000)
    );
}

#[test]
fn the_file_comes_back_as_it_was_written_and_survives_a_torn_last_line() {
    let mut outbox = Outbox::default();
    outbox.replace(owed(1));
    outbox.replace(Owed {
        not_before_us: Some(9),
        last_error: Some("500".into()),
        ..owed(2)
    });
    let whole = text(&outbox);
    assert_eq!(Outbox::parse(&whole).unwrap(), outbox);
    let first_line = whole.find('\n').unwrap() + 1;
    for cut in first_line..whole.len() {
        assert_eq!(Outbox::parse(&whole[..cut]).unwrap().len(), 1, "{cut}");
    }
}

#[test]
fn a_damaged_line_in_the_middle_is_an_error() {
    let mut outbox = Outbox::default();
    outbox.replace(owed(1));
    let damaged = format!("{}{{\"x\n{}", text(&outbox), text(&outbox));
    assert_eq!(Outbox::parse(&damaged).unwrap_err().0, 2);
    let newer = text(&outbox).replace("\"version\":1", "\"version\":2");
    let two = format!("{}{newer}", text(&outbox));
    assert_eq!(Outbox::parse(&newer).unwrap_err().0, 1);
    assert_eq!(Outbox::parse(&two).unwrap_err().0, 2);
}

#[test]
fn rows_that_are_always_refused_do_not_keep_others_waiting() {
    let mut outbox = Outbox::default();
    outbox.replace(Owed {
        attempts: 3,
        ..owed(1)
    });
    outbox.replace(owed(2));
    let ids: Vec<Id> = outbox
        .due("my2.user", 0)
        .iter()
        .map(|owed| owed.id.id())
        .collect();
    assert_eq!(ids, [2, 1]);
}

#[test]
fn an_endpoint_that_asked_to_be_left_alone_is_left_alone_until_then() {
    let mut outbox = Outbox::default();
    outbox.replace(Owed {
        not_before_us: Some(100),
        ..owed(1)
    });
    outbox.replace(owed(2));
    assert_eq!(outbox.due("my2.user", 99).len(), 0);
    assert_eq!(outbox.due("my2.user", 100).len(), 2);
}

#[test]
fn what_is_settled_is_gone_and_a_failure_is_kept_with_its_reason() {
    let mut outbox = Outbox::default();
    assert!(outbox.is_empty());
    let (first, second) = (owed(1), owed(2));
    outbox.replace(first.clone());
    outbox.replace(second);
    assert!(!outbox.is_empty());
    outbox.remove(&first);
    assert_eq!(outbox.get("my2.user", 1), None);
    let mut left = outbox.get("my2.user", 2).unwrap().clone();
    left.failed("status 503", Some(100));
    assert_eq!(left.last_error.as_deref(), Some("status 503"));
    outbox.replace(left);
    assert!(outbox.due("my2.user", 99).is_empty());
    outbox.forget_waits();
    assert_eq!(outbox.due("my2.user", 99).len(), 1);
    assert!(outbox.due("another", 99).is_empty());
}

#[test]
fn a_row_that_one_outbox_has_not_missed_is_not_gone() {
    for (known_us, adopted_us, gone_us) in [
        (Some(1), None, None),
        (None, Some(1), None),
        (Some(1), Some(2), Some(2)),
    ] {
        let gone = |gone_us| Owed { gone_us, ..owed(1) };
        let mut outbox = Outbox::default();
        outbox.replace(gone(known_us));
        outbox.adopt(gone(adopted_us));
        let known = outbox.get("my2.user", 1).unwrap();
        assert_eq!(known.gone_us, gone_us);
    }
}

#[test]
fn what_is_adopted_stays_the_detection_that_is_owed_already() {
    let mut outbox = Outbox::default();
    outbox.replace(owed(1));
    let of_audit = Owed {
        detected_us: 5,
        not_before_us: Some(100),
        ..owed(1)
    };
    outbox.adopt(of_audit.clone());
    let adopted = outbox.get("my2.user", 1).unwrap();
    assert_eq!(
        adopted.webhook_id("user", b"{}"),
        owed(1).webhook_id("user", b"{}")
    );
    assert_eq!(adopted.not_before_us, Some(100));
    let new = Owed {
        id: 2.into(),
        ..of_audit
    };
    outbox.adopt(new.clone());
    assert_eq!(outbox.get("my2.user", 2), Some(&new));
}

#[test]
fn two_destinations_of_one_name_that_are_no_longer_configured_keep_their_callbacks() {
    let at = |address: &str| Owed {
        address: Some(address.into()),
        ..owed(1)
    };
    let (one, other) = (at("one/my.user#0"), at("other/my.user#0"));
    let mut outbox = Outbox::default();
    for owed in [&one, &other, &other] {
        outbox.adopt(owed.clone());
    }
    let kept: Vec<(&Option<String>, String)> = outbox
        .iter()
        .map(|owed| (&owed.address, owed.webhook_id("user", b"{}")))
        .collect();
    let expected = [&one, &other].map(|owed| (&owed.address, owed.webhook_id("user", b"{}")));
    assert_eq!(kept, expected);
}

#[test]
fn the_wish_of_an_endpoint_outlives_a_row_that_is_put_back_as_it_was_before() {
    let busy = Owed {
        not_before_us: Some(100),
        in_vain: true,
        ..owed(2)
    };
    let mut outbox = Outbox::default();
    for owed in [owed(1), busy.clone()] {
        outbox.replace(owed);
    }
    // Both rows are looked at together: the second one is repaired, the first one is gone for the moment.
    let mut first = outbox.get("my2.user", 1).unwrap().clone();
    outbox.remove(&busy);
    first.is_gone_for_good(0, 60);
    outbox.put_back(first);
    assert_eq!(outbox.due("my2.user", 99).len(), 0);
    let kept = outbox.get("my2.user", 1).unwrap();
    assert!(kept.in_vain && kept.gone_us == Some(0));
}

#[test]
fn the_wish_of_an_endpoint_outlives_the_row_that_brought_it() {
    let mut outbox = Outbox::default();
    let busy = Owed {
        not_before_us: Some(100),
        ..owed(1)
    };
    let other = Owed {
        destination: "my3.user".into(),
        ..owed(1)
    };
    for owed in [busy.clone(), owed(2), other] {
        outbox.replace(owed);
    }
    outbox.remove(&busy);
    assert_eq!(outbox.due("my2.user", 99).len(), 0);
    assert_eq!(outbox.due("my2.user", 100).len(), 1);
    assert_eq!(outbox.due("my3.user", 99).len(), 1);
}

#[test]
fn a_wait_from_before_the_clock_was_set_back_outlives_no_row() {
    const HOUR_US: i64 = 3_600_000_000;
    let mut outbox = Outbox::default();
    let stale = owed(1);
    outbox.replace(Owed {
        not_before_us: Some(HOUR_US + 11),
        retry_at_us: Some(HOUR_US + 11),
        ..stale.clone()
    });
    outbox.replace(Owed {
        not_before_us: Some(60),
        retry_at_us: Some(HOUR_US + 10),
        ..owed(2)
    });
    assert!(outbox.forget_waits_of_another_clock(10));
    assert!(!outbox.forget_waits_of_another_clock(10), "once");
    outbox.remove(&stale);
    let left = outbox.get("my2.user", 2).unwrap();
    assert_eq!(
        left.not_before_us,
        Some(60),
        "what the endpoint asked for now"
    );
    assert_eq!(
        left.retry_at_us,
        Some(HOUR_US + 10),
        "as long as is believed"
    );
}

#[test]
fn what_was_taken_is_owed_to_nobody_and_stays_in_the_file() {
    let taken = || owed(1).taken(7, 100, 50);
    let mut outbox = Outbox::default();
    outbox.replace(taken());
    assert!(outbox.is_empty() && outbox.get("my2.user", 1).is_none());
    assert_eq!((outbox.len(), outbox.owed_to("my2.user")), (0, 0));
    assert_eq!(outbox.due("my2.user", 1_000).len(), 0);
    assert_eq!(outbox.to_verify("my2.user", 149, 50).len(), 0);
    assert_eq!(outbox.to_verify("my2.user", 150, 50), [&taken()]);
    let text: String = outbox
        .lines()
        .map(|owed| serde_json::to_string(owed).unwrap() + "\n")
        .collect();
    assert_eq!(Outbox::parse(&text).unwrap(), outbox);
    let again = Owed {
        detected_us: 5,
        ..owed(1)
    };
    let (new, is_new) = outbox.add(again.clone());
    assert_eq!((new, is_new), (&again, true), "another detection");
    let mut forgotten = Outbox::default();
    forgotten.replace(taken());
    assert!(!forgotten.forget_taken(|_| true) && forgotten.forget_taken(|_| false));
    assert_eq!(forgotten.lines().count(), 0);
}

#[test]
fn who_has_not_heard_that_a_callback_was_taken_still_owes_it() {
    let taken = || owed(1).taken(7, 100, 50);
    for (first, second) in [(taken(), owed(1)), (owed(1), taken())] {
        let mut outbox = Outbox::default();
        outbox.adopt(first);
        outbox.adopt(second);
        assert_eq!(outbox.get("my2.user", 1), Some(&owed(1)));
    }
}

/// Callbacks owed to one destination, by id: tries, and since when.
fn tried(rows: &[(Id, u32, i64)]) -> Outbox {
    let mut outbox = Outbox::default();
    for &(id, attempts, detected_us) in rows {
        outbox.replace(Owed {
            detected_us,
            attempts,
            ..owed(id)
        });
    }
    outbox
}

fn ids(owed: Vec<&Owed>) -> Vec<Id> {
    owed.into_iter().map(|owed| owed.id.id()).collect()
}

#[test]
fn a_run_is_noted_by_what_the_endpoint_took() {
    type Case = (bool, &'static [Id], &'static [Id], bool);
    // It took something, rows it failed for; rows that wait longer, whether it took nothing.
    let cases: [Case; 5] = [
        (true, &[], &[], false),
        (true, &[1], &[1], false),
        (true, &[1, 2], &[1, 2], false),
        (false, &[1, 2], &[], true),
        // One row says nothing about the endpoint.
        (false, &[1], &[], false),
    ];
    for (took_something, failed, waiting, took_nothing) in cases {
        let mut outbox = tried(&[(1, 1, 1), (2, 1, 2), (3, 0, 3)]);
        let tried: Vec<Address> = failed.iter().map(|&id| id.into()).collect();
        outbox.note_run("my2.user", took_something, &tried, 100, |runs| {
            i64::from(runs) * 10
        });
        let waits = |id: &Id| outbox.get("my2.user", *id).unwrap().backs_off(109);
        let all = [1, 2, 3].into_iter().filter(waits);
        assert_eq!(all.collect::<Vec<Id>>(), waiting, "{failed:?}");
        assert_eq!(outbox.took_nothing("my2.user"), took_nothing, "{failed:?}");
        let due = ids(outbox.due("my2.user", 109));
        assert!(due.iter().all(|id| !waiting.contains(id)));
        assert_eq!(outbox.due("my2.user", 110).len(), 3);
        outbox.forget_waits();
        assert_eq!(outbox.due("my2.user", 109).len(), 3, "somebody asks for it");
    }
}

#[test]
fn an_endpoint_that_took_nothing_is_known_by_that_until_it_takes_something() {
    let mut outbox = tried(&[(1, 1, 1), (2, 1, 2), (3, 0, 3)]);
    let wait_us = |_| 10;
    assert!(outbox.note_run("my2.user", false, &[1.into(), 2.into()], 100, wait_us));
    assert!(
        !outbox.note_run("my2.user", false, &[1.into(), 2.into()], 100, wait_us),
        "it is known"
    );
    outbox.remove(&owed(1));
    outbox.remove(&owed(2));
    assert!(
        outbox.took_nothing("my2.user"),
        "whatever becomes of the rows"
    );
    assert!(!outbox.took_nothing("my3.user"));
    let mut copy = Outbox::default();
    outbox.iter().for_each(|owed| copy.adopt(owed.clone()));
    assert!(copy.took_nothing("my2.user"));
    assert!(outbox.note_run("my2.user", true, &[], 100, wait_us));
    assert!(!outbox.took_nothing("my2.user"));
}

#[test]
fn the_oldest_callback_is_the_probe_and_another_one_where_that_is_always_refused() {
    for (rows, by_age, other) in [
        (&[(1, 3, 9), (2, 3, 5), (3, 3, 5)][..], [2, 3, 1], None),
        (&[(1, 8, 1), (2, 0, 2), (3, 0, 3)], [1, 2, 3], Some(2)),
        (&[(1, 7, 1), (2, 0, 2), (3, 0, 3)], [1, 2, 3], None),
        (&[(1, 24, 1), (2, 4, 2), (3, 3, 3)], [1, 2, 3], Some(3)),
        (&[(1, 23, 1), (2, 4, 2), (3, 3, 3)], [1, 2, 3], None),
    ] {
        let mut outbox = tried(rows);
        assert_eq!(ids(outbox.by_age("my2.user", 50)), by_age);
        let found = outbox.tried_less("my2.user", by_age[0].into());
        assert_eq!(found.map(|owed| owed.id.id()), other, "{rows:?}");
        outbox.replace(Owed {
            not_before_us: Some(100),
            ..owed(9)
        });
        assert_eq!(
            outbox.by_age("my2.user", 50).len(),
            0,
            "it asked for a pause"
        );
    }
}
