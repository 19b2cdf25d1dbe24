//! The source table: its clock and highest id, batches by id and by update time, whole rows.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use mysql::prelude::Queryable;
use mysql::{Conn, Params, Value};

use super::bounded::{self, ROWS_MAX};
use super::decode;
use super::layout::{Layout, Visited};
use super::pieces::Pieces;
use super::schema::{literal, quoted};
use super::session::{Manner, NOW_US, Sessions, is_of_one_key, label};
use super::unique::{self, Distinct};
use super::wire;
use crate::config::{Job, TableJob};
use crate::error::{Error, Result};
use crate::logic::cell::{Cell, CellRef, Cells as _, Column, ColumnType, Id};
use crate::logic::gaps::Span;
use crate::logic::key::{Spellings, spellings};
use crate::logic::row::Row;
use crate::logic::trail::key_print;
use crate::logic::window::{Bounds, Request, What};
use crate::world::{Clock, Source, Visitor, WholeRow};

/// Keys in one query for their ids.
const KEYS_PER_QUERY: usize = 512;

/// The source table of a job.
pub struct MySqlSource {
    pub(super) sessions: Arc<Sessions>,
    /// In UTC, whatever the condition.
    pub(super) plain_sessions: Arc<Sessions>,
    job: Arc<Job>,
    layout: OnceLock<Layout>,
    pieces: Pieces,
}

impl MySqlSource {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(job: Arc<Job>, clock: Arc<dyn Clock + Send>) -> Self {
        let TableJob {
            server, condition, ..
        } = &job.source.table;
        let sessions = Sessions::new(server, Manner::of_condition(condition.as_ref()), clock);
        let plain_sessions = Arc::new(sessions.of_same_job(server, Manner::Plain));
        Self::over(Arc::new(sessions), plain_sessions, job)
    }

    /// The same table, for another pass: its columns are read anew, over the connections that there are.
    #[must_use]
    pub fn anew(&self) -> Self {
        let (sessions, plain) = (Arc::clone(&self.sessions), Arc::clone(&self.plain_sessions));
        Self::over(sessions, plain, Arc::clone(&self.job))
    }

    /// Another pass begins: accounts that were refused and servers that did not answer, of destinations too, are tried
    /// once more.
    pub fn begin_pass(&self) {
        self.sessions.begin_pass();
    }

    fn over(sessions: Arc<Sessions>, plain_sessions: Arc<Sessions>, job: Arc<Job>) -> Self {
        Self {
            sessions,
            plain_sessions,
            pieces: Pieces::new(job.source.shard),
            job,
            layout: OnceLock::new(),
        }
    }

    /// The columns to read and their types, asked of the server once.
    pub(super) fn layout(&self) -> Result<&Layout> {
        if let Some(layout) = self.layout.get() {
            return Ok(layout);
        }
        let layout = Layout::new(&self.job, self.read_columns()?)
            .map_err(|problem| self.refused(&problem))?;
        Ok(self.layout.get_or_init(|| layout))
    }

    fn refused(&self, problem: &str) -> Error {
        Error::Config {
            path: self.job.path.clone(),
            problem: format!("{problem} at {}", label(&self.table().server)),
        }
    }

    fn read_columns(&self) -> Result<super::schema::Table> {
        let TableJob {
            database, table, ..
        } = self.table();
        self.sessions
            .run(&format!("Read the columns of {database}.{table}"), |conn| {
                super::schema::Table::read(conn, database, table)
            })
    }

    /// The columns are, or may be, others than those that this pass knows.
    fn has_other_columns(&self) -> bool {
        let Some(layout) = self.layout.get() else {
            return false;
        };
        let read = self.read_columns();
        read.map_or(true, |table| table.columns != layout.columns)
    }

    pub(super) fn table(&self) -> &TableJob {
        &self.job.source.table
    }

    /// `FROM … WHERE`, with `src.where`, and of the shard where there is one.
    pub(super) fn table_clause(&self) -> String {
        self.whole_table_clause() + &self.shard_clause()
    }

    /// The same without `src.where`.
    pub(super) fn unconditional_clause(&self) -> String {
        let TableJob {
            database, table, ..
        } = self.table();
        let (database, table) = (quoted(database), quoted(table));
        format!("FROM {database}.{table} WHERE {}", self.shard_clause())
    }

