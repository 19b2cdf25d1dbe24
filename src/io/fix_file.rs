//! The statements that would repair the destinations, in a file.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::logic::fix::{Fix, PREAMBLE};

/// An open file of statements, which are handed to the system as they come.
pub struct FixFile {
    path: PathBuf,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    /// Stands above the statements that follow.
    heading: String,
}

impl FixFile {
    /// Creates the file (0600: it holds row values) with its preamble.
    ///
    /// # Errors
    /// When it cannot be created or written.
    pub fn create(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| file.write_all(PREAMBLE.as_bytes()).map(|()| file))
            .map_err(|error| failed(path, &error))?;
        let heading = String::new();
        Ok(Self {
            path: path.to_owned(),
            open: Mutex::new(Open { file, heading }),
        })
    }

    /// Writes a statement, under its destination's heading.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, fix: &Fix<'_>) -> Result<()> {
        let heading = fix.heading();
        let mut text = fix.statement() + "\n";
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.heading != heading {
            text = format!("\n{heading}\n{text}");
            open.heading = heading;
        }
        open.file
            .write_all(text.as_bytes())
            .map_err(|error| failed(&self.path, &error))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::File {
        operation: "Write the statements",
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
