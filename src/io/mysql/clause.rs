//! The parts of a statement that name a table and its condition.

use crate::config::TableJob;
use crate::logic::value::sql::quoted;

/// `` `database`.`table` ``
pub(super) fn table_name(job: &TableJob) -> String {
    format!("{}.{}", quoted(&job.database), quoted(&job.table))
}

/// ` AND (…)` for the `where` of the configuration; nothing without one.
pub(super) fn and_condition(job: &TableJob) -> String {
    let condition = job.condition.as_ref();
    condition.map_or_else(String::new, |condition| format!(" AND ({condition})"))
}
