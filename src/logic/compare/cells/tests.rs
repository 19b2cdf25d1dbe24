//! One line per pair of values: source type and cell, destination type and cell, the verdict. Every line is also
//! judged the other way round. Where the first cupid (PHP) was observed to decide otherwise, a comment says so.

use std::str::FromStr;

use super::*;
use ColumnType::{
    Binary, Bit, Date, DateTime, Decimal, Double, Enum, Float, Int, Json, Set, Text, Time,
    Timestamp, Uuid, Year,
};

type Line = (ColumnType, Cell, ColumnType, Cell, bool);

fn exact() -> Rule {
    Rule::default()
}

fn tolerance(text: &str) -> Rule {
    Rule {
        tolerance: Some(BigDecimal::from_str(text).unwrap()),
        ..Rule::default()
    }
}

fn t(text: &str) -> Cell {
    Cell::Text(text.into())
}

fn dec(text: &str) -> Cell {
    Cell::Decimal(text.into())
}

fn b(bytes: &[u8]) -> Cell {
    Cell::Bytes(bytes.into())
}

fn i(value: i64) -> Cell {
    Cell::Int(value)
}

fn moment(text: &str) -> Cell {
    Cell::DateTime(moment::parse_moment(text).unwrap())
}

fn span(text: &str) -> Cell {
    Cell::Time(moment::parse_span(text).unwrap())
}

fn judge(rule: &Rule, table: &[Line]) {
    for (a_type, a, b_type, b, expected) in table {
        let there = Comparator::new(*a_type, *b_type, rule).equal(a, b);
        let back = Comparator::new(*b_type, *a_type, rule).equal(b, a);
        let line = format!("{a_type:?} {a:?} against {b_type:?} {b:?}");
        assert_eq!(there, *expected, "{line}");
        assert_eq!(back, *expected, "{line}, the other way round");
    }
}
#[test]
fn types_without_a_common_value_are_named_before_going_live() {
    let said = never_equal(DateTime(0), Int).unwrap();
    assert_eq!(
        said,
        "DATETIME holds a date and INT a number: they agree only when both are NULL"
    );
    for (a, b) in [
        (Date, Year),
        (Time(0), Date),
        (Uuid, Int),
        (Json, Timestamp(6)),
        (Json, Uuid),
    ] {
        assert!(never_equal(a, b).is_some(), "{a:?} {b:?}");
        assert!(never_equal(b, a).is_some(), "{b:?} {a:?}");
    }
    for (a, b) in [
        (Date, Timestamp(3)),
        (Int, Text),
        (Json, Double),
        (Uuid, Binary),
        (Bit, Year),
    ] {
        assert_eq!(never_equal(a, b), None);
        assert_eq!(never_equal(b, a), None);
    }
}

mod numbers;
mod properties;
mod temporal;
mod text;
