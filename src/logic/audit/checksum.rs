//! Which rows of two tables are equal, told by checksums that their servers compute: for links that are slower than disks.
//!
//! A checksum may only ever say "equal". It is the number of rows of a chunk, and the sum of one number for each row: 32 bits
//! of the SHA-256 of the row's key and compared cells, after a key of its own for each run. So
//!
//! * rows that trade their values, or that all got the same edit, change a sum like any other rows: what SHA-256 makes of two
//!   rows has nothing in common, which cannot be said of CRC32, whose differences are those of its input;
//! * each row counts: two rows of the same content do not cancel each other, as they do under XOR;
//! * no value reaches into the next one, or passes for a NULL: what stands between two values, and what stands for NULL, are
//!   words of each run, which a value holds with a chance of 2^-32. (Lengths before the texts would rule that out, for a third
//!   more of the servers' time, and leave the chance of the next line where it is.)
//! * a chunk that differs passes as equal with a chance of 2^-32, which another run, under another key, does not repeat.
//!
//! Only columns whose values both servers print alike take part: of the same kind, and with the same digits. The same text is
//! read as the same cell then, and identical cells are equal by every rule ([`crate::logic::compare::cells::Comparator::equal`]). Approximate
//! numbers are printed with fewer digits than they hold, so they never take part.
//!
//! Chunks are spans of ids in the source. The destination's part of a chunk are its keys from the first one of this chunk to
//! the first one of the next; where keys do not grow with ids these are other rows, and the two are not equal. Chunks that are
//! not are divided again and again; what is left are short spans of ids for [`crate::logic::compare::rows`] to judge.

use crate::logic::scan::gaps::Span;
use crate::logic::value::cell::{Cell, ColumnType, Id};
use crate::logic::value::sql::{literal, quoted};

/// Rows of a chunk, about.
pub const CHUNK_ROWS: u64 = 8_192;
/// Chunks of one statement while the tables are gone through: seconds at the most, and short enough for the two servers to work
/// at the same time.
const CHUNKS_PER_STATEMENT: usize = 16;
/// Parts that a chunk is divided into when it is not equal.
const PARTS: u8 = 16;
/// Chunks that are divided in one statement, which has to wait for the link as often as any other.
pub const DIVIDED_PER_STATEMENT: usize = 4;
/// A chunk of so many rows is not divided any more.
const UNDIVIDED_ROWS: u64 = 64;

/// What a column's text depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextColumn {
    /// As the server spells it.
    pub name: String,
    /// As declared.
    pub column_type: ColumnType,
    /// Of character data.
    pub charset: Option<String>,
    /// The expression that reads the column, where its character set is not whole ([`crate::logic::value::charset`]).
    pub marked: Option<String>,
    /// It may hold NULL.
    pub is_nullable: bool,
    /// Numbers are printed with zeros before them.
    pub is_zerofill: bool,
    /// Digits after the point.
    pub scale: u8,
}

/// How the values of a pair of columns become the same text on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// By its number, whatever its width.
    Number,
    /// As it is printed.
    Printed,
    /// As UTF-8: one of the two holds another character set.
    Converted,
    /// As UTF-8 or marked bytes, in hexadecimal: one of the two may hold text that has no character in Unicode.
    Marked,
}

impl Form {
    /// `None` when the two may print the same value differently, or different values alike.
    fn of(source: &TextColumn, destination: &TextColumn) -> Option<Self> {
        use ColumnType::{
            Binary, Bit, Date, DateTime, Decimal, Enum, Int, Json, Set, Text, Time, Timestamp,
            Uuid, Year,
        };
        match (source.column_type, destination.column_type) {
            (Int | Year | Bit, Int | Year | Bit) => Some(Self::Number),
            (Decimal, Decimal) if source.scale == destination.scale => Some(Self::Number),
            (Date, Date) | (Uuid, Uuid) | (Binary, Binary) => Some(Self::Printed),
            (DateTime(one), DateTime(other))
            | (Timestamp(one), Timestamp(other))
            | (Time(one), Time(other))
                if one == other =>
            {
                Some(Self::Printed)
            }
            (Text | Enum | Set | Json, Text | Enum | Set | Json) => {
                Some(if source.marked.is_some() || destination.marked.is_some() {
                    Self::Marked
                } else if source.is_utf8() && destination.is_utf8() {
                    Self::Printed
                } else {
                    Self::Converted
                })
            }
            _ => None,
        }
    }
}

impl TextColumn {
    /// Its bytes are those of its text in UTF-8.
    fn is_utf8(&self) -> bool {
        let charset = self.charset.as_deref();
        matches!(charset, Some("utf8mb4" | "utf8mb3" | "utf8" | "ascii"))
    }

