//! The body of a callback: `{"type":1,"srcColumn":{…}}` and nothing else.
//!
//! This is the shape that the README of the first cupid shows. That program really sent every value
//! as a string. `numbers_as_strings` does the same for receivers that rely on it.

use crate::logic::value::cell::{Cell, Column, ColumnType};
use crate::logic::value::print;

/// Builds the body for one row, columns in the order given. `row` has a cell for each column.
///
/// Integers, `BIT`, `YEAR` and floats are JSON numbers with all their digits; with `numbers_as_strings` they are
/// strings of MySQL's text. `DECIMAL` is a string always, so that no receiver rounds it. Dates, times, text and JSON
/// are strings as [`print::text`] has them, as is binary, in base64 where it is not UTF-8. NULL is null.
#[must_use]
pub fn body<'a, R>(
    callback_type: u8,
    columns: &[Column],
    row: R,
    numbers_as_strings: bool,
) -> Vec<u8>
where
    R: IntoIterator<Item = &'a Cell, IntoIter: Clone>,
{
    let row = row.into_iter();
    // A wide row is not copied again and again while its body grows.
    let bytes: usize = row.clone().map(bytes_about).sum();
    let mut json = Vec::with_capacity(32 + 32 * columns.len() + bytes);
    json.extend_from_slice(b"{\"type\":");
    json.extend_from_slice(callback_type.to_string().as_bytes());
    json.extend_from_slice(b",\"srcColumn\":{");
    for (position, (column, cell)) in columns.iter().zip(row).enumerate() {
        if position > 0 {
            json.push(b',');
        }
        push_string(&mut json, &column.name);
        json.push(b':');
        push_value(&mut json, cell, column.column_type, numbers_as_strings);
    }
    json.extend_from_slice(b"}}");
    json
}

/// What a value takes in the body beside its column's name, where nothing has to be escaped.
fn bytes_about(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) | Cell::Decimal(text) => text.len(),
        Cell::Bytes(bytes) | Cell::Encoded(bytes) => bytes.len(),
        _ => 0,
    }
}

fn push_value(json: &mut Vec<u8>, cell: &Cell, column_type: ColumnType, numbers_as_strings: bool) {
    let number = match cell {
        Cell::Null => {
            json.extend_from_slice(b"null");
            return;
        }
        Cell::Int(_) | Cell::UInt(_) => true,
        // JSON cannot say NaN or infinity; as text they survive.
        Cell::Float(value) => value.is_finite(),
        Cell::Double(value) => value.is_finite(),
        Cell::Decimal(_)
        | Cell::Text(_)
        | Cell::Bytes(_)
        | Cell::DateTime(_)
        | Cell::Time(_)
        | Cell::Encoded(_) => false,
    };
    if number && !numbers_as_strings {
        // The year 0 prints as `0000`, which is no JSON number.
        let plain = match column_type {
            ColumnType::Year => ColumnType::Int,
            other => other,
        };
        json.extend_from_slice(print::text(cell, plain).as_bytes());
    } else {
        push_string(json, &print::text(cell, column_type));
    }
}

