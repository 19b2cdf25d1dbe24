//! What the server says about a table: its columns' declared types, its zone.
//!
//! Types come from `information_schema`, not from result sets: on the wire JSON is a BLOB on MariaDB, and UUID and
//! INET6 look binary.

use mysql::prelude::Queryable;
use mysql::{Conn, Row};

use super::bounded::{self, get};
use crate::logic::cell::{Column, ColumnType};
pub(super) use crate::logic::sql::{literal, quoted};

/// A table as its server describes it.
#[derive(Debug)]
pub(super) struct Table {
    /// In table order. Invisible columns are columns: an owner who hides one from `SELECT *` still keeps it in copies.
    /// What the server does not list is none: `row_start` and `row_end` of a system-versioned table whose owner did not
    /// declare them are the server's own records.
    pub(super) columns: Vec<Column>,
    /// The server's default zone as `CONVERT_TZ` takes it; `None` when it is UTC.
    pub(super) zone: Option<String>,
    /// The session that reads it is in that zone.
    pub(super) is_in_zone: bool,
}

impl Table {
    pub(super) fn read(conn: &mut Conn, database: &str, table: &str) -> mysql::Result<Self> {
        let rows: Vec<Row> = bounded::all(conn.exec_iter(
            "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, DATETIME_PRECISION, IS_NULLABLE, @@GLOBAL.time_zone, \
             @@system_time_zone, VERSION(), @@SESSION.time_zone FROM information_schema.COLUMNS WHERE TABLE_SCHEMA=? AND TABLE_NAME=? ORDER BY ORDINAL_POSITION",
            (database, table),
        )?)?;
        let mut columns = Vec::with_capacity(rows.len());
        let (mut zone, mut is_in_zone, mut maybe_json) = (None, false, false);
        for row in rows {
            let text = |at: usize| get::<String>(&row, at).unwrap_or_default();
            let precision = get(&row, 4).unwrap_or(0);
            let (data_type, charset) = (text(1).to_ascii_lowercase(), text(3));
            zone = zone_of(&text(6), &text(7));
            is_in_zone = zone.is_some() && text(9) != "+00:00";
            maybe_json |=
                data_type == "longtext" && text(8).to_ascii_lowercase().contains("mariadb");
            columns.push(Column {
                name: text(0),
                column_type: column_type(&data_type, &charset, precision),
            });
        }
        if maybe_json {
            mark_json(conn, database, table, &mut columns)?;
        }
        Ok(Self {
            columns,
            zone,
            is_in_zone,
        })
    }

    /// The column of this name, whose case does not count (MySQL Reference Manual, "Identifier Case Sensitivity").
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns
            .iter()
            .find(|column| column.name.to_lowercase() == name.to_lowercase())
    }
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
    let effective = if global.eq_ignore_ascii_case("system") {
        system
    } else {
        global
    };
    (!utc(effective)).then(|| global.to_owned())
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
