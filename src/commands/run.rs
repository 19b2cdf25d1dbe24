//! `cupid run` and `cupid retry`: passes, or the owed callbacks alone.

use std::sync::Arc;

use super::memory::Memory;
use super::note::last_beat;
use super::passes::{Orders, Rhythm};
use super::several::side_by_side;
use super::{Connections, load_and_log, note, print_json, state_of, tell};
use crate::cli;
use crate::error::{Exit, Result};
use crate::io::console::Console;
use crate::io::findings::Findings;
use crate::io::heartbeat::Heart;
use crate::io::mysql::prepare_log_in;
use crate::io::signals::RealClock;
use crate::logic::report::summary::Summary;
use crate::pipeline;
use crate::world::Clock as _;

/// `cupid run`.
pub(super) fn run(run: &cli::Run, clock: &Arc<RealClock>) -> Result<Exit> {
    prepare_log_in();
    let rhythm = match run.every {
        None => Rhythm::Once,
        Some(every) => Rhythm::Every {
            every,
            for_time: run.for_time,
        },
    };
    let orders = Orders {
        start_id: run.start_id,
        is_dry: run.dry_run,
        report: run.output.report.clone(),
        json: run.output.json,
        talk: run.output.talk,
        has_bar: run.every.is_none(),
        rhythm,
    };
    side_by_side(&run.configs, orders, clock)
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
    note(&outcome, Summary::exit, Some(&mut lock), &mut heart, now_us);
    memory.after_retry(&outcome, now_us);
    let summary = outcome?;
    tell(&summary, summary.exit());
    print_json(retry.json, &summary)?;
    Ok(summary.exit())
}
