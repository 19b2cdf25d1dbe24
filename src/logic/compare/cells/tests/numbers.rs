//! Numbers of every type, their texts, and tolerances.

use super::*;

#[test]
fn exact_numbers_equal_at_any_size() {
    let big = "99999999999999999999999999999999999.999999999999999999999999999999";
    let bigger = "99999999999999999999999999999999999.999999999999999999999999999998";
    let table = [
        (Decimal, dec("1.20"), Decimal, dec("1.2000"), true),
        (Decimal, dec("1.20"), Decimal, dec("1.2001"), false),
        (
            Decimal,
            dec("99999999999999.01"),
            Decimal,
            dec("99999999999999.02"),
            false,
        ), // First cupid: equal.
        (
            Decimal,
            dec("9007199254740992.01"),
            Decimal,
            dec("9007199254740992.02"),
            false,
        ), // First cupid: equal.
        (
            Decimal,
            dec("12345678901234567890.01"),
            Decimal,
            dec("12345678901234567890.02"),
            false,
        ),
        (Decimal, dec(big), Decimal, dec(bigger), false),
        (Decimal, dec(big), Text, t(big), true),
        (Decimal, dec("-0.00"), Decimal, dec("0"), true),
        (Decimal, dec("-1.00"), Decimal, dec("1"), false),
        (Decimal, dec("100.00"), Int, i(100), true),
        (Decimal, dec("0.10"), Decimal, dec("0.01"), false),
        (Decimal, dec("10"), Decimal, dec("1"), false),
        (Decimal, dec("-5.0"), Int, i(-5), true),
        (Decimal, dec("5.5"), Int, i(5), false),
        (Int, i(i64::MAX), Int, Cell::UInt(1 << 63), false),
        (
            Int,
            Cell::UInt(u64::MAX),
            Int,
            Cell::UInt(u64::MAX - 1),
            false,
        ),
        (
            Int,
            Cell::UInt(u64::MAX),
            Decimal,
            dec("18446744073709551615"),
            true,
        ),
        (
            Int,
            Cell::UInt(u64::MAX),
            Decimal,
            dec("18446744073709551616"),
            false,
        ),
        (
            Int,
            Cell::UInt(u64::MAX),
            Text,
            t("18446744073709551615.0"),
            true,
        ), // First cupid: different.
        (
            Int,
            i(i64::MIN),
            Decimal,
            dec("-9223372036854775808.00"),
            true,
        ),
        (
            Int,
            i(9_007_199_254_740_993),
            Text,
            t("9007199254740992"),
            false,
        ),
        (Bit, i(1), Int, i(1), true),
        (Bit, Cell::UInt(u64::MAX), Int, i(-1), false),
        (Year, i(2024), Int, i(2024), true),
        (Year, i(0), Text, t("0000"), true),
    ];
    judge(&exact(), &table);
}

#[test]
fn a_number_equals_its_text() {
    let table = [
        (Int, i(123), Text, t("0123"), true),
        (Int, i(123), Text, t("+123"), true),
        (Int, i(1000), Text, t("1e3"), true),
        (Int, i(1000), Text, t("10.0E+2"), true),
        (Int, i(1), Text, t("1.0"), true),
        (Int, i(1), Text, t("01"), true),
        (Int, i(1), Text, t("1."), true),
        (Decimal, dec("0.50"), Text, t(".5"), true),
        (Decimal, dec("1.20"), Text, t("1.2"), true),
        (Int, i(0), Text, t("-0"), true),
        (Int, i(0), Text, t("0e99999999999999999999"), true),
        (Int, i(1), Enum, t("1"), true),
        (Int, i(123), Text, t(" 123"), false), // First cupid: equal.
        (Int, i(123), Text, t("123 "), false),
        (Int, i(123), Text, t("123abc"), false),
        (Int, i(1), Text, t("true"), false),
        (Int, i(0), Text, t(""), false),
        (Int, i(0), Text, t("."), false),
        (Int, i(0), Text, t("-"), false),
        (Int, i(1), Text, t("1e"), false),
        (Int, i(1), Text, t("e1"), false),
        (Int, i(1), Text, t("1e1.0"), false),
        (Int, i(1), Text, t("1.0.0"), false),
        (Int, i(1), Text, t("--1"), false),
        (Int, i(26), Text, t("0x1A"), false),
        (Int, i(1000), Text, t("1,000"), false),
        (Int, i(1), Text, t("１"), false),
        (Double, Cell::Double(0.0), Text, t("abc"), false),
        (Double, Cell::Double(f64::INFINITY), Text, t("inf"), false),
    ];
    judge(&exact(), &table);
}

