//! The fast first look of an audit: both tables are read once, from end to end, and paired by fingerprints.
//!
//! It only finds out which rows are equal. Whatever is not known to be equal when it ends, or when it is stopped, is
//! noted in the position as suspects, and the pass goes on with them as with any others: looked up, compared,
//! confirmed, called back. So nothing here can report a false difference, and stopping anywhere misses none.

use std::sync::mpsc::{Receiver, sync_channel};

use super::feed::{DestinationBatch, Section, SourceBatch, read_destination, read_source};
use super::{Duplicates, Method, Pass};
use crate::error::{Error, Result};
use crate::logic::audit::fingerprint::{Fingerprinter, KeyFold};
use crate::logic::audit::pairing::{Pairing, Record, Side, Spill};
use crate::logic::scan::checkpoint::Position;
use crate::logic::scan::gaps::Span;
use crate::logic::scan::suspects::Collector;
use crate::logic::value::cell::Id;

/// Keys with several rows in a destination that are looked at one by one.
const REPEATED_KEYS_MAX: usize = 10_000;
/// Rows that met no source row which even the least memory has room for.
const UNMET_LEAST: usize = 1_024;

/// How an audit reads whole tables.
pub struct Streaming<'a> {
    /// Whether checksums may spare the reading.
    pub method: Method,
    /// What unpaired records may take in memory, all destinations together.
    pub memory_bytes: usize,
    /// Keys the fingerprints of this run.
    pub seed: u64,
    /// Makes the place for what memory does not hold.
    pub spill: &'a dyn Fn() -> Box<dyn Spill>,
    /// Also look for rows that only a destination has.
    pub extra: bool,
}

/// A destination that takes part.
struct Member {
    number: usize,
    pairing: Pairing,
    spill: Box<dyn Spill>,
    batches: Receiver<Result<DestinationBatch>>,
    is_done: bool,
    /// Why it takes part no more.
    error: Option<Error>,
    /// What has been read of it.
    sections: Vec<Section>,
}

/// Destination rows that no source row met, and where they are.
pub(super) struct Unmet {
    pub(super) number: usize,
    pub(super) fold: KeyFold,
    /// No more of them than memory has room for.
    pub(super) records: Vec<Record>,
    /// How many others there are.
    pub(super) left_out: usize,
    pub(super) sections: Vec<Section>,
}

/// What two streams came to.
struct Paired {
    /// The last id that was read.
    reached: Id,
    /// Rows that are not known to be equal.
    suspects: Collector,
    /// What is left over of the destinations, when both sides were read to their ends.
    unmet: Vec<Unmet>,
    /// They were.
    is_whole: bool,
}

impl Pass<'_, '_> {
    /// Streams from where the one position is, and leaves in it what is not known to be equal. Does nothing, so that
    /// the scan looks everything up, where positions differ or a destination cannot be streamed. An audit that was to
    /// look for rows that only a destination has, and did not, has not come to its end.
    pub(super) fn stream(&mut self, how: &Streaming<'_>) -> Result<()> {
        let is_whole = self.stream_whole(how)?;
        if how.extra && !is_whole {
            self.shared().summary.interrupted = true;
        }
        Ok(())
    }

    /// Returns whether the destinations were read to their ends.
    fn stream_whole(&mut self, how: &Streaming<'_>) -> Result<bool> {
        let [position] = &self.positions[..] else {
            return Ok(false);
        };
        let position = position.clone();
        let from = position.next_id.unwrap_or(self.start_id);
        let id_max = self.source.bounds()?.id_max.filter(|&max| max >= from);
        // Also beside no row of the source there may be rows that only a destination has.
        let Some(to) = id_max.or(how.extra.then_some(from - 1)) else {
            return Ok(true);
        };
        let span = Span { from, to };
        let summed = self.sum_up(&position, span, how)?;
        let Some(folds) = self.folds(&position, &summed.members, how) else {
            return Ok(false);
        };
        let Paired {
            reached,
            mut suspects,
            unmet,
            is_whole,
        } = self.pair(span, &folds, how)?;
        let streamed = folds.iter().map(|&(number, _)| number);
        let mut members: Vec<usize> = streamed.chain(summed.members).collect();
        for id in self.ids_of_repeated_keys(&members, &position)? {
            suspects.add(id);
        }
        members.retain(|&number| !self.is_unread(number));
        let rows = suspects.count() + summed.rows;
        self.will_be_counted(rows.saturating_mul(members.len() as u64));
        let suspects = suspects.into_suspects().union(&summed.suspects);
        if how.extra {
            self.look_for_extra(unmet, &suspects, how.seed)?;
        }
        let [position] = &mut self.positions[..] else {
            return Ok(is_whole);
        };
        position.suspects = suspects.union(&position.suspects);
        position.next_id = Some(reached.min(summed.reached) + 1);
        Ok(is_whole)
    }

