//! Every type of a column, with values at its edges and the least that changes each.

/// A column of the source and its copy.
pub(super) struct Kind {
    /// As declared at the source; `MariaDB's type|the type elsewhere` where not every family has it.
    source: &'static str,
    /// The same at the destination.
    destination: &'static str,
    /// How the owner's code writes what a callback says.
    pub(super) written: &'static str,
    /// Values of the source, and what the destination then holds instead of each, as SQL.
    pub(super) values: &'static [(&'static str, &'static str)],
}

impl Kind {
    pub(super) fn source(&self, is_mariadb: bool) -> &'static str {
        of_family(self.source, is_mariadb)
    }

    pub(super) fn destination(&self, is_mariadb: bool) -> &'static str {
        of_family(self.destination, is_mariadb)
    }

    /// The texts of a value on both sides, which are the same where servers print alike, in SQL.
    pub(super) fn shown(&self, name: &str) -> [String; 2] {
        [self.source, self.destination].map(|declared| {
            if self.written == BYTES {
                format!("HEX({name})")
            } else if declared.starts_with("BIT") || declared.ends_with("ZEROFILL") {
                format!("CAST({name}+0 AS CHAR)")
            } else {
                format!("CAST({name} AS CHAR)")
            }
        })
    }
}

fn of_family(declared: &'static str, is_mariadb: bool) -> &'static str {
    match declared.split_once('|') {
        Some((mariadb, elsewhere)) => {
            if is_mariadb {
                mariadb
            } else {
                elsewhere
            }
        }
        None => declared,
    }
}

type Values = &'static [(&'static str, &'static str)];

/// Bytes that are no UTF-8 are sent as base64.
const BYTES: &str = "FROM_BASE64(?)";

const fn same(declared: &'static str, values: Values) -> Kind {
    copied(declared, declared, values)
}

const fn copied(source: &'static str, destination: &'static str, values: Values) -> Kind {
    Kind {
        source,
        destination,
        written: "?",
        values,
    }
}

const fn bytes(declared: &'static str, values: Values) -> Kind {
    Kind {
        written: BYTES,
        ..same(declared, values)
    }
}

/// Those whose values all servers print alike, so that checksums can tell.
pub(super) const EXACT: &[Kind] = &[
    same("TINYINT", &[("-128", "-127"), ("0", "NULL"), ("NULL", "0")]),
    same("TINYINT UNSIGNED", &[("255", "254")]),
    same("SMALLINT", &[("-32768", "-32767")]),
    same("MEDIUMINT UNSIGNED", &[("16777215", "16777214")]),
    same("INT", &[("-2147483648", "-2147483647")]),
    copied("INT(10) UNSIGNED ZEROFILL", "BIGINT", &[("42", "43")]),
    same(
        "BIGINT",
        &[
            ("-9223372036854775808", "-9223372036854775807"),
            ("9007199254740993", "9007199254740992"),
        ],
    ),
    same(
        "BIGINT UNSIGNED",
        &[
            ("18446744073709551615", "18446744073709551614"),
            ("9223372036854775808", "9223372036854775807"),
        ],
    ),
    copied(
        "BIGINT",
        "BIGINT UNSIGNED",
        &[("9223372036854775807", "9223372036854775808")],
    ),
    same("BOOLEAN", &[("TRUE", "FALSE")]),
    same(
        "DECIMAL(65,30)",
        &[
            (
                "12345678901234567890123456789012345.123456789012345678901234567890",
                "12345678901234567890123456789012345.123456789012345678901234567891",
            ),
            (
                "-99999999999999999999999999999999999.999999999999999999999999999999",
                "-99999999999999999999999999999999999.999999999999999999999999999998",
            ),
            ("0.000000000000000000000000000001", "0"),
        ],
    ),
    same("DECIMAL(10,2) UNSIGNED", &[("0.10", "0.11")]),
    same("BIT(1)", &[("1", "0")]),
    same(
        "BIT(64)",
        &[("18446744073709551615", "18446744073709551614"), ("0", "1")],
    ),
    copied("BIT(8)", "SMALLINT", &[("129", "128")]),
    same("YEAR", &[("1901", "1902"), ("2155", "2154"), ("0", "1901")]),
    same(
        "DATE",
        &[
            ("'0000-00-00'", "NULL"),
            ("'2024-00-00'", "'2024-01-00'"),
            ("'2024-02-29'", "'2024-02-28'"),
            ("'9999-12-31'", "'9999-12-30'"),
        ],
    ),
    same(
        "DATETIME",
        &[
            ("'0000-00-00 00:00:00'", "NULL"),
            ("'1000-01-01 00:00:00'", "'1000-01-01 00:00:01'"),
        ],
    ),
    same(
        "DATETIME(6)",
        &[
            (
                "'2024-02-29 12:34:56.123456'",
                "'2024-02-29 12:34:56.123457'",
            ),
            (
                "'9999-12-31 23:59:59.999999'",
                "'9999-12-31 23:59:59.999998'",
            ),
        ],
    ),
    same(
        "TIMESTAMP NULL",
        &[
            ("'0000-00-00 00:00:00'", "NULL"),
            ("'1970-01-01 00:00:01'", "'1970-01-01 00:00:02'"),
            ("'2024-03-31 01:30:00'", "'2024-03-31 02:30:00'"),
        ],
    ),
    same(
        "TIMESTAMP(6) NULL",
        &[
            (
                "'2024-02-29 12:34:56.123456'",
                "'2024-02-29 12:34:56.123457'",
            ),
            (
                "'2038-01-19 03:14:07.999999'",
                "'2038-01-19 03:14:07.999998'",
            ),
        ],
    ),
    same(
        "TIME",
        &[("'838:59:59'", "'838:59:58'"), ("'00:00:00'", "NULL")],
    ),
    same(
        "TIME(6)",
        &[
            ("'-838:59:59'", "'-838:59:58.999999'"),
            ("'25:00:00.000001'", "'25:00:00.000002'"),
            ("'-00:00:00.000001'", "'00:00:00.000001'"),
        ],
    ),
    // What stands for nothing else than a column's default: latin1 at the source, gbk at the destination.
    same("VARCHAR(20)", &[("'é'", "'e'"), ("'NULL'", "NULL")]),
    same("CHAR(20)", &[("'ü'", "'u'"), ("''", "NULL")]),
    copied(
        "CHAR(10) CHARACTER SET latin1",
        "CHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        &[("'Äé'", "'Äe'"), ("'a'", "'A'")],
    ),
    copied(
        "VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_bin",
        "VARCHAR(10) CHARACTER SET utf8mb4",
        &[
            ("'€ÿ'", "'€y'"),
            ("_latin1 X'8190'", "_latin1 X'81'"),
            ("'a '", "'a'"),
        ],
    ),
    // Letters whose second byte is a backslash in gbk.
    copied(
        "VARCHAR(10) CHARACTER SET gbk COLLATE gbk_bin",
        "VARCHAR(10) CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci",
        &[("'誠縗'", "'誠'"), ("'中文'", "'中闻'")],
    ),
    copied(
        "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
        "VARCHAR(20) CHARACTER SET gbk",
        &[("'誠縗'", "'縗誠'"), ("'a'", "'a '"), ("'\\\\'", "'/'")],
    ),
    copied(
        "VARCHAR(20) CHARACTER SET utf8mb3",
        "CHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        &[("'é'", "'e\u{301}'"), ("'it''s \"so\"'", "'it''s \"s\"'")],
    ),
    copied(
        "VARCHAR(20) CHARACTER SET utf8mb4",
        "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        &[
            ("'🐙'", "'🐟'"),
            ("'ß'", "'ss'"),
            ("'a'", "'a '"),
            ("'a\\0b'", "'a\\0'"),
        ],
    ),
    copied(
        "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        "VARCHAR(20) CHARACTER SET utf8mb4",
        &[("'a\\tb\\nc'", "'a\\tb\\rc'"), ("'A'", "'a'")],
    ),
    copied(
        "VARCHAR(20) CHARACTER SET ascii",
        "VARCHAR(20) CHARACTER SET utf16",
        &[("'~'", "'-'")],
    ),
    copied(
        "VARCHAR(20) CHARACTER SET utf16",
        "VARCHAR(20) CHARACTER SET utf32",
        &[("'a🐙'", "'a'")],
    ),
    copied(
        "TINYTEXT CHARACTER SET latin1",
        "LONGTEXT CHARACTER SET gbk",
        &[("'é'", "'è'")],
    ),
    copied(
        "TEXT CHARACTER SET utf8mb4",
        "MEDIUMTEXT CHARACTER SET gbk",
        &[(
            "REPEAT('long 誠', 3000)",
            "CONCAT(REPEAT('long 誠', 2999), 'long 縗')",
        )],
    ),
    copied(
        "LONGTEXT CHARACTER SET gbk",
        "TEXT CHARACTER SET utf8mb4",
        &[("'x'", "'x '")],
    ),
    copied(
        "ENUM('ä','b','C') CHARACTER SET latin1",
        "ENUM('C','b','ä') CHARACTER SET utf8mb4",
        &[("'ä'", "'b'"), ("'C'", "NULL")],
    ),
    copied(
        "SET('誠','y','z') CHARACTER SET gbk",
        "SET('誠','y','z') CHARACTER SET utf8mb3",
        &[("'誠,z'", "'誠'"), ("''", "NULL")],
    ),
    copied(
        "ENUM('a','b')",
        "VARCHAR(9) CHARACTER SET utf8mb4",
        &[("'a'", "'1'")],
    ),
    bytes("BINARY(4)", &[("X'00ff5c27'", "X'00ff5c26'")]),
    bytes("VARBINARY(20)", &[("X'ff'", "X'ff00'"), ("''", "NULL")]),
    bytes("TINYBLOB", &[("X'c328'", "X'c329'")]),
    bytes("BLOB", &[("X'c328'", "X'c3'")]),
    bytes(
        "LONGBLOB",
        &[("REPEAT(X'fe00', 3000)", "REPEAT(X'fe00', 2999)")],
    ),
    copied(
        "INET6|VARCHAR(45) CHARACTER SET ascii",
        "INET6|VARCHAR(45) CHARACTER SET ascii",
        &[("'2001:db8::1'", "'2001:db8::2'"), ("'::'", "NULL")],
    ),
    copied(
        "INET6|VARCHAR(45)",
        "VARCHAR(45)",
        &[("'2001:db8::ff'", "'2001:db8::fe'")],
    ),
];

