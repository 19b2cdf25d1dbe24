//! Files that a command makes for its user. Each is whole, or as it was before.
//!
//! While the command works, its findings are beside the file, in `FILE.partial`. Only a complete
//! command puts them in the file's place: written, synced, renamed, folder synced. An audit that
//! was stopped leaves `FILE.partial`, and the audit that goes on appends to it. A killed process
//! leaves it too.
//!
//! When FILE is a link, its target is replaced and the link stays. The file keeps its permissions
//! and its owner. When the folder takes no new file, or the owner cannot be kept, the content is
//! copied over the old one at the end, which is not atomic. stdout, devices and pipes cannot be
//! replaced. They are written immediately.

mod draft;
mod target;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek as _, SeekFrom, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use super::replace::{failed, folder_of, private, sync_folder};
use crate::error::{Error, Result};

use draft::Draft;
use target::Place;
pub(crate) use target::{draft_of, refuse_one_file};

/// Makes durable what was written to stdout, where that is a file.
///
/// # Errors
/// The system's.
pub(crate) fn sync_stdout() -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    stdout.flush()?;
    let file = File::from(stdout.as_fd().try_clone_to_owned()?);
    if file.metadata()?.is_file() {
        file.sync_all()?;
    }
    Ok(())
}

/// An output that is being made.
pub struct Output {
    /// As the user named it.
    path: PathBuf,
    /// What it is for, such as `Write the page`.
    operation: &'static str,
    to: To,
}

enum To {
    /// Written as it comes.
    Direct(Box<dyn Write + Send>),
    /// Appended to, in its place.
    Appended(File),
    /// Collected in a file without a name, for what is written as it comes.
    Deferred(File, Box<dyn Write + Send>),
    /// Collected beside the file.
    Beside(Draft),
}

/// What lies in the draft of an audit that is gone on with.
pub enum Resumed {
    /// The draft, at its end.
    Draft(Output),
    /// There is no draft, and no file that a new one could replace by less than it holds.
    Anew(Output),
}

impl Output {
    /// stdout.
    #[must_use]
    pub fn stdout(operation: &'static str) -> Self {
        Self::direct(Box::new(std::io::stdout()), "stdout".into(), operation)
    }

    /// What is open already, which errors call `path`.
    #[must_use]
    pub fn direct(to: Box<dyn Write + Send>, path: PathBuf, operation: &'static str) -> Self {
        let to = To::Direct(to);
        Self {
            path,
            operation,
            to,
        }
    }

    /// Begins a new content for a file; `-` is stdout. Touches no content yet, but one that could not be replaced in the
    /// end is known now.
    ///
    /// # Errors
    /// When the file cannot be written, or another process makes the same one.
    pub fn create(path: &Path, operation: &'static str) -> Result<Self> {
        Self::open(path, operation, |draft| {
            let file = private(
                OpenOptions::new().read(true).write(true).create(true),
                draft,
            )?;
            locked(&file)?;
            file.set_len(0)?;
            Ok(file)
        })
    }

