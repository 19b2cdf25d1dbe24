//! `cupid owed`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output::Talk;

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
    /// An owed callback: both rows as they are now, the columns that differ, the body to be sent
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
    /// The most lines to print
    #[arg(long, value_name = "LINES", default_value_t = LIST_LINES, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// Prints all lines of the owed file, as JSON Lines
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
    /// destination/id, or the id alone where only one destination has it
    #[arg(value_name = "KEY", required = true, allow_negative_numbers = true)]
    pub keys: Vec<String>,
    /// Only what is owed to this destination
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
}

/// What to act on.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct OwedWhat {
    /// destination/id, or the id alone where only one destination has it
    #[arg(
        value_name = "KEY",
        required_unless_present = "all",
        conflicts_with = "all",
        allow_negative_numbers = true
    )]
    pub keys: Vec<String>,
    /// Every owed callback, or every one of --destination
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
