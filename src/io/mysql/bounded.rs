//! The answers of a server, within bounds.
//!
//! A server is asked for a number of rows. One that sends more is not read any further. The client
//! would read such an answer to its end when it is dropped, and the end may never come. So the
//! answer is leaked, and its connection is closed after the error, like any failed one.
//!
//! An answer whose rows are wider than memory allows is treated in the same way. It is asked for
//! again, for fewer rows.

use std::cell::Cell;
use std::io::{Error, ErrorKind};

use mysql::prelude::{FromRow, Protocol};
use mysql::{QueryResult, Row, Value};

use crate::logic::value::oversize::ROW_BYTES_MAX;

/// Rows that share the keys of one look-up, which has no `LIMIT`.
pub(super) const ROWS_MAX: usize = 1_000_000;
/// Rows about a table or a server.
const FACTS_MAX: usize = 100_000;
/// Bytes of the values of one answer that is kept, where nobody says how many there may be.
const BYTES_MAX: usize = 64 << 20;
/// What a row takes beside its values.
const ROW_OVERHEAD_BYTES: usize = 1 << 20;

/// How many bytes of an answer may still be kept.
#[derive(Clone, Debug)]
pub(super) struct Room(Cell<usize>);

impl Room {
    /// Room for the largest row and nothing else is a little more, so that each row that can be received has room.
    pub(super) fn new(bytes: usize) -> Self {
        let overhead = if bytes >= ROW_BYTES_MAX {
            ROW_OVERHEAD_BYTES
        } else {
            0
        };
        Self(Cell::new(bytes.saturating_add(overhead)))
    }

    fn take(&self, bytes: usize) -> bool {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }
}

/// Hands on the rows of an answer, which may be kept; there may be this many.
pub(super) fn each<P: Protocol>(
    answer: QueryResult<'_, '_, '_, P>,
    rows_max: usize,
    take: impl FnMut(Row),
) -> mysql::Result<()> {
    fitting(answer, rows_max, &Room::new(BYTES_MAX), take)
}

/// The same where they have to fit; else the error is one of [`is_too_wide`].
pub(super) fn fitting<P: Protocol>(
    answer: QueryResult<'_, '_, '_, P>,
    rows_max: usize,
    room: &Room,
    mut take: impl FnMut(Row),
) -> mysql::Result<()> {
    within(answer, rows_max, |row| {
        let fits = room.take(size_bytes(&row));
        if fits {
            take(row);
        }
        fits
    })
}

/// Shows the rows of an answer one by one; none is kept, so however wide they are, memory holds one of them.
pub(super) fn passing<P: Protocol>(
    answer: QueryResult<'_, '_, '_, P>,
    rows_max: usize,
    mut show: impl FnMut(Row),
) -> mysql::Result<()> {
    within(answer, rows_max, |row| {
        show(row);
        true
    })
}

/// Hands on the first rows of an answer, at least one, up to this many and as long as there is room. The first row that
/// does not fit goes to `leave`, and the error is one of [`is_too_wide`].
pub(super) fn first_rows<P: Protocol>(
    answer: QueryResult<'_, '_, '_, P>,
    rows_max: usize,
    room: &Room,
    mut take: impl FnMut(Row),
    mut leave: impl FnMut(Row),
) -> mysql::Result<()> {
    let mut is_first = true;
    within(answer, rows_max, |row| {
        let fits = room.take(size_bytes(&row)) || is_first;
        is_first = false;
        if fits {
            take(row);
        } else {
            leave(row);
        }
        fits
    })
}

/// `take` says whether there is room for the row.
fn within<P: Protocol>(
    mut answer: QueryResult<'_, '_, '_, P>,
    rows_max: usize,
    mut take: impl FnMut(Row) -> bool,
) -> mysql::Result<()> {
    let mut rows = 0;
    while let Some(row) = answer.next() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                if is_too_wide(&error) {
                    std::mem::forget(answer); // What follows on the wire is no answer.
                }
                return Err(error);
            }
        };
        rows += 1;
        let error = if rows > rows_max {
            excess()
        } else if take(row) {
            continue;
        } else {
            Error::new(ErrorKind::FileTooLarge, "The rows are too wide").into()
        };
        std::mem::forget(answer);
        return Err(error);
    }
    Ok(())
}

/// All facts, each as a tuple or as its only value.
pub(super) fn all<T: FromRow, P: Protocol>(
    answer: QueryResult<'_, '_, '_, P>,
) -> mysql::Result<Vec<T>> {
    let mut rows = Vec::new();
    each(answer, FACTS_MAX, |row| rows.push(T::from_row_opt(row)))?;
    let rows: Result<Vec<T>, _> = rows.into_iter().collect();
    Ok(rows?)
}

/// The first fact.
pub(super) fn first<T: FromRow, P: Protocol>(
    answer: QueryResult<'_, '_, '_, P>,
) -> mysql::Result<Option<T>> {
    let mut first = None;
    each(answer, FACTS_MAX, |row| {
        first.get_or_insert_with(|| T::from_row_opt(row));
    })?;
    Ok(first.transpose()?)
}

/// Nothing: the statement answers without rows.
pub(super) fn none<P: Protocol>(answer: QueryResult<'_, '_, '_, P>) -> mysql::Result<()> {
    each(answer, 0, drop)
}

/// A value by its place; `None` also where it is of another type than it should be.
pub(super) fn get<T: mysql::prelude::FromValue>(row: &Row, at: usize) -> Option<T> {
    row.get_opt::<Option<T>, _>(at)?.ok().flatten()
}

/// A server sent more than it was asked for.
pub(super) fn excess() -> mysql::Error {
    let text = "The server sent more than it was asked for";
    Error::new(ErrorKind::InvalidData, text).into()
}

/// Whether an error is that of [`excess`].
pub(super) fn is_excess(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::IoError(error) if error.kind() == ErrorKind::InvalidData)
}

/// Whether memory has no room for all rows, or for one of them: for fewer it may.
pub(super) fn is_too_wide(error: &mysql::Error) -> bool {
    match error {
        mysql::Error::IoError(error) => error.kind() == ErrorKind::FileTooLarge,
        error => is_too_large(error),
    }
}

/// Whether one row is larger than any that is received. The client library does not export the type of that error.
pub(super) fn is_too_large(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::CodecError(error) if format!("{error:?}") == "PacketTooLarge")
}

fn size_bytes(row: &Row) -> usize {
    let bytes = |at| match row.as_ref(at) {
        Some(Value::Bytes(bytes)) => bytes.len(),
        _ => 0,
    };
    (0..row.len()).map(bytes).sum::<usize>() + row.len() * size_of::<Value>()
}
