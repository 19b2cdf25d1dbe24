//! How long ago something was, as people say it.

/// `4 s`, `12 min`, `3 h`, `2 days`: whole units, rounded down. What lies ahead, by a clock that was set back, is `0 s`.
#[must_use]
pub(crate) fn age(us: i64) -> String {
    let seconds = us.max(0) / 1_000_000;
    match seconds {
        ..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_one_unit_and_at_least_two_of_it() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(age(seconds * 1_000_000), expected);
        }
    }
}
