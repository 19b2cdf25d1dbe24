//! The passes of one configuration under its lock: one pass, or one after the other until the time
//! is over or a signal comes.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::memory::Memory;
use super::note::last_beat;
use super::{
    Connections, load, load_and_log, note, print_json, refuse_idle, state_of, tell, tell_line,
};
use crate::cli::Talk;
use crate::config::Job;
use crate::error::{Error, Exit, Result};
use crate::io::console::Console;
use crate::io::findings::Findings;
use crate::io::heartbeat::Heart;
use crate::io::report::Report;
use crate::io::signals::RealClock;
use crate::io::state_dir::{Lock, ReadOnly};
use crate::logic::report::file::ReportFile;
use crate::logic::report::summary::Summary;
use crate::logic::value::cell::Id;
use crate::pipeline::{self, Handling, Run};
use crate::world::{Clock as _, Store};

/// What the command line asks of each configuration.
#[derive(Clone, Debug)]
pub(super) struct Orders {
    /// Where the very first pass starts.
    pub(super) start_id: Option<Id>,
    /// Send nothing, save nothing.
    pub(super) is_dry: bool,
    /// Differences are appended to it.
    pub(super) report: Option<ReportFile>,
    /// Each summary goes to stdout.
    pub(super) json: bool,
    pub(super) talk: Talk,
    /// Long work shows a bar. A terminal has room for one.
    pub(super) has_bar: bool,
    pub(super) rhythm: Rhythm,
}

/// When passes begin.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rhythm {
    /// One pass.
    Once,
    /// From the begin of one to the begin of the next, and for how long.
    Every {
        every: Duration,
        for_time: Option<Duration>,
    },
    /// At the configuration's own intervals.
    Configured,
}

impl Rhythm {
    fn repeats(self) -> bool {
        !matches!(self, Self::Once)
    }

    /// Until somebody asks to stop.
    pub(super) fn is_endless(self) -> bool {
        match self {
            Self::Once => false,
            Self::Every { for_time, .. } => for_time.is_none(),
            Self::Configured => true,
        }
    }
}

/// All passes of a configuration. `ended` hears the exit status of each and its line.
pub(super) fn passes(
    config: &Path,
    orders: &Orders,
    clock: &Arc<RealClock>,
    ended: &dyn Fn(Exit, &str),
) -> Result<Exit> {
    let job = load_and_log(config, orders.talk)?;
    let mut heart = Heart::new(job.heartbeat.clone().filter(|_| !orders.is_dry));
    let outcome = passes_of(&job, orders, &mut heart, clock, ended);
    // The lock is released by now: the next run waits for no heartbeat.
    heart.command_ended(&outcome, clock.now_us());
    outcome
}

fn passes_of(
    job: &Arc<Job>,
    orders: &Orders,
    heart: &mut Heart,
    clock: &Arc<RealClock>,
    ended: &dyn Fn(Exit, &str),
) -> Result<Exit> {
    refuse_idle(job)?;
    let lock = if orders.is_dry {
        None
    } else {
        Some(state_of(job).lock()?)
    };
    if heart.beats() {
        heart.remember(last_beat(&state_of(job)));
    }
    let report = orders.report.as_ref().map(Report::append).transpose()?;
    let handling = Handling {
        is_dry: orders.is_dry,
        reports: report.is_some(),
    };
    let has_bar = orders.has_bar && !orders.talk.quiet;
    let passes = Passes {
        memory: lock.is_some().then(|| Memory::load(job, clock.now_us())),
        lock,
        connections: Connections::new(job, clock)?,
        console: Console::new(Findings::of_report(report), has_bar).without_lasting(!orders.is_dry),
        handling,
        start_id: orders.start_id,
        json: orders.json,
        rhythm: orders.rhythm,
        heart,
        clock,
        ended,
    };
    passes.all()
}

struct Passes<'a> {
    /// `None`, like `memory`: nothing is saved.
    lock: Option<Lock>,
    memory: Option<Memory>,
    connections: Connections,
    console: Console,
    handling: Handling,
    /// Of the first pass.
    start_id: Option<Id>,
    json: bool,
    rhythm: Rhythm,
    heart: &'a mut Heart,
    clock: &'a Arc<RealClock>,
    ended: &'a dyn Fn(Exit, &str),
}

