//! One part of N of a table: which ids it has, and how to read them without reading the others'.
//!
//! N audits on N machines share nothing and begin at different moments, while the table grows; still every row must
//! belong to exactly one of them. So where the cuts lie may depend on nothing that changes: not on the highest id, not on
//! a count of rows, not on a server's statistics. Ranges of equally many rows would do, as long as somebody computes them
//! once for all; N machines that compute them one after the other leave rows between their cuts.
//!
//! Here an id says itself whose it is. Ids come in blocks of [`BLOCK_IDS`], and the number of a block, its higher bytes
//! folded into its lowest by XOR, modulo N says whose it is: the parts are disjoint and complete whatever the table does.
//!
//! * **About the same number of rows.** Of 256 blocks in a row each shard has as many as any other, to within one: the
//!   lowest byte takes each of its values there, and all other bits stay. Where ids are spread over many blocks, the
//!   shards share them evenly. Folding is for ids with steps of a power of two (those of a generator that keeps its lowest
//!   bits for something else), which would all fall to one shard otherwise. A table of fewer blocks than shards leaves
//!   some without work; one of them audits it in a second.
//! * **No shard reads what is not its own** where a block holds many rows: it is asked for by its ends, and the others
//!   are passed over. Where ids lie far apart a query for each block would take longer than the table is worth, so one
//!   query spans many blocks, more and more of them while it brings little, and the server leaves out what is not the
//!   shard's ([`Shard::condition`]). A [`Walk`] tells which; through an empty range of 2^63 ids it takes a dozen steps.
//! * **The copy** is read by the same blocks where its primary key is the id. Where it has another key, nothing says
//!   where a shard's rows lie in it, and N shards would read it N times; its rows are looked up by key instead, which
//!   four shards do faster than each of them reads everything. Rows that only the copy has belong to no id, and so to no
//!   shard: an audit without shards finds them.

use std::fmt;

use crate::logic::scan::gaps::Span;
use crate::logic::value::cell::Id;

/// Ids of one block.
pub const BLOCK_IDS: Id = 1 << BLOCK_BITS;
const BLOCK_BITS: u32 = 14;
/// How many shards there can be: every shard has one of 256 blocks in a row.
pub const COUNT_MAX: u32 = 256;

/// A block is worth a query of its own when it holds this many rows.
const ROWS_WORTH_A_QUERY: u64 = 128;
/// A query over many blocks brings enough when it brings this many rows.
const ROWS_ENOUGH: u64 = 1_024;
/// No id column has more blocks, for ids take less than 65 bits.
const BLOCKS_MAX: Id = 1 << 51;

/// One part of N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    index: u32,
    count: u32,
}

impl Shard {
    /// Part `index`, which counts from 0, of `count`.
    ///
    /// # Errors
    /// What a user should write instead.
    pub fn new(index: u32, count: u32) -> Result<Self, String> {
        match (index, count) {
            (_, 0) => Err("there must be at least one shard; the only one of one is 0/1".into()),
            (_, count) if count > COUNT_MAX => Err(format!(
                "there can be {COUNT_MAX} shards at the most, such as 0/8"
            )),
            (index, count) if index >= count => Err(format!(
                "shards count from 0: of {count} the first is 0/{count} and the last {}/{count}",
                count - 1
            )),
            (index, count) => Ok(Self { index, count }),
        }
    }

    /// Whether a row is of this shard, by its id.
    #[must_use]
    pub fn has(self, id: Id) -> bool {
        self.is_own(id.div_euclid(BLOCK_IDS))
    }

    /// The same as an SQL condition on the integer column `id` (quoted).
    #[must_use]
    pub fn condition(self, id: &str) -> String {
        let Self { index, count } = self;
        let bytes: Vec<String> = (BLOCK_BITS..u64::BITS)
            .step_by(8)
            .map(|shift| format!("({id} >> {shift})"))
            .collect();
        format!("({}) % {count} = {index}", bytes.join(" ^ "))
    }

    /// What of so many ids is this shard's, about.
    #[must_use]
    pub fn share(self, ids: u64) -> u64 {
        ids / u64::from(self.count)
    }

    /// As part of a file's name: `0of8`.
    #[must_use]
    pub fn file_part(self) -> String {
        format!("{}of{}", self.index, self.count)
    }

    /// Whether [`Self::file_part`] makes such a text of any shard.
    #[must_use]
    pub fn is_file_part(text: &str) -> bool {
        let parsed = text
            .split_once("of")
            .and_then(|(index, count)| Self::new(index.parse().ok()?, count.parse().ok()?).ok());
        parsed.is_some_and(|shard| shard.file_part() == text)
    }

    fn is_own(self, block: Id) -> bool {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the 64 bits that the server shifts"
        )]
        let id = (block << BLOCK_BITS) as u64;
        let folded = (BLOCK_BITS..u64::BITS)
            .step_by(8)
            .fold(0, |folded, shift| folded ^ (id >> shift));
        folded % u64::from(self.count) == u64::from(self.index)
    }
}

/// `0/8`.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// A shard's way through a table.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    shard: Shard,
    /// How many blocks the next query spans.
    blocks: Id,
}

impl Walk {
    /// Begins with single blocks.
    #[must_use]
    pub fn new(shard: Shard) -> Self {
        Self { shard, blocks: 1 }
    }

    /// Whose way it is.
    #[must_use]
    pub fn shard(&self) -> Shard {
        self.shard
    }

    /// What to ask for next of a span: nothing of the shard's lies before it, and after it the span goes on. `None` when
    /// nothing of the shard's is left in the span.
    #[must_use]
    pub fn piece(&self, span: Span) -> Option<Span> {
        let mut block = span.from.div_euclid(BLOCK_IDS);
        while !self.shard.is_own(block) {
            block += 1; // Less than 512 times, see the module's head; and once more where negative ids end.
        }
        let piece = Span {
            from: span.from.max(block * BLOCK_IDS),
            to: span.to.min((block + self.blocks) * BLOCK_IDS - 1),
        };
        (piece.from <= span.to).then_some(piece)
    }

    /// A query over these ids brought so many of the shard's rows.
    pub fn has_read(&mut self, span: Span, rows: u64) {
        let ids = u128::try_from(span.to - span.from + 1).unwrap_or(1).max(1);
        // Of the ids of several blocks the shard has its share.
        let shards = if self.blocks > 1 { self.shard.count } else { 1 };
        let rows_per_block = u128::from(rows) * u128::from(shards) * BLOCK_IDS.unsigned_abs() / ids;
        self.blocks = if rows == 0 {
            self.blocks * 16
        } else if rows_per_block >= u128::from(ROWS_WORTH_A_QUERY) {
            1
        } else if rows < ROWS_ENOUGH {
            self.blocks * 2
        } else {
            self.blocks
        }
        .min(BLOCKS_MAX);
    }
}

#[cfg(test)]
mod tests {
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
                if walk.shard().has(id) {
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
}
