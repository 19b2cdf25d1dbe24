//! What a user's FILE is, and how a draft takes its place.

use std::fs::{File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use super::super::replace::{folder_of, private, sync_folder};
use super::copy;
use crate::error::{Error, Result};

/// As many links are followed as Linux follows.
const LINKS_MAX: usize = 40;

const STDOUT: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
const STDERR: [&str; 3] = ["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"];

/// What a path names.
pub(super) enum Place {
    /// `-`, and what names what this process has open as such: written from where the shell is in it.
    Stdout,
    /// Likewise.
    Stderr,
    /// A device, a pipe, a socket, or what a process has open: it cannot be replaced.
    Direct,
    /// A file, or none yet.
    File(Target),
}

/// A file that is to be replaced.
pub(super) struct Target {
    /// Links followed.
    path: PathBuf,
    /// What is there.
    found: Option<Box<Metadata>>,
}

impl Place {
    /// # Errors
    /// For a folder, for links in a circle, and for what cannot be looked at.
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            if STDOUT.iter().any(|name| path == Path::new(name)) {
                return Ok(Self::Stdout);
            }
            if STDERR.iter().any(|name| path == Path::new(name)) {
                return Ok(Self::Stderr);
            }
            // `/dev/fd/3` leads to whatever the shell has opened, which has to stay what it is.
            // Other devices are known by what they are, and /dev/shm holds files.
            if ["/dev/fd", "/proc"]
                .iter()
                .any(|root| path.starts_with(root))
            {
                return Ok(Self::Direct);
            }
            let Ok(link) = std::fs::read_link(&path) else {
                return Self::at(path);
            };
            path = folder_of(&path).join(link);
        }
        Err(std::io::Error::other("Too many links"))
    }

    fn at(path: PathBuf) -> std::io::Result<Self> {
        let found = match std::fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            found => Some(Box::new(found?)),
        };
        match &found {
            Some(found) if found.is_dir() => Err(ErrorKind::IsADirectory.into()),
            Some(found) if !found.is_file() => Ok(Self::Direct),
            _ => Ok(Self::File(Target { path, found })),
        }
    }
}

impl Target {
    pub(super) fn exists(&self) -> bool {
        self.found.is_some()
    }

    /// A file that may not be written is not replaced either.
    pub(super) fn refuse_unwritable(&self) -> std::io::Result<()> {
        if self.exists() {
            OpenOptions::new().write(true).open(&self.path)?;
        }
        Ok(())
    }

    /// Puts a draft in this file's place. Whether the draft's name is gone after it.
    pub(super) fn replace_by(
        &self,
        draft: &mut File,
        name: Option<&Path>,
    ) -> std::io::Result<bool> {
        if let Some(name) = name
            && folder_of(name) == folder_of(&self.path)
            && self.takes_over(draft)
        {
            draft.sync_all()?;
            std::fs::rename(name, &self.path)?;
            sync_folder_of(&self.path)?;
            return Ok(true);
        }
        // Behind a link the file is in another folder, perhaps on another disk.
        let sibling = with_suffix(&self.path, ".new");
        let created = private(OpenOptions::new().write(true).create_new(true), &sibling);
        if let Ok(mut file) = created {
            let copied = copy(draft, &mut file);
            if copied.is_ok() && self.takes_over(&file) {
                std::fs::rename(&sibling, &self.path)?;
                sync_folder_of(&self.path)?;
                return Ok(false);
            }
            let _ = std::fs::remove_file(&sibling); // The error to tell is the first one.
            copied?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.path)?;
        copy(draft, &mut file)?;
        Ok(false)
    }

    /// Gives the draft the owner and the permissions of what is there; false when it cannot.
    fn takes_over(&self, draft: &File) -> bool {
        let Some(found) = &self.found else {
            return true;
        };
        let has = |file: &Metadata| (file.uid(), file.gid()) == (found.uid(), found.gid());
        let is_owned = draft.metadata().is_ok_and(|file| has(&file))
            || fchown(draft, Some(found.uid()), Some(found.gid())).is_ok();
        let mode = std::fs::Permissions::from_mode(found.mode() & 0o7777);
        is_owned && draft.set_permissions(mode).is_ok()
    }
}

fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    sync_folder(folder_of(path)).map_err(std::io::Error::other)
}

/// Where the content of a file is collected.
#[must_use]
pub(crate) fn draft_of(path: &Path) -> PathBuf {
    with_suffix(path, ".partial")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Refuses outputs of which two are one file, or one is where another one is collected.
///
/// # Errors
/// Names the two.
pub(crate) fn refuse_one_file(outputs: &[(&'static str, Option<&Path>)]) -> Result<()> {
    let mut seen: Vec<(&'static str, PathBuf)> = Vec::new();
    for &(option, path) in outputs {
        let Some(Ok(Place::File(target))) = path.map(Place::of) else {
            continue;
        };
        let own = path.map(|path| lasting(&draft_of(path)));
        let own: Vec<PathBuf> = own.into_iter().chain([lasting(&target.path)]).collect();
        if let Some((other, path)) = seen.iter().find(|(_, path)| own.contains(path)) {
            return Err(Error::Usage(format!(
                "{other} and {option} both write {}; give each a file of its own",
                path.display()
            )));
        }
        seen.extend(own.into_iter().map(|path| (option, path)));
    }
    Ok(())
}

/// The same file has the same one, whatever folders and links lead to it.
fn lasting(path: &Path) -> PathBuf {
    let folder = std::fs::canonicalize(folder_of(path));
    let name = path.file_name().unwrap_or_default();
    folder.map_or_else(|_| path.to_owned(), |folder| folder.join(name))
}
