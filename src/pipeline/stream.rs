//! The fast first look of an audit: both tables are read once, from end to end, and paired by fingerprints.
//!
//! It only finds out which rows are equal. Whatever is not known to be equal when it ends, or when it is stopped, is
//! noted in the position as ids to look at, and the pass goes on with them as with any others: looked up, compared,
//! confirmed, called back. So nothing here can report a false difference, and stopping anywhere misses none.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::{Duplicates, Pass};
use crate::error::{Error, Result};
use crate::logic::cell::{Cell, Id};
use crate::logic::checkpoint::Position;
use crate::logic::fingerprint::{Fingerprinter, KeyFold};
use crate::logic::gaps::{Gap, Span, spans_of};
use crate::logic::pairing::{Pairing, Record, Side, Spill};
use crate::world::{Destination, Place, Source, Visitor};

/// Rows of one query.
const BATCH_ROWS: usize = 50_000;

/// Keys with several rows in a destination that are looked at one by one.
const REPEATED_KEYS_MAX: usize = 10_000;

/// How an audit reads whole tables.
pub struct Streaming<'a> {
    /// What unpaired records may take in memory, all destinations together.
    pub memory_bytes: usize,
    /// Keys the fingerprints of this run.
    pub seed: u64,
    /// Makes the place for what memory does not hold.
    pub spill: &'a dyn Fn() -> Box<dyn Spill>,
}

/// A destination that takes part.
struct Member {
    number: usize,
    pairing: Pairing,
    spill: Box<dyn Spill>,
    batches: Receiver<Result<DestinationBatch>>,
    is_done: bool,
    /// Why it takes part no more.
    error: Option<Error>,
}

struct SourceBatch {
    /// For each member.
    records: Vec<Vec<Record>>,
    /// Rows whose key is NULL, which finds nothing.
    without_key: Vec<i64>,
    rows: u64,
    /// Everything up to here has been read.
    read_to: Id,
}

struct DestinationBatch {
    records: Vec<Record>,
    is_last: bool,
}

impl Pass<'_, '_> {
    /// Streams from where the one position is, and leaves in it what is not known to be equal. Does nothing, so that
    /// the scan looks everything up, where positions differ or a destination cannot be streamed.
    pub(super) fn stream(&mut self, how: &Streaming<'_>) -> Result<()> {
        let [position] = &self.positions[..] else {
            return Ok(());
        };
        let position = position.clone();
        let from = position.next_id.unwrap_or(self.start_id);
        let Some(to) = self.source.bounds()?.id_max.filter(|&max| max >= from) else {
            return Ok(());
        };
        let Some(folds) = self.folds(&position) else {
            return Ok(());
        };
        let (reached, mut suspects) = self.pair(Span { from, to }, &folds, how)?;
        suspects.sort_unstable();
        let mut repeated = self.ids_of_repeated_keys(&folds)?;
        repeated.retain(|id| suspects.binary_search(id).is_err());
        self.will_be_counted(repeated.len());
        suspects.append(&mut repeated);
        let due_us = i64::MIN; // Looked at once and then forgotten.
        let holes =
            spans_of(suspects)
                .into_iter()
                .map(|Span { from, to }| Gap { from, to, due_us });
        let [position] = &mut self.positions[..] else {
            return Ok(());
        };
        position.gaps.holes.extend(holes);
        position.next_id = Some(reached + 1);
        Ok(())
    }

    /// The scan will count these rows when it looks at them.
    fn will_be_counted(&self, rows: usize) {
        let mut shared = self.shared();
        shared.summary.compared = shared.summary.compared.saturating_sub(rows as u64);
    }

