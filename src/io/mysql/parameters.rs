//! Ids and lists of keys as parameters of a statement, and ids as they come back.

use mysql::Value;

use crate::logic::value::cell::{CellRef, Id};

/// An id of an answer; `None` for NULL.
pub(super) fn id_of(cell: CellRef<'_>) -> Option<Id> {
    match cell {
        CellRef::Int(value) => Some(Id::from(value)),
        CellRef::UInt(value) => Some(Id::from(value)),
        _ => None,
    }
}

/// An id as a parameter; what no column can hold becomes the nearest that one can.
pub(super) fn id_value(id: Id) -> Value {
    match u64::try_from(id) {
        Ok(id) => Value::UInt(id),
        Err(_) if id > 0 => Value::UInt(u64::MAX),
        Err(_) => Value::Int(i64::try_from(id).unwrap_or(i64::MIN)),
    }
}

/// Lists are padded to a few lengths, so that a few prepared statements serve all.
pub(super) fn padded_count(count: usize) -> usize {
    count.max(1).next_power_of_two()
}

/// The items, the last one repeated.
pub(super) fn padded<T>(items: &[T], slots: usize) -> impl Iterator<Item = &T> + Clone {
    items
        .iter()
        .chain(items.last().into_iter().cycle())
        .take(slots)
}

/// A count, or a number of bytes, of an answer.
pub(super) fn u64_of(value: &Value) -> Option<u64> {
    match *value {
        Value::Int(value) => u64::try_from(value).ok(),
        Value::UInt(value) => Some(value),
        _ => None,
    }
}
