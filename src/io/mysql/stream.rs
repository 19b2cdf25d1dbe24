//! Reads a whole destination in the order of its primary key, or of a unique index without NULL,
//! batch by batch. No transaction is longer than a batch. The order and the comparison use the same
//! expressions.
//!
//! A shard's rows can be told apart only where the primary key is the source's id.

use mysql::prelude::Queryable;
use mysql::{Conn, Params, Row, Value};

use super::clause::{and_condition, table_name};
use super::lookup::OrderColumn;
use super::parameters::{id_of, id_value};
use super::pieces::Pieces;
use super::plan::Plan;
use super::schema::Table;
use super::selection::Selection;
use super::wire::Watch;
use super::{bounded, decode};
use crate::config::TableJob;
use crate::logic::audit::fingerprint::KeyFold;
use crate::logic::audit::shard::Shard;
use crate::logic::scan::gaps::Span;
use crate::logic::value::cell::{Cell, Cells as _, Column, ColumnType, Id};
use crate::logic::value::sql::quoted;
use crate::world::{Place, Visitor};

/// How a destination is read from end to end.
#[derive(Debug)]
pub(super) struct Stream {
    /// What the collation of its key column takes for the same.
    pub(super) fold: KeyFold,
    /// The columns of the primary key, or of the unique index in its place.
    order: Vec<OrderColumn>,
    /// What is read where only a shard is looked at.
    shard: Option<(Shard, Pieces)>,
}

