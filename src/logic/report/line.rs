//! The lines of a report.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::logic::compare::rows;
use crate::logic::value::cell::Id;

/// One difference in one column, or one row that is missing or too many.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// RFC 3339, UTC.
    pub detected_at: String,
    /// `database.table` of the source.
    pub source: String,
    /// The destination's name.
    pub destination: String,
    /// In what way it is wrong.
    pub kind: Kind,
    /// The source row's id; empty for a row that only the destination has.
    pub id: String,
    /// Its key.
    pub key: String,
    /// The source column; empty unless `different`.
    pub column: String,
    /// As [`crate::logic::value::print::report_text`] prints it.
    pub source_value: String,
    /// Likewise.
    pub destination_value: String,
    /// What became of the callback.
    pub callback: Fate,
}

/// In what way a row is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The destination lacks it.
    Missing,
    /// The destination has it with other values.
    Different,
    /// Only the destination has it.
    Extra,
    /// The destination has it several times.
    Duplicate,
}

impl Kind {
    /// In the order in which people are told.
    pub const ALL: [Self; 4] = [Self::Missing, Self::Different, Self::Extra, Self::Duplicate];

    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Different => "different",
            Self::Extra => "extra",
            Self::Duplicate => "duplicate",
        }
    }
}

impl From<rows::Kind> for Kind {
    fn from(kind: rows::Kind) -> Self {
        match kind {
            rows::Kind::Missing => Self::Missing,
            rows::Kind::Different => Self::Different,
        }
    }
}

/// What became of a callback in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// The endpoint took it.
    Delivered,
    /// It is on disk and will be tried again.
    Owed,
    /// It would have been sent.
    DryRun,
    /// There is none for this kind, or nobody asked for one.
    None,
}

impl Line {
    /// The source row's id, when it has one that is a number.
    #[must_use]
    pub fn id_number(&self) -> Option<Id> {
        self.id.parse().ok()
    }
}

/// Several reports as one: by destination, id and column, then as they came; a line that comes twice is there once.
/// Lines without an id come last, by key.
#[must_use]
pub fn merged(mut lines: Vec<Line>) -> Vec<Line> {
    lines.sort_by(|a, b| {
        let order = |line: &Line| {
            let number = line.id_number();
            (number.is_none(), number)
        };
        let by_row = a
            .destination
            .cmp(&b.destination)
            .then(order(a).cmp(&order(b)));
        let by_text = |a: &Line, b: &Line| {
            (&a.id, &a.key, &a.column, a.kind, &a.detected_at).cmp(&(
                &b.id,
                &b.key,
                &b.column,
                b.kind,
                &b.detected_at,
            ))
        };
        by_row.then_with(|| by_text(a, b))
    });
    let mut seen = HashSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    lines
}

/// The names of the columns, which are also the keys of JSON Lines.
pub const HEADER: [&str; 10] = [
    "detected_at",
    "source",
    "destination",
    "kind",
    "id",
    "key",
    "column",
    "source_value",
    "destination_value",
    "callback",
];

const DAY_US: i64 = 86_400_000_000;

/// Microseconds since 1970 as RFC 3339 in UTC, to the millisecond.
#[must_use]
pub fn rfc3339(epoch_us: i64) -> String {
    chrono::DateTime::from_timestamp_micros(epoch_us).map_or_else(
        || epoch_us.to_string(),
        |at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
    )
}

/// `09:01:59Z`, in UTC, where the moment is less than a day from now.
#[must_use]
pub fn time_if_near(epoch_us: i64, now_us: i64) -> Option<String> {
    let is_near = epoch_us.saturating_sub(now_us).unsigned_abs() < DAY_US.unsigned_abs();
    is_near.then(|| at(epoch_us, "%H:%M:%SZ"))
}

/// `09:01Z`, and of another day `2026-12-01 09:01Z`: in the zone of the log's stamps.
#[must_use]
pub fn clock_time(epoch_us: i64, now_us: i64) -> String {
    let day = |us: i64| us.div_euclid(DAY_US);
    let format = if day(epoch_us) == day(now_us) {
        "%H:%MZ"
    } else {
        "%Y-%m-%d %H:%MZ"
    };
    at(epoch_us, format)
}

/// A moment in UTC, in a format of `chrono`; one that no calendar has as its number.
#[must_use]
pub fn at(epoch_us: i64, format: &str) -> String {
    chrono::DateTime::from_timestamp_micros(epoch_us)
        .map_or_else(|| epoch_us.to_string(), |at| at.format(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(destination: &str, id: &str, column: &str) -> Line {
        Line {
            detected_at: "2024-01-02T03:04:05.000Z".into(),
            source: "my.user".into(),
            destination: destination.into(),
            kind: Kind::Different,
            id: id.into(),
            key: format!("n{id}"),
            column: column.into(),
            source_value: "a".into(),
            destination_value: "b".into(),
            callback: Fate::None,
        }
    }

    #[test]
    fn merged_lines_are_in_the_order_of_numbers_and_none_comes_twice() {
        let lines = vec![
            line("b", "1", "x"),
            line("a", "10", "y"),
            line("a", "", ""),
            line("a", "10", "x"),
            line("a", "9", "z"),
            line("a", "10", "y"),
        ];
        let expected = [
            line("a", "9", "z"),
            line("a", "10", "x"),
            line("a", "10", "y"),
            line("a", "", ""),
            line("b", "1", "x"),
        ];
        assert_eq!(merged(lines), expected);
    }

    #[test]
    fn lines_of_two_detections_are_both_kept() {
        let later = Line {
            detected_at: "2024-01-03T03:04:05.000Z".into(),
            ..line("a", "1", "x")
        };
        let merged = merged(vec![later.clone(), line("a", "1", "x")]);
        assert_eq!(merged, [line("a", "1", "x"), later]);
    }

    #[test]
    fn a_moment_is_written_to_the_millisecond_in_utc() {
        assert_eq!(rfc3339(1_704_164_645_678_901), "2024-01-02T03:04:05.678Z");
        assert_eq!(rfc3339(i64::MAX), i64::MAX.to_string());
    }

    #[test]
    fn the_header_names_the_fields_in_their_order() {
        let json = serde_json::to_string(&line("a", "1", "x")).unwrap();
        let places: Vec<_> = HEADER
            .iter()
            .map(|name| json.find(&format!("\"{name}\":")).unwrap())
            .collect();
        assert!(places.is_sorted());
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        }
    }
}
