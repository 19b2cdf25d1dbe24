//! Reads a whole destination in the order of its primary key, batch by batch, no transaction longer than a batch.
//!
//! A shard's rows can be told from the others' where the primary key is the source's id, and only there.

use mysql::prelude::Queryable;
use mysql::{Conn, Params, Value};

use super::decode;
use super::pieces::Pieces;
use super::schema::{Table, quoted};
use super::source::{id_of, id_value};
use crate::config::TableJob;
use crate::logic::cell::{Cell, ColumnType, Id};
use crate::logic::fingerprint::KeyFold;
use crate::logic::gaps::Span;
use crate::logic::shard::Shard;
use crate::world::{Place, Visitor};

/// How a destination is read from end to end.
#[derive(Debug)]
pub(super) struct Stream {
    /// What the collation of its key column takes for the same.
    pub(super) fold: KeyFold,
    /// The primary key's columns: name as SQL, and type.
    order: Vec<(String, ColumnType)>,
    /// What is read where only a shard is looked at.
    shard: Option<(Shard, Pieces)>,
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
        let names: Vec<String> = conn.exec(
            "SELECT COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE CONSTRAINT_NAME='PRIMARY' AND TABLE_SCHEMA=? \
             AND TABLE_NAME=? ORDER BY ORDINAL_POSITION",
            (database, name),
        )?;
        let collation: Option<Option<String>> = conn.exec_first(
            "SELECT COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA=? AND TABLE_NAME=? AND COLUMN_NAME=?",
            (database, name, by_column),
        )?;
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
            shard: None,
        }))
    }

    /// Only the rows of a shard; `None` when the primary key is not `by_column` alone, which must hold the source's id.
    pub(super) fn of_shard(self, shard: Shard, by_column: &str) -> Option<Self> {
        let key = quoted(by_column).to_lowercase();
        let is_key = |(name, column_type): &(String, ColumnType)| {
            name.to_lowercase() == key && *column_type == ColumnType::Int
        };
        matches!(&self.order[..], [column] if is_key(column)).then(|| Self {
            shard: Some((shard, Pieces::new(Some(shard)))),
            ..self
        })
    }

    /// The query for the rows of a part, and its parameters.
    fn query(
        &self,
        job: &TableJob,
        list: &str,
        part: &Part<'_>,
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
        match part {
            Part::After(None) => {}
            Part::After(Some(Place(place))) => conditions.push(self.after(place, &mut values)),
            Part::Piece(shard, piece) => {
                conditions.push(format!(
                    "{order} BETWEEN ? AND ? AND {}",
                    shard.condition(&order)
                ));
                values.extend([id_value(piece.from), id_value(piece.to)]);
            }
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
        visitor.restart();
        let part = match &self.shard {
            None => Part::After(after),
            Some((shard, pieces)) => match pieces.next(rest_after(after)) {
                Some(piece) => Part::Piece(*shard, piece),
                None => return Ok(None),
            },
        };
        let (sql, values) = self.query(rows.job, rows.list, &part, limit);
        let mut cells = Vec::with_capacity(rows.types.len());
        let (mut count, mut last) = (0, Vec::new());
        for row in conn.exec_iter(sql, Params::Positional(values))? {
            let mut values = row?.unwrap().into_iter();
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
        }
        let place = last
            .into_iter()
            .zip(&self.order)
            .map(|(value, (_, column_type))| decode::cell(value, *column_type));
        let place = (count >= limit).then(|| Place(place.collect()));
        let (Some((_, pieces)), Part::Piece(_, piece)) = (&self.shard, part) else {
            return Ok(place);
        };
        let place = place.unwrap_or_else(|| Place(vec![id_cell(piece.to)]));
        let rest = rest_after(Some(&place));
        let (from, to) = (piece.from, rest.from - 1);
        pieces.has_read(Span { from, to }, count);
        Ok((rest.from <= rest.to).then_some(place))
    }
}

/// What of a destination is read.
enum Part<'a> {
    /// What comes after a place.
    After(Option<&'a Place>),
    /// What these ids have of a shard.
    Piece(Shard, Span),
}

/// The ids after a place in a primary key that is the id.
fn rest_after(place: Option<&Place>) -> Span {
    let last = place.and_then(|Place(place)| id_of(place.first()?));
    Span {
        from: last.map_or(i64::MIN.into(), |last| last + 1),
        to: u64::MAX.into(),
    }
}

fn id_cell(id: Id) -> Cell {
    match u64::try_from(id) {
        Ok(id) => Cell::UInt(id),
        Err(_) => Cell::Int(i64::try_from(id).unwrap_or(i64::MIN)),
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
    let unique: Option<String> = conn.exec_first(
        "SELECT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA=? AND TABLE_NAME=? GROUP BY INDEX_NAME \
         HAVING MAX(NON_UNIQUE)=0 AND COUNT(*)=1 AND MAX(COLUMN_NAME)=?",
        (database, table, by_column),
    )?;
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
    let keys: Vec<Value> = conn.exec(sql, ())?;
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
