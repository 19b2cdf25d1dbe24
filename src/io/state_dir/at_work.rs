//! Whether a process holds the lock of a configuration. This is found out without taking the lock,
//! because a command that only looks must not make a run leave with 75.

use std::os::unix::fs::MetadataExt as _;

use super::StateDir;
use super::former_outbox::{FORMER_OUTBOX, OUTBOX};

impl StateDir {
    /// A process holds the lock. The kernel lists who does (proc(5), `/proc/locks`); a process of another container is not
    /// in the list, and neither is one of another machine.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        let Ok(file) = std::fs::metadata(self.path("lock")) else {
            return false;
        };
        let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
        is_locked(&locks, file.ino())
    }

    /// Whether there is a state file of this name.
    #[must_use]
    pub fn exists(&self) -> bool {
        let files = ["lock", "checkpoint.json", OUTBOX, FORMER_OUTBOX];
        files.iter().any(|extension| self.path(extension).exists())
    }
}

/// `1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF`: the inode is the last part of the sixth word. A line of a process
/// that waits has an arrow in the second place. The device is left out: some file systems name another one here.
fn is_locked(locks: &str, inode: u64) -> bool {
    locks.lines().any(|line| {
        let mut words = line.split_whitespace().skip(1);
        let is_flock = words.next() == Some("FLOCK");
        let place = words.nth(3).and_then(|word| word.rsplit_once(':'));
        is_flock && place.is_some_and(|(_, of)| of.parse() == Ok(inode))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_found_by_its_inode() {
        let locks = "1: POSIX  ADVISORY  WRITE 2207 fd:01:77 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 1943 00:1f:5678 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 1944 00:1f:99 0 EOF\n";
        for (inode, expected) in [(77, false), (5678, true), (99, false), (1943, false)] {
            assert_eq!(is_locked(locks, inode), expected, "{inode}");
        }
        assert!(!is_locked("", 0));
    }

    #[test]
    fn who_holds_the_lock_is_at_work() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = StateDir::new(temporary.path(), "user", "my.user");
        assert!(!folder.is_at_work() && !folder.exists());
        let lock = folder.lock().unwrap();
        assert!(folder.is_at_work() && folder.exists());
        drop(lock);
        assert!(!folder.is_at_work() && folder.exists());
    }
}
