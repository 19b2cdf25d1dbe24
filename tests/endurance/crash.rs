//! Processes that are killed, one after the other, at random instants and at each step, while everything around them
//! fails now and then too: the database, the disk under the state, the endpoints.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::{Config, Db, Outcome, Running, Server};
use crate::disk::Disk;
use crate::rng::Rng;
use crate::stage::Stage;
use crate::steps::{FULL_DISK, How, STEPS, Step, strace};
use crate::table::Table;
use crate::writer::{Client, Pace};

const RANDOM: &str = "at a random instant";
/// What is killed at random instants, and how many passes it may have made until then.
const COMMANDS: [(&str, f64); 6] = [
    ("run", 1.2),
    ("run", 1.2),
    ("run", 1.2),
    ("run", 1.2),
    ("start", 3.0),
    ("retry", 0.3),
];
/// A step that is not reached is tried again so often.
const TRIES_MAX: u32 = 10;

/// How long, and how bad.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) kills: u32,
    pub(crate) pace: Pace,
    pub(crate) confirm_delay: Duration,
    /// After so many kills each: the database is killed, the disk is full, the endpoints are down for a while.
    pub(crate) database_every: u32,
    pub(crate) disk_every: u32,
    pub(crate) receivers_every: u32,
    /// The state lies on a small disk of its own, which is really full at times. Needs the right to mount one.
    pub(crate) real_disk: bool,
}

/// What was done.
#[derive(Debug, Default)]
struct Figures {
    kills: BTreeMap<&'static str, u32>,
    /// Processes that came to their end, by exit status.
    ends: BTreeMap<i32, u32>,
    database_kills: u32,
    full_disks: u32,
    failed_writes: u32,
    outages: u32,
}

/// Kills, and sees what is left.
struct Director {
    stage: Stage,
    plan: Plan,
    /// Goes before the folder that it is mounted in.
    disk: Option<Disk>,
    config: Config,
    server: std::sync::Arc<Server>,
    /// Every change of its is lost.
    loser: Client,
    rng: Rng,
    figures: Figures,
    /// How long an undisturbed pass took.
    pass: Duration,
    next_step: usize,
    tries: u32,
}

/// Kills as often as planned, lets all come to rest, judges, and prints the figures.
pub(crate) fn rehearse(plan: Plan) {
    assert_strace_works();
    let began = Instant::now();
    let server = Server::private();
    let stage = Stage::new(Db::on(server.clone(), 2), plan.pace, plan.confirm_delay);
    let config = stage.config(0..2);
    let mut director = Director {
        disk: plan.real_disk.then(|| Disk::mount(&config.state())),
        loser: stage.loser(),
        stage,
        plan,
        config,
        server,
        rng: Rng::new(u64::from(plan.kills)),
        figures: Figures::default(),
        pass: plan.confirm_delay,
        next_step: 0,
        tries: 0,
    };
    director.undisturbed(); // From here on the update window is watched.
    let writer = director.stage.writer();
    while director.killed() < plan.kills || director.next_step < STEPS.len() {
        director.round();
    }
    writer.stop();
    let Director {
        stage,
        disk,
        config,
        figures,
        ..
    } = director;
    let ledger = std::sync::Arc::clone(&stage.ledger);
    let findings = stage.settle(&[&config]);
    drop(disk);
    println!(
        "{}\n{}",
        table(&figures, began.elapsed()),
        findings.table(&ledger.facts())
    );
    findings.assert_right();
}

/// Without strace, or without the right to trace a child, the steps cannot be reached.
fn assert_strace_works() {
    use std::os::unix::process::ExitStatusExt;
    let words = strace("/".as_ref(), "exit_group", None, "signal=KILL");
    let status = Command::new(&words[0])
        .args(&words[1..])
        .arg("true")
        .status();
    let signal = status.as_ref().ok().and_then(ExitStatusExt::signal);
    assert_eq!(
        signal,
        Some(9),
        "strace cannot kill a process at a system call ({status:?}). Install strace (scripts/test does), and let this \
         user trace processes"
    );
}

impl Director {
    fn killed(&self) -> u32 {
        self.figures.kills.values().sum()
    }

    fn round(&mut self) {
        let before = self.killed();
        if self.rng.chance(333) {
            self.kill_at_random();
        } else {
            self.kill_at_step();
        }
        if self.rng.chance(200) {
            self.undisturbed();
        }
        let kills = self.killed();
        if kills == before {
            return;
        }
        if kills.is_multiple_of(100) {
            eprintln!("{kills} kills");
        }
        if kills.is_multiple_of(self.plan.database_every) {
            self.kill_database();
        }
        if kills.is_multiple_of(self.plan.disk_every) {
            self.fail_writes();
            self.fill_disk();
        }
        if kills.is_multiple_of(self.plan.receivers_every) {
            self.stop_receivers();
        }
    }

    fn spawn(&self, wrapper: &[String], command: &str) -> Running {
        let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
        self.stage
            .cupid(&wrapper, command, &self.config.path(), false)
            .spawn()
    }

