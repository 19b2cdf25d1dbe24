//! NULL, text, binary, JSON and UUID.

use super::*;

#[test]
fn null_equals_only_null() {
    let table = [
        (Text, Cell::Null, Text, Cell::Null, true),
        (Text, Cell::Null, Text, t(""), false), // First cupid: equal.
        (Text, Cell::Null, Text, t("0"), false),
        (Text, Cell::Null, Text, t(" "), false),
        (Text, Cell::Null, Text, t("NULL"), false),
        (Text, Cell::Null, Text, t("null"), false),
        (Text, Cell::Null, Text, t("<null>"), false),
        (Text, Cell::Null, Text, t("\\N"), false),
        (Binary, Cell::Null, Binary, b(b""), false),
        (Int, Cell::Null, Int, i(0), false),
        (Double, Cell::Null, Double, Cell::Double(0.0), false),
        (Json, Cell::Null, Json, t("null"), false),
        (Date, Cell::Null, Date, moment("0000-00-00"), false),
    ];
    judge(&exact(), &table);
}

#[test]
fn null_equals_empty_only_by_rule() {
    let rule = Rule {
        null_equals_empty: true,
        ..Rule::default()
    };
    let table = [
        (Text, Cell::Null, Text, t(""), true),
        (Text, Cell::Null, Binary, b(b""), true),
        (Text, Cell::Null, Text, t(" "), false),
        (Text, Cell::Null, Text, t("0"), false),
        (Int, Cell::Null, Int, i(0), false),
        (Text, t(""), Int, i(0), false),
        (Date, Cell::Null, Date, moment("0000-00-00"), false),
    ];
    judge(&rule, &table);
    let trimmed = Rule { trim: true, ..rule };
    judge(&trimmed, &[(Text, Cell::Null, Text, t(" "), true)]);
}

#[test]
fn text_equals_text_by_characters() {
    let pairs = [
        ("1.0", "1"), // First cupid: equal, as the next lines where both look like numbers.
        ("1e3", "1000"),
        (" 1", "1"),
        ("0123", "123"),
        ("+1", "1"),
        ("0e12345", "0e99999"),
        ("9007199254740992.01", "9007199254740992.02"),
        ("100000000000000000000", "1e20"),
        ("0.1", "0.10000000000000001"),
        ("1e-400", "0"),
        ("abc", "ABC"),
        (" a", "a"),
        ("a ", "a"),
        ("1 ", "1"),
        ("0", ""),
        ("false", "0"),
        ("1a", "1"),
        ("0x1A", "26"),
        ("1,000", "1000"),
        ("é", "e"),
        ("é", "e\u{301}"),
        ("2024-01-02", "2024-01-02 00:00:00"),
        ("1:02:03", "01:02:03"),
        ("{\"a\":1}", "{\"a\": 1}"),
    ];
    for (x, y) in pairs {
        judge(
            &exact(),
            &[
                (Text, t(x), Text, t(y), false),
                (Text, t(x), Text, t(x), true),
                (Text, t(x), Enum, t(y), false),
                (Binary, b(x.as_bytes()), Binary, b(y.as_bytes()), false),
                (Text, t(x), Binary, b(y.as_bytes()), false),
                (Text, t(x), Binary, b(x.as_bytes()), true),
            ],
        );
    }
}

#[test]
fn enum_set_and_binary() {
    let table = [
        (Enum, t("b"), Text, t("b"), true),
        (Enum, t("b"), Text, t("B"), false),
        (Set, t("a,b"), Set, t("a,b"), true),
        (Set, t("a,b"), Set, t("b,a"), false),
        (Set, t("a,b"), Text, t("a,b"), true),
        (Binary, b(b"a\0\0\0"), Binary, b(b"a"), false),
        (Binary, b(&[0xc3, 0xa9]), Binary, b(&[0xc3, 0xa8]), false),
        (Binary, b(&[0xff]), Binary, b(&[0xff]), true),
        (Binary, b(&[0xff]), Text, t("/w=="), false), // What it prints as.
        (Binary, b(&[0xff]), Text, t("\u{ff}"), false),
        (Binary, b("é".as_bytes()), Text, t("é"), true),
        (Binary, b(b"1.20"), Decimal, dec("1.2"), true),
    ];
    judge(&exact(), &table);
}