    /// What the column adds to the text of a row, in SQL.
    fn text(&self, form: Form) -> String {
        let name = quoted(&self.name);
        let prints_otherwise =
            self.is_zerofill || !matches!(self.column_type, ColumnType::Int | ColumnType::Decimal);
        match form {
            Form::Number if prints_otherwise => format!("{name}+0"),
            // MariaDB puts bytes into the characters of the texts beside them where those are of several collations.
            Form::Printed if self.column_type == ColumnType::Binary => format!("HEX({name})"),
            // A UUID's IFNULL would have to be a UUID.
            Form::Printed if self.column_type == ColumnType::Uuid => {
                format!("CAST({name} AS CHAR)")
            }
            Form::Marked => match &self.marked {
                Some(marked) => format!("HEX({marked})"),
                None if self.charset.is_none() => format!("HEX(CAST({name} AS CHAR))"),
                None => format!("HEX(CONVERT({name} USING utf8mb4))"),
            },
            Form::Converted if self.charset.is_none() => format!("CAST({name} AS CHAR)"),
            Form::Converted if !self.is_utf8() => format!("CONVERT({name} USING utf8mb4)"),
            _ => name,
        }
    }
}

/// The checksums of both sides, in SQL: `COUNT(*), SUM(…)` over rows of the source, and over those of the destination. `pairs` are
/// the key columns and the compared ones, `seed` differs from run to run. Numbers of 32 bits are summed up as DOUBLE, exactly
/// while there are no more than two million of them, and faster than as DECIMAL.
///
/// # Errors
/// The pair whose texts cannot be compared.
pub fn checksums(
    pairs: &[(TextColumn, TextColumn)],
    seed: u64,
) -> Result<(String, String), String> {
    let (between, null) = (seed >> 32, seed & u64::from(u32::MAX));
    let [between, null] = [between, null].map(|word| literal(&format!("{word:08x}")));
    let mut source_texts = vec![between, literal("")];
    let mut destination_texts = source_texts.clone();
    for (source, destination) in pairs {
        let form = Form::of(source, destination).ok_or_else(|| {
            format!(
                "the servers need not print the same value alike in columns {} and {}",
                source.name, destination.name
            )
        })?;
        let is_nullable = source.is_nullable || destination.is_nullable;
        let text = |column: &TextColumn| match column.text(form) {
            text if is_nullable => format!("IFNULL({text},{null})"),
            text => text,
        };
        source_texts.push(text(source));
        destination_texts.push(text(destination));
    }
    let sum = |texts: &[String]| {
        format!(
            "COUNT(*), SUM(CRC32(SHA2(CONCAT_WS({}),256))*1e0)",
            texts.join(",")
        )
    };
    Ok((sum(&source_texts), sum(&destination_texts)))
}

/// So many numbers of 32 bits have a sum of 53 bits, which a DOUBLE holds exactly.
const SUMMED_ROWS_MAX: u64 = 1 << 21;

/// What a server said of some rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksum {
    /// How many.
    pub rows: u64,
    /// Of their numbers; `None` when the server could not tell each row's, or the sum of so many.
    pub sum: Option<u64>,
}

impl Checksum {
    /// As a server told it: it has no sum of no rows, and one of too many may be rounded.
    #[must_use]
    pub fn told(rows: u64, sum: Option<u64>) -> Self {
        let sum = if rows == 0 { Some(0) } else { sum };
        Self {
            rows,
            sum: sum.filter(|_| rows <= SUMMED_ROWS_MAX),
        }
    }

    /// The rows are the same.
    #[must_use]
    pub fn agrees_with(self, other: Self) -> bool {
        self.rows == other.rows && self.sum.is_some() && self.sum == other.sum
    }
}

/// A span of ids in the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// Where its rows are.
    pub span: Span,
    /// Of its rows.
    pub checksum: Checksum,
    /// The key of its first row; NULL without one.
    pub first_key: Cell,
}

impl Chunk {
    /// Small enough to be looked at row by row.
    #[must_use]
    pub fn is_undivided(&self) -> bool {
        self.checksum.rows <= UNDIVIDED_ROWS || self.span.from >= self.span.to
    }

    /// Takes one in that comes after it.
    fn append(&mut self, next: &Self) {
        self.span.to = next.span.to;
        let Checksum { rows, sum } = &mut self.checksum;
        *rows = rows.saturating_add(next.checksum.rows);
        *sum = sum
            .zip(next.checksum.sum)
            .and_then(|(one, other)| one.checked_add(other));
    }

    /// Its parts.
    #[must_use]
    pub fn parts(&self) -> Vec<Span> {
        let Span { from, to } = self.span;
        let width = (to - from) / Id::from(PARTS) + 1;
        spans_from(from, to, width, usize::from(PARTS))
    }
}

/// Keys in a destination's own order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyRange {
    /// This one and those behind it.
    pub from: Option<Cell>,
    /// Those before this one.
    pub below: Option<Cell>,
}

/// A chunk, and the destination's part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// Of the source.
    pub chunk: Chunk,
    /// Of the destination.
    pub range: KeyRange,
}

impl Tile {
    /// The destination's part has so many more or fewer rows that it is another part.
    fn is_unaligned_with(&self, found: Checksum) -> bool {
        let rows = self.chunk.checksum.rows;
        rows.abs_diff(found.rows) > rows / 4 + 16
    }
}

/// Whether keys grow with ids, so that chunks of one side have their parts on the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alignment {
    tiles: u64,
    unaligned: u64,
}

