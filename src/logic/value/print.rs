//! Cells as text: as MySQL prints them, and as reports show them.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::logic::value::cell::{Cell, ColumnType, DateTime};
use crate::logic::value::charset::Encoded;
use crate::logic::value::sql::hexadecimal;

/// How a report shows NULL, as `SELECT … INTO OUTFILE` does.
pub const REPORT_NULL: &str = "\\N";

/// The text that MySQL prints for a value of this column, except that
///
/// * `FLOAT` and `DOUBLE` have the shortest digits that read back as the same value (MySQL's own text of a `FLOAT`
///   loses digits after the sixth);
/// * binary that is not valid UTF-8, and text that has no characters in Unicode, is base64 (RFC 4648, padded);
/// * NULL is `NULL`; where that must not be confused with text, use [`report_text`].
#[must_use]
pub fn text(cell: &Cell, column_type: ColumnType) -> Cow<'_, str> {
    match cell {
        Cell::Null => Cow::Borrowed("NULL"),
        Cell::Int(value) if column_type == ColumnType::Year => Cow::Owned(format!("{value:04}")),
        Cell::Int(value) => Cow::Owned(value.to_string()),
        Cell::UInt(value) => Cow::Owned(value.to_string()),
        Cell::Float(value) => Cow::Owned(float(&format!("{value:e}"))),
        Cell::Double(value) => Cow::Owned(float(&format!("{value:e}"))),
        Cell::Decimal(text) | Cell::Text(text) => Cow::Borrowed(text),
        Cell::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(BASE64_STANDARD.encode(bytes)),
        },
        Cell::Encoded(encoded) => {
            let Encoded {
                characters, bytes, ..
            } = Encoded::parse(encoded);
            Cow::Owned(characters.unwrap_or_else(|| BASE64_STANDARD.encode(bytes)))
        }
        Cell::DateTime(value) => Cow::Owned(date_time(value, column_type)),
        Cell::Time(value) => Cow::Owned(time(*value, column_type)),
    }
}

/// The same for a report, where NULL is [`REPORT_NULL`]. So that no other value looks like it, a text that begins
/// with a backslash has this first backslash doubled: NULL is `\N`, the text `\N` is `\\N`, the text `a\b` is itself.
/// Bytes that are no text are `0x…`.
#[must_use]
pub fn report_text(cell: &Cell, column_type: ColumnType) -> Cow<'_, str> {
    if *cell == Cell::Null {
        return Cow::Borrowed(REPORT_NULL);
    }
    let text = match cell {
        Cell::Bytes(bytes) if std::str::from_utf8(bytes).is_err() => hexadecimal(bytes).into(),
        Cell::Encoded(encoded) => {
            let Encoded {
                characters, bytes, ..
            } = Encoded::parse(encoded);
            characters.unwrap_or_else(|| hexadecimal(bytes)).into()
        }
        _ => text(cell, column_type),
    };
    if text.starts_with('\\') {
        Cow::Owned(format!("\\{text}"))
    } else {
        text
    }
}

/// Turns Rust's shortest `1.5e2` into MySQL's choice between `150` and `1.5e25`: an exponent only where the point would
/// stand more than 15 digits after the first digit or 14 zeros before it (`my_gcvt` in MySQL's strings/dtoa.cc).
fn float(scientific: &str) -> String {
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific.to_owned(); // NaN or infinite, which MySQL does not hold.
    };
    let point: i32 = exponent.parse().unwrap_or(0) + 1; // Rust prints an exponent that fits.
    if !(-14..=15).contains(&point) {
        return scientific.to_owned();
    }
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    match usize::try_from(point) {
        Ok(point @ 1..) if digits.len() <= point => format!("{sign}{digits:0<point$}"),
        Ok(point @ 1..) => format!("{sign}{}.{}", &digits[..point], &digits[point..]),
        _ => {
            let zeros = usize::try_from(-point).unwrap_or(0);
            format!("{sign}0.{:0<zeros$}{digits}", "")
        }
    }
}

fn date_time(value: &DateTime, column_type: ColumnType) -> String {
    let DateTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
        microsecond,
    } = *value;
    let date = format!("{year:04}-{month:02}-{day:02}");
    if column_type == ColumnType::Date {
        return date;
    }
    let fraction = fraction(u64::from(microsecond), column_type);
    format!("{date} {hour:02}:{minute:02}:{second:02}{fraction}")
}

fn time(microseconds: i64, column_type: ColumnType) -> String {
    let sign = if microseconds < 0 { "-" } else { "" };
    let microseconds = microseconds.unsigned_abs();
    let seconds = microseconds / 1_000_000;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = fraction(microseconds % 1_000_000, column_type);
    format!("{sign}{hour:02}:{minute:02}:{second:02}{fraction}")
}

