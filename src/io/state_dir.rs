//! The state folder: lock, load, durable save.
//!
//! `replace.rs` says how a file is replaced. The outbox is also appended to. A line that a crash
//! tore is the last one and has no line end. It is cut off before the next line is appended.

mod adopt;
mod at_work;
mod former;
mod former_outbox;
mod owner;
mod probe;
mod stats;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufWriter, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::replace::{failed, private, replace, sync_folder};
use crate::error::{Error, Result};
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::owed::Owed;
use crate::logic::callback::recognise::Known;
use crate::logic::scan::checkpoint::{Checkpoint, Unusable};
use crate::logic::value::cell::Id;
use crate::world::Store;

pub use adopt::audit_name;
pub use former::Former;

use former_outbox::{FORMER_OUTBOX, OUTBOX};

/// A state file larger than this is not read.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The state files of one configuration.
#[derive(Debug)]
pub struct StateDir {
    folder: PathBuf,
    name: String,
    /// `database.table`: whose checkpoint it must be.
    source: String,
    /// The configuration's file: whose state it must be. `None`: nobody asks.
    config: Option<String>,
    /// What an earlier version called the state files.
    former: Option<Former>,
    /// The destinations of the configuration.
    destinations: Vec<Known>,
    appending: Option<File>,
}

/// Holds the lock of a configuration while it lives. The kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// The note begins after the owner's line.
    note_at: u64,
}

impl StateDir {
    /// Touches nothing yet.
    #[must_use]
    pub fn new(folder: &Path, name: &str, source: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            name: name.into(),
            source: source.into(),
            config: None,
            former: None,
            destinations: vec![],
            appending: None,
        }
    }

    /// State files of the configuration in this file, as [`crate::config::Job::file`] has it.
    #[must_use]
    pub fn of(self, config: &str) -> Self {
        Self {
            config: Some(config.into()),
            ..self
        }
    }

    /// State files that an earlier version called otherwise.
    #[must_use]
    pub fn formerly(self, former: Option<Former>) -> Self {
        Self { former, ..self }
    }

    /// Whose callbacks audits may have left owed.
    #[must_use]
    pub fn with_destinations(self, destinations: Vec<Known>) -> Self {
        Self {
            destinations,
            ..self
        }
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.name))
    }

    /// Takes the lock, creating the folder if need be, and with it the state files, also those of an earlier name.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process of this configuration has it, [`Error::Config`] when the state files are
    /// another configuration's.
    pub fn lock(&self) -> Result<Lock> {
        let mut builder = std::fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(failed("Create the state folder", &self.folder))?;
        let path = self.path("lock");
        let mut file = private(
            OpenOptions::new().read(true).write(true).create(true),
            &path,
        )
        .map_err(failed("Open the lock file", &path))?;
        match file.try_lock() {
            Ok(()) => {
                let note_at = self.claim(&mut file)?;
                self.take_over_former_outbox()?;
                self.take_over_former()?;
                Ok(Lock { file, note_at })
            }
            Err(TryLockError::WouldBlock) => {
                self.refuse_locked_by_another()?;
                Err(Error::Locked(path))
            }
            Err(TryLockError::Error(error)) => Err(failed("Lock", &path)(error)),
        }
    }

    /// The file of [`Store::checkpoint`].
    #[must_use]
    pub fn progress_path(&self) -> PathBuf {
        self.path("checkpoint.json")
    }

    /// Removes the checkpoint and the lock file. To be called under the lock.
    ///
    /// # Errors
    /// When one of them is there and cannot be removed.
    pub fn remove(&self) -> Result<()> {
        for path in [self.path("checkpoint.json"), self.path("lock")] {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(failed("Remove", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What the last run said of itself; empty when there was none.
    ///
    /// # Errors
    /// When there is a lock file that cannot be read.
    pub fn last_run(&self) -> Result<String> {
        let text = read(&self.path("lock"))?.unwrap_or_default();
        Ok(owner::note_of(&text).to_owned())
    }

    fn sync_folder(&self) -> Result<()> {
        sync_folder(&self.folder)
    }
}

/// The sibling has the extension `new`.
fn replace_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    replace(path, &path.with_extension("new"), write)
}

impl Lock {
    /// Leaves a note on this run for the next one. It lies in the lock file, need not survive a power cut, and its
    /// loss is no failure.
    pub fn note(&mut self, text: &str) {
        let written = self
            .file
            .seek(SeekFrom::Start(self.note_at))
            .and_then(|_| self.file.set_len(self.note_at))
            .and_then(|()| self.file.write_all(text.as_bytes()));
        if let Err(error) = written {
            log::warn!("Note the run in the lock file: {error}");
        }
    }
}

impl Store for StateDir {
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>> {
        let path = self.path("checkpoint.json");
        let Some(text) = read(&path)? else {
            return Ok(None);
        };
        let parsed = Checkpoint::parse(&text, &self.source);
        parsed.map(Some).map_err(|unusable| {
            let way_out = if matches!(unusable, Unusable::Foreign(..)) {
                "give this configuration a \"name\" of its own, or move the file away"
            } else {
                "restore it from a backup, or move it away"
            };
            Error::State {
                reason: format!(
                    "{unusable}. Nothing was done. To go on, {way_out} and give --start-id to say where to begin (without it the \
                     scan starts at the beginning)"
                ),
                path,
            }
        })
    }

    fn first_cupids_id(&mut self) -> Result<Option<Id>> {
        let path = self.folder.join("cupid.txt");
        let Some(text) = read(&path)? else {
            return Ok(None);
        };
        match text.trim() {
            "" => Ok(None),
            digits => first_cupids(digits).map(|id| (id != 0).then_some(id)).ok_or_else(|| Error::State {
                reason: format!(
                    "It should hold the next id to look at, as the first cupid wrote it, and holds {:?}. Correct it or move it away",
                    digits.chars().take(40).collect::<String>()
                ),
                path,
            }),
        }
    }

    fn save_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let path = self.path("checkpoint.json");
        let text = checkpoint
            .to_text()
            .map_err(|error| failed("Write", &path)(error.into()))?;
        replace_file(&path, |file| file.write_all(text.as_bytes()))
    }

    fn outbox(&mut self) -> Result<Outbox> {
        let mut outbox = read_outbox(self.path(OUTBOX))?;
        for owed in read_outbox(self.path(FORMER_OUTBOX))?.lines() {
            outbox.adopt(owed.clone());
        }
        Ok(outbox)
    }

    fn append_owed(&mut self, owed: &[Owed]) -> Result<()> {
        if owed.is_empty() {
            return Ok(());
        }
        let path = self.path(OUTBOX);
        let mut text = Vec::with_capacity(owed.len() * 256);
        for owed in owed {
            serde_json::to_writer(&mut text, owed)
                .map_err(|error| failed("Write", &path)(error.into()))?;
            text.push(b'\n');
        }
        let created = self.appending.is_none() && !path.exists();
        let file = match &mut self.appending {
            Some(file) => file,
            None => self
                .appending
                .insert(whole_lines(&path).map_err(failed("Open", &path))?),
        };
        let before = file.metadata().map_err(failed("Read", &path))?.len();
        if let Err(error) = file.write_all(&text).and_then(|()| file.sync_data()) {
            let _ = file.set_len(before); // What was written may be half a line; the first error is the one to tell.
            return Err(failed("Append to", &path)(error));
        }
        if created { self.sync_folder() } else { Ok(()) }
    }

    fn replace_outbox(&mut self, outbox: &Outbox) -> Result<()> {
        let path = self.path(OUTBOX);
        self.appending = None;
        if outbox.lines().next().is_none() && !path.exists() {
            return Ok(());
        }
        replace_file(&path, |file| {
            for owed in outbox.lines() {
                serde_json::to_writer(&mut *file, owed)?;
                file.write_all(b"\n")?;
            }
            Ok(())
        })
    }
}

/// The owed callbacks of a file; none when there is no such file.
fn read_outbox(path: PathBuf) -> Result<Outbox> {
    let Some(text) = read(&path)? else {
        return Ok(Outbox::default());
    };
    Outbox::parse(&text).map_err(|(line, why)| Error::State {
        reason: format!("Line {line} is no owed callback ({why}). Nothing was done. Correct the line or move the file away"),
        path,
    })
}

/// Opens the owed callbacks for appending, without the torn line that a crash may have left at the end.
fn whole_lines(path: &Path) -> std::io::Result<File> {
    let mut file = private(
        OpenOptions::new().read(true).append(true).create(true),
        path,
    )?;
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    let whole = content
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |end| end + 1);
    if whole < content.len() {
        file.set_len(whole as u64)?;
    }
    Ok(file)
}

