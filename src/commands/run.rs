//! `cupid run` and `cupid retry`: one pass, or one after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::memory::Memory;
use super::status::last_beat;
use super::{Connections, load, load_and_log, print_data, refuse_idle, state_of, tell, unprinted};
use crate::cli;
use crate::config::Job;
use crate::error::{Error, Exit, Result};
use crate::io::console::Console;
use crate::io::findings::Findings;
use crate::io::heartbeat::Heart;
use crate::io::report::Report;
use crate::io::signals::RealClock;
use crate::io::state_dir::{Lock, ReadOnly};
use crate::logic::report::summary::Summary;
use crate::pipeline::{self, Handling};
use crate::world::{Clock as _, Store};

/// `cupid run`.
pub(super) fn run(run: &cli::Run, clock: &Arc<RealClock>) -> Result<Exit> {
    let job = load_and_log(&run.config, run.talk)?;
    let mut heart = Heart::new(job.heartbeat.clone().filter(|_| !run.dry_run));
    let outcome = passes(run, &job, &mut heart, clock);
    // The lock is released by now: the next run waits for no heartbeat.
    heart.command_ended(&outcome, clock.now_us());
    outcome
}

fn passes(
    run: &cli::Run,
    job: &Arc<Job>,
    heart: &mut Heart,
    clock: &Arc<RealClock>,
) -> Result<Exit> {
    refuse_idle(job)?;
    let mut lock = if run.dry_run {
        None
    } else {
        Some(state_of(job).lock()?)
    };
    if heart.beats() {
        heart.remember(last_beat(&state_of(job)));
    }
    let report = run.report.as_ref().map(Report::append).transpose()?;
    let asked = pipeline::Run {
        start_id: run.start_id,
        handling: Handling {
            is_dry: run.dry_run,
            reports: report.is_some(),
        },
        ..everything_of(job)
    };
    let memory = lock.is_some().then(|| Memory::load(job, clock.now_us()));
    let console = Console::new(
        Findings::of_report(report),
        run.every.is_none() && !run.talk.quiet,
    );
    let mut passes = Passes {
        connections: Connections::new(job, clock)?,
        console,
        asked,
        json: run.json,
        heart,
        memory,
    };
    match run.every {
        None => passes
            .one(lock.as_mut(), clock)
            .map(|summary| summary.exit()),
        Some(every) => passes.repeat(every, run.for_time, &mut lock, clock),
    }
}

/// `cupid retry`.
pub(super) fn retry(retry: &cli::Retry, clock: &Arc<RealClock>) -> Result<Exit> {
    let job = load_and_log(&retry.config, retry.talk)?;
    let mut state = state_of(&job);
    let mut lock = state.lock()?;
    state.adopt_audits()?;
    let mut memory = Memory::load(&job, clock.now_us());
    let connections = Connections::new(&job, clock)?;
    let console = Console::new(Findings::default(), false);
    let outcome = pipeline::retry(&job, &mut connections.world(&mut state, clock, &console));
    // It is no pass, so nothing beats; what did before is kept.
    let mut heart = Heart::default();
    heart.remember(last_beat(&state_of(&job)));
    let now_us = clock.now_us();
    tell(&outcome, Summary::exit, Some(&mut lock), &mut heart, now_us);
    memory.after_retry(&outcome, now_us);
    let summary = outcome?;
    print_json(retry.json, &summary)?;
    Ok(summary.exit())
}

/// A pass that looks at all that the configuration asks for.
pub(super) fn everything_of(job: &Job) -> pipeline::Run {
    pipeline::Run {
        insert: job.source.insert,
        update: job.source.update.is_some(),
        ..pipeline::Run::default()
    }
}

struct Passes<'h> {
    heart: &'h mut Heart,
    /// `None`: it saves nothing.
    memory: Option<Memory>,
    connections: Connections,
    console: Console,
    asked: pipeline::Run,
    json: bool,
}

impl Passes<'_> {
    fn one(&mut self, lock: Option<&mut Lock>, clock: &RealClock) -> Result<Summary> {
        let job = &self.connections.job;
        let mut state = state_of(job);
        if lock.is_some() {
            state.adopt_audits()?;
        }
        let mut store: Box<dyn Store + Send> = if self.asked.handling.is_dry {
            Box::new(ReadOnly(state.for_reading()?))
        } else {
            Box::new(state)
        };
        let began_us = clock.now_us();
        let outcome = pipeline::pass(
            job,
            &mut self.connections.world(&mut *store, clock, &self.console),
            self.asked,
        );
        self.console.clear();
        let now_us = clock.now_us();
        tell(&outcome, Summary::exit, lock, self.heart, now_us);
        if let Some(memory) = &mut self.memory {
            memory.after_pass(&outcome, began_us, now_us);
        }
        if let Ok(summary) = &outcome {
            print_json(self.json, summary)?;
        }
        outcome
    }

    /// Repeats the pass. A pass that failed is told and followed by the next one; the exit status is the last one's.
    fn repeat(
        &mut self,
        every: Duration,
        for_time: Option<Duration>,
        lock: &mut Option<Lock>,
        clock: &Arc<RealClock>,
    ) -> Result<Exit> {
        let began = Instant::now();
        loop {
            let next = Instant::now() + every;
            let outcome = self.one(lock.as_mut(), clock).map(|summary| summary.exit());
            // A pass that took long may have used the time up.
            let next_begins = next.max(Instant::now());
            let over = for_time.is_some_and(|for_time| next_begins >= began + for_time);
            if over || clock.stopping() {
                return outcome;
            }
            let last = outcome.unwrap_or_else(|error| {
                log::error!("{error}");
                error.exit()
            });
            clock.sleep_between_passes(next.saturating_duration_since(Instant::now()));
            if clock.stopping() {
                return Ok(last);
            }
            if clock.take_reload() {
                self.reload(clock);
            }
            self.connections.forget_columns();
        }
    }

    /// Reads the configuration again; one that cannot be used leaves the old one in force.
    fn reload(&mut self, clock: &Arc<RealClock>) {
        match reloaded(&self.connections.job, clock) {
            Ok(connections) => {
                self.asked = pipeline::Run {
                    start_id: self.asked.start_id,
                    handling: self.asked.handling,
                    ..everything_of(&connections.job)
                };
                self.heart.set_url(connections.job.heartbeat.clone());
                if let Some(memory) = &mut self.memory {
                    memory.reload(&connections.job, clock.now_us());
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
pub(super) fn reloaded(old: &Job, clock: &Arc<RealClock>) -> Result<Connections> {
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

pub(super) fn print_json(wanted: bool, summary: &impl serde::Serialize) -> Result<()> {
    const OPERATION: &str = "Write the summary";
    if !wanted {
        return Ok(());
    }
    let text = serde_json::to_string(summary).map_err(|error| unprinted(OPERATION, &error))?;
    print_data(OPERATION, &(text + "\n"))
}
