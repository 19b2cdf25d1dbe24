//! `cupid check`: asks the real servers, says in plain words what it finds, changes and sends nothing.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use super::{Sides, load, state_of};
use crate::cli::Check;
use crate::config::Job;
use crate::error::{Error, Exit, Result};
use crate::io::mysql::inspect;
use crate::io::signals::RealClock;
use crate::io::state_dir::StateDir;
use crate::logic::advice::{self, Finding};
use crate::logic::facts::{Facts, StateFacts};
use crate::world::{Clock as _, Store as _};

/// `cupid check`. The exit status is that of the worst finding.
pub(super) fn check(check: &Check, clock: &Arc<RealClock>) -> Result<Exit> {
    let job = load(&check.config)?;
    let sides = Sides::new(&job, clock)?;
    let facts = gather(&job, &sides, clock);
    let findings = advice::advise(&job, &facts, clock.now_us());
    print(&findings)?;
    Ok(advice::exit(&findings))
}

fn gather(job: &Job, sides: &Sides, clock: &RealClock) -> Facts {
    let words = |error: Error| error.to_string();
    let source = inspect::source(&sides.source, job, clock).map_err(words);
    let destinations = sides.destinations.iter().enumerate();
    Facts {
        destinations: destinations
            .map(|(number, destination)| {
                inspect::destination(destination, job, number, source.is_ok(), clock).map_err(words)
            })
            .collect(),
        source,
        state: state(job, state_of(job)),
    }
}

fn state(job: &Job, state: StateDir) -> StateFacts {
    let mut facts = StateFacts {
        of_another: None,
        folder: job.source.state_dir.clone(),
        exists: job.source.state_dir.is_dir(),
        unwritable: state.refuses_files(),
        unusable: vec![],
        has_checkpoint: false,
        first_cupids_id: None,
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
        Ok(state) => read(state, &mut facts),
        Err(error) => facts.unusable.push(error.to_string()),
    }
    facts
}

/// What the state files say, when they are this configuration's.
fn read(mut state: StateDir, facts: &mut StateFacts) {
    let checkpoint = state.checkpoint();
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

fn print(findings: &[Finding]) -> Result<()> {
    let mut text = String::new();
    for finding in findings {
        let _ = writeln!(text, "{finding}"); // Writing to a String cannot fail.
    }
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Error::File {
            operation: "Write the findings",
            path: "stdout".into(),
            reason: error.to_string(),
        })
}
