//! Two readers of a stream: rows in, batches of records out, one thread each.

use std::sync::mpsc::SyncSender;

use crate::error::{Error, Result};
use crate::logic::audit::fingerprint::Fingerprinter;
use crate::logic::audit::pace::{STRIDE_ROWS_MAX, Stride};
use crate::logic::audit::record::{Record, Tag};
use crate::logic::scan::circle::Circle;
use crate::logic::scan::gaps::Span;
use crate::logic::value::cell::{CellRef, Cells, ColumnType, Id};
use crate::logic::value::print;
use crate::pipeline::throttle::Throttle;
use crate::world::{Place, Source, Visitor, WholeTable};

/// A batch of the source.
pub(super) struct SourceBatch {
    /// For each member.
    pub(super) records: Vec<Vec<Record>>,
    /// Rows whose key is NULL, which finds nothing.
    pub(super) without_key: Vec<Tag>,
    pub(super) rows: u64,
    /// Everything up to here has been read.
    pub(super) read_to: Id,
}

/// Rows of a [`Section`], at the least.
const SECTION_ROWS: usize = 1_024;
/// Sections of a table, about: later ones are longer where it has many more rows.
const SECTIONS: usize = 32_768;

/// Rows of a destination that can be read again.
pub(super) struct Section {
    /// Behind this place.
    pub(super) began: Option<Place>,
    pub(super) rows: usize,
}

/// A batch of a destination.
pub(super) struct DestinationBatch {
    /// The tag of a record is the number of its section, counted from the table's beginning.
    pub(super) sections: Vec<Section>,
    pub(super) records: Vec<Record>,
    pub(super) is_last: bool,
}

/// Reads the source until its end, or until nobody listens.
pub(super) fn read_source(
    source: &dyn Source,
    span: Span,
    makers: Vec<Fingerprinter>,
    throttle: &Throttle<'_>,
    to: &SyncSender<Result<SourceBatch>>,
) {
    let mut stride = Stride::default();
    let mut visitor = SourceVisitor {
        makers,
        records: vec![],
        without_key: vec![],
        rows: 0,
    };
    let mut from = span.from;
    loop {
        let turn = throttle.turn();
        let limit = throttle.rows_at_once(stride.rows());
        let last = match source.visit(Span { from, to: span.to }, limit, &mut visitor) {
            Ok(Some(last)) if last < from => {
                let _ = to.send(Err(no_progress(&format!("id {from}")))); // Nobody listens: nobody wants to know.
                return;
            }
            Ok(last) => last,
            Err(error) => {
                let _ = to.send(Err(error));
                return;
            }
        };
        let SourceVisitor {
            records,
            without_key,
            rows,
            ..
        } = &mut visitor;
        let count = usize::try_from(*rows).unwrap_or(usize::MAX);
        stride = stride.learnt(count, turn.took(count));
        let batch = SourceBatch {
            records: std::mem::take(records),
            without_key: std::mem::take(without_key),
            rows: *rows,
            read_to: last.unwrap_or(span.to),
        };
        if to.send(Ok(batch)).is_err() {
            return;
        }
        match last.filter(|&last| last < span.to) {
            Some(last) => from = last + 1,
            None => return,
        }
    }
}

struct SourceVisitor {
    makers: Vec<Fingerprinter>,
    records: Vec<Vec<Record>>,
    without_key: Vec<Tag>,
    rows: u64,
}

impl Visitor for SourceVisitor {
    fn restart(&mut self) {
        self.records = self
            .makers
            .iter()
            .map(|_| Vec::with_capacity(STRIDE_ROWS_MAX))
            .collect();
        self.without_key.clear();
        self.rows = 0;
    }

    fn row(&mut self, id: Id, key: CellRef<'_>, cells: &dyn Cells) {
        self.rows += 1;
        let tag = Tag::of_id(id);
        for (maker, records) in self.makers.iter_mut().zip(&mut self.records) {
            let Some(key) = maker.key(key) else {
                self.without_key.push(tag);
                return;
            };
            records.push(Record {
                key,
                row: maker.row(cells),
                tag,
            });
        }
    }

    /// Whoever looks it up will find out.
    fn too_large(&mut self, id: Id, _: CellRef<'_>) {
        self.rows += 1;
        self.without_key.push(Tag::of_id(id));
    }

