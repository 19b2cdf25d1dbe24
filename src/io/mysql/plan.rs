//! How a destination table is read: which columns, in which form, compared how, and what makes the table unfit.

use super::decode;
use super::layout::{Layout, as_read, named, no_table, printed, refuse_instant};
use super::schema::Table;
use super::selection::Selection;
use crate::config::DestinationJob;
use crate::logic::cell::ColumnType;
use crate::logic::compare::{ColumnMap, Pair};
use crate::logic::equal::Comparator;

/// How a destination table is read.
pub(super) struct Plan {
    /// As the server described it.
    pub(super) table: Table,
    pub(super) map: ColumnMap,
    pub(super) key_type: ColumnType,
    pub(super) placeholder: &'static str,
    /// The compared columns, in the order of the pairs.
    pub(super) compared: Selection,
    /// Nothing but equal bytes is equal in the key column.
    pub(super) bytes_decide: bool,
}

impl Plan {
    /// `number` is the place in `des[]`.
    ///
    /// # Errors
    /// Names the configuration's key, what it holds and what it should hold.
    pub(super) fn new(
        layout: &Layout,
        destination: &DestinationJob,
        number: usize,
        table: Table,
    ) -> Result<Self, String> {
        let DestinationJob {
            table: job,
            columns,
            ..
        } = destination;
        let name = job.name();
        let column =
            |key: &str, wanted: &str| named(&table, &format!("des[{number}].{key}"), wanted, &name);
        if table.columns.is_empty() {
            return Err(no_table(&format!("des[{number}].table"), &name));
        }
        let key = column("byColumn", &job.by_column)?;
        refuse_instant(&format!("des[{number}]"), &key, &table)?;
        let mut pairs = Vec::with_capacity(columns.len());
        let mut compared = Selection::default();
        for pair in columns {
            let column = column("columns", &pair.destination)?;
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
            let expression = if both {
                as_read(&column, &table)
            } else {
                printed(&column, &table)
            };
            compared.push(expression, destination_type);
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
        Ok(Self {
            table,
            map: ColumnMap {
                pairs,
                key_type: layout.key.column_type,
                destination_key_type: key.column_type,
            },
            key_type: key.column_type,
            placeholder: decode::key_placeholder(layout.key.column_type, key.column_type),
            compared,
            bytes_decide: matches!(
                (layout.key.column_type, key.column_type),
                (ColumnType::Int, ColumnType::Int) | (ColumnType::Binary, ColumnType::Binary)
            ),
        })
    }
}