impl Passes<'_> {
    /// A pass that failed is told and followed by the next one; the exit status is the last one's.
    fn all(mut self) -> Result<Exit> {
        let clock = self.clock;
        let mut timer = Timer::new(self.rhythm, Instant::now());
        let mut is_first = true;
        loop {
            let (insert, update) = timer.due(&self.connections.job, Instant::now());
            let outcome = self.one(insert, update);
            let is_refused = matches!(outcome, Ok(Exit::Config) | Err(Error::Config { .. }));
            if is_first && is_refused || timer.is_over(Instant::now()) || clock.stopping() {
                return outcome;
            }
            let last = outcome.unwrap_or_else(|error| {
                log::error!("{error}");
                error.exit()
            });
            is_first = false;
            self.start_id = None;
            let next = timer.next(&self.connections.job);
            clock.sleep_between_passes(next.saturating_duration_since(Instant::now()));
            if clock.stopping() {
                return Ok(last);
            }
            if clock.take_reload() {
                self.reload();
            }
            self.connections.forget_columns();
        }
    }

    /// An error that comes back was not told yet.
    fn one(&mut self, insert: bool, update: bool) -> Result<Exit> {
        let (job, clock) = (&self.connections.job, self.clock);
        let mut state = state_of(job);
        if self.lock.is_some() {
            state.adopt_audits()?;
        }
        let mut store: Box<dyn Store + Send> = if self.handling.is_dry {
            Box::new(ReadOnly(state.for_reading()?))
        } else {
            Box::new(state)
        };
        let asked = Run {
            insert,
            update,
            start_id: self.start_id,
            handling: self.handling,
        };
        let began_us = clock.now_us();
        let outcome = pipeline::pass(
            job,
            &mut self.connections.world(&mut *store, clock, &self.console),
            asked,
        );
        self.console.clear();
        let now_us = clock.now_us();
        note(
            &outcome,
            Summary::exit,
            self.lock.as_mut(),
            self.heart,
            now_us,
        );
        match (&outcome, &mut self.memory) {
            (Ok(summary), None) => tell(summary, summary.exit()),
            (Err(_), None) => {}
            (outcome, Some(memory)) => {
                if let Ok(summary) = outcome {
                    tell_line(summary);
                }
                memory.after_pass(outcome, self.rhythm.repeats(), began_us, now_us);
            }
        }
        match outcome {
            Ok(summary) => {
                print_json(self.json, &summary)?;
                (self.ended)(summary.exit(), &summary.line());
                Ok(summary.exit())
            }
            Err(error) => {
                (self.ended)(error.exit(), &error.to_string());
                if self.memory.is_some() && self.rhythm.repeats() {
                    Ok(error.exit())
                } else {
                    Err(error)
                }
            }
        }
    }

    /// Reads the configuration again; one that cannot be used leaves the old one in force.
    fn reload(&mut self) {
        match reloaded(&self.connections.job, self.clock) {
            Ok(connections) => {
                self.heart.set_url(connections.job.heartbeat.clone());
                if let Some(memory) = &mut self.memory {
                    memory.reload(&connections.job, self.clock.now_us());
                }
                self.connections = connections;
            }
            Err(error) => log::error!(
                "The configuration is not read again, the old one stays in force: {error}"
            ),
        }
    }
}

/// The connections of the configuration as it is in its file now. Its state files must be those whose lock is held.
fn reloaded(old: &Job, clock: &Arc<RealClock>) -> Result<Connections> {
    let job = load(&old.path)?;
    refuse_idle(&job)?;
    if (&job.name, &job.source.state_dir) != (&old.name, &old.source.state_dir) {
        return Err(Error::Config {
            path: job.path.clone(),
            problem: "name, src.cacheFilePath: hold other values than at the start; restart cupid to change them".into(),
        });
    }
    log::info!("The configuration {} is read again", job.path.display());
    Connections::new(&job, clock)
}

/// When the next pass begins, and what it looks at.
struct Timer {
    rhythm: Rhythm,
    began: Instant,
    /// For new ids.
    insert: Instant,
    /// For updates.
    update: Instant,
}

impl Timer {
    fn new(rhythm: Rhythm, now: Instant) -> Self {
        Self {
            rhythm,
            began: now,
            insert: now,
            update: now,
        }
    }

    /// Whether new ids and updates are to be looked at now.
    fn due(&mut self, job: &Job, now: Instant) -> (bool, bool) {
        let source = &job.source;
        let (insert_every, update_every) = match self.rhythm {
            Rhythm::Once => (Duration::ZERO, Duration::ZERO),
            Rhythm::Every { every, .. } => (every, every),
            Rhythm::Configured => (source.insert_interval, source.update_interval),
        };
        let due = |at: &mut Instant, interval: Duration| {
            let due = *at <= now;
            if due {
                *at = now + interval;
            }
            due
        };
        let is_insert_due = due(&mut self.insert, insert_every);
        let is_update_due = due(&mut self.update, update_every);
        (
            source.insert && is_insert_due,
            source.update.is_some() && is_update_due,
        )
    }

    fn next(&self, job: &Job) -> Instant {
        match (job.source.insert, job.source.update.is_some()) {
            (true, true) => self.insert.min(self.update),
            (true, false) => self.insert,
            (false, _) => self.update,
        }
    }

    /// A pass that took long may have used the time up.
    fn is_over(&self, now: Instant) -> bool {
        match self.rhythm {
            Rhythm::Once => true,
            Rhythm::Every { for_time, .. } => {
                let next = self.insert.min(self.update).max(now);
                for_time.is_some_and(|for_time| next >= self.began + for_time)
            }
            Rhythm::Configured => false,
        }
    }
}
