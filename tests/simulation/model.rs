//! The world without cupid: time, what happens in it, and the processes that look at it.

use std::collections::{BTreeMap, HashMap};

use cupid::logic::scan::load::Load;

use crate::broken::Broken;
use crate::check::Since;
use crate::command::Command;
use crate::copies::Copies;
use crate::fact::{Fact, Failure};
use crate::folder::Folder;
use crate::job::Entry;
use crate::ledger::Ledgers;
use crate::plan::{MS, Plan, SECOND, THREADS_MAX};
use crate::process::Process;
use crate::receiver::{Mood, Quiet};
use crate::restart::{Away, Huge};
use crate::rng::Rng;
use crate::table::{Content, Table};
use crate::turns::{Call, Turns};

/// 2024-01-01, when every history begins.
pub(crate) const BEGIN_US: i64 = 1_704_067_200_000_000;

/// After so many they are rare: a history is to be short.
const TRANSACTIONS_MANY: u64 = 250;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Begin,
    Commit(u64),
    /// A copy of a row is written, or removed.
    Apply {
        destination: usize,
        id: i64,
        content: Option<Content>,
        /// As a row of its own beside those that are there.
        twice: bool,
    },
    /// The source's clock is set.
    Jump(i64),
    /// The type of the update column changes, and so what its values mean.
    Alter,
    Away(Away),
    Huge(Huge),
}

/// What is known of the source's columns when they are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    number: u64,
    /// What the values of the update column are ahead of the source's clock.
    pub(crate) zone_us: i64,
}

impl Shape {
    /// As the checkpoint notes it.
    pub(crate) fn moments(self) -> String {
        format!("shape {}", self.number)
    }
}

/// Everything, under one lock.
pub(crate) struct Model {
    pub(crate) plan: Plan,
    pub(crate) broken: Option<Broken>,
    pub(crate) rng: Rng,
    /// Of [`Self::rewrite`].
    pub(crate) identity_rng: Rng,
    /// True time.
    pub(crate) now_us: i64,
    /// What the source's clock is ahead.
    pub(crate) source_ahead_us: i64,
    /// The source's columns as they are now.
    pub(crate) shape: Shape,
    /// What the clock of cupid's machine is ahead.
    pub(crate) machine_ahead_us: i64,
    /// Counts everything that happens.
    pub(crate) tick: u64,
    events: BTreeMap<(i64, u64), Event>,
    pub(crate) table: Table,
    pub(crate) copies: Vec<Copies>,
    pub(crate) ledgers: Vec<Ledgers>,
    /// How the configuration writes each destination.
    pub(crate) entries: Vec<Entry>,
    /// The destinations by the names that they have now.
    pub(crate) names: HashMap<String, usize>,
    /// Of `run`, then of audits.
    pub(crate) folders: [Folder; 2],
    pub(crate) moods: Vec<Mood>,
    pub(crate) quiet: Quiet,
    /// How callbacks under way will be answered.
    pub(crate) answers: BTreeMap<Call, Mood>,
    /// Since when each destination is looked after.
    pub(crate) since: Vec<Since>,
    /// All that were ever started.
    pub(crate) processes: Vec<Process>,
    pub(crate) turns: Turns,
    /// How many times more slowly rows are changed than usual: while nobody looks.
    pub(crate) slowness: i64,
    /// The highest id that was ever asked for, where that is a mistake.
    pub(crate) highest: Option<i64>,
    /// Rows are still being changed.
    pub(crate) writing: bool,
    pub(crate) failure: Option<Failure>,
    pub(crate) story: Option<Vec<String>>,
}

