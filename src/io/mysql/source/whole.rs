//! Whole rows of the source, as they are sent, and how large they are.

use std::collections::HashSet;

use mysql::prelude::Queryable as _;
use mysql::{Conn, Params, Value};

use super::batches::scanned;
use super::{KEYS_PER_QUERY, MySqlSource};
use crate::error::Result;
use crate::io::mysql::bounded::{self, ROWS_MAX, Room};
use crate::io::mysql::layout::{Layout, Whole};
use crate::io::mysql::parameters::{id_of, id_value, padded, padded_count, u64_of};
use crate::io::mysql::wide::{Fitted, fitted, sum_of};
use crate::io::mysql::{decode, unique, wire};
use crate::logic::value::address::Address;
use crate::logic::value::cell::{ColumnType, Id};
use crate::logic::value::oversize::{Part, TooLarge};
use crate::logic::value::sql::quoted;
use crate::world::{Batch, Sent, Weight, WholeRow, WholeRows};

impl MySqlSource {
    pub(super) fn read_whole_rows(&self, ids: &[Address], room_bytes: usize) -> Result<WholeRows> {
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
                .map(|id| id_value(id.id()))
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

    pub(super) fn weigh_rows(&self, ids: &[Address]) -> Result<Vec<Weight>> {
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
            let values: Vec<Value> = padded(ids, slots).map(|id| id_value(id.id())).collect();
            let found = self.run("the size of rows", |conn| {
                let mut found = Vec::new();
                let answer = conn.exec_iter(&sql, Params::Positional(values.clone()))?;
                bounded::each(answer, ROWS_MAX, |row| found.push(row.unwrap()))?;
                Ok(found)
            })?;
            weights.extend(found.into_iter().filter_map(|values| {
                let [id, key_value, compared, row] = <[Value; 4]>::try_from(values).ok()?;
                Some(Weight {
                    id: id_of(decode::lent(&id, ColumnType::Int))?.into(),
                    key: decode::cell(key_value, key.column_type),
                    compared_bytes: u64_of(&compared)?,
                    row_bytes: u64_of(&row)?,
                })
            }));
        }
        Ok(weights)
    }

    /// Whole rows, as they are.
    fn whole_rows_of(
        &self,
        layout: &Layout,
        ids: &[Address],
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
        let values: Vec<Value> = padded(ids, slots).map(|id| id_value(id.id())).collect();
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
    fn too_large(&self, layout: &Layout, id: Address, bytes: u64) -> Result<Option<WholeRow>> {
        let Batch {
            rows, too_large, ..
        } = self.by_spans(layout, &[(id.id(), id.id())], 1, &[])?;
        let part = Part::Row;
        Ok(rows.into_iter().next().map(|row| WholeRow {
            row,
            all: vec![],
            too_large: too_large.or(Some(TooLarge { part, bytes })),
        }))
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
