//! Where a report is, and how it is written.

use std::path::PathBuf;

/// A report's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// `None` is stdout, or stdin where a report is read.
    pub file: Option<PathBuf>,
    /// How a difference is written.
    pub format: ReportFormat,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// One line per difference and column, with a header.
    Csv,
    /// The same as one JSON object per line.
    JsonLines,
}