/// Those that servers may print otherwise, or whose copies are of another kind.
pub(super) const OTHERWISE: &[Kind] = &[
    same(
        "FLOAT",
        &[
            ("0.1", "0.10000001"),
            ("16777216", "16777218"),
            ("-1.5e-38", "-1.5000003e-38"),
            ("0", "NULL"),
        ],
    ),
    same(
        "DOUBLE",
        &[
            ("0.1", "0.10000000000000002"),
            ("1.7976931348623157e308", "1.7976931348623155e308"),
            ("-9007199254740993e0", "-9007199254740994e0"),
            ("2.2250738585072014e-308", "0"),
        ],
    ),
    copied("FLOAT", "DOUBLE", &[("0.1", "0.10000001")]),
    copied("DOUBLE", "FLOAT", &[("0.25", "0.25000003")]),
    copied("DOUBLE", "DECIMAL(20,2)", &[("1234.5", "1234.51")]),
    copied(
        "DECIMAL(20,4)",
        "DECIMAL(30,10)",
        &[("1.5", "1.5000000001")],
    ),
    copied("INT", "VARCHAR(30)", &[("42", "'43'"), ("0", "''")]),
    copied(
        "VARCHAR(30)",
        "BIGINT UNSIGNED",
        &[("'18446744073709551615'", "18446744073709551614")],
    ),
    copied("YEAR", "INT", &[("2024", "2025")]),
    copied(
        "DATETIME(6)",
        "DATETIME(3)",
        &[("'2024-01-01 00:00:00.123400'", "'2024-01-01 00:00:00.124'")],
    ),
    copied(
        "DATE",
        "DATETIME",
        &[("'2024-02-29'", "'2024-02-29 00:00:01'")],
    ),
    copied(
        "TIMESTAMP(6) NULL",
        "TIMESTAMP(3) NULL",
        &[("'2024-01-01 00:00:00.5'", "'2024-01-01 00:00:00.501'")],
    ),
    // As the source's server prints it.
    copied(
        "TIMESTAMP(6) NULL",
        "DATETIME(6)",
        &[
            ("'2024-01-01 00:00:00.5'", "'2024-01-01 05:30:00.500001'"),
            ("'0000-00-00 00:00:00'", "NULL"),
        ],
    ),
    // As the destination's server prints it, whose zone is not the one that the owner's code writes in.
    Kind {
        written: "CONVERT_TZ(?, '-09:30', '+05:30')",
        ..copied(
            "DATETIME(6)",
            "TIMESTAMP(6) NULL",
            &[("'2024-01-01 00:00:00.5'", "'2024-01-01 09:30:00.500001'")],
        )
    },
    copied(
        "TIME(6)",
        "TIME(3)",
        &[("'-01:02:03.456'", "'-01:02:03.457'")],
    ),
    copied(
        "UUID|CHAR(36)",
        "UUID|CHAR(36)",
        &[(
            "'123e4567-e89b-12d3-a456-426655440000'",
            "'123e4567-e89b-12d3-a456-426655440001'",
        )],
    ),
    copied(
        "UUID|VARCHAR(36)",
        "CHAR(36) CHARACTER SET latin1",
        &[(
            "'123e4567-e89b-12d3-a456-42665544000a'",
            "'123e4567-e89b-12d3-a456-42665544000b'",
        )],
    ),
    same(
        "JSON",
        &[
            (
                r#"'{"b": [1, 2.50, null], "a": "é🐙\\n\\""}'"#,
                r#"'{"b": [1, 2.51, null], "a": "é🐙\\n\\""}'"#,
            ),
            (
                r#"'{"n": 18446744073709551615}'"#,
                r#"'{"n": 18446744073709551614}'"#,
            ),
            (r"'[9007199254740993, 1e20]'", r"'[9007199254740992, 1e20]'"),
            ("'null'", "NULL"),
            ("'{}'", "'[]'"),
        ],
    ),
    copied(
        "JSON",
        "LONGTEXT CHARACTER SET utf8mb4",
        &[(r#"'{"b":1,"a":[]}'"#, r#"'{"b":1,"a":{}}'"#)],
    ),
    bytes(
        "GEOMETRY",
        &[(
            "ST_GeomFromText('POINT(1 2)')",
            "ST_GeomFromText('POINT(1 3)')",
        )],
    ),
];
