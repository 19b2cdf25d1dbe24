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
pub(crate) const BLOCK_IDS: Id = 1 << BLOCK_BITS;
const BLOCK_BITS: u32 = 14;
/// How many shards there can be: every shard has one of 256 blocks in a row.
pub(crate) const COUNT_MAX: u32 = 256;

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
pub(crate) struct Walk {
    shard: Shard,
    /// How many blocks the next query spans.
    blocks: Id,
}

impl Walk {
    /// Begins with single blocks.
    #[must_use]
    pub(crate) fn new(shard: Shard) -> Self {
        Self { shard, blocks: 1 }
    }

    /// What to ask for next of a span: nothing of the shard's lies before it, and after it the span goes on. `None` when
    /// nothing of the shard's is left in the span.
    #[must_use]
    pub(crate) fn piece(&self, span: Span) -> Option<Span> {
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
    pub(crate) fn has_read(&mut self, span: Span, rows: u64) {
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
mod tests;
