//! Steps 4 to 9 of a pass: scan, hold what looks different, look again, write it down, move the checkpoint.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::aside::Aside;
use super::ledger::Ledger;
use super::look::{LookError, Looked, SecondLook, Sightings};
use super::pass::{Pass, micros};
use super::progress::{Candidate, Progress, Track, Waiting};
use super::report::differing;
use crate::error::{Error, Result};
use crate::logic::callback::owed::Owed;
use crate::logic::compare::confirm::{Confirmation, Sighting};
use crate::logic::compare::rows::Kind;
use crate::logic::scan::circle::Circle;
use crate::logic::scan::plan::Request;
use crate::logic::value::cell::Id;
use crate::logic::value::oversize::TooLarge;
use crate::logic::value::print;
use crate::logic::value::row::Row;
use crate::world::Batch;

/// How often a position is saved while scanning.
const EPOCH_US: i64 = 200_000;

/// What a second look leaves to the next pass.
#[derive(Default)]
struct Unsettled {
    /// To be looked at again: what differs now is another change than the one first seen, or the row is gone.
    again: Vec<Id>,
    /// Not compared as the next window remembers them, with what they hold now; `None` where they are gone.
    others: Vec<(Id, Option<u64>)>,
}

/// Scans the source, and settles what looked different.
pub(super) struct Scanner<'p, 'a> {
    pub(super) pass: &'p Pass<'p>,
    pub(super) ledger: &'p Ledger<'a>,
    pub(super) progress: &'p mut Progress,
}

impl Scanner<'_, '_> {
    /// Scans every track until its end, or until so much is owed that it has to wait.
    pub(super) fn scan(&mut self) -> Result<()> {
        for at in 0..self.progress.tracks.len() {
            self.scan_track(at)?;
        }
        Ok(())
    }

    /// Scans a track until its end. A member that is owed so much that it has to wait goes a track of its own, and the
    /// others go on.
    fn scan_track(&mut self, at: usize) -> Result<()> {
        for number in self.progress.tracks[at].members.clone() {
            if self.pass.is_unread(number) {
                self.leave_behind(at, number);
            }
        }
        loop {
            self.scan_while_none_is_full(at)?;
            if !self.part_from_full(at) {
                return Ok(());
            }
        }
    }

    fn scan_while_none_is_full(&mut self, at: usize) -> Result<()> {
        let members = self.progress.tracks[at].members.iter();
        let names: Vec<&str> = members.map(|&number| self.pass.name(number)).collect();
        self.progress.tracks[at].aside = self.ledger.aside_for_all(&names);
        let mut next = match self.request(at) {
            Some(request) => Some(self.read(at, request)?),
            None => None,
        };
        let mut circle = Circle::default();
        while let Some((request, batch)) = next {
            if batch.rows.len() >= request.limit.max(1) && circle.closes(&request.what) {
                return Err(Error::Database {
                    operation: format!("Page through {}", self.pass.job.source.table.name()),
                    reason: format!(
                        "the page {:?} came a second time, so the server does not find the place of a value that it sent",
                        request.what
                    ),
                });
            }
            let is_last_look = request.is_of_known_ids();
            let mut rows = self.progress.tracks[at].scan.advance(request, batch.rows);
            if let Some(too_large) = batch.too_large {
                self.set_rows_aside(at, std::mem::take(&mut rows), too_large)?;
            }
            let following = self.request(at);
            let members = &self.progress.tracks[at].members;
            let (looks, read) = match following {
                Some(following) if !rows.is_empty() => {
                    let mut looks = Ok(vec![]);
                    // The next batch is read on this thread while the workers look at this one.
                    let read = self.pass.workers()?.in_place_scope(|scope| {
                        scope.spawn(|_| looks = self.pass.first_look(&rows, members));
                        self.read(at, following).map(Some)
                    });
                    (looks, read)
                }
                following => (
                    self.pass.first_look(&rows, members),
                    following.map(|request| self.read(at, request)).transpose(),
                ),
            };
            self.take(at, looks?, is_last_look)?;
            self.settle_when_due(at)?;
            next = read?;
        }
        Ok(())
    }

