//! The file of statements that would repair the destinations.
//!
//! Statements are found in the order of the rows and run in another order: a statement that gives
//! up a unique value before one that takes it, new rows after all others, comments last. So the
//! draft holds them as they were found, each with its terms in a comment at its end. The file is
//! made of the draft at the end. Memory holds only the terms of statements that trade unique
//! values.

use std::collections::HashSet;
use std::fs::File;
use std::io::{
    BufRead as _, BufReader, BufWriter, IntoInnerError, Read, Seek as _, SeekFrom, Write,
};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::output::{Output, Resumed, copy, draft_of};
use crate::error::{Error, Result};
use crate::locks::{into_inner, locked};
use crate::logic::report::fix::order::{Claim, Step, order};
use crate::logic::report::fix::{self, NOT_STRICT, PREAMBLE, Repair, STRICT, Terms};

const WRITE: &str = "Write the statements";

/// Stands between a statement of the draft and its terms.
const TERMS: &str = "\t-- cupid ";

/// As many statements that trade unique values are put in order; the rest runs as it was found.
const TRADES_MAX: usize = 1_000_000;

/// An open file of statements, which are handed to the system as they come.
pub(crate) struct FixFile(Mutex<Open>);

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
    pub(crate) fn create(path: &Path) -> Result<Self> {
        Self::begun(Output::create(path, WRITE)?.deferred()?)
    }

    /// Goes on with what an audit that was stopped left beside the file. `told_again` are the destination and the id of
    /// each row that it left owed: this audit tells them, so their statements are dropped.
    ///
    /// # Errors
    /// When that cannot be read or written, or holds no statements of cupid.
    pub(crate) fn resume(path: &Path, told_again: &HashSet<(String, String)>) -> Result<Self> {
        let mut output = match Output::resume(path, WRITE)? {
            Resumed::Anew(output) => return Self::begun(output.deferred()?),
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
    pub(crate) fn write(&self, repair: &Repair<'_>) -> Result<()> {
        let heading = repair.fix.heading();
        let entry = repair.entry();
        let mut text = entry.statement;
        if entry.terms != Terms::default() {
            let terms = serde_json::to_string(&entry.terms).unwrap_or_default();
            text = format!("{text}{TERMS}{terms}");
        }
        text.push('\n');
        let mut open = locked(&self.0);
        if open.heading != heading {
            text = format!("\n{heading}\n{text}");
            open.heading = heading;
        }
        open.output.write(text.as_bytes())
    }

    fn into_output(self) -> Output {
        into_inner(self.0).output
    }

    /// Puts the statements in an order in which they run, and the file in its place.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn complete(self) -> Result<()> {
        self.into_output().complete_as(in_order)
    }

    /// Leaves the statements as they were found, beside the file. Returns the file as it was named, and where they lie.
    ///
    /// # Errors
    /// When they cannot be made durable.
    pub(crate) fn keep(self) -> Result<Option<(PathBuf, PathBuf)>> {
        let output = self.into_output();
        let path = output.path().to_owned();
        Ok(output.keep()?.map(|draft| (path, draft)))
    }

    /// A second handle of the draft, where there is one.
    #[must_use]
    pub(crate) fn handle(&self) -> Option<File> {
        let open = locked(&self.0);
        open.output.handle()
    }
}

/// Drops the statements of rows that are told again, and a last one that a killed process tore.
fn without_told_again(
    file: &mut File,
    told_again: &HashSet<(String, String)>,
) -> std::io::Result<()> {
    file.rewind()?;
    let mut kept = BufWriter::new(tempfile::tempfile()?);
    let mut lines = BufReader::new(&*file);
    let (mut line, mut is_first) = (Vec::new(), true);
    while lines.read_until(b'\n', &mut line)? > 0 {
        if std::mem::take(&mut is_first) && !PREAMBLE.as_bytes().starts_with(&line) {
            return Err(std::io::Error::other(
                "It holds no statements of cupid. Give the FILE of the audit that was stopped",
            ));
        }
        let text = std::str::from_utf8(&line).unwrap_or_default();
        let is_told_again = fix::row_of(text).is_some_and(|row| told_again.contains(&row));
        if line.ends_with(b"\n") && !is_told_again {
            kept.write_all(&line)?;
        }
        line.clear();
    }
    let mut kept = kept.into_inner().map_err(IntoInnerError::into_error)?;
    copy(&mut kept, file)?;
    file.seek(SeekFrom::End(0))?;
    Ok(())
}

/// A statement of the draft that trades unique values: where it is, and the place of its heading.
struct Trade {
    at: u64,
    heading: usize,
}

/// What a line of the draft is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Of the preamble, or blank.
    None,
    Heading,
    Update,
    Insert,
    Comment,
}

