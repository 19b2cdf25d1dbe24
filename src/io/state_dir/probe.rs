//! Whether the state folder takes files, for `check`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use super::super::replace::private;
use super::StateDir;

impl StateDir {
    /// Why the folder, or the one that it would be created in, takes no new file; `None` when it does. A file is
    /// created for this and removed again.
    #[must_use]
    pub fn refuses_files(&self) -> Option<String> {
        let existing = self.folder.ancestors().find(|folder| folder.exists());
        let folder = existing.filter(|folder| !folder.as_os_str().is_empty());
        let path = folder.unwrap_or(Path::new(".")).join(format!(
            "{}.{}.check",
            self.name,
            std::process::id()
        ));
        let created = private(OpenOptions::new().write(true).create_new(true), &path)
            .and_then(|mut file| file.write_all(b"check"));
        let removed = std::fs::remove_file(&path);
        created.and(removed).err().map(|error| error.to_string())
    }
}
