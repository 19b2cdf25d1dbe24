//! `cupid status`: the facts of a state folder, the state they mean, and how it is shown.
//!
//! Nothing here needs a server. When the source was asked for its highest id and its clock, the
//! numbers are exact. Otherwise the last pass says how far behind it was, and unknown cells hold a
//! question mark.

mod decide;
mod json;
mod layout;
mod plugin;
mod screen;
mod several;

use crate::logic::callback::outbox::Outbox;
use crate::logic::scan::bounds::Bounds;
use crate::logic::scan::checkpoint::Checkpoint;
use crate::logic::stats::{AuditStats, Stats};
use crate::logic::value::cell::Id;

pub(crate) use decide::{Status, decide};
pub(crate) use json::{json, unreadable as unreadable_json};
pub(crate) use plugin::{Severity, plugin};
pub(crate) use screen::screen;
pub(crate) use several::table_of_all;

/// How a configuration, or a destination, stands; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// The configuration or its state cannot be read.
    Config,
    /// The last pass failed.
    Failed,
    /// No pass has ended for a while.
    Stale,
    /// A destination cannot be read.
    Unread,
    /// The scan waits.
    Paused,
    /// Callbacks are owed.
    Owed,
    /// Far behind the source, or its ids went back.
    Behind,
    /// No pass has ended yet.
    New,
    /// Nothing to do.
    Ok,
}

/// What was found about one configuration.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Its `name`.
    pub name: String,
    /// Its file, as it was typed or found.
    pub config: String,
    /// `database.table` of the source.
    pub source: String,
    /// `host:port` of the source, or a socket's path.
    pub server: String,
    /// The state folder.
    pub state_dir: String,
    /// Whether there is any state.
    pub has_state: bool,
    /// A process holds the lock.
    pub at_work: bool,
    /// Whose state it is, when that configuration is gone.
    pub former_owner: Option<String>,
    /// It looks at new ids.
    pub insert: bool,
    /// `src.insertStartId`, or 0.
    pub start_id: Id,
    /// The names of its destinations, in the order of `des[]`.
    pub destinations: Vec<String>,
    /// In the names of the configuration.
    pub checkpoint: Option<Checkpoint>,
    /// The same.
    pub outbox: Outbox,
    /// What is remembered of passes.
    pub stats: Option<Stats>,
    /// Why nothing is remembered of passes although there is a file.
    pub stats_problem: Option<String>,
    /// What is remembered of audits.
    pub audits: Vec<AuditStats>,
    /// Where the source is, or why nobody knows.
    pub bounds: Result<Bounds, String>,
}

impl State {
    /// As people read it.
    #[must_use]
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Config => "CONFIG",
            Self::Failed => "FAILED",
            Self::Stale => "STALE",
            Self::Unread => "UNREAD",
            Self::Paused => "PAUSED",
            Self::Owed => "OWED",
            Self::Behind => "BEHIND",
            Self::New => "NEW",
            Self::Ok => "ok",
        }
    }
}

#[cfg(test)]
mod tests;
