//! One process: what it was started for, what will happen to it, and what it has seen.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::audit::{Campaign, Shown};
use crate::command::Command;
use crate::fact::Fact;
use crate::model::{Model, Shape};
use crate::patience::Patience;
use crate::plan::{MS, Plan};
use crate::rng::Rng;
use crate::table::Content;
use crate::turns::{Call, Work};
use crate::watch::note_call;

/// More calls than any run over so small a world needs.
const STEPS_MAX: u64 = 20_000;

/// What befalls a process, by the number of its calls, or of what it does with its files.
#[derive(Clone, Debug)]
pub(crate) struct Fate {
    pub(crate) killed_at: u64,
    pub(crate) killed_at_file: u64,
    /// SIGTERM.
    pub(crate) stopped_at: u64,
    pub(crate) source_down: Range<u64>,
    pub(crate) files_down: Range<u64>,
    pub(crate) destinations_down: Vec<Range<u64>>,
}

impl Fate {
    /// Nothing happens.
    pub(crate) fn none(destinations: usize) -> Self {
        Self {
            killed_at: u64::MAX,
            killed_at_file: u64::MAX,
            stopped_at: u64::MAX,
            source_down: 0..0,
            files_down: 0..0,
            destinations_down: vec![0..0; destinations],
        }
    }

    pub(crate) fn new(plan: &Plan, rng: &mut Rng) -> Self {
        let soon = |rng: &mut Rng, chance| {
            let most = rng.pick(&[10, 40, 150]);
            let at = rng.below(most) + 1;
            if rng.chance(chance) { at } else { u64::MAX }
        };
        let down = |rng: &mut Rng, chance| {
            let from = soon(rng, chance);
            let calls = rng.pick(&[1, 10, u64::MAX]);
            from..from.saturating_add(calls)
        };
        let outage = |rng: &mut Rng| {
            let whole = rng.chance(500);
            let down = down(rng, plan.outages);
            if whole && down.start < u64::MAX {
                0..u64::MAX
            } else {
                down
            }
        };
        Self {
            killed_at: soon(rng, plan.kills / 2),
            killed_at_file: soon(rng, plan.kills),
            stopped_at: soon(rng, plan.stops),
            source_down: down(rng, plan.errors),
            files_down: down(rng, plan.errors),
            destinations_down: (0..plan.destinations).map(|_| outage(rng)).collect(),
        }
    }
}

/// What a process saw when it last looked at a row and its copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Looked {
    pub(crate) content: Content,
    pub(crate) agrees: bool,
}

/// What failed in a process.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    pub(crate) source: bool,
    pub(crate) files: bool,
}

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) command: Command,
    pub(crate) fate: Fate,
    pub(crate) dead: bool,
    /// Calls that were over, and what it did with its files.
    pub(crate) steps: u64,
    pub(crate) files: u64,
    pub(crate) began_us: i64,
    pub(crate) began: u64,
    pub(crate) ended: Option<u64>,
    /// What its clock is ahead: within a process time goes on evenly.
    pub(crate) ahead_us: i64,
    /// Spent on tables.
    pub(crate) reading_us: i64,
    /// The source's clock when it asked for it.
    pub(crate) bounds_us: Option<i64>,
    /// The source's columns as they were when it read them.
    pub(crate) shape: Option<Shape>,
    /// The last tick that the source knew of when it was asked for its highest id.
    pub(crate) bounds: u64,
    pub(crate) tries: HashMap<(usize, i64), u32>,
    pub(crate) looked: HashMap<(usize, i64), Looked>,
    /// Callbacks that it saw taken, and that it has not detected anew since.
    pub(crate) taken: HashSet<(usize, i64)>,
    /// Rows that had been gone, and were there when it looked. It has not written that down.
    pub(crate) there: HashSet<(usize, i64)>,
    pub(crate) failures: Failures,
    /// By destination, since it has read what is owed.
    pub(crate) patience: Vec<Patience>,
    /// Destinations whose columns it knows.
    pub(crate) mapped: Vec<bool>,
    /// Destinations that did not answer it.
    pub(crate) silent: Vec<bool>,
    /// The audit that it is part of, and what it was shown.
    pub(crate) campaign: Option<Campaign>,
    pub(crate) shown: Shown,
    /// It ended and says that nothing is left to do.
    pub(crate) done: bool,
}

