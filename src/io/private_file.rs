//! Files that hold row values: only their owner can read them.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// An open file, created at once so that one which cannot be written is known before the work.
pub struct PrivateFile {
    path: PathBuf,
    file: File,
    operation: &'static str,
}

impl PrivateFile {
    /// Creates or empties the file (0600). `operation` is what it is for, such as `Write the page`.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create(path: &Path, operation: &'static str) -> Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| failed(operation, path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            operation,
        })
    }

    /// Hands text to the system.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, text: &str) -> Result<()> {
        self.file
            .write_all(text.as_bytes())
            .map_err(|error| failed(self.operation, &self.path, &error))
    }
}

fn failed(operation: &'static str, path: &Path, error: &std::io::Error) -> Error {
    Error::File {
        operation,
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
