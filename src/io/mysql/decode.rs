//! Values of the prepared-statement protocol as [`Cell`]s, and back as parameters.

use std::borrow::Cow;

use mysql::Value;

use crate::logic::cell::{Cell, CellRef, ColumnType, DateTime};

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
            _ => CellRef::Text(bytes),
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
    match String::from_utf8(bytes) {
        Ok(text) if column_type == ColumnType::Decimal => Cell::Decimal(text.into()),
        Ok(text) => Cell::Text(text.into()),
        Err(error) => Cell::Bytes(error.into_bytes().into()),
    }
}

/// The parameter that finds `key` in a column of this type, and the SQL around its placeholder.
pub(super) fn key_parameter(key: &Cell, column_type: ColumnType) -> Value {
    match (key, column_type) {
        (Cell::Null, _) => Value::NULL,
        // As hexadecimal text: bytes that are not utf8mb4 cannot be sent as a string.
        (Cell::Bytes(bytes), ColumnType::Binary) => Value::Bytes(hexadecimal(bytes)),
        (Cell::Text(text), ColumnType::Binary) => Value::Bytes(hexadecimal(text.as_bytes())),
        (
            Cell::Int(value),
            ColumnType::Binary | ColumnType::Text | ColumnType::Enum | ColumnType::Set,
        ) => in_text(value.to_string(), column_type),
        (
            Cell::UInt(value),
            ColumnType::Binary | ColumnType::Text | ColumnType::Enum | ColumnType::Set,
        ) => in_text(value.to_string(), column_type),
        (Cell::Int(value), _) => Value::Int(*value),
        (Cell::UInt(value), _) => Value::UInt(*value),
        (Cell::Float(value), _) => Value::Float(*value),
        (Cell::Double(value), _) => Value::Double(*value),
        (Cell::Decimal(text) | Cell::Text(text), _) => Value::Bytes(text.as_bytes().to_vec()),
        (Cell::Bytes(bytes), _) => Value::Bytes(bytes.to_vec()),
        (Cell::DateTime(at), _) => Value::Date(
            at.year,
            at.month,
            at.day,
            at.hour,
            at.minute,
            at.second,
            at.microsecond,
        ),
        (Cell::Time(value), _) => time(*value),
    }
}

/// An integer as the text that finds it in a text column through the column's index.
fn in_text(digits: String, column_type: ColumnType) -> Value {
    Value::Bytes(if column_type == ColumnType::Binary {
        hexadecimal(digits.as_bytes())
    } else {
        digits.into_bytes()
    })
}

fn time(value: i64) -> Value {
    let part = |value: u64| u8::try_from(value).unwrap_or(u8::MAX);
    let total = value.unsigned_abs();
    let seconds = total / 1_000_000;
    let microseconds = u32::try_from(total % 1_000_000).unwrap_or(0);
    let days = u32::try_from(seconds / 86_400).unwrap_or(u32::MAX);
    Value::Time(
        value < 0,
        days,
        part(seconds / 3600 % 24),
        part(seconds / 60 % 60),
        part(seconds % 60),
        microseconds,
    )
}

fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
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

/// The SQL of one key's placeholder. DECIMAL is cast, for a server compares a string with a number as doubles.
pub(super) fn key_placeholder(source: ColumnType, destination: ColumnType) -> &'static str {
    match (source, destination) {
        (_, ColumnType::Binary) => "UNHEX(?)",
        (
            ColumnType::Decimal,
            ColumnType::Int | ColumnType::Decimal | ColumnType::Bit | ColumnType::Year,
        ) => "CAST(? AS DECIMAL(65,30))",
        _ => "?",
    }
}

/// Bytes that are the same for two key cells only if the server finds one by the other, whatever its collation.
pub(super) fn pairing_bytes(cell: &Cell) -> Cow<'_, [u8]> {
    match cell {
        Cell::Text(text) | Cell::Decimal(text) => text.as_bytes().into(),
        Cell::Bytes(bytes) => (&**bytes).into(),
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
    fn a_time_goes_there_and_back() {
        for value in [
            0,
            1,
            -1,
            93_784_000_005,
            -3_020_399_999_999,
            3_020_399_000_000,
        ] {
            assert_eq!(cell(time(value), ColumnType::Time(6)), Cell::Time(value));
        }
    }

    #[test]
    fn binary_keys_are_sent_as_hexadecimal() {
        assert_eq!(
            key_parameter(&Cell::Bytes([0, 255].into()), ColumnType::Binary),
            Value::Bytes(b"00ff".to_vec())
        );
    }
}
