//! Pairs the rows of two tables by key, in whatever order they come, in bounded memory.
//!
//! Each row is a [`Record`] of 40 bytes: fingerprint of its key, fingerprint of its compared cells, and a tag that
//! finds it again. A row meets its copy in a hash table that holds only what has not met yet, so two tables in a similar
//! order need almost no memory. When the table is full, whole partitions (by the key's fingerprint) are handed to a
//! [`Spill`] and joined at the end, one at a time. What has paired with the same fingerprints is equal and forgotten;
//! everything else is only suspected, and others judge it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use crate::error::Result;

/// One row of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Fingerprint of the key.
    pub key: u128,
    /// Fingerprint of what is compared.
    pub row: u128,
    /// The source row's id, or the number of the destination's batch.
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

/// Rows that are not known to be equal, in no order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Unpaired {
    /// Tags of source rows whose copies are missing or have another fingerprint.
    source: Vec<i64>,
    /// Destination rows that no source row has met.
    destination: Vec<Record>,
}

/// The join of one source with one destination.
#[derive(Debug)]
pub struct Pairing {
    partitions: Vec<Partition>,
    entries_max: usize,
    unpaired: Unpaired,
    keep_destination: bool,
}

#[derive(Debug, Default)]
struct Partition {
    source: Waiting,
    destination: Waiting,
    /// Records of keys that were waiting already: the key is not unique on that side.
    repeated: Vec<(Side, Record)>,
    spilled: bool,
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
    /// `memory_bytes` is what the unpaired records may take. `keep_destination`: unpaired destination rows are wanted.
    #[must_use]
    pub fn new(memory_bytes: usize, keep_destination: bool) -> Self {
        Self {
            partitions: (0..PARTITIONS).map(|_| Partition::default()).collect(),
            entries_max: (memory_bytes / ENTRY_BYTES).max(PARTITIONS),
            unpaired: Unpaired::default(),
            keep_destination,
        }
    }

    /// Unpaired records in memory of each side: the side with more is ahead.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let sum = |count: fn(&Partition) -> usize| self.partitions.iter().map(count).sum();
        (
            sum(|partition| partition.source.len()),
            sum(|partition| partition.destination.len()),
        )
    }

    /// Takes rows of one side in.
    ///
    /// # Errors
    /// When memory is used up and the spill cannot be written.
    pub fn add(&mut self, side: Side, records: &[Record], spill: &mut dyn Spill) -> Result<()> {
        let mut direct: Vec<Vec<Record>> = vec![vec![]; PARTITIONS];
        for &record in records {
            let at = partition_of(record.key);
            if self.partitions[at].spilled {
                direct[at].push(record);
            } else {
                self.partitions[at].meet(side, record, &mut self.unpaired);
            }
        }
        for (at, records) in direct
            .iter()
            .enumerate()
            .filter(|(_, records)| !records.is_empty())
        {
            spill.append(at, side, records)?;
        }
        self.bound(spill)
    }

    /// Tags of source rows whose copies turned out to have another fingerprint since this was asked for.
    pub fn take_suspects(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.unpaired.source)
    }

    /// Spills the largest partitions until memory is within its bound.
    fn bound(&mut self, spill: &mut dyn Spill) -> Result<()> {
        while self.partitions.iter().map(Partition::len).sum::<usize>() > self.entries_max {
            let Some(at) = (0..PARTITIONS).max_by_key(|&at| self.partitions[at].len()) else {
                return Ok(());
            };
            let partition = std::mem::take(&mut self.partitions[at]);
            self.partitions[at].spilled = true;
            let records = |waiting: Waiting| -> Vec<Record> {
                waiting
                    .into_iter()
                    .map(|(key, (row, tag))| Record { key, row, tag })
                    .collect()
            };
            spill.append(at, Side::Source, &records(partition.source))?;
            spill.append(at, Side::Destination, &records(partition.destination))?;
            for (side, record) in partition.repeated {
                spill.append(at, side, &[record])?;
            }
        }
        Ok(())
    }

    /// Both tables have been read: joins what was spilled. Hands out the tags of source rows that never met their like,
    /// which may be all, and returns the destination rows that no source row has met.
    ///
    /// # Errors
    /// When the spill cannot be read.
    pub fn finish(
        mut self,
        spill: &mut dyn Spill,
        suspected: &mut dyn FnMut(i64),
    ) -> Result<Vec<Record>> {
        for at in 0..PARTITIONS {
            let mut partition = std::mem::take(&mut self.partitions[at]);
            if partition.spilled {
                for side in [Side::Destination, Side::Source] {
                    for record in spill.take(at, side)? {
                        partition.meet(side, record, &mut self.unpaired);
                    }
                }
            }
            partition.leave(&mut self.unpaired);
            self.unpaired.source.drain(..).for_each(&mut *suspected);
            if !self.keep_destination {
                self.unpaired.destination.clear();
            }
        }
        Ok(self.unpaired.destination)
    }
}

impl Partition {
    fn len(&self) -> usize {
        self.source.len() + self.destination.len() + self.repeated.len()
    }

    fn meet(&mut self, side: Side, record: Record, unpaired: &mut Unpaired) {
        let Record { key, row, tag } = record;
        let (own, other) = match side {
            Side::Source => (&mut self.source, &mut self.destination),
            Side::Destination => (&mut self.destination, &mut self.source),
        };
        if let Some((other_row, other_tag)) = other.remove(&key) {
            if other_row != row {
                unpaired
                    .source
                    .push(if side == Side::Source { tag } else { other_tag });
            }
        } else {
            match own.entry(key) {
                Entry::Vacant(place) => {
                    place.insert((row, tag));
                }
                // Both rows of the key are to be looked at.
                Entry::Occupied(_) => self.repeated.push((side, record)),
            }
        }
    }

