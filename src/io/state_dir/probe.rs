//! Whether the state folder takes files, for `check`.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::super::replace::refusal;
use super::StateDir;

impl StateDir {
    /// Why the folder, or the one that it would be created in, takes no new file; `None` when it does. A file is
    /// created for this and removed again.
    #[must_use]
    pub fn refuses_files(&self) -> Option<String> {
        let existing = self.folder.ancestors().find(|folder| folder.exists());
        let folder = existing.filter(|folder| !folder.as_os_str().is_empty());
        refusal(folder.unwrap_or(Path::new(".")), &self.name)
    }

    /// The user that the folder belongs to, and the one who asks; `None` where it is not there yet, or both are the
    /// same.
    #[must_use]
    pub fn belongs_to_another(&self) -> Option<(u32, u32)> {
        let owner = std::fs::metadata(&self.folder).ok()?.uid();
        let user = rustix::process::geteuid().as_raw();
        (owner != user).then_some((owner, user))
    }
}
