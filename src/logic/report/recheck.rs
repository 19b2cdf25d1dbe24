//! Which rows an earlier report names, and what became of them.

use std::collections::HashSet;

use serde::Serialize;

use crate::error::Exit;
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::owed::Owed;
use crate::logic::compare::rows;
use crate::logic::report::line::{Kind, Line};
use crate::logic::report::summary::{Summary, Unread};
use crate::logic::value::count::{counted, grouped};

/// The rows to look at again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// One for each row and destination.
    pub outbox: Outbox,
    /// Rows that only the destination had. They have no source row to be compared with.
    pub extra: u64,
}

/// The rows of a report of `source` (`database.table`) and these destinations.
///
/// # Errors
/// When the report is of another table, names another destination, or holds an id that is no number.
pub fn rows(
    lines: &[Line],
    source: &str,
    destinations: &[&str],
    now_us: i64,
) -> Result<Rows, String> {
    let mut rows = Rows::default();
    let mut extra = HashSet::new();
    for line in lines {
        if line.source != source {
            return Err(format!(
                "It is of the table {}, and the configuration is of {source}",
                line.source
            ));
        }
        if !destinations.contains(&line.destination.as_str()) {
            return Err(format!(
                "It names the destination {}, and the configuration has {}",
                line.destination,
                destinations.join(", ")
            ));
        }
        if line.kind == Kind::Extra {
            extra.insert((&line.destination, &line.key));
            continue;
        }
        let id = line
            .id_number()
            .ok_or_else(|| format!("It holds the id {:?}, which is no number", line.id))?;
        let kind = match line.kind {
            Kind::Missing => rows::Kind::Missing,
            Kind::Different | Kind::Extra | Kind::Duplicate => rows::Kind::Different,
        };
        rows.outbox.replace(Owed::new(
            &line.destination,
            id,
            &line.key,
            kind,
            vec![],
            now_us,
        ));
    }
    rows.extra = extra.len() as u64;
    Ok(rows)
}

/// What became of the rows of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rechecked {
    /// The configuration's `name`.
    pub name: String,
    /// Rows of the report, each once for each destination; those that only a destination had left out.
    pub rows: u64,
    /// The copy agrees now.
    pub repaired: u64,
    /// It does not.
    pub still_different: u64,
    /// The source row is no longer there.
    pub gone: u64,
    /// The destination could not be read, or a signal came.
    pub not_compared: u64,
    /// Rows that only a destination had, which are not looked at.
    pub extra_left_out: u64,
    /// Destinations that could not be read, with the reason.
    pub unread: Vec<Unread>,
    /// How long it took.
    pub duration_ms: u64,
    /// The exit status.
    #[serde(skip)]
    pub exit: Exit,
}

impl Rechecked {
    /// From the pass over the rows.
    #[must_use]
    pub fn new(summary: Summary, rows: u64, extra: u64) -> Self {
        let still = summary.confirmed;
        let not_compared = summary.owed - still.min(summary.owed);
        // Of the destinations only those count that the report names: the others were not asked.
        let exit = match (still, not_compared) {
            (0, 0) => Exit::Done,
            (0, left) if left == rows => summary
                .unread
                .iter()
                .map(|unread| unread.exit)
                .max()
                .unwrap_or(Exit::Attention),
            _ => Exit::Attention,
        };
        Self {
            name: summary.name,
            rows,
            repaired: summary.repaired - summary.gone,
            still_different: still,
            gone: summary.gone,
            not_compared,
            extra_left_out: extra,
            unread: summary.unread,
            duration_ms: summary.duration_ms,
            exit,
        }
    }

    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let mut parts = vec![
            format!("{} repaired", grouped(self.repaired)),
            format!("{} still different", grouped(self.still_different)),
            format!("{} gone", grouped(self.gone)),
        ];
        for (count, text) in [
            (self.not_compared, "not compared"),
            (
                self.extra_left_out,
                "that only the destination had, not looked at",
            ),
        ] {
            if count > 0 {
                parts.push(format!("{} {text}", grouped(count)));
            }
        }
        for unread in &self.unread {
            parts.push(format!("could not read {}", unread.destination));
        }
        format!(
            "{} of the report: {}",
            counted(self.rows, "row"),
            parts.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::report::line::Fate;

    fn line(kind: Kind, id: &str, column: &str) -> Line {
        Line {
            detected_at: String::new(),
            source: "my.user".into(),
            destination: "d".into(),
            kind,
            id: id.into(),
            key: format!("n{id}"),
            column: column.into(),
            source_value: String::new(),
            destination_value: String::new(),
            callback: Fate::None,
        }
    }

    #[test]
    fn a_row_counts_once_however_many_lines_it_has() {
        let lines = [
            line(Kind::Different, "1", "a"),
            line(Kind::Different, "1", "b"),
            line(Kind::Duplicate, "1", ""),
            line(Kind::Missing, "2", ""),
            line(Kind::Extra, "", ""),
        ];
        let rows = rows(&lines, "my.user", &["d"], 0).unwrap();
        assert_eq!((rows.outbox.len(), rows.extra), (2, 1));
    }

    #[test]
    fn a_report_of_something_else_is_refused() {
        let lines = [line(Kind::Missing, "1", "")];
        let problem = |source, destination| rows(&lines, source, &[destination], 0).unwrap_err();
        assert!(problem("my.other", "d").contains("my.other"));
        assert!(problem("my.user", "e").contains("destination d"));
        let lines = [line(Kind::Missing, "x", "")];
        assert!(
            rows(&lines, "my.user", &["d"], 0)
                .unwrap_err()
                .contains("\"x\"")
        );
    }

    #[test]
    fn the_line_counts_what_became_of_the_rows() {
        let summary = Summary {
            confirmed: 1,
            owed: 3,
            repaired: 5,
            gone: 2,
            ..Summary::default()
        };
        let outcome = Rechecked::new(summary.clone(), 8, 4);
        assert_eq!(
            (outcome.repaired, outcome.gone, outcome.not_compared),
            (3, 2, 2)
        );
        assert_eq!(
            outcome.line(),
            "8 rows of the report: 3 repaired, 1 still different, 2 gone, 2 not compared, \
             4 that only the destination had, not looked at"
        );
        let unread = Unread {
            destination: "d".into(),
            reason: "down".into(),
            exit: Exit::Failed,
        };
        let outcome = Rechecked::new(
            Summary {
                owed: 1,
                unread: vec![unread],
                ..summary
            },
            1,
            0,
        );
        assert_eq!(
            outcome.line(),
            "1 row of the report: 3 repaired, 1 still different, 2 gone, could not read d"
        );
    }

    #[test]
    fn the_exit_status_says_what_is_left() {
        let summary = |confirmed, owed, repaired, unread: &[Exit]| Summary {
            confirmed,
            owed,
            repaired,
            unread: unread
                .iter()
                .map(|&exit| Unread {
                    destination: "d".into(),
                    reason: String::new(),
                    exit,
                })
                .collect(),
            ..Summary::default()
        };
        let exit = |summary| Rechecked::new(summary, 3, 0).exit;
        assert_eq!(exit(summary(0, 0, 3, &[])), Exit::Done);
        assert_eq!(exit(summary(1, 1, 2, &[])), Exit::Attention);
        assert_eq!(exit(summary(0, 1, 2, &[Exit::Failed])), Exit::Attention);
        assert_eq!(exit(summary(0, 3, 0, &[Exit::Failed])), Exit::Failed);
        assert_eq!(exit(summary(0, 3, 0, &[])), Exit::Attention);
    }
}
