//! State files with the promises of the real ones: a replaced file is the old or the new one whatever happens, an
//! appended one may be torn at its end, and nothing else.

use cupid::error::{Error, Result};
use cupid::logic::cell::Id;
use cupid::logic::checkpoint::Checkpoint;
use cupid::logic::gaps::Gap;
use cupid::logic::owed::{Outbox, Owed};
use cupid::world::Store;

use crate::broken::Broken;
use crate::check;
use crate::fact::Fact;
use crate::model::Model;
use crate::plan::MS;
use crate::sides::{Sim, die};

/// The files as one process sees them.
pub(crate) struct Disk<'s> {
    pub(crate) sim: &'s Sim,
    /// The file was opened for appending, and torn lines cut off.
    pub(crate) appending: bool,
}

fn failed(what: &str) -> Error {
    Error::State {
        path: what.into(),
        reason: "simulated".into(),
    }
}

fn unusable(model: &mut Model, what: &str, why: &dyn std::fmt::Display) -> Error {
    model.fail(Fact::StateReadable, format!("{what}: {why}"));
    failed(what)
}

impl Disk<'_> {
    /// A write: `change` says how the files are afterwards, and how when the process dies on the way.
    fn write(&self, change: impl FnOnce(&mut Model, bool)) -> Result<()> {
        let (mut model, last) = self.sim.enter();
        if model.run.steps >= model.run.store_fails_at && !last {
            model.tell(|| "the state cannot be written".into());
            return Err(failed("the state"));
        }
        let us = model.rng.between(1, 5 * MS);
        model.run.reading_us += us;
        model.wait(us);
        change(&mut model, last);
        if last {
            model.run.dead = true;
            model.tell(|| "cupid is killed while it writes".into());
            drop(model);
            die();
        }
        Ok(())
    }
}

impl Store for Disk<'_> {
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>> {
        let mut model = self.sim.call();
        let Some(text) = model.checkpoint_file.clone() else {
            return Ok(None);
        };
        Checkpoint::parse(&text, "s.t")
            .map(Some)
            .map_err(|why| unusable(&mut model, "checkpoint", &why))
    }

    fn first_cupids_id(&mut self) -> Result<Option<Id>> {
        drop(self.sim.call());
        Ok(None)
    }

    fn save_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.write(|model, last| {
            let mut checkpoint = checkpoint.clone();
            for position in &mut checkpoint.positions {
                if model.broken == Some(Broken::CheckpointAhead) {
                    position.next_id = position.next_id.map(|id| id + 5);
                }
                if model.broken == Some(Broken::HolesForEver) {
                    let next_id = position.next_id.and_then(|id| i64::try_from(id).ok());
                    let known = |id: &i64| {
                        let id = Id::from(*id);
                        let mut holes = position.gaps.holes.iter();
                        holes.any(|hole| (hole.from..=hole.to).contains(&id))
                    };
                    let missing = (0..next_id.unwrap_or(0))
                        .filter(|id| known(id) || !model.rows.contains_key(id));
                    let gap = |id| Gap {
                        from: Id::from(id),
                        to: Id::from(id),
                        due_us: i64::MAX,
                    };
                    position.gaps.holes = missing.map(gap).collect();
                }
            }
            let text = checkpoint.to_text().unwrap_or_default();
            if last && model.broken == Some(Broken::TornCheckpoint) {
                model.checkpoint_file = Some(text[..text.len() / 2].into());
            } else if !last || model.rng.chance(500) {
                check::checkpoint(model, &checkpoint);
                model.tell(|| format!("checkpoint {}", &text[..text.len().min(300)]));
                model.checkpoint_file = Some(text);
            }
        })
    }

    fn outbox(&mut self) -> Result<Outbox> {
        let mut model = self.sim.call();
        let outbox = match check::outbox(&model) {
            Ok(outbox) => outbox,
            Err(why) => return Err(unusable(&mut model, "outbox", &why)),
        };
        check::owed(&mut model, &outbox);
        if model.broken == Some(Broken::OutboxUnread) {
            return Ok(Outbox::default());
        }
        Ok(outbox)
    }

    fn append_owed(&mut self, owed: &[Owed]) -> Result<()> {
        if owed.is_empty() {
            return Ok(());
        }
        let mut owed = owed.to_vec();
        owed.sort_by_key(|owed| owed.id); // They come in the order of a hash map, which no seed can repeat.
        let opened = std::mem::replace(&mut self.appending, true);
        self.write(|model, last| {
            if model.broken == Some(Broken::AppendForgotten) {
                return;
            }
            let mut file = model.outbox_file.take().unwrap_or_default();
            if !opened {
                let whole = file
                    .iter()
                    .rposition(|&b| b == b'\n')
                    .map_or(0, |end| end + 1);
                file.truncate(whole);
            }
            let mut text = lines(owed.iter());
            if last {
                let kept = model.rng.below(text.len() as u64 + 1);
                text.truncate(usize::try_from(kept).unwrap_or(0));
            }
            file.extend(text);
            model.outbox_file = Some(file);
            model.tell(|| format!("owed {:?}", owed.iter().map(|o| o.id).collect::<Vec<_>>()));
            if let Ok(outbox) = check::outbox(model) {
                check::owed(model, &outbox);
            }
        })
    }

    fn replace_outbox(&mut self, outbox: &Outbox) -> Result<()> {
        self.appending = false;
        self.write(|model, last| {
            if last && model.rng.chance(500) {
                return;
            }
            let forgotten = usize::from(model.broken == Some(Broken::OneForgotten));
            let text = lines(outbox.iter().skip(forgotten));
            check::replaced(model, &text);
            model.tell(|| format!("outbox of {}", outbox.len()));
            model.outbox_file = Some(text);
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
