//! Rows that are too large to be read. They are set aside, and everything else goes on.
//!
//! Such a row is owed to each destination that has no answer for it, with the reason, before the
//! checkpoint passes it. In each pass its server is asked how large it is now. When that has
//! changed, the row is read again like any other row. When a row can be compared and not sent, its
//! compared columns are read each time, because its copy may have been repaired.

use std::collections::HashMap;

use super::ledger::Ledger;
use super::look::{LookError, SecondLook};
use super::owed::{OwedRows, Task};
use super::pass::{Pass, micros};
use crate::logic::callback::owed::Owed;
use crate::logic::compare::rows::Kind;
use crate::logic::report::notice::Notice;
use crate::logic::scan::gaps::Span;
use crate::logic::scan::plan::{Request, What};
use crate::logic::value::address::Address;
use crate::logic::value::cell::Cell;
use crate::logic::value::oversize::{Part, TooLarge};
use crate::logic::value::print;
use crate::logic::value::row::Row;
use crate::world::{Batch, Weight, WholeRow};

/// A row that is too large to be read.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) id: Address,
    pub(super) key: Cell,
    pub(super) too_large: TooLarge,
}

impl Pass<'_> {
    /// Writes down that these rows have no answer of a destination.
    pub(super) fn set_aside(
        &self,
        ledger: &Ledger<'_>,
        number: usize,
        rows: &[Aside],
    ) -> std::result::Result<(), LookError> {
        let id = &self.ids[number];
        let map = self.destination(number).map();
        let map = map.map_err(LookError::Destination)?;
        let now_us = self.clock.now_us();
        let owed = |row: &Aside| {
            let key = print::text(&row.key, map.key_type);
            Owed {
                address: Some(id.address()),
                too_large: Some(row.too_large),
                lasting_us: Some(i64::MAX), // Once it can be read, a difference is confirmed like any other.
                ..Owed::new(&id.name, row.id, &key, Kind::Different, vec![], now_us)
            }
        };
        let rows: Vec<Owed> = rows.iter().map(owed).collect();
        for owed in &rows {
            let known = ledger.get(&id.name, owed.id);
            if known.is_none_or(|known| known.too_large.is_none()) {
                self.warn_of_aside(owed);
            }
        }
        ledger.owe(rows).map(drop).map_err(LookError::Source)
    }

    pub(super) fn warn_of_aside(&self, owed: &Owed) {
        let Owed {
            destination,
            id,
            too_large: Some(too_large),
            ..
        } = owed
        else {
            return;
        };
        self.observer.tell(&Notice::RowSetAside {
            destination: destination.clone(),
            table: self.job.source.table.name(),
            id: *id,
            too_large: *too_large,
        });
    }
}

/// Rows set aside that may be read in this pass.
#[derive(Default)]
pub(super) struct Tries {
    /// Whole.
    pub(super) whole: Vec<Task>,
    /// Their compared columns.
    pub(super) compared: Vec<Task>,
}

impl OwedRows<'_, '_> {
    /// Which of these rows, set aside before, are worth reading. All others stay owed as they are.
    pub(super) fn tries(&self, tasks: Vec<Task>) -> std::result::Result<Tries, LookError> {
        let mut tries = Tries::default();
        if tasks.is_empty() {
            return Ok(tries);
        }
        // A destination that cannot be read is found out before the source is asked anything.
        let destination = self.pass.destination(self.number);
        destination.map().map_err(LookError::Destination)?;
        let ids: Vec<Address> = tasks.iter().map(|task| task.owed.id).collect();
        let weights = self.pass.source().weigh(&ids).map_err(LookError::Source)?;
        let weights: HashMap<Address, Weight> = weights
            .into_iter()
            .map(|weight| (weight.id, weight))
            .collect();
        for mut task in tasks {
            let known = task.owed.too_large.zip(weights.get(&task.owed.id));
            let Some((too_large, weight)) = known else {
                tries.whole.push(task); // It is gone, and that will be found out.
                continue;
            };
            // It is there now, also when the next read does not find it.
            self.note_there(&mut task.owed, None, Some(too_large));
            let bytes = match too_large.part {
                Part::Row => weight.row_bytes,
                Part::Compared => weight.compared_bytes,
                Part::Copies => destination
                    .weigh(&weight.key)
                    .map_err(LookError::Destination)?,
            };
            match (too_large.is_still(bytes), too_large.part) {
                (false, _) => tries.whole.push(task),
                (true, Part::Row) => tries.compared.push(task),
                (true, Part::Compared | Part::Copies) => {}
            }
        }
        Ok(tries)
    }

    /// A second look at rows that cannot be sent.
    pub(super) fn look_at_compared(
        &self,
        tasks: &[Task],
    ) -> std::result::Result<SecondLook, LookError> {
        let known: HashMap<Address, Option<TooLarge>> = tasks
            .iter()
            .map(|task| (task.owed.id, task.owed.too_large))
            .collect();
        let mut ids: Vec<Address> = known.keys().copied().collect();
        ids.sort_unstable();
        if ids.is_empty() {
            return Ok(SecondLook::default());
        }
        let spans = ids.iter().map(|id| Span::of_one(id.id()));
        let request = Request {
            what: What::Suspects(spans.collect()),
            limit: ids.len(),
        };
        let batch = self.pass.source().scan(&request, &[]);
        let Batch {
            rows,
            is_cut,
            too_large,
        } = batch.map_err(LookError::Source)?;
        let read_to = rows.last().filter(|_| is_cut).map(Row::address);
        let left = ids
            .into_iter()
            .filter(|&id| read_to.is_some_and(|read_to| id > read_to));
        let rows = rows.into_iter().map(|row| WholeRow {
            too_large: too_large.or(known.get(&row.address()).copied().flatten()),
            row,
            all: vec![],
        });
        self.pass
            .compare_whole(self.number, rows.collect(), left.collect())
    }

    /// The source row is there: keeps in mind whether it can be read, and that it is not gone. `copies` is what its copies
    /// look like; `None` where they were not read.
    pub(super) fn note_there(
        &self,
        owed: &mut Owed,
        copies: Option<u64>,
        too_large: Option<TooLarge>,
    ) {
        let pass = self.pass;
        let was_gone = owed.is_back(copies, pass.clock.now_us(), micros(pass.job.confirm_delay));
        let was_aside = owed.too_large.is_some();
        let is_other = owed.too_large != too_large;
        owed.too_large = too_large;
        if is_other && !was_aside {
            pass.warn_of_aside(owed);
        }
        if is_other || was_gone {
            self.ledger.put_back(owed.clone());
        }
    }
}

/// What a first look found too large in one destination.
pub(super) fn of_copies(id: Address, key: &Cell, bytes: u64) -> Aside {
    let part = Part::Copies;
    Aside {
        id,
        key: key.clone(),
        too_large: TooLarge { part, bytes },
    }
}
