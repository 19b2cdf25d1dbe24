//! Rows of the table that is ahead, in a line. While the other table comes in the same order, the
//! copy of each row is the first of the line, or one of the next few where rows are missing.
//!
//! The line only saves work of the hash table of [`crate::logic::audit::pairing`]. A row whose copy
//! is not near the head of the line may have it further behind. So a line that is out of step is
//! closed, and its rows go to the hash table.

use std::collections::VecDeque;

use crate::logic::audit::record::{Record, Side};

/// Rows that may be missing next to each other.
const PASSED_MAX: usize = 8;
/// Rows in a row whose copies are not in the line.
const MISSES_MAX: usize = 64;
/// Rows of a line.
const ROWS_MAX: usize = 1 << 17;

/// A line of rows of one side, which the first of them says.
#[derive(Debug)]
pub(super) struct Lane {
    side: Side,
    records: VecDeque<Record>,
    misses: usize,
}

impl Lane {
    /// Without rows.
    pub(super) fn new() -> Self {
        Self {
            side: Side::Source,
            records: VecDeque::new(),
            misses: 0,
        }
    }

    /// Takes the copy of a row out of the line. What stood before it goes to `passed`.
    pub(super) fn copy_of(
        &mut self,
        side: Side,
        key: u128,
        passed: &mut Vec<Record>,
    ) -> Option<Record> {
        if side == self.side || self.records.is_empty() {
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
            self.side = side;
        }
        let is_taken = side == self.side;
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
        (self.side, std::mem::take(&mut self.records))
    }

    /// How many rows of a side it has.
    pub(super) fn len_of(&self, side: Side) -> usize {
        if side == self.side {
            self.records.len()
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::logic::audit::record::Tag;

    const BOTH: [Side; 2] = [Side::Source, Side::Destination];

    fn record(key: u128, tag: i64) -> Record {
        Record {
            key,
            row: 0,
            tag: Tag::of_id(tag.into()),
        }
    }

    fn line(side: Side, keys: std::ops::Range<u128>) -> Lane {
        let mut lane = Lane::new();
        for key in keys {
            assert!(lane.take(side, record(key, 0)));
        }
        lane
    }

    /// The key of the copy, and of the rows before it.
    fn found(lane: &mut Lane, side: Side, key: u128) -> (Option<u128>, Vec<u128>) {
        let mut passed = Vec::new();
        let copy = lane.copy_of(side, key, &mut passed);
        let passed = passed.into_iter().map(|record| record.key).collect();
        (copy.map(|record| record.key), passed)
    }

    #[test]
    fn rows_may_be_missing_on_either_side_up_to_eight_of_them_next_to_each_other() {
        for ahead in BOTH {
            let behind = ahead.other();
            let mut lane = line(ahead, 0..30);
            for (key, copy, passed) in [
                (0, Some(0), vec![]),
                (100, None, vec![]),
                (1, Some(1), vec![]),
                (4, Some(4), vec![2, 3]),
                (13, Some(13), (5..13).collect()),
                (23, None, vec![]),
                (14, Some(14), vec![]),
            ] {
                assert_eq!(found(&mut lane, behind, key), (copy, passed), "{key}");
            }
            assert_eq!((lane.len_of(ahead), lane.len_of(behind)), (15, 0));
        }
    }

    #[test]
    fn a_row_is_no_copy_of_a_row_of_its_own_side() {
        for side in BOTH {
            let mut lane = line(side, 0..3);
            for _ in 0..=MISSES_MAX {
                assert_eq!(found(&mut lane, side, 0), (None, vec![]));
            }
            assert!(!lane.is_out_of_step(), "nor is it missing");
        }
    }

    #[test]
    fn a_line_is_of_one_side_until_its_last_row_is_out() {
        let mut lane = line(Side::Source, 0..2);
        assert!(!lane.take(Side::Destination, record(9, 0)));
        assert_eq!(found(&mut lane, Side::Destination, 1), (Some(1), vec![0]));
        assert!(lane.take(Side::Destination, record(9, 0)));
        assert_eq!(found(&mut lane, Side::Source, 9), (Some(9), vec![]));
    }

    #[test]
    fn an_order_that_has_nothing_to_do_with_the_lines_is_noticed_and_a_few_strangers_are_not() {
        let mut lane = line(Side::Source, 0..20);
        for stranger in 0..MISSES_MAX as u128 {
            assert_eq!(found(&mut lane, Side::Destination, 100 + stranger).0, None);
        }
        assert!(!lane.is_out_of_step());
        assert_eq!(found(&mut lane, Side::Destination, 0).0, Some(0));
        for stranger in 0..=MISSES_MAX as u128 {
            assert!(!lane.is_out_of_step());
            assert_eq!(found(&mut lane, Side::Destination, 100 + stranger).0, None);
        }
        assert!(lane.is_out_of_step());
        assert_eq!(lane.close().1.len(), 19);
        assert!(!lane.is_out_of_step(), "it starts again");
    }

    #[test]
    fn nothing_is_missing_in_a_line_without_rows() {
        let mut lane = line(Side::Source, 0..1);
        assert_eq!(found(&mut lane, Side::Destination, 0).0, Some(0));
        for _ in 0..=MISSES_MAX {
            assert_eq!(found(&mut lane, Side::Destination, 1).0, None);
        }
        assert!(!lane.is_out_of_step());
    }

    #[test]
    fn a_line_that_is_too_long_is_out_of_step() {
        let mut lane = line(Side::Destination, 0..ROWS_MAX as u128);
        assert!(!lane.is_out_of_step());
        assert!(lane.take(Side::Destination, record(0, 0)));
        assert!(lane.is_out_of_step());
    }

    proptest! {
        /// Whatever rows come, and whenever it is closed: each that goes in comes out once, as one of a pair, as passed or
        /// at the close, in the order of the line.
        #[test]
        fn no_row_is_lost(steps in proptest::collection::vec((any::<bool>(), 0_u128..12, 0_u8..40), 0..400)) {
            let mut lane = Lane::new();
            let (mut went_in, mut came_out) = (vec![], vec![]);
            let mut side_within = Side::Source;
            for (tag, (is_source, key, dice)) in (0..).zip(steps) {
                let side = if is_source { Side::Source } else { Side::Destination };
                if dice == 0 {
                    let (of, records) = lane.close();
                    prop_assert!(records.is_empty() || of == side_within);
                    came_out.extend(records);
                }
                let mut passed = vec![];
                let copy = lane.copy_of(side, key, &mut passed);
                prop_assert!(copy.is_some() || passed.is_empty());
                prop_assert!(passed.len() <= PASSED_MAX);
                came_out.append(&mut passed);
                if let Some(copy) = copy {
                    prop_assert_eq!((copy.key, side_within), (key, side.other()));
                    came_out.push(copy);
                } else if lane.take(side, record(key, tag)) {
                    side_within = side;
                    went_in.push(record(key, tag));
                }
                let within = lane.len_of(Side::Source) + lane.len_of(Side::Destination);
                prop_assert_eq!(came_out.len() + within, went_in.len());
            }
            came_out.extend(lane.close().1);
            prop_assert_eq!(came_out, went_in);
        }
    }
}
