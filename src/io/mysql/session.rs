//! Connections to one server: how they are opened, bounded, shared and tried again.
//!
//! A session is read-only, in UTC, in utf8mb4, with an empty `sql_mode` (so that zero dates are readable, quotes mean
//! what they say and CHAR comes without padding), and no statement of it runs unbounded, on either end. Nothing that a
//! server's administrator may set for all sessions is assumed: [`SESSION`] sets it.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use mysql::prelude::Queryable;
use mysql::{ClientIdentity, Conn, DriverError, OptsBuilder, SslOpts};

use super::bounded;
use crate::config::{Address, Server, Tls};
use crate::error::{Error, Result};
use crate::world::Clock;

/// The longest that a statement may run.
pub(super) const STATEMENT_S_MAX: u64 = 60;
/// The largest packet, and so the largest row, that is accepted from a server.
const PACKET_BYTES_MAX: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than a statement may take, so that the server's own limit speaks first.
const READ_TIMEOUT: Duration = Duration::from_secs(STATEMENT_S_MAX + 15);
/// Waits before each further try after a passing error.
const RETRY_DELAYS: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_millis(900),
    Duration::from_millis(2_700),
];
/// Waits before each further try to open a connection: fewer, for a server that is down holds up the other destinations.
const CONNECT_RETRIES: usize = 2;

/// What is said of a log-in at which the client library gave up.
const SENSELESS: &str =
    "The server and the client library do not understand each other at the log-in";

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

/// Idle connections to one server, opened when they are needed.
pub(super) struct Sessions {
    server: Server,
    clock: Arc<dyn Clock + Send>,
    idle: Mutex<Vec<Conn>>,
}

impl Sessions {
    pub(super) fn new(server: &Server, clock: Arc<dyn Clock + Send>) -> Self {
        Self {
            server: server.clone(),
            clock,
            idle: Mutex::default(),
        }
    }

    /// Runs `work` on a connection. Lost connections, deadlocks and lock timeouts are tried again a few times, with
    /// the whole of `work`, which therefore only reads.
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
        let mut tries = 0;
        loop {
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
            if tries >= limit || !is_passing(&error) || self.clock.stopping() {
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
        idle.map_or_else(|| open(&self.server), Ok)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Conn>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a connection and sets its session up.
fn open(server: &Server) -> mysql::Result<Conn> {
    let options = OptsBuilder::new()
        .user(Some(&server.user))
        .pass(Some(&server.password))
        .prefer_socket(false) // The default asks the server for its socket and may end at another server.
        .tcp_connect_timeout(Some(CONNECT_TIMEOUT))
        .read_timeout(Some(READ_TIMEOUT))
        .write_timeout(Some(READ_TIMEOUT))
        .max_allowed_packet(Some(PACKET_BYTES_MAX))
        .ssl_opts(server.tls.as_ref().map(tls_options));
    let options = match &server.address {
        Address::Tcp(host, port) => options
            .ip_or_hostname(Some(bracketed(host)))
            .tcp_port(*port),
        Address::Socket(path) => options.socket(Some(path.to_string_lossy())),
    };
    let mut conn = log_in(options)?;
    for statement in [READ_ONLY, SESSION] {
        bounded::none(conn.query_iter(statement)?)?;
    }
    Ok(conn)
}

thread_local! {
    /// The client library is at work on a log-in.
    static LOGGING_IN: Cell<bool> = const { Cell::new(false) };
}

/// The client library panics at what it takes for impossible: an account of `parsec` and no password, a salt of another
/// length than it knows, an empty packet. That is one more error of a log-in, without the words of a panic.
fn log_in(options: OptsBuilder) -> mysql::Result<Conn> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !LOGGING_IN.get() {
                usual(info);
            }
        }));
    });
    LOGGING_IN.set(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| Conn::new(options)));
    LOGGING_IN.set(false);
    outcome.unwrap_or_else(|_| Err(std::io::Error::other(SENSELESS).into()))
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.into()
    }
}

/// With `verify` off, a `ca` still has to have signed the certificate (MySQL's own `VERIFY_CA`); only the host's name is
/// not compared then. Without a `ca` anything is accepted.
fn tls_options(tls: &Tls) -> SslOpts {
    let Tls {
        ca,
        identity,
        verify,
    } = tls;
    let path = |path: &Path| std::borrow::Cow::<'static, Path>::Owned(path.to_owned());
    let identity = identity
        .as_ref()
        .map(|(cert, key)| ClientIdentity::new(path(cert), path(key)));
    SslOpts::default()
        .with_root_cert_path(ca.clone())
        .with_client_identity(identity)
        .with_danger_accept_invalid_certs(!verify && ca.is_none())
        .with_danger_skip_domain_validation(!verify)
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
        mysql::Error::MySqlError(error) => format!("{} (error {})", error.message, error.code),
        mysql::Error::IoError(error) => error.to_string(),
        mysql::Error::DriverError(error) => error.to_string(),
        mysql::Error::CodecError(error) => error.to_string(),
        other => other.to_string(),
    };
    let text = shown(&text);
    let advice = match error {
        mysql::Error::MySqlError(error) if error.code == 1045 => {
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

/// Errors that the next try may not meet. Numbers: MySQL and MariaDB error references. 1045, a denied access, is one of them:
/// the client library takes a zero at the end of a salt for an end of text, and answers one salt of 256 of `ed25519` wrong.
fn is_passing(error: &mysql::Error) -> bool {
    match error {
        error if bounded::is_excess(error) => false,
        mysql::Error::IoError(_) | mysql::Error::CodecError(_) | mysql::Error::DriverError(_) => {
            true
        }
        mysql::Error::MySqlError(error) => {
            matches!(error.code, 1040 | 1045 | 1047 | 1053 | 1077..=1080 | 1158..=1161 | 1205 | 1213 | 1317 | 1412 | 1615 | 1927 | 2006 | 2013 | 3169 | 4031)
        }
        _ => false,
    }
}

/// The server refused a statement and goes on with the session.
fn leaves_session_usable(error: &mysql::Error) -> bool {
    matches!(error, mysql::Error::MySqlError(_)) && !is_passing(error)
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
