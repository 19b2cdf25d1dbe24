//! What a seed decides before its history begins: the configuration and how bad the world is.

use std::time::Duration;

use cupid::config::{
    Address, CallbackJob, ColumnPair, DestinationJob, Job, Server, SourceJob, TableJob, UpdateJob,
};
use cupid::logic::equal::Rule;

use crate::rng::Rng;

pub(crate) const MS: i64 = 1_000;
pub(crate) const SECOND: i64 = 1_000_000;

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of the world of its own"
)]
/// Microseconds, unless a name says otherwise; chances are per mille.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) insert: bool,
    pub(crate) update: bool,
    /// As `cupid start` does: not every pass looks at both.
    pub(crate) in_turns: bool,
    pub(crate) destinations: usize,
    pub(crate) confirm: i64,
    pub(crate) late: i64,
    pub(crate) scan: i64,
    /// Of the update column.
    pub(crate) precision: i64,
    pub(crate) start_id: i64,
    pub(crate) id_step: i64,
    pub(crate) delivery: i64,
    pub(crate) attempts: u32,
    pub(crate) owed_max: usize,
    pub(crate) callback_delay: i64,
    pub(crate) timeout: i64,
    pub(crate) passes: u64,
    pub(crate) rows_first: i64,
    /// Mean time between two transactions.
    pub(crate) pace: i64,
    pub(crate) latency_max: i64,
    pub(crate) late_commits: u64,
    pub(crate) rollbacks: u64,
    pub(crate) bulks: u64,
    /// Few rows, changed again and again.
    pub(crate) hot: bool,
    pub(crate) in_order: bool,
    pub(crate) lag_max: i64,
    pub(crate) losses: u64,
    pub(crate) delays: u64,
    pub(crate) repeats: u64,
    pub(crate) jump: i64,
    pub(crate) kills: u64,
    pub(crate) stops: u64,
    pub(crate) errors: u64,
    pub(crate) outages: u64,
    pub(crate) pauses: u64,
    /// Receivers that change their mood.
    pub(crate) moods: u64,
}

impl Plan {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let (insert, update) = rng.pick(&[
            (true, true),
            (true, true),
            (true, true),
            (true, false),
            (false, true),
        ]);
        let scan = rng.pick(&[SECOND, 5 * SECOND]);
        let late = rng.pick(&[2 * SECOND, 10 * SECOND, 60 * SECOND]);
        let confirm = rng.pick(&[0, 200 * MS, 1000 * MS, 1000 * MS, 1000 * MS, 1000 * MS]);
        let promptly = rng.chance(150);
        let bulks = rng.pick(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 15]);
        let plan = Self {
            insert,
            update,
            in_turns: insert && update && rng.chance(200),
            destinations: if rng.chance(70) { 2 } else { 1 },
            confirm,
            late,
            scan,
            precision: rng.pick(&[1, MS, SECOND, SECOND]),
            start_id: rng.pick(&[0, 0, 10]),
            id_step: rng.pick(&[1, 1, 1, 2, 10]),
            delivery: rng.pick(if bulks > 0 {
                &[60 * SECOND]
            } else {
                &[SECOND, 5 * SECOND, 60 * SECOND]
            }),
            attempts: rng.pick(&[1, 2, 3]),
            owed_max: rng.pick(&[100_000, 100_000, 100_000, 12, 3]),
            callback_delay: rng.pick(&[100 * MS, 1000 * MS]),
            timeout: rng.pick(&[SECOND, 10 * SECOND]),
            passes: rng.below(14) + 3,
            rows_first: rng.between(0, 30),
            pace: rng.pick(&[100 * MS, 300 * MS, 1000 * MS]),
            latency_max: rng.pick(if bulks > 0 {
                &[MS]
            } else {
                &[MS, 20 * MS, 200 * MS]
            }),
            late_commits: rng.pick(&[0, 100, 400]),
            rollbacks: rng.pick(&[0, 50, 300]),
            bulks,
            hot: rng.chance(300),
            in_order: rng.chance(600),
            lag_max: rng.pick(&[MS, 50 * MS, 300 * MS, 950 * MS]),
            losses: rng.pick(&[0, 10, 100, 500]),
            delays: rng.pick(&[0, 0, 50]),
            repeats: rng.pick(&[0, 0, 50]),
            jump: if rng.chance(150) {
                rng.between(-scan, 100 * SECOND)
            } else {
                0
            },
            kills: rng.pick(&[0, 100, 500]),
            stops: rng.pick(&[0, 0, 200]),
            errors: rng.pick(&[0, 0, 200]),
            outages: rng.pick(&[0, 0, 300]),
            pauses: rng.pick(&[0, 50, 300]),
            moods: rng.pick(&[0, 300, 900]),
        };
        if promptly { plan.prompt() } else { plan }
    }

    /// A copier without a fault, and rows that change all the time: there is nothing to call back at all.
    fn prompt(self) -> Self {
        Self {
            hot: true,
            pace: 100 * MS,
            latency_max: 200 * MS,
            late_commits: 0,
            bulks: 0,
            in_order: true,
            lag_max: self.lag_max.min(300 * MS),
            losses: 0,
            delays: 0,
            repeats: 0,
            ..self
        }
    }

    pub(crate) fn back(&self) -> i64 {
        self.late + self.scan
    }

    pub(crate) fn job(&self) -> Job {
        Job {
            name: "simulation".into(),
            workers: 1,
            log_dir: None,
            callback_delay: span(self.callback_delay),
            confirm_delay: span(self.confirm),
            delivery_time: span(self.delivery),
            owed_max: self.owed_max,
            source: SourceJob {
                table: table("s"),
                id_column: "id".into(),
                start_id: Some(i128::from(self.start_id)),
                insert: self.insert,
                insert_interval: span(SECOND),
                late_commit: span(self.late),
                update: self.update.then(|| UpdateJob {
                    column: "updated".into(),
                    scan: span(self.scan),
                    format: None,
                    time_zone: None,
                }),
                update_interval: span(SECOND),
                state_dir: "/nowhere".into(),
                shard: None,
            },
            destinations: (0..self.destinations)
                .map(|n| self.destination(n))
                .collect(),
            secrets_readable_by_others: false,
            path: "simulation.json".into(),
            notes: vec![],
        }
    }

    fn destination(&self, number: usize) -> DestinationJob {
        let column = |name: &str| ColumnPair {
            source: name.into(),
            destination: name.into(),
            rule: Rule::default(),
        };
        DestinationJob {
            name: format!("d{number}"),
            table: table("d"),
            columns: vec![column("v"), column("w")],
            callback: CallbackJob {
                url: "http://127.0.0.1:1/".into(),
                secret: None,
                headers: vec![],
                timeout: span(self.timeout),
                attempts: self.attempts,
                concurrency: 1,
                numbers_as_strings: false,
            },
        }
    }
}

fn table(database: &str) -> TableJob {
    TableJob {
        server: Server {
            address: Address::Tcp("127.0.0.1".into(), 1),
            user: String::new(),
            password: String::new(),
            tls: None,
        },
        database: database.into(),
        table: "t".into(),
        by_column: "k".into(),
        condition: None,
    }
}

pub(crate) fn span(us: i64) -> Duration {
    Duration::from_micros(us.unsigned_abs())
}
