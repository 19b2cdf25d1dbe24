//! `cupid reconcile`: the same pass over an id range of its own, from end to end, with its own state.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::run::print_json;
use super::{Sides, is_complete, load_and_log, state_of, tell};
use crate::cli::Reconcile;
use crate::config::{Address, DestinationJob, Job, SourceJob, TableJob};
use crate::error::{Exit, Result};
use crate::io::audit_state::{AuditState, DryAudit};
use crate::io::console::Console;
use crate::io::findings::{Findings, Stopped};
use crate::io::heartbeat::Heart;
use crate::io::output::refuse_one_file;
use crate::io::signals::RealClock;
use crate::io::spill::SpillFiles;
use crate::io::state_dir::{Lock, ReadOnly, StateDir, audit_name};
use crate::logic::audit::pairing::Spill;
use crate::logic::report::digest::Digest;
use crate::logic::report::line::rfc3339;
use crate::logic::report::page::{About, page};
use crate::logic::report::summary::Summary;
use crate::logic::scan::gaps::Span;
use crate::logic::scan::plan::{Bounds, Request};
use crate::logic::value::cell::{Cell, Column, Id};
use crate::pipeline::{self, Duplicates, Method, Mode, Options, Streaming};
use crate::world::{Batch, Clock as _, Source, Store, Visitor, Weight, WholeRows};

/// `cupid reconcile`. Exit 1 also when every difference that was found has been called back.
pub(super) fn reconcile(args: &Reconcile, clock: &Arc<RealClock>) -> Result<Exit> {
    let job = Arc::new(audit_job(&*load_and_log(&args.config, args.talk)?, args));
    refuse_common_files(args)?;
    let mut state = audit_state(&job, args);
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
    let for_us = args
        .for_time
        .map(|time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX));
    let options = Options {
        insert: true,
        update: false,
        start_id: (!args.resume).then(|| args.from_id.unwrap_or(Id::from(i64::MIN))),
        mode: if args.dry_run {
            Mode::DryRun
        } else {
            Mode::Deliver
        },
        report: findings.wants_rows(),
        duplicates: Duplicates::Told,
        rows_per_second_max: args.max_rate,
        scan_until_us: for_us.map(|for_us| clock.now_us().saturating_add(for_us)),
    };
    let digest = findings
        .page
        .is_some()
        .then(|| findings.digest())
        .transpose()?;
    let console = Console::new(findings, !args.talk.quiet).with_digest(digest);
    let sides = Sides::new(&job, clock)?;
    let range = Range {
        source: &*sides.source,
        to_id: args.to_id,
        id_max: OnceLock::new(),
    };
    let began_us = clock.now_us();
    let mut world = sides.world(&mut *store, clock, &console);
    world.source = &range;
    let spill = || Box::<SpillFiles>::default() as Box<dyn Spill>;
    let streaming = Streaming {
        method: args.method,
        memory_bytes: args.memory,
        seed: seed(clock),
        spill: &spill,
        extra: args.extra,
    };
    let is_asked_for = args.extra || args.method != Method::Auto;
    let is_streamed = is_asked_for || is_large_part(args, &*sides.source)?;
    let streaming = is_streamed.then_some(&streaming);
    let outcome = pipeline::audit(&job, &mut world, options, streaming);
    console.clear();
    drop(world);
    drop(store);
    tell(&outcome, exit, lock.as_mut(), &mut Heart::default(), clock);
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
        let id_range = range.looked_at(args.from_id, &digest);
        let about = About {
            name: job.name.clone(),
            facts: facts(&job, summary, began_us, id_range),
            id_range,
            summary: Some(summary),
        };
        page(&digest, &about)
    });
    findings.complete(&page)?;
    if args.dry_run && lock.is_some() {
        audit_state(&job, args).forget()?;
    }
    ended(args, summary)
}

fn ended(args: &Reconcile, summary: &Summary) -> Result<Exit> {
    print_json(args.json, summary)?;
    Ok(exit(summary))
}

/// Each output has a file of its own.
fn refuse_common_files(args: &Reconcile) -> Result<()> {
    let report = args.report.as_ref();
    refuse_one_file(&[
        ("--report", report.and_then(|report| report.file.as_deref())),
        ("--fix-sql", args.fix_sql.as_deref()),
        ("--html", args.html.as_deref()),
    ])
}

