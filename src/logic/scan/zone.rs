//! Moments of an update column: instants, zones, precisions.

use chrono::{
    DurationRound as _, NaiveDateTime, NaiveTime, Offset as _, TimeDelta, TimeZone as _,
    Timelike as _,
};

use crate::logic::value::cell::DateTime;

/// `src.timeZone`: a name of the tz database, or a fixed offset such as `+08:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// `Asia/Shanghai`.
    Named(chrono_tz::Tz),
    /// Seconds east of UTC.
    Fixed(i32),
}

impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(tz) => f.write_str(tz.name()),
            Self::Fixed(east_s) => f.write_str(&offset_text(*east_s)),
        }
    }
}

/// The local time of an instant given in UTC.
#[must_use]
pub fn in_zone(zone: Zone, utc: NaiveDateTime) -> NaiveDateTime {
    utc.checked_add_signed(TimeDelta::seconds(i64::from(offset_s(zone, utc))))
        .unwrap_or(utc)
}

fn offset_s(zone: Zone, utc: NaiveDateTime) -> i32 {
    match zone {
        Zone::Named(tz) => tz.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
        Zone::Fixed(east_s) => east_s,
    }
}

/// Seconds east of UTC at a moment in microseconds since 1970.
#[must_use]
pub fn east_s(zone: Zone, at_us: i64) -> i32 {
    let utc = chrono::DateTime::from_timestamp_micros(at_us).unwrap_or_default();
    offset_s(zone, utc.naive_utc())
}

/// `+08:00`.
#[must_use]
pub fn offset_text(east_s: i32) -> String {
    let minutes = east_s.unsigned_abs() / 60;
    let sign = if east_s < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Local bounds that hold every local time which a window of this length, between these ends, passed through. Across
/// a change of the offset the local clock jumps: both ends are then widened to what either offset makes of the other.
#[must_use]
pub fn local_window(
    length: TimeDelta,
    from: NaiveDateTime,
    to: NaiveDateTime,
) -> (NaiveDateTime, NaiveDateTime) {
    if to - from == length {
        return (from, to);
    }
    let other_from = to.checked_sub_signed(length).unwrap_or(from);
    let other_to = from.checked_add_signed(length).unwrap_or(to);
    (from.min(other_from), to.max(other_to))
}

/// Rounded down to this many fraction digits.
#[must_use]
pub fn floored(at: NaiveDateTime, digits: u8) -> NaiveDateTime {
    let step_us = 10_i64.pow(6 - u32::from(digits.min(6)));
    at.duration_trunc(TimeDelta::microseconds(step_us))
        .unwrap_or(at)
}

/// The begin of the day.
#[must_use]
pub fn midnight(at: NaiveDateTime) -> NaiveDateTime {
    at.date().and_time(NaiveTime::MIN)
}

/// The calendar fields.
#[must_use]
pub fn fields(at: NaiveDateTime) -> DateTime {
    use chrono::Datelike as _;
    let small = |value: u32| u8::try_from(value).unwrap_or(0);
    DateTime {
        year: u16::try_from(at.year()).unwrap_or(0),
        month: small(at.month()),
        day: small(at.day()),
        hour: small(at.hour()),
        minute: small(at.minute()),
        second: small(at.second()),
        microsecond: at.nanosecond() / 1_000 % 1_000_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_over_the_end_of_summer_time_holds_both_hours() {
        let berlin = Zone::Named(chrono_tz::Europe::Berlin);
        let (from, to) = (at("2026-10-25T00:59:50"), at("2026-10-25T01:00:05"));
        let (local_from, local_to) = (in_zone(berlin, from), in_zone(berlin, to));
        assert_eq!(
            (local_from, local_to),
            (at("2026-10-25T02:59:50"), at("2026-10-25T02:00:05"))
        );
        let (wide_from, wide_to) = local_window(to - from, local_from, local_to);
        for seen in [
            "2026-10-25T02:59:50",
            "2026-10-25T02:59:59",
            "2026-10-25T02:00:00",
            "2026-10-25T02:00:05",
        ] {
            assert!(wide_from <= at(seen) && at(seen) <= wide_to, "{seen}");
        }
    }

    #[test]
    fn a_window_without_a_change_of_offset_stays_as_it_is() {
        let (from, to) = (at("2026-06-01T00:00:00"), at("2026-06-01T00:01:05"));
        assert_eq!(local_window(to - from, from, to), (from, to));
        assert_eq!(
            in_zone(Zone::Fixed(8 * 3600), from),
            at("2026-06-01T08:00:00")
        );
    }

    #[test]
    fn moments_are_rounded_down_to_the_columns_precision() {
        let moment = at("2026-06-01T00:00:01.987654");
        assert_eq!(floored(moment, 0), at("2026-06-01T00:00:01"));
        assert_eq!(floored(moment, 3), at("2026-06-01T00:00:01.987"));
        assert_eq!(floored(moment, 6), moment);
        assert_eq!(fields(moment).microsecond, 987_654);
        assert_eq!(midnight(moment), at("2026-06-01T00:00:00"));
    }
}
