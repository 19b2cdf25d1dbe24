//! `cupid run`, `cupid start` and `cupid retry`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::output::{Output, Talk};
use super::values::{parse_duration, parse_id};

const RUN_REPORT: &str = "Appends the differences to a file: CSV, or JSON Lines when it ends in .jsonl; \
     `-` is CSV on stdout";

/// `cupid run`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(mut_arg("report", |arg| arg.help(RUN_REPORT)))]
pub struct Run {
    /// Configuration files, or folders of them (their *.json); several are passed side by side
    #[arg(value_name = "CONFIG", required = true)]
    pub configs: Vec<PathBuf>,
    /// The first id, when there is neither a checkpoint nor a cupid.txt
    #[arg(long, value_name = "N", value_parser = parse_id, allow_negative_numbers = true)]
    pub start_id: Option<i128>,
    /// Repeats the pass; such as 2s, from the start of one to the start of the next
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub every: Option<Duration>,
    /// Stops repeating after this time, such as 58s [default: at SIGTERM]
    #[arg(
        long = "for",
        value_name = "DURATION",
        value_parser = parse_duration,
        requires = "every"
    )]
    pub for_time: Option<Duration>,
    /// Compares and reports, sends nothing, saves nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where results and words go.
    #[command(flatten)]
    pub output: Output,
}

/// `cupid start`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Configuration files, or folders of them (their *.json). After a single one: the first id,
    /// when there is neither a checkpoint nor a cupid.txt
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

    pub(super) fn check(&self) -> Result<(), String> {
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
