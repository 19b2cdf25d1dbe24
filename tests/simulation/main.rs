//! Thousands of simulated histories of the real pipeline: a source whose transactions commit late, a copier that makes
//! mistakes, receivers in every mood, and a process that is killed at any step. A seed is a history; it replays
//! exactly where there is one destination (two are served by two threads, whose order no seed decides).
//!
//! `CUPID_SIM_SEEDS=N` runs N seeds, `CUPID_SIM_SEED=S` tells the story of one; `scripts/simulate` does either in release mode.

mod broken;
mod check;
mod fact;
mod history;
mod ledger;
mod model;
mod plan;
mod reads;
mod receiver;
mod rng;
mod run;
mod sides;
mod store;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use broken::Broken;
use fact::{Fact, Failure};

const SEEDS: u64 = 300;
const SEEDS_TO_BITE: u64 = 1_000;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} should be a number")),
    )
}

/// The lowest seed from 0 on whose history breaks a promise.
fn first_failure(seeds: u64, broken: Option<Broken>) -> Option<(u64, Failure)> {
    let next = AtomicU64::new(0);
    let found: Mutex<Option<(u64, Failure)>> = Mutex::new(None);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let lowest = found.lock().unwrap_or_else(PoisonError::into_inner);
            if seed >= seeds || lowest.as_ref().is_some_and(|(lowest, _)| *lowest < seed) {
                return;
            }
            drop(lowest);
            if let Some(failure) = history::tell(seed, broken, false).failure {
                let mut lowest = found.lock().unwrap_or_else(PoisonError::into_inner);
                if lowest.as_ref().is_none_or(|(lowest, _)| *lowest > seed) {
                    *lowest = Some((seed, failure));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn every_history_keeps_every_promise() {
    if let Some(seed) = number("CUPID_SIM_SEED") {
        let told = history::tell(seed, None, true);
        println!("{}", told.story.join("\n"));
        assert!(told.failure.is_none(), "seed {seed}: {:?}", told.failure);
        return;
    }
    let seeds = number("CUPID_SIM_SEEDS").unwrap_or(SEEDS);
    let began = std::time::Instant::now();
    if let Some((seed, Failure { fact, text })) = first_failure(seeds, None) {
        panic!(
            "{fact:?} is broken by seed {seed}: {text}. Its story: scripts/simulate --seed {seed}"
        );
    }
    println!(
        "{seeds} histories in {:.1} s",
        began.elapsed().as_secs_f64()
    );
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..60 {
        let (one, two) = (
            history::tell(seed, None, true),
            history::tell(seed, None, true),
        );
        if one.story[0].contains("destinations: 1") {
            assert_eq!(one.figures, two.figures, "seed {seed}");
            assert_eq!(one.story, two.story, "seed {seed}");
        }
    }
}

/// Asserts that a mistake breaks one of these promises within 1,000 seeds.
fn bites(broken: Broken, facts: &[Fact]) {
    let Some((seed, Failure { fact, text })) = first_failure(SEEDS_TO_BITE, Some(broken)) else {
        panic!("{broken:?} was not caught by {SEEDS_TO_BITE} seeds");
    };
    println!("{broken:?} is caught by seed {seed}: {fact:?}: {text}");
    assert!(
        facts.contains(&fact),
        "{broken:?} broke {fact:?} in seed {seed}: {text}"
    );
}

#[test]
fn rows_that_committed_late_and_are_not_looked_for_are_noticed() {
    bites(
        Broken::HolesStayEmpty,
        &[Fact::NothingMissed, Fact::CheckpointWaits],
    );
}

#[test]
fn a_window_that_is_too_short_is_noticed() {
    bites(
        Broken::WindowTooShort,
        &[Fact::NothingMissed, Fact::CheckpointWaits],
    );
}

#[test]
fn a_confirmation_without_its_delay_is_noticed() {
    bites(Broken::NoConfirmDelay, &[Fact::NothingFalse]);
}

#[test]
fn a_destination_that_is_read_wrongly_is_noticed() {
    bites(Broken::BlindLook, &[Fact::NothingFalse]);
}

#[test]
fn callbacks_that_are_not_written_down_are_noticed() {
    bites(
        Broken::AppendForgotten,
        &[Fact::NothingLost, Fact::NothingMissed, Fact::ExitTrue],
    );
}

#[test]
fn a_callback_that_is_forgotten_is_noticed() {
    bites(Broken::OneForgotten, &[Fact::NothingLost]);
}

#[test]
fn an_old_copy_that_is_sent_is_noticed() {
    bites(Broken::OldCopySent, &[Fact::NewestWins]);
}

#[test]
fn a_checkpoint_that_is_ahead_is_noticed() {
    bites(
        Broken::CheckpointAhead,
        &[Fact::CheckpointWaits, Fact::NothingMissed],
    );
}

#[test]
fn holes_that_are_remembered_for_ever_are_noticed() {
    bites(Broken::HolesForEver, &[Fact::GapsBounded]);
}

#[test]
fn a_pass_that_takes_too_long_is_noticed() {
    bites(Broken::Oversleeps, &[Fact::PassEnds]);
}

#[test]
fn an_outbox_that_is_not_read_is_noticed() {
    bites(Broken::OutboxUnread, &[Fact::NothingLost, Fact::ExitTrue]);
}

#[test]
fn a_checkpoint_that_can_be_torn_is_noticed() {
    bites(Broken::TornCheckpoint, &[Fact::StateReadable]);
}

#[test]
fn a_retry_after_that_is_ignored_is_noticed() {
    bites(Broken::RetryAfterIgnored, &[Fact::Polite]);
}
