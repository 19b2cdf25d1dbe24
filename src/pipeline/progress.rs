//! How far a pass has come with each destination, and how much of that the checkpoint says.
//!
//! A [`Track`] is one position on its way. Its position is saved in epochs. An epoch without a
//! candidate is saved at once. Otherwise its end waits, with its candidates, until their
//! confirmation is due, while the next epoch's batches are scanned. So a save never passes a
//! difference that is not on disk, and the wait does not delay the scan.

use super::ledger::{Ledger, Loaded};
use super::options::{Asked, Run};
use super::pass::{Pass, micros};
use crate::config::UpdateJob;
use crate::error::Result;
use crate::logic::compare::confirm::Sighting;
use crate::logic::report::notice::Notice;
use crate::logic::report::summary::Reached;
use crate::logic::scan::bounds::Bounds;
use crate::logic::scan::checkpoint::{Checkpoint, Position, UpdatePosition, VERSION, joined};
use crate::logic::scan::plan::{Limits, Scan};
use crate::logic::scan::trail::Trail;
use crate::logic::value::address::Address;
use crate::logic::value::cell::Id;

/// All positions of a pass.
pub(super) struct Progress {
    pub(super) tracks: Vec<Track>,
    /// Positions as loaded, until the scans are planned.
    pub(super) positions: Vec<Position>,
    /// Positions of destinations that failed in this pass.
    pub(super) left_behind: Vec<Position>,
    /// The checkpoint on disk.
    saved: Option<Checkpoint>,
    pub(super) start_id: Id,
}

/// One position on its way through a pass.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) members: Vec<usize>,
    pub(super) scan: Scan,
    /// What the checkpoint says for these members.
    pub(super) saved: Position,
    /// Looked different since the epoch began.
    pub(super) held: Vec<Candidate>,
    /// Rows that need not be read: they are set aside for all members.
    pub(super) aside: Vec<Address>,
    /// The end of the epoch before, with candidates whose confirmation is not yet due.
    pub(super) waiting: Option<Waiting>,
    pub(super) epoch_began_us: i64,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) position: Position,
    pub(super) candidates: Vec<Candidate>,
    pub(super) due_us: i64,
}

/// A row that looked different once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) destination: usize,
    pub(super) sighting: Sighting,
}

impl Progress {
    /// Where each destination is to go on.
    pub(super) fn load(pass: &Pass<'_>, ledger: &Ledger<'_>, loaded: Loaded) -> Result<Self> {
        let Loaded { saved, checkpoint } = loaded;
        let positions = positions_of(pass, checkpoint.as_ref());
        let is_first = positions.iter().any(|position| position.next_id.is_none());
        let start_id = if is_first { start_id(pass, ledger)? } else { 0 };
        Ok(Self {
            tracks: vec![],
            positions,
            left_behind: vec![],
            saved,
            start_id,
        })
    }

    /// Writes down where an audit begins, so that one that goes on after it was killed does not take an earlier one for
    /// it.
    pub(super) fn save_beginning(&mut self, pass: &Pass<'_>, ledger: &Ledger<'_>) -> Result<()> {
        for position in &mut self.positions {
            position.next_id.get_or_insert(self.start_id);
        }
        self.save(pass, ledger)
    }

    /// Asks the source where it is, plans one scan for each position, and writes down where a first scan begins, so that
    /// the next pass begins there too when this one is killed or a destination cannot be read.
    pub(super) fn plan(&mut self, pass: &Pass<'_>, ledger: &Ledger<'_>) -> Result<()> {
        let bounds = pass.bounds()?;
        warn_of_rows_without_id(pass)?;
        let limits = limits(pass, self.start_id);
        let moments = if limits.update {
            pass.source().moments()?
        } else {
            None
        };
        for mut position in std::mem::take(&mut self.positions) {
            if pass.asked.is_run() && limits.insert {
                pass.follow_ids(&mut position, bounds)?;
            }
            if let Some(moments) = &moments {
                let update = position
                    .update
                    .get_or_insert_with(|| UpdatePosition::beginning(bounds.now_us));
                if let Some(before) = update.say_moments(moments) {
                    pass.observer.tell(&Notice::MomentsChanged {
                        before,
                        now: moments.clone(),
                    });
                }
            }
            let names = position.destinations.iter();
            let members = names.filter_map(|name| pass.number(name)).collect();
            let now_us = pass.clock.now_us();
            self.tracks
                .push(Track::new(members, position, bounds, limits, now_us));
        }
        self.save(pass, ledger)
    }

