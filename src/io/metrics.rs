//! Files for `node_exporter`'s textfile collector. They are replaced by rename, so it never reads
//! half a file, and readable by all.

use std::path::{Path, PathBuf};

use super::replace::{refusal, replace_unsynced};
use crate::error::Result;

/// Puts the metrics of passes into `metricsFile`.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_passes(file: &Path, text: &str) -> Result<()> {
    write(file, text)
}

/// Puts the metrics of audits beside it, into `<stem>.reconcile.prom`.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_audit(file: &Path, text: &str) -> Result<()> {
    write(&of_audits(file), text)
}

/// Why the folder of `metricsFile` takes no file; `None` when it does. Nothing stays there.
#[must_use]
pub(crate) fn refuses(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_string_lossy();
    refusal(file.parent()?, &name)
}

fn of_audits(file: &Path) -> PathBuf {
    file.with_extension("reconcile.prom")
}

fn write(file: &Path, text: &str) -> Result<()> {
    // Its name does not end in .prom, so the collector leaves it alone.
    let sibling = file.with_extension("prom.new");
    replace_unsynced(file, &sibling, 0o644, text.as_bytes())
}
