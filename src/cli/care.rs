//! `cupid status`, `check`, `notify`, `completions`, `man` and `help`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::Shell;
use super::topics::Topic;
use super::values::parse_duration;

/// `cupid status`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Configuration files, or folders of them (*.json)
    #[arg(value_name = "CONFIG", required = true)]
    pub configs: Vec<PathBuf>,
    /// Prints one JSON object for each configuration, on a line of its own
    #[arg(long, conflicts_with = "plugin")]
    pub json: bool,
    /// Prints one line for Nagios and similar monitors, and exits as their plugins do
    #[arg(long)]
    pub plugin: bool,
    /// Calls a configuration STALE when no pass ended for this time
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "10m")]
    pub stale: Duration,
}

/// `cupid check`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Configuration files, or folders of them (their *.json)
    #[arg(value_name = "CONFIG", required = true)]
    pub configs: Vec<PathBuf>,
    /// Prints one JSON array of {"level", "key", "text", "remedy"}, with "config" where there are several
    #[arg(long)]
    pub json: bool,
    /// Lists what is fine, too
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// `cupid notify`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(group = clap::ArgGroup::new("what").args(["test", "print"]).required(true).multiple(true))]
pub struct Notify {
    /// The configuration file
    #[arg(value_name = "CONFIG")]
    pub config: PathBuf,
    /// Sends a test message to every channel and prints each result
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

/// `cupid man`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Pages {
    /// Writes all pages into this folder, which is created when it is missing; without it, the page
    /// of `cupid` itself goes to stdout
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `cupid help`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Help {
    /// A command or a topic; without one, all of them are listed
    #[arg(
        index = 1,
        value_name = "COMMAND or TOPIC",
        hide_possible_values = true
    )]
    word: Option<String>,
    /// A command of that command, such as `merge` of `report`
    #[arg(index = 2, value_name = "COMMAND")]
    rest: Vec<String>,
}

impl Help {
    /// The topic, if one is named.
    #[must_use]
    pub fn topic(&self) -> Option<Topic> {
        let alone = self.word.as_ref().filter(|_| self.rest.is_empty());
        alone.and_then(|word| Topic::named(word))
    }

    /// The command line whose help is meant.
    pub(super) fn asked(&self) -> Vec<String> {
        let words = self.word.iter().chain(&self.rest);
        let words = ["cupid"].into_iter().chain(words.map(String::as_str));
        words.chain(["--help"]).map(str::to_owned).collect()
    }
}
