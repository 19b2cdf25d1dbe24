//! The usual cast of a test: databases with the user table, a receiver for every copy, a configuration.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Config, Cupid, Db, Outcome, Receiver};

/// One test's world.
pub(crate) struct Scene {
    pub(crate) db: Arc<Db>,
    /// One for every copy.
    pub(crate) receivers: Vec<Receiver>,
    pub(crate) config: Config,
}

impl Scene {
    /// Empty user tables, one copy.
    pub(crate) fn new() -> Self {
        Self::with_copies(1)
    }

    /// Empty user tables, so many copies.
    pub(crate) fn with_copies(copies: usize) -> Self {
        let scene = Self::bare(Db::new(copies));
        scene.db.user_table();
        scene
    }

    /// Without tables.
    pub(crate) fn bare(db: Arc<Db>) -> Self {
        let receivers: Vec<Receiver> = db.copies.iter().map(|_| Receiver::start()).collect();
        let config = Config::new(&db, &receivers.iter().collect::<Vec<_>>());
        Self {
            db,
            receivers,
            config,
        }
    }

    /// Users with these ids in the source only: each is missing in every copy.
    pub(crate) fn with_missing(ids: impl IntoIterator<Item = u64>) -> Self {
        let scene = Self::new();
        scene.db.add_users(ids);
        scene
    }

    /// Users with these ids in the source and in every copy.
    pub(crate) fn in_sync(ids: impl IntoIterator<Item = u64>) -> Self {
        let scene = Self::with_missing(ids);
        scene.db.copy_users();
        scene
    }

    /// The first copy's receiver.
    pub(crate) fn receiver(&self) -> &Receiver {
        &self.receivers[0]
    }

    /// `cupid COMMAND <this configuration>`.
    pub(crate) fn cupid(&self, command: &str) -> Cupid {
        Cupid::of(command, &self.config.path())
    }

    /// `cupid check --json`, for [`super::findings`].
    pub(crate) fn check(&self) -> Cupid {
        self.cupid("check").arg("--json")
    }

    /// `cupid run`, which must exit so.
    #[track_caller]
    pub(crate) fn run(&self, code: i32) -> Outcome {
        self.cupid("run").exits(code)
    }

    /// `cupid retry`, which must exit so.
    #[track_caller]
    pub(crate) fn retry(&self, code: i32) -> Outcome {
        self.cupid("retry").exits(code)
    }

    /// Runs until one run exits 0, and returns how many it took.
    #[track_caller]
    pub(crate) fn run_until_done(&self, runs_max: usize) -> usize {
        for run in 1..=runs_max {
            let outcome = self.cupid("run").run();
            match outcome.code {
                Some(0) => return run,
                Some(1) => {}
                code => panic!("run exits {code:?}: {}", outcome.stderr),
            }
        }
        panic!(
            "Not done after {runs_max} runs; {} callbacks owed",
            self.config.owed().len()
        );
    }

    /// Every callback to the first copy writes the row into it, then is answered 200.
    pub(crate) fn repair(&self) {
        let db = Arc::clone(&self.db);
        self.receiver().answer(move |callback| {
            db.repair_user(0, &callback.body);
            super::Answer::ok()
        });
    }
}

/// Waits until something holds, at most this long.
#[track_caller]
pub(crate) fn wait_until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !holds() {
        assert!(
            Instant::now() < end,
            "Waited {limit:?} in vain until {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The two lists hold the same ids; if not, says which are too few and which too many, and not all of thousands.
#[track_caller]
pub(crate) fn assert_ids(actual: &[u64], expected: impl IntoIterator<Item = u64>) {
    let mut surplus: BTreeMap<u64, i64> = BTreeMap::new();
    for id in actual {
        *surplus.entry(*id).or_default() += 1;
    }
    for id in expected {
        *surplus.entry(id).or_default() -= 1;
    }
    let some = |wrong: fn(i64) -> bool| -> (usize, Vec<u64>) {
        let all: Vec<u64> = surplus
            .iter()
            .filter(|(_, n)| wrong(**n))
            .map(|(id, _)| *id)
            .collect();
        (all.len(), all.into_iter().take(10).collect())
    };
    let (lacking, first_lacking) = some(|n| n < 0);
    let (extra, first_extra) = some(|n| n > 0);
    assert!(
        lacking + extra == 0,
        "{lacking} ids are lacking, first {first_lacking:?}; {extra} are too many, first {first_extra:?}"
    );
}
