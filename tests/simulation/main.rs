//! Thousands of simulated histories of the real pipeline: a source whose transactions commit late, a copier that makes
//! mistakes, receivers in every mood, audits beside passes, and processes that are killed at any step. A seed is a
//! history, and replays exactly, threads and all ([`turns`]).
//!
//! `CUPID_SIM_SEEDS=N` runs N seeds, `CUPID_SIM_SEED=S` tells the story of one; `scripts/simulate` does either in release mode.

mod audit;
mod bites;
mod broken;
mod check;
mod command;
mod copies;
mod destination;
mod fact;
mod folder;
mod giants;
mod history;
mod identity;
mod job;
mod ledger;
mod mistakes;
mod model;
mod patience;
mod plan;
mod process;
mod receiver;
mod restart;
mod rng;
mod sim;
mod source;
mod sums;
mod table;
mod threads;
mod turns;
mod view;
mod watch;

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use broken::Broken;
use fact::Failure;

const SEEDS: u64 = 300;
/// Which part of the seeds a process of its own runs, as `1/2`: one history at a time is told in a process.
const SHARE: &str = "CUPID_SIM_SHARE";

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} should be a number")),
    )
}

/// The first of these seeds whose history breaks a promise.
fn first_failure(
    mut seeds: impl Iterator<Item = u64>,
    broken: Option<Broken>,
) -> Option<(u64, Failure)> {
    seeds.find_map(|seed| Some((seed, history::tell(seed, broken, false).failure?)))
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
    let began = Instant::now();
    if let Ok(share) = std::env::var(SHARE) {
        run_share(&share, seeds);
        return;
    }
    run_all(seeds);
    let took_s = began.elapsed().as_secs_f64();
    println!("{seeds} histories in {took_s:.1} s");
}

/// The seeds of one part, as long as who asked for them lives.
fn run_share(share: &str, seeds: u64) {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut vec![]); // It ends with the other end, in whatever way.
        std::process::exit(1);
    });
    let parts = share.split_once('/');
    let parts = parts.and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    let (part, of): (u64, usize) = parts.unwrap_or_else(|| panic!("{SHARE}={share}"));
    let seeds = (part..seeds).step_by(of);
    if let Some((seed, Failure { fact, text })) = first_failure(seeds, None) {
        panic!(
            "{fact:?} is broken by seed {seed}: {text}. Its story: scripts/simulate --seed {seed}"
        );
    }
}

/// All seeds, on all cores, until one of them breaks a promise. Threads wait for each other: two processes use a core.
fn run_all(seeds: u64) {
    let this = std::env::current_exe().expect("The program has a name");
    let count = std::thread::available_parallelism().map_or(1, usize::from) * 2;
    let start = |part: usize| {
        Command::new(&this)
            .args([
                "--exact",
                "every_history_keeps_every_promise",
                "--nocapture",
            ])
            .env(SHARE, format!("{part}/{count}"))
            .env("CUPID_SIM_SEEDS", seeds.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("The program can be started once more")
    };
    let mut parts: Vec<Child> = (0..count).map(start).collect();
    let mut failed = None;
    while failed.is_none() && !parts.is_empty() {
        std::thread::sleep(Duration::from_millis(20));
        let ended = parts.iter_mut().position(|part| {
            let status = part.try_wait().expect("It is ours to wait for");
            status.is_some()
        });
        let Some(at) = ended else { continue };
        let output = parts.remove(at).wait_with_output();
        let output = output.expect("It has ended");
        if !output.status.success() {
            failed = Some(String::from_utf8_lossy(&output.stderr).into_owned());
        }
    }
    for part in &mut parts {
        part.kill().expect("It is ours");
        part.wait().expect("It is ours to wait for");
    }
    if let Some(text) = failed {
        panic!("{text}");
    }
}

/// Seeds beyond those of a usual run that broke a promise once.
const ONCE_BROKEN: [u64; 6] = [3_274, 16_048, 43_962, 61_173, 65_654, 68_991];

#[test]
fn histories_that_once_broke_a_promise_keep_it() {
    let failure = first_failure(ONCE_BROKEN.into_iter(), None);
    assert!(failure.is_none(), "{failure:?}");
}

#[test]
fn a_seed_replays_exactly() {
    let mut told = String::new();
    for seed in 0..100 {
        let one = history::tell(seed, None, true);
        let two = history::tell(seed, None, true);
        assert_eq!(one.figures, two.figures, "seed {seed}");
        assert_eq!(one.story, two.story, "seed {seed}");
        told.push_str(&one.story[0]);
    }
    for rarely in [
        "destinations: 3",
        "concurrency: 8",
        "workers: 2",
        "overlaps: 150",
        "wide: 200",
        "giants: true",
    ] {
        assert!(told.contains(rarely), "{rarely} is in none of them");
    }
}
