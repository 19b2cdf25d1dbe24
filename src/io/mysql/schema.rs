//! What the server says about a table: its columns' declared types, its zone.
//!
//! Types come from `information_schema`, not from result sets: on the wire JSON is a BLOB on MariaDB, and UUID and
//! INET6 look binary.

use std::collections::{HashMap, HashSet};

use mysql::prelude::Queryable;
use mysql::{Conn, Row};

use super::bounded::{self, get};
use super::lookup::OrderColumn;
use crate::logic::compare::key::KeyColumn;
use crate::logic::value::cell::{Column, ColumnType};
use crate::logic::value::charset;
use crate::logic::value::sql::{literal, quoted};

/// A table as its server describes it.
#[derive(Debug)]
pub(super) struct Table {
    /// In table order. Invisible columns are columns: an owner who hides one from `SELECT *` still keeps it in copies.
    /// What the server does not list is none: `row_start` and `row_end` of a system-versioned table whose owner did not
    /// declare them are the server's own records.
    pub(super) columns: Vec<Column>,
    /// What else there is to know of each of them.
    details: Vec<Detail>,
    /// Names of those that may be NULL.
    pub(super) nullable: HashSet<String>,
    /// The server's default zone as `CONVERT_TZ` takes it; `None` when it is UTC.
    pub(super) zone: Option<String>,
    /// The session that reads it is in that zone.
    pub(super) is_in_zone: bool,
    /// The same in words, that of the server's machine where it has none of its own.
    pub(super) zone_name: String,
}

/// What reading a column, and looking up in it, depends on beside its type.
#[derive(Debug)]
struct Detail {
    /// Of character data, else empty.
    charset: String,
    collation: String,
    precision: u8,
    scale: u8,
    zerofill: usize,
    /// Every text of the column has its characters in Unicode.
    is_whole: bool,
    /// Of an ENUM, where a text names each of them.
    members: Vec<String>,
}

impl Table {
    pub(super) fn read(conn: &mut Conn, database: &str, table: &str) -> mysql::Result<Self> {
        let rows: Vec<Row> = bounded::all(conn.exec_iter(
            "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, DATETIME_PRECISION, IS_NULLABLE, @@GLOBAL.time_zone, \
             @@system_time_zone, VERSION(), COLLATION_NAME, NUMERIC_PRECISION, NUMERIC_SCALE, @@SESSION.time_zone \
             FROM information_schema.COLUMNS WHERE TABLE_SCHEMA=? AND TABLE_NAME=? ORDER BY ORDINAL_POSITION",
            (database, table),
        )?)?;
        let mut columns = Vec::with_capacity(rows.len());
        let mut details = Vec::with_capacity(rows.len());
        let mut nullable = HashSet::new();
        let (mut zone, mut zone_name) = (None, String::new());
        let (mut is_in_zone, mut maybe_json) = (false, false);
        for row in rows {
            let text = |at: usize| get::<String>(&row, at).unwrap_or_default();
            let precision = get(&row, 4).unwrap_or(0);
            let (data_type, charset) = (text(1).to_ascii_lowercase(), text(3));
            let collation = text(9);
            zone = zone_of(&text(6), &text(7));
            is_in_zone = zone.is_some() && text(12) != "+00:00";
            effective_zone(&text(6), &text(7)).clone_into(&mut zone_name);
            let is_mariadb = text(8).to_ascii_lowercase().contains("mariadb");
            maybe_json |= data_type == "longtext" && is_mariadb;
            if text(5) != "NO" {
                nullable.insert(text(0));
            }
            columns.push(Column {
                name: text(0),
                column_type: column_type(&data_type, &charset, precision),
            });
            details.push(Detail {
                is_whole: charset.is_empty() || charset::is_whole(&charset, &collation, is_mariadb),
                charset,
                collation,
                precision: get(&row, 10).unwrap_or(0),
                scale: get(&row, 11).unwrap_or(0),
                zerofill: zerofill(&text(2)),
                members: if data_type == "enum" {
                    members(&text(2))
                } else {
                    vec![]
                },
            });
        }
        if maybe_json {
            mark_json(conn, database, table, &mut columns)?;
        }
        Ok(Self {
            columns,
            details,
            nullable,
            zone,
            is_in_zone,
            zone_name,
        })
    }