    /// What is left to the next pass, because it changed while it was looked at, becomes another plan's beginning.
    pub(super) fn go_back_to_saved(&mut self) {
        let tracks = std::mem::take(&mut self.tracks);
        self.positions = tracks.into_iter().map(|track| track.saved).collect();
    }

    /// The next pass need not look at any row again.
    pub(super) fn leaves_nothing(&self) -> bool {
        self.tracks.iter().all(|track| track.saved.gaps.is_empty())
    }

    pub(super) fn is_scanned(&self) -> bool {
        self.tracks.iter().all(Track::is_done)
    }

    /// More of the source is to be compared with this destination.
    pub(super) fn waits(&self, number: usize) -> bool {
        let mut own = self.tracks.iter().filter(|track| track.has(number));
        own.any(|track| !track.is_done())
    }

    /// What the checkpoint says of a destination.
    pub(super) fn reached(&self, number: usize, name: &str, bounds: Option<Bounds>) -> Reached {
        let tracks = self.tracks.iter().filter(|track| track.has(number));
        let own = tracks.map(|track| &track.saved);
        let others = self.left_behind.iter().chain(&self.positions);
        let others = others.filter(|it| it.destinations.iter().any(|it| it == name));
        own.chain(others)
            .next()
            .map_or_else(Reached::default, |position| Reached {
                next_id: position.next_id,
                ids_behind: bounds.and_then(|bounds| position.ids_behind(bounds.id_max)),
                updates_until_us: position.update.as_ref().map(|update| update.until_us),
                gaps: position.gaps.count(),
            })
    }

    /// Candidates in memory.
    pub(super) fn held(&self) -> usize {
        self.tracks.iter().map(Track::held).sum()
    }

    /// Candidates in memory of one destination.
    pub(super) fn held_of(&self, number: usize) -> usize {
        let candidates = self.tracks.iter().flat_map(|track| {
            let waiting = track.waiting.iter();
            let waiting = waiting.flat_map(|waiting| &waiting.candidates);
            track.held.iter().chain(waiting)
        });
        candidates
            .filter(|candidate| candidate.destination == number)
            .count()
    }

    /// Saves where the tracks are, unless it is where they were: on a quiet table a few seconds more or less of an
    /// empty window are not worth a write, and the next window simply begins earlier.
    pub(super) fn save(&mut self, pass: &Pass<'_>, ledger: &Ledger<'_>) -> Result<()> {
        let tracks = self.tracks.iter().map(|track| &track.saved);
        let all = tracks.chain(&self.left_behind).chain(&self.positions);
        let all = all.filter(|position| !position.destinations.is_empty());
        let mut positions = joined(all.cloned().collect());
        if pass.asked.audit().is_some() {
            // An audit ends, so its ids do not start again.
            for position in &mut positions {
                position.trail = Trail::default();
            }
        }
        let table = &pass.job.source.table;
        let checkpoint = Checkpoint {
            version: VERSION,
            source: table.name(),
            config: Some(pass.job.file.clone()),
            source_server: Some(table.server.address.text()),
            destinations: pass.ids.clone(),
            positions,
        };
        let saved = self.saved.as_ref();
        if saved.is_some_and(|saved| saved.is_nearly(&checkpoint)) {
            return Ok(());
        }
        ledger.save_checkpoint(&checkpoint)?;
        self.saved = Some(checkpoint);
        Ok(())
    }

    /// A destination of an audit, which has one position yet, stays where it was before.
    pub(super) fn leave_unplanned(&mut self, name: &str, before: &Position) {
        if let [position] = &mut self.positions[..] {
            position.destinations.retain(|member| member != name);
        }
        self.left_behind.push(Position {
            destinations: vec![name.to_owned()],
            ..before.clone()
        });
    }
}

