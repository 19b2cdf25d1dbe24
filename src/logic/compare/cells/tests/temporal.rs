//! Dates, moments, spans, and their texts.

use super::*;
use crate::logic::value::cell::DateTime as Moment;

type Pair = (ColumnType, &'static str, ColumnType, &'static str, bool);

/// Judges pairs of values written as MySQL prints them.
fn judge_pairs(table: &[Pair]) {
    let cell = |column_type, text: &str| match column_type {
        Time(_) => span(text),
        Text => t(text),
        _ => moment(text),
    };
    for (a_type, a, b_type, b, expected) in table {
        let (a, b) = (cell(*a_type, a), cell(*b_type, b));
        judge(&exact(), &[(*a_type, a, *b_type, b, *expected)]);
    }
}

#[test]
fn moments_equal_at_the_coarser_precision() {
    const FINE: &str = "2024-01-02 03:04:05.123456";
    judge_pairs(&[
        // First cupid: different.
        (
            DateTime(0),
            "2024-01-02 03:04:05",
            DateTime(3),
            "2024-01-02 03:04:05.000",
            true,
        ),
        (
            Timestamp(3),
            "2024-01-02 03:04:05.12",
            Timestamp(6),
            "2024-01-02 03:04:05.12",
            true,
        ),
        (
            Timestamp(0),
            "2024-01-02 03:04:05",
            DateTime(0),
            "2024-01-02 03:04:05",
            true,
        ),
        (
            Timestamp(0),
            "2024-01-02 03:04:05",
            DateTime(0),
            "2024-01-02 11:04:05",
            false,
        ),
        (
            DateTime(6),
            FINE,
            DateTime(3),
            "2024-01-02 03:04:05.123",
            true,
        ),
        (
            DateTime(6),
            FINE,
            DateTime(3),
            "2024-01-02 03:04:05.124",
            false,
        ),
        // Cut off, or rounded, but not less.
        (
            DateTime(6),
            FINE,
            DateTime(4),
            "2024-01-02 03:04:05.1234",
            true,
        ),
        (
            DateTime(6),
            FINE,
            DateTime(4),
            "2024-01-02 03:04:05.1235",
            true,
        ),
        (
            DateTime(6),
            FINE,
            DateTime(4),
            "2024-01-02 03:04:05.1233",
            false,
        ),
        (
            DateTime(6),
            FINE,
            DateTime(6),
            "2024-01-02 03:04:05.123457",
            false,
        ),
        (
            DateTime(3),
            "2024-01-02 03:04:05.123",
            DateTime(6),
            "2024-01-02 03:04:05.1225",
            true,
        ),
        (
            DateTime(1),
            "2024-01-02 03:04:05.5",
            DateTime(0),
            "2024-01-02 03:04:06",
            true,
        ),
        (
            DateTime(1),
            "2024-01-02 03:04:05.4",
            DateTime(0),
            "2024-01-02 03:04:06",
            false,
        ),
    ]);
}

#[test]
fn a_date_is_its_days_midnight() {
    // First cupid: different.
    judge_pairs(&[
        (Date, "2024-01-02", DateTime(0), "2024-01-02 00:00:00", true),
        (Date, "2024-01-02", DateTime(6), "2024-01-02 00:00:00", true),
        (
            Date,
            "2024-01-02",
            DateTime(0),
            "2024-01-02 00:00:01",
            false,
        ),
        (
            Date,
            "2024-01-02",
            DateTime(6),
            "2024-01-02 00:00:00.3",
            false,
        ),
        (Date, "2024-01-02", Date, "2024-01-03", false),
    ]);
}

