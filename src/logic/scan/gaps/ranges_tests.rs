//! Which spans and ranges are joined, and which are kept apart.

use super::*;

fn range(from: Id, to: Id, due_us: i64) -> Gap {
    Gap { from, to, due_us }
}

#[test]
fn ranges_due_at_about_the_same_time_become_one_and_others_stay_apart() {
    for (next, expected) in [
        (
            range(30, 40, RANGE_DUE_US - 1),
            vec![range(1, 40, RANGE_DUE_US - 1)],
        ),
        (range(30, 40, 1 - RANGE_DUE_US), vec![range(1, 40, 0)]),
        (
            range(30, 40, RANGE_DUE_US),
            vec![range(1, 20, 0), range(30, 40, RANGE_DUE_US)],
        ),
        // Below or across what is there.
        (range(20, 40, 0), vec![range(1, 20, 0), range(20, 40, 0)]),
        (range(-9, -5, 0), vec![range(-9, -5, 0), range(1, 20, 0)]),
    ] {
        let mut gaps = Gaps::default();
        gaps.note_range(range(1, 20, 0));
        gaps.note_range(next);
        assert_eq!(gaps.ranges, expected, "{next:?}");
    }
}

#[test]
fn so_many_ranges_are_kept_apart_and_then_the_nearest_are_joined() {
    let mut gaps = Gaps::default();
    let many = Id::try_from(RANGES_MAX).unwrap();
    // The fourth is the longest.
    let nth = |n: Id| {
        let due = i64::try_from(n).unwrap() * 10 * RANGE_DUE_US;
        range(n * 100, n * 100 + if n == 3 { 80 } else { 9 }, due)
    };
    (0..many).for_each(|n| gaps.note_range(nth(n)));
    assert_eq!(gaps.ranges, (0..many).map(nth).collect::<Vec<_>>());
    // This one lies nearer to the last one than any other two.
    let late = i64::MAX;
    gaps.note_range(range(many * 100 - 80, many * 100 - 79, late));
    assert_eq!(gaps.ranges.len(), RANGES_MAX);
    let last = range((many - 1) * 100, many * 100 - 79, late);
    assert_eq!(gaps.ranges.last(), Some(&last));
    let before: Vec<Gap> = (0..many - 1).map(nth).collect();
    assert_eq!(gaps.ranges[..RANGES_MAX - 1], before);
}

#[test]
fn a_union_keeps_as_many_ranges_apart_as_one_may_have() {
    let of = |numbers: std::ops::Range<Id>| Gaps {
        holes: vec![],
        ranges: numbers.map(|n| range(n * 100, n * 100 + 9, 0)).collect(),
    };
    let many = Id::try_from(RANGES_MAX).unwrap();
    assert_eq!(of(0..40).union(of(40..many)), of(0..many));
    let crowded = of(0..40).union(of(40..80));
    assert_eq!(crowded.ranges.len(), RANGES_MAX);
    assert_eq!(crowded.ranges.last().map(|gap| gap.to), Some(7_909));
}

#[test]
fn only_the_range_that_was_read_and_was_due_shrinks() {
    let mut gaps = Gaps {
        holes: vec![],
        ranges: vec![range(1, 9, 10), range(1, 20, 60), range(5, 30, 10)],
    };
    gaps.range_read(1, 4, 10);
    assert_eq!(
        gaps.ranges,
        [range(5, 9, 10), range(1, 20, 60), range(5, 30, 10)]
    );
}
