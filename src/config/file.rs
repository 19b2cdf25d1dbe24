//! The file itself.

use std::io::Read as _;
use std::path::Path;

use super::{SECRET_BYTES_MAX, Surroundings};
use crate::error::{Error, Result};

/// Far above any configuration; a wrong path may name a device without end.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The surroundings of a file that was read by [`read`].
pub(super) fn surroundings(
    env: &dyn Fn(&str) -> Option<String>,
    readable_by_others: bool,
) -> Surroundings<'_> {
    Surroundings {
        env,
        read_file: &read_secret,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        readable_by_others,
    }
}

pub(super) fn refusal(path: &Path, problem: String) -> Error {
    Error::Config {
        path: path.to_owned(),
        problem,
    }
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    refusal(path, format!("Cannot be read: {error}"))
}

/// The file's text, and whether others than its owner can read it.
pub(super) fn read(path: &Path) -> Result<(String, bool)> {
    content(path).map_err(|problem| refusal(path, problem))
}

/// The same; an error is a sentence about the file.
pub(super) fn content(path: &Path) -> std::result::Result<(String, bool), String> {
    let unreadable = |error: std::io::Error| format!("Cannot be read: {error}");
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let mut bytes = Vec::new();
    let length = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    if length.map_err(unreadable)? as u64 > FILE_BYTES_MAX {
        return Err("Is larger than 16 MiB; should be a configuration of cupid".into());
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| "Is not UTF-8; should be saved as UTF-8".to_owned())?;
    Ok((text, readable_by_others(&metadata)))
}

fn read_secret(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(SECRET_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SECRET_BYTES_MAX {
        return Err(std::io::Error::other("it is larger than 64 KiB"));
    }
    Ok(bytes)
}

#[cfg(unix)]
fn readable_by_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o044 != 0
}

#[cfg(not(unix))]
fn readable_by_others(_: &std::fs::Metadata) -> bool {
    false
}
