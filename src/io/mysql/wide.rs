//! Statements for several rows that may be too wide for memory. They are asked for fewer and fewer
//! rows, down to one.
//!
//! The server says how wide rows are without sending them. Whether a row can be read is known only
//! by reading it.

use super::bounded::{self, Room};
use super::parameters::padded_count;
use crate::logic::compare::key::Spellings;
use crate::logic::value::cell::{Cell, Column, ColumnType};
use crate::logic::value::oversize::ROW_BYTES_MAX;
use crate::logic::value::row::cells_bytes;
use crate::logic::value::sql::quoted;

/// Bytes of keys in one statement, five times below the least that servers take at once, 1 MiB: bytes are sent as digits,
/// and a `CASE` names its keys before they are looked for.
const KEYS_BYTES_MAX: usize = 192 << 10;

/// How many of the first keys one statement takes: at least one.
pub(super) fn keys_at_once<'s, 'k: 's>(keys: impl IntoIterator<Item = &'s Spellings<'k>>) -> usize {
    at_once(keys.into_iter().map(|key| {
        let spellings = key.iter().map(bytes_of_cell);
        spellings.sum()
    }))
}

/// The same of keys in one spelling.
pub(super) fn cells_at_once<'c>(keys: impl Iterator<Item = &'c Cell>) -> usize {
    at_once(keys.map(bytes_of_cell))
}

fn bytes_of_cell(cell: &Cell) -> usize {
    cells_bytes(std::slice::from_ref(cell))
}

/// Lists are padded with their last item.
fn at_once(bytes: impl Iterator<Item = usize>) -> usize {
    let (mut count, mut widest) = (0, 0);
    for bytes in bytes {
        widest = bytes.max(widest);
        if count > 0 && padded_count(count + 1).saturating_mul(widest) > KEYS_BYTES_MAX {
            break;
        }
        count += 1;
    }
    count
}

/// What came of a statement for several keys.
pub(super) enum Fitted<T> {
    /// Read for so many of the first keys.
    Read(usize, T),
    /// Not even the first one's rows have room, in less than there could be.
    NoRoom,
    /// Nor have they in all the room that there is: about how many bytes they have.
    TooLarge(u64),
}

/// Reads for as many of the first keys as there is room for. `weigh` asks how many bytes the rows of so many keys have.
pub(super) fn fitted<T>(
    keys: usize,
    room_bytes: usize,
    mut read: impl FnMut(usize, Room) -> mysql::Result<T>,
    mut weigh: impl FnMut(usize) -> mysql::Result<u64>,
) -> mysql::Result<Fitted<T>> {
    let mut count = keys;
    loop {
        let error = match read(count, Room::new(room_bytes)) {
            Ok(read) => return Ok(Fitted::Read(count, read)),
            Err(error) if bounded::is_too_wide(&error) => error,
            Err(error) => return Err(error),
        };
        if count <= 1 {
            let is_known = room_bytes >= ROW_BYTES_MAX || bounded::is_too_large(&error);
            return Ok(if is_known {
                Fitted::TooLarge(weigh(count)?)
            } else {
                Fitted::NoRoom
            });
        }
        count /= 2;
        while count > 1 && weigh(count)? > room_bytes as u64 {
            count /= 2;
        }
    }
}

/// The bytes of these columns of a row, in SQL. Others than texts and bytes are small.
pub(super) fn bytes_of<'c>(columns: impl IntoIterator<Item = &'c Column>) -> String {
    let wide = columns.into_iter().filter(|column| {
        matches!(
            column.column_type,
            ColumnType::Text | ColumnType::Json | ColumnType::Binary
        )
    });
    let bytes = wide.map(|column| format!("COALESCE(OCTET_LENGTH({}),0)", quoted(&column.name)));
    let bytes: Vec<String> = bytes.collect();
    if bytes.is_empty() {
        "0".into()
    } else {
        bytes.join("+")
    }
}

/// The sum of that over rows.
pub(super) fn sum_of(bytes: &str) -> String {
    format!("CAST(COALESCE(SUM({bytes}),0) AS UNSIGNED)")
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    /// Rows of these widths, read into so much room: for how many of the first ones there is an answer, and what was tried.
    fn read(widths: &[usize], room_bytes: usize) -> (String, Vec<usize>) {
        let mut tried = vec![];
        let sum = |count: usize| widths[..count].iter().sum::<usize>();
        let read = |count: usize, _| {
            tried.push(count);
            if sum(count) <= room_bytes {
                return Ok(());
            }
            Err(Error::new(ErrorKind::FileTooLarge, "wide").into())
        };
        let outcome = fitted(
            widths.len(),
            room_bytes,
            read,
            |count| Ok(sum(count) as u64),
        );
        let outcome = match outcome.unwrap() {
            Fitted::Read(count, ()) => format!("{count}"),
            Fitted::NoRoom => "no room".into(),
            Fitted::TooLarge(bytes) => format!("{bytes} bytes"),
        };
        (outcome, tried)
    }

    #[test]
    fn a_statement_takes_as_many_keys_as_have_room_in_a_padded_list() {
        let room = KEYS_BYTES_MAX;
        for (widths, expected) in [
            (vec![], 0),
            (vec![60; 512], 512),
            (vec![room / 128; 512], 128),
            (vec![room / 100; 512], 64),
            (vec![10 * room; 512], 1),
            ([vec![60; 100], vec![room]].concat(), 100),
        ] {
            let found = at_once(widths.iter().copied());
            assert_eq!(found, expected, "{:?}", widths.first());
        }
    }

    #[test]
    fn narrow_rows_are_read_at_once() {
        assert_eq!(read(&[1; 512], 1_000), ("512".into(), vec![512]));
    }

    #[test]
    fn wide_rows_are_read_as_many_as_have_room_and_what_has_none_is_not_read_in_vain() {
        assert_eq!(read(&[10; 512], 100), ("8".into(), vec![512, 8]));
        let mut widths = [1; 512];
        widths[300] = 1_000;
        assert_eq!(read(&widths, 600), ("256".into(), vec![512, 256]));
    }

    #[test]
    fn a_row_that_has_no_room_by_itself_is_told_from_one_that_never_has() {
        let max = ROW_BYTES_MAX;
        assert_eq!(read(&[1_000, 1], 600), ("no room".into(), vec![2, 1]));
        let told = (format!("{} bytes", max + 1), vec![2, 1]);
        assert_eq!(read(&[max + 1, 1], max), told);
        assert_eq!(read(&[1, max + 1], max), ("1".into(), vec![2, 1]));
    }
}
