//! Rows of the two sides, as they are compared.

use xxhash_rust::xxh3::Xxh3;

use crate::logic::value::address::Address;
use crate::logic::value::cell::{Cell, DateTime, Id};

/// A source row: its id, the key that finds its copies, and the columns that are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// `src.idColumn`.
    pub id: Id,
    /// `src.byColumn`.
    pub key: Cell,
    /// `src.updateColumn`, NULL where updates are not looked at.
    pub updated: Cell,
    /// The source columns that any destination compares, in [`crate::logic::compare::rows::ColumnMap`]'s numbering.
    pub cells: Vec<Cell>,
}

impl Row {
    /// What finds it again.
    #[must_use]
    pub fn address(&self) -> Address {
        self.id.into()
    }

    /// About how many bytes of memory the row's values take.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        size_of::<Self>() + cells_bytes(&self.cells) + cells_bytes(std::slice::from_ref(&self.key))
    }

    /// A fingerprint of everything that was compared, for telling whether a row that a window meets
    /// again is the row that was compared. A change goes unseen with probability 2^-64.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        fingerprint([&self.key, &self.updated].into_iter().chain(&self.cells))
    }
}

/// A fingerprint of some cells, as [`Row::fingerprint`]. It goes into the checkpoint and the outbox, so
/// it is specified: XXH3, 64 bits, without a seed, over the cells one after the other. A cell is its tag
/// (0 for NULL, then in the order of [`crate::logic::value::cell::CellOf`]), and its value little-endian; text and bytes
/// follow their length in 64 bits, a date and time is its fields from year (16 bits) to microsecond (32).
#[must_use]
pub fn fingerprint<'a>(cells: impl IntoIterator<Item = &'a Cell>) -> u64 {
    let mut hasher = Xxh3::new();
    for cell in cells {
        hash_cell(cell, &mut hasher);
    }
    hasher.digest()
}

/// About how many bytes of memory these cells take.
#[must_use]
pub fn cells_bytes(cells: &[Cell]) -> usize {
    let heap = |cell: &Cell| match cell {
        Cell::Text(text) | Cell::Decimal(text) => text.len(),
        Cell::Bytes(bytes) | Cell::Encoded(bytes) => bytes.len(),
        _ => 0,
    };
    size_of_val(cells) + cells.iter().map(heap).sum::<usize>()
}

fn hash_cell(cell: &Cell, hasher: &mut Xxh3) {
    match cell {
        Cell::Null => hasher.update(&[0]),
        Cell::Int(value) => hash_fixed(1, &value.to_le_bytes(), hasher),
        Cell::UInt(value) => hash_fixed(2, &value.to_le_bytes(), hasher),
        Cell::Float(value) => hash_fixed(3, &value.to_bits().to_le_bytes(), hasher),
        Cell::Double(value) => hash_fixed(4, &value.to_bits().to_le_bytes(), hasher),
        Cell::Decimal(text) => hash_framed(5, text.as_bytes(), hasher),
        Cell::Text(text) => hash_framed(6, text.as_bytes(), hasher),
        Cell::Bytes(bytes) => hash_framed(7, bytes, hasher),
        Cell::DateTime(DateTime {
            year,
            month,
            day,
            hour,
            minute,
            second,
            microsecond,
        }) => {
            hash_fixed(8, &year.to_le_bytes(), hasher);
            hasher.update(&[*month, *day, *hour, *minute, *second]);
            hasher.update(&microsecond.to_le_bytes());
        }
        Cell::Time(value) => hash_fixed(9, &value.to_le_bytes(), hasher),
        Cell::Encoded(bytes) => hash_framed(10, bytes, hasher),
    }
}

fn hash_fixed(tag: u8, bytes: &[u8], hasher: &mut Xxh3) {
    hasher.update(&[tag]);
    hasher.update(bytes);
}

