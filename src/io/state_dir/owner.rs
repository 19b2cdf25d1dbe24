//! The owner of state files: the configuration whose file they name.
//!
//! Two configurations of one `name` in one folder would use each other's checkpoint. So the first
//! line of the lock file names the owner, from the first lock on. A run that was killed before its
//! first checkpoint counts too. The line is written under the lock and read without it. A power cut
//! may lose it. Then the checkpoint, which also names the owner, decides.
//!
//! An owner whose file is gone was moved or removed. Its state goes to the next configuration of
//! the same name. The table and the addresses in the checkpoint decide whether it fits.

use std::fs::File;
use std::io::{ErrorKind, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{StateDir, failed, read};
use crate::error::{Error, Result};
use crate::logic::value::path_text;

/// Who holds the lock for the first time needs a moment to write down who it is.
const WAITS_FOR_OWNER: u32 = 10;
const WAIT_FOR_OWNER: Duration = Duration::from_millis(20);

/// The first line of a lock file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// As [`path_text`] writes it.
    config: String,
}

/// Whose the state files of a name are.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    /// Nobody's, or an earlier version's, which did not say.
    Unknown,
    /// This configuration's.
    This,
    /// A configuration's whose file is no longer there.
    Gone(String),
    /// Another configuration's.
    Another(String),
}

impl StateDir {
    /// Why these state files are not this configuration's, and what to do; `None` when it may use them.
    ///
    /// # Errors
    /// When the lock file or the checkpoint cannot be read.
    pub fn of_another(&self) -> Result<Option<String>> {
        Ok(match self.owner()? {
            Owner::Another(config) => Some(format!(
                "another configuration ({config}) uses the name {:?} in {}; give this one a \"name\" of its own. If this file \
                 takes the place of that one, move that one away",
                self.name,
                self.folder.display()
            )),
            Owner::Unknown | Owner::This | Owner::Gone(_) => None,
        })
    }

    /// Refuses state files of another configuration, without the lock.
    ///
    /// # Errors
    /// [`Error::Config`] when they are.
    pub fn refuse_anothers(&self) -> Result<()> {
        match self.of_another()? {
            None => Ok(()),
            Some(problem) => Err(Error::Config {
                path: path_text::path(self.config.as_deref().unwrap_or_default()),
                problem: format!("name: {problem}"),
            }),
        }
    }

    /// The owner whose file is gone, when there is one.
    ///
    /// # Errors
    /// When the lock file or the checkpoint cannot be read.
    pub fn former_owner(&self) -> Result<Option<String>> {
        Ok(match self.owner()? {
            Owner::Gone(config) => Some(config),
            Owner::Unknown | Owner::This | Owner::Another(_) => None,
        })
    }

    fn owner(&self) -> Result<Owner> {
        let Some(mine) = &self.config else {
            return Ok(Owner::This); // Nobody asks.
        };
        let lock = read(&self.path("lock"))?.unwrap_or_default();
        let named = split(&lock).0.map(|line| line.config);
        let named = match named {
            Some(config) => Some(config),
            None => self.owner_in_checkpoint()?,
        };
        Ok(match named {
            None => Owner::Unknown,
            Some(config) if config == *mine => Owner::This,
            Some(config) => told_apart(config, mine),
        })
    }

    /// A checkpoint that cannot be used is refused where it is used.
    fn owner_in_checkpoint(&self) -> Result<Option<String>> {
        #[derive(Deserialize)]
        struct Owned {
            #[serde(default)]
            config: Option<String>,
        }
        let text = read(&self.path("checkpoint.json"))?.unwrap_or_default();
        let owned = serde_json::from_str::<Owned>(&text).ok();
        Ok(owned.and_then(|owned| owned.config))
    }

    /// Takes the state files under their lock. Returns the length of the owner's line.
    pub(super) fn claim(&self, lock: &mut File) -> Result<u64> {
        let Some(mine) = &self.config else {
            return Ok(0);
        };
        let path = self.path("lock");
        let line = Line {
            config: mine.clone(),
        };
        let mut line =
            serde_json::to_string(&line).map_err(|error| failed("Write", &path)(error.into()))?;
        line.push('\n');
        let text = read(&path)?.unwrap_or_default();
        if text.starts_with(&line) {
            return Ok(line.len() as u64);
        }
        self.refuse_anothers()?;
        let owner = self.owner()?;
        if owner != Owner::This {
            // What they left owed would be taken over.
            let mut audits = self.audits(&["lock"])?.into_iter();
            audits.try_for_each(|audit| self.named(&audit).refuse_anothers())?;
        }
        if let Owner::Gone(before) = owner {
            log::info!(
                "The configuration {before} is gone. Its state \"{}\" is {mine}'s from now on",
                self.name
            );
        }
        let whole = line.clone() + split(&text).1;
        lock.rewind()
            .and_then(|()| lock.set_len(0))
            .and_then(|()| lock.write_all(whole.as_bytes()))
            .map_err(failed("Write", &path))?;
        Ok(line.len() as u64)
    }

    /// Another process has the lock: refuses when it is not one of this configuration.
    pub(super) fn refuse_locked_by_another(&self) -> Result<()> {
        for _ in 0..WAITS_FOR_OWNER {
            if self.owner()? != Owner::Unknown {
                break;
            }
            std::thread::sleep(WAIT_FOR_OWNER);
        }
        self.refuse_anothers()
    }
}

/// The owner's line, when there is one, and what the last run left.
fn split(lock: &str) -> (Option<Line>, &str) {
    let (first, rest) = lock.split_once('\n').unwrap_or(("", lock));
    match serde_json::from_str(first) {
        Ok(line) => (Some(line), rest),
        Err(_) => (None, lock),
    }
}

/// What the last run left in the lock file.
pub(super) fn note_of(lock: &str) -> &str {
    split(lock).1
}

/// Whether another path is another configuration. Links lead to the same one.
fn told_apart(config: String, mine: &str) -> Owner {
    let other = path_text::path(&config);
    let this = std::fs::metadata(path_text::path(mine));
    match std::fs::metadata(&other) {
        // A pipe that another program wrote the configuration into is no file that lasts.
        Ok(other) if !other.is_file() => Owner::Gone(config),
        Ok(other) => {
            let same =
                this.is_ok_and(|this| (this.dev(), this.ino()) == (other.dev(), other.ino()));
            if same {
                Owner::This
            } else {
                Owner::Another(config)
            }
        }
        Err(error) if is_absence(&error, &other) => Owner::Gone(config),
        Err(_) => Owner::Another(config),
    }
}

/// The file is not there, as opposed to: nobody may look.
fn is_absence(error: &std::io::Error, path: &Path) -> bool {
    path.as_os_str().is_empty()
        || matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
