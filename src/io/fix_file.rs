//! The statements that would repair the destinations, in a file.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::private_file::PrivateFile;
use crate::error::Result;
use crate::logic::fix::{Fix, PREAMBLE};

/// An open file of statements, which are handed to the system as they come.
pub struct FixFile(Mutex<Open>);

struct Open {
    file: PrivateFile,
    /// Stands above the statements that follow.
    heading: String,
}

impl FixFile {
    /// Creates the file with its preamble.
    ///
    /// # Errors
    /// When it cannot be created or written.
    pub fn create(path: &Path) -> Result<Self> {
        let mut file = PrivateFile::create(path, "Write the statements")?;
        file.write(PREAMBLE)?;
        let heading = String::new();
        Ok(Self(Mutex::new(Open { file, heading })))
    }

    /// Writes a statement, under its destination's heading.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, fix: &Fix<'_>) -> Result<()> {
        let heading = fix.heading();
        let mut text = fix.statement() + "\n";
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.heading != heading {
            text = format!("\n{heading}\n{text}");
            open.heading = heading;
        }
        open.file.write(&text)
    }
}
