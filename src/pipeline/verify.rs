//! A callback that was taken need not have repaired its row. So the row is compared once more,
//! `verifySecond` later.
//!
//! Until then the callback stays in the outbox, as a line that is not owed. So a killed process
//! forgets no row. A row that still differs is owed again as another detection, and confirmed like
//! any other before it is sent.

use std::collections::{BTreeMap, VecDeque};

use super::look::{LookError, Looked, SecondLook};
use super::options::Asked;
use super::owed::OwedRows;
use super::pass::micros;
use super::report::differing;
use super::work::Work;
use crate::error::Result;
use crate::logic::callback::owed::Owed;
use crate::logic::report::notice::Notice;
use crate::logic::report::summary::Counts;
use crate::logic::value::address::Address;
use crate::logic::value::print;

impl Work<'_> {
    /// Compares the rows of callbacks that were taken long enough ago.
    pub(super) fn verify(&mut self) -> Result<()> {
        if self.pass.asked.is_dry() || matches!(self.pass.asked, Asked::Retry) {
            return Ok(());
        }
        for (number, destination) in self.pass.job.destinations.iter().enumerate() {
            let verify_us = micros(destination.callback.verify);
            let now_us = self.pass.clock.now_us();
            let taken = self.ledger.to_verify(&destination.name, now_us, verify_us);
            let rows = OwedRows {
                pass: &self.pass,
                ledger: &self.ledger,
                progress: &self.progress,
                number,
            };
            rows.verify(taken)?;
        }
        Ok(())
    }
}

impl OwedRows<'_, '_> {
    fn verify(&self, taken: Vec<Owed>) -> Result<()> {
        let mut rest: VecDeque<Address> = taken.iter().map(|owed| owed.id).collect();
        let taken: BTreeMap<Address, Owed> =
            taken.into_iter().map(|owed| (owed.id, owed)).collect();
        let mut chunk_rows = self.pass.first_chunk();
        let mut unrepaired = 0;
        while !rest.is_empty() && !self.pass.is_scan_over() {
            let ids: Vec<Address> = rest.drain(..chunk_rows.now.min(rest.len())).collect();
            let look = match self.pass.second_look(self.number, &ids) {
                Ok(look) => look,
                Err(LookError::Source(error)) => return Err(error),
                Err(LookError::Destination(error)) => {
                    self.pass.mark_unread(self.number, &error);
                    break;
                }
            };
            chunk_rows = chunk_rows.after(&look.looked);
            let SecondLook { looked, left, .. } = look;
            let mut again = Vec::new();
            for id in ids {
                let Some(owed) = taken.get(&id) else { continue };
                if left.contains(&id) {
                    rest.push_back(id);
                    continue;
                }
                let found = looked.get(&id);
                match found
                    .map(|looked| self.detected_anew(looked))
                    .transpose()?
                    .flatten()
                {
                    Some(detected) => {
                        let content = found.map(|looked| looked.content);
                        let is_as_sent = owed.verify.map(|verify| verify.content) == content;
                        unrepaired += u64::from(is_as_sent);
                        again.push(detected);
                    }
                    // It agrees, is gone, or is too large to be read.
                    None => self.end(owed, found),
                }
            }
            self.ledger.owe(again)?;
        }
        if unrepaired > 0 {
            let add = |counts: &mut Counts| counts.unrepaired += unrepaired;
            self.pass.count(self.number, add);
            let destination = &self.pass.job.destinations[self.number];
            self.pass.observer.tell(&Notice::Unrepaired {
                destination: destination.name.clone(),
                rows: unrepaired,
                second: destination.callback.verify.as_secs(),
            });
        }
        Ok(())
    }

    /// Another detection of the row, when it still differs. Its change may be on its way.
    fn detected_anew(&self, looked: &Looked) -> Result<Option<Owed>> {
        let (pass, id) = (self.pass, &self.pass.ids[self.number]);
        let Some(kind) = looked.verdict.kind() else {
            return Ok(None);
        };
        let map = pass.destination(self.number).map()?;
        let row = &looked.whole.row;
        let (key, now_us) = (print::text(&row.key, map.key_type), pass.clock.now_us());
        let columns = differing(&looked.verdict, map);
        Ok(Some(Owed {
            address: Some(id.address()),
            copies: Some(looked.sighting.copies),
            lasting_us: Some(now_us.saturating_add(micros(pass.job.confirm_delay))),
            too_large: looked.whole.too_large,
            ..Owed::new(&id.name, row.address(), &key, kind, columns, now_us)
        }))
    }
}
