//! The words of each message.

use std::fmt;

use super::Notice;
use crate::logic::value::count::counted;

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
            Self::LoadUnknown { subject, reason } => write!(
                f,
                "{subject}: its server is not spared, because nobody knows how loaded it is: {reason}"
            ),
            Self::Waits { subject, pause } => {
                write!(f, "{subject}: the audit waits: {}", pause.words())
            }
            Self::GoesOn { subject } => write!(f, "{subject}: the audit goes on"),
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
