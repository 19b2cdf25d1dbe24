//! Steps 4 to 6 of a pass: scan, compare, hold what looks different.

mod settle;

use super::aside::Aside;
use super::ledger::Ledger;
use super::look::{LookError, Sightings};
use super::pass::Pass;
use super::progress::{Candidate, Progress};
use crate::error::{Error, Result};
use crate::logic::scan::circle::Circle;
use crate::logic::scan::plan::{Request, What};
use crate::logic::value::oversize::TooLarge;
use crate::logic::value::row::Row;
use crate::world::Batch;

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
            let has_more = batch.is_cut || batch.rows.len() >= request.limit;
            let is_last_look = request.is_of_known_ids();
            let is_new = matches!(request.what, What::New(_));
            let mut rows = self.progress.tracks[at].scan.advance(request, batch.rows);
            if let Some(too_large) = batch.too_large {
                self.set_rows_aside(at, std::mem::take(&mut rows), too_large)?;
            }
            self.pass.count_scanned(is_new, rows.len());
            let following = if has_more {
                self.sparing_request(at)
            } else {
                self.request(at)
            };
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

    /// The same of a backlog, where no server is to be spared.
    fn sparing_request(&mut self, at: usize) -> Option<Request> {
        let members = &self.progress.tracks[at].members;
        let copies = members
            .iter()
            .map(|&number| &self.pass.destination_throttles[number]);
        let all = std::iter::once(&self.pass.throttle).chain(copies);
        // Each is looked at, so that each says how it is.
        let loaded = all.filter(|throttle| throttle.look().is_some()).count();
        if loaded > 0 {
            return None;
        }
        self.request(at)
    }

    fn read(&self, at: usize, mut request: Request) -> Result<(Request, Batch)> {
        let turn = self.pass.throttle.turn();
        let batch = self
            .pass
            .source()
            .scan(&request, &self.progress.tracks[at].aside)?;
        turn.took(batch.rows.len());
        if batch.is_cut {
            request.limit = batch.rows.len(); // No more were asked for, in the end.
        }
        Ok((request, batch))
    }

    /// These rows of the source are too large for every member.
    fn set_rows_aside(&mut self, at: usize, rows: Vec<Row>, too_large: TooLarge) -> Result<()> {
        let aside = rows.into_iter().map(|row| Aside {
            id: row.address(),
            key: row.key,
            too_large,
        });
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

    /// The scan of a destination has to wait.
    fn is_held_up(&self, number: usize) -> bool {
        self.is_full(number) || self.pass.destination_throttles[number].pause().is_some()
    }

    /// A member has to wait, so the track cannot go on with it.
    fn waits(&self, at: usize) -> bool {
        let members = &self.progress.tracks[at].members;
        members.iter().any(|&number| self.is_held_up(number))
    }

    /// No track that has not come to its end can go on, for so much is owed, or for a server is loaded.
    pub(super) fn is_blocked(&self) -> bool {
        if self.pass.throttle.pause().is_some() {
            return true;
        }
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
            members.iter().all(|&number| self.is_held_up(number))
        };
        undone.into_iter().all(waits)
    }

    /// Gives the members that have to wait tracks of their own. Returns whether others are left that can go on.
    fn part_from_full(&mut self, at: usize) -> bool {
        let track = &self.progress.tracks[at];
        let is_full = |number: &usize| self.is_held_up(*number);
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
}
