//! What an account may do, from the lines of `SHOW GRANTS`.

use crate::logic::value::sql::quoted;

/// One line, without account and password hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// `SELECT`, `ALL PRIVILEGES` …, without column lists.
    pub privileges: Vec<String>,
    /// `*.*`, `` `db`.* `` …
    pub on: String,
}

/// Privileges that only let look.
const LOOKING: [&str; 9] = [
    "USAGE",
    "SELECT",
    "SHOW VIEW",
    "SHOW DATABASES",
    "SHOW CREATE ROUTINE",
    // How far replication is behind: `maxLagSecond`. MariaDB names the first one as the second.
    "REPLICATION CLIENT",
    "BINLOG MONITOR",
    "SLAVE MONITOR",
    "REPLICA MONITOR",
];

/// What goes beyond looking.
#[must_use]
pub(crate) fn beyond_looking(lines: &[String]) -> Vec<Grant> {
    let grants = lines.iter().filter_map(|line| parse(line));
    grants
        .map(|mut grant| {
            grant
                .privileges
                .retain(|privilege| !LOOKING.contains(&privilege.as_str()));
            grant
        })
        .filter(|grant| !grant.privileges.is_empty())
        .collect()
}

/// Whether some of it comes by a role, which others may have too.
#[must_use]
pub(crate) fn by_role(lines: &[String]) -> bool {
    lines.iter().any(|line| {
        let rest = line.strip_prefix("GRANT ");
        rest.is_some_and(|rest| {
            outside_quotes(rest, " ON ").is_none() && outside_quotes(rest, " TO ").is_some()
        })
    })
}

/// `GRANT a, b (c, d) ON x TO …`; `None` for roles, proxies and whatever else there is.
fn parse(line: &str) -> Option<Grant> {
    let rest = line.strip_prefix("GRANT ")?;
    let on = outside_quotes(rest, " ON ")?;
    let to = on + outside_quotes(&rest[on..], " TO ")?;
    let mut privileges: Vec<String> = without_columns(&rest[..on])
        .split(',')
        .map(|privilege| privilege.trim().to_ascii_uppercase())
        .collect();
    if privileges.iter().any(|privilege| privilege == "PROXY") {
        return None;
    }
    if line.trim_end().ends_with("WITH GRANT OPTION") {
        privileges.push("GRANT OPTION".into());
    }
    let on = rest[on + " ON ".len()..to].trim();
    let on = on.strip_prefix("TABLE ").unwrap_or(on);
    Some(Grant {
        privileges,
        on: on.to_owned(),
    })
}

/// Whether all that it may read of this table are single columns.
#[must_use]
pub(crate) fn reads_by_column(lines: &[String], database: &str, table: &str) -> bool {
    let whole = format!("{}.*", quoted(database));
    let name = format!("{}.{}", quoted(database), quoted(table));
    let (mut by_column, mut all) = (false, false);
    for line in lines {
        let Some(grant) = parse(line) else { continue };
        let reads = |it: &String| it == "SELECT" || it.starts_with("ALL");
        if ![whole.as_str(), name.as_str(), "*.*"].contains(&grant.on.as_str())
            || !grant.privileges.iter().any(reads)
        {
            continue;
        }
        if grant.on == name && line.contains("SELECT (") {
            by_column = true;
        } else {
            all = true;
        }
    }
    by_column && !all
}

/// Where a word stands that is in no name and no column list.
fn outside_quotes(text: &str, word: &str) -> Option<usize> {
    let (mut quote, mut depth) = (None, 0_u32);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '`' | '\'' | '"') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ' ') if depth == 0 && text[at..].starts_with(word) => return Some(at),
            _ => {}
        }
    }
    None
}

fn without_columns(list: &str) -> String {
    let (mut depth, mut rest) = (0_u32, String::new());
    for character in list.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => rest.push(character),
            _ => {}
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_told_from_a_right() {
        for (line, expected) in [
            ("GRANT `role`@`%` TO `r`@`%`", true),
            ("GRANT `a ON b` TO `r`@`%` WITH ADMIN OPTION", true),
            ("GRANT UPDATE ON `a`.* TO `role`", false),
            ("SET DEFAULT ROLE `role` FOR `r`@`%`", false),
        ] {
            assert_eq!(by_role(&[line.to_owned()]), expected, "{line}");
        }
    }

    #[test]
    fn single_columns_are_told_from_a_whole_table() {
        let of_columns = "GRANT SELECT (`a`, `b`), INSERT ON `d`.`t` TO `r`@`%`";
        for (lines, expected) in [
            (vec![of_columns], true),
            (vec!["GRANT USAGE ON *.* TO `r`@`%`", of_columns], true),
            (vec![of_columns, "GRANT SELECT ON `x`.* TO `r`@`%`"], true),
            (vec![of_columns, "GRANT SELECT ON `d`.* TO `r`@`%`"], false),
            (
                vec!["GRANT ALL PRIVILEGES ON *.* TO `r`@`%`", of_columns],
                false,
            ),
            (vec!["GRANT SELECT ON `d`.`t` TO `r`@`%`"], false),
            (vec!["GRANT SELECT (`a`) ON `d`.`other` TO `r`@`%`"], false),
            (vec![], false),
        ] {
            let owned: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
            assert_eq!(reads_by_column(&owned, "d", "t"), expected, "{lines:?}");
        }
    }

    #[test]
    fn only_what_goes_beyond_looking_is_left() {
        for (line, expected) in [
            (
                "GRANT USAGE ON *.* TO `r`@`%` IDENTIFIED BY PASSWORD '*94BD'",
                None,
            ),
            ("GRANT SELECT, SHOW VIEW ON `a`.* TO `r`@`%`", None),
            ("GRANT SELECT (`a`, `b`) ON `a`.`t` TO `r`@`%`", None),
            (
                "GRANT SELECT, INSERT (`a`, `b`), UPDATE ON `a`.`t` TO `r`@`%`",
                Some(("INSERT, UPDATE", "`a`.`t`")),
            ),
            (
                "GRANT ALL PRIVILEGES ON *.* TO `r`@`localhost` IDENTIFIED BY PASSWORD '*94BD' WITH GRANT OPTION",
                Some(("ALL PRIVILEGES, GRANT OPTION", "*.*")),
            ),
            (
                "GRANT BACKUP_ADMIN,CLONE_ADMIN ON *.* TO `r`@`%`",
                Some(("BACKUP_ADMIN, CLONE_ADMIN", "*.*")),
            ),
            (
                "GRANT INSERT (a ON b) ON `a`.`t` TO `r`@`%`",
                Some(("INSERT", "`a`.`t`")),
            ),
            (
                "GRANT DELETE ON `x ON y TO z`.* TO `r`@`%`",
                Some(("DELETE", "`x ON y TO z`.*")),
            ),
            ("GRANT `role`@`%` TO `r`@`%`", None),
            (
                "GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION",
                None,
            ),
            ("SET DEFAULT ROLE `x` FOR `r`@`%`", None),
        ] {
            let found = beyond_looking(&[line.to_owned()]);
            let found = found
                .first()
                .map(|grant| (grant.privileges.join(", "), grant.on.clone()));
            let expected = expected.map(|(privileges, on)| (privileges.to_owned(), on.to_owned()));
            assert_eq!(found, expected, "{line}");
        }
    }
}
