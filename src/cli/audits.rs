//! `cupid reconcile` and `cupid recheck`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::output::Output;
use super::values::{
    method_parser, parse_duration, parse_id, parse_rate, parse_report, parse_shard, parse_size,
};
use crate::logic::audit::shard::Shard;
use crate::logic::report::file::ReportFile;
use crate::pipeline::Method;

const AUDIT_REPORT: &str = "Writes the differences to a file when the audit is complete (until then they lie in \
     FILE.partial): CSV, or JSON Lines when it ends in .jsonl; `-` is CSV on stdout";
const RECHECK_REPORT: &str = "Writes what still differs to a file: CSV, or JSON Lines when it ends in .jsonl; \
     `-` is CSV on stdout";

/// `cupid reconcile`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(mut_arg("report", |arg| arg.help(AUDIT_REPORT)))]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Reconcile {
    /// The configuration file
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// The first id of the range [default: the lowest]
    #[arg(long, value_name = "N", value_parser = parse_id, allow_negative_numbers = true)]
    pub from_id: Option<i128>,
    /// The last id of the range [default: the highest id when the audit begins]
    #[arg(long, value_name = "N", value_parser = parse_id, allow_negative_numbers = true)]
    pub to_id: Option<i128>,
    /// Compares only part I of N of the rows, I from 0 to N-1, such as 0/8
    #[arg(long, value_name = "I/N", value_parser = parse_shard)]
    pub shard: Option<Shard>,
    /// Stops after this time, such as 2h; --resume goes on there
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub for_time: Option<Duration>,
    /// Also reports rows that only a destination has; not with --shard, as such rows are in no shard
    #[arg(long)]
    pub extra: bool,
    /// How equal rows are found: stream reads both tables, checksum lets their servers sum them up
    /// (for slow links; not with --extra and --shard), auto decides
    #[arg(long, value_name = "METHOD", value_parser = method_parser(), default_value = "auto")]
    pub method: Method,
    /// Reads at most so many rows a second of each table, such as 20000, to spare the servers
    #[arg(long, value_name = "ROWS", value_parser = parse_rate)]
    pub max_rate: Option<u64>,
    /// Memory for rows that were not paired with their copies yet; more goes to temporary files
    #[arg(long, value_name = "SIZE", value_parser = parse_size, default_value = "256M")]
    pub memory: usize,
    /// Goes on where the last audit of this configuration, range and shard stopped; a copy that is
    /// read whole is read from its beginning again
    #[arg(long)]
    pub resume: bool,
    /// Writes the statements that would repair each destination; cupid never executes them
    #[arg(long, value_name = "FILE")]
    pub fix_sql: Option<PathBuf>,
    /// Writes one page for people: totals, where the differences lie, the first rows of each kind
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Compares and reports, sends nothing; saves only its progress, for --resume with --dry-run
    #[arg(long)]
    pub dry_run: bool,
    /// Where results and words go.
    #[command(flatten)]
    pub output: Output,
}

/// `cupid recheck`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(mut_arg("report", |arg| arg.help(RECHECK_REPORT)))]
#[command(mut_arg("json", |arg| arg.help("Prints the counts as one JSON object on stdout")))]
pub struct Recheck {
    /// The configuration file
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// A report of `run`, `reconcile` or `recheck`: CSV, or JSON Lines when it ends in .jsonl; `-` is CSV on stdin
    #[arg(value_name = "REPORT", value_parser = parse_report)]
    pub earlier: ReportFile,
    /// Where results and words go.
    #[command(flatten)]
    pub output: Output,
}
