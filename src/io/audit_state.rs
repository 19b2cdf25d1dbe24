//! The state of `cupid reconcile`: its own lock, outbox and progress. It never touches the
//! checkpoint of `run`, so both can work at once.
//!
//! The next `run`, `start` or `retry` adopts the callbacks that an audit left owed
//! ([`StateDir::adopt_audits`]).
//!
//! A dry run owes nothing. It keeps only its progress, under a name of its own ([`DryAudit`]). The
//! audit's files are durable before the progress that passes their rows.

use std::fs::File;

use super::state_dir::{Lock, StateDir};
use crate::error::{Error, Result};
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::owed::Owed;
use crate::logic::scan::checkpoint::Checkpoint;
use crate::logic::value::cell::Id;
use crate::world::Store;

/// The state of an audit.
#[derive(Debug)]
pub(crate) struct AuditState {
    state: StateDir,
    /// What was audited: table, range, shard and a hash of the configuration.
    identity: String,
    resume: bool,
    /// The files that hold what was found.
    findings: Vec<File>,
}

impl AuditState {
    /// `state` must have been made for `identity`; touches nothing yet.
    #[must_use]
    pub(crate) fn new(state: StateDir, identity: String, resume: bool) -> Self {
        Self {
            state,
            identity,
            resume,
            findings: vec![],
        }
    }

    /// Makes these files durable before each progress.
    pub(crate) fn sync_first(&mut self, findings: Vec<File>) {
        self.findings = findings;
    }

    /// Removes the progress and the lock file, when there is nothing to go on with. To be called under the lock.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub(crate) fn forget(&self) -> Result<()> {
        self.state.remove()
    }

    /// As [`StateDir::refuse_anothers`].
    ///
    /// # Errors
    /// When the state files are another configuration's.
    pub(crate) fn refuse_anothers(&self) -> Result<()> {
        self.state.refuse_anothers()
    }

    /// As [`StateDir::lock`].
    ///
    /// # Errors
    /// When another audit of this configuration is at work.
    pub(crate) fn lock(&self) -> Result<Lock> {
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
        for file in &self.findings {
            file.sync_data().map_err(|error| Error::File {
                operation: "Sync what was found before",
                path: self.state.progress_path(),
                reason: error.to_string(),
            })?;
        }
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

/// The state of a dry run: its progress. What it found and has not told is remembered nowhere else, so the progress that
/// passes it waits until it is told.
#[derive(Debug)]
pub(crate) struct DryAudit {
    audit: AuditState,
    waiting: Option<Checkpoint>,
    has_untold: bool,
}

impl DryAudit {
    /// Keeps the progress in `audit`.
    #[must_use]
    pub(crate) fn new(audit: AuditState) -> Self {
        Self {
            audit,
            waiting: None,
            has_untold: false,
        }
    }
}

impl Store for DryAudit {
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>> {
        self.audit.checkpoint()
    }

    fn first_cupids_id(&mut self) -> Result<Option<Id>> {
        Ok(None)
    }

    fn save_checkpoint(&mut self, progress: &Checkpoint) -> Result<()> {
        if self.has_untold {
            self.waiting = Some(progress.clone());
            return Ok(());
        }
        self.audit.save_checkpoint(progress)
    }

    fn outbox(&mut self) -> Result<Outbox> {
        Ok(Outbox::default())
    }

    fn append_owed(&mut self, owed: &[Owed]) -> Result<()> {
        self.has_untold |= !owed.is_empty();
        Ok(())
    }

    fn replace_outbox(&mut self, outbox: &Outbox) -> Result<()> {
        self.has_untold = !outbox.is_empty();
        match self.waiting.take() {
            Some(progress) if !self.has_untold => self.audit.save_checkpoint(&progress),
            waiting => {
                self.waiting = waiting;
                Ok(())
            }
        }
    }
}
