//! `cupid check`: asks the real servers, says in plain words what it finds, changes and sends nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{Connections, load, print_data, state_of};
use crate::check::facts::{Facts, StateFacts};
use crate::check::shown::{Looks, elements, groups, heading};
use crate::check::{self, Finding, Level};
use crate::cli::Check;
use crate::config::{Job, configurations};
use crate::error::{Error, Exit, Result};
use crate::io::console::has_colour;
use crate::io::logging;
use crate::io::metrics;
use crate::io::mysql::inspect;
use crate::io::signals::RealClock;
use crate::io::state_dir::StateDir;
use crate::logic::report::summary::worst;
use crate::logic::scan::gaps::Span;
use crate::logic::scan::plan::{Request, What};
use crate::logic::scan::trail::LOWEST_ID;
use crate::logic::value::cell::Id;
use crate::world::{Clock as _, Source as _, Store as _};

/// An endpoint that has not answered by then does not answer.
const ENDPOINT_WITHIN: Duration = Duration::from_secs(5);

const OPERATION: &str = "Write the findings";

/// `cupid check`. The exit status is that of the worst finding; of several configurations, the worst one.
pub(super) fn check(check: &Check, clock: &Arc<RealClock>) -> Result<Exit> {
    let files = configurations(&check.configs)?;
    let looks = Looks {
        with_fine: check.verbose > 0,
        in_colour: has_colour(),
    };
    if let [file] = files.as_slice() {
        let findings = find(file, clock)?;
        if check.json {
            print_array(elements(&findings, None))?;
        } else {
            print_data(OPERATION, &groups(&findings, looks))?;
        }
        return Ok(check::exit(&findings));
    }
    let (mut exits, mut all) = (Vec::new(), Vec::new());
    for (number, file) in files.iter().enumerate() {
        let name = file.display().to_string();
        if !check.json {
            let gap = if number > 0 { "\n" } else { "" };
            print_data(OPERATION, &format!("{gap}{}", heading(&name, looks)))?;
        }
        let found = find(file, clock);
        exits.push(match &found {
            Ok(findings) => check::exit(findings),
            Err(error) => error.exit(),
        });
        match found {
            Ok(findings) if check.json => all.extend(elements(&findings, Some(&name))),
            Ok(findings) => print_data(OPERATION, &groups(&findings, looks))?,
            Err(error) if check.json => all.extend(elements(&[unread(&error)], Some(&name))),
            Err(error) => logging::tell_failure(&error),
        }
    }
    if check.json {
        print_array(all)?;
    }
    Ok(worst(exits))
}

/// A configuration that cannot be looked at.
fn unread(error: &Error) -> Finding {
    Finding {
        level: Level::Error,
        key: String::new(),
        text: error.to_string(),
        remedy: vec![],
    }
}

fn print_array(elements: Vec<serde_json::Value>) -> Result<()> {
    print_data(
        OPERATION,
        &format!("{}\n", serde_json::Value::Array(elements)),
    )
}

fn find(file: &Path, clock: &Arc<RealClock>) -> Result<Vec<Finding>> {
    let job = load(file)?;
    let connections = Connections::new(&job, clock)?;
    let facts = gather(&job, &connections, clock);
    Ok(check::advise(&job, &facts, clock.now_us()))
}

fn gather(job: &Job, connections: &Connections, clock: &RealClock) -> Facts {
    let words = |error: Error| error.to_string();
    let source = inspect::source(&connections.source, job, clock).map_err(words);
    let destinations = connections.destinations.iter().enumerate();
    Facts {
        destinations: destinations
            .map(|(number, destination)| {
                inspect::destination(destination, job, number, source.is_ok(), clock).map_err(words)
            })
            .collect(),
        endpoints: connections.endpoints(ENDPOINT_WITHIN),
        metrics_unwritable: job.metrics_file.as_deref().and_then(metrics::refuses),
        open_secrets: open_secrets(job),
        state: state(job, state_of(job), source.is_ok().then_some(connections)),
        source,
    }
}

/// A group may be allowed to read them: that of the service's account.
fn open_secrets(job: &Job) -> Vec<PathBuf> {
    let by_all = |path: &&PathBuf| {
        let metadata = std::fs::metadata(path);
        metadata.is_ok_and(|it| it.permissions().mode() & 0o004 != 0)
    };
    job.secret_files.iter().filter(by_all).cloned().collect()
}

/// `connections` where the source can be read.
fn state(job: &Job, state: StateDir, connections: Option<&Connections>) -> StateFacts {
    let mut facts = StateFacts {
        of_another: None,
        folder: job.source.state_dir.clone(),
        exists: job.source.state_dir.is_dir(),
        owner_and_user: state.belongs_to_another(),
        unwritable: state.refuses_files(),
        unusable: vec![],
        has_checkpoint: false,
        first_cupids_id: None,
        beyond: None,
        lowest_id: None,
    };
    match state.of_another() {
        Ok(None) => {}
        Ok(another) => {
            facts.of_another = another;
            return facts;
        }
        Err(error) => facts.unusable.push(error.to_string()),
    }
    match state.for_reading() {
        Ok(state) => read(job, state, connections, &mut facts),
        Err(error) => facts.unusable.push(error.to_string()),
    }
    facts
}

/// What the state files say, when they are this configuration's.
fn read(job: &Job, mut state: StateDir, connections: Option<&Connections>, facts: &mut StateFacts) {
    let checkpoint = state.checkpoint();
    let id_max = connections
        .filter(|_| job.source.insert)
        .and_then(|connections| connections.source.bounds().ok())
        .map(|bounds| bounds.id_max);
    facts.beyond = id_max.and_then(|id_max| {
        let positions = &checkpoint.as_ref().ok()?.as_ref()?.positions;
        let start_id = job.source.start_id.unwrap_or(0);
        let beyond = positions
            .iter()
            .filter(|position| position.is_beyond(id_max, start_id));
        let next_id = beyond.filter_map(|position| position.next_id).max()?;
        Some((next_id - 1, id_max))
    });
    facts.lowest_id = connections
        .filter(|_| matches!(checkpoint, Ok(None)))
        .zip(id_max.flatten())
        .and_then(|(connections, to)| lowest_id(connections, to));
    let first_cupids_id = state.first_cupids_id();
    let outbox = state.outbox();
    let errors = [
        checkpoint.as_ref().err(),
        first_cupids_id.as_ref().err(),
        outbox.as_ref().err(),
    ]
    .into_iter()
    .flatten()
    .map(ToString::to_string);
    facts.unusable.extend(errors);
    facts.has_checkpoint = checkpoint.is_ok_and(|checkpoint| checkpoint.is_some());
    facts.first_cupids_id = first_cupids_id.ok().flatten();
}

fn lowest_id(connections: &Connections, to: Id) -> Option<Id> {
    let from = LOWEST_ID;
    let what = What::New(Span { from, to });
    let rows = connections
        .source
        .scan(&Request { what, limit: 1 }, &[])
        .ok()?
        .rows;
    rows.first().map(|row| row.id)
}
