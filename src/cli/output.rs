//! Options that several commands share.

use clap::{ArgAction, Args};

use super::values::parse_report;
use crate::logic::report::file::ReportFile;

/// What `run`, `reconcile` and `recheck` write, and how much they say. Each of them has a help of its own for `--report`.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Writes the differences to a file
    #[arg(long, value_name = "FILE", value_parser = parse_report)]
    pub report: Option<ReportFile>,
    /// Prints the summary as one JSON object on stdout
    #[arg(long)]
    pub json: bool,
    /// How much is said on stderr.
    #[command(flatten)]
    pub talk: Talk,
}

/// How much is said on stderr.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Talk {
    /// Says more, such as each row that is called back; -vv says everything
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Says only what is wrong
    #[arg(short, long)]
    pub quiet: bool,
}
