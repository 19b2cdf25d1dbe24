use proptest::prelude::*;

use super::*;
use crate::logic::compare::cells::{Comparator, Rule};
use crate::logic::compare::rows::Pair;
use crate::logic::value::cell::Cell;

fn map(source: ColumnType, destination: ColumnType) -> ColumnMap {
    let pair = Pair {
        name: "c".into(),
        destination: "c".into(),
        in_server_zone: false,
        source_index: 0,
        source_type: source,
        destination_type: destination,
        comparator: Comparator::new(source, destination, &Rule::default()),
    };
    ColumnMap {
        pairs: vec![pair],
        key_type: ColumnType::Int,
        destination_key_type: ColumnType::Int,
    }
}

fn prints(source: ColumnType, one: &Cell, destination: ColumnType, other: &Cell) -> (u128, u128) {
    let map = map(source, destination);
    let fold = KeyFold::default();
    (
        Fingerprinter::of_source(&map, fold, 7).row(&vec![one.clone()]),
        Fingerprinter::of_destination(&map, fold, 7).row(&vec![other.clone()]),
    )
}

fn any_type() -> impl Strategy<Value = ColumnType> {
    let fixed = [
        ColumnType::Int,
        ColumnType::Year,
        ColumnType::Bit,
        ColumnType::Decimal,
        ColumnType::Float,
        ColumnType::Double,
        ColumnType::Text,
        ColumnType::Enum,
        ColumnType::Set,
        ColumnType::Uuid,
        ColumnType::Json,
        ColumnType::Binary,
        ColumnType::Date,
    ];
    prop_oneof![
        proptest::sample::select(fixed.to_vec()),
        (0_u8..=6).prop_map(ColumnType::DateTime),
        (0_u8..=6).prop_map(ColumnType::Timestamp),
        (0_u8..=6).prop_map(ColumnType::Time),
    ]
}

/// Few different values, so that equal ones meet often.
fn any_cell() -> impl Strategy<Value = Cell> {
    let text = proptest::sample::select(vec![
        "",
        "0",
        "-0",
        "1",
        "1.0",
        "1.20",
        "a",
        "A",
        "a ",
        "null",
        "1e0",
        "2024-01-02 03:04:05",
    ]);
    prop_oneof![
        Just(Cell::Null),
        (-2_i64..3).prop_map(Cell::Int),
        Just(Cell::UInt(u64::MAX)),
        proptest::sample::select(vec![0.0, -0.0, 1.0, 0.1, 1.2]).prop_map(Cell::Double),
        proptest::sample::select(vec![0.0_f32, -0.0, 1.0, 0.1, 1.2]).prop_map(Cell::Float),
        proptest::sample::select(vec![
            "0",
            "-0.00",
            "1",
            "1.0",
            "1.20",
            "0.1",
            "-1",
            "18446744073709551615"
        ])
        .prop_map(|t| Cell::Decimal(t.into())),
        text.clone().prop_map(|t| Cell::Text(t.into())),
        text.prop_map(|t| Cell::Bytes(t.as_bytes().into())),
        (0_u32..3, 0_u8..2).prop_map(|(us, second)| Cell::DateTime(DateTime {
            year: 2024,
            month: 1,
            day: 2,
            hour: 3,
            minute: 4,
            second,
            microsecond: us * 499_999
        })),
        (-2_i64..3).prop_map(|us| Cell::Time(us * 500_000)),
    ]
}

/// A server sends no finer moment than the column holds.
fn fitted(cell: Cell, column_type: ColumnType) -> Cell {
    match (cell, column_type) {
        (Cell::DateTime(at), ColumnType::Date) => Cell::DateTime(DateTime {
            hour: 0,
            minute: 0,
            second: 0,
            microsecond: 0,
            ..at
        }),
        (Cell::DateTime(at), ColumnType::DateTime(digits) | ColumnType::Timestamp(digits)) => {
            let step = 10_u32.pow(6 - u32::from(digits));
            Cell::DateTime(DateTime {
                microsecond: at.microsecond / step * step,
                ..at
            })
        }
        (cell, _) => cell,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]
    #[test]
    fn the_same_fingerprint_means_equal(source in any_type(), destination in any_type(), one in any_cell(), other in any_cell()) {
        let (one, other) = (fitted(one, source), fitted(other, destination));
        let (left, right) = prints(source, &one, destination, &other);
        let equal = Comparator::new(source, destination, &Rule::default()).equal(&one, &other);
        prop_assert!(left != right || equal, "{one:?} as {source:?} and {other:?} as {destination:?}");
    }
}

const DAY: DateTime = DateTime {
    year: 2024,
    month: 1,
    day: 2,
    hour: 0,
    minute: 0,
    second: 0,
    microsecond: 0,
};

fn moment(microsecond: u32) -> Cell {
    Cell::DateTime(DateTime { microsecond, ..DAY })
}

