//! A destination table: finds the rows of a batch of keys as the server itself would find them one by one.
//!
//! Which row belongs to which key is the server's decision, by the collation and the types of its column. One query
//! for the whole batch returns every row that any of the keys finds. Rows whose key has the same bytes are paired
//! here, which is safe because equal bytes are equal under every collation. Where a row or a key is left over, the
//! server is asked which belongs to which, by `CASE key WHEN ? THEN 0 WHEN ? THEN 1 …`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use mysql::prelude::Queryable;
use mysql::{Conn, Params, Value};

use super::decode;
use super::layout::{named, no_table, printed};
use super::schema::{Table, quoted};
use super::session::{Sessions, is_of_one_key, label};
use super::source::{MySqlSource, padded, padded_count};
use super::stream::{Rows, Stream, repeated_keys};
use crate::config::{DestinationJob, Job, SourceJob, TableJob};
use crate::error::{Error, Result};
use crate::logic::cell::{Cell, ColumnType};
use crate::logic::compare::{ColumnMap, Found, Matches, Pair};
use crate::logic::equal::Comparator;
use crate::logic::fingerprint::KeyFold;
use crate::world::{Clock, Destination, Place, Visitor};

/// Keys that are told apart in one `CASE`.
const CASE_KEYS: usize = 64;

/// One destination of a job.
pub struct MySqlDestination {
    pub(super) sessions: Sessions,
    job: Arc<Job>,
    number: usize,
    source: Arc<MySqlSource>,
    plan: OnceLock<Plan>,
    stream: OnceLock<Option<Stream>>,
}

/// How the table is read.
pub(super) struct Plan {
    /// As the server described it.
    table: Table,
    map: ColumnMap,
    pub(super) key_type: ColumnType,
    placeholder: &'static str,
    /// `SELECT` list of the compared columns, each with a leading comma.
    list: String,
    types: Vec<ColumnType>,
    /// Nothing but equal bytes is equal in the key column.
    bytes_decide: bool,
}

impl MySqlDestination {
    /// Opens nothing yet. `number` is the place in `des[]`.
    #[must_use]
    pub fn new(
        job: Arc<Job>,
        number: usize,
        source: Arc<MySqlSource>,
        clock: Arc<dyn Clock + Send>,
    ) -> Self {
        let sessions = Sessions::new(&job.destinations[number].table.server, clock);
        Self {
            sessions,
            job,
            number,
            source,
            plan: OnceLock::new(),
            stream: OnceLock::new(),
        }
    }

    fn destination(&self) -> &DestinationJob {
        &self.job.destinations[self.number]
    }

    pub(super) fn plan(&self) -> Result<&Plan> {
        if let Some(plan) = self.plan.get() {
            return Ok(plan);
        }
        let TableJob {
            database, table, ..
        } = &self.destination().table;
        let schema = self
            .sessions
            .run(&format!("Read the columns of {database}.{table}"), |conn| {
                Table::read(conn, database, table)
            })?;
        let plan = self.make_plan(schema)?.map_err(|problem| Error::Config {
            path: self.job.path.clone(),
            problem: format!("{problem} at {}", label(&self.destination().table.server)),
        })?;
        Ok(self.plan.get_or_init(|| plan))
    }

