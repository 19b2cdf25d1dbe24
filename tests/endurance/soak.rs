//! A pass every second for a long time, in one process and as one process each, while everything is written and some of
//! it is lost: nothing may be missed, nothing called back that should not be, and nothing may grow.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::{Config, Db, Outcome, Running};
use crate::ledger::Ledger;
use crate::stage::Stage;
use crate::table::Table;
use crate::writer::Pace;

const SECOND: Duration = Duration::from_secs(1);
/// Longer than `lateCommitSecond` by so much, a process has met everything that it will ever hold; only then can
/// something that goes on growing be told from something that fills.
const FILLS_FOR: Duration = Duration::from_secs(30);
/// What a maximum of the second half may be above that of the first: allocators and windows are not perfectly even.
const KIB_ABOVE: u64 = 8 << 10;
const BYTES_ABOVE: u64 = 64 << 10;
/// More open files than a process with these connections ever has.
const FILES_MAX: u64 = 64;

/// How long, and how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seconds: u32,
    pub(crate) pace: Pace,
    pub(crate) confirm_delay: Duration,
}

/// What one process used at a moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    resident_kib: u64,
    files: u64,
    checkpoint_bytes: u64,
    owed_bytes: u64,
}

/// The processes that a timer starts each second, whether or not the one before has ended.
#[derive(Default)]
struct Timer {
    running: Vec<Running>,
    /// By exit status.
    ends: BTreeMap<i32, u32>,
}

