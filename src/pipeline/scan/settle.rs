//! Steps 7 to 9 of a pass: look again at candidates, write down lasting differences, move the
//! checkpoint.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::Scanner;
use crate::error::Result;
use crate::logic::callback::owed::Owed;
use crate::logic::compare::confirm::{Confirmation, Sighting};
use crate::logic::compare::rows::Kind;
use crate::logic::value::address::Address;
use crate::logic::value::print;
use crate::pipeline::look::{LookError, Looked, SecondLook};
use crate::pipeline::pass::micros;
use crate::pipeline::progress::{Track, Waiting};
use crate::pipeline::report::differing;

/// How often a position is saved while scanning.
const EPOCH_US: i64 = 200_000;

/// What a second look leaves to the next pass.
#[derive(Default)]
struct Unsettled {
    /// To be looked at again: what differs now is another change than the one first seen, or the row is gone.
    again: Vec<Address>,
    /// Not compared as the next window remembers them, with what they hold now; `None` where they are gone.
    others: Vec<(Address, Option<u64>)>,
}

impl Scanner<'_, '_> {
    /// Ends the epoch when it is old enough, and the one before when its candidates are due.
    pub(super) fn settle_when_due(&mut self, at: usize) -> Result<()> {
        let now_us = self.pass.clock.now_us();
        let delay_us = micros(self.pass.job.confirm_delay);
        if self.progress.tracks[at]
            .waiting
            .as_ref()
            .is_some_and(|waiting| waiting.due_us <= now_us)
        {
            self.settle_waiting(at)?;
            self.progress.save(self.pass, self.ledger)?;
        }
        let track = &mut self.progress.tracks[at];
        if track.waiting.is_some() || now_us - track.epoch_began_us < EPOCH_US {
            return Ok(());
        }
        track.epoch_began_us = now_us;
        let position = track.reached();
        if track.held.is_empty() {
            track.saved = position;
            return self.progress.save(self.pass, self.ledger);
        }
        let candidates = std::mem::take(&mut track.held);
        track.waiting = Some(Waiting {
            position,
            candidates,
            due_us: now_us.saturating_add(delay_us),
        });
        Ok(())
    }

    /// The end of a scan: waits for the last confirmation, once for all tracks, and settles everything. A pass that was
    /// asked to stop does not wait; what it could not confirm lies behind no checkpoint and is scanned again.
    pub(in crate::pipeline) fn settle(&mut self) -> Result<()> {
        let now_us = self.pass.clock.now_us();
        let delay_us = micros(self.pass.job.confirm_delay);
        let held =
            |track: &Track| (!track.held.is_empty()).then_some(now_us.saturating_add(delay_us));
        let waiting = |track: &Track| track.waiting.as_ref().map(|waiting| waiting.due_us);
        let tracks = self.progress.tracks.iter();
        let all_due = tracks.flat_map(|track| [held(track), waiting(track)]);
        let due_us = all_due.flatten().max();
        if let Some(due_us) = due_us {
            self.pass.sleep_until(due_us);
        }
        let due = due_us.is_none_or(|due_us| self.pass.clock.now_us() >= due_us);
        for at in 0..self.progress.tracks.len() {
            if due {
                self.settle_waiting(at)?;
            }
            if self.progress.tracks[at].held.is_empty()
                && self.progress.tracks[at].waiting.is_none()
            {
                self.progress.tracks[at].saved = self.progress.tracks[at].reached();
            } else if due {
                let candidates = std::mem::take(&mut self.progress.tracks[at].held);
                let position = self.progress.tracks[at].reached();
                self.progress.tracks[at].waiting = Some(Waiting {
                    position,
                    candidates,
                    due_us: now_us,
                });
                self.settle_waiting(at)?;
            }
        }
        self.progress.save(self.pass, self.ledger)
    }

    /// Confirms the candidates that wait, writes down what is confirmed, and lets the position move.
    fn settle_waiting(&mut self, at: usize) -> Result<()> {
        let Some(Waiting {
            position: _,
            candidates,
            due_us: _,
        }) = &self.progress.tracks[at].waiting
        else {
            return Ok(());
        };
        let candidates = candidates.clone();
        for number in self.progress.tracks[at].members.clone() {
            let of_this = candidates
                .iter()
                .filter(|candidate| candidate.destination == number);
            let sightings: Vec<Sighting> = of_this.map(|candidate| candidate.sighting).collect();
            match self.confirm(number, &sightings) {
                Ok(Unsettled { again, others }) => {
                    let track = &mut self.progress.tracks[at];
                    track.look_again(&again.iter().map(|it| it.id()).collect::<Vec<_>>());
                    for (id, content) in others {
                        track.forget_other(id.id(), content);
                    }
                }
                Err(error) => self.leave_or_fail(at, number, error)?,
            }
        }
        if let Some(Waiting { position, .. }) = self.progress.tracks[at].waiting.take() {
            self.progress.tracks[at].saved = position;
        }
        Ok(())
    }

