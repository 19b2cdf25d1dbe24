//! `cupid report`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::examples::{HTML_EXAMPLES, MERGE_EXAMPLES};
use super::values::parse_report;
use crate::logic::report::file::ReportFile;

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
