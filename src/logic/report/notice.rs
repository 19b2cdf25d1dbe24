//! What a pass tells an operator while it works, each with its words and how much it matters.
//!
//! Every message begins with its subject: a destination's name, `source`, or `callbacks`. The
//! configuration's name is put before it where messages are written. `cupid help log` lists the
//! beginnings.

use std::fmt;

use crate::logic::report::line::Kind;
use crate::logic::scan::trail::{Doubt, Finding, Start};
use crate::logic::value::cell::Id;
use crate::logic::value::count::{counted, grouped_id};
use crate::logic::value::oversize::TooLarge;

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
        id: Id,
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
        id: Id,
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
        id: Id,
    },
    /// Nothing is owed for a row any more.
    OwedDropped {
        /// The destination's name.
        destination: String,
        /// The row's id.
        id: Id,
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
        id: Id,
        /// What of it, and how large.
        too_large: TooLarge,
    },
    /// A key has a value that the destination's column cannot hold.
    KeyNotFindable {
        /// The destination's name.
        destination: String,
        /// The row's id.
        id: Id,
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
    /// A recheck cannot compare a row.
    NotCompared {
        /// The destination's name.
        destination: String,
        /// The row's id.
        id: Id,
        /// What of it is too large.
        too_large: TooLarge,
    },
    /// A recheck found a row repaired or gone.
    Settled {
        /// The destination's name.
        destination: String,
        /// The row's id.
        id: Id,
        /// Why nothing is left to repair.
        reason: &'static str,
    },
}

/// Ids of the source that went back or started again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// `src.table`.
    pub table: String,
    /// Ids up to this one were compared.
    pub compared_to: Id,
    /// The highest id now.
    pub id_max: Option<Id>,
    /// Why the landmarks were read.
    pub doubt: Doubt,
    /// What they say.
    pub finding: Finding,
    /// Ids from here on are compared again.
    pub from: Id,
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
            | Self::NotCompared { .. } => Level::Warning,
            Self::DestinationRenamed { .. }
            | Self::StartIdIgnored
            | Self::StartsAtFirstCupidsId { .. }
            | Self::MomentsChanged { .. }
            | Self::Restarted { is_news: false, .. }
            | Self::EndpointGivenUp { .. }
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

