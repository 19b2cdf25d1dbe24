//! Differences as CSV or JSON Lines; the only file that names `csv`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::cli::ReportFormat;
use crate::error::{Error, Result};
use crate::logic::report::{HEADER, Line};

/// An open report. Lines are handed to the system as they are found, so an interrupted run leaves a usable file.
pub struct Report {
    to: Mutex<Format>,
    name: String,
}

enum Format {
    Csv(csv::Writer<Box<dyn Write + Send>>),
    JsonLines(Box<dyn Write + Send>),
}