    /// Rows with several copies, which may agree with one of them: the pairing is content with that one.
    fn ids_of_repeated_keys(&self, folds: &[(usize, KeyFold)]) -> Result<Vec<Id>> {
        if self.options.duplicates == Duplicates::Counted {
            return Ok(vec![]);
        }
        let mut ids = Vec::new();
        for &(number, _) in folds.iter().filter(|(number, _)| !self.is_unread(*number)) {
            let name = &self.job.destinations[number].name;
            match self.destinations[number].repeated_keys(REPEATED_KEYS_MAX) {
                Ok(keys) => {
                    if keys.len() == REPEATED_KEYS_MAX {
                        self.observer.warn(&format!(
                            "Destination {name} has more than {REPEATED_KEYS_MAX} keys with several rows; the others are not looked at"
                        ));
                    }
                    ids.extend(self.source.ids_of(&keys)?);
                }
                Err(error) => self.observer.warn(&format!(
                    "Keys with several rows are not looked for in {name}: {error}"
                )),
            }
        }
        Ok(ids)
    }

    /// The destinations that can be streamed; `None` when one can be read, but not so.
    fn folds(&mut self, position: &Position) -> Option<Vec<(usize, KeyFold)>> {
        let mut folds = Vec::new();
        for (number, destination) in self.job.destinations.iter().enumerate() {
            if !position.destinations.contains(&destination.name) {
                continue;
            }
            let table = self.destinations[number];
            match table.map().and_then(|_| table.stream()) {
                Ok(Some(fold)) => folds.push((number, fold)),
                Ok(None) => return None,
                Err(error) => self.leave_stream(number, position, &error),
            }
        }
        Some(folds)
    }

    /// The destination stays where it was before this stream.
    fn leave_stream(&mut self, number: usize, before: &Position, error: &Error) {
        self.mark_unread(number, error);
        let name = &self.job.destinations[number].name;
        if let [position] = &mut self.positions[..] {
            position.destinations.retain(|member| member != name);
        }
        self.left_behind.push(Position {
            destinations: vec![name.clone()],
            ..before.clone()
        });
    }

    /// Reads both sides and pairs them. Returns how far the source was read, and which rows are not known to be equal.
    fn pair(
        &mut self,
        span: Span,
        folds: &[(usize, KeyFold)],
        how: &Streaming<'_>,
    ) -> Result<(Id, Vec<Id>)> {
        let before = self.positions[0].clone();
        let unsigned = span.to > Id::from(i64::MAX);
        let (mut reached, mut suspects) = (span.from - 1, Vec::new());
        let mut failed: Vec<(usize, Error)> = Vec::new();
        let source = self.source;
        let memory_bytes = how.memory_bytes / folds.len().max(1);
        std::thread::scope(|scope| -> Result<()> {
            let mut makers = Vec::new();
            let mut members = Vec::new();
            for &(number, fold) in folds {
                let destination = self.destinations[number];
                let map = destination.map()?;
                makers.push(Fingerprinter::of_source(map, fold, how.seed));
                let maker = Fingerprinter::of_destination(map, fold, how.seed);
                let (sender, batches) = sync_channel(1);
                scope.spawn(move || read_destination(destination, maker, &sender));
                members.push(Member::new(number, memory_bytes, (how.spill)(), batches));
            }
            let (sender, batches) = sync_channel(1);
            scope.spawn(move || read_source(source, span, makers, &sender));
            let mut is_source_done = false;
            let all_read = |members: &[Member], is_source_done: bool| {
                is_source_done && members.iter().all(|member| member.is_done)
            };
            while !self.is_scan_over() && !all_read(&members, is_source_done) {
                if let Some(member) = members
                    .iter_mut()
                    .find(|member| member.is_behind(is_source_done))
                {
                    member.read()?;
                    continue;
                }
                let Ok(batch) = batches.recv() else {
                    is_source_done = true;
                    continue;
                };
                let SourceBatch {
                    records,
                    without_key,
                    rows,
                    read_to,
                } = batch?;
                for (member, records) in members
                    .iter_mut()
                    .zip(&records)
                    .filter(|(member, _)| member.error.is_none())
                {
                    member
                        .pairing
                        .add(Side::Source, records, &mut *member.spill)?;
                }
                suspects.extend(without_key);
                reached = read_to;
                let members = members
                    .iter()
                    .filter(|member| member.error.is_none())
                    .count();
                let mut shared = self.shared();
                shared.summary.compared += rows * members as u64;
                self.observer.progress(
                    shared.summary.compared,
                    u64::try_from(span.to - reached).unwrap_or(0),
                );
            }
            for Member {
                number,
                pairing,
                mut spill,
                error,
                ..
            } in members
            {
                match error {
                    Some(error) => failed.push((number, error)),
                    None => suspects.extend(pairing.finish(&mut *spill)?.source),
                }
            }
            Ok(())
        })?;
        self.will_be_counted(suspects.len());
        for (number, error) in failed {
            self.leave_stream(number, &before, &error);
        }
        #[allow(clippy::cast_sign_loss, reason = "the inverse of the visitor's")]
        let id = |tag: i64| {
            if unsigned {
                Id::from(tag as u64)
            } else {
                Id::from(tag)
            }
        };
        Ok((reached, suspects.into_iter().map(id).collect()))
    }
}

