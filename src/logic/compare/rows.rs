//! The only place that decides whether two rows agree.

use serde::{Deserialize, Serialize};

use crate::logic::compare::cells::Comparator;
use crate::logic::value::cell::{Cell, ColumnType};

/// In what way a destination's copy of a row is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The destination lacks the row; callback type 1.
    Missing,
    /// The destination has the row with other values; callback type 2.
    Different,
}

impl Kind {
    /// The number in a callback's `type`.
    #[must_use]
    pub fn callback_type(self) -> u8 {
        match self {
            Self::Missing => 1,
            Self::Different => 2,
        }
    }
}

/// Which columns of a source row a destination holds, and when they are equal.
#[derive(Debug)]
pub struct ColumnMap {
    /// In the order of `des[].columns`, which is also the order of a found row's cells.
    pub pairs: Vec<Pair>,
    /// The type of the source's key column.
    pub key_type: ColumnType,
    /// The type of the destination's.
    pub destination_key_type: ColumnType,
}

/// One entry of `des[].columns`.
#[derive(Debug)]
pub struct Pair {
    /// The source column's name.
    pub name: String,
    /// Its place in [`crate::logic::value::row::Row::cells`].
    pub source_index: usize,
    /// Its type.
    pub source_type: ColumnType,
    /// The destination column's name.
    pub destination: String,
    /// Its type.
    pub destination_type: ColumnType,
    /// It is a TIMESTAMP that is read as its server prints it, in the server's default zone, which is not UTC.
    pub in_server_zone: bool,
    /// When the two are equal.
    pub comparator: Comparator,
}

/// What a destination found for a batch of keys, or for the first of them when memory has no room for all.
#[derive(Debug, Default)]
pub struct Found {
    /// The rows, in no particular order, each with one cell for each [`Pair`].
    pub rows: Vec<Vec<Cell>>,
    /// For each key that it answers for, in the order in which they were asked for, which of the rows are its own.
    pub by_key: Vec<Matches>,
}

/// Which rows of [`Found`] belong to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matches {
    /// None.
    None,
    /// This one.
    One(usize),
    /// Several: the key is not unique in the destination.
    Many(Vec<usize>),
    /// The server cannot look for this key, so it cannot hold it either.
    Unfindable(String),
    /// Its rows are too large to be read: so many bytes.
    TooLarge(u64),
}

impl Matches {
    /// Adds a row.
    pub fn push(&mut self, row: usize) {
        match self {
            Self::None | Self::Unfindable(_) | Self::TooLarge(_) => *self = Self::One(row),
            Self::One(first) => *self = Self::Many(vec![*first, row]),
            Self::Many(rows) => rows.push(row),
        }
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[usize] {
        match self {
            Self::None | Self::Unfindable(_) | Self::TooLarge(_) => &[],
            Self::One(row) => std::slice::from_ref(row),
            Self::Many(rows) => rows,
        }
    }
}

/// How a source row and its copy relate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// At least one copy is equal.
    Agree,
    /// There is no copy.
    Missing,
    /// No copy is equal; the first one differs in these [`Pair`]s.
    Different(Vec<usize>),
}

impl Verdict {
    /// The kind of a verdict that is not [`Verdict::Agree`].
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Agree => None,
            Self::Missing => Some(Kind::Missing),
            Self::Different(_) => Some(Kind::Different),
        }
    }
}

/// Compares a source row's cells with the rows found for its key. Of several copies one that is equal suffices.
#[must_use]
pub fn compare(source: &[Cell], found: &Found, matches: &Matches, map: &ColumnMap) -> Verdict {
    let differs = |row: usize, pair: usize| {
        let Pair {
            source_index,
            comparator,
            ..
        } = &map.pairs[pair];
        !comparator.equal(&source[*source_index], &found.rows[row][pair])
    };
    let rows = matches.rows();
    let Some(&first) = rows.first() else {
        return Verdict::Missing;
    };
    if rows
        .iter()
        .any(|&row| !(0..map.pairs.len()).any(|pair| differs(row, pair)))
    {
        return Verdict::Agree;
    }
    Verdict::Different(
        (0..map.pairs.len())
            .filter(|&pair| differs(first, pair))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::compare::cells::Rule;

    fn map() -> ColumnMap {
        let pair = |name: &str, source_index| Pair {
            name: name.into(),
            source_index,
            source_type: ColumnType::Int,
            destination: name.into(),
            destination_type: ColumnType::Int,
            in_server_zone: false,
            comparator: Comparator::new(ColumnType::Int, ColumnType::Int, &Rule::default()),
        };
        ColumnMap {
            pairs: vec![pair("b", 1), pair("a", 0)],
            key_type: ColumnType::Int,
            destination_key_type: ColumnType::Int,
        }
    }

    fn verdict(found: &[[i64; 2]]) -> Verdict {
        let mut matches = Matches::None;
        (0..found.len()).for_each(|row| matches.push(row));
        let rows = found
            .iter()
            .map(|row| row.map(Cell::Int).to_vec())
            .collect();
        let found = Found {
            rows,
            by_key: vec![],
        };
        compare(&[Cell::Int(1), Cell::Int(2)], &found, &matches, &map())
    }

    #[test]
    fn a_row_agrees_when_one_of_its_copies_does() {
        assert_eq!(verdict(&[[2, 1]]), Verdict::Agree);
        assert_eq!(verdict(&[[9, 9], [2, 1]]), Verdict::Agree);
        assert_eq!(verdict(&[]), Verdict::Missing);
    }

    #[test]
    fn each_verdict_has_its_kind_and_each_kind_its_number() {
        assert_eq!(Verdict::Agree.kind(), None);
        let kinds = [Verdict::Missing, Verdict::Different(vec![0])].map(|v| v.kind());
        assert_eq!(kinds, [Some(Kind::Missing), Some(Kind::Different)]);
        assert_eq!(kinds.map(|kind| kind.unwrap().callback_type()), [1, 2]);
    }

    #[test]
    fn what_differs_is_named_by_the_first_copy() {
        assert_eq!(verdict(&[[2, 9]]), Verdict::Different(vec![1]));
        assert_eq!(verdict(&[[9, 9], [2, 9]]), Verdict::Different(vec![0, 1]));
    }

    #[test]
    fn a_key_that_the_server_cannot_look_for_is_missing() {
        let found = Found {
            rows: vec![],
            by_key: vec![],
        };
        let matches = Matches::Unfindable("charset".into());
        assert_eq!(
            compare(&[Cell::Int(1), Cell::Int(2)], &found, &matches, &map()),
            Verdict::Missing
        );
    }
}
