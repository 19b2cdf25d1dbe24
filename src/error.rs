//! What can go wrong, one variant per operation with its operands, and the exit status of each.

use std::path::PathBuf;

/// The exit status of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Nothing left to do.
    Done = 0,
    /// Done, but someone should look: callbacks owed, a destination unread, differences found by an audit.
    Attention = 1,
    /// Failed; nothing was skipped.
    Failed = 2,
    /// `cupid status --plugin` cannot tell (UNKNOWN of the Monitoring Plugins).
    Unknown = 3,
    /// Wrong command line (`EX_USAGE` of sysexits.h).
    Usage = 64,
    /// Another run holds the lock (`EX_TEMPFAIL`).
    Locked = 75,
    /// Wrong configuration (`EX_CONFIG`).
    Config = 78,
}

/// What stopped a command.
#[derive(Debug)]
pub enum Error {
    /// The configuration is not usable. The text names the key, what it holds and what it should hold.
    Config {
        /// The configuration file.
        path: PathBuf,
        /// One or more problems, one per line.
        problem: String,
    },
    /// The command line asks for something impossible.
    Usage(String),
    /// Another process holds the lock of this configuration.
    Locked(PathBuf),
    /// A query on a server failed, for good or after several tries.
    Database {
        /// For example `Read new ids of my.user at db1:3306`.
        operation: String,
        /// The server's or the client's words.
        reason: String,
    },
    /// The system gave no threads to compare with.
    Threads {
        /// `workerNumber`.
        count: usize,
        /// The system's words.
        reason: String,
    },
    /// A state file exists and cannot be used.
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A file could not be read or written.
    File {
        /// For example `Write`.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
}

impl Error {
    /// The exit status that belongs to this error.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config { .. } => Exit::Config,
            Self::Usage(_) => Exit::Usage,
            Self::Locked(_) => Exit::Locked,
            Self::Database { .. }
            | Self::Threads { .. }
            | Self::State { .. }
            | Self::File { .. } => Exit::Failed,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config { path, problem } => {
                write!(f, "Configuration {}: {problem}", path.display())
            }
            Self::Usage(problem) => write!(f, "{problem}"),
            Self::Locked(path) => write!(
                f,
                "Another run of this configuration holds {}",
                path.display()
            ),
            Self::Database { operation, reason } => write!(f, "{operation}: {reason}"),
            Self::Threads { count, reason } => write!(
                f,
                "Start {count} threads: {reason}; a smaller workerNumber needs fewer"
            ),
            Self::State { path, reason } => write!(f, "State file {}: {reason}", path.display()),
            Self::File {
                operation,
                path,
                reason,
            } => write!(f, "{operation} {}: {reason}", path.display()),
        }
    }
}

impl std::error::Error for Error {}

/// Shorthand.
pub type Result<T> = std::result::Result<T, Error>;
