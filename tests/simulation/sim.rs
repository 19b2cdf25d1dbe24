//! The model and its lock.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use cupid::logic::compare::cells::{Comparator, Rule};
use cupid::logic::compare::rows::{ColumnMap, Pair};
use cupid::logic::value::cell::{Column, ColumnType};

use crate::model::Model;
use crate::threads::Threads;

/// The world, for all threads of all processes.
pub(crate) struct Sim {
    model: Mutex<Model>,
    threads: Mutex<Threads>,
    pub(crate) columns: Vec<Column>,
    pub(crate) map: ColumnMap,
}

impl Sim {
    pub(crate) fn new(model: Model) -> Self {
        let mut threads = Threads::new();
        threads.begin();
        let column = |name: &str, column_type| Column {
            name: name.into(),
            column_type,
        };
        let pair = |name: &str, source_index| Pair {
            name: name.into(),
            destination: name.into(),
            in_server_zone: false,
            source_index,
            source_type: ColumnType::Int,
            destination_type: ColumnType::Int,
            comparator: Comparator::new(ColumnType::Int, ColumnType::Int, &Rule::default()),
        };
        Self {
            model: Mutex::new(model),
            threads: Mutex::new(threads),
            columns: vec![
                column("id", ColumnType::Int),
                column("k", ColumnType::Int),
                column("v", ColumnType::Int),
                column("w", ColumnType::Int),
                column("updated", ColumnType::DateTime(6)),
            ],
            map: ColumnMap {
                pairs: vec![pair("v", 0), pair("w", 1)],
                key_type: ColumnType::Int,
                destination_key_type: ColumnType::Int,
            },
        }
    }

    /// A thread that waits for the model does not sleep: it has a turn.
    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        loop {
            match self.model.try_lock() {
                Ok(model) => return model,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
    }

    /// All threads sleep, but the current one and those that wait for a turn.
    pub(crate) fn others_sleep(&self, waiting: &[u32]) -> bool {
        let threads = self.threads.lock();
        threads
            .unwrap_or_else(PoisonError::into_inner)
            .others_sleep(waiting)
    }
}
