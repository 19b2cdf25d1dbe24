//! How far long work is, in words on one line: share, rows, rate, time left.

use crate::logic::value::count::counted;
use crate::logic::value::count::grouped;

/// What is left is only told up to this long: where ids are sparse, it would be centuries.
const LEFT_S_MAX: u64 = 99 * 86_400;
/// How wide the bar is.
const BAR_CHARS: usize = 20;

/// The work as it was first seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// Rows and ids, those that are done and those that are left.
    total: Option<u64>,
}

impl Progress {
    /// `compared` rows since the work began, `elapsed_ms` ago, and how many ids are left.
    pub(crate) fn line(&mut self, compared: u64, ids_left: u64, elapsed_ms: u64) -> String {
        let now = compared.saturating_add(ids_left);
        let total = *self.total.get_or_insert(now);
        // More may come while it goes on.
        let total = total.max(ids_left).max(1);
        self.total = Some(total);
        let done = total - ids_left;
        let share = u128::from(done) * 100 / u128::from(total);
        let rate = u128::from(compared) * 1000 / u128::from(elapsed_ms.max(1));
        let rate = u64::try_from(rate).unwrap_or(u64::MAX);
        let left = (done > 0).then(|| {
            let left_ms = u128::from(elapsed_ms) * u128::from(ids_left) / u128::from(done);
            u64::try_from(left_ms / 1000).unwrap_or(u64::MAX)
        });
        let left = left.filter(|&left_s| left_s <= LEFT_S_MAX);
        let left = left.map_or_else(|| "?".into(), duration);
        let full = usize::try_from(share).unwrap_or(0) * BAR_CHARS / 100;
        format!(
            "{share:>3}% {}, {}/s, {left} left {}{}",
            counted(compared, "row"),
            grouped(rate),
            "█".repeat(full),
            "░".repeat(BAR_CHARS - full)
        )
    }
}

/// `3s`, `2m 5s`, `1h 2m`, `3d 4h`.
fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m {}s", seconds % 60),
        3600..86_400 => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_time_left_come_from_what_was_compared_since_the_begin() {
        let mut progress = Progress::default();
        let first = progress.line(50_000, 950_000, 1_000);
        assert!(
            first.starts_with("  5% 50,000 rows, 50,000/s, 19s left █░"),
            "{first}"
        );
        let half = progress.line(500_000, 500_000, 10_000);
        assert!(
            half.starts_with(" 50% 500,000 rows, 50,000/s, 10s left "),
            "{half}"
        );
        let end = progress.line(1_000_000, 0, 20_000);
        assert!(
            end.starts_with("100% 1,000,000 rows, 50,000/s, 0s left "),
            "{end}"
        );
    }

    #[test]
    fn no_number_however_large_is_nonsense() {
        for (compared, ids_left, elapsed_ms) in [
            (0, 0, 0),
            (0, u64::MAX, 1),
            (1, u64::MAX, 1),
            (u64::MAX, u64::MAX, u64::MAX),
            (u64::MAX, 0, 0),
        ] {
            let mut progress = Progress::default();
            for _ in 0..2 {
                let line = progress.line(compared, ids_left, elapsed_ms);
                assert!(!line.contains("101%"), "{line}");
            }
        }
        let mut sparse = Progress::default();
        assert!(sparse.line(10, u64::MAX / 2, 1_000).contains(", ? left"));
        // Rows that come while it goes on make the share smaller, never negative.
        let mut growing = Progress::default();
        growing.line(10, 90, 1_000);
        assert!(
            growing
                .line(20, 300, 2_000)
                .starts_with("  0% 20 rows, 10/s, ? left")
        );
    }

    #[test]
    fn time_left_is_short() {
        let of = |seconds| duration(seconds);
        assert_eq!(
            [of(59), of(125), of(3_720), of(97_200)],
            ["59s", "2m 5s", "1h 2m", "1d 3h"]
        );
    }
}
