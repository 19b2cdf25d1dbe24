//! The application that writes the source table: short transactions, long ones that hold their ids and update times and
//! commit late, some that roll back; and the decision which of its changes get lost on the way to which copy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;

use crate::common::Db;
use crate::copy::Copy;
use crate::ledger::{Change, Ledger};
use crate::rng::Rng;
use crate::session::Session;

/// How much is written, and how well it is copied. Chances are per mille.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Threads that write short transactions, with pauses of up to twice this between them.
    pub(crate) short: u64,
    pub(crate) pause: Duration,
    /// Threads that keep theirs open for up to this long.
    pub(crate) long: u64,
    pub(crate) hold_max: Duration,
    pub(crate) rollbacks: u64,
    /// `lateCommitSecond`: of a transaction that was open for longer nothing is promised, so nothing of it is lost.
    pub(crate) promise: Duration,
    /// Of the changes in short transactions, in each copy; and of those in long ones, which are harder to find.
    pub(crate) losses: u64,
    pub(crate) late_losses: u64,
    pub(crate) lag_max: Duration,
}

/// Threads that write until they are stopped.
pub(crate) struct Writer {
    stopping: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(
        pace: Pace,
        db: &Arc<Db>,
        copies: &[Arc<Copy>],
        ledger: &Arc<Ledger>,
    ) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let threads = (0..pace.short + pace.long).map(|number| {
            let is_long = number >= pace.short;
            let losses = if is_long {
                pace.late_losses
            } else {
                pace.losses
            };
            let mut client = Client::new(number, losses, pace, db, copies, ledger);
            let stopping = Arc::clone(&stopping);
            std::thread::spawn(move || {
                while !stopping.load(Ordering::Relaxed) {
                    let hold = client.span(if is_long {
                        pace.hold_max
                    } else {
                        Duration::ZERO
                    });
                    client.transact(hold, &stopping);
                    let pause = client.span(pace.pause * 2);
                    std::thread::sleep(pause);
                }
            })
        });
        Self {
            threads: threads.collect(),
            stopping,
        }
    }

    /// Lets every transaction come to its end.
    pub(crate) fn stop(self) {
        self.stopping.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("A writer works to its end");
        }
    }
}

/// One session that writes.
pub(crate) struct Client {
    /// Of its changes, per mille, in each copy.
    losses: u64,
    pace: Pace,
    rng: Rng,
    db: Arc<Db>,
    copies: Vec<Arc<Copy>>,
    ledger: Arc<Ledger>,
    session: Session,
}

impl Client {
    pub(crate) fn new(
        seed: u64,
        losses: u64,
        pace: Pace,
        db: &Arc<Db>,
        copies: &[Arc<Copy>],
        ledger: &Arc<Ledger>,
    ) -> Self {
        Self {
            losses,
            pace,
            rng: Rng::new(seed),
            db: Arc::clone(db),
            copies: copies.to_vec(),
            ledger: Arc::clone(ledger),
            session: Session::new(Arc::clone(&db.server)),
        }
    }

    /// Any span up to this.
    fn span(&mut self, most: Duration) -> Duration {
        most.mul_f64(self.rng.fraction())
    }

