//! The source table: how it is reached, what of it is read, its clock and its highest id.

mod batches;
mod keys;
mod visit;
mod whole;
pub(super) mod window;

use std::sync::{Arc, OnceLock};

use mysql::prelude::Queryable;
use mysql::{Conn, Value};

use super::bounded;
use super::clause::table_name;
use super::decode;
use super::errors::label;
use super::known::Known;
use super::layout::Layout;
use super::load;
use super::parameters::id_of;
use super::pieces::Pieces;
use super::session::{Manner, NOW_US, Sessions};
use super::unique;
use crate::config::{Job, TableJob};
use crate::error::{Error, Result};
use crate::logic::audit::shard::Shard;
use crate::logic::scan::bounds::Bounds;
use crate::logic::scan::gaps::Span;
use crate::logic::scan::load::{Load, LoadLimits};
use crate::logic::scan::plan::{Request, What};
use crate::logic::scan::trail::key_print;
use crate::logic::value::address::Address;
use crate::logic::value::cell::{Cell, Column, ColumnType, Id};
use crate::logic::value::sql::quoted;
use crate::world::{Batch, Clock, Shared, Source, Visitor, Weight, WholeRows};

/// Keys in one query for their ids.
const KEYS_PER_QUERY: usize = 512;

/// The source table of a job.
pub(crate) struct MySqlSource {
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
    pub(crate) fn new(job: Arc<Job>, shard: Option<Shard>, clock: Arc<dyn Clock + Send>) -> Self {
        let TableJob {
            server, condition, ..
        } = &job.source.table;
        let sessions = Sessions::new(server, Manner::of_condition(condition.as_ref()), clock);
        let plain_sessions = Arc::new(sessions.of_same_job(server, Manner::Plain));
        Self::over(Arc::new(sessions), plain_sessions, job, shard)
    }

    /// The same table, for another pass: its columns are read anew, over the connections that there are.
    #[must_use]
    pub(crate) fn anew(&self) -> Self {
        let (sessions, plain) = (Arc::clone(&self.sessions), Arc::clone(&self.plain_sessions));
        Self::over(sessions, plain, Arc::clone(&self.job), self.shard)
    }

    /// Another pass begins: accounts that were refused and servers that did not answer, of destinations too, are tried
    /// once more.
    pub(crate) fn begin_pass(&self) {
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
        let layout = Layout::new(&self.job, self.known().read()?)
            .map_err(|problem| self.refused(&problem))?;
        Ok(self.layout.get_or_init(|| layout))
    }

    fn refused(&self, problem: &str) -> Error {
        Error::Config {
            path: self.job.path.clone(),
            problem: format!("{problem} at {}", label(&self.table().server)),
        }
    }

    fn known(&self) -> Known<'_> {
        let layout = self.layout.get();
        Known {
            sessions: &self.sessions,
            job: self.table(),
            columns: layout.map(|layout| (&*layout.columns, &layout.watch)),
        }
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
        format!(
            "FROM {} WHERE {}",
            table_name(self.table()),
            self.shard_clause()
        )
    }

    fn shard_clause(&self) -> String {
        self.shard.map_or_else(String::new, |shard| {
            let id = quoted(&self.job.source.id_column);
            format!("{} AND ", shard.condition(&id))
        })
    }

    /// `FROM … WHERE`, with `src.where`.
    fn whole_table_clause(&self) -> String {
        let condition = self.table().condition.as_ref();
        let condition =
            condition.map_or_else(String::new, |condition| format!("({condition}) AND "));
        format!("FROM {} WHERE {condition}", table_name(self.table()))
    }

    pub(super) fn run<T>(
        &self,
        what: &str,
        mut work: impl FnMut(&mut Conn) -> mysql::Result<T>,
    ) -> Result<T> {
        self.attempt(&mut work)
            .map_err(|error| self.failed(what, &error))
    }

    fn attempt<T>(&self, work: &mut dyn FnMut(&mut Conn) -> mysql::Result<T>) -> mysql::Result<T> {
        self.known().attempt(work)
    }

    fn failed(&self, what: &str, error: &mysql::Error) -> Error {
        let TableJob {
            database,
            table,
            condition,
            ..
        } = self.table();
        let operation = format!("Read {what} of {database}.{table}");
        if let Some(altered) = self.known().altered(&operation, error) {
            return altered;
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
}

impl Shared for MySqlSource {
    fn load(&self, limits: LoadLimits) -> Result<Load> {
        self.sessions
            .attempt(&mut |conn| load::load(conn, limits))
            .map_err(|error| {
                self.sessions
                    .failed("Ask the source's server how loaded it is", &error)
            })
    }
}

impl Source for MySqlSource {
    fn bounds(&self) -> Result<Bounds> {
        let (id, table) = (quoted(&self.job.source.id_column), table_name(self.table()));
        // A condition that cannot be parsed is refused here, before anything is saved.
        let condition = self.table().condition.as_ref();
        let condition = condition.map_or_else(String::new, |condition| {
            format!(", EXISTS(SELECT 1 FROM {table} WHERE ({condition}) AND 1=0)")
        });
        // A missing table or column is a problem of the configuration, not of a query.
        let layout = self.layout()?;
        let Layout {
            key,
            key_expression,
            ..
        } = layout;
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

    fn scan(&self, request: &Request, except: &[Address]) -> Result<Batch> {
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

    fn ids_of(&self, keys: &[Cell]) -> Result<Vec<Id>> {
        self.ids_of_keys(keys)
    }

    fn visit(&self, span: Span, limit: usize, visitor: &mut dyn Visitor) -> Result<Option<Id>> {
        self.visit_span(span, limit, visitor)
    }

    fn whole_rows(&self, ids: &[Address], room_bytes: usize) -> Result<WholeRows> {
        self.read_whole_rows(ids, room_bytes)
    }

    fn weigh(&self, ids: &[Address]) -> Result<Vec<Weight>> {
        self.weigh_rows(ids)
    }

    fn columns(&self) -> Result<&[Column]> {
        Ok(&self.layout()?.columns)
    }
}
