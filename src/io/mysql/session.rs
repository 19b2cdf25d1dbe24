//! Connections to one server: how they are opened, bounded, shared and tried again.
//!
//! A session is read-only, in UTC (but see [`Manner`]) and in utf8mb4. Its `sql_mode` is empty, so
//! zero dates are readable, quotes have their usual meaning and CHAR comes without padding. No
//! statement runs unbounded, on either end. No default of the server's administrator is relied on:
//! [`SESSION`] sets every variable that matters.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use mysql::Conn;
use mysql::prelude::Queryable;

use super::bounded;
use super::connect;
use super::errors::{explained, is_of_statement, is_passing, label, leaves_session_usable, shown};
use super::log_ins::LogIns;
use crate::config::Server;
use crate::error::{Error, Result};
use crate::locks::locked;
use crate::world::Clock;

/// Waits before each further try after a passing error.
const RETRY_DELAYS: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_millis(900),
    Duration::from_millis(2_700),
];
/// Waits before each further try to open a connection: fewer, for a server that is down holds up the other destinations.
const CONNECT_RETRIES: usize = 2;
/// A try that took longer is not repeated. Else a server that is slow to fail would hold up the other destinations for
/// several times its limit.
const REPEATED_US_MAX: i64 = 5_000_000;

const READ_ONLY: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY";
/// One statement for both families. MariaDB reads `/*M!` and leaves out `/*!` with versions from 5.7.0 to 9.99.99, which
/// MySQL reads (MariaDB Knowledge Base, "Comment Syntax"). Every account may set these variables for its session.
///
/// - `sql_mode=0` and not `''`, which is NULL under MariaDB's `EMPTY_STRING_IS_NULL`.
/// - `autocommit` goes from 0 to 1, which also ends a transaction that `init_connect` began. No lock stays behind.
/// - `sql_select_limit`, `max_join_size`, `sql_big_selects` and `sql_auto_is_null` drop rows or refuse statements.
/// - `max_sort_length` reorders long keys, by whose order a table is paged; 12,288 bytes are the weights of the longest
///   key of `InnoDB`, and `sort_buffer_size` has room for them.
/// - `lock_wait_timeout`, `wait_timeout` and the two of the net may be so short that idle or busy sessions are cut off.
/// - `system_versioning_asof` shows a table's past; `show_gipk_…` hides a primary key from `information_schema`.
const SESSION: &str = "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, SESSION sql_mode=0, time_zone='+00:00', \
    autocommit=0, autocommit=1, completion_type=0, sql_select_limit=18446744073709551615, \
    max_join_size=18446744073709551615, sql_big_selects=1, sql_auto_is_null=0, max_sort_length=12288, \
    sort_buffer_size=1048576, lock_wait_timeout=60, wait_timeout=3600, net_read_timeout=60, net_write_timeout=60 \
    /*M!100100 , max_statement_time=60 */ /*M!100300 , system_versioning_asof=DEFAULT */ \
    /*!50708 , max_execution_time=60000 */ /*!80030 , show_gipk_in_create_table_and_information_schema=1 */";

/// What of a session a condition of the configuration depends on: the zone of its times and the meaning of its signs.
const PLAIN: &str = "sql_mode=0, time_zone='+00:00'";
/// The same as a session of the operator's own client has it. Of the modes these are the ones that change what a text of
/// SQL says; others change values, which are read alike everywhere.
const LIKE_OPERATOR: &str = "sql_mode=CONCAT_WS(',', \
    IF(FIND_IN_SET('ANSI_QUOTES', @@GLOBAL.sql_mode), 'ANSI_QUOTES', NULL), \
    IF(FIND_IN_SET('PIPES_AS_CONCAT', @@GLOBAL.sql_mode), 'PIPES_AS_CONCAT', NULL), \
    IF(FIND_IN_SET('HIGH_NOT_PRECEDENCE', @@GLOBAL.sql_mode), 'HIGH_NOT_PRECEDENCE', NULL), \
    IF(FIND_IN_SET('IGNORE_SPACE', @@GLOBAL.sql_mode), 'IGNORE_SPACE', NULL), \
    IF(FIND_IN_SET('NO_BACKSLASH_ESCAPES', @@GLOBAL.sql_mode), 'NO_BACKSLASH_ESCAPES', NULL)), \
    time_zone=@@GLOBAL.time_zone";

/// The server's clock in microseconds since 1970, in every zone; `UNIX_TIMESTAMP(NOW(6))` is ambiguous when clocks go back.
pub(super) const NOW_US: &str = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))";

/// How a session reads SQL and times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// In UTC, under an empty `sql_mode`.
    Plain,
    /// In the server's zone, and with its meaning of quotes, pipes and backslashes: a `where` selects what it selects in
    /// the operator's own client.
    LikeOperator,
}

impl Manner {
    /// That of the sessions whose statements hold this condition.
    pub(super) fn of_condition(condition: Option<&String>) -> Self {
        condition.map_or(Self::Plain, |_| Self::LikeOperator)
    }

