use proptest::prelude::*;

use super::*;
use crate::logic::compare::cells::{Comparator, Rule};

fn column(column_type: ColumnType) -> KeyColumn {
    KeyColumn {
        column_type,
        charset: "gbk".into(),
        precision: 20,
        scale: 6,
        zerofill: 0,
    }
}

fn spelled(key: &Cell, from: ColumnType, to: ColumnType) -> Vec<Cell> {
    let all = spellings(key, &column(from), &column(to));
    all.iter().cloned().collect()
}

fn text(text: &str) -> Cell {
    Cell::Text(text.into())
}

#[test]
fn a_key_is_asked_for_in_the_type_that_is_looked_in() {
    use ColumnType as T;
    let decimal = |text: &str| Cell::Decimal(text.into());
    let encoded = |bytes: &[u8]| Cell::Encoded(bytes.into());
    let table: [(Cell, T, T, &[Cell]); 20] = [
        (Cell::Null, T::Int, T::Int, &[]),
        (text("007"), T::Text, T::Int, &[Cell::Int(7)]),
        (text("7a"), T::Text, T::Int, &[]),
        (text("1e3"), T::Text, T::Int, &[Cell::Int(1000)]),
        (decimal("7.50"), T::Decimal, T::Int, &[]),
        (decimal("-7.00"), T::Decimal, T::Int, &[Cell::Int(-7)]),
        (Cell::UInt(u64::MAX), T::Int, T::Decimal, &[]),
        (
            decimal("1.2500"),
            T::Decimal,
            T::Decimal,
            &[decimal("1.25")],
        ),
        (decimal("0.0000001"), T::Decimal, T::Decimal, &[]),
        (Cell::Int(70), T::Int, T::Year, &[]),
        (text("2024"), T::Text, T::Year, &[Cell::Int(2024)]),
        (
            Cell::Float(0.1),
            T::Float,
            T::Double,
            &[Cell::Double(f64::from(0.1_f32)), Cell::Double(0.1)],
        ),
        (Cell::Int(0), T::Year, T::Text, &[text("0000"), text("0")]),
        (Cell::Bytes([0xff].into()), T::Binary, T::Text, &[]),
        (Cell::Bytes([1; 15].into()), T::Binary, T::Uuid, &[]),
        (
            encoded(b"gbk\0\xa2\xe3"),
            T::Text,
            T::Enum,
            &[encoded(b"gbk\0\xa2\xe3")],
        ),
        (encoded(b"big5\0\xa2\xe3"), T::Text, T::Text, &[]),
        (encoded(b"sjis=5C\0\\"), T::Text, T::Text, &[text("\\")]),
        (encoded(b"gbk\0\xa2\xe3"), T::Text, T::Binary, &[]),
        (
            text("838:59:59.9"),
            T::Text,
            T::Time(0),
            &[Cell::Time(3_020_399_000_000), Cell::Time(3_020_400_000_000)],
        ),
    ];
    for (key, from, to, expected) in table {
        assert_eq!(spelled(&key, from, to), expected, "{key:?} in {to:?}");
    }
}

fn any_key() -> impl Strategy<Value = (Cell, ColumnType)> {
    use ColumnType as T;
    prop_oneof![
        any::<i64>().prop_map(|v| (Cell::Int(v), T::Int)),
        (0_i64..2155).prop_map(|v| (Cell::Int(v), T::Year)),
        any::<f32>().prop_map(|v| (Cell::Float(v), T::Float)),
        (-1e6_f32..1e6).prop_map(|v| (Cell::Float(v), T::Float)),
        any::<f64>().prop_map(|v| (Cell::Double(v), T::Double)),
        (-1e6_f64..1e6).prop_map(|v| (Cell::Double(v), T::Double)),
        "-?[0-9]{1,20}(\\.[0-9]{1,8})?".prop_map(|v| (Cell::Decimal(v.into()), T::Decimal)),
        "[-+]?0{0,3}[0-9]{1,9}(\\.[0-9]{0,6})?(e-?[0-9])?"
            .prop_map(|v| (Cell::Text(v.into()), T::Text)),
        "[0-9]{4}-0[1-9]-[0-2][0-9]( [01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?)?"
            .prop_map(|v| (Cell::Text(v.into()), T::Text)),
        "-?[0-9]{2,3}:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?"
            .prop_map(|v| (Cell::Text(v.into()), T::Text)),
        (-3_020_399_000_000_i64..3_020_399_000_000).prop_map(|v| (Cell::Time(v), T::Time(6))),
        ("[0-9]{4}-0[1-9]-[0-2][0-9] [01][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?").prop_map(
            |v| (
                Cell::DateTime(moment::parse_moment(&v).unwrap_or_default()),
                T::DateTime(6)
            )
        ),
        "[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}".prop_map(|v| (Cell::Text(v.into()), T::Uuid)),
        any::<[u8; 16]>().prop_map(|v| (Cell::Bytes(v.into()), T::Binary)),
        any::<Vec<u8>>().prop_map(|v| (Cell::Bytes(v.into()), T::Binary)),
    ]
}

fn any_type() -> impl Strategy<Value = ColumnType> {
    use ColumnType as T;
    prop::sample::select(vec![
        T::Int,
        T::Year,
        T::Bit,
        T::Decimal,
        T::Float,
        T::Double,
        T::Text,
        T::Enum,
        T::Uuid,
        T::Binary,
        T::Date,
        T::DateTime(0),
        T::DateTime(3),
        T::Timestamp(6),
        T::Time(0),
        T::Time(2),
    ])
}

proptest! {
    #[test]
    fn what_a_key_is_asked_for_by_is_equal_to_it((key, from) in any_key(), to in any_type()) {
        let comparator = Comparator::new(from, to, &Rule::default());
        for cell in spelled(&key, from, to) {
            prop_assert!(comparator.equal(&key, &cell), "{:?} as {:?}", key, cell);
        }
    }

    #[test]
    fn a_key_is_asked_for_as_it_is_in_a_column_of_its_own_type((key, from) in any_key()) {
        let is_in_range = match (&key, from) {
            (Cell::Float(value), _) => value.is_finite(),
            (Cell::Double(value), _) => value.is_finite(),
            (Cell::Int(value), ColumnType::Year) => is_year(&i128::from(*value)),
            (Cell::Decimal(text), _) => Decimal::parse(text).and_then(|n| n.plain(14, 6)).is_some(),
            _ => true,
        };
        let comparator = Comparator::new(from, from, &Rule::default());
        let spelled = spelled(&key, from, from);
        prop_assert_eq!(spelled.iter().any(|cell| comparator.equal(&key, cell)), is_in_range);
    }
}
