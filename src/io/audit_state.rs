//! The state of `cupid reconcile`: its own lock, outbox and progress, so that it never touches the checkpoint of `run`
//! and both can work at once.
//!
//! What an audit leaves owed is adopted by the next `run`, `start` or `retry` ([`StateDir::adopt_audits`]).

use super::state_dir::{Lock, StateDir};
use crate::error::{Error, Result};
use crate::logic::cell::Id;
use crate::logic::checkpoint::Checkpoint;
use crate::logic::outbox::Outbox;
use crate::logic::owed::Owed;
use crate::world::Store;

/// The state of an audit.
#[derive(Debug)]
pub struct AuditState {
    state: StateDir,
    /// What was audited: table, range, shard and a hash of the configuration.
    identity: String,
    resume: bool,
}

impl AuditState {
    /// `state` must have been made for `identity`; touches nothing yet.
    #[must_use]
    pub fn new(state: StateDir, identity: String, resume: bool) -> Self {
        Self {
            state,
            identity,
            resume,
        }
    }

    /// As [`StateDir::lock`].
    ///
    /// # Errors
    /// When another audit of this configuration is at work.
    pub fn lock(&self) -> Result<Lock> {
        self.state.lock()
    }
}

impl Store for AuditState {
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>> {
        if !self.resume {
            return Ok(None);
        }
        let path = self.state.progress_path();
        match self.state.checkpoint() {
            Ok(Some(progress)) => Ok(Some(progress)),
            Ok(None) => Err(Error::State {
                path,
                reason: "There is no audit to go on with; leave out --resume to begin one".into(),
            }),
            Err(Error::State { .. }) => Err(Error::State {
                path,
                reason: "The last audit was of another configuration or another range, or its progress is damaged; leave \
                         out --resume to begin anew"
                    .into(),
            }),
            Err(error) => Err(error),
        }
    }

    fn first_cupids_id(&mut self) -> Result<Option<Id>> {
        Ok(None)
    }

    fn save_checkpoint(&mut self, progress: &Checkpoint) -> Result<()> {
        let progress = Checkpoint {
            source: self.identity.clone(),
            ..progress.clone()
        };
        self.state.save_checkpoint(&progress)
    }

    fn outbox(&mut self) -> Result<Outbox> {
        self.state.outbox()
    }

    fn append_owed(&mut self, owed: &[Owed]) -> Result<()> {
        self.state.append_owed(owed)
    }

    fn replace_outbox(&mut self, outbox: &Outbox) -> Result<()> {
        self.state.replace_outbox(outbox)
    }
}
