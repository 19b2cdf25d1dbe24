//! The answers of a server, within bounds.
//!
//! A server is asked for so many rows, and one that sends more is not listened to any longer. The client would read such an
//! answer to its end when it is dropped, and the end may never come. So the answer is forgotten instead, and after the error
//! its connection is closed like any that failed.

use std::io::{Error, ErrorKind};

use mysql::prelude::{FromRow, Protocol};
use mysql::{QueryResult, Row, Value};

/// Rows that share the keys of one look-up, which has no `LIMIT`.
pub(super) const ROWS_MAX: usize = 1_000_000;
/// Rows about a table or a server.
const FACTS_MAX: usize = 100_000;
/// Bytes of the values of one answer that is kept.
const BYTES_MAX: usize = 1 << 30;

/// Hands on the rows of an answer, which may be kept; there may be this many.
pub(super) fn each<P: Protocol>(
    answer: QueryResult<'_, '_, '_, P>,
    rows_max: usize,
    mut take: impl FnMut(Row),
) -> mysql::Result<()> {
    let mut bytes = 0_usize;
    within(answer, rows_max, |row| {
        bytes = bytes.saturating_add(size_bytes(&row));
        let fits = bytes <= BYTES_MAX;
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

/// `take` says whether there is room for the row.
fn within<P: Protocol>(
    mut answer: QueryResult<'_, '_, '_, P>,
    rows_max: usize,
    mut take: impl FnMut(Row) -> bool,
) -> mysql::Result<()> {
    let mut rows = 0;
    while let Some(row) = answer.next() {
        let row = row?;
        rows += 1;
        if rows > rows_max || !take(row) {
            std::mem::forget(answer);
            let text = "The server sent more than it was asked for";
            return Err(Error::new(ErrorKind::InvalidData, text).into());
        }
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

/// Whether a server sent more than it was asked for.
pub(super) fn is_excess(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::IoError(error) if error.kind() == ErrorKind::InvalidData)
}

fn size_bytes(row: &Row) -> usize {
    let bytes = |at| match row.as_ref(at) {
        Some(Value::Bytes(bytes)) => bytes.len(),
        _ => 0,
    };
    (0..row.len()).map(bytes).sum::<usize>() + row.len() * size_of::<Value>()
}
