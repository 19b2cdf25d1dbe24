//! `cupid recheck`: the rows of an earlier report, compared again.

use std::io::Write as _;
use std::sync::Arc;

use super::run::print_json;
use super::{Sides, load_and_log};
use crate::cli::Recheck;
use crate::error::{Error, Exit, Result};
use crate::io::console::Console;
use crate::io::findings::Findings;
use crate::io::report::{self, Report};
use crate::io::signals::RealClock;
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::owed::Owed;
use crate::logic::report::recheck::{Rechecked, Rows, rows};
use crate::logic::scan::checkpoint::Checkpoint;
use crate::logic::value::cell::Id;
use crate::pipeline::{self, Duplicates, Mode, Options};
use crate::world::{Clock as _, Store};

/// `cupid recheck`.
pub(super) fn recheck(args: &Recheck, clock: &Arc<RealClock>) -> Result<Exit> {
    let job = load_and_log(&args.config, args.talk)?;
    let lines = report::read(&args.earlier)?;
    let source = job.source.table.name();
    let names: Vec<&str> = job.destinations.iter().map(|d| d.name.as_str()).collect();
    let Rows { outbox, extra } =
        rows(&lines, &source, &names, clock.now_us()).map_err(|reason| Error::File {
            operation: "Use the report",
            path: args.earlier.file.clone().unwrap_or_else(|| "stdin".into()),
            reason,
        })?;
    drop(lines);
    let number = outbox.len() as u64;
    let new_report = args.report.as_ref().map(Report::open).transpose()?;
    let options = Options {
        insert: false,
        update: false,
        start_id: None,
        mode: Mode::Recheck,
        report: new_report.is_some(),
        duplicates: Duplicates::Told,
        scan_until_us: None,
        rows_per_second_max: None,
    };
    let console = Console::new(Findings::of_report(new_report), !args.talk.quiet);
    let sides = Sides::new(&job, clock)?;
    let mut given = Given(outbox);
    let summary = pipeline::recheck(&job, &mut sides.world(&mut given, clock, &console), options)?;
    console.clear();
    let is_complete = super::is_complete(&summary);
    let outcome = Rechecked::new(summary, number, extra);
    if is_complete {
        console.into_findings().complete("")?;
    } else if let Some(file) = args.report.as_ref().and_then(|report| report.file.as_ref()) {
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
        .report
        .as_ref()
        .is_some_and(|report| report.file.is_none());
    if args.json {
        return print_json(true, outcome);
    }
    if stdout_is_taken {
        log::info!("{}", outcome.line());
        return Ok(());
    }
    writeln!(std::io::stdout(), "{}", outcome.line()).map_err(|error| Error::File {
        operation: "Write the summary",
        path: "stdout".into(),
        reason: error.to_string(),
    })
}

/// The given rows as what is owed, and nothing else: no file is read or written.
struct Given(Outbox);

impl Store for Given {
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>> {
        Ok(None)
    }

    fn first_cupids_id(&mut self) -> Result<Option<Id>> {
        Ok(None)
    }

    fn save_checkpoint(&mut self, _: &Checkpoint) -> Result<()> {
        Ok(())
    }

    fn outbox(&mut self) -> Result<Outbox> {
        Ok(std::mem::take(&mut self.0))
    }

    fn append_owed(&mut self, _: &[Owed]) -> Result<()> {
        Ok(())
    }

    fn replace_outbox(&mut self, _: &Outbox) -> Result<()> {
        Ok(())
    }
}
