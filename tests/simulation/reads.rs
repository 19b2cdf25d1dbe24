//! Which source row a copy is compared with: the pipeline reads a batch while the one before is looked up.

use std::collections::HashMap;
use std::thread::{ThreadId, current};

use crate::model::Content;

/// A source row as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) content: Content,
    pub(crate) tick: u64,
}

type Batch = HashMap<i64, Read>;

/// What a run has read and not yet compared.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    /// The thread that scans.
    scanner: Option<ThreadId>,
    /// The last batch of a scan, and the one before.
    last: Batch,
    before: Batch,
    /// The last batch has been read since cupid decided what to read.
    pub(crate) ahead: bool,
    /// Whole rows, which the same thread looks up next.
    whole: HashMap<ThreadId, Batch>,
}

impl Reads {
    /// The next batch is asked for. It stays empty when it cannot be read.
    pub(crate) fn scan(&mut self) {
        self.scanner = Some(current().id());
        self.before = std::mem::take(&mut self.last);
    }

    pub(crate) fn scanned(&mut self, batch: Batch) {
        self.last = batch;
    }

    pub(crate) fn whole(&mut self, batch: Batch) {
        self.whole.insert(current().id(), batch);
    }

    /// The current thread looks up a batch while the scanner reads the next one.
    pub(crate) fn is_beside_scanner(&self) -> bool {
        let me = current().id();
        self.scanner != Some(me) && !self.whole.contains_key(&me)
    }

    /// What the current thread compares these rows with.
    pub(crate) fn compared(&mut self, ids: &[i64]) -> Batch {
        if self.is_beside_scanner() {
            return self.before.clone();
        }
        let whole = self.whole.get(&current().id());
        let is_of = |batch: &&Batch| {
            batch.len() == ids.len() && ids.iter().all(|id| batch.contains_key(id))
        };
        whole.filter(is_of).unwrap_or(&self.last).clone()
    }
}
