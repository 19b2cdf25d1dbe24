//! A destination table: how it is reached, what of it is read, and what it is asked.

mod find;
mod whole;

use std::sync::{Arc, OnceLock};

use mysql::Conn;

use self::find::{Keys, spelled};
use self::whole::Ordered;
use super::bounded::Room;
use super::decode;
use super::errors::label;
use super::known::Known;
use super::load;
use super::plan::Plan;
use super::refused::ask_for_all;
use super::session::{Manner, Sessions};
use super::source::MySqlSource;
use super::stream::{Stream, repeated_keys};
use super::wide::{Fitted, fitted, keys_at_once};
use super::written;
use crate::config::{DestinationJob, Job, TableJob};
use crate::error::{Error, Result};
use crate::logic::compare::rows::{ColumnMap, Found, Matches};
use crate::logic::report::fix::written::Written;
use crate::logic::scan::load::{Load, LoadLimits};
use crate::logic::value::cell::Cell;
use crate::logic::value::oversize::ROW_BYTES_MAX;
use crate::world::{Destination, Shared, Whole, WholeTable};

/// One destination of a job.
pub(crate) struct MySqlDestination {
    pub(super) sessions: Arc<Sessions>,
    job: Arc<Job>,
    number: usize,
    source: Arc<MySqlSource>,
    plan: OnceLock<Plan>,
    stream: OnceLock<std::result::Result<Stream, &'static str>>,
    /// No two rows have the same key, by an index of the server's.
    is_unique: OnceLock<bool>,
    written: OnceLock<Written>,
}

impl MySqlDestination {
    /// Opens nothing yet. `number` is the place in `des[]`.
    #[must_use]
    pub(crate) fn new(job: Arc<Job>, number: usize, source: Arc<MySqlSource>) -> Self {
        let TableJob {
            server, condition, ..
        } = &job.destinations[number].table;
        let manner = Manner::of_condition(condition.as_ref());
        let sessions = source.sessions.of_same_job(server, manner);
        Self::over(Arc::new(sessions), job, number, source)
    }

    /// The same table, for another pass: its columns are read anew, over the connections that there are.
    #[must_use]
    pub(crate) fn anew(&self, source: Arc<MySqlSource>) -> Self {
        let (sessions, job) = (Arc::clone(&self.sessions), Arc::clone(&self.job));
        Self::over(sessions, job, self.number, source)
    }

    fn over(
        sessions: Arc<Sessions>,
        job: Arc<Job>,
        number: usize,
        source: Arc<MySqlSource>,
    ) -> Self {
        Self {
            sessions,
            job,
            number,
            source,
            plan: OnceLock::new(),
            stream: OnceLock::new(),
            is_unique: OnceLock::new(),
            written: OnceLock::new(),
        }
    }

    fn destination(&self) -> &DestinationJob {
        &self.job.destinations[self.number]
    }

    pub(super) fn table(&self) -> &TableJob {
        &self.destination().table
    }

    pub(super) fn run<T>(
        &self,
        what: &str,
        mut work: impl FnMut(&mut Conn) -> mysql::Result<T>,
    ) -> Result<T> {
        self.attempt(&mut work).map_err(|error| {
            self.failed(&format!("Read {what} of {}", self.table().name()), &error)
        })
    }

    pub(super) fn plan(&self) -> Result<&Plan> {
        if let Some(plan) = self.plan.get() {
            return Ok(plan);
        }
        let schema = self.known().read()?;
        let plan = Plan::new(
            self.source.layout()?,
            self.destination(),
            self.number,
            schema,
        );
        let plan = plan.map_err(|problem| Error::Config {
            path: self.job.path.clone(),
            problem: format!("{problem} at {}", label(&self.destination().table.server)),
        })?;
        Ok(self.plan.get_or_init(|| plan))
    }

    fn known(&self) -> Known<'_> {
        let plan = self.plan.get();
        Known {
            sessions: &self.sessions,
            job: self.table(),
            columns: plan.map(|plan| (&*plan.table.columns, &plan.watch)),
        }
    }

    fn attempt<T>(&self, work: &mut dyn FnMut(&mut Conn) -> mysql::Result<T>) -> mysql::Result<T> {
        self.known().attempt(work)
    }

    /// TIMESTAMP keys as the source's server prints them, where they are looked up so.
    fn printed_keys(&self, plan: &Plan, keys: &[&Cell]) -> Result<Option<Vec<Cell>>> {
        if !plan.prints_keys {
            return Ok(None);
        }
        self.source.as_printed(keys).map(Some)
    }

    fn failed(&self, operation: &str, error: &mysql::Error) -> Error {
        if let Some(altered) = self.known().altered(operation, error) {
            return altered;
        }
        let key = format!("des[{}].where", self.number);
        let condition = self.destination().table.condition.as_deref();
        self.sessions
            .failed_with(operation, error, &key, condition, &self.job.path)
    }

    fn failed_look_up(&self, error: &mysql::Error) -> Error {
        let name = self.destination().table.name();
        self.failed(&format!("Look up keys in {name}"), error)
    }
}

