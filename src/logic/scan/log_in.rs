//! When an account that was refused is tried again.
//!
//! A server may lock an account after a few refused log-ins: `FAILED_LOGIN_ATTEMPTS` of MySQL, `max_password_errors` of
//! MariaDB. So one pass tries one log-in. The pass after it tries again, for the password may have been mended; later
//! passes of the same process wait longer and longer.

/// The wait after the second refusal in a row; it doubles with each further one.
const WAIT_US: i64 = 60 * 1_000_000;
/// The longest wait.
const WAIT_US_MAX: i64 = 3600 * 1_000_000;

/// How the log-ins of one account went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// In a row.
    refusals: u32,
    /// In the pass under way.
    is_refused: bool,
    not_before_us: i64,
}

impl Standing {
    /// Another pass begins.
    pub(crate) fn begin_pass(&mut self) {
        self.is_refused = false;
    }

    /// Whether a log-in may be tried at this moment.
    #[must_use]
    pub(crate) fn may_try(&self, now_us: i64) -> bool {
        !self.is_refused && now_us >= self.not_before_us
    }

    /// Whether the last log-in was refused.
    #[must_use]
    pub(crate) fn was_refused(&self) -> bool {
        self.refusals > 0
    }

    /// Takes a refusal into account.
    pub(crate) fn refused(&mut self, now_us: i64) {
        self.refusals = self.refusals.saturating_add(1);
        self.is_refused = true;
        let wait_us = self.refusals.checked_sub(2).map_or(0, |doublings| {
            WAIT_US
                .checked_shl(doublings.min(16))
                .unwrap_or(WAIT_US_MAX)
                .min(WAIT_US_MAX)
        });
        self.not_before_us = now_us.saturating_add(wait_us);
    }

    /// The account was let in.
    pub(crate) fn taken(&mut self) {
        *self = Self::default();
    }

    /// How long later passes leave the account alone, from this moment.
    #[must_use]
    pub(crate) fn wait_us(&self, now_us: i64) -> i64 {
        self.not_before_us.saturating_sub(now_us).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_US: i64 = 60 * 1_000_000;

    #[test]
    fn a_refused_account_is_not_tried_again_in_its_pass() {
        let mut standing = Standing::default();
        assert!(standing.may_try(0));
        standing.refused(0);
        assert!(!standing.may_try(i64::MAX));
        standing.begin_pass();
        assert!(standing.may_try(0), "the next pass tries at once");
    }

    #[test]
    fn later_passes_wait_a_minute_and_then_twice_as_long_up_to_an_hour() {
        let mut standing = Standing::default();
        let mut now_us = 0;
        for minutes in [0, 1, 2, 4, 8, 16, 32, 60, 60] {
            standing.begin_pass();
            assert!(standing.may_try(now_us));
            standing.refused(now_us);
            standing.begin_pass();
            assert_eq!(standing.wait_us(now_us), minutes * MINUTE_US);
            assert_eq!(standing.may_try(now_us), minutes == 0);
            now_us += minutes * MINUTE_US;
        }
    }

    #[test]
    fn an_account_that_is_let_in_begins_anew() {
        let mut standing = Standing::default();
        for _ in 0..100 {
            standing.refused(0);
        }
        assert!(standing.was_refused());
        standing.taken();
        assert_eq!(standing, Standing::default());
    }
}
