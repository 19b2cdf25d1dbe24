//! The statement that would repair one row of a destination. It is written for people and never executed.
//!
//! An UPDATE sets the columns that differ, and every mapped DATETIME and TIMESTAMP: one that has `ON UPDATE
//! CURRENT_TIMESTAMP` and is not set would become a new difference. The statements expect the session of [`PREAMBLE`].
//!
//! Nothing is deleted: whether a row that only a destination has should go is not for cupid to say, so its DELETE is a
//! comment, on one line whatever stands in it.

use super::cell::{Cell, ColumnType};
use super::compare::{ColumnMap, Pair, Verdict};
use super::number::Decimal;
use super::print;
use super::row::Row;
use super::sql::{binary_literal, in_comment, on_one_line, portable_literal, quoted};
use crate::config::{DestinationJob, TableJob};

/// What a file of statements begins with. Times are written in UTC; a value that does not fit is an error; zero dates are
/// copied as they are.
pub const PREAMBLE: &str = "\
-- What would repair the copies, as cupid found them. None of it was executed.
-- Statements of several destinations may alternate; each one's comment begins with its destination.
-- A DELETE, of a row that only a copy has, is a comment: whether the row should go is for you to say.
SET NAMES utf8mb4;
SET time_zone = '+00:00';
SET sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO';
";

/// A row that is wrong, and where.
#[derive(Debug)]
pub struct Fix<'a> {
    /// The destination.
    pub destination: &'a DestinationJob,
    /// Its columns.
    pub map: &'a ColumnMap,
    /// The row.
    pub wrong: Wrong<'a>,
}

/// In what way a row is wrong.
#[derive(Debug)]
pub enum Wrong<'a> {
    /// A source row and its copies do not agree, or there are several copies.
    Copies {
        /// The source row.
        row: &'a Row,
        /// How it relates to its copies.
        verdict: &'a Verdict,
        /// How many copies there are.
        copies: usize,
    },
    /// Only the destination has rows with this key.
    Extra(&'a Cell),
}

impl Fix<'_> {
    /// A comment that names the destination and its table.
    #[must_use]
    pub fn heading(&self) -> String {
        format!(
            "-- Destination {}: table {}",
            in_comment(&self.destination.name),
            in_comment(&self.table())
        )
    }

    /// One statement on one line, with a comment that says what for. What cupid cannot decide is a comment alone.
    #[must_use]
    pub fn statement(&self) -> String {
        let name = in_comment(&self.destination.name);
        let (row, verdict, copies) = match self.wrong {
            Wrong::Extra(key) => return self.commented_delete(&name, key),
            Wrong::Copies {
                row,
                verdict,
                copies,
            } => (row, verdict, copies),
        };
        let id = row.id;
        match verdict {
            Verdict::Missing => format!("/* {name}: missing, id {id} */ {}", self.insert(row)),
            Verdict::Different(pairs) => {
                let columns: Vec<&str> = pairs
                    .iter()
                    .map(|&pair| self.map.pairs[pair].name.as_str())
                    .collect();
                let columns = in_comment(&columns.join(", "));
                let update = self.update(row, pairs, copies);
                format!("/* {name}: different, id {id}: {columns} */ {update}")
            }
            Verdict::Agree => format!(
                "-- {name}: duplicate, id {id}: {copies} rows have the key {}; one of them agrees",
                self.key(row)
            ),
        }
    }

    fn insert(&self, row: &Row) -> String {
        let by_column = &self.destination.table.by_column;
        let mut names: Vec<String> = Vec::with_capacity(self.map.pairs.len() + 1);
        let mut values: Vec<String> = Vec::with_capacity(self.map.pairs.len() + 1);
        let is_key = |pair: &&Pair| pair.destination.to_lowercase() == by_column.to_lowercase();
        if !self.map.pairs.iter().any(|pair| is_key(&pair)) {
            names.push(quoted(by_column));
            values.push(self.key(row));
        }
        for pair in &self.map.pairs {
            names.push(quoted(&pair.destination));
            values.push(cell_of(row, pair));
        }
        format!(
            "INSERT INTO {} ({}) VALUES ({});",
            self.table(),
            names.join(", "),
            values.join(", ")
        )
    }

    fn update(&self, row: &Row, differing: &[usize], copies: usize) -> String {
        let moves = |pair: &Pair| {
            matches!(
                pair.destination_type,
                ColumnType::DateTime(_) | ColumnType::Timestamp(_)
            )
        };
        // Of several copies each may differ in its own way.
        let all = copies > 1;
        let sets: Vec<String> = self
            .map
            .pairs
            .iter()
            .enumerate()
            .filter(|(number, pair)| all || differing.contains(number) || moves(pair))
            .map(|(_, pair)| format!("{} = {}", quoted(&pair.destination), cell_of(row, pair)))
            .collect();
        format!(
            "UPDATE {} SET {} WHERE {};",
            self.table(),
            sets.join(", "),
            self.condition(&self.key(row))
        )
    }

    fn commented_delete(&self, name: &str, key: &Cell) -> String {
        let key_type = self.map.destination_key_type;
        let condition = self.condition(&value(key, key_type, key_type));
        let delete = format!("DELETE FROM {} WHERE {condition};", self.table());
        format!("-- /* {name}: extra */ {}", on_one_line(&delete))
    }

    fn table(&self) -> String {
        let TableJob {
            database, table, ..
        } = &self.destination.table;
        format!("{}.{}", quoted(database), quoted(table))
    }

    /// Which rows of the destination a statement is for.
    fn condition(&self, key: &str) -> String {
        let TableJob {
            by_column,
            condition,
            ..
        } = &self.destination.table;
        let condition = condition
            .as_ref()
            .map_or_else(String::new, |condition| format!(" AND ({condition})"));
        format!("{} = {key}{condition}", quoted(by_column))
    }

    fn key(&self, row: &Row) -> String {
        let ColumnMap {
            key_type,
            destination_key_type,
            ..
        } = *self.map;
        value(&row.key, key_type, destination_key_type)
    }
}

