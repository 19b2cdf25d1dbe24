//! What source and destination tables need: existence, readability, a valid `where`, columns.

use super::grants::reads_by_column;
use super::{Findings, Level};
use crate::check::facts::{ColumnFacts, Refused, Side, TableFacts};
use crate::config::refusals;
use crate::config::{Job, TableJob, nearest};
use crate::logic::value::sql::quoted;

/// MySQL's errors for SELECT denied on a table or column, and for access denied to a database.
const DENIED: [u16; 3] = [1142, 1143, 1044];
/// The same for a table or a database that does not exist.
const UNKNOWN: [u16; 2] = [1146, 1049];

/// A table with the keys that name it.
pub(super) struct Named<'a> {
    pub(super) config: &'a Job,
    pub(super) job: &'a TableJob,
    pub(super) side: &'a Side,
    /// `byColumn` to `des[0].byColumn (copy1)`.
    pub(super) key: &'a dyn Fn(&str) -> String,
}

impl Named<'_> {
    pub(super) fn name(&self) -> String {
        self.job.name()
    }

    pub(super) fn facts(&self) -> &TableFacts {
        &self.side.table
    }

    /// Whether the table can be spoken of further.
    pub(super) fn is_there(&self, findings: &mut Findings) -> bool {
        let facts = self.facts();
        match &facts.readable {
            Some(Refused { code, .. })
                if DENIED.contains(code) || UNKNOWN.contains(code) && self.lacks_database() =>
            {
                self.denied(findings);
            }
            Some(Refused { code, .. }) if UNKNOWN.contains(code) => {
                let others: Vec<&str> = facts.other_tables.iter().map(String::as_str).collect();
                let text = refusals::no_table(&self.name(), &others);
                findings.add(Level::Error, (self.key)("table"), text);
            }
            Some(Refused { message, .. }) => {
                let text = format!("{} cannot be read: {message}", self.name());
                findings.add(Level::Error, (self.key)("table"), text);
            }
            None => {}
        }
        if let Some(Refused { message, .. }) = &facts.condition {
            let condition = self.job.condition.as_deref().unwrap_or_default();
            findings.add(
                Level::Error,
                (self.key)("where"),
                format!("holds {condition:?}, which the server refuses: {message}"),
            );
        }
        facts.readable.is_none() && !facts.columns.is_empty()
    }

    /// The account sees other databases, and not this one.
    fn lacks_database(&self) -> bool {
        let seen = &self.facts().databases;
        self.facts().columns.is_empty() && !seen.is_empty() && !seen.contains(&self.job.database)
    }

    /// A database that the account sees and that was probably meant. One that the configuration names elsewhere has
    /// a name that its author knows, so it may be another one: `my2` beside `my`.
    fn nearest_database(&self, is_unnamed: bool) -> Option<&str> {
        let Job {
            source,
            destinations,
            ..
        } = self.config;
        let tables = destinations.iter().map(|destination| &destination.table);
        let named: Vec<&str> = std::iter::once(&source.table)
            .chain(tables)
            .map(|table| table.database.as_str())
            .collect();
        let seen = self.facts().databases.iter().map(String::as_str);
        let others: Vec<&str> = seen
            .filter(|name| !(is_unnamed && named.contains(name)))
            .collect();
        nearest(&self.job.database, &others)
    }

    fn denied(&self, findings: &mut Findings) {
        let (database, table) = (quoted(&self.job.database), quoted(&self.job.table));
        let account = &self.side.server.account;
        let (name, facts) = (self.name(), self.facts());
        if self.lacks_database()
            && let Some(near) = self.nearest_database(true)
        {
            let wanted = &self.job.database;
            let text = format!(
                "{account} sees no database {wanted:?}; did you mean {near}? If the name is right, the account needs \
                 SELECT on {name}"
            );
            findings.add(Level::Error, (self.key)("table"), text);
            return;
        }
        let text = if facts.columns.is_empty() {
            let others: Vec<&str> = facts.other_tables.iter().map(String::as_str).collect();
            let (what, near) = if self.lacks_database() {
                ("database", self.nearest_database(false))
            } else {
                ("table", nearest(&self.job.table, &others))
            };
            let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
            format!(
                "{account} may not read {name}: SELECT is missing (or there is no such {what}{near})"
            )
        } else {
            let readable: Vec<&str> = facts.columns.iter().map(|it| it.name.as_str()).collect();
            format!(
                "{account} may not read every column of {name} that is needed, only {}; a callback carries whole source rows",
                readable.join(", ")
            )
        };
        findings
            .add(Level::Error, (self.key)("table"), text)
            .remedy(format!("GRANT SELECT ON {database}.{table} TO {account};"));
    }

    /// A column that must be there.
    pub(super) fn column(
        &self,
        key: &str,
        wanted: &str,
        findings: &mut Findings,
    ) -> Option<&ColumnFacts> {
        let facts = self.facts();
        let found = facts.column(wanted);
        let TableJob {
            database, table, ..
        } = self.job;
        if found.is_none() && reads_by_column(&self.side.server.grants, database, table) {
            let (column, account) = (quoted(wanted), &self.side.server.account);
            let name = format!("{}.{}", quoted(database), quoted(table));
            findings
                .add(
                    Level::Error,
                    (self.key)(key),
                    format!(
                        "holds {wanted:?}, which {account} may not read (or {} has no such column)",
                        self.name()
                    ),
                )
                .remedy(format!("GRANT SELECT ({column}) ON {name} TO {account};"));
        } else if found.is_none() {
            let names: Vec<&str> = facts
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            let text = refusals::no_column(wanted, &self.name(), &names);
            findings.add(Level::Error, (self.key)(key), text);
        }
        found
    }
}
