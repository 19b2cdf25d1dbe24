use super::*;
use crate::logic::compare::cells::{Comparator, Rule};
use crate::logic::value::cell::DateTime;
use ColumnType::{
    Binary, Bit, DateTime as Moment, Decimal, Double, Enum, Float, Int, Json, Text, Time, Uuid,
    Year,
};

fn target<'a>(by_column: &'a str, condition: Option<&'a str>) -> Target<'a> {
    Target {
        name: "copy*/",
        database: "my",
        table: "user",
        by_column,
        condition,
    }
}

/// Columns `a` (text), `b` (integer) and `at` (DATETIME), the last as its server prints it.
fn map() -> ColumnMap {
    let columns = [("a", Text), ("b", Int), ("at", Moment(0))];
    let pairs = columns
        .iter()
        .enumerate()
        .map(|(number, &(name, kind))| Pair {
            name: name.into(),
            source_index: number,
            source_type: kind,
            destination: name.to_uppercase(),
            destination_type: kind,
            in_server_zone: name == "at",
            comparator: Comparator::new(kind, kind, &Rule::default()),
        });
    ColumnMap {
        pairs: pairs.collect(),
        key_type: Int,
        destination_key_type: Text,
    }
}

#[test]
fn a_statement_names_what_it_is_for_and_repairs_no_more() {
    let moment = DateTime {
        year: 2024,
        month: 1,
        day: 2,
        ..DateTime::default()
    };
    let row = |at| Row {
        id: 7,
        key: Cell::Int(5),
        updated: Cell::Null,
        cells: vec![Cell::Text("x".into()), Cell::Int(3), at],
    };
    let (row, null) = (row(Cell::DateTime(moment)), row(Cell::Null));
    let map = map();
    let statement = |target: Target<'_>, row: &Row, verdict: &Verdict, copies| {
        Fix {
            target,
            map: &map,
            wrong: Wrong::Copies {
                row,
                verdict,
                copies,
            },
        }
        .statement()
    };
    let time = "CONVERT_TZ('2024-01-02 00:00:00', @@GLOBAL.time_zone, '+00:00')";
    let plain = target("number", None);
    assert_eq!(
        statement(plain, &row, &Verdict::Missing, 0),
        format!(
            "/* copy* /: missing, id 7 */ INSERT INTO `my`.`user` (`number`, `A`, `B`, `AT`) VALUES ('5', 'x', 3, {time});"
        )
    );
    // The key is one of the columns.
    assert_eq!(
        statement(target("a", None), &null, &Verdict::Missing, 0),
        "/* copy* /: missing, id 7 */ INSERT INTO `my`.`user` (`A`, `B`, `AT`) VALUES ('x', 3, NULL);"
    );
    assert_eq!(
        statement(plain, &row, &Verdict::Different(vec![1]), 1),
        format!(
            "/* copy* /: different, id 7: b */ UPDATE `my`.`user` SET `B` = 3, `AT` = {time} WHERE `number` = '5';"
        )
    );
    assert_eq!(
        statement(
            target("number", Some("x > 1")),
            &null,
            &Verdict::Different(vec![0]),
            2
        ),
        "/* copy* /: different, id 7: a */ UPDATE `my`.`user` SET `A` = 'x', `B` = 3, `AT` = NULL WHERE `number` = '5' AND (x > 1);"
    );
    assert_eq!(
        statement(plain, &row, &Verdict::Agree, 3),
        "-- copy* /: duplicate, id 7: 3 rows have the key '5'; one of them agrees"
    );
    let fix = Fix {
        target: plain,
        map: &map,
        wrong: Wrong::Copies {
            row: &row,
            verdict: &Verdict::Missing,
            copies: 0,
        },
    };
    assert_eq!(fix.heading(), "-- Destination copy* /: table `my`.`user`");
}

#[test]
fn a_number_that_is_none_stays_inside_a_literal() {
    let forged = Cell::Decimal("1); DROP TABLE user; --".into());
    assert_eq!(
        value(&forged, Decimal, Decimal),
        "'1); DROP TABLE user; --'"
    );
    assert_eq!(value(&Cell::Double(f64::NAN), Double, Double), "'NaN'");
    assert_eq!(value(&Cell::Float(f32::INFINITY), Float, Float), "'inf'");
}

#[test]
fn a_value_is_written_for_the_column_that_takes_it() {
    let text = |text: &str| Cell::Text(text.into());
    let moment = Cell::DateTime(DateTime {
        year: 2024,
        microsecond: 120_000,
        ..DateTime::default()
    });
    for (cell, source, destination, expected) in [
        (Cell::Null, Int, Text, "NULL"),
        (Cell::UInt(u64::MAX), Int, Int, "18446744073709551615"),
        (Cell::Int(-5), Int, Text, "'-5'"),
        (Cell::Int(2), Int, Enum, "'2'"),
        (Cell::Int(0), Year, Year, "0"),
        (Cell::Int(513), Bit, Bit, "513"),
        (text("5"), Text, Bit, "5"),
        (Cell::Double(1e25), Double, Double, "1e25"),
        (Cell::Decimal("1.20".into()), Decimal, Decimal, "1.20"),
        (Cell::Decimal("1.20".into()), Decimal, Text, "'1.20'"),
        (text("o'k"), Text, Text, "'o''k'"),
        (text("5"), Text, Text, "'5'"),
        (text("b"), Text, Bit, "'b'"),
        (
            text("{\"a\":\"\\n\"}"),
            Json,
            Json,
            "_utf8mb4 X'7b2261223a225c6e227d'",
        ),
        (text("ab"), Text, Binary, "X'6162'"),
        (Cell::Bytes([0, 255].into()), Binary, Binary, "X'00ff'"),
        (Cell::Bytes((*b"ab").into()), Binary, Binary, "X'6162'"),
        (Cell::Bytes((*b"ab").into()), Binary, Text, "'ab'"),
        (Cell::Bytes([0, 255].into()), Binary, Text, "X'00ff'"),
        (
            text("00112233-4455-6677-8899-aabbccddeeff"),
            Uuid,
            Binary,
            "X'00112233445566778899aabbccddeeff'",
        ),
        (moment, Moment(2), Moment(0), "'2024-00-00 00:00:00.12'"),
        (Cell::Time(-1_000_000), Time(0), Time(0), "'-00:00:01'"),
    ] {
        assert_eq!(value(&cell, source, destination), expected, "{cell:?}");
    }
}

#[test]
fn a_row_that_only_the_destination_has_is_deleted_by_nobody() {
    let map = ColumnMap {
        pairs: vec![],
        key_type: Int,
        destination_key_type: Text,
    };
    let key = Cell::Text("a\nDROP TABLE user;".into());
    for (condition, expected) in [
        (None, ""),
        (Some("a = 1\n OR b = 2"), " AND (a = 1  OR b = 2)"),
    ] {
        let fix = Fix {
            target: target("number", condition),
            map: &map,
            wrong: Wrong::Extra(&key),
        };
        assert_eq!(
            fix.statement(),
            format!(
                "-- /* copy* /: extra */ DELETE FROM `my`.`user` WHERE `number` = _utf8mb4 \
                 X'610a44524f50205441424c4520757365723b'{expected};"
            )
        );
    }
}