/// Runs for the time, lets all come to rest, judges, and prints the figures.
pub(crate) fn soak(plan: Plan) {
    let stage = Stage::new(Db::new(2), plan.pace, plan.confirm_delay);
    let (steady, by_timer) = (stage.config(0..1), stage.config(1..2));
    for config in [&steady, &by_timer] {
        stage.cupid(&[], "run", &config.path(), false).exits(0); // From here on the update window is watched.
    }
    let writer = stage.writer();
    let mut process = stage
        .cupid(&[], "run", &steady.path(), true)
        .args(&format!("--every 1s --for {}s --json", plan.seconds))
        .limit(SECOND * (plan.seconds + 120))
        .spawn();
    let mut timer = Timer::default();
    let mut samples = Vec::new();
    let began = Instant::now();
    std::thread::sleep(SECOND);
    while process.is_running() {
        samples.extend(Sample::of(&process, &steady));
        timer.tick(&stage, &by_timer);
        let next = began + SECOND * u32::try_from(samples.len() + 1).unwrap_or(u32::MAX);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    let outcome = process.wait();
    timer.finish();
    writer.stop();
    assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
    let took = began.elapsed();
    let ledger = std::sync::Arc::clone(&stage.ledger);
    let findings = stage.settle(&[&steady, &by_timer]);
    println!(
        "{}\n{}\n{}",
        used(&samples),
        passes(&outcome, &timer, &ledger, took),
        findings.table(&ledger.facts())
    );
    findings.assert_right();
    assert_steady(&samples, plan.pace.promise + FILLS_FOR);
}

impl Sample {
    /// `None` when the process has just ended.
    fn of(process: &Running, config: &Config) -> Option<Self> {
        let folder = format!("/proc/{}", process.id());
        let status = std::fs::read_to_string(format!("{folder}/status")).ok()?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let bytes =
            |extension| Path::metadata(&config.state_file(extension)).map_or(0, |file| file.len());
        Some(Self {
            resident_kib: resident.trim().trim_end_matches(" kB").parse().ok()?,
            files: std::fs::read_dir(format!("{folder}/fd")).ok()?.count() as u64,
            checkpoint_bytes: bytes("checkpoint.json"),
            owed_bytes: bytes("owed.jsonl"),
        })
    }
}

impl Timer {
    fn tick(&mut self, stage: &Stage, config: &Config) {
        for mut run in std::mem::take(&mut self.running) {
            if run.is_running() {
                self.running.push(run);
            } else {
                self.book(&run.wait());
            }
        }
        let run = stage.cupid(&[], "run", &config.path(), false).spawn();
        self.running.push(run);
    }

    fn finish(&mut self) {
        for run in std::mem::take(&mut self.running) {
            self.book(&run.wait());
        }
    }

    /// A run beside another one leaves with status 75.
    fn book(&mut self, outcome: &Outcome) {
        match outcome.code {
            Some(code @ (0 | 1 | 75)) => *self.ends.entry(code).or_default() += 1,
            _ => panic!("{outcome:?}"),
        }
    }

    fn ended_with(&self, code: i32) -> u32 {
        self.ends.get(&code).copied().unwrap_or(0)
    }
}

fn halves(samples: &[Sample], figure: fn(&Sample) -> u64) -> [u64; 2] {
    let (first, second) = samples.split_at(samples.len() / 2);
    [first, second].map(|half| half.iter().map(figure).max().unwrap_or(0))
}

/// Nothing grows with time, once it is filled.
fn assert_steady(samples: &[Sample], filled_after: Duration) {
    let files = samples.iter().map(|sample| sample.files).max();
    assert!(
        files.is_some_and(|files| files <= FILES_MAX),
        "{files:?} open files"
    );
    if SECOND * u32::try_from(samples.len() / 2).unwrap_or(u32::MAX) < filled_after {
        println!(
            "Too short to say whether anything grows: the first half should last {filled_after:?}"
        );
        return;
    }
    let [before, after] = halves(samples, |sample| sample.resident_kib);
    assert!(
        after <= before + KIB_ABOVE,
        "Memory grew from {before} KiB to {after} KiB"
    );
    let bytes: [fn(&Sample) -> u64; 2] =
        [|sample| sample.checkpoint_bytes, |sample| sample.owed_bytes];
    for bytes in bytes {
        let [before, after] = halves(samples, bytes);
        assert!(
            after <= before * 3 / 2 + BYTES_ABOVE,
            "A state file grew from {before} bytes to {after}"
        );
    }
}

fn used(samples: &[Sample]) -> Table<6> {
    let times = [
        "first",
        "at a quarter",
        "half",
        "three quarters",
        "last",
        "most",
    ];
    let mut table = Table::new("one process, a pass every second", times);
    let mut row = |label, unit, divisor, figure: fn(&Sample) -> u64| {
        let last = samples.len() - 1;
        let some = [0, last / 4, last / 2, last * 3 / 4, last].map(|at| figure(&samples[at]));
        let most = samples.iter().map(figure).max().unwrap_or(0);
        let text = |figure: u64| {
            format!("{} {unit}", figure.div_ceil(divisor))
                .trim_end()
                .to_owned()
        };
        let [first, quarter, half, three, last] = &some.map(text);
        table.row(label, [first, quarter, half, three, last, &text(most)]);
    };
    row("resident memory", "MiB", 1 << 10, |sample| {
        sample.resident_kib
    });
    row("open files", "", 1, |sample| sample.files);
    row("checkpoint", "KiB", 1 << 10, |sample| {
        sample.checkpoint_bytes
    });
    row("owed callbacks", "KiB", 1 << 10, |sample| sample.owed_bytes);
    table
}

fn passes(outcome: &Outcome, timer: &Timer, ledger: &Ledger, took: Duration) -> Table<1> {
    let mut durations_ms: Vec<u64> = outcome.stdout.lines().filter_map(duration_ms).collect();
    durations_ms.sort_unstable();
    assert!(
        !durations_ms.is_empty(),
        "The process made no pass: {outcome:?}"
    );
    let changes = ledger.facts().changes;
    let mut table = Table::new("passes", ["figure"]);
    table.row("time", [&format!("{} s", took.as_secs())]);
    table.row(
        "rows written each second",
        [&(changes / took.as_secs().max(1))],
    );
    table.row("passes of the one process", [&durations_ms.len()]);
    let median = durations_ms[durations_ms.len() / 2];
    table.row("median of their durations", [&format!("{median} ms")]);
    table.row(
        "longest",
        [&format!("{} ms", durations_ms[durations_ms.len() - 1])],
    );
    table.row(
        "processes started by a timer, one a second",
        [&timer.ends.values().sum::<u32>()],
    );
    table.row("of these with nothing left to do", [&timer.ended_with(0)]);
    table.row("with callbacks still owed", [&timer.ended_with(1)]);
    table.row(
        "that left because the one before was at work",
        [&timer.ended_with(75)],
    );
    table
}

fn duration_ms(line: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(line).ok()?["durationMs"].as_u64()
}
