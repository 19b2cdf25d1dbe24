//! The world without cupid: a table with transactions, copies of it, a copier that makes mistakes, and time.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::broken::Broken;
use crate::fact::{Fact, Failure};
use crate::ledger::Ledger;
use crate::plan::{MS, Plan, SECOND};
use crate::reads::Reads;
use crate::rng::Rng;
use crate::run::Run;

/// 2024-01-01, when every history begins.
pub(crate) const BEGIN_US: i64 = 1_704_067_200_000_000;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    /// New with each change of any row, and greater.
    pub(crate) v: i64,
    pub(crate) w: i64,
}

/// A committed source row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourceRow {
    pub(crate) content: Content,
    /// On the source's clock, at the column's precision.
    pub(crate) updated_us: i64,
    /// When the change became visible.
    pub(crate) tick: u64,
    /// Not changed since.
    pub(crate) inserted: bool,
    /// When the insert became visible.
    pub(crate) inserted_tick: u64,
    /// Its transaction was open when the source's clock jumped: no promise holds.
    pub(crate) jumped: bool,
    pub(crate) insert_jumped: bool,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Insert,
    Update,
    Delete,
}

#[derive(Debug, Default)]
struct Transaction {
    changes: Vec<(i64, Change, SourceRowDraft)>,
    jumped: bool,
}

#[derive(Clone, Copy, Debug)]
struct SourceRowDraft {
    content: Content,
    updated_us: i64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Begin,
    Commit(u64),
    /// `None` deletes.
    Apply(usize, i64, Option<Content>),
    Jump(i64),
}

/// Everything, under one lock.
pub(crate) struct Model {
    pub(crate) plan: Plan,
    pub(crate) broken: Option<Broken>,
    pub(crate) rng: Rng,
    /// True time.
    pub(crate) now_us: i64,
    /// What the source's clock is ahead.
    pub(crate) source_ahead_us: i64,
    /// What the clock of cupid's machine is ahead.
    pub(crate) machine_ahead_us: i64,
    /// Counts everything that happens.
    pub(crate) tick: u64,
    events: BTreeMap<(i64, u64), Event>,
    pub(crate) rows: BTreeMap<i64, SourceRow>,
    next_id: i64,
    version: i64,
    locked: HashSet<i64>,
    bulks_left: usize,
    open: BTreeMap<u64, Transaction>,
    pub(crate) copies: Vec<HashMap<i64, Content>>,
    pub(crate) ledgers: Vec<HashMap<i64, Ledger>>,
    pub(crate) run: Run,
    pub(crate) checkpoint_file: Option<String>,
    pub(crate) outbox_file: Option<Vec<u8>>,
    pub(crate) reads: Reads,
    /// From when on updates are promised to be seen, on the source's clock.
    pub(crate) watched_from_us: Option<i64>,
    /// Until when each endpoint asked to be left alone, on the machine's clock.
    pub(crate) quiet_until_us: Vec<i64>,
    pub(crate) writing: bool,
    pub(crate) failure: Option<Failure>,
    pub(crate) story: Option<Vec<String>>,
}