    fn statement(self) -> Cow<'static, str> {
        match self {
            Self::Plain => SESSION.into(),
            Self::LikeOperator => SESSION.replace(PLAIN, LIKE_OPERATOR).into(),
        }
    }
}

/// Idle connections to one server, opened when they are needed.
pub(super) struct Sessions {
    server: Server,
    manner: Manner,
    clock: Arc<dyn Clock + Send>,
    log_ins: Arc<LogIns>,
    idle: Mutex<Vec<Conn>>,
}

impl Sessions {
    pub(super) fn new(server: &Server, manner: Manner, clock: Arc<dyn Clock + Send>) -> Self {
        Self {
            server: server.clone(),
            manner,
            clock,
            log_ins: Arc::default(),
            idle: Mutex::default(),
        }
    }

    /// Other connections of the same job.
    pub(super) fn of_same_job(&self, server: &Server, manner: Manner) -> Self {
        Self {
            server: server.clone(),
            manner,
            clock: Arc::clone(&self.clock),
            log_ins: Arc::clone(&self.log_ins),
            idle: Mutex::default(),
        }
    }

    /// Another pass of the job begins: what was refused, and who did not answer, is tried once more.
    pub(super) fn begin_pass(&self) {
        self.log_ins.begin_pass();
    }

    /// Whether the server let a time limit pass in this pass.
    pub(super) fn is_silent(&self) -> bool {
        self.log_ins.silence(&self.server).is_some()
    }

    /// Runs `work` on a connection. Lost connections, deadlocks and lock timeouts are tried again a few times, with
    /// the whole of `work`, which therefore only reads. A refused log-in and a server that does not answer are not
    /// tried again before another pass.
    ///
    /// # Errors
    /// What the last try said, under the name of `operation`.
    pub(super) fn run<T>(
        &self,
        operation: &str,
        mut work: impl FnMut(&mut Conn) -> mysql::Result<T>,
    ) -> Result<T> {
        self.attempt(&mut work)
            .map_err(|error| self.failed(operation, &error))
    }

    /// The client's error as ours, where a `where` of the configuration may be the cause.
    pub(super) fn failed_with(
        &self,
        operation: &str,
        error: &mysql::Error,
        key: &str,
        condition: Option<&str>,
        path: &Path,
    ) -> Error {
        match condition {
            Some(condition) if is_of_statement(error) => Error::Config {
                path: path.to_owned(),
                problem: format!(
                    "{key}: holds {condition:?}; should be an SQL condition on the table's columns, but {} says: {}",
                    label(&self.server),
                    explained(error, &self.server)
                ),
            },
            _ => self.failed(operation, error),
        }
    }

    /// The client's error as ours.
    pub(super) fn failed(&self, operation: &str, error: &mysql::Error) -> Error {
        Error::Database {
            operation: format!("{operation} at {}", label(&self.server)),
            reason: explained(error, &self.server),
        }
    }

    /// As [`Self::run`], with the client's error.
    pub(super) fn attempt<T>(
        &self,
        work: &mut dyn FnMut(&mut Conn) -> mysql::Result<T>,
    ) -> mysql::Result<T> {
        if let Some(limit) = self.log_ins.silence(&self.server) {
            return Err(connect::silent(limit));
        }
        let mut tries = 0;
        loop {
            let began_us = self.clock.now_us();
            let (error, limit) = match self.checkout() {
                Ok(mut conn) => {
                    let outcome = work(&mut conn);
                    if outcome.as_ref().err().is_none_or(leaves_session_usable) {
                        self.idle().push(conn);
                    }
                    match outcome {
                        Ok(value) => return Ok(value),
                        Err(error) => (error, RETRY_DELAYS.len()),
                    }
                }
                Err(error) => (error, CONNECT_RETRIES),
            };
            if let Some(limit) = connect::limit_passed(&error) {
                self.idle().clear();
                self.log_ins.note_silence(&self.server, limit);
                return Err(connect::silent(limit));
            }
            let took_us = self.clock.now_us() - began_us;
            let is_repeated = is_passing(&error) && took_us <= REPEATED_US_MAX;
            if tries >= limit || !is_repeated || self.clock.stopping() {
                return Err(error);
            }
            log::debug!(
                "Try again at {}: {}",
                label(&self.server),
                shown(&error.to_string())
            );
            self.idle().clear();
            self.clock.sleep(RETRY_DELAYS[tries]);
            tries += 1;
        }
    }

    fn checkout(&self) -> mysql::Result<Conn> {
        let idle = self.idle().pop();
        idle.map_or_else(|| self.open(), Ok)
    }

    /// Opens a connection and sets its session up.
    fn open(&self) -> mysql::Result<Conn> {
        let mut conn = self.log_ins.log_in(&self.server, self.clock.now_us())?;
        for statement in [READ_ONLY, &*self.manner.statement()] {
            bounded::none(conn.query_iter(statement)?)?;
        }
        Ok(conn)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Conn>> {
        locked(&self.idle)
    }
}
