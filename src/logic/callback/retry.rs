//! What to do after an answer, for one row and for the endpoint that gave it.
//!
//! Delivery goes in rounds. Round 1 tries every owed row once; a row that failed is tried again in a later round, when
//! its delay is over, until the tries of this run are used up ([`verdict`]). An endpoint that answers nobody is not asked
//! for each of 100,000 rows: [`Endpoint`] watches the answers of all rows and ends a round, or the run, early.
//! Nothing is lost by that, since what is not delivered stays owed.
//!
//! Everything here is a total function of its arguments: time and randomness come from outside.

use std::num::NonZeroU32;
use std::time::Duration;

/// The longest nominal delay between two tries in one run.
pub const DELAY_MAX: Duration = Duration::from_secs(300);

/// The longest nominal delay of a row over runs.
pub const RUN_DELAY_MAX: Duration = Duration::from_secs(3600);

/// The longest that a `Retry-After` is believed.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// Rounds in which an endpoint answers nothing at all before it is given up.
const SILENT_ROUNDS_MAX: u32 = 2;

/// Failures in a row that end a round, at least.
const FAILURES_MIN: usize = 16;

/// What came back for one POST. A transport failure is an answer too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A complete HTTP answer.
    Status {
        /// The status code as sent; need not be a known one.
        code: u16,
        /// `Retry-After`, from now on.
        retry_after: Option<Duration>,
    },
    /// The exchange was not over in time.
    TimedOut,
    /// No connection, or it broke, or what came was not HTTP: a short reason, without secrets.
    Broken(String),
}

impl Answer {
    /// Only 2xx is success: redirects are not followed, so 3xx means that nobody handled the row.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Status { code, .. } if (200..300).contains(code))
    }

    /// What the endpoint at an address did: `http://user-service/cupid answers 503`.
    #[must_use]
    pub fn sentence(&self, url: &str) -> String {
        match self {
            Self::Status { code, .. } => format!("{url} answers {code}"),
            Self::TimedOut => format!("{url} does not answer in time"),
            Self::Broken(reason) => format!("{url}: {reason}"),
        }
    }

    /// How long the receiver asked to be left alone, limited to [`RETRY_AFTER_MAX`]; success has no such wish.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } if !self.is_success() => {
                retry_after.map(|after| after.min(RETRY_AFTER_MAX))
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status { code, .. } => write!(f, "status {code}"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Broken(reason) => f.write_str(reason),
        }
    }
}

/// How often and how fast a row is tried in one run; every value of this type makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    first_delay: Duration,
    delay_max: Duration,
    attempts: u32,
}

impl RetryPolicy {
    /// `first_delay` is the nominal delay after the first try, an hour at the most; `attempts` the tries of one row in one
    /// run.
    #[must_use]
    pub fn new(first_delay: Duration, attempts: NonZeroU32) -> Self {
        let first_delay = first_delay.min(RETRY_AFTER_MAX);
        Self {
            first_delay,
            delay_max: DELAY_MAX.max(first_delay),
            attempts: attempts.get(),
        }
    }

    /// The tries of one row in one run, at least 1.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The delay after try `attempt` (from 1): doubles from the first delay up to the longest one. `jitter` from 0 to 1
    /// picks a point between half and all of that, so that rows which failed together do not come back together.
    #[must_use]
    pub fn delay(&self, attempt: u32, jitter: f64) -> Duration {
        self.doubled(attempt, self.delay_max, jitter)
    }

    /// How long a row waits after it was refused in so many runs (from 1) in which others were taken: doubles from the
    /// first delay up to [`RUN_DELAY_MAX`], with jitter as in [`Self::delay`].
    #[must_use]
    pub fn delay_over_runs(&self, runs: u32, jitter: f64) -> Duration {
        self.doubled(runs, RUN_DELAY_MAX, jitter)
    }

    fn doubled(&self, times: u32, delay_max: Duration, jitter: f64) -> Duration {
        let nominal = 2_u32
            .checked_pow(times.saturating_sub(1))
            .and_then(|factor| self.first_delay.checked_mul(factor))
            .map_or(delay_max, |delay| delay.min(delay_max));
        let jitter = if jitter.is_nan() {
            1.0
        } else {
            jitter.clamp(0.0, 1.0)
        };
        // At most an hour times at most 1: far from what a Duration cannot hold.
        nominal.mul_f64(0.5 + jitter / 2.0)
    }
}

/// What to do with a row after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Settled.
    Delivered,
    /// Try again in this run, not sooner than this from now.
    TryAgain {
        /// From now.
        delay: Duration,
    },
    /// The tries of this run are used up: a later run goes on.
    StayOwed {
        /// From now: what the receiver asked for, if it did.
        not_before: Option<Duration>,
    },
}

/// What to do with a row whose try number `attempt` in this run (from 1) was answered so.
#[must_use]
pub fn verdict(policy: &RetryPolicy, attempt: u32, answer: &Answer, jitter: f64) -> Verdict {
    if answer.is_success() {
        return Verdict::Delivered;
    }
    let retry_after = answer.retry_after();
    if attempt >= policy.attempts {
        return Verdict::StayOwed {
            not_before: retry_after,
        };
    }
    let delay = policy.delay(attempt, jitter);
    Verdict::TryAgain {
        delay: retry_after.map_or(delay, |after| after.max(delay)),
    }
}

/// How an endpoint does, after one more answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Go on.
    Fine,
    /// Send nothing more in this round; what is left waits for the next one.
    Pause,
    /// Send nothing more in this run.
    GiveUp,
}

