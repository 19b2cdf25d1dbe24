//! What the user typed.
//!
//! The only file that names clap. It knows words, numbers and durations, and nothing of configurations: whether a file exists is
//! not asked here. A wrong command line ends with [`Exit::Usage`], help and version with [`Exit::Done`].

mod examples;
mod values;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand};

use crate::error::Exit;
use crate::logic::audit::shard::Shard;
use crate::logic::report::file::ReportFile;
use crate::pipeline::Method;

pub use clap_complete::Shell;

use examples::{
    CHECK_EXAMPLES, COMPLETIONS_EXAMPLES, EXIT_STATUS, HTML_EXAMPLES, MERGE_EXAMPLES,
    NOTIFY_EXAMPLES, OWED_EXAMPLES, RECHECK_EXAMPLES, RECONCILE_EXAMPLES, REPORT_EXAMPLES,
    RETRY_EXAMPLES, RUN_EXAMPLES, START_EXAMPLES, STATUS_EXAMPLES, TOP_EXAMPLES,
};
use values::{
    method_parser, parse_duration, parse_id, parse_rate, parse_report, parse_shard, parse_size,
};

#[derive(Debug, Parser)]
#[command(
    name = "cupid",
    version,
    about = "Finds changes that got lost between a MySQL table and its copies, and calls back until they are repaired",
    after_help = TOP_EXAMPLES,
    after_long_help = format!("{TOP_EXAMPLES}\n\n{EXIT_STATUS}"),
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
    /// Checks a configuration against the real servers before going live
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// Tries the channels of `notify`, without a database
    #[command(after_help = NOTIFY_EXAMPLES)]
    Notify(Notify),
    /// Prints the completions of a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
}

/// `cupid run`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Configuration files, or folders of them (their *.json); several are passed side by side
    #[arg(value_name = "CONFIG", required = true)]
    pub configs: Vec<PathBuf>,
    /// Where to start when there is neither a checkpoint nor a cupid.txt; this id is the first one looked at
    #[arg(long, value_name = "N", value_parser = parse_id, allow_negative_numbers = true)]
    pub start_id: Option<i128>,
    /// Repeats the pass: the time from the start of one to the start of the next, such as 2s
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub every: Option<Duration>,
    /// Stops repeating after this time, such as 58s; without it, at SIGTERM
    #[arg(
        long = "for",
        value_name = "DURATION",
        value_parser = parse_duration,
        requires = "every"
    )]
    pub for_time: Option<Duration>,
    /// Appends the differences to a file: CSV, or JSON Lines when it ends in .jsonl; `-` is CSV on stdout
    #[arg(long, value_name = "FILE", value_parser = parse_report)]
    pub report: Option<ReportFile>,
    /// Compares and reports, sends nothing, saves nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Prints the summary as one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    /// How much is said on stderr.
    #[command(flatten)]
    pub talk: Talk,
}

/// `cupid reconcile`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Reconcile {
    /// The configuration file
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// The first id of the range; without it, the lowest that there can be
    #[arg(long, value_name = "N", value_parser = parse_id, allow_negative_numbers = true)]
    pub from_id: Option<i128>,
    /// The last id of the range; without it, the highest id when the audit begins
    #[arg(long, value_name = "N", value_parser = parse_id, allow_negative_numbers = true)]
    pub to_id: Option<i128>,
    /// Only part I of N of the rows, I from 0 to N-1, such as 0/8: N audits, on as many machines, share the table
    #[arg(long, value_name = "I/N", value_parser = parse_shard)]
    pub shard: Option<Shard>,
    /// Stops cleanly when this time is up, such as 2h; --resume goes on there
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub for_time: Option<Duration>,
    /// Also reports the rows that only a destination has; not with --shard, for such a row is in no shard
    #[arg(long)]
    pub extra: bool,
    /// How equal rows are found: auto, stream (both tables are read) or checksum (their servers sum them up; for slow links;
    /// with --extra and --shard tables are read all the same)
    #[arg(long, value_name = "METHOD", value_parser = method_parser(), default_value = "auto")]
    pub method: Method,
    /// Reads at most so many rows a second of each table, such as 20000, to spare the servers
    #[arg(long, value_name = "ROWS", value_parser = parse_rate)]
    pub max_rate: Option<u64>,
    /// What may be kept in memory of rows that have not met their copies yet, such as 256M; more goes to temporary files
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "256M")]
    pub memory: usize,
    /// Goes on where the last audit of the same configuration, range and shard stopped; reads the copies from their
    /// beginning again where it reads them whole
    #[arg(long)]
    pub resume: bool,
    /// Writes the differences to a file when the audit is complete (until then they lie in FILE.partial): CSV, or JSON Lines
    /// when it ends in .jsonl; `-` is CSV on stdout
    #[arg(long, value_name = "FILE", value_parser = parse_report)]
    pub report: Option<ReportFile>,
    /// Writes the statements that would repair each destination: to be read, never executed here
    #[arg(long, value_name = "FILE")]
    pub fix_sql: Option<PathBuf>,
    /// Writes one page for people: totals, where the differences lie, the first rows of each kind
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Compares and reports, sends nothing; saves only its progress, for --resume with --dry-run
    #[arg(long)]
    pub dry_run: bool,
    /// Prints the summary as one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    /// How much is said on stderr.
    #[command(flatten)]
    pub talk: Talk,
}

