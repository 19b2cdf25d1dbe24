//! Both tables are read once, from end to end, and paired by fingerprints.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;

use super::FirstLook;
use super::readers::{DestinationBatch, Section, SourceBatch, read_destination, read_source};
use crate::error::{Error, Result};
use crate::logic::audit::fingerprint::{Fingerprinter, KeyFold};
use crate::logic::audit::pairing::{Outgoing, Pairing};
use crate::logic::audit::record::{Record, Side, Tag};
use crate::logic::report::notice::Notice;
use crate::logic::scan::checkpoint::Position;
use crate::logic::scan::gaps::Span;
use crate::logic::scan::suspects::Collector;
use crate::logic::value::cell::{Cell, Id};
use crate::pipeline::pass::Pass;
use crate::world::{Spill, WholeTable};

/// Keys with several rows in a destination that are looked at one by one.
const REPEATED_KEYS_MAX: usize = 10_000;
/// Destination rows without a source row which even the least memory has room for.
const UNMATCHED_LEAST: usize = 1_024;

/// A destination that is read from end to end.
pub(super) struct Streamed<'t> {
    pub(super) number: usize,
    table: Box<dyn WholeTable + 't>,
}

/// A destination that takes part.
struct Member {
    number: usize,
    key_fold: KeyFold,
    pairing: Pairing,
    /// Source rows that it was compared with.
    rows: u64,
    spill: Box<dyn Spill>,
    batches: Receiver<Result<DestinationBatch>>,
    is_done: bool,
    /// Why it takes part no more.
    error: Option<Error>,
    /// What has been read of it.
    sections: Vec<Section>,
}

/// Destination rows that no source row met, and where they are.
pub(super) struct Unmatched {
    pub(super) number: usize,
    pub(super) key_fold: KeyFold,
    /// No more of them than memory has room for.
    pub(super) records: Vec<Record>,
    /// How many others there are.
    pub(super) left_out: usize,
    pub(super) sections: Vec<Section>,
}

/// What two streams came to.
#[derive(Default)]
pub(super) struct Paired {
    /// The last id that was read.
    pub(super) reached: Id,
    /// Source rows that were read, by destination.
    pub(super) rows: Vec<(usize, u64)>,
    /// Rows that are not known to be equal.
    pub(super) suspects: Collector,
    /// What is left over of the destinations, when both sides were read to their ends.
    pub(super) unmatched: Vec<Unmatched>,
    /// They were.
    pub(super) is_whole: bool,
}

/// How far both sides were read.
struct Reached {
    id: Id,
    is_whole: bool,
}