fn push_string(json: &mut Vec<u8>, text: &str) {
    // A string serialises and a `Vec` takes every write, so there is no error to hand on.
    serde_json::to_writer(json, text).expect("a string is written to memory");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::logic::value::cell::DateTime;

    fn columns(named: &[(&str, ColumnType)]) -> Vec<Column> {
        named
            .iter()
            .map(|(name, column_type)| Column {
                name: (*name).to_owned(),
                column_type: *column_type,
            })
            .collect()
    }

    /// A row with every type, close to the one that the first cupid was seen to send.
    fn every_type() -> (Vec<Column>, Vec<Cell>) {
        let moment = |microsecond| {
            Cell::DateTime(DateTime {
                year: 2024,
                month: 1,
                day: 2,
                hour: 3,
                minute: 4,
                second: 5,
                microsecond,
            })
        };
        let columns = columns(&[
            ("id", ColumnType::Int),
            ("ubig", ColumnType::Int),
            ("name", ColumnType::Text),
            ("nul", ColumnType::Int),
            ("price", ColumnType::Decimal),
            ("dbl", ColumnType::Double),
            ("flt", ColumnType::Float),
            ("dt", ColumnType::DateTime(0)),
            ("ts6", ColumnType::Timestamp(6)),
            ("d", ColumnType::Date),
            ("tm", ColumnType::Time(0)),
            ("yr", ColumnType::Year),
            ("yr0", ColumnType::Year),
            ("bt", ColumnType::Bit),
            ("js", ColumnType::Json),
            ("bl", ColumnType::Binary),
            ("raw", ColumnType::Binary),
            ("quo", ColumnType::Text),
        ]);
        let row = vec![
            Cell::Int(1),
            Cell::UInt(u64::MAX),
            Cell::Text("张三 / 😀".into()),
            Cell::Null,
            Cell::Decimal("1234.50".into()),
            Cell::Double(1e25),
            Cell::Float(0.1),
            moment(0),
            moment(123_456),
            moment(0),
            Cell::Time(-43_201_000_000),
            Cell::Int(2024),
            Cell::Int(0),
            Cell::Int(513),
            Cell::Text("{\"a\": 1}".into()),
            Cell::Bytes(b"plain"[..].into()),
            Cell::Bytes([0x00, 0xff, 0x10][..].into()),
            Cell::Text("he said \"hi\"\n\\\u{0}".into()),
        ];
        (columns, row)
    }

    #[test]
    fn the_body_is_the_type_and_the_whole_row_in_column_order() {
        let (columns, row) = every_type();
        let expected = concat!(
            r#"{"type":1,"srcColumn":{"id":1,"ubig":18446744073709551615,"name":"张三 / 😀","nul":null,"#,
            r#""price":"1234.50","dbl":1e25,"flt":0.1,"dt":"2024-01-02 03:04:05","#,
            r#""ts6":"2024-01-02 03:04:05.123456","d":"2024-01-02","tm":"-12:00:01","yr":2024,"yr0":0,"bt":513,"#,
            r#""js":"{\"a\": 1}","bl":"plain","raw":"AP8Q","quo":"he said \"hi\"\n\\\u0000"}}"#,
        );
        assert_eq!(
            String::from_utf8(body(1, &columns, &row, false)).unwrap(),
            expected
        );
    }

    #[test]
    fn numbers_are_strings_of_their_mysql_text_when_asked() {
        let (columns, row) = every_type();
        let text = String::from_utf8(body(2, &columns, &row, true)).unwrap();
        let start = r#"{"type":2,"srcColumn":{"id":"1","ubig":"18446744073709551615","#;
        assert!(text.starts_with(start), "{text}");
        for member in [
            r#""nul":null"#,
            r#""price":"1234.50""#,
            r#""dbl":"1e25""#,
            r#""flt":"0.1""#,
            r#""yr":"2024""#,
            r#""yr0":"0000""#,
            r#""bt":"513""#,
        ] {
            assert!(text.contains(member), "{member} in {text}");
        }
    }

    #[test]
    fn a_row_without_columns_is_an_empty_object() {
        assert_eq!(body(1, &[], &[], false), br#"{"type":1,"srcColumn":{}}"#);
    }

    fn any_cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Null),
            any::<i64>().prop_map(Cell::Int),
            any::<u64>().prop_map(Cell::UInt),
            any::<f32>().prop_map(Cell::Float),
            any::<f64>().prop_map(Cell::Double),
            "-?[0-9]{1,65}(\\.[0-9]{1,30})?".prop_map(|text| Cell::Decimal(text.into())),
            any::<String>().prop_map(|text| Cell::Text(text.into())),
            any::<Vec<u8>>().prop_map(|bytes| Cell::Bytes(bytes.into())),
            any::<i64>().prop_map(Cell::Time),
            any::<(u16, u32)>().prop_map(|(year, microsecond)| Cell::DateTime(DateTime {
                year,
                microsecond,
                ..DateTime::default()
            })),
        ]
    }

    fn any_type() -> impl Strategy<Value = ColumnType> {
        prop::sample::select(vec![
            ColumnType::Int,
            ColumnType::Year,
            ColumnType::Double,
            ColumnType::Text,
            ColumnType::Date,
            ColumnType::DateTime(3),
            ColumnType::Time(6),
        ])
    }

    proptest! {
        #[test]
        fn every_body_parses_back_to_the_same_keys_and_values(
            members in prop::collection::btree_map("[\"\\\\\u{0}-\u{1f}/a-cé😀]{0,6}", (any_type(), any_cell()), 0..6),
            numbers_as_strings in any::<bool>(),
        ) {
            let columns: Vec<_> = members
                .iter()
                .map(|(name, (column_type, _))| Column { name: name.clone(), column_type: *column_type })
                .collect();
            let row: Vec<_> = members.values().map(|(_, cell)| cell.clone()).collect();
            let bytes = body(2, &columns, &row, numbers_as_strings);
            let parsed: Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(&parsed["type"], &Value::from(2));
            let object = parsed["srcColumn"].as_object().unwrap();
            prop_assert_eq!(object.keys().collect::<Vec<_>>(), members.keys().collect::<Vec<_>>());
            for (column, cell) in columns.iter().zip(&row) {
                let text = print::text(cell, column.column_type);
                match (&object[&column.name], cell) {
                    (Value::Null, cell) => prop_assert_eq!(cell, &Cell::Null),
                    (Value::String(string), _) => prop_assert_eq!(string, &text),
                    (Value::Number(number), Cell::Int(value)) => {
                        prop_assert_eq!(number.as_i64(), Some(*value));
                    }
                    (Value::Number(number), Cell::UInt(value)) => {
                        prop_assert_eq!(number.as_u64(), Some(*value));
                    }
                    (Value::Number(number), Cell::Float(value)) => {
                        let read = number.as_str().parse::<f32>().map(f32::to_bits);
                        prop_assert_eq!(read, Ok(value.to_bits()));
                    }
                    (Value::Number(number), Cell::Double(value)) => {
                        let read = number.as_str().parse::<f64>().map(f64::to_bits);
                        prop_assert_eq!(read, Ok(value.to_bits()));
                    }
                    (value, cell) => prop_assert!(false, "{value} for {cell:?}"),
                }
                prop_assert!(!(numbers_as_strings && object[&column.name].is_number()));
            }
        }
    }
}
