use super::*;

fn gap(from: Id, to: Id) -> Gap {
    Gap {
        from,
        to,
        due_us: 60,
    }
}

#[test]
fn what_is_missing_in_a_span_is_remembered() {
    let mut gaps = Gaps::default();
    gaps.note(Span { from: 1, to: 10 }, [2, 3, 6, 9].into_iter(), 60);
    assert_eq!(gaps.holes, [gap(1, 1), gap(4, 5), gap(7, 8), gap(10, 10)]);
}

#[test]
fn low_ids_that_are_to_be_looked_at_again_survive_when_ranges_are_joined() {
    let mut gaps = Gaps::default();
    let mut low = 1_000_000;
    let mut high = low;
    for round in 0..200 {
        let due_us = round * 10 * RANGE_DUE_US;
        low -= 1_000;
        gaps.again(low, due_us);
        for _ in 0..HOLES_MAX {
            high += 2;
            gaps.again(high, due_us);
        }
    }
    assert!(gaps.ranges.len() <= RANGES_MAX);
    assert!(gaps.ranges.is_sorted_by_key(|gap| gap.from));
    let mut all = gaps.holes.iter().chain(&gaps.ranges);
    for id in (low..1_000_000).step_by(1_000) {
        let holds = |gap: &Gap| gap.from <= id && id <= gap.to;
        assert!(all.any(holds), "{id}");
        all = gaps.holes.iter().chain(&gaps.ranges);
    }
}

#[test]
fn a_row_to_be_looked_at_again_may_lie_in_the_next_span() {
    let mut gaps = Gaps::default();
    gaps.again(5, 61);
    gaps.note(Span { from: 1, to: 10 }, [2, 3].into_iter(), 60);
    let joined = Gap {
        due_us: 61,
        ..gap(4, 10)
    };
    assert_eq!(gaps.holes, [gap(1, 1), joined]);
}

#[test]
fn a_span_that_is_reopened_takes_in_what_was_missing_in_it() {
    let mut gaps = Gaps::default();
    gaps.again(4, 60);
    gaps.again(12, 60);
    gaps.reopen(Span { from: 1, to: 10 }, 90);
    let reopened = Gap {
        due_us: 90,
        ..gap(1, 10)
    };
    assert_eq!(gaps.holes, [reopened, gap(12, 12)]);
}

#[test]
fn an_id_that_appears_splits_its_hole() {
    let mut gaps = Gaps {
        holes: vec![gap(1, 5), gap(8, 8)],
        ranges: vec![],
    };
    gaps.fill(3);
    assert_eq!(gaps.holes, [gap(1, 2), gap(4, 5), gap(8, 8)]);
    gaps.fill(8);
    gaps.fill(1);
    gaps.fill(7);
    assert_eq!(gaps.holes, [gap(2, 2), gap(4, 5)]);
}

#[test]
fn every_second_id_of_a_long_hole_leaves_few_holes() {
    let mut gaps = Gaps {
        holes: vec![gap(1, 100_000)],
        ranges: vec![],
    };
    (2..100_000).step_by(2).for_each(|id| gaps.fill(id));
    assert!(gaps.holes.len() <= HOLES_MAX && gaps.ranges.len() <= RANGES_MAX);
    let mut all = gaps.holes.iter().chain(&gaps.ranges);
    assert!((1..100_000).step_by(2).all(|id| {
        let found = all.any(|gap| gap.from <= id && id <= gap.to);
        all = gaps.holes.iter().chain(&gaps.ranges);
        found
    }));
}

#[test]
fn holes_are_forgotten_only_when_due() {
    let mut gaps = Gaps {
        holes: vec![gap(1, 5)],
        ranges: vec![],
    };
    gaps.forget_due(59);
    assert_eq!(gaps.holes.len(), 1);
    gaps.forget_due(60);
    assert!(gaps.is_empty());
}

#[test]
fn an_increment_of_ten_leaves_few_holes_and_one_range_and_forgets_nothing() {
    let mut gaps = Gaps::default();
    for batch in 0..1_000 {
        let from = batch * 10_000;
        gaps.note(
            Span {
                from,
                to: from + 9_999,
            },
            (0..1_000).map(|n| from + n * 10),
            60,
        );
    }
    assert!(gaps.holes.len() <= HOLES_MAX);
    assert_eq!(gaps.ranges.len(), 1);
    let (first_hole, range) = (gaps.holes[0].from, gaps.ranges[0]);
    assert!(
        range.from <= 1 && first_hole <= range.to + 2,
        "every missing id is in the range or in a hole"
    );
    assert_eq!(
        gaps.holes.last().unwrap().to,
        9_999_999,
        "the latest are looked for in every pass"
    );
}

#[test]
fn a_row_to_look_at_again_is_a_hole_of_one() {
    let mut gaps = Gaps {
        holes: vec![gap(1, 3), gap(9, 9)],
        ranges: vec![],
    };
    for id in [5, 2, 9, 12] {
        gaps.again(id, 60);
    }
    assert_eq!(gaps.holes, [gap(1, 3), gap(5, 5), gap(9, 9), gap(12, 12)]);
}

#[test]
fn ranges_are_joined_rather_than_forgotten() {
    let mut gaps = Gaps::default();
    for n in 0..1_000 {
        gaps.note_range(Gap {
            from: n * 100,
            to: n * 100 + 10,
            due_us: i64::try_from(n).unwrap() * 2_000_000,
        });
    }
    assert!(gaps.ranges.len() <= RANGES_MAX);
    for n in 0..1_000 {
        let due_us = i64::try_from(n).unwrap() * 2_000_000;
        assert!(
            gaps.ranges
                .iter()
                .any(|r| r.from <= n * 100 && n * 100 + 10 <= r.to && r.due_us >= due_us)
        );
    }
}

#[test]
fn a_range_read_in_parts_shrinks_until_it_is_gone() {
    let mut gaps = Gaps {
        holes: vec![],
        ranges: vec![gap(1, 100)],
    };
    assert_eq!(gaps.due_ranges(59).count(), 0);
    gaps.range_read(1, 40, 60);
    assert_eq!(gaps.ranges, [gap(41, 100)]);
    gaps.range_read(41, 100, 60);
    assert!(gaps.is_empty());
}

#[test]
fn a_union_remembers_what_either_did() {
    let left = Gaps {
        holes: vec![gap(1, 3), gap(9, 9)],
        ranges: vec![],
    };
    let right = Gaps {
        holes: vec![Gap {
            from: 2,
            to: 5,
            due_us: 70,
        }],
        ranges: vec![],
    };
    assert_eq!(
        left.union(right).holes,
        [
            Gap {
                from: 1,
                to: 5,
                due_us: 70
            },
            gap(9, 9)
        ]
    );
}
