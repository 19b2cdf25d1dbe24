//! The update window of the source: which values of the update column it spans, and the rows within.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use mysql::prelude::Queryable;
use mysql::{Conn, Params, Value};

use super::MySqlSource;
use super::batches::Ask;
use crate::config::TableJob;
use crate::error::{Error, Result};
use crate::io::mysql::bounded::{self, ROWS_MAX};
use crate::io::mysql::decode;
use crate::io::mysql::errors::label;
use crate::io::mysql::layout::{Layout, UpdateColumn};
use crate::io::mysql::parameters::{id_of, id_value};
use crate::logic::scan::plan::{Request, What};
use crate::logic::scan::zone;
use crate::logic::value::address::Address;
use crate::logic::value::cell::{ColumnType, Id};
use crate::logic::value::oversize::ROOM_BYTES;
use crate::logic::value::row::Row;
use crate::logic::value::sql::{literal, quoted};
use crate::world::Batch;

/// Ids in one query for their rows.
const IDS_PER_QUERY: usize = 512;

impl MySqlSource {
    /// Rows of a window in the order (update time, id). After a cursor, first what shares its time: by equality on the
    /// time the index gives the rows in id order, so a million rows of one moment are read once and not a million
    /// times.
    pub(super) fn window(
        &self,
        layout: &Layout,
        request: &Request,
        except: &[Address],
    ) -> Result<Batch> {
        let What::Updated {
            from_us,
            to_us,
            after,
        } = &request.what
        else {
            return Ok(Batch::default());
        };
        let Some(update) = &layout.update else {
            return Ok(Batch::default());
        };
        let (from, to) = self.window_bounds(update, layout.zone.as_deref(), *from_us, *to_us)?;
        if layout.is_in_zone && matches!(update.column.column_type, ColumnType::Timestamp(_)) {
            let after = after
                .as_ref()
                .map(|after| (Value::Bytes(after.time.clone().into_bytes()), after.id));
            let bounds = (&from, &to);
            return self.window_of_instants(layout, update, bounds, after, request.limit, except);
        }
        let (time, id) = (quoted(&update.column.name), quoted(&layout.id.name));
        let select = self.clause_without(except);
        let range = |operator: &str| range(&select, &time, operator, &id);
        let asks = match after {
            None => vec![Ask {
                rest: range(">="),
                values: vec![from, to],
                is_by_id: false,
            }],
            Some(after) => {
                let at = Value::Bytes(after.time.clone().into_bytes());
                let rest = format!("{select}{time} = ? AND {id} > ? ORDER BY {id} LIMIT ?");
                let same = Ask {
                    rest,
                    values: vec![at.clone(), id_value(after.id)],
                    is_by_id: true,
                };
                let later = Ask {
                    rest: range(">"),
                    values: vec![at, to],
                    is_by_id: false,
                };
                vec![same, later]
            }
        };
        self.batch("updated rows", layout, &asks, request.limit)
    }

    /// The same where `src.where` is read in the server's zone. A bound there would be ambiguous in the hour that comes
    /// twice when clocks go back. So ids and times come from a session in UTC, which does not know the condition, and the
    /// rows from one that does.
    fn window_of_instants(
        &self,
        layout: &Layout,
        update: &UpdateColumn,
        bounds: (&Value, &Value),
        mut after: Option<(Value, Id)>,
        limit: usize,
        except: &[Address],
    ) -> Result<Batch> {
        let mut rows = Vec::new();
        loop {
            let seen = self.instants(layout, update, bounds, after.as_ref(), limit)?;
            let is_last = seen.len() < limit;
            after = seen.last().cloned();
            for seen in seen.chunks(IDS_PER_QUERY) {
                let spans: Vec<(Id, Id)> = seen.iter().map(|&(_, id)| (id, id)).collect();
                let mut found: HashMap<Id, Vec<Row>> = HashMap::with_capacity(seen.len());
                let batch = self.by_spans(layout, &spans, ROWS_MAX, except)?;
                if batch.is_cut {
                    drop(batch); // It is in another order.
                    if let Some(cut) = self.one_by_one(layout, update, seen, &mut rows, except)? {
                        return Ok(cut);
                    }
                    continue;
                }
                for row in batch.rows {
                    found.entry(row.id).or_default().push(row);
                }
                for (time, id) in seen {
                    let updated = decode::cell(time.clone(), update.column.column_type);
                    let found = found.remove(id).into_iter().flatten();
                    rows.extend(found.map(|row| Row {
                        updated: updated.clone(),
                        ..row
                    }));
                }
            }
            // A batch that is not the last one has its full length, and ends where the next one goes on.
            if is_last || rows.len() >= limit {
                rows.truncate(limit);
                return Ok(Batch {
                    rows,
                    ..Batch::default()
                });
            }
        }
    }

