//! `cupid status`, `cupid check`, `cupid notify` and `cupid completions`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Shell;
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
