//! Names and texts as SQL writes them.

/// An identifier for SQL: a backtick in it is doubled (MySQL Reference Manual, "Schema Object Names").
#[must_use]
pub fn quoted(identifier: &str) -> String {
    format!("`{}`", identifier.replace('`', "``"))
}

/// A string literal under an empty `sql_mode`.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_literals_cannot_break_out() {
        assert_eq!(quoted("a`; DROP TABLE b"), "`a``; DROP TABLE b`");
        assert_eq!(literal("a'b\\"), "'a''b\\\\'");
    }
}
