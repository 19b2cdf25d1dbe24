use super::*;
use proptest::prelude::*;

fn moment(epoch_us: i64) -> NaiveDateTime {
    chrono::DateTime::from_timestamp_micros(epoch_us)
        .unwrap()
        .naive_utc()
}

#[test]
fn formats_of_the_first_cupid_write_what_php_writes() {
    let epoch_us = 1_704_164_645_678_901; // 2024-01-02 03:04:05.678901 UTC
    for (format, text, resolution_us) in [
        ("Y-m-d H:i:s", "2024-01-02 03:04:05", 1_000_000),
        ("Y-m-d", "2024-01-02", 86_400_000_000),
        ("Y/m/d H:i", "2024/01/02 03:04", 60_000_000),
        ("YmdH", "2024010203", 3_600_000_000),
        ("YmdHis", "20240102030405", 1_000_000),
        ("Y-m-d\\TH:i:s.v\\Z", "2024-01-02T03:04:05.678Z", 1_000),
        ("Y-m-d H:i:s.u", "2024-01-02 03:04:05.678901", 1),
        ("U", "1704164645", 1_000_000),
        ("Uv", "1704164645678", 1_000),
        ("Uu", "1704164645678901", 1),
        ("U.u", "1704164645.678901", 1),
        ("Y年m月d日", "2024年01月02日", 86_400_000_000),
        ("Ymd\\", "20240102\\", 86_400_000_000),
    ] {
        let parsed = PhpDateFormat::parse(format).unwrap();
        assert_eq!(parsed.format(moment(epoch_us), epoch_us), text, "{format}");
        assert_eq!(parsed.resolution_us(), resolution_us, "{format}");
        assert_eq!(parsed.is_epoch(), format.starts_with('U'), "{format}");
    }
}

#[test]
fn formats_that_do_not_sort_are_refused_with_what_would_do() {
    for (format, words) in [
        ("", "names no moment"),
        ("-", "names no moment"),
        ("\\Y", "names no moment"),
        ("d/m/Y", "begins with the day (d)"),
        ("H:i:s", "begins with the hour (H)"),
        ("u", "begins with the microsecond (u)"),
        ("Y", "down to the day"),
        ("Y-m", "down to the day"),
        ("Y-d-m", "the day (d) comes after the year (Y)"),
        ("Y-m-d i:s", "the minute (i) comes after the day (d)"),
        ("Y-m-d H:i:v", "the millisecond (v) comes after the minute"),
        (
            "Y-m-d H:i:s.vu",
            "the microsecond (u) comes after the millisecond",
        ),
        ("YYYY-mm-dd", "the year (Y) comes after the year (Y)"),
        ("UY", "comes after the Unix time"),
        ("Y-m-d U", "comes after the day"),
        ("y-m-d", "two digits"),
        ("Y-m-d h:i:s", "12-hour"),
        ("Y-m-d g:i A", "12-hour"),
        ("Y-M-d", "month's name"),
        ("Y-n-j", "without leading zero"),
        ("Y-m-d G:i", "without leading zero"),
        ("c", "time zone"),
        ("Y-m-d H:i:sP", "time zone"),
        ("%Y-%m-%d", "strftime"),
        ("Y-m-dkH", "\\k"),
    ] {
        let problem = PhpDateFormat::parse(format).unwrap_err();
        assert!(problem.contains(words), "{format}: {problem}");
        assert!(problem.contains("should "), "{format}: {problem}");
    }
}

#[test]
fn each_letter_that_cannot_be_is_refused_for_its_own_reason() {
    for (letters, words) in [
        ("y", "two digits"),
        ("o", "year of the week"),
        ("xX", "changing width"),
        ("n", "month without leading zero"),
        ("MF", "month's name"),
        ("j", "day without leading zero"),
        ("DlNwSztWL", "no day of a month"),
        ("ghaA", "12-hour clock"),
        ("G", "hour without leading zero"),
        ("B", "Swatch"),
        ("eIOPpTZcr", "time zone"),
        ("bqkVJ", "no letter of PHP"),
    ] {
        for letter in letters.chars() {
            let problem = PhpDateFormat::parse(&letter.to_string()).unwrap_err();
            assert!(problem.contains(words), "{letter}: {problem}");
        }
    }
}

#[test]
fn years_that_four_digits_cannot_write_are_the_nearest_that_they_can() {
    let format = PhpDateFormat::parse("Y-m-d H:i:s").unwrap();
    assert_eq!(format.format(NaiveDateTime::MIN, 0), "0000-01-01 00:00:00");
    assert_eq!(format.format(NaiveDateTime::MAX, 0), "9999-12-31 23:59:59");
    for written in ["0000-06-15 01:02:03", "9999-06-15 01:02:03"] {
        let local: NaiveDateTime = written.replace(' ', "T").parse().unwrap();
        assert_eq!(format.format(local, 0), written);
    }
    assert_eq!(
        PhpDateFormat::parse("Uv").unwrap().format(moment(-1), -1),
        "0000"
    );
}

proptest! {
    #[test]
    fn the_order_of_the_text_is_the_order_of_time(
        // 2001-09-09 to 2286-11-20, where U has ten digits.
        early in 1_000_000_000_000_000_i64..9_999_999_999_999_999,
        later_us in prop_oneof![0_i64..3_000_000, 0_i64..100_000_000_000_000],
        format in prop::sample::select(vec![
            "Y-m-d H:i:s", "Y-m-d", "YmdHis", "YmdHisv", "Y-m-d\\TH:i:s.u", "Y/m/d H:i", "U", "Uv", "U.u",
        ]),
    ) {
        let late = (early + later_us).min(9_999_999_999_999_999);
        let format = PhpDateFormat::parse(format).unwrap();
        let [first, second] = [early, late].map(|us| format.format(moment(us), us));
        prop_assert!(first <= second, "{first} {second}");
        // And two moments further apart than the resolution have different texts.
        if late - early >= format.resolution_us() {
            prop_assert!(first < second, "{first} {second}");
        }
    }

    #[test]
    fn any_text_is_a_format_or_a_refusal(format in "\\PC*", us in any::<i32>()) {
        if let Ok(format) = PhpDateFormat::parse(&format) {
            let us = i64::from(us) * 1_000_000;
            prop_assert!(!format.format(moment(us), us).is_empty());
        }
    }
}
