//! Pairs the rows of two tables by key, in any order, in bounded memory.
//!
//! Each row is a [`Record`] of 40 bytes: fingerprints of its key and of its compared cells, and a
//! tag that finds it again. While both tables come in the same order, a row's copy is next in the
//! waiting line (`lane`) of the side that is ahead. Otherwise a row is paired in a hash table that
//! holds only unpaired rows, so two tables in a similar order need almost no memory. When the hash
//! table is full, whole partitions (by the key's fingerprint) are handed out to be written down.
//! They are joined at the end, one at a time. A pair with equal fingerprints is equal and
//! forgotten. Every other row is only suspected, and is judged elsewhere.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use crate::logic::audit::queue::Lane;
use crate::logic::audit::record::{Record, Side, Tag};

/// Records that memory does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Which of the partitions they are of.
    pub partition: usize,
    /// Which table.
    pub side: Side,
    /// At least one.
    pub records: Vec<Record>,
}

/// Number of partitions: a table of 64 times the memory is joined in one go.
const PARTITIONS: usize = 64;
/// About what one unpaired record costs in a hash table.
const ENTRY_BYTES: usize = 80;

/// The join of one source with one destination.
#[derive(Debug)]
pub struct Pairing {
    lane: Lane,
    partitions: Vec<Partition>,
    entries_max: usize,
    /// Tags of source rows whose copies have another fingerprint.
    suspects: Vec<Tag>,
}

#[derive(Debug, Default)]
struct Partition {
    source: Waiting,
    destination: Waiting,
    /// Records of keys that were waiting already: the key is not unique on that side.
    repeated: Vec<(Side, Record)>,
    /// It holds nothing any more, nor will it until the end.
    is_spilled: bool,
    /// What it hands on to the spill instead.
    outgoing: Vec<(Side, Record)>,
}

type Waiting = HashMap<u128, (u128, Tag), BuildHasherDefault<KeyHasher>>;

/// A fingerprint is a hash already.
#[derive(Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "the low half; the partition comes from the high one"
    )]
    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

impl Pairing {
    /// `memory_bytes` is what the unpaired records may take.
    #[must_use]
    pub fn new(memory_bytes: usize) -> Self {
        Self {
            lane: Lane::new(),
            partitions: (0..PARTITIONS).map(|_| Partition::default()).collect(),
            entries_max: (memory_bytes / ENTRY_BYTES).max(PARTITIONS),
            suspects: vec![],
        }
    }

    /// Unpaired records in memory of each side: the side with more is ahead.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let sum = |count| -> usize {
            self.partitions
                .iter()
                .map::<usize, fn(&Partition) -> usize>(count)
                .sum()
        };
        (
            sum(|partition| partition.source.len()) + self.lane.len_of(Side::Source),
            sum(|partition| partition.destination.len()) + self.lane.len_of(Side::Destination),
        )
    }

    /// Takes rows of one side in, and hands out what memory has no room for.
    #[must_use]
    pub fn add(&mut self, side: Side, records: &[Record]) -> Vec<Outgoing> {
        let mut passed = Vec::new();
        for &record in records {
            if let Some(copy) = self.lane.copy_of(side, record.key, &mut passed) {
                compare(side, record, copy, &mut self.suspects);
                for record in passed.drain(..) {
                    self.settle(side.other(), record);
                }
                continue;
            }
            let partition = &mut self.partitions[partition_of(record.key)];
            if !partition.meet(side, record, &mut self.suspects) && !self.lane.take(side, record) {
                self.settle(side, record);
            }
            if self.lane.is_out_of_step() {
                self.close_lane();
            }
        }
        if self.len() > self.entries_max {
            self.close_lane();
        }
        self.bound()
    }

    /// Records in memory.
    fn len(&self) -> usize {
        let (source, destination) = self.waiting();
        let repeated = self
            .partitions
            .iter()
            .map(|partition| partition.repeated.len());
        source + destination + repeated.sum::<usize>()
    }

    /// Puts a record where its copy will find it, which may have come already.
    fn settle(&mut self, side: Side, record: Record) {
        let partition = &mut self.partitions[partition_of(record.key)];
        if partition.is_spilled {
            partition.outgoing.push((side, record));
        } else if !partition.meet(side, record, &mut self.suspects) {
            partition.wait(side, record);
        }
    }

    fn close_lane(&mut self) {
        let (side, records) = self.lane.close();
        for record in records {
            self.settle(side, record);
        }
    }

    /// Tags of source rows whose copies turned out to have another fingerprint since this was asked for.
    pub fn take_suspects(&mut self) -> Vec<Tag> {
        std::mem::take(&mut self.suspects)
    }

    /// Spills the largest partitions until memory is within its bound.
    fn bound(&mut self) -> Vec<Outgoing> {
        while self.len() > self.entries_max {
            // The lane is closed by now, so the largest one holds something.
            let largest = self.partitions.iter_mut().max_by_key(|of| of.len());
            largest.into_iter().for_each(Partition::spill);
        }
        self.take_outgoing()
    }

    fn take_outgoing(&mut self) -> Vec<Outgoing> {
        let mut all = Vec::new();
        for (at, partition) in self.partitions.iter_mut().enumerate() {
            let outgoing = std::mem::take(&mut partition.outgoing);
            for side in [Side::Source, Side::Destination] {
                let records = outgoing.iter().filter(|(of, _)| *of == side);
                let records: Vec<Record> = records.map(|(_, record)| *record).collect();
                if !records.is_empty() {
                    all.push(Outgoing {
                        partition: at,
                        side,
                        records,
                    });
                }
            }
        }
        all
    }

    /// Both tables have been read. Hands out the last records that belong to a partition outside memory.
    #[must_use]
    pub fn close(&mut self) -> Vec<Outgoing> {
        self.close_lane();
        self.take_outgoing()
    }

    /// How many partitions there are to [`Self::join`].
    #[must_use]
    pub fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// Records of this partition were handed out.
    #[must_use]
    pub fn is_spilled(&self, at: usize) -> bool {
        self.partitions[at].is_spilled
    }

    /// Joins a partition, after [`Self::close`], with those of its records that were handed out, the destination's first.
    /// What never met its like is suspected: tags of source rows, which may be all, and destination rows that no source
    /// row has met, which may be all, too.
    pub fn join(
        &mut self,
        at: usize,
        handed_out: [Vec<Record>; 2],
        suspected: &mut dyn FnMut(Tag),
        unmet: &mut dyn FnMut(Record),
    ) {
        let mut partition = std::mem::take(&mut self.partitions[at]);
        for (side, records) in [Side::Destination, Side::Source]
            .into_iter()
            .zip(handed_out)
        {
            for record in records {
                if !partition.meet(side, record, &mut self.suspects) {
                    partition.wait(side, record);
                }
            }
        }
        self.take_suspects().into_iter().for_each(&mut *suspected);
        partition.leave(suspected, unmet);
    }
}

