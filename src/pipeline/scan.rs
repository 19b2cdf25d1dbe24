//! Steps 4 to 9 of a pass: scan, hold what looks different, look again, write it down, move the checkpoint.
//!
//! A [`Track`] is one position on its way. Its position is saved in epochs: when an epoch has no candidate its end is
//! saved at once; otherwise its end waits, with its candidates, until their confirmation is due, while the next epoch's
//! batches are scanned. So a save never lies beyond a difference that is not on disk, and the wait costs the scan
//! nothing.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::aside::Aside;
use super::deliver::differing;
use super::look::{LookError, Looked, SecondLook, Sightings, Suspect};
use super::{Duplicates, Pass, micros};
use crate::error::{Error, Result};
use crate::logic::callback::owed::Owed;
use crate::logic::compare::rows::{Kind, Verdict};
use crate::logic::scan::checkpoint::Position;
use crate::logic::scan::circle::Circle;
use crate::logic::scan::plan::{Bounds, Limits, Request, Scan};
use crate::logic::value::cell::Id;
use crate::logic::value::oversize::TooLarge;
use crate::logic::value::print;
use crate::logic::value::row::Row;
use crate::world::Batch;

/// How often a position is saved while scanning.
const EPOCH_US: i64 = 200_000;

/// One position on its way through a pass.
#[derive(Debug)]
pub(super) struct Track {
    members: Vec<usize>,
    scan: Scan,
    /// What the checkpoint says for these members.
    saved: Position,
    /// Looked different since the epoch began.
    held: Vec<Candidate>,
    /// Rows that need not be read: they are set aside for all members.
    aside: Vec<Id>,
    /// The end of the epoch before, with candidates whose confirmation is not yet due.
    waiting: Option<Waiting>,
    epoch_began_us: i64,
}

#[derive(Debug)]
struct Waiting {
    position: Position,
    candidates: Vec<Candidate>,
    due_us: i64,
}

/// What a second look leaves to the next pass.
#[derive(Default)]
struct Unsettled {
    /// To be looked at again: what differs now is another change than the one first seen, or the row is gone.
    again: Vec<Id>,
    /// Not compared as the next window remembers them, with what they hold now; `None` where they are gone.
    others: Vec<(Id, Option<u64>)>,
}

/// A row that looked different once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidate {
    destination: usize,
    suspect: Suspect,
}

impl Track {
    pub(super) fn new(
        members: Vec<usize>,
        position: Position,
        bounds: Bounds,
        limits: Limits,
        now_us: i64,
    ) -> Self {
        // What a first pass starts from is part of what is saved, even if it comes no further.
        let scan = Scan::new(position, bounds, limits);
        let saved = scan.position().clone();
        Self {
            members,
            scan,
            saved,
            held: vec![],
            aside: vec![],
            waiting: None,
            epoch_began_us: now_us,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.members.is_empty() || self.scan.is_done()
    }

    /// The next pass need not look at any row again.
    pub(super) fn leaves_nothing(&self) -> bool {
        self.saved.gaps.is_empty()
    }

    /// Candidates in memory.
    pub(super) fn held(&self) -> usize {
        self.held.len()
            + self
                .waiting
                .as_ref()
                .map_or(0, |waiting| waiting.candidates.len())
    }

    /// What may be written into the checkpoint.
    pub(super) fn saved(&self) -> Position {
        self.saved.clone()
    }

    /// These rows are to be looked at in the next pass, so what is saved from now on says so.
    fn look_again(&mut self, ids: &[Id]) {
        let due_us = self.scan.due_again_us();
        for &id in ids {
            self.scan.again(id);
            if let Some(waiting) = &mut self.waiting {
                waiting.position.gaps.again(id, due_us);
            }
        }
    }

    pub(super) fn has(&self, number: usize) -> bool {
        self.members.contains(&number)
    }

    /// A window to come leaves this row out although it was compared with other content than this.
    pub(super) fn remembers_other(&self, id: Id, content: Option<u64>) -> bool {
        let waiting = self.waiting.as_ref().map(|waiting| &waiting.position);
        let positions = waiting.into_iter().chain([&self.saved]);
        self.scan.remembers_other(id, content)
            || positions
                .into_iter()
                .any(|position| position.remembers_other(id, content))
    }

    /// Forgets this row as compared, unless it was with this content.
    pub(super) fn forget_other(&mut self, id: Id, content: Option<u64>) {
        self.scan.forget_other(id, content);
        self.saved.forget_other(id, content);
        if let Some(waiting) = &mut self.waiting {
            waiting.position.forget_other(id, content);
        }
    }

    /// The destination stays where the checkpoint has it; the others go on.
    fn leave_behind(&mut self, number: usize, name: &str) -> Position {
        self.members.retain(|&member| member != number);
        self.held
            .retain(|candidate| candidate.destination != number);
        if let Some(waiting) = &mut self.waiting {
            waiting
                .candidates
                .retain(|candidate| candidate.destination != number);
            waiting
                .position
                .destinations
                .retain(|member| member != name);
        }
        let left = Position {
            destinations: vec![name.to_owned()],
            ..self.saved.clone()
        };
        self.saved.destinations.retain(|member| member != name);
        left
    }

    /// The scan's position, for the members that are left.
    fn reached(&self) -> Position {
        Position {
            destinations: self.saved.destinations.clone(),
            ..self.scan.position().clone()
        }
    }
}

impl Pass<'_, '_> {
    /// Scans every track until its end, or until so much is owed that it has to wait.
    pub(super) fn scan(&mut self) -> Result<()> {
        for at in 0..self.tracks.len() {
            self.scan_track(at)?;
        }
        Ok(())
    }

