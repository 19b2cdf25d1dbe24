//! The messages of a pass to its operator, each with its words and how much it matters.
//!
//! Every message begins with its subject: a destination's name, `source`, or `callbacks`. The
//! configuration's name is put before it where messages are written. `cupid help log` lists the
//! beginnings.

mod restart;
mod words;

use crate::logic::report::line::Kind;
use crate::logic::report::summary::Pause;
use crate::logic::value::address::Address;
use crate::logic::value::cell::Id;
use crate::logic::value::oversize::TooLarge;

pub use restart::Restart;

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Somebody should do something.
    Warning,
    /// It is as it should be.
    Info,
    /// One row.
    Detail,
}

/// Something that a pass found or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The source is on another server than the checkpoint says.
    SourceMoved {
        /// Both servers.
        from: String,
        /// Where it is now.
        to: String,
    },
    /// A destination is on another server than the checkpoint says.
    DestinationMoved {
        /// Its name now.
        destination: String,
        /// Where it was.
        from: String,
        /// Where it is now.
        to: String,
    },
    /// A destination has another name than the checkpoint says.
    DestinationRenamed {
        /// Its name now.
        destination: String,
        /// Its name before.
        before: String,
    },
    /// A destination that the checkpoint does not know.
    DestinationIsNew {
        /// Its name.
        destination: String,
    },
    /// `--start-id` and a checkpoint.
    StartIdIgnored,
    /// The first pass starts where the first cupid's file says.
    StartsAtFirstCupidsId {
        /// The first id.
        id: Id,
    },
    /// The update column is of another type, or in another zone, than it was.
    MomentsChanged {
        /// Type and zone before.
        before: String,
        /// Type and zone now.
        now: String,
    },
    /// Ids of the source went back or started again.
    Restarted {
        /// What the landmarks say.
        restart: Restart,
        /// It was not told yet.
        is_news: bool,
    },
    /// Source rows whose id is NULL.
    RowsWithoutId {
        /// `src.table`.
        table: String,
        /// `src.idColumn`.
        id_column: String,
        /// How many.
        count: u64,
    },
    /// Callbacks are owed to destinations that the configuration does not name.
    OwedToStrangers {
        /// How many.
        count: u64,
        /// The configuration's file.
        config: String,
    },
    /// A destination cannot be read in this pass.
    Unread {
        /// Its name.
        destination: String,
        /// Why.
        reason: String,
    },
    /// An endpoint takes nothing and is left alone in this run.
    EndpointGivenUp {
        /// The destination's name.
        destination: String,
    },
    /// A row was called back.
    CalledBack {
        /// The destination's name.
        destination: String,
        /// The row's id.
        id: Address,
        /// What was wrong.
        kind: Kind,
        /// Such as `200`.
        answer: String,
    },
    /// A callback was not taken.
    NotTaken {
        /// The destination's name.
        destination: String,
        /// The row's id.
        id: Address,
        /// What was wrong.
        kind: Kind,
        /// Such as `503`.
        answer: String,
        /// In this run and before.
        tries: u32,
    },
    /// Callbacks were taken and repaired nothing.
    Unrepaired {
        /// The destination's name.
        destination: String,
        /// How many.
        rows: u64,
        /// `verifySecond`.
        second: u64,
    },
    /// The source row of an owed callback is gone for the moment.
    OwedRowGone {
        /// The destination's name.
        destination: String,
        /// The row's id.
        id: Address,
    },
    /// Nothing is owed for a row any more.
    OwedDropped {
        /// The destination's name.
        destination: String,
        /// The row's id.
        id: Address,
        /// The source row is gone; else it agrees with its copy.
        is_gone: bool,
    },
    /// A row is too large to be read.
    RowSetAside {
        /// The destination's name.
        destination: String,
        /// `src.table`.
        table: String,
        /// The row's id.
        id: Address,
        /// What of it, and how large.
        too_large: TooLarge,
    },
    /// A key has a value that the destination's column cannot hold.
    KeyNotFindable {
        /// The destination's name.
        destination: String,
        /// The row's id.
        id: Address,
        /// What the server says.
        reason: String,
        /// Further ones are not named.
        is_last: bool,
    },
    /// Keys with several rows were met.
    DuplicateKeys {
        /// The destination's name.
        destination: String,
        /// How many keys.
        keys: u64,
    },
    /// An audit reads a destination whole, without checksums.
    WithoutChecksums {
        /// The destination's name.
        destination: String,
        /// Why.
        reason: String,
        /// `--method checksum` was given.
        is_asked_for: bool,
    },
    /// An audit does not look for extra rows, because some source rows have no id.
    ExtraNeedsIds,
    /// An audit does not look for extra rows of a destination.
    ExtraNotLookedFor {
        /// The destination's name.
        destination: String,
        /// Why, and the way out.
        reason: String,
    },
    /// An audit found so many extra rows that it looks for no more.
    ExtraLimited {
        /// The destination's name.
        destination: String,
        /// The limit.
        limit: usize,
    },
    /// Unmatched rows of a destination did not fit in memory.
    UnmatchedLeftOut {
        /// The destination's name.
        destination: String,
        /// How many.
        rows: u64,
    },
    /// So many keys have several rows that an audit looks at no more of them.
    RepeatedKeysLimited {
        /// The destination's name.
        destination: String,
        /// The limit.
        limit: usize,
    },
    /// A destination does not say which keys have several rows.
    RepeatedKeysUnknown {
        /// The destination's name.
        destination: String,
        /// Why.
        reason: String,
    },
    /// A server cannot be asked how loaded it is, so it is read without regard to that.
    LoadUnknown {
        /// `source`, or a destination's name.
        subject: String,
        /// Why.
        reason: String,
    },
    /// An audit waits, for a server is loaded.
    Waits {
        /// `source`, or a destination's name.
        subject: String,
        /// What is reached.
        pause: Pause,
    },
    /// An audit goes on after that.
    GoesOn {
        /// `source`, or a destination's name.
        subject: String,
    },
    /// A recheck cannot compare a row.
    NotCompared {
        /// The destination's name.
        destination: String,
        /// The row's id.
        id: Address,
        /// What of it is too large.
        too_large: TooLarge,
    },
    /// A recheck found a row repaired or gone.
    Settled {
        /// The destination's name.
        destination: String,
        /// The row's id.
        id: Address,
        /// Why nothing is left to repair.
        reason: &'static str,
    },
}

