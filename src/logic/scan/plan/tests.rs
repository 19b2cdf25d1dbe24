use super::*;
use crate::logic::scan::gaps::Gaps;
use crate::logic::scan::suspects::Suspects;

const S: i64 = 1_000_000;

const LIMITS: Limits = Limits {
    insert: true,
    update: true,
    start_id: 0,
    late_commit_us: 60 * S,
    update_scan_us: 5 * S,
};

fn row(id: Id) -> Row {
    Row {
        id,
        key: Cell::Int(1),
        updated: Cell::Int(id.try_into().unwrap()),
        cells: vec![],
    }
}

fn bounds(now_s: i64, id_max: Id) -> Bounds {
    Bounds {
        now_us: now_s * S,
        id_max: Some(id_max),
        key_max: Some(u64::try_from(id_max).unwrap()),
    }
}

/// Every request of a pass; the table holds the ids from 1 on that `has` accepts.
fn requests(scan: &mut Scan, has: impl Fn(Id) -> bool) -> Vec<What> {
    let mut all = Vec::new();
    while let Some(request) = scan.next_request() {
        let rows = match &request.what {
            What::Holes(spans) | What::Suspects(spans) => {
                spans.iter().flat_map(|s| s.from..=s.to).collect()
            }
            What::Keys(_) => panic!("no scan asks for landmarks"),
            What::New(ids) | What::Again(ids) => (ids.from..=ids.to).collect(),
            What::Updated { .. } => vec![],
        };
        let rows = rows.into_iter().filter(|&id| id > 0 && has(id));
        let rows = rows.take(request.limit).map(row).collect();
        all.push(request.what.clone());
        scan.advance(request, rows);
    }
    all
}

fn window(from_s: i64, to_s: i64) -> What {
    What::Updated {
        from_us: from_s * S,
        to_us: to_s * S,
        after: None,
    }
}

#[test]
fn a_window_begins_where_the_last_one_ended_however_long_ago_that_was() {
    let mut scan = Scan::new(Position::default(), bounds(1_000, 3), LIMITS);
    let first = requests(&mut scan, |_| true);
    assert_eq!(
        first,
        [What::New(Span { from: 0, to: 3 }), window(935, 1_000)]
    );
    let position = scan.position().clone();
    let mut scan = Scan::new(position, bounds(4_600, 3), LIMITS);
    assert_eq!(
        requests(&mut scan, |_| true).last(),
        Some(&window(935, 4_600))
    );
}

#[test]
fn a_clock_that_is_set_back_makes_the_window_begin_earlier() {
    let mut scan = Scan::new(Position::default(), bounds(1_000, 0), LIMITS);
    requests(&mut scan, |_| true);
    let mut scan = Scan::new(scan.position().clone(), bounds(400, 0), LIMITS);
    assert_eq!(
        requests(&mut scan, |_| true).last(),
        Some(&window(335, 400))
    );
}

#[test]
fn a_window_left_in_the_middle_is_ended_before_the_next_one() {
    let after = Cursor {
        time: "t".into(),
        id: 9,
    };
    let update = UpdatePosition {
        until_us: 100 * S,
        resume: Some(Resume {
            to_us: 200 * S,
            after: after.clone(),
        }),
        seen: Seen::default(),
        moments: None,
    };
    let position = Position {
        next_id: Some(1),
        update: Some(update),
        ..Position::default()
    };
    let mut scan = Scan::new(position, bounds(300, 0), LIMITS);
    let left = What::Updated {
        from_us: 35 * S,
        to_us: 200 * S,
        after: Some(after),
    };
    assert_eq!(requests(&mut scan, |_| true), [left, window(135, 300)]);
    let update = scan.position().update.as_ref().unwrap();
    assert_eq!((update.until_us, &update.resume), (300 * S, &None));
}

#[test]
fn an_id_that_appears_below_the_highest_is_looked_for_until_its_time_is_over() {
    let mut scan = Scan::new(Position::default(), bounds(1_000, 5), LIMITS);
    requests(&mut scan, |id| id != 3);
    for now_s in [1_010, 1_059, 5_000] {
        scan = Scan::new(scan.position().clone(), bounds(now_s, 5), LIMITS);
        let holes = [Span { from: 0, to: 0 }, Span { from: 3, to: 3 }];
        assert_eq!(
            requests(&mut scan, |id| id != 3)[0],
            What::Holes(holes.to_vec()),
            "{now_s}"
        );
    }
    assert_eq!(scan.position().gaps, Gaps::default());
}

#[test]
fn a_table_of_many_batches_is_read_to_its_end_and_what_is_left_is_told() {
    let mut scan = Scan::new(Position::default(), bounds(1_000, 50_000), LIMITS);
    let request = scan.next_request().unwrap();
    let rows = (1..).take(request.limit).map(row).collect();
    scan.advance(request, rows);
    assert_eq!(scan.ids_left(), 50_000 - BATCH_ROWS_FIRST as u64);
    let rest = requests(&mut scan, |_| true);
    assert!(rest.len() > 10, "{} requests", rest.len());
    assert_eq!(scan.position().next_id, Some(50_001));
    assert_eq!(scan.ids_left(), 0);
}

