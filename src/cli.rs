//! What the user typed.
//!
//! The only file that names clap. It knows words, numbers and durations, and nothing of configurations: whether a file exists is
//! not asked here. A wrong command line ends with [`Exit::Usage`], help and version with [`Exit::Done`].

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand};

use crate::error::Exit;

pub use clap_complete::Shell;

const EXIT_STATUS: &str = "\
Exit status:
   0  done, nothing left to do
   1  done, attention: callbacks are still owed, or one destination could not be read
   2  failed: nothing was skipped, the next run starts where this one did
  64  wrong command line
  75  another run holds this configuration's lock
  78  wrong configuration: the message names the key

Signals:
  TERM, INT  finish the batch in hand, save, exit with the usual status
  USR1       under `start` and `run --every`: read the configuration again before the next pass

Data goes to stdout, everything else to stderr. Without a terminal, a run in which nothing is wrong prints nothing.";

const TOP_EXAMPLES: &str = "\
Examples:
  cupid check user.json                   is the configuration right?
  cupid run user.json                     one pass, for cron and systemd timers
  cupid run user.json --every 2s --for 58s
  cupid start user.json                   until SIGTERM, for supervisord
  cupid status user.json

`cupid help COMMAND` tells more, `cupid --help` also the exit status.";

const RUN_EXAMPLES: &str = "\
Examples:
  cupid run user.json
  cupid run user.json --start-id 1000000          first run only; the checkpoint goes before it
  cupid run user.json --dry-run --report -        what would be called back, as CSV
  * * * * *  cupid run user.json --every 2s --for 58s          in a crontab";

const START_EXAMPLES: &str = "\
Examples:
  cupid start /etc/cupid/user.json
  cupid start /etc/cupid/user.json 1000000        first start only; the checkpoint goes before it";

const RECONCILE_EXAMPLES: &str = "\
Examples:
  cupid reconcile user.json --dry-run --report drift.csv
  cupid reconcile user.json --from-id 1 --to-id 1000000 --report drift.jsonl
  cupid reconcile user.json --for 2h              then, the night after, the same with --resume

Exit status: 0 in sync, 1 differences found (called back unless --dry-run), 2 failed.";

const RETRY_EXAMPLES: &str = "\
Examples:
  cupid retry user.json
  cupid retry user.json --json";

const STATUS_EXAMPLES: &str = "\
Examples:
  cupid status user.json
  cupid status user.json --json | jq .";

const CHECK_EXAMPLES: &str = "\
Examples:
  cupid check user.json && systemctl start cupid@user.timer";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  cupid completions bash > /etc/bash_completion.d/cupid
  cupid completions zsh > ~/.zfunc/_cupid";

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
    /// Only delivers the callbacks that are still owed
    #[command(after_help = RETRY_EXAMPLES)]
    Retry(Retry),
    /// Shows the checkpoint, how far behind the table it is, and the callbacks owed
    #[command(after_help = STATUS_EXAMPLES)]
    Status(Status),
    /// Checks a configuration against the real servers before going live
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// Prints the completions of a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
}

/// `cupid run`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The configuration file
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
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
    /// Writes the differences to a file: CSV, or JSON Lines when it ends in .jsonl; `-` is CSV on stdout
    #[arg(long, value_name = "FILE", value_parser = parse_report)]
    pub report: Option<Report>,
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
    /// Stops cleanly when this time is up, such as 2h; --resume goes on there
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub for_time: Option<Duration>,
    /// What may be kept in memory of rows that have not met their copies yet, such as 256M; more goes to temporary files
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "256M")]
    pub memory: usize,
    /// Goes on where the last audit of the same configuration and range stopped
    #[arg(long)]
    pub resume: bool,
    /// Writes the differences to a file: CSV, or JSON Lines when it ends in .jsonl; `-` is CSV on stdout
    #[arg(long, value_name = "FILE", value_parser = parse_report)]
    pub report: Option<Report>,
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

