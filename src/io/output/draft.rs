//! What an output holds until it is put in its file's place.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, Write};
use std::path::PathBuf;

use super::target::Target;
use crate::io::replace::private;

/// What is written so far of a file.
pub(super) struct Draft {
    pub(super) file: File,
    /// Where it lies; `None` where the folder takes no file: then it has no name, and is lost with the process.
    pub(super) path: Option<PathBuf>,
    pub(super) target: Target,
    /// It stays when the output is dropped.
    pub(super) kept: bool,
}

impl Draft {
    /// Puts it in the file's place; its own name is gone then.
    pub(super) fn put(&mut self) -> std::io::Result<()> {
        let is_gone = self
            .target
            .replace_by(&mut self.file, self.path.as_deref())?;
        self.kept = false;
        if is_gone {
            self.path = None;
        }
        Ok(())
    }

    /// Replaces the file by what `write` makes of the draft.
    pub(super) fn remade(
        &mut self,
        write: impl FnOnce(&mut File, &mut dyn Write) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let name = self.path.as_ref().map(|path| path.with_extension("new"));
        let file = match &name {
            Some(name) => private(
                OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(true),
                name,
            )?,
            None => tempfile::tempfile()?,
        };
        self.file.rewind()?;
        let mut buffered = std::io::BufWriter::new(file);
        let put = write(&mut self.file, &mut buffered).and_then(|()| {
            let mut file = buffered
                .into_inner()
                .map_err(std::io::IntoInnerError::into_error)?;
            self.target.replace_by(&mut file, name.as_deref())
        });
        if let (Err(_) | Ok(false), Some(name)) = (&put, &name) {
            let _ = std::fs::remove_file(name); // Another error is told, or it was copied.
        }
        put.map(|_| ())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let (Some(path), false) = (&self.path, self.kept) {
            let _ = std::fs::remove_file(path); // It may have been put in its place.
        }
    }
}
