//! The source table: transactions that commit late or never, rows that enter and leave the condition.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::{BEGIN_US, Event, Model};
use crate::plan::{MS, SECOND};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    /// New with each change of any row, and greater.
    pub(crate) v: i64,
    /// 0 to 2; the conditions are about it.
    pub(crate) w: i64,
}

/// A committed source row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SourceRow {
    pub(crate) content: Content,
    /// On the source's clock, at the column's precision.
    pub(crate) updated_us: i64,
    /// How much earlier the update column says so: an ALTER converted it in another zone.
    pub(crate) lag_us: i64,
    /// When the change became visible.
    pub(crate) tick: u64,
    /// When the insert did.
    pub(crate) inserted: u64,
    /// The `v` that it was inserted with.
    pub(crate) first_v: i64,
    /// Since when the row is there and fulfils the condition.
    pub(crate) there_since: u64,
    /// It did not fulfil the condition at some time.
    pub(crate) wandered: bool,
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
    changes: Vec<(i64, Change, Draft)>,
    jumped: bool,
}

#[derive(Clone, Copy, Debug)]
struct Draft {
    content: Content,
    updated_us: i64,
}

/// The source table, and what is about to be in it.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) rows: BTreeMap<i64, SourceRow>,
    next_id: i64,
    /// Of each `v`: whose it is, and the whole content.
    versions: Vec<(i64, Content)>,
    /// When a key last lost a row.
    pub(crate) left: HashMap<i64, u64>,
    /// When the update column last changed its type.
    pub(crate) altered: u64,
    locked: HashSet<i64>,
    bulks: usize,
    /// Transactions so far.
    pub(crate) begun: u64,
    open: BTreeMap<u64, Transaction>,
    /// What a replica that is behind will show, and what is shown of it now.
    pub(crate) snapshot: Option<Replica>,
    pub(crate) stale: Option<Replica>,
    /// When ids last started again.
    pub(crate) restarted: u64,
    /// No row is deleted any more: a restart is noticed by rows that are there.
    pub(crate) keeps_rows: bool,
}

/// The table as it was at an earlier moment.
#[derive(Clone, Debug)]
pub(crate) struct Replica {
    pub(crate) rows: BTreeMap<i64, SourceRow>,
    /// The last tick that it knows of.
    pub(crate) tick: u64,
}

impl SourceRow {
    /// It has not been changed since it was inserted.
    pub(crate) fn is_as_inserted(&self) -> bool {
        self.tick == self.inserted
    }
}

impl Table {
    /// Open transactions have a time that is none any more.
    pub(crate) fn mark_jumped(&mut self) {
        self.open.values_mut().for_each(|open| open.jumped = true);
    }

    /// The update column says moments otherwise from now on.
    pub(crate) fn alter(&mut self, lag_us: i64, tick: u64) {
        self.altered = tick;
        self.rows.values_mut().for_each(|row| row.lag_us = lag_us);
    }

    /// What the server shows that cupid reads.
    pub(crate) fn seen(&self) -> &BTreeMap<i64, SourceRow> {
        self.stale.as_ref().map_or(&self.rows, |stale| &stale.rows)
    }

    /// Whose content it is that has this `v`.
    pub(crate) fn version(&self, v: i64) -> Option<(i64, Content)> {
        let at = usize::try_from(v).ok()?.checked_sub(1)?;
        self.versions.get(at).copied()
    }
}

impl Model {
    /// Rows that were there before.
    pub(crate) fn fill(&mut self) {
        self.table.next_id = self.plan.first_id;
        for _ in 0..self.plan.rows_first {
            let id = self.new_id();
            let content = self.content(id);
            let row = SourceRow {
                content,
                updated_us: BEGIN_US - 1_000_000 * SECOND,
                lag_us: 0,
                tick: 0,
                inserted: 0,
                first_v: content.v,
                there_since: 0,
                wandered: !self.plan.is_in_source(content),
                jumped: false,
                insert_jumped: false,
            };
            self.table.rows.insert(id, row);
            for destination in 0..self.plan.destinations {
                if self.rng.chance(self.plan.losses) {
                    self.ledger(destination, id).prompt = false;
                } else {
                    self.apply(destination, id, Some(content), false);
                }
            }
        }
    }

