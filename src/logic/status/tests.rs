use super::*;
use crate::error::{Error, Exit, Result};
use crate::logic::callback::owed::Owed;
use crate::logic::callback::recognise::Known;
use crate::logic::compare::rows::Kind;
use crate::logic::report::line::rfc3339;
use crate::logic::report::summary::{
    Counts, OfDestination, OwedCallbacks, Pause, Reached, Summary, Unread,
};
use crate::logic::scan::checkpoint::{Position, UpdatePosition, VERSION};
use crate::logic::scan::gaps::Gaps;
use crate::logic::scan::identity::DestinationId;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 2026-01-01T09:13:03Z
const NOW: i64 = 1_767_258_783 * SECOND;
const STALE: i64 = 10 * MINUTE;

fn known(name: &str) -> Known {
    Known {
        id: DestinationId {
            name: name.into(),
            server: format!("{name}:3306"),
            table: "my.user".into(),
            tag: "t".into(),
        },
        name_before: name.into(),
    }
}

fn position(names: &[&str], next_id: Id) -> Position {
    Position {
        destinations: names.iter().map(|&name| name.into()).collect(),
        next_id: Some(next_id),
        update: Some(UpdatePosition {
            until_us: NOW - 1_200_000,
            ..UpdatePosition::beginning(NOW)
        }),
        ..Position::default()
    }
}

fn checkpoint(positions: Vec<Position>) -> Checkpoint {
    Checkpoint {
        version: VERSION,
        source: "my.user".into(),
        config: None,
        source_server: None,
        destinations: vec![],
        positions,
    }
}

fn of(name: &str) -> OfDestination {
    OfDestination {
        name: name.into(),
        ..OfDestination::default()
    }
}

fn pass(stats: &mut Stats, each: Vec<OfDestination>, ago_us: i64) {
    let outcome: Result<Summary> = Ok(Summary {
        each,
        duration_ms: 11,
        ..Summary::default()
    });
    stats.after_pass(&outcome, NOW - ago_us - 11_000, NOW - ago_us);
}

/// A configuration with two destinations, in which nothing is wrong.
fn facts() -> Facts {
    let mut stats = Stats::new("my.user", NOW - 3 * DAY);
    stats.know(&[known("search"), known("cache")]);
    let compared = |name: &str| OfDestination {
        counts: Counts {
            compared: 12,
            ..Counts::default()
        },
        ..of(name)
    };
    pass(
        &mut stats,
        vec![compared("search"), compared("cache")],
        4 * SECOND,
    );
    Facts {
        name: "user".into(),
        config: "/etc/cupid/user.json".into(),
        source: "my.user".into(),
        server: "db1:3306".into(),
        state_dir: "/var/lib/cupid/user".into(),
        has_state: true,
        at_work: false,
        former_owner: None,
        insert: true,
        start_id: 0,
        destinations: vec!["search".into(), "cache".into()],
        checkpoint: Some(checkpoint(vec![position(&["search", "cache"], 8_312_077)])),
        outbox: Outbox::default(),
        stats: Some(stats),
        stats_problem: None,
        audits: vec![],
        bounds: Ok(bounds(8_312_076)),
    }
}

fn bounds(id_max: Id) -> Bounds {
    Bounds {
        now_us: NOW,
        id_max: Some(id_max),
        key_max: None,
    }
}

fn owe(facts: &mut Facts, name: &str, count: i128, oldest_us: i64) {
    for id in 1..=count {
        let owed = Owed {
            attempts: 4,
            last_error: Some("status 503".into()),
            ..Owed::new(name, id, "k", Kind::Missing, vec![], oldest_us)
        };
        facts.outbox.add(owed);
    }
}

