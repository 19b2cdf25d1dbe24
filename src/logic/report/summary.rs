//! Counts of a pass, by destination and in all, their text, their JSON and the exit status.

mod counts;
mod line;
mod shown;

use serde::{Deserialize, Serialize};

use crate::error::Exit;
use crate::logic::scan::bounds::Bounds;
use crate::logic::value::cell::Id;

pub use counts::{Counts, OwedCallbacks};

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
    /// What a run compared of the source; `None` for everything else.
    pub scanned: Option<Scanned>,
}

/// Rows of the source that a run compared, with however many destinations. One that was compared with the same content
/// before is none of them.
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