impl Stream {
    /// `None` for a table without a primary key and without a unique index of whole NOT NULL columns.
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
        let names: Vec<(String, bool)> = bounded::all(conn.exec_iter(
            "SELECT COLUMN_NAME, EXISTS(SELECT 1 FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA=k.TABLE_SCHEMA AND \
             t.TABLE_NAME=k.TABLE_NAME AND t.TABLE_TYPE='SYSTEM VERSIONED') FROM information_schema.KEY_COLUMN_USAGE k \
             WHERE CONSTRAINT_NAME='PRIMARY' AND TABLE_SCHEMA=? AND TABLE_NAME=? ORDER BY ORDINAL_POSITION",
            (database, name),
        )?)?;
        // MariaDB adds the hidden end of a row's life to the primary key; of the rows that are alive, the rest is one.
        let is_own = |name: &str, is_versioned: bool| !is_versioned || table.column(name).is_some();
        let names: Vec<String> = names
            .into_iter()
            .filter(|(name, is_versioned)| is_own(name, *is_versioned))
            .map(|(name, _)| name)
            .collect();
        let collation: Option<Option<String>> = bounded::first(conn.exec_iter(
            "SELECT COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA=? AND TABLE_NAME=? AND COLUMN_NAME=?",
            (database, name, by_column),
        )?)?;
        // Places are in UTC.
        let is_unfit = |column: &Column| {
            table.is_in_zone && matches!(column.column_type, ColumnType::Timestamp(_))
        };
        let known = |names: &[String]| -> Option<Vec<&Column>> {
            let columns: Option<Vec<_>> = names.iter().map(|name| table.column(name)).collect();
            columns.filter(|columns| !columns.is_empty() && !columns.iter().any(|c| is_unfit(c)))
        };
        let columns = match known(&names) {
            Some(columns) => columns,
            None => match known(&unique_index(conn, job, table)?) {
                Some(columns) => columns,
                None => return Ok(None),
            },
        };
        Ok(Some(Self {
            fold: KeyFold::of_collation(&collation.flatten().unwrap_or_default()),
            order: columns
                .into_iter()
                .map(|column| table.order_column(column))
                .collect(),
            shard: None,
        }))
    }

    /// Only the rows of a shard; `None` when the primary key is not `by_column` alone, which must hold the source's id.
    pub(super) fn of_shard(self, shard: Shard, by_column: &str) -> Option<Self> {
        let key = quoted(by_column).to_lowercase();
        let is_key = |column: &OrderColumn| {
            column.name.to_lowercase() == key && column.column_type == ColumnType::Int
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
        let order: Vec<&str> = self.order.iter().map(|column| &column.name[..]).collect();
        let order = order.join(", ");
        let mut conditions: Vec<String> = job
            .condition
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
            "SELECT {list} FROM {}{condition} ORDER BY {order} LIMIT ?",
            table_name(job)
        );
        (sql, values)
    }

    /// The lowest and the highest id; rows that come later are not read, and so looked up.
    fn ends(&self, conn: &mut Conn, job: &TableJob) -> mysql::Result<Option<Span>> {
        let Some(OrderColumn { name: key, .. }) = self.order.first() else {
            return Ok(None);
        };
        let table = table_name(job);
        let ends: Option<(Value, Value)> =
            conn.exec_first(format!("SELECT MIN({key}), MAX({key}) FROM {table}"), ())?;
        let id = |value: Value| id_of(decode::lent(&value, ColumnType::Int));
        Ok(ends.and_then(|(from, to)| {
            Some(Span {
                from: id(from)?,
                to: id(to)?,
            })
        }))
    }

    /// `(a > ? OR (a = ? AND b > ?))`: the form of a row comparison that both optimizers read as ranges of the index.
    fn after(&self, place: &[Cell], values: &mut Vec<Value>) -> String {
        let mut alternatives = Vec::with_capacity(self.order.len());
        for last in 0..self.order.len() {
            let mut terms = Vec::with_capacity(last + 1);
            for (at, (column, cell)) in self.order.iter().zip(place).take(last + 1).enumerate() {
                let operator = if at == last { '>' } else { '=' };
                terms.push(column.term(operator, cell, values));
            }
            alternatives.push(format!("({})", terms.join(" AND ")));
        }
        format!("({})", alternatives.join(" OR "))
    }

    /// Shows the rows after a place to `visitor`; the next place when there may be more. `shown_to` is where the last
    /// row was that was shown, also after an error.
    pub(super) fn visit(
        &self,
        conn: &mut Conn,
        rows: &Rows<'_>,
        after: Option<&Place>,
        limit: usize,
        visitor: &mut dyn Visitor,
        shown_to: &mut Option<Place>,
    ) -> mysql::Result<Option<Place>> {
        visitor.restart();
        *shown_to = None;
        let part = match &self.shard {
            None => Part::After(after),
            Some((shard, pieces)) => {
                match pieces.next(rest_after(after), || self.ends(conn, rows.job))? {
                    Some(piece) => Part::Piece(*shard, piece),
                    None => return Ok(None),
                }
            }
        };
        let list = rows.selection.list(None);
        let (sql, values) = self.query(rows.job, &list, &part, limit);
        let (mut count, mut final_row) = (0, None);
        let answer = conn.exec_iter(sql, Params::Positional(values))?;
        let answer = rows.watch.fitting(answer, rows.selection.described())?;
        let outcome = bounded::passing(answer, limit, |row| {
            let cells = rows.selection.sent(&row);
            if rows.are_too_large {
                visitor.too_large(0, cells.cell(rows.key));
            } else {
                visitor.row(0, cells.cell(rows.key), &cells);
            }
            visitor.passed(&|| rows.place(&row));
            count += 1;
            final_row = Some(row);
        });
        *shown_to = final_row.map(|row| rows.place(&row));
        outcome?;
        let place = shown_to.clone().filter(|_| count >= limit);
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
    let last = place.and_then(|Place(place)| id_of(place.first()?.lent()));
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

/// The columns of a unique index in which every row has a place of its own: of whole columns that are never NULL. That of the
/// key alone comes first, then the shortest.
fn unique_index(conn: &mut Conn, job: &TableJob, table: &Table) -> mysql::Result<Vec<String>> {
    let parts: Vec<(String, Option<String>, bool)> = bounded::all(conn.exec_iter(
        "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART IS NULL AND NULLABLE<>'YES' AND INDEX_TYPE='BTREE' \
         FROM information_schema.STATISTICS WHERE TABLE_SCHEMA=? AND TABLE_NAME=? AND NON_UNIQUE=0 AND INDEX_NAME<>'PRIMARY' \
         ORDER BY INDEX_NAME, SEQ_IN_INDEX",
        (&job.database, &job.table),
    )?)?;
    let key = job.by_column.to_lowercase();
    let indexes = parts.chunk_by(|a, b| a.0 == b.0).filter_map(|parts| {
        // An expression has no column. MariaDB adds the hidden end of a row's life, which all rows that are alive share.
        let names = parts.iter().filter_map(|(_, name, is_fit)| match name {
            Some(name) if table.column(name).is_none() => None,
            Some(name) if *is_fit => Some(Some(name.clone())),
            _ => Some(None),
        });
        names.collect::<Option<Vec<String>>>()
    });
    let best = indexes.min_by_key(|names| {
        let is_key = names.len() == 1 && names[0].to_lowercase() == key;
        (!is_key, names.len())
    });
    Ok(best.unwrap_or_default())
}

/// No two rows have the same key, by an index. That of an ENUM tells the value that is no member from the member whose text
/// is empty too.
pub(super) fn is_unique(conn: &mut Conn, job: &TableJob, plan: &Plan) -> mysql::Result<bool> {
    if matches!(plan.key_type, ColumnType::Enum | ColumnType::Set) {
        return Ok(false);
    }
    let unique: Option<String> = bounded::first(conn.exec_iter(
        "SELECT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA=? AND TABLE_NAME=? GROUP BY INDEX_NAME \
         HAVING MAX(NON_UNIQUE)=0 AND COUNT(*)=1 AND MAX(COLUMN_NAME)=?",
        (&job.database, &job.table, &job.by_column),
    )?)?;
    Ok(unique.is_some())
}

/// Keys that several rows share, by the server's own idea of the same key; a unique index needs no look.
pub(super) fn repeated_keys(
    conn: &mut Conn,
    job: &TableJob,
    plan: &Plan,
    limit: usize,
) -> mysql::Result<Vec<Cell>> {
    if is_unique(conn, job, plan)? {
        return Ok(vec![]);
    }
    let key = plan.lookup.compared(&job.by_column);
    // The least of several BITs is a number, which MariaDB sends as its digits.
    let as_number = if plan.key_type == ColumnType::Bit {
        "+0"
    } else {
        ""
    };
    let sql = format!(
        "SELECT MIN({}{as_number}) FROM {} WHERE {key} IS NOT NULL{} GROUP BY {key} HAVING COUNT(*)>1 LIMIT {limit}",
        plan.key_expression,
        table_name(job),
        and_condition(job)
    );
    let keys: Vec<Value> = bounded::all(conn.exec_iter(sql, ())?)?;
    Ok(keys
        .into_iter()
        .map(|key| decode::cell(key, plan.key_type))
        .collect())
}

/// What is read of each row.
pub(super) struct Rows<'a> {
    job: &'a TableJob,
    watch: &'a Watch,
    /// The compared columns, then what else is needed.
    selection: Selection,
    /// Where the key is.
    key: usize,
    /// Where the primary key's columns are.
    order: Vec<usize>,
    /// The compared columns are left out.
    are_too_large: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(job: &'a TableJob, plan: &'a Plan, stream: &Stream) -> Self {
        Self::of(job, plan.compared.clone(), plan, stream)
    }

    /// Without the compared columns, for rows that are too large.
    pub(super) fn too_large(job: &'a TableJob, plan: &'a Plan, stream: &Stream) -> Self {
        Self {
            are_too_large: true,
            ..Self::of(job, Selection::default(), plan, stream)
        }
    }

    fn of(job: &'a TableJob, mut selection: Selection, plan: &'a Plan, stream: &Stream) -> Self {
        let key = selection.place_of(&plan.key_expression, plan.key_type, plan.key_described);
        let places = stream.order.iter();
        let order = places.map(|column| {
            selection.place_of(&column.expression, column.column_type, column.described())
        });
        let order = order.collect();
        Self {
            job,
            watch: &plan.watch,
            selection,
            key,
            order,
            are_too_large: false,
        }
    }

    /// Where a row is in the table's order.
    fn place(&self, row: &Row) -> Place {
        let cells = self.selection.sent(row);
        Place(
            self.order
                .iter()
                .map(|&at| cells.cell(at).owned())
                .collect(),
        )
    }
}