#[test]
fn what_is_the_same_in_both_columns_has_the_same_fingerprint() {
    let text = |s: &str| Cell::Text(s.into());
    let decimal = |s: &str| Cell::Decimal(s.into());
    for (source, one, destination, other) in [
        (
            ColumnType::Int,
            Cell::Int(-7),
            ColumnType::Int,
            Cell::Int(-7),
        ),
        (
            ColumnType::Decimal,
            decimal("1.20"),
            ColumnType::Decimal,
            decimal("1.2000"),
        ),
        (
            ColumnType::Decimal,
            decimal("12.00"),
            ColumnType::Int,
            Cell::Int(12),
        ),
        (
            ColumnType::Decimal,
            decimal("-0.00"),
            ColumnType::Int,
            Cell::Int(0),
        ),
        (
            ColumnType::Float,
            Cell::Float(1.5),
            ColumnType::Decimal,
            decimal("1.50"),
        ),
        (ColumnType::Int, Cell::Int(12), ColumnType::Text, text("12")),
        (
            ColumnType::Float,
            Cell::Float(0.1),
            ColumnType::Double,
            Cell::Double(0.1),
        ),
        (
            ColumnType::Double,
            Cell::Double(-0.0),
            ColumnType::Double,
            Cell::Double(0.0),
        ),
        (
            ColumnType::Double,
            Cell::Double(12.0),
            ColumnType::Decimal,
            decimal("12.00"),
        ),
        (
            ColumnType::Int,
            Cell::Int(12),
            ColumnType::Double,
            Cell::Double(12.0),
        ),
        (
            ColumnType::DateTime(6),
            moment(123_456),
            ColumnType::Timestamp(3),
            moment(123_000),
        ),
        (
            ColumnType::DateTime(1),
            moment(100_000),
            ColumnType::DateTime(6),
            moment(123_456),
        ),
        (
            ColumnType::Date,
            Cell::DateTime(DAY),
            ColumnType::DateTime(0),
            Cell::DateTime(DAY),
        ),
        (
            ColumnType::Date,
            Cell::DateTime(DAY),
            ColumnType::Timestamp(2),
            Cell::DateTime(DateTime {
                microsecond: 9_999,
                ..DAY
            }),
        ),
        (ColumnType::Text, text("é "), ColumnType::Text, text("é ")),
        (ColumnType::Text, Cell::Null, ColumnType::Text, Cell::Null),
    ] {
        let (left, right) = prints(source, &one, destination, &other);
        assert_eq!(left, right, "{one:?} {other:?}");
    }
}

#[test]
fn separators_swaps_and_nulls_do_not_pass() {
    let text = |s: &str| Cell::Text(s.into());
    let mut map = map(ColumnType::Text, ColumnType::Text);
    map.pairs
        .extend(self::map(ColumnType::Text, ColumnType::Text).pairs);
    map.pairs[1].source_index = 1;
    let mut maker = Fingerprinter::of_source(&map, KeyFold::default(), 1);
    let rows = [
        ["a#b", "c"],
        ["a", "b#c"],
        ["c", "a#b"],
        ["", "ab"],
        ["ab", ""],
        ["NULL", ""],
    ];
    let mut all: Vec<u128> = rows
        .iter()
        .map(|row| maker.row(&row.map(text).to_vec()))
        .collect();
    all.push(maker.row(&vec![Cell::Null, text("")]));
    all.push(maker.row(&vec![text(""), Cell::Null]));
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}

#[test]
fn keys_fold_as_their_collation_does_and_no_further() {
    let fold = KeyFold::of_collation;
    assert_eq!(
        fold("utf8mb4_general_ci"),
        KeyFold {
            case: true,
            padding: true
        }
    );
    assert_eq!(
        fold("utf8mb4_0900_ai_ci"),
        KeyFold {
            case: true,
            padding: false
        }
    );
    assert_eq!(
        fold("utf8mb4_bin"),
        KeyFold {
            case: false,
            padding: true
        }
    );
    for name in [
        "utf8mb4_turkish_ci",
        "utf8mb4_czech_ci",
        "utf8mb4_da_0900_ai_ci",
        "utf8mb4_tr_0900_ai_ci",
        "cp866_general_ci",
        "latin7_general_ci",
        "x_az_0900_ai_ci",
        "utf8mb4_unknown_ci",
        "unknown_bin",
    ] {
        assert_eq!(fold(name), KeyFold::default(), "{name}");
    }
    for name in ["binary", "utf8mb4_nopad_bin", "utf8mb4_0900_bin"] {
        assert!(!fold(name).padding, "{name}");
    }
    assert_eq!(
        fold("utf8mb4_uca1400_nopad_as_cs"),
        KeyFold {
            case: false,
            padding: false
        }
    );
    assert_eq!(fold(""), KeyFold::default());
    let map = map(ColumnType::Int, ColumnType::Int);
    let mut maker = Fingerprinter::of_source(&map, fold("utf8mb4_general_ci"), 1);
    let mut key = |text: &str| maker.key(CellRef::Text(text.as_bytes()));
    assert_eq!(key("AbC "), key("abc"));
    assert_ne!(key("é"), key("e"));
    assert_eq!(maker.key(CellRef::Null), None);
    for (key, text) in [
        (CellRef::Int(-5), "-5"),
        (CellRef::UInt(u64::MAX), "18446744073709551615"),
        (CellRef::Bytes(b"ab"), "ab"),
    ] {
        assert_eq!(maker.key(key), maker.key(CellRef::Text(text.as_bytes())));
    }
    let day = maker.key(CellRef::DateTime(DAY));
    assert_ne!(
        day,
        maker.key(CellRef::DateTime(DateTime { day: 3, ..DAY }))
    );
}
