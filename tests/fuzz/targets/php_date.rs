//! Formats of PHP's `date()`: one that is taken writes moments in their order, and can be read back.

use arbitrary::{Result, Unstructured};
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, Timelike as _};
use cupid::logic::scan::php_date::PhpDateFormat;

pub(super) fn run(data: &[u8]) {
    let _ = case(&mut Unstructured::new(data));
}

fn case(u: &mut Unstructured<'_>) -> Result<()> {
    let (early, later_us): (i64, u32) = (u.arbitrary()?, u.arbitrary()?);
    let text = std::str::from_utf8(u.peek_bytes(u.len()).unwrap_or_default());
    let Ok(written) = text else { return Ok(()) };
    let format = match PhpDateFormat::parse(written) {
        Ok(format) => format,
        Err(problem) => {
            assert!(
                problem.contains("should "),
                "a refusal says what would do: {problem}"
            );
            return Ok(());
        }
    };
    let late = early.saturating_add(i64::from(later_us) * 1000);
    let (Some(one), Some(other)) = (moment(early), moment(late)) else {
        return Ok(());
    };
    let [first, second] = [(one, early), (other, late)].map(|(local, us)| format.format(local, us));
    // Where four digits write the year and ten the Unix time.
    let writable = |at: &NaiveDateTime, us: i64| {
        if format.is_epoch() {
            (1_000_000_000_000_000..=9_999_999_999_999_999).contains(&us)
        } else {
            (0..=9999).contains(&at.year())
        }
    };
    if writable(&one, early) && writable(&other, late) {
        assert!(
            first <= second,
            "{written:?}: {first:?} should not be above {second:?}"
        );
        assert_eq!(first.len(), second.len(), "{written:?}");
    }
    if writable(&one, early) {
        let step = format.resolution_us();
        let back =
            read(written, &first).unwrap_or_else(|| panic!("{written:?} does not read {first:?}"));
        let expected = if format.is_epoch() {
            early
        } else {
            one.and_utc().timestamp_micros()
        };
        assert_eq!(
            back,
            expected.div_euclid(step) * step,
            "{written:?} wrote {first:?}"
        );
    }
    Ok(())
}

fn moment(epoch_us: i64) -> Option<NaiveDateTime> {
    // A leap second, which chrono writes as a fraction above a second, is none of ours.
    let at = DateTime::from_timestamp_micros(epoch_us)?.naive_utc();
    (at.nanosecond() < 1_000_000_000).then_some(at)
}

/// A reader of its own: microseconds since 1970 of what a format wrote.
fn read(format: &str, text: &str) -> Option<i64> {
    let (mut year, mut month, mut day, mut seconds, mut fraction_us, mut is_epoch) =
        (0, 1, 1, 0_i64, 0, false);
    let mut rest = text;
    let number = |rest: &mut &str, width: usize| -> Option<i64> {
        let (digits, after) = rest.split_at_checked(width)?;
        *rest = after;
        digits.parse().ok()
    };
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match letter {
            'Y' => year = number(&mut rest, 4)?,
            'm' => month = number(&mut rest, 2)?,
            'd' => day = number(&mut rest, 2)?,
            'H' => seconds += number(&mut rest, 2)? * 3600,
            'i' => seconds += number(&mut rest, 2)? * 60,
            's' => seconds += number(&mut rest, 2)?,
            'v' => fraction_us = number(&mut rest, 3)? * 1000,
            'u' => fraction_us = number(&mut rest, 6)?,
            'U' => {
                is_epoch = true;
                seconds = number(&mut rest, 10)?;
            }
            plain => {
                let plain = if plain == '\\' {
                    letters.next().unwrap_or('\\')
                } else {
                    plain
                };
                rest = rest.strip_prefix(plain)?;
            }
        }
    }
    if !rest.is_empty() {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(
        i32::try_from(year).ok()?,
        u32::try_from(month).ok()?,
        u32::try_from(day).ok()?,
    )?;
    let midnight_s = if is_epoch {
        0
    } else {
        day.and_hms_opt(0, 0, 0)?.and_utc().timestamp()
    };
    Some((midnight_s + seconds) * 1_000_000 + fraction_us)
}
