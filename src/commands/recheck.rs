//! `cupid recheck`: the rows of an earlier report, compared again.

use std::sync::Arc;

use super::{Connections, load_and_log, print_data, print_json};
use crate::cli::Recheck;
use crate::error::{Error, Exit, Result};
use crate::io::console::Console;
use crate::io::findings::Findings;
use crate::io::report::{self, Report};
use crate::io::signals::RealClock;
use crate::logic::report::recheck::{Rechecked, Rows, rows};
use crate::pipeline;

/// `cupid recheck`.
pub(super) fn recheck(args: &Recheck, clock: &Arc<RealClock>) -> Result<Exit> {
    let job = load_and_log(&args.config, args.output.talk)?;
    let lines = report::read(&args.earlier)?;
    let source = job.source.table.name();
    let names: Vec<&str> = job.destinations.iter().map(|d| d.name.as_str()).collect();
    let Rows { rows, extra } = rows(&lines, &source, &names).map_err(|reason| Error::File {
        operation: "Use the report",
        path: args.earlier.file.clone().unwrap_or_else(|| "stdin".into()),
        reason,
    })?;
    drop(lines);
    let count = rows.len() as u64;
    let new_report = args.output.report.as_ref().map(Report::open).transpose()?;
    let reports = new_report.is_some();
    let console = Console::new(Findings::of_report(new_report), !args.output.talk.quiet);
    let connections = Connections::new(&job, clock)?;
    let tables = connections.tables();
    let counts = pipeline::recheck(&job, &tables, &**clock, &console, &rows, reports)?;
    console.clear();
    let is_complete = !counts.is_stopped && counts.unread.is_empty();
    let outcome = Rechecked::new(&job.name, counts, count, extra);
    if is_complete {
        console.into_findings().complete("")?;
    } else if let Some(file) = args
        .output
        .report
        .as_ref()
        .and_then(|report| report.file.as_ref())
    {
        log::warn!(
            "{} is left as it was: not every row of the report was compared",
            file.display()
        );
    }
    say(args, &outcome)?;
    Ok(outcome.exit)
}

/// What became of the rows is what was asked for, so it goes to stdout, unless something else is wanted there.
fn say(args: &Recheck, outcome: &Rechecked) -> Result<()> {
    let stdout_is_taken = args
        .output
        .report
        .as_ref()
        .is_some_and(|report| report.file.is_none());
    if args.output.json {
        return print_json(true, outcome);
    }
    if stdout_is_taken {
        log::info!("{}", outcome.line());
        return Ok(());
    }
    print_data("Write the summary", &(outcome.line() + "\n"))
}
