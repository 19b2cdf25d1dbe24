//! The configuration that a plan stands for.

use std::time::Duration;

use cupid::config::{
    Address, CallbackJob, ColumnPair, DestinationJob, Job, Server, SourceJob, TableJob, UpdateJob,
};
use cupid::logic::compare::cells::Rule;

use crate::plan::{Plan, SECOND};

pub(crate) fn span(us: i64) -> Duration {
    Duration::from_micros(us.unsigned_abs())
}

/// The configuration with these destinations.
pub(crate) fn job(plan: &Plan, destinations: &[usize]) -> Job {
    Job {
        name: "simulation".into(),
        former_name: None,
        workers: plan.workers,
        log_dir: None,
        callback_delay: span(plan.callback_delay),
        confirm_delay: span(plan.confirm),
        delivery_time: span(plan.delivery),
        owed_max: plan.owed_max,
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
            shard: None,
        },
        destinations: destinations
            .iter()
            .map(|&number| destination(plan, number))
            .collect(),
        secrets_readable_by_others: false,
        path: "simulation.json".into(),
        file: "/simulation.json".into(),
        notes: vec![],
    }
}

fn destination(plan: &Plan, number: usize) -> DestinationJob {
    let column = |name: &str| ColumnPair {
        source: name.into(),
        destination: name.into(),
        rule: Rule::default(),
    };
    DestinationJob {
        name: name(number),
        name_before: name(number),
        table: table("d", format!("server{number}")),
        columns: vec![column("v"), column("w")],
        callback: CallbackJob {
            url: "http://127.0.0.1:1/".into(),
            secret: None,
            headers: vec![],
            timeout: span(plan.timeout),
            attempts: plan.attempts,
            concurrency: plan.concurrency,
            numbers_as_strings: false,
        },
    }
}

/// A destination's name in the configuration.
pub(crate) fn name(number: usize) -> String {
    format!("d{number}")
}

/// The inverse.
pub(crate) fn number(name: &str) -> usize {
    let number = name.strip_prefix('d').and_then(|n| n.parse().ok());
    number.unwrap_or_else(|| panic!("{name} is no destination"))
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
