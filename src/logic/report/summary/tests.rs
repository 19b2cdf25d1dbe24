use super::*;
use crate::logic::callback::owed::Owed;
use crate::logic::compare::rows::Kind;

fn of(name: &str) -> OfDestination {
    OfDestination {
        name: name.into(),
        ..OfDestination::default()
    }
}

fn summary(each: Vec<OfDestination>) -> Summary {
    Summary {
        each,
        ..Summary::default()
    }
}

fn unread(exit: Exit) -> OfDestination {
    OfDestination {
        unread: Some(Unread {
            destination: "d".into(),
            reason: "down".into(),
            exit,
        }),
        ..of("d")
    }
}

fn compared(name: &str, compared: u64) -> OfDestination {
    OfDestination {
        counts: Counts {
            compared,
            ..Counts::default()
        },
        ..of(name)
    }
}

fn owed(count: u64) -> OfDestination {
    OfDestination {
        owed: OwedCallbacks {
            count,
            ..OwedCallbacks::default()
        },
        ..of("d")
    }
}

#[test]
fn the_exit_status_says_what_is_left() {
    let paused = |pause| OfDestination {
        paused: Some(pause),
        ..of("d")
    };
    let two = |one: OfDestination| summary(vec![one, of("e")]);
    for (summary, exit) in [
        (two(of("d")), Exit::Done),
        (two(owed(1)), Exit::Attention),
        (two(paused(Pause::MaxOwed)), Exit::Attention),
        (two(unread(Exit::Failed)), Exit::Attention),
        (
            Summary {
                paused: Some(Pause::MaxLagSecond),
                ..two(of("d"))
            },
            Exit::Attention,
        ),
        (
            Summary {
                owed_to_strangers: 1,
                ..two(of("d"))
            },
            Exit::Attention,
        ),
        (
            summary(vec![unread(Exit::Failed), unread(Exit::Config)]),
            Exit::Config,
        ),
    ] {
        assert_eq!(summary.exit(), exit, "{summary:?}");
    }
}

#[test]
fn the_line_names_what_there_was_and_nothing_else() {
    let quiet = Summary {
        duration_ms: 1_002,
        ..summary(vec![compared("d", 1)])
    };
    assert_eq!(quiet.line(), "1 row compared, in sync, 1.002 s");
    let destination = OfDestination {
        counts: Counts {
            compared: 12_345,
            missing: 1,
            agreed_later: 2,
            ..Counts::default()
        },
        paused: Some(Pause::MaxOwed),
        unread: unread(Exit::Failed).unread,
        ..owed(3)
    };
    let busy = Summary {
        interrupted: true,
        duration_ms: 45,
        ..summary(vec![destination])
    };
    assert_eq!(
        busy.line(),
        "12,345 rows compared, 1 missing, 2 agreed at the second look, 3 still owed, could not read d, \
         scan of d paused because maxOwed is reached, stopped before the end, 0.045 s"
    );
    let dry = Summary {
        dry_run: true,
        ..busy
    };
    assert!(dry.line().contains(", 3 would be called back, "));
}

#[test]
fn a_row_with_several_copies_is_one_row_compared() {
    let of_each = |rows: &[u64]| {
        let each = rows.iter().zip('a'..);
        summary(
            each.map(|(&n, name)| compared(&name.to_string(), n))
                .collect(),
        )
    };
    for (rows, text) in [
        (
            &[300_000, 300_000][..],
            "300,000 rows compared with each of 2 destinations",
        ),
        (&[0, 0], "0 rows compared"),
        (&[1, 1, 1], "1 row compared with each of 3 destinations"),
        (&[0, 300], "0 rows compared with a, 300 with b"),
        (
            &[1, 2, 3, 4],
            "1 row compared with a, 2 with b, 3 with c, 4 with d",
        ),
        (
            &[5, 9, 9, 9, 9],
            "5 to 9 rows compared with each of 5 destinations",
        ),
    ] {
        let summary = of_each(rows);
        let line = summary.line();
        assert!(line.starts_with(&format!("{text}, ")), "{line}");
        assert_eq!(Some(&summary.total().compared), rows.iter().max());
    }
}

#[test]
fn the_json_has_totals_and_each_destination() {
    let first = OfDestination {
        counts: Counts {
            compared: 7,
            missing: 1,
            different: 2,
            gone: 1,
            repaired: 3,
            refused: 1,
            timed_out: 1,
            broken: 1,
            ..Counts::default()
        },
        last_answer: Some("status 503".into()),
        position: Reached {
            next_id: Some(9),
            ids_behind: Some(0),
            updates_until_us: Some(0),
            gaps: 0,
        },
        ..owed(2)
    };
    let json = serde_json::to_value(summary(vec![first, unread(Exit::Failed)])).unwrap();
    for (pointer, value) in [
        ("/compared", "7"),
        ("/confirmed", "3"),
        ("/repaired", "4"),
        ("/gone", "1"),
        ("/failedTries", "3"),
        ("/owed", "2"),
        ("/paused", "false"),
        ("/destinations", "2"),
        ("/unread", r#"[{"destination":"d","reason":"down"}]"#),
        ("/perDestination/0/name", "\"d\""),
        ("/perDestination/0/compared", "7"),
        ("/perDestination/0/timedOut", "1"),
        ("/perDestination/0/owed", "2"),
        ("/perDestination/0/lastAnswer", "\"status 503\""),
        ("/perDestination/0/nextId", "9"),
        (
            "/perDestination/0/updatesUntil",
            "\"1970-01-01T00:00:00.000Z\"",
        ),
        ("/perDestination/1/unread", "\"down\""),
    ] {
        let found = json.pointer(pointer).map(ToString::to_string);
        assert_eq!(found.as_deref(), Some(value), "{pointer}");
    }
}

#[test]
fn owed_callbacks_are_summed_up_by_destination() {
    let owed = |name: &str, id, detected_us, attempts, error: &str| Owed {
        attempts,
        last_error: Some(error.into()),
        ..Owed::new(name, id, "k", Kind::Missing, vec![], detected_us)
    };
    let all = [
        owed("b", 1, 30, 2, "status 500"),
        owed("a", 2, 50, 1, "status 404"),
        owed("b", 3, 20, 9, "status 503"),
        owed("b", 4, 40, 3, "status 500"),
    ];
    let of = OwedCallbacks::by_destination(all.iter());
    assert_eq!(of.len(), 2);
    let OwedCallbacks {
        count,
        oldest_us,
        tries_max,
        last_error,
        too_large: 0,
    } = of["b"].clone()
    else {
        panic!("{of:?}")
    };
    assert_eq!((count, oldest_us, tries_max), (3, Some(20), 9));
    assert_eq!(last_error.as_deref(), Some("status 503"));
}