/// An id that an integer column can hold.
fn first_cupids(digits: &str) -> Option<Id> {
    let id: Id = digits.parse().ok()?;
    (Id::from(i64::MIN)..=Id::from(u64::MAX))
        .contains(&id)
        .then_some(id)
}

/// The text of a file; `None` only when there is no such file. A part of one is never taken for the whole.
fn read(path: &Path) -> Result<Option<String>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed("Read", path))?,
    };
    let length = file.metadata().map_err(failed("Read", path))?.len();
    if length > FILE_BYTES_MAX {
        return Err(Error::State {
            path: path.to_owned(),
            reason: format!(
                "It has {length} bytes, and at most {FILE_BYTES_MAX} are read. Nothing \
                 was done. Move it away. Its lines can be given back in parts"
            ),
        });
    }
    // One read, and one that finds the end: a limited reader does not ask how long the file is.
    let mut text = String::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(failed("Read", path))?;
    Ok(Some(text))
}

/// Reads the state and saves nothing: `--dry-run`.
#[derive(Debug)]
pub struct ReadOnly<S>(pub S);

impl<S: Store> Store for ReadOnly<S> {
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>> {
        self.0.checkpoint()
    }

    fn first_cupids_id(&mut self) -> Result<Option<Id>> {
        self.0.first_cupids_id()
    }

    fn save_checkpoint(&mut self, _: &Checkpoint) -> Result<()> {
        Ok(())
    }

    fn outbox(&mut self) -> Result<Outbox> {
        self.0.outbox()
    }

    fn append_owed(&mut self, _: &[Owed]) -> Result<()> {
        Ok(())
    }

    fn replace_outbox(&mut self, _: &Outbox) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
