//! Counts and ids as people read them: digits in groups of three.

use super::cell::Id;

/// `1 row`, `1,234 rows`.
#[must_use]
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!(
        "{} {noun}{}",
        grouped(count),
        if count == 1 { "" } else { "s" }
    )
}

/// `1 pass`, `1,234 passes`.
#[must_use]
pub(crate) fn counted_as(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// `1,234`, `-1,234`.
#[must_use]
pub(crate) fn grouped_id(id: Id) -> String {
    let sign = if id < 0 { "-" } else { "" };
    format!("{sign}{}", grouped_digits(&id.unsigned_abs().to_string()))
}

/// `1,234`.
#[must_use]
pub(crate) fn grouped(count: u64) -> String {
    grouped_digits(&count.to_string())
}

fn grouped_digits(digits: &str) -> String {
    let mut grouped = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(999, "row"), "999 rows");
        assert_eq!(counted(1_234_567, "row"), "1,234,567 rows");
    }
}