    /// The column of this name, whose case does not count (MySQL Reference Manual, "Identifier Case Sensitivity").
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns
            .iter()
            .find(|column| column.name.to_lowercase() == name.to_lowercase())
    }
}

impl Table {
    fn detail(&self, name: &str) -> Option<&Detail> {
        let all = self.columns.iter().zip(&self.details);
        all.into_iter()
            .find(|(column, _)| column.name == name)
            .map(|(_, detail)| detail)
    }

    /// The expression that reads a column as it is; a TIMESTAMP as an instant, in UTC. In a session that is not in UTC,
    /// `UNIX_TIMESTAMP` gives what is stored, also in the hour that comes twice when clocks go back; it is 0 for the zero
    /// timestamp alone.
    pub(super) fn read_as_is(&self, column: &Column) -> String {
        let name = quoted(&column.name);
        if self.is_in_zone && matches!(column.column_type, ColumnType::Timestamp(_)) {
            let seconds = format!("UNIX_TIMESTAMP({name})");
            return format!(
                "IF({seconds}=0, {name}, TIMESTAMP'1970-01-01 00:00:00' + INTERVAL {seconds} SECOND)"
            );
        }
        match self.detail(&column.name) {
            Some(detail) if !detail.is_whole => charset::characters(&column.name, &detail.charset),
            _ => name,
        }
    }

    /// What reads each column whose character set is not whole, by its name.
    pub(super) fn marked(&self) -> HashMap<String, String> {
        let odd = self.columns.iter().zip(&self.details);
        let odd = odd.filter(|(_, detail)| !detail.is_whole);
        odd.map(|(column, _)| (column.name.clone(), self.read_as_key(column)))
            .collect()
    }

    /// The expression that reads a column of keys.
    pub(super) fn read_as_key(&self, column: &Column) -> String {
        match self.detail(&column.name) {
            Some(detail) if !detail.is_whole => {
                charset::key_characters(&column.name, &detail.charset)
            }
            _ => quoted(&column.name),
        }
    }

    /// The same as the server prints it by default: TIMESTAMP in the server's zone.
    pub(super) fn read_as_printed(&self, column: &Column) -> String {
        let zone = self.zone.as_deref().filter(|_| !self.is_in_zone);
        match (column.column_type, zone) {
            // The zero timestamp has no zone; `CONVERT_TZ` makes it NULL.
            (ColumnType::Timestamp(_), Some(zone)) => {
                let (name, zone) = (quoted(&column.name), literal(zone));
                format!("COALESCE(CONVERT_TZ({name},'+00:00',{zone}),{name})")
            }
            (ColumnType::Timestamp(_), None) => quoted(&column.name),
            _ => self.read_as_is(column),
        }
    }

    /// What looking up by this column depends on.
    pub(super) fn key_column(&self, column: &Column) -> KeyColumn {
        let detail = self.detail(&column.name);
        KeyColumn {
            column_type: column.column_type,
            charset: detail.map(|d| d.charset.clone()).unwrap_or_default(),
            precision: detail.map_or(0, |d| d.precision),
            scale: detail.map_or(0, |d| d.scale),
            zerofill: detail.map_or(0, |d| d.zerofill),
        }
    }

    /// The collation of a column; empty for columns that have none.
    pub(super) fn collation(&self, column: &Column) -> &str {
        self.detail(&column.name)
            .map_or("", |detail| &detail.collation)
    }

    /// How the table is paged through by this column.
    pub(super) fn order_column(&self, column: &Column) -> OrderColumn {
        let detail = self.detail(&column.name);
        let collation = self.collation(column);
        let is_whole = detail.is_none_or(|detail| detail.is_whole);
        let members = detail.map_or_else(Vec::new, |detail| detail.members.clone());
        let key = self.key_column(column);
        OrderColumn::new(&column.name, key, collation, is_whole, members)
    }
}

