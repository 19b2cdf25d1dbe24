//! State files with the promises of the real ones: a replaced file is the old or the new one whatever happens, an
//! appended one may be torn at its end, and nothing else; a lock is held by one, and dies with it.

use std::collections::BTreeSet;
use std::sync::MutexGuard;

use cupid::error::{Error, Result};
use cupid::logic::callback::outbox::Outbox;
use cupid::logic::callback::owed::Owed;
use cupid::logic::callback::recognise::{Known, taken_over};
use cupid::logic::scan::checkpoint::{Checkpoint, Unusable};
use cupid::logic::value::cell::Id;
use cupid::world::Store;

use crate::audit::Campaign;
use crate::broken::Broken;
use crate::check;
use crate::fact::Fact;
use crate::job::number;
use crate::mistakes::{misread_checkpoint, misread_outbox, spoil_checkpoint};
use crate::model::Model;
use crate::view::View;

/// The files of `run`.
pub(crate) const RUN: usize = 0;
/// The files of audits.
pub(crate) const AUDIT: usize = 1;

/// Files, and what is known of them.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    pub(crate) checkpoint: Option<String>,
    pub(crate) outbox: Option<Vec<u8>>,
    /// What the outbox says, by destination and id.
    pub(crate) owed: BTreeSet<(usize, i64)>,
    /// Of these, what is set aside: whatever becomes of such a row, every pass looks at it.
    pub(crate) aside: BTreeSet<(usize, i64)>,
    pub(crate) locked_by: Option<usize>,
    /// The audit that the checkpoint belongs to.
    pub(crate) campaign: Option<Campaign>,
    /// The outbox as it was before it was appended to, where that is not synced.
    synced: Option<Outboxed>,
}

/// The file, and what it says.
type Outboxed = (Option<Vec<u8>>, BTreeSet<(usize, i64)>);

impl Folder {
    fn keep_synced(&mut self) {
        let Self { outbox, owed, .. } = self;
        let now = || (outbox.clone(), owed.clone());
        self.synced.get_or_insert_with(now);
    }

    /// What was written and not synced is lost.
    pub(crate) fn lose_unsynced(&mut self) {
        if let Some((outbox, owed)) = self.synced.take() {
            (self.outbox, self.owed) = (outbox, owed);
        }
    }
}

pub(crate) fn key(owed: &Owed) -> (usize, i64) {
    let id = i64::try_from(owed.id.id()).unwrap_or(i64::MAX);
    let address = owed.address.as_deref();
    (number(address.unwrap_or("none")), id)
}

fn keys(outbox: &Outbox) -> BTreeSet<(usize, i64)> {
    outbox.iter().map(key).collect()
}

fn failed(what: &str) -> Error {
    Error::State {
        path: what.into(),
        reason: "simulated".into(),
    }
}

/// The files as one process sees them.
pub(crate) struct Disk<'s> {
    pub(crate) view: &'s View<'s>,
    pub(crate) folder: usize,
    /// What the checkpoint has to be of.
    pub(crate) identity: String,
    /// The progress of an earlier audit is wanted.
    pub(crate) resume: bool,
    /// The file was opened for appending, and torn lines cut off.
    pub(crate) appending: bool,
}

/// A lock that is held.
pub(crate) struct Lock<'s> {
    view: &'s View<'s>,
    folder: usize,
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        let mut model = self.view.sim.model();
        let locked_by = &mut model.folders[self.folder].locked_by;
        *locked_by = locked_by.filter(|&by| by != self.view.process);
    }
}

