//! What is true of two tables, asked of their servers.
//!
//! A source row's copies are the rows that the destination itself finds for `k = value`, one statement for each key, under its
//! own collation; of an ENUM or a SET by its text. Text is given as characters, or as bytes where both columns have the same
//! character set. Where the two columns are not both text, a key finds the rows whose key is an equal value, as cells are, and
//! a number those whose text the collation takes for its digits.

use std::collections::{BTreeMap, BTreeSet};

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::case::{Case, Column};
use crate::types::Kind;
use crate::value::{Value, characters, equal, shown, value};
use crate::values::hex;

/// A row as its server holds it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// `id`, or `nr`.
    pub(crate) number: i128,
    pub(crate) key: Value,
    pub(crate) cells: Vec<Value>,
}

/// How a source row and its copies relate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Agrees,
    Missing,
    /// In one of these sets of columns.
    Differs(Vec<BTreeSet<String>>),
}

#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub(crate) source: Vec<Held>,
    pub(crate) destination: Vec<Held>,
    pub(crate) verdicts: BTreeMap<i128, Verdict>,
    /// Source rows whose key several rows of the copy have.
    pub(crate) repeated: BTreeSet<i128>,
    /// Numbers of the copy's rows that no source row finds; those without a key left out.
    pub(crate) extra: BTreeSet<i128>,
    /// The contract does not say whether one of the keys finds one of the rows; or the server says two things, by an index
    /// and without (MariaDB's `uca1400_…_ai_cs` do).
    pub(crate) is_open: bool,
}

/// All rows of a table.
pub(crate) fn held(
    conn: &mut Conn,
    table: &str,
    number: &str,
    key: &Column,
    cells: &[&Column],
) -> mysql::Result<Vec<Held>> {
    let columns: Vec<&Column> = std::iter::once(key).chain(cells.iter().copied()).collect();
    let list: Vec<String> = columns.iter().flat_map(|column| shown(column)).collect();
    let sql = format!(
        "SELECT CAST({number} AS CHAR), {} FROM {table} ORDER BY {number}",
        list.join(", ")
    );
    let rows: Vec<mysql::Row> = conn.exec(sql, ())?;
    let held = rows.into_iter().map(|row| {
        let mut sent = row.unwrap().into_iter();
        let mut next = || sent.next().expect("A value for each expression");
        let number: String = mysql::from_value(next());
        let mut values: Vec<Value> = columns
            .iter()
            .map(|column| value(column, &mut next))
            .collect();
        Held {
            number: number.parse().expect("An integer"),
            key: values.remove(0),
            cells: values,
        }
    });
    Ok(held.collect())
}

impl Truth {
    /// `tables` are the two as SQL.
    pub(crate) fn of(
        case: &Case,
        here: &mut Conn,
        there: &mut Conn,
        tables: [&str; 2],
    ) -> mysql::Result<Self> {
        let sources: Vec<&Column> = case.cells.iter().map(|pair| &pair.source).collect();
        let copies: Vec<&Column> = case.cells.iter().map(|pair| &pair.destination).collect();
        let source = held(here, tables[0], "id", &case.key.source, &sources)?;
        let destination = held(there, tables[1], "nr", &case.key.destination, &copies)?;
        let mut truth = Self {
            source,
            destination,
            verdicts: BTreeMap::new(),
            repeated: BTreeSet::new(),
            extra: BTreeSet::new(),
            is_open: false,
        };
        let mut met = BTreeSet::new();
        for row in truth.source.clone() {
            let found = truth.found(case, there, tables[1], &row.key)?;
            let copies: Vec<&Held> = truth
                .destination
                .iter()
                .filter(|copy| found.contains(&copy.number))
                .collect();
            let differences: Vec<BTreeSet<String>> = copies
                .iter()
                .map(|copy| case.differences(&row, copy))
                .collect();
            let verdict = if copies.is_empty() {
                Verdict::Missing
            } else if differences.iter().any(BTreeSet::is_empty) {
                Verdict::Agrees
            } else {
                Verdict::Differs(differences)
            };
            truth.verdicts.insert(row.number, verdict);
            if found.len() > 1 {
                truth.repeated.insert(row.number);
            }
            met.extend(found);
        }
        // A source that contradicts itself does not give all rows that two keys find which it takes for one and for two.
        truth.is_open |= groups_otherwise(&case.key.source, here, tables[0], "id")?;
        truth.is_open |= groups_otherwise(&case.key.destination, there, tables[1], "nr")?;
        let copies = truth.destination.iter();
        let unmet = copies.filter(|row| row.key != Value::Null && !met.contains(&row.number));
        truth.extra = unmet.map(|row| row.number).collect();
        Ok(truth)
    }