    /// Looks again at rows that looked different, and appends those that still do to the outbox.
    fn confirm(
        &self,
        number: usize,
        sightings: &[Sighting],
    ) -> std::result::Result<Unsettled, LookError> {
        let mut unsettled = Unsettled::default();
        let mut chunk_rows = self.pass.first_chunk();
        let mut rest = VecDeque::from(sightings.to_vec());
        while !rest.is_empty() {
            let mut now: Vec<Sighting> = rest.drain(..chunk_rows.now.min(rest.len())).collect();
            let ids: Vec<Address> = now.iter().map(|first| first.id).collect();
            let SecondLook {
                looked,
                too_large,
                left,
            } = self.pass.second_look(number, &ids)?;
            for first in now.iter().rev().filter(|first| left.contains(&first.id)) {
                rest.push_front(*first);
            }
            now.retain(|first| !left.contains(&first.id) && !too_large.contains_key(&first.id));
            if !too_large.is_empty() {
                self.pass.set_aside(
                    self.ledger,
                    number,
                    &too_large.into_values().collect::<Vec<_>>(),
                )?;
            }
            chunk_rows = chunk_rows.after(&looked);
            self.take_look(number, &now, looked, &mut unsettled)?;
        }
        Ok(unsettled)
    }

    /// Writes down what of a second look differs for good.
    fn take_look(
        &self,
        number: usize,
        now: &[Sighting],
        mut looked: HashMap<Address, Looked>,
        unsettled: &mut Unsettled,
    ) -> std::result::Result<(), LookError> {
        let duplicates = if self.pass.asked.tells_duplicates() {
            self.pass
                .report_duplicates(number, looked.values())
                .map_err(LookError::Source)?
        } else {
            0
        };
        // A row that is gone may be away for a moment: it is looked for by its id.
        let gone = now.iter().map(|first| first.id);
        let gone: Vec<Address> = gone.filter(|id| !looked.contains_key(id)).collect();
        for id in now.iter().map(|first| first.id) {
            let content = looked.get(&id).map(|looked| looked.content);
            if self
                .progress
                .remembers_other(self.pass, number, id, content)
            {
                unsettled.others.push((id, content));
            }
        }
        let judged = self.pass.judge(now, &looked).map_err(LookError::Source)?;
        let is = |id: &Address, what: Confirmation| judged.get(id) == Some(&what);
        looked.retain(|id, _| is(id, Confirmation::Lasts));
        let on_their_way = judged.keys().filter(|id| is(id, Confirmation::OnItsWay));
        unsettled.again.extend(on_their_way);
        if self.looks_for_gone() {
            unsettled.again.extend(gone);
        }
        let agreed = (now.len() - duplicates - looked.len()) as u64;
        self.pass
            .count(number, |counts| counts.agreed_later += agreed);
        self.owe(number, looked)
    }

    /// An audit looks once more before it ends.
    fn looks_for_gone(&self) -> bool {
        !self.pass.asked.is_run() || !self.pass.job.source.late_commit.is_zero()
    }

    /// Writes down differences that lasted.
    fn owe(
        &self,
        number: usize,
        looked: HashMap<Address, Looked>,
    ) -> std::result::Result<(), LookError> {
        let (pass, id) = (self.pass, &self.pass.ids[number]);
        let (name, address) = (&id.name, id.address());
        let destination = pass.destination(number);
        let map = destination.map().map_err(LookError::Destination)?;
        let detected_us = pass.clock.now_us();
        let mut rows = Vec::with_capacity(looked.len());
        for (id, looked) in looked.into_iter().collect::<BTreeMap<_, _>>() {
            let Looked {
                whole,
                sighting,
                verdict,
                ..
            } = looked;
            let Some(kind) = verdict.kind() else { continue };
            // Ids that start again bring rows again that were owed and delivered a moment ago.
            if pass.asked.is_run() && self.ledger.was_delivered(number, id, sighting.source) {
                continue;
            }
            let key = print::text(&whole.row.key, map.key_type);
            let owed = Owed {
                address: Some(address.clone()),
                copies: Some(sighting.copies),
                too_large: whole.too_large,
                ..Owed::new(name, id, &key, kind, differing(&verdict, map), detected_us)
            };
            pass.warn_of_aside(&owed);
            rows.push(owed);
        }
        let kinds: Vec<Kind> = rows.iter().map(|owed| owed.kind).collect();
        let are_new = self.ledger.owe(rows).map_err(LookError::Source)?;
        let new = kinds.into_iter().zip(are_new).filter(|(_, is_new)| *is_new);
        pass.count(number, |counts| {
            for (kind, _) in new {
                match kind {
                    Kind::Missing => counts.missing += 1,
                    Kind::Different => counts.different += 1,
                }
            }
        });
        Ok(())
    }
}
