//! Differences as CSV or JSON Lines; the only file that names `csv`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Mutex, PoisonError};

use crate::cli;
use crate::error::{Error, Result};
use crate::logic::report::{HEADER, Line};

/// An open report. Lines are handed to the system as they are found, so an interrupted run leaves a usable file.
pub struct Report {
    writer: Mutex<Writer>,
    path: std::path::PathBuf,
}

enum Writer {
    Csv(Box<csv::Writer<Box<dyn Write + Send>>>),
    JsonLines(Box<dyn Write + Send>),
}

impl Report {
    /// Creates the file (0600: it holds row values), or takes stdout, and writes the header.
    ///
    /// # Errors
    /// When the file cannot be created or written.
    pub fn open(report: &cli::Report) -> Result<Self> {
        let path = report.file.clone().unwrap_or_else(|| "stdout".into());
        let failed = |error: std::io::Error| Error::File {
            operation: "Write the report",
            path: path.clone(),
            reason: error.to_string(),
        };
        let to: Box<dyn Write + Send> = match &report.file {
            None => Box::new(std::io::stdout()),
            Some(file) => Box::new(
                OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(file)
                    .map_err(failed)?,
            ),
        };
        let writer = match report.format {
            cli::ReportFormat::JsonLines => Writer::JsonLines(to),
            cli::ReportFormat::Csv => {
                let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(to);
                csv.write_record(HEADER)
                    .map_err(|error| failed(error.into()))?;
                csv.flush().map_err(failed)?;
                Writer::Csv(Box::new(csv))
            }
        };
        Ok(Self {
            writer: Mutex::new(writer),
            path,
        })
    }

    /// Writes lines and hands them on.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, lines: &[Line]) -> Result<()> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut writer, lines).map_err(|error| Error::File {
            operation: "Write the report",
            path: self.path.clone(),
            reason: error.to_string(),
        })
    }
}

fn write(writer: &mut Writer, lines: &[Line]) -> std::io::Result<()> {
    match writer {
        Writer::Csv(csv) => {
            for line in lines {
                csv.serialize(line)?;
            }
            csv.flush()
        }
        Writer::JsonLines(to) => {
            let mut text = Vec::new();
            for line in lines {
                serde_json::to_writer(&mut text, line)?;
                text.push(b'\n');
            }
            to.write_all(&text)?;
            to.flush()
        }
    }
}
