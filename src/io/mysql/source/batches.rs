//! Batches of source rows by id, as a scan reads them: bounded in rows and bytes, a row that is too large without its cells.

use mysql::prelude::Queryable as _;
use mysql::{Conn, Params, Value};

use super::MySqlSource;
use crate::error::Result;
use crate::io::mysql::bounded::{self, Room};
use crate::io::mysql::clause::table_name;
use crate::io::mysql::decode;
use crate::io::mysql::layout::Layout;
use crate::io::mysql::parameters::{id_of, id_value, padded, padded_count, u64_of};
use crate::io::mysql::unique::{self, Distinct};
use crate::logic::scan::gaps::Span;
use crate::logic::value::address::Address;
use crate::logic::value::cell::{ColumnType, Id};
use crate::logic::value::oversize::{Part, ROOM_BYTES, TooLarge};
use crate::logic::value::row::Row;
use crate::logic::value::sql::quoted;
use crate::world::Batch;

/// Rows that a statement leaves out.
const EXCEPT_MAX: usize = 1_000;

impl MySqlSource {
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
    pub(super) fn first_of(
        &self,
        what: &str,
        layout: &Layout,
        ask: &Ask,
    ) -> Result<Option<(Row, u64)>> {
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
        except: &[Address],
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
    pub(super) fn heads(&self, layout: &Layout, spans: &[Span], limit: usize) -> Result<Batch> {
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
    fn of_spans(
        &self,
        layout: &Layout,
        spans: &[(Id, Id)],
        except: &[Address],
    ) -> (String, Vec<Value>) {
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
    pub(super) fn clause_without(&self, except: &[Address]) -> String {
        let clause = self.table_clause();
        if except.is_empty() {
            return clause;
        }
        let ids = except.iter().take(EXCEPT_MAX).map(Address::to_string);
        let ids: Vec<String> = ids.collect();
        let id = quoted(&self.job.source.id_column);
        format!("{clause}{id} NOT IN ({}) AND ", ids.join(","))
    }

    /// What to read next of a span. Above the highest id that there is when this is first asked for, ids may still appear.
    pub(super) fn piece(&self, span: Span) -> Result<Option<Span>> {
        self.pieces.next(span, || {
            let id = quoted(&self.job.source.id_column);
            let sql = format!("SELECT MIN({id}) FROM {}", table_name(self.table()));
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

    /// All rows of a span, up to `limit`.
    pub(super) fn by_span(
        &self,
        layout: &Layout,
        span: Span,
        limit: usize,
        except: &[Address],
    ) -> Result<Batch> {
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

/// The values of [`Layout::scan_list`]; `None` for a row without an id, which no scan can reach.
pub(super) fn scanned(values: Vec<Value>, layout: &Layout) -> Option<Row> {
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
