//! What a pass says about rows that are wrong: warnings, lines of the report, the statement that would repair it.

use std::collections::VecDeque;

use super::deliver::{Courier, Due};
use super::look::Looked;
use super::{Mode, Pass};
use crate::error::Result;
use crate::logic::callback::owed::Owed;
use crate::logic::compare::rows::Verdict;
use crate::logic::report::fix::{Fix, Repair, Wrong};
use crate::logic::report::line::{Fate, Kind, Line, rfc3339};
use crate::logic::value::cell::{Cell, Id};
use crate::logic::value::count::counted;
use crate::logic::value::print;

/// Keys that a destination cannot look for are named one by one up to this many.
const NAMED_KEYS_MAX: u64 = 20;

impl Pass<'_, '_> {
    /// Writes what is still owed into the report.
    pub(super) fn tell_owed(&mut self) -> Result<()> {
        if self.options.report && self.options.mode == Mode::Deliver {
            self.tell_all(Some(Fate::Owed))?;
        }
        self.save_owed()
    }

    /// Looks at everything in the outbox, drops what is repaired, and writes the rest into the report, with values as
    /// they are now. Without a fate it only drops.
    pub(super) fn tell_all(&self, fate: Option<Fate>) -> Result<()> {
        for (number, destination) in self.job.destinations.iter().enumerate() {
            let shared = self.shared();
            let owed = shared.outbox.due(&destination.name, i64::MAX);
            let mut queue: VecDeque<Due> = owed.into_iter().map(Due::new).collect();
            drop(shared);
            if self.is_unread(number) || queue.is_empty() {
                continue;
            }
            let courier = Courier {
                pass: self,
                number,
                deadline_us: i64::MAX,
            };
            let mut chunk_rows = self.first_chunk();
            // A report may be long; a pass has its own ends.
            let is_stopped = || self.options.mode == Mode::Recheck && self.clock.stopping();
            while !is_stopped()
                && let Some(looked) = courier.look(&mut queue, &mut chunk_rows)?
            {
                let Some(fate) = fate else { continue };
                for (task, looked) in &looked {
                    self.tell(number, &task.owed, looked, fate)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a row is to be told. That its key has several rows is, for a callback, no reason.
    pub(super) fn is_wrong(&self, looked: &Looked) -> bool {
        looked.verdict != Verdict::Agree
            || (self.options.mode == Mode::Recheck && looked.is_duplicate())
    }

    /// Tells one row.
    pub(super) fn tell(
        &self,
        number: usize,
        owed: &Owed,
        looked: &Looked,
        fate: Fate,
    ) -> Result<()> {
        if self.options.mode == Mode::Recheck {
            self.shared().summary.confirmed += 1;
        }
        if !self.options.report {
            return Ok(());
        }
        let fate = match fate {
            Fate::DryRun if looked.whole.too_large.is_some() => Fate::None, // It would not be sent.
            fate => fate,
        };
        let mut lines = self.lines(number, owed.detected_us, looked, fate)?;
        if self.options.mode == Mode::Recheck && looked.is_duplicate() {
            lines.push(self.duplicate_line(number, owed.detected_us, looked)?);
        }
        self.observer.report(&lines)?;
        self.tell_fix(number, looked)
    }

    fn tell_fix(&self, number: usize, looked: &Looked) -> Result<()> {
        let wrong = Wrong::Copies {
            row: &looked.whole.row,
            verdict: &looked.verdict,
            copies: looked.copies,
        };
        self.fix(number, wrong, looked.copy.as_deref())
    }

    /// Hands on what would repair a row, where somebody wants to know.
    pub(super) fn fix(&self, number: usize, wrong: Wrong<'_>, copy: Option<&[Cell]>) -> Result<()> {
        if !self.observer.wants_fixes() || self.is_unread(number) {
            return Ok(());
        }
        let destination = self.destinations[number];
        let columns = destination
            .map()
            .and_then(|map| Ok((map, destination.written()?)));
        let (map, table) = match columns {
            Ok(columns) => columns,
            Err(error) => {
                self.mark_unread(number, &error); // Its statements are not complete, and the others go on.
                return Ok(());
            }
        };
        let fix = Fix {
            target: self.job.destinations[number].target(),
            map,
            wrong,
        };
        self.observer.fix(&Repair { fix, table, copy })
    }

    /// Tells those of these rows whose key has several rows. Returns how many of them are nothing worse.
    pub(super) fn tell_duplicates<'l>(
        &self,
        number: usize,
        looked: impl IntoIterator<Item = &'l Looked>,
    ) -> Result<usize> {
        let detected_us = self.clock.now_us();
        let mut duplicates: Vec<&Looked> = looked
            .into_iter()
            .filter(|looked| looked.is_duplicate())
            .collect();
        duplicates.sort_by_key(|looked| looked.suspect.id);
        self.shared().summary.duplicate_keys += duplicates.len() as u64;
        if self.options.report {
            let lines = duplicates
                .iter()
                .map(|looked| self.duplicate_line(number, detected_us, looked));
            self.observer.report(&lines.collect::<Result<Vec<_>>>()?)?;
        }
        duplicates.retain(|looked| looked.verdict == Verdict::Agree);
        for looked in &duplicates {
            self.tell_fix(number, looked)?;
        }
        Ok(duplicates.len())
    }

    pub(super) fn note_unfindable(&self, number: usize, unfindable: &[(Id, String)]) {
        let known = self.shared().summary.unfindable_keys;
        for (n, (id, why)) in (known..NAMED_KEYS_MAX).zip(unfindable) {
            let name = &self.job.destinations[number].name;
            let more = if n + 1 == NAMED_KEYS_MAX {
                "; further ones are only counted"
            } else {
                ""
            };
            self.observer.warn(&format!("Destination {name} cannot look for the key of id {id}, so it lacks the row: {why}{more}"));
        }
    }

    pub(super) fn note_duplicates(&self, number: usize, keys: u64) {
        if keys > 0 && self.shared().warned_of_duplicates.insert(number) {
            let name = &self.job.destinations[number].name;
            self.observer.warn(&format!(
                "Destination {name} has duplicate rows: {} with several rows in one batch; such a row agrees when one of them does",
                counted(keys, "key")
            ));
        }
    }

    /// The report's lines for one row: one for each column that differs, or one for the row that is missing.
    fn lines(
        &self,
        number: usize,
        detected_us: i64,
        looked: &Looked,
        fate: Fate,
    ) -> Result<Vec<Line>> {
        let map = self.destinations[number].map()?;
        let Some(kind) = looked.verdict.kind() else {
            return Ok(vec![]);
        };
        let row = self.row_line(number, detected_us, looked, kind.into(), fate)?;
        let Verdict::Different(pairs) = &looked.verdict else {
            return Ok(vec![row]);
        };
        let lines = pairs.iter().map(|&number| {
            let pair = &map.pairs[number];
            let copy = looked
                .copy
                .as_ref()
                .map_or(&Cell::Null, |copy| &copy[number]);
            let source =
                print::report_text(&looked.whole.row.cells[pair.source_index], pair.source_type);
            Line {
                column: pair.name.clone(),
                source_value: source.into_owned(),
                destination_value: print::report_text(copy, pair.destination_type).into_owned(),
                ..row.clone()
            }
        });
        Ok(lines.collect())
    }

    fn duplicate_line(&self, number: usize, detected_us: i64, looked: &Looked) -> Result<Line> {
        self.row_line(number, detected_us, looked, Kind::Duplicate, Fate::None)
    }

    /// A line without a column.
    fn row_line(
        &self,
        number: usize,
        detected_us: i64,
        looked: &Looked,
        kind: Kind,
        fate: Fate,
    ) -> Result<Line> {
        let table = &self.job.source.table;
        let map = self.destinations[number].map()?;
        Ok(Line {
            detected_at: rfc3339(detected_us),
            source: table.name(),
            destination: self.job.destinations[number].name.clone(),
            kind,
            id: looked.suspect.id.to_string(),
            key: print::text(&looked.whole.row.key, map.key_type).into_owned(),
            column: String::new(),
            source_value: String::new(),
            destination_value: String::new(),
            callback: fate,
        })
    }
}
