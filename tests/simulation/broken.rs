//! Deliberate mistakes, each in the place where the real program could make it, to show that the simulation bites.

use crate::fact::Fact;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// A copy is taken for equal, whatever it holds.
    EqualsAnything,
    /// The same in audits.
    AuditEqualsAnything,
    /// Appended callbacks are gone when the process is killed.
    AppendUnsynced,
    /// The confirmation delay is not waited for.
    NoConfirmDelay,
    /// A destination now and then finds nothing although it has the row.
    BlindLook,
    /// Rows are read again without the source's condition.
    ConditionIgnored,
    /// One callback gets lost when the others are written again.
    OneForgotten,
    /// The owed callbacks are not read.
    OutboxUnread,
    /// A row is sent as it was at its first callback.
    OldCopySent,
    /// Rows that committed late are never found.
    HolesStayEmpty,
    /// The window returns nothing that was updated before its last second.
    WindowTooShort,
    /// The checkpoint says more than was compared.
    CheckpointAhead,
    /// Every hole is remembered for ever.
    HolesForEver,
    /// Sleeps ten times as long as asked.
    Oversleeps,
    /// A destination that does not answer is asked three times.
    AsksAgain,
    /// The owed callbacks are not written again when some were taken, repaired or gone.
    ReplaceForgotten,
    /// The checkpoint is written in place.
    TornCheckpoint,
    /// `Retry-After` is not passed on.
    RetryAfterIgnored,
    /// Nobody notes that an endpoint took nothing.
    OutageForgotten,
    /// Nobody notes that a row waits.
    WaitForgotten,
    /// Taken callbacks are not written down by a process that could not read the source.
    AnswersUnbooked,
    /// Rows that are too large to be read are not written down.
    AsideForgotten,
    /// Each run takes what is owed for detected anew.
    DetectedAnew,
    /// The lock keeps nobody out.
    LockForgotten,
    /// Now and then a row is left out when the source is read from end to end.
    RowsSkipped,
    /// No key is one that only a destination has.
    NothingLacks,
    /// An answer is taken although the columns are others by now.
    AlterOverlooked,
    /// Nobody notes what the values of the update column mean.
    MeaningForgotten,
    /// The highest id is taken for the highest that there ever was.
    MaximumRemembered,
    /// The landmarks are not read.
    LandmarksUnread,
    /// A row that is gone is taken for one that has been gone for long.
    GoneForGood,
    /// A row that was compared once is remembered so for ever.
    SeenForEver,
    /// What is owed is given to destinations by names that depend on their order.
    OwedByOrder,
    /// The same of positions.
    PositionsByOrder,
    /// A destination says that a row is its answer which is not in it.
    RowsBeyond,
}

impl Broken {
    /// The promise that it breaks.
    pub(crate) fn breaks(self) -> Fact {
        match self {
            Self::EqualsAnything
            | Self::AppendUnsynced
            | Self::MeaningForgotten
            | Self::SeenForEver => Fact::NothingMissed,
            Self::NoConfirmDelay
            | Self::BlindLook
            | Self::ConditionIgnored
            | Self::AlterOverlooked => Fact::NothingFalse,
            Self::OneForgotten | Self::OutboxUnread | Self::GoneForGood | Self::OwedByOrder => {
                Fact::NothingLost
            }
            Self::OldCopySent => Fact::NewestWins,
            Self::HolesStayEmpty
            | Self::WindowTooShort
            | Self::CheckpointAhead
            | Self::AsideForgotten
            | Self::RowsSkipped
            | Self::MaximumRemembered
            | Self::LandmarksUnread
            | Self::PositionsByOrder => Fact::CheckpointWaits,
            Self::HolesForEver => Fact::GapsBounded,
            Self::Oversleeps => Fact::PassEnds,
            Self::AsksAgain => Fact::OneTimeLimit,
            Self::ReplaceForgotten => Fact::ExitTrue,
            Self::TornCheckpoint => Fact::StateReadable,
            Self::RetryAfterIgnored => Fact::Polite,
            Self::OutageForgotten | Self::WaitForgotten => Fact::Patient,
            Self::DetectedAnew => Fact::SameId,
            Self::AnswersUnbooked => Fact::TakenOnce,
            Self::LockForgotten => Fact::OneAtATime,
            Self::AuditEqualsAnything | Self::NothingLacks => Fact::AuditWhole,
            Self::RowsBeyond => Fact::NoPanic,
        }
    }
    /// Promises that some seeds see broken before that one.
    pub(crate) fn breaks_too(self) -> &'static [Fact] {
        match self {
            // What stays in the file is loaded by the next run, which may detect the row anew.
            Self::ReplaceForgotten => &[Fact::TakenOnce, Fact::SameId, Fact::Polite],
            // A row that is set aside is remembered by what is owed for it.
            Self::AppendUnsynced => &[Fact::CheckpointWaits],
            // A run that does not see what is owed says that all is well, does not know what endpoints asked for, and
            // detects a row anew.
            Self::OutboxUnread => &[Fact::ExitTrue, Fact::Polite, Fact::Patient, Fact::SameId],
            // An audit that is not interrupted saves nothing before it ends.
            Self::RowsSkipped => &[Fact::AuditWhole],
            // A table that is not written to any more is passed without a checkpoint.
            Self::MaximumRemembered | Self::LandmarksUnread => &[Fact::NothingMissed],
            _ => &[],
        }
    }
}