#[test]
fn a_row_met_again_unchanged_is_not_compared_again() {
    let mut scan = Scan::new(Position::default(), bounds(1_000, 2), LIMITS);
    let request = scan.next_request().unwrap();
    assert_eq!(scan.advance(request, vec![row(1), row(2)]).len(), 2);
    let request = scan.next_request().unwrap();
    let mut changed = row(2);
    changed.cells = vec![Cell::Null];
    let left = scan.advance(request, vec![row(1), changed.clone()]);
    assert_eq!(left, [changed], "the second change kept its update time");
}

#[test]
fn suspects_are_looked_at_in_order_and_nothing_of_them_stays() {
    let position = Position {
        next_id: Some(100_000),
        suspects: serde_json::from_str("[[1, 9000], [9500, 9500]]").unwrap(),
        ..Position::default()
    };
    let limits = Limits {
        update: false,
        late_commit_us: 0,
        ..LIMITS
    };
    let mut scan = Scan::new(position.clone(), bounds(1_000, 100_002), limits);
    assert_eq!((scan.is_done(), scan.ids_left()), (false, 3));
    let first = scan.next_request().unwrap();
    assert!(matches!(&first.what, What::Suspects(spans) if spans.len() == 2));
    let rows: Vec<Row> = (1..=9_000).take(first.limit).map(row).collect();
    let last = rows.last().unwrap().id;
    scan.advance(first, rows);
    let left = scan.position().suspects.next(1);
    assert_eq!(
        left,
        [Span {
            from: last + 1,
            to: 9_000
        }]
    );
    let all = requests(&mut scan, |_| true);
    assert_eq!(
        all.last(),
        Some(&What::New(Span {
            from: 100_000,
            to: 100_002
        }))
    );
    let ended = Position {
        next_id: Some(100_003),
        suspects: Suspects::default(),
        trail: scan.position().trail.clone(),
        ..position
    };
    assert_eq!((scan.position(), scan.is_done()), (&ended, true));
}

#[test]
fn batches_grow_with_narrow_rows_and_shrink_with_wide_ones() {
    let only_new = Limits {
        update: false,
        ..LIMITS
    };
    let mut scan = Scan::new(Position::default(), bounds(1_000, 1_000_000), only_new);
    let wide = |id| Row {
        cells: vec![Cell::Bytes(vec![0; 1 << 20].into())],
        ..row(id)
    };
    let mut from = 0;
    let mut answer = |scan: &mut Scan, rows: Id, wide_ones: bool| {
        let mut request = scan.next_request().unwrap();
        let limit = request.limit;
        request.limit = usize::try_from(rows).unwrap(); // So many come back, and there are more.
        let ids = from..from + rows;
        from += rows;
        let rows = ids.map(|id| if wide_ones { wide(id) } else { row(id) });
        scan.advance(request, rows.collect());
        limit
    };
    assert_eq!(answer(&mut scan, 10, false), BATCH_ROWS_FIRST);
    assert_eq!(answer(&mut scan, 10, false), 4 * BATCH_ROWS_FIRST);
    assert_eq!(answer(&mut scan, 10, false), 16 * BATCH_ROWS_FIRST);
    assert_eq!(answer(&mut scan, 2, true), BATCH_ROWS_MAX);
    assert_eq!(answer(&mut scan, 3, false), 3, "4 MiB hold three of them");
    assert_eq!(answer(&mut scan, 12, false), 12, "four times as many");
    assert_eq!(answer(&mut scan, 12, false), 48);
}

#[test]
fn a_row_to_be_looked_at_again_is_asked_for_by_its_id_in_the_next_pass() {
    let mut scan = Scan::new(Position::default(), bounds(1_000, 3), LIMITS);
    assert!(!scan.is_done());
    assert!(!scan.next_request().unwrap().is_of_known_ids());
    let mut scan = Scan::new(Position::default(), bounds(1_000, 3), LIMITS);
    requests(&mut scan, |_| true);
    assert!(scan.is_done());
    scan.again(2);
    let mut next = Scan::new(scan.position().clone(), bounds(1_001, 3), LIMITS);
    let request = next.next_request().unwrap();
    assert!(request.is_of_known_ids());
    let holes = [0, 2].map(|id| Span { from: id, to: id });
    assert_eq!(request.what, What::Holes(holes.to_vec()));
    // There it is, so that look is the last one.
    let rows = vec![row(2)];
    next.advance(request, rows);
    let holes = &next.position().gaps.holes;
    assert_eq!(holes.iter().map(|gap| gap.from).collect::<Vec<_>>(), [0]);
    assert_eq!(
        scan.due_again_us(),
        1_060 * S,
        "it may be away for a moment"
    );
    let mut ranges = Position::default();
    ranges.gaps.ranges.push(crate::logic::scan::gaps::Gap {
        from: 1,
        to: 2,
        due_us: 0,
    });
    let mut again = Scan::new(ranges, bounds(1_000, 3), LIMITS);
    assert!(again.next_request().unwrap().is_of_known_ids());
}

