//! What is remembered of passes and audits for `cupid status`, metrics and notifications.
//!
//! Nothing that a pass decides depends on it: `<name>.stats.json` is not synced, and its loss costs history alone. So whatever
//! is found in it has to be lived with: a clock that was set back, a gap of days, destinations that are gone. It is bounded,
//! too: where many destinations have much to remember, the oldest history goes first.

mod audit;
mod destination;
mod fit;
pub(crate) mod metrics;
mod ring;
mod said;
mod situation;
mod sparse;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Exit, Result};
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::recognise::Known;
use crate::logic::notify::occasion::Told;
use crate::logic::report::summary::{OwedCallbacks, Pause, Summary};
use crate::logic::value::shortened::shortened;

pub(crate) use audit::{AuditStats, LastAudit};
pub(crate) use destination::DestinationStats;
pub(crate) use ring::{PassSlot, Ring, RowSlot};
pub(crate) use said::Line as SaidLine;

/// The version of the files that this program writes.
pub(crate) const VERSION: u64 = 1;
/// The longest file, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 64 * 1024;
/// The longest reason that is kept, in characters.
const REASON_CHARS_MAX: usize = 300;

/// What is remembered of the passes of one configuration. All moments are microseconds since 1970, of this machine's clock
/// where nothing else is said. Counters count from [`Stats::since_us`] on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// Format version.
    pub version: u64,
    /// `database.table` of the source.
    pub source: String,
    /// When this began.
    pub since_us: i64,
    /// Passes by their result.
    #[serde(default)]
    pub passes: Passes,
    /// The last pass that ended.
    #[serde(default)]
    pub last_pass: Option<LastPass>,
    /// When the last pass ended whose exit status was 0 or 1.
    #[serde(default)]
    pub last_success_us: Option<i64>,
    /// The passes that failed up to now, if the last one did.
    #[serde(default)]
    pub failed: Option<Failed>,
    /// The scan waits for a reason of the source.
    #[serde(default)]
    pub paused: Option<Paused>,
    /// Passes of the last 60 minutes and 48 hours.
    #[serde(default)]
    pub history: Ring<PassSlot>,
    /// In the order of `des[]`.
    #[serde(default)]
    pub destinations: Vec<DestinationStats>,
    /// What the channels of `notify` were told.
    #[serde(default)]
    pub told: Told,
    /// What the log has said and says again only after a while, by its subject.
    #[serde(default)]
    pub said: BTreeMap<String, Said>,
}

/// Passes by their result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Passes {
    /// Exit status 0.
    pub done: u64,
    /// Exit status 1.
    pub attention: u64,
    /// Exit status 2 or 78.
    pub failed: u64,
    /// How long all of them took.
    pub duration_us: u64,
}

/// The last pass that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastPass {
    /// When.
    pub ended_us: i64,
    /// How long it took.
    pub duration_us: u64,
    /// Its exit status.
    pub exit: u8,
    /// Its summary, or what stopped it.
    pub text: String,
}

/// Passes that failed, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// When the first of them ended.
    pub since_us: i64,
    /// How many.
    pub passes: u64,
    /// What stopped the last one.
    pub reason: String,
}

/// Something that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lasting {
    /// Since when.
    pub since_us: i64,
    /// Why.
    pub reason: String,
}

/// A scan that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Paused {
    /// Since when.
    pub since_us: i64,
    /// Why.
    pub reason: Pause,
}

/// Something that the log says now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// Since when it is so.
    pub since_us: i64,
    /// When it was said last.
    pub said_us: i64,
}