impl Model {
    pub(crate) fn new(seed: u64, broken: Option<Broken>, telling: bool) -> Self {
        let mut rng = Rng::new(seed);
        let mut identity_rng = Rng::new(seed.rotate_left(32));
        let plan = Plan::new(&mut rng).with_alters(seed);
        let plan = plan.with_identities(&mut identity_rng);
        let destinations = plan.destinations;
        let mut model = Self {
            broken,
            rng,
            identity_rng,
            now_us: BEGIN_US,
            source_ahead_us: 0,
            shape: Shape::default(),
            machine_ahead_us: 0,
            tick: 1,
            events: BTreeMap::new(),
            table: Table::default(),
            copies: (0..destinations).map(|_| Copies::default()).collect(),
            ledgers: (0..destinations).map(|_| Ledgers::default()).collect(),
            entries: vec![Entry::default(); destinations],
            names: HashMap::new(),
            folders: [Folder::default(), Folder::default()],
            moods: vec![Mood::Good; destinations],
            quiet: Quiet::new(destinations),
            answers: BTreeMap::new(),
            since: vec![Since::default(); destinations],
            processes: vec![],
            turns: Turns::default(),
            slowness: 1,
            highest: None,
            writing: true,
            failure: None,
            story: telling.then(Vec::new),
            plan,
        };
        model.tell(|| format!("{plan:?}"));
        model.source_ahead_us = model.rng.between(-100, 100) * SECOND;
        model.machine_ahead_us = model.rng.between(-100, 100) * SECOND;
        model.fill();
        model.schedule(0, Event::Begin);
        for _ in 0..model.plan.alters {
            let at_us = model.rng.between(0, 60 * SECOND);
            model.schedule(at_us, Event::Alter);
        }
        for jump_us in model.plan.jumps {
            let at_us = model.rng.between(0, 30 * SECOND);
            model.schedule(at_us, Event::Jump(jump_us));
        }
        model.schedule_restarts();
        model
    }

    pub(crate) fn tell(&mut self, text: impl FnOnce() -> String) {
        let at_ms = (self.now_us - BEGIN_US) / MS;
        if let Some(story) = &mut self.story {
            story.push(format!("{at_ms:>8} ms  {}", text()));
        }
    }

    pub(crate) fn fail(&mut self, fact: Fact, text: String) {
        self.tell(|| format!("FAILED {fact:?}: {text}"));
        self.failure.get_or_insert(Failure { fact, text });
    }

    /// How a server is doing: loaded for seven seconds, then idle for seven, each at another time. Audits find it idle.
    pub(crate) fn load(&self, process: usize, server: usize) -> Load {
        let turn = (self.now_us / (7 * SECOND)).unsigned_abs() + server as u64;
        let is_loaded = turn.is_multiple_of(2)
            && matches!(self.processes[process].command, Command::Run { .. });
        Load {
            threads_running: THREADS_MAX + u64::from(is_loaded),
            ..Load::default()
        }
    }

    pub(crate) fn source_now_us(&self) -> i64 {
        self.now_us + self.source_ahead_us
    }

    pub(crate) fn next_tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    pub(crate) fn schedule(&mut self, in_us: i64, event: Event) {
        let tick = self.next_tick();
        self.events.insert((self.now_us + in_us, tick), event);
    }

    /// Lets time pass and everything happen that was due.
    pub(crate) fn wait_until(&mut self, until_us: i64) {
        let until_us = until_us.max(self.now_us);
        while let Some(entry) = self.events.first_entry() {
            if entry.key().0 > until_us {
                break;
            }
            let ((at_us, _), event) = entry.remove_entry();
            self.now_us = at_us;
            self.happen(event);
        }
        self.now_us = until_us;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Begin if self.writing => {
                self.begin_transaction();
                let is_much = self.table.begun > TRANSACTIONS_MANY;
                let slowness = self.slowness * if is_much { 10 } else { 1 };
                let gap_us = self.rng.between(1, 2 * self.plan.pace * slowness);
                self.schedule(gap_us, Event::Begin);
            }
            Event::Begin => {}
            Event::Commit(number) => self.commit(number),
            Event::Apply {
                destination,
                id,
                content,
                twice,
            } => self.apply(destination, id, content, twice),
            Event::Alter => {
                let hours = |hours: i64| hours * 3_600 * SECOND;
                let zone_us = hours(self.rng.between(-12, 14));
                let lag_us = hours(self.rng.pick(&[0, 1, 14, 26]));
                self.shape.number += 1;
                self.shape.zone_us = zone_us;
                let tick = self.next_tick();
                self.table.alter(lag_us, tick);
                let shape = self.shape;
                self.tell(|| format!("the update column becomes {shape:?}, {lag_us} us behind"));
            }
            Event::Away(away) => self.go_away(away),
            Event::Huge(huge) => self.huge(huge),
            Event::Jump(us) => {
                self.tell(|| format!("the source's clock jumps by {us} us"));
                self.source_ahead_us += us;
                self.table.mark_jumped();
            }
        }
    }
}
