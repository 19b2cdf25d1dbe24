//! Finds the callbacks that audits left owed. Each audit keeps its state under a name of its own.

use std::io::ErrorKind;

use super::super::replace::failed;
use super::StateDir;
use super::former_outbox::{FORMER_OUTBOX, OUTBOX};
use crate::error::{Error, Result};
use crate::logic::audit::shard::Shard;
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::recognise::{recognise, taken_over};
use crate::world::Store as _;

impl StateDir {
    /// What is owed in the names of the configuration, with what audits left owed. Nothing is saved and no lock is needed.
    ///
    /// # Errors
    /// When one of the state files cannot be used.
    pub fn all_owed(&mut self) -> Result<Outbox> {
        // The audits' first: what is taken over meanwhile is met in one of the two.
        let mut left = Vec::new();
        for audit in self.audits_with_outbox()? {
            left.push(self.named(&audit).outbox()?);
        }
        let (checkpoint, mut all) = (self.checkpoint()?, self.outbox()?);
        for left in left
            .into_iter()
            .filter(|left| left.lines().next().is_some())
        {
            all = taken_over(checkpoint.as_ref(), all, left, &self.destinations);
        }
        Ok(recognise(checkpoint, all, &self.destinations).outbox)
    }

    /// Takes over what audits left owed, of the whole table and of its shards, unless they are still at work. To be
    /// called under the lock. What is taken over is in this outbox before it leaves an audit's; a crash between leaves it
    /// in both, which is one.
    ///
    /// # Errors
    /// When one of the outboxes cannot be read or written.
    pub fn adopt_audits(&mut self) -> Result<()> {
        let audits = self.audits_with_outbox()?;
        audits.iter().try_for_each(|audit| self.adopt(audit))
    }

    fn audits_with_outbox(&self) -> Result<Vec<String>> {
        self.audits(&[OUTBOX, FORMER_OUTBOX])
    }

    /// The names of audits that have a state file with one of these endings.
    pub(super) fn audits(&self, extensions: &[&str]) -> Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
            entries => entries.map_err(failed("List", &self.folder))?,
        };
        let mut audits = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed("List", &self.folder))?.file_name();
            let audit = name.to_str().and_then(|name| {
                let mut stems = extensions.iter().map(|it| name.strip_suffix(it));
                let stem = stems.find_map(|stem| stem?.strip_suffix('.'))?;
                is_audit_of(&self.name, stem).then(|| stem.to_owned())
            });
            audits.extend(audit);
        }
        audits.sort_unstable();
        audits.dedup();
        Ok(audits)
    }

    fn adopt(&mut self, audit: &str) -> Result<()> {
        let mut audit = self.named(audit);
        let _lock = match audit.lock() {
            Err(Error::Locked(_)) => return Ok(()),
            lock => lock?,
        };
        self.absorb(&mut audit)
    }

    /// Takes over what others left owed. Their lock must be held.
    pub(super) fn absorb(&mut self, other: &mut Self) -> Result<()> {
        let path = other.path(OUTBOX);
        if !path.exists() {
            return Ok(());
        }
        let left = other.outbox()?;
        if left.lines().next().is_some() {
            let (checkpoint, known) = (self.checkpoint()?, self.outbox()?);
            let all = taken_over(checkpoint.as_ref(), known, left, &self.destinations);
            self.replace_outbox(&all)?;
        }
        std::fs::remove_file(&path).map_err(failed("Remove", &path))?;
        self.sync_folder()
    }
}

/// The name under which the audits of a configuration keep their state: each shard's its own, so that all can be at work
/// on one machine.
#[must_use]
pub fn audit_name(name: &str, shard: Option<Shard>) -> String {
    let shard = shard.map_or_else(String::new, |shard| format!(".{}", shard.file_part()));
    format!("{name}.reconcile{shard}")
}

/// Whether [`audit_name`] makes such a name of this one.
fn is_audit_of(name: &str, audit: &str) -> bool {
    let rest = audit.strip_prefix(&audit_name(name, None));
    rest.is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('.').is_some_and(Shard::is_file_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::callback::owed::Owed;
    use crate::logic::compare::rows::Kind;
    use crate::logic::value::cell::Id;

    #[test]
    fn what_audits_left_owed_is_adopted_unless_they_are_at_work() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "user.reconcile",
            "user.reconcile.0of8",
            "user.reconcile.7of8",
            "user.reconcile.x",
            "user2.reconcile",
        ];
        let audits = names.map(|name| StateDir::new(folder.path(), name, "my.user"));
        for (mut audit, id) in audits.into_iter().zip(1..) {
            audit
                .append_owed(&[Owed::new("d", id, "k", Kind::Missing, vec![], 1)])
                .unwrap();
        }
        let at_work = StateDir::new(folder.path(), names[2], "my.user").lock();
        let mut state = StateDir::new(folder.path(), "user", "my.user");
        let all = state.all_owed().unwrap();
        assert_eq!(
            all.iter().map(|owed| owed.id.id()).collect::<Vec<Id>>(),
            [1, 2, 3]
        );
        let adopted = |state: &mut StateDir| -> Vec<Id> {
            state.adopt_audits().unwrap();
            let mut ids: Vec<Id> = state
                .outbox()
                .unwrap()
                .iter()
                .map(|owed| owed.id.id())
                .collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(adopted(&mut state), [1, 2]);
        drop(at_work);
        assert_eq!(adopted(&mut state), [1, 2, 3]);
        assert_eq!(adopted(&mut state), [1, 2, 3]);
    }
}
