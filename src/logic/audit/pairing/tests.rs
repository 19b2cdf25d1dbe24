use proptest::prelude::*;

use super::*;

/// What was handed out.
#[derive(Default)]
struct Memory(HashMap<(usize, bool), Vec<Record>>);

impl Memory {
    fn keep(&mut self, outgoing: Vec<Outgoing>) {
        for Outgoing {
            partition,
            side,
            records,
        } in outgoing
        {
            let place = self.0.entry((partition, side == Side::Source));
            place.or_default().extend(records);
        }
    }

    fn take(&mut self, partition: usize, side: Side) -> Vec<Record> {
        let place = (partition, side == Side::Source);
        self.0.remove(&place).unwrap_or_default()
    }
}

fn id_of(tag: Tag) -> i64 {
    i64::try_from(tag.id(false)).unwrap()
}

fn record(key: u64, row: u128, tag: i64) -> Record {
    let spread = u128::from(key).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    Record {
        key: spread,
        row,
        tag: Tag::of_id(tag.into()),
    }
}

/// Rows that are not known to be equal.
#[derive(Debug, Default, PartialEq)]
struct Unpaired {
    /// Tags of source rows.
    source: Vec<i64>,
    /// Destination rows that no source row has met.
    destination: Vec<Record>,
}

fn finished(mut pairing: Pairing, spill: &mut Memory) -> Unpaired {
    let mut source: Vec<i64> = pairing.take_suspects().into_iter().map(id_of).collect();
    let mut destination = vec![];
    spill.keep(pairing.close());
    for at in 0..pairing.partitions() {
        let handed_out = [Side::Destination, Side::Source].map(|side| spill.take(at, side));
        assert!(pairing.is_spilled(at) || handed_out.iter().all(Vec::is_empty));
        pairing.join(
            at,
            handed_out,
            &mut |tag| source.push(id_of(tag)),
            &mut |record| {
                destination.push(record);
            },
        );
    }
    source.sort_unstable();
    destination.sort_by_key(|record| record.tag);
    Unpaired {
        source,
        destination,
    }
}

fn joined(
    source: &[Record],
    destination: &[Record],
    memory_bytes: usize,
    (source_batch, destination_batch): (usize, usize),
) -> Unpaired {
    let mut pairing = Pairing::new(memory_bytes);
    let mut spill = Memory::default();
    let mut left = source.chunks(source_batch);
    let mut right = destination.chunks(destination_batch);
    loop {
        let (one, other) = (left.next(), right.next());
        if one.is_none() && other.is_none() {
            break;
        }
        spill.keep(pairing.add(Side::Source, one.unwrap_or_default()));
        spill.keep(pairing.add(Side::Destination, other.unwrap_or_default()));
    }
    finished(pairing, &mut spill)
}

#[test]
fn tables_in_the_same_order_hold_almost_nothing() {
    let rows: Vec<Record> = (0..100_000).map(|n| record(n, 1, 0)).collect();
    let mut pairing = Pairing::new(100 * ENTRY_BYTES * 10);
    let mut spill = Memory::default();
    for batch in rows.chunks(500) {
        spill.keep(pairing.add(Side::Source, batch));
        spill.keep(pairing.add(Side::Destination, batch));
    }
    assert_eq!(pairing.waiting(), (0, 0));
    assert!(spill.0.is_empty());
}

#[test]
fn what_waits_is_counted_and_never_more_than_memory_holds() {
    let rows: Vec<Record> = (0..1_000).map(|n| record(n, 1, 0)).collect();
    let mut pairing = Pairing::new(200 * ENTRY_BYTES);
    let mut spill = Memory::default();
    spill.keep(pairing.add(Side::Source, &rows[..90]));
    spill.keep(pairing.add(Side::Destination, &rows[80..190]));
    assert_eq!(pairing.waiting(), (80, 100));
    assert!(spill.0.is_empty(), "there is room for all of them");
    spill.keep(pairing.add(Side::Source, &rows[190..]));
    let (source, destination) = pairing.waiting();
    assert!(source + destination <= 200 && source + destination > 100);
    assert!(!spill.0.is_empty());
    let unpaired = finished(pairing, &mut spill);
    assert_eq!(unpaired.source.len(), 80 + 810);
    assert_eq!(unpaired.destination.len(), 100);
}

