//! `cupid reconcile`: the same pass over an id range of its own, from end to end, with its own state.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Connections, is_complete, load_and_log, note, print_json, state_of, tell};
use crate::cli::Reconcile;
use crate::config::{Address, DestinationJob, Job, TableJob};
use crate::error::{Exit, Result};
use crate::io::audit_state::{AuditState, DryAudit};
use crate::io::console::Console;
use crate::io::findings::{Findings, Stopped};
use crate::io::heartbeat::Heart;
use crate::io::metrics;
use crate::io::output::refuse_one_file;
use crate::io::signals::RealClock;
use crate::io::state_dir::{Lock, ReadOnly, StateDir, audit_name};
use crate::logic::report::digest::Digest;
use crate::logic::report::line::rfc3339;
use crate::logic::report::page::{About, page};
use crate::logic::report::summary::Summary;
use crate::logic::stats::AuditStats;
use crate::logic::stats::metrics::of_audit;
use crate::logic::value::cell::Id;
use crate::pipeline::{self, Audit, Handling, IdRange};
use crate::world::{Clock as _, Store};

/// `cupid reconcile`. Exit 1 also when every difference that was found has been called back.
pub(super) fn reconcile(args: &Reconcile, clock: &Arc<RealClock>) -> Result<Exit> {
    let job = load_and_log(&args.config, args.output.talk)?;
    refuse_common_files(args)?;
    let asked = asked(args);
    let mut state = audit_state(&job, &asked);
    // A run of this name delivers what the audit leaves owed.
    state_of(&job).refuse_anothers()?;
    state.refuse_anothers()?;
    let mut lock = lock(&state, args)?;
    // A refused --resume leaves every file as it is.
    let stopped = if args.resume {
        Some(stopped(&mut state, &job)?)
    } else {
        None
    };
    let findings = findings(args, stopped.as_ref())?;
    state.sync_first(findings.handles());
    let mut store: Box<dyn Store + Send> = match (args.dry_run, &lock) {
        (false, _) => Box::new(state),
        (true, Some(_)) => Box::new(DryAudit::new(state)),
        (true, None) => Box::new(ReadOnly(state)),
    };
    let mut audit = asked;
    audit.seed = seed(clock);
    audit.handling.reports = findings.wants_rows();
    let digest = findings
        .page
        .is_some()
        .then(|| findings.digest())
        .transpose()?;
    let console = Console::new(findings, !args.output.talk.quiet).with_digest(digest);
    let connections = Connections::of_shard(&job, args.shard, clock)?;
    let began_us = clock.now_us();
    let mut world = connections.world(&mut *store, clock, &console);
    let outcome = pipeline::audit(&job, &mut world, audit);
    console.clear();
    drop(world);
    drop(store);
    let now_us = clock.now_us();
    note(&outcome, exit, lock.as_mut(), &mut Heart::default(), now_us);
    if let Ok(summary) = &outcome {
        tell(summary, exit(summary));
    }
    let saves = lock.is_some() && !args.dry_run;
    remember(args, saves, &job, &outcome, began_us, now_us);
    let has_compared = console.has_compared() || args.resume;
    let digest = console.take_digest();
    let findings = console.into_findings();
    let Some(summary) = outcome.as_ref().ok().filter(|summary| is_complete(summary)) else {
        if outcome.is_ok() || has_compared {
            tell_stopped(findings.keep()?, lock.is_some());
        }
        return outcome.and_then(|summary| ended(args, &summary));
    };
    let page = digest.map_or_else(String::new, |digest| {
        let id_range = looked_at(&audit, summary, &digest);
        let about = About {
            name: job.name.clone(),
            facts: facts(&job, &audit, summary, began_us, id_range),
            id_range,
            summary: Some(summary),
        };
        page(&digest, &about)
    });
    findings.complete(&page)?;
    if args.dry_run && lock.is_some() {
        audit_state(&job, &asked).forget()?;
    }
    ended(args, summary)
}

/// Keeps what `cupid status` and metrics say of the last audit. `saves`: it was no dry run.
fn remember(
    args: &Reconcile,
    saves: bool,
    job: &Job,
    outcome: &Result<Summary>,
    began_us: i64,
    now_us: i64,
) {
    let folder = state_of(job);
    let before = folder.audit_stats(args.shard);
    let complete = outcome.as_ref().is_ok_and(is_complete);
    let stats = AuditStats::after(before, args.resume, outcome, complete, began_us, now_us);
    if saves {
        folder.save_audit_stats(args.shard, &stats);
    }
    // The shards of an audit would write over each other.
    if let Some(file) = job.metrics_file.as_ref().filter(|_| args.shard.is_none()) {
        let written = metrics::write_audit(file, &of_audit(&stats, &job.name));
        if let Err(error) = written {
            log::warn!("metricsFile: {error}");
        }
    }
}

fn ended(args: &Reconcile, summary: &Summary) -> Result<Exit> {
    print_json(args.output.json, summary)?;
    Ok(exit(summary))
}