/// The members in `enum('a','it''s')`; none where the empty text, which is the error value's too, is one of them, or where there
/// are very many.
fn members(declared: &str) -> Vec<String> {
    const MEMBERS_MAX: usize = 200;
    let list = declared
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    let mut members: Vec<String> = Vec::new();
    let mut rest = list.unwrap_or_default();
    while let Some(text) = rest.strip_prefix('\'') {
        let mut end = 0;
        loop {
            let Some(quote) = text[end..].find('\'') else {
                return vec![];
            };
            end += quote + 1;
            if !text[end..].starts_with('\'') {
                break;
            }
            end += 1;
        }
        members.push(text[..end - 1].replace("''", "'"));
        rest = text[end..].strip_prefix(',').unwrap_or(&text[end..]);
    }
    let is_usable = rest.is_empty()
        && members.len() <= MEMBERS_MAX
        && !members
            .iter()
            .any(|member| member.is_empty() || member.contains('\\'));
    if is_usable { members } else { vec![] }
}

/// The width in `int(6) unsigned zerofill`.
fn zerofill(declared: &str) -> usize {
    let declared = declared.to_ascii_lowercase();
    let width = declared
        .split_once('(')
        .filter(|_| declared.contains("zerofill"))
        .and_then(|(_, rest)| rest.split([',', ')']).next()?.parse().ok());
    width.unwrap_or(0)
}

/// MariaDB's JSON is LONGTEXT with the check `json_valid(column)`.
fn mark_json(
    conn: &mut Conn,
    database: &str,
    table: &str,
    columns: &mut [Column],
) -> mysql::Result<()> {
    let clauses: Vec<String> = bounded::all(conn.exec_iter(
        "SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA=? AND TABLE_NAME=? \
         AND LEFT(CHECK_CLAUSE, 11) = 'json_valid('",
        (database, table),
    )?)?;
    for column in columns {
        let clause = format!("json_valid({})", quoted(&column.name));
        if clauses
            .iter()
            .any(|found| found.eq_ignore_ascii_case(&clause))
        {
            column.column_type = ColumnType::Json;
        }
    }
    Ok(())
}

fn column_type(data_type: &str, charset: &str, precision: u8) -> ColumnType {
    match data_type {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => ColumnType::Int,
        "year" => ColumnType::Year,
        "bit" => ColumnType::Bit,
        "decimal" => ColumnType::Decimal,
        "float" => ColumnType::Float,
        "double" => ColumnType::Double,
        "enum" => ColumnType::Enum,
        "set" => ColumnType::Set,
        "json" => ColumnType::Json,
        "uuid" => ColumnType::Uuid,
        "inet4" | "inet6" => ColumnType::Text,
        "date" => ColumnType::Date,
        "datetime" => ColumnType::DateTime(precision),
        "timestamp" => ColumnType::Timestamp(precision),
        "time" => ColumnType::Time(precision),
        _ if charset.is_empty() => ColumnType::Binary,
        _ => ColumnType::Text,
    }
}

/// `None` for UTC in any spelling.
fn zone_of(global: &str, system: &str) -> Option<String> {
    const UTC: [&str; 6] = ["UTC", "GMT", "UCT", "UNIVERSAL", "ZULU", "+00:00"];
    let utc = |zone: &str| {
        let zone = zone.to_ascii_uppercase();
        UTC.contains(&zone.strip_prefix("ETC/").unwrap_or(&zone))
    };
    (!utc(effective_zone(global, system))).then(|| global.to_owned())
}

fn effective_zone<'a>(global: &'a str, system: &'a str) -> &'a str {
    if global.eq_ignore_ascii_case("system") {
        system
    } else {
        global
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_needs_no_conversion_however_it_is_spelt() {
        assert_eq!(zone_of("SYSTEM", "UTC"), None);
        assert_eq!(zone_of("+00:00", "CET"), None);
        assert_eq!(zone_of("SYSTEM", "CET"), Some("SYSTEM".into()));
        assert_eq!(
            zone_of("Asia/Shanghai", "UTC"),
            Some("Asia/Shanghai".into())
        );
    }
}
