//! How a value of a key column is written in a statement, so that the server gets it unaltered.
//!
//! A server compares a text with a number as two doubles. It reads a text of another character set
//! as `?`, clips a time that is too long, and keeps a moment that it cannot convert to another
//! zone. So every value is sent in the type of the column that it is compared with, or finds
//! nothing.

use std::borrow::Cow;

use mysql::Value;

use super::decode;
use crate::logic::compare::key::KeyColumn;
use crate::logic::value::cell::{Cell, ColumnType, DateTime};
use crate::logic::value::charset::Encoded;
use crate::logic::value::sql::{binary_literal, literal, quoted};

/// A key column of a table, and how its values are asked for.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    pub(super) column: KeyColumn,
    /// What stands for a value in a statement; [`Self::sql`] knows the exception.
    pub(super) placeholder: String,
    /// Parameters in it, all the same.
    parameters: usize,
}

impl Lookup {
    /// `zone` is the server's where a TIMESTAMP is read as it prints it.
    pub(super) fn new(column: KeyColumn, zone: Option<&str>) -> Self {
        let placeholder = match (column.column_type, zone) {
            (ColumnType::Binary, _) => "UNHEX(?)".into(),
            (ColumnType::Decimal, _) => {
                format!("CAST(? AS DECIMAL({},{}))", column.precision, column.scale)
            }
            // MySQL takes what is cast to TIME for a date and a time, unless it is a text by its type.
            (ColumnType::Time(_), _) => "CAST(CAST(? AS CHAR) AS TIME(6))".into(),
            (ColumnType::DateTime(_), Some(zone)) => {
                let zone = literal(zone);
                let converted = format!("CONVERT_TZ(?,{zone},'+00:00')");
                // A moment that is no TIMESTAMP, or that the zone's clocks skip, does not come back as it was.
                format!("IF(CONVERT_TZ({converted},'+00:00',{zone})=?,{converted},NULL)")
            }
            _ => "?".into(),
        };
        Self {
            column,
            parameters: placeholder.matches('?').count(),
            placeholder,
        }
    }

    /// What of a column of this name is compared with a value. ENUM and SET by their texts: as they are, an index of theirs
    /// finds neither the value that is no member, nor by a list what a collation takes for one of its texts.
    pub(super) fn compared(&self, name: &str) -> String {
        let name = quoted(name);
        match self.column.column_type {
            ColumnType::Enum | ColumnType::Set => format!("CONCAT({name})"),
            _ => name,
        }
    }

    /// One of several values that the column could hold.
    pub(super) fn sample(&self, number: i64) -> Cell {
        let day = u8::try_from(number % 28 + 1).unwrap_or(1);
        match self.column.column_type {
            ColumnType::Date | ColumnType::DateTime(_) | ColumnType::Timestamp(_) => {
                Cell::DateTime(DateTime {
                    year: 2024,
                    month: 1,
                    day,
                    ..DateTime::default()
                })
            }
            ColumnType::Time(_) => Cell::Time(number * 1_000_000),
            ColumnType::Uuid => Cell::Text(format!("00000000-0000-1000-8000-{number:012}").into()),
            ColumnType::Text | ColumnType::Enum | ColumnType::Set | ColumnType::Json => {
                Cell::Text(number.to_string().into())
            }
            ColumnType::Binary => Cell::Bytes(number.to_string().into_bytes().into()),
            ColumnType::Year => Cell::Int(2000 + number),
            ColumnType::Int
            | ColumnType::Bit
            | ColumnType::Decimal
            | ColumnType::Float
            | ColumnType::Double => Cell::Int(number),
        }
    }