/// What stands in section 2 of the operator's manual: one endpoint refuses, one destination is down.
fn troubled() -> Facts {
    let mut facts = facts();
    let mut stats = Stats::new("my.user", NOW - 3 * DAY);
    stats.know(&[known("search"), known("cache")]);
    let differing = |missing, different| OfDestination {
        counts: Counts {
            missing,
            different,
            ..Counts::default()
        },
        ..of("search")
    };
    pass(&mut stats, vec![differing(603, 466), of("cache")], 5 * HOUR);
    pass(&mut stats, vec![differing(7, 20), of("cache")], 17 * MINUTE);
    let refused = |ago_us| OfDestination {
        counts: Counts {
            refused: 3,
            compared: 12,
            missing: if ago_us > MINUTE { 2 } else { 0 },
            different: if ago_us > MINUTE { 2 } else { 0 },
            ..Counts::default()
        },
        owed: OwedCallbacks {
            count: 3,
            ..OwedCallbacks::default()
        },
        last_failure: Some("http://user-service/cupid answers 503".into()),
        ..of("search")
    };
    let unread = || OfDestination {
        unread: Some(Unread {
            destination: "cache".into(),
            reason: "db3:3306 refuses the connection".into(),
            exit: Exit::Failed,
        }),
        position: Reached {
            next_id: Some(8_290_001),
            ..Reached::default()
        },
        ..of("cache")
    };
    pass(
        &mut stats,
        vec![refused(12 * MINUTE), of("cache")],
        12 * MINUTE,
    );
    pass(&mut stats, vec![refused(0), unread()], 7 * MINUTE);
    pass(&mut stats, vec![refused(0), unread()], 4 * SECOND);
    facts.stats = Some(stats);
    facts.checkpoint = Some(checkpoint(vec![
        Position {
            gaps: Gaps::default(),
            ..position(&["search"], 8_312_077)
        },
        position(&["cache"], 8_290_001),
    ]));
    owe(&mut facts, "search", 3, NOW - 12 * MINUTE);
    let audited: Result<Summary> = Ok(Summary {
        each: vec![OfDestination {
            counts: Counts {
                compared: 8_311_900,
                missing: 3,
                ..Counts::default()
            },
            ..of("search")
        }],
        ..Summary::default()
    });
    let ended = NOW - 2 * DAY;
    facts.audits = vec![AuditStats::after(
        None,
        false,
        &audited,
        true,
        ended - HOUR,
        ended,
    )];
    facts
}

#[track_caller]
fn assert_screen(facts: &Facts, width: Option<usize>, expected: &str) {
    let found = screen(&decide(facts, STALE, NOW), width);
    assert!(found == expected, "found:\n{found}\nexpected:\n{expected}");
}

#[test]
fn all_is_well_on_one_screen() {
    assert_screen(
        &facts(),
        None,
        "\
user          ok      /etc/cupid/user.json
source        my.user at db1:3306
state         /var/lib/cupid/user, nobody at work
last pass     4 s ago: 12 rows compared with each of 2 destinations, in sync, 0.011 s
last success  4 s ago
new ids       up to 8,312,076, 0 behind
updates       up to 09:13:01Z, 1.2 s behind

destination  state  owed  oldest  last hour         24 hours
search       ok        0          ▁▁▁▁▁▁▁▁▁▁▁▁   0  0
cache        ok        0          ▁▁▁▁▁▁▁▁▁▁▁▁   0  0
audit         none yet
",
    );
}

#[test]
fn what_is_wrong_stands_below_the_table_with_what_to_type() {
    assert_screen(
        &troubled(),
        None,
        "\
user          UNREAD  /etc/cupid/user.json
source        my.user at db1:3306
state         /var/lib/cupid/user, nobody at work
last pass     4 s ago: 12 rows compared with search, 0 with cache, 3 failed to be called back at a try, 3 still owed, could not read cache, 0.011 s
last success  4 s ago
new ids       up to 8,312,076, 0 behind
updates       up to 09:13:01Z, 1.2 s behind

destination  state         owed  oldest  last hour         24 hours
search       OWED             3  12 min  ▁▁▁▁▁▁▁▁█▂▁▁  31  612 missing, 488 different
cache        UNREAD 7 min     0          ▁▁▁▁▁▁▁▁▁▁▁▁   0  0
  search: http://user-service/cupid answers 503 since 09:01:03Z   cupid owed /etc/cupid/user.json
  cache: db3:3306 refuses the connection since 09:06:03Z; goes on from id 8,290,001 when it answers
audit         2 days ago, complete: 8,311,900 rows, 3 differences
",
    );
}

