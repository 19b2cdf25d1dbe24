//! One log-in: how it is configured, and what limits it.

use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use mysql::consts::{CapabilityFlags, StatusFlags};
use mysql::{ClientIdentity, Conn, OptsBuilder, SslOpts};

use mysql_common::packets::HandshakePacket;

use crate::config::{Address, Server, Tls, Verify};
use crate::io::authorities::system_authorities;
use crate::logic::value::oversize::ROW_BYTES_MAX;

/// The longest that a statement may run.
pub(super) const STATEMENT_S_MAX: u64 = 60;
/// Longer than a statement may take, so that the server's own limit speaks first.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(STATEMENT_S_MAX + 15);
/// For each address of a host.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest that a log-in may take, from the look-up of the host's name to the server's welcome.
pub(super) const LOG_IN_TIMEOUT: Duration = Duration::from_secs(10);

/// What is said of a log-in at which the client library gave up.
pub(super) const SENSELESS: &str =
    "The server and the client library do not understand each other at the log-in";

/// Begins, in a thread of its own, what the client library does at its first log-in and needs no server for: it compiles
/// the expressions that read a server's version. That is two thirds of all instructions of a pass that finds nothing.
pub(crate) fn prepare_log_in() {
    let work = || {
        let greeting = HandshakePacket::new(
            10,
            b"0.0.0".as_slice(),
            0,
            [0; 8],
            None::<&[u8]>,
            CapabilityFlags::empty(),
            0,
            StatusFlags::empty(),
            None::<&[u8]>,
        );
        greeting.server_version_parsed();
        greeting.maria_db_server_version_parsed();
    };
    let _ = thread::Builder::new().spawn(work); // Where there is no thread, the first log-in does it.
}

/// Logs in, or gives up when the time is over. The client library has one time limit for all it reads, which is that of
/// the longest statement. So the log-in has a thread of its own, which ends by that limit where nobody waits any longer.
pub(super) fn log_in(server: &Server) -> mysql::Result<Conn> {
    let options = options(server);
    let (tell, told) = sync_channel(1);
    thread::Builder::new().spawn(move || {
        let _ = tell.send(guarded(options)); // Fails when nobody waits any longer.
    })?;
    told.recv_timeout(LOG_IN_TIMEOUT)
        .unwrap_or_else(|_| Err(silent(LOG_IN_TIMEOUT)))
}

/// The error of a server that let a time limit pass.
pub(super) fn silent(limit: Duration) -> mysql::Error {
    let text = format!("No answer within {} s", limit.as_secs());
    Error::new(ErrorKind::TimedOut, text).into()
}

/// The time limit that a server let pass, where that is what the error says.
pub(super) fn limit_passed(error: &mysql::Error) -> Option<Duration> {
    match error {
        mysql::Error::IoError(error) => match error.kind() {
            // What the system says when a read or a write comes to its limit.
            ErrorKind::WouldBlock => Some(READ_TIMEOUT),
            ErrorKind::TimedOut => Some(LOG_IN_TIMEOUT),
            _ => None,
        },
        mysql::Error::DriverError(mysql::DriverError::ConnectTimeout) => Some(CONNECT_TIMEOUT),
        _ => None,
    }
}

fn options(server: &Server) -> OptsBuilder {
    let options = OptsBuilder::new()
        .user(Some(&server.user))
        .pass(Some(&server.password))
        .prefer_socket(false) // The default asks the server for its socket and may end at another server.
        .tcp_connect_timeout(Some(CONNECT_TIMEOUT))
        .read_timeout(Some(READ_TIMEOUT))
        .write_timeout(Some(READ_TIMEOUT))
        .max_allowed_packet(Some(ROW_BYTES_MAX))
        .ssl_opts(server.tls.as_ref().map(tls_options));
    match &server.address {
        Address::Tcp(host, port) => options
            .ip_or_hostname(Some(bracketed(host)))
            .tcp_port(*port),
        Address::Socket(path) => options.socket(Some(path.to_string_lossy())),
    }
}

thread_local! {
    /// The client library is at work on a log-in.
    static LOGGING_IN: Cell<bool> = const { Cell::new(false) };
}

/// The client library panics at what it takes for impossible: an account of `parsec` and no password, a salt of another
/// length than it knows, an empty packet. That is one more error of a log-in, without the words of a panic.
fn guarded(options: OptsBuilder) -> mysql::Result<Conn> {
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

pub(super) fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.into()
    }
}

/// Without a `ca` the system's authorities count. (The client library trusts the public ones besides, always.)
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
        .with_root_cert_path(ca.clone().or_else(system_authorities))
        .with_client_identity(identity)
        .with_danger_accept_invalid_certs(*verify == Verify::Nothing)
        .with_danger_skip_domain_validation(*verify != Verify::Identity)
}