    fn passed(&mut self, _: &dyn Fn() -> Place) {}
}

/// Reads a destination until its end, or until nobody listens. Also where nobody does, `fails` is told why it cannot be
/// read on.
pub(super) fn read_destination(
    table: &dyn WholeTable,
    maker: Fingerprinter,
    throttle: &Throttle<'_>,
    to: &SyncSender<Result<DestinationBatch>>,
    fails: impl Fn(&Error),
) {
    let mut stride = Stride::default();
    let mut visitor = DestinationVisitor {
        maker,
        records: vec![],
        sections: vec![],
        before: 0,
        rows_before: 0,
    };
    let mut after: Option<Place> = None;
    let mut circle = Circle::default();
    loop {
        let turn = throttle.turn();
        let limit = throttle.rows_at_once(stride.rows());
        let next = match table.visit(after.as_ref(), limit, &mut visitor) {
            Ok(Some(place)) if circle.closes(&place) => {
                let _ = to.send(Err(no_progress(&shown(&place)))); // Nobody listens: nobody wants to know.
                return;
            }
            Ok(next) => next,
            Err(error) => {
                fails(&error);
                let _ = to.send(Err(error));
                return;
            }
        };
        let count = visitor.sections.iter().map(|section| section.rows).sum();
        stride = stride.learnt(count, turn.took(count));
        visitor.rows_before += visitor.records.len();
        visitor.before += visitor.sections.len();
        let mut sections = std::mem::take(&mut visitor.sections);
        if let Some(first) = sections.first_mut() {
            first.began = after.take();
        }
        let batch = DestinationBatch {
            sections,
            records: std::mem::take(&mut visitor.records),
            is_last: next.is_none(),
        };
        if to.send(Ok(batch)).is_err() || next.is_none() {
            return;
        }
        after = next;
    }
}

/// A table does not come to its end.
fn no_progress(place: &str) -> Error {
    Error::Database {
        operation: "Page through the table in the order of its primary key".into(),
        reason: format!(
            "a page that begins behind {place} ends before it, so the server does not find the place of a key that it sent; \
             compare a range of ids (--from-id, --to-id), whose rows are looked up one by one"
        ),
    }
}

fn shown(place: &Place) -> String {
    let cells = place.0.iter();
    let cells = cells.map(|cell| print::report_text(cell, ColumnType::Text));
    let cells: Vec<_> = cells.collect();
    format!("({})", cells.join(", "))
}

struct DestinationVisitor {
    maker: Fingerprinter,
    records: Vec<Record>,
    sections: Vec<Section>,
    /// Sections of the batches before.
    before: usize,
    /// Rows of the batches before.
    rows_before: usize,
}

/// The fingerprint of a row that was not read. That another row has it is as likely as any chance hit of fingerprints.
const NO_ROW: u128 = 0;

impl DestinationVisitor {
    fn push(&mut self, key: u128, row: u128) {
        let tag = Tag::of_section(self.before + self.sections.len() - 1);
        self.records.push(Record { key, row, tag });
    }
}

impl Visitor for DestinationVisitor {
    fn restart(&mut self) {
        self.records = Vec::with_capacity(STRIDE_ROWS_MAX);
        let (began, rows) = (None, 0);
        self.sections = vec![Section { began, rows }];
    }

    fn row(&mut self, _: Id, key: CellRef<'_>, cells: &dyn Cells) {
        if let Some(key) = self.maker.key(key) {
            let row = self.maker.row(cells);
            self.push(key, row);
        }
    }

    /// It has its key, and is like no row of the source.
    fn too_large(&mut self, _: Id, key: CellRef<'_>) {
        if let Some(key) = self.maker.key(key) {
            self.push(key, NO_ROW);
        }
    }

    fn passed(&mut self, place: &dyn Fn() -> Place) {
        let rows_max = SECTION_ROWS.max((self.rows_before + self.records.len()) / SECTIONS);
        let Some(section) = self.sections.last_mut() else {
            return;
        };
        section.rows += 1;
        if section.rows >= rows_max {
            let (began, rows) = (Some(place()), 0);
            self.sections.push(Section { began, rows });
        }
    }
}

#[cfg(test)]
mod tests;
