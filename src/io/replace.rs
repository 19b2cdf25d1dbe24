//! Files that are replaced whole: the one place that knows the order.
//!
//! A file is written beside its place, synced, renamed over the old one, and its folder is synced.
//! Each step is done only when the one before it succeeded. So the name always holds the whole old
//! content or the whole new one.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::error::{Error, Result};

/// Why a folder takes no new file; `None` when it does. A file is created for this and removed again.
pub(super) fn refusal(folder: &Path, name: &str) -> Option<String> {
    let path = folder.join(format!("{name}.{}.check", std::process::id()));
    let created = private(OpenOptions::new().write(true).create_new(true), &path)
        .and_then(|mut file| file.write_all(b"check"));
    let removed = std::fs::remove_file(&path);
    created.and(removed).err().map(|error| error.to_string())
}

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
    put_unsynced(sibling, path).map_err(|error| {
        let _ = std::fs::remove_file(sibling); // The same.
        failed("Replace", path)(error)
    })
}

/// Puts a file that is written in the place of another one in the same folder. Where a file is replaced by a rename, ext4
/// first gives the new one its blocks on disk (`auto_da_alloc` in ext4(5)), for whoever forgot to sync it. That takes
/// longer than all else here, so the two change names, and what was the old one is removed.
fn put_unsynced(sibling: &Path, path: &Path) -> std::io::Result<()> {
    let is_file = path.symlink_metadata().is_ok_and(|old| old.is_file());
    if is_file && renameat_with(CWD, sibling, CWD, path, RenameFlags::EXCHANGE).is_ok() {
        return std::fs::remove_file(sibling);
    }
    std::fs::rename(sibling, path) // There is no old one, or the file system cannot change names.
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_replaced_unsynced_is_whole_and_leaves_nothing_beside_it() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("a.json");
        let sibling = temporary.path().join("a.json.new");
        // A process that was killed in between left an older, longer content.
        std::fs::write(&sibling, "left over").unwrap();
        for text in ["first", "a longer second one", "3"] {
            replace_unsynced(&path, &sibling, 0o640, text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o640);
            assert!(!sibling.exists());
        }
    }

    #[test]
    fn a_link_is_replaced_and_a_folder_is_left_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let [path, sibling, other] =
            ["a.json", "a.json.new", "b.json"].map(|name| temporary.path().join(name));
        std::fs::write(&other, "other").unwrap();
        symlink(&other, &path).unwrap();
        replace_unsynced(&path, &sibling, 0o600, b"new").unwrap();
        assert!(path.symlink_metadata().unwrap().is_file());
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "other");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(replace_unsynced(&path, &sibling, 0o600, b"new").is_err());
        assert!(path.is_dir() && !sibling.exists());
    }
}
