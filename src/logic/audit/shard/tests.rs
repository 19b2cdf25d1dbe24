use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn shards(count: u32) -> Vec<Shard> {
    (0..count)
        .map(|index| Shard::new(index, count).unwrap())
        .collect()
}

/// What reading a table cost.
#[derive(Debug, Default)]
struct Cost {
    queries: u64,
    /// Rows that the server passed over.
    others: u64,
}

/// Reads all rows of a shard in a span, as the source does.
fn read(walk: &mut Walk, table: &BTreeSet<Id>, span: Span, limit: usize) -> (Vec<Id>, Cost) {
    let (mut ids, mut cost) = (Vec::new(), Cost::default());
    let mut from = span.from;
    while let Some(piece) = walk.piece(Span { from, to: span.to }) {
        cost.queries += 1;
        let mut own: Vec<Id> = Vec::new();
        for &id in table.range(piece.from..=piece.to) {
            if own.len() == limit {
                break;
            }
            if walk.shard.has(id) {
                own.push(id);
            } else {
                cost.others += 1;
            }
        }
        let is_full = own.len() == limit;
        let to = own.last().copied().filter(|_| is_full).unwrap_or(piece.to);
        let read = Span {
            from: piece.from,
            to,
        };
        walk.has_read(read, own.len() as u64);
        ids.append(&mut own);
        from = to + 1;
    }
    (ids, cost)
}

const ALL: Span = Span {
    from: i64::MIN as Id,
    to: u64::MAX as Id,
};

/// The largest share in relation to a fair one.
fn unevenness(table: impl Iterator<Item = Id>, count: u32) -> f64 {
    let all = shards(count);
    let mut rows = vec![0_u32; all.len()];
    for id in table {
        rows[all.iter().position(|shard| shard.has(id)).unwrap()] += 1;
    }
    let most = f64::from(*rows.iter().max().unwrap());
    most * f64::from(count) / f64::from(rows.iter().sum::<u32>())
}

#[test]
fn a_dense_table_is_shared_evenly_and_nobody_reads_what_is_not_his_own() {
    let table: BTreeSet<Id> = (1..=1_000_000).collect();
    for count in [2, 3, 8] {
        let uneven = unevenness(table.iter().copied(), count);
        assert!(uneven < 1.1, "{count}: {uneven}");
    }
    for mut walk in shards(8).into_iter().map(Walk::new) {
        let (ids, cost) = read(&mut walk, &table, Span { from: 1, ..ALL }, 50_000);
        assert!(ids.len() > 100_000);
        assert!(cost.queries < 40 && cost.others < 20_000, "{cost:?}");
    }
}

#[test]
fn a_query_spans_more_blocks_the_less_it_brings() {
    let after = |blocks, ids, rows| {
        let mut walk = Walk::new(shards(8)[1]);
        walk.blocks = blocks;
        let from = 1_000;
        walk.has_read(
            Span {
                from,
                to: from + ids - 1,
            },
            rows,
        );
        walk.blocks
    };
    assert_eq!(after(1, BLOCK_IDS, 0), 16);
    // 128 rows of a block are worth a query of its own, 127 are not.
    assert_eq!((after(1, 128, 1), after(1, 129, 1)), (1, 2));
    // Of several blocks' ids one in eight is the shard's own.
    assert_eq!((after(1, 1_024, 1), after(2, 1_024, 1)), (2, 1));
    assert_eq!((after(2, 2_048, 2), after(2, 2_049, 2)), (1, 4));
    let far = 1_000 * BLOCK_IDS;
    assert_eq!((after(64, far, 1_023), after(64, far, 1_024)), (128, 64));
    assert_eq!(after(BLOCKS_MAX, far, 0), BLOCKS_MAX);
}

#[test]
fn a_piece_begins_and_ends_with_its_block_or_the_span() {
    let walk = Walk::new(shards(8)[1]);
    let own = Span {
        from: BLOCK_IDS,
        to: 2 * BLOCK_IDS - 1,
    };
    assert_eq!(walk.piece(Span { from: 5, ..ALL }), Some(own));
    let within = Span {
        from: own.from + 1,
        to: own.to - 1,
    };
    assert_eq!(walk.piece(within), Some(within));
    let behind = own.to + 1;
    let before = Span {
        from: behind,
        to: behind,
    };
    assert_eq!(walk.piece(before), None);
}

