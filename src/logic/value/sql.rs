//! Names and texts as SQL writes them.

use std::fmt::Write as _;

use crate::logic::value::one_line::on_one_line;

/// An identifier for SQL: a backtick in it is doubled (MySQL Reference Manual, "Schema Object Names").
#[must_use]
pub(crate) fn quoted(identifier: &str) -> String {
    format!("`{}`", identifier.replace('`', "``"))
}

/// A string literal under an empty `sql_mode`.
#[must_use]
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A text literal on one line that means the same under every `sql_mode`: whether a backslash escapes depends on
/// `NO_BACKSLASH_ESCAPES`, so a text with one, or with a control character, is written in hexadecimal. It stays a literal
/// with an introducer (MySQL Reference Manual, "Character Set Introducers"), which takes on the collation of the column
/// that it is compared with; what `CONVERT` returns would not.
#[must_use]
pub(crate) fn portable_literal(text: &str) -> String {
    if text.contains(|c: char| c == '\\' || c.is_control()) {
        format!("_utf8mb4 {}", binary_literal(text.as_bytes()))
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// `0x00ff`.
#[must_use]
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("0x");
    for byte in bytes {
        let _ = write!(text, "{byte:02x}"); // Writing to a String cannot fail.
    }
    text
}

/// `X'00ff'`.
#[must_use]
pub(crate) fn binary_literal(bytes: &[u8]) -> String {
    let mut literal = String::with_capacity(3 + 2 * bytes.len());
    literal.push_str("X'");
    for byte in bytes {
        let _ = write!(literal, "{byte:02x}"); // Writing to a String cannot fail.
    }
    literal.push('\'');
    literal
}

/// What may stand in a comment: one line, and nothing that ends it.
#[must_use]
pub(crate) fn in_comment(text: &str) -> String {
    on_one_line(text).replace("*/", "* /")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portable_literal_has_no_backslash_and_no_second_line() {
        assert_eq!(portable_literal("it's 小明"), "'it''s 小明'");
        assert_eq!(portable_literal("a\\"), "_utf8mb4 X'615c'");
        assert_eq!(portable_literal("a\n"), "_utf8mb4 X'610a'");
        assert_eq!(portable_literal(""), "''");
        assert_eq!(in_comment("a */ DROP\nb"), "a * / DROP b");
    }

    #[test]
    fn identifiers_and_literals_cannot_break_out() {
        assert_eq!(quoted("a`; DROP TABLE b"), "`a``; DROP TABLE b`");
        assert_eq!(literal("a'b\\"), "'a''b\\\\'");
    }
}