/// The point and exactly the declared digits; in a column of another type, all digits or none.
fn fraction(microsecond: u64, column_type: ColumnType) -> String {
    let digits = match column_type {
        ColumnType::DateTime(digits) | ColumnType::Timestamp(digits) | ColumnType::Time(digits) => {
            usize::from(digits.min(6))
        }
        _ if microsecond == 0 => 0,
        _ => 6,
    };
    if digits == 0 {
        return String::new();
    }
    format!(".{}", &format!("{microsecond:06}")[..digits])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOMENT: Cell = Cell::DateTime(DateTime {
        year: 2024,
        month: 1,
        day: 2,
        hour: 3,
        minute: 4,
        second: 5,
        microsecond: 120_000,
    });
    const ZERO: Cell = Cell::DateTime(DateTime {
        year: 0,
        month: 0,
        day: 0,
        hour: 0,
        minute: 0,
        second: 0,
        microsecond: 0,
    });

    #[test]
    fn every_type_prints_as_mysql_prints_it() {
        let bytes = |bytes: &[u8]| Cell::Bytes(bytes.into());
        let table = [
            (Cell::Int(-5), ColumnType::Int, "-5"),
            (
                Cell::UInt(u64::MAX),
                ColumnType::Int,
                "18446744073709551615",
            ),
            (Cell::Int(513), ColumnType::Bit, "513"),
            (Cell::Int(2024), ColumnType::Year, "2024"),
            (Cell::Int(0), ColumnType::Year, "0000"),
            (
                Cell::Decimal("1234.50".into()),
                ColumnType::Decimal,
                "1234.50",
            ),
            (MOMENT, ColumnType::Date, "2024-01-02"),
            (MOMENT, ColumnType::DateTime(0), "2024-01-02 03:04:05"),
            (MOMENT, ColumnType::DateTime(3), "2024-01-02 03:04:05.120"),
            (
                MOMENT,
                ColumnType::Timestamp(6),
                "2024-01-02 03:04:05.120000",
            ),
            (MOMENT, ColumnType::Text, "2024-01-02 03:04:05.120000"),
            (ZERO, ColumnType::Text, "0000-00-00 00:00:00"),
            (ZERO, ColumnType::Date, "0000-00-00"),
            (ZERO, ColumnType::DateTime(0), "0000-00-00 00:00:00"),
            (ZERO, ColumnType::DateTime(2), "0000-00-00 00:00:00.00"),
            (
                Cell::Time(-43_201_500_000),
                ColumnType::Time(3),
                "-12:00:01.500",
            ),
            (
                Cell::Time(3_020_399_000_000),
                ColumnType::Time(0),
                "838:59:59",
            ),
            (Cell::Time(0), ColumnType::Time(0), "00:00:00"),
            (Cell::Float(0.1), ColumnType::Float, "0.1"),
            (Cell::Float(16_777_216.0), ColumnType::Float, "16777216"),
            (Cell::Double(0.1), ColumnType::Double, "0.1"),
            (Cell::Double(1e25), ColumnType::Double, "1e25"),
            (Cell::Double(-1.5e25), ColumnType::Double, "-1.5e25"),
            (Cell::Double(1e14), ColumnType::Double, "100000000000000"),
            (Cell::Double(1e15), ColumnType::Double, "1e15"),
            (Cell::Double(1e-15), ColumnType::Double, "0.000000000000001"),
            (Cell::Double(1e-16), ColumnType::Double, "1e-16"),
            (Cell::Double(-0.05), ColumnType::Double, "-0.05"),
            (Cell::Double(1.0), ColumnType::Double, "1"),
            (Cell::Double(0.0), ColumnType::Double, "0"),
            (Cell::Double(-0.0), ColumnType::Double, "-0"),
            (Cell::Double(123.25), ColumnType::Double, "123.25"),
            (Cell::Text("é".into()), ColumnType::Text, "é"),
            (bytes("é".as_bytes()), ColumnType::Binary, "é"),
            (bytes(&[0x00, 0xff, 0x10]), ColumnType::Binary, "AP8Q"),
            (bytes(&[0xff]), ColumnType::Binary, "/w=="),
        ];
        for (cell, column_type, expected) in table {
            assert_eq!(
                text(&cell, column_type),
                expected,
                "{cell:?} as {column_type:?}"
            );
        }
    }

    #[test]
    fn no_text_in_a_report_looks_like_null() {
        let shown =
            |text: &str| report_text(&Cell::Text(text.into()), ColumnType::Text).into_owned();
        assert_eq!(report_text(&Cell::Null, ColumnType::Text), "\\N");
        assert_eq!(shown("\\N"), "\\\\N");
        assert_eq!(shown("\\\\N"), "\\\\\\N");
        assert_eq!(shown("a\\N"), "a\\N");
        assert_eq!(shown("NULL"), "NULL");
        assert_eq!(shown(""), "");
    }

    proptest! {
        #[test]
        fn two_texts_never_look_the_same_in_a_report(a in "[\\\\Na]{0,4}", b in "[\\\\Na]{0,4}") {
            let shown = |text: &str| report_text(&Cell::Text(text.into()), ColumnType::Text).into_owned();
            prop_assert_eq!(a == b, shown(&a) == shown(&b));
            prop_assert_ne!(shown(&a), REPORT_NULL);
        }

        #[test]
        fn a_float_reads_back_as_itself(value in any::<f32>().prop_filter("finite", |v| v.is_finite())) {
            let text = text(&Cell::Float(value), ColumnType::Float).into_owned();
            prop_assert_eq!(text.parse::<f32>().map(f32::to_bits), Ok(value.to_bits()));
        }

        #[test]
        fn a_double_reads_back_as_itself(
            value in prop_oneof![any::<f64>(), -1e20..1e20, -1e-10..1e-10].prop_filter("finite", |v| v.is_finite())
        ) {
            let text = text(&Cell::Double(value), ColumnType::Double).into_owned();
            prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
        }

        #[test]
        fn no_field_however_wrong_makes_printing_fail(
            span in any::<i64>(), year in any::<u16>(), small in any::<[u8; 5]>(), microsecond in any::<u32>(),
            digits in any::<u8>(),
        ) {
            let [month, day, hour, minute, second] = small;
            let moment = Cell::DateTime(DateTime { year, month, day, hour, minute, second, microsecond });
            for column_type in [ColumnType::DateTime(digits), ColumnType::Time(digits), ColumnType::Text] {
                prop_assert!(!text(&moment, column_type).is_empty());
                prop_assert!(!text(&Cell::Time(span), column_type).is_empty());
            }
        }
    }
}