#[test]
fn rounding_carries_as_far_as_the_year() {
    let table = [
        ("2023-12-31 23:59:59.999999", "2024-01-01 00:00:00", true),
        ("2023-12-31 23:59:59.999999", "2023-12-31 23:59:59", true),
        ("2024-02-28 23:59:59.5", "2024-02-29 00:00:00", true),
        ("2023-02-28 23:59:59.5", "2023-03-01 00:00:00", true),
        ("1900-02-28 23:59:59.5", "1900-03-01 00:00:00", true),
        ("2000-02-28 23:59:59.5", "2000-02-29 00:00:00", true),
        ("0000-02-28 23:59:59.5", "0000-03-01 00:00:00", true),
        ("2024-04-30 23:59:59.5", "2024-05-01 00:00:00", true),
        ("2024-01-02 03:59:59.5", "2024-01-02 04:00:00", true),
        ("9999-12-31 23:59:59.5", "9999-12-31 23:59:59", true),
        ("9999-12-31 23:59:59.5", "0000-01-01 00:00:00", false),
        ("9999-12-31 23:59:59.5", "0000-00-00 00:00:00", false),
    ];
    for (fine, coarse, expected) in table {
        judge_pairs(&[(DateTime(6), fine, DateTime(0), coarse, expected)]);
    }
    // The year after the last is none, even if a cell says so.
    let beyond = Cell::DateTime(crate::logic::value::cell::DateTime {
        year: 10_000,
        month: 1,
        day: 1,
        ..Default::default()
    });
    let last = moment("9999-12-31 23:59:59.5");
    judge(&exact(), &[(DateTime(6), last, DateTime(0), beyond, false)]);
}

#[test]
fn zero_dates_equal_only_themselves() {
    judge_pairs(&[
        (Date, "0000-00-00", Date, "0000-00-00", true),
        (Date, "0000-00-00", DateTime(3), "0000-00-00 00:00:00", true),
        (Date, "0000-00-00", Date, "0000-01-01", false),
        (Date, "0000-00-00", Date, "1970-01-01", false),
        (Date, "0000-00-00", Text, "0000-00-00", true),
        (Date, "0000-00-00", Text, "", false),
        (Date, "2024-00-15", Date, "2024-00-15", true),
        (Date, "2024-00-15", Date, "2023-12-15", false),
        // Nothing is the day after a date without a month or a day.
        (
            DateTime(6),
            "2024-00-15 23:59:59.5",
            DateTime(0),
            "2024-00-16 00:00:00",
            false,
        ),
        (
            DateTime(6),
            "2024-01-00 23:59:59.5",
            DateTime(0),
            "2024-01-01 00:00:00",
            false,
        ),
        (
            DateTime(6),
            "0000-00-00 23:59:59.5",
            DateTime(0),
            "0000-00-01 00:00:00",
            false,
        ),
    ]);
    judge(&exact(), &[(Date, moment("0000-00-00"), Int, i(0), false)]);
}

#[test]
fn spans_equal_at_the_coarser_precision() {
    judge_pairs(&[
        (Time(0), "01:02:03", Time(6), "01:02:03", true),
        (Time(0), "01:02:03", Time(0), "01:02:04", false),
        (Time(3), "-00:00:00.500", Time(0), "-00:00:01", true),
        (Time(3), "-00:00:00.500", Time(0), "00:00:00", true),
        (Time(3), "-00:00:00.500", Time(0), "00:00:01", false),
        (Time(3), "00:00:01.499", Time(0), "00:00:02", false),
        (Time(3), "00:59:59.500", Time(0), "01:00:00", true),
        (Time(0), "838:59:59", Time(0), "-838:59:59", false),
        (
            Time(0),
            "01:02:03",
            DateTime(0),
            "0000-00-00 01:02:03",
            false,
        ),
    ]);
    let table = [
        (Time(0), span("00:00:01"), Int, i(1), false),
        (
            Time(6),
            Cell::Time(i64::MIN),
            Time(0),
            Cell::Time(i64::MAX),
            false,
        ),
    ];
    judge(&exact(), &table);
}