impl Alignment {
    /// Takes a comparison in.
    pub fn note(&mut self, tile: &Tile, found: Checksum) {
        self.tiles += 1;
        self.unaligned += u64::from(tile.is_unaligned_with(found));
    }

    /// More than half of the chunks have other rows than their parts: checksums say nothing about these tables.
    #[must_use]
    pub fn is_lost(self) -> bool {
        self.tiles >= 8 && self.unaligned * 2 > self.tiles
    }
}

/// Lays the destination's key ranges side by side, without a gap, while chunks come in.
#[derive(Clone, Debug)]
pub struct Paver {
    held: Option<Tile>,
    /// Where the next range begins.
    from: Option<Cell>,
    /// Where the last one ends.
    below: Option<Cell>,
}

impl Paver {
    /// Over this range.
    #[must_use]
    pub fn new(KeyRange { from, below }: KeyRange) -> Self {
        Self {
            held: None,
            from,
            below,
        }
    }

    /// Takes chunks in; a range is known when the next one begins. A chunk without rows has no range, and one that begins
    /// with NULL, which has no place among keys, belongs to the range before it.
    pub fn push(&mut self, chunks: Vec<Chunk>) -> Vec<Tile> {
        let mut tiles = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            if chunk.checksum.rows == 0 {
                continue;
            }
            let begins = Some(chunk.first_key.clone()).filter(|key| *key != Cell::Null);
            if let Some(mut held) = self.held.take() {
                if begins.is_none() {
                    held.chunk.append(&chunk);
                    self.held = Some(held);
                    continue;
                }
                held.range.below.clone_from(&begins);
                tiles.push(held);
                self.from = begins;
            }
            let range = KeyRange {
                from: self.from.take(),
                below: None,
            };
            self.held = Some(Tile { chunk, range });
        }
        tiles
    }

    /// Everything before this chunk has its range.
    #[must_use]
    pub fn held(&self) -> Option<&Chunk> {
        self.held.as_ref().map(|tile| &tile.chunk)
    }

    /// The last tile.
    #[must_use]
    pub fn finish(self) -> Option<Tile> {
        let mut held = self.held?;
        held.range.below = self.below;
        Some(held)
    }
}

/// How many ids a chunk should span, learnt from those before.
#[derive(Clone, Copy, Debug)]
pub struct Width {
    ids: Id,
}

impl Default for Width {
    fn default() -> Self {
        let ids = Id::from(CHUNK_ROWS);
        Self { ids }
    }
}

impl Width {
    /// The spans of the next statement, which may read about so many rows.
    #[must_use]
    pub fn spans(self, from: Id, to: Id, rows_max: usize) -> Vec<Span> {
        let most = rows_max as u64 / CHUNK_ROWS;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        spans_from(from, to, self.ids, most.clamp(1, CHUNKS_PER_STATEMENT))
    }

    /// Ids may become denser behind, so a width grows by steps and shrinks at once.
    #[must_use]
    pub fn learnt(self, chunks: usize, rows: u64) -> Self {
        let wanted = u128::from(CHUNK_ROWS) * chunks as u128;
        let ids = match rows {
            0 => self.ids.saturating_mul(64),
            rows => {
                let fitting = self
                    .ids
                    .saturating_mul(Id::try_from(wanted).unwrap_or(Id::MAX))
                    / Id::from(rows);
                fitting.min(self.ids.saturating_mul(4))
            }
        };
        Self {
            ids: ids.clamp(1, Id::from(u64::MAX)),
        }
    }
}

fn spans_from(from: Id, to: Id, width: Id, most: usize) -> Vec<Span> {
    let starts = std::iter::successors(Some(from), |from| from.checked_add(width));
    starts
        .take_while(|&from| from <= to)
        .take(most)
        .map(|from| Span {
            from,
            to: from.saturating_add(width - 1).min(to),
        })
        .collect()
}

/// Rows of a sample.
pub const SAMPLE_ROWS: usize = 8_192;

/// The same rows read, and summed up by their servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Microseconds for reading them on both sides, one after the other.
    pub read_us: i64,
    /// Microseconds for their checksums, likewise.
    pub summed_us: i64,
    /// Microseconds for a query that does nothing.
    pub round_trip_us: i64,
}

/// Reading the sample took no longer than this: the link is no reason for checksums.
pub const FAST_US: i64 = 100_000;
/// Checksums have to be so many times as fast: chunks that differ are summed up again, and then read.
const GAIN_LEAST: i64 = 3;

impl Sample {
    /// Whether checksums are the better way, as far as both sides' two queries tell.
    #[must_use]
    pub fn is_for_checksums(self) -> bool {
        let Self {
            read_us,
            summed_us,
            round_trip_us,
        } = self;
        let waited_us = round_trip_us.saturating_mul(2);
        let gained_us = (summed_us - waited_us)
            .max(1_000)
            .saturating_mul(GAIN_LEAST);
        read_us > FAST_US && read_us - waited_us >= gained_us
    }
}

#[cfg(test)]
mod tests;