#[test]
fn approximate_numbers_equal_what_rounds_to_them() {
    let f = Cell::Float;
    let d = Cell::Double;
    let table = [
        (Float, f(0.0), Float, f(-0.0), true),
        (Double, d(0.0), Double, d(-0.0), true),
        (Double, d(-0.0), Int, i(0), true),
        (Float, f(0.1), Double, d(0.1), true),
        (Float, f(2.236_068), Double, d(2.236_067_98), true), // First cupid: different.
        (Float, f(1.5), Double, d(1.500_001), false),
        (Float, f(f32::INFINITY), Double, d(1e300), false),
        (Double, d(0.300_000_000_000_000_04), Double, d(0.3), false),
        (Double, d(0.1), Decimal, dec("0.10"), true),
        (Double, d(1e15), Decimal, dec("1000000000000000.00"), true),
        (Float, f(1.5), Decimal, dec("1.50"), true),
        (Float, f(0.1), Decimal, dec("0.1"), true),
        (Float, f(0.1), Decimal, dec("0.11"), false),
        (Float, f(16_777_216.0), Decimal, dec("16777217.00"), true), // First cupid: different.
        (Float, f(16_777_216.0), Int, i(16_777_217), true),
        (Float, f(16_777_216.0), Int, i(16_777_219), false),
        (
            Double,
            d(9_007_199_254_740_992.0),
            Int,
            i(9_007_199_254_740_993),
            true,
        ),
        (
            Double,
            d(18_446_744_073_709_551_616.0),
            Int,
            Cell::UInt(u64::MAX),
            true,
        ),
        (Double, d(0.1), Text, t("0.1"), true),
        (Double, d(1e25), Text, t("1e25"), true),
        (Double, d(0.1), Text, t("0.10000000000000001"), true),
        (Double, d(f64::MAX), Text, t("1e400"), false),
        (Float, f(f32::MAX), Double, d(f64::MAX), false),
        (Double, d(1.0), Int, i(2), false),
    ];
    judge(&exact(), &table);
}

#[test]
fn a_tolerance_is_exact_and_inclusive() {
    let table = [
        (Decimal, dec("1.00"), Decimal, dec("1.01"), true),
        (Decimal, dec("1.00"), Decimal, dec("1.0100000001"), false),
        (Decimal, dec("-0.005"), Decimal, dec("0.005"), true),
        (Double, Cell::Double(0.1), Double, Cell::Double(0.11), true),
        (Float, Cell::Float(0.1), Decimal, dec("0.11"), true),
        (Float, Cell::Float(0.1), Decimal, dec("0.111"), false),
        (Float, Cell::Float(0.1), Double, Cell::Double(0.11), true),
        (Int, i(1), Int, i(2), false),
        (
            Int,
            Cell::UInt(u64::MAX),
            Text,
            t("18446744073709551615.01"),
            true,
        ),
        (Text, t("1.0"), Text, t("1"), true),
        (Text, t("1.0"), Text, t("1.005"), true),
        (Text, t("1.0"), Text, t("1.005x"), false),
        (Text, t("a"), Text, t("b"), false),
        (Int, i(0), Text, t("1e-999999999"), true),
        (Int, i(0), Text, t("1e999999999"), false),
        (Text, t("1e999999999"), Text, t("10e999999998"), true),
        (Text, t("1e999999999"), Text, t("2e999999999"), false),
        (Int, Cell::Null, Int, i(0), false),
        (
            Date,
            moment("2024-01-02"),
            Date,
            moment("2024-01-03"),
            false,
        ),
    ];
    judge(&tolerance("0.01"), &table);
    judge(&tolerance("1"), &[(Int, i(1), Int, i(2), true)]);
    judge(&tolerance("0"), &[(Int, i(1), Int, i(2), false)]);
    judge(&tolerance("1e2000"), &[(Int, i(1), Int, i(2), true)]);
    judge(&tolerance("1e-2000"), &[(Int, i(1), Int, i(2), false)]);
}