impl Stats {
    /// Nothing is remembered.
    #[must_use]
    pub fn new(source: &str, now_us: i64) -> Self {
        Self {
            version: VERSION,
            source: source.into(),
            since_us: now_us,
            passes: Passes::default(),
            last_pass: None,
            last_success_us: None,
            failed: None,
            paused: None,
            history: Ring::default(),
            destinations: vec![],
            told: Told::default(),
            said: BTreeMap::new(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Why it is of no use, as the rest of a sentence about the file.
    pub fn parse(text: &str, source: &str) -> std::result::Result<Self, String> {
        let stats: Self =
            serde_json::from_str(text).map_err(|error| format!("is damaged ({error})"))?;
        if stats.version != VERSION {
            return Err(format!("has version {}, not {VERSION}", stats.version));
        }
        if stats.source != source {
            return Err(format!("is about {}, not {source}", stats.source));
        }
        Ok(stats)
    }

    /// These are the destinations now, in this order. One that was renamed keeps what is remembered of it, and one that is
    /// gone is forgotten. As with all state, the address decides before the name.
    pub fn know(&mut self, destinations: &[Known]) {
        let mut before = std::mem::take(&mut self.destinations);
        let addresses: Vec<String> = destinations.iter().map(|it| it.id.address()).collect();
        let mut known: Vec<Option<DestinationStats>> = vec![None; destinations.len()];
        let mut take = |at: &mut Option<DestinationStats>,
                        is_it: &dyn Fn(&DestinationStats) -> bool| {
            if at.is_none() {
                let found = before.iter().position(is_it);
                *at = found.map(|found| before.swap_remove(found));
            }
        };
        for (at, address) in known.iter_mut().zip(&addresses) {
            take(at, &|it| it.address == *address);
        }
        for (at, Known { id, .. }) in known.iter_mut().zip(destinations) {
            take(at, &|it| it.name == id.name);
        }
        let all = known.into_iter().zip(destinations).zip(addresses);
        let all = all.map(|((stats, Known { id, .. }), address)| DestinationStats {
            name: id.name.clone(),
            address,
            ..stats.unwrap_or_default()
        });
        self.destinations = all.collect();
    }

    /// A pass ended. One that did not begin, because another one was at work, is none.
    pub fn after_pass(&mut self, outcome: &Result<Summary>, began_us: i64, now_us: i64) {
        if matches!(outcome, Err(Error::Locked(_) | Error::Usage(_))) {
            return;
        }
        self.after(outcome, now_us);
        let (exit, text) = match outcome {
            Ok(summary) => (summary.exit(), summary.line()),
            Err(error) => (error.exit(), error.to_string()),
        };
        let duration_us = now_us.saturating_sub(began_us).max(0).unsigned_abs();
        let is_failed = match exit {
            Exit::Done => {
                self.passes.done += 1;
                false
            }
            Exit::Attention => {
                self.passes.attention += 1;
                false
            }
            Exit::Failed | Exit::Unknown | Exit::Usage | Exit::Locked | Exit::Config => {
                self.passes.failed += 1;
                true
            }
        };
        self.passes.duration_us = self.passes.duration_us.saturating_add(duration_us);
        self.last_pass = Some(LastPass {
            ended_us: now_us,
            duration_us,
            exit: exit as u8,
            text: kept(&text),
        });
        self.history.add(now_us, |slot| {
            slot.passes += 1;
            slot.failed += u64::from(is_failed);
        });
        self.failed = is_failed.then(|| {
            let before = self.failed.as_ref();
            let since_us = before.map_or(now_us, |before| before.since_us.min(now_us));
            let reason = match outcome {
                Ok(summary) => summary.unread().next().map_or(text, |it| it.reason.clone()),
                Err(_) => text,
            };
            Failed {
                since_us,
                passes: before.map_or(0, |before| before.passes).saturating_add(1),
                reason: kept(&reason),
            }
        });
        if !is_failed {
            self.last_success_us = Some(now_us);
        }
        if let Ok(summary) = outcome {
            self.paused = paused(self.paused, summary.paused, now_us);
            for (stats, of) in self.each(summary) {
                stats.after_scan(of, summary.interrupted, now_us);
            }
        }
    }

    /// What the log says after a pass that was taken in with [`Self::after_pass`]. `always`: somebody looks at it.
    /// `unwritten`: why `metricsFile` could not be written.
    pub fn say(
        &mut self,
        outcome: &Result<Summary>,
        unwritten: Option<&Error>,
        always: bool,
        now_us: i64,
    ) -> Vec<SaidLine> {
        let summary = outcome.as_ref().ok();
        let mut conditions = said::conditions(self, summary, now_us);
        // Of a destination that is no longer configured nobody knows how it goes.
        let destinations = &self.destinations;
        self.said.retain(|key, _| said::is_known(key, destinations));
        conditions.extend(unwritten.map(|error| said::Condition {
            key: said::METRICS.into(),
            since_us: now_us,
            text: format!("metricsFile: {error}"),
        }));
        said::lines(
            &mut self.said,
            &conditions,
            summary.is_some(),
            always,
            now_us,
        )
    }

    /// What was owed was delivered, as far as that went, and nothing was scanned.
    pub fn after_retry(&mut self, outcome: &Result<Summary>, now_us: i64) {
        self.after(outcome, now_us);
        self.forget_what_was_said_of_paid();
    }

    /// Somebody has sent or dropped some of what was owed, and this is left.
    pub fn after_choice(&mut self, outbox: &Outbox) {
        let mut left = OwedCallbacks::by_destination(outbox.iter());
        for stats in &mut self.destinations {
            stats.is_left(&left.remove(&stats.name).unwrap_or_default());
        }
        self.forget_what_was_said_of_paid();
    }

    /// Whoever typed the command has read that nothing is owed any more.
    fn forget_what_was_said_of_paid(&mut self) {
        let paid = self.destinations.iter().filter(|it| it.owed == 0);
        for key in paid.map(said::owed_key) {
            self.said.remove(&key);
        }
    }

    /// What passes and retries have in common.
    fn after(&mut self, outcome: &Result<Summary>, now_us: i64) {
        if let Ok(summary) = outcome {
            for (stats, of) in self.each(summary) {
                stats.add(of, now_us);
            }
        }
    }

    /// Each destination of a summary, with what is remembered of it.
    fn each<'s>(
        &'s mut self,
        summary: &'s Summary,
    ) -> impl Iterator<
        Item = (
            &'s mut DestinationStats,
            &'s crate::logic::report::summary::OfDestination,
        ),
    > {
        self.destinations.iter_mut().filter_map(|stats| {
            let of = summary.each.iter().find(|of| of.name == stats.name)?;
            Some((stats, of))
        })
    }
}

/// The scan waits for a reason, or for none.
fn paused(before: Option<Paused>, reason: Option<Pause>, now_us: i64) -> Option<Paused> {
    reason.map(|reason| Paused {
        since_us: since(before.map(|before| before.since_us), now_us),
        reason,
    })
}

/// Since when something lasts that is so now. A clock that was set back is no future.
fn since(before_us: Option<i64>, now_us: i64) -> i64 {
    before_us.map_or(now_us, |before_us| before_us.min(now_us))
}

/// A reason as it is kept.
fn kept(reason: &str) -> String {
    shortened(reason, REASON_CHARS_MAX)
}

#[cfg(test)]
mod tests;
