//! The place of a statement in the order: which unique values its row gives up and takes.

use std::hash::{BuildHasher as _, Hasher as _};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Builder;

use super::written::{UniquePart, Written, WrittenColumn};
use super::{Fix, Wrong};
use crate::logic::compare::rows::Verdict;
use crate::logic::value::cell::{Cell, ColumnType};
use crate::logic::value::print;
use crate::logic::value::row::Row;
use crate::logic::value::sql::{in_comment, quoted};

/// A row that is wrong, and what its statement depends on beside it.
#[derive(Debug)]
pub struct Repair<'a> {
    /// The row.
    pub fix: Fix<'a>,
    /// What is known of the destination's table.
    pub table: &'a Written,
    /// The first of the copies, one cell for each pair.
    pub copy: Option<&'a [Cell]>,
}

/// A statement, and what decides when it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// One line.
    pub statement: String,
    /// What decides when and how it runs.
    pub terms: Terms,
}

/// What decides when and how a statement runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// Hashes of unique values that the row has and gives up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gives: Vec<u64>,
    /// Hashes of unique values that it takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<u64>,
    /// The statement by which it gives them up first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub park: Option<String>,
    /// It needs [`super::NOT_STRICT`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_strict: bool,
}

impl Repair<'_> {
    /// The statement, and when it runs.
    #[must_use]
    pub fn entry(&self) -> Entry {
        let Self { fix, table, copy } = self;
        let statement = fix.statement_for(table);
        let Wrong::Copies {
            row,
            verdict,
            copies,
        } = fix.wrong
        else {
            return Entry {
                statement,
                ..Entry::default()
            };
        };
        let mut terms = Terms {
            not_strict: *verdict != Verdict::Agree && fix.writes_error_value(row, table),
            ..Terms::default()
        };
        if let (Verdict::Different(differing), Some(copy), 1) = (verdict, copy, copies) {
            fix.trade(row, differing, copy, table, &mut terms);
        }
        Entry { statement, terms }
    }
}

impl Fix<'_> {
    /// An ENUM of the destination is to hold the error value, as the source's does.
    fn writes_error_value(&self, row: &Row, table: &Written) -> bool {
        self.map.pairs.iter().any(|pair| {
            let column = table.column(&pair.destination);
            column.is_some_and(WrittenColumn::refuses_empty)
                && print::text(&row.cells[pair.source_index], pair.source_type).is_empty()
        })
    }

    /// Which unique values the row gives up and takes.
    fn trade(
        &self,
        row: &Row,
        differing: &[usize],
        copy: &[Cell],
        table: &Written,
        terms: &mut Terms,
    ) {
        let mut parked: Vec<(String, String, String)> = Vec::new();
        let mut can_park = true;
        for (number, index) in table.unique.iter().enumerate() {
            let pair_of = |name: &str| {
                let name = name.to_lowercase();
                let pairs = self.map.pairs.iter().enumerate();
                let mut same = pairs.filter(|(_, pair)| pair.destination.to_lowercase() == name);
                same.next()
            };
            let changed = index.iter().filter(|part| {
                pair_of(&part.column).is_some_and(|(at, _)| differing.contains(&at))
            });
            let changed: Vec<_> = changed.collect();
            if changed.is_empty() {
                continue;
            }
            let hash = |is_new: bool| {
                let target = (self.target.name, number);
                let cell = |part: &UniquePart| {
                    let (at, pair) = pair_of(&part.column)?;
                    Some(if is_new {
                        (&row.cells[pair.source_index], pair.source_type)
                    } else {
                        (&copy[at], pair.destination_type)
                    })
                };
                value_hash(target, index, cell)
            };
            terms.gives.extend(hash(false));
            terms.takes.extend(hash(true));
            let free = changed.iter().find_map(|part| {
                let column = table.column(&part.column)?;
                let place = hash(false).unwrap_or_default() ^ id_hash(row);
                let (join, value) = column.free_value(&self.table(), place)?;
                Some((join, column.name.clone(), value))
            });
            match free {
                Some(free) if parked.iter().all(|(_, name, _)| *name != free.1) => {
                    parked.push(free);
                }
                Some(_) => {}
                None => can_park = false,
            }
        }
        let trades = !terms.gives.is_empty() || !terms.takes.is_empty();
        if trades && can_park {
            terms.park = self.parking(row, &parked);
        }
    }

    /// The statement by which a row gives up its unique values: for each a join that it needs, the column, and the value
    /// that is free. Two of them might need two joins of one name; there is none then.
    fn parking(&self, row: &Row, parked: &[(String, String, String)]) -> Option<String> {
        let joins = parked.iter().map(|(join, ..)| join.as_str());
        let joins: Vec<&str> = joins.filter(|join| !join.is_empty()).collect();
        if joins.len() > 1 {
            return None;
        }
        let sets = parked
            .iter()
            .map(|(_, name, value)| format!("{} = {value}", quoted(name)));
        let sets: Vec<String> = sets.collect();
        let name = in_comment(self.target.name);
        let join = joins.first().unwrap_or(&"");
        Some(format!(
            "/* {name}: id {} gives up a unique value that another row takes, and takes its own below */ UPDATE {}{join} SET {} \
             WHERE {};",
            row.id,
            self.table(),
            sets.join(", "),
            self.condition(&self.found_by(&row.key, self.map.key_type))
        ))
    }
}

/// Stands for the values of a row in a unique index of a destination; `None` where one of them is NULL, which is unique.
/// Columns that are not compared stay what they are: without them, more seems to be the same than is.
fn value_hash<'c>(
    (target, number): (&str, usize),
    index: &[UniquePart],
    cell: impl Fn(&UniquePart) -> Option<(&'c Cell, ColumnType)>,
) -> Option<u64> {
    let mut hasher = Xxh3Builder::new().build_hasher();
    hasher.write(target.as_bytes());
    hasher.write_usize(number);
    for part in index {
        let Some((cell, column_type)) = cell(part) else {
            continue;
        };
        if *cell == Cell::Null {
            return None;
        }
        let text = print::text(cell, column_type);
        hasher.write(coarse(&text, column_type, part.prefix).as_bytes());
        hasher.write_u8(0);
    }
    Some(hasher.finish())
}

fn id_hash(row: &Row) -> u64 {
    let mut hasher = Xxh3Builder::new().build_hasher();
    hasher.write(row.id.to_string().as_bytes());
    hasher.finish()
}

/// Values that some collation takes for the same have the same coarse form; others may.
fn coarse(text: &str, column_type: ColumnType, prefix: Option<usize>) -> String {
    if let ColumnType::Float | ColumnType::Double | ColumnType::Decimal | ColumnType::Int =
        column_type
    {
        // One number, however its column prints it.
        return text
            .parse::<f64>()
            .map_or_else(|_| text.to_owned(), |n| format!("{:e}", n + 0.0));
    }
    let begin = prefix.unwrap_or(usize::MAX);
    let folded = text
        .chars()
        .take(begin)
        .flat_map(char::to_lowercase)
        .map(without_accent);
    folded.collect::<String>().trim_end().to_owned()
}

/// The letter under an accent of Latin-1; other characters are themselves.
fn without_accent(character: char) -> char {
    match character {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    }
}
