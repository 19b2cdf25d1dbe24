//! A table whose columns a pass has read. An `ALTER TABLE` may come between the reading and the use
//! of them.

use mysql::Conn;

use super::errors::label;
use super::schema::Table;
use super::session::Sessions;
use super::wire::{self, Watch};
use crate::config::TableJob;
use crate::error::{Error, Result};
use crate::logic::value::cell::Column;

/// A table at its server, and the columns that this pass knows of it; `None` before they were read.
pub(super) struct Known<'a> {
    pub(super) sessions: &'a Sessions,
    pub(super) job: &'a TableJob,
    pub(super) columns: Option<(&'a [Column], &'a Watch)>,
}

impl Known<'_> {
    pub(super) fn read(&self) -> Result<Table> {
        let TableJob {
            database, table, ..
        } = self.job;
        self.sessions
            .run(&format!("Read the columns of {database}.{table}"), |conn| {
                Table::read(conn, database, table)
            })
    }

    /// The columns are, or may be, others than those that this pass knows.
    fn has_other_columns(&self) -> bool {
        let Some((known, _)) = self.columns else {
            return false;
        };
        self.read().map_or(true, |table| table.columns != known)
    }

    /// As [`Sessions::attempt`]; an answer that only looks as if the columns had changed is taken.
    pub(super) fn attempt<T>(
        &self,
        work: &mut dyn FnMut(&mut Conn) -> mysql::Result<T>,
    ) -> mysql::Result<T> {
        let outcome = self.sessions.attempt(work);
        match (&outcome, self.columns) {
            (Err(error), Some((_, watch)))
                if wire::is_misfit(error) && !self.has_other_columns() =>
            {
                watch.be_lenient();
                self.sessions.attempt(work)
            }
            _ => outcome,
        }
    }

    /// The error of a pass that met other columns than it knows, where that is why an operation failed.
    pub(super) fn altered(&self, operation: &str, error: &mysql::Error) -> Option<Error> {
        let is_altered = wire::may_be_of_columns(error) && self.has_other_columns();
        let TableJob {
            server,
            database,
            table,
            ..
        } = self.job;
        let name = format!("{database}.{table} at {}", label(server));
        is_altered.then(|| wire::changed(operation.to_owned(), &name))
    }
}
