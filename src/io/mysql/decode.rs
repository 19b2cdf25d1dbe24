//! Values of the prepared-statement protocol as [`Cell`]s, and back as parameters.

use std::borrow::Cow;

use mysql::Value;

use crate::logic::audit::fingerprint::plain_decimal;
use crate::logic::compare::cells::moment_of_text;
use crate::logic::value::cell::{Cell, CellRef, ColumnType, DateTime};
use crate::logic::value::charset;
use crate::logic::value::print;

/// The cell that a server's value is, in a column of this type.
pub(super) fn cell(value: Value, column_type: ColumnType) -> Cell {
    match value {
        Value::Bytes(bytes) if column_type != ColumnType::Bit => text(bytes, column_type),
        value => lent(&value, column_type).owned(),
    }
}

/// The same without a copy, and without a look at its text or bytes.
pub(super) fn lent(value: &Value, column_type: ColumnType) -> CellRef<'_> {
    match *value {
        Value::NULL => CellRef::Null,
        Value::Int(value) => CellRef::Int(value),
        Value::UInt(value) => unsigned(value),
        Value::Float(value) => CellRef::Float(value),
        Value::Double(value) => CellRef::Double(value),
        Value::Date(year, month, day, hour, minute, second, microsecond) => {
            CellRef::DateTime(DateTime {
                year,
                month,
                day,
                hour,
                minute,
                second,
                microsecond,
            })
        }
        Value::Time(negative, days, hours, minutes, seconds, microseconds) => {
            let hours = i64::from(days) * 24 + i64::from(hours);
            let total = ((hours * 60 + i64::from(minutes)) * 60 + i64::from(seconds)) * 1_000_000
                + i64::from(microseconds);
            CellRef::Time(if negative { -total } else { total })
        }
        Value::Bytes(ref bytes) => match column_type {
            ColumnType::Bit => bit(bytes),
            ColumnType::Binary => CellRef::Bytes(bytes),
            ColumnType::Decimal => CellRef::Decimal(bytes),
            _ => charset::marked(bytes).map_or(CellRef::Text(bytes), CellRef::Encoded),
        },
    }
}

fn unsigned<'a>(value: u64) -> CellRef<'a> {
    i64::try_from(value).map_or(CellRef::UInt(value), CellRef::Int)
}

/// BIT(n) comes as up to eight bytes, big-endian.
fn bit<'a>(bytes: &[u8]) -> CellRef<'a> {
    unsigned(
        bytes
            .iter()
            .fold(0, |value, &byte| value << 8 | u64::from(byte)),
    )
}

fn text(bytes: Vec<u8>, column_type: ColumnType) -> Cell {
    if column_type == ColumnType::Binary {
        return Cell::Bytes(bytes.into());
    }
    if let Some(encoded) = charset::marked(&bytes) {
        return Cell::Encoded(encoded.into());
    }
    match String::from_utf8(bytes) {
        Ok(text) if column_type == ColumnType::Decimal => Cell::Decimal(text.into()),
        Ok(text) => Cell::Text(text.into()),
        Err(error) => Cell::Bytes(error.into_bytes().into()),
    }
}

/// A computed DATETIME, which MySQL sends as text.
pub(super) fn moment(value: Value) -> Cell {
    match cell(value, ColumnType::Text) {
        Cell::Text(text) => moment_of_text(&text).map_or(Cell::Null, Cell::DateTime),
        other => other,
    }
}

/// A value as a parameter.
pub(super) fn parameter(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::NULL,
        Cell::Int(value) => Value::Int(*value),
        Cell::UInt(value) => Value::UInt(*value),
        Cell::Float(value) => Value::Float(*value),
        Cell::Double(value) => Value::Double(*value),
        Cell::Decimal(text) | Cell::Text(text) => Value::Bytes(text.as_bytes().to_vec()),
        Cell::Bytes(bytes) | Cell::Encoded(bytes) => Value::Bytes(bytes.to_vec()),
        Cell::DateTime(at) => Value::Date(
            at.year,
            at.month,
            at.day,
            at.hour,
            at.minute,
            at.second,
            at.microsecond,
        ),
        Cell::Time(_) => Value::Bytes(printed(cell)),
    }
}

/// A TIME as text: above 838 hours and a fraction a server takes the binary form for too long.
pub(super) fn printed(cell: &Cell) -> Vec<u8> {
    print::text(cell, ColumnType::Time(6))
        .into_owned()
        .into_bytes()
}

/// For text protocols that have no bytes.
pub(super) fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| {
            [
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]
        })
        .collect()
}

/// Bytes that are the same for two key cells only if the server finds one by the other, whatever its collation.
pub(super) fn pairing_bytes(cell: &Cell) -> Cow<'_, [u8]> {
    match cell {
        Cell::Text(text) => text.as_bytes().into(),
        Cell::Decimal(text) => plain_decimal(text.as_bytes()).into(),
        Cell::Bytes(bytes) | Cell::Encoded(bytes) => (&**bytes).into(),
        Cell::Int(value) => value.to_string().into_bytes().into(),
        Cell::UInt(value) => value.to_string().into_bytes().into(),
        other => format!("{other:?}").into_bytes().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_the_cells_that_they_are() {
        let table = [
            (Value::NULL, ColumnType::Int, Cell::Null),
            (Value::UInt(7), ColumnType::Int, Cell::Int(7)),
            (Value::UInt(u64::MAX), ColumnType::Int, Cell::UInt(u64::MAX)),
            (Value::Bytes(vec![2, 1]), ColumnType::Bit, Cell::Int(513)),
            (
                Value::Bytes(vec![255; 8]),
                ColumnType::Bit,
                Cell::UInt(u64::MAX),
            ),
            (
                Value::Bytes(b"1.20".to_vec()),
                ColumnType::Decimal,
                Cell::Decimal("1.20".into()),
            ),
            (
                Value::Bytes(b"a".to_vec()),
                ColumnType::Binary,
                Cell::Bytes((*b"a").into()),
            ),
            (
                Value::Bytes(vec![0xff]),
                ColumnType::Text,
                Cell::Bytes([0xff].into()),
            ),
            (
                Value::Date(0, 0, 0, 0, 0, 0, 0),
                ColumnType::DateTime(0),
                Cell::DateTime(DateTime::default()),
            ),
            (
                Value::Time(true, 1, 2, 3, 4, 5),
                ColumnType::Time(6),
                Cell::Time(-93_784_000_005),
            ),
        ];
        for (value, column_type, expected) in table {
            assert_eq!(cell(value, column_type), expected);
        }
    }

    #[test]
    fn text_outside_unicode_is_no_text() {
        let marked = b"\xffgbk\0\xa2\xe3".to_vec();
        let encoded = Cell::Encoded((*b"gbk\0\xa2\xe3").into());
        assert_eq!(
            lent(&Value::Bytes(marked.clone()), ColumnType::Text).owned(),
            encoded
        );
        assert_eq!(
            cell(Value::Bytes(marked.clone()), ColumnType::Enum),
            encoded
        );
        let bytes = Cell::Bytes(marked.clone().into());
        assert_eq!(cell(Value::Bytes(marked), ColumnType::Binary), bytes);
    }

    #[test]
    fn a_time_is_sent_as_text_with_all_its_hours() {
        let text = b"-838:14:05.600000".to_vec();
        assert_eq!(
            parameter(&Cell::Time(-3_017_645_600_000)),
            Value::Bytes(text)
        );
    }
}
