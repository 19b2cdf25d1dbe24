//! Landmarks: how a pass notices that the ids below its checkpoint are no longer those that it compared.
//!
//! A table may be truncated, restored or replaced by a replica that is behind. Ids then come again that
//! the checkpoint has passed. The highest id alone does not tell: the table may have grown beyond the
//! checkpoint before the next pass. So a position keeps a trail: some ids that it compared, each with a
//! fingerprint of its row's key. Landmarks are dense near the checkpoint and thin out below, two for each
//! doubling of the distance, so a few dozen cover any table.
//!
//! A pass doubts the trail when the highest id lies below the checkpoint, when the row with the highest
//! id is not known as the highest, and when there are new ids. It then reads the landmarks again, by one
//! statement. The highest one that is unchanged is where both histories still agree: ids above it are
//! compared again. Comparing a row again costs time and nothing else, so every uncertainty is resolved
//! towards comparing, but not towards a large table as a whole where a row or two are in question.
//!
//! Rows may be deleted and keys may be changed for good reasons. A landmark that is gone proves nothing.
//! Where all are gone, the table may have been emptied, and the transactions that fill it anew may commit
//! late: ids below the checkpoint are looked for like any that are missing.
//! One that has another key counts only where no higher one is unchanged. After each look the trail is
//! brought up to date, so the same doubt does not come twice.
//!
//! Where the key is the id itself it tells nothing. Such a landmark keeps a fingerprint of the compared
//! columns, which change for good reasons too; it is believed only when every one of them changed, and
//! not again before one of them was met unchanged.

mod judge;
mod mark;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use self::mark::{Mark, mark_of};
use crate::logic::scan::bounds::Bounds;
use crate::logic::scan::gaps::Span;
use crate::logic::value::cell::Id;
use crate::logic::value::row::Row;

pub use self::mark::{key_print, without_wide_cells};

/// Landmarks kept at the most: two for each doubling of the distance. Ids that a checkpoint may hold have
/// no more than 67 of them.
pub const MARKS_MAX: usize = 2 * 67;
/// A maximum that goes back again and again is told no more often.
const TOLD_AGAIN_US: i64 = 3_600_000_000;
/// No id column holds a lower value.
pub const LOWEST_ID: Id = i64::MIN as Id;

/// What a position knows of the rows that it has passed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Trail {
    /// The first id that was ever looked at; `None` where an earlier version of cupid began.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Id>,
    /// The highest id when the position last reached it, with the fingerprint of that row's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    top: Option<(Id, u64)>,
    /// Sorted by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    marks: Vec<Mark>,
    /// How many columns went into prints of cells.
    columns: usize,
    /// The table was compared as a whole because of prints of cells, and none was met unchanged since.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_shaken: bool,
    /// When it was last told that ids start again: the source server's clock, in microseconds since
    /// 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    told_us: Option<i64>,
    /// It was told that the table is empty.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_emptied: bool,
}

/// Why the landmarks have to be read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The highest id lies below the checkpoint.
    WentBack,
    /// There are new ids, or another row has the highest one.
    MayBeOther,
}

/// Where the ids are to be compared from again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From this id on.
    At(Id),
    /// From the lowest id of the table, which is another one than it was.
    Lowest,
}

/// What the landmarks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It is the table that was compared, up to the checkpoint.
    Unchanged,
    /// There are new ids, and no landmark is left: rows from here on may come late.
    AllGone(Start),
    /// The table is empty, and was not.
    Emptied,
    /// Ids from here on are others.
    Again(Start),
}

impl Finding {
    /// There is nothing to tell people.
    #[must_use]
    pub fn is_usual(self) -> bool {
        matches!(self, Self::Unchanged | Self::AllGone(_))
    }
}

/// What else a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// The next new id to look at.
    pub next_id: Id,
    /// The source as the pass found it.
    pub bounds: Bounds,
    /// `src.insertStartId`, for a checkpoint that does not say where it began.
    pub start_id: Id,
    /// Updated rows are looked at, and were before: a window begins where the last one ended, so a row that
    /// was written anew is met by its update time. The first window reaches back a minute or so, and may not.
    pub update: bool,
}

impl Trail {
    /// A position begins here.
    pub fn begin(&mut self, start_id: Id) {
        self.from = Some(start_id);
    }

    /// Rows of a batch, in id order, were given out to be compared; the position is now before `next_id`.
    pub fn pass(&mut self, rows: &[Row], next_id: Id) {
        let doublings = std::iter::successors(Some(1), |back| Some(back * 2));
        let backwards = doublings.map_while(|back| rows.len().checked_sub(back));
        for row in backwards.chain([0]).filter_map(|at| rows.get(at)) {
            if let Some(mark) = mark_of(row) {
                self.columns = row.cells.len();
                self.marks.push(mark);
            }
        }
        self.thin(next_id);
    }

    /// The position has reached the highest id.
    pub fn reach(&mut self, bounds: Bounds) {
        self.top = bounds.id_max.zip(bounds.key_max);
        self.is_emptied = false;
    }

    /// The position has reached the highest id, and does not know its row.
    #[must_use]
    pub fn lacks_top(&self, bounds: Bounds) -> bool {
        self.top.is_none() && bounds.key_max.is_some()
    }

    /// An updated row is compared anew. A landmark of compared columns follows it; a key is judged by a
    /// look of its own.
    pub fn meet(&mut self, row: &Row) {
        let known = self.marks.binary_search_by_key(&row.id, |mark| mark.id);
        if let (Ok(at), Some(mark)) = (known, mark_of(row))
            && mark.is_of_cells
            && self.marks[at].is_of_cells
        {
            self.marks[at] = mark;
        }
    }