impl<'s> Disk<'s> {
    pub(crate) fn lock(&self) -> Result<Lock<'s>> {
        let mut model = self.view.sim.model();
        let is_forgotten = model.broken == Some(Broken::LockForgotten);
        let locked_by = &mut model.folders[self.folder].locked_by;
        if locked_by.is_some() && !is_forgotten {
            return Err(Error::Locked("the lock".into()));
        }
        *locked_by = Some(self.view.process);
        Ok(Lock {
            view: self.view,
            folder: self.folder,
        })
    }

    /// Takes over what an audit left owed, in the steps of `StateDir::adopt_audits`.
    pub(crate) fn adopt_audit(&mut self, configured: &[Known]) -> Result<()> {
        let mut audit = Disk {
            folder: AUDIT,
            appending: false,
            identity: String::new(),
            resume: false,
            view: self.view,
        };
        if self.view.sim.model().folders[AUDIT].outbox.is_none() {
            return Ok(());
        }
        let _lock = match audit.lock() {
            Err(Error::Locked(_)) => return Ok(()),
            lock => lock?,
        };
        let left = audit.outbox()?;
        if left.lines().next().is_some() {
            let (checkpoint, known) = (self.checkpoint()?, self.outbox()?);
            let all = taken_over(checkpoint.as_ref(), known, left, configured);
            self.replace_outbox(&all)?;
        }
        audit.write(|model, is_last| {
            if !is_last || model.rng.chance(500) {
                check::replaced(model, AUDIT, BTreeSet::new());
                model.folders[AUDIT].outbox = None;
                model.quiet.adopt();
            }
        })
    }

    /// Something is done with a file. True when it is the last thing that the process does.
    fn touch(&self) -> Result<(MutexGuard<'_, Model>, bool)> {
        let process = self.view.process;
        let mut model = self.view.sim.model();
        if model.is_over(process) {
            return Err(failed("the state"));
        }
        let state = &mut model.processes[process];
        state.files += 1;
        let is_last = state.files >= state.fate.killed_at_file;
        if state.fate.files_down.contains(&state.files) && !is_last {
            model.processes[process].failures.files = true;
            model.tell(|| format!("[{process}] the state is out of reach"));
            return Err(failed("the state"));
        }
        Ok((model, is_last))
    }

    /// A write: `change` says how the files are afterwards, and how when the process dies on the way.
    fn write(&self, change: impl FnOnce(&mut Model, bool)) -> Result<()> {
        let (mut model, is_last) = self.touch()?;
        change(&mut model, is_last);
        if is_last {
            model.kill(self.view.process);
            return Err(failed("the state"));
        }
        Ok(())
    }

    fn read(&self) -> Result<MutexGuard<'_, Model>> {
        let (mut model, is_last) = self.touch()?;
        if is_last {
            model.kill(self.view.process);
            return Err(failed("the state"));
        }
        Ok(model)
    }
}

fn unusable(model: &mut Model, what: &str, why: &dyn std::fmt::Display) -> Error {
    model.fail(Fact::StateReadable, format!("{what}: {why}"));
    failed(what)
}

