//! A destination as a process reads it.

use std::ops::Bound;
use std::sync::MutexGuard;

use cupid::error::Result;
use cupid::logic::audit::fingerprint::KeyFold;
use cupid::logic::compare::rows::{ColumnMap, Found, Matches};
use cupid::logic::report::fix::written::Written;
use cupid::logic::scan::load::{Load, LoadLimits};
use cupid::logic::value::cell::Cell;
use cupid::world::{Destination, Offer, Place, Shared, Visitor, Whole, WholeTable};

use crate::broken::Broken;
use crate::fact::Fact;
use crate::folder::Folder;
use crate::model::Model;
use crate::process::Looked;
use crate::source::{cells, key_and_version, key_cell};
use crate::sums::Sums;
use crate::table::Content;
use crate::turns::Work;
use crate::view::{Side, turn_to, unreadable};

impl Side<'_> {
    pub(crate) fn read(&self, name: &'static str, first: i64) -> Result<MutexGuard<'_, Model>> {
        self.is_asked_for_the_first_time_since_it_fell_silent();
        let mut model = self.answer(name, first)?;
        let tries = if model.broken == Some(Broken::AsksAgain) {
            3
        } else {
            1
        };
        for _ in 0..tries {
            if !model.is_down(self.view.process, self.number) {
                return Ok(model);
            }
            model.note_silence(self.view.process, self.number);
            if tries > 1 {
                drop(model);
                self.is_asked_for_the_first_time_since_it_fell_silent();
                model = self.answer(name, first)?;
            }
        }
        Err(unreadable("a destination"))
    }

    fn answer(&self, name: &'static str, first: i64) -> Result<MutexGuard<'_, Model>> {
        turn_to(self.number);
        let model = self.view.call(name, first, Work::Read);
        model.ok_or_else(|| unreadable("a destination"))
    }

    /// Each look at a silent destination costs the others a time limit.
    fn is_asked_for_the_first_time_since_it_fell_silent(&self) {
        let (process, number) = (self.view.process, self.number);
        let mut model = self.view.sim.model();
        if model.processes[process].silent[number] {
            let text = format!("d{number} did not answer and is asked again");
            model.fail(Fact::OneTimeLimit, text);
        }
    }
}

impl Model {
    fn is_down(&self, process: usize, destination: usize) -> bool {
        let process = &self.processes[process];
        process.fate.destinations_down[destination].contains(&process.steps)
    }

    /// A server that is down lets a time limit pass, or refuses at once, every other time.
    fn note_silence(&mut self, process: usize, destination: usize) {
        let process = &mut self.processes[process];
        let down = &process.fate.destinations_down[destination];
        process.silent[destination] |= down.start.is_multiple_of(2);
    }

    /// A row without a key is known to have no copies once it is read.
    pub(crate) fn read_without_key(
        &mut self,
        process: usize,
        destinations: impl Iterator<Item = usize>,
        id: i64,
    ) {
        let Some(content) = self.seen_row(id).map(|row| row.content) else {
            return;
        };
        for destination in destinations {
            self.answered(process, destination, id, content, false);
        }
    }

    /// How many rows a table shows at once, of so many.
    pub(crate) fn rows_at_once(&self, limit: usize, rows: usize) -> usize {
        self.plan.stream_rows.max(rows / 50).min(limit)
    }

    /// The destination was asked for the copies of a row that was read with this content.
    fn answered(
        &mut self,
        process: usize,
        destination: usize,
        id: i64,
        content: Content,
        agrees: bool,
    ) {
        let tick = self.next_tick();
        let is_audit = self.processes[process].campaign.is_some();
        let looked = Looked { content, agrees };
        let seen = &mut self.processes[process].looked;
        seen.insert((destination, id), looked);
        let fails_over = self.plan.fails_over; // An older version may be seen again.
        let ledger = self.ledger(destination, id);
        ledger.answered_v = ledger.answered_v.max(content.v);
        if is_audit {
            ledger.audited = tick;
        }
        if agrees {
            ledger.agreed_v = if fails_over {
                ledger.agreed_v.max(content.v)
            } else {
                content.v
            };
            ledger.repaired_or_gone = tick;
            ledger.settle(process);
        }
    }
}

impl Side<'_> {
    /// What its server computes.
    pub(crate) fn checksums(&self, seed: u64) -> Result<Offer<'_>> {
        self.map()?;
        if self.view.sim.model().plan.unordered {
            return Ok(Err("nobody knows the order of its keys".into()));
        }
        Ok(Ok(Box::new(Sums { side: self, seed })))
    }
}

/// A copy that is read from end to end.
struct Ordered<'s>(&'s Side<'s>);

impl WholeTable for Ordered<'_> {
    fn key_fold(&self) -> KeyFold {
        KeyFold::default()
    }

    fn visit(
        &self,
        after: Option<&Place>,
        limit: usize,
        visitor: &mut dyn Visitor,
    ) -> Result<Option<Place>> {
        let Self(side) = self;
        let after = after.and_then(|Place(cells)| key_and_version(cells.first()?));
        let after = after.map(|(key, _)| key);
        let mut model = side.read("visit a destination", after.unwrap_or(-1))?;
        let limit = model.rows_at_once(limit, model.copies[side.number].rows.len());
        let begin = after.map_or(Bound::Unbounded, Bound::Excluded);
        let keys = model.copies[side.number]
            .rows
            .range((begin, Bound::Unbounded));
        let keys: Vec<i64> = keys.take(limit).map(|(&key, _)| key).collect();
        visitor.restart();
        if model.rng.chance(50) {
            for &key in &keys[..keys.len() / 2] {
                show(&model, side.number, key, visitor);
            }
            visitor.restart(); // The connection was lost.
        }
        for &key in &keys {
            show(&model, side.number, key, visitor);
            visitor.passed(&|| Place(vec![key_cell(key)]));
            model.visited_copies(side.view.process, side.number, key);
        }
        let process = side.view.process;
        let number = side.number;
        model.tell(|| format!("[{process}] visit d{number} after {after:?}: {keys:?}"));
        let last = keys.last().filter(|_| keys.len() >= limit);
        Ok(last.map(|&key| Place(vec![key_cell(key)])))
    }
}