    /// The first id that was ever looked at.
    #[must_use]
    pub fn first_id(&self, around: Around) -> Id {
        self.from.unwrap_or(around.start_id)
    }

    /// A row was passed, so that its id being gone means something.
    fn has_passed(&self, next_id: Id, start_id: Id) -> bool {
        next_id != self.from.unwrap_or(start_id)
    }

    /// The highest id lies below the checkpoint.
    #[must_use]
    pub fn is_back(&self, next_id: Id, id_max: Option<Id>, start_id: Id) -> bool {
        self.has_passed(next_id, start_id) && id_max.is_none_or(|max| max < next_id - 1)
    }

    /// Whether the landmarks have to be read again, and why.
    #[must_use]
    pub fn doubt(&self, around: Around) -> Option<Doubt> {
        let Around {
            next_id, bounds, ..
        } = around;
        if self.is_back(next_id, bounds.id_max, around.start_id) {
            return Some(Doubt::WentBack);
        }
        let max = bounds.id_max?;
        // Where a pass ended before it reached the highest id, that row was never known as the highest.
        let is_known = |key| self.top == Some((max, key));
        let may_be_other = max >= next_id || !bounds.key_max.is_none_or(is_known);
        let tells = self
            .marks
            .iter()
            .any(|mark| !(mark.is_of_cells && around.update));
        (may_be_other && tells).then_some(Doubt::MayBeOther)
    }

    /// The landmarks to be read, each a span of one id.
    #[must_use]
    pub fn spans(&self, id_max: Option<Id>) -> Vec<Span> {
        let ids = self.marks.iter().map(|mark| mark.id);
        ids.filter(|&id| id_max.is_some_and(|max| id <= max))
            .map(|id| Span { from: id, to: id })
            .collect()
    }

    /// Whether a landmark's compared columns have to be read too.
    #[must_use]
    pub fn needs_cells(&self) -> bool {
        self.marks.iter().any(|mark| mark.is_of_cells)
    }

    /// The position goes back to this id.
    pub fn go_back(&mut self, next_id: Id) {
        self.from = self.from.map(|from| from.min(next_id));
        self.marks.retain(|mark| mark.id < next_id);
        self.top = None;
    }

    fn was_told_lately(&self, now_us: i64) -> bool {
        let is_late = |told_us: i64| (0..TOLD_AGAIN_US).contains(&now_us.saturating_sub(told_us));
        self.told_us.is_some_and(is_late)
    }

    /// Whether people are to be warned now. Rows at the end that come and go again and again, and
    /// replicas that are behind by turns, are no news for an hour.
    pub fn tell(&mut self, finding: Finding, now_us: i64) -> bool {
        let is_news = match finding {
            Finding::Unchanged | Finding::AllGone(_) => false,
            Finding::Emptied => !std::mem::replace(&mut self.is_emptied, true),
            Finding::Again(Start::Lowest) => true,
            Finding::Again(Start::At(_)) => !self.was_told_lately(now_us),
        };
        if is_news && finding != Finding::Emptied {
            self.told_us = Some(now_us);
        }
        is_news
    }

    /// What two positions that have come to the same place know, without what they know differently.
    #[must_use]
    pub fn joined(mut self, other: Self, next_id: Option<Id>) -> Self {
        let Self {
            from,
            top,
            marks,
            columns,
            is_shaken,
            told_us,
            is_emptied,
        } = other;
        let known: HashMap<Id, Mark> = self.marks.iter().map(|mark| (mark.id, *mark)).collect();
        let is_contrary = |mark: &Mark| known.get(&mark.id).is_some_and(|known| known != mark);
        let contrary: Vec<Id> = marks
            .iter()
            .filter(|m| is_contrary(m))
            .map(|m| m.id)
            .collect();
        self.marks.extend(marks);
        self.marks.retain(|mark| !contrary.contains(&mark.id));
        if self.columns != columns {
            self.marks.retain(|mark| !mark.is_of_cells);
        }
        self.from = self.from.zip(from).map(|(one, other)| one.min(other));
        self.top = self.top.filter(|_| self.top == top);
        self.is_shaken |= is_shaken;
        self.told_us = self.told_us.max(told_us);
        self.is_emptied &= is_emptied;
        if let Some(next_id) = next_id {
            self.thin(next_id);
        }
        self
    }

    /// Sorted, and the lowest and the highest of each doubling of the distance.
    fn thin(&mut self, next_id: Id) {
        self.marks.sort_by_key(|mark| mark.id);
        self.marks.dedup_by_key(|mark| mark.id);
        let doubling = |mark: &Mark| (next_id - mark.id).max(1).ilog2();
        let groups = self
            .marks
            .chunk_by(|one, other| doubling(one) == doubling(other));
        self.marks = groups
            .flat_map(|group| match group {
                [lowest, .., highest] => vec![*lowest, *highest],
                few => few.to_vec(),
            })
            .collect();
        debug_assert!(self.marks.len() <= MARKS_MAX);
    }

    /// Nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether its numbers are some that a pass writes.
    #[must_use]
    pub fn is_plausible(
        &self,
        is_id: impl Fn(Id) -> bool,
        is_moment: impl Fn(i64) -> bool,
    ) -> bool {
        let marks = self.marks.iter().map(|mark| mark.id);
        let ids = marks.chain(self.from).chain(self.top.map(|(id, _)| id));
        let is_sorted = self.marks.is_sorted_by(|one, other| one.id < other.id);
        let is_few = self.marks.len() <= MARKS_MAX;
        is_few && is_sorted && ids.into_iter().all(is_id) && self.told_us.is_none_or(is_moment)
    }
}

#[cfg(test)]
mod tests;
