//! What a pass and an audit are asked to do. Commands and the simulation build the same two values.

use std::time::Duration;

use crate::config::{ColumnPair, DestinationJob, Job, TableJob};
use crate::logic::audit::shard::Shard;
use crate::logic::compare::cells::Rule;
use crate::logic::scan::identity;
use crate::logic::value::cell::Id;

/// One pass of `run` or `start`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Look at new ids.
    pub insert: bool,
    /// Look at updated rows.
    pub update: bool,
    /// Where the very first pass starts.
    pub start_id: Option<Id>,
    /// What becomes of differences.
    pub handling: Handling,
}

/// What becomes of differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    /// They are reported and not called back. (That nothing is saved is the store's doing.)
    pub is_dry: bool,
    /// Somebody wants to know each row that is wrong.
    pub reports: bool,
}

/// One audit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Which rows of the source.
    pub ids: IdRange,
    /// Only a part of them.
    pub shard: Option<Shard>,
    /// It goes on where an earlier one stopped.
    pub resume: bool,
    /// How equal rows are found.
    pub method: Method,
    /// Also look for rows that only a destination has.
    pub extra: bool,
    /// What unpaired records may take in memory, all destinations together.
    pub memory_bytes: usize,
    /// Keys the fingerprints of this run.
    pub seed: u64,
    /// What becomes of differences.
    pub handling: Handling,
    /// No more rows of a table are read in a second, whatever for. `None`: as the configuration says.
    pub rows_per_second_max: Option<u64>,
    /// No batch is begun later than this after the begin.
    pub for_time: Option<Duration>,
}

/// Ids from one to another, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdRange {
    /// `None`: from the lowest.
    pub from: Option<Id>,
    /// `None`: up to the highest.
    pub to: Option<Id>,
}

/// How an audit finds out which rows are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// By checksums where the link is slow, else by reading.
    #[default]
    Auto,
    /// Both tables are read.
    Stream,
    /// Their servers sum them up, where they can.
    Checksum,
}

/// The version of [`Audit::identity`].
const IDENTITY_VERSION: &str = "2";

impl Audit {
    /// Whether tables are read from end to end. For a small part of a table look-ups cost less.
    #[must_use]
    pub fn reads_whole_tables(&self, id_max: Option<Id>) -> bool {
        let IdRange { from, to } = self.ids;
        let is_asked_for = self.extra || self.method != Method::Auto;
        if is_asked_for || (from.is_none() && to.is_none()) {
            return true;
        }
        let max = id_max.unwrap_or(0);
        let ids = to.unwrap_or(max).min(max) - from.unwrap_or(0) + 1;
        ids.saturating_mul(4) >= max
    }

    /// What the progress of an audit belongs to: table, range, shard, and eight bytes of a SHA-256 over everything that
    /// decides which rows are compared, and how. Another version of cupid computes the same text.
    #[must_use]
    pub fn identity(&self, job: &Job) -> String {
        let id = |id: Option<Id>| id.map_or(String::new(), |id| id.to_string());
        let shard = self.shard.map(|shard| format!(" shard {shard}"));
        let IdRange { from, to } = self.ids;
        format!(
            "{} ids {}..{}{} configuration {}",
            job.source.table.name(),
            id(from),
            id(to),
            shard.unwrap_or_default(),
            identity::digest(compared_by(job).iter().map(String::as_str), 8)
        )
    }
}

/// The parts of a configuration that decide what is compared: the source, then each destination in the order of `des[]`.
fn compared_by(job: &Job) -> Vec<String> {
    let table = |table: &TableJob| {
        let TableJob {
            server,
            database,
            table,
            by_column,
            condition,
        } = table;
        [
            server.address.text(),
            identity::table(database, table),
            by_column.clone(),
            condition.clone().unwrap_or_default(),
        ]
    };
    let mut parts = vec![IDENTITY_VERSION.to_owned(), job.source.id_column.clone()];
    parts.extend(table(&job.source.table));
    for DestinationJob {
        name,
        table: copy,
        columns,
        ..
    } in &job.destinations
    {
        parts.push(name.clone());
        parts.extend(table(copy));
        parts.push(columns.len().to_string());
        for ColumnPair {
            source,
            destination,
            rule,
        } in columns
        {
            let Rule {
                tolerance,
                trim,
                ignore_case,
                null_equals_empty,
            } = rule;
            let tolerance = tolerance.as_ref().map(ToString::to_string);
            parts.extend([source.clone(), destination.clone()]);
            parts.push(format!(
                "{} {trim} {ignore_case} {null_equals_empty}",
                tolerance.unwrap_or_default()
            ));
        }
    }
    parts
}

