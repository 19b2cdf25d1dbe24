//! Which source columns are read, in which order and form, and what makes a table unfit.

use std::collections::HashMap;

use super::lookup::Lookup;
use super::schema::Table;
use super::selection::Selection;
use super::wide::bytes_of;
use super::wire::{Described, Watch};
use crate::config::refusals;
use crate::config::{Job, TableJob, UpdateJob};
use crate::logic::scan::php_date::PhpDateFormat;
use crate::logic::scan::zone::Zone;
use crate::logic::value::cell::{Column, ColumnType};
use crate::logic::value::sql::{literal, quoted};

/// How the source table is read.
#[derive(Debug)]
pub(super) struct Layout {
    /// `src.idColumn`.
    pub(super) id: Column,
    /// Rows without an id are possible.
    pub(super) id_may_be_null: bool,
    /// `src.byColumn`.
    pub(super) key: Column,
    /// What reads it.
    pub(super) key_expression: String,
    /// What reads each column whose character set is not whole.
    pub(super) marked: HashMap<String, String>,
    /// How rows are found by it.
    pub(super) lookup: Lookup,
    /// `src.updateColumn`.
    pub(super) update: Option<UpdateColumn>,
    /// All columns, in table order.
    pub(super) columns: Vec<Column>,
    /// The compared columns; their order is that of [`crate::logic::value::row::Row::cells`].
    pub(super) compared: Vec<Compared>,
    /// The server's default zone; `None` when it is UTC.
    pub(super) zone: Option<String>,
    /// The session is in that zone.
    pub(super) is_in_zone: bool,
    /// `id, key, updated` for `SELECT`.
    pub(super) head_list: String,
    /// The same and `compared…`.
    pub(super) scan_list: String,
    /// The types of that list.
    pub(super) scan_types: Vec<ColumnType>,
    /// What a visit of whole tables reads.
    pub(super) visited: Visited,
    /// What the server said of that list.
    pub(super) scan_described: Described,
    /// For each column, as it is sent, where it is: among the compared ones or in `others_list`.
    pub(super) whole: Vec<Whole>,
    /// What is sent and not compared, for `SELECT`, after a comma; then what tells that there are other columns by now.
    pub(super) others_list: String,
    /// What the server said of that list.
    pub(super) others_described: Described,
    /// Bytes of the compared columns, in SQL.
    pub(super) compared_bytes: String,
    /// Bytes of all columns, in SQL.
    pub(super) row_bytes: String,
    /// Holds answers against what the server said.
    pub(super) watch: Watch,
}

/// The compared columns, in their order, then what else has to be read.
#[derive(Debug)]
pub(super) struct Visited {
    pub(super) selection: Selection,
    /// Where the id is.
    pub(super) id: usize,
    /// Where the key is.
    pub(super) key: usize,
}

/// Where a column is when a whole row is read: no column is read twice.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whole {
    Compared(usize),
    Other,
}

/// A source column in one of its forms.
#[derive(Debug)]
pub(super) struct Compared {
    /// As in the table.
    pub(super) name: String,
    /// `Timestamp` when read as an instant; `DateTime` when the same column is read as its server prints it.
    pub(super) column_type: ColumnType,
}

/// `src.updateColumn` and how its values are written.
#[derive(Debug)]
pub(super) struct UpdateColumn {
    pub(super) column: Column,
    pub(super) format: Option<PhpDateFormat>,
    pub(super) time_zone: Option<Zone>,
    /// In words: what it is, and the zone where it holds local time.
    pub(super) moments: String,
}

impl UpdateColumn {
    fn new(column: Column, update: &UpdateJob, table: &Table) -> Self {
        let (name, column_type) = (column.name.to_lowercase(), column.column_type);
        let mut new = Self {
            column,
            format: update.format.clone().filter(|_| !column_type.is_moment()),
            time_zone: update.time_zone,
            moments: String::new(),
        };
        let kind = match column_type {
            ColumnType::Timestamp(_) => "timestamp",
            ColumnType::DateTime(_) => "datetime",
            ColumnType::Date => "date",
            ColumnType::Text => "text",
            _ => "number",
        };
        let zone = update.time_zone.map(|zone| zone.to_string());
        new.moments = if new.is_local() {
            let zone = zone.unwrap_or_else(|| table.zone_name.clone());
            format!("{name} {kind} in {zone}")
        } else {
            format!("{name} {kind}")
        };
        new
    }

