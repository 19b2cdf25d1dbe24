use super::ring::MINUTES;
use super::*;
use crate::logic::report::summary::{Counts, OfDestination, OwedCallbacks, Reached, Unread};
use crate::logic::scan::identity::DestinationId;

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
/// A moment on a full hour.
const NOW: i64 = 490_000 * HOUR;

fn known(name: &str, server: &str) -> Known {
    Known {
        id: DestinationId {
            name: name.into(),
            server: server.into(),
            table: "my.user".into(),
            tag: "t".into(),
        },
        name_before: name.into(),
    }
}

fn stats_of(names: &[&str]) -> Stats {
    let mut stats = Stats::new("my.user", NOW);
    let all: Vec<Known> = names.iter().map(|name| known(name, name)).collect();
    stats.know(&all);
    stats
}

fn of(name: &str, counts: Counts) -> OfDestination {
    OfDestination {
        name: name.into(),
        counts,
        ..OfDestination::default()
    }
}

fn missing(missing: u64) -> Counts {
    Counts {
        compared: 100,
        missing,
        ..Counts::default()
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is the outcome of a pass")]
fn done(each: Vec<OfDestination>) -> Result<Summary> {
    Ok(Summary {
        each,
        ..Summary::default()
    })
}

fn unread(name: &str) -> OfDestination {
    OfDestination {
        unread: Some(Unread {
            destination: name.into(),
            reason: "db3:3306 refuses the connection".into(),
            exit: Exit::Failed,
        }),
        ..of(name, Counts::default())
    }
}

fn down() -> Result<Summary> {
    Err(Error::Database {
        operation: "Connect".into(),
        reason: "refused".into(),
    })
}

#[test]
fn passes_are_counted_by_their_result() {
    let mut stats = stats_of(&["a", "b"]);
    let owed = OfDestination {
        owed: OwedCallbacks {
            count: 1,
            ..OwedCallbacks::default()
        },
        ..of("a", missing(1))
    };
    for (n, outcome) in [
        done(vec![of("a", missing(0)), of("b", missing(0))]),
        done(vec![owed, of("b", missing(2))]),
        done(vec![unread("a"), unread("b")]),
        down(),
        Err(Error::Locked("lock".into())),
    ]
    .iter()
    .enumerate()
    {
        let began = NOW + i64::try_from(n).unwrap() * 1_000_000;
        stats.after_pass(outcome, began, began + 10);
    }
    let Passes {
        done,
        attention,
        failed,
        duration_us,
    } = stats.passes;
    assert_eq!((done, attention, failed, duration_us), (1, 1, 2, 40));
    assert_eq!(stats.last_success_us, Some(NOW + 1_000_010));
    let last = stats.last_pass.clone().unwrap();
    assert_eq!((last.exit, last.text.as_str()), (2, "Connect: refused"));
    let hour = stats.history.last_hour(NOW);
    assert_eq!((hour.passes, hour.failed), (4, 2));
    let of_b = &stats.destinations[1];
    assert_eq!((of_b.counts.missing, of_b.counts.compared), (2, 200));
    assert_eq!(of_b.history.last_hour(NOW).differences(), 2);
    let failed = stats.failed.unwrap();
    assert_eq!((failed.since_us, failed.passes), (NOW + 2_000_010, 2));
    assert_eq!(failed.reason, "Connect: refused");
}

#[test]
fn what_goes_on_keeps_its_beginning_until_it_is_over() {
    let mut stats = stats_of(&["a", "b"]);
    let one_unread = || done(vec![unread("a"), of("b", missing(0))]);
    let all_well = || done(vec![of("a", missing(0)), of("b", missing(0))]);
    let since = |stats: &Stats| stats.destinations[0].unread.as_ref().map(|it| it.since_us);
    stats.after_pass(&all_well(), NOW, NOW);
    assert_eq!(since(&stats), None);
    stats.after_pass(&one_unread(), NOW, NOW + 1);
    stats.after_pass(&down(), NOW, NOW + 2); // It says nothing of destinations.
    stats.after_pass(&one_unread(), NOW, NOW + 3);
    assert_eq!(since(&stats), Some(NOW + 1));
    assert_eq!(stats.destinations[0].last_success_us, Some(NOW));
    assert_eq!(stats.destinations[1].last_success_us, Some(NOW + 3));
    stats.after_pass(&all_well(), NOW, NOW + 4);
    assert_eq!((since(&stats), stats.failed), (None, None));
}

#[test]
fn an_endpoint_refuses_from_its_first_refusal_until_it_takes_everything() {
    let answered = |delivered, refused, owed| {
        let failure = (refused > 0).then(|| "http://h/c answers 503".to_owned());
        done(vec![OfDestination {
            owed: OwedCallbacks {
                count: owed,
                ..OwedCallbacks::default()
            },
            last_failure: failure,
            ..of(
                "a",
                Counts {
                    delivered,
                    refused,
                    ..Counts::default()
                },
            )
        }])
    };
    let mut stats = stats_of(&["a"]);
    // Delivered, refused, owed afterwards; since when it refuses, and whether it takes others.
    for (n, (delivered, refused, owed, since, takes_others)) in [
        (1, 0, 0, None, false),
        (0, 2, 2, Some(1), false),
        (0, 0, 2, Some(1), false), // Nothing was due.
        (1, 1, 1, Some(1), true),
        (3, 0, 1, None, false),
        (0, 1, 1, Some(5), false),
        (0, 0, 0, None, false), // Repaired meanwhile.
    ]
    .into_iter()
    .enumerate()
    {
        let now = NOW + i64::try_from(n).unwrap();
        stats.after_pass(&answered(delivered, refused, owed), now, now);
        let a = &stats.destinations[0];
        let found = a.refusing.as_ref().map(|it| it.since_us - NOW);
        assert_eq!((found, a.takes_others), (since, takes_others), "pass {n}");
    }
}

#[test]
fn a_clock_that_was_set_back_brings_nothing_from_the_future() {
    let mut stats = stats_of(&["a"]);
    let ahead = NOW + 400 * 24 * HOUR;
    stats.after_pass(&down(), ahead - 5, ahead);
    stats.after_pass(&down(), ahead, NOW); // It ends before it began.
    let failed = stats.failed.clone().unwrap();
    assert_eq!((failed.since_us, failed.passes), (NOW, 2));
    assert_eq!(stats.passes.duration_us, 5);
    assert_eq!(stats.history.last_hour(NOW).passes, 1);
    assert_eq!(stats.history.last_minutes(NOW)[MINUTES - 1].passes, 1);
}

#[test]
fn history_ends_after_an_hour_and_after_two_days() {
    let mut stats = stats_of(&["a"]);
    let mut pass = |now: i64| {
        stats.after_pass(&done(vec![of("a", missing(1))]), now, now);
        let history = &stats.destinations[0].history;
        (
            history.last_hour(now).missing,
            history.last_day(now).missing,
            history
                .last_hours(now)
                .iter()
                .map(|slot| slot.missing)
                .sum(),
        )
    };
    assert_eq!(pass(NOW), (1, 1, 1));
    assert_eq!(pass(NOW + 59 * MINUTE), (2, 2, 2));
    assert_eq!(pass(NOW + HOUR), (2, 3, 3_u64));
    assert_eq!(pass(NOW + 24 * HOUR), (1, 2, 4));
    assert_eq!(pass(NOW + 47 * HOUR), (1, 2, 5));
    assert_eq!(pass(NOW + 200 * HOUR), (1, 1, 1));
    assert_eq!(stats.destinations[0].counts.missing, 6);
}

#[test]
fn a_minute_without_a_pass_is_an_empty_one() {
    let mut stats = stats_of(&["a"]);
    stats.after_pass(&done(vec![of("a", missing(3))]), NOW, NOW + MINUTE);
    let later = NOW + 4 * MINUTE;
    let minutes = stats.destinations[0].history.last_minutes(later);
    let found: Vec<u64> = minutes.iter().map(|slot| slot.missing).collect();
    assert_eq!(found[MINUTES - 5..], [0, 3, 0, 0, 0]);
}

#[test]
fn a_destination_keeps_its_counts_under_another_name_and_loses_them_when_it_is_gone() {
    let mut stats = stats_of(&["a", "b", "c"]);
    let each = [("a", 1), ("b", 2), ("c", 3)];
    let each = each.map(|(name, count)| of(name, missing(count)));
    stats.after_pass(&done(each.to_vec()), NOW, NOW);
    let counts = |stats: &Stats| -> Vec<(String, u64)> {
        let all = stats.destinations.iter();
        all.map(|it| (it.name.clone(), it.counts.missing)).collect()
    };
    // a and b trade their names, c moves to another server, d is new.
    let now = [
        known("a", "b"),
        known("d", "d"),
        known("c", "x"),
        known("b", "a"),
    ];
    stats.know(&now);
    let expected = [("a", 2), ("d", 0), ("c", 3), ("b", 1)];
    assert_eq!(
        counts(&stats),
        expected.map(|(name, n)| (name.to_owned(), n))
    );
    stats.know(&now[1..2]);
    assert_eq!(counts(&stats), [("d".to_owned(), 0)]);
    // A summary of a destination that nobody knows changes nothing.
    stats.after_pass(&done(vec![of("a", missing(9))]), NOW, NOW);
    assert_eq!(counts(&stats), [("d".to_owned(), 0)]);
}

#[test]
fn a_retry_counts_callbacks_and_is_no_pass() {
    let mut stats = stats_of(&["a"]);
    stats.after_pass(&done(vec![unread("a")]), NOW, NOW);
    let before = (stats.passes, stats.last_pass.clone(), stats.history.clone());
    // With nothing to look at, it has read nothing.
    stats.after_retry(&done(vec![of("a", Counts::default())]), NOW);
    assert!(stats.destinations[0].unread.is_some());
    let delivered = Counts {
        delivered: 2,
        ..Counts::default()
    };
    stats.after_retry(&done(vec![of("a", delivered)]), NOW);
    stats.after_retry(&down(), NOW);
    assert_eq!(stats.destinations[0].counts.delivered, 2);
    assert_eq!(stats.destinations[0].history.last_hour(NOW).called_back, 2);
    assert_eq!(stats.destinations[0].unread, None);
    assert_eq!(before, (stats.passes, stats.last_pass, stats.history));
}

#[test]
fn what_is_left_after_a_choice_is_owed_and_nothing_is_refused_where_that_is_nothing() {
    use crate::logic::callback::owed::Owed;
    use crate::logic::compare::rows::Kind;
    let mut stats = stats_of(&["a", "b"]);
    let refused = |name| OfDestination {
        last_failure: Some("http://x answers 503".into()),
        owed: OwedCallbacks {
            count: 2,
            ..OwedCallbacks::default()
        },
        ..of(name, missing(2))
    };
    stats.after_pass(&done(vec![refused("a"), refused("b")]), NOW, NOW);
    let mut left = Outbox::default();
    left.add(Owed::new("b", 7, "k", Kind::Missing, vec![], NOW - 5));
    stats.after_choice(&left);
    let [a, b] = &stats.destinations[..] else {
        panic!("two");
    };
    assert_eq!((a.owed, a.owed_oldest_us, &a.refusing), (0, None, &None));
    assert_eq!((b.owed, b.owed_oldest_us), (1, Some(NOW - 5)));
    assert_eq!(b.refusing.as_ref().map(|it| it.since_us), Some(NOW));
}

#[test]
fn the_file_comes_back_as_it_was_written() {
    let mut stats = stats_of(&["a", "b"]);
    let position = Reached {
        next_id: Some(i128::from(u64::MAX)),
        ids_behind: Some(0),
        updates_until_us: Some(-1),
        gaps: 0,
    };
    let a = OfDestination {
        position,
        paused: Some(Pause::MaxOwed),
        last_answer: Some("status 200".into()),
        ..of("a", missing(1))
    };
    stats.after_pass(&done(vec![a, unread("b")]), NOW, NOW);
    stats.said.insert(
        "a".into(),
        Said {
            since_us: 1,
            said_us: 2,
        },
    );
    let text = stats.text().unwrap();
    assert_eq!(Stats::parse(&text, "my.user"), Ok(stats));
}

#[test]
fn the_file_stays_short_however_many_destinations_there_are() {
    for (count, name_chars) in [(1, 10), (100, 10), (100, 300), (100, 5_000), (1_000, 64)] {
        let names: Vec<String> = (0..count).map(|n| format!("{n:0>name_chars$}")).collect();
        let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut stats = stats_of(&borrowed);
        let counts = Counts {
            compared: 1_000_000,
            missing: 1_000,
            different: 1_000,
            delivered: 1_000,
            refused: 1_000,
            ..Counts::default()
        };
        let each = names.iter().map(|name| {
            let mut of = OfDestination {
                last_failure: Some("f".repeat(5_000)),
                ..of(name, counts)
            };
            of.unread.clone_from(&unread(name).unread);
            of
        });
        let outcome = done(each.collect());
        for minute in 0..70 {
            stats.after_pass(&outcome, NOW, NOW + minute * MINUTE);
        }
        for hour in 0..60 {
            stats.after_pass(&outcome, NOW, NOW + hour * HOUR);
        }
        let text = stats.text().unwrap();
        assert!(
            text.len() <= TEXT_BYTES_MAX,
            "{count}: {} bytes",
            text.len()
        );
        let read = Stats::parse(&text, "my.user").unwrap();
        let is_whole = name_chars < 300 && count <= 100;
        if is_whole {
            assert_eq!(read.destinations.len(), count);
            assert_eq!(read.destinations[count - 1].counts.missing, 130_000);
        }
        assert_eq!(read.passes.failed, 130);
    }
}

#[test]
fn an_audit_that_goes_on_adds_to_its_earlier_part() {
    let counts = Counts {
        compared: 50,
        missing: 1,
        extra: 2,
        ..Counts::default()
    };
    let part = || done(vec![of("a", counts), of("b", counts)]);
    let stopped = AuditStats::after(None, false, &part(), false, NOW, NOW + 5);
    let text = stopped.text().unwrap();
    assert_eq!(AuditStats::parse(&text), Some(stopped.clone()));
    let last = stopped.last.clone().unwrap();
    assert_eq!((last.rows(), last.differences()), (50, 6));
    assert!(!last.is_complete && stopped.completed_us.is_none());
    let ended = AuditStats::after(Some(stopped), true, &part(), true, NOW + 10, NOW + 12);
    let last = ended.last.clone().unwrap();
    assert_eq!((last.rows(), last.differences()), (100, 12));
    assert_eq!((last.duration_us, ended.completed_us), (7, Some(NOW + 12)));
    let anew = AuditStats::after(Some(ended), false, &down(), false, NOW + 20, NOW + 21);
    let last = anew.last.unwrap();
    assert_eq!((last.rows(), anew.completed_us), (0, Some(NOW + 12)));
    assert_eq!(last.failed.as_deref(), Some("Connect: refused"));
}