    /// The rows that cupid may see.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (i64, &SourceRow)> {
        self.rows_between(i64::MIN, i64::MAX)
    }

    /// Those with ids between two, both inclusive.
    pub(crate) fn rows_between(
        &self,
        from: i64,
        to: i64,
    ) -> impl Iterator<Item = (i64, &SourceRow)> {
        let rows = (from <= to).then(|| self.table.rows.range(from..=to));
        rows.into_iter()
            .flatten()
            .filter(|(_, row)| self.plan.is_in_source(row.content))
            .map(|(&id, row)| (id, row))
    }

    /// The row, when cupid may see it.
    pub(crate) fn row(&self, id: i64) -> Option<&SourceRow> {
        let row = self.table.rows.get(&id)?;
        self.plan.is_in_source(row.content).then_some(row)
    }

    /// The rows that cupid sees at this moment.
    pub(crate) fn seen(&self) -> impl Iterator<Item = (i64, &SourceRow)> {
        self.seen_between(i64::MIN, i64::MAX)
    }

    /// Those with ids between two, both inclusive.
    pub(crate) fn seen_between(
        &self,
        from: i64,
        to: i64,
    ) -> impl Iterator<Item = (i64, &SourceRow)> {
        let rows = (from <= to).then(|| self.table.seen().range(from..=to));
        rows.into_iter()
            .flatten()
            .filter(|(_, row)| self.plan.is_in_source(row.content))
            .map(|(&id, row)| (id, row))
    }

    /// The row, when cupid sees it at this moment.
    pub(crate) fn seen_row(&self, id: i64) -> Option<&SourceRow> {
        let row = self.table.seen().get(&id)?;
        self.plan.is_in_source(row.content).then_some(row)
    }

    fn new_id(&mut self) -> i64 {
        self.table.next_id += self.plan.id_step;
        self.table.next_id - self.plan.id_step
    }

    fn content(&mut self, id: i64) -> Content {
        let v = i64::try_from(self.table.versions.len()).unwrap_or(i64::MAX) + 1;
        let w = self.rng.between(0, 2);
        let content = Content { v, w };
        self.table.versions.push((id, content));
        content
    }

    fn draft(&mut self, id: i64) -> Draft {
        let now_us = self.source_now_us();
        Draft {
            content: self.content(id),
            updated_us: now_us - now_us.rem_euclid(self.plan.precision),
        }
    }

    /// One of the rows.
    fn any_row(&mut self) -> Option<i64> {
        let rows = &self.table.rows;
        if self.plan.hot {
            let at = usize::try_from(self.rng.below(3)).unwrap_or(0);
            return rows.keys().rev().nth(at).copied();
        }
        let from = self.rng.between(0, self.table.next_id);
        let mut rows = rows.range(from..).chain(rows);
        rows.next().map(|(&id, _)| id)
    }

    /// Rows with new ids, committed at once.
    pub(crate) fn insert_rows(&mut self, count: usize) {
        let mut transaction = Transaction::default();
        for _ in 0..count {
            let id = self.new_id();
            self.table.locked.insert(id);
            let draft = self.draft(id);
            transaction.changes.push((id, Change::Insert, draft));
        }
        let number = self.next_tick();
        self.table.open.insert(number, transaction);
        self.commit(number);
    }

    /// Rows with these ids go, those of open transactions too, and the next row gets the first of them.
    pub(crate) fn remove_from(&mut self, id: i64, is_copied: bool) {
        for open in self.table.open.values_mut() {
            open.changes.retain(|change| change.0 < id);
        }
        self.table.locked.retain(|&locked| locked < id);
        let tick = self.next_tick();
        let gone = self.table.rows.split_off(&id);
        for &id in gone.keys() {
            let key = self.plan.key_of(id).unwrap_or(i64::MIN);
            self.table.left.insert(key, tick);
            for destination in 0..self.plan.destinations {
                if is_copied {
                    self.copy(destination, id, None);
                } else {
                    self.ledger(destination, id).prompt = false;
                }
            }
        }
        self.table.next_id = id;
        self.table.restarted = tick;
    }

    /// The next row gets this id.
    pub(crate) fn skip_to(&mut self, id: i64) -> i64 {
        std::mem::replace(&mut self.table.next_id, id)
    }

    pub(crate) fn begin_transaction(&mut self) {
        let mut transaction = Transaction::default();
        self.table.begun += 1;
        let bulk = self.table.bulks < 2 && self.rng.chance(self.plan.bulks);
        self.table.bulks += usize::from(bulk);
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
                self.rng.chance(if self.plan.hot { 100 } else { 400 })
            };
            let Some(id) = self.any_row().filter(|_| !insert) else {
                let id = self.new_id();
                self.table.locked.insert(id);
                let draft = self.draft(id);
                transaction.changes.push((id, Change::Insert, draft));
                continue;
            };
            if !self.table.locked.insert(id) {
                continue; // Another transaction has it, and this one does not wait.
            }
            let change = if self.rng.chance(60) && !self.table.keeps_rows {
                Change::Delete
            } else {
                Change::Update
            };
            let draft = self.draft(id);
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
        self.tell(|| {
            let changes = transaction.changes.iter().take(5);
            let changes: Vec<_> = changes.map(|c| (c.0, c.1, c.2.content.v)).collect();
            format!("transaction {number}, to end in {in_us} us: {changes:?}")
        });
        self.table.open.insert(number, transaction);
        self.schedule(in_us, Event::Commit(number));
    }

    pub(crate) fn commit(&mut self, number: u64) {
        let Some(Transaction { changes, jumped }) = self.table.open.remove(&number) else {
            return;
        };
        for (id, ..) in &changes {
            self.table.locked.remove(id);
        }
        if self.rng.chance(self.plan.rollbacks) {
            return self.tell(|| format!("transaction {number} is rolled back"));
        }
        self.tell(|| format!("transaction {number} is committed"));
        let tick = self.next_tick();
        for (id, change, draft) in changes {
            let after = self.change(id, change, draft, tick, jumped);
            for destination in 0..self.plan.destinations {
                self.copy(destination, id, after);
            }
        }
    }

    /// Changes a row for everybody to see. Returns its new content.
    fn change(
        &mut self,
        id: i64,
        change: Change,
        draft: Draft,
        tick: u64,
        jumped: bool,
    ) -> Option<Content> {
        let before = self.table.rows.get(&id).copied();
        let was_there = before.filter(|row| self.plan.is_in_source(row.content));
        let Draft {
            content,
            updated_us,
        } = draft;
        let is_there = self.plan.is_in_source(content);
        let after = match (change, before) {
            (Change::Delete, _) | (Change::Update, None) => None, // Deleted meanwhile.
            (Change::Insert, _) | (Change::Update, Some(_)) => Some(SourceRow {
                content,
                updated_us,
                lag_us: 0,
                tick,
                inserted: before.map_or(tick, |row| row.inserted),
                first_v: before.map_or(content.v, |row| row.first_v),
                there_since: was_there.map_or(tick, |row| row.there_since),
                wandered: !is_there || before.is_some_and(|row| row.wandered),
                jumped,
                insert_jumped: before.map_or(jumped, |row| row.insert_jumped),
            }),
        };
        match after {
            Some(row) => self.table.rows.insert(id, row),
            None => self.table.rows.remove(&id),
        };
        if was_there.is_some() && !(after.is_some() && is_there) {
            let key = self.plan.key_of(id).unwrap_or(i64::MIN);
            self.table.left.insert(key, tick);
        }
        after.map(|row| row.content)
    }
}