impl Model {
    /// Somebody, or a timer, starts a process.
    pub(crate) fn start(&mut self, command: Command, fate: Fate) -> usize {
        self.processes.push(Process {
            command,
            fate,
            dead: false,
            steps: 0,
            files: 0,
            began_us: self.now_us,
            began: self.tick,
            ended: None,
            ahead_us: self.machine_ahead_us,
            reading_us: 0,
            bounds_us: None,
            shape: None,
            bounds: 0,
            tries: HashMap::new(),
            looked: HashMap::new(),
            taken: HashSet::new(),
            there: HashSet::new(),
            failures: Failures::default(),
            patience: vec![],
            mapped: vec![false; self.plan.destinations],
            silent: vec![false; self.plan.destinations],
            campaign: None,
            shown: Shown::default(),
            done: false,
        });
        self.processes.len() - 1
    }

    /// The process is there now, and reads the clock.
    pub(crate) fn is_there(&mut self, process: usize) {
        let state = &mut self.processes[process];
        state.began_us = self.now_us;
        state.began = self.tick;
        state.ahead_us = self.machine_ahead_us;
    }

    /// The other one had ended when this one began, or is the same.
    pub(crate) fn came_after(&self, process: usize, other: usize) -> bool {
        let began = self.processes[process].began;
        let ended = self.processes[other].ended;
        process == other || ended.is_some_and(|ended| ended <= began)
    }

    /// The process is dead, or the history over: nothing that it does matters any more.
    pub(crate) fn is_over(&self, process: usize) -> bool {
        self.processes[process].dead || self.failure.is_some()
    }

    /// It was asked to stop.
    pub(crate) fn stopping(&self, process: usize) -> bool {
        let Process { steps, fate, .. } = &self.processes[process];
        *steps >= fate.stopped_at || self.is_over(process)
    }

    pub(crate) fn machine_now_us(&self, process: usize) -> i64 {
        self.now_us + self.processes[process].ahead_us
    }

    /// kill -9.
    pub(crate) fn kill(&mut self, process: usize) {
        self.processes[process].dead = true;
        self.processes[process].ended = Some(self.tick);
        let folder = self.processes[process].command.folder();
        self.quiet.forget(folder); // What the endpoints asked for may not have been written down.
        self.folders[folder].lose_unsynced();
        for folder in &mut self.folders {
            folder.locked_by = folder.locked_by.filter(|&by| by != process);
        }
        self.tell(|| format!("[{process}] is killed"));
    }

    /// A call is over. False when the process does not see it any more.
    pub(crate) fn step(&mut self, process: usize) -> bool {
        note_call();
        if self.is_over(process) {
            return false;
        }
        let Process { steps, fate, .. } = &mut self.processes[process];
        *steps += 1;
        if *steps >= fate.killed_at {
            self.kill(process);
        } else if *steps > STEPS_MAX {
            self.fail(Fact::PassEnds, format!("{STEPS_MAX} calls and no end"));
        }
        !self.is_over(process)
    }

    /// A call begins: how long it takes.
    pub(crate) fn begin(&mut self, call: Call, work: Work) -> i64 {
        if self.is_over(call.process) {
            return 0;
        }
        match work {
            Work::Start(in_us) => in_us,
            Work::Read => {
                let us = self.rng.between(1, self.plan.latency_max);
                self.processes[call.process].reading_us += us;
                us
            }
            Work::Sleep(us) => self.sleep(call.process, us),
            Work::Post { v, timeout_us } => self.begin_post(call, v, timeout_us),
        }
    }
}

/// What a careful reader adds to a limit.
pub(crate) const SLACK_US: i64 = 50 * MS;
