//! How a destination table is read: which columns, in which form, compared how, and what makes the table unfit.

use super::layout::{Layout, described, named, no_table, refuse_instant};
use super::lookup::Lookup;
use super::schema::Table;
use super::selection::Selection;
use super::wide::bytes_of;
use super::wire::Watch;
use crate::config::{ColumnPair, DestinationJob};
use crate::logic::compare::cells::Comparator;
use crate::logic::compare::key::KeyColumn;
use crate::logic::compare::rows::{ColumnMap, Pair};
use crate::logic::value::cell::{Column, ColumnType};
use crate::logic::value::sql::quoted;

/// How a destination table is read.
pub(super) struct Plan {
    /// As the server described it.
    pub(super) table: Table,
    pub(super) map: ColumnMap,
    /// As it is read.
    pub(super) key_type: ColumnType,
    /// What reads the key.
    pub(super) key_expression: String,
    /// What an answer says of it.
    pub(super) key_described: Option<ColumnType>,
    /// The source's key column, as its keys come to be looked up.
    pub(super) source_key: KeyColumn,
    /// The source's TIMESTAMP keys are to be printed by their server before they are looked up.
    pub(super) prints_keys: bool,
    /// How rows are found by keys.
    pub(super) lookup: Lookup,
    /// The compared columns, in the order of the pairs.
    pub(super) compared: Selection,
    /// Their bytes, in SQL.
    pub(super) compared_bytes: String,
    /// The key column's collation; empty where it has none.
    pub(super) collation: String,
    /// Nothing but equal bytes is equal in the key column.
    pub(super) bytes_decide: bool,
    /// Holds answers against what the server said.
    pub(super) watch: Watch,
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
        let mut reading = PairsReading::default();
        for pair in columns {
            let column = column("columns", &pair.destination)?;
            reading.add(layout, &table, pair, column);
        }
        let (pairs, compared, columns) = reading.finish();
        let KeyReading {
            source_key,
            key_column,
            key_expression,
            zone,
            prints_keys,
        } = KeyReading::new(layout, &table, &key);
        let key_type = key_column.column_type;
        let key_described = described(&key_expression, &key);
        Ok(Self {
            watch: Watch::default(),
            key_described,
            map: ColumnMap {
                pairs,
                key_type: layout.key.column_type,
                destination_key_type: key_type,
            },
            collation: table.collation(&key).to_owned(),
            key_type,
            key_expression,
            source_key,
            prints_keys,
            lookup: Lookup::new(key_column, zone.as_deref()),
            table,
            compared,
            compared_bytes: bytes_of(&columns),
            bytes_decide: matches!(
                (layout.key.column_type, key_type),
                (ColumnType::Int, ColumnType::Int) | (ColumnType::Binary, ColumnType::Binary)
            ),
        })
    }
}

/// How the compared columns of the destination are read, and what each is compared with.
#[derive(Default)]
struct PairsReading {
    pairs: Vec<Pair>,
    compared: Selection,
    columns: Vec<Column>,
    /// What is read of these says nothing of their types.
    converted: Vec<Column>,
}

impl PairsReading {
    /// A column that the source's layout does not have is not compared: the layout reads all that are.
    fn add(&mut self, layout: &Layout, table: &Table, pair: &ColumnPair, column: Column) {
        self.columns.push(column.clone());
        let is_instant = matches!(column.column_type, ColumnType::Timestamp(_));
        let name = pair.source.to_lowercase();
        let forms = layout.compared.iter().enumerate();
        let mut forms = forms.filter(|(_, column)| column.name.to_lowercase() == name);
        // The first form of a TIMESTAMP is the instant, the last one what its server prints.
        let form = if is_instant {
            forms.next()
        } else {
            forms.next_back()
        };
        let Some((source_index, source)) = form else {
            return;
        };
        let are_instants = is_instant && matches!(source.column_type, ColumnType::Timestamp(_));
        let destination_type = match column.column_type {
            ColumnType::Timestamp(digits) if !are_instants => ColumnType::DateTime(digits),
            other => other,
        };
        let expression = if are_instants {
            table.read_as_is(&column)
        } else {
            table.read_as_printed(&column)
        };
        let described = described(&expression, &column);
        if described.is_none() {
            self.converted.push(column.clone());
        }
        self.compared.push(expression, destination_type, described);
        self.pairs.push(Pair {
            name: source.name.clone(),
            source_index,
            source_type: source.column_type,
            in_server_zone: is_instant && !are_instants && table.zone.is_some(),
            destination: column.name,
            destination_type,
            comparator: Comparator::new(source.column_type, destination_type, &pair.rule),
        });
    }

    /// The pairs, what is selected for them, and their columns. What was converted is selected as it is too, in the end, so
    /// that an answer tells what it has become.
    fn finish(mut self) -> (Vec<Pair>, Selection, Vec<Column>) {
        for column in self.converted {
            let column_type = column.column_type;
            self.compared
                .push(quoted(&column.name), column_type, Some(column_type));
        }
        (self.pairs, self.compared, self.columns)
    }
}

/// How the keys of the two sides are read and looked up.
struct KeyReading {
    source_key: KeyColumn,
    key_column: KeyColumn,
    key_expression: String,
    /// The destination server's, where it prints its keys.
    zone: Option<String>,
    /// The source's keys are to be printed by their server.
    prints_keys: bool,
}

impl KeyReading {
    fn new(layout: &Layout, table: &Table, key: &Column) -> Self {
        let mut reading = Self {
            source_key: layout.lookup.column.clone(),
            key_column: table.key_column(key),
            key_expression: table.read_as_key(key),
            zone: None,
            prints_keys: false,
        };
        let types = (
            reading.source_key.column_type,
            reading.key_column.column_type,
        );
        // A TIMESTAMP and anything else are compared as their servers print them.
        if matches!(types, (ColumnType::Timestamp(_), ColumnType::Timestamp(_))) {
            return reading;
        }
        if let ColumnType::Timestamp(digits) = reading.key_column.column_type {
            reading.key_column.column_type = ColumnType::DateTime(digits);
            reading.key_expression = table.read_as_printed(key);
            reading.zone.clone_from(&table.zone);
        }
        if let ColumnType::Timestamp(digits) = reading.source_key.column_type {
            reading.source_key.column_type = ColumnType::DateTime(digits);
            reading.prints_keys = layout.zone.is_some();
        }
        reading
    }
}