    /// One to three changes, kept open for `hold`, less when the writers are to stop.
    fn transact(&mut self, hold: Duration, stopping: &AtomicBool) {
        let began = Instant::now();
        let mut changes = Vec::new();
        let count = u32::try_from(self.rng.between(1, 3)).unwrap_or(1);
        let mut alive = self
            .session
            .attempt(|conn| conn.query_drop("BEGIN"))
            .is_some();
        for number in 1..=count {
            alive = alive && self.change(&mut changes);
            let until = began + hold * number / count;
            while Instant::now() < until && !stopping.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10).min(until - Instant::now()));
            }
        }
        let beyond = began.elapsed() + Duration::from_secs(1) > self.pace.promise;
        if alive && (beyond || self.rng.chance(self.pace.rollbacks)) {
            let _ = self.session.attempt(|conn| conn.query_drop("ROLLBACK"));
            self.ledger.facts().rolled_back += 1;
            alive = false;
        }
        let ids: Vec<u64> = changes.iter().map(|change: &Change| change.id).collect();
        if !alive || !self.commit(changes, began) {
            self.ledger.release(ids);
        }
    }

    /// Inserts a row that, where every change is lost, no copy ever hears of: then a pass is sure to find something.
    pub(crate) fn insert_one(&mut self) {
        let began = Instant::now();
        let mut changes = Vec::new();
        if self
            .session
            .attempt(|conn| conn.query_drop("BEGIN"))
            .is_some()
            && self.insert(&mut changes)
        {
            self.commit(changes, began);
        }
    }

    /// One more change in the open transaction. False when the session broke.
    fn change(&mut self, changes: &mut Vec<Change>) -> bool {
        if self.rng.chance(400) {
            return self.insert(changes);
        }
        let Some((id, born)) = self.ledger.claim(&mut self.rng) else {
            return true; // Somebody else has it.
        };
        let change = Change {
            id,
            born,
            version: self.ledger.next_version(),
            deletes: self.rng.chance(50),
            sent: Instant::now(),
        };
        changes.push(change);
        let written = if change.deletes {
            let sql = self.db.sql("DELETE FROM src.user WHERE id = ?");
            self.session.attempt(|conn| conn.exec_drop(&sql, (id,)))
        } else {
            let sql = self
                .db
                .sql("UPDATE src.user SET name = ?, avatar = ? WHERE id = ?");
            let row = (change.name(), change.avatar(), id);
            self.session.attempt(|conn| conn.exec_drop(&sql, row))
        };
        written.is_some()
    }

    fn insert(&mut self, changes: &mut Vec<Change>) -> bool {
        let version = self.ledger.next_version();
        let mut change = Change {
            id: 0,
            born: version,
            version,
            deletes: false,
            sent: Instant::now(),
        };
        let sql = self
            .db
            .sql("INSERT INTO src.user (number, name, avatar) VALUES (?, ?, ?)");
        let row = (change.number(), change.name(), change.avatar());
        let id = self.session.attempt(|conn| {
            conn.exec_drop(&sql, row)?;
            Ok(conn.last_insert_id())
        });
        change.id = id.unwrap_or(0);
        if id.is_some() {
            changes.push(change);
        }
        id.is_some()
    }

    /// Commits, writes down what was committed, and hands it to the copiers. False when nothing was.
    fn commit(&mut self, mut changes: Vec<Change>, began: Instant) -> bool {
        let sent = Instant::now();
        for change in &mut changes {
            change.sent = sent;
        }
        let committed = self
            .session
            .attempt(|conn| conn.query_drop("COMMIT"))
            .is_some();
        if !committed && !changes.last().is_some_and(|last| self.is_there(last)) {
            return false;
        }
        let held = began.elapsed();
        let Pace {
            promise, lag_max, ..
        } = self.pace;
        let chance = self.losses;
        let rng = &mut self.rng;
        // Of five lost changes one is of a row that may change again.
        let loses =
            |_: &Change, _| (held < promise && rng.chance(chance)).then(|| !rng.chance(200));
        let copied = self
            .ledger
            .committed(&changes, held, self.copies.len(), loses);
        for (copy, change) in copied {
            let lag = self.span(lag_max);
            self.copies[copy].send(change, lag);
        }
        true
    }

    /// Whether a transaction whose COMMIT was not answered did commit.
    fn is_there(&mut self, last: &Change) -> bool {
        let sql = self.db.sql("SELECT name FROM src.user WHERE id = ?");
        let found: Option<String> = self
            .session
            .insist(|conn| conn.exec_first(&sql, (last.id,)));
        match found {
            Some(name) => name == last.name(),
            None => last.deletes,
        }
    }
}
