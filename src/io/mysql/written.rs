//! Facts about writing to a destination's table, for statements that somebody else runs. They are
//! read once, and only when such statements are wanted.

use mysql::prelude::Queryable;
use mysql::{Conn, Row};

use super::bounded::{self, get};
use super::schema::Table;
use crate::config::TableJob;
use crate::logic::report::fix::written::{UniquePart, Written, WrittenColumn};
use crate::logic::value::cell::ColumnType;

/// Asks the server.
pub(super) fn read(conn: &mut Conn, job: &TableJob, table: &Table) -> mysql::Result<Written> {
    let TableJob {
        database,
        table: name,
        ..
    } = job;
    let rows: Vec<Row> = bounded::all(conn.exec_iter(
        "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT IS NOT NULL, EXTRA, CHARACTER_MAXIMUM_LENGTH \
         FROM information_schema.COLUMNS WHERE TABLE_SCHEMA=? AND TABLE_NAME=? ORDER BY ORDINAL_POSITION",
        (database, name),
    )?)?;
    let columns = rows.iter().map(|row| {
        let text = |at: usize| get::<String>(row, at).unwrap_or_default();
        let extra = text(4).to_ascii_uppercase();
        // `DEFAULT_GENERATED` of MySQL is a default.
        let is_generated = ["VIRTUAL GENERATED", "STORED GENERATED", "PERSISTENT"]
            .iter()
            .any(|word| extra.contains(word));
        let is_nullable = text(2) == "YES";
        let has_default = get::<i64>(row, 3).unwrap_or(0) != 0;
        let column_type = table.column(&text(0));
        WrittenColumn {
            name: text(0),
            column_type: column_type.map_or(ColumnType::Text, |column| column.column_type),
            declared: text(1),
            is_generated,
            is_nullable,
            has_default: has_default
                || is_nullable
                || is_generated
                || extra.contains("AUTO_INCREMENT"),
            length_max: get(row, 5).unwrap_or(0),
        }
    });
    let columns = columns.collect();
    let parts: Vec<Row> = bounded::all(conn.exec_iter(
        "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS WHERE TABLE_SCHEMA=? AND TABLE_NAME=? \
         AND NON_UNIQUE=0 ORDER BY INDEX_NAME, SEQ_IN_INDEX",
        (database, name),
    )?)?;
    let mut unique: Vec<(String, Option<Vec<UniquePart>>)> = Vec::new();
    for row in &parts {
        let index: String = get(row, 0).unwrap_or_default();
        if unique.last().is_none_or(|(known, _)| *known != index) {
            unique.push((index, Some(Vec::new())));
        }
        let part = get::<String>(row, 1).map(|column| UniquePart {
            column,
            prefix: get::<u64>(row, 2).and_then(|length| usize::try_from(length).ok()),
        });
        if let Some((_, parts)) = unique.last_mut() {
            // Of an expression nothing is known.
            match (part, &mut *parts) {
                (Some(part), Some(known)) => known.push(part),
                _ => *parts = None,
            }
        }
    }
    let unique = unique.into_iter().filter_map(|(_, parts)| parts);
    Ok(Written {
        columns,
        unique: unique.collect(),
    })
}