impl<'a> FirstLook<'_, 'a> {
    /// Rows with several copies, which may agree with one of them: the pairing is content with that one.
    pub(super) fn ids_of_repeated_keys(
        &mut self,
        members: &[usize],
        before: &Position,
    ) -> Result<Vec<Id>> {
        let pass = self.pass;
        let mut ids = Vec::new();
        for &number in members {
            if pass.is_unread(number) {
                continue;
            }
            let name = pass.name(number);
            match repeated_keys(pass, number) {
                Ok((count, keys)) => {
                    if count == REPEATED_KEYS_MAX {
                        pass.observer.tell(&Notice::RepeatedKeysLimited {
                            destination: name.to_owned(),
                            limit: REPEATED_KEYS_MAX,
                        });
                    }
                    ids.extend(pass.source().ids_of(&keys)?);
                }
                Err(error) => {
                    pass.mark_unread_if_silent(number, &error);
                    if pass.is_unread(number) {
                        self.progress.leave_unplanned(name, before);
                    } else {
                        pass.observer.tell(&Notice::RepeatedKeysUnknown {
                            destination: name.to_owned(),
                            reason: error.to_string(),
                        });
                    }
                }
            }
        }
        Ok(ids)
    }

    /// The destinations that are left and can be streamed; `None` when one can be read, but not so.
    pub(super) fn streamable(
        &mut self,
        position: &Position,
        done: &[usize],
    ) -> Option<Vec<Streamed<'a>>> {
        let pass = self.pass;
        let mut members = Vec::new();
        for (number, destination) in pass.job.destinations.iter().enumerate() {
            let name = &destination.name;
            if !position.destinations.contains(name) || done.contains(&number) {
                continue;
            }
            if pass.is_unread(number) {
                self.progress.leave_unplanned(name, position);
                continue;
            }
            let table = pass.destination(number);
            match table.map().and_then(|_| table.whole()) {
                Ok(Ok(table)) => members.push(Streamed { number, table }),
                Ok(Err(why)) => {
                    if self.audit.extra {
                        pass.observer.tell(&Notice::ExtraNotLookedFor {
                            destination: name.clone(),
                            reason: why.to_owned(),
                        });
                    }
                    return None;
                }
                Err(error) => {
                    pass.mark_unread(number, &error);
                    self.progress.leave_unplanned(name, position);
                }
            }
        }
        Some(members)
    }

    /// Reads both sides and pairs them.
    pub(super) fn pair(
        &mut self,
        span: Span,
        streamed: &[Streamed<'_>],
        before: &Position,
    ) -> Result<Paired> {
        if streamed.is_empty() {
            return Ok(Paired {
                reached: span.to,
                is_whole: true,
                ..Paired::default()
            });
        }
        let (pass, seed) = (self.pass, self.audit.seed);
        let is_unsigned = span.to > Id::from(i64::MAX);
        let memory_bytes = self.audit.memory_bytes / streamed.len();
        let mut suspects = Collector::default();
        let mut suspect = |tag: Tag| suspects.add(tag.id(is_unsigned));
        let mut failed: Vec<(usize, Error)> = Vec::new();
        let mut unmatched = Vec::new();
        let mut rows = Vec::new();
        let reached = std::thread::scope(|scope| -> Result<Reached> {
            let mut makers = Vec::new();
            let mut members = Vec::new();
            for streamed in streamed {
                let pairing = Pairing::new(memory_bytes);
                let spill = self.spills.open();
                let (member, maker) = start(scope, pass, streamed, seed, pairing, spill)?;
                members.push(member);
                makers.push(maker);
            }
            let (sender, batches) = sync_channel(1);
            let (source, throttle) = (pass.source(), &pass.throttle);
            scope.spawn(move || read_source(source, span, makers, throttle, &sender));
            let reached = read_both(pass, span, &batches, &mut members, &mut suspect)?;
            let room = UNMATCHED_LEAST.max(memory_bytes / size_of::<Record>());
            let unmatched_max = if self.audit.extra { room } else { 0 };
            for member in members {
                let number = member.number;
                rows.push((number, member.rows));
                match member.finish(unmatched_max, &mut suspect)? {
                    Ok(left) => unmatched.extend(reached.is_whole.then_some(left)),
                    Err(error) => failed.push((number, error)),
                }
            }
            Ok(reached)
        })?;
        self.leave_failed(&failed, streamed, before);
        Ok(Paired {
            reached: reached.id,
            rows,
            suspects,
            unmatched,
            is_whole: reached.is_whole,
        })
    }

    /// Those that failed, or fell silent when nobody listened any more, stay where they were.
    fn leave_failed(
        &mut self,
        failed: &[(usize, Error)],
        streamed: &[Streamed<'_>],
        before: &Position,
    ) {
        for (number, error) in failed {
            self.pass.mark_unread(*number, error);
        }
        for member in streamed {
            if self.pass.is_unread(member.number) {
                let name = self.pass.name(member.number);
                self.progress.leave_unplanned(name, before);
            }
        }
    }
}

/// Starts to read a destination, and says how the source's rows are fingerprinted for it.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    pass: &'scope Pass<'_>,
    Streamed { number, table }: &'scope Streamed<'_>,
    seed: u64,
    pairing: Pairing,
    spill: Box<dyn Spill>,
) -> Result<(Member, Fingerprinter)> {
    let (number, table) = (*number, &**table);
    let key_fold = table.key_fold();
    let map = pass.destination(number).map()?;
    let source_maker = Fingerprinter::of_source(map, key_fold, seed);
    let maker = Fingerprinter::of_destination(map, key_fold, seed);
    let (sender, batches) = sync_channel(1);
    let throttle = &pass.destination_throttles[number];
    // A destination that falls silent when the scan is over already is not asked anything else.
    let fails = move |error: &Error| pass.mark_unread_if_silent(number, error);
    scope.spawn(move || read_destination(table, maker, throttle, &sender, fails));
    let member = Member {
        number,
        key_fold,
        pairing,
        rows: 0,
        spill,
        batches,
        is_done: false,
        error: None,
        sections: vec![],
    };
    Ok((member, source_maker))
}

