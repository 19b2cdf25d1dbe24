//! What a command that holds the lock remembers of its passes.

use crate::config::Job;
use crate::error::Result;
use crate::io::state_dir::StateDir;
use crate::logic::report::summary::Summary;
use crate::logic::stats::Stats;

use super::state_of;

/// [`Stats`] and where they lie. The lock must be held as long as this lives.
pub(super) struct Memory {
    folder: StateDir,
    pub(super) stats: Stats,
}

impl Memory {
    /// What earlier passes left.
    pub(super) fn load(job: &Job, now_us: i64) -> Self {
        let folder = state_of(job);
        let mut stats = folder.stats(now_us);
        stats.know(&job.known_destinations());
        Self { folder, stats }
    }

    /// The configuration was read again.
    pub(super) fn reload(&mut self, job: &Job, now_us: i64) {
        let source = job.source.table.name();
        if self.stats.source == source {
            self.stats.know(&job.known_destinations());
        } else {
            *self = Self::load(job, now_us);
        }
    }

    /// A pass that began at a moment has ended now.
    pub(super) fn after_pass(&mut self, outcome: &Result<Summary>, began_us: i64, now_us: i64) {
        self.stats.after_pass(outcome, began_us, now_us);
        self.save();
    }

    /// A retry has ended.
    pub(super) fn after_retry(&mut self, outcome: &Result<Summary>, now_us: i64) {
        self.stats.after_retry(outcome, now_us);
        self.save();
    }

    fn save(&mut self) {
        self.folder.save_stats(&mut self.stats);
    }
}
