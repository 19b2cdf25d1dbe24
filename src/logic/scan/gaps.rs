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

impl Span {
    /// A single id.
    #[must_use]
    pub fn of_one(id: Id) -> Self {
        Self { from: id, to: id }
    }
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

    /// How many gaps are remembered.
    #[must_use]
    pub fn count(&self) -> u64 {
        (self.holes.len() + self.ranges.len()) as u64
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
mod tests;
