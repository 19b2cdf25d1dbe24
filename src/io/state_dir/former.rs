//! State files of an earlier version, in which names kept only ASCII letters: `用户.json` and `会员.json` were both `__`.

use super::StateDir;
use crate::error::{Error, Result};
use crate::logic::scan::checkpoint::{Checkpoint, Unusable};

/// What an earlier version called the state files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// Its `name`.
    pub name: String,
    /// What it called the destinations.
    pub destinations: Vec<String>,
}

impl StateDir {
    /// The state files as they are read without the lock: under the earlier name where they have not been taken over yet.
    /// Another configuration's are refused.
    ///
    /// # Errors
    /// [`Error::Config`] when they are another configuration's.
    pub fn for_reading(self) -> Result<Self> {
        self.refuse_anothers()?;
        Ok(match self.former_state()? {
            Some(former) => former,
            None => self,
        })
    }

    /// Takes over the state files of the earlier name. To be called under the lock. The callbacks go first: a crash
    /// between leaves them in both outboxes, which is one, and the checkpoint comes in the next run.
    pub(super) fn take_over_former(&self) -> Result<()> {
        let Some(mut former) = self.former_state()? else {
            return Ok(());
        };
        let _lock = former.lock()?;
        former.adopt_audits()?;
        self.named(&self.name).absorb(&mut former)?;
        let (from, to) = (former.path("checkpoint.json"), self.path("checkpoint.json"));
        std::fs::rename(&from, &to).map_err(super::failed("Rename", &from))?;
        self.sync_folder()?;
        log::warn!(
            "The state files \"{}\" in {} are called \"{}\" from now on, for a name keeps the letters of any script. If another \
             configuration used them too, `cupid reconcile` compares what they passed",
            former.name,
            self.folder.display(),
            self.name
        );
        Ok(())
    }

    /// The state files of the earlier name, when they are this configuration's: there are none of the new name, and they are
    /// of the same table, of a destination of this configuration, and of no other configuration.
    fn former_state(&self) -> Result<Option<Self>> {
        let Some(former) = &self.former else {
            return Ok(None);
        };
        if self.path("checkpoint.json").exists() {
            return Ok(None);
        }
        let state = self.named(&former.name);
        if state.of_another()?.is_some() {
            return Ok(None);
        }
        let path = state.path("checkpoint.json");
        let Some(text) = super::read(&path)? else {
            return Ok(None);
        };
        match Checkpoint::parse(&text, &self.source) {
            Ok(checkpoint) => {
                let mut names = checkpoint.positions.iter().flat_map(|p| &p.destinations);
                let is_own = names.any(|name| former.destinations.contains(name));
                Ok(is_own.then_some(state))
            }
            Err(Unusable::Foreign { .. }) => Ok(None),
            Err(unusable) => Err(Error::State {
                path,
                reason: format!(
                    "{unusable}. An earlier version wrote it under this name, perhaps for this configuration. Nothing was done. \
                     Restore it from a backup or move it away"
                ),
            }),
        }
    }

    /// The state files of another name, of the same configuration.
    pub(super) fn named(&self, name: &str) -> Self {
        Self {
            name: name.into(),
            config: self.config.clone(),
            destinations: self.destinations.clone(),
            ..Self::new(&self.folder, name, &self.source)
        }
    }
}