#[test]
fn json_equals_by_value() {
    let equal = [
        ("{\"a\":1,\"b\":[1,2]}", "{ \"b\": [1, 2], \"a\": 1 }"),
        ("1", "1.0"),
        ("[1e0, -0]", "[1.00,0]"),
        ("100000000000000000000", "1e20"),
        ("0.1", "1E-1"),
        ("\"\\u4e2d\\/\"", "\"中/\""),
        ("{\"a\\u0062\":null}", "{\"ab\":null}"),
        ("1e99999999999999999999", " 1e99999999999999999999"),
    ];
    let different = [
        ("9007199254740993", "9007199254740992"),
        ("18446744073709551615", "18446744073709551614"),
        ("0.30000000000000004", "0.3"),
        ("12345678901234567890.01", "12345678901234567890.02"),
        ("[1,2]", "[2,1]"),
        ("[1]", "[1,1]"),
        ("{\"a\":1}", "{\"a\":1,\"b\":1}"),
        ("{\"a\":1}", "{\"b\":1}"),
        ("{\"a\":null}", "{}"),
        ("1", "\"1\""),
        ("null", "\"null\""),
        ("true", "1"),
        ("\"a\"", "\"A\""),
        ("{\"a\":1}", "{\"a\":1"),
        ("{a:1}", "{a: 1}"),
        ("1e99999999999999999999", "1e99999999999999999998"),
        ("{\"$serde_json::private::Number\":\"1\"}", "1"),
    ];
    for (pairs, expected) in [(&equal[..], true), (&different[..], false)] {
        for (x, y) in pairs {
            judge(
                &exact(),
                &[
                    (Json, t(x), Json, t(y), expected),
                    (Json, t(x), Text, t(y), expected),
                    (Json, t(x), Binary, b(y.as_bytes()), expected),
                ],
            );
        }
    }
    judge(&exact(), &[(Json, t("1.0"), Int, i(1), true)]);
}

#[test]
fn json_nested_without_end_is_compared_as_text() {
    let nested = |inner: &str| {
        let depth = 200_000;
        t(&format!(
            "{}{inner}{}",
            "[".repeat(depth),
            "]".repeat(depth)
        ))
    };
    let table = [
        (Json, nested("1"), Json, nested("1"), true),
        (Json, nested("1"), Json, nested("1.0"), false),
    ];
    judge(&exact(), &table);
}

#[test]
fn a_uuid_equals_its_text_in_either_case_and_its_bytes() {
    let text = "123e4567-e89b-12d3-a456-426614174000";
    let bytes = [
        0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b, 0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66, 0x14, 0x17, 0x40, 0,
    ];
    let table = [
        (Uuid, t(text), Text, t(&text.to_uppercase()), true),
        (Uuid, t(text), Uuid, t(&text.to_uppercase()), true),
        (Uuid, t(text), Binary, b(&bytes), true),
        (Uuid, t(text), Binary, b(&bytes[..15]), false),
        (Uuid, t(text), Binary, b(text.as_bytes()), true),
        (Uuid, t(text), Text, t(&text.replace('-', "")), false),
        (
            Uuid,
            t("-23e4567-e89b-12d3-a456-426614174000"),
            Binary,
            b(&bytes),
            false,
        ),
        (Text, t(text), Text, t(&text.to_uppercase()), false),
        (Text, t(text), Binary, b(&bytes), false),
    ];
    judge(&exact(), &table);
}

#[test]
fn trim_and_ignore_case_loosen_text() {
    let trim = Rule {
        trim: true,
        ..Rule::default()
    };
    let table = [
        (Text, t(" a\t"), Text, t("a\u{a0}"), true),
        (Text, t("a b"), Text, t("ab"), false),
        (Text, t("A"), Text, t("a"), false),
        (Binary, b(b"a "), Text, t("a"), true),
        (Binary, b(&[0xff, b' ']), Binary, b(&[0xff]), false),
        (Int, i(123), Text, t("\n123 "), true),
        (Date, moment("2024-01-02"), Text, t(" 2024-01-02"), true),
    ];
    judge(&trim, &table);
    let ignore_case = Rule {
        ignore_case: true,
        ..Rule::default()
    };
    let table = [
        (Text, t("ÀB"), Text, t("àb"), true),
        (Text, t("ΟΔΟΣ"), Text, t("οδος"), true),
        (Text, t("é"), Text, t("e"), false),
        (Text, t("a "), Text, t("A"), false),
        (Enum, t("A"), Text, t("a"), true),
        (Json, t("{\"A\":1}"), Json, t("{\"a\":1}"), true),
    ];
    judge(&ignore_case, &table);
}
