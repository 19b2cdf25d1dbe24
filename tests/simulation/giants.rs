//! Rows that are too large to be read, and answers that memory has no room for.

use cupid::logic::value::oversize::{Part, ROW_BYTES_MAX, TooLarge};

use crate::model::Model;
use crate::table::Content;

const MAX: u64 = ROW_BYTES_MAX as u64;

impl Model {
    /// What of a row of the source is too large. In the quiet at the end nothing is.
    pub(crate) fn giant_row(&self, content: Content) -> Option<TooLarge> {
        let part = match content.v % 9 {
            3 => Part::Compared,
            4 => Part::Row,
            _ => return None,
        };
        let bytes = MAX + content.v.unsigned_abs();
        (self.plan.giants && self.writing).then_some(TooLarge { part, bytes })
    }

    /// How many bytes copies have that are too large.
    pub(crate) fn giant_copies(&self, copies: &[Content]) -> Option<u64> {
        let giants = copies.iter().filter(|copy| copy.v % 9 == 5);
        let bytes: u64 = giants.map(|copy| MAX + copy.v.unsigned_abs()).sum();
        (self.plan.giants && self.writing && bytes > 0).then_some(bytes)
    }

    /// For how many of so many rows memory has room.
    pub(crate) fn answered_at_once(&mut self, rows: usize, room_bytes: usize) -> usize {
        if rows == 0 || !self.rng.chance(self.plan.wide) {
            return rows;
        }
        let least = u64::from(room_bytes >= ROW_BYTES_MAX);
        let answered = least + self.rng.below(rows as u64 + 1 - least);
        usize::try_from(answered).unwrap_or(rows)
    }
}