    fn shard_clause(&self) -> String {
        self.job.source.shard.map_or_else(String::new, |shard| {
            let id = quoted(&self.job.source.id_column);
            format!("{} AND ", shard.condition(&id))
        })
    }

    /// `FROM … WHERE`, with `src.where`.
    fn whole_table_clause(&self) -> String {
        let TableJob {
            database,
            table,
            condition,
            ..
        } = self.table();
        let condition = condition
            .as_ref()
            .map_or_else(String::new, |condition| format!("({condition}) AND "));
        format!(
            "FROM {}.{} WHERE {condition}",
            quoted(database),
            quoted(table)
        )
    }

    pub(super) fn run<T>(
        &self,
        what: &str,
        mut work: impl FnMut(&mut Conn) -> mysql::Result<T>,
    ) -> Result<T> {
        let mut outcome = self.sessions.attempt(&mut work);
        if outcome.as_ref().is_err_and(wire::is_misfit)
            && let Some(layout) = self.layout.get()
            && !self.has_other_columns()
        {
            layout.watch.be_lenient();
            outcome = self.sessions.attempt(&mut work);
        }
        outcome.map_err(|error| self.failed(what, &error))
    }

    fn failed(&self, what: &str, error: &mysql::Error) -> Error {
        let TableJob {
            database,
            table,
            condition,
            ..
        } = self.table();
        let operation = format!("Read {what} of {database}.{table}");
        if wire::may_be_of_columns(error) && self.has_other_columns() {
            let name = format!("{database}.{table} at {}", label(&self.table().server));
            return wire::changed(operation, &name);
        }
        if let Some(id) = unique::shared_id(error) {
            return self.refused(&format!(
                "src.idColumn: holds {:?}, but several rows of {database}.{table} have the id {id}; should name an integer \
                 column that is different in every row, such as an AUTO_INCREMENT key. `cupid check` names the primary key \
                 where it is one",
                self.job.source.id_column
            ));
        }
        self.sessions.failed_with(
            &operation,
            error,
            "src.where",
            condition.as_deref(),
            &self.job.path,
        )
    }

    pub(super) fn by_spans(
        &self,
        layout: &Layout,
        spans: &[(Id, Id)],
        limit: usize,
    ) -> Result<Vec<Row>> {
        self.listed_by_spans(layout, &layout.scan_list, spans, limit)
    }

    /// `list` begins as [`Layout::scan_list`] does.
    fn listed_by_spans(
        &self,
        layout: &Layout,
        list: &str,
        spans: &[(Id, Id)],
        limit: usize,
    ) -> Result<Vec<Row>> {
        let id = quoted(&layout.id.name);
        let slots = padded_count(spans.len());
        let between = vec![format!("{id} BETWEEN ? AND ?"); slots].join(" OR ");
        let sql = format!(
            "SELECT {list} {}({between}) ORDER BY {id} LIMIT ?",
            self.table_clause()
        );
        let values: Vec<Value> = padded(spans, slots)
            .flat_map(|&(from, to)| [id_value(from), id_value(to)])
            .collect();
        self.run("rows by id", |conn| {
            rows(conn, &sql, values.clone(), layout, limit)
        })
    }

    /// What to read next of a span. Above the highest id that there is when this is first asked for, ids may still appear.
    fn piece(&self, span: Span) -> Result<Option<Span>> {
        self.pieces.next(span, || {
            let TableJob {
                database, table, ..
            } = self.table();
            let id = quoted(&self.job.source.id_column);
            let (database, table) = (quoted(database), quoted(table));
            let sql = format!("SELECT MIN({id}) FROM {database}.{table}");
            let lowest = self.run("the lowest id", |conn| {
                conn.exec_first::<Value, _, _>(&sql, ())
            })?;
            let lowest = lowest.and_then(|id| id_of(decode::lent(&id, ColumnType::Int)));
            Ok(lowest.map(|from| Span {
                from,
                to: u64::MAX.into(),
            }))
        })
    }

