//! What a pass says about wrong rows: warnings, lines of the report, the statement that would
//! repair each.

use std::collections::VecDeque;

use super::ledger::Ledger;
use super::look::Looked;
use super::options::Asked;
use super::owed::{Due, OwedRows};
use super::pass::Pass;
use super::progress::Progress;
use crate::error::Result;
use crate::logic::compare::rows::{ColumnMap, Verdict};
use crate::logic::report::fix::{Fix, Repair, Wrong};
use crate::logic::report::line::{Fate, Kind, Line, rfc3339};
use crate::logic::report::notice::Notice;
use crate::logic::value::address::Address;
use crate::logic::value::cell::Cell;
use crate::logic::value::print;

/// Keys that a destination cannot look for are named one by one up to this many.
const NAMED_KEYS_MAX: u64 = 20;

/// Looks at everything that is owed, drops what is repaired, and writes the rest into the report, with values as they
/// are now.
pub(super) fn report_owed(
    pass: &Pass<'_>,
    ledger: &Ledger<'_>,
    progress: &Progress,
    fate: Fate,
) -> Result<()> {
    for (number, destination) in pass.job.destinations.iter().enumerate() {
        let owed = ledger.all(&destination.name);
        let mut queue: VecDeque<Due> = owed.into_iter().map(Due::new).collect();
        if pass.is_unread(number) || queue.is_empty() {
            continue;
        }
        let rows = OwedRows {
            pass,
            ledger,
            progress,
            number,
        };
        let mut chunk_rows = pass.first_chunk();
        while let Some(looked) = rows.look(&mut queue, &mut chunk_rows)? {
            for (task, looked) in &looked {
                pass.report(number, task.owed.detected_us, looked, fate)?;
            }
        }
    }
    Ok(())
}

impl Pass<'_> {
    /// Writes one row into the report, and the statement that would repair it.
    pub(super) fn report(
        &self,
        number: usize,
        detected_us: i64,
        looked: &Looked,
        fate: Fate,
    ) -> Result<()> {
        if !self.asked.reports() {
            return Ok(());
        }
        let fate = match fate {
            Fate::DryRun if looked.whole.too_large.is_some() => Fate::None, // It would not be sent.
            fate => fate,
        };
        let mut lines = self.lines(number, detected_us, looked, fate)?;
        if matches!(self.asked, Asked::Recheck { .. }) && looked.is_duplicate() {
            lines.push(self.duplicate_line(number, detected_us, looked)?);
        }
        self.observer.report(&lines)?;
        self.report_fix(number, looked)
    }

    pub(super) fn report_fix(&self, number: usize, looked: &Looked) -> Result<()> {
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
        let destination = self.destination(number);
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

    /// Reports those of these rows whose key has several rows. Returns how many of them are nothing worse.
    pub(super) fn report_duplicates<'l>(
        &self,
        number: usize,
        looked: impl IntoIterator<Item = &'l Looked>,
    ) -> Result<usize> {
        let detected_us = self.clock.now_us();
        let mut duplicates: Vec<&Looked> = looked
            .into_iter()
            .filter(|looked| looked.is_duplicate())
            .collect();
        duplicates.sort_by_key(|looked| looked.sighting.id);
        self.count(number, |counts| {
            counts.duplicate_keys += duplicates.len() as u64;
        });
        if self.asked.reports() {
            let lines = duplicates
                .iter()
                .map(|looked| self.duplicate_line(number, detected_us, looked));
            self.observer.report(&lines.collect::<Result<Vec<_>>>()?)?;
        }
        duplicates.retain(|looked| looked.verdict == Verdict::Agree);
        for looked in &duplicates {
            self.report_fix(number, looked)?;
        }
        Ok(duplicates.len())
    }

    pub(super) fn note_unfindable(&self, number: usize, unfindable: &[(Address, String)]) {
        let known = self.tally().summary.total().unfindable_keys;
        for (n, (id, why)) in (known..NAMED_KEYS_MAX).zip(unfindable) {
            self.observer.tell(&Notice::KeyNotFindable {
                destination: self.name(number).to_owned(),
                id: *id,
                reason: why.clone(),
                is_last: n + 1 == NAMED_KEYS_MAX,
            });
        }
    }

    pub(super) fn note_duplicates(&self, number: usize, keys: u64) {
        if keys > 0 && self.tally().warned_of_duplicates.insert(number) {
            self.observer.tell(&Notice::DuplicateKeys {
                destination: self.name(number).to_owned(),
                keys,
            });
        }
    }

    /// The report's lines for one row: one for each column that differs, or one for the row that is missing.
    pub(super) fn lines(
        &self,
        number: usize,
        detected_us: i64,
        looked: &Looked,
        fate: Fate,
    ) -> Result<Vec<Line>> {
        let map = self.destination(number).map()?;
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

    pub(super) fn duplicate_line(
        &self,
        number: usize,
        detected_us: i64,
        looked: &Looked,
    ) -> Result<Line> {
        self.row_line(number, detected_us, looked, Kind::Duplicate, Fate::None)
    }

    /// A line of a source row, without a column.
    fn row_line(
        &self,
        number: usize,
        detected_us: i64,
        looked: &Looked,
        kind: Kind,
        fate: Fate,
    ) -> Result<Line> {
        let map = self.destination(number).map()?;
        Ok(Line {
            id: looked.sighting.id.to_string(),
            key: print::text(&looked.whole.row.key, map.key_type).into_owned(),
            callback: fate,
            ..self.bare_line(number, detected_us, kind)
        })
    }

    /// A line that names no row, without a column.
    pub(super) fn bare_line(&self, number: usize, detected_us: i64, kind: Kind) -> Line {
        Line {
            detected_at: rfc3339(detected_us),
            source: self.job.source.table.name(),
            destination: self.name(number).to_owned(),
            kind,
            id: String::new(),
            key: String::new(),
            column: String::new(),
            source_value: String::new(),
            destination_value: String::new(),
            callback: Fate::None,
        }
    }
}

/// The names of the columns that differ.
pub(super) fn differing(verdict: &Verdict, map: &ColumnMap) -> Vec<String> {
    match verdict {
        Verdict::Different(pairs) => pairs
            .iter()
            .map(|&pair| map.pairs[pair].name.clone())
            .collect(),
        Verdict::Agree | Verdict::Missing => vec![],
    }
}
