//! The statement that would repair one row of a destination. It is written for people and never executed.
//!
//! An UPDATE sets the columns that differ, and every mapped DATETIME and TIMESTAMP: one that has `ON UPDATE
//! CURRENT_TIMESTAMP` and is not set would become a new difference. The statements expect the session of [`PREAMBLE`].
//!
//! Nothing is deleted: whether a row that only a destination has should go is not for cupid to say, so its DELETE is a
//! comment, on one line whatever stands in it.

use super::cell::{Cell, ColumnType};
use super::compare::{ColumnMap, Pair, Verdict};
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
    match cell {
        Cell::Null => "NULL".into(),
        Cell::Int(_) | Cell::UInt(_) | Cell::Float(_) | Cell::Double(_) | Cell::Decimal(_)
            if numeric =>
        {
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
mod tests {
    use super::*;
    use crate::config::{Address, CallbackJob, Server};
    use crate::logic::cell::DateTime;
    use ColumnType::{
        Binary, Bit, DateTime as Moment, Decimal, Double, Enum, Int, Json, Text, Time, Uuid, Year,
    };

    fn destination(name: &str, condition: Option<&str>) -> DestinationJob {
        let server = Server {
            address: Address::Tcp("db".into(), 3306),
            user: String::new(),
            password: String::new(),
            tls: None,
        };
        DestinationJob {
            name: name.into(),
            table: TableJob {
                server,
                database: "my".into(),
                table: "user".into(),
                by_column: "number".into(),
                condition: condition.map(Into::into),
            },
            columns: vec![],
            callback: CallbackJob {
                url: String::new(),
                secret: None,
                headers: vec![],
                timeout: std::time::Duration::ZERO,
                attempts: 1,
                concurrency: 1,
                numbers_as_strings: false,
            },
        }
    }

    #[test]
    fn a_row_that_only_the_destination_has_is_deleted_by_nobody() {
        let map = ColumnMap {
            pairs: vec![],
            key_type: Int,
            destination_key_type: Text,
        };
        let key = Cell::Text("a\nDROP TABLE user;".into());
        for (condition, expected) in [
            (None, ""),
            (Some("a = 1\n OR b = 2"), " AND (a = 1  OR b = 2)"),
        ] {
            let fix = Fix {
                destination: &destination("copy\n1", condition),
                map: &map,
                wrong: Wrong::Extra(&key),
            };
            assert_eq!(
                fix.statement(),
                format!(
                    "-- /* copy 1: extra */ DELETE FROM `my`.`user` WHERE `number` = _utf8mb4 \
                     X'610a44524f50205441424c4520757365723b'{expected};"
                )
            );
        }
    }

    #[test]
    fn a_value_is_written_for_the_column_that_takes_it() {
        let text = |text: &str| Cell::Text(text.into());
        let moment = Cell::DateTime(DateTime {
            year: 2024,
            microsecond: 120_000,
            ..DateTime::default()
        });
        for (cell, source, destination, expected) in [
            (Cell::Null, Int, Text, "NULL"),
            (Cell::UInt(u64::MAX), Int, Int, "18446744073709551615"),
            (Cell::Int(-5), Int, Text, "'-5'"),
            (Cell::Int(2), Int, Enum, "'2'"),
            (Cell::Int(0), Year, Year, "0"),
            (Cell::Int(513), Bit, Bit, "513"),
            (text("5"), Text, Bit, "5"),
            (Cell::Double(1e25), Double, Double, "1e25"),
            (Cell::Decimal("1.20".into()), Decimal, Decimal, "1.20"),
            (Cell::Decimal("1.20".into()), Decimal, Text, "'1.20'"),
            (text("o'k"), Text, Text, "'o''k'"),
            (
                text("{\"a\":\"\\n\"}"),
                Json,
                Json,
                "_utf8mb4 X'7b2261223a225c6e227d'",
            ),
            (text("ab"), Text, Binary, "X'6162'"),
            (Cell::Bytes([0, 255].into()), Binary, Binary, "X'00ff'"),
            (Cell::Bytes((*b"ab").into()), Binary, Binary, "X'6162'"),
            (Cell::Bytes((*b"ab").into()), Binary, Text, "'ab'"),
            (Cell::Bytes([0, 255].into()), Binary, Text, "X'00ff'"),
            (
                text("00112233-4455-6677-8899-aabbccddeeff"),
                Uuid,
                Binary,
                "X'00112233445566778899aabbccddeeff'",
            ),
            (moment, Moment(2), Moment(0), "'2024-00-00 00:00:00.12'"),
            (Cell::Time(-1_000_000), Time(0), Time(0), "'-00:00:01'"),
        ] {
            assert_eq!(value(&cell, source, destination), expected, "{cell:?}");
        }
    }
}