    /// Adds these rows one after the other, and returns all where memory has no room for more.
    fn one_by_one(
        &self,
        layout: &Layout,
        update: &UpdateColumn,
        seen: &[(Value, Id)],
        rows: &mut Vec<Row>,
        except: &[Address],
    ) -> Result<Option<Batch>> {
        let mut bytes = 0;
        for (time, id) in seen {
            let found = self.by_spans(layout, &[(*id, *id)], ROWS_MAX, except)?;
            let too_large = found.too_large;
            let is_alone = rows.is_empty();
            if too_large.is_none() || is_alone {
                let updated = decode::cell(time.clone(), update.column.column_type);
                bytes += found.rows.iter().map(Row::size_bytes).sum::<usize>();
                rows.extend(found.rows.into_iter().map(|row| Row {
                    updated: updated.clone(),
                    ..row
                }));
            }
            if too_large.is_some() || bytes > ROOM_BYTES {
                return Ok(Some(Batch {
                    rows: std::mem::take(rows),
                    is_cut: true,
                    too_large: too_large.filter(|_| is_alone),
                }));
            }
        }
        Ok(None)
    }

    /// Update times and ids of a window's rows, whatever `src.where` says of them.
    fn instants(
        &self,
        layout: &Layout,
        update: &UpdateColumn,
        (from, to): (&Value, &Value),
        after: Option<&(Value, Id)>,
        limit: usize,
    ) -> Result<Vec<(Value, Id)>> {
        let (time, id) = (quoted(&update.column.name), quoted(&layout.id.name));
        let select = format!("SELECT {time}, {id} {}", self.unconditional_clause());
        let read = |conn: &mut Conn, sql: &str, mut values: Vec<Value>, limit: usize| {
            values.push(Value::UInt(limit as u64));
            let mut read = Vec::new();
            let answer = conn.exec_iter(sql, Params::Positional(values))?;
            bounded::each(answer, limit, |row| {
                let mut values = row.unwrap().into_iter();
                let time = values.next().unwrap_or(Value::NULL);
                let id = values.next().unwrap_or(Value::NULL);
                read.extend(id_of(decode::lent(&id, ColumnType::Int)).map(|id| (time, id)));
            })?;
            mysql::Result::Ok(read)
        };
        let TableJob {
            database, table, ..
        } = self.table();
        let operation = format!("Read updated ids of {database}.{table}");
        self.plain_sessions.run(&operation, |conn| {
            let Some((at, last)) = after else {
                let values = vec![from.clone(), to.clone()];
                return read(conn, &range(&select, &time, ">=", &id), values, limit);
            };
            let same = format!("{select}{time} = ? AND {id} > ? ORDER BY {id} LIMIT ?");
            let mut found = read(conn, &same, vec![at.clone(), id_value(*last)], limit)?;
            if found.len() < limit {
                let (rest, values) = (limit - found.len(), vec![at.clone(), to.clone()]);
                found.extend(read(conn, &range(&select, &time, ">", &id), values, rest)?);
            }
            Ok(found)
        })
    }

