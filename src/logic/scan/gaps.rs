//! Ids that are missing below the highest id, because their transactions may not have committed yet.
//!
//! An `AUTO_INCREMENT` id is handed out when a row is inserted and becomes visible when its transaction commits, so a
//! lower id may appear after a higher one was compared. Every hole is remembered until a look at it that happens
//! after it was due; only then is it forgotten, so a timer that did not fire for an hour loses nothing.
//!
//! Memory is bounded: a few thousand holes are remembered one by one and looked for in every pass. Where a table has
//! more (`auto_increment_increment` of 10, a first run over a table with many deleted rows), whole ranges are noted
//! instead, each read once more from end to end when it is due. Both find the same rows; only the moment differs.

#[cfg(test)]
mod ranges_tests;

use serde::{Deserialize, Serialize};

use crate::logic::value::cell::Id;

/// Ids from `from` to `to`, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First id.
    pub from: Id,
    /// Last id, not below `from`.
    pub to: Id,
}

/// Ids that may still appear until `due_us`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Id, Id, i64)", into = "(Id, Id, i64)")]
pub struct Gap {
    /// First id.
    pub from: Id,
    /// Last id, not below `from`.
    pub to: Id,
    /// On the source server's clock, in microseconds since 1970: a look after this moment is the last.
    pub due_us: i64,
}

/// In the checkpoint: `[from, to, due_us]`.
impl From<(Id, Id, i64)> for Gap {
    fn from((from, to, due_us): (Id, Id, i64)) -> Self {
        Self { from, to, due_us }
    }
}

impl From<Gap> for (Id, Id, i64) {
    fn from(Gap { from, to, due_us }: Gap) -> Self {
        (from, to, due_us)
    }
}

/// How many holes are remembered one by one.
pub const HOLES_MAX: usize = 1_024;
/// Ranges due within this time of each other become one.
const RANGE_DUE_US: i64 = 1_000_000;
/// How many ranges to be read once more are kept apart before neighbours are joined.
const RANGES_MAX: usize = 64;

/// All that may still appear below the next new id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Looked for in every pass; sorted, disjoint.
    pub holes: Vec<Gap>,
    /// Read once more when due; sorted by `from`.
    pub ranges: Vec<Gap>,
}

impl Gaps {
    /// Notes what is missing in `span`, of which exactly `ids` (sorted) were there. The span lies above all that was
    /// noted before; only rows that are to be looked at again may lie in it.
    pub fn note(&mut self, span: Span, ids: impl Iterator<Item = Id>, due_us: i64) {
        let reaches_in = self.holes.last().is_some_and(|gap| gap.to >= span.from);
        let mut from = span.from;
        for id in ids {
            if id > from {
                self.holes.push(Gap {
                    from,
                    to: id - 1,
                    due_us,
                });
            }
            from = id + 1;
        }
        if from <= span.to {
            self.holes.push(Gap {
                from,
                to: span.to,
                due_us,
            });
        }
        if reaches_in {
            self.holes = disjoint(std::mem::take(&mut self.holes));
        }
        self.bound();
    }

    /// Looks at a row once more in the next pass, although it was there.
    pub fn again(&mut self, id: Id, due_us: i64) {
        let at = self.holes.partition_point(|gap| gap.to < id);
        if self.holes.get(at).is_none_or(|gap| id < gap.from) {
            self.holes.insert(
                at,
                Gap {
                    from: id,
                    to: id,
                    due_us,
                },
            );
        }
        self.bound();
    }

    /// Ids of this span may appear until `due_us`, although they were passed.
    pub fn reopen(&mut self, Span { from, to }: Span, due_us: i64) {
        self.holes.push(Gap { from, to, due_us });
        self.holes = disjoint(std::mem::take(&mut self.holes));
        self.bound();
    }

    /// Too many holes: the lowest half, which are the oldest, become a range. A transaction that commits late is far
    /// more likely to be a recent one, and that one's hole is still looked for in every pass.
    fn bound(&mut self) {
        if self.holes.len() <= HOLES_MAX {
            return;
        }
        let lowest = self.holes.drain(..self.holes.len() - HOLES_MAX / 2);
        let range = lowest.reduce(|all, gap| Gap {
            from: all.from,
            to: gap.to,
            due_us: all.due_us.max(gap.due_us),
        });
        if let Some(range) = range {
            self.note_range(range);
        }
    }

