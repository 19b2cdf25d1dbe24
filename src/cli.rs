//! The command line.
//!
//! This is the only part that names clap, with a file for each kind of command. It knows words,
//! numbers and durations. It does not open a configuration. A wrong command line ends with
//! [`Exit::Usage`], help and version with [`Exit::Done`].

mod audits;
mod care;
mod examples;
mod init;
mod man;
mod output;
mod owed;
mod passes;
mod refusals;
mod reports;
pub mod topics;
mod values;

use std::ffi::OsString;
use std::io::Write;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::error::Exit;

pub use audits::{Recheck, Reconcile};
pub use care::{Check, Completions, Help, Notify, Pages, Status};
pub use clap_complete::Shell;
pub use init::Init;
pub use man::{Page, pages};
pub use output::{Output, Talk};
pub use owed::{Owed, OwedCommand, OwedDrop, OwedList, OwedSend, OwedShow, OwedWhat};
pub use passes::{Retry, Run, Start};
pub use reports::{Html, Merge, Reports, ReportsCommand};

use examples::{
    CHECK_EXAMPLES, COMPLETIONS_EXAMPLES, EXIT_STATUS, HELP_EXAMPLES, MAN_EXAMPLES,
    NOTIFY_EXAMPLES, OWED_EXAMPLES, RECHECK_EXAMPLES, RECONCILE_EXAMPLES, REPORT_EXAMPLES,
    RETRY_EXAMPLES, RUN_EXAMPLES, START_EXAMPLES, STATUS_EXAMPLES, TOP_EXAMPLES,
};

#[derive(Debug, Parser)]
#[command(
    name = "cupid",
    version,
    about = "Finds changes that got lost between a MySQL table and its copies, and calls back until every callback is taken",
    after_help = format!("{}\n\n{TOP_EXAMPLES}", topics::list()),
    after_long_help = format!("{}\n\n{TOP_EXAMPLES}\n\n{EXIT_STATUS}", topics::list()),
    disable_help_subcommand = true,
    max_term_width = 100,
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// A command with its options.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// One pass: owed callbacks, new rows, updated rows; then saves the checkpoint and exits
    #[command(after_help = RUN_EXAMPLES)]
    Run(Run),
    /// Passes at the configuration's own intervals until SIGTERM, as the first cupid did under supervisord
    #[command(after_help = START_EXAMPLES)]
    Start(Start),
    /// Audits: compares every source row in an id range with all destinations, whatever the checkpoint of `run` says
    #[command(after_help = RECONCILE_EXAMPLES)]
    Reconcile(Reconcile),
    /// Compares again just the rows of an earlier report, and says which are repaired
    #[command(after_help = RECHECK_EXAMPLES)]
    Recheck(Recheck),
    /// Works on finished reports, without a database
    #[command(after_help = REPORT_EXAMPLES)]
    Report(Reports),
    /// Only delivers the callbacks that are still owed
    #[command(after_help = RETRY_EXAMPLES)]
    Retry(Retry),
    /// Shows what is owed, why and since when; sends or drops what you name
    #[command(after_help = OWED_EXAMPLES)]
    Owed(Owed),
    /// Shows the checkpoint, how far behind the table it is, and the callbacks owed
    #[command(after_help = STATUS_EXAMPLES)]
    Status(Status),
    /// Writes a commented configuration, from two tables when it is given their addresses
    #[command(after_help = init::INIT_EXAMPLES)]
    Init(Init),
    /// Checks a configuration against the real servers before going live
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// Tries the channels of `notify`, without a database
    #[command(after_help = NOTIFY_EXAMPLES)]
    Notify(Notify),
    /// Prints the completions of a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Writes the man pages
    #[command(after_help = MAN_EXAMPLES, hide = true)]
    Man(Pages),
    /// Tells more about a command or a topic
    #[command(after_help = HELP_EXAMPLES)]
    Help(Help),
}

/// Everything that can be typed.
fn definition() -> clap::Command {
    let command = Cli::command();
    let names = command.get_subcommands().map(|it| it.get_name().to_owned());
    let topics = topics::TOPICS.iter().map(|it| it.name.to_owned());
    let words = PossibleValuesParser::new(names.chain(topics).collect::<Vec<_>>());
    command.mut_subcommand("help", |help| {
        help.mut_arg("word", |word| word.value_parser(words))
    })
}

/// Reads a command line; the first argument is the program's own name.
///
/// # Errors
///
/// What is wrong with it; also help and version, which clap treats alike. Print it with [`clap::Error::print`], which
/// knows the right stream, and end with [`exit`].
pub fn parse<I, T>(arguments: I) -> Result<Command, clap::Error>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let mut matches = definition().try_get_matches_from(arguments)?;
    let command = Cli::from_arg_matches_mut(&mut matches)?.command;
    if let Command::Help(help) = &command
        && help.topic().is_none()
    {
        return parse(help.asked());
    }
    match refusals::refusal(&command) {
        None => Ok(command),
        Some((kind, problem)) => Err(definition().error(kind, problem)),
    }
}

/// The exit status that belongs to what [`parse`] refused.
#[must_use]
pub fn exit(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    }
}

/// Writes the completions of a shell.
///
/// # Errors
///
/// When `out` cannot be written to.
pub fn write_completions(shell: Shell, out: &mut dyn Write) -> std::io::Result<()> {
    // The generator panics when it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definition(), "cupid", &mut script);
    out.write_all(&script)
}

#[cfg(test)]
mod tests;