#[test]
fn a_narrow_terminal_gets_fewer_columns_and_broken_lines() {
    for width in [40, 60, 80, 200] {
        let facts = troubled();
        let text = screen(&decide(&facts, STALE, NOW), Some(width));
        for line in text.lines() {
            assert!(layout::width(line) <= width, "{width}: {line:?} in\n{text}");
        }
        for part in ["UNREAD", "search", "cache", "503", "8,290,001"] {
            assert!(text.contains(part), "{width}: {part} is not in\n{text}");
        }
        assert_eq!(text.contains("24 hours"), width >= 100, "{text}");
    }
}

#[test]
fn where_nobody_asked_the_source_there_are_question_marks() {
    let mut facts = facts();
    facts.bounds = Err("no answer within 2 s".into());
    let text = screen(&decide(&facts, STALE, NOW), None);
    for part in [
        "source        my.user at db1:3306 (no answer within 2 s)\n",
        "new ids       up to 8,312,076, ? behind\n",
        "updates       up to 09:13:01Z, ? s behind\n",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert_eq!(decide(&facts, STALE, NOW).state, State::Ok);
}

#[test]
fn a_table_that_is_empty_has_no_last_id() {
    let mut facts = facts();
    facts.checkpoint = Some(checkpoint(vec![position(&["search", "cache"], 0)]));
    facts.bounds = Ok(Bounds {
        id_max: None,
        ..bounds(0)
    });
    let text = screen(&decide(&facts, STALE, NOW), None);
    let expected = "new ids       none yet, from 0 on, 0 behind\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_text_that_came_from_elsewhere_moves_no_cursor() {
    let mut facts = troubled();
    facts.source = "my.\u{1b}[2Juser\n".into();
    facts.former_owner = Some("a\rb".into());
    for width in [None, Some(50)] {
        let text = screen(&decide(&facts, STALE, NOW), width);
        assert!(!text.contains(['\u{1b}', '\r']), "{text:?}");
    }
}

/// What changes, the state, and the beginning of the reason.
type Case = (fn(&mut Facts), State, &'static str);

#[track_caller]
fn assert_states(cases: &[Case]) {
    for (number, (change, state, reason)) in cases.iter().enumerate() {
        let mut facts = facts();
        change(&mut facts);
        let found = decide(&facts, STALE, NOW);
        let text = format!("case {number}: {}", found.reason);
        assert_eq!(found.state, *state, "{text}");
        assert!(found.reason.starts_with(reason), "{text}");
    }
}

fn stats(facts: &mut Facts) -> &mut Stats {
    facts.stats.as_mut().unwrap()
}

fn fail(facts: &mut Facts) {
    let down = Err(Error::Database {
        operation: "Connect to db1:3306".into(),
        reason: "refused".into(),
    });
    stats(facts).after_pass(&down, NOW, NOW);
}

fn pause(facts: &mut Facts) {
    let paused = OfDestination {
        paused: Some(Pause::MaxOwed),
        ..of("search")
    };
    pass(stats(facts), vec![paused, of("cache")], 0);
}

#[test]
fn the_worst_that_is_so_is_the_state() {
    assert_states(&[
        (|_| {}, State::Ok, ""),
        (fail, State::Failed, "Connect to db1:3306: refused"),
        (
            |facts| stats(facts).last_pass.as_mut().unwrap().ended_us = NOW - STALE,
            State::Stale,
            "the last pass ended 10 min ago",
        ),
        (|facts| facts.stats = None, State::Stale, "nobody knows"),
        (
            |facts| (facts.stats, facts.checkpoint) = (None, None),
            State::New,
            "no pass has ended yet",
        ),
        (
            |facts| *facts = troubled(),
            State::Unread,
            "cache: db3:3306 refuses",
        ),
        (
            pause,
            State::Paused,
            "search: scan paused because maxOwed is reached",
        ),
        (
            |facts| {
                stats(facts).paused = Some(crate::logic::stats::Paused {
                    since_us: NOW,
                    reason: Pause::MaxLagSecond,
                });
            },
            State::Paused,
            "scan paused because maxLagSecond is reached",
        ),
        (
            |facts| owe(facts, "cache", 1, NOW),
            State::Owed,
            "cache: the last answer was: status 503",
        ),
        (
            |facts| owe(facts, "gone", 1, NOW),
            State::Owed,
            "gone: the configuration no longer names it",
        ),
        (
            |facts| {
                owe(facts, "cache", 1, NOW);
                fail(facts);
            },
            State::Failed,
            "Connect",
        ),
    ]);
}

#[test]
fn far_behind_is_a_state() {
    assert_states(&[
        (
            |facts| facts.bounds = Ok(bounds(8_312_076 + 99_999)),
            State::Ok,
            "",
        ),
        (
            |facts| facts.bounds = Ok(bounds(8_312_076 + 100_000)),
            State::Behind,
            "search: 100,000 ids behind",
        ),
        (
            |facts| {
                facts.insert = false;
                facts.bounds = Ok(bounds(8_312_076 + 100_000));
            },
            State::Ok,
            "",
        ),
        (
            |facts| {
                facts.bounds = Ok(Bounds {
                    now_us: NOW + 15 * MINUTE,
                    ..bounds(8_312_076)
                });
            },
            State::Behind,
            "search: updates 15 min behind",
        ),
        (
            |facts| {
                facts.bounds = Err("down".into());
                stats(facts).destinations[1].ids_behind = Some(200_000);
            },
            State::Behind,
            "cache: 200,000 ids behind",
        ),
        (
            |facts| facts.destinations.push("added".into()),
            State::Ok,
            "",
        ),
    ]);
}

/// The table of three configurations and a file that is none.
fn all(width: Option<usize>) -> String {
    let (fine, troubled) = (facts(), troubled());
    let mut failed = facts();
    failed.name = "orders".into();
    failed.bounds = Err("down".into());
    let stats = failed.stats.as_mut().unwrap();
    stats.last_success_us = Some(NOW - 41 * MINUTE);
    let down = Err(Error::Database {
        operation: "Connect".into(),
        reason: "db1:3306 refuses the connection".into(),
    });
    stats.after_pass(&down, NOW, NOW);
    let mut avatar = fine;
    avatar.name = "avatar".into();
    let all = [&avatar, &troubled, &failed].map(|facts| decide(facts, STALE, NOW));
    table_of_all(
        &all,
        &[("/etc/cupid/x.json".into(), "is no JSON".into())],
        width,
    )
}

#[test]
fn several_are_a_line_each_the_worst_first() {
    let expected = "\
config             state   last success  ids behind  s behind  owed  oldest  1 h   24 h
/etc/cupid/x.json  CONFIG                                                                is no JSON
orders             FAILED  41 min ago             ?         ?     0            0      0  Connect: db1:3306 refuses the connection
user               UNREAD  4 s ago           22,076       1.2     3  12 min   31  1,100  cache: db3:3306 refuses the connection
avatar             ok      4 s ago                0       1.2     0            0      0
4 configurations: 1 cannot be read, 1 failed, 1 has an unread destination, 1 ok
";
    let found = all(None);
    assert!(found == expected, "found:\n{found}\nexpected:\n{expected}");
}

#[test]
fn several_fit_into_narrow_terminals_too() {
    for width in [40, 60, 80, 120] {
        let text = all(Some(width));
        for line in text.lines() {
            assert!(layout::width(line) <= width, "{width}: {line:?} in\n{text}");
        }
        for part in ["orders", "FAILED", "avatar", "refuses"] {
            assert!(text.contains(part), "{width}: {part} is not in\n{text}");
        }
    }
}

#[test]
fn a_plugin_says_one_line_with_figures() {
    let not = |name: &str| vec![(name.to_owned(), "a|b\nc".to_owned())];
    let (fine, troubled) = (facts(), troubled());
    let mut owing = facts();
    owe(&mut owing, "search", 3, NOW - 12 * MINUTE);
    let figures = |owed, ids| {
        format!(
            "user_owed={owed};;;0 user_last_success=4s;;;0 user_ids_behind={ids};;;0 user_updates_behind=1.2s;;;0"
        )
    };
    for (all, unreadable, text, severity) in [
        (
            vec![&fine],
            vec![],
            format!("OK - user is ok | {}", figures(0, 0)),
            Severity::Ok,
        ),
        (
            vec![&owing],
            vec![],
            format!(
                "WARNING - user owes 3 callbacks, the oldest 12 min | {}",
                figures(3, 0)
            ),
            Severity::Warning,
        ),
        (
            vec![&fine, &troubled],
            vec![],
            format!(
                "WARNING - user cannot read cache: db3:3306 refuses the connection | {} {}",
                figures(0, 0),
                figures(3, 22_076)
            ),
            Severity::Warning,
        ),
        (
            vec![],
            not("x.json"),
            "UNKNOWN - x.json cannot be read: a/b c".into(),
            Severity::Unknown,
        ),
    ] {
        let all: Vec<Status<'_>> = all.into_iter().map(|it| decide(it, STALE, NOW)).collect();
        let (line, found) = plugin(&all, &unreadable);
        assert_eq!((line, found), (format!("CUPID {text}\n"), severity));
    }
}

#[test]
fn the_json_has_what_programs_read() {
    let facts = troubled();
    let found = json(&decide(&facts, STALE, NOW));
    for (pointer, expected) in [
        ("/state", "\"UNREAD\""),
        ("/stateDir", "\"/var/lib/cupid/user\""),
        ("/lastPassAt", &format!("\"{}\"", rfc3339(NOW - 4 * SECOND))),
        ("/owedTotal", "3"),
        ("/owed/0/destination", "\"search\""),
        ("/owed/0/oldestAttempts", "4"),
        ("/checkpoint/0/nextId", "8312077"),
        ("/checkpoint/0/idsWentBack", "false"),
        ("/checkpoint/1/idsBehind", "22076"),
        ("/destinations/0/state", "\"OWED\""),
        ("/destinations/0/owed", "3"),
        (
            "/destinations/0/lastError",
            "\"http://user-service/cupid answers 503\"",
        ),
        (
            "/destinations/1/since",
            &format!("\"{}\"", rfc3339(NOW - 7 * MINUTE)),
        ),
        ("/destinations/1/idsBehind", "22076"),
        ("/destinations/1/updatesBehindMs", "1200"),
        ("/lastAudit/differences", "3"),
        ("/lastRun/exit", "1"),
    ] {
        let value = found.pointer(pointer).map(ToString::to_string);
        assert_eq!(value.as_deref(), Some(expected), "{pointer}");
    }
}

#[test]
fn only_nothing_has_the_lowest_bar() {
    for (counts, expected) in [
        (&[0, 0][..], "▁▁"),
        (&[1, 0, 1], "█▁█"),
        (&[1, 1_000_000, 500_000], "▂█▄"),
        (&[u64::MAX, 1], "█▂"),
    ] {
        assert_eq!(layout::picture(counts), expected);
    }
}
