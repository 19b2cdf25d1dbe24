//! Whether an answer has the columns that were read before it was asked for.
//!
//! Columns are read once for each pass. An `ALTER TABLE` may come between that and their use, and
//! change what a name means: a TIMESTAMP that became a DATETIME is eight hours away at `+08:00`. An
//! answer describes each of its columns, even when it has no row. So the description is compared
//! before any row is used.
//!
//! A view may describe a column in another way than it sends it. So an answer that does not fit is
//! only a reason to read the columns again. When they are unchanged, the answer is taken, and later
//! answers are checked less closely.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};

use mysql::consts::ColumnType as Wire;
use mysql::prelude::Protocol;
use mysql::{Column, QueryResult};

use crate::error::Error;
use crate::logic::value::cell::ColumnType;

/// Number of the character set `binary`.
const BINARY: u16 = 63;
/// `ER_BAD_FIELD_ERROR`: a column of the statement is not there.
const UNKNOWN_COLUMN: u16 = 1054;

/// The columns of an answer that were described; `None` where an expression was asked for.
pub(super) type Described = Vec<Option<ColumnType>>;

/// Holds answers against what the server said of a table.
#[derive(Debug, Default)]
pub(super) struct Watch {
    is_lenient: AtomicBool,
}

impl Watch {
    /// The answer, when its columns are those that were described.
    pub(super) fn fitting<'c, 't, 'tc, P: Protocol>(
        &self,
        answer: QueryResult<'c, 't, 'tc, P>,
        described: &[Option<ColumnType>],
    ) -> mysql::Result<QueryResult<'c, 't, 'tc, P>> {
        if self.is_lenient.load(Ordering::Relaxed) || fits(answer.columns().as_ref(), described) {
            return Ok(answer);
        }
        std::mem::forget(answer); // Its connection is closed, like any that failed.
        Err(misfit())
    }

    /// This server describes columns otherwise than it sends them.
    pub(super) fn be_lenient(&self) {
        log::debug!("The server describes a column in another way than it sends it");
        self.is_lenient.store(true, Ordering::Relaxed);
    }
}

/// An answer whose columns are not those that were asked for.
#[derive(Debug)]
struct Changed;

impl std::fmt::Display for Changed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "The answer has other columns than were asked for")
    }
}

impl std::error::Error for Changed {}

/// An answer that does not fit.
pub(super) fn misfit() -> mysql::Error {
    std::io::Error::new(ErrorKind::InvalidData, Changed).into()
}

/// The error of a pass that met columns which it did not read.
pub(super) fn changed(operation: String, table: &str) -> Error {
    Error::Database {
        operation,
        reason: format!(
            "The columns of {table} changed while they were read; the next pass reads them anew"
        ),
    }
}

/// Whether an answer did not fit.
pub(super) fn is_misfit(error: &mysql::Error) -> bool {
    let mysql::Error::IoError(error) = error else {
        return false;
    };
    let inner = error.get_ref();
    inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<Changed>)
}

/// What an `ALTER TABLE` can lead to: the columns are to be read again before anything else is blamed.
pub(super) fn may_be_of_columns(error: &mysql::Error) -> bool {
    let is_unknown =
        matches!(error, mysql::Error::MySqlError(error) if error.code == UNKNOWN_COLUMN);
    is_unknown || is_misfit(error)
}

fn fits(columns: &[Column], described: &[Option<ColumnType>]) -> bool {
    columns.len() == described.len()
        && columns.iter().zip(described).all(|(column, described)| {
            described.is_none_or(|described| is_sent_as(described, column))
        })
}