impl fmt::Display for Notice {
    #[expect(clippy::too_many_lines, reason = "a table: each message is here once")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceMoved { from, to } => write!(
                f,
                "source: moved from {from} to {to}. Its checkpoint is kept. \
                 `cupid reconcile` compares older rows"
            ),
            Self::DestinationMoved {
                destination,
                from,
                to,
            } => write!(
                f,
                "{destination}: moved from {from} to {to}. Its position and its owed callbacks are \
                 kept. `cupid reconcile` compares older rows"
            ),
            Self::DestinationRenamed {
                destination,
                before,
            } => write!(
                f,
                "{destination}: was called {before} before. Its position and its owed callbacks \
                 are kept"
            ),
            Self::DestinationIsNew { destination } => write!(
                f,
                "{destination}: is new and starts at the position of the other destinations. \
                 `cupid reconcile` compares older rows"
            ),
            Self::StartIdIgnored => {
                f.write_str("source: --start-id is ignored: a checkpoint takes precedence")
            }
            Self::StartsAtFirstCupidsId { id } => write!(
                f,
                "source: starts at id {id}, which the first cupid's cupid.txt names"
            ),
            Self::MomentsChanged { before, now } => write!(
                f,
                "source: src.updateColumn was {before} and is {now}. Updates of the last 28 hours \
                 are compared again, once"
            ),
            Self::Restarted { restart, .. } => write!(f, "source: {restart}"),
            Self::RowsWithoutId {
                table,
                id_column,
                count,
            } => write!(
                f,
                "source: {} of {table} cannot be compared: src.idColumn, {id_column:?}, is NULL \
                 there. Fill it, or use a column that is NOT NULL",
                counted(*count, "row")
            ),
            Self::OwedToStrangers { count, config } => write!(
                f,
                "callbacks: {} owed to destinations that the configuration no longer names. They \
                 are kept. See `cupid owed {config}`",
                counted(*count, "callback")
            ),
            Self::Unread {
                destination,
                reason,
            } => write!(
                f,
                "{destination}: cannot be read and is left for a later pass: {reason}"
            ),
            Self::Unrepaired {
                destination,
                rows,
                second,
            } => write!(
                f,
                "{destination}: {} still wrong {second} s after the callback was taken. A callback \
                 is owed again. Look at what the receiver does with it",
                counted(*rows, "row"),
            ),
            Self::EndpointGivenUp { destination } => write!(
                f,
                "{destination}: its endpoint takes nothing and is left alone until the next run"
            ),
            Self::CalledBack {
                destination,
                id,
                kind,
                answer,
            } => write!(
                f,
                "{destination}: id {id}, {}, is called back: {answer}",
                kind.word()
            ),
            Self::NotTaken {
                destination,
                id,
                kind,
                answer,
                tries,
            } => write!(
                f,
                "{destination}: id {id}, {}, was not taken at try {tries}: {answer}",
                kind.word()
            ),
            Self::OwedRowGone { destination, id } => write!(
                f,
                "{destination}: the source row of id {id}, which is owed, is gone for the \
                 moment. It is looked for again for lateCommitSecond"
            ),
            Self::OwedDropped {
                destination,
                id,
                is_gone,
            } => write!(
                f,
                "{destination}: id {id} is no longer owed: {}",
                if *is_gone {
                    "its source row is gone"
                } else {
                    "the copy agrees with the source"
                }
            ),
            Self::RowSetAside {
                destination,
                table,
                id,
                too_large,
            } => write!(
                f,
                "{destination}: row {id} of {table} is set aside: {too_large}. It stays owed, and \
                 every pass looks whether it has become smaller"
            ),
            Self::KeyNotFindable {
                destination,
                id,
                reason,
                is_last,
            } => write!(
                f,
                "{destination}: cannot look for the key of id {id}, so the row counts as missing: \
                 {reason}{}",
                if *is_last {
                    "; further keys are only counted"
                } else {
                    ""
                }
            ),
            Self::DuplicateKeys { destination, keys } => write!(
                f,
                "{destination}: has duplicate rows: {} with several rows in one batch. Such a row \
                 agrees when one of them does",
                counted(*keys, "key")
            ),
            Self::WithoutChecksums {
                destination,
                reason,
                ..
            } => write!(
                f,
                "{destination}: is read whole, without checksums: {reason}"
            ),
            Self::ExtraNeedsIds => f.write_str(
                "source: some rows have no id, so their copies would be taken for extra rows. \
                 Extra rows are not looked for",
            ),
            Self::ExtraNotLookedFor {
                destination,
                reason,
            } => write!(
                f,
                "{destination}: extra rows are not looked for, because the table cannot be read \
                 from end to end. {reason}"
            ),
            Self::ExtraLimited { destination, limit } => write!(
                f,
                "{destination}: has more than {limit} extra rows. No more of them are looked for"
            ),
            Self::UnmatchedLeftOut { destination, rows } => write!(
                f,
                "{destination}: {} did not fit in memory and were not checked. Raise --memory, or \
                 audit the whole table, without --resume and --from-id",
                counted(*rows, "unmatched row")
            ),
            Self::RepeatedKeysLimited { destination, limit } => write!(
                f,
                "{destination}: has more than {limit} keys with several rows. No more of them are \
                 looked at"
            ),
            Self::RepeatedKeysUnknown {
                destination,
                reason,
            } => write!(
                f,
                "{destination}: keys with several rows are not looked for: {reason}"
            ),
            Self::NotCompared {
                destination,
                id,
                too_large,
            } => write!(f, "{destination}: row {id} cannot be compared: {too_large}"),
            Self::Settled {
                destination,
                id,
                reason,
            } => write!(
                f,
                "{destination}: nothing is left to repair for id {id}: {reason}"
            ),
        }
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            table,
            compared_to,
            id_max,
            doubt,
            finding,
            from,
        } = self;
        let compared = grouped_id(*compared_to);
        match (id_max, doubt) {
            (None, _) => write!(
                f,
                "{table} is empty, and ids up to {compared} were compared. "
            ),
            (Some(max), Doubt::WentBack) => write!(
                f,
                "ids of {table} went back: the highest one is {}, and ids up to {compared} were \
                 compared. ",
                grouped_id(*max)
            ),
            (Some(_), Doubt::MayBeOther) => write!(
                f,
                "ids of {table} started again: the rows up to id {compared} are not the rows that \
                 were compared. "
            ),
        }?;
        f.write_str("The table was emptied, restored or replaced, or rows were deleted. ")?;
        match finding {
            Finding::Unchanged | Finding::AllGone(_) | Finding::Emptied => {
                f.write_str("New rows are compared as they come")
            }
            Finding::Again(Start::Lowest) => write!(
                f,
                "No compared row is left, so the table is compared from its beginning, id {}",
                grouped_id(*from)
            ),
            Finding::Again(Start::At(_)) => {
                let ids = id_max.map_or(0, |max| max - from + 1).max(0);
                let ids = counted(u64::try_from(ids).unwrap_or(u64::MAX), "id");
                write!(
                    f,
                    "Ids from {} on are compared again ({ids} now). `cupid reconcile` compares \
                     all rows",
                    grouped_id(*from)
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
