//! Differences as CSV or JSON Lines; the only file that names `csv`.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Mutex;

use super::output::{Output, Resumed, copy, draft_of};
use crate::error::{Error, Result};
use crate::locks::{into_inner, locked};
use crate::logic::report::file::{ReportFile, ReportFormat};
use crate::logic::report::line::{Fate, HEADER, Line};

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

fn header(format: ReportFormat) -> Vec<u8> {
    match format {
        ReportFormat::JsonLines => vec![],
        ReportFormat::Csv => (HEADER.join(",") + "\n").into_bytes(),
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

/// The lines of a report's bytes.
///
/// # Errors
/// The number of the first line that is none of a report, and why.
pub fn parse(bytes: &[u8], format: ReportFormat) -> std::result::Result<Vec<Line>, (u64, String)> {
    let mut lines = Vec::new();
    each_line(bytes, format, &mut |line| lines.push(line))?;
    Ok(lines)
}

type Malformed = (u64, String);

/// Shows the lines of a report one by one.
fn each_line(
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

fn should_begin() -> String {
    format!("its header should be {}", HEADER.join(","))
}

/// Cuts off what a killed process or a full disk left of a last line. False when nothing of a report is there yet.
///
/// # Errors
/// When it is no report of this format, or cannot be read.
fn end_whole(file: &mut File, format: ReportFormat) -> std::result::Result<bool, String> {
    let words = |error: std::io::Error| error.to_string();
    let length = file.metadata().map_err(words)?.len();
    let whole = match format {
        ReportFormat::Csv => whole_csv(file, length)?,
        ReportFormat::JsonLines => whole_json_lines(file, length)?,
    };
    if whole < length {
        file.set_len(whole).map_err(words)?;
    }
    file.seek(SeekFrom::End(0)).map_err(words)?;
    Ok(whole > 0)
}

/// How many bytes of a CSV report are whole lines.
fn whole_csv(file: &File, length: u64) -> std::result::Result<u64, String> {
    let words = |error: std::io::Error| error.to_string();
    let header = header(ReportFormat::Csv);
    let begins = piece(file, 0, length.min(header.len() as u64)).map_err(words)?;
    if !header.starts_with(&begins) {
        return Err(format!(
            "It is no report of cupid: {}. Give another FILE",
            should_begin()
        ));
    }
    if begins.len() < header.len() {
        return Ok(0);
    }
    // The last field is never quoted, so this is nearly always the end of a line.
    let tail = piece(file, length.saturating_sub(16), length.min(16)).map_err(words)?;
    let ends = [Fate::Delivered, Fate::Owed, Fate::DryRun, Fate::None]
        .iter()
        .filter_map(|fate| serde_json::to_string(fate).ok())
        .any(|word| tail.ends_with(format!(",{}\n", word.trim_matches('"')).as_bytes()));
    if ends || length == header.len() as u64 {
        return Ok(length);
    }
    let mut from = file;
    from.rewind().map_err(words)?;
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .from_reader(BufReader::new(from));
    let (mut record, mut whole) = (csv::ByteRecord::new(), 0);
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| reason(&error))?
    {
        let end = reader.position().byte();
        let ended = end > 0 && piece(file, end - 1, 1).map_err(words)? == b"\n";
        if record.len() == HEADER.len() && ended {
            whole = end;
        }
    }
    Ok(whole)
}

/// How many bytes of a report in JSON Lines are whole lines.
fn whole_json_lines(file: &File, length: u64) -> std::result::Result<u64, String> {
    const PIECE_BYTES: u64 = 64 << 10;
    let words = |error: std::io::Error| error.to_string();
    let mut whole = length;
    while whole > 0 {
        let from = whole.saturating_sub(PIECE_BYTES);
        let bytes = piece(file, from, whole - from).map_err(words)?;
        if let Some(end) = bytes.iter().rposition(|&byte| byte == b'\n') {
            whole = from + end as u64 + 1;
            break;
        }
        whole = from;
    }
    let mut first = Vec::new();
    let mut from = file;
    from.rewind().map_err(words)?;
    BufReader::new(from.take(whole))
        .read_until(b'\n', &mut first)
        .map_err(words)?;
    let is_line = serde_json::from_slice::<Line>(&first);
    match is_line {
        Err(error) if whole > 0 => Err(format!(
            "It is no report of cupid in JSON Lines: line 1: {error}. Give another FILE"
        )),
        Err(_) if length > PIECE_BYTES => Err(
            "It is no report of cupid in JSON Lines: it has no line end. Give another FILE".into(),
        ),
        Err(_) if length > 0 && piece(file, 0, 1).map_err(words)? != b"{" => Err(
            "It is no report of cupid in JSON Lines: line 1 is no object. Give another FILE".into(),
        ),
        _ => Ok(whole),
    }
}

fn piece(file: &File, from: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
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

/// Drops the lines of rows that are told again, from a report that must be of this source.
fn without_told_again(
    file: &mut File,
    format: ReportFormat,
    source: &str,
    told_again: &HashSet<(String, String)>,
) -> std::result::Result<(), String> {
    let words = |error: std::io::Error| error.to_string();
    let at = |(line, problem): Malformed| format!("line {line}: {problem}");
    let is_told_again = |line: &Line| {
        line.callback == Fate::Owed
            && told_again.contains(&(line.destination.clone(), line.id.clone()))
    };
    let (mut other, mut dropped) = (None, false);
    file.rewind().map_err(words)?;
    each_line(&*file, format, &mut |line| {
        dropped |= is_told_again(&line);
        if line.source != source {
            other.get_or_insert(line.source);
        }
    })
    .map_err(at)?;
    if let Some(other) = other {
        return Err(format!(
            "It is of another audit: it tells of {other}, and this audit is of {source}. Give the FILE of the audit that was \
             stopped"
        ));
    }
    if dropped {
        let mut kept = BufWriter::new(tempfile::tempfile().map_err(words)?);
        let mut written = kept.write_all(&header(format)).map_err(words);
        file.rewind().map_err(words)?;
        each_line(&*file, format, &mut |line| {
            if !is_told_again(&line) && written.is_ok() {
                let text = text_of(&[line], format).map_err(|error| error.to_string());
                written = text.and_then(|text| kept.write_all(&text).map_err(words));
            }
        })
        .map_err(at)?;
        written?;
        let mut kept = kept.into_inner().map_err(|error| error.to_string())?;
        copy(&mut kept, file).map_err(words)?;
    }
    file.seek(SeekFrom::End(0)).map_err(words)?;
    Ok(())
}

/// Lines as they stand in a report.
fn text_of(lines: &[Line], format: ReportFormat) -> Result<Vec<u8>> {
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
