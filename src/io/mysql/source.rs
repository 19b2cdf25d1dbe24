//! The source table: its clock and highest id, batches by id and by update time, whole rows.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use mysql::prelude::Queryable;
use mysql::{Conn, Params, Value};

use super::bounded::{self, ROWS_MAX, Room};
use super::decode;
use super::errors::{is_of_one_key, label};
use super::layout::{Layout, Visited, Whole};
use super::parameters::{id_of, id_value, padded, padded_count, u64_of};
use super::pieces::Pieces;
use super::schema::Table;
use super::session::{Manner, NOW_US, Sessions};
use super::unique::{self, Distinct};
use super::wide::{Fitted, cells_at_once, fitted, sum_of};
use super::wire;
use crate::config::{Job, TableJob};
use crate::error::{Error, Result};
use crate::logic::audit::shard::Shard;
use crate::logic::compare::key::{Spellings, spellings};
use crate::logic::scan::bounds::Bounds;
use crate::logic::scan::gaps::Span;
use crate::logic::scan::plan::{Request, What};
use crate::logic::scan::trail::key_print;
use crate::logic::value::cell::{Cell, Cells as _, Column, ColumnType, Id};
use crate::logic::value::oversize::{Part, ROOM_BYTES, TooLarge};
use crate::logic::value::row::Row;
use crate::logic::value::sql::{literal, quoted};
use crate::world::{Batch, Clock, Sent, Source, Visitor, Weight, WholeRow, WholeRows};

/// Keys in one query for their ids.
const KEYS_PER_QUERY: usize = 512;
/// Rows that a statement leaves out.
const EXCEPT_MAX: usize = 1_000;

/// The source table of a job.
pub struct MySqlSource {
    pub(super) sessions: Arc<Sessions>,
    /// In UTC, whatever the condition.
    pub(super) plain_sessions: Arc<Sessions>,
    job: Arc<Job>,
    /// Only these rows.
    shard: Option<Shard>,
    layout: OnceLock<Layout>,
    pieces: Pieces,
}

impl MySqlSource {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(job: Arc<Job>, shard: Option<Shard>, clock: Arc<dyn Clock + Send>) -> Self {
        let TableJob {
            server, condition, ..
        } = &job.source.table;
        let sessions = Sessions::new(server, Manner::of_condition(condition.as_ref()), clock);
        let plain_sessions = Arc::new(sessions.of_same_job(server, Manner::Plain));
        Self::over(Arc::new(sessions), plain_sessions, job, shard)
    }

    /// The same table, for another pass: its columns are read anew, over the connections that there are.
    #[must_use]
    pub fn anew(&self) -> Self {
        let (sessions, plain) = (Arc::clone(&self.sessions), Arc::clone(&self.plain_sessions));
        Self::over(sessions, plain, Arc::clone(&self.job), self.shard)
    }

    /// Another pass begins: accounts that were refused and servers that did not answer, of destinations too, are tried
    /// once more.
    pub fn begin_pass(&self) {
        self.sessions.begin_pass();
    }

