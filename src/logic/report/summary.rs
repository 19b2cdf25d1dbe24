//! Counts of a pass, by destination and in all, their text, their JSON and the exit status.

mod shown;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Exit;
use crate::logic::callback::owed::Owed;
use crate::logic::scan::bounds::Bounds;
use crate::logic::value::cell::Id;
use crate::logic::value::count::{counted, grouped, grouped_id};

/// Destinations that compared different numbers of rows are named one by one up to this many.
const NAMED_MAX: usize = 4;

/// What a pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The configuration's `name`.
    pub name: String,
    /// In the order of `des[]`.
    pub each: Vec<OfDestination>,
    /// Source rows without an id, which are not compared.
    pub rows_without_id: u64,
    /// Callbacks owed to destinations that the configuration does not name.
    pub owed_to_strangers: u64,
    /// The scan stopped early for a reason of the source.
    pub paused: Option<Pause>,
    /// True when a signal, or the end of the time for it, stopped the scan early.
    pub interrupted: bool,
    /// Nothing was sent and nothing saved.
    pub dry_run: bool,
    /// Where the source was, up to the last id that was asked for; `None` when nobody asked it.
    pub bounds: Option<Bounds>,
    /// How long the pass took.
    pub duration_ms: u64,
    /// What a run read of the source; `None` for everything else.
    pub scanned: Option<Scanned>,
}

/// Rows that a run read of the source, however many destinations they were compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// New ids.
    pub new: u64,
    /// Updated ones, and those that were looked for again.
    pub updated: u64,
}

/// What a pass did at one destination, and what it left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfDestination {
    /// Its name.
    pub name: String,
    /// What was counted.
    pub counts: Counts,
    /// What is owed when the pass ends.
    pub owed: OwedCallbacks,
    /// The last answer to a callback.
    pub last_answer: Option<String>,
    /// The last answer that was no success, as a sentence with the endpoint's address:
    /// `http://user-service/cupid answers 503`.
    pub last_failure: Option<String>,
    /// It could not be read.
    pub unread: Option<Unread>,
    /// Its scan stopped early.
    pub paused: Option<Pause>,
    /// What the checkpoint says of it.
    pub position: Reached,
}

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

/// How far the checkpoint has come with one destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// The next id to look at.
    pub next_id: Option<Id>,
    /// Ids from there to the highest one; `None` where nobody asked for that.
    pub ids_behind: Option<u64>,
    /// Updates are compared up to this moment of the source's clock: microseconds since 1970.
    pub updates_until_us: Option<i64>,
    /// Gaps of ids that may still be filled.
    pub gaps: u64,
}

/// Why a scan waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pause {
    /// As many callbacks are owed as may be.
    MaxOwed,
    /// Too many threads are running on a server.
    MaxThreadsRunning,
    /// A server's replication lags too far behind.
    MaxLagSecond,
}

/// A destination that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// Its name.
    pub destination: String,
    /// Why.
    pub reason: String,
    /// The exit status that the reason has when no destination could be read.
    #[serde(skip)]
    pub exit: Exit,
}

impl Pause {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::MaxOwed, Self::MaxThreadsRunning, Self::MaxLagSecond];

    /// The reason, and the key that sets it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::MaxOwed => "as many callbacks are owed as maxOwed says",
            Self::MaxThreadsRunning => "more threads are running than maxThreadsRunning says",
            Self::MaxLagSecond => "replication is further behind than maxLagSecond says",
        }
    }

    /// The configuration's key that says so.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::MaxOwed => "maxOwed",
            Self::MaxThreadsRunning => "maxThreadsRunning",
            Self::MaxLagSecond => "maxLagSecond",
        }
    }
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

