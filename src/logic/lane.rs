//! Rows of the table that is ahead, in a line: while the other table brings its rows in the same order, the copy of each is
//! the first of the line, or one of the next few where rows are missing.
//!
//! It only spares the hash table of [`super::pairing`] what two tables in the same order would put there. A row whose copy
//! is not at the head of the line may have it further behind; so a line that is out of step is closed, and its rows go where
//! any order will do.

use std::collections::VecDeque;

use super::pairing::{Record, Side};

/// Rows that may be missing next to each other.
const PASSED_MAX: usize = 8;
/// Rows in a row whose copies are not in the line.
const MISSES_MAX: usize = 64;
/// Rows of a line.
const ROWS_MAX: usize = 1 << 17;

/// A line of rows of one side.
#[derive(Debug, Default)]
pub(super) struct Lane {
    side: Option<Side>,
    records: VecDeque<Record>,
    misses: usize,
}

impl Lane {
    /// Takes the copy of a row out of the line. What stood before it goes to `passed`.
    pub(super) fn copy_of(
        &mut self,
        side: Side,
        key: u128,
        passed: &mut Vec<Record>,
    ) -> Option<Record> {
        if self.side != Some(side.other()) {
            return None;
        }
        let next = self.records.iter().take(PASSED_MAX + 1);
        let Some(at) = next.map(|record| record.key).position(|other| other == key) else {
            self.misses += 1;
            return None;
        };
        self.misses = 0;
        passed.extend(self.records.drain(..at));
        self.records.pop_front()
    }

    /// Puts a row at the end of the line, unless it is the other side's.
    pub(super) fn take(&mut self, side: Side, record: Record) -> bool {
        if self.records.is_empty() {
            (self.side, self.misses) = (Some(side), 0);
        }
        let is_taken = self.side == Some(side);
        if is_taken {
            self.records.push_back(record);
        }
        is_taken
    }

    /// It does not spare anything.
    pub(super) fn is_out_of_step(&self) -> bool {
        self.misses > MISSES_MAX || self.records.len() > ROWS_MAX
    }

    /// Its rows; it is empty then.
    pub(super) fn close(&mut self) -> (Side, VecDeque<Record>) {
        self.misses = 0;
        let side = self.side.take().unwrap_or(Side::Source);
        (side, std::mem::take(&mut self.records))
    }

    /// How many rows of a side it has.
    pub(super) fn len_of(&self, side: Side) -> usize {
        if self.side == Some(side) {
            self.records.len()
        } else {
            0
        }
    }
}
