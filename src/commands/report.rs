//! `cupid report`: finished reports, without a database.

use crate::cli::{Merge, Reports, ReportsCommand};
use crate::error::{Exit, Result};
use crate::io::report::{self, Report};
use crate::logic::report::merged;

/// `cupid report`.
pub(super) fn report(reports: &Reports) -> Result<Exit> {
    match &reports.command {
        ReportsCommand::Merge(args) => merge(args),
    }
}

/// Everything is read before anything is written, so that the output may be one of the files.
fn merge(args: &Merge) -> Result<Exit> {
    let mut lines = Vec::new();
    for file in &args.files {
        lines.extend(report::read(file)?);
    }
    Report::open(&args.output)?.write(&merged(lines))?;
    Ok(Exit::Done)
}
