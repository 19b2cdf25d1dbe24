//! A landmark: the id of a row that was compared, and a fingerprint by which the row is known again.

use serde::{Deserialize, Serialize};

use crate::logic::value::cell::{Cell, Id};
use crate::logic::value::row::{Row, fingerprint};

/// A landmark whose columns are read is no larger than this, for all of them are read at once.
const ROW_BYTES_MAX: usize = 16 << 10;

/// A row that was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Id, u64, bool)", into = "(Id, u64, bool)")]
pub(super) struct Mark {
    pub(super) id: Id,
    /// Of its key, or of its compared columns.
    pub(super) print: u64,
    /// The print is of its compared columns, because its key is the id.
    pub(super) is_of_cells: bool,
}

/// In the checkpoint: `[id, print, isOfCells]`.
impl From<(Id, u64, bool)> for Mark {
    fn from((id, print, is_of_cells): (Id, u64, bool)) -> Self {
        Self {
            id,
            print,
            is_of_cells,
        }
    }
}

impl From<Mark> for (Id, u64, bool) {
    fn from(mark: Mark) -> Self {
        (mark.id, mark.print, mark.is_of_cells)
    }
}

/// `None` for a row that tells nothing.
pub(super) fn mark_of(row: &Row) -> Option<Mark> {
    let key = canonical(&row.key);
    let is_of_cells = key == Cell::Text(row.id.to_string().into());
    let has_cells = !row.cells.is_empty() && row.size_bytes() <= ROW_BYTES_MAX;
    if key == Cell::Null || is_of_cells && !has_cells {
        return None;
    }
    let print = if is_of_cells {
        fingerprint(&row.cells)
    } else {
        fingerprint([&key])
    };
    Some(Mark {
        id: row.id,
        print,
        is_of_cells,
    })
}

/// The row as it is looked at as a landmark: cells that are too large for one are not kept.
#[must_use]
pub fn without_wide_cells(row: Row) -> Row {
    if row.size_bytes() <= ROW_BYTES_MAX {
        return row;
    }
    Row {
        cells: vec![],
        ..row
    }
}

/// The fingerprint of a key, which stays the same when its column becomes a text from a number.
#[must_use]
pub fn key_print(key: &Cell) -> u64 {
    fingerprint([&canonical(key)])
}

fn canonical(key: &Cell) -> Cell {
    match key {
        Cell::Int(value) => Cell::Text(value.to_string().into()),
        Cell::UInt(value) => Cell::Text(value.to_string().into()),
        Cell::Decimal(text) => Cell::Text(text.clone()),
        other => other.clone(),
    }
}