    /// The next batch to read, unless the track has to wait or has come to its end.
    fn request(&mut self, at: usize) -> Option<Request> {
        if self.pass.is_scan_over() || self.progress.tracks[at].members.is_empty() || self.waits(at)
        {
            return None;
        }
        let mut request = self.progress.tracks[at].scan.next_request()?;
        request.limit = self.pass.throttle.rows_at_once(request.limit);
        Some(request)
    }

    fn read(&self, at: usize, mut request: Request) -> Result<(Request, Batch)> {
        let turn = self.pass.throttle.turn();
        let batch = self
            .pass
            .source()
            .scan(&request, &self.progress.tracks[at].aside)?;
        turn.took(batch.rows.len());
        self.pass.count_read(&request.what, batch.rows.len());
        if batch.is_cut {
            request.limit = batch.rows.len(); // No more were asked for, in the end.
        }
        Ok((request, batch))
    }

    /// These rows of the source are too large for every member.
    fn set_rows_aside(&mut self, at: usize, rows: Vec<Row>, too_large: TooLarge) -> Result<()> {
        let aside = rows
            .into_iter()
            .map(|Row { id, key, .. }| Aside { id, key, too_large });
        let aside: Vec<Aside> = aside.collect();
        for number in self.progress.tracks[at].members.clone() {
            if let Err(error) = self.pass.set_aside(self.ledger, number, &aside) {
                self.leave_or_fail(at, number, error)?;
            }
        }
        let ids = aside.iter().map(|aside| aside.id);
        self.progress.tracks[at].aside.extend(ids);
        Ok(())
    }

    /// The pass goes on without a destination that failed; an error of anything else ends it.
    fn leave_or_fail(&mut self, at: usize, number: usize, error: LookError) -> Result<()> {
        match error {
            LookError::Source(error) => Err(error),
            LookError::Destination(error) => {
                self.pass.mark_unread(number, &error);
                self.leave_behind(at, number);
                Ok(())
            }
        }
    }

    /// Takes a batch's sightings in.
    fn take(
        &mut self,
        at: usize,
        looks: Vec<(usize, Result<Sightings>)>,
        is_last_look: bool,
    ) -> Result<()> {
        for (number, sightings) in looks {
            match sightings {
                Ok(Sightings {
                    suspects,
                    compared,
                    duplicate_keys,
                    unfindable,
                    too_large,
                }) => {
                    if !too_large.is_empty()
                        && let Err(error) = self.pass.set_aside(self.ledger, number, &too_large)
                    {
                        self.leave_or_fail(at, number, error)?;
                        continue;
                    }
                    let candidates = suspects.into_iter().map(|mut sighting| {
                        sighting.is_last_look = is_last_look;
                        Candidate {
                            destination: number,
                            sighting,
                        }
                    });
                    self.progress.tracks[at].held.extend(candidates);
                    self.pass.note_unfindable(number, &unfindable);
                    self.pass.note_duplicates(number, duplicate_keys);
                    let tells_duplicates = self.pass.asked.tells_duplicates();
                    self.pass.count(number, |counts| {
                        counts.compared += compared;
                        if !tells_duplicates {
                            counts.duplicate_keys += duplicate_keys;
                        }
                        counts.unfindable_keys += unfindable.len() as u64;
                    });
                }
                Err(error) => {
                    self.pass.mark_unread(number, &error);
                    self.leave_behind(at, number);
                }
            }
        }
        let scan = &self.progress.tracks[at].scan;
        let suspects = scan.position().suspects.ids_left();
        self.pass.show_progress(0, suspects, scan.ids_left());
        Ok(())
    }

