//! Where in a table to read next, when only a shard of its ids is looked at.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::logic::gaps::Span;
use crate::logic::shard::{Shard, Walk};

/// The pieces of one table, for all its readers.
#[derive(Debug)]
pub(super) struct Pieces(Option<Mutex<Walk>>);

impl Pieces {
    /// Without a shard every span is one piece.
    pub(super) fn new(shard: Option<Shard>) -> Self {
        Self(shard.map(|shard| Mutex::new(Walk::new(shard))))
    }

    /// What to read next of a span; `None` at its end.
    pub(super) fn next(&self, span: Span) -> Option<Span> {
        match &self.0 {
            Some(walk) => locked(walk).piece(span),
            None => (span.from <= span.to).then_some(span),
        }
    }

    /// A query over these ids brought so many rows.
    pub(super) fn has_read(&self, span: Span, rows: usize) {
        if let Some(walk) = &self.0 {
            locked(walk).has_read(span, rows as u64);
        }
    }
}

fn locked(walk: &Mutex<Walk>) -> MutexGuard<'_, Walk> {
    walk.lock().unwrap_or_else(PoisonError::into_inner)
}
