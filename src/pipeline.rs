//! One pass, start to end. Read this first.
//!
//! What is guaranteed, and why the order is safe:
//!
//! 1. A row is behind the checkpoint only if every destination of its position answered for it. A
//!    destination that did not answer keeps its own, older position.
//! 2. A difference is on disk before the checkpoint passes its row. Candidates wait in memory until
//!    the second look, behind a checkpoint that has not moved. Confirmed ones are appended to the
//!    outbox and synced. Only then is the position beyond them saved. A process that is killed
//!    anywhere repeats work and loses none.
//! 3. The row that is sent was read from the source after the difference was confirmed, and
//!    compared once more on the way.
//! 4. A destination or an endpoint that fails is left for this pass. Other destinations go on, and
//!    the summary says so. A source that fails ends the pass. The next pass starts where this one
//!    did.

mod aside;
mod audit;
mod callback;
mod deliver;
mod ended;
mod gate;
mod ledger;
mod look;
mod options;
mod owed;
mod pass;
mod probe;
mod progress;
mod recheck;
mod reconfirm;
mod report;
mod restart;
mod scan;
mod show;
mod throttle;
mod verify;
mod work;

pub use options::{Audit, Handling, IdRange, Method, Run};
pub use recheck::recheck;
pub use show::{Now, show};

use std::collections::BTreeSet;

use crate::config::Job;
use crate::error::Result;
use crate::logic::report::summary::Summary;
use crate::logic::value::address::Address;
use crate::world::World;

use options::Asked;
use work::Work;

/// One pass: owed callbacks first, then what is new, then what that made owed.
///
/// # Errors
/// When the source or the state cannot be read or written. Nothing was skipped then.
pub fn pass(job: &Job, world: &mut World<'_>, run: Run) -> Result<Summary> {
    let mut work = Work::begin(job, world, Asked::Run(run))?;
    work.verify()?;
    work.deliver()?;
    work.scan_and_deliver()?;
    work.report_owed()?;
    Ok(work.end())
}

/// The same over a range of ids from end to end. Where that pays, both tables are read once, and only what is not known to
/// be equal is looked up; else every row is.
///
/// # Errors
/// As [`pass()`].
pub fn audit(job: &Job, world: &mut World<'_>, audit: Audit) -> Result<Summary> {
    let spills = world.spills;
    let mut work = Work::begin(job, world, Asked::Audit(audit))?;
    work.progress.save_beginning(&work.pass, &work.ledger)?;
    work.verify()?;
    work.deliver()?;
    let extra = audit::find_unequal(&work.pass, &mut work.progress, &audit, spills)?;
    work.scan_and_deliver()?;
    work.look_again()?;
    audit::report_extra(&work.pass, extra)?;
    work.report_owed()?;
    Ok(work.end())
}

/// Only delivers what is owed, now: who asks for it does not want to wait as long as an endpoint once asked for.
///
/// # Errors
/// As [`pass()`].
pub fn retry(job: &Job, world: &mut World<'_>) -> Result<Summary> {
    let mut work = Work::begin(job, world, Asked::Retry)?;
    work.ledger.forget_waits();
    work.deliver()?;
    Ok(work.end())
}

/// The same for some of the callbacks, by destination and row. What the summary calls owed is what is left of these.
///
/// # Errors
/// As [`pass()`].
pub fn send(
    job: &Job,
    world: &mut World<'_>,
    chosen: BTreeSet<(String, Address)>,
) -> Result<Summary> {
    let mut work = Work::begin(job, world, Asked::Retry)?;
    work.ledger.choose(chosen);
    work.deliver()?;
    Ok(work.end())
}
