//! What a crash test and a soak share: the table and its copies under load, the owner's endpoints, a configuration.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::common::{Config, Cupid, Db, Receiver, wait_until};
use crate::copy::Copy;
use crate::judge::{Findings, judge};
use crate::ledger::Ledger;
use crate::owner::{Owner, SECRET};
use crate::writer::{Client, Pace, Writer};

/// Rows that are in every copy when all begins.
const ROWS: u64 = 200;
/// How long whatever should end soon is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// Passes until nothing is left to do, at the most, and how many must say so in a row: a row that changed while it was
/// looked at is looked at again by the next pass.
const PASSES_MAX: usize = 60;
const QUIET_PASSES: usize = 3;

pub(crate) struct Stage {
    pub(crate) db: Arc<Db>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) owner: Arc<Owner>,
    pub(crate) receivers: Vec<Receiver>,
    pace: Pace,
    copies: Vec<Arc<Copy>>,
    copiers: Vec<JoinHandle<()>>,
}

impl Stage {
    /// A table that is in sync with its copies.
    pub(crate) fn new(db: Arc<Db>, pace: Pace, confirm_delay: Duration) -> Self {
        db.user_table();
        let rows: Vec<String> = (1..=ROWS)
            .map(|id| format!("({id}, 'n{id}', 'v{id}', 'a{id}.png')"))
            .collect();
        let rows = rows.join(",");
        db.exec(&format!(
            "INSERT INTO src.user (id, number, name, avatar) VALUES {rows}"
        ));
        db.copy_users();
        let ledger = Arc::new(Ledger::new(ROWS, confirm_delay));
        let copies: Vec<Arc<Copy>> = (0..db.copies.len())
            .map(|place| Arc::new(Copy::new(&db, place, &ledger)))
            .collect();
        let receivers: Vec<Receiver> = copies.iter().map(|_| Receiver::start()).collect();
        let threads = copies.iter().map(|copy| {
            let copy = Arc::clone(copy);
            std::thread::spawn(move || copy.run())
        });
        Self {
            owner: Owner::new(&ledger, &copies, &receivers),
            copiers: threads.collect(),
            db,
            ledger,
            receivers,
            pace,
            copies,
        }
    }

    /// A configuration for these copies, counted from 0.
    pub(crate) fn config(&self, copies: std::ops::Range<usize>) -> Config {
        let mut config = Config::new(&self.db, &self.receivers.iter().collect::<Vec<_>>());
        for (place, receiver) in self.receivers.iter().enumerate() {
            let callback = format!("/des/{place}/callbackNotification");
            config
                .set(&format!("{callback}/url"), receiver.url() + "/${CUPID_RUN}")
                .set(&format!("{callback}/secret"), SECRET)
                .set(&format!("{callback}/timeoutMillisecond"), 500)
                .set(&format!("{callback}/attempts"), 2);
        }
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        config
            .with_updates(1)
            .set("/deliverySecond", 5)
            .set(
                "/confirmDelayMillisecond",
                millis(self.ledger.confirm_delay()),
            )
            .set("/src/lateCommitSecond", self.pace.promise.as_secs());
        let destinations = config.value["des"]
            .as_array()
            .map(|all| all[copies].to_vec());
        config.set("/des", destinations.unwrap_or_default());
        config
    }

    /// One process, known to the ledger. What it runs under goes before it.
    pub(crate) fn cupid(
        &self,
        wrapper: &[&str],
        command: &str,
        config: &Path,
        repeats: bool,
    ) -> Cupid {
        let run = self.ledger.run(repeats);
        Cupid::under(wrapper, [command.as_ref(), config.as_os_str()])
            .env("CUPID_RUN", run.to_string())
            .limit(PATIENCE)
    }

    /// What `cupid status` says; it must be able to say it.
    pub(crate) fn status(config: &Config) -> serde_json::Value {
        let outcome = Cupid::of("status", &config.path())
            .args("--json")
            .env("CUPID_RUN", "0")
            .run();
        assert!(
            matches!(outcome.code, Some(0 | 1)),
            "status failed: {outcome:?}"
        );
        config.assert_state_is_readable();
        serde_json::from_str(&outcome.stdout)
            .unwrap_or_else(|error| panic!("The status is no JSON ({error}): {}", outcome.stdout))
    }

    pub(crate) fn writer(&self) -> Writer {
        Writer::start(self.pace, &self.db, &self.copies, &self.ledger)
    }

    /// A client whose changes are all lost.
    pub(crate) fn loser(&self) -> Client {
        Client::new(
            u64::MAX,
            1000,
            self.pace,
            &self.db,
            &self.copies,
            &self.ledger,
        )
    }

    /// Nothing is on its way any more, and from now on every callback is repaired and answered.
    pub(crate) fn calm_down(&self) {
        self.owner.recover();
        wait_until("every change is copied", PATIENCE, || {
            self.copies.iter().all(|copy| copy.is_idle()) && self.owner.is_idle()
        });
    }

    /// Passes until nothing is left to do; then the verdict.
    pub(crate) fn settle(self, configs: &[&Config]) -> Findings {
        self.calm_down();
        for config in configs {
            self.run_until_quiet(config);
        }
        self.calm_down();
        for copy in &self.copies {
            copy.end();
        }
        for copier in self.copiers {
            copier.join().expect("A copier works to its end");
        }
        self.db.reconnect();
        judge(&self.ledger, &self.db)
    }

    fn run_until_quiet(&self, config: &Config) {
        let mut quiet = 0;
        for _ in 0..PASSES_MAX {
            let outcome = self.cupid(&[], "run", &config.path(), false).run();
            match outcome.code {
                Some(0) => quiet += 1,
                Some(1) => {
                    quiet = 0;
                    std::thread::sleep(Duration::from_millis(100)); // An endpoint may have asked for time.
                }
                _ => panic!("With all servers up a run failed: {outcome:?}"),
            }
            if quiet == QUIET_PASSES {
                return;
            }
        }
        panic!(
            "Not done after {PASSES_MAX} passes: {}",
            Self::status(config)
        );
    }
}
