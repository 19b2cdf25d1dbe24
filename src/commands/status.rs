//! `cupid status`: how configurations stand. It needs no secret and no server, and changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::{Connections, load_without_secrets, print_data, state_of};
use crate::cli::Status;
use crate::config::{Job, files};
use crate::error::{Error, Exit, Result};
use crate::io::console::stdout_width;
use crate::io::signals::RealClock;
use crate::logic::callback::recognise::{Recognised, recognise};
use crate::logic::scan::bounds::Bounds;
use crate::logic::status::{self, Facts, Severity, State};
use crate::world::{Clock as _, Source as _, Store as _};

/// A source that has not answered by then is not waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// `cupid status`. Exit 1 when not all is ok.
pub(super) fn status(args: &Status, clock: &Arc<RealClock>) -> Result<Exit> {
    let found: Vec<Configuration> = files(&args.configs)
        .into_iter()
        .map(Configuration::load)
        .collect();
    let is_one = found.len() == 1;
    let asked = ask_sources(&found, clock);
    let (mut facts, mut unreadable) = (Vec::new(), Vec::new());
    for (configuration, bounds) in found.into_iter().zip(asked) {
        let Configuration { path, job } = configuration;
        match job.and_then(|job| gather(&path, &job, bounds)) {
            Ok(found) => facts.push(found),
            Err(error) if is_one && !args.plugin => return Err(error),
            Err(error) => unreadable.push((path.display().to_string(), reason(error))),
        }
    }
    let stale_us = i64::try_from(args.stale.as_micros()).unwrap_or(i64::MAX);
    let now_us = clock.now_us();
    let all: Vec<status::Status<'_>> = facts
        .iter()
        .map(|facts| status::decide(facts, stale_us, now_us))
        .collect();
    let (text, exit) = said(args, &all, &unreadable);
    print_data("Write the status", &text)?;
    Ok(exit)
}

/// What is printed, and the exit status.
fn said(
    args: &Status,
    all: &[status::Status<'_>],
    unreadable: &[(String, String)],
) -> (String, Exit) {
    if args.plugin {
        let (line, severity) = status::plugin(all, unreadable);
        let exit = match severity {
            Severity::Ok => Exit::Done,
            Severity::Warning => Exit::Attention,
            Severity::Critical => Exit::Failed,
            Severity::Unknown => Exit::Unknown,
        };
        return (line, exit);
    }
    let is_fine = unreadable.is_empty() && all.iter().all(|it| it.state == State::Ok);
    let exit = if is_fine { Exit::Done } else { Exit::Attention };
    let text = match all {
        _ if args.json => {
            let found = all.iter().map(status::json);
            let not = unreadable.iter();
            let not = not.map(|(config, reason)| status::unreadable_json(config, reason));
            let lines = found.chain(not).map(|value| value.to_string() + "\n");
            lines.collect()
        }
        [one] if unreadable.is_empty() => status::screen(one, stdout_width()),
        _ => status::table_of_all(all, unreadable, stdout_width()),
    };
    (text, exit)
}

/// A configuration that was asked about.
struct Configuration {
    path: PathBuf,
    job: Result<Arc<Job>>,
}

impl Configuration {
    fn load(path: std::result::Result<PathBuf, (PathBuf, Error)>) -> Self {
        match path {
            Ok(path) => Self {
                job: load_without_secrets(&path),
                path,
            },
            Err((path, error)) => Self {
                path,
                job: Err(error),
            },
        }
    }
}

/// Without the configuration's file, which is named beside it.
fn reason(error: Error) -> String {
    match error {
        Error::Config { problem, .. } => problem,
        other => other.to_string(),
    }
}

/// Asks all sources where they are, side by side. Who does not answer in time is left to the end of the process.
fn ask_sources(
    found: &[Configuration],
    clock: &Arc<RealClock>,
) -> Vec<std::result::Result<Bounds, String>> {
    let until = Instant::now() + ANSWER_WITHIN;
    let (tell, answers) = channel();
    let mut bounds = Vec::with_capacity(found.len());
    let mut waiting = 0;
    for (number, Configuration { job, .. }) in found.iter().enumerate() {
        let Ok(job) = job else {
            bounds.push(Err(String::new())); // Nobody will read it.
            continue;
        };
        if job.lacks_source_secret {
            bounds.push(Err("not asked, for a secret of src is missing here".into()));
            continue;
        }
        bounds.push(Err(format!(
            "no answer within {} s",
            ANSWER_WITHIN.as_secs()
        )));
        waiting += 1;
        let (job, clock, tell) = (Arc::clone(job), Arc::clone(clock), tell.clone());
        std::thread::spawn(move || {
            let connections = Connections::new(&job, &clock);
            let bounds = connections.and_then(|connections| connections.source.bounds());
            let bounds = bounds.map_err(|error| error.to_string());
            let _ = tell.send((number, bounds)); // Perhaps nobody waits any more.
        });
    }
    while waiting > 0 {
        let left = until.saturating_duration_since(Instant::now());
        let Ok((number, answer)) = answers.recv_timeout(left) else {
            break;
        };
        bounds[number] = answer;
        waiting -= 1;
    }
    bounds
}

/// Reads what there is of a configuration's state.
fn gather(path: &Path, job: &Job, bounds: std::result::Result<Bounds, String>) -> Result<Facts> {
    let mut folder = state_of(job).for_reading()?;
    let known = job.known_destinations();
    let Recognised {
        checkpoint, outbox, ..
    } = recognise(folder.checkpoint()?, folder.all_owed()?, &known);
    let (mut stats, stats_problem) = match folder.stats_for_reading() {
        Ok(stats) => (stats, None),
        Err(problem) => (None, Some(problem)),
    };
    if let Some(stats) = &mut stats {
        stats.know(&known);
    }
    let source = &job.source;
    Ok(Facts {
        name: job.name.clone(),
        config: path.display().to_string(),
        source: source.table.name(),
        server: source.table.server.address.text(),
        state_dir: source.state_dir.display().to_string(),
        has_state: folder.exists(),
        at_work: folder.is_at_work(),
        former_owner: folder.former_owner()?,
        insert: source.insert,
        start_id: source.start_id.unwrap_or(0),
        destinations: job.destinations.iter().map(|it| it.name.clone()).collect(),
        checkpoint,
        outbox,
        stats,
        stats_problem,
        audits: folder.all_audit_stats(),
        bounds,
    })
}
