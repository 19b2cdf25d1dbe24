//! A small disk for the state, to be filled up.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Enough for the state of any test here.
const BYTES: usize = 8 << 20;

/// Mounted while it lives.
pub(crate) struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts it over an empty folder.
    pub(crate) fn mount(path: &Path) -> Self {
        let options = format!("size={BYTES},mode=0700");
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "cupid-test"])
            .arg(path)
            .output();
        let output = output.unwrap_or_else(|error| panic!("Cannot run mount: {error}"));
        assert!(
            output.status.success(),
            "A disk that can be filled up cannot be mounted: {}It needs root, or a namespace where this user is root; \
             scripts/crash-test makes one",
            String::from_utf8_lossy(&output.stderr)
        );
        Self {
            path: path.to_owned(),
        }
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }

    /// Until not one byte more goes in.
    pub(crate) fn fill(&self) {
        let mut file =
            std::fs::File::create(self.filler()).expect("Create a file that fills the disk");
        let block = vec![0; 4096];
        let full = (0..=BYTES / block.len()).find_map(|_| file.write_all(&block).err());
        let full = full.expect("A disk of this size has an end");
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
    }

    pub(crate) fn free(&self) {
        std::fs::remove_file(self.filler()).expect("Remove what fills the disk");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(&self.path)
            .status();
    }
}
