//! A destination table: finds the rows of a batch of keys as the server itself would find them one by one.
//!
//! Which row belongs to which key is the server's decision, by the collation and the types of its column. One query
//! for the whole batch returns every row that any of the keys finds. Rows whose key has the same bytes are paired
//! here, which is safe because equal bytes are equal under every collation. Where a row or a key is left over, or where
//! the server takes two rows' keys for the same, it is asked which belongs to which, by
//! `CASE key WHEN ? THEN 0 WHEN ? THEN 1 …`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use mysql::prelude::Queryable;
use mysql::{Conn, Params, Value};

use super::bounded::{self, ROWS_MAX, Room};
use super::decode;
use super::errors::{is_of_one_key, label, shown};
use super::parameters::{padded, padded_count};
use super::plan::Plan;
use super::schema::Table;
use super::session::{Manner, Sessions};
use super::source::MySqlSource;
use super::stream::{Rows, Stream, is_unique, repeated_keys};
use super::wide::{Fitted, fitted, keys_at_once, sum_of};
use super::wire;
use super::written;
use crate::config::{DestinationJob, Job, SourceJob, TableJob};
use crate::error::{Error, Result};
use crate::logic::audit::fingerprint::{KeyFold, are_apart};
use crate::logic::compare::key::{Spellings, spellings};
use crate::logic::compare::rows::{ColumnMap, Found, Matches};
use crate::logic::report::fix::written::Written;
use crate::logic::value::cell::Cell;
use crate::logic::value::oversize::ROW_BYTES_MAX;
use crate::logic::value::sql::quoted;
use crate::world::{Destination, Place, Visitor, Whole, WholeTable};

/// So few keys are compared with each other sooner than the server says whether an index keeps them apart.
const FEW_KEYS: usize = 256;

/// Why a table is not read from end to end, and the way out.
const NO_ORDER: &str = "It has no primary key and no unique index of whole NOT NULL columns: add one to the copy, as in \
    ALTER TABLE … ADD UNIQUE (…)";
const NO_ORDER_IN_ZONE: &str = "It has a `where`, and no primary key and no unique index of whole NOT NULL columns without a \
    TIMESTAMP: add one to the copy, as in ALTER TABLE … ADD UNIQUE (…)";
const OTHER_TIMES: &str = "Its key is compared with a TIMESTAMP of the source, and is none itself: make it a TIMESTAMP in the copy, \
    or let src.byColumn name another key";
const NO_SHARDS: &str =
    "The rows of a shard are told from the others only by a primary key that is the source's id";
/// Keys that are told apart in one `CASE`.
const CASE_KEYS: usize = 64;

/// One destination of a job.
pub struct MySqlDestination {
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
    pub fn new(job: Arc<Job>, number: usize, source: Arc<MySqlSource>) -> Self {
        let TableJob {
            server, condition, ..
        } = &job.destinations[number].table;
        let manner = Manner::of_condition(condition.as_ref());
        let sessions = source.sessions.of_same_job(server, manner);
        Self::over(Arc::new(sessions), job, number, source)
    }

    /// The same table, for another pass: its columns are read anew, over the connections that there are.
    #[must_use]
    pub fn anew(&self, source: Arc<MySqlSource>) -> Self {
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
        let schema = self.read_columns()?;
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
        let Some(plan) = self.plan.get() else {
            return false;
        };
        let read = self.read_columns();
        read.map_or(true, |table| table.columns != plan.table.columns)
    }

    /// As [`Sessions::attempt`]; an answer that only looks as if the columns had changed is taken.
    fn attempt<T>(&self, work: &mut dyn FnMut(&mut Conn) -> mysql::Result<T>) -> mysql::Result<T> {
        let outcome = self.sessions.attempt(work);
        match (&outcome, self.plan.get()) {
            (Err(error), Some(plan)) if wire::is_misfit(error) && !self.has_other_columns() => {
                plan.watch.be_lenient();
                self.sessions.attempt(work)
            }
            _ => outcome,
        }
    }