impl Track {
    fn new(
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

    fn held(&self) -> usize {
        let waiting = self.waiting.as_ref();
        self.held.len() + waiting.map_or(0, |waiting| waiting.candidates.len())
    }

    /// These rows are to be looked at in the next pass, so what is saved from now on says so.
    pub(super) fn look_again(&mut self, ids: &[Id]) {
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
        let mut positions = waiting.into_iter().chain([&self.saved]);
        self.scan.remembers_other(id, content)
            || positions.any(|position| position.remembers_other(id, content))
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
    pub(super) fn leave_behind(&mut self, number: usize, name: &str) -> Position {
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

    /// The destination goes on by itself, from where the track is, with what was seen of it.
    pub(super) fn part(&mut self, number: usize, name: &str) -> Self {
        fn own(names: &mut Vec<String>, name: &str) -> Vec<String> {
            names.retain(|member| member != name);
            vec![name.to_owned()]
        }
        let split = |candidates: &mut Vec<Candidate>| {
            let all = std::mem::take(candidates);
            let is_own = |candidate: &Candidate| candidate.destination == number;
            let (own, others) = all.into_iter().partition(is_own);
            *candidates = others;
            own
        };
        self.members.retain(|&member| member != number);
        let waiting = self.waiting.as_mut().map(|waiting| Waiting {
            position: Position {
                destinations: own(&mut waiting.position.destinations, name),
                ..waiting.position.clone()
            },
            candidates: split(&mut waiting.candidates),
            due_us: waiting.due_us,
        });
        Self {
            members: vec![number],
            scan: self.scan.clone(),
            saved: Position {
                destinations: own(&mut self.saved.destinations, name),
                ..self.saved.clone()
            },
            held: split(&mut self.held),
            aside: vec![],
            waiting,
            epoch_began_us: self.epoch_began_us,
        }
    }

    /// The scan's position, for the members that are left.
    pub(super) fn reached(&self) -> Position {
        Position {
            destinations: self.saved.destinations.clone(),
            ..self.scan.position().clone()
        }
    }
}

fn positions_of(pass: &Pass<'_>, checkpoint: Option<&Checkpoint>) -> Vec<Position> {
    let names: Vec<String> = pass.ids.iter().map(|id| id.name.clone()).collect();
    let Some(checkpoint) = checkpoint else {
        return vec![Position {
            destinations: names,
            ..Position::default()
        }];
    };
    if let Asked::Run(Run {
        start_id: Some(_), ..
    }) = pass.asked
    {
        pass.observer.tell(&Notice::StartIdIgnored);
    }
    for name in checkpoint.unknown(&names) {
        pass.observer
            .tell(&Notice::DestinationIsNew { destination: name });
    }
    checkpoint.positions_of(&names)
}

/// Where the very first pass, or an audit, starts.
fn start_id(pass: &Pass<'_>, ledger: &Ledger<'_>) -> Result<Id> {
    let given = match pass.asked {
        Asked::Run(run) => run.start_id,
        Asked::Audit(audit) => return Ok(audit.ids.from.unwrap_or(Id::from(i64::MIN))),
        Asked::Retry | Asked::Recheck { .. } => None,
    };
    let found = ledger.first_cupids_id()?;
    if let Some(id) = found {
        pass.observer.tell(&Notice::StartsAtFirstCupidsId { id });
    }
    let configured = pass.job.source.start_id;
    Ok(found.or(given).or(configured).unwrap_or(0))
}

fn limits(pass: &Pass<'_>, start_id: Id) -> Limits {
    let source = &pass.job.source;
    let (insert, update) = match pass.asked {
        Asked::Run(run) => (run.insert, run.update && source.update.is_some()),
        Asked::Audit(_) => (true, false),
        Asked::Retry | Asked::Recheck { .. } => (false, false),
    };
    let update_scan = source.update.as_ref().map(|UpdateJob { scan, .. }| *scan);
    Limits {
        insert,
        update,
        start_id,
        late_commit_us: if pass.asked.is_run() {
            micros(source.late_commit)
        } else {
            0
        },
        update_scan_us: update_scan.map_or(0, micros),
    }
}

/// No scan by id meets such a row, and no window either.
fn warn_of_rows_without_id(pass: &Pass<'_>) -> Result<()> {
    let count = pass.source().rows_without_id()?;
    let told = std::mem::replace(&mut pass.tally().summary.rows_without_id, count);
    if count > told {
        pass.observer.tell(&Notice::RowsWithoutId {
            table: pass.job.source.table.name(),
            id_column: pass.job.source.id_column.clone(),
            count,
        });
    }
    Ok(())
}