    fn over(
        sessions: Arc<Sessions>,
        plain_sessions: Arc<Sessions>,
        job: Arc<Job>,
        shard: Option<Shard>,
    ) -> Self {
        Self {
            sessions,
            plain_sessions,
            pieces: Pieces::new(shard),
            shard,
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

    fn read_columns(&self) -> Result<Table> {
        let TableJob {
            database, table, ..
        } = self.table();
        self.sessions
            .run(&format!("Read the columns of {database}.{table}"), |conn| {
                Table::read(conn, database, table)
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

    /// Of its rows only these are read.
    pub(super) fn shard(&self) -> Option<Shard> {
        self.shard
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
        self.shard.map_or_else(String::new, |shard| {
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
        self.attempt(&mut work)
            .map_err(|error| self.failed(what, &error))
    }

    /// As [`Sessions::attempt`]; an answer that only looks as if the columns had changed is taken.
    fn attempt<T>(&self, work: &mut dyn FnMut(&mut Conn) -> mysql::Result<T>) -> mysql::Result<T> {
        let outcome = self.sessions.attempt(work);
        match (&outcome, self.layout.get()) {
            (Err(error), Some(layout)) if wire::is_misfit(error) && !self.has_other_columns() => {
                layout.watch.be_lenient();
                self.sessions.attempt(work)
            }
            _ => outcome,
        }
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

    /// Whether several rows have this id.
    fn has_several(&self, id: Id) -> Result<bool> {
        let column = quoted(&self.job.source.id_column);
        let sql = format!("SELECT COUNT(*) {}{column} = ?", self.table_clause());
        let count: Option<u64> = self.run("rows of one id", |conn| {
            bounded::first(conn.exec_iter(&sql, (id_value(id),))?)
        })?;
        Ok(count.is_some_and(|count| count > 1))
    }

    /// Reads what these statements ask for, one after the other, until there are so many rows.
    pub(super) fn batch(
        &self,
        what: &str,
        layout: &Layout,
        asks: &[Ask],
        limit: usize,
    ) -> Result<Batch> {
        let mut rows: Vec<Row> = Vec::new();
        for ask in asks {
            let before = rows.len();
            if before >= limit {
                break;
            }
            let mut next_id = None;
            let outcome = self.attempt(&mut |conn: &mut Conn| {
                rows.truncate(before);
                next_id = None;
                ask.read(conn, layout, limit - before, &mut rows, &mut next_id)
            });
            let is_cut = match outcome {
                Ok(()) => false,
                Err(error) if bounded::is_too_wide(&error) => true,
                Err(error) => return Err(self.failed(what, &error)),
            };
            if is_cut && rows.is_empty() {
                return self.without_cells(what, layout, ask);
            }
            let ids = rows.iter().map(|row| row.id).chain(next_id);
            if is_cut {
                let mut distinct = Distinct::default();
                ids.clone().for_each(|id| distinct.see(id));
                // A server that sends a row again and again is not to be taken for a table with such ids.
                if let Some(id) = distinct.shared()
                    && self.has_several(id)?
                {
                    return Err(self.failed(what, &unique::shared(id)));
                }
            }
            // The scan goes on behind the last row of a batch that was cut, so there has to be a way to go.
            if is_cut && ask.is_by_id && !ids.is_sorted_by(|a, b| a < b) {
                return Err(self.failed(what, &bounded::excess()));
            }
            if is_cut {
                return Ok(Batch {
                    rows,
                    is_cut,
                    too_large: None,
                });
            }
        }
        Ok(Batch {
            rows,
            ..Batch::default()
        })
    }

    /// The first row that a statement asks for, which is too large to be read.
    fn without_cells(&self, what: &str, layout: &Layout, ask: &Ask) -> Result<Batch> {
        let Some((row, bytes)) = self.first_of(what, layout, ask)? else {
            return Ok(Batch::default()); // It has gone meanwhile, and none comes after it.
        };
        Ok(Batch {
            rows: vec![row],
            is_cut: true,
            too_large: Some(TooLarge {
                part: Part::Compared,
                bytes,
            }),
        })
    }

    /// The first row without its compared columns, and how many bytes these have.
    fn first_of(&self, what: &str, layout: &Layout, ask: &Ask) -> Result<Option<(Row, u64)>> {
        let Ask { rest, values, .. } = ask;
        let Layout {
            head_list,
            compared_bytes,
            ..
        } = layout;
        let sql = format!("SELECT {head_list}, {compared_bytes} {rest}");
        let mut values = values.clone();
        values.push(Value::UInt(1));
        let row = self.run(what, |conn| {
            let mut first = None;
            let answer = conn.exec_iter(&sql, Params::Positional(values.clone()))?;
            bounded::each(answer, 1, |row| {
                let mut values = row.unwrap();
                let bytes = values.pop().and_then(|bytes| u64_of(&bytes));
                first = scanned(values, layout).zip(bytes);
            })?;
            Ok(first)
        })?;
        Ok(row)
    }

    pub(super) fn by_spans(
        &self,
        layout: &Layout,
        spans: &[(Id, Id)],
        limit: usize,
        except: &[Id],
    ) -> Result<Batch> {
        let (rest, values) = self.of_spans(layout, spans, except);
        let ask = Ask {
            rest,
            values,
            is_by_id: true,
        };
        self.batch("rows by id", layout, &[ask], limit)
    }

    /// The rows of spans without their compared columns.
    fn heads(&self, layout: &Layout, spans: &[Span], limit: usize) -> Result<Batch> {
        let spans: Vec<(Id, Id)> = spans.iter().map(|span| (span.from, span.to)).collect();
        let (rest, mut values) = self.of_spans(layout, &spans, &[]);
        let sql = format!("SELECT {} {rest}", layout.head_list);
        values.push(Value::UInt(limit as u64));
        let rows = self.run("rows by id", |conn| {
            let answer = conn.exec_iter(&sql, Params::Positional(values.clone()))?;
            let answer = layout.watch.fitting(answer, &layout.scan_described[..3])?;
            let mut rows = Vec::new();
            bounded::each(answer, limit, |row| {
                rows.extend(scanned(row.unwrap(), layout));
            })?;
            Ok(rows)
        })?;
        Ok(Batch {
            rows,
            ..Batch::default()
        })
    }

    /// What comes after the list of columns in a statement for the rows of spans, and its values without the limit.
    fn of_spans(&self, layout: &Layout, spans: &[(Id, Id)], except: &[Id]) -> (String, Vec<Value>) {
        let id = quoted(&layout.id.name);
        let slots = padded_count(spans.len());
        let between = vec![format!("{id} BETWEEN ? AND ?"); slots].join(" OR ");
        let rest = format!(
            "{}({between}) ORDER BY {id} LIMIT ?",
            self.clause_without(except)
        );
        let values = padded(spans, slots)
            .flat_map(|&(from, to)| [id_value(from), id_value(to)])
            .collect();
        (rest, values)
    }

    /// As [`Self::table_clause`], without the rows of these ids, or of the first of them.
    pub(super) fn clause_without(&self, except: &[Id]) -> String {
        let clause = self.table_clause();
        if except.is_empty() {
            return clause;
        }
        let ids = except.iter().take(EXCEPT_MAX).map(Id::to_string);
        let ids: Vec<String> = ids.collect();
        let id = quoted(&self.job.source.id_column);
        format!("{clause}{id} NOT IN ({}) AND ", ids.join(","))
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
    fn by_span(&self, layout: &Layout, span: Span, limit: usize, except: &[Id]) -> Result<Batch> {
        let Span { mut from, to } = span;
        let mut batch = Batch::default();
        while batch.rows.len() < limit
            && !batch.is_cut
            && let Some(mut piece) = self.piece(Span { from, to })?
        {
            let wanted = limit - batch.rows.len();
            let found = self.by_spans(layout, &[(piece.from, piece.to)], wanted, except)?;
            if found.too_large.is_some() && !batch.rows.is_empty() {
                batch.is_cut = true; // That row is a batch of its own, the next one.
                break;
            }
            if found.is_cut || found.rows.len() >= wanted {
                piece.to = found.rows.last().map_or(piece.to, |row| row.id);
            }
            self.pieces.has_read(piece, found.rows.len());
            batch.rows.extend(found.rows);
            (batch.is_cut, batch.too_large) = (found.is_cut, found.too_large);
            from = piece.to + 1;
        }
        Ok(batch)
    }

    /// Whole rows, as they are.
    fn whole_rows_of(
        &self,
        layout: &Layout,
        ids: &[Id],
        room: &Room,
    ) -> mysql::Result<Vec<WholeRow>> {
        let (slots, id) = (padded_count(ids.len()), quoted(&layout.id.name));
        let sql = format!(
            "SELECT {}{} {}{id} IN ({})",
            layout.scan_list,
            layout.others_list,
            self.table_clause(),
            vec!["?"; slots].join(",")
        );
        let values: Vec<Value> = padded(ids, slots).map(|&id| id_value(id)).collect();
        let described = [&*layout.scan_described, &*layout.others_described].concat();
        self.attempt(&mut |conn: &mut Conn| {
            let answer = conn.exec_iter(&sql, Params::Positional(values.clone()))?;
            let answer = layout.watch.fitting(answer, &described)?;
            let mut rows = Vec::with_capacity(ids.len());
            let mut count = None;
            bounded::fitting(answer, ROWS_MAX, &room.clone(), |row| {
                let values = row.unwrap();
                count = values.last().cloned();
                rows.extend(whole_row(values, layout));
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

    /// A row that cannot be sent, with what is compared where that can be read.
    fn too_large(&self, layout: &Layout, id: Id, bytes: u64) -> Result<Option<WholeRow>> {
        let Batch {
            rows, too_large, ..
        } = self.by_spans(layout, &[(id, id)], 1, &[])?;
        let part = Part::Row;
        Ok(rows.into_iter().next().map(|row| WholeRow {
            row,
            all: vec![],
            too_large: too_large.or(Some(TooLarge { part, bytes })),
        }))
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

    fn scan(&self, request: &Request, except: &[Id]) -> Result<Batch> {
        let layout = self.layout()?;
        match &request.what {
            What::Holes(spans) | What::Suspects(spans) => {
                let spans: Vec<(Id, Id)> = spans.iter().map(|span| (span.from, span.to)).collect();
                self.by_spans(layout, &spans, request.limit, except)
            }
            What::Keys(spans) => self.heads(layout, spans, request.limit),
            What::Again(span) | What::New(span) => {
                self.by_span(layout, *span, request.limit, except)
            }
            What::Updated { .. } => self.window(layout, request, except),
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
            let at_once = cells_at_once(keys.iter().copied());
            if at_once < keys.len() {
                let (now, later) = keys.split_at(at_once);
                left.extend([later, now]);
                continue;
            }
            let slots = padded_count(keys.len());
            let places: Vec<_> = padded(keys, slots).map(|cell| lookup.sql(cell)).collect();
            let sql = format!(
                "SELECT {} {}{} IN ({})",
                quoted(&id.name),
                self.table_clause(),
                lookup.compared(&key.name),
                places.join(",")
            );
            let values: Vec<Value> = padded(keys, slots)
                .flat_map(|cell| lookup.values(cell))
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
        let ask = Ask {
            rest: format!(
                "{}{id} BETWEEN ? AND ? ORDER BY {id} LIMIT ?",
                self.table_clause()
            ),
            values: vec![id_value(piece.from), id_value(piece.to)],
            is_by_id: true,
        };
        let sql = format!("SELECT {} {}", selection.list(None), ask.rest);
        let mut values = ask.values.clone();
        values.push(Value::UInt(limit as u64 + 1));
        let (mut count, mut last) = (0, None);
        let outcome = self.attempt(&mut |conn: &mut Conn| {
            visitor.restart();
            (count, last) = (0, None);
            let mut distinct = Distinct::default();
            let answer = conn.exec_iter(&sql, Params::Positional(values.clone()))?;
            let answer = layout.watch.fitting(answer, selection.described())?;
            let outcome = bounded::passing(answer, limit + 1, |row| {
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
            });
            if outcome.as_ref().err().is_none_or(bounded::is_too_wide) {
                distinct.end()?;
            }
            outcome
        });
        let is_cut = match outcome {
            Ok(()) => false,
            Err(error) if bounded::is_too_wide(&error) => true,
            Err(error) => return Err(self.failed("all rows", &error)),
        };
        if is_cut
            && last.is_none()
            && let Some((row, _)) = self.first_of("all rows", layout, &ask)?
        {
            visitor.too_large(row.id, row.key.lent());
            (count, last) = (1, Some(row.id));
        }
        let is_full = is_cut || count >= limit;
        let read_to = last.filter(|_| is_full).unwrap_or(piece.to);
        let from = piece.from;
        self.pieces.has_read(Span { from, to: read_to }, count);
        Ok((read_to < span.to).then_some(read_to))
    }

    fn whole_rows(&self, ids: &[Id], room_bytes: usize) -> Result<WholeRows> {
        let layout = self.layout()?;
        let read = |count: usize, room| self.whole_rows_of(layout, &ids[..count], &room);
        let id = quoted(&layout.id.name);
        let bytes = sum_of(&layout.row_bytes);
        let weigh = |count: usize| {
            let slots = padded_count(count);
            let sql = format!(
                "SELECT {bytes} {}{id} IN ({})",
                self.table_clause(),
                vec!["?"; slots].join(",")
            );
            let values: Vec<Value> = padded(&ids[..count], slots)
                .map(|&id| id_value(id))
                .collect();
            self.sessions.attempt(&mut |conn: &mut Conn| {
                let sum =
                    bounded::first(conn.exec_iter(&sql, Params::Positional(values.clone()))?)?;
                Ok(sum.unwrap_or(0))
            })
        };
        let fitted = fitted(ids.len(), room_bytes, read, weigh)
            .map_err(|error| self.failed("whole rows", &error))?;
        Ok(match fitted {
            Fitted::Read(answered, rows) => WholeRows { answered, rows },
            Fitted::NoRoom => WholeRows::default(),
            Fitted::TooLarge(bytes) => WholeRows {
                answered: 1,
                rows: self.too_large(layout, ids[0], bytes)?.into_iter().collect(),
            },
        })
    }

    fn weigh(&self, ids: &[Id]) -> Result<Vec<Weight>> {
        let layout = self.layout()?;
        let Layout {
            id,
            key,
            key_expression,
            compared_bytes,
            row_bytes,
            ..
        } = layout;
        let mut weights = Vec::with_capacity(ids.len());
        for ids in ids.chunks(KEYS_PER_QUERY) {
            let slots = padded_count(ids.len());
            let sql = format!(
                "SELECT {id}, {key_expression}, {compared_bytes}, {row_bytes} {}{id} IN ({})",
                self.table_clause(),
                vec!["?"; slots].join(","),
                id = quoted(&id.name),
            );
            let values: Vec<Value> = padded(ids, slots).map(|&id| id_value(id)).collect();
            let found = self.run("the size of rows", |conn| {
                let mut found = Vec::new();
                let answer = conn.exec_iter(&sql, Params::Positional(values.clone()))?;
                bounded::each(answer, ROWS_MAX, |row| found.push(row.unwrap()))?;
                Ok(found)
            })?;
            weights.extend(found.into_iter().filter_map(|values| {
                let [id, key_value, compared, row] = <[Value; 4]>::try_from(values).ok()?;
                Some(Weight {
                    id: id_of(decode::lent(&id, ColumnType::Int))?,
                    key: decode::cell(key_value, key.column_type),
                    compared_bytes: u64_of(&compared)?,
                    row_bytes: u64_of(&row)?,
                })
            }));
        }
        Ok(weights)
    }

    fn columns(&self) -> Result<&[Column]> {
        Ok(&self.layout()?.columns)
    }
}

/// A statement for rows: what comes after the list of columns, up to `LIMIT ?`.
pub(super) struct Ask {
    pub(super) rest: String,
    /// Without the limit.
    pub(super) values: Vec<Value>,
    /// Rows come in the order of their ids.
    pub(super) is_by_id: bool,
}

impl Ask {
    /// Reads rows as they are scanned, and the id of the first one that there is no room for.
    fn read(
        &self,
        conn: &mut Conn,
        layout: &Layout,
        limit: usize,
        rows: &mut Vec<Row>,
        next_id: &mut Option<Id>,
    ) -> mysql::Result<()> {
        let sql = format!("SELECT {} {}", layout.scan_list, self.rest);
        let (mut values, before) = (self.values.clone(), rows.len());
        values.push(Value::UInt(limit as u64 + 1)); // The last one may share its id with another one.
        let answer = conn.exec_iter(sql, Params::Positional(values))?;
        let answer = layout.watch.fitting(answer, &layout.scan_described)?;
        bounded::first_rows(
            answer,
            limit + 1,
            &Room::new(ROOM_BYTES),
            |row| rows.extend(scanned(row.unwrap(), layout)),
            |row| {
                *next_id = row
                    .as_ref(0)
                    .and_then(|id| id_of(decode::lent(id, ColumnType::Int)));
            },
        )?;
        let mut distinct = Distinct::default();
        for id in rows[before..].iter().map(|row| row.id) {
            distinct.see(id);
        }
        distinct.end()?;
        rows.truncate(before + limit);
        Ok(())
    }
}

/// The values of [`Layout::scan_list`], then of [`Layout::others_list`].
fn whole_row(mut values: Vec<Value>, layout: &Layout) -> Option<WholeRow> {
    let mut others = values
        .split_off(layout.scan_types.len().min(values.len()))
        .into_iter();
    let sent = layout.columns.iter().zip(&layout.whole);
    let all = sent.map(|(column, whole)| match *whole {
        Whole::Compared(at) => Sent::Compared(at),
        Whole::Other => {
            let value = others.next().unwrap_or(Value::NULL);
            Sent::Other(decode::cell(value, column.column_type))
        }
    });
    let all = all.collect();
    Some(WholeRow {
        row: scanned(values, layout)?,
        all,
        too_large: None,
    })
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