    /// So much is owed to a destination that scanning on would only add to it.
    fn is_full(&self, number: usize) -> bool {
        let owed_max = self.pass.job.owed_max;
        // Mostly all of them together are owed less.
        self.ledger.owed_count() + self.progress.held() >= owed_max
            && self.ledger.owed_to(self.pass.name(number)) + self.progress.held_of(number)
                >= owed_max
    }

    /// A member is owed so much that the track cannot go on with it.
    fn waits(&self, at: usize) -> bool {
        let members = &self.progress.tracks[at].members;
        members.iter().any(|&number| self.is_full(number))
    }

    /// No track that has not come to its end can go on, for so much is owed.
    pub(super) fn is_blocked(&self) -> bool {
        let all = 0..self.progress.tracks.len();
        let undone: Vec<usize> = all
            .clone()
            .filter(|&at| !self.progress.tracks[at].is_done())
            .collect();
        if undone.is_empty() {
            return all.into_iter().any(|at| self.waits(at));
        }
        let waits = |at: usize| {
            let members = &self.progress.tracks[at].members;
            members.iter().all(|&number| self.is_full(number))
        };
        undone.into_iter().all(waits)
    }

    /// Gives the members that have to wait tracks of their own. Returns whether others are left that can go on.
    fn part_from_full(&mut self, at: usize) -> bool {
        let track = &self.progress.tracks[at];
        let is_full = |number: &usize| self.is_full(*number);
        let full: Vec<usize> = track.members.iter().copied().filter(is_full).collect();
        if track.is_done() || full.is_empty() || full.len() == track.members.len() {
            return false;
        }
        for number in full {
            let name = self.pass.name(number);
            let parted = self.progress.tracks[at].part(number, name);
            self.progress.tracks.push(parted);
        }
        true
    }

    fn leave_behind(&mut self, at: usize, number: usize) {
        let name = self.pass.name(number);
        let left = self.progress.tracks[at].leave_behind(number, name);
        self.progress.left_behind.push(left);
    }

    /// Ends the epoch when it is old enough, and the one before when its candidates are due.
    fn settle_when_due(&mut self, at: usize) -> Result<()> {
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
    pub(super) fn settle(&mut self) -> Result<()> {
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
                    track.look_again(&again);
                    for (id, content) in others {
                        track.forget_other(id, content);
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
            let ids: Vec<Id> = now.iter().map(|first| first.id).collect();
            let SecondLook {
                mut looked,
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
            let duplicates = if self.pass.asked.tells_duplicates() {
                self.pass
                    .report_duplicates(number, looked.values())
                    .map_err(LookError::Source)?
            } else {
                0
            };
            // A row that is gone may be away for a moment: it is looked for by its id.
            let gone = now.iter().map(|first| first.id);
            let gone: Vec<Id> = gone.filter(|id| !looked.contains_key(id)).collect();
            for id in now.iter().map(|first| first.id) {
                let content = looked.get(&id).map(|looked| looked.content);
                if self
                    .progress
                    .remembers_other(self.pass, number, id, content)
                {
                    unsettled.others.push((id, content));
                }
            }
            let judged = self.pass.judge(&now, &looked).map_err(LookError::Source)?;
            let is = |id: &Id, what: Confirmation| judged.get(id) == Some(&what);
            looked.retain(|id, _| is(id, Confirmation::Lasts));
            let on_their_way = judged.keys().filter(|id| is(id, Confirmation::OnItsWay));
            unsettled.again.extend(on_their_way);
            if self.looks_for_gone() {
                unsettled.again.extend(gone);
            }
            let agreed = (now.len() - duplicates - looked.len()) as u64;
            self.pass
                .count(number, |counts| counts.agreed_later += agreed);
            self.owe(number, looked)?;
        }
        Ok(unsettled)
    }

    /// An audit looks once more before it ends.
    fn looks_for_gone(&self) -> bool {
        !self.pass.asked.is_run() || !self.pass.job.source.late_commit.is_zero()
    }

    /// Writes down differences that lasted.
    fn owe(
        &self,
        number: usize,
        looked: HashMap<Id, Looked>,
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
