//! What is wrong with a name in the configuration: the same words in `check` and in the refusals of `run`.

use super::words::nearest;

/// How many names are listed.
const NAMES_MAX: usize = 50;

/// The server does not show this table.
#[must_use]
pub(crate) fn no_table(wanted: &str, others: &[&str]) -> String {
    let table = wanted.rsplit_once('.').map_or(wanted, |(_, table)| table);
    format!(
        "holds {wanted:?}; should name a table that exists and that this account may SELECT from{}",
        did_you_mean(table, others)
    )
}

/// The table has no such column.
#[must_use]
pub(crate) fn no_column(wanted: &str, table: &str, names: &[&str]) -> String {
    let listed = names[..names.len().min(NAMES_MAX)].join(", ");
    format!(
        "holds {wanted:?}; should name a column of {table}, which has {listed}{}",
        did_you_mean(wanted, names)
    )
}

/// `src.idColumn` is no integer.
#[must_use]
pub(crate) fn no_integer(name: &str, declared: &str) -> String {
    format!("holds {name:?}, a column of type {declared}; should name an increasing integer key")
}

/// `src.updateTimeFormate` is needed.
#[must_use]
pub(crate) fn no_format(name: &str) -> String {
    format!(
        "is missing; the column {name:?} holds text, so its format is needed, such as \"Y-m-d H:i:s\""
    )
}

/// `src.updateColumn` cannot hold a time.
#[must_use]
pub(crate) fn no_time(name: &str, declared: &str) -> String {
    format!(
        "holds {name:?}, a column of type {declared}; should name a DATETIME, TIMESTAMP, DATE, integer or text column"
    )
}

fn did_you_mean(wanted: &str, names: &[&str]) -> String {
    nearest(wanted, names).map_or(String::new(), |near| format!("; did you mean {near}?"))
}
