//! Owed callbacks for a terminal: the list, and one callback with both its rows.

use std::fmt::Write as _;

use crate::logic::callback::owed::Owed;
use crate::logic::callback::pick::{id_text, key_text};
use crate::logic::report::line::{Kind, rfc3339, time_if_near};
use crate::logic::value::age::age;
use crate::logic::value::count::grouped;
use crate::logic::value::one_line::on_one_line;
use crate::logic::value::shortened::shortened;

/// Longest key and list of columns in the list, in characters.
const CELL_CHARS_MAX: usize = 40;
/// Longest value of a row, in characters. The body has it whole.
const VALUE_CHARS_MAX: usize = 60;

/// What the list is made for.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    /// The configuration file, as it was typed.
    pub config: &'a str,
    /// Microseconds since 1970.
    pub now_us: i64,
    /// Whether the configuration names this destination.
    pub is_configured: &'a dyn Fn(&str) -> bool,
}

const HEADER: [&str; 8] = [
    "destination",
    "id",
    "key",
    "kind",
    "columns",
    "since",
    "tries",
    "last answer",
];
/// Numbers stand at the right.
const TRIES: usize = 6;

impl Reader<'_> {
    /// One line for each of the first `limit` callbacks, and one that says how many there are and what to type next.
    #[must_use]
    pub(crate) fn list(&self, owed: &[&Owed], limit: usize) -> String {
        let Some(first) = owed.first() else {
            return "Nothing is owed.\n".into();
        };
        let shown = &owed[..limit.min(owed.len())];
        let mut rows = vec![HEADER.map(str::to_owned)];
        rows.extend(shown.iter().map(|owed| self.row(owed)));
        let mut text = table(&rows, TRIES);
        let _ = write!(text, "{} owed", grouped(owed.len() as u64)); // Writing to a String cannot fail.
        if shown.len() < owed.len() {
            let _ = write!(text, ", the first {} shown", grouped(shown.len() as u64));
        }
        let _ = writeln!(
            text,
            ". cupid owed {} show {}",
            shell_word(self.config),
            shell_word(&key_text(first))
        );
        text
    }

    fn row(&self, owed: &Owed) -> [String; 8] {
        [
            on_one_line(&owed.destination),
            id_text(owed),
            cell(&owed.key, CELL_CHARS_MAX),
            kind(owed).into(),
            cell(&owed.columns.join(", "), CELL_CHARS_MAX),
            format!("{} ago", age(self.now_us.saturating_sub(owed.detected_us))),
            grouped(owed.attempts.into()),
            self.why(owed),
        ]
    }

    /// The last answer, and what else keeps the row owed.
    #[must_use]
    pub(crate) fn why(&self, owed: &Owed) -> String {
        let mut why = Vec::new();
        if !(self.is_configured)(&owed.destination) {
            why.push("the configuration no longer names the destination".to_owned());
        }
        if let Some(too_large) = owed.too_large {
            why.push(format!("set aside: {too_large}"));
        }
        if let Some(gone_us) = owed.gone_us {
            why.push(format!(
                "the source row is gone since {}",
                self.clock(gone_us)
            ));
        }
        if let Some(error) = &owed.last_error {
            why.push(on_one_line(error.strip_prefix("status ").unwrap_or(error)));
        }
        if let Some(not_before_us) = owed.not_before_us.filter(|_| owed.waits(self.now_us)) {
            why.push(format!("asked to wait until {}", self.clock(not_before_us)));
        }
        if let Some(retry_at_us) = owed.retry_at_us.filter(|_| owed.backs_off(self.now_us)) {
            why.push(format!("tried again from {} on", self.clock(retry_at_us)));
        }
        why.join("; ")
    }

    /// A moment, in UTC: without its day where that is near.
    fn clock(&self, at_us: i64) -> String {
        time_if_near(at_us, self.now_us).unwrap_or_else(|| rfc3339(at_us))
    }

    /// A callback as it is owed.
    #[must_use]
    pub(crate) fn entry(&self, owed: &Owed, endpoint: Option<&str>) -> String {
        let since = format!(
            "{} ({} ago)",
            rfc3339(owed.detected_us),
            age(self.now_us.saturating_sub(owed.detected_us))
        );
        let columns = owed.columns.join(", ");
        let tries = grouped(owed.attempts.into());
        let why = self.why(owed);
        let mut text = on_one_line(&key_text(owed)) + "\n";
        for (label, value) in [
            ("key", owed.key.as_str()),
            ("kind", kind(owed)),
            ("columns", &columns),
            ("since", &since),
            ("tries", &tries),
            ("last answer", &why),
            ("endpoint", endpoint.unwrap_or_default()),
        ] {
            if !value.is_empty() {
                let _ = writeln!(text, "  {label:<12} {}", on_one_line(value));
            }
        }
        text
    }
}

/// Both rows of a callback as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Every column of the source row, in table order.
    pub columns: Vec<Compared>,
    /// How many rows of its key the destination has. The first one is shown.
    pub copies: usize,
    /// What would be sent.
    pub body: String,
}

/// A column of the source row, with that of the copy which it is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Its name.
    pub source: String,
    /// Its value, as reports have it.
    pub source_value: String,
    /// Name and value; `None` where it is compared with none.
    pub destination: Option<(String, String)>,
    /// The two do not agree.
    pub differs: bool,
}

/// Both rows side by side, a star before what differs, and the body.
#[must_use]
pub(crate) fn rows_text(rows: &Rows) -> String {
    let Rows {
        columns,
        copies,
        body,
    } = rows;
    let mut lines =
        vec![["", "source column", "value", "copy's column", "value"].map(str::to_owned)];
    for column in columns {
        let (name, value) = column.destination.clone().unwrap_or_default();
        lines.push([
            if column.differs { "*" } else { "" }.into(),
            on_one_line(&column.source),
            cell(&column.source_value, VALUE_CHARS_MAX),
            on_one_line(&name),
            cell(&value, VALUE_CHARS_MAX),
        ]);
    }
    let copies = match copies {
        0 => "  The destination has no row of this key.\n".into(),
        1 => String::new(),
        many => format!("  The destination has {many} rows of this key. One of them is shown.\n"),
    };
    format!(
        "{}{copies}  The body that would be sent:\n{body}\n",
        table(&lines, usize::MAX)
    )
}

fn kind(owed: &Owed) -> &'static str {
    Kind::from(owed.kind).word()
}

fn cell(text: &str, chars_max: usize) -> String {
    shortened(&on_one_line(text), chars_max)
}

/// Columns as wide as their widest cell, two blanks apart. The last one ends where it ends.
fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]], right: usize) -> String {
    let chars = |cell: &String| cell.chars().count();
    let width = |column: usize| {
        rows.iter()
            .map(|row| chars(&row[column]))
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(widths).enumerate();
        let line: Vec<String> = cells
            .map(|(column, (cell, width))| {
                if column == right {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            })
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A word as a shell takes it.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests;
