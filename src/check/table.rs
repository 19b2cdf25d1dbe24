//! What source and destination tables need: existence, readability, a valid `where`, columns.

use super::{Findings, Level};
use crate::check::facts::{ColumnFacts, Refused, Side, TableFacts};
use crate::config::TableJob;
use crate::config::refusals;
use crate::logic::value::sql::quoted;

/// MySQL's errors for SELECT denied on a table or column, and for access denied to a database.
const DENIED: [u16; 3] = [1142, 1143, 1044];
/// The same for a table or a database that does not exist.
const UNKNOWN: [u16; 2] = [1146, 1049];

/// A table with the keys that name it.
pub(super) struct Named<'a> {
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
            Some(Refused { code, .. }) if DENIED.contains(code) => self.denied(findings),
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

    fn denied(&self, findings: &mut Findings) {
        let (database, table) = (quoted(&self.job.database), quoted(&self.job.table));
        let account = &self.side.server.account;
        let name = self.name();
        let text = if self.facts().columns.is_empty() {
            format!("{account} may not read {name}: SELECT is missing (or there is no such table)")
        } else {
            format!(
                "{account} may not read every column of {name} that is needed; a callback carries whole source rows"
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
        if found.is_none() {
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
