//! The rows that an earlier report names, and their state now.

use std::collections::{BTreeSet, HashSet};

use serde::Serialize;

use crate::error::Exit;
use crate::logic::report::line::{Kind, Line};
use crate::logic::report::summary::Unread;
use crate::logic::value::address::Address;
use crate::logic::value::count::{counted, grouped};

/// A row that a report calls wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportedRow {
    /// The destination's name.
    pub destination: String,
    /// The source row.
    pub id: Address,
}

/// The rows to look at again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// One for each row and destination, in that order.
    pub rows: Vec<ReportedRow>,
    /// Rows that only the destination had. They have no source row to be compared with.
    pub extra: u64,
}

/// The rows of a report of `source` (`database.table`) and these destinations.
///
/// # Errors
/// When the report is of another table, names another destination, or holds an id that is no number.
pub fn rows(lines: &[Line], source: &str, destinations: &[&str]) -> Result<Rows, String> {
    let mut rows = BTreeSet::new();
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
        rows.insert(ReportedRow {
            destination: line.destination.clone(),
            id: id.into(),
        });
    }
    Ok(Rows {
        rows: rows.into_iter().collect(),
        extra: extra.len() as u64,
    })
}

/// What the second looks at the rows of a report came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The copy agrees now.
    pub repaired: u64,
    /// It does not.
    pub still_different: u64,
    /// The source row is no longer there.
    pub gone: u64,
    /// Rows of a destination that could not be read, or that are too large, or that were not reached.
    pub not_compared: u64,
    /// It was asked to stop.
    pub is_stopped: bool,
    /// Destinations that could not be read, with the reason.
    pub unread: Vec<Unread>,
    /// How long it took.
    pub duration_ms: u64,
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
    /// Of a configuration by its name, so many rows of a report and so many that only a destination had.
    #[must_use]
    pub fn new(name: &str, counts: Counts, rows: u64, extra: u64) -> Self {
        let Counts {
            repaired,
            still_different,
            gone,
            not_compared,
            is_stopped: _,
            unread,
            duration_ms,
        } = counts;
        // Of the destinations only those count that the report names: the others were not asked.
        let exit = match (still_different, not_compared) {
            (0, 0) => Exit::Done,
            (0, left) if left == rows => unread
                .iter()
                .map(|unread| unread.exit)
                .max()
                .unwrap_or(Exit::Attention),
            _ => Exit::Attention,
        };
        Self {
            name: name.to_owned(),
            rows,
            repaired,
            still_different,
            gone,
            not_compared,
            extra_left_out: extra,
            unread,
            duration_ms,
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
        let rows = rows(&lines, "my.user", &["d"]).unwrap();
        assert_eq!((rows.rows.len(), rows.extra), (2, 1));
    }

    #[test]
    fn a_report_of_something_else_is_refused() {
        let lines = [line(Kind::Missing, "1", "")];
        let problem = |source, destination| rows(&lines, source, &[destination]).unwrap_err();
        assert!(problem("my.other", "d").contains("my.other"));
        assert!(problem("my.user", "e").contains("destination d"));
        let lines = [line(Kind::Missing, "x", "")];
        assert!(
            rows(&lines, "my.user", &["d"])
                .unwrap_err()
                .contains("\"x\"")
        );
    }

    #[test]
    fn the_line_counts_what_became_of_the_rows() {
        let counts = Counts {
            repaired: 3,
            still_different: 1,
            gone: 2,
            not_compared: 2,
            ..Counts::default()
        };
        let outcome = Rechecked::new("user", counts.clone(), 8, 4);
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
        let counts = Counts {
            not_compared: 0,
            unread: vec![unread],
            ..counts
        };
        let outcome = Rechecked::new("user", counts, 1, 0);
        assert_eq!(
            outcome.line(),
            "1 row of the report: 3 repaired, 1 still different, 2 gone, could not read d"
        );
    }

    #[test]
    fn the_exit_status_says_what_is_left() {
        let exit = |still_different, not_compared, unread: &[Exit]| {
            let unread = unread.iter().map(|&exit| Unread {
                destination: "d".into(),
                reason: String::new(),
                exit,
            });
            let counts = Counts {
                still_different,
                not_compared,
                unread: unread.collect(),
                ..Counts::default()
            };
            Rechecked::new("user", counts, 3, 0).exit
        };
        assert_eq!(exit(0, 0, &[]), Exit::Done);
        assert_eq!(exit(1, 0, &[]), Exit::Attention);
        assert_eq!(exit(0, 1, &[Exit::Failed]), Exit::Attention);
        assert_eq!(exit(0, 3, &[Exit::Failed]), Exit::Failed);
        assert_eq!(exit(0, 3, &[]), Exit::Attention);
    }
}
