//! How fast rows may be read: rows a second, evenly, and rows of a table at once.
//!
//! A reader waits until the time of its earlier rows has passed. Idle time is not made up for,
//! because the limit spares a server, and a saved-up burst would hit it at once. No batch is larger
//! than one second's rows, so no wait is longer than about a second.

/// The pace of one table's readers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    rows_per_second: u64,
    /// What has been read so far has had its time then.
    free_at_us: i64,
}

impl Pace {
    /// At least one row a second.
    #[must_use]
    pub(crate) fn new(rows_per_second: u64) -> Self {
        Self {
            rows_per_second: rows_per_second.max(1),
            free_at_us: i64::MIN,
        }
    }

    /// How many rows to read at once where up to `most` could be.
    #[must_use]
    pub(crate) fn rows_at_once(&self, most: usize) -> usize {
        usize::try_from(self.rows_per_second).map_or(most, |rows| rows.min(most))
    }

    /// How long to wait before anything more is read, in microseconds.
    #[must_use]
    pub(crate) fn wait_us(&self, now_us: i64) -> u64 {
        self.free_at_us.saturating_sub(now_us).max(0).unsigned_abs()
    }

    /// A read that began then brought so many rows.
    pub(crate) fn note(&mut self, began_us: i64, rows: u64) {
        let time_us = u128::from(rows) * 1_000_000 / u128::from(self.rows_per_second);
        let time_us = i64::try_from(time_us).unwrap_or(i64::MAX);
        self.free_at_us = self.free_at_us.max(began_us).saturating_add(time_us);
    }
}

/// How many rows a statement is for where a table is read, or summed up, from end to end.
///
/// A server ends a statement that takes a minute, and rows may be wide and the link slow. So it begins with a few and goes
/// on with as many as take about a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stride {
    rows: usize,
    most: usize,
}

/// More at once are not read faster.
pub(crate) const STRIDE_ROWS_MAX: usize = 50_000;
const STRIDE_ROWS_FIRST: usize = 16;
const STRIDE_US: u128 = 1_000_000;

impl Default for Stride {
    fn default() -> Self {
        Self::new(STRIDE_ROWS_FIRST, STRIDE_ROWS_MAX)
    }
}

impl Stride {
    /// From so many rows up to `most`.
    #[must_use]
    pub(crate) fn new(first: usize, most: usize) -> Self {
        Self { rows: first, most }
    }

    /// How many to ask for now.
    #[must_use]
    pub(crate) fn rows(self) -> usize {
        self.rows
    }

    /// A statement brought so many rows in so many microseconds. One that brought none tells nothing.
    #[must_use]
    pub(crate) fn learnt(self, rows: usize, took_us: i64) -> Self {
        if rows == 0 {
            return self;
        }
        let took_us = u128::from(took_us.max(1).unsigned_abs());
        let fitting = rows as u128 * STRIDE_US / took_us;
        let fitting = usize::try_from(fitting).unwrap_or(usize::MAX);
        Self {
            rows: fitting.min(self.rows * 8).clamp(1, self.most),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_US: i64 = 1_000_000;

    /// When each of the reads begins that take `read_us` and bring `rows` each.
    fn begins(pace: &mut Pace, reads: usize, read_us: i64, rows: u64) -> Vec<i64> {
        let mut now_us = 0;
        let mut all = Vec::new();
        for _ in 0..reads {
            now_us += i64::try_from(pace.wait_us(now_us)).unwrap();
            all.push(now_us);
            pace.note(now_us, rows);
            now_us += read_us;
        }
        all
    }

    #[test]
    fn reads_begin_as_far_apart_as_their_rows_need() {
        let mut pace = Pace::new(200);
        let quick = begins(&mut pace, 4, 1_000, 100);
        assert_eq!(quick, [0, 1, 2, 3].map(|n| n * SECOND_US / 2));
    }

    #[test]
    fn a_server_that_is_slower_than_the_limit_is_not_waited_for_besides() {
        let mut pace = Pace::new(200);
        let slow = begins(&mut pace, 3, SECOND_US, 100);
        assert_eq!(slow, [0, 1, 2].map(|n| n * SECOND_US));
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let mut pace = Pace::new(100);
        pace.note(0, 100);
        assert_eq!(pace.wait_us(60 * SECOND_US), 0);
        pace.note(60 * SECOND_US, 100);
        assert_eq!(pace.wait_us(60 * SECOND_US), 1_000_000);
    }

    #[test]
    fn two_readers_share_the_limit() {
        let mut pace = Pace::new(100);
        pace.note(0, 100);
        pace.note(0, 50);
        assert_eq!(pace.wait_us(SECOND_US), 500_000);
    }

    #[test]
    fn no_batch_is_larger_than_a_seconds_rows() {
        for (rate, rows) in [(0, 1), (1, 1), (700, 700), (u64::MAX, 4_096)] {
            assert_eq!(Pace::new(rate).rows_at_once(4_096), rows);
        }
    }

    #[test]
    fn a_table_is_read_by_as_many_rows_as_take_a_second() {
        let narrow = |stride: Stride| stride.learnt(stride.rows(), 10);
        let mut stride = Stride::default();
        let rows: Vec<usize> = std::iter::repeat_with(|| {
            let rows = stride.rows();
            stride = narrow(stride);
            rows
        })
        .take(6)
        .collect();
        assert_eq!(rows, [16, 128, 1_024, 8_192, 50_000, 50_000]);
        assert_eq!(stride.learnt(50_000, 10_000_000).rows(), 5_000);
        let slow = stride.learnt(1, i64::MAX);
        assert_eq!(slow.rows(), 1, "at least one");
        assert_eq!(slow.learnt(1, 0).rows(), 8);
        assert_eq!(stride.learnt(0, 10_000_000).rows(), 50_000);
        assert_eq!(stride.learnt(500, SECOND_US / 2).rows(), 1_000);
    }

    #[test]
    fn any_number_of_rows_is_some_time() {
        let mut pace = Pace::new(1);
        pace.note(i64::MAX, u64::MAX);
        assert_eq!(pace.wait_us(i64::MIN), i64::MAX.unsigned_abs());
    }
}
