//! What must hold, by name.

/// A promise that a history can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// A difference that lasts is called back or owed.
    NothingMissed,
    /// A row that agreed with its copy at its confirmation, or was merely on its way, is not called back.
    NothingFalse,
    /// What is owed stays so until it is delivered, repaired or gone.
    NothingLost,
    /// No older content is sent after a newer one.
    NewestWins,
    /// The checkpoint is never beyond a row that a destination did not answer for.
    CheckpointWaits,
    /// What is remembered of gaps is bounded.
    GapsBounded,
    /// Every pass ends, in the time that it has.
    PassEnds,
    /// A destination that does not answer is waited for once in a pass.
    OneTimeLimit,
    /// The exit status tells the truth.
    ExitTrue,
    /// State files are always readable.
    StateReadable,
    /// An endpoint that asked to be left alone is, and a row is tried no more often than configured.
    Polite,
    /// An endpoint that took nothing is asked for one row or two before it takes one. A row that was refused while others
    /// were taken waits.
    Patient,
    /// A callback keeps its `webhook-id` while it is the same.
    SameId,
    /// A callback that was taken is no longer owed when its process ends, whatever else failed in it.
    TakenOnce,
    /// A second run of a configuration is refused and touches nothing; a dead run is in nobody's way.
    OneAtATime,
    /// An audit that came to its end has looked at every row and told every difference that lasted.
    AuditWhole,
    /// cupid does not panic.
    NoPanic,
}

impl Fact {
    pub(crate) const ALL: [Self; 17] = [
        Self::NothingMissed,
        Self::NothingFalse,
        Self::NothingLost,
        Self::NewestWins,
        Self::CheckpointWaits,
        Self::GapsBounded,
        Self::PassEnds,
        Self::OneTimeLimit,
        Self::ExitTrue,
        Self::StateReadable,
        Self::Polite,
        Self::Patient,
        Self::SameId,
        Self::TakenOnce,
        Self::OneAtATime,
        Self::AuditWhole,
        Self::NoPanic,
    ];
}

/// A broken promise.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) fact: Fact,
    pub(crate) text: String,
}
