//! Files that are written where there is none.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::replace::{failed, folder_of, sync_folder};
use crate::error::{Error, Result};

/// The service's group may read a configuration, and nobody else.
const MODE: u32 = 0o640;
const FOLDER_MODE: u32 = 0o750;

/// Refuses a path at which there is something.
///
/// # Errors
/// Says so.
pub(crate) fn refuse_existing(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("Create", path)(error)),
        Ok(_) => Err(existing(path)),
    }
}

/// Writes new files, each whole and readable by owner and group (0640), and their folder where
/// there is none. All or none are there afterwards.
///
/// # Errors
/// When one of them is there already, or cannot be written.
pub(crate) fn create_all(files: &[(PathBuf, String)]) -> Result<()> {
    let mut created: Vec<&Path> = Vec::new();
    for (path, content) in files {
        if let Err(error) = create(path, content) {
            for path in created {
                let _ = std::fs::remove_file(path); // The error to tell is the first one.
            }
            return Err(error);
        }
        created.push(path);
    }
    Ok(())
}

/// A folder for configurations; one that is there stays as it is.
///
/// # Errors
/// When it cannot be created.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let created = DirBuilder::new().mode(FOLDER_MODE).create(path);
    created.map_err(failed("Create the folder", path))
}

fn create(path: &Path, content: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(MODE).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => existing(path),
        _ => failed("Create", path)(error),
    })?;
    let written = file
        .set_permissions(Permissions::from_mode(MODE)) // Whatever the umask is.
        .and_then(|()| file.write_all(content.as_bytes()))
        .and_then(|()| file.sync_all());
    if let Err(error) = written {
        let _ = std::fs::remove_file(path); // It is incomplete; the error to tell is the first one.
        return Err(failed("Write", path)(error));
    }
    sync_folder(folder_of(path))
}

fn existing(path: &Path) -> Error {
    Error::File {
        operation: "Create",
        path: path.to_owned(),
        reason: "It is there already and is not overwritten; name another file, or move it away"
            .into(),
    }
}

/// The file that the shell has opened as stdout.
pub(crate) fn stdout_file() -> Option<PathBuf> {
    let path = std::fs::read_link("/proc/self/fd/1").ok()?;
    path.is_file().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_or_none_are_written_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| (folder.path().join(name), format!("{name}\n"));
        create_all(&[file("a"), file("b")]).unwrap();
        let mode = folder.path().join("a").metadata().unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o640);
        std::fs::write(folder.path().join("b"), "mine").unwrap();
        let error = create_all(&[file("c"), file("b"), file("d")]).unwrap_err();
        assert!(error.to_string().contains("is there already"), "{error}");
        let names = std::fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> = names.map(|it| it.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(std::fs::read(folder.path().join("b")).unwrap(), b"mine");
        assert!(refuse_existing(&folder.path().join("b")).is_err());
        refuse_existing(&folder.path().join("e")).unwrap();
        std::os::unix::fs::symlink("/nowhere", folder.path().join("link")).unwrap();
        assert!(create_all(&[file("link")]).is_err());
    }
}
