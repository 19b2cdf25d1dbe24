//! Where in a table to read next, when only a shard of its ids is looked at.

use std::sync::{Mutex, OnceLock};

use crate::locks::locked;
use crate::logic::audit::shard::{Shard, Walk};
use crate::logic::scan::gaps::Span;

/// The pieces of one table, for all its readers.
#[derive(Debug)]
pub(super) struct Pieces(Option<Sharded>);

#[derive(Debug)]
struct Sharded {
    walk: Mutex<Walk>,
    /// Where the table's ids lie; `None` inside when it is empty. Not only for speed: a server may read all of an unsigned
    /// column's index to find nothing between two negative numbers.
    ends: OnceLock<Option<Span>>,
}

impl Pieces {
    /// Without a shard every span is one piece.
    pub(super) fn new(shard: Option<Shard>) -> Self {
        Self(shard.map(|shard| Sharded {
            walk: Mutex::new(Walk::new(shard)),
            ends: OnceLock::new(),
        }))
    }

    /// What to read next of a span; `None` at its end. `ends` asks the server for the lowest and the highest id to read,
    /// and is called once.
    pub(super) fn next<E>(
        &self,
        span: Span,
        ends: impl FnOnce() -> Result<Option<Span>, E>,
    ) -> Result<Option<Span>, E> {
        let Some(sharded) = &self.0 else {
            return Ok((span.from <= span.to).then_some(span));
        };
        let ends = if let Some(ends) = sharded.ends.get() {
            *ends
        } else {
            let asked = ends()?;
            *sharded.ends.get_or_init(|| asked)
        };
        let piece = ends.and_then(|ends| {
            let from = span.from.max(ends.from);
            let to = span.to.min(ends.to);
            locked(&sharded.walk).piece(Span { from, to })
        });
        Ok(piece)
    }

    /// A query over these ids brought so many rows.
    pub(super) fn has_read(&self, span: Span, rows: usize) {
        if let Some(sharded) = &self.0 {
            locked(&sharded.walk).has_read(span, rows as u64);
        }
    }
}
