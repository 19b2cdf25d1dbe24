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

/// A batch of a destination.
pub(super) struct DestinationBatch {
    pub(super) began: Option<Place>,
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
        batch: 0,
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
        let batch = DestinationBatch {
            began: after.take(),
            records: std::mem::take(&mut visitor.records),
            is_last: next.is_none(),
        };
        if to.send(Ok(batch)).is_err() || next.is_none() {
            return;
        }
        after = next;
        visitor.batch += 1;
    }
}

struct DestinationVisitor {
    maker: Fingerprinter,
    records: Vec<Record>,
    batch: i64,
}

impl Visitor for DestinationVisitor {
    fn restart(&mut self) {
        self.records = Vec::with_capacity(BATCH_ROWS);
    }

    fn row(&mut self, _: Id, key: CellRef<'_>, cells: &dyn Cells) {
        if let Some(key) = self.maker.key(key) {
            self.records.push(Record {
                key,
                row: self.maker.row(cells),
                tag: self.batch,
            });
        }
    }
}