    /// TIMESTAMPs as this server prints them, in its own zone.
    pub(super) fn as_printed(&self, keys: &[&Cell]) -> Result<Vec<Cell>> {
        let Some(zone) = self.layout()?.zone.as_deref().map(literal) else {
            return Ok(keys.iter().map(|&key| key.clone()).collect());
        };
        let mut printed = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS_PER_QUERY) {
            // The zero timestamp has no zone; `CONVERT_TZ` makes it NULL.
            let one = format!(
                "COALESCE(CONVERT_TZ(CAST(? AS DATETIME(6)),'+00:00',{zone}),CAST(? AS DATETIME(6)))"
            );
            let sql = format!("SELECT {}", vec![&one[..]; keys.len()].join(","));
            let values: Vec<Value> = keys
                .iter()
                .flat_map(|key| [decode::parameter(key), decode::parameter(key)])
                .collect();
            let row: Option<mysql::Row> = self.run("times in the server's zone", |conn| {
                bounded::first(conn.exec_iter(&sql, Params::Positional(values.clone()))?)
            })?;
            let values = row.map(mysql::Row::unwrap).unwrap_or_default();
            printed.extend(values.into_iter().map(decode::moment));
        }
        Ok(printed)
    }

    /// All rows of a span, up to `limit`.
    fn by_span(&self, layout: &Layout, span: Span, limit: usize) -> Result<Vec<Row>> {
        let Span { mut from, to } = span;
        let mut rows = Vec::new();
        while rows.len() < limit
            && let Some(mut piece) = self.piece(Span { from, to })?
        {
            let wanted = limit - rows.len();
            let found = self.by_spans(layout, &[(piece.from, piece.to)], wanted)?;
            if found.len() >= wanted {
                piece.to = found.last().map_or(piece.to, |row| row.id);
            }
            self.pieces.has_read(piece, found.len());
            rows.extend(found);
            from = piece.to + 1;
        }
        Ok(rows)
    }
}

impl Source for MySqlSource {
    fn bounds(&self) -> Result<Bounds> {
        let TableJob {
            database, table, ..
        } = self.table();
        let id = quoted(&self.job.source.id_column);
        // A condition that cannot be parsed is refused here, before anything is saved.
        let condition = self.table().condition.as_ref();
        let condition = condition.map_or_else(String::new, |condition| {
            format!(
                ", EXISTS(SELECT 1 FROM {}.{} WHERE ({condition}) AND 1=0)",
                quoted(database),
                quoted(table)
            )
        });
        // A missing table or column is a problem of the configuration, not of a query.
        let layout = self.layout()?;
        let Layout {
            key,
            key_expression,
            ..
        } = layout;
        let table = format!("{}.{}", quoted(database), quoted(table));
        let sql = format!(
            "SELECT {NOW_US}, (SELECT MAX({id}) FROM {table}), \
             (SELECT {key_expression} FROM {table} WHERE {id} IS NOT NULL ORDER BY {id} DESC LIMIT 1){condition}"
        );
        let mut described = vec![None, Some(ColumnType::Int), None];
        described.extend(self.table().condition.as_ref().map(|_| None));
        let row: Option<mysql::Row> = self.run("the clock and the highest id", |conn| {
            let answer = conn.exec_iter(&sql, ())?;
            bounded::first(layout.watch.fitting(answer, &described)?)
        })?;
        let cell = |at| {
            let value = row.as_ref().and_then(|row: &mysql::Row| row.as_ref(at));
            value.cloned().unwrap_or(Value::NULL)
        };
        let number = |at| id_of(decode::lent(&cell(at), ColumnType::Int));
        let key = decode::cell(cell(2), key.column_type);
        Ok(Bounds {
            now_us: number(0).and_then(|us| i64::try_from(us).ok()).unwrap_or(0),
            id_max: number(1),
            key_max: (key != Cell::Null).then(|| key_print(&key)),
        })
    }

    fn rows_without_id(&self) -> Result<u64> {
        let layout = self.layout()?;
        if !layout.id_may_be_null {
            return Ok(0);
        }
        let id = quoted(&layout.id.name);
        let sql = format!("SELECT COUNT(*) {}{id} IS NULL", self.whole_table_clause());
        let count: Option<u64> = self.run("rows without an id", |conn| {
            bounded::first(conn.exec_iter(&sql, ())?)
        })?;
        Ok(count.unwrap_or(0))
    }

    fn moments(&self) -> Result<Option<String>> {
        let Layout { update, .. } = self.layout()?;
        Ok(update.as_ref().map(|update| update.moments.clone()))
    }

