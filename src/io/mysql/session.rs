//! Connections to one server: how they are opened, bounded, shared and tried again.
//!
//! A session is read-only, in UTC (but see [`Manner`]), in utf8mb4, with an empty `sql_mode` (so that zero dates are readable, quotes mean
//! what they say and CHAR comes without padding), and no statement of it runs unbounded, on either end. Nothing that a
//! server's administrator may set for all sessions is assumed: [`SESSION`] sets it.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use mysql::prelude::Queryable;
use mysql::{Conn, DriverError};

use super::bounded;
use super::connect::{self, SENSELESS, bracketed};
use super::log_ins::LogIns;
use crate::config::{Address, Server};
use crate::error::{Error, Result};
use crate::locks::locked;
use crate::logic::value::oversize::ROW_BYTES_MAX;
use crate::world::Clock;

/// The longest that a statement may run.
pub(super) const STATEMENT_S_MAX: u64 = 60;
/// Longer than a statement may take, so that the server's own limit speaks first.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(STATEMENT_S_MAX + 15);
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

/// Where a server is, for messages; no account, no password.
pub(super) fn label(server: &Server) -> String {
    match &server.address {
        Address::Tcp(host, port) => format!("{}:{port}", bracketed(host)),
        Address::Socket(path) => path.display().to_string(),
    }
}

/// The error in words, with the way out where there is a known one. The client's own text can hold what a server
/// sent, made harmless, but never a password.
fn explained(error: &mysql::Error, server: &Server) -> String {
    let text = match error {
        error if bounded::is_too_large(error) => format!(
            "A row is larger than {} MiB, the most that cupid reads, whatever the server's max_allowed_packet is",
            ROW_BYTES_MAX >> 20
        ),
        mysql::Error::MySqlError(error) => format!("{} (error {})", error.message, error.code),
        mysql::Error::IoError(error) => error.to_string(),
        mysql::Error::DriverError(error) => error.to_string(),
        mysql::Error::CodecError(error) => error.to_string(),
        other => other.to_string(),
    };
    let text = shown(&text);
    let advice = match error {
        mysql::Error::MySqlError(error) if matches!(error.code, 3118 | 3955 | 4150 | 4151) => {
            let account = &server.user;
            format!("; unlock {account:?} by ALTER USER … ACCOUNT UNLOCK, on MariaDB also by FLUSH PRIVILEGES")
        }
        mysql::Error::MySqlError(error) if matches!(error.code, 1820 | 1862) => {
            format!("; give {:?} a new password by ALTER USER", server.user)
        }
        mysql::Error::MySqlError(error) if error.code == 1129 => {
            "; FLUSH HOSTS, or TRUNCATE performance_schema.host_cache, lets this host in again".into()
        }
        mysql::Error::MySqlError(error) if matches!(error.code, 1045 | 1698) => {
            format!(
                "; check user {:?} and its password, and whether it has to come over TLS or with a certificate",
                server.user
            )
        }
        mysql::Error::MySqlError(error) if matches!(error.code, 1969 | 3024) => {
            format!(
                "; a statement may take {STATEMENT_S_MAX} s, so an index is probably missing: `cupid check` tells which"
            )
        }
        mysql::Error::MySqlError(error) if matches!(error.code, 1153 | 1301 | 3684) => {
            "; that is the server's own max_allowed_packet: raise it there".into()
        }
        mysql::Error::DriverError(DriverError::TlsNotSupported) => {
            "; turn TLS on at the server, or leave `tls` out".into()
        }
        _ if text.contains(SENSELESS) => {
            format!("; check user {:?} and its password", server.user)
        }
        _ if text.contains("not valid for name") => {
            "; certificates that a server makes for itself carry no host name: use one that does, or set \
            \"verify\": false in `tls` next to its \"ca\", which then must still have signed it"
                .into()
        }
        _ if text.contains("UnknownIssuer") || text.contains("BadSignature") => {
            "; set \"ca\" in `tls` to the file of the authority that signed it".into()
        }
        mysql::Error::CodecError(_)
        | mysql::Error::DriverError(
            DriverError::UnexpectedPacket
            | DriverError::UnsupportedProtocol(_)
            | DriverError::Protocol41NotSet,
        ) => "; that is no MySQL server".into(),
        _ if text.contains("authentication protocol") => {
            format!(
                "; let user {:?} log in by caching_sha2_password, mysql_native_password, ed25519 or parsec",
                server.user
            )
        }
        mysql::Error::IoError(_) | mysql::Error::DriverError(_)
            if matches!(server.address, Address::Tcp(..)) && !bounded::is_excess(error) =>
        {
            "; is the server up, and may this host connect to it?".into()
        }
        _ => String::new(),
    };
    format!("{text}{advice}")
}

/// What a server says, as a log can take it: one line, of a length that a person reads.
pub(super) fn shown(text: &str) -> String {
    const LENGTH_MAX: usize = 1_000;
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LENGTH_MAX)
        .collect()
}

/// Errors that the next try may not meet. Numbers: MySQL and MariaDB error references. A refused log-in is none of them:
/// the next one would bring a lock of the account nearer.
pub(super) fn is_passing(error: &mysql::Error) -> bool {
    match error {
        error if bounded::is_excess(error) || bounded::is_too_wide(error) => false,
        mysql::Error::IoError(_) | mysql::Error::CodecError(_) | mysql::Error::DriverError(_) => {
            true
        }
        // Of the limits of an account, the number of its connections is the one that passes by itself.
        mysql::Error::MySqlError(error) if error.code == 1226 => {
            error.message.contains("max_user_connections")
        }
        mysql::Error::MySqlError(error) => {
            matches!(error.code, 1040 | 1047 | 1053 | 1077..=1080 | 1158..=1161 | 1203 | 1205 | 1213 | 1317 | 1412 | 1615 | 1927 | 2006 | 2013 | 3169 | 4031)
        }
        _ => false,
    }
}

/// The server refused a statement and goes on with the session.
fn leaves_session_usable(error: &mysql::Error) -> bool {
    // After a packet that was too large for it (1153) a server closes the connection.
    matches!(error, mysql::Error::MySqlError(error) if error.code != 1153) && !is_passing(error)
}

/// The statement cannot be parsed or names what is not there: with a `where` of the configuration in it, that is why.
pub(super) fn is_of_statement(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::MySqlError(error) if matches!(error.code, 1052 | 1054 | 1064 | 1111 | 1305 | 1582 | 1630))
}

/// Errors of one key, not of the table: a collation or conversion that is impossible, a value that is out of range.
pub(super) fn is_of_one_key(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::MySqlError(error)
        if matches!(error.code, 1267 | 1270 | 1271 | 1292 | 1300 | 1366 | 1367 | 1411 | 1690 | 1977 | 3854 | 3988))
}
