//! The lines of a report as CSV or JSON Lines, out and in.

use std::io::{BufRead as _, BufReader, Read};

use super::WRITE;
use crate::error::{Error, Result};
use crate::logic::report::file::ReportFormat;
use crate::logic::report::line::{HEADER, Line};

pub(super) fn header(format: ReportFormat) -> Vec<u8> {
    match format {
        ReportFormat::JsonLines => vec![],
        ReportFormat::Csv => (HEADER.join(",") + "\n").into_bytes(),
    }
}

/// Lines as they stand in a report.
pub(super) fn text_of(lines: &[Line], format: ReportFormat) -> Result<Vec<u8>> {
    let failed = |reason: String| Error::File {
        operation: WRITE,
        path: "memory".into(),
        reason,
    };
    let mut text = Vec::with_capacity(lines.len() * 128);
    match format {
        ReportFormat::Csv => {
            let mut csv = csv::WriterBuilder::new()
                .has_headers(false)
                .from_writer(&mut text);
            for line in lines {
                csv.serialize(line)
                    .map_err(|error| failed(error.to_string()))?;
            }
            csv.flush().map_err(|error| failed(error.to_string()))?;
        }
        ReportFormat::JsonLines => {
            for line in lines {
                serde_json::to_writer(&mut text, line)
                    .map_err(|error| failed(error.to_string()))?;
                text.push(b'\n');
            }
        }
    }
    Ok(text)
}

/// The lines of a report's bytes.
///
/// # Errors
/// The number of the first line that is none of a report, and why.
pub fn parse(bytes: &[u8], format: ReportFormat) -> std::result::Result<Vec<Line>, (u64, String)> {
    let mut lines = Vec::new();
    each_line(bytes, format, &mut |line| lines.push(line))?;
    Ok(lines)
}

pub(super) type Malformed = (u64, String);

/// Shows the lines of a report one by one.
pub(super) fn each_line(
    from: impl Read,
    format: ReportFormat,
    see: &mut dyn FnMut(Line),
) -> std::result::Result<(), Malformed> {
    match format {
        ReportFormat::JsonLines => each_json_line(from, see),
        ReportFormat::Csv => each_csv_line(from, see),
    }
}

fn each_json_line(
    from: impl Read,
    see: &mut dyn FnMut(Line),
) -> std::result::Result<(), Malformed> {
    for (line, number) in BufReader::new(from).split(b'\n').zip(1..) {
        let line = line.map_err(|error| (number, error.to_string()))?;
        if !line.trim_ascii().is_empty() {
            see(serde_json::from_slice(&line).map_err(|error| (number, error.to_string()))?);
        }
    }
    Ok(())
}

fn each_csv_line(from: impl Read, see: &mut dyn FnMut(Line)) -> std::result::Result<(), Malformed> {
    // Flexible, so that a wrong number of fields is told in our words and not in those of the crate.
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(from);
    let header = reader.headers().map_err(|error| malformed(&error))?.clone();
    if header != HEADER[..] {
        return Err((1, format!("this is no report: {}", should_begin())));
    }
    for record in reader.records() {
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
        let line = record.deserialize(Some(&header));
        see(line.map_err(|error| (number, reason(&error)))?);
    }
    Ok(())
}

pub(super) fn should_begin() -> String {
    format!("its header should be {}", HEADER.join(","))
}

fn malformed(error: &csv::Error) -> Malformed {
    (
        error.position().map_or(1, csv::Position::line),
        reason(error),
    )
}

/// What is wrong, without the place, which we tell ourselves.
pub(super) fn reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        csv::ErrorKind::Utf8 { err, .. } => err.to_string(),
        _ => error.to_string(),
    }
}
