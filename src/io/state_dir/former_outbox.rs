//! The outbox under its name in earlier versions: `<name>.failed.jsonl`.
//!
//! A command that takes the lock takes that file over. A command that only reads reads both files.
//! Both exist when a run was killed in between, or when an earlier version ran again. A callback in
//! both files is one callback, so a killed run repeats the step and loses nothing.

use super::super::replace::failed;
use super::StateDir;
use crate::error::Result;
use crate::world::Store as _;

/// The owed callbacks.
pub(super) const OUTBOX: &str = "owed.jsonl";
/// The same of an earlier version.
pub(super) const FORMER_OUTBOX: &str = "failed.jsonl";

impl StateDir {
    /// Gives the owed callbacks of an earlier version their name of today. To be called under the lock.
    pub(super) fn take_over_former_outbox(&self) -> Result<()> {
        let (from, to) = (self.path(FORMER_OUTBOX), self.path(OUTBOX));
        let exists = |path: &std::path::Path| path.try_exists().map_err(failed("Read", path));
        if !exists(&from)? {
            return Ok(());
        }
        if exists(&to)? {
            let mut both = self.named(&self.name);
            let all = both.outbox()?;
            both.replace_outbox(&all)?;
            std::fs::remove_file(&from).map_err(failed("Remove", &from))?;
        } else {
            std::fs::rename(&from, &to).map_err(failed("Rename", &from))?;
        }
        self.sync_folder()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::logic::callback::owed::Owed;
    use crate::logic::compare::rows::Kind;
    use crate::logic::value::cell::Id;

    fn owed(id: Id, detected_us: i64) -> Owed {
        Owed::new("d", id, "k", Kind::Missing, vec![], detected_us)
    }

    /// Writes a file of owed callbacks; none for `None`.
    fn write(path: &Path, owed: Option<&[Owed]>) {
        if let Some(owed) = owed {
            let lines = owed
                .iter()
                .map(|it| serde_json::to_string(it).unwrap() + "\n");
            std::fs::write(path, lines.collect::<String>()).unwrap();
        }
    }

    #[test]
    fn the_file_of_an_earlier_version_is_taken_over_wherever_a_run_was_killed() {
        type Left = Option<&'static [(Id, i64)]>;
        type Case = (Left, Left, &'static [(Id, i64)]);
        let cases: [Case; 6] = [
            (None, None, &[]),
            (Some(&[(1, 5), (2, 5)]), None, &[(1, 5), (2, 5)]),
            (None, Some(&[(3, 5)]), &[(3, 5)]),
            // Killed after everything was written, before the old file was removed.
            (Some(&[(1, 5)]), Some(&[(1, 5), (3, 7)]), &[(1, 5), (3, 7)]),
            // An earlier version ran again. What was owed first stays the same detection.
            (Some(&[(1, 9), (2, 9)]), Some(&[(1, 5)]), &[(1, 5), (2, 9)]),
            (Some(&[]), Some(&[]), &[]),
        ];
        for (former, current, expected) in cases {
            let folder = tempfile::tempdir().unwrap();
            let mut state = StateDir::new(folder.path(), "user", "my.user");
            let lines = |left: Left| -> Option<Vec<Owed>> {
                Some(left?.iter().map(|&(id, us)| owed(id, us)).collect())
            };
            write(&state.path(FORMER_OUTBOX), lines(former).as_deref());
            write(&state.path(OUTBOX), lines(current).as_deref());
            let held = |state: &mut StateDir| -> Vec<(Id, i64)> {
                let outbox = state.outbox().unwrap();
                outbox
                    .iter()
                    .map(|it| (it.id.id(), it.detected_us))
                    .collect()
            };
            assert_eq!(held(&mut state), expected, "without the lock");
            drop(state.lock().unwrap());
            assert!(!state.path(FORMER_OUTBOX).exists());
            assert_eq!(held(&mut state), expected, "under the lock");
        }
    }

    #[test]
    fn a_torn_last_line_is_taken_over_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = StateDir::new(folder.path(), "user", "my.user");
        write(&state.path(FORMER_OUTBOX), Some(&[owed(1, 5)]));
        let mut torn = std::fs::read(state.path(FORMER_OUTBOX)).unwrap();
        torn.extend_from_slice(b"{\"version\":1,\"dest");
        std::fs::write(state.path(FORMER_OUTBOX), torn).unwrap();
        let _lock = state.lock().unwrap();
        state.append_owed(&[owed(2, 5)]).unwrap();
        assert_eq!(state.outbox().unwrap().len(), 2);
    }
}
