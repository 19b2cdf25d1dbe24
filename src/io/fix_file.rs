//! The statements that would repair the destinations, in a file.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::output::{Output, Resumed, copy, draft_of};
use crate::error::{Error, Result};
use crate::logic::fix::{self, Fix, PREAMBLE};

const WRITE: &str = "Write the statements";

/// An open file of statements, which are handed to the system as they come.
pub struct FixFile(Mutex<Open>);

struct Open {
    output: Output,
    /// Stands above the statements that follow.
    heading: String,
}

impl FixFile {
    /// Begins the statements, with their preamble.
    ///
    /// # Errors
    /// When the file cannot be created or written.
    pub fn create(path: &Path) -> Result<Self> {
        Self::begun(Output::create(path, WRITE)?)
    }

    /// Goes on with what an audit that was stopped left beside the file. `told_again` are the destination and the id of
    /// each row that it left owed: this audit tells them, so their statements are dropped.
    ///
    /// # Errors
    /// When that cannot be read or written, or holds no statements of cupid.
    pub fn resume(path: &Path, told_again: &HashSet<(String, String)>) -> Result<Self> {
        let mut output = match Output::resume(path, WRITE)? {
            Resumed::Anew(output) => return Self::begun(output),
            Resumed::Draft(output) => output,
        };
        if let Some(content) = output.content() {
            let kept = without_told_again(content, told_again);
            kept.map_err(|error| Error::File {
                operation: "Go on with",
                path: draft_of(path),
                reason: error.to_string(),
            })?;
        }
        let heading = String::new();
        Ok(Self(Mutex::new(Open { output, heading })))
    }

    fn begun(mut output: Output) -> Result<Self> {
        output.write(PREAMBLE.as_bytes())?;
        let heading = String::new();
        Ok(Self(Mutex::new(Open { output, heading })))
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
        open.output.write(text.as_bytes())
    }

    /// The file that is being made.
    #[must_use]
    pub fn into_output(self) -> Output {
        let open = self.0.into_inner();
        open.unwrap_or_else(PoisonError::into_inner).output
    }

    /// A second handle of the draft, where there is one.
    #[must_use]
    pub fn handle(&self) -> Option<std::fs::File> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.output.handle()
    }
}

/// Drops the statements of rows that are told again, and a last one that a killed process tore.
fn without_told_again(
    file: &mut std::fs::File,
    told_again: &HashSet<(String, String)>,
) -> std::io::Result<()> {
    file.rewind()?;
    let mut kept = BufWriter::new(tempfile::tempfile()?);
    for (number, line) in BufReader::new(&*file).split(b'\n').enumerate() {
        let line = line?;
        if number == 0 && PREAMBLE.as_bytes().split(|&byte| byte == b'\n').next() != Some(&line[..])
        {
            return Err(std::io::Error::other(
                "It holds no statements of cupid. Give the FILE of the audit that was stopped",
            ));
        }
        let text = std::str::from_utf8(&line).unwrap_or_default();
        // A torn statement lacks its end; empty lines and comments are whole whatever they lack.
        let is_torn = text.starts_with("/*") && !text.ends_with(';');
        let is_told_again = fix::row_of(text).is_some_and(|row| told_again.contains(&row));
        if !is_torn && !is_told_again {
            kept.write_all(&line)?;
            kept.write_all(b"\n")?;
        }
    }
    let mut kept = kept
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    copy(&mut kept, file)?;
    file.seek(SeekFrom::End(0))?;
    Ok(())
}
