//! A table's name: `table` or `database.table`, each part plain or in backticks.
//!
//! Parsing removes the quotes. Code that builds SQL adds them again, so no name can be read as SQL.

/// Reads `table`, `database.table`, and both with parts in backticks, where two backticks stand for one.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<(Option<String>, String), &'static str> {
    let (first, rest) = identifier(text.trim())?;
    let Some(rest) = rest else {
        return Ok((None, first));
    };
    match identifier(rest)? {
        (second, None) => Ok((Some(first), second)),
        (_, Some(_)) => Err(
            "should be table or database.table; a name that holds a dot is written in backticks",
        ),
    }
}

/// One name, and what follows its dot.
fn identifier(text: &str) -> Result<(String, Option<&str>), &'static str> {
    let (name, rest) = if let Some(quoted) = text.strip_prefix('`') {
        quoted_identifier(quoted)?
    } else {
        let end = text.find('.').unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        (name.to_owned(), rest)
    };
    if name.is_empty() {
        return Err("should be table or database.table, no part of it empty");
    }
    match rest.strip_prefix('.') {
        Some(rest) => Ok((name, Some(rest))),
        None if rest.is_empty() => Ok((name, None)),
        None => Err("should have nothing but a dot after a name in backticks"),
    }
}

/// The name up to its closing backtick, and what follows.
fn quoted_identifier(quoted: &str) -> Result<(String, &str), &'static str> {
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest
            .split_once('`')
            .ok_or("should have a closing backtick")?;
        name.push_str(part);
        match after.strip_prefix('`') {
            Some(after) => {
                name.push('`');
                rest = after;
            }
            None => return Ok((name, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_table_may_have_its_database_and_backticks() {
        for (text, database, table) in [
            ("user", None, "user"),
            ("my.user", Some("my"), "user"),
            ("`user`", None, "user"),
            ("`my`.`user`", Some("my"), "user"),
            ("my.`a.b`", Some("my"), "a.b"),
            ("`odd``name`", None, "odd`name"),
            ("`x`; DROP`", None, ""),
            ("user; DROP TABLE x", None, "user; DROP TABLE x"),
            ("用户.订单", Some("用户"), "订单"),
            ("a.b.c", None, ""),
            ("", None, ""),
            (".a", None, ""),
            ("a.", None, ""),
            ("``", None, ""),
            ("`a", None, ""),
            ("a`b", None, "a`b"),
        ] {
            match parse(text) {
                Ok((d, t)) => assert_eq!((d.as_deref(), t.as_str()), (database, table), "{text}"),
                Err(problem) => {
                    assert!(table.is_empty() && problem.starts_with("should"), "{text}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_quoted_name_is_a_table(database in "\\PC{1,10}", table in "\\PC{1,10}") {
            let quote = |name: &str| format!("`{}`", name.replace('`', "``"));
            let parsed = parse(&format!("{}.{}", quote(&database), quote(&table)));
            prop_assert_eq!(parsed, Ok((Some(database), table)));
        }

        #[test]
        fn any_text_is_a_table_or_a_refusal(text in "[`.]{0,3}\\PC*") {
            let _ = parse(&text);
        }
    }
}