    /// The scan will count these rows when it looks at them.
    fn will_be_counted(&self, rows: u64) {
        let mut shared = self.shared();
        shared.summary.compared = shared.summary.compared.saturating_sub(rows);
    }

    /// Rows with several copies, which may agree with one of them: the pairing is content with that one.
    fn ids_of_repeated_keys(&mut self, members: &[usize], before: &Position) -> Result<Vec<Id>> {
        if self.options.duplicates == Duplicates::Counted {
            return Ok(vec![]);
        }
        let mut ids = Vec::new();
        for &number in members {
            if self.is_unread(number) {
                continue;
            }
            let name = &self.job.destinations[number].name;
            let destination = self.destinations[number];
            // The source may know another of the spellings that are one key there.
            let repeated = destination.repeated_keys(REPEATED_KEYS_MAX);
            let spelled = repeated.and_then(|mut keys| {
                let others = destination.spelled(&keys.iter().collect::<Vec<_>>())?;
                let count = keys.len();
                keys.extend(others);
                Ok((count, keys))
            });
            match spelled {
                Ok((count, keys)) => {
                    if count == REPEATED_KEYS_MAX {
                        self.observer.warn(&format!(
                            "Destination {name} has more than {REPEATED_KEYS_MAX} keys with several rows; the others are not looked at"
                        ));
                    }
                    ids.extend(self.source.ids_of(&keys)?);
                }
                Err(error) => {
                    self.mark_unread_if_silent(number, &error);
                    if self.is_unread(number) {
                        self.leave_stream(number, before);
                    } else {
                        self.observer.warn(&format!(
                            "Keys with several rows are not looked for in {name}: {error}"
                        ));
                    }
                }
            }
        }
        Ok(ids)
    }

    /// The destinations that are left and can be streamed; `None` when one can be read, but not so.
    fn folds(
        &mut self,
        position: &Position,
        done: &[usize],
        how: &Streaming<'_>,
    ) -> Option<Vec<(usize, KeyFold)>> {
        let mut folds = Vec::new();
        for (number, destination) in self.job.destinations.iter().enumerate() {
            if !position.destinations.contains(&destination.name) || done.contains(&number) {
                continue;
            }
            if self.is_unread(number) {
                self.leave_stream(number, position);
                continue;
            }
            let table = self.destinations[number];
            match table.map().and_then(|_| table.stream()) {
                Ok(Ok(fold)) => folds.push((number, fold)),
                Ok(Err(why)) => {
                    if how.extra {
                        self.observer.warn(&format!(
                            "Destination {} cannot be read from end to end: rows that only it has are not looked for. {why}",
                            destination.name
                        ));
                    }
                    return None;
                }
                Err(error) => {
                    self.mark_unread(number, &error);
                    self.leave_stream(number, position);
                }
            }
        }
        Some(folds)
    }

    /// The destination stays where it was before this stream.
    fn leave_stream(&mut self, number: usize, before: &Position) {
        let name = &self.job.destinations[number].name;
        if let [position] = &mut self.positions[..] {
            position.destinations.retain(|member| member != name);
        }
        self.left_behind.push(Position {
            destinations: vec![name.clone()],
            ..before.clone()
        });
    }

    /// Those that failed, or fell silent when nobody listened any more, stay where they were.
    fn leave_failed(
        &mut self,
        failed: &[(usize, Error)],
        folds: &[(usize, KeyFold)],
        before: &Position,
    ) {
        for (number, error) in failed {
            self.mark_unread(*number, error);
        }
        for &(number, _) in folds {
            if self.is_unread(number) {
                self.leave_stream(number, before);
            }
        }
    }