/// `cupid start`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The configuration file
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// Where to start when there is neither a checkpoint nor a cupid.txt; this id is the first one looked at
    #[arg(value_name = "START_ID", value_parser = parse_id, allow_negative_numbers = true)]
    pub start_id: Option<i128>,
    /// How much is said on stderr.
    #[command(flatten)]
    pub talk: Talk,
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

/// `cupid status`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The configuration file
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// Prints one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `cupid check`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The configuration file
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
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

/// `--report FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `None` is stdout.
    pub file: Option<PathBuf>,
    /// How a difference is written.
    pub format: ReportFormat,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// One line per difference and column, with a header.
    Csv,
    /// The same as one JSON object per line.
    JsonLines,
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
    let both_to_stdout = |report: &Option<Report>, json: bool| {
        json && report.as_ref().is_some_and(|report| report.file.is_none())
    };
    let conflict = match &command {
        Command::Run(run) => both_to_stdout(&run.report, run.json),
        Command::Reconcile(reconcile) => both_to_stdout(&reconcile.report, reconcile.json),
        _ => false,
    };
    if conflict {
        return Err(Cli::command().error(
            ErrorKind::ArgumentConflict,
            "--report - and --json both write to stdout; give --report a file, or leave out one of the two",
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

fn parse_id(text: &str) -> Result<i128, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let id = text.parse::<u64>().ok().filter(|_| digits);
    id.map(i128::from)
        .ok_or_else(|| format!("should be a whole number from 0 to {}", u64::MAX))
}

/// Reads `64M`, `2G`: at least 1M.
fn parse_size(text: &str) -> Result<usize, String> {
    const SHOULD: &str = "should be such as 64M or 2G, from 1M to 1024G";
    let (number, unit) =
        text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let unit: usize = match unit {
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return Err(SHOULD.into()),
    };
    let size = number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(unit));
    size.filter(|size| (1 << 20..=1 << 40).contains(size))
        .ok_or_else(|| SHOULD.into())
}

fn parse_report(text: &str) -> Result<Report, String> {
    if text.is_empty() {
        return Err("should be a file's name, or - for stdout".into());
    }
    let file = (text != "-").then(|| PathBuf::from(text));
    let extension = file.as_ref().and_then(|file| file.extension());
    let format = if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl")) {
        ReportFormat::JsonLines
    } else {
        ReportFormat::Csv
    };
    Ok(Report { file, format })
}

/// Reads `500ms`, `2s`, `5m`, `1h`, `2d` and sums from the largest unit down, such as `1h30m`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 5] = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    const DAYS_MAX: u64 = 31;
    const SHOULD: &str = "should be such as 500ms, 2s, 5m or 1h30m";
    let mut total_ms: u64 = 0;
    let mut units_left = UNITS.as_slice();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_alphabetic()).len();
        let (unit, after) = after.split_at(letters);
        if number.is_empty() {
            return Err(SHOULD.into());
        }
        if unit.is_empty() && after.is_empty() {
            return Err(format!(
                "needs a unit; should be such as {text}s or {text}ms"
            ));
        }
        let index = units_left.iter().position(|(name, _)| *name == unit);
        let index = index.ok_or(SHOULD)?;
        let in_ms = number.parse::<u64>().ok();
        total_ms = in_ms
            .and_then(|number| number.checked_mul(units_left[index].1))
            .and_then(|ms| ms.checked_add(total_ms))
            .filter(|ms| *ms <= DAYS_MAX * 86_400_000)
            .ok_or_else(|| format!("is too long; should be at most {DAYS_MAX}d"))?;
        units_left = &units_left[index + 1..];
        rest = after;
    }
    match (text, total_ms) {
        ("", _) => Err(SHOULD.into()),
        (_, 0) => Err(format!("is no time at all; {SHOULD}")),
        (_, ms) => Ok(Duration::from_millis(ms)),
    }
}

#[cfg(test)]
mod tests;