#[test]
fn ids_with_steps_of_any_size_are_shared_evenly() {
    for bits in 10..40 {
        for count in [2, 7, 8, 32] {
            let uneven = unevenness((0..100_000).map(|n: Id| n << bits), count);
            assert!(uneven < 1.5, "{bits} bits, {count} shards: {uneven}");
        }
    }
    // Milliseconds, a machine's number, and a sequence that is rarely more than 0.
    let snowflakes =
        (0..50_000).map(|n: Id| (1_700_000_000_000 + n * n % 7919 * 131) << 22 | 5 << 12);
    let uneven = unevenness(snowflakes, 8);
    assert!(uneven < 1.2, "{uneven}");
}

#[test]
fn few_rows_in_all_the_ids_that_there_are_take_few_queries() {
    let far: BTreeSet<Id> = (-50..1000).map(|n: Id| n * 9_000_000_000_000_001).collect();
    for mut walk in shards(8).into_iter().map(Walk::new) {
        let (_, cost) = read(&mut walk, &far, ALL, 4_096);
        assert!(cost.queries < 150, "{cost:?}");
    }
    let (_, cost) = read(&mut Walk::new(shards(1)[0]), &BTreeSet::new(), ALL, 10);
    assert!(cost.queries < 20, "{cost:?}");
}

#[test]
fn a_dense_part_after_a_sparse_one_is_read_by_blocks_again() {
    let mut table: BTreeSet<Id> = (0..100).map(|n| n << 30).collect();
    table.extend((1 << 40)..(1 << 40) + 500_000);
    let mut walk = Walk::new(shards(4)[1]);
    let (ids, cost) = read(&mut walk, &table, ALL, 4_096);
    assert!(ids.len() > 100_000 && cost.others < 60_000, "{cost:?}");
}

#[test]
fn a_wrong_shard_says_which_there_are() {
    for (index, count, words) in [
        (8, 8, "first is 0/8 and the last 7/8"),
        (0, 0, "0/1"),
        (0, 257, "256 shards at the most"),
    ] {
        let problem = Shard::new(index, count).unwrap_err();
        assert!(problem.contains(words), "{problem}");
    }
}

#[test]
fn a_shard_is_known_by_its_file() {
    assert_eq!(shards(8)[3].file_part(), "3of8");
    for (text, is) in [
        ("0of1", true),
        ("255of256", true),
        ("8of8", false),
        ("03of8", false),
        ("+3of8", false),
        ("of", false),
        ("3of8.new", false),
    ] {
        assert_eq!(Shard::is_file_part(text), is, "{text}");
    }
}

#[test]
fn a_shard_says_which_it_is_and_how_much_of_the_work_is_its_own() {
    let shard = shards(8)[3];
    assert_eq!((shard.to_string().as_str(), shard.share(800)), ("3/8", 100));
}

#[test]
fn the_condition_is_that_of_the_ids() {
    let condition = shards(8)[3].condition("`id`");
    assert_eq!(
        condition,
        "((`id` >> 14) ^ (`id` >> 22) ^ (`id` >> 30) ^ (`id` >> 38) ^ (`id` >> 46) ^ (`id` >> 54) ^ (`id` >> 62)) % 8 = 3"
    );
}

proptest! {
    #[test]
    fn every_id_has_one_shard(id in i128::from(i64::MIN)..=i128::from(u64::MAX), count in 1..=COUNT_MAX) {
        prop_assert_eq!(shards(count).iter().filter(|shard| shard.has(id)).count(), 1);
    }

    /// Whatever the table, the range, the limit and what was read before.
    #[test]
    fn a_walk_finds_the_shards_rows_in_order_and_no_others(
        table in proptest::collection::btree_set(
            prop_oneof![-200_000_i128..200_000, i128::from(i64::MIN)..=i128::from(u64::MAX)], 0..200),
        count in prop_oneof![1..10_u32, 250..=COUNT_MAX],
        from in prop_oneof![Just(i128::from(i64::MIN)), -300_000_i128..100_000],
        limit in 1_usize..50,
        earlier in 0_u32..40,
    ) {
        let span = Span { from, to: i128::from(u64::MAX) };
        let mut all = BTreeSet::new();
        for shard in shards(count) {
            let mut walk = Walk::new(shard);
            for _ in 0..earlier {
                walk.has_read(Span { from: 0, to: 0 }, 0);
            }
            let (ids, _) = read(&mut walk, &table, span, limit);
            prop_assert!(ids.is_sorted());
            for id in ids {
                prop_assert!(all.insert(id), "{} was found twice", id);
            }
        }
        let expected: BTreeSet<Id> = table.into_iter().filter(|id| *id >= from).collect();
        prop_assert_eq!(all, expected);
    }
}