/// Each output has a file of its own.
fn refuse_common_files(args: &Reconcile) -> Result<()> {
    let report = args.output.report.as_ref();
    refuse_one_file(&[
        ("--report", report.and_then(|report| report.file.as_deref())),
        ("--fix-sql", args.fix_sql.as_deref()),
        ("--html", args.html.as_deref()),
    ])
}

fn findings(args: &Reconcile, stopped: Option<&Stopped>) -> Result<Findings> {
    Findings::of_audit(
        args.output.report.as_ref(),
        args.fix_sql.as_deref(),
        args.html.as_deref(),
        stopped,
    )
}

/// An audit holds its lock. A dry run that cannot, because another one has it or the folder takes no file, goes without
/// progress.
fn lock(state: &AuditState, args: &Reconcile) -> Result<Option<Lock>> {
    match state.lock() {
        Err(error) if args.dry_run && !args.resume => {
            log::info!("This dry run keeps no progress, so --resume cannot go on with it: {error}");
            Ok(None)
        }
        lock => lock.map(Some),
    }
}

/// The audit to go on with.
fn stopped(state: &mut AuditState, job: &Job) -> Result<Stopped> {
    state.checkpoint()?;
    let outbox = state.outbox()?;
    let owed = outbox
        .iter()
        .map(|owed| (owed.destination.clone(), owed.id.to_string()));
    Ok(Stopped {
        source: job.source.table.name(),
        owed: owed.collect(),
    })
}

/// Says where the findings of an audit lie that did not come to its end, and how it goes on.
fn tell_stopped(kept: Vec<(PathBuf, PathBuf)>, has_progress: bool) {
    for (file, draft) in kept {
        log::warn!(
            "{} is left as it was: the audit is not complete. Its findings are in {}",
            file.display(),
            draft.display()
        );
    }
    if has_progress {
        log::warn!("The same command with --resume goes on with this audit");
    } else {
        log::warn!("This audit kept no progress, so --resume cannot go on with it");
    }
}

/// Different for each run, so that no table can be made to hold two rows of one fingerprint.
fn seed(clock: &RealClock) -> u64 {
    use std::hash::BuildHasher as _;
    std::hash::RandomState::new().hash_one(clock.now_us())
}

/// When and on what an audit ran.
fn facts(
    job: &Job,
    audit: &Audit,
    summary: &Summary,
    began_us: i64,
    id_range: Option<(Id, Id)>,
) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Configuration", job.path.display().to_string()),
        ("Source", place(&job.source.table)),
    ];
    for destination in &job.destinations {
        let DestinationJob { name, table, .. } = destination;
        facts.push(("Destination", format!("{name}: {}", place(table))));
    }
    if let Some((low, high)) = id_range {
        facts.push(("Ids", format!("{low} to {high}")));
    }
    if let Some(shard) = audit.shard {
        facts.push(("Shard", shard.to_string()));
    }
    if summary.dry_run {
        facts.push(("Callbacks", "none, a dry run".into()));
    }
    facts.push(("Began", rfc3339(began_us)));
    facts.push(("Result", summary.line()));
    facts.push(("By", concat!("cupid ", env!("CARGO_PKG_VERSION")).into()));
    facts
}

fn place(table: &TableJob) -> String {
    let server = match &table.server.address {
        Address::Tcp(host, port) => format!("{host}:{port}"),
        Address::Socket(path) => path.display().to_string(),
    };
    format!("{}.{} at {server}", table.database, table.table)
}

/// Finding differences is what an audit has to say, whatever became of their callbacks.
fn exit(summary: &Summary) -> Exit {
    let total = summary.total();
    let found =
        total.confirmed() > 0 || total.duplicate_keys > 0 || total.extra > 0 || summary.interrupted;
    summary
        .exit()
        .max(if found { Exit::Attention } else { Exit::Done })
}

/// What the command line asks for, but for what only the run decides.
fn asked(args: &Reconcile) -> Audit {
    Audit {
        ids: IdRange {
            from: args.from_id,
            to: args.to_id,
        },
        shard: args.shard,
        resume: args.resume,
        method: args.method,
        extra: args.extra,
        memory_bytes: args.memory,
        handling: Handling {
            is_dry: args.dry_run,
            reports: false,
        },
        rows_per_second_max: args.max_rate,
        for_time: args.for_time,
        ..Audit::default()
    }
}

fn audit_state(job: &Job, audit: &Audit) -> AuditState {
    let identity = audit.identity(job);
    // What a dry run compared, an audit that calls back has still to compare.
    let name = audit_name(&job.name, audit.shard);
    let name = if audit.handling.is_dry {
        name + ".dry-run"
    } else {
        name
    };
    let state = StateDir::new(&job.source.state_dir, &name, &identity).of(&job.file);
    AuditState::new(state, identity, audit.resume)
}

/// From the first id that was asked for, else from 1 or the lowest difference, to the last.
fn looked_at(audit: &Audit, summary: &Summary, digest: &Digest) -> Option<(Id, Id)> {
    let lowest = digest.id_range().map_or(1, |(low, _)| low.min(1));
    Some((audit.ids.from.unwrap_or(lowest), summary.bounds?.id_max?))
}