impl Summary {
    /// What was counted at all destinations. `compared` alone is no sum: a row that is compared with two copies is one row,
    /// so it is the number of the destination that most rows were compared with.
    #[must_use]
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for destination in &self.each {
            total.add(&destination.counts);
        }
        let compared = self.each.iter().map(|it| it.counts.compared);
        total.compared = compared.max().unwrap_or(0);
        total
    }

    /// Callbacks still owed.
    #[must_use]
    pub fn owed(&self) -> u64 {
        let each = self.each.iter().map(|it| it.owed.count);
        each.sum::<u64>() + self.owed_to_strangers
    }

    /// Rows that are set aside, for they are too large to be read.
    #[must_use]
    pub fn too_large(&self) -> u64 {
        self.each.iter().map(|it| it.owed.too_large).sum()
    }

    /// Destinations that could not be read.
    pub fn unread(&self) -> impl Iterator<Item = &Unread> {
        self.each.iter().filter_map(|it| it.unread.as_ref())
    }

    /// Why the scan of the source, or of a destination, stopped early.
    #[must_use]
    pub fn pause(&self) -> Option<Pause> {
        let each = || self.each.iter().find_map(|it| it.paused);
        self.paused.or_else(each)
    }

    /// The exit status of a pass that came to its end.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let unread = self.unread().count();
        if unread == self.each.len() {
            let exits = self.unread().map(|unread| unread.exit);
            exits.max().unwrap_or(Exit::Done)
        } else if unread > 0
            || self.owed() + self.too_large() > 0
            || self.pause().is_some()
            || self.rows_without_id > 0
        {
            Exit::Attention
        } else {
            Exit::Done
        }
    }

    /// What a terminal shows of a pass.
    #[must_use]
    pub fn pass_line(&self) -> String {
        match self.scanned.filter(|_| self.is_in_sync()) {
            Some(scanned) => self.in_sync_text(scanned),
            None => self.line(),
        }
    }

    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let total = self.total();
        let mut parts = vec![self.compared_text()];
        let owed = if self.dry_run {
            "would be called back"
        } else {
            "still owed"
        };
        for (count, text) in [
            (total.missing, "missing"),
            (total.different, "different"),
            (total.agreed_later, "agreed at the second look"),
            (total.duplicate_keys, "duplicate in a destination"),
            (total.extra, "only in a destination"),
            (
                total.unfindable_keys,
                "with a key that a destination cannot look for",
            ),
            (self.rows_without_id, "without an id and not compared"),
            (total.dropped(), "owed before and repaired meanwhile"),
            (total.delivered, "called back"),
            (total.unrepaired, "taken before and not repaired"),
            (total.failed_tries(), "failed to be called back at a try"),
            (self.owed(), owed),
            (self.too_large(), "too large to be read"),
        ] {
            if count > 0 {
                parts.push(format!("{} {text}", grouped(count)));
            }
        }
        for unread in self.unread() {
            parts.push(format!("could not read {}", unread.destination));
        }
        parts.extend(self.pauses());
        if self.interrupted {
            parts.push("stopped before the end".into());
        }
        if self.is_in_sync() && total.compared > 0 {
            parts.push("in sync".into());
        }
        format!("{}, {}", parts.join(", "), self.duration_text())
    }

    fn duration_text(&self) -> String {
        format!(
            "{}.{:03} s",
            self.duration_ms / 1000,
            self.duration_ms % 1000
        )
    }

    /// Which scans stopped early, and why.
    fn pauses(&self) -> Vec<String> {
        if let Some(pause) = self.paused {
            return vec![format!("scan paused because {} is reached", pause.key())];
        }
        let of = |pause: Pause| {
            let paused = self.each.iter().filter(|it| it.paused == Some(pause));
            let names: Vec<&str> = paused.map(|it| it.name.as_str()).collect();
            let (names, key) = (names.join(", "), pause.key());
            (!names.is_empty()).then(|| format!("scan of {names} paused because {key} is reached"))
        };
        Pause::ALL.into_iter().filter_map(of).collect()
    }

    /// Every row that was compared agreed at once, and nothing is left.
    fn is_in_sync(&self) -> bool {
        let total = self.total();
        let only_compared = Counts {
            compared: total.compared,
            ..Counts::default()
        };
        self.exit() == Exit::Done && !self.interrupted && total == only_compared
    }

    /// `in sync: 0 new, 3 updated rows compared, next id 300,001, 0.011 s`.
    fn in_sync_text(&self, Scanned { new, updated }: Scanned) -> String {
        let next_ids = self.each.iter().filter_map(|it| it.position.next_id);
        let next_id = next_ids
            .min()
            .map_or(String::new(), |id| format!(", next id {}", grouped_id(id)));
        format!(
            "in sync: {} new, {} compared{next_id}, {}",
            grouped(new),
            counted(updated, "updated row"),
            self.duration_text()
        )
    }

    /// How many rows were compared, with which destinations. A row counts once, however many copies it has.
    fn compared_text(&self) -> String {
        let counts = || self.each.iter().map(|it| it.counts.compared);
        let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
        let rows = counted(most, "row");
        match self.each.len() {
            0 | 1 => format!("{rows} compared"),
            _ if most == 0 => format!("{rows} compared"),
            destinations if least == most => {
                format!("{rows} compared with each of {destinations} destinations")
            }
            2..=NAMED_MAX => {
                let each = self.each.iter().enumerate().map(|(number, it)| {
                    let rows = match number {
                        0 => format!("{} compared", counted(it.counts.compared, "row")),
                        _ => grouped(it.counts.compared),
                    };
                    format!("{rows} with {}", it.name)
                });
                each.collect::<Vec<_>>().join(", ")
            }
            destinations => format!(
                "{} to {rows} compared with each of {destinations} destinations",
                grouped(least)
            ),
        }
    }
}

/// The exit status of several configurations together: what needs somebody soonest counts.
#[must_use]
pub fn worst(exits: impl IntoIterator<Item = Exit>) -> Exit {
    const WORST_FIRST: [Exit; 5] = [
        Exit::Failed,
        Exit::Config,
        Exit::Attention,
        Exit::Locked,
        Exit::Done,
    ];
    let rank = |exit: &Exit| WORST_FIRST.iter().position(|it| it == exit);
    exits.into_iter().min_by_key(rank).unwrap_or(Exit::Done)
}

#[cfg(test)]
mod tests;