/// What the stages of a pass look up.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    /// Owed callbacks, new ids, updates.
    Run(Run),
    /// A range of ids from end to end.
    Audit(Audit),
    /// Owed callbacks alone.
    Retry,
    /// The rows of a report.
    Recheck { reports: bool },
}

impl Asked {
    /// Its positions go on from pass to pass; rows may come late.
    pub(super) fn is_run(&self) -> bool {
        matches!(self, Self::Run(_))
    }

    pub(super) fn handling(&self) -> Handling {
        match *self {
            Self::Run(Run { handling, .. }) | Self::Audit(Audit { handling, .. }) => handling,
            Self::Retry => Handling::default(),
            Self::Recheck { reports } => Handling {
                is_dry: false,
                reports,
            },
        }
    }

    pub(super) fn is_dry(&self) -> bool {
        self.handling().is_dry
    }

    pub(super) fn reports(&self) -> bool {
        self.handling().reports
    }

    /// Rows with several copies are told, each, and not only counted when they are first seen.
    pub(super) fn tells_duplicates(&self) -> bool {
        matches!(self, Self::Audit(_) | Self::Recheck { .. })
    }

    pub(super) fn audit(&self) -> Option<&Audit> {
        match self {
            Self::Audit(audit) => Some(audit),
            Self::Run(_) | Self::Retry | Self::Recheck { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Surroundings, parse};

    fn job(change: impl Fn(&mut String)) -> Job {
        let mut text = r#"{
            "name": "user",
            "src": {"dsn": "mysql://u:p@db1/my", "table": "user", "byColumn": "number", "cacheFilePath": "/s",
                    "lateCommitSecond": 60, "insert": true},
            "des": [{"dsn": "mysql://u:p@db2/my2", "table": "user", "byColumn": "number",
                     "columns": {"name": "name", "price": {"to": "cost", "tolerance": 0.01}},
                     "callbackNotification": {"url": "http://h/c"}}]
        }"#
        .to_owned();
        change(&mut text);
        let surroundings = Surroundings {
            env: &|_| None,
            read_file: &|_| Err(std::io::ErrorKind::NotFound.into()),
            cores: 1,
            readable_by_others: false,
        };
        parse(&text, Path::new("/c.json"), &surroundings).unwrap()
    }

    fn identity(audit: Audit, change: impl Fn(&mut String)) -> String {
        audit.identity(&job(change))
    }

    #[test]
    fn the_identity_of_an_audit_is_specified() {
        let audit = Audit {
            ids: IdRange {
                from: Some(5),
                to: None,
            },
            ..Audit::default()
        };
        // Progress on disk bears this text: what changes it bars --resume from every audit that is under way.
        assert_eq!(
            identity(audit, |_| {}),
            "my.user ids 5.. configuration c4b39b2c83c1d704"
        );
    }

    #[test]
    fn what_changes_nothing_that_is_compared_bars_no_resume() {
        let whole = Audit::default();
        let plain = identity(whole, |_| {});
        let with = |from: &str, to: &str| identity(whole, |text| *text = text.replace(from, to));
        for (from, to) in [
            ("u:p@db1", "other:secret@db1"),
            ("60", "90"),
            ("http://h/c", "http://h/d"),
            ("\"insert\": true", "\"insert\": false"),
        ] {
            assert_eq!(with(from, to), plain, "{to}");
        }
        for (from, to) in [
            ("db1", "db3"),
            ("db2", "db3"),
            ("\"to\": \"cost\"", "\"to\": \"prize\""),
            ("0.01", "0.02"),
            ("\"name\": \"name\"", "\"name\": \"nick\""),
            ("number\", \"cache", "id\", \"cache"),
        ] {
            assert_ne!(with(from, to), plain, "{to}");
        }
    }

    #[test]
    fn a_small_part_of_a_table_is_looked_up() {
        let ids = |from, to| Audit {
            ids: IdRange { from, to },
            ..Audit::default()
        };
        for (audit, id_max, expected) in [
            (ids(None, None), Some(1_000), true),
            (ids(None, None), None, true),
            (ids(Some(1), Some(249)), Some(1_000), false),
            (ids(Some(1), Some(250)), Some(1_000), true),
            (ids(Some(900), None), Some(1_000), false),
            (
                Audit {
                    extra: true,
                    ..ids(Some(900), None)
                },
                Some(1_000),
                true,
            ),
            (
                Audit {
                    method: Method::Checksum,
                    ..ids(Some(900), None)
                },
                Some(1_000),
                true,
            ),
        ] {
            assert_eq!(audit.reads_whole_tables(id_max), expected, "{audit:?}");
        }
    }
}
