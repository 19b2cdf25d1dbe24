//! Reads a whole destination in the order of its primary key, batch by batch, no transaction longer than a batch.

use mysql::prelude::Queryable;
use mysql::{Conn, Params, Value};

use super::schema::{Table, quoted};
use super::{bounded, decode};
use crate::config::TableJob;
use crate::logic::cell::{Cell, ColumnType};
use crate::logic::fingerprint::KeyFold;
use crate::world::{Place, Visitor};

/// How a destination is read from end to end.
#[derive(Debug)]
pub(super) struct Stream {
    /// What the collation of its key column takes for the same.
    pub(super) fold: KeyFold,
    /// The primary key's columns: name as SQL, and type.
    order: Vec<(String, ColumnType)>,
}

impl Stream {
    /// `None` for a table without a primary key, or with one whose order and whose comparison are not the same thing
    /// (ENUM and SET sort by number and compare by text; approximate numbers do not come back as they were).
    pub(super) fn read(
        conn: &mut Conn,
        job: &TableJob,
        table: &Table,
    ) -> mysql::Result<Option<Self>> {
        let TableJob {
            database,
            table: name,
            by_column,
            ..
        } = job;
        let names: Vec<String> = bounded::all(conn.exec_iter(
            "SELECT COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE CONSTRAINT_NAME='PRIMARY' AND TABLE_SCHEMA=? \
             AND TABLE_NAME=? ORDER BY ORDINAL_POSITION",
            (database, name),
        )?)?;
        let collation: Option<Option<String>> = bounded::first(conn.exec_iter(
            "SELECT COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA=? AND TABLE_NAME=? AND COLUMN_NAME=?",
            (database, name, by_column),
        )?)?;
        let unfit = |column_type| {
            matches!(
                column_type,
                ColumnType::Enum
                    | ColumnType::Set
                    | ColumnType::Float
                    | ColumnType::Double
                    | ColumnType::Bit
                    | ColumnType::Json
            )
        };
        let columns: Option<Vec<_>> = names.iter().map(|name| table.column(name)).collect();
        let Some(columns) = columns.filter(|columns| !columns.is_empty()) else {
            return Ok(None);
        };
        if columns.iter().any(|column| unfit(column.column_type)) {
            return Ok(None);
        }
        Ok(Some(Self {
            fold: KeyFold::of_collation(&collation.flatten().unwrap_or_default()),
            order: columns
                .iter()
                .map(|column| (quoted(&column.name), column.column_type))
                .collect(),
        }))
    }

    /// The query for the rows after a place, and its parameters.
    fn query(
        &self,
        job: &TableJob,
        list: &str,
        after: Option<&Place>,
        limit: usize,
    ) -> (String, Vec<Value>) {
        let TableJob {
            database,
            table,
            by_column,
            condition,
            ..
        } = job;
        let order: Vec<&str> = self.order.iter().map(|(name, _)| name.as_str()).collect();
        let order = order.join(", ");
        let mut conditions: Vec<String> = condition
            .iter()
            .map(|condition| format!("({condition})"))
            .collect();
        let mut values = Vec::new();
        if let Some(Place(place)) = after {
            conditions.push(self.after(place, &mut values));
        }
        let condition = if conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", conditions.join(" AND "))
        };
        values.push(Value::UInt(limit as u64));
        let sql = format!(
            "SELECT {}, {order}{list} FROM {}.{}{condition} ORDER BY {order} LIMIT ?",
            quoted(by_column),
            quoted(database),
            quoted(table)
        );
        (sql, values)
    }

    /// `(a > ? OR (a = ? AND b > ?))`: the form of a row comparison that both optimizers read as ranges of the index.
    fn after(&self, place: &[Cell], values: &mut Vec<Value>) -> String {
        let mut alternatives = Vec::with_capacity(self.order.len());
        for last in 0..self.order.len() {
            let mut terms = Vec::with_capacity(last + 1);
            for (at, ((name, column_type), cell)) in
                self.order.iter().zip(place).take(last + 1).enumerate()
            {
                let operator = if at == last { ">" } else { "=" };
                terms.push(format!(
                    "{name} {operator} {}",
                    decode::key_placeholder(*column_type, *column_type)
                ));
                values.push(decode::key_parameter(cell, *column_type));
            }
            alternatives.push(format!("({})", terms.join(" AND ")));
        }
        format!("({})", alternatives.join(" OR "))
    }

    /// Shows the rows after a place to `visitor`; the next place when there may be more. `list` and `types` are those of
    /// the compared columns, each with a leading comma.
    pub(super) fn visit(
        &self,
        conn: &mut Conn,
        rows: &Rows<'_>,
        after: Option<&Place>,
        limit: usize,
        visitor: &mut dyn Visitor,
    ) -> mysql::Result<Option<Place>> {
        let (sql, values) = self.query(rows.job, rows.list, after, limit);
        visitor.restart();
        let mut cells = Vec::with_capacity(rows.types.len());
        let (mut count, mut last) = (0, Vec::new());
        let answer = conn.exec_iter(sql, Params::Positional(values))?;
        bounded::each(answer, limit, |row| {
            let mut values = row.unwrap().into_iter();
            let key = decode::cell(values.next().unwrap_or(Value::NULL), rows.key_type);
            last.clear();
            last.extend(values.by_ref().take(self.order.len()));
            cells.clear();
            cells.extend(
                values
                    .zip(rows.types)
                    .map(|(value, &column_type)| decode::cell(value, column_type)),
            );
            visitor.row(0, &key, &cells);
            count += 1;
        })?;
        let place = last
            .into_iter()
            .zip(&self.order)
            .map(|(value, (_, column_type))| decode::cell(value, *column_type));
        Ok((count >= limit).then(|| Place(place.collect())))
    }
}

/// Keys that several rows share, by the server's own idea of the same key; a unique index needs no look.
pub(super) fn repeated_keys(
    conn: &mut Conn,
    job: &TableJob,
    key_type: ColumnType,
    limit: usize,
) -> mysql::Result<Vec<Cell>> {
    let TableJob {
        database,
        table,
        by_column,
        condition,
        ..
    } = job;
    let unique: Option<String> = bounded::first(conn.exec_iter(
        "SELECT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA=? AND TABLE_NAME=? GROUP BY INDEX_NAME \
         HAVING MAX(NON_UNIQUE)=0 AND COUNT(*)=1 AND MAX(COLUMN_NAME)=?",
        (database, table, by_column),
    )?)?;
    if unique.is_some() {
        return Ok(vec![]);
    }
    let condition = condition
        .as_ref()
        .map_or_else(String::new, |condition| format!(" AND ({condition})"));
    let key = quoted(by_column);
    let sql = format!(
        "SELECT MIN({key}) FROM {}.{} WHERE {key} IS NOT NULL{condition} GROUP BY {key} HAVING COUNT(*)>1 LIMIT {limit}",
        quoted(database),
        quoted(table)
    );
    let keys: Vec<Value> = bounded::all(conn.exec_iter(sql, ())?)?;
    Ok(keys
        .into_iter()
        .map(|key| decode::cell(key, key_type))
        .collect())
}

/// What is read of each row.
pub(super) struct Rows<'a> {
    pub(super) job: &'a TableJob,
    pub(super) list: &'a str,
    pub(super) types: &'a [ColumnType],
    pub(super) key_type: ColumnType,
}
