//! One short file per sub-command, composed from the same stages.

mod check;
mod connections;
mod init;
mod man;
mod memory;
mod note;
mod notify;
mod owed;
mod passes;
mod recheck;
mod reconcile;
mod report;
mod run;
mod several;
mod start;
mod status;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use crate::cli::topics::Topic;
use crate::cli::{Command, Talk};
use crate::config::{self, Job};
use crate::error::{Error, Exit, Result};
use crate::io::logging;
use crate::io::signals::RealClock;
use crate::io::state_dir::{Former, StateDir};
use crate::logic::report::summary::Summary;

use connections::Connections;
use note::note;

/// Does what the command line asks for.
///
/// # Errors
/// What stopped it.
pub fn dispatch(command: Command, clock: &Arc<RealClock>) -> Result<Exit> {
    match command {
        Command::Run(run) => run::run(&run, clock),
        Command::Start(start) => start::start(&start, clock),
        Command::Reconcile(reconcile) => reconcile::reconcile(&reconcile, clock),
        Command::Recheck(recheck) => recheck::recheck(&recheck, clock),
        Command::Report(reports) => report::report(&reports),
        Command::Retry(retry) => run::retry(&retry, clock),
        Command::Owed(owed) => owed::owed(&owed, clock),
        Command::Status(status) => status::status(&status, clock),
        Command::Init(init) => init::init(&init, clock),
        Command::Check(check) => check::check(&check, clock),
        Command::Notify(notify) => notify::notify(&notify, clock),
        Command::Completions(completions) => {
            crate::cli::write_completions(completions.shell, &mut std::io::stdout())
                .map_err(|error| unprinted("Write the completions", &error))?;
            Ok(Exit::Done)
        }
        Command::Man(pages) => man::man(&pages),
        Command::Help(help) => {
            let text = help.topic().map(Topic::shown).unwrap_or_default();
            print_data("Write the help", &text)?;
            Ok(Exit::Done)
        }
    }
}

/// Writes what was asked for to stdout.
fn print_data(operation: &'static str, text: &str) -> Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| unprinted(operation, &error))
}

fn print_json(wanted: bool, summary: &impl serde::Serialize) -> Result<()> {
    const OPERATION: &str = "Write the summary";
    if !wanted {
        return Ok(());
    }
    let text = serde_json::to_string(summary).map_err(|error| unprinted(OPERATION, &error))?;
    print_data(OPERATION, &(text + "\n"))
}

/// It did not come to stdout.
fn unprinted(operation: &'static str, error: &dyn std::error::Error) -> Error {
    Error::File {
        operation,
        path: "stdout".into(),
        reason: error.to_string(),
    }
}

/// Reads a configuration.
fn load(path: &Path) -> Result<Arc<Job>> {
    config::load(path, &env).map(Arc::new)
}

/// The same for a command that reads state files alone.
fn load_without_secrets(path: &Path) -> Result<Arc<Job>> {
    config::load_without_secrets(path, &env).map(Arc::new)
}

/// An environment variable.
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Reads a configuration and starts the log that it asks for.
fn load_and_log(path: &Path, talk: Talk) -> Result<Arc<Job>> {
    let job = load(path)?;
    logging::start(logging::level(talk.verbose, talk.quiet));
    let name = job.name.as_str().into();
    logging::set_subject(&name);
    if let Some(folder) = &job.log_dir {
        logging::add_file(&name, &folder.join(format!("cupid-{name}.log")))?;
    }
    Ok(job)
}

/// The state folder of a job.
fn state_of(job: &Job) -> StateDir {
    let table = &job.source.table;
    let former = job.former_name.clone().map(|name| Former {
        name,
        destinations: job
            .destinations
            .iter()
            .map(|destination| destination.name_before.clone())
            .collect(),
    });
    StateDir::new(&job.source.state_dir, &job.name, &table.name())
        .of(&job.file)
        .formerly(former)
        .with_destinations(job.known_destinations())
}

/// A job that looks at nothing is a mistake.
fn refuse_idle(job: &Job) -> Result<()> {
    if job.source.insert || job.source.update.is_some() {
        return Ok(());
    }
    Err(Error::Config {
        path: job.path.clone(),
        problem: "src.insert: holds false, and so does src.update; at least one of them should hold true, else there is \
                  nothing to look at"
            .into(),
    })
}

/// Whether a pass came to its end, at every destination.
fn is_complete(summary: &Summary) -> bool {
    !summary.interrupted && summary.pause().is_none() && summary.unread().next().is_none()
}

/// Says how something ended that nobody remembers: each time what is wrong.
fn tell(summary: &Summary, exit: Exit) {
    if exit == Exit::Done {
        tell_line(summary);
    } else {
        log::warn!("{}", summary.line());
    }
}

/// One line of a pass. A terminal shows each pass, a log file the passes that did something.
fn tell_line(summary: &Summary) {
    let total = summary.total();
    if total.compared > 0 || total.delivered > 0 || logging::is_terminal() {
        log::info!("{}", summary.pass_line());
    } else {
        log::debug!("{}", summary.pass_line());
    }
}