    /// How the table is read from end to end, asked of the server once.
    fn read_stream(&self) -> Result<&Option<Stream>> {
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
            shard,
            ..
        } = &self.job.source;
        let stream = match shard {
            None => stream,
            Some(_) if source.by_column.to_lowercase() != id_column.to_lowercase() => None,
            Some(shard) => stream.and_then(|stream| stream.of_shard(*shard, &job.by_column)),
        };
        Ok(self.stream.get_or_init(|| stream))
    }

    fn failed(&self, operation: &str, error: &mysql::Error) -> Error {
        let key = format!("des[{}].where", self.number);
        let condition = self.destination().table.condition.as_deref();
        self.sessions
            .failed_with(operation, error, &key, condition, &self.job.path)
    }

    fn make_plan(&self, table: Table) -> Result<std::result::Result<Plan, String>> {
        let layout = self.source.layout()?;
        let DestinationJob {
            table: job,
            columns,
            ..
        } = self.destination();
        let (number, name) = (self.number, job.name());
        if table.columns.is_empty() {
            return Ok(Err(no_table(&format!("des[{number}].table"), &name)));
        }
        let key = match named(
            &table,
            &format!("des[{number}].byColumn"),
            &job.by_column,
            &name,
        ) {
            Ok(key) => key,
            Err(problem) => return Ok(Err(problem)),
        };
        let mut pairs = Vec::with_capacity(columns.len());
        let (mut list, mut types) = (String::new(), Vec::with_capacity(columns.len()));
        for pair in columns {
            let column = match named(
                &table,
                &format!("des[{number}].columns"),
                &pair.destination,
                &name,
            ) {
                Ok(column) => column,
                Err(problem) => return Ok(Err(problem)),
            };
            let instant = matches!(column.column_type, ColumnType::Timestamp(_));
            let forms = layout
                .compared
                .iter()
                .enumerate()
                .filter(|(_, c)| c.name.to_lowercase() == pair.source.to_lowercase());
            // The first form of a TIMESTAMP is the instant, the last one what its server prints.
            let form = if instant {
                forms.clone().next()
            } else {
                forms.clone().next_back()
            };
            let Some((source_index, source)) = form else {
                continue;
            };
            let both = instant && matches!(source.column_type, ColumnType::Timestamp(_));
            let destination_type = match column.column_type {
                ColumnType::Timestamp(digits) if !both => ColumnType::DateTime(digits),
                other => other,
            };
            list.push_str(", ");
            list.push_str(&if both {
                quoted(&column.name)
            } else {
                printed(&column, table.zone.as_deref())
            });
            types.push(destination_type);
            pairs.push(Pair {
                name: source.name.clone(),
                source_index,
                source_type: source.column_type,
                in_server_zone: instant && !both && table.zone.is_some(),
                destination: column.name,
                destination_type,
                comparator: Comparator::new(source.column_type, destination_type, &pair.rule),
            });
        }
        Ok(Ok(Plan {
            table,
            map: ColumnMap {
                pairs,
                key_type: layout.key.column_type,
                destination_key_type: key.column_type,
            },
            key_type: key.column_type,
            placeholder: decode::key_placeholder(layout.key.column_type, key.column_type),
            list,
            types,
            bytes_decide: matches!(
                (layout.key.column_type, key.column_type),
                (ColumnType::Int, ColumnType::Int) | (ColumnType::Binary, ColumnType::Binary)
            ),
        }))
    }

    /// `SELECT` of the compared columns by so many keys.
    pub(super) fn statement(&self, plan: &Plan, first: &str, slots: usize) -> String {
        let job = &self.destination().table;
        let condition = job
            .condition
            .as_ref()
            .map_or_else(String::new, |condition| format!(" AND ({condition})"));
        format!(
            "SELECT {first}{} FROM {}.{} WHERE {} IN ({}){condition}",
            plan.list,
            quoted(&job.database),
            quoted(&job.table),
            quoted(&job.by_column),
            vec![plan.placeholder; slots].join(",")
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
        let slots = padded_count(keys.numbers.len());
        let sql = self.statement(plan, first, slots);
        let parameter = |&number: &usize| decode::key_parameter(keys.cells[number], plan.key_type);
        let case = keys.numbers.iter().filter(|_| with_case).map(parameter);
        let values = case.chain(padded(&keys.numbers, slots).map(parameter));
        self.sessions.attempt(&mut |conn: &mut Conn| {
            conn.exec_iter(&sql, Params::Positional(values.clone().collect()))?
                .map(|row| {
                    let mut values = row?.unwrap().into_iter();
                    let first = values.next().unwrap_or(Value::NULL);
                    Ok((
                        first,
                        values
                            .zip(&plan.types)
                            .map(|(value, &t)| decode::cell(value, t))
                            .collect(),
                    ))
                })
                .collect()
        })
    }

    /// Finds the rows of these keys; keys that the server refuses one by one are marked, so that one key cannot keep
    /// the others from being found.
    fn find_keys(&self, plan: &Plan, keys: &Keys<'_>, found: &mut Found) -> mysql::Result<()> {
        match self.find_together(plan, keys, found) {
            Err(error) if is_of_one_key(&error) => {
                if let [number] = keys.numbers[..] {
                    found.by_key[number] = Matches::Unfindable(error.to_string());
                    return Ok(());
                }
                let (left, right) = keys.numbers.split_at(keys.numbers.len() / 2);
                for half in [left, right] {
                    for &number in half {
                        found.by_key[number] = Matches::None;
                    }
                    self.find_keys(
                        plan,
                        &Keys {
                            cells: keys.cells,
                            numbers: half.to_vec(),
                        },
                        found,
                    )?;
                }
                Ok(())
            }
            other => other,
        }
    }

    fn find_together(&self, plan: &Plan, keys: &Keys<'_>, found: &mut Found) -> mysql::Result<()> {
        let by_column = quoted(&self.destination().table.by_column);
        let rows = self.select(plan, &by_column, keys, false)?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut numbers_of: HashMap<Cow<'_, [u8]>, Matches> =
            HashMap::with_capacity(keys.numbers.len());
        for &number in &keys.numbers {
            numbers_of
                .entry(decode::pairing_bytes(keys.cells[number]))
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
                cells: keys.cells,
                numbers: keys_left,
            };
            if left.numbers.is_empty() || self.select(plan, &by_column, &left, false)?.is_empty() {
                return Ok(());
            }
            return self.ask_server(plan, &left, found);
        }
        for &number in &keys.numbers {
            found.by_key[number] = Matches::None;
        }
        self.ask_server(plan, keys, found)
    }

    /// Lets the server say which row belongs to which key. `CASE` names the first key that fits, so what it did not
    /// name is asked for again until nothing more is found.
    fn ask_server(&self, plan: &Plan, keys: &Keys<'_>, found: &mut Found) -> mysql::Result<()> {
        let by_column = quoted(&self.destination().table.by_column);
        for chunk in keys.numbers.chunks(CASE_KEYS) {
            let mut numbers = chunk.to_vec();
            while !numbers.is_empty() {
                let mut case = format!("CASE {by_column}");
                for n in 0..numbers.len() {
                    let _ = write!(case, " WHEN {} THEN {n}", plan.placeholder); // Into a String: cannot fail.
                }
                let asked = Keys {
                    cells: keys.cells,
                    numbers,
                };
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
struct Keys<'a> {
    cells: &'a [&'a Cell],
    numbers: Vec<usize>,
}

impl Destination for MySqlDestination {
    fn map(&self) -> Result<&ColumnMap> {
        Ok(&self.plan()?.map)
    }

    fn stream(&self) -> Result<Option<KeyFold>> {
        Ok(self.read_stream()?.as_ref().map(|stream| stream.fold))
    }

    fn visit(
        &self,
        after: Option<&Place>,
        limit: usize,
        visitor: &mut dyn Visitor,
    ) -> Result<Option<Place>> {
        let plan = self.plan()?;
        let job = &self.destination().table;
        let Some(stream) = self.read_stream()? else {
            return Ok(None);
        };
        let rows = Rows {
            job,
            list: &plan.list,
            types: &plan.types,
            key_type: plan.key_type,
        };
        let operation = format!("Read all rows of {}", job.name());
        self.sessions
            .attempt(&mut |conn| stream.visit(conn, &rows, after, limit, visitor))
            .map_err(|error| self.failed(&operation, &error))
    }

    fn repeated_keys(&self, limit: usize) -> Result<Vec<Cell>> {
        let plan = self.plan()?;
        let job = &self.destination().table;
        let operation = format!("Look for keys with several rows in {}", job.name());
        self.sessions
            .attempt(&mut |conn| repeated_keys(conn, job, plan.key_type, limit))
            .map_err(|error| self.failed(&operation, &error))
    }

    fn find(&self, keys: &[&Cell]) -> Result<Found> {
        let plan = self.plan()?;
        let mut found = Found {
            rows: Vec::with_capacity(keys.len()),
            by_key: vec![Matches::None; keys.len()],
        };
        let numbers: Vec<usize> = (0..keys.len())
            .filter(|&number| *keys[number] != Cell::Null)
            .collect();
        if numbers.is_empty() {
            return Ok(found);
        }
        let keys = Keys {
            cells: keys,
            numbers,
        };
        self.find_keys(plan, &keys, &mut found).map_err(|error| {
            let TableJob {
                database, table, ..
            } = &self.destination().table;
            self.failed(&format!("Look up keys in {database}.{table}"), &error)
        })?;
        Ok(found)
    }
}
