//! Source rows by their keys, and keys as the source's server prints them.

use mysql::prelude::Queryable as _;
use mysql::{Conn, Params, Value};

use super::{KEYS_PER_QUERY, MySqlSource};
use crate::error::Result;
use crate::io::mysql::layout::Layout;
use crate::io::mysql::parameters::{id_of, padded, padded_count};
use crate::io::mysql::refused::ask_for_all;
use crate::io::mysql::wide::cells_at_once;
use crate::io::mysql::{bounded, decode};
use crate::logic::compare::key::{Spellings, spellings};
use crate::logic::value::cell::{Cell, ColumnType, Id};
use crate::logic::value::sql::{literal, quoted};

impl MySqlSource {
    /// TIMESTAMPs as this server prints them, in its own zone.
    pub(in crate::io::mysql) fn as_printed(&self, keys: &[&Cell]) -> Result<Vec<Cell>> {
        let Some(zone) = self.layout()?.zone.as_deref().map(literal) else {
            return Ok(keys.iter().map(|&key| key.clone()).collect());
        };
        let mut printed = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS_PER_QUERY) {
            // The zero timestamp has no zone; `CONVERT_TZ` makes it NULL.
            let one = format!(
                "COALESCE(CONVERT_TZ(CAST(? AS DATETIME(6)),'+00:00',{zone}),CAST(? AS DATETIME(6)))"
            );
            let sql = format!("SELECT {}", vec![&one[..]; keys.len()].join(","));
            let values: Vec<Value> = keys
                .iter()
                .flat_map(|key| [decode::parameter(key), decode::parameter(key)])
                .collect();
            let row: Option<mysql::Row> = self.run("times in the server's zone", |conn| {
                bounded::first(conn.exec_iter(&sql, Params::Positional(values.clone()))?)
            })?;
            let values = row.map(mysql::Row::unwrap).unwrap_or_default();
            printed.extend(values.into_iter().map(decode::moment));
        }
        Ok(printed)
    }

    /// A key that the server refuses, such as one that its character set has no letters for, is no row's.
    pub(super) fn ids_of_keys(&self, keys: &[Cell]) -> Result<Vec<Id>> {
        let Layout {
            id, key, lookup, ..
        } = self.layout()?;
        let spelled: Vec<Spellings<'_>> = keys
            .iter()
            .map(|key| spellings(key, &lookup.column, &lookup.column))
            .collect();
        let keys: Vec<&Cell> = spelled.iter().flat_map(Spellings::iter).collect();
        let mut ids = Vec::new();
        let at_once = |keys: &[&Cell]| cells_at_once(keys.iter().copied().take(KEYS_PER_QUERY));
        let refused = ask_for_all(&keys, at_once, |keys| {
            let slots = padded_count(keys.len());
            let places: Vec<_> = padded(keys, slots).map(|cell| lookup.sql(cell)).collect();
            let sql = format!(
                "SELECT {} {}{} IN ({})",
                quoted(&id.name),
                self.table_clause(),
                lookup.compared(&key.name),
                places.join(",")
            );
            let values: Vec<Value> = padded(keys, slots)
                .flat_map(|cell| lookup.values(cell))
                .collect();
            let found = self.sessions.attempt(&mut |conn: &mut Conn| {
                conn.exec::<Value, _, _>(&sql, Params::Positional(values.clone()))
            })?;
            let found = found.iter().map(|id| decode::lent(id, ColumnType::Int));
            ids.extend(found.filter_map(id_of));
            Ok(())
        });
        refused.map_err(|error| self.failed("rows by key", &error))?;
        Ok(ids)
    }
}