/// `cupid recheck`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Recheck {
    /// The configuration file
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// A report of `run`, `reconcile` or `recheck`: CSV, or JSON Lines when it ends in .jsonl; `-` is CSV on stdin
    #[arg(value_name = "REPORT", value_parser = parse_report)]
    pub earlier: ReportFile,
    /// Writes what still differs to a file, likewise; `-` is CSV on stdout
    #[arg(long, value_name = "FILE", value_parser = parse_report)]
    pub report: Option<ReportFile>,
    /// Prints the counts as one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    /// How much is said on stderr.
    #[command(flatten)]
    pub talk: Talk,
}

/// `cupid report`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Reports {
    /// What to do with them.
    #[command(subcommand)]
    pub command: ReportsCommand,
}

/// What `cupid report` can do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ReportsCommand {
    /// Makes one report of several
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(Merge),
    /// Makes one page for people of a report
    #[command(after_help = HTML_EXAMPLES)]
    Html(Html),
}

/// `cupid report html`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Html {
    /// The report: CSV, or JSON Lines when the name ends in .jsonl; `-` is CSV on stdin
    #[arg(value_name = "REPORT", value_parser = parse_report)]
    pub report: ReportFile,
    /// The page
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
}

/// `cupid report merge`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Reports: CSV, or JSON Lines when the name ends in .jsonl; `-` is CSV on stdin
    #[arg(value_name = "FILE", required = true, value_parser = parse_report)]
    pub files: Vec<ReportFile>,
    /// Where the one report goes: CSV, or JSON Lines when it ends in .jsonl; `-` is CSV on stdout
    #[arg(long, value_name = "FILE", default_value = "-", value_parser = parse_report)]
    pub output: ReportFile,
}

/// `cupid start`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Configuration files, or folders of them (their *.json). After a single one: where to start when there is neither a
    /// checkpoint nor a cupid.txt; this id is the first one looked at
    #[arg(
        value_name = "CONFIG… | CONFIG START_ID",
        required = true,
        allow_negative_numbers = true
    )]
    words: Vec<PathBuf>,
    /// How much is said on stderr.
    #[command(flatten)]
    pub talk: Talk,
}

impl Start {
    /// The configurations, and where to start.
    #[must_use]
    pub fn meant(&self) -> (Vec<PathBuf>, Option<i128>) {
        match self.start_id().and_then(|word| parse_id(word).ok()) {
            Some(start_id) => (vec![self.words[0].clone()], Some(start_id)),
            None => (self.words.clone(), None),
        }
    }

    /// The second word of two, unless it looks like a path.
    fn start_id(&self) -> Option<&str> {
        let [_, word] = self.words.as_slice() else {
            return None;
        };
        word.to_str().filter(|word| !word.contains(['.', '/']))
    }

    fn check(&self) -> Result<(), String> {
        let Some(word) = self.start_id() else {
            return Ok(());
        };
        let outcome = parse_id(word);
        outcome.map(drop).map_err(|should| {
            format!("invalid value '{word}' for START_ID: {should}; a path should have a \".\" or a \"/\"")
        })
    }
}

/// `cupid retry`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The configuration file
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// Prints the summary as one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    /// How much is said on stderr.
    #[command(flatten)]
    pub talk: Talk,
}

/// `cupid owed`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The configuration file
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// What to do; without it, list.
    #[command(subcommand)]
    pub command: Option<OwedCommand>,
    /// Of a list without its name.
    #[command(flatten)]
    pub list: OwedList,
}

/// What `cupid owed` can do.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum OwedCommand {
    /// One line for each callback; needs no secret and no server
    List(OwedList),
    /// An entry, both rows as they are now, the columns that differ, the body that would be sent
    Show(OwedShow),
    /// Tries now, whatever the endpoint asked for
    Send(OwedSend),
    /// Forgets callbacks until a pass or an audit finds their rows again; prints what it drops as JSON Lines
    Drop(OwedDrop),
}

/// Lines of a list, unless somebody wants more or fewer.
const LIST_LINES: u32 = 50;

/// `cupid owed list`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct OwedList {
    /// Only what is owed to this destination
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
    /// At most so many lines
    #[arg(long, value_name = "LINES", default_value_t = LIST_LINES, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Prints the lines of the owed file, all of them
    #[arg(long)]
    pub json: bool,
}

