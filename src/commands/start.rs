//! `cupid start`: passes at the configuration's own intervals until SIGTERM, as the first cupid ran.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::memory::Memory;
use super::run::reloaded;
use super::status::last_beat;
use super::{Connections, load_and_log, refuse_idle, state_of, tell};
use crate::cli::Start;
use crate::config::Job;
use crate::error::{Error, Exit, Result};
use crate::io::console::Console;
use crate::io::findings::Findings;
use crate::io::heartbeat::Heart;
use crate::io::signals::RealClock;
use crate::logic::report::summary::Summary;
use crate::pipeline::{self, Run};
use crate::world::Clock as _;

/// When new ids and updates are to be looked at next.
struct Timetable {
    insert: Instant,
    update: Instant,
}

impl Timetable {
    /// What is due, and when the next thing will be.
    fn due(&mut self, job: &Job, now: Instant) -> (bool, bool) {
        let due = |at: &mut Instant, interval: Duration| {
            let due = *at <= now;
            if due {
                *at = now + interval;
            }
            due
        };
        let source = &job.source;
        (
            source.insert && due(&mut self.insert, source.insert_interval),
            source.update.is_some() && due(&mut self.update, source.update_interval),
        )
    }

    fn next(&self, job: &Job) -> Instant {
        match (job.source.insert, job.source.update.is_some()) {
            (true, true) => self.insert.min(self.update),
            (true, false) => self.insert,
            (false, _) => self.update,
        }
    }
}

/// `cupid start`.
pub(super) fn start(start: &Start, clock: &Arc<RealClock>) -> Result<Exit> {
    let job = load_and_log(&start.config, start.talk)?;
    let mut heart = Heart::new(job.heartbeat.clone());
    let outcome = passes(start, job, &mut heart, clock);
    // The lock is released by now: the next start waits for no heartbeat.
    heart.command_ended(&outcome, clock.now_us());
    outcome
}

fn passes(
    start: &Start,
    mut job: Arc<Job>,
    heart: &mut Heart,
    clock: &Arc<RealClock>,
) -> Result<Exit> {
    refuse_idle(&job)?;
    let mut lock = state_of(&job).lock()?;
    if heart.beats() {
        heart.remember(last_beat(&state_of(&job)));
    }
    let mut memory = Memory::load(&job, clock.now_us());
    let mut connections = Connections::new(&job, clock)?;
    let console = Console::new(Findings::default(), false);
    let now = Instant::now();
    let mut timetable = Timetable {
        insert: now,
        update: now,
    };
    let mut last = Ok(Exit::Done);
    let mut first = true;
    while !clock.stopping() {
        let (insert, update) = timetable.due(&job, Instant::now());
        let asked = Run {
            insert,
            update,
            start_id: start.start_id.filter(|_| first),
            ..Run::default()
        };
        let mut state = state_of(&job);
        let began_us = clock.now_us();
        let outcome = state.adopt_audits().and_then(|()| {
            pipeline::pass(
                &job,
                &mut connections.world(&mut state, clock, &console),
                asked,
            )
        });
        let now_us = clock.now_us();
        tell(&outcome, Summary::exit, Some(&mut lock), heart, now_us);
        memory.after_pass(&outcome, began_us, now_us);
        last = match outcome {
            Err(error @ Error::Config { .. }) if first => return Err(error),
            Err(error) => {
                log::error!("{error}");
                Ok(error.exit())
            }
            Ok(summary) => Ok(summary.exit()),
        };
        first = false;
        clock.sleep_between_passes(
            timetable
                .next(&job)
                .saturating_duration_since(Instant::now()),
        );
        connections.forget_columns();
        if clock.take_reload() {
            match reloaded(&job, clock) {
                Ok(new) => {
                    heart.set_url(new.job.heartbeat.clone());
                    memory.reload(&new.job, clock.now_us());
                    (job, connections) = (Arc::clone(&new.job), new);
                }
                Err(error) => log::error!(
                    "The configuration is not read again, the old one stays in force: {error}"
                ),
            }
        }
    }
    last
}