    fn scan(&self, request: &Request) -> Result<Vec<Row>> {
        let layout = self.layout()?;
        match &request.what {
            What::Holes(spans) | What::Suspects(spans) => {
                let spans: Vec<(Id, Id)> = spans.iter().map(|span| (span.from, span.to)).collect();
                self.by_spans(layout, &spans, request.limit)
            }
            What::Keys(spans) => {
                let spans: Vec<(Id, Id)> = spans.iter().map(|span| (span.from, span.to)).collect();
                let list = format!(
                    "{}, {}, NULL",
                    quoted(&layout.id.name),
                    layout.key_expression
                );
                self.listed_by_spans(layout, &list, &spans, request.limit)
            }
            What::Again(span) | What::New(span) => self.by_span(layout, *span, request.limit),
            What::Updated { .. } => self.window(layout, request),
        }
    }

    /// A key that the server refuses, such as one that its character set has no letters for, is no row's.
    fn ids_of(&self, keys: &[Cell]) -> Result<Vec<Id>> {
        let Layout {
            id, key, lookup, ..
        } = self.layout()?;
        let spelled: Vec<Spellings<'_>> = keys
            .iter()
            .map(|key| spellings(key, &lookup.column, &lookup.column))
            .collect();
        let keys: Vec<&Cell> = spelled.iter().flat_map(Spellings::iter).collect();
        let mut ids = Vec::new();
        let mut left: Vec<&[&Cell]> = keys.chunks(KEYS_PER_QUERY).collect();
        while let Some(keys) = left.pop() {
            let slots = padded_count(keys.len());
            let places: Vec<_> = padded(keys, slots).map(|cell| lookup.sql(cell)).collect();
            let sql = format!(
                "SELECT {} {}{} IN ({})",
                quoted(&id.name),
                self.table_clause(),
                quoted(&key.name),
                places.join(",")
            );
            let values: Vec<Value> = padded(keys, slots)
                .filter_map(|cell| lookup.value(cell))
                .collect();
            let found = self.sessions.attempt(&mut |conn: &mut Conn| {
                conn.exec::<Value, _, _>(&sql, Params::Positional(values.clone()))
            });
            match found {
                Ok(found) => ids.extend(
                    found
                        .into_iter()
                        .filter_map(|id| id_of(decode::lent(&id, ColumnType::Int))),
                ),
                Err(error) if is_of_one_key(&error) => {
                    let (one, other) = keys.split_at(keys.len() / 2);
                    left.extend(
                        [one, other]
                            .into_iter()
                            .filter(|half| !half.is_empty() && half.len() < keys.len()),
                    );
                }
                Err(error) => return Err(self.failed("rows by key", &error)),
            }
        }
        Ok(ids)
    }

    fn visit(&self, span: Span, limit: usize, visitor: &mut dyn Visitor) -> Result<Option<Id>> {
        let layout = self.layout()?;
        let Some(piece) = self.piece(span)? else {
            visitor.restart();
            return Ok(None);
        };
        let Visited {
            selection,
            id: id_at,
            key: key_at,
        } = &layout.visited;
        let id = quoted(&layout.id.name);
        let sql = format!(
            "SELECT {} {}{id} BETWEEN ? AND ? ORDER BY {id} LIMIT ?",
            selection.list(None),
            self.table_clause()
        );
        let values = vec![
            id_value(piece.from),
            id_value(piece.to),
            Value::UInt(limit as u64 + 1),
        ];
        let (count, last) = self.run("all rows", |conn| {
            visitor.restart();
            let (mut count, mut last) = (0, None);
            let mut distinct = Distinct::default();
            let answer = conn.exec_iter(&sql, Params::Positional(values.clone()))?;
            let answer = layout.watch.fitting(answer, selection.described())?;
            bounded::passing(answer, limit + 1, |row| {
                let row = selection.sent(&row);
                let id = id_of(row.cell(*id_at));
                if let Some(id) = id {
                    distinct.see(id);
                }
                if count == limit {
                    return; // The first row of the next batch.
                }
                count += 1;
                if let Some(id) = id {
                    visitor.row(id, row.cell(*key_at), &row);
                    last = Some(id);
                }
            })?;
            distinct.end()?;
            Ok((count, last))
        })?;
        let read_to = last.filter(|_| count >= limit).unwrap_or(piece.to);
        let from = piece.from;
        self.pieces.has_read(Span { from, to: read_to }, count);
        Ok((read_to < span.to).then_some(read_to))
    }

