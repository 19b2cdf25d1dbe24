//! Text in columns and lines, for a terminal of any width.

use std::fmt::Write as _;

use crate::logic::report::line::{at, time_if_near};
use crate::logic::stats::RowSlot;

/// The picture of the last hour, from nothing up.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A column of a table.
pub(super) struct Column {
    title: &'static str,
    is_number: bool,
    cells: Vec<String>,
}

impl Column {
    pub(super) fn text(title: &'static str, cells: impl Iterator<Item = String>) -> Self {
        Self {
            title,
            is_number: false,
            cells: cells.collect(),
        }
    }

    pub(super) fn number(title: &'static str, cells: impl Iterator<Item = String>) -> Self {
        Self {
            is_number: true,
            ..Self::text(title, cells)
        }
    }

    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| width(cell));
        cells.max().unwrap_or(0).max(width(self.title))
    }

    fn padded(&self, cell: &str) -> String {
        let padding = " ".repeat(self.width().saturating_sub(width(cell)));
        if self.is_number {
            format!("{padding}{cell}")
        } else {
            format!("{cell}{padding}")
        }
    }
}

/// The lines of a table, its titles first.
pub(super) fn table(columns: &[Column]) -> Vec<String> {
    let rows = columns.first().map_or(0, |column| column.cells.len());
    let line = |cell_of: &dyn Fn(&Column) -> String| {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| column.padded(&cell_of(column)))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    let titles = line(&|column| column.title.to_owned());
    let rows = (0..rows).map(|row| line(&|column| column.cells[row].clone()));
    std::iter::once(titles).chain(rows).collect()
}

/// Whether all lines fit into a terminal; without one, all do.
pub(super) fn fits(lines: &[String], width_max: Option<usize>) -> bool {
    width_max.is_none_or(|max| lines.iter().all(|line| width(line) <= max))
}

/// Adds a line, broken at spaces where the terminal is narrower. `indent` is that of the following lines.
pub(super) fn push_wrapped(out: &mut String, text: &str, indent: usize, width_max: Option<usize>) {
    let max = width_max.unwrap_or(usize::MAX).max(indent + 20);
    let mut column = 0;
    let mut is_first = true;
    for word in text.split_inclusive(' ') {
        if !is_first && column + width(word.trim_end()) > max {
            while out.ends_with(' ') {
                out.pop();
            }
            let _ = write!(out, "\n{:indent$}", ""); // Writing to a String cannot fail.
            column = indent;
        }
        out.push_str(word);
        column += width(word);
        is_first = false;
    }
    while out.ends_with(' ') {
        out.pop();
    }
    out.push('\n');
}

/// How many cells of a terminal a text takes: the scripts of East Asia take two each.
pub(super) fn width(text: &str) -> usize {
    let wide = [
        0x1100..=0x115F,
        0x2E80..=0xA4CF,
        0xAC00..=0xD7A3,
        0xF900..=0xFAFF,
        0xFE30..=0xFE6F,
        0xFF00..=0xFF60,
        0xFFE0..=0xFFE6,
        0x1_F300..=0x1_FAFF,
        0x2_0000..=0x3_FFFD_u32,
    ];
    let cells = |c: char| 1 + usize::from(wide.iter().any(|range| range.contains(&u32::from(c))));
    text.chars().map(cells).sum()
}

/// A text, padded at its right.
pub(super) fn padded(text: &str, cells: usize) -> String {
    format!("{text}{}", " ".repeat(cells.saturating_sub(width(text))))
}

/// A moment, in UTC: without its day where that is near.
pub(super) fn clock(at_us: i64, now_us: i64) -> String {
    time_if_near(at_us, now_us).unwrap_or_else(|| at(at_us, "%Y-%m-%d %H:%M:%SZ"))
}

/// `1.2`: microseconds as seconds.
pub(super) fn seconds(us: i64) -> String {
    let tenths = us.max(0) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// One character a count. Only 0 has the lowest one.
pub(super) fn picture(counts: &[u64]) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |&count: &u64| {
        let height = u128::from(count) * 7 / u128::from(most);
        let height = usize::try_from(height).unwrap_or(7);
        BARS[height.max(usize::from(count > 0)).min(7)]
    };
    counts.iter().map(bar).collect()
}

/// `612 missing, 488 different`, or `0`.
pub(super) fn differences(slot: &RowSlot) -> String {
    use crate::logic::value::count::grouped;
    let parts = [(slot.missing, "missing"), (slot.different, "different")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, kind)| format!("{} {kind}", grouped(*count)))
        .collect();
    if parts.is_empty() {
        "0".into()
    } else {
        parts.join(", ")
    }
}