    /// What stands for this value.
    pub(super) fn sql(&self, value: &Cell) -> Cow<'_, str> {
        match value {
            // A literal with an introducer takes on the collation of the column; what CONVERT returns would not.
            Cell::Encoded(encoded) => {
                let Encoded { charset, bytes, .. } = Encoded::parse(encoded);
                format!("_{charset} {}", binary_literal(bytes)).into()
            }
            _ => self.placeholder[..].into(),
        }
    }

    /// The parameters for it, where what stands for it has some.
    pub(super) fn values(&self, value: &Cell) -> impl Iterator<Item = Value> + use<> {
        let (value, parameters) = match value {
            Cell::Encoded(_) => (Value::NULL, 0),
            value => (self.value(value), self.parameters),
        };
        std::iter::repeat_n(value, parameters)
    }

    fn value(&self, value: &Cell) -> Value {
        match value {
            Cell::Float(value) => Value::Double((*value).into()),
            Cell::Time(_) => Value::Bytes(decode::printed(value)),
            Cell::Bytes(bytes) if self.column.column_type == ColumnType::Binary => {
                Value::Bytes(decode::hexadecimal(bytes))
            }
            value => decode::parameter(value),
        }
    }
}

/// A column of the order in which a table is paged through.
#[derive(Clone, Debug)]
pub(super) struct OrderColumn {
    /// Quoted.
    pub(super) name: String,
    /// What is read to know the place of a row.
    pub(super) expression: String,
    /// The type of that.
    pub(super) column_type: ColumnType,
    lookup: Lookup,
    /// What is compared with a place.
    compared: String,
    /// The members of an ENUM, in its order, where a text names each of them.
    members: Vec<String>,
}

impl OrderColumn {
    /// Text whose character set is not whole is read and sent as bytes: not every one comes back from Unicode as it was.
    /// ENUM and SET are in the order of their numbers, so these are what is read and compared.
    pub(super) fn new(
        name: &str,
        mut column: KeyColumn,
        collation: &str,
        is_whole: bool,
        members: Vec<String>,
    ) -> Self {
        let (name, charset) = (quoted(name), column.charset.clone());
        let is_numbered = matches!(column.column_type, ColumnType::Enum | ColumnType::Set);
        if is_numbered {
            column.column_type = ColumnType::Int;
        }
        let mut lookup = Lookup::new(column, None);
        if is_numbered {
            // As it is, a SET is compared as a signed number and sorted as an unsigned one.
            let number = format!("CAST({name} AS UNSIGNED)");
            return Self {
                expression: number.clone(),
                name,
                column_type: ColumnType::Int,
                lookup,
                compared: number,
                members: if is_whole { members } else { vec![] },
            };
        }
        if is_whole {
            return Self {
                expression: name.clone(),
                compared: name.clone(),
                name,
                column_type: lookup.column.column_type,
                lookup,
                members,
            };
        }
        lookup.column.column_type = ColumnType::Binary;
        lookup.placeholder = format!("CONVERT(UNHEX(?) USING {charset}) COLLATE {collation}");
        Self {
            expression: format!("CONVERT({name} USING binary)"),
            compared: name.clone(),
            name,
            column_type: ColumnType::Binary,
            lookup,
            members: vec![],
        }
    }

    /// What an answer says of the column, where it is read as it is.
    pub(super) fn described(&self) -> Option<ColumnType> {
        (self.expression == self.name).then_some(self.column_type)
    }

    /// Which rows are at a place (`=`) or after it (`>`), and the parameters for that.
    pub(super) fn term(&self, operator: char, place: &Cell, values: &mut Vec<Value>) -> String {
        if let Some(term) = self.term_of_members(operator, place) {
            return term;
        }
        values.push(self.lookup.value(place));
        format!("{} {operator} {}", self.compared, self.lookup.placeholder)
    }

    /// The same of an ENUM by the texts of its members, which an index finds as it does not find their numbers.
    fn term_of_members(&self, operator: char, place: &Cell) -> Option<String> {
        let Cell::Int(number) = *place else {
            return None;
        };
        let number = usize::try_from(number).ok()?;
        let member = self.members.get(number.checked_sub(1)?)?;
        if operator == '=' {
            return Some(format!("{} = {}", self.name, literal(member)));
        }
        let later: Vec<String> = self.members[number..].iter().map(|m| literal(m)).collect();
        Some(if later.is_empty() {
            "FALSE".into()
        } else {
            format!("{} IN ({})", self.name, later.join(","))
        })
    }
}