    /// The numbers of the copy's rows that a key finds.
    fn found(
        &mut self,
        case: &Case,
        there: &mut Conn,
        table: &str,
        key: &Value,
    ) -> mysql::Result<BTreeSet<i128>> {
        let name = &case.key.destination.as_text();
        let rows = &self.destination;
        let equals = |row: &&Held| equal(key, &row.key);
        let equal_ones = rows.iter().filter(equals).map(|row| row.number).collect();
        let kind = &case.key.destination.of.kind;
        match (key, kind) {
            (Value::Null, _) => Ok(BTreeSet::new()),
            (
                Value::Text {
                    charset,
                    raw,
                    characters,
                },
                Kind::Text(other),
            ) if other != "inet6" => {
                let literal = match characters {
                    _ if charset == other => format!("_{charset} X'{}'", hex(raw)),
                    Some(text) => format!("_utf8mb4 X'{}'", hex(text.as_bytes())),
                    None => return Ok(BTreeSet::new()),
                };
                let one = numbers(there, table, &format!("{name} = {literal}"))?;
                // Compared row by row, without an index.
                let other = numbers(there, table, &format!("({name} = {literal}) + 0 = 1"))?;
                self.is_open |= one != other;
                Ok(one)
            }
            _ => {
                self.is_open |= rows.iter().any(|row| is_open(key, &row.key));
                let mut found: BTreeSet<i128> = equal_ones;
                if let (Value::Exact(number), Kind::Text(_)) = (key, kind) {
                    // Its digits find what the collation takes for them too, as with a space behind them.
                    found.extend(numbers(
                        there,
                        table,
                        &format!("{name} = '{}'", number.plain()),
                    )?);
                }
                Ok(found)
            }
        }
    }

    /// Something is wrong with the copy.
    pub(crate) fn is_wrong(&self) -> bool {
        self.verdicts
            .values()
            .any(|verdict| *verdict != Verdict::Agrees)
    }
}

/// The rows for which a condition holds; none where the key cannot be said in the copy's character set.
fn numbers(conn: &mut Conn, table: &str, condition: &str) -> mysql::Result<BTreeSet<i128>> {
    let found: mysql::Result<Vec<i64>> =
        conn.query(format!("SELECT nr FROM {table} WHERE {condition}"));
    match found {
        Ok(numbers) => Ok(numbers.into_iter().map(i128::from).collect()),
        Err(mysql::Error::MySqlError(error))
            if matches!(error.code, 1267 | 1270 | 1271 | 1300 | 3854 | 3988) =>
        {
            Ok(BTreeSet::new())
        }
        Err(error) => Err(error),
    }
}

/// Whether a server groups the keys of a table otherwise than it compares them.
fn groups_otherwise(
    column: &Column,
    conn: &mut Conn,
    table: &str,
    number: &str,
) -> mysql::Result<bool> {
    if !matches!(column.of.kind, Kind::Text(_)) {
        return Ok(false);
    }
    let (key, a, b) = (
        column.as_text(),
        column.as_text_of("a"),
        column.as_text_of("b"),
    );
    let (pairs, grouped): (i64, i64) = conn
        .query_first(format!(
            "SELECT (SELECT COUNT(*) FROM {table} a, {table} b WHERE ({a} = {b}) + 0 = 1 AND a.{number} < b.{number}), \
             (SELECT IFNULL(CAST(SUM(n * (n - 1) / 2) AS SIGNED), 0) FROM (SELECT COUNT({key}) n FROM {table} GROUP BY {key}) g)"
        ))?
        .unwrap_or_default();
    Ok(pairs != grouped)
}

/// Equal values that are spelt otherwise, or equal only where one of them was rounded: whether one finds the other is left open.
fn is_open(one: &Value, other: &Value) -> bool {
    let spelling = |value: &Value| characters(value);
    match (one, other) {
        (Value::Exact(_), text) | (text, Value::Exact(_)) if spelling(text).is_some() => {
            let text = spelling(text).unwrap_or_default();
            let canonical = text.trim_start_matches('-');
            let plain = canonical == "0"
                || (!canonical.starts_with('0')
                    && canonical.bytes().all(|b| b.is_ascii_digit())
                    && !canonical.is_empty());
            equal(one, other) && (!plain || text == "-0")
        }
        (Value::Moment { digits: a, .. }, Value::Moment { digits: b, .. })
        | (Value::Span(_, a), Value::Span(_, b)) => a != b && equal(one, other),
        (Value::Text { .. }, Value::Text { .. }) => false,
        (Value::Text { .. }, _) | (_, Value::Text { .. }) => equal(one, other),
        _ => false,
    }
}

impl Case {
    /// The names of the columns in which a copy differs.
    fn differences(&self, row: &Held, copy: &Held) -> BTreeSet<String> {
        let pairs = self.cells.iter().zip(row.cells.iter().zip(&copy.cells));
        let differing = pairs.filter(|(_, (one, other))| !equal(one, other));
        let mut names: BTreeSet<String> = differing
            .map(|(pair, _)| pair.source.name.clone())
            .collect();
        if self.key_is_mapped && !equal(&row.key, &copy.key) {
            names.insert(self.key.source.name.clone());
        }
        names
    }
}
