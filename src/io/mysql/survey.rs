//! What `init` reads from a server: which tables there are, and what they are made of.

use std::sync::Arc;

use mysql::prelude::Queryable;

use super::bounded;
use super::errors::label;
use super::inspect::table_facts;
use super::session::{Manner, Sessions};
use crate::check::facts::TableFacts;
use crate::config::{Server, TableJob};
use crate::error::{Error, Result};
use crate::world::Clock;

/// A server that is asked about its tables.
pub(crate) struct Survey {
    server: Server,
    sessions: Sessions,
}

/// Which columns of a table have to be readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// A callback has the whole row.
    AllColumns,
    AnyColumn,
}

impl Survey {
    pub(crate) fn of(server: &Server, clock: Arc<dyn Clock + Send>) -> Self {
        Self {
            server: server.clone(),
            sessions: Sessions::new(server, Manner::Plain, clock),
        }
    }

    /// `host:port` or the socket.
    pub(crate) fn label(&self) -> String {
        label(&self.server)
    }

    /// The tables, and no views, whose names match a pattern, of which `%` alone is special;
    /// `limit` at the most.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub(crate) fn tables(
        &self,
        database: &str,
        pattern: &str,
        limit: usize,
    ) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA=? AND TABLE_NAME LIKE ? ESCAPE '|' \
             AND TABLE_TYPE NOT LIKE '%VIEW%' ORDER BY TABLE_NAME LIMIT {limit}"
        );
        let pattern = pattern.replace('|', "||").replace('_', "|_");
        self.sessions.run("List the tables", |conn| {
            bounded::all(conn.exec_iter(&sql, (database, &pattern))?)
        })
    }

    /// A table; without columns where there is none that this account may see.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses that the table is read.
    pub(crate) fn table(&self, database: &str, table: &str, needs: Needs) -> Result<TableFacts> {
        let job = TableJob {
            server: self.server.clone(),
            database: database.to_owned(),
            table: table.to_owned(),
            by_column: String::new(),
            condition: None,
        };
        let needed: &[&str] = match needs {
            Needs::AllColumns => &[],
            Needs::AnyColumn => &[""],
        };
        let operation = format!("Read {}", job.name());
        let facts = self
            .sessions
            .run(&operation, |conn| table_facts(conn, &job, needed))?;
        match &facts.readable {
            Some(refused) if !facts.columns.is_empty() => Err(Error::Database {
                operation: format!("{operation} at {}", self.label()),
                reason: format!("{} (error {})", refused.message, refused.code),
            }),
            _ => Ok(facts),
        }
    }
}