    /// Goes on with the draft of an audit that was stopped. Without a draft it begins anew, unless there is a file, which
    /// the rest of an audit must not replace.
    ///
    /// # Errors
    /// When it cannot be opened, or another process makes the same file.
    pub fn resume(path: &Path, operation: &'static str) -> Result<Resumed> {
        let mut is_there = true;
        let mut output = Self::open(path, operation, |draft| {
            match OpenOptions::new().read(true).write(true).open(draft) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    is_there = false;
                    let file = private(
                        OpenOptions::new().read(true).write(true).create_new(true),
                        draft,
                    )?;
                    locked(&file)?;
                    Ok(file)
                }
                file => {
                    let mut file = file?;
                    locked(&file)?;
                    file.seek(SeekFrom::End(0))?;
                    Ok(file)
                }
            }
        })?;
        if let To::Beside(draft) = &mut output.to {
            draft.kept = is_there; // It is another audit's work until this one is complete.
        }
        match &output.to {
            To::Beside(draft) if !is_there && draft.target.exists() => Err(Error::File {
                operation: "Go on with",
                path: draft_of(path),
                reason: format!(
                    "It is not there, and {} would be replaced by the rest of an audit alone. Give the FILE of the audit that \
                     was stopped, or another one",
                    path.display()
                ),
            }),
            To::Beside(_) if is_there => Ok(Resumed::Draft(output)),
            To::Beside(_) => {
                log::warn!(
                    "{} is not there: {} will hold only what the audit finds from here on",
                    draft_of(path).display(),
                    path.display()
                );
                Ok(Resumed::Anew(output))
            }
            _ => Ok(Resumed::Anew(output)),
        }
    }

    fn open(
        path: &Path,
        operation: &'static str,
        open: impl FnOnce(&Path) -> std::io::Result<File>,
    ) -> Result<Self> {
        let refused = failed(operation, path);
        let target = match Place::of(path).map_err(failed(operation, path))? {
            Place::Stdout => return Ok(Self::stdout(operation)),
            Place::Stderr => {
                let to = Box::new(std::io::stderr());
                return Ok(Self::direct(to, path.to_owned(), operation));
            }
            Place::Direct => {
                let file = OpenOptions::new().append(true).open(path);
                let to = Box::new(file.map_err(refused)?);
                return Ok(Self::direct(to, path.to_owned(), operation));
            }
            Place::File(target) => target,
        };
        target
            .refuse_unwritable()
            .map_err(failed(operation, path))?;
        let name = draft_of(path);
        let (file, draft) = match open(&name) {
            Ok(file) => (file, Some(name)),
            // Only where there is a file to be written over; else nothing could come of it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied && target.exists() => {
                (tempfile::tempfile().map_err(refused)?, None)
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(refused(error));
            }
            Err(error) => return Err(failed(operation, &name)(error)),
        };
        Ok(Self {
            path: path.to_owned(),
            operation,
            to: To::Beside(Draft {
                file,
                path: draft,
                target,
                kept: false,
            }),
        })
    }

    /// Opens a file to append to it (0600 where it is created). What cannot be appended to is written as it comes.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn append(path: &Path, operation: &'static str) -> Result<Self> {
        if let Ok(Place::Stdout | Place::Stderr) = Place::of(path) {
            return Self::create(path, operation);
        }
        let is_file = std::fs::metadata(path).is_ok_and(|found| {
            let kind = found.file_type();
            !kind.is_fifo()
                && !kind.is_char_device()
                && !kind.is_block_device()
                && !kind.is_socket()
        });
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        // A pipe that is opened for reading too never learns that its reader is gone.
        let is_new = std::fs::symlink_metadata(path).is_err();
        let file =
            private(options.read(is_file || is_new), path).map_err(failed(operation, path))?;
        let to = if is_file || is_new {
            To::Appended(file)
        } else {
            To::Direct(Box::new(file))
        };
        Ok(Self {
            path: path.to_owned(),
            operation,
            to,
        })
    }

    /// What is made of a draft needs one, also where it goes to stdout or to a pipe.
    ///
    /// # Errors
    /// When there is no room for one.
    pub fn deferred(self) -> Result<Self> {
        let Self {
            path,
            operation,
            to,
        } = self;
        let to = match to {
            To::Direct(to) => {
                let draft = tempfile::tempfile().map_err(failed(operation, &path))?;
                To::Deferred(draft, to)
            }
            to => to,
        };
        Ok(Self {
            path,
            operation,
            to,
        })
    }

    /// Its name, as the user gave it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands bytes to the system: all of them, or, in a file, none.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match &mut self.to {
            To::Direct(to) => to.write_all(bytes).and_then(|()| to.flush()),
            To::Appended(file) | To::Deferred(file, _) | To::Beside(Draft { file, .. }) => {
                whole(file, bytes)
            }
        };
        written.map_err(failed(self.operation, &self.path))
    }

    /// The file with what is in it already, where it can be read.
    #[must_use]
    pub fn content(&mut self) -> Option<&mut File> {
        match &mut self.to {
            To::Direct(_) => None,
            To::Appended(file) | To::Deferred(file, _) | To::Beside(Draft { file, .. }) => {
                Some(file)
            }
        }
    }

    /// A second handle, to make what is written durable before a checkpoint passes it.
    #[must_use]
    pub fn handle(&self) -> Option<File> {
        match &self.to {
            To::Beside(draft) => draft.file.try_clone().ok(),
            To::Direct(_) | To::Appended(_) | To::Deferred(..) => None,
        }
    }

    /// Puts what was written in the file's place.
    ///
    /// # Errors
    /// When it cannot be made durable or put there; the file is as it was, and the draft stays beside it.
    pub fn complete(self) -> Result<()> {
        let (path, operation) = (self.path, self.operation);
        let To::Beside(mut draft) = self.to else {
            return Ok(());
        };
        draft.kept = true; // Whatever fails from here on, it is complete.
        draft.put().map_err(failed(operation, &path))
    }

    /// Puts what `write` makes of the draft in the file's place.
    ///
    /// # Errors
    /// As [`Self::complete`].
    pub fn complete_as(
        self,
        write: impl FnOnce(&mut File, &mut dyn Write) -> std::io::Result<()>,
    ) -> Result<()> {
        let (path, operation) = (self.path, self.operation);
        match self.to {
            To::Direct(_) | To::Appended(_) => Ok(()),
            To::Deferred(mut file, mut to) => {
                let mut buffered = std::io::BufWriter::new(&mut to);
                file.rewind()
                    .and_then(|()| write(&mut file, &mut buffered))
                    .and_then(|()| buffered.flush())
                    .map_err(failed(operation, &path))
            }
            To::Beside(mut draft) => {
                draft.kept = true;
                let written = draft.remade(write).map_err(failed(operation, &path));
                draft.kept = written.is_err();
                written
            }
        }
    }

    /// Leaves what was written beside the file, durably. Returns where it lies.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub fn keep(mut self) -> Result<Option<PathBuf>> {
        let To::Beside(draft) = &mut self.to else {
            return Ok(None);
        };
        draft.kept = true;
        let Some(path) = draft.path.clone() else {
            log::warn!(
                "{} takes no new file, so the findings for {} cannot be kept beside it",
                folder_of(&self.path).display(),
                self.path.display()
            );
            return Ok(None);
        };
        draft.file.sync_all().map_err(failed("Sync", &path))?;
        sync_folder(folder_of(&path))?;
        Ok(Some(path))
    }
}

/// Two that write one draft would leave a mixture.
fn locked(file: &File) -> std::io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(std::io::Error::new(
            ErrorKind::ResourceBusy,
            "Another process is writing it; give each its own FILE",
        )),
        // A file system without locks has none to respect.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Writes at the end: what was written of a failed write may be half a line, and is taken back.
fn whole(file: &mut File, bytes: &[u8]) -> std::io::Result<()> {
    let before = file.seek(SeekFrom::End(0))?;
    file.write_all(bytes).inspect_err(|_| {
        let _ = file.set_len(before); // The first error is the one to tell.
    })
}

/// Copies all of a file into another one.
pub(super) fn copy(from: &mut File, to: &mut File) -> std::io::Result<()> {
    from.rewind()?;
    to.rewind()?;
    let length = std::io::copy(&mut Read::by_ref(from), to)?;
    to.set_len(length)?;
    to.sync_all()
}

#[cfg(test)]
mod tests;