/// The destination and the id of the row that a statement is for, by its comment.
#[must_use]
pub fn row_of(statement: &str) -> Option<(String, String)> {
    let comment = statement.strip_prefix("/* ")?;
    for (begins, ends) in [(": missing, id ", " */"), (": different, id ", ": ")] {
        if let Some((destination, rest)) = comment.split_once(begins)
            && let Some((id, _)) = rest.split_once(ends)
        {
            return Some((destination.to_owned(), id.to_owned()));
        }
    }
    None
}

fn cell_of(row: &Row, pair: &Pair) -> String {
    let cell = &row.cells[pair.source_index];
    let value = value(cell, pair.source_type, pair.destination_type);
    if pair.in_server_zone && *cell != Cell::Null {
        format!("CONVERT_TZ({value}, @@GLOBAL.time_zone, '+00:00')")
    } else {
        value
    }
}

/// The literal that puts a source cell into a destination column.
fn value(cell: &Cell, source: ColumnType, destination: ColumnType) -> String {
    // A bare number beside a text column is compared as a floating-point number, and names an ENUM's place.
    let numeric = matches!(
        destination,
        ColumnType::Int
            | ColumnType::Year
            | ColumnType::Bit
            | ColumnType::Decimal
            | ColumnType::Float
            | ColumnType::Double
    );
    // A server that is not what it seems may send anything for a number.
    let is_number = match cell {
        Cell::Int(_) | Cell::UInt(_) => true,
        Cell::Float(value) => value.is_finite(),
        Cell::Double(value) => value.is_finite(),
        Cell::Decimal(text) => Decimal::parse(text).is_some(),
        _ => false,
    };
    match cell {
        Cell::Null => "NULL".into(),
        _ if numeric && is_number => {
            // The year 0 would print as `0000`.
            let plain = if source == ColumnType::Year {
                ColumnType::Int
            } else {
                source
            };
            print::text(cell, plain).into_owned()
        }
        // BIT would take the text for bytes.
        Cell::Text(text) if destination == ColumnType::Bit && text.parse::<u64>().is_ok() => {
            text.to_string()
        }
        Cell::Text(text) if destination == ColumnType::Binary => {
            binary_literal(&uuid_bytes(text, source).unwrap_or_else(|| text.as_bytes().to_vec()))
        }
        Cell::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !matches!(destination, ColumnType::Binary | ColumnType::Uuid) => {
                portable_literal(text)
            }
            _ => binary_literal(bytes),
        },
        _ => portable_literal(&print::text(cell, source)),
    }
}

/// A UUID in a binary column is its 16 bytes, which is how [`super::equal`] compares the two.
fn uuid_bytes(text: &str, source: ColumnType) -> Option<Vec<u8>> {
    if source != ColumnType::Uuid {
        return None;
    }
    let digits: String = text.chars().filter(|&c| c != '-').collect();
    let number = u128::from_str_radix(&digits, 16).ok()?;
    Some(number.to_be_bytes().to_vec())
}

#[cfg(test)]
mod tests;
