//! Pairs the rows of two tables by key, in whatever order they come, in bounded memory.
//!
//! Each row is a [`Record`] of 40 bytes: fingerprint of its key, fingerprint of its compared cells, and a tag that
//! finds it again. While both tables come in the same order, a row's copy is next among those that wait in line (`lane`) on the
//! side that is ahead. Else a row meets its copy in a hash table that holds only what has not met yet, so two tables in a similar order
//! need almost no memory. When the table is full, whole partitions (by the key's fingerprint) are handed to a
//! [`Spill`] and joined at the end, one at a time. What has paired with the same fingerprints is equal and forgotten;
//! everything else is only suspected, and others judge it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use crate::error::Result;
use crate::logic::audit::queue::Lane;

/// One row of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Fingerprint of the key.
    pub key: u128,
    /// Fingerprint of what is compared.
    pub row: u128,
    /// The source row's id, or where in the destination the row is.
    pub tag: i64,
}

/// Bytes of a [`Record`] outside memory.
pub const RECORD_BYTES: usize = 40;

impl Record {
    /// Little-endian, in the order of the fields.
    #[must_use]
    pub fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[..16].copy_from_slice(&self.key.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.row.to_le_bytes());
        bytes[32..].copy_from_slice(&self.tag.to_le_bytes());
        bytes
    }

    /// The inverse of [`Self::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Self {
        let (key, rest) = bytes.split_at(16);
        let (row, tag) = rest.split_at(16);
        // The three parts are 16, 16 and 8 bytes long.
        Self {
            key: u128::from_le_bytes(key.try_into().unwrap_or_default()),
            row: u128::from_le_bytes(row.try_into().unwrap_or_default()),
            tag: i64::from_le_bytes(tag.try_into().unwrap_or_default()),
        }
    }
}

/// Which table a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The source.
    Source,
    /// The destination.
    Destination,
}

impl Side {
    /// The other table.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Source => Self::Destination,
            Self::Destination => Self::Source,
        }
    }
}

/// Where records go that memory does not hold.
pub trait Spill {
    /// Adds records to a partition.
    ///
    /// # Errors
    /// When they cannot be written.
    fn append(&mut self, partition: usize, side: Side, records: &[Record]) -> Result<()>;

    /// All records of a partition, to be read once.
    ///
    /// # Errors
    /// When they cannot be read.
    fn take(&mut self, partition: usize, side: Side) -> Result<Vec<Record>>;
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
    suspects: Vec<i64>,
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

type Waiting = HashMap<u128, (u128, i64), BuildHasherDefault<KeyHasher>>;

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

    /// Takes rows of one side in.
    ///
    /// # Errors
    /// When memory is used up and the spill cannot be written.
    pub fn add(&mut self, side: Side, records: &[Record], spill: &mut dyn Spill) -> Result<()> {
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
        self.bound(spill)
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
    pub fn take_suspects(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.suspects)
    }

    /// Spills the largest partitions until memory is within its bound.
    fn bound(&mut self, spill: &mut dyn Spill) -> Result<()> {
        while self.len() > self.entries_max {
            // The lane is closed by now, so the largest one holds something.
            let largest = self.partitions.iter_mut().max_by_key(|of| of.len());
            largest.into_iter().for_each(Partition::spill);
        }
        self.write_out(spill)
    }

    /// Hands on what waits for the spill.
    fn write_out(&mut self, spill: &mut dyn Spill) -> Result<()> {
        for (at, partition) in self.partitions.iter_mut().enumerate() {
            let outgoing = std::mem::take(&mut partition.outgoing);
            for side in [Side::Source, Side::Destination] {
                let records = outgoing.iter().filter(|(of, _)| *of == side);
                let records: Vec<Record> = records.map(|(_, record)| *record).collect();
                if !records.is_empty() {
                    spill.append(at, side, &records)?;
                }
            }
        }
        Ok(())
    }

    /// Both tables have been read: joins what was spilled. Hands out the tags of source rows that never met their like,
    /// which may be all, and the destination rows that no source row has met, which may be all, too.
    ///
    /// # Errors
    /// When the spill cannot be read.
    pub fn finish(
        mut self,
        spill: &mut dyn Spill,
        suspected: &mut dyn FnMut(i64),
        unmet: &mut dyn FnMut(Record),
    ) -> Result<()> {
        self.close_lane();
        self.write_out(spill)?;
        for at in 0..PARTITIONS {
            let mut partition = std::mem::take(&mut self.partitions[at]);
            if partition.is_spilled {
                for side in [Side::Destination, Side::Source] {
                    for record in spill.take(at, side)? {
                        if !partition.meet(side, record, &mut self.suspects) {
                            partition.wait(side, record);
                        }
                    }
                }
            }
            self.take_suspects().into_iter().for_each(&mut *suspected);
            partition.leave(suspected, unmet);
        }
        Ok(())
    }
}

impl Partition {
    fn len(&self) -> usize {
        self.source.len() + self.destination.len() + self.repeated.len()
    }

    /// Pairs a record with its copy if that one waits here.
    fn meet(&mut self, side: Side, record: Record, suspects: &mut Vec<i64>) -> bool {
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
    fn leave(self, suspected: &mut dyn FnMut(i64), unmet: &mut dyn FnMut(Record)) {
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
fn compare(side: Side, record: Record, copy: Record, suspects: &mut Vec<i64>) {
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