/// The circuit breaker of one destination for one run.
///
/// The caller sends in rounds: it records each answer, stops a round at `Pause`, the run at `GiveUp`, and calls
/// [`Endpoint::next_round`] between rounds. In a round after a pause it should send rows first that were not tried yet:
/// then a few rows that the receiver always refuses cannot hold up the others. Each round sends at least one
/// row, and a row has a limited number of tries, so the rounds end.
#[derive(Clone, Debug)]
pub struct Endpoint {
    rounds_max: u32,
    failures_max: usize,
    probes_max: usize,
    timeouts_max: usize,
    failures_in_a_row: usize,
    timeouts_in_a_row: usize,
    vain_rounds: u32,
    silent_rounds: u32,
    given_up: bool,
    has_taken: bool,
    round: Round,
}

/// What happened since the round began.
#[derive(Clone, Debug, Default)]
struct Round {
    successes: usize,
    refusals: usize,
    timeouts: usize,
    paused: bool,
    retry_after: Option<Duration>,
}

impl Endpoint {
    /// `concurrency` is the number of requests under way at once.
    #[must_use]
    pub fn new(policy: &RetryPolicy, concurrency: usize) -> Self {
        let concurrency = concurrency.max(1);
        Self {
            // One round says little about rows that were not in it.
            rounds_max: policy.attempts.max(2),
            failures_max: FAILURES_MIN.max(concurrency.saturating_mul(2)),
            probes_max: concurrency,
            // With one request at a time a single slow answer is no verdict yet.
            timeouts_max: concurrency.max(2),
            failures_in_a_row: 0,
            timeouts_in_a_row: 0,
            vain_rounds: 0,
            silent_rounds: 0,
            given_up: false,
            has_taken: false,
            round: Round::default(),
        }
    }

    /// Takes an answer into account. A round that is paused stays so, whatever requests under way still bring.
    pub fn record(&mut self, answer: &Answer) -> Health {
        if answer.is_success() {
            self.has_taken = true;
            self.round.successes += 1;
            self.failures_in_a_row = 0;
            self.timeouts_in_a_row = 0;
            self.vain_rounds = 0;
            return self.health();
        }
        self.failures_in_a_row += 1;
        if *answer == Answer::TimedOut {
            self.round.timeouts += 1;
            self.timeouts_in_a_row += 1;
            self.given_up |= self.timeouts_in_a_row >= self.timeouts_max;
        } else {
            self.round.refusals += 1;
            self.timeouts_in_a_row = 0;
        }
        // After a round in vain a few probes decide instead of another full count.
        let failures_max = if self.vain_rounds > 0 {
            self.probes_max
        } else {
            self.failures_max
        };
        self.round.paused |= self.failures_in_a_row >= failures_max;
        if let Some(after) = asked_to_wait(answer) {
            self.round.paused = true;
            self.round.retry_after = self.round.retry_after.max(Some(after));
        }
        self.health()
    }

    /// The state between two answers.
    #[must_use]
    pub fn health(&self) -> Health {
        if self.given_up {
            Health::GiveUp
        } else if self.round.paused {
            Health::Pause
        } else {
            Health::Fine
        }
    }

    /// The longest that the endpoint asked, in this round, to be left alone, from the moment of that answer.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.round.retry_after
    }

    /// Closes a round and opens the next one. The endpoint is given up when as many rounds as a row has tries (but at least
    /// two) were paused without one success between, or when two rounds in a row brought nothing but timeouts.
    pub fn next_round(&mut self) -> Health {
        let Round {
            successes,
            refusals,
            timeouts,
            paused,
            retry_after: _,
        } = std::mem::take(&mut self.round);
        if paused && successes == 0 {
            self.vain_rounds = self.vain_rounds.saturating_add(1);
        }
        if successes + refusals > 0 {
            self.silent_rounds = 0;
        } else if timeouts > 0 {
            self.silent_rounds += 1;
        }
        self.failures_in_a_row = 0;
        self.given_up |=
            self.vain_rounds >= self.rounds_max || self.silent_rounds >= SILENT_ROUNDS_MAX;
        self.health()
    }

    /// It took a callback in this run.
    #[must_use]
    pub fn has_taken(&self) -> bool {
        self.has_taken
    }

    /// Nothing more is to be sent in this run.
    pub fn give_up(&mut self) {
        self.given_up = true;
    }

    /// True when nothing more should be sent in this run.
    #[must_use]
    pub fn given_up(&self) -> bool {
        self.given_up
    }
}

/// 429 and 503 speak for the endpoint (RFC 6585 section 4, RFC 9110 section 15.6.4), other statuses for their row.
#[must_use]
pub fn asked_to_wait(answer: &Answer) -> Option<Duration> {
    match answer {
        Answer::Status {
            code: 429 | 503, ..
        } => answer.retry_after(),
        _ => None,
    }
}

/// Reads `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date in one of the three spellings of section 5.6.7.
/// A date that is over means no wait; `None` means that the value is neither.
#[must_use]
pub fn parse_retry_after(value: &str, now_epoch_s: i64) -> Option<Duration> {
    let value = value.trim_matches([' ', '\t']);
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let at_epoch_s = parse_http_date(value)?;
    let seconds = at_epoch_s.saturating_sub(now_epoch_s);
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Seconds since 1970.
fn parse_http_date(value: &str) -> Option<i64> {
    [
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    ]
    .iter()
    .find_map(|format| chrono::NaiveDateTime::parse_from_str(value, format).ok())
    .map(|date| date.and_utc().timestamp())
}

#[cfg(test)]
mod tests;
