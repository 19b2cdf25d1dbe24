//! Dates, moments and spans of time, compared at the coarser of two precisions.
//!
//! A copy at a coarser precision may have been cut off (`TIME_TRUNCATE_FRACTIONAL`, MariaDB, most programs) or rounded
//! half up (MySQL's default, "Fractional Seconds in Time Values" in its manual): both are right.

use crate::logic::value::cell::DateTime;

const MICROSECONDS: u32 = 1_000_000;

/// The fraction digits that hold any value exactly.
pub(super) const DIGITS_MAX: u8 = 6;

/// Microseconds in one unit of the last digit.
fn unit(digits: u8) -> u32 {
    10_u32.pow(u32::from(DIGITS_MAX - digits.min(DIGITS_MAX)))
}

/// Whether two moments, each held with so many fraction digits, are the same.
pub(super) fn moments_equal(a: DateTime, a_digits: u8, b: DateTime, b_digits: u8) -> bool {
    let (fine, coarse, digits) = match a_digits.cmp(&b_digits) {
        std::cmp::Ordering::Equal => return a == b,
        std::cmp::Ordering::Greater => (a, b, b_digits),
        std::cmp::Ordering::Less => (b, a, a_digits),
    };
    truncate(fine, digits) == coarse || round_half_up(fine, digits) == Some(coarse)
}

/// Whether two spans in microseconds, each held with so many fraction digits, are the same.
pub(super) fn spans_equal(a: i64, a_digits: u8, b: i64, b_digits: u8) -> bool {
    let (fine, coarse, digits) = match a_digits.cmp(&b_digits) {
        std::cmp::Ordering::Equal => return a == b,
        std::cmp::Ordering::Greater => (a, b, b_digits),
        std::cmp::Ordering::Less => (b, a, a_digits),
    };
    let unit = i128::from(unit(digits));
    let (fine, coarse) = (i128::from(fine), i128::from(coarse));
    // Division cuts towards zero, so both hold for a negative span as MySQL has it: by its magnitude.
    fine / unit * unit == coarse || (fine + fine.signum() * (unit / 2)) / unit * unit == coarse
}

/// Cut off after so many fraction digits.
pub(super) fn truncate(moment: DateTime, digits: u8) -> DateTime {
    let unit = unit(digits);
    DateTime {
        microsecond: moment.microsecond / unit * unit,
        ..moment
    }
}

/// Rounds, carrying as far as the year. `None` where MySQL has no value: after 9999, and on the day after a date
/// without a month or a day.
pub(super) fn round_half_up(moment: DateTime, digits: u8) -> Option<DateTime> {
    let unit = unit(digits);
    let microsecond = moment.microsecond.checked_add(unit / 2)? / unit * unit;
    if microsecond < MICROSECONDS {
        return Some(DateTime {
            microsecond,
            ..moment
        });
    }
    let mut next = DateTime {
        microsecond: 0,
        second: moment.second.checked_add(1)?,
        ..moment
    };
    if next.second == 60 {
        next.second = 0;
        next.minute = next.minute.checked_add(1)?;
    }
    if next.minute == 60 {
        next.minute = 0;
        next.hour = next.hour.checked_add(1)?;
    }
    if next.hour == 24 {
        next.hour = 0;
        next = next_day(next)?;
    }
    Some(next)
}

fn next_day(moment: DateTime) -> Option<DateTime> {
    if moment.day == 0 || moment.year > 9999 {
        return None;
    }
    let mut next = DateTime {
        day: moment.day.checked_add(1)?,
        ..moment
    };
    if next.day > days_in_month(next.year, next.month)? {
        next.day = 1;
        next.month += 1; // At most 12 before: the month has days.
    }
    if next.month == 13 {
        next.month = 1;
        next.year += 1;
    }
    (next.year <= 9999).then_some(next)
}

/// The Gregorian calendar, in which MySQL takes the year 0 for no leap year.
fn days_in_month(year: u16, month: u8) -> Option<u8> {
    let leap = year.is_multiple_of(4)
        && (!year.is_multiple_of(100) || (year.is_multiple_of(400) && year != 0));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

/// Reads `2024-01-02`, `2024-01-02 03:04:05` or `2024-01-02 03:04:05.123456` (1 to 6 fraction digits), as MySQL
/// prints them and no other way. Zero dates are read as what they are.
pub(super) fn parse_moment(text: &str) -> Option<DateTime> {
    let (date, time) = match text.split_once(' ') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date.as_bytes() else {
        return None;
    };
    let mut moment = DateTime {
        year: u16::from(two_digits(y1, y2)?) * 100 + u16::from(two_digits(y3, y4)?),
        month: two_digits(m1, m2).filter(|month| *month <= 12)?,
        day: two_digits(d1, d2).filter(|day| *day <= 31)?,
        ..DateTime::default()
    };
    if let Some(time) = time {
        let (clock, microsecond) = split_fraction(time)?;
        let [h1, h2, b':', m1, m2, b':', s1, s2] = *clock.as_bytes() else {
            return None;
        };
        moment.hour = two_digits(h1, h2).filter(|hour| *hour <= 23)?;
        moment.minute = two_digits(m1, m2).filter(|minute| *minute <= 59)?;
        moment.second = two_digits(s1, s2).filter(|second| *second <= 59)?;
        moment.microsecond = microsecond;
    }
    Some(moment)
}

/// Reads `01:02:03`, `1:02:03`, `-838:59:59` or these with 1 to 6 fraction digits, in microseconds.
pub(super) fn parse_span(text: &str) -> Option<i64> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text),
    };
    let (clock, microsecond) = split_fraction(unsigned)?;
    let (hours, rest) = clock.split_once(':')?;
    let [m1, m2, b':', s1, s2] = *rest.as_bytes() else {
        return None;
    };
    if hours.is_empty() || hours.len() > 3 || !hours.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = hours.parse().ok()?;
    let minutes = i64::from(two_digits(m1, m2).filter(|minute| *minute <= 59)?);
    let seconds = i64::from(two_digits(s1, s2).filter(|second| *second <= 59)?);
    let span =
        ((hours * 60 + minutes) * 60 + seconds) * i64::from(MICROSECONDS) + i64::from(microsecond);
    Some(if negative { -span } else { span })
}

/// Splits `05.12` into `05` and 120,000 microseconds.
fn split_fraction(text: &str) -> Option<(&str, u32)> {
    let Some((clock, fraction)) = text.split_once('.') else {
        return Some((text, 0));
    };
    if fraction.is_empty() || fraction.len() > usize::from(DIGITS_MAX) {
        return None;
    }
    let mut microsecond = 0;
    let mut place = MICROSECONDS;
    for byte in fraction.bytes() {
        place /= 10;
        microsecond += u32::from(digit(byte)?) * place;
    }
    Some((clock, microsecond))
}

fn two_digits(tens: u8, ones: u8) -> Option<u8> {
    Some(digit(tens)? * 10 + digit(ones)?)
}

fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}