impl Shared for MySqlDestination {
    fn load(&self, limits: LoadLimits) -> Result<Load> {
        let operation = format!("Ask the server of {} how loaded it is", self.table().name());
        self.sessions
            .attempt(&mut |conn| load::load(conn, limits))
            .map_err(|error| self.sessions.failed(&operation, &error))
    }
}

impl Destination for MySqlDestination {
    fn map(&self) -> Result<&ColumnMap> {
        Ok(&self.plan()?.map)
    }

    fn is_silent(&self) -> bool {
        self.sessions.is_silent()
    }

    fn whole(&self) -> Result<Whole<'_>> {
        let stream = self.read_stream()?.as_ref();
        let whole = stream.map(|stream| {
            Box::new(Ordered {
                destination: self,
                stream,
            }) as Box<dyn WholeTable>
        });
        Ok(whole.map_err(|why| *why))
    }

    fn repeated_keys(&self, limit: usize) -> Result<Vec<Cell>> {
        let plan = self.plan()?;
        let job = &self.destination().table;
        let operation = format!("Look for keys with several rows in {}", job.name());
        self.attempt(&mut |conn| repeated_keys(conn, job, plan, limit))
            .map_err(|error| self.failed(&operation, &error))
    }

    fn find(&self, keys: &[&Cell], room_bytes: usize) -> Result<Found> {
        let plan = self.plan()?;
        let printed = self.printed_keys(plan, keys)?;
        let cells = spelled(plan, keys, printed.as_deref());
        let read = |count: usize, room| {
            let mut found = Found {
                rows: Vec::with_capacity(count),
                by_key: vec![Matches::None; count],
            };
            let keys = Keys::of(&cells[..count], room);
            if !keys.numbers.is_empty() {
                self.find_keys(plan, &keys, &mut found)?;
            }
            Ok(found)
        };
        let weigh = |count: usize| {
            self.bytes_of(plan, &Keys::of(&cells[..count], Room::new(ROW_BYTES_MAX)))
        };
        let found = fitted(keys_at_once(&cells), room_bytes, read, weigh)
            .map_err(|error| self.failed_look_up(&error))?;
        Ok(match found {
            Fitted::Read(_, found) => found,
            Fitted::NoRoom => Found::default(),
            Fitted::TooLarge(bytes) => Found {
                rows: vec![],
                by_key: vec![Matches::TooLarge(bytes)],
            },
        })
    }

    fn weigh(&self, key: &Cell) -> Result<u64> {
        let plan = self.plan()?;
        let keys = [key];
        let printed = self.printed_keys(plan, &keys)?;
        let cells = spelled(plan, &keys, printed.as_deref());
        self.bytes_of(plan, &Keys::of(&cells, Room::new(ROW_BYTES_MAX)))
            .map_err(|error| self.failed_look_up(&error))
    }

    fn written(&self) -> Result<&Written> {
        if let Some(written) = self.written.get() {
            return Ok(written);
        }
        let job = &self.destination().table;
        let table = &self.plan()?.table;
        let operation = format!("Read the columns of {}", job.name());
        let written = self
            .sessions
            .run(&operation, |conn| written::read(conn, job, table))?;
        Ok(self.written.get_or_init(|| written))
    }

    /// A key that the server refuses finds nothing.
    fn spelled(&self, keys: &[&Cell]) -> Result<Vec<Cell>> {
        let plan = self.plan()?;
        let printed = self.printed_keys(plan, keys)?;
        let cells = spelled(plan, keys, printed.as_deref());
        let mut found = Vec::with_capacity(keys.len());
        let numbers = Keys::of(&cells, Room::new(ROW_BYTES_MAX));
        let at_once =
            |numbers: &[usize]| keys_at_once(numbers.iter().map(|&number| &cells[number]));
        ask_for_all(&numbers.numbers, at_once, |asked| {
            let values = self.select_values(plan, &plan.key_expression, &numbers.some(asked))?;
            found.extend(
                values
                    .into_iter()
                    .map(|key| decode::cell(key, plan.key_type)),
            );
            Ok(())
        })
        .map_err(|error| self.failed_look_up(&error))?;
        Ok(found)
    }
}
