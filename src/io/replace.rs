//! Files that are replaced whole: the one place that knows the order.
//!
//! Written to a sibling, synced, renamed over the old file, folder synced, and each step only as far as the one before
//! it succeeded: whatever happens, the name holds the whole old content or the whole new one.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::error::{Error, Result};

/// Replaces `path`, readable by its owner only (0600), by way of `sibling`, which is a name in the same folder.
///
/// # Errors
/// When a step fails; the old content is intact then.
pub(super) fn replace(
    path: &Path,
    sibling: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let written = private(
        OpenOptions::new().write(true).create(true).truncate(true),
        sibling,
    )
    .and_then(|file| {
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        file.into_inner()?.sync_all()
    });
    if let Err(error) = written {
        let _ = std::fs::remove_file(sibling); // It is incomplete; the error that matters is the first one.
        return Err(failed("Write", sibling)(error));
    }
    put(sibling, path)
}

/// The same, but a power cut may leave nothing of either content: for what can be lost. `mode` is who may read it.
///
/// # Errors
/// When a step fails; the old content is intact then.
pub(super) fn replace_unsynced(
    path: &Path,
    sibling: &Path,
    mode: u32,
    content: &[u8],
) -> Result<()> {
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(sibling)
        .and_then(|mut file| {
            file.set_permissions(Permissions::from_mode(mode))?; // Whatever the umask is.
            file.write_all(content)
        });
    if let Err(error) = written {
        let _ = std::fs::remove_file(sibling); // It is incomplete; the error that matters is the first one.
        return Err(failed("Write", sibling)(error));
    }
    std::fs::rename(sibling, path).map_err(|error| {
        let _ = std::fs::remove_file(sibling); // The same.
        failed("Replace", path)(error)
    })
}

/// Puts a file that is written and synced in the place of another one in the same folder.
///
/// # Errors
/// When it cannot be renamed, or the folder cannot be synced.
pub(super) fn put(sibling: &Path, path: &Path) -> Result<()> {
    std::fs::rename(sibling, path).map_err(failed("Replace", path))?;
    sync_folder(folder_of(path))
}

/// Makes new names in a folder durable.
///
/// # Errors
/// When the folder cannot be opened or synced.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("Sync the folder", folder))
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Opens a file; one that is created by it can be read by its owner only (0600).
///
/// # Errors
/// The system's.
pub(super) fn private(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    options.mode(0o600).open(path)
}

/// Names the operation and the file.
pub(super) fn failed(
    operation: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |error| Error::File {
        operation,
        path,
        reason: error.to_string(),
    }
}
