//! What a command under the lock remembers of its passes, and which messages it sends to `notify`
//! because of that.

use std::path::PathBuf;

use crate::config::Job;
use crate::error::{Error, Result};
use crate::io::logging::is_terminal;
use crate::io::metrics;
use crate::io::notify::{Delivery, host_name, send};
use crate::io::state_dir::StateDir;
use crate::logic::callback::outbox::Outbox;
use crate::logic::notify::Channel;
use crate::logic::notify::occasion::{Occasion, Teller, decide};
use crate::logic::report::summary::Summary;
use crate::logic::stats::metrics::{About, of_passes};
use crate::logic::stats::{SaidLine, Stats};

use super::state_of;

/// [`Stats`] and where they lie. The lock must be held as long as this lives.
pub(super) struct Memory {
    folder: StateDir,
    pub(super) stats: Stats,
    /// The configuration's name and file, for messages.
    name: String,
    file: String,
    channels: Vec<Channel>,
    metrics_file: Option<PathBuf>,
}

impl Memory {
    /// What earlier passes left.
    pub(super) fn load(job: &Job, now_us: i64) -> Self {
        let folder = state_of(job);
        let mut stats = folder.stats(now_us);
        stats.know(&job.known_destinations());
        Self {
            folder,
            stats,
            name: job.name.clone(),
            file: job.path.display().to_string(),
            channels: job.channels.clone(),
            metrics_file: job.metrics_file.clone(),
        }
    }

    /// The configuration was read again.
    pub(super) fn reload(&mut self, job: &Job, now_us: i64) {
        let source = job.source.table.name();
        if self.stats.source == source {
            self.stats.know(&job.known_destinations());
            self.channels.clone_from(&job.channels);
            self.metrics_file.clone_from(&job.metrics_file);
        } else {
            *self = Self::load(job, now_us);
        }
    }

    /// A pass that began at a moment has ended now. What goes on is said now and then, and each time to who looks at a
    /// terminal. `tells_failure`: another pass of this process follows, so nobody else tells a failure.
    pub(super) fn after_pass(
        &mut self,
        outcome: &Result<Summary>,
        tells_failure: bool,
        began_us: i64,
        now_us: i64,
    ) {
        self.stats.after_pass(outcome, began_us, now_us);
        let unwritten = self.write_metrics().err();
        if outcome.is_ok() || tells_failure {
            self.say(outcome, unwritten.as_ref(), now_us);
        }
        self.tell_channels(now_us);
        self.save();
    }

    /// Metrics that cannot be written stop no pass.
    fn say(&mut self, outcome: &Result<Summary>, unwritten: Option<&Error>, now_us: i64) {
        for line in self.stats.say(outcome, unwritten, is_terminal(), now_us) {
            match line {
                SaidLine::Wrong(text) if outcome.is_err() => log::error!("{text}"),
                SaidLine::Wrong(text) | SaidLine::Over(text) => log::warn!("{text}"),
            }
        }
    }

    fn write_metrics(&self) -> Result<()> {
        let Some(file) = &self.metrics_file else {
            return Ok(());
        };
        let about = About {
            config: &self.name,
            version: env!("CARGO_PKG_VERSION"),
        };
        metrics::write_passes(file, &of_passes(&self.stats, about))
    }

    /// A retry has ended.
    pub(super) fn after_retry(&mut self, outcome: &Result<Summary>, now_us: i64) {
        self.stats.after_retry(outcome, now_us);
        self.save();
    }

    /// Some of what was owed was sent or dropped, and this is left.
    pub(super) fn after_choice(
        &mut self,
        sent: Option<&Result<Summary>>,
        outbox: &Outbox,
        now_us: i64,
    ) {
        if let Some(outcome) = sent {
            self.stats.after_retry(outcome, now_us);
        }
        self.stats.after_choice(outbox);
        self.save();
    }

    /// Sends what is to be told. The pass has saved its state before, and what does not arrive fails nothing.
    fn tell_channels(&mut self, now_us: i64) {
        let host = host_name();
        let teller = Teller {
            config: &self.name,
            file: &self.file,
            host: &host,
        };
        let situation = self.stats.situation();
        let (told, occasion) = decide(&self.stats.told, &situation, &self.channels, teller, now_us);
        self.stats.told = told;
        let Some(Occasion { message, channels }) = occasion else {
            return;
        };
        let is_due = |channel: &&Channel| channels.contains(&channel.name);
        let due: Vec<&Channel> = self.channels.iter().filter(is_due).collect();
        for Delivery {
            channel, outcome, ..
        } in send(&due, &message, now_us)
        {
            let Err(refusal) = outcome else { continue };
            log::warn!("notify: {channel}: {}", refusal.text);
            if let Some(channel) = due.iter().find(|it| it.name == channel) {
                self.stats.told.not_sent(channel);
            }
        }
    }

    fn save(&mut self) {
        self.folder.save_stats(&mut self.stats);
    }
}