#[test]
fn a_moment_equals_its_text() {
    const AT: &str = "2024-01-02 03:04:05";
    judge_pairs(&[
        (DateTime(0), AT, Text, "2024-01-02 03:04:05", true),
        (DateTime(0), AT, Text, "2024-01-02 03:04:05.4", true),
        (DateTime(0), AT, Text, "2024-01-02 03:04:04.5", true),
        (
            DateTime(3),
            "2024-01-02 03:04:05.12",
            Text,
            "2024-01-02 03:04:05.12",
            true,
        ),
        (
            DateTime(3),
            "2024-01-02 03:04:05.12",
            Text,
            "2024-01-02 03:04:05.120000",
            true,
        ),
        (
            DateTime(3),
            "2024-01-02 03:04:05.12",
            Text,
            "2024-01-02 03:04:05",
            false,
        ),
        (Date, "2024-01-02", Text, "2024-01-02", true),
        (Date, "2024-01-02", Text, "2024-01-02 00:00:00", true),
        (Date, "2024-01-02", Text, "2024-1-2", false),
        (Date, "2024-01-02", Text, "2024-13-02", false),
        (DateTime(0), AT, Text, "2024-01-02T03:04:05", false),
        (DateTime(0), AT, Text, "2024-01-02 03:04:05 ", false),
        (DateTime(0), AT, Text, "2024-01-02 03:04:05.", false),
        (DateTime(0), AT, Text, "2024-01-02 03:04:05.1234567", false),
        (DateTime(0), AT, Text, "2024-01-02 3:04:05", false),
        (DateTime(0), AT, Text, "20240102030405", false),
        (Time(0), "01:02:03", Text, "1:02:03", true), // First cupid: different.
        (Time(0), "01:02:03", Text, "01:02:03", true),
        (Time(0), "01:02:03", Text, "001:02:03", true),
        (Time(0), "-12:00:01", Text, "-12:00:01", true),
        (Time(3), "01:02:03.5", Text, "01:02:03.500", true),
        (Time(0), "01:02:03", Text, "1:2:3", false),
        (Time(0), "01:02:03", Text, "01:02", false),
        (Time(0), "01:02:03", Text, "+01:02:03", false),
        (Time(0), "01:02:03", Text, "010203", false),
    ]);
    let table = [
        (DateTime(0), moment(AT), Binary, b(AT.as_bytes()), true),
        (DateTime(0), moment(AT), Int, i(20_240_102_030_405), false),
        (DateTime(0), moment(AT), Int, i(1_704_164_645), false),
    ];
    judge(&exact(), &table);
}

#[test]
fn a_year_that_no_server_has_is_rounded_to_nothing() {
    let eve = |year| Moment {
        year,
        month: 12,
        day: 31,
        hour: 23,
        minute: 59,
        second: 59,
        microsecond: 600_000,
    };
    let new_year = |year| Moment {
        year,
        month: 1,
        day: 1,
        ..Moment::default()
    };
    for (year, next, expected) in [
        (2023, 2024, true),
        (9998, 9999, true),
        (9999, 10_000, false),
        (u16::MAX, 0, false),
    ] {
        let (fine, coarse) = (Cell::DateTime(eve(year)), Cell::DateTime(new_year(next)));
        judge(
            &exact(),
            &[(DateTime(6), fine, DateTime(0), coarse, expected)],
        );
    }
    let day_before = Moment {
        day: 30,
        ..eve(9999)
    };
    let day = Moment {
        year: 9999,
        month: 12,
        day: 31,
        ..Moment::default()
    };
    let (fine, coarse) = (Cell::DateTime(day_before), Cell::DateTime(day));
    judge(&exact(), &[(DateTime(6), fine, DateTime(0), coarse, true)]);
}

#[test]
fn a_span_is_cut_off_or_rounded_and_has_three_digits_of_hours_at_the_most() {
    judge_pairs(&[
        (Time(6), "00:00:01.600000", Time(0), "00:00:01", true),
        (Time(6), "00:00:01.600000", Time(0), "00:00:02", true),
        (Time(6), "00:00:01.400000", Time(0), "00:00:02", false),
        (Time(6), "-00:00:01.600000", Time(0), "-00:00:01", true),
        (Text, "0001:02:03", Time(0), "01:02:03", false),
        (Text, ":02:03", Time(0), "00:02:03", false),
    ]);
}
