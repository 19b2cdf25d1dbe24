//! CSV and JSON Lines: what a reader reads back is what was written, whatever the values are.

use std::io::Write;
use std::sync::{Arc, Mutex};

use arbitrary::{Result, Unstructured};
use cupid::io::report::{Report, parse};
use cupid::logic::report::file::ReportFormat;
use cupid::logic::report::line::{Fate, Kind, Line};

const FATES: [Fate; 4] = [Fate::Delivered, Fate::Owed, Fate::DryRun, Fate::None];

pub(super) fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let mut lines = Vec::new();
    while !u.is_empty() && lines.len() < 8 {
        let Ok(line) = line(&mut u) else { break };
        lines.push(line);
    }
    comes_back(&lines);
}

/// Writes the lines in both formats, in two steps as a run does, and reads them.
pub(super) fn comes_back(lines: &[Line]) {
    let (early, late) = lines.split_at(lines.len() / 2);
    for format in [ReportFormat::Csv, ReportFormat::JsonLines] {
        let file = Memory::default();
        let report = Report::on(Box::new(file.clone()), format, "memory".into())
            .expect("memory takes a header");
        report.write(early).expect("memory takes lines");
        report.write(late).expect("memory takes lines");
        let bytes = file.0.lock().expect("nobody panicked").clone();
        let read = parse(&bytes, format).unwrap_or_else(|(line, why)| {
            panic!(
                "line {line}: {why} in {:?}",
                String::from_utf8_lossy(&bytes)
            )
        });
        assert_eq!(read, lines, "{format:?}");
        if format == ReportFormat::JsonLines {
            assert_eq!(
                bytes.split(|&byte| byte == b'\n').count(),
                lines.len() + 1,
                "one line for each difference"
            );
        }
    }
}

fn line(u: &mut Unstructured<'_>) -> Result<Line> {
    Ok(Line {
        detected_at: u.arbitrary()?,
        source: u.arbitrary()?,
        destination: u.arbitrary()?,
        kind: *u.choose(&Kind::ALL)?,
        id: u.arbitrary()?,
        key: u.arbitrary()?,
        column: u.arbitrary()?,
        source_value: u.arbitrary()?,
        destination_value: u.arbitrary()?,
        callback: *u.choose(&FATES)?,
    })
}

/// A file that stays in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panicked").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
