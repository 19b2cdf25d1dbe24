//! The lines of a report.

use serde::Serialize;

/// One difference in one column, or one missing row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// RFC 3339, UTC.
    pub detected_at: String,
    /// `database.table` of the source.
    pub source: String,
    /// The destination's name.
    pub destination: String,
    /// `missing` or `different`.
    pub kind: &'static str,
    /// The source row's id.
    pub id: String,
    /// Its key.
    pub key: String,
    /// The source column; empty for a missing row.
    pub column: String,
    /// As [`super::print::report_text`] prints it.
    pub source_value: String,
    /// Likewise.
    pub destination_value: String,
    /// What became of the callback.
    pub callback: Fate,
}

/// What became of a callback in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// The endpoint took it.
    Delivered,
    /// It is on disk and will be tried again.
    Owed,
    /// It would have been sent.
    DryRun,
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

/// Microseconds since 1970 as RFC 3339 in UTC, to the millisecond.
#[must_use]
pub fn rfc3339(epoch_us: i64) -> String {
    chrono::DateTime::from_timestamp_micros(epoch_us).map_or_else(
        || epoch_us.to_string(),
        |at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
    )
}