impl Notice {
    /// It will be so in the next pass too, most likely.
    #[must_use]
    pub fn lasts(&self) -> bool {
        matches!(
            self,
            Self::Unread { .. } | Self::RowsWithoutId { .. } | Self::OwedToStrangers { .. }
        )
    }

    /// How much it matters.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::SourceMoved { .. }
            | Self::DestinationMoved { .. }
            | Self::DestinationIsNew { .. }
            | Self::RowsWithoutId { .. }
            | Self::OwedToStrangers { .. }
            | Self::Unrepaired { .. }
            | Self::Unread { .. }
            | Self::RowSetAside { .. }
            | Self::KeyNotFindable { .. }
            | Self::DuplicateKeys { .. }
            | Self::Restarted { is_news: true, .. }
            | Self::WithoutChecksums {
                is_asked_for: true, ..
            }
            | Self::ExtraNeedsIds
            | Self::ExtraNotLookedFor { .. }
            | Self::ExtraLimited { .. }
            | Self::UnmatchedLeftOut { .. }
            | Self::RepeatedKeysLimited { .. }
            | Self::RepeatedKeysUnknown { .. }
            | Self::LoadUnknown { .. }
            | Self::NotCompared { .. } => Level::Warning,
            Self::DestinationRenamed { .. }
            | Self::StartIdIgnored
            | Self::StartsAtFirstCupidsId { .. }
            | Self::MomentsChanged { .. }
            | Self::Restarted { is_news: false, .. }
            | Self::EndpointGivenUp { .. }
            | Self::Waits { .. }
            | Self::GoesOn { .. }
            | Self::OwedRowGone { .. }
            | Self::OwedDropped { .. }
            | Self::WithoutChecksums {
                is_asked_for: false,
                ..
            }
            | Self::Settled { .. } => Level::Info,
            Self::CalledBack { .. } | Self::NotTaken { .. } => Level::Detail,
        }
    }
}

#[cfg(test)]
mod tests;
