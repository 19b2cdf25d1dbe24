//! `cupid reconcile`: the same pass over an id range of its own, from end to end, with its own state.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use super::run::print_json;
use super::{Sides, load_and_log, tell};
use crate::cli::Reconcile;
use crate::config::Job;
use crate::error::{Exit, Result};
use crate::io::audit_state::AuditState;
use crate::io::console::Console;
use crate::io::fix_file::FixFile;
use crate::io::report::Report;
use crate::io::signals::RealClock;
use crate::io::state_dir::{ReadOnly, StateDir, audit_name};
use crate::logic::cell::{Column, Id};
use crate::logic::row::Row;
use crate::logic::summary::Summary;
use crate::logic::window::{Bounds, Request};
use crate::pipeline::{self, Duplicates, Mode, Options};
use crate::world::{Clock as _, Source, Store, WholeRow};

/// `cupid reconcile`. Exit 1 also when every difference that was found has been called back.
pub(super) fn reconcile(args: &Reconcile, clock: &Arc<RealClock>) -> Result<Exit> {
    let job = load_and_log(&args.config, args.talk)?;
    let state = audit_state(&job, args);
    let mut lock = if args.dry_run {
        None
    } else {
        Some(state.lock()?)
    };
    let mut store: Box<dyn Store + Send> = if args.dry_run {
        Box::new(ReadOnly(state))
    } else {
        Box::new(state)
    };
    let report = args.report.as_ref().map(Report::open).transpose()?;
    let fix_file = args.fix_sql.as_deref().map(FixFile::create).transpose()?;
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
        report: report.is_some() || fix_file.is_some(),
        duplicates: Duplicates::Told,
        scan_until_us: for_us.map(|for_us| clock.now_us().saturating_add(for_us)),
    };
    let console = Console::new(report, !args.talk.quiet).with_fixes(fix_file);
    let sides = Sides::new(&job, clock)?;
    let range = Range {
        source: &*sides.source,
        to_id: args.to_id,
    };
    let mut world = sides.world(&mut *store, clock, &console);
    world.source = &range;
    let outcome = pipeline::pass(&audit_job(&job), &mut world, options);
    console.clear();
    tell(&outcome, lock.as_mut(), clock);
    let summary = outcome?;
    print_json(args.json, &summary)?;
    Ok(exit(&summary))
}

/// Finding differences is what an audit has to say, whatever became of their callbacks.
fn exit(summary: &Summary) -> Exit {
    let found = summary.confirmed > 0 || summary.duplicate_keys > 0 || summary.interrupted;
    summary
        .exit()
        .max(if found { Exit::Attention } else { Exit::Done })
}

/// An audit looks at every id of its range once, so nothing can come late.
fn audit_job(job: &Job) -> Job {
    let mut job = job.clone();
    job.source.late_commit = std::time::Duration::ZERO;
    job
}

fn audit_state(job: &Job, args: &Reconcile) -> AuditState {
    let mut hash = DefaultHasher::new();
    format!("{:?} {:?}", job.source, job.destinations).hash(&mut hash);
    let id = |id: Option<Id>| id.map_or(String::new(), |id| id.to_string());
    let table = &job.source.table;
    let identity = format!(
        "{}.{} ids {}..{} configuration {:016x}",
        table.database,
        table.table,
        id(args.from_id),
        id(args.to_id),
        hash.finish()
    );
    let state = StateDir::new(&job.source.state_dir, &audit_name(&job.name), &identity);
    AuditState::new(state, identity, args.resume)
}

/// The source, up to an id.
struct Range<'a> {
    source: &'a dyn Source,
    to_id: Option<Id>,
}

impl Source for Range<'_> {
    fn bounds(&self) -> Result<Bounds> {
        let Bounds { now_us, id_max } = self.source.bounds()?;
        let id_max = id_max.map(|max| self.to_id.map_or(max, |to| to.min(max)));
        Ok(Bounds { now_us, id_max })
    }

    fn scan(&self, request: &Request) -> Result<Vec<Row>> {
        self.source.scan(request)
    }

    fn whole_rows(&self, ids: &[Id]) -> Result<Vec<WholeRow>> {
        self.source.whole_rows(ids)
    }

    fn columns(&self) -> Result<&[Column]> {
        self.source.columns()
    }
}
