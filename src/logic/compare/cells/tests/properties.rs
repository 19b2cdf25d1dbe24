//! What must hold for every pair of types and cells, also for cells that do not fit their column.

use proptest::prelude::*;

use super::*;
use crate::logic::value::cell::DateTime as Moment;
use crate::logic::value::print;

const TEXTS: [&str; 20] = [
    "",
    " ",
    "a",
    "A ",
    "1",
    "1.0",
    "-0",
    "1e3",
    " 1",
    "1e-400",
    "1e999999999",
    "[1]",
    "[1.0]",
    "null",
    "2024-01-02",
    "2024-01-02 03:04:05",
    "1:02:03",
    "01:02:03.5",
    "123e4567-e89b-12d3-a456-426614174000",
    "123E4567-E89B-12D3-A456-426614174000",
];

fn any_type() -> impl Strategy<Value = ColumnType> {
    let plain = vec![
        Int, Year, Bit, Decimal, Float, Double, Text, Enum, Set, Uuid, Json, Binary, Date,
    ];
    prop_oneof![
        3 => prop::sample::select(plain),
        1 => (0..8_u8).prop_map(DateTime),
        1 => (0..8_u8).prop_map(Timestamp),
        1 => any::<u8>().prop_map(Time),
    ]
}

/// Cells close enough to each other to be equal often, and wrong enough to break what is not total.
fn any_cell() -> impl Strategy<Value = Cell> {
    let field = || {
        prop_oneof![
            Just(0),
            Just(1),
            Just(12),
            Just(23),
            Just(31),
            Just(59),
            any::<u8>()
        ]
    };
    let moments = (
        prop_oneof![Just(0), Just(2024), Just(9999), any::<u16>()],
        [field(), field(), field(), field(), field()],
        prop_oneof![Just(0), Just(500_000), Just(999_999), any::<u32>()],
    );
    prop_oneof![
        1 => Just(Cell::Null),
        2 => (-2..3_i64).prop_map(Cell::Int),
        1 => any::<i64>().prop_map(Cell::Int),
        1 => any::<u64>().prop_map(Cell::UInt),
        1 => prop_oneof![Just(0.0), Just(-0.0), Just(1.0), any::<f32>()].prop_map(Cell::Float),
        1 => prop_oneof![Just(0.0), Just(-0.0), Just(1.0), any::<f64>()].prop_map(Cell::Double),
        2 => prop::sample::select(&TEXTS[..]).prop_map(|text| Cell::Decimal(text.into())),
        4 => prop::sample::select(&TEXTS[..]).prop_map(|text| Cell::Text(text.into())),
        1 => "[-+0-9.eE ]{0,8}".prop_map(|text| Cell::Text(text.into())),
        1 => any::<String>().prop_map(|text| Cell::Text(text.into())),
        2 => prop::sample::select(&TEXTS[..]).prop_map(|text| Cell::Bytes(text.as_bytes().into())),
        1 => any::<[u8; 16]>().prop_map(|bytes| Cell::Bytes(bytes[..].into())),
        3 => moments.prop_map(|(year, [month, day, hour, minute, second], microsecond)| {
            Cell::DateTime(Moment { year, month, day, hour, minute, second, microsecond })
        }),
        2 => prop_oneof![Just(3_723_500_000), Just(3_723_000_000), any::<i64>()].prop_map(Cell::Time),
    ]
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let tolerances = prop::option::of(prop::sample::select(vec![
        "0",
        "0.01",
        "-1",
        "1e500",
        "1e-99999999",
    ]));
    (tolerances, any::<[bool; 3]>()).prop_map(|(text, [trim, ignore_case, null_equals_empty])| {
        Rule {
            tolerance: text.map(|text| BigDecimal::from_str(text).unwrap()),
            trim,
            ignore_case,
            null_equals_empty,
        }
    })
}

/// The cells that a column of this type can hold, as far as telling types apart needs.
fn fits(cell: &Cell, column_type: ColumnType) -> bool {
    match (cell, family(column_type)) {
        (Cell::Int(_) | Cell::UInt(_) | Cell::Float(_) | Cell::Double(_), Family::Number)
        | (Cell::DateTime(_), Family::Moment)
        | (Cell::Time(_), Family::Span)
        | (Cell::Text(_) | Cell::Bytes(_), Family::Words) => true,
        (Cell::Decimal(text), Family::Number) => Number::of_text(text).is_some(),
        (Cell::Text(text), Family::Uuid) => uuid_bytes(text).is_some(),
        (Cell::Text(text), Family::Json) => serde_json::from_str::<serde_json::Value>(text).is_ok(),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn source_and_destination_may_change_places(
        a_type in any_type(), b_type in any_type(), a in any_cell(), b in any_cell(), rule in any_rule(),
    ) {
        let there = Comparator::new(a_type, b_type, &rule).equal(&a, &b);
        let back = Comparator::new(b_type, a_type, &rule).equal(&b, &a);
        prop_assert_eq!(there, back);
    }

    #[test]
    fn every_cell_equals_itself(column_type in any_type(), cell in any_cell(), rule in any_rule()) {
        prop_assert!(Comparator::new(column_type, column_type, &rule).equal(&cell, &cell.clone()));
    }

    #[test]
    fn a_rule_only_loosens(
        a_type in any_type(), b_type in any_type(), a in any_cell(), b in any_cell(), rule in any_rule(),
    ) {
        if Comparator::new(a_type, b_type, &exact()).equal(&a, &b) {
            prop_assert!(Comparator::new(a_type, b_type, &rule).equal(&a, &b));
        }
    }

    #[test]
    fn types_said_never_to_agree_never_do(
        a_type in any_type(), b_type in any_type(), a in any_cell(), b in any_cell(),
    ) {
        prop_assert_eq!(never_equal(a_type, b_type).is_some(), never_equal(b_type, a_type).is_some());
        if never_equal(a_type, b_type).is_some() && fits(&a, a_type) && fits(&b, b_type) {
            prop_assert!(!Comparator::new(a_type, b_type, &exact()).equal(&a, &b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_value_equals_its_printed_text(column_type in any_type(), value in any_cell()) {
        let sound = match &value {
            Cell::Int(_) | Cell::UInt(_) | Cell::Text(_) => true,
            Cell::Float(value) => value.is_finite(),
            Cell::Double(value) => value.is_finite(),
            Cell::Decimal(text) => Number::of_text(text).is_some(),
            _ => false,
        };
        if sound {
            let text = Cell::Text(print::text(&value, column_type).into());
            prop_assert!(Comparator::new(column_type, Text, &exact()).equal(&value, &text));
        }
    }

    #[test]
    fn a_moment_equals_its_printed_text(
        year in 0..10_000_u16, month in 0..13_u8, day in 0..32_u8, clock in (0..24_u8, 0..60_u8, 0..60_u8),
        fraction in 0..1_000_000_u32, digits in 0..7_u8, span in -3_020_399_i64..3_020_400,
    ) {
        let (hour, minute, second) = clock;
        let unit = 10_u32.pow(6 - u32::from(digits));
        let microsecond = fraction / unit * unit;
        let moment = Moment { year, month, day, hour, minute, second, microsecond };
        let moment = (DateTime(digits), Cell::DateTime(moment));
        let span = (Time(digits), Cell::Time(span * 1_000_000 + i64::from(microsecond)));
        for (column_type, cell) in [moment, span] {
            let text = Cell::Text(print::text(&cell, column_type).into());
            prop_assert!(Comparator::new(column_type, Text, &exact()).equal(&cell, &text), "{text:?}");
        }
    }
}