impl Shared for Side<'_> {
    fn load(&self, _: LoadLimits) -> Result<Load> {
        Ok(self
            .view
            .sim
            .model()
            .load(self.view.process, self.number + 1))
    }
}

impl Destination for Side<'_> {
    fn written(&self) -> Result<&Written> {
        unreachable!("nobody wants statements")
    }

    fn map(&self) -> Result<&ColumnMap> {
        turn_to(self.number);
        if self.view.sim.model().processes[self.view.process].mapped[self.number] {
            return Ok(&self.view.sim.map);
        }
        self.is_asked_for_the_first_time_since_it_fell_silent();
        let call = self.view.call("columns of a destination", 0, Work::Read);
        let mut model = call.ok_or_else(|| unreadable("a destination"))?;
        if model.is_down(self.view.process, self.number) {
            model.note_silence(self.view.process, self.number);
            return Err(unreadable("the columns of a destination"));
        }
        model.processes[self.view.process].mapped[self.number] = true;
        Ok(&self.view.sim.map)
    }

    fn is_silent(&self) -> bool {
        self.view.sim.model().processes[self.view.process].silent[self.number]
    }

    fn whole(&self) -> Result<Whole<'_>> {
        if self.view.sim.model().plan.unordered {
            return Ok(Err("It has no order"));
        }
        Ok(Ok(Box::new(Ordered(self))))
    }

    fn repeated_keys(&self, limit: usize) -> Result<Vec<Cell>> {
        let model = self.read("repeated keys", 0)?;
        let keys = model.copies[self.number].rows.keys();
        let repeated = keys.filter(|&&key| model.copies(self.number, key).count() > 1);
        Ok(repeated.take(limit).map(|&key| key_cell(key)).collect())
    }

    fn spelled(&self, keys: &[&Cell]) -> Result<Vec<Cell>> {
        let model = self.read("spelled keys", 0)?;
        if model.broken == Some(Broken::NothingLacks) {
            return Ok(vec![]);
        }
        let keys = keys.iter().filter_map(|key| key_and_version(key));
        let found = keys.filter(|&(key, _)| model.copies(self.number, key).count() > 0);
        Ok(found.map(|(key, _)| key_cell(key)).collect())
    }

    fn weigh(&self, key: &Cell) -> Result<u64> {
        let model = self.read("weigh copies", 0)?;
        let key = key_and_version(key).map(|(key, _)| key);
        let copies = key.map(|key| model.copies(self.number, key).collect::<Vec<_>>());
        Ok(copies
            .and_then(|copies| model.giant_copies(&copies))
            .unwrap_or(1))
    }

    fn find(&self, keys: &[&Cell], room_bytes: usize) -> Result<Found> {
        let first = keys.iter().find_map(|key| key_and_version(key));
        let mut model = self.read("find", first.map_or(0, |(key, _)| key))?;
        let blind = model.broken == Some(Broken::BlindLook) && model.rng.chance(50);
        let is_audit = model.processes[self.view.process].campaign.is_some();
        let takes_for_equal = match model.broken {
            Some(Broken::EqualsAnything) => !is_audit,
            Some(Broken::AuditEqualsAnything) => is_audit,
            _ => false,
        };
        let answered = model.answered_at_once(keys.len(), room_bytes);
        let mut found = Found::default();
        for key in &keys[..answered] {
            let Some((key, v)) = key_and_version(key) else {
                found.by_key.push(Matches::None);
                continue;
            };
            let mut copies: Vec<Content> = model.copies(self.number, key).collect();
            if let Some(bytes) = model.giant_copies(&copies) {
                if found.by_key.is_empty() {
                    found.by_key.push(Matches::TooLarge(bytes));
                }
                break; // Others are asked for without it.
            }
            // Without a version it is a key that no source row has.
            if let Some((id, content)) = model.table.version(v) {
                let agrees = copies.contains(&content);
                model.answered(self.view.process, self.number, id, content, agrees);
                // What is owed already would be lost, which is another promise.
                let is_owed = |folder: &Folder| folder.owed.contains(&(self.number, id));
                let is_owed = model.folders.iter().any(is_owed);
                if takes_for_equal && !is_owed && !copies.is_empty() {
                    copies = vec![content];
                }
            } else if v > 0 {
                let text = format!("{key} is looked up with version {v}, which was never read");
                model.fail(Fact::CheckpointWaits, text);
            }
            let mut matches = Matches::None;
            for copy in copies.into_iter().filter(|_| !blind) {
                matches.push(found.rows.len());
                found.rows.push(cells(copy));
            }
            if model.broken == Some(Broken::RowsBeyond) && matches == Matches::None {
                matches.push(found.rows.len() + keys.len());
            }
            found.by_key.push(matches);
        }
        let (process, number) = (self.view.process, self.number);
        model.tell(|| format!("[{process}] find {} keys in d{number}", keys.len()));
        Ok(found)
    }
}

fn show(model: &Model, destination: usize, key: i64, visitor: &mut dyn Visitor) {
    for copy in model.copies(destination, key) {
        visitor.row(0, key_cell(key).lent(), &cells(copy));
    }
}