impl Partition {
    fn len(&self) -> usize {
        self.source.len() + self.destination.len() + self.repeated.len()
    }

    /// Pairs a record with its copy if that one waits here.
    fn meet(&mut self, side: Side, record: Record, suspects: &mut Vec<Tag>) -> bool {
        let copies = match side {
            Side::Source => &mut self.destination,
            Side::Destination => &mut self.source,
        };
        if copies.is_empty() {
            return false;
        }
        let copy = copies.remove(&record.key);
        if let Some((row, tag)) = copy {
            let key = record.key;
            compare(side, record, Record { key, row, tag }, suspects);
        }
        copy.is_some()
    }

    /// Keeps a record for a copy that has not come yet.
    fn wait(&mut self, side: Side, record: Record) {
        let waiting = match side {
            Side::Source => &mut self.source,
            Side::Destination => &mut self.destination,
        };
        match waiting.entry(record.key) {
            Entry::Vacant(place) => {
                place.insert((record.row, record.tag));
            }
            // Both rows of the key are to be looked at.
            Entry::Occupied(_) => self.repeated.push((side, record)),
        }
    }

    /// Hands on what it holds.
    fn spill(&mut self) {
        let record = |(key, (row, tag))| Record { key, row, tag };
        let source = self.source.drain().map(record);
        let destination = self.destination.drain().map(record);
        self.outgoing
            .extend(source.map(|record| (Side::Source, record)));
        self.outgoing
            .extend(destination.map(|record| (Side::Destination, record)));
        self.outgoing.append(&mut self.repeated);
        *self = Self {
            is_spilled: true,
            outgoing: std::mem::take(&mut self.outgoing),
            ..Self::default()
        };
    }

    /// Hands out what never met its like.
    fn leave(self, suspected: &mut dyn FnMut(Tag), unmet: &mut dyn FnMut(Record)) {
        for (_, tag) in self.source.into_values() {
            suspected(tag);
        }
        for (key, (row, tag)) in self.destination {
            unmet(Record { key, row, tag });
        }
        for (side, record) in self.repeated {
            match side {
                Side::Source => suspected(record.tag),
                Side::Destination => unmet(record),
            }
        }
    }
}

/// Forgets a record and its copy when they are equal.
fn compare(side: Side, record: Record, copy: Record, suspects: &mut Vec<Tag>) {
    if record.row != copy.row {
        let source = if side == Side::Source { record } else { copy };
        suspects.push(source.tag);
    }
}

fn partition_of(key: u128) -> usize {
    usize::from((key >> 120) as u8) % PARTITIONS
}

#[cfg(test)]
mod tests;