#[test]
fn a_copy_beside_an_empty_source_stays_within_memory() {
    let rows: Vec<Record> = (0..1_000).map(|n| record(n, 1, 0)).collect();
    let mut pairing = Pairing::new(200 * ENTRY_BYTES);
    let mut spill = Memory::default();
    let (first, others) = rows.split_at(200);
    spill.keep(pairing.add(Side::Destination, first));
    let in_line = pairing.lane.len_of(Side::Destination);
    assert_eq!(in_line, 200, "all that there is room for");
    for batch in others.chunks(10) {
        spill.keep(pairing.add(Side::Destination, batch));
        assert!((100..=200).contains(&pairing.waiting().1));
    }
    assert_eq!(finished(pairing, &mut spill).destination.len(), 1_000);
}

#[test]
fn rows_of_repeated_keys_count_as_waiting_and_are_spilled_with_the_others() {
    // Each key twice: one waits for its like, one beside it.
    let rows: Vec<Record> = (0..200).map(|n| record(n / 2, 1, 0)).collect();
    let mut pairing = Pairing::new(150 * ENTRY_BYTES);
    let mut spill = Memory::default();
    spill.keep(pairing.add(Side::Destination, &rows[..150]));
    assert!(spill.0.is_empty(), "there is room for all of them");
    spill.keep(pairing.add(Side::Destination, &rows[150..]));
    let spilled: usize = spill.0.values().map(Vec::len).sum();
    assert!((50..100).contains(&spilled), "{spilled}");
    let unpaired = finished(pairing, &mut spill);
    assert_eq!(unpaired.destination.len(), 200);
}

#[test]
fn keys_are_spread_over_all_partitions() {
    let mut counts = [0; PARTITIONS];
    for n in 0..64_000 {
        counts[partition_of(record(n, 1, 0).key)] += 1;
    }
    assert!(counts.iter().all(|count| (500..2_000).contains(count)));
}

#[test]
fn what_differs_is_named_by_the_tag_of_its_source_row() {
    for source_first in [true, false] {
        let mut pairing = Pairing::new(1 << 20);
        let mut spill = Memory::default();
        let mut sides = [
            (Side::Source, record(1, 1, 10)),
            (Side::Destination, record(1, 2, 20)),
        ];
        if !source_first {
            sides.reverse();
        }
        for (side, record) in sides {
            spill.keep(pairing.add(side, &[record]));
        }
        assert_eq!(finished(pairing, &mut spill).source, [10]);
    }
}

#[test]
fn a_key_that_several_destination_rows_have_leaves_the_others_over() {
    let source = [record(1, 1, 10)];
    let destination = [record(1, 1, 20), record(1, 2, 21), record(1, 1, 22)];
    for batch in [1, 3] {
        let unpaired = joined(&source, &destination, 1 << 20, (batch, batch));
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
        shuffle in prop_oneof![Just(None), any::<u64>().prop_map(Some)],
        memory_entries in 64_usize..400,
        batches in (1_usize..50, 1_usize..50),
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
        destination.sort_by_key(|record| match shuffle {
            None => u128::from(id_of(record.tag).unsigned_abs()),
            Some(shuffle) => record.key.rotate_left((shuffle % 128) as u32),
        });
        expected_source.sort_unstable();
        expected_destination.sort_unstable();
        let unpaired = joined(&source, &destination, memory_entries * ENTRY_BYTES, batches);
        prop_assert_eq!(unpaired.source, expected_source);
        let tags: Vec<i64> = unpaired.destination.iter().map(|record| id_of(record.tag)).collect();
        prop_assert_eq!(tags, expected_destination);
    }
}
