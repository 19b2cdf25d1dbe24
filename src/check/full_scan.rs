//! A whole table that each pass reads.

use super::Level;
use crate::config::Job;
use crate::logic::value::count::counted;

/// A table of so many rows is read in a moment, and the server may well prefer to read it whole.
pub(super) const FEW_ROWS: u64 = 10_000;

/// How bad it is, and what the finding adds.
pub(super) struct FullScan {
    pub(super) level: Level,
    pub(super) words: String,
}

impl FullScan {
    /// `rows` is the server's estimate.
    pub(super) fn of(job: &Job, rows: Option<u64>) -> Self {
        let few = counted(FEW_ROWS, "row");
        let (level, words) = if job.source.allow_full_scan {
            (Level::Note, "; src.allowFullScan allows it".into())
        } else if rows.is_some_and(|rows| rows > FEW_ROWS) {
            let words = "; if that is meant, set \"allowFullScan\": true in src";
            (Level::Error, words.into())
        } else {
            (Level::Warning, format!("; that will do up to {few}"))
        };
        Self { level, words }
    }
}
