//! A callback that ends says something about the row as it is then, and about no other version of
//! it.
//!
//! The update window skips rows that are remembered as compared. An owed row is among them, because
//! its difference was found. When the source fails over to a replica that is behind, it shows an
//! older row for a moment. The callback ends with that older row: its copy agrees, or the endpoint
//! takes it. The newer row comes back with the update time that it had when it was compared, and no
//! window would look at it again. So the checkpoint forgets that such a row was compared, on disk,
//! before the callback leaves the outbox.

use super::ledger::{Ended, Ledger};
use super::look::Looked;
use super::owed::OwedRows;
use super::pass::Pass;
use super::progress::Progress;
use crate::error::Result;
use crate::logic::callback::owed::Owed;
use crate::logic::value::address::Address;

impl OwedRows<'_, '_> {
    /// Nothing is owed for this row any more. `looked` is the row that was sent or that agrees.
    pub(super) fn end(&self, owed: &Owed, looked: Option<&Looked>) {
        let Self {
            pass,
            ledger,
            progress,
            number,
        } = *self;
        let content = looked.map(|looked| looked.content);
        let is_other =
            !pass.asked.is_dry() && progress.remembers_other(pass, number, owed.id, content);
        let ended = is_other.then(|| Ended {
            number,
            owed: owed.clone(),
            content,
        });
        ledger.end(owed, ended);
    }
}

impl Progress {
    /// The next window leaves this row out, and it was compared with other content than this.
    pub(super) fn remembers_other(
        &self,
        pass: &Pass<'_>,
        number: usize,
        id: Address,
        content: Option<u64>,
    ) -> bool {
        let name = pass.name(number);
        let mut tracks = self.tracks.iter().filter(|track| track.has(number));
        let positions = self.positions.iter().chain(&self.left_behind);
        let mut own =
            positions.filter(|position| position.destinations.iter().any(|it| it == name));
        tracks.any(|track| track.remembers_other(id.id(), content))
            || own.any(|position| position.remembers_other(id.id(), content))
    }

    fn forget_other(&mut self, number: usize, name: &str, id: Address, content: Option<u64>) {
        for track in self.tracks.iter_mut().filter(|track| track.has(number)) {
            track.forget_other(id.id(), content);
        }
        for position in self.positions.iter_mut().chain(&mut self.left_behind) {
            if position.destinations.iter().any(|it| it == name) {
                position.forget_other(id.id(), content);
            }
        }
    }

    /// Brings both files up to date, so that whichever is written last says no more than the other one.
    pub(super) fn save_with_outbox(&mut self, pass: &Pass<'_>, ledger: &Ledger<'_>) -> Result<()> {
        let ended = ledger.take_ended();
        for Ended {
            number,
            owed,
            content,
        } in &ended
        {
            self.forget_other(*number, pass.name(*number), owed.id, *content);
        }
        if !ended.is_empty()
            && let Err(error) = self.save(pass, ledger)
        {
            ledger.put_back_ended(ended);
            return Err(error);
        }
        ledger.save(pass.clock.now_us())
    }
}
