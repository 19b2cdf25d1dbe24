//! Finds the rows of a batch of keys as the server itself would find them one by one.
//!
//! The server decides which row belongs to which key, by the collation and the types of its column.
//! One query for the whole batch returns every row that any of the keys finds. Rows whose key has
//! the same bytes are paired here. That is safe, because equal bytes are equal under every
//! collation. When a row or a key is left over, or when two rows' keys are equal to the server, it
//! is asked which row belongs to which key, by `CASE key WHEN ? THEN 0 WHEN ? THEN 1 …`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use mysql::prelude::Queryable as _;
use mysql::{Conn, Params, Value};

use super::MySqlDestination;
use crate::io::mysql::bounded::{self, ROWS_MAX, Room};
use crate::io::mysql::clause::{and_condition, table_name};
use crate::io::mysql::decode;
use crate::io::mysql::errors::{is_of_one_key, shown};
use crate::io::mysql::parameters::{padded, padded_count};
use crate::io::mysql::plan::Plan;
use crate::io::mysql::refused::ask_for_all;
use crate::io::mysql::stream::is_unique;
use crate::io::mysql::wide::sum_of;
use crate::logic::audit::fingerprint::are_apart;
use crate::logic::compare::key::{Spellings, spellings};
use crate::logic::compare::rows::{Found, Matches};
use crate::logic::value::cell::Cell;

/// So few keys are compared with each other sooner than the server says whether an index keeps them apart.
const FEW_KEYS: usize = 256;

/// Keys that are told apart in one `CASE`.
const CASE_KEYS: usize = 64;

impl MySqlDestination {
    /// `SELECT` of an expression and the compared columns by so many keys.
    pub(in crate::io::mysql) fn statement(
        &self,
        plan: &Plan,
        first: &str,
        keys: &[Cow<'_, str>],
    ) -> String {
        self.statement_for(plan, &plan.compared.list(Some(first)), keys)
    }

    /// `SELECT` of a list of expressions by so many keys.
    fn statement_for(&self, plan: &Plan, list: &str, keys: &[Cow<'_, str>]) -> String {
        let job = &self.destination().table;
        format!(
            "SELECT {list} FROM {} WHERE {} IN ({}){}",
            table_name(job),
            plan.lookup.compared(&job.by_column),
            keys.join(","),
            and_condition(job)
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
    pub(super) fn select_values(
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
    pub(super) fn bytes_of(&self, plan: &Plan, keys: &Keys<'_>) -> mysql::Result<u64> {
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
    pub(super) fn find_keys(
        &self,
        plan: &Plan,
        keys: &Keys<'_>,
        found: &mut Found,
    ) -> mysql::Result<()> {
        let refused = ask_for_all(&keys.numbers, <[usize]>::len, |asked| {
            for &number in asked {
                found.by_key[number] = Matches::None;
            }
            self.find_together(plan, &keys.some(asked), found)
        })?;
        for (&number, error) in refused {
            found.by_key[number] = Matches::Unfindable(shown(&error.to_string()));
        }
        Ok(())
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
            let left = keys.some(&keys_left);
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
                let asked = keys.some(&numbers);
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
pub(super) struct Keys<'a> {
    cells: &'a [Spellings<'a>],
    pub(super) numbers: Vec<usize>,
    /// For the rows of one statement.
    room: Room,
}

impl<'a> Keys<'a> {
    /// All but those that no row can have: NULL finds nothing.
    pub(super) fn of(cells: &'a [Spellings<'a>], room: Room) -> Self {
        let numbers = (0..cells.len())
            .filter(|&number| cells[number].iter().next().is_some())
            .collect();
        Self {
            cells,
            numbers,
            room,
        }
    }

    /// Only these of them.
    pub(super) fn some(&self, numbers: &[usize]) -> Self {
        Self {
            numbers: numbers.to_vec(),
            ..self.clone()
        }
    }

    /// Each spelling, and the number of its key.
    fn cells(&self) -> impl Iterator<Item = (usize, &'a Cell)> {
        let each = |&number: &usize| self.cells[number].iter().map(move |cell| (number, cell));
        self.numbers.iter().flat_map(each)
    }
}

/// How the destination's key column can spell each of these keys.
pub(super) fn spelled<'k>(
    plan: &Plan,
    keys: &'k [&Cell],
    printed: Option<&'k [Cell]>,
) -> Vec<Spellings<'k>> {
    let each = |key: &'k Cell| spellings(key, &plan.source_key, &plan.lookup.column);
    match printed {
        Some(printed) => printed.iter().map(each).collect(),
        None => keys.iter().map(|key| each(key)).collect(),
    }
}