    /// How the table is read from end to end, asked of the server once.
    fn read_stream(&self) -> Result<&std::result::Result<Stream, &'static str>> {
        if let Some(stream) = self.stream.get() {
            return Ok(stream);
        }
        let job = &self.destination().table;
        let operation = format!("Read the primary key of {}", job.name());
        let table = &self.plan()?.table;
        let stream = self
            .sessions
            .run(&operation, |conn| Stream::read(conn, job, table))?;
        let SourceJob {
            table: source,
            id_column,
            ..
        } = &self.job.source;
        let stream = stream.ok_or(if table.is_in_zone {
            NO_ORDER_IN_ZONE
        } else {
            NO_ORDER
        });
        let stream = match self.source.shard() {
            // The source reads its keys as instants, and this one does not.
            _ if self.plan()?.prints_keys => Err(OTHER_TIMES),
            None => stream,
            Some(_) if source.by_column.to_lowercase() != id_column.to_lowercase() => {
                Err(NO_SHARDS)
            }
            Some(shard) => {
                stream.and_then(|stream| stream.of_shard(shard, &job.by_column).ok_or(NO_SHARDS))
            }
        };
        Ok(self.stream.get_or_init(|| stream))
    }

    /// TIMESTAMP keys as the source's server prints them, where they are looked up so.
    fn printed_keys(&self, plan: &Plan, keys: &[&Cell]) -> Result<Option<Vec<Cell>>> {
        if !plan.prints_keys {
            return Ok(None);
        }
        self.source.as_printed(keys).map(Some)
    }

    fn failed(&self, operation: &str, error: &mysql::Error) -> Error {
        if wire::may_be_of_columns(error) && self.has_other_columns() {
            let TableJob { server, .. } = self.table();
            let name = format!("{} at {}", self.table().name(), label(server));
            return wire::changed(operation.to_owned(), &name);
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

    /// `SELECT` of an expression and the compared columns by so many keys.
    pub(super) fn statement(&self, plan: &Plan, first: &str, keys: &[Cow<'_, str>]) -> String {
        self.statement_for(plan, &plan.compared.list(Some(first)), keys)
    }

    /// `SELECT` of a list of expressions by so many keys.
    fn statement_for(&self, plan: &Plan, list: &str, keys: &[Cow<'_, str>]) -> String {
        let job = &self.destination().table;
        let condition = job
            .condition
            .as_ref()
            .map_or_else(String::new, |condition| format!(" AND ({condition})"));
        format!(
            "SELECT {list} FROM {}.{} WHERE {} IN ({}){condition}",
            quoted(&job.database),
            quoted(&job.table),
            plan.lookup.compared(&job.by_column),
            keys.join(",")
        )
    }

    /// Runs one `SELECT` over the keys of these numbers, and hands each row's first value and its cells on.
    fn select(
        &self,
        plan: &Plan,
        first: &str,
        keys: &Keys<'_>,
        with_case: bool,
    ) -> mysql::Result<Vec<(Value, Vec<Cell>)>> {
        let cells: Vec<&Cell> = keys.cells().map(|(_, cell)| cell).collect();
        if cells.is_empty() {
            return Ok(vec![]);
        }
        let slots = padded_count(cells.len());
        let places: Vec<Cow<'_, str>> = padded(&cells, slots)
            .map(|cell| plan.lookup.sql(cell))
            .collect();
        let sql = self.statement(plan, first, &places);
        let case = cells.iter().filter(|_| with_case);
        let values = case.chain(padded(&cells, slots));
        let values: Vec<Value> = values.flat_map(|cell| plan.lookup.values(cell)).collect();
        let is_key = first == plan.key_expression;
        let mut described = vec![plan.key_described.filter(|_| is_key)];
        described.extend(plan.compared.described());
        self.attempt(&mut |conn: &mut Conn| {
            let answer = conn.exec_iter(&sql, Params::Positional(values.clone()))?;
            let answer = plan.watch.fitting(answer, &described)?;
            let (mut rows, room) = (Vec::new(), keys.room.clone());
            bounded::fitting(answer, ROWS_MAX, &room, |row| {
                let mut values = row.unwrap().into_iter();
                let first = values.next().unwrap_or(Value::NULL);
                rows.push((first, plan.compared.cells(values).collect()));
            })?;
            Ok(rows)
        })
    }

    /// One value for each row that these keys find.
    fn select_values(
        &self,
        plan: &Plan,
        expression: &str,
        keys: &Keys<'_>,
    ) -> mysql::Result<Vec<Value>> {
        let cells: Vec<&Cell> = keys.cells().map(|(_, cell)| cell).collect();
        let slots = padded_count(cells.len());
        let places: Vec<Cow<'_, str>> = padded(&cells, slots)
            .map(|cell| plan.lookup.sql(cell))
            .collect();
        let sql = self.statement_for(plan, expression, &places);
        let values: Vec<Value> = padded(&cells, slots)
            .flat_map(|cell| plan.lookup.values(cell))
            .collect();
        let is_key = expression == plan.key_expression;
        let described = [plan.key_described.filter(|_| is_key)];
        self.attempt(&mut |conn: &mut Conn| {
            let answer = conn.exec_iter(&sql, Params::Positional(values.clone()))?;
            let answer = plan.watch.fitting(answer, &described)?;
            let mut found = Vec::new();
            bounded::each(answer, ROWS_MAX, |row| found.extend(row.unwrap()))?;
            Ok(found)
        })
    }

    /// How many bytes the rows of these keys have. Keys that the server refuses have to be asked for one by one.
    fn bytes_of(&self, plan: &Plan, keys: &Keys<'_>) -> mysql::Result<u64> {
        if keys.numbers.is_empty() {
            return Ok(0);
        }
        match self.select_values(plan, &sum_of(&plan.compared_bytes), keys) {
            Ok(sums) => {
                let sum = sums.into_iter().next();
                let sum = sum.and_then(|sum| mysql::from_value_opt::<u64>(sum).ok());
                Ok(sum.unwrap_or(0))
            }
            Err(error) if is_of_one_key(&error) => Ok(u64::MAX),
            Err(error) => Err(error),
        }
    }

    /// Finds the rows of these keys; keys that the server refuses one by one are marked, so that one key cannot keep
    /// the others from being found.
    fn find_keys(&self, plan: &Plan, keys: &Keys<'_>, found: &mut Found) -> mysql::Result<()> {
        match self.find_together(plan, keys, found) {
            Err(error) if is_of_one_key(&error) => {
                if let [number] = keys.numbers[..] {
                    found.by_key[number] = Matches::Unfindable(shown(&error.to_string()));
                    return Ok(());
                }
                for half in keys.halves() {
                    for &number in &half.numbers {
                        found.by_key[number] = Matches::None;
                    }
                    self.find_keys(plan, &half, found)?;
                }
                Ok(())
            }
            other => other,
        }
    }

    fn find_together(&self, plan: &Plan, keys: &Keys<'_>, found: &mut Found) -> mysql::Result<()> {
        let rows = self.select(plan, &plan.key_expression, keys, false)?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut numbers_of: HashMap<Cow<'_, [u8]>, Matches> =
            HashMap::with_capacity(keys.numbers.len());
        for (number, cell) in keys.cells() {
            numbers_of
                .entry(decode::pairing_bytes(cell))
                .or_insert(Matches::None)
                .push(number);
        }
        let mut rows_left = false;
        let base = found.rows.len();
        let mut paired = Vec::with_capacity(rows.len());
        for (key, cells) in rows {
            let key = decode::cell(key, plan.key_type);
            match numbers_of.get(&decode::pairing_bytes(&key)) {
                Some(numbers) => {
                    for &number in numbers.rows() {
                        found.by_key[number].push(base + paired.len());
                    }
                    paired.push(cells);
                }
                None => rows_left = true,
            }
        }
        rows_left = rows_left || !self.are_different(plan, keys, &numbers_of, found)?;
        if plan.bytes_decide && !rows_left {
            found.rows.append(&mut paired);
            return Ok(());
        }
        let keys_left: Vec<usize> = keys
            .numbers
            .iter()
            .copied()
            .filter(|&number| found.by_key[number] == Matches::None)
            .collect();
        if !rows_left {
            found.rows.append(&mut paired);
            let left = Keys {
                numbers: keys_left,
                ..keys.clone()
            };
            if left.numbers.is_empty()
                || self
                    .select(plan, &plan.key_expression, &left, false)?
                    .is_empty()
            {
                return Ok(());
            }
            return self.ask_server(plan, &left, found);
        }
        for &number in &keys.numbers {
            found.by_key[number] = Matches::None;
        }
        self.ask_server(plan, keys, found)
    }

    /// Whether the server takes no two of the keys that were found by their bytes for the same.
    fn are_different(
        &self,
        plan: &Plan,
        keys: &Keys<'_>,
        numbers_of: &HashMap<Cow<'_, [u8]>, Matches>,
        found: &Found,
    ) -> mysql::Result<bool> {
        let is_found = |numbers: &&Matches| {
            let first = numbers.rows().first();
            first.is_some_and(|&number| found.by_key[number] != Matches::None)
        };
        let count = numbers_of.values().filter(is_found).count();
        if count < 2 || plan.collation.is_empty() {
            return Ok(true);
        }
        let apart = || are_apart(&plan.collation, numbers_of.keys().map(|key| &**key));
        if (count < FEW_KEYS && apart()) || self.has_unique_keys(plan)? || apart() {
            return Ok(true);
        }
        let key = plan.lookup.compared(&self.table().by_column);
        let counts = self.select_values(plan, &format!("COUNT(DISTINCT {key})"), keys)?;
        let counted = counts
            .into_iter()
            .next()
            .map(mysql::from_value_opt::<usize>);
        Ok(!matches!(counted, Some(Ok(counted)) if counted < count))
    }

    /// Asked of the server once.
    fn has_unique_keys(&self, plan: &Plan) -> mysql::Result<bool> {
        if let Some(is_unique) = self.is_unique.get() {
            return Ok(*is_unique);
        }
        let is_unique = self.attempt(&mut |conn| is_unique(conn, self.table(), plan))?;
        Ok(*self.is_unique.get_or_init(|| is_unique))
    }

    /// Lets the server say which row belongs to which key. `CASE` names the first key that fits, so what it did not
    /// name is asked for again until nothing more is found.
    fn ask_server(&self, plan: &Plan, keys: &Keys<'_>, found: &mut Found) -> mysql::Result<()> {
        let by_column = plan.lookup.compared(&self.destination().table.by_column);
        for chunk in keys.numbers.chunks(CASE_KEYS) {
            let mut numbers = chunk.to_vec();
            while !numbers.is_empty() {
                let mut case = format!("CASE {by_column}");
                let asked = Keys {
                    numbers,
                    ..keys.clone()
                };
                for (n, number) in asked.numbers.iter().enumerate() {
                    for cell in keys.cells[*number].iter() {
                        let _ = write!(case, " WHEN {} THEN {n}", plan.lookup.sql(cell)); // Into a String: cannot fail.
                    }
                }
                let rows = self.select(plan, &(case + " END"), &asked, true)?;
                let mut named = vec![false; asked.numbers.len()];
                for (which, cells) in rows {
                    let which = mysql::from_value_opt::<Option<usize>>(which).ok().flatten();
                    if let Some(which) = which.filter(|&which| which < named.len()) {
                        named[which] = true;
                        found.by_key[asked.numbers[which]].push(found.rows.len());
                        found.rows.push(cells);
                    }
                }
                if !named.contains(&true) {
                    break;
                }
                numbers = asked
                    .numbers
                    .iter()
                    .zip(named)
                    .filter(|(_, named)| !named)
                    .map(|(&number, _)| number)
                    .collect();
            }
        }
        Ok(())
    }
}

/// Some of a batch's keys, by their numbers.
#[derive(Clone)]
struct Keys<'a> {
    cells: &'a [Spellings<'a>],
    numbers: Vec<usize>,
    /// For the rows of one statement.
    room: Room,
}

impl<'a> Keys<'a> {
    /// All but those that no row can have: NULL finds nothing.
    fn of(cells: &'a [Spellings<'a>], room: Room) -> Self {
        let numbers = (0..cells.len())
            .filter(|&number| cells[number].iter().next().is_some())
            .collect();
        Self {
            cells,
            numbers,
            room,
        }
    }

    /// One statement does not take all of them.
    fn are_too_wide(&self) -> bool {
        let spellings = self.numbers.iter().map(|&number| &self.cells[number]);
        keys_at_once(spellings) < self.numbers.len()
    }

    /// Each spelling, and the number of its key.
    fn cells(&self) -> impl Iterator<Item = (usize, &'a Cell)> {
        let each = |&number: &usize| self.cells[number].iter().map(move |cell| (number, cell));
        self.numbers.iter().flat_map(each)
    }

    /// Nothing when there is one key only.
    fn halves(&self) -> impl Iterator<Item = Self> {
        let (left, right) = self.numbers.split_at(self.numbers.len() / 2);
        let (cells, room) = (self.cells, self.room.clone());
        [left, right]
            .map(<[usize]>::to_vec)
            .into_iter()
            .filter(|half| !half.is_empty() && half.len() < self.numbers.len())
            .map(move |numbers| Self {
                cells,
                numbers,
                room: room.clone(),
            })
    }
}