fn findings(args: &Reconcile, stopped: Option<&Stopped>) -> Result<Findings> {
    Findings::of_audit(
        args.report.as_ref(),
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
            "{} is left as it was: the audit did not come to its end. What it found lies in {}",
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

/// Reading whole tables pays when a good part of them is asked for; for less, look-ups do.
fn is_large_part(args: &Reconcile, source: &dyn Source) -> Result<bool> {
    if args.from_id.is_none() && args.to_id.is_none() {
        return Ok(true);
    }
    let max = source.bounds()?.id_max.unwrap_or(0);
    let range = args.to_id.unwrap_or(max).min(max) - args.from_id.unwrap_or(0) + 1;
    Ok(range.saturating_mul(4) >= max)
}

/// Different for each run, so that no table can be made to hold two rows of one fingerprint.
fn seed(clock: &RealClock) -> u64 {
    use std::hash::BuildHasher as _;
    std::hash::RandomState::new().hash_one(clock.now_us())
}

/// When and on what an audit ran.
fn facts(
    job: &Job,
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
    if let Some(shard) = job.source.shard {
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
    let found = summary.confirmed > 0
        || summary.duplicate_keys > 0
        || summary.extra > 0
        || summary.interrupted;
    summary
        .exit()
        .max(if found { Exit::Attention } else { Exit::Done })
}

/// The audit of a shard.
fn audit_job(job: &Job, args: &Reconcile) -> Job {
    let mut job = job.clone();
    job.source.shard = args.shard;
    job
}

fn audit_state(job: &Job, args: &Reconcile) -> AuditState {
    let mut hash = DefaultHasher::new();
    // How late rows may come changes nothing of what was compared.
    let source = SourceJob {
        late_commit: std::time::Duration::ZERO,
        ..job.source.clone()
    };
    format!("{source:?} {:?}", job.destinations).hash(&mut hash);
    let id = |id: Option<Id>| id.map_or(String::new(), |id| id.to_string());
    let table = &job.source.table;
    let identity = format!(
        "{}.{} ids {}..{}{} configuration {:016x}",
        table.database,
        table.table,
        id(args.from_id),
        id(args.to_id),
        args.shard
            .map_or_else(String::new, |shard| format!(" shard {shard}")),
        hash.finish()
    );
    // What a dry run compared, an audit that calls back has still to compare.
    let name = audit_name(&job.name, args.shard);
    let name = if args.dry_run {
        name + ".dry-run"
    } else {
        name
    };
    let state = StateDir::new(&job.source.state_dir, &name, &identity).of(&job.file);
    AuditState::new(state, identity, args.resume)
}

/// The source, up to an id.
struct Range<'a> {
    source: &'a dyn Source,
    to_id: Option<Id>,
    /// The end of the range, once it is known.
    id_max: OnceLock<Option<Id>>,
}

impl Range<'_> {
    /// From the first id that was asked for, else from 1 or the lowest difference.
    fn looked_at(&self, from_id: Option<Id>, digest: &Digest) -> Option<(Id, Id)> {
        let lowest = digest.id_range().map_or(1, |(low, _)| low.min(1));
        let id_max = self.id_max.get().copied().flatten()?;
        Some((from_id.unwrap_or(lowest), id_max))
    }
}

impl Source for Range<'_> {
    fn bounds(&self) -> Result<Bounds> {
        let bounds = self.source.bounds()?;
        let id_max = bounds
            .id_max
            .map(|max| self.to_id.map_or(max, |to| to.min(max)));
        let _ = self.id_max.set(id_max); // It is asked for once.
        Ok(Bounds { id_max, ..bounds })
    }

    fn rows_without_id(&self) -> Result<u64> {
        self.source.rows_without_id()
    }

    fn moments(&self) -> Result<Option<String>> {
        self.source.moments()
    }

    fn scan(&self, request: &Request, except: &[Id]) -> Result<Batch> {
        self.source.scan(request, except)
    }

    fn ids_of(&self, keys: &[Cell]) -> Result<Vec<Id>> {
        self.source.ids_of(keys)
    }

    fn visit(&self, span: Span, limit: usize, visitor: &mut dyn Visitor) -> Result<Option<Id>> {
        self.source.visit(span, limit, visitor)
    }

    fn whole_rows(&self, ids: &[Id], room_bytes: usize) -> Result<WholeRows> {
        self.source.whole_rows(ids, room_bytes)
    }

    fn weigh(&self, ids: &[Id]) -> Result<Vec<Weight>> {
        self.source.weigh(ids)
    }

    fn columns(&self) -> Result<&[Column]> {
        self.source.columns()
    }
}