    /// Its values say what a clock shows in a zone.
    pub(super) fn is_local(&self) -> bool {
        match (&self.format, self.column.column_type) {
            (Some(format), _) => !format.is_epoch(),
            (None, column_type) => {
                matches!(column_type, ColumnType::DateTime(_) | ColumnType::Date)
            }
        }
    }
}

impl Layout {
    /// # Errors
    /// Names the configuration's key, what it holds and what it should hold.
    pub(super) fn new(job: &Job, table: Table) -> Result<Self, String> {
        let source = &job.source;
        let name = source.table.name();
        let column = |key: &str, wanted: &str| named(&table, key, wanted, &name);
        if table.columns.is_empty() {
            return Err(no_table("src.table", &name));
        }
        let id = column("src.idColumn", &source.id_column)?;
        if id.column_type != ColumnType::Int {
            let problem = refusals::no_integer(&id.name, &format!("{:?}", id.column_type));
            return Err(format!("src.idColumn: {problem}"));
        }
        let id_may_be_null = table.nullable.contains(&id.name);
        let key = column("src.byColumn", &source.table.by_column)?;
        refuse_instant("src", &key, &table)?;
        let update = source.update.as_ref().map(|update| {
            let column = column("src.updateColumn", &update.column)?;
            update_column(column, update, &table)
        });
        let update = update.transpose()?;
        let compared = compared(job, &table, &name)?;

        let key_expression = table.read_as_key(&key);
        let scan = ScanList::new(
            &table,
            &id,
            (&key, &key_expression),
            update.as_ref(),
            &compared,
        );
        let (head, cells) = scan.expressions.split_at(3);
        let (whole, others_list, others_described) = whole_row(&table, &source.table, cells);
        let is_compared = |column: &&Column| compared.iter().any(|known| known.name == column.name);
        let compared_bytes = bytes_of(table.columns.iter().filter(is_compared));
        Ok(Self {
            lookup: Lookup::new(table.key_column(&key), None),
            id_may_be_null,
            id,
            key,
            key_expression,
            marked: table.marked(),
            update,
            compared,
            head_list: head.join(", "),
            scan_list: scan.expressions.join(", "),
            visited: scan.visited(),
            scan_types: scan.types,
            scan_described: scan.described,
            whole,
            others_list,
            others_described,
            compared_bytes,
            row_bytes: bytes_of(&table.columns),
            is_in_zone: table.is_in_zone,
            zone: table.zone,
            columns: table.columns,
            watch: Watch::default(),
        })
    }
}

/// What a scan selects: id, key, update time, and the compared columns.
struct ScanList {
    expressions: Vec<String>,
    types: Vec<ColumnType>,
    described: Described,
}

impl ScanList {
    fn new(
        table: &Table,
        id: &Column,
        (key, key_expression): (&Column, &str),
        update: Option<&UpdateColumn>,
        compared: &[Compared],
    ) -> Self {
        let updated = update.map(|update| &update.column);
        let updated_expression =
            updated.map_or_else(|| "NULL".into(), |column| table.read_as_is(column));
        let mut list = Self {
            types: vec![
                id.column_type,
                key.column_type,
                updated.map_or(ColumnType::Int, |column| column.column_type),
            ],
            described: vec![
                Some(id.column_type),
                described(key_expression, key),
                updated.and_then(|column| described(&updated_expression, column)),
            ],
            expressions: vec![
                quoted(&id.name),
                key_expression.to_owned(),
                updated_expression,
            ],
        };
        for Compared { name, column_type } in compared {
            let column = table.column(name).unwrap_or(key);
            let as_declared = column.column_type == *column_type && column.name == *name;
            let expression = if as_declared {
                table.read_as_is(column)
            } else {
                table.read_as_printed(column)
            };
            list.types.push(*column_type);
            list.described.push(described(&expression, column));
            list.expressions.push(expression);
        }
        list
    }

    /// The compared columns first, then the id and the key where they are not among them.
    fn visited(&self) -> Visited {
        let mut selection = Selection::default();
        let all = self.expressions.iter().zip(&self.types);
        for ((expression, column_type), described) in all.zip(&self.described).skip(3) {
            selection.push(expression.clone(), *column_type, *described);
        }
        let mut place_of = |at: usize| {
            selection.place_of(&self.expressions[at], self.types[at], self.described[at])
        };
        Visited {
            id: place_of(0),
            key: place_of(1),
            selection,
        }
    }
}