    fn note_range(&mut self, range: Gap) {
        match self.ranges.last_mut() {
            Some(last)
                if range.from > last.to
                    && range.due_us.abs_diff(last.due_us) < RANGE_DUE_US.unsigned_abs() =>
            {
                last.to = range.to;
                last.due_us = last.due_us.max(range.due_us);
            }
            _ => {
                let place = |gap: &Gap| (gap.from, gap.to);
                let at = self
                    .ranges
                    .partition_point(|gap| place(gap) <= place(&range));
                self.ranges.insert(at, range);
            }
        }
        if self.ranges.len() > RANGES_MAX {
            join_nearest(&mut self.ranges);
        }
    }

    /// The id has appeared.
    pub fn fill(&mut self, id: Id) {
        let at = self.holes.partition_point(|gap| gap.to < id);
        let Some(&gap) = self.holes.get(at).filter(|gap| gap.from <= id) else {
            return;
        };
        let left = (gap.from < id).then_some(Gap { to: id - 1, ..gap });
        let right = (id < gap.to).then_some(Gap {
            from: id + 1,
            ..gap
        });
        self.holes.splice(at..=at, left.into_iter().chain(right));
        self.bound(); // Every second id of a long hole may appear.
    }

    /// Forgets holes that were due when the look at all of them began.
    pub fn forget_due(&mut self, now_us: i64) {
        self.holes.retain(|gap| gap.due_us > now_us);
    }

    /// The ranges whose one more reading is due.
    pub fn due_ranges(&self, now_us: i64) -> impl Iterator<Item = Span> + '_ {
        self.ranges
            .iter()
            .filter(move |gap| gap.due_us <= now_us)
            .map(|gap| Span {
                from: gap.from,
                to: gap.to,
            })
    }

    /// The part of a due range up to and including `to` has been read once more.
    pub fn range_read(&mut self, from: Id, to: Id, now_us: i64) {
        for gap in &mut self.ranges {
            if gap.due_us <= now_us && gap.from == from {
                gap.from = to + 1;
            }
        }
        self.ranges.retain(|gap| gap.from <= gap.to);
    }

    /// Nothing is remembered of ids from here on: they are new ones again.
    pub fn forget_from(&mut self, id: Id) {
        for gaps in [&mut self.holes, &mut self.ranges] {
            gaps.retain(|gap| gap.from < id);
            for gap in gaps {
                gap.to = gap.to.min(id - 1);
            }
        }
    }

    /// All that either remembers.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        let Self { holes, ranges } = other;
        self.holes.extend(holes);
        self.holes = disjoint(self.holes);
        self.ranges.extend(ranges);
        self.ranges.sort_by_key(|gap| (gap.from, gap.to));
        self.ranges.dedup();
        while self.ranges.len() > RANGES_MAX {
            join_nearest(&mut self.ranges);
        }
        self.bound();
        self
    }

    /// True when nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.holes.is_empty() && self.ranges.is_empty()
    }
}

/// Sorted, and joined where they overlap.
fn disjoint(mut holes: Vec<Gap>) -> Vec<Gap> {
    holes.sort_by_key(|gap| (gap.from, gap.to));
    let mut joined: Vec<Gap> = Vec::with_capacity(holes.len());
    for gap in holes {
        match joined.last_mut() {
            Some(last) if gap.from <= last.to => {
                last.to = last.to.max(gap.to);
                last.due_us = last.due_us.max(gap.due_us);
            }
            _ => joined.push(gap),
        }
    }
    joined
}

/// Joins the two neighbouring ranges with the fewest ids between them: reads more than needed, forgets nothing.
fn join_nearest(ranges: &mut Vec<Gap>) {
    let Some(at) = (1..ranges.len()).min_by_key(|&at| ranges[at].from - ranges[at - 1].to) else {
        return;
    };
    let right = ranges.remove(at);
    let left = &mut ranges[at - 1];
    left.from = left.from.min(right.from);
    left.to = left.to.max(right.to);
    left.due_us = left.due_us.max(right.due_us);
}

#[cfg(test)]
mod tests {
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
}
