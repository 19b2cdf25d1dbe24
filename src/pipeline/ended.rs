//! A callback that ends says something about the row as it is then, and about no other version of it.
//!
//! The update window leaves out rows that are remembered as compared. A row that is owed is among them, because its
//! difference was found. When the source fails over to a replica that is behind, it shows an older row for a moment.
//! The callback ends with that one: its copy agrees, or the endpoint takes it. The newer row comes back with the update
//! time that it had when it was compared, and no window would look at it again. So the checkpoint forgets such a row as
//! compared, and does so on disk before the callback leaves the outbox.

use super::deliver::Courier;
use super::look::Looked;
use super::{Mode, Pass, Shared};
use crate::error::Result;
use crate::logic::callback::owed::Owed;
use crate::logic::scan::checkpoint::Position;
use crate::logic::value::cell::Id;

/// A callback that ended with other content than the row is remembered to have been compared with.
pub(super) struct Ended {
    number: usize,
    owed: Owed,
    /// `None`: the row is gone.
    content: Option<u64>,
}

impl Courier<'_, '_, '_> {
    /// Nothing is owed for this row any more. `looked` is the row that was sent or that agrees.
    pub(super) fn end(&self, owed: &Owed, looked: Option<&Looked>) {
        let (pass, number) = (self.pass, self.number);
        let content = looked.map(|looked| looked.whole.row.fingerprint());
        let is_other =
            pass.options.mode == Mode::Deliver && pass.remembers_other(number, owed.id, content);
        let mut shared = pass.shared();
        shared.outbox.remove(owed);
        shared.outbox_changed = true;
        if is_other {
            shared.ended.push(Ended {
                number,
                owed: owed.clone(),
                content,
            });
        }
    }
}

impl Pass<'_, '_> {
    /// The next window leaves this row out, and it was compared with other content than this.
    pub(super) fn remembers_other(&self, number: usize, id: Id, content: Option<u64>) -> bool {
        let mut tracks = self.tracks.iter().filter(|track| track.has(number));
        let name = &self.job.destinations[number].name;
        let is_of_this = |position: &&Position| position.destinations.contains(name);
        let positions = self.positions.iter().chain(&self.left_behind);
        tracks.any(|track| track.remembers_other(id, content))
            || positions
                .filter(is_of_this)
                .any(|position| position.remembers_other(id, content))
    }

    /// Brings both files up to date, so that whichever is written last says no more than the other one.
    pub(super) fn save_owed(&mut self) -> Result<()> {
        let ended = std::mem::take(&mut self.shared().ended);
        for Ended {
            number,
            owed,
            content,
        } in &ended
        {
            self.forget_other(*number, owed.id, *content);
        }
        if !ended.is_empty()
            && let Err(error) = self.save()
        {
            self.shared().ended = ended;
            return Err(error);
        }
        self.shared().save_outbox(self.clock.now_us())
    }

    fn forget_other(&mut self, number: usize, id: Id, content: Option<u64>) {
        for track in self.tracks.iter_mut().filter(|track| track.has(number)) {
            track.forget_other(id, content);
        }
        let name = &self.job.destinations[number].name;
        for position in self.positions.iter_mut().chain(&mut self.left_behind) {
            if position.destinations.contains(name) {
                position.forget_other(id, content);
            }
        }
    }
}

impl Shared<'_> {
    /// Writes down what is owed, and what has to stay owed on disk for now.
    pub(super) fn save_outbox(&mut self, now_us: i64) -> Result<()> {
        if self.outbox_changed && self.ended.is_empty() {
            self.store.replace_outbox(&self.outbox)?;
            self.outbox_changed = false;
        } else if self.outbox_changed {
            let mut owed = self.outbox.clone();
            for Ended { owed: ended, .. } in &self.ended {
                owed.adopt(ended.clone());
            }
            self.store.replace_outbox(&owed)?;
        }
        self.outbox_saved_us = now_us;
        Ok(())
    }
}