    /// A window's bounds as values of the update column.
    pub(in crate::io::mysql) fn window_bounds(
        &self,
        update: &UpdateColumn,
        server_zone: Option<&str>,
        from_us: i64,
        to_us: i64,
    ) -> Result<(Value, Value)> {
        let utc = |us: i64| {
            chrono::DateTime::from_timestamp_micros(us)
                .map(|at| at.naive_utc())
                .unwrap_or_default()
        };
        let (mut from, mut to) = (utc(from_us), utc(to_us));
        if update.is_local() {
            let (local_from, local_to) = match (update.time_zone, server_zone) {
                (Some(zone), _) => (zone::in_zone(zone, from), zone::in_zone(zone, to)),
                (None, Some(zone)) => self.in_server_zone(zone, from, to)?,
                (None, None) => (from, to),
            };
            (from, to) = zone::local_window(to - from, local_from, local_to);
        }
        let value =
            |local: NaiveDateTime, us: i64| match (&update.format, update.column.column_type) {
                (_, ColumnType::DateTime(digits) | ColumnType::Timestamp(digits)) => {
                    date_value(zone::floored(local, digits))
                }
                (_, ColumnType::Date) => date_value(zone::midnight(local)),
                (Some(format), _) => Value::Bytes(format.format(local, us).into_bytes()),
                (None, _) => Value::Int(us.div_euclid(1_000_000)),
            };
        Ok((value(from, from_us), value(to, to_us)))
    }

    fn in_server_zone(
        &self,
        zone: &str,
        from: NaiveDateTime,
        to: NaiveDateTime,
    ) -> Result<(NaiveDateTime, NaiveDateTime)> {
        let zone = literal(zone);
        let sql =
            format!("SELECT CONVERT_TZ(?, '+00:00', {zone}), CONVERT_TZ(?, '+00:00', {zone})");
        let values = vec![date_value(from), date_value(to)];
        let converted: Option<(Value, Value)> = self.run("the server's zone", |conn| {
            bounded::first(conn.exec_iter(&sql, Params::Positional(values.clone()))?)
        })?;
        match converted.map(|(from, to)| (naive(&from), naive(&to))) {
            Some((Some(from), Some(to))) => Ok((from, to)),
            _ => Err(Error::Database {
                operation: format!("Convert times to the zone {zone} of {}", label(&self.table().server)),
                reason: "the server cannot; load its time zone tables (mysql_tzinfo_to_sql) or set src.timeZone".into(),
            }),
        }
    }
}

/// The statement of a window; what goes before decides whether its begin belongs to it.
pub(in crate::io::mysql) fn range(select: &str, time: &str, operator: &str, id: &str) -> String {
    format!("{select}{time} {operator} ? AND {time} <= ? ORDER BY {time}, {id} LIMIT ?")
}

/// A `DATETIME` of the wire as chrono has it; MySQL sends what it computed as text.
fn naive(value: &Value) -> Option<NaiveDateTime> {
    match value {
        Value::Date(year, month, day, hour, minute, second, us) => {
            chrono::NaiveDate::from_ymd_opt(i32::from(*year), u32::from(*month), u32::from(*day))?
                .and_hms_micro_opt(
                    u32::from(*hour),
                    u32::from(*minute),
                    u32::from(*second),
                    *us,
                )
        }
        Value::Bytes(text) => {
            NaiveDateTime::parse_from_str(std::str::from_utf8(text).ok()?, "%Y-%m-%d %H:%M:%S%.f")
                .ok()
        }
        _ => None,
    }
}

fn date_value(at: NaiveDateTime) -> Value {
    let cell = zone::fields(at);
    Value::Date(
        cell.year,
        cell.month,
        cell.day,
        cell.hour,
        cell.minute,
        cell.second,
        cell.microsecond,
    )
}
