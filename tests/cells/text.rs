//! Text, binary, JSON, ENUM and SET.

use super::{judge, pair};

#[test]
fn text_agrees_by_characters_whatever_the_charsets() {
    judge(&[
        pair(
            "VARCHAR(20)",
            "VARCHAR(20)",
            &[("'a'", "'a'"), ("''", "''"), ("'🐙'", "'🐙'")],
            &[
                ("'a'", "'A'"),
                ("'e'", "'é'"),
                ("'a'", "'a '"),
                ("''", "NULL"),
                ("NULL", "''"),
                ("'NULL'", "NULL"),
                ("NULL", "'NULL'"),
                ("'1.0'", "'1'"),
                ("'0'", "''"),
                ("'ß'", "'ss'"),
            ],
        ),
        pair(
            "VARCHAR(20) CHARACTER SET latin1",
            "VARCHAR(20) CHARACTER SET utf8mb4",
            &[("'é'", "'é'"), ("'ÿ'", "'ÿ'")],
            &[("'é'", "'e'")],
        ),
        pair(
            "VARCHAR(20) CHARACTER SET gbk",
            "TEXT CHARACTER SET utf8mb4",
            &[("'中文'", "'中文'")],
            &[("'中文'", "'中'")],
        ),
        pair(
            "VARCHAR(20) CHARACTER SET utf16",
            "VARCHAR(20) CHARACTER SET utf8mb4",
            &[("'aé中'", "'aé中'")],
            &[("'a'", "'b'")],
        ),
        pair(
            "CHAR(10)",
            "VARCHAR(10)",
            &[("'ab'", "'ab'"), ("''", "''")],
            &[("'ab'", "'abc'")],
        ),
        pair(
            "CHAR(10)",
            "CHAR(20)",
            &[("'ab'", "'ab'"), ("'ab'", "'ab   '")],
            &[("'ab'", "'Ab'")],
        ),
        pair("TINYTEXT", "LONGTEXT", &[("'x'", "'x'")], &[("'x'", "'y'")]),
        pair(
            "MEDIUMTEXT",
            "MEDIUMTEXT",
            &[("REPEAT('long ', 50000)", "REPEAT('long ', 50000)")],
            &[("REPEAT('x', 100000)", "CONCAT(REPEAT('x', 99999), 'y')")],
        ),
    ]);
}

#[test]
fn binary_agrees_by_bytes() {
    judge(&[
        pair(
            "VARBINARY(20)",
            "VARBINARY(20)",
            &[("X'00ff'", "X'00ff'"), ("''", "''")],
            &[
                ("X'00ff'", "X'00fe'"),
                ("X'00'", "''"),
                ("'a'", "'A'"),
                ("'a'", "'a '"),
            ],
        ),
        pair(
            "BINARY(4)",
            "BINARY(4)",
            &[("X'00010203'", "X'00010203'"), ("X'01'", "X'01'")],
            &[("X'00010203'", "X'00010204'")],
        ),
        pair(
            "BLOB",
            "LONGBLOB",
            &[("X'c328'", "X'c328'")],
            &[("X'c328'", "X'c329'")],
        ),
        pair("BIT(8)", "BIT(8)", &[("b'10000001'", "129")], &[("1", "2")]),
        pair(
            "BIT(64)",
            "BIGINT UNSIGNED",
            &[("18446744073709551615", "18446744073709551615"), ("5", "5")],
            &[("5", "6")],
        ),
        pair(
            "BIT(1)",
            "TINYINT",
            &[("1", "1"), ("0", "0")],
            &[("1", "0")],
        ),
    ]);
}

#[test]
fn json_agrees_by_value() {
    judge(&[pair(
        "JSON",
        "JSON",
        &[
            ("'{\"a\": 1, \"b\": [1, 2]}'", "'{\"b\":[1,2],\"a\":1}'"),
            ("'[ ]'", "'[]'"),
            ("'\"\\\\u00e9\"'", "'\"é\"'"),
            ("'null'", "'null'"),
            (
                "'{\"n\": 18446744073709551615}'",
                "'{ \"n\" : 18446744073709551615 }'",
            ),
        ],
        &[
            ("'{\"a\": 1}'", "'{\"a\": 2}'"),
            ("'[1, 2]'", "'[2, 1]'"),
            ("'{\"a\": 1}'", "'{\"a\": \"1\"}'"),
            ("'null'", "NULL"),
            ("'{\"n\": 9007199254740993}'", "'{\"n\": 9007199254740992}'"),
            (
                "'{\"n\": 18446744073709551615}'",
                "'{\"n\": 18446744073709551614}'",
            ),
            ("'{}'", "'[]'"),
            ("'true'", "'1'"),
        ],
    )]);
}

#[test]
fn enum_and_set_agree_by_text() {
    judge(&[
        pair(
            "ENUM('a','b')",
            "ENUM('b','a')",
            &[("'a'", "'a'"), ("'b'", "'b'")],
            &[("'a'", "'b'")],
        ),
        pair(
            "ENUM('a','b')",
            "VARCHAR(9)",
            &[("'a'", "'a'")],
            &[("'a'", "'1'")],
        ),
        pair(
            "SET('a','b')",
            "SET('a','b')",
            &[("'a,b'", "'b,a'"), ("''", "''")],
            &[("'a'", "'a,b'"), ("''", "NULL")],
        ),
        pair(
            "SET('a','b')",
            "VARCHAR(9)",
            &[("'a,b'", "'a,b'")],
            &[("'a,b'", "'a'")],
        ),
    ]);
}