/// With its length, so that a byte cannot move from one cell to the next unseen.
fn hash_framed(tag: u8, bytes: &[u8], hasher: &mut Xxh3) {
    hash_fixed(tag, &(bytes.len() as u64).to_le_bytes(), hasher);
    hasher.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[Cell]) -> Row {
        Row {
            id: 1,
            key: Cell::Int(1),
            updated: Cell::Null,
            cells: cells.to_vec(),
        }
    }

    #[test]
    fn the_bytes_of_a_row_are_those_of_its_values() {
        let empty = row(&[Cell::Int(1), Cell::Null, Cell::Text("".into())]).size_bytes();
        let full = Row {
            key: Cell::Decimal("12".into()),
            ..row(&[
                Cell::Bytes([0; 100][..].into()),
                Cell::Null,
                Cell::Text("é".into()),
            ])
        };
        assert_eq!(full.size_bytes() - empty, 104);
        assert!(empty > 4 * size_of::<Cell>());
        assert_eq!(cells_bytes(&[]), 0);
        assert_eq!(
            cells_bytes(&[const { Cell::Null }; 3]),
            3 * size_of::<Cell>()
        );
    }

    /// A row with a cell of each kind. Its fingerprint is in the files of every user: a change of it makes
    /// each row of the last window and each owed callback a stranger to the next pass.
    #[test]
    fn the_fingerprint_that_is_saved_stays_the_same() {
        let row = row(&[
            Cell::Null,
            Cell::Int(-1),
            Cell::UInt(u64::MAX),
            Cell::Float(1.5),
            Cell::Double(-0.1),
            Cell::Decimal("1.20".into()),
            Cell::Text("é".into()),
            Cell::Bytes((*b"\0\xff").into()),
            Cell::DateTime(DateTime {
                year: 2026,
                month: 1,
                day: 2,
                hour: 3,
                minute: 4,
                second: 5,
                microsecond: 678_901,
            }),
            Cell::Time(-3_600_000_000),
        ]);
        assert_eq!(row.fingerprint(), 0xad1a_3da8_e892_8beb);
        assert_eq!(fingerprint([]), 0x2d06_8005_38d3_94c2, "XXH3 of nothing");
    }

    #[test]
    fn a_change_of_any_cell_changes_the_fingerprint() {
        let moment = |field: usize| {
            let mut at = [1; 7];
            at[field] = 2;
            Cell::DateTime(DateTime {
                year: at[0].into(),
                month: at[1],
                day: at[2],
                hour: at[3],
                minute: at[4],
                second: at[5],
                microsecond: at[6].into(),
            })
        };
        let cells = [
            Cell::Null,
            Cell::Int(1),
            Cell::Int(2),
            Cell::UInt(1),
            Cell::UInt(2),
            Cell::Float(1.0),
            Cell::Float(2.0),
            Cell::Double(1.0),
            Cell::Double(2.0),
            Cell::Decimal("1".into()),
            Cell::Decimal("2".into()),
            Cell::Text("1".into()),
            Cell::Text("2".into()),
            Cell::Bytes((*b"1").into()),
            Cell::Bytes((*b"2").into()),
            Cell::Time(1),
            Cell::Time(2),
        ];
        let all: Vec<Cell> = cells.into_iter().chain((0..7).map(moment)).collect();
        let prints: Vec<u64> = all.iter().map(|cell| fingerprint([cell])).collect();
        for (n, print) in prints.iter().enumerate() {
            assert!(!prints[..n].contains(print), "{:?}", all[n]);
        }
        let mut changed = row(&all);
        let before = changed.fingerprint();
        changed.key = Cell::Int(2);
        assert_ne!(changed.fingerprint(), before);
        changed.key = Cell::Int(1);
        assert_eq!(changed.fingerprint(), before);
        changed.updated = Cell::Int(1);
        assert_ne!(changed.fingerprint(), before);
    }

    #[test]
    fn a_fingerprint_tells_apart_what_a_separator_or_a_swap_would_not() {
        let text = |s: &str| Cell::Text(s.into());
        let prints = [
            row(&[text("a#b"), text("c")]),
            row(&[text("a"), text("b#c")]),
            row(&[text("c"), text("a#b")]),
            row(&[text("a#bc"), text("")]),
            row(&[text("a#bc"), Cell::Null]),
            row(&[Cell::Null, text("a#bc")]),
            row(&[text("NULL"), text("a#bc")]),
        ]
        .map(|row| row.fingerprint());
        for (n, print) in prints.iter().enumerate() {
            assert!(!prints[..n].contains(print), "{n}");
        }
    }
}