impl Model {
    pub(crate) fn new(seed: u64, broken: Option<Broken>, telling: bool) -> Self {
        let mut rng = Rng::new(seed);
        let plan = Plan::new(&mut rng);
        let mut model = Self {
            broken,
            rng,
            now_us: BEGIN_US,
            source_ahead_us: 0,
            machine_ahead_us: 0,
            tick: 1,
            events: BTreeMap::new(),
            rows: BTreeMap::new(),
            next_id: 1,
            version: 1,
            locked: HashSet::new(),
            bulks_left: 2,
            open: BTreeMap::new(),
            copies: vec![HashMap::new(); plan.destinations],
            ledgers: vec![HashMap::new(); plan.destinations],
            run: Run::new(plan.destinations),
            checkpoint_file: None,
            outbox_file: None,
            reads: Reads::default(),
            watched_from_us: None,
            quiet_until_us: vec![i64::MIN; plan.destinations],
            writing: true,
            failure: None,
            story: telling.then(Vec::new),
            plan,
        };
        model.source_ahead_us = model.rng.between(-100, 100) * SECOND;
        model.machine_ahead_us = model.rng.between(-100, 100) * SECOND;
        for _ in 0..model.plan.rows_first {
            let content = model.content();
            let row = SourceRow {
                content,
                updated_us: BEGIN_US - 1_000_000 * SECOND,
                tick: 0,
                inserted: true,
                inserted_tick: 0,
                jumped: false,
                insert_jumped: false,
            };
            let id = model.id();
            model.rows.insert(id, row);
            for copies in &mut model.copies {
                copies.insert(id, content);
            }
        }
        model.schedule(0, Event::Begin);
        if model.plan.jump != 0 {
            let at_us = model.rng.between(0, 30 * SECOND);
            model.schedule(at_us, Event::Jump(model.plan.jump));
        }
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

    pub(crate) fn source_now_us(&self) -> i64 {
        self.now_us + self.source_ahead_us
    }

    pub(crate) fn machine_now_us(&self) -> i64 {
        self.now_us + self.machine_ahead_us
    }

    pub(crate) fn ledger(&mut self, destination: usize, id: i64) -> &mut Ledger {
        self.ledgers[destination].entry(id).or_default()
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
    pub(crate) fn wait(&mut self, us: i64) {
        let until_us = self.now_us + us.max(0);
        while let Some(entry) = self.events.first_entry().filter(|e| e.key().0 <= until_us) {
            let ((at_us, _), event) = entry.remove_entry();
            self.now_us = at_us;
            self.happen(event);
        }
        self.now_us = until_us;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Begin if self.writing => {
                self.begin();
                let gap_us = self.rng.between(1, 2 * self.plan.pace);
                self.schedule(gap_us, Event::Begin);
            }
            Event::Begin => {}
            Event::Commit(number) => self.commit(number),
            Event::Apply(destination, id, content) => {
                self.tell(|| format!("d{destination} has {id} {content:?}"));
                match content {
                    Some(content) => self.copies[destination].insert(id, content),
                    None => self.copies[destination].remove(&id),
                };
            }
            Event::Jump(us) => {
                self.tell(|| format!("the source's clock jumps by {us} us"));
                self.source_ahead_us += us;
                self.open.values_mut().for_each(|open| open.jumped = true);
            }
        }
    }

    fn id(&mut self) -> i64 {
        self.next_id += self.plan.id_step;
        self.next_id - self.plan.id_step
    }

    fn content(&mut self) -> Content {
        self.version += 1;
        Content {
            v: self.version,
            w: self.rng.between(0, 2),
        }
    }

    fn draft(&mut self) -> SourceRowDraft {
        let now_us = self.source_now_us();
        SourceRowDraft {
            content: self.content(),
            updated_us: now_us - now_us.rem_euclid(self.plan.precision),
        }
    }

    /// One of the visible rows.
    fn any_row(&mut self) -> Option<i64> {
        if self.plan.hot {
            let at = usize::try_from(self.rng.below(3)).unwrap_or(0);
            return self.rows.keys().rev().nth(at).copied();
        }
        let from = self.rng.between(0, self.next_id);
        let mut rows = self.rows.range(from..).chain(&self.rows);
        rows.next().map(|(&id, _)| id)
    }

    fn begin(&mut self) {
        let mut transaction = Transaction::default();
        let bulk = self.bulks_left > 0 && self.rng.chance(self.plan.bulks);
        self.bulks_left -= usize::from(bulk);
        let count = if bulk {
            self.rng.between(1000, 2600)
        } else {
            self.rng.between(1, 3)
        };
        let inserting = self.rng.chance(500);
        for _ in 0..count {
            let insert = if bulk {
                inserting
            } else {
                self.rng.chance(400)
            };
            let draft = self.draft();
            let Some(id) = self.any_row().filter(|_| !insert) else {
                let id = self.id();
                self.locked.insert(id);
                transaction.changes.push((id, Change::Insert, draft));
                continue;
            };
            if !self.locked.insert(id) {
                continue; // Another transaction has it, and this one does not wait.
            }
            let change = if self.rng.chance(60) {
                Change::Delete
            } else {
                Change::Update
            };
            transaction.changes.push((id, change, draft));
        }
        let late = self.rng.chance(self.plan.late_commits);
        let longest_us = if late {
            self.plan.late - 2 * self.plan.precision.max(MS)
        } else {
            20 * MS
        };
        let number = self.next_tick();
        let in_us = self.rng.between(0, longest_us.max(0));
        let changes = &transaction.changes;
        let text = format!(
            "transaction {number}, to end in {in_us} us: {:?}",
            changes
                .iter()
                .take(5)
                .map(|c| (c.0, c.1, c.2.content.v))
                .collect::<Vec<_>>()
        );
        self.tell(|| text);
        self.open.insert(number, transaction);
        self.schedule(in_us, Event::Commit(number));
    }

    fn commit(&mut self, number: u64) {
        let Some(Transaction { changes, jumped }) = self.open.remove(&number) else {
            return;
        };
        for (id, ..) in &changes {
            self.locked.remove(id);
        }
        if self.rng.chance(self.plan.rollbacks) {
            return self.tell(|| format!("transaction {number} is rolled back"));
        }
        self.tell(|| format!("transaction {number} is committed"));
        let tick = self.next_tick();
        for (
            id,
            change,
            SourceRowDraft {
                content,
                updated_us,
            },
        ) in changes
        {
            let before = self.rows.get(&id).copied();
            let after = match (change, before) {
                (Change::Delete, _) => {
                    self.rows.remove(&id);
                    None
                }
                (Change::Update, None) => None, // Deleted meanwhile.
                (Change::Insert, _) | (Change::Update, Some(_)) => {
                    let row = SourceRow {
                        content,
                        updated_us,
                        tick,
                        inserted: before.is_none(),
                        inserted_tick: before.map_or(tick, |row| row.inserted_tick),
                        jumped,
                        insert_jumped: before.map_or(jumped, |row| row.insert_jumped),
                    };
                    self.rows.insert(id, row);
                    Some(content)
                }
            };
            for destination in 0..self.plan.destinations {
                self.copy(destination, id, after);
            }
        }
    }

    /// The copier hears of a change.
    fn copy(&mut self, destination: usize, id: i64, content: Option<Content>) {
        let plan = self.plan.clone();
        let mut in_us = self.rng.between(0, plan.lag_max);
        let mut prompt = in_us < plan.confirm - MS;
        if self.writing && self.rng.chance(plan.delays) {
            in_us += self.rng.between(SECOND, 20 * SECOND);
            prompt = false;
        }
        let lost = self.rng.chance(plan.losses);
        let repeated = self.rng.chance(plan.repeats);
        let now_us = self.now_us;
        let ledger = self.ledger(destination, id);
        let earlier_us = ledger.copied_us;
        if now_us + in_us <= earlier_us {
            if plan.in_order {
                in_us = earlier_us + 1 - now_us;
                prompt &= in_us < plan.confirm - MS;
            } else {
                prompt = false;
            }
        }
        let ledger = self.ledger(destination, id);
        ledger.copied_us = now_us + in_us;
        ledger.prompt &= prompt && !lost && !repeated;
        if lost {
            return self.tell(|| format!("d{destination} will never hear of {id} {content:?}"));
        }
        self.schedule(in_us, Event::Apply(destination, id, content));
        if repeated {
            let again_us = in_us + self.rng.between(1, 5 * SECOND);
            self.schedule(again_us, Event::Apply(destination, id, content));
        }
    }
}
