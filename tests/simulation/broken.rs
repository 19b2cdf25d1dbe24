//! Deliberate mistakes, each in the place where the real program could make it, to show that the simulation bites.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Rows that committed late are never found.
    HolesStayEmpty,
    /// The window returns nothing that was updated before its last second.
    WindowTooShort,
    /// The confirmation delay is not waited for.
    NoConfirmDelay,
    /// A destination now and then finds nothing although it has the row.
    BlindLook,
    /// Appended callbacks are not written.
    AppendForgotten,
    /// One callback gets lost when the others are written again.
    OneForgotten,
    /// A row is sent as it was at its first callback.
    OldCopySent,
    /// The checkpoint says more than was compared.
    CheckpointAhead,
    /// Every hole is remembered for ever.
    HolesForEver,
    /// Sleeps ten times as long as asked.
    Oversleeps,
    /// The owed callbacks are not read.
    OutboxUnread,
    /// The checkpoint is written in place.
    TornCheckpoint,
    /// `Retry-After` is not passed on.
    RetryAfterIgnored,
}
