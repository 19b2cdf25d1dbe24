//! The same eyes over given rows: those of an earlier report, which stand in the store's outbox.

use super::{Options, Pass, World};
use crate::config::Job;
use crate::error::Result;
use crate::logic::report::line::Fate;
use crate::logic::report::summary::Summary;

/// Looks at every owed row, and after the confirmation's delay once more at those that were still wrong. Sends nothing.
///
/// # Errors
/// As [`super::pass`].
pub fn recheck(job: &Job, world: &mut World<'_>, options: Options) -> Result<Summary> {
    let began_us = world.clock.now_us();
    let pass = Pass::load(job, world, options)?;
    pass.tell_all(None)?;
    if !pass.shared().outbox.is_empty() {
        pass.clock.sleep(job.confirm_delay);
    }
    pass.tell_all(Some(Fate::None))?;
    let interrupted = pass.clock.stopping();
    let mut summary = pass.finish(began_us);
    summary.interrupted = interrupted;
    Ok(summary)
}
