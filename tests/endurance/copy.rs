//! One copy of the table: the copier that keeps it up to date, a little later, and whoever else writes into it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;

use crate::common::Db;
use crate::ledger::{Change, Healer, Ledger};
use crate::session::Session;

/// A row as it is to be in the copy.
pub(crate) struct Content {
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) avatar: String,
}

/// Changes on their way, by the time of their arrival.
#[derive(Default)]
struct OnTheWay {
    changes: BinaryHeap<Reverse<(Instant, u64)>>,
    by_version: HashMap<u64, Change>,
    /// One is being written.
    busy: bool,
    ended: bool,
}

/// Written newest first or last: an older version never replaces a newer one.
pub(crate) struct Copy {
    place: usize,
    upsert: String,
    delete: String,
    ledger: Arc<Ledger>,
    /// The session, and the version of each row that the copy holds.
    table: Mutex<(Session, HashMap<u64, u64>)>,
    queue: Mutex<OnTheWay>,
    changed: Condvar,
}

impl Copy {
    pub(crate) fn new(db: &Db, place: usize, ledger: &Arc<Ledger>) -> Self {
        let table = format!("`{}`.user", db.copies[place]);
        Self {
            place,
            upsert: format!(
                "INSERT INTO {table} (number, name, avatar) VALUES (?, ?, ?)
                 ON DUPLICATE KEY UPDATE name = VALUES(name), avatar = VALUES(avatar)"
            ),
            delete: format!("DELETE FROM {table} WHERE number = ?"),
            ledger: Arc::clone(ledger),
            table: Mutex::new((Session::new(Arc::clone(&db.server)), HashMap::new())),
            queue: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, OnTheWay> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a row, or deletes it, unless the copy holds a newer version.
    pub(crate) fn write(
        &self,
        id: u64,
        version: u64,
        healer: Healer,
        number: &str,
        row: Option<&Content>,
    ) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let (session, held) = &mut *table;
        if held.get(&id).is_some_and(|held| *held >= version) {
            return;
        }
        match row {
            Some(row) => session
                .insist(|conn| conn.exec_drop(&self.upsert, (&row.number, &row.name, &row.avatar))),
            None => session.insist(|conn| conn.exec_drop(&self.delete, (number,))),
        }
        held.insert(id, version);
        self.ledger.arrived((self.place, id), version, healer);
    }

    /// The change arrives after this lag.
    pub(crate) fn send(&self, change: Change, lag: Duration) {
        let mut queue = self.queue();
        let due = Instant::now() + lag;
        queue.changes.push(Reverse((due, change.version)));
        queue.by_version.insert(change.version, change);
        self.changed.notify_all();
    }

    /// Copies until [`Self::end`], and then what is still on its way.
    pub(crate) fn run(&self) {
        while let Some(change) = self.next() {
            let row = (!change.deletes).then(|| Content {
                number: change.number(),
                name: change.name(),
                avatar: change.avatar(),
            });
            self.write(
                change.id,
                change.version,
                Healer::Copier,
                &change.number(),
                row.as_ref(),
            );
            self.ledger.copied(self.place, &change);
            self.queue().busy = false;
        }
    }

    fn next(&self) -> Option<Change> {
        let mut queue = self.queue();
        loop {
            let first = queue.changes.peek().map(|Reverse(first)| *first);
            let wait = match first {
                Some((due, version)) if due <= Instant::now() => {
                    queue.changes.pop();
                    queue.busy = true;
                    return queue.by_version.remove(&version);
                }
                Some((due, _)) => due.saturating_duration_since(Instant::now()),
                None if queue.ended => return None,
                None => Duration::from_secs(1),
            };
            let waited = self.changed.wait_timeout(queue, wait);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Nothing is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        let queue = self.queue();
        queue.changes.is_empty() && !queue.busy
    }

    pub(crate) fn end(&self) {
        self.queue().ended = true;
        self.changed.notify_all();
    }
}
