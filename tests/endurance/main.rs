//! Real processes under a real load: killed at every step of a pass, and running every second for long. What must hold is
//! judged by what really happened to each row, which those who write, copy, lose and repair put down.
//!
//! `CUPID_CRASH_KILLS=N` is the long form of the first, `CUPID_SOAK_MINUTES=N` that of the second; `scripts/crash-test` and
//! `scripts/soak` run them in release mode.

#[path = "../common/mod.rs"]
mod common;
mod copy;
mod crash;
mod disk;
mod judge;
mod justice;
mod ledger;
mod owner;
#[path = "../simulation/rng.rs"]
mod rng;
mod session;
mod soak;
mod stage;
mod steps;
mod table;
mod writer;

use std::time::Duration;

use writer::Pace;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn number(name: &str) -> Option<u32> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} should be a number")),
    )
}

#[test]
fn killed_at_every_step_it_loses_nothing_and_says_nothing_false() {
    let long = number("CUPID_CRASH_KILLS");
    let promise = Duration::from_secs(if long.is_some() { 8 } else { 3 });
    let pace = Pace {
        short: 2,
        pause: ms(20),
        long: 4,
        hold_max: promise.mul_f64(0.6),
        rollbacks: 100,
        promise,
        losses: 30,
        late_losses: 150,
        lag_max: ms(80),
    };
    crash::rehearse(crash::Plan {
        kills: long.unwrap_or(30),
        pace,
        confirm_delay: ms(300),
        database_every: if long.is_some() { 50 } else { 20 },
        disk_every: if long.is_some() { 40 } else { 24 },
        receivers_every: if long.is_some() { 30 } else { 15 },
        real_disk: long.is_some(),
    });
}

#[test]
fn a_pass_every_second_misses_nothing_and_does_not_grow() {
    let minutes = number("CUPID_SOAK_MINUTES");
    let promise = Duration::from_secs(if minutes.is_some() { 60 } else { 4 });
    let pace = Pace {
        short: 6,
        pause: ms(25),
        long: 8,
        hold_max: promise.mul_f64(0.6),
        rollbacks: 50,
        promise,
        losses: 5,
        late_losses: 200,
        lag_max: ms(150),
    };
    soak::soak(soak::Plan {
        seconds: minutes.map_or(8, |minutes| minutes * 60),
        pace,
        confirm_delay: ms(500),
    });
}
