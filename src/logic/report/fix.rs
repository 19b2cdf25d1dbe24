//! The statement that would repair one row of a destination. It is written for people and never
//! executed.
//!
//! An UPDATE sets the columns that differ, and every mapped DATETIME and TIMESTAMP. A column with
//! `ON UPDATE CURRENT_TIMESTAMP` that is not set would become a new difference. The statements
//! expect the session of [`PREAMBLE`].
//!
//! Statements run as they are, one after the other. Generated columns are not written. A key of
//! approximate numbers is written as the exact number that is stored. A new row meets the
//! destination's condition where that fixes a column's value. Rows that trade unique values are
//! ordered so that they can (`order`).
//!
//! Nothing is deleted. Whether a row that only a destination has should go is for its owner to
//! decide, so its DELETE is a comment on one line.

pub(crate) mod order;
mod trade;
pub mod written;

use std::fmt::Write as _;

use crate::logic::compare::number::Decimal;
use crate::logic::compare::rows::{ColumnMap, Pair, Verdict};
use crate::logic::value::cell::{Cell, ColumnType};
use crate::logic::value::charset::Encoded;
use crate::logic::value::one_line::on_one_line;
use crate::logic::value::print;
use crate::logic::value::row::Row;
use crate::logic::value::sql::{binary_literal, in_comment, portable_literal, quoted};
use written::{Fixed, Written};

pub use trade::{Entry, Repair, Terms};

/// What a file of statements begins with. Times are written in UTC; a value that does not fit is an error; zero dates are
/// copied as they are.
pub const PREAMBLE: &str = "\
-- What would repair the copies, as cupid found them. None of it was executed.
-- Statements of several destinations may alternate; each one's comment begins with its destination.
-- A DELETE, of a row that only a copy has, is a comment: whether the row should go is for you to say. Where a statement
-- ends with error 1062, such a row has the unique value; delete it before.
SET NAMES utf8mb4;
SET time_zone = '+00:00';
SET sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO';
";

/// Stands before a statement that writes the error value of an ENUM, and [`STRICT`] after it.
pub const NOT_STRICT: &str = "SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO';";
/// As in [`PREAMBLE`].
pub const STRICT: &str =
    "SET sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO';";

/// The table that a statement is for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The destination's name.
    pub name: &'a str,
    /// Its database.
    pub database: &'a str,
    /// Its table.
    pub table: &'a str,
    /// The column that finds a row.
    pub by_column: &'a str,
    /// Only these rows are copies, in SQL.
    pub condition: Option<&'a str>,
}