/// Makes the file of the draft.
fn in_order(draft: &mut File, to: &mut dyn Write) -> std::io::Result<()> {
    to.write_all(PREAMBLE.as_bytes())?;
    let mut headings: Vec<String> = Vec::new();
    let (mut claims, mut trades) = (Vec::new(), Vec::new());
    let mut put = Put { to, heading: None };
    each_line(draft, &mut headings, &mut |headings, line| {
        if line.part != Part::Update {
            return Ok(());
        }
        let Terms {
            gives, takes, park, ..
        } = &line.terms;
        if (gives.is_empty() && takes.is_empty()) || claims.len() >= TRADES_MAX {
            return put.statement(headings, &line);
        }
        let (at, heading) = (line.at, line.heading);
        trades.push(Trade { at, heading });
        claims.push(Claim {
            gives: gives.clone(),
            takes: takes.clone(),
            can_park: park.is_some(),
        });
        Ok(())
    })?;
    for step in order(&claims) {
        let (Step::Park(number) | Step::Run(number) | Step::Stuck(number)) = step;
        let line = line_at(draft, &trades[number])?;
        match step {
            Step::Park(_) => {
                let park = line.terms.park.as_deref().unwrap_or_default();
                put.line(&headings, line.heading, park)?;
            }
            Step::Run(_) => put.statement(&headings, &line)?,
            Step::Stuck(_) => {
                put.line(&headings, line.heading, STUCK)?;
                put.statement(&headings, &line)?;
            }
        }
    }
    for wanted in [Part::Insert, Part::Comment] {
        each_line(draft, &mut Vec::new(), &mut |headings, line| {
            if line.part == wanted {
                put.statement(headings, &line)
            } else {
                Ok(())
            }
        })?;
    }
    Ok(())
}

/// Stands above a statement that cannot run as it is.
const STUCK: &str = "-- The next statement takes a unique value that another row of this file has: change that row by hand before";

/// Where lines go, each under its heading.
struct Put<'a> {
    to: &'a mut dyn Write,
    heading: Option<usize>,
}

impl Put<'_> {
    fn line(&mut self, headings: &[String], heading: usize, line: &str) -> std::io::Result<()> {
        if self.heading != Some(heading) {
            self.heading = Some(heading);
            let text = headings.get(heading).map_or("", String::as_str);
            writeln!(self.to, "\n{text}")?;
        }
        writeln!(self.to, "{line}")
    }

    fn statement(&mut self, headings: &[String], line: &Line) -> std::io::Result<()> {
        if line.terms.not_strict {
            self.line(headings, line.heading, NOT_STRICT)?;
        }
        self.line(headings, line.heading, &line.text)?;
        if line.terms.not_strict {
            self.line(headings, line.heading, STRICT)?;
        }
        Ok(())
    }
}

/// A line of the draft.
struct Line {
    at: u64,
    part: Part,
    text: String,
    terms: Terms,
    /// The place of its heading.
    heading: usize,
}

impl Line {
    fn of(at: u64, heading: usize, bytes: &[u8]) -> std::io::Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(std::io::Error::other)?;
        let text = text.trim_end_matches('\n');
        let (text, terms) = text.rsplit_once(TERMS).unwrap_or((text, ""));
        let part = if text.starts_with("-- Destination ") {
            Part::Heading
        } else if text.starts_with("-- ") {
            Part::Comment
        } else if !text.starts_with("/* ") {
            Part::None
        } else if text.contains(": missing, id ") && text.contains(" */ INSERT INTO ") {
            Part::Insert
        } else {
            Part::Update
        };
        Ok(Self {
            at,
            part,
            terms: serde_json::from_str(terms).unwrap_or_default(),
            text: text.to_owned(),
            heading,
        })
    }
}

/// Shows the lines of the draft behind its preamble. The headings that were seen are in `headings`, each once.
fn each_line(
    draft: &mut File,
    headings: &mut Vec<String>,
    see: &mut dyn FnMut(&[String], Line) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut at = PREAMBLE.len() as u64;
    draft.seek(SeekFrom::Start(at))?;
    let mut lines = BufReader::new(&*draft);
    let (mut bytes, mut heading) = (Vec::new(), usize::MAX);
    while lines.read_until(b'\n', &mut bytes)? > 0 {
        let line = Line::of(at, heading, &bytes)?;
        if line.part == Part::Heading {
            let known = headings.iter().position(|known| *known == line.text);
            heading = known.unwrap_or_else(|| {
                headings.push(line.text);
                headings.len() - 1
            });
        } else {
            see(headings, line)?;
        }
        at += bytes.len() as u64;
        bytes.clear();
    }
    Ok(())
}

fn line_at(draft: &mut File, trade: &Trade) -> std::io::Result<Line> {
    draft.seek(SeekFrom::Start(trade.at))?;
    let mut bytes = Vec::new();
    BufReader::new(Read::by_ref(draft)).read_until(b'\n', &mut bytes)?;
    Line::of(trade.at, trade.heading, &bytes)
}