    fn leave(self, unpaired: &mut Unpaired) {
        unpaired
            .source
            .extend(self.source.into_values().map(|(_, tag)| tag));
        let destination = self
            .destination
            .into_iter()
            .map(|(key, (row, tag))| Record { key, row, tag });
        unpaired.destination.extend(destination);
        for (side, record) in self.repeated {
            match side {
                Side::Source => unpaired.source.push(record.tag),
                Side::Destination => unpaired.destination.push(record),
            }
        }
    }
}

fn partition_of(key: u128) -> usize {
    usize::from((key >> 120) as u8) % PARTITIONS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Memory(HashMap<(usize, bool), Vec<Record>>);

    impl Spill for Memory {
        fn append(&mut self, partition: usize, side: Side, records: &[Record]) -> Result<()> {
            self.0
                .entry((partition, side == Side::Source))
                .or_default()
                .extend(records);
            Ok(())
        }

        fn take(&mut self, partition: usize, side: Side) -> Result<Vec<Record>> {
            Ok(self
                .0
                .remove(&(partition, side == Side::Source))
                .unwrap_or_default())
        }
    }

    fn record(key: u64, row: u128, tag: i64) -> Record {
        let spread = u128::from(key).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        Record {
            key: spread,
            row,
            tag,
        }
    }

    fn joined(
        source: &[Record],
        destination: &[Record],
        memory_bytes: usize,
        batch: usize,
    ) -> Unpaired {
        let mut pairing = Pairing::new(memory_bytes, true);
        let mut spill = Memory::default();
        let (mut left, mut right) = (source.chunks(batch), destination.chunks(batch));
        loop {
            let (one, other) = (left.next(), right.next());
            if one.is_none() && other.is_none() {
                break;
            }
            pairing
                .add(Side::Source, one.unwrap_or_default(), &mut spill)
                .unwrap();
            pairing
                .add(Side::Destination, other.unwrap_or_default(), &mut spill)
                .unwrap();
        }
        let mut source = pairing.take_suspects();
        let destination = pairing.finish(&mut spill, &mut |tag| source.push(tag));
        let mut unpaired = Unpaired {
            source,
            destination: destination.unwrap(),
        };
        unpaired.source.sort_unstable();
        unpaired.destination.sort_by_key(|record| record.tag);
        unpaired
    }

    #[test]
    fn a_record_comes_back_from_its_bytes() {
        let record = Record {
            key: u128::MAX - 5,
            row: 7,
            tag: -9,
        };
        assert_eq!(Record::from_bytes(&record.to_bytes()), record);
    }

    #[test]
    fn tables_in_the_same_order_hold_almost_nothing() {
        let rows: Vec<Record> = (0..100_000).map(|n| record(n, 1, 0)).collect();
        let mut pairing = Pairing::new(100 * ENTRY_BYTES * 10, true);
        let mut spill = Memory::default();
        for batch in rows.chunks(500) {
            pairing.add(Side::Source, batch, &mut spill).unwrap();
            pairing.add(Side::Destination, batch, &mut spill).unwrap();
        }
        assert_eq!(pairing.waiting(), (0, 0));
        assert!(spill.0.is_empty());
    }

    #[test]
    fn a_key_that_several_destination_rows_have_leaves_the_others_over() {
        let source = [record(1, 1, 10)];
        let destination = [record(1, 1, 20), record(1, 2, 21), record(1, 1, 22)];
        for batch in [1, 3] {
            let unpaired = joined(&source, &destination, 1 << 20, batch);
            assert_eq!(unpaired.source, [] as [i64; 0]);
            assert_eq!(unpaired.destination.len(), 2);
        }
    }

    proptest! {
        /// Whatever the order, the batches and the memory: a source row is left over unless one copy of its key has
        /// its fingerprint and was not given to another row of that key.
        #[test]
        fn the_order_and_the_memory_change_nothing(
            keys in proptest::collection::hash_map(0_u64..400, (proptest::option::of(0_u128..3), proptest::option::of(0_u128..3)), 0..300),
            shuffle in any::<u64>(),
            memory_entries in 64_usize..400,
            batch in 1_usize..50,
        ) {
            let mut source: Vec<Record> = vec![];
            let mut destination: Vec<Record> = vec![];
            let (mut expected_source, mut expected_destination) = (vec![], vec![]);
            for (&key, &(one, other)) in &keys {
                let tag = i64::try_from(key).unwrap();
                source.extend(one.map(|row| record(key, row, tag)));
                destination.extend(other.map(|row| record(key, row, tag)));
                if one.is_some() && one != other {
                    expected_source.push(tag);
                }
                if one.is_none() && other.is_some() {
                    expected_destination.push(tag);
                }
            }
            source.sort_by_key(|record| record.tag);
            destination.sort_by_key(|record| record.key.rotate_left((shuffle % 128) as u32));
            expected_source.sort_unstable();
            expected_destination.sort_unstable();
            let unpaired = joined(&source, &destination, memory_entries * ENTRY_BYTES, batch);
            prop_assert_eq!(unpaired.source, expected_source);
            let tags: Vec<i64> = unpaired.destination.iter().map(|record| record.tag).collect();
            prop_assert_eq!(tags, expected_destination);
        }
    }
}