/// Which wire types a column of this declared type comes in, on any server.
fn is_sent_as(declared: ColumnType, column: &Column) -> bool {
    let wire = column.column_type();
    let digits = |digits: u8| column.decimals() == digits;
    let is_text = || column.character_set() != BINARY;
    let is_string = || is_string(wire);
    match declared {
        _ if wire == Wire::MYSQL_TYPE_NULL => true,
        ColumnType::Int => matches!(
            wire,
            Wire::MYSQL_TYPE_TINY
                | Wire::MYSQL_TYPE_SHORT
                | Wire::MYSQL_TYPE_INT24
                | Wire::MYSQL_TYPE_LONG
                | Wire::MYSQL_TYPE_LONGLONG
        ),
        ColumnType::Year => wire == Wire::MYSQL_TYPE_YEAR,
        ColumnType::Bit => wire == Wire::MYSQL_TYPE_BIT,
        ColumnType::Decimal => {
            matches!(wire, Wire::MYSQL_TYPE_DECIMAL | Wire::MYSQL_TYPE_NEWDECIMAL)
        }
        ColumnType::Float => wire == Wire::MYSQL_TYPE_FLOAT,
        ColumnType::Double => wire == Wire::MYSQL_TYPE_DOUBLE,
        ColumnType::Date => matches!(wire, Wire::MYSQL_TYPE_DATE | Wire::MYSQL_TYPE_NEWDATE),
        ColumnType::DateTime(fraction) => {
            matches!(wire, Wire::MYSQL_TYPE_DATETIME | Wire::MYSQL_TYPE_DATETIME2)
                && digits(fraction)
        }
        ColumnType::Timestamp(fraction) => {
            matches!(
                wire,
                Wire::MYSQL_TYPE_TIMESTAMP | Wire::MYSQL_TYPE_TIMESTAMP2
            ) && digits(fraction)
        }
        ColumnType::Time(fraction) => {
            matches!(wire, Wire::MYSQL_TYPE_TIME | Wire::MYSQL_TYPE_TIME2) && digits(fraction)
        }
        // MariaDB has it as text.
        ColumnType::Json => wire == Wire::MYSQL_TYPE_JSON || (is_string() && is_text()),
        ColumnType::Text | ColumnType::Enum | ColumnType::Set | ColumnType::Uuid => {
            is_string() && is_text()
        }
        ColumnType::Binary => {
            let is_other = matches!(
                wire,
                Wire::MYSQL_TYPE_GEOMETRY | Wire::MYSQL_TYPE_VECTOR | Wire::MYSQL_TYPE_UNKNOWN
            );
            is_other || (is_string() && !is_text())
        }
    }
}

fn is_string(wire: Wire) -> bool {
    matches!(
        wire,
        Wire::MYSQL_TYPE_STRING
            | Wire::MYSQL_TYPE_VAR_STRING
            | Wire::MYSQL_TYPE_VARCHAR
            | Wire::MYSQL_TYPE_TINY_BLOB
            | Wire::MYSQL_TYPE_BLOB
            | Wire::MYSQL_TYPE_MEDIUM_BLOB
            | Wire::MYSQL_TYPE_LONG_BLOB
            | Wire::MYSQL_TYPE_ENUM
            | Wire::MYSQL_TYPE_SET
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(wire: Wire, charset: u16, decimals: u8) -> Column {
        Column::new(wire)
            .with_character_set(charset)
            .with_decimals(decimals)
    }

    #[test]
    fn a_column_of_another_meaning_does_not_fit() {
        const UTF8MB4: u16 = 45;
        let timestamp = column(Wire::MYSQL_TYPE_TIMESTAMP, BINARY, 3);
        let date_time = column(Wire::MYSQL_TYPE_DATETIME, BINARY, 3);
        let text = column(Wire::MYSQL_TYPE_VAR_STRING, UTF8MB4, 0);
        let bytes = column(Wire::MYSQL_TYPE_VAR_STRING, BINARY, 0);
        let number = column(Wire::MYSQL_TYPE_LONGLONG, BINARY, 0);
        let json = column(Wire::MYSQL_TYPE_JSON, BINARY, 0);
        let all = [timestamp, date_time, text, bytes, number, json];
        let fitting: [(ColumnType, &[usize]); 9] = [
            (ColumnType::Timestamp(3), &[0]),
            (ColumnType::Timestamp(0), &[]),
            (ColumnType::DateTime(3), &[1]),
            (ColumnType::Text, &[2]),
            (ColumnType::Enum, &[2]),
            (ColumnType::Binary, &[3]),
            (ColumnType::Int, &[4]),
            (ColumnType::Json, &[2, 5]),
            (ColumnType::Decimal, &[]),
        ];
        for (declared, expected) in fitting {
            for (at, column) in all.iter().enumerate() {
                let found = fits(std::slice::from_ref(column), &[Some(declared)]);
                assert_eq!(
                    found,
                    expected.contains(&at),
                    "{declared:?} sent as {column:?}"
                );
                assert!(fits(std::slice::from_ref(column), &[None]));
            }
        }
        assert!(!fits(&all, &[None]), "another number of columns");
    }
}