/// A destination whose rows have an order.
struct Ordered<'a> {
    destination: &'a MySqlDestination,
    stream: &'a Stream,
}

impl WholeTable for Ordered<'_> {
    fn key_fold(&self) -> KeyFold {
        self.stream.fold
    }

    fn visit(
        &self,
        after: Option<&Place>,
        limit: usize,
        visitor: &mut dyn Visitor,
    ) -> Result<Option<Place>> {
        let Self {
            destination,
            stream,
        } = self;
        let (plan, job) = (destination.plan()?, &destination.destination().table);
        let rows = Rows::new(job, plan, stream);
        let operation = format!("Read all rows of {}", job.name());
        let mut last = None;
        let mut visit = |rows: &Rows<'_>, limit, last: &mut Option<Place>| {
            let mut work = |conn: &mut Conn| stream.visit(conn, rows, after, limit, visitor, last);
            destination.attempt(&mut work)
        };
        let outcome = match visit(&rows, limit, &mut last) {
            Err(error) if bounded::is_too_wide(&error) && last.is_some() => Ok(last),
            Err(error) if bounded::is_too_wide(&error) => {
                let rows = Rows::too_large(job, plan, stream);
                visit(&rows, 1, &mut last)
            }
            outcome => outcome,
        };
        outcome.map_err(|error| destination.failed(&operation, &error))
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
        let mut left = vec![Keys::of(&cells, Room::new(ROW_BYTES_MAX))];
        left.retain(|keys| !keys.numbers.is_empty());
        while let Some(keys) = left.pop() {
            if keys.are_too_wide() {
                left.extend(keys.halves());
                continue;
            }
            match self.select_values(plan, &plan.key_expression, &keys) {
                Ok(values) => {
                    let key = |key| decode::cell(key, plan.key_type);
                    found.extend(values.into_iter().map(key));
                }
                Err(error) if is_of_one_key(&error) => left.extend(keys.halves()),
                Err(error) => return Err(self.failed_look_up(&error)),
            }
        }
        Ok(found)
    }
}

/// How the destination's key column can spell each of these keys.
fn spelled<'k>(plan: &Plan, keys: &'k [&Cell], printed: Option<&'k [Cell]>) -> Vec<Spellings<'k>> {
    let each = |key: &'k Cell| spellings(key, &plan.source_key, &plan.lookup.column);
    match printed {
        Some(printed) => printed.iter().map(each).collect(),
        None => keys.iter().map(|key| each(key)).collect(),
    }
}
