//! What is counted of a pass.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::logic::callback::owed::Owed;

/// Counts of one destination, or of all. None of them ever shrinks during a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counts {
    /// Source rows compared.
    pub compared: u64,
    /// Rows that looked different at first and agreed, were gone or changed again at the second look.
    pub agreed_later: u64,
    /// Rows that the destination lacked at the second look too.
    pub missing: u64,
    /// Rows that differed at the second look too.
    pub different: u64,
    /// Keys for which the destination has several rows.
    pub duplicate_keys: u64,
    /// Rows that only the destination has, where an audit looked for them.
    pub extra: u64,
    /// Keys that the destination cannot look for.
    pub unfindable_keys: u64,
    /// Owed callbacks dropped because their rows were found repaired.
    pub repaired: u64,
    /// Owed callbacks dropped because their rows are gone.
    pub gone: u64,
    /// Callbacks delivered.
    pub delivered: u64,
    /// Rows whose callbacks were taken, and that still differed when they were compared once more.
    pub unrepaired: u64,
    /// Tries that were answered, but not with success.
    pub refused: u64,
    /// Tries that were not answered in time.
    pub timed_out: u64,
    /// Tries that found no connection, or one that broke.
    pub broken: u64,
}

/// The callbacks that are owed to one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwedCallbacks {
    /// How many, those of rows that are too large included, but for a dry run.
    pub count: u64,
    /// Rows that are set aside, for they are too large to be read.
    pub too_large: u64,
    /// When the oldest was detected: microseconds since 1970, this machine's clock.
    pub oldest_us: Option<i64>,
    /// The tries of the one that was tried most.
    pub tries_max: u32,
    /// The last answer to that one.
    pub last_error: Option<String>,
}

impl Counts {
    /// Differences that were still there at the second look.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.missing.saturating_add(self.different)
    }

    /// Tries that failed.
    #[must_use]
    pub fn failed_tries(&self) -> u64 {
        let Self {
            refused,
            timed_out,
            broken,
            ..
        } = *self;
        refused.saturating_add(timed_out).saturating_add(broken)
    }

    /// Callbacks that were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.repaired.saturating_add(self.gone)
    }

    /// Each with the name that it has in JSON.
    #[must_use]
    pub fn named(mut self) -> [(&'static str, u64); 14] {
        self.each().map(|(name, count)| (name, *count))
    }

    /// Adds others to these.
    pub fn add(&mut self, other: &Self) {
        for ((_, count), (_, more)) in self.each().into_iter().zip(other.named()) {
            *count = count.saturating_add(more);
        }
    }

    fn each(&mut self) -> [(&'static str, &mut u64); 14] {
        let Self {
            compared,
            agreed_later,
            missing,
            different,
            duplicate_keys,
            extra,
            unfindable_keys,
            repaired,
            gone,
            delivered,
            unrepaired,
            refused,
            timed_out,
            broken,
        } = self;
        [
            ("compared", compared),
            ("agreedLater", agreed_later),
            ("missing", missing),
            ("different", different),
            ("duplicateKeys", duplicate_keys),
            ("extra", extra),
            ("unfindableKeys", unfindable_keys),
            ("repaired", repaired),
            ("gone", gone),
            ("delivered", delivered),
            ("unrepaired", unrepaired),
            ("refused", refused),
            ("timedOut", timed_out),
            ("broken", broken),
        ]
    }
}

impl OwedCallbacks {
    /// Of each destination that is owed something.
    #[must_use]
    pub fn by_destination<'o>(all: impl Iterator<Item = &'o Owed>) -> BTreeMap<String, Self> {
        let mut of: BTreeMap<String, Self> = BTreeMap::new();
        for owed in all {
            if !of.contains_key(&owed.destination) {
                of.insert(owed.destination.clone(), Self::default());
            }
            if let Some(callbacks) = of.get_mut(&owed.destination) {
                callbacks.take(owed);
            }
        }
        of
    }

    fn take(&mut self, owed: &Owed) {
        self.count += 1;
        self.too_large += u64::from(owed.too_large.is_some());
        let oldest_us = self.oldest_us.unwrap_or(owed.detected_us);
        self.oldest_us = Some(oldest_us.min(owed.detected_us));
        if owed.attempts > self.tries_max {
            self.tries_max = owed.attempts;
            self.last_error.clone_from(&owed.last_error);
        }
    }

    /// Adds others to these.
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        self.too_large += other.too_large;
        self.oldest_us = match (self.oldest_us, other.oldest_us) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        if other.tries_max > self.tries_max {
            (self.tries_max, self.last_error) = (other.tries_max, other.last_error);
        }
    }
}