#[test]
fn a_range_is_read_once_more_from_end_to_end_and_nothing_of_it_twice() {
    let mut position = Position {
        next_id: Some(11),
        ..Position::default()
    };
    position.gaps.ranges.push(crate::logic::scan::gaps::Gap {
        from: 1,
        to: 10,
        due_us: 0,
    });
    let only_new = Limits {
        update: false,
        ..LIMITS
    };
    let mut scan = Scan::new(position, bounds(1_000, 10), only_new);
    let rest = |from| What::Again(Span { from, to: 10 });
    for (from, last) in [(1, 4), (5, 9), (10, 10)] {
        let mut request = scan.next_request().unwrap();
        assert_eq!(request.what, rest(from));
        assert_eq!(scan.position().gaps.ranges[0].from, from);
        request.limit = 1;
        scan.advance(request, vec![row(last)]);
    }
    assert!(scan.is_done() && scan.position().gaps.is_empty());
}

#[test]
fn without_late_commits_no_id_is_looked_for_again() {
    let at_once = Limits {
        late_commit_us: 0,
        ..LIMITS
    };
    let mut scan = Scan::new(Position::default(), bounds(1_000, 9), at_once);
    requests(&mut scan, |id| id % 2 == 0);
    assert!(scan.position().gaps.is_empty());
}

#[test]
fn holes_beyond_a_full_batch_are_asked_for_whole_in_the_next_one() {
    let mut position = Position {
        next_id: Some(11),
        ..Position::default()
    };
    let gap = |(from, to)| crate::logic::scan::gaps::Gap {
        from,
        to,
        due_us: i64::MAX,
    };
    position.gaps.holes = [(1, 3), (5, 6), (9, 9)].map(gap).to_vec();
    let mut scan = Scan::new(position, bounds(1_000, 10), LIMITS);
    let mut request = scan.next_request().unwrap();
    request.limit = 1;
    scan.advance(request, vec![row(2)]);
    let left = [(3, 3), (5, 6), (9, 9)].map(|(from, to)| Span { from, to });
    assert_eq!(
        scan.next_request().unwrap().what,
        What::Holes(left.to_vec())
    );
}

#[test]
fn rows_compared_as_new_are_known_to_the_window_of_their_pass_and_the_latest_to_a_crowded_one() {
    let mut scan = Scan::new(Position::default(), bounds(1_000, 9), LIMITS);
    for ids in [1..=4, 5..=9] {
        let mut request = scan.next_request().unwrap();
        request.limit = 4;
        assert_eq!(
            scan.advance(request, ids.clone().map(row).collect()).len(),
            ids.count()
        );
    }
    let request = scan.next_request().unwrap();
    assert!(matches!(request.what, What::Updated { .. }));
    let again = scan.advance(request, (1..=9).map(row).collect());
    assert_eq!(again, [], "all are known");

    for (known, rows, left) in [
        (SEEN_MAX - 1, 1, SEEN_MAX),
        (SEEN_MAX - 1, 2, 2),
        (SEEN_MAX / 2 + 1, 2, SEEN_MAX / 2 + 3),
    ] {
        let mut crowded = Seen::default();
        (0..known).for_each(|n| crowded.insert(-Id::try_from(n).unwrap(), 1));
        let position = Position {
            next_id: Some(1),
            update: Some(UpdatePosition {
                until_us: 0,
                resume: None,
                seen: crowded,
                moments: None,
            }),
            ..Position::default()
        };
        let mut scan = Scan::new(position, bounds(1_000, rows), LIMITS);
        let request = scan.next_request().unwrap();
        scan.advance(request, (1..=rows).map(row).collect());
        assert_eq!(scan.position().update.as_ref().unwrap().seen.len(), left);
    }
}

#[test]
fn a_batch_that_ends_with_the_last_id_is_the_last_one() {
    let mut scan = Scan::new(Position::default(), bounds(1_000, 4), LIMITS);
    let mut request = scan.next_request().unwrap();
    request.limit = 4;
    scan.advance(request, (1..=4).map(row).collect());
    assert!(matches!(
        scan.next_request().unwrap().what,
        What::Updated { .. }
    ));
}

#[test]
fn a_window_goes_on_after_the_time_and_the_id_of_its_last_row() {
    let only_updates = Limits {
        insert: false,
        ..LIMITS
    };
    let mut scan = Scan::new(Position::default(), bounds(1_000, 9), only_updates);
    let mut request = scan.next_request().unwrap();
    request.limit = 2;
    let moment = crate::logic::value::cell::DateTime {
        year: 2024,
        month: 1,
        day: 2,
        microsecond: 120_000,
        ..Default::default()
    };
    let last = Row {
        updated: Cell::DateTime(moment),
        ..row(7)
    };
    scan.advance(request, vec![row(3), last]);
    let cursor = Cursor {
        time: "2024-01-02 00:00:00.120000".into(),
        id: 7,
    };
    let resume = scan.position().update.clone().unwrap().resume.unwrap();
    assert_eq!(resume.after, cursor);
    let What::Updated { after, .. } = scan.next_request().unwrap().what else {
        panic!("the window is not over");
    };
    assert_eq!(after, Some(cursor));
}