    /// Reads both sides and pairs them. Returns how far the source was read, and which rows are not known to be equal.
    fn pair(
        &mut self,
        span: Span,
        folds: &[(usize, KeyFold)],
        how: &Streaming<'_>,
    ) -> Result<Paired> {
        if folds.is_empty() {
            return Ok(Paired {
                reached: span.to,
                suspects: Collector::default(),
                unmet: vec![],
                is_whole: true,
            });
        }
        let before = self.positions[0].clone();
        let unsigned = span.to > Id::from(i64::MAX);
        #[allow(clippy::cast_sign_loss, reason = "the inverse of the visitor's")]
        let id = move |tag: i64| {
            if unsigned {
                Id::from(tag as u64)
            } else {
                Id::from(tag)
            }
        };
        let (mut reached, mut suspects) = (span.from - 1, Collector::default());
        let mut failed: Vec<(usize, Error)> = Vec::new();
        let mut unmet = Vec::new();
        let mut is_whole = false;
        let source = self.source;
        let memory_bytes = how.memory_bytes / folds.len().max(1);
        let unmet_max = if how.extra {
            UNMET_LEAST.max(memory_bytes / size_of::<Record>())
        } else {
            0
        };
        let pass = &*self;
        std::thread::scope(|scope| -> Result<()> {
            let mut makers = Vec::new();
            let mut members = Vec::new();
            for &(number, fold) in folds {
                let destination = self.destinations[number];
                let map = destination.map()?;
                makers.push(Fingerprinter::of_source(map, fold, how.seed));
                let maker = Fingerprinter::of_destination(map, fold, how.seed);
                let (sender, batches) = sync_channel(1);
                let throttle = &self.destination_throttles[number];
                // A destination that falls silent when the scan is over already is not asked anything else.
                let fails = move |error: &Error| pass.mark_unread_if_silent(number, error);
                scope.spawn(move || read_destination(destination, maker, throttle, &sender, fails));
                members.push(Member::new(
                    number,
                    Pairing::new(memory_bytes),
                    (how.spill)(),
                    batches,
                ));
            }
            let (sender, batches) = sync_channel(1);
            let throttle = &self.throttle;
            scope.spawn(move || read_source(source, span, makers, throttle, &sender));
            let mut suspect = |tag| suspects.add(id(tag));
            (reached, is_whole) = self.read_both(span, &batches, &mut members, &mut suspect)?;
            for (
                Member {
                    number,
                    pairing,
                    mut spill,
                    error,
                    sections,
                    ..
                },
                &(_, fold),
            ) in members.into_iter().zip(folds)
            {
                if let Some(error) = error {
                    failed.push((number, error));
                    continue;
                }
                let (mut records, mut left_out) = (Vec::new(), 0);
                pairing.finish(&mut *spill, &mut suspect, &mut |record| {
                    if records.len() < unmet_max {
                        records.push(record);
                    } else {
                        left_out += 1;
                    }
                })?;
                if is_whole {
                    unmet.push(Unmet {
                        number,
                        fold,
                        records,
                        left_out,
                        sections,
                    });
                }
            }
            Ok(())
        })?;
        self.leave_failed(&failed, folds, &before);
        Ok(Paired {
            reached,
            suspects,
            unmet,
            is_whole,
        })
    }

    /// Takes batches in from the side that is behind, until both are read or the scan is over. Returns how far the source
    /// was read, and whether everything was.
    fn read_both(
        &self,
        span: Span,
        batches: &Receiver<Result<SourceBatch>>,
        members: &mut [Member],
        suspect: &mut dyn FnMut(i64),
    ) -> Result<(Id, bool)> {
        let mut reached = span.from - 1;
        let mut is_source_done = false;
        loop {
            let is_whole = is_source_done && members.iter().all(|member| member.is_done);
            if is_whole || self.is_scan_over() {
                return Ok((reached, is_whole));
            }
            if let Some(member) = members
                .iter_mut()
                .find(|member| member.is_behind(is_source_done))
            {
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
            let mut compared = 0;
            for (member, records) in members
                .iter_mut()
                .zip(&records)
                .filter(|(member, _)| member.error.is_none())
            {
                member
                    .pairing
                    .add(Side::Source, records, &mut *member.spill)?;
                member
                    .pairing
                    .take_suspects()
                    .into_iter()
                    .for_each(&mut *suspect);
                compared += rows;
            }
            without_key.into_iter().for_each(&mut *suspect);
            reached = read_to;
            let mut shared = self.shared();
            shared.summary.compared += compared;
            let compared = shared.summary.compared;
            self.progress(compared, 0, u64::try_from(span.to - reached).unwrap_or(0));
        }
    }
}

impl Member {
    fn new(
        number: usize,
        pairing: Pairing,
        spill: Box<dyn Spill>,
        batches: Receiver<Result<DestinationBatch>>,
    ) -> Self {
        Self {
            number,
            pairing,
            spill,
            batches,
            is_done: false,
            error: None,
            sections: vec![],
        }
    }

    /// Of two tables in a similar order the one that is ahead has more rows waiting for the other.
    fn is_behind(&self, is_source_done: bool) -> bool {
        let (source, destination) = self.pairing.waiting();
        !self.is_done && (is_source_done || source > destination)
    }

    /// Takes the next batch in. Returns the tags of source rows whose copies it has with another fingerprint.
    fn read(&mut self) -> Result<Vec<i64>> {
        match self.batches.recv() {
            Ok(Ok(DestinationBatch {
                sections,
                records,
                is_last,
            })) => {
                self.sections.extend(sections);
                self.is_done = is_last;
                self.pairing
                    .add(Side::Destination, &records, &mut *self.spill)?;
            }
            Ok(Err(error)) => {
                self.is_done = true;
                self.error = Some(error);
            }
            Err(_) => self.is_done = true,
        }
        Ok(self.pairing.take_suspects())
    }
}
