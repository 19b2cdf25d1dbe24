//! Checksums that the two servers compute: the sum of a number for each row, which says what the row holds.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use cupid::error::Result;
use cupid::logic::audit::checksum::{Checksum, Chunk, KeyRange};
use cupid::logic::scan::gaps::Span;
use cupid::logic::value::cell::Cell;
use cupid::world::Checksums;

use crate::source::{key_and_version, key_cell, small};
use crate::table::Content;
use crate::view::{Side, turn_to};

/// Of one destination and the source.
pub(crate) struct Sums<'s> {
    pub(crate) side: &'s Side<'s>,
    pub(crate) seed: u64,
}

impl Sums<'_> {
    fn sum(&self, rows: impl Iterator<Item = (Option<i64>, Content)>) -> Checksum {
        let mut checksum = Checksum {
            rows: 0,
            sum: Some(0),
        };
        for (key, Content { v, w }) in rows {
            let mut hasher = DefaultHasher::new();
            (self.seed, key, v, w).hash(&mut hasher);
            checksum.rows += 1;
            let sum = hasher.finish() >> 32;
            checksum.sum = checksum.sum.map(|so_far| so_far + sum);
        }
        checksum
    }
}

/// A key, as the keys of a table are ordered.
fn place(key: Option<&Cell>, otherwise: i64) -> i64 {
    let key = key.and_then(key_and_version);
    key.map_or(otherwise, |(key, _)| key)
}

impl Checksums for Sums<'_> {
    fn of_source(&self, spans: &[Span]) -> Result<Vec<Chunk>> {
        let Side { view, number } = self.side;
        turn_to(*number);
        let first = spans.first().map_or(0, |span| small(span.from));
        let mut model = view.read_source("sum up the source", first)?;
        let mut chunks = Vec::with_capacity(spans.len());
        for &span in spans {
            let rows = model.rows_between(small(span.from), small(span.to));
            let rows: Vec<(i64, Content)> = rows.map(|(id, row)| (id, row.content)).collect();
            for &(id, content) in &rows {
                model.visited(view.process, *number, id, content);
            }
            let keyed = rows.iter().map(|&(id, row)| (model.plan.key_of(id), row));
            let checksum = self.sum(keyed);
            let first_key = rows.first().and_then(|&(id, _)| model.plan.key_of(id));
            chunks.push(Chunk {
                span,
                checksum,
                first_key: first_key.map_or(Cell::Null, key_cell),
            });
        }
        let process = view.process;
        model.tell(|| format!("[{process}] sum up the source: {chunks:?}"));
        Ok(chunks)
    }

    fn of_destination(&self, ranges: &[KeyRange]) -> Result<Vec<Checksum>> {
        let Side { view, number } = self.side;
        let from = |range: &KeyRange| place(range.from.as_ref(), i64::MIN);
        let first = ranges.first().map_or(0, from);
        let mut model = self.side.read("sum up a destination", first)?;
        let mut sums = Vec::with_capacity(ranges.len());
        for range in ranges {
            let (from, below) = (from(range), place(range.below.as_ref(), i64::MAX));
            let keys = model.copies[*number].rows.range(from..below.max(from));
            let keys: Vec<i64> = keys.map(|(&key, _)| key).collect();
            for &key in &keys {
                model.visited_copies(view.process, *number, key);
            }
            let rows = keys.iter().flat_map(|&key| {
                let copies = model.copies(*number, key);
                copies.map(move |copy| (Some(key), copy))
            });
            sums.push(self.sum(rows));
        }
        let process = view.process;
        model.tell(|| format!("[{process}] sum up d{number}: {ranges:?}: {sums:?}"));
        Ok(sums)
    }
}
