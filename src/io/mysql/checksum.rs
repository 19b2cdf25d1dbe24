//! Checksums of chunks, computed by the two servers: a statement for each side and some dozens of chunks.

use std::collections::HashMap;

use mysql::prelude::Queryable;
use mysql::{Conn, Params, Row, Value};

use super::clause::{and_condition, table_name};
use super::decode;
use super::destination::MySqlDestination;
use super::parameters::id_value;
use super::source::MySqlSource;
use crate::config::TableJob;
use crate::error::{Error, Result};
use crate::logic::audit::checksum::{Checksum, Chunk, KeyRange, TextColumn, checksums};
use crate::logic::compare::key::spellings;
use crate::logic::scan::gaps::Span;
use crate::logic::value::cell::{Column, ColumnType};
use crate::logic::value::sql::quoted;
use crate::world::{Checksums, Offer};

/// The checksums of a source and one of its destinations, keyed by a number of this run; or why there are none.
///
/// # Errors
/// When either table's columns cannot be read.
pub(crate) fn checksums_of<'a>(
    source: &'a MySqlSource,
    destination: &'a MySqlDestination,
    seed: u64,
) -> Result<Offer<'a>> {
    let checksums = MySqlChecksums::read(source, destination, seed)?;
    Ok(checksums.map(|checksums| Box::new(checksums) as Box<dyn Checksums>))
}

/// The checksums of a source and one destination.
struct MySqlChecksums<'a> {
    source: &'a MySqlSource,
    destination: &'a MySqlDestination,
    source_sum: String,
    destination_sum: String,
}

impl<'a> MySqlChecksums<'a> {
    /// Or why their columns' texts cannot be compared.
    fn read(
        source: &'a MySqlSource,
        destination: &'a MySqlDestination,
        seed: u64,
    ) -> Result<std::result::Result<Self, String>> {
        let (layout, plan) = (source.layout()?, destination.plan()?);
        let (source_job, destination_job) = (source.table(), destination.table());
        let source_columns = source.run("the character sets", |conn| {
            text_columns(conn, source_job, &layout.columns, &layout.marked)
        })?;
        let destination_columns = destination.run("the character sets", |conn| {
            text_columns(
                conn,
                destination_job,
                &plan.table.columns,
                &plan.table.marked(),
            )
        })?;
        let mut names = vec![(&source_job.by_column, &destination_job.by_column)];
        for pair in &plan.map.pairs {
            if pair.in_server_zone {
                let reason = format!("column {} is a time in its server's zone", pair.destination);
                return Ok(Err(reason));
            }
            let is_instant = |column_type| matches!(column_type, ColumnType::Timestamp(_));
            if (layout.is_in_zone || plan.table.is_in_zone)
                && (is_instant(pair.source_type) || is_instant(pair.destination_type))
            {
                let name = &pair.destination;
                let reason = format!("column {name} is an instant, and a `where` has its own zone");
                return Ok(Err(reason));
            }
            let name = (&pair.name, &pair.destination);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if plan.prints_keys || plan.key_type != plan.map.destination_key_type {
            return Ok(Err("the key is a time in its server's zone".into()));
        }
        let column = |columns: &HashMap<String, TextColumn>, name: &str| {
            let found = columns.get(&name.to_lowercase()).cloned();
            found.ok_or_else(|| format!("column {name} is not described by its server"))
        };
        let pairs = names.into_iter().map(|(one, other)| {
            Ok((
                column(&source_columns, one)?,
                column(&destination_columns, other)?,
            ))
        });
        let pairs: std::result::Result<Vec<_>, String> = pairs.collect();
        let sums = pairs.and_then(|pairs| checksums(&pairs, seed));
        Ok(sums.map(|(source_sum, destination_sum)| Self {
            source,
            destination,
            source_sum,
            destination_sum,
        }))
    }
}

impl Checksums for MySqlChecksums<'_> {
    fn of_source(&self, spans: &[Span]) -> Result<Vec<Chunk>> {
        let layout = self.source.layout()?;
        let (id, key) = (quoted(&layout.id.name), &layout.key_expression);
        let rows = format!("{}{id} BETWEEN ? AND ?", self.source.table_clause());
        let sum = &self.source_sum;
        let chunk = |number| {
            format!("SELECT {number}, {sum}, (SELECT {key} {rows} ORDER BY {id} LIMIT 1) {rows}")
        };
        let sql = union((0..spans.len()).map(chunk));
        let values: Vec<Value> = spans
            .iter()
            .map(|span| [id_value(span.from), id_value(span.to)])
            .flat_map(|[from, to]| [from.clone(), to.clone(), from, to])
            .collect();
        let said = self
            .source
            .run("checksums", |conn| said(conn, &sql, &values, spans.len()))?;
        let chunks = spans.iter().zip(said);
        Ok(chunks
            .map(|(&span, (checksum, first_key))| Chunk {
                span,
                checksum,
                first_key: decode::cell(first_key, layout.key.column_type),
            })
            .collect())
    }