    /// Sees what a process left. A killed one is counted under this name.
    fn book(&mut self, name: &'static str, outcome: &Outcome) {
        match outcome.code {
            None => *self.figures.kills.entry(name).or_default() += 1,
            Some(code @ 0..=2) => *self.figures.ends.entry(code).or_default() += 1,
            Some(_) => panic!("{outcome:?}"),
        }
        Stage::status(&self.config);
    }

    fn undisturbed(&mut self) {
        let outcome = self.spawn(&[], "run").wait();
        assert!(
            matches!(outcome.code, Some(0 | 1)),
            "With all servers up a run failed: {outcome:?}"
        );
        self.pass = outcome.took;
        self.book(RANDOM, &outcome);
    }

    fn kill_at_random(&mut self) {
        let (command, passes) = self.rng.pick(&COMMANDS);
        let run = self.spawn(&[], command);
        std::thread::sleep(self.pass.mul_f64(passes * self.rng.fraction()));
        let outcome = run.kill();
        self.book(RANDOM, &outcome);
    }

    /// Kills at the next step. Something has just been lost, so that there is something to do.
    fn kill_at_step(&mut self) {
        let Step { name, how } = STEPS[self.next_step % STEPS.len()];
        self.loser.insert_one();
        let outcome = match how {
            How::Call { call, file, nth } => {
                let effect = format!("signal=KILL:when={nth}");
                let wrapper = strace(&self.config.state(), call, file, &effect);
                self.spawn(&wrapper, "run").wait()
            }
            How::Callback(at) => {
                self.stage.owner.trap.set(at);
                let mut run = self.spawn(&[], "run");
                while run.is_running() && !self.stage.owner.trap.is_sprung() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                let outcome = run.kill();
                self.stage.owner.trap.open();
                outcome
            }
        };
        self.book(name, &outcome);
        self.tries += 1;
        assert!(
            self.tries < TRIES_MAX,
            "{TRIES_MAX} runs ended without {name}: {outcome:?}"
        );
        if outcome.code.is_none() {
            self.next_step += 1;
            self.tries = 0;
        }
    }

    /// Kills the database under a run, and cupid while it is away.
    fn kill_database(&mut self) {
        let run = self.spawn(&[], "run");
        std::thread::sleep(self.pass.mul_f64(self.rng.fraction()));
        self.server.kill();
        let outcome = run.wait();
        self.book(RANDOM, &outcome);
        self.kill_at_random();
        self.server.start();
        self.figures.database_kills += 1;
    }

    /// Each write of the state fails once, as on a full disk.
    fn fail_writes(&mut self) {
        for (call, file) in FULL_DISK {
            self.loser.insert_one();
            let wrapper = strace(&self.config.state(), call, Some(file), "error=ENOSPC");
            let outcome = self.spawn(&wrapper, "run").wait();
            self.figures.failed_writes += u32::from(outcome.code == Some(2));
            self.book(RANDOM, &outcome);
        }
    }

    /// Passes, killed or not, on a disk that is really full.
    fn fill_disk(&mut self) {
        let Some(disk) = &self.disk else { return };
        disk.fill();
        self.loser.insert_one();
        let outcome = self.spawn(&[], "run").wait();
        self.book(RANDOM, &outcome);
        self.kill_at_random();
        if let Some(disk) = &self.disk {
            disk.free();
        }
        self.figures.full_disks += 1;
    }

    /// Nobody takes a callback for some passes.
    fn stop_receivers(&mut self) {
        for receiver in &self.stage.receivers {
            receiver.stop();
        }
        for _ in 0..4 {
            self.kill_at_random();
        }
        self.undisturbed();
        for receiver in &self.stage.receivers {
            receiver.restart();
        }
        self.figures.outages += 1;
    }
}

fn table(figures: &Figures, took: Duration) -> String {
    let Figures {
        kills,
        ends,
        database_kills,
        full_disks,
        failed_writes,
        outages,
    } = figures;
    let mut table = Table::new("killed when about to go on with", ["times"]);
    for step in STEPS {
        table.row(step.name, [kills.get(step.name).unwrap_or(&0)]);
    }
    table.row(RANDOM, [kills.get(RANDOM).unwrap_or(&0)]);
    table.row("**all kills**", [&kills.values().sum::<u32>()]);
    let mut rest = Table::new("what else happened", ["figure"]);
    for (code, label) in [
        (0, "processes that ended with nothing left to do"),
        (1, "processes that ended with callbacks still owed"),
        (
            2,
            "processes that failed, because of the database or the disk",
        ),
    ] {
        rest.row(label, [ends.get(&code).unwrap_or(&0)]);
    }
    rest.row("kills of the database", [&database_kills]);
    rest.row("times that the disk of the state was full", [&full_disks]);
    rest.row(
        "writes of the state made to fail, one by one",
        [&failed_writes],
    );
    rest.row("times that the endpoints were down", [&outages]);
    rest.row("time", [&format!("{} s", took.as_secs())]);
    format!("{table}\n{rest}")
}
