//! Differences as CSV or JSON Lines; the only folder that names `csv`.

mod begun;
mod lines;

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::PathBuf;
use std::sync::Mutex;

use self::begun::{end_whole, without_told_again};
use self::lines::{each_line, header, text_of};
use super::output::{Output, Resumed, draft_of};
use crate::error::{Error, Result};
use crate::locks::{into_inner, locked};
use crate::logic::report::file::{ReportFile, ReportFormat};
use crate::logic::report::line::Line;

pub use self::lines::parse;

const WRITE: &str = "Write the report";

/// An open report. Lines are handed to the system as they are found.
pub struct Report {
    output: Mutex<Output>,
    format: ReportFormat,
}

impl Report {
    /// Begins a report that replaces the file when it is complete (0600: it holds row values), or goes to stdout.
    ///
    /// # Errors
    /// When the file cannot be created or written.
    pub fn open(report: &ReportFile) -> Result<Self> {
        let output = match &report.file {
            None => Output::stdout(WRITE),
            Some(file) => Output::create(file, WRITE)?,
        };
        Self::begun(output, report.format)
    }

    /// Appends to the file, or goes to stdout. A line that a killed process or a full disk tore is cut off first.
    ///
    /// # Errors
    /// When the file cannot be written, or is no report.
    pub fn append(report: &ReportFile) -> Result<Self> {
        let Some(file) = &report.file else {
            return Self::open(report);
        };
        let mut output = Output::append(file, WRITE)?;
        let is_begun = match output.content() {
            None => false,
            Some(content) => end_whole(content, report.format).map_err(|reason| Error::File {
                operation: "Append to the report",
                path: file.clone(),
                reason,
            })?,
        };
        if is_begun {
            return Ok(Self {
                output: Mutex::new(output),
                format: report.format,
            });
        }
        Self::begun(output, report.format)
    }

    /// Goes on with what an audit that was stopped left beside the file. `told_again` are the destination and the id of
    /// each row that it left owed: this audit tells them, so their lines are dropped.
    ///
    /// # Errors
    /// When that cannot be read or written, or is no report of `source`.
    pub fn resume(
        report: &ReportFile,
        source: &str,
        told_again: &HashSet<(String, String)>,
    ) -> Result<Self> {
        let Some(file) = &report.file else {
            return Self::open(report);
        };
        let mut output = match Output::resume(file, WRITE)? {
            Resumed::Anew(output) => return Self::begun(output, report.format),
            Resumed::Draft(output) => output,
        };
        let is_begun = match output.content() {
            None => false,
            Some(content) => {
                let unusable = |reason| Error::File {
                    operation: "Go on with",
                    path: draft_of(file),
                    reason,
                };
                let is_begun = end_whole(content, report.format).map_err(unusable)?;
                if is_begun {
                    without_told_again(content, report.format, source, told_again)
                        .map_err(unusable)?;
                }
                is_begun
            }
        };
        if is_begun {
            return Ok(Self {
                output: Mutex::new(output),
                format: report.format,
            });
        }
        Self::begun(output, report.format)
    }

    /// Begins a report on what is open already, which errors call `path`.
    ///
    /// # Errors
    /// When the header cannot be written.
    pub fn on(
        to: Box<dyn std::io::Write + Send>,
        format: ReportFormat,
        path: PathBuf,
    ) -> Result<Self> {
        Self::begun(Output::direct(to, path, WRITE), format)
    }

    /// Writes the header.
    fn begun(mut output: Output, format: ReportFormat) -> Result<Self> {
        output.write(&header(format))?;
        Ok(Self {
            output: Mutex::new(output),
            format,
        })
    }

    /// Writes lines and hands them on.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, lines: &[Line]) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let text = text_of(lines, self.format)?;
        let mut output = locked(&self.output);
        output.write(&text)
    }

    /// Shows what is in it already.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn each(&self, see: &mut dyn FnMut(Line)) -> Result<()> {
        let mut output = locked(&self.output);
        let path = output.path().to_owned();
        let Some(file) = output.content() else {
            return Ok(());
        };
        let failed = |reason: String| Error::File {
            operation: "Read again",
            path,
            reason,
        };
        let rewound = file.rewind().map_err(|error| (0, error.to_string()));
        rewound
            .and_then(|()| each_line(&*file, self.format, see))
            .map_err(|(line, problem)| failed(format!("line {line}: {problem}")))
    }

    /// The file that is being made.
    #[must_use]
    pub fn into_output(self) -> Output {
        into_inner(self.output)
    }

    /// A second handle of the draft, where there is one.
    #[must_use]
    pub fn handle(&self) -> Option<File> {
        let output = locked(&self.output);
        output.handle()
    }
}

/// Reads a whole report, of a file or of stdin.
///
/// # Errors
/// When it cannot be read, or a line is none of a report; names the line.
pub fn read(report: &ReportFile) -> Result<Vec<Line>> {
    let path = report.file.clone().unwrap_or_else(|| "stdin".into());
    let failed = |reason: String| Error::File {
        operation: "Read the report",
        path: path.clone(),
        reason,
    };
    let mut bytes = Vec::new();
    match &report.file {
        None => std::io::stdin().read_to_end(&mut bytes),
        Some(file) => std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut bytes)),
    }
    .map_err(|error| failed(error.to_string()))?;
    parse(&bytes, report.format)
        .map_err(|(line, problem)| failed(format!("line {line}: {problem}")))
}
