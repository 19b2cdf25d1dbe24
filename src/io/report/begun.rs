//! A report that was begun before and goes on: its torn last line is cut off, and rows that are reported again are dropped.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;

use super::lines::{Malformed, each_line, header, reason, should_begin, text_of};
use crate::io::output::copy;
use crate::logic::report::file::ReportFormat;
use crate::logic::report::line::{Fate, HEADER, Line};

/// Cuts off what a killed process or a full disk left of a last line. False when nothing of a report is there yet.
///
/// # Errors
/// When it is no report of this format, or cannot be read.
pub(super) fn end_whole(
    file: &mut File,
    format: ReportFormat,
) -> std::result::Result<bool, String> {
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

/// Drops the lines of rows that are told again, from a report that must be of this source.
pub(super) fn without_told_again(
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
