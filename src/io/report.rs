//! Differences as CSV or JSON Lines; the only file that names `csv`.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::cli;
use crate::error::{Error, Result};
use crate::logic::report::{HEADER, Line};

/// An open report. Lines are handed to the system as they are found, so an interrupted run leaves a usable file.
pub struct Report {
    writer: Mutex<Writer>,
    path: PathBuf,
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
        let to: Box<dyn Write + Send> = match &report.file {
            None => Box::new(std::io::stdout()),
            Some(file) => Box::new(
                OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(file)
                    .map_err(|error| unwritten(&path, &error))?,
            ),
        };
        Self::on(to, report.format, path)
    }

    /// Begins a report on what is open already, which errors call `path`.
    ///
    /// # Errors
    /// When the header cannot be written.
    pub fn on(to: Box<dyn Write + Send>, format: cli::ReportFormat, path: PathBuf) -> Result<Self> {
        let writer = match format {
            cli::ReportFormat::JsonLines => Writer::JsonLines(to),
            cli::ReportFormat::Csv => {
                let mut csv = csv::WriterBuilder::new().has_headers(false).from_writer(to);
                csv.write_record(HEADER)
                    .map_err(|error| unwritten(&path, &error.into()))?;
                csv.flush().map_err(|error| unwritten(&path, &error))?;
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
        write(&mut writer, lines).map_err(|error| unwritten(&self.path, &error))
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    Error::File {
        operation: "Write the report",
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

/// Reads a whole report, of a file or of stdin.
///
/// # Errors
/// When it cannot be read, or a line is none of a report; names the line.
pub fn read(report: &cli::Report) -> Result<Vec<Line>> {
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

/// The lines of a report's bytes.
///
/// # Errors
/// The number of the first line that is none of a report, and why.
pub fn parse(
    bytes: &[u8],
    format: cli::ReportFormat,
) -> std::result::Result<Vec<Line>, (u64, String)> {
    match format {
        cli::ReportFormat::JsonLines => from_json_lines(bytes),
        cli::ReportFormat::Csv => from_csv(bytes),
    }
}

type Malformed = (u64, String);

fn from_json_lines(bytes: &[u8]) -> std::result::Result<Vec<Line>, Malformed> {
    let lines = bytes.split(|&byte| byte == b'\n').zip(1..);
    lines
        .filter(|(line, _)| !line.trim_ascii().is_empty())
        .map(|(line, number)| {
            serde_json::from_slice(line).map_err(|error| (number, error.to_string()))
        })
        .collect()
}

fn from_csv(bytes: &[u8]) -> std::result::Result<Vec<Line>, Malformed> {
    // Flexible, so that a wrong number of fields is told in our words and not in those of the crate.
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.headers().map_err(|error| malformed(&error))?.clone();
    if header != HEADER[..] {
        return Err((
            1,
            format!(
                "this is no report: its header should be {}",
                HEADER.join(",")
            ),
        ));
    }
    let record = |record: csv::Result<csv::StringRecord>| {
        let record = record.map_err(|error| malformed(&error))?;
        let number = record.position().map_or(0, csv::Position::line);
        if record.len() != HEADER.len() {
            let problem = format!(
                "it has {} fields and should have {}",
                record.len(),
                HEADER.len()
            );
            return Err((number, problem));
        }
        record
            .deserialize(Some(&header))
            .map_err(|error| (number, reason(&error)))
    };
    reader.records().map(record).collect()
}

fn malformed(error: &csv::Error) -> Malformed {
    (
        error.position().map_or(1, csv::Position::line),
        reason(error),
    )
}

/// What is wrong, without the place, which we tell ourselves.
fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        csv::ErrorKind::Utf8 { err, .. } => err.to_string(),
        _ => error.to_string(),
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