/// A row that is wrong, and where.
#[derive(Debug)]
pub struct Fix<'a> {
    /// The table.
    pub target: Target<'a>,
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
            in_comment(self.target.name),
            in_comment(&self.table())
        )
    }

    /// One statement on one line, with a comment that says what for. What cupid cannot decide is a comment alone.
    #[must_use]
    pub fn statement(&self) -> String {
        self.statement_for(&Written::default())
    }

    fn statement_for(&self, table: &Written) -> String {
        let name = in_comment(self.target.name);
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
            Verdict::Missing => {
                let (insert, notes) = self.insert(row, table);
                format!(
                    "/* {name}: missing, id {id}{} */ {insert}",
                    in_comment(&notes)
                )
            }
            Verdict::Different(pairs) => {
                let columns: Vec<&str> = pairs
                    .iter()
                    .map(|&pair| self.map.pairs[pair].name.as_str())
                    .collect();
                let columns = in_comment(&columns.join(", "));
                let is_generated = |&pair: &usize| {
                    let Pair { destination, .. } = &self.map.pairs[pair];
                    table.is_generated(destination)
                };
                if pairs.iter().all(is_generated) {
                    return format!(
                        "-- {name}: different, id {id}: {columns}: computed by the server from columns that agree or are not compared"
                    );
                }
                let update = self.update(row, pairs, copies, table);
                format!("/* {name}: different, id {id}: {columns} */ {update}")
            }
            Verdict::Agree => format!(
                "-- {name}: duplicate, id {id}: {copies} rows have the key {}; one of them agrees",
                self.key(row)
            ),
        }
    }

    /// The INSERT, and what is to be known of it.
    fn insert(&self, row: &Row, table: &Written) -> (String, String) {
        let by_column = self.target.by_column;
        let mut columns: Vec<(&str, String)> = Vec::with_capacity(self.map.pairs.len() + 1);
        let is_key = |pair: &&Pair| pair.destination.to_lowercase() == by_column.to_lowercase();
        if !self.map.pairs.iter().any(|pair| is_key(&pair)) {
            columns.push((by_column, self.key(row)));
        }
        for pair in &self.map.pairs {
            columns.push((&pair.destination, cell_of(row, pair)));
        }
        let condition = self.target.condition;
        let fixed = condition.map(Fixed::of).unwrap_or_default();
        let is_named = |columns: &[(&str, String)], name: &str| {
            let name = name.to_lowercase();
            columns
                .iter()
                .any(|(known, _)| known.to_lowercase() == name)
        };
        for (name, literal) in &fixed.values {
            if !is_named(&columns, name) {
                columns.push((name, literal.clone()));
            }
        }
        let mut notes = String::new();
        if let (true, Some(condition)) = (fixed.has_more, condition) {
            notes = format!("; see that the row meets {condition}");
        }
        let required = table.columns.iter().filter(|column| !column.has_default);
        for column in required {
            if !is_named(&columns, &column.name)
                && let Some(value) = column.implicit_default()
            {
                // A String takes everything.
                let _ = write!(notes, "; {} has no default", column.name);
                columns.push((&column.name, value.into()));
            }
        }
        columns.retain(|(name, _)| !table.is_generated(name));
        let names: Vec<String> = columns.iter().map(|(name, _)| quoted(name)).collect();
        let values: Vec<&str> = columns.iter().map(|(_, value)| value.as_str()).collect();
        let insert = format!(
            "INSERT INTO {} ({}) VALUES ({});",
            self.table(),
            names.join(", "),
            values.join(", ")
        );
        (insert, notes)
    }

    fn update(&self, row: &Row, differing: &[usize], copies: usize, table: &Written) -> String {
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
            .filter(|(_, pair)| !table.is_generated(&pair.destination))
            .map(|(_, pair)| format!("{} = {}", quoted(&pair.destination), cell_of(row, pair)))
            .collect();
        format!(
            "UPDATE {} SET {} WHERE {};",
            self.table(),
            sets.join(", "),
            self.condition(&self.found_by(&row.key, self.map.key_type))
        )
    }

    fn commented_delete(&self, name: &str, key: &Cell) -> String {
        let condition = self.condition(&self.found_by(key, self.map.destination_key_type));
        let delete = format!("DELETE FROM {} WHERE {condition};", self.table());
        format!("-- /* {name}: extra */ {}", on_one_line(&delete))
    }

    fn table(&self) -> String {
        let Target {
            database, table, ..
        } = self.target;
        format!("{}.{}", quoted(database), quoted(table))
    }

    /// What finds a key: an equation's right side. A number with a point is a decimal number, which is no approximate one; and a
    /// DOUBLE that was copied from a FLOAT may hold either what the FLOAT is or what it prints as.
    fn found_by(&self, key: &Cell, key_type: ColumnType) -> String {
        let destination = self.map.destination_key_type;
        let text = print::text(key, key_type);
        match destination {
            ColumnType::Float => match text.parse::<f32>() {
                Ok(number) if number.is_finite() => format!("= {:e}", f64::from(number)),
                _ => format!("= {}", value(key, key_type, destination)),
            },
            ColumnType::Double => match (text.parse::<f64>(), text.parse::<f32>()) {
                (Ok(printed), Ok(single))
                    if key_type == ColumnType::Float && printed.is_finite() =>
                {
                    format!("IN ({printed:e}, {:e})", f64::from(single))
                }
                (Ok(number), _) if number.is_finite() => format!("= {number:e}"),
                _ => format!("= {}", value(key, key_type, destination)),
            },
            _ => format!("= {}", value(key, key_type, destination)),
        }
    }

    /// Which rows of the destination a statement is for.
    fn condition(&self, key: &str) -> String {
        let Target {
            by_column,
            condition,
            ..
        } = self.target;
        let condition = condition.map_or_else(String::new, |condition| {
            // A comment to the end of the line needs that end.
            let has_comment = condition.contains("--") || condition.contains('#');
            if has_comment {
                format!(" AND ({condition})")
            } else {
                format!(" AND ({})", on_one_line(condition))
            }
        });
        format!("{} {key}{condition}", quoted(by_column))
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
            let id = id.split_once("; ").map_or(id, |(id, _)| id);
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
        // A bare number beside a text column is compared as a floating-point number, and names an ENUM's place.
        _ if destination.is_number() && is_number => {
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
        // A server refuses to convert it to another character set, rather than to write `?`.
        Cell::Encoded(encoded) => {
            let Encoded { charset, bytes, .. } = Encoded::parse(encoded);
            match charset {
                "" => binary_literal(bytes),
                charset => format!("_{charset} {}", binary_literal(bytes)),
            }
        }
        _ => portable_literal(&print::text(cell, source)),
    }
}

/// A UUID in a binary column is its 16 bytes, which is how [`crate::logic::compare::cells`] compares the two.
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