/// Keys that several rows of a destination share: how many, and all spellings of them, for the source may know another of
/// those that are one key there.
fn repeated_keys(pass: &Pass<'_>, number: usize) -> Result<(usize, Vec<Cell>)> {
    let destination = pass.destination(number);
    let mut keys = destination.repeated_keys(REPEATED_KEYS_MAX)?;
    let others = destination.spelled(&keys.iter().collect::<Vec<_>>())?;
    let count = keys.len();
    keys.extend(others);
    Ok((count, keys))
}

/// Takes batches in from the side that is behind, until both are read or the scan is over.
fn read_both(
    pass: &Pass<'_>,
    span: Span,
    batches: &Receiver<Result<SourceBatch>>,
    members: &mut [Member],
    suspect: &mut dyn FnMut(Tag),
) -> Result<Reached> {
    let mut reached = Reached {
        id: span.from - 1,
        is_whole: false,
    };
    let mut is_source_done = false;
    loop {
        reached.is_whole = is_source_done && members.iter().all(|member| member.is_done);
        if reached.is_whole || pass.is_scan_over() {
            return Ok(reached);
        }
        let mut of_members = members.iter_mut();
        if let Some(member) = of_members.find(|member| member.is_behind(is_source_done)) {
            member.read()?.into_iter().for_each(&mut *suspect);
            continue;
        }
        let Ok(batch) = batches.recv() else {
            is_source_done = true;
            continue;
        };
        let SourceBatch {
            records,
            without_key,
            rows,
            read_to,
        } = batch?;
        let taking_part = members.iter_mut().zip(&records);
        for (member, records) in taking_part.filter(|(member, _)| member.error.is_none()) {
            member.take(Side::Source, records)?;
            let found = member.pairing.take_suspects();
            found.into_iter().for_each(&mut *suspect);
            member.rows += rows;
        }
        without_key.into_iter().for_each(&mut *suspect);
        reached.id = read_to;
        let ids_left = u64::try_from(span.to - read_to).unwrap_or(0);
        let rows = members.iter().map(|member| member.rows).max();
        pass.show_progress(rows.unwrap_or(0), 0, ids_left);
    }
}

impl Member {
    /// Of two tables in a similar order the one that is ahead has more rows waiting for the other.
    fn is_behind(&self, is_source_done: bool) -> bool {
        let (source, destination) = self.pairing.waiting();
        !self.is_done && (is_source_done || source > destination)
    }

    /// Takes the next batch in. Returns the tags of source rows whose copies it has with another fingerprint.
    fn read(&mut self) -> Result<Vec<Tag>> {
        match self.batches.recv() {
            Ok(Ok(DestinationBatch {
                sections,
                records,
                is_last,
            })) => {
                self.sections.extend(sections);
                self.is_done = is_last;
                self.take(Side::Destination, &records)?;
            }
            Ok(Err(error)) => {
                self.is_done = true;
                self.error = Some(error);
            }
            Err(_) => self.is_done = true,
        }
        Ok(self.pairing.take_suspects())
    }

    fn take(&mut self, side: Side, records: &[Record]) -> Result<()> {
        let outgoing = self.pairing.add(side, records);
        self.spill(&outgoing)
    }

    fn spill(&mut self, outgoing: &[Outgoing]) -> Result<()> {
        outgoing.iter().try_for_each(|part| self.spill.append(part))
    }

    /// Both sides have been read: joins what was spilled. The inner error is the destination's own.
    fn finish(
        mut self,
        unmatched_max: usize,
        suspect: &mut dyn FnMut(Tag),
    ) -> Result<Result<Unmatched>> {
        if let Some(error) = self.error {
            return Ok(Err(error));
        }
        let (mut records, mut left_out) = (Vec::new(), 0);
        let mut unmatched = |record| {
            if records.len() < unmatched_max {
                records.push(record);
            } else {
                left_out += 1;
            }
        };
        let last = self.pairing.close();
        self.spill(&last)?;
        for at in 0..self.pairing.partitions() {
            let handed_out = if self.pairing.is_spilled(at) {
                [
                    self.spill.take(at, Side::Destination)?,
                    self.spill.take(at, Side::Source)?,
                ]
            } else {
                [vec![], vec![]]
            };
            self.pairing.join(at, handed_out, suspect, &mut unmatched);
        }
        Ok(Ok(Unmatched {
            number: self.number,
            key_fold: self.key_fold,
            records,
            left_out,
            sections: self.sections,
        }))
    }
}