impl Default for OwedList {
    fn default() -> Self {
        Self {
            destination: None,
            limit: LIST_LINES,
            json: false,
        }
    }
}

/// `cupid owed show`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct OwedShow {
    /// What: destination/id, or the id where one destination has it
    #[arg(value_name = "KEY", required = true, allow_negative_numbers = true)]
    pub keys: Vec<String>,
    /// Only what is owed to this destination
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
}

/// What to act on.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct OwedWhat {
    /// What: destination/id, or the id where one destination has it
    #[arg(
        value_name = "KEY",
        required_unless_present = "all",
        conflicts_with = "all",
        allow_negative_numbers = true
    )]
    pub keys: Vec<String>,
    /// Everything that is owed, or everything that is owed to --destination
    #[arg(long)]
    pub all: bool,
    /// Only what is owed to this destination
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
}

/// `cupid owed send`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct OwedSend {
    /// What to send.
    #[command(flatten)]
    pub what: OwedWhat,
    /// How much is said on stderr.
    #[command(flatten)]
    pub talk: Talk,
}

/// `cupid owed drop`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct OwedDrop {
    /// What to drop.
    #[command(flatten)]
    pub what: OwedWhat,
    /// Does not ask
    #[arg(long)]
    pub yes: bool,
}

/// `cupid status`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Configuration files, or folders of them (*.json)
    #[arg(value_name = "CONFIG", required = true)]
    pub configs: Vec<PathBuf>,
    /// Prints one JSON object for each configuration, on a line of its own
    #[arg(long, conflicts_with = "plugin")]
    pub json: bool,
    /// Prints one line for Nagios and its heirs, and exits as their plugins do
    #[arg(long)]
    pub plugin: bool,
    /// No pass for so long is too long
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "10m")]
    pub stale: Duration,
}

/// `cupid check`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Configuration files, or folders of them (their *.json)
    #[arg(value_name = "CONFIG", required = true)]
    pub configs: Vec<PathBuf>,
}

/// `cupid notify`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(group = clap::ArgGroup::new("what").args(["test", "print"]).required(true).multiple(true))]
pub struct Notify {
    /// The configuration file
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// Sends a test message to every channel and says what came of it
    #[arg(long)]
    pub test: bool,
    /// Only to this channel: its name, or its type where it has none
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// Shows the requests with *** for each secret, and sends nothing
    #[arg(long)]
    pub print: bool,
}

/// `cupid completions`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// How much is said on stderr.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Talk {
    /// Says more; twice, still more
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Says only what is wrong
    #[arg(short, long)]
    pub quiet: bool,
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
    let command = Cli::try_parse_from(arguments)?.command;
    if let Command::Start(start) = &command {
        start
            .check()
            .map_err(|problem| Cli::command().error(ErrorKind::ValueValidation, problem))?;
    }
    let reported = |report: &Option<ReportFile>| {
        let to_stdout = report.as_ref().is_some_and(|report| report.file.is_none());
        ("--report -", to_stdout)
    };
    let named = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
    let on_stdout = match &command {
        Command::Run(run) => vec![reported(&run.report), ("--json", run.json)],
        Command::Reconcile(reconcile) => vec![
            reported(&reconcile.report),
            ("--fix-sql -", named(&reconcile.fix_sql)),
            ("--html -", named(&reconcile.html)),
            ("--json", reconcile.json),
        ],
        Command::Recheck(recheck) => vec![reported(&recheck.report), ("--json", recheck.json)],
        _ => vec![],
    };
    let mut on_stdout = on_stdout.iter().filter(|(_, is_there)| *is_there);
    if let (Some((one, _)), Some((other, _))) = (on_stdout.next(), on_stdout.next()) {
        return Err(Cli::command().error(
            ErrorKind::ArgumentConflict,
            format!(
                "{one} and {other} both write to stdout; give --report a file, or leave out one of the two"
            ),
        ));
    }
    if let Command::Reconcile(reconcile) = &command
        && reconcile.extra
        && reconcile.shard.is_some()
    {
        return Err(Cli::command().error(
            ErrorKind::ArgumentConflict,
            "--extra cannot be used with --shard: a row that only a copy has is in no shard; run `cupid reconcile CONFIG \
             --extra` once, without --shard",
        ));
    }
    if let Command::Owed(Owed {
        command: Some(_),
        list,
        ..
    }) = &command
        && *list != OwedList::default()
    {
        return Err(Cli::command().error(
            ErrorKind::ArgumentConflict,
            "an option stands before the word that says what to do, such as `send`; write options behind that word",
        ));
    }
    Ok(command)
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
    clap_complete::generate(shell, &mut Cli::command(), "cupid", &mut script);
    out.write_all(&script)
}

#[cfg(test)]
mod tests;