    fn whole_rows(&self, ids: &[Id]) -> Result<Vec<WholeRow>> {
        let layout = self.layout()?;
        let slots = padded_count(ids.len());
        let sql = format!(
            "SELECT {}, {} {}{} IN ({})",
            layout.scan_list,
            layout.whole_list,
            self.table_clause(),
            quoted(&layout.id.name),
            vec!["?"; slots].join(",")
        );
        let values: Vec<Value> = padded(ids, slots).map(|&id| id_value(id)).collect();
        let split = layout.scan_types.len();
        let described = [&*layout.scan_described, &*layout.whole_described].concat();
        self.run("whole rows", |conn| {
            let answer = conn.exec_iter(&sql, Params::Positional(values.clone()))?;
            let answer = layout.watch.fitting(answer, &described)?;
            let mut rows = Vec::with_capacity(ids.len());
            let mut count = None;
            bounded::each(answer, ROWS_MAX, |row| {
                let mut values = row.unwrap();
                count = values.last().cloned();
                let all = values.split_off(split.min(values.len()));
                let all = all
                    .into_iter()
                    .zip(&layout.columns)
                    .map(|(value, column)| decode::cell(value, column.column_type));
                let row = scanned(values, layout);
                rows.extend(row.map(|row| WholeRow {
                    row,
                    all: all.collect(),
                }));
            })?;
            let count = count.and_then(|count| id_of(decode::lent(&count, ColumnType::Int)));
            if count.is_some_and(|count| count != layout.columns.len() as Id) {
                return Err(wire::misfit());
            }
            let mut met = HashSet::with_capacity(rows.len());
            if let Some(twice) = rows.iter().find(|whole| !met.insert(whole.row.id)) {
                return Err(unique::shared(twice.row.id));
            }
            Ok(rows)
        })
    }

    fn columns(&self) -> Result<&[Column]> {
        Ok(&self.layout()?.columns)
    }
}

/// The rows of a query that ends with `LIMIT ?` and asks for an order in which two rows of an id are neighbours.
pub(super) fn rows(
    conn: &mut Conn,
    sql: &str,
    mut values: Vec<Value>,
    layout: &Layout,
    limit: usize,
) -> mysql::Result<Vec<Row>> {
    let mut rows = Vec::new();
    values.push(Value::UInt(limit as u64 + 1));
    let answer = conn.exec_iter(sql, Params::Positional(values))?;
    let answer = layout.watch.fitting(answer, &layout.scan_described)?;
    bounded::each(answer, limit + 1, |row| {
        rows.extend(scanned(row.unwrap(), layout));
    })?;
    let mut distinct = Distinct::default();
    for row in &rows {
        distinct.see(row.id);
    }
    distinct.end()?;
    rows.truncate(limit);
    Ok(rows)
}

/// The values of [`Layout::scan_list`]; `None` for a row without an id, which no scan can reach.
fn scanned(values: Vec<Value>, layout: &Layout) -> Option<Row> {
    let mut cells = values
        .into_iter()
        .zip(&layout.scan_types)
        .map(|(value, &column_type)| decode::cell(value, column_type));
    let id = id_of(cells.next()?.lent())?;
    Some(Row {
        id,
        key: cells.next()?,
        updated: cells.next()?,
        cells: cells.collect(),
    })
}

pub(super) fn id_of(cell: CellRef<'_>) -> Option<Id> {
    match cell {
        CellRef::Int(value) => Some(Id::from(value)),
        CellRef::UInt(value) => Some(Id::from(value)),
        _ => None,
    }
}

/// An id as a parameter; what no column can hold becomes the nearest that one can.
pub(super) fn id_value(id: Id) -> Value {
    match u64::try_from(id) {
        Ok(id) => Value::UInt(id),
        Err(_) if id > 0 => Value::UInt(u64::MAX),
        Err(_) => Value::Int(i64::try_from(id).unwrap_or(i64::MIN)),
    }
}

/// Lists are padded to a few lengths, so that a few prepared statements serve all.
pub(super) fn padded_count(count: usize) -> usize {
    count.max(1).next_power_of_two()
}

/// The items, the last one repeated.
pub(super) fn padded<T>(items: &[T], slots: usize) -> impl Iterator<Item = &T> + Clone {
    items
        .iter()
        .chain(items.last().into_iter().cycle())
        .take(slots)
}