impl Store for Disk<'_> {
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>> {
        let is_audit = self.folder == AUDIT;
        if is_audit && !self.resume {
            return Ok(None);
        }
        let mut model = self.read()?;
        let Some(text) = model.folders[self.folder].checkpoint.clone() else {
            return if is_audit {
                Err(failed("no audit to go on with"))
            } else {
                Ok(None)
            };
        };
        match Checkpoint::parse(&text, &self.identity) {
            Ok(mut checkpoint) => {
                if !is_audit {
                    misread_checkpoint(&model, &mut checkpoint);
                }
                let campaign = model.folders[self.folder].campaign.clone();
                model.resume(self.view.process, campaign);
                Ok(Some(checkpoint))
            }
            Err(Unusable::Foreign(_)) if is_audit => Err(failed("another audit's progress")),
            Err(why) => Err(unusable(&mut model, "checkpoint", &why)),
        }
    }

    fn first_cupids_id(&mut self) -> Result<Option<Id>> {
        drop(self.read()?);
        Ok(None)
    }

    fn save_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let (folder, process) = (self.folder, self.view.process);
        self.write(|model, is_last| {
            let mut checkpoint = checkpoint.clone();
            if folder == AUDIT {
                checkpoint.source.clone_from(&self.identity);
            } else {
                spoil_checkpoint(model, &mut checkpoint);
            }
            let text = checkpoint.to_text().unwrap_or_default();
            if is_last && model.broken == Some(Broken::TornCheckpoint) {
                model.folders[folder].checkpoint = Some(text[..text.len() / 2].into());
            } else if !is_last || model.rng.chance(500) {
                if folder == AUDIT {
                    model.check_progress(process, &checkpoint);
                    let campaign = model.processes[process].campaign.clone();
                    model.folders[AUDIT].campaign = campaign;
                } else {
                    check::checkpoint(model, process, &checkpoint);
                }
                model.tell(|| format!("[{process}] checkpoint {}", &text[..text.len().min(300)]));
                model.folders[folder].checkpoint = Some(text);
            }
        })
    }

    fn outbox(&mut self) -> Result<Outbox> {
        let folder = self.folder;
        let mut model = self.read()?;
        let text = model.folders[folder].outbox.clone().unwrap_or_default();
        let parsed = String::from_utf8(text)
            .map_err(|error| error.to_string())
            .and_then(|text| Outbox::parse(&text).map_err(|(n, why)| format!("line {n}: {why}")));
        let mut outbox = match parsed {
            Ok(outbox) => outbox,
            Err(why) => return Err(unusable(&mut model, "outbox", &why)),
        };
        let owed = keys(&outbox);
        if owed != model.folders[folder].owed {
            let text = format!("{owed:?}, not {:?}", model.folders[folder].owed);
            return Err(unusable(&mut model, "outbox", &text));
        }
        if self.folder == model.processes[self.view.process].command.folder() {
            model.begin_patience(self.view.process, &outbox);
        }
        misread_outbox(&model, &mut outbox);
        Ok(outbox)
    }

    fn append_owed(&mut self, owed: &[Owed]) -> Result<()> {
        if owed.is_empty() {
            return Ok(());
        }
        let is_forgotten = self.view.sim.model().broken == Some(Broken::AsideForgotten);
        let is_kept = |owed: &&Owed| !is_forgotten || owed.too_large.is_none();
        let owed: Vec<Owed> = owed.iter().filter(is_kept).cloned().collect();
        let (folder, process) = (self.folder, self.view.process);
        let opened = std::mem::replace(&mut self.appending, true);
        self.write(|model, is_last| {
            if model.broken == Some(Broken::AppendUnsynced) {
                model.folders[folder].keep_synced();
            }
            let mut file = model.folders[folder].outbox.take().unwrap_or_default();
            if !opened {
                let end = file.iter().rposition(|&byte| byte == b'\n');
                file.truncate(end.map_or(0, |end| end + 1));
            }
            let mut text = lines(owed.iter());
            if is_last {
                let kept = model.rng.below(text.len() as u64 + 1);
                text.truncate(usize::try_from(kept).unwrap_or(0));
            }
            let whole = text.split(|&byte| byte == b'\n').count() - 1;
            file.extend(text);
            model.folders[folder].outbox = Some(file);
            model.tell(|| {
                let ids: Vec<Id> = owed.iter().map(|owed| owed.id.id()).take(50).collect();
                format!("[{process}] owed {ids:?}")
            });
            for owed in &owed[..whole] {
                let (number, id) = key(owed);
                model.processes[process].taken.remove(&(number, id));
                let aside = &mut model.folders[folder].aside;
                if owed.too_large.is_some() {
                    aside.insert((number, id));
                } else {
                    aside.remove(&(number, id));
                }
            }
            check::owed(model, folder, owed[..whole].iter().map(key));
        })
    }

    fn replace_outbox(&mut self, outbox: &Outbox) -> Result<()> {
        let (folder, process) = (self.folder, self.view.process);
        self.appending = false;
        self.write(|model, is_last| {
            let known = model.folders[folder].outbox.is_some();
            let is_lost = is_last && model.rng.chance(500);
            let is_forgotten = match model.broken {
                Some(Broken::ReplaceForgotten) => {
                    !model.folders[folder].owed.is_subset(&keys(outbox))
                }
                Some(Broken::AnswersUnbooked) => model.processes[process].failures.source,
                _ => false,
            };
            if is_lost || is_forgotten || outbox.lines().next().is_none() && !known {
                return;
            }
            model.folders[folder].synced = None;
            let forgotten = usize::from(model.broken == Some(Broken::OneForgotten));
            let after = outbox.lines().skip(forgotten).filter(|it| it.is_owed());
            let after = after.map(key).collect();
            let aside = outbox.iter().filter(|owed| owed.too_large.is_some());
            model.folders[folder].aside = aside.map(key).collect();
            check::replaced(model, folder, after);
            for (number, id) in std::mem::take(&mut model.processes[process].there) {
                model.ledger(number, id).gone_us = None;
            }
            model.tell(|| format!("[{process}] outbox of {}", outbox.len()));
            model.folders[folder].outbox = Some(lines(outbox.lines().skip(forgotten)));
        })
    }
}

fn lines<'o>(owed: impl Iterator<Item = &'o Owed>) -> Vec<u8> {
    let line = |owed| {
        let mut line = serde_json::to_vec(owed).unwrap_or_default();
        line.push(b'\n');
        line
    };
    owed.flat_map(line).collect()
}