    fn of_destination(&self, ranges: &[KeyRange]) -> Result<Vec<Checksum>> {
        let plan = self.destination.plan()?;
        let job = self.destination.table();
        let (by_column, key) = (&job.by_column, quoted(&job.by_column));
        let mut values = Vec::with_capacity(2 * ranges.len());
        let chunk = |(number, range): (usize, &KeyRange)| -> Result<String> {
            let mut within = Vec::new();
            for (bound, operator) in [(&range.from, ">="), (&range.below, "<")] {
                let Some(cell) = bound else { continue };
                // What could stand in several places, or in none, bounds nothing.
                let cells = spellings(cell, &plan.source_key, &plan.lookup.column);
                let [cell] = cells.iter().collect::<Vec<_>>()[..] else {
                    return Err(Error::Database {
                        operation: format!("Divide {} by its keys", job.name()),
                        reason: format!(
                            "a key of the source has no place among the values of {by_column}"
                        ),
                    });
                };
                within.push(format!("{key} {operator} {}", plan.lookup.sql(cell)));
                values.extend(plan.lookup.values(cell));
            }
            if within.is_empty() {
                within.push(format!("{key} IS NOT NULL"));
            }
            Ok(format!(
                "SELECT {number}, {}, NULL FROM {} WHERE {}{}",
                self.destination_sum,
                table_name(job),
                within.join(" AND "),
                and_condition(job)
            ))
        };
        let chunks: Result<Vec<String>> = ranges.iter().enumerate().map(chunk).collect();
        let sql = union(chunks?.into_iter());
        let said = self
            .destination
            .run("checksums", |conn| said(conn, &sql, &values, ranges.len()))?;
        Ok(said.into_iter().map(|(checksum, _)| checksum).collect())
    }
}

/// The members in any order, each under its number.
fn union(members: impl Iterator<Item = String>) -> String {
    members.collect::<Vec<_>>().join(" UNION ALL ")
}

/// For each member of a [`union`] its checksum and its last column. A warning is what a server says instead of an error when
/// a row's text is longer than it can handle, and leaves the row out of the sum; so with a warning no sum counts.
fn said(
    conn: &mut Conn,
    sql: &str,
    values: &[Value],
    members: usize,
) -> mysql::Result<Vec<(Checksum, Value)>> {
    let rows: Vec<Row> = conn.exec(sql, Params::Positional(values.to_vec()))?;
    let is_complete = conn.warnings() == 0;
    let mut said = vec![(Checksum::default(), Value::NULL); members];
    for row in rows {
        let mut values = row.unwrap().into_iter();
        let mut number = || values.next().as_ref().and_then(whole);
        let (member, rows, sum) = (number(), number(), number());
        let at = member.and_then(|member| said.get_mut(usize::try_from(member).ok()?));
        if let (Some(at), Some(rows)) = (at, rows) {
            *at = (
                Checksum::told(rows, sum.filter(|_| is_complete)),
                values.next().unwrap_or(Value::NULL),
            );
        }
    }
    Ok(said)
}

/// A count is an integer, a sum a whole number as DOUBLE.
fn whole(value: &Value) -> Option<u64> {
    match *value {
        Value::Int(value) => u64::try_from(value).ok(),
        Value::UInt(value) => Some(value),
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, and not below zero"
        )]
        Value::Double(value) if value >= 0.0 && value.fract() == 0.0 => Some(value as u64),
        _ => None,
    }
}

/// The columns of a table by their names in lower case.
fn text_columns(
    conn: &mut Conn,
    job: &TableJob,
    columns: &[Column],
    marked: &HashMap<String, String>,
) -> mysql::Result<HashMap<String, TextColumn>> {
    let rows: Vec<Row> = conn.exec(
        "SELECT COLUMN_NAME, CHARACTER_SET_NAME, IS_NULLABLE, COLUMN_TYPE, NUMERIC_SCALE FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA=? AND TABLE_NAME=?",
        (&job.database, &job.table),
    )?;
    let described = rows.into_iter().filter_map(|row| {
        let text = |at: usize| row.get::<Option<String>, _>(at).flatten();
        let name = text(0)?;
        let column_type = columns
            .iter()
            .find(|column| column.name == name)?
            .column_type;
        let described = TextColumn {
            column_type,
            charset: text(1),
            marked: marked.get(&name).cloned(),
            is_nullable: text(2)? != "NO",
            is_zerofill: text(3)?.to_ascii_lowercase().contains("zerofill"),
            scale: row.get::<Option<u8>, _>(4).flatten().unwrap_or(0),
            name,
        };
        Some((described.name.to_lowercase(), described))
    });
    Ok(described.collect())
}
