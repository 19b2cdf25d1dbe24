//! Two readers of a stream: rows in, batches of records out, one thread each.

use std::sync::mpsc::SyncSender;

use super::throttle::Throttle;
use crate::error::Result;
use crate::logic::cell::{CellRef, Cells, Id};
use crate::logic::fingerprint::Fingerprinter;
use crate::logic::gaps::Span;
use crate::logic::pairing::Record;
use crate::world::{Destination, Place, Source, Visitor};

/// Rows of one query, at the most.
pub(super) const BATCH_ROWS: usize = 50_000;

/// A batch of the source.
pub(super) struct SourceBatch {
    /// For each member.
    pub(super) records: Vec<Vec<Record>>,
    /// Rows whose key is NULL, which finds nothing.
    pub(super) without_key: Vec<i64>,
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
    let limit = throttle.rows_at_once(BATCH_ROWS);
    let mut visitor = SourceVisitor {
        makers,
        records: vec![],
        without_key: vec![],
        rows: 0,
    };
    let mut from = span.from;
    loop {
        let turn = throttle.turn();
        let last = match source.visit(Span { from, to: span.to }, limit, &mut visitor) {
            Ok(last) => last,
            Err(error) => {
                let _ = to.send(Err(error)); // Nobody listens: nobody wants to know.
                return;
            }
        };
        let SourceVisitor {
            records,
            without_key,
            rows,
            ..
        } = &mut visitor;
        turn.took(usize::try_from(*rows).unwrap_or(usize::MAX));
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
    without_key: Vec<i64>,
    rows: u64,
}

impl Visitor for SourceVisitor {
    fn restart(&mut self) {
        self.records = self
            .makers
            .iter()
            .map(|_| Vec::with_capacity(BATCH_ROWS))
            .collect();
        self.without_key.clear();
        self.rows = 0;
    }

    fn row(&mut self, id: Id, key: CellRef<'_>, cells: &dyn Cells) {
        self.rows += 1;
        #[allow(
            clippy::cast_possible_truncation,
            reason = "the low 64 bits; `pair` knows the sign"
        )]
        let tag = id as i64;
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
}

/// Reads a destination until its end, or until nobody listens.
pub(super) fn read_destination(
    destination: &dyn Destination,
    maker: Fingerprinter,
    throttle: &Throttle<'_>,
    to: &SyncSender<Result<DestinationBatch>>,
) {
    let limit = throttle.rows_at_once(BATCH_ROWS);
    let mut visitor = DestinationVisitor {
        maker,
        records: vec![],
        sections: vec![],
        before: 0,
        rows_before: 0,
    };
    let mut after: Option<Place> = None;
    loop {
        let turn = throttle.turn();
        let next = match destination.visit(after.as_ref(), limit, &mut visitor) {
            Ok(next) => next,
            Err(error) => {
                let _ = to.send(Err(error)); // Nobody listens: nobody wants to know.
                return;
            }
        };
        turn.took(visitor.records.len());
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

struct DestinationVisitor {
    maker: Fingerprinter,
    records: Vec<Record>,
    sections: Vec<Section>,
    /// Sections of the batches before.
    before: usize,
    /// Rows of the batches before.
    rows_before: usize,
}

impl Visitor for DestinationVisitor {
    fn restart(&mut self) {
        self.records = Vec::with_capacity(BATCH_ROWS);
        let (began, rows) = (None, 0);
        self.sections = vec![Section { began, rows }];
    }

    fn row(&mut self, _: Id, key: CellRef<'_>, cells: &dyn Cells) {
        let tag = self.before + self.sections.len() - 1;
        if let Some(key) = self.maker.key(key) {
            self.records.push(Record {
                key,
                row: self.maker.row(cells),
                tag: i64::try_from(tag).unwrap_or(i64::MAX),
            });
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