/// How the values of `src.updateColumn` say moments.
fn update_column(
    column: Column,
    update: &UpdateJob,
    table: &Table,
) -> Result<UpdateColumn, String> {
    let needs_format = matches!(column.column_type, ColumnType::Text);
    if needs_format && update.format.is_none() {
        let problem = refusals::no_format(&column.name);
        return Err(format!("src.updateTimeFormate: {problem}"));
    }
    if !needs_format
        && !column.column_type.is_moment()
        && !matches!(column.column_type, ColumnType::Int | ColumnType::Decimal)
    {
        let problem = refusals::no_time(&column.name, &format!("{:?}", column.column_type));
        return Err(format!("src.updateColumn: {problem}"));
    }
    Ok(UpdateColumn::new(column, update, table))
}

/// For each column where it is, what has to be read beside the compared expressions, and then what tells an answer of a
/// table that was altered meanwhile.
fn whole_row(
    table: &Table,
    job: &TableJob,
    compared: &[String],
) -> (Vec<Whole>, String, Described) {
    let (mut whole, mut others) = (Vec::new(), Vec::new());
    let (mut others_described, mut converted) = (Described::new(), Vec::new());
    for column in &table.columns {
        let expression = table.read_as_printed(column);
        let column_described = described(&expression, column);
        if column_described.is_none() {
            converted.push(column);
        }
        if let Some(at) = compared.iter().position(|known| *known == expression) {
            whole.push(Whole::Compared(at));
            continue;
        }
        whole.push(Whole::Other);
        others.push(expression);
        others_described.push(column_described);
    }
    for column in converted {
        others.push(quoted(&column.name));
        others_described.push(Some(column.column_type));
    }
    others.push(count_of_columns(job));
    others_described.push(None);
    let others_list = format!(", {}", others.join(", "));
    (whole, others_list, others_described)
}

/// The union of what the destinations compare. A TIMESTAMP of a server that is not in UTC comes twice: as an instant,
/// for copies that are instants too, and as the server prints it, for copies that are not.
fn compared(job: &Job, table: &Table, name: &str) -> Result<Vec<Compared>, String> {
    let mut compared: Vec<Compared> = Vec::new();
    for (number, destination) in job.destinations.iter().enumerate() {
        for pair in &destination.columns {
            let column = named(table, &format!("des[{number}].columns"), &pair.source, name)?;
            if compared.iter().any(|known| known.name == column.name) {
                continue;
            }
            compared.push(Compared {
                name: column.name.clone(),
                column_type: column.column_type,
            });
            if let (ColumnType::Timestamp(digits), Some(_)) = (column.column_type, &table.zone) {
                compared.push(Compared {
                    name: column.name,
                    column_type: ColumnType::DateTime(digits),
                });
            }
        }
    }
    Ok(compared)
}

/// A column of the table.
pub(super) fn named(
    table: &Table,
    key: &str,
    wanted: &str,
    table_name: &str,
) -> Result<Column, String> {
    table.column(wanted).cloned().ok_or_else(|| {
        let names: Vec<&str> = table
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        format!("{key}: {}", refusals::no_column(wanted, table_name, &names))
    })
}

/// The refusal of a table that the server does not show.
pub(super) fn no_table(key: &str, name: &str) -> String {
    format!("{key}: {}", refusals::no_table(name, &[]))
}

/// Parameters are in UTC: a key that is an instant cannot be asked for where a condition is read in another zone.
///
/// # Errors
/// Names the configuration's key, what it holds and what it should hold.
pub(super) fn refuse_instant(side: &str, key: &Column, table: &Table) -> Result<(), String> {
    if !table.is_in_zone || !matches!(key.column_type, ColumnType::Timestamp(_)) {
        return Ok(());
    }
    Err(format!(
        "{side}.byColumn: holds {:?}, a TIMESTAMP, beside {side}.where, which is read in the server's time zone; should be \
         a column of another type, or have no {side}.where beside it",
        key.name
    ))
}

/// What an answer says of a column that is selected as it is. Where it is converted, which would hide what has become of
/// it, the column itself is selected too.
pub(super) fn described(expression: &str, column: &Column) -> Option<ColumnType> {
    (expression == quoted(&column.name)).then_some(column.column_type)
}

/// How many columns the table has by now: one that was added since is missing in a body.
fn count_of_columns(table: &TableJob) -> String {
    format!(
        "(SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA={} AND TABLE_NAME={})",
        literal(&table.database),
        literal(&table.table)
    )
}