    fn scan_track(&mut self, at: usize) -> Result<()> {
        for number in self.tracks[at].members.clone() {
            if self.is_unread(number) {
                self.leave_behind(at, number);
            }
        }
        self.tracks[at].aside = self.aside_for(&self.tracks[at].members);
        let mut next = match self.request(at) {
            Some(request) => Some(self.read(at, request)?),
            None => None,
        };
        let mut circle = Circle::default();
        while let Some((request, batch)) = next {
            if batch.rows.len() >= request.limit.max(1) && circle.closes(&request.what) {
                return Err(Error::Database {
                    operation: format!("Page through {}", self.job.source.table.name()),
                    reason: format!(
                        "the page {:?} came a second time, so the server does not find the place of a value that it sent",
                        request.what
                    ),
                });
            }
            let is_last_look = request.is_of_known_ids();
            let mut rows = self.tracks[at].scan.advance(request, batch.rows);
            if let Some(too_large) = batch.too_large {
                self.set_rows_aside(at, std::mem::take(&mut rows), too_large)?;
            }
            let following = self.request(at);
            let members = &self.tracks[at].members;
            let (looks, read) = match following {
                Some(following) if !rows.is_empty() => {
                    let mut looks = Ok(vec![]);
                    // The next batch is read on this thread while the workers look at this one.
                    let read = self.workers()?.in_place_scope(|scope| {
                        scope.spawn(|_| looks = self.first_look(&rows, members));
                        self.read(at, following).map(Some)
                    });
                    (looks, read)
                }
                following => (
                    self.first_look(&rows, members),
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
        if self.is_scan_over() || self.tracks[at].members.is_empty() || self.is_full() {
            return None;
        }
        let mut request = self.tracks[at].scan.next_request()?;
        request.limit = self.throttle.rows_at_once(request.limit);
        Some(request)
    }

    fn read(&self, at: usize, mut request: Request) -> Result<(Request, Batch)> {
        let turn = self.throttle.turn();
        let batch = self.source.scan(&request, &self.tracks[at].aside)?;
        turn.took(batch.rows.len());
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
        for number in self.tracks[at].members.clone() {
            if let Err(error) = self.set_aside(number, &aside) {
                self.leave_or_fail(at, number, error)?;
            }
        }
        let ids = aside.iter().map(|aside| aside.id);
        self.tracks[at].aside.extend(ids);
        Ok(())
    }

    /// The pass goes on without a destination that failed; an error of anything else ends it.
    fn leave_or_fail(&mut self, at: usize, number: usize, error: LookError) -> Result<()> {
        match error {
            LookError::Source(error) => Err(error),
            LookError::Destination(error) => {
                self.mark_unread(number, &error);
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
                        && let Err(error) = self.set_aside(number, &too_large)
                    {
                        self.leave_or_fail(at, number, error)?;
                        continue;
                    }
                    let candidates = suspects.into_iter().map(|mut suspect| {
                        suspect.is_last_look = is_last_look;
                        Candidate {
                            destination: number,
                            suspect,
                        }
                    });
                    self.tracks[at].held.extend(candidates);
                    self.note_unfindable(number, &unfindable);
                    self.note_duplicates(number, duplicate_keys);
                    let summary = &mut self.shared().summary;
                    summary.compared += compared;
                    if self.options.duplicates == Duplicates::Counted {
                        summary.duplicate_keys += duplicate_keys;
                    }
                    summary.unfindable_keys += unfindable.len() as u64;
                }
                Err(error) => {
                    self.mark_unread(number, &error);
                    self.leave_behind(at, number);
                }
            }
        }
        let compared = self.shared().summary.compared;
        let scan = &self.tracks[at].scan;
        let suspects = scan.position().suspects.ids_left();
        self.progress(compared, suspects, scan.ids_left());
        Ok(())
    }

    fn leave_behind(&mut self, at: usize, number: usize) {
        let name = &self.job.destinations[number].name;
        let left = self.tracks[at].leave_behind(number, name);
        self.left_behind.push(left);
    }

    /// Ends the epoch when it is old enough, and the one before when its candidates are due.
    fn settle_when_due(&mut self, at: usize) -> Result<()> {
        let now_us = self.clock.now_us();
        let delay_us = micros(self.job.confirm_delay);
        if self.tracks[at]
            .waiting
            .as_ref()
            .is_some_and(|waiting| waiting.due_us <= now_us)
        {
            self.settle_waiting(at)?;
            self.save()?;
        }
        let track = &mut self.tracks[at];
        if track.waiting.is_some() || now_us - track.epoch_began_us < EPOCH_US {
            return Ok(());
        }
        track.epoch_began_us = now_us;
        let position = track.reached();
        if track.held.is_empty() {
            track.saved = position;
            return self.save();
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
        let now_us = self.clock.now_us();
        let delay_us = micros(self.job.confirm_delay);
        let held =
            |track: &Track| (!track.held.is_empty()).then_some(now_us.saturating_add(delay_us));
        let waiting = |track: &Track| track.waiting.as_ref().map(|waiting| waiting.due_us);
        let due_us = self
            .tracks
            .iter()
            .flat_map(|track| [held(track), waiting(track)])
            .flatten()
            .max();
        if let Some(wait_us) = due_us
            .map(|due_us| due_us - now_us)
            .filter(|&wait_us| wait_us > 0)
        {
            self.clock
                .sleep(std::time::Duration::from_micros(wait_us.unsigned_abs()));
        }
        let due = due_us.is_none_or(|due_us| self.clock.now_us() >= due_us);
        for at in 0..self.tracks.len() {
            if due {
                self.settle_waiting(at)?;
            }
            if self.tracks[at].held.is_empty() && self.tracks[at].waiting.is_none() {
                self.tracks[at].saved = self.tracks[at].reached();
            } else if due {
                let candidates = std::mem::take(&mut self.tracks[at].held);
                let position = self.tracks[at].reached();
                self.tracks[at].waiting = Some(Waiting {
                    position,
                    candidates,
                    due_us: now_us,
                });
                self.settle_waiting(at)?;
            }
        }
        self.save()
    }

    /// Confirms the candidates that wait, writes down what is confirmed, and lets the position move.
    fn settle_waiting(&mut self, at: usize) -> Result<()> {
        let Some(Waiting {
            position: _,
            candidates,
            due_us: _,
        }) = &self.tracks[at].waiting
        else {
            return Ok(());
        };
        let candidates = candidates.clone();
        for number in self.tracks[at].members.clone() {
            let of_this = candidates
                .iter()
                .filter(|candidate| candidate.destination == number);
            let suspects: Vec<Suspect> = of_this.map(|candidate| candidate.suspect).collect();
            match self.confirm(number, &suspects) {
                Ok(Unsettled { again, others }) => {
                    self.tracks[at].look_again(&again);
                    for (id, content) in others {
                        self.tracks[at].forget_other(id, content);
                    }
                }
                Err(error) => self.leave_or_fail(at, number, error)?,
            }
        }
        if let Some(Waiting { position, .. }) = self.tracks[at].waiting.take() {
            self.tracks[at].saved = position;
        }
        Ok(())
    }

    /// Looks again at rows that looked different, and appends those that still do to the outbox.
    fn confirm(
        &self,
        number: usize,
        suspects: &[Suspect],
    ) -> std::result::Result<Unsettled, LookError> {
        let mut unsettled = Unsettled::default();
        let mut chunk_rows = self.first_chunk();
        let mut rest = VecDeque::from(suspects.to_vec());
        while !rest.is_empty() {
            let mut now: Vec<Suspect> = rest.drain(..chunk_rows.now.min(rest.len())).collect();
            let ids: Vec<Id> = now.iter().map(|suspect| suspect.id).collect();
            let SecondLook {
                mut looked,
                too_large,
                left,
            } = self.second_look(number, &ids)?;
            for suspect in now.iter().rev().filter(|first| left.contains(&first.id)) {
                rest.push_front(*suspect);
            }
            now.retain(|first| !left.contains(&first.id) && !too_large.contains_key(&first.id));
            if !too_large.is_empty() {
                self.set_aside(number, &too_large.into_values().collect::<Vec<_>>())?;
            }
            chunk_rows = chunk_rows.after(&looked);
            let duplicates = if self.options.duplicates == Duplicates::Told {
                self.tell_duplicates(number, looked.values())
                    .map_err(LookError::Source)?
            } else {
                0
            };
            // A row that is gone may be away for a moment: it is looked for by its id.
            let gone = now.iter().map(|suspect| suspect.id);
            let gone: Vec<Id> = gone.filter(|id| !looked.contains_key(id)).collect();
            for id in now.iter().map(|suspect| suspect.id) {
                let content = looked.get(&id).map(|looked| looked.whole.row.fingerprint());
                if self.remembers_other(number, id, content) {
                    unsettled.others.push((id, content));
                }
            }
            looked.retain(|_, looked| looked.verdict != Verdict::Agree);
            let pairs: Vec<(Suspect, Suspect)> = now
                .iter()
                .filter_map(|first| Some((*first, looked.get(&first.id)?.suspect)))
                .collect();
            let on_their_way = self.on_their_way(&pairs).map_err(LookError::Source)?;
            looked.retain(|id, _| !on_their_way.contains(id));
            unsettled.again.extend(on_their_way);
            if self.looks_for_gone() {
                unsettled.again.extend(gone);
            }
            self.shared().summary.agreed_later += (now.len() - duplicates - looked.len()) as u64;
            self.owe(number, looked)?;
        }
        Ok(unsettled)
    }

    /// An audit looks once more before it ends.
    fn looks_for_gone(&self) -> bool {
        !self.is_run || !self.job.source.late_commit.is_zero()
    }

    /// Writes down differences that lasted.
    fn owe(
        &self,
        number: usize,
        looked: HashMap<Id, Looked>,
    ) -> std::result::Result<(), LookError> {
        let id = &self.ids[number];
        let (name, address) = (&id.name, id.address());
        let map = self.destinations[number]
            .map()
            .map_err(LookError::Destination)?;
        let detected_us = self.clock.now_us();
        let mut shared = self.shared();
        let mut lines = Vec::with_capacity(looked.len());
        for (id, looked) in looked.into_iter().collect::<BTreeMap<_, _>>() {
            let Looked {
                whole,
                suspect,
                verdict,
                ..
            } = looked;
            let Some(kind) = verdict.kind() else { continue };
            // Ids that start again bring rows again that were owed and delivered a moment ago.
            let is_delivered = shared.delivered.get(&(number, id)) == Some(&suspect.source);
            if is_delivered && self.is_run {
                continue;
            }
            let key = print::text(&whole.row.key, map.key_type);
            let owed = Owed {
                address: Some(address.clone()),
                copies: Some(suspect.copies),
                too_large: whole.too_large,
                ..Owed::new(name, id, &key, kind, differing(&verdict, map), detected_us)
            };
            self.warn_of_aside(&owed);
            let (owed, is_new) = shared.outbox.add(owed);
            lines.push(owed.clone());
            shared.outbox_changed |= !is_new; // The file will hold two lines for it.
            if is_new {
                shared.summary.confirmed += 1;
                match kind {
                    Kind::Missing => shared.summary.missing += 1,
                    Kind::Different => shared.summary.different += 1,
                }
            }
        }
        shared.store.append_owed(&lines).map_err(LookError::Source)
    }
}