#[test]
fn hostile_numbers_are_judged_without_being_written_out() {
    let long = "9".repeat(1_000_000);
    let table = [
        (Int, i(1), Text, t("1e1000000000000000000000000"), false),
        (Int, i(1), Text, t("1e-9223372036854775808"), false),
        (
            Int,
            i(1),
            Text,
            t(&format!("1.{}1", "0".repeat(1_000_000))),
            false,
        ),
        (
            Int,
            i(1),
            Text,
            t(&format!("1.{}", "0".repeat(1_000_000))),
            true,
        ),
        (
            Double,
            Cell::Double(1.0),
            Text,
            t(&format!("1e{long}")),
            false,
        ),
        (Double, Cell::Double(1.0), Text, t(&long), false),
        (
            Double,
            Cell::Double(1.0),
            Text,
            t(&format!("0.{long}")),
            true,
        ),
        (
            Json,
            t(&format!("[{long}]")),
            Json,
            t(&format!("[{long}.0]")),
            true,
        ),
    ];
    judge(&exact(), &table);
    let rule = tolerance("0.5");
    judge(&rule, &[(Text, t(&format!("0.{long}")), Int, i(1), true)]);
    judge(&rule, &[(Text, t(&long), Int, i(1), false)]);
    for scale in [i64::MAX, 1_000_000_000, -1_000_000_000, i64::MIN] {
        let rule = Rule {
            tolerance: Some(BigDecimal::new(1.into(), scale)),
            ..Rule::default()
        };
        judge(&rule, &[(Int, i(1), Int, i(2), scale < 0)]);
    }
}

#[test]
fn a_tolerance_reaches_up_to_its_last_place() {
    let line = |a: &str, b: &str, expected| (Text, t(a), Decimal, dec(b), expected);
    judge(
        &tolerance("1e999"),
        &[
            line("8e999", "9e999", true),
            line("7e999", "9e999", false),
            line("8e1000", "9e1000", false),
        ],
    );
}

#[test]
fn no_number_equals_nothing_but_itself() {
    let (single, double) = (Cell::Float, Cell::Double);
    judge(
        &exact(),
        &[
            (Float, single(f32::NAN), Float, single(f32::NAN), true),
            (Float, single(f32::NAN), Float, single(1.0), false),
            (Float, single(f32::NAN), Float, single(f32::INFINITY), false),
            (Double, double(f64::NAN), Double, double(f64::NAN), true),
            (Double, double(f64::NAN), Double, double(1.0), false),
            (
                Double,
                double(f64::NAN),
                Double,
                double(f64::INFINITY),
                false,
            ),
            (Float, single(f32::NAN), Double, double(f64::NAN), false),
        ],
    );
}

#[test]
fn an_exponent_counts_up_to_its_bound_and_is_no_number_beyond() {
    let line = |a: &str, b: &str, expected| (Decimal, dec(a), Text, t(b), expected);
    judge(
        &exact(),
        &[
            line("1e1000000000000000", "10e999999999999999", true),
            line("1e-1000000000000000", "0.1e-999999999999999", true),
            line("1e1000000000000001", "10e1000000000000000", false),
            line("0e99999999999999999999", "0", true),
        ],
    );
}

#[test]
fn an_approximate_number_equals_the_text_that_rounds_to_it_and_no_other() {
    let (single, double) = (Cell::Float, Cell::Double);
    judge(
        &exact(),
        &[
            (Float, single(0.1), Float, single(0.2), false),
            (Float, single(0.0), Float, single(-0.0), true),
            (Float, single(0.1), Decimal, dec("0.1"), true),
            (Float, single(0.1), Decimal, dec("0.2"), false),
            (Float, single(0.1), Text, t("0.10000000149011612"), true),
            (Double, double(0.1), Decimal, dec("0.1"), true),
            (Double, double(0.1), Decimal, dec("0.2"), false),
            (Double, double(0.1), Text, t("0.10000000149011612"), false),
        ],
    );
}
