//! The configuration that a plan stands for.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use cupid::config::{
    Address, CallbackJob, ColumnPair, DestinationJob, Job, Server, SourceJob, TableJob, UpdateJob,
};
use cupid::logic::callback::retry::RetryPolicy;
use cupid::logic::compare::cells::Rule;
use cupid::logic::scan::checkpoint::Checkpoint;
use cupid::logic::scan::identity::{self, Unnamed};

use crate::broken::Broken;
use crate::plan::{Plan, SECOND};

pub(crate) fn span(us: i64) -> Duration {
    Duration::from_micros(us.unsigned_abs())
}

/// What may change about a destination while its copy stays the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The name that the configuration gives it.
    pub(crate) given: Option<&'static str>,
    /// How often its server moved.
    pub(crate) moves: u32,
}

/// The configuration with these destinations, in this order.
pub(crate) fn job(
    plan: &Plan,
    entries: &[Entry],
    destinations: &[usize],
    broken: Option<Broken>,
) -> Job {
    let mut jobs: Vec<DestinationJob> = destinations
        .iter()
        .map(|&number| destination(plan, number, entries[number]))
        .collect();
    let unnamed: Vec<Unnamed> = destinations
        .iter()
        .zip(&jobs)
        .map(|(&number, job)| Unnamed {
            given: entries[number].given.map(str::to_owned),
            table_name: job.table.name(),
            id: job.id(),
        })
        .collect();
    let names_before = identity::names_before(&unnamed);
    let names = match broken {
        Some(Broken::OwedByOrder | Broken::PositionsByOrder) => names_before.clone(),
        _ => identity::names(&unnamed).expect("each has an address of its own"),
    };
    for ((job, name), name_before) in jobs.iter_mut().zip(names).zip(names_before) {
        (job.name, job.name_before) = (name, name_before);
    }
    Job {
        name: "simulation".into(),
        former_name: None,
        workers: plan.workers,
        log_dir: None,
        metrics_file: None,
        confirm_delay: span(plan.confirm),
        delivery_time: span(plan.delivery),
        owed_max: plan.owed_max,
        rows_per_second_max: None,
        load_limits: plan.load_limits,
        channels: vec![],
        heartbeat: None,
        source: SourceJob {
            table: table("s", "source".into()),
            id_column: "id".into(),
            start_id: Some(i128::from(plan.start_id)),
            insert: plan.insert,
            insert_interval: span(SECOND),
            late_commit: span(plan.late),
            update: plan.update.then(|| UpdateJob {
                column: "updated".into(),
                scan: span(plan.scan),
                format: None,
                time_zone: None,
            }),
            update_interval: span(SECOND),
            state_dir: "/nowhere".into(),
            allow_full_scan: false,
        },
        destinations: jobs,
        lacks_source_secret: false,
        secrets_readable_by_others: vec![],
        secret_files: vec![],
        path: "simulation.json".into(),
        file: "/simulation.json".into(),
        notes: vec![],
    }
}

fn destination(plan: &Plan, number: usize, entry: Entry) -> DestinationJob {
    let column = |name: &str| ColumnPair {
        source: name.into(),
        destination: name.into(),
        rule: Rule::default(),
    };
    DestinationJob {
        name: String::new(),
        name_before: String::new(),
        table: table("d", format!("server{number}-{}", entry.moves)),
        columns: vec![column("v"), column("w")],
        callback: CallbackJob {
            url: "http://127.0.0.1:1/".into(),
            secrets: vec![],
            tls: None,
            headers: vec![],
            timeout: span(plan.timeout),
            policy: RetryPolicy::new(
                span(plan.callback_delay),
                NonZeroU32::new(plan.attempts).expect("there are tries"),
            ),
            concurrency: plan.concurrency,
            numbers_as_strings: false,
            // Two rows of one key undo each other's repairs for ever.
            verify: span(if plan.twins { 0 } else { plan.verify }),
        },
    }
}

/// The destination at an address, wherever it moved.
pub(crate) fn number(address: &str) -> usize {
    let number = address.strip_prefix("server").and_then(|rest| {
        let (number, _) = rest.split_once('-')?;
        number.parse().ok()
    });
    number.unwrap_or_else(|| panic!("{address} is no address of a destination"))
}

/// The destinations that a checkpoint names.
pub(crate) fn numbers(checkpoint: &Checkpoint) -> HashMap<&str, usize> {
    let destinations = checkpoint.destinations.iter();
    destinations
        .map(|id| (id.name.as_str(), number(&id.address())))
        .collect()
}

fn table(database: &str, host: String) -> TableJob {
    TableJob {
        server: Server {
            address: Address::Tcp(host, 1),
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