impl Member {
    fn new(
        number: usize,
        memory_bytes: usize,
        spill: Box<dyn Spill>,
        batches: Receiver<Result<DestinationBatch>>,
    ) -> Self {
        let pairing = Pairing::new(memory_bytes, false);
        Self {
            number,
            pairing,
            spill,
            batches,
            is_done: false,
            error: None,
        }
    }

    /// Of two tables in a similar order the one that is ahead has more rows waiting for the other.
    fn is_behind(&self, is_source_done: bool) -> bool {
        let (source, destination) = self.pairing.waiting();
        !self.is_done && (is_source_done || source > destination)
    }

    /// Takes the next batch in.
    fn read(&mut self) -> Result<()> {
        match self.batches.recv() {
            Ok(Ok(DestinationBatch { records, is_last })) => {
                self.is_done = is_last;
                self.pairing
                    .add(Side::Destination, &records, &mut *self.spill)?;
            }
            Ok(Err(error)) => {
                self.is_done = true;
                self.error = Some(error);
            }
            Err(_) => self.is_done = true,
        }
        Ok(())
    }
}

/// Reads the source until its end, or until nobody listens.
fn read_source(
    source: &dyn Source,
    span: Span,
    makers: Vec<Fingerprinter>,
    to: &SyncSender<Result<SourceBatch>>,
) {
    let mut visitor = SourceVisitor {
        makers,
        records: vec![],
        without_key: vec![],
        rows: 0,
    };
    let mut from = span.from;
    loop {
        let last = match source.visit(Span { from, to: span.to }, BATCH_ROWS, &mut visitor) {
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

    fn row(&mut self, id: Id, key: &Cell, cells: &[Cell]) {
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
fn read_destination(
    destination: &dyn Destination,
    maker: Fingerprinter,
    to: &SyncSender<Result<DestinationBatch>>,
) {
    let mut visitor = DestinationVisitor {
        maker,
        records: vec![],
    };
    let mut after: Option<Place> = None;
    loop {
        let next = match destination.visit(after.as_ref(), BATCH_ROWS, &mut visitor) {
            Ok(next) => next,
            Err(error) => {
                let _ = to.send(Err(error)); // Nobody listens: nobody wants to know.
                return;
            }
        };
        let batch = DestinationBatch {
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
}

impl Visitor for DestinationVisitor {
    fn restart(&mut self) {
        self.records = Vec::with_capacity(BATCH_ROWS);
    }

    fn row(&mut self, _: Id, key: &Cell, cells: &[Cell]) {
        if let Some(key) = self.maker.key(key) {
            self.records.push(Record {
                key,
                row: self.maker.row(cells),
                tag: 0,
            });
        }
    }
}
