//! What an error of the client library means: whether another try may succeed, which side is at
//! fault, and its words for people.

use std::io::ErrorKind;

use mysql::DriverError;

use super::bounded;
use super::connect::{SENSELESS, STATEMENT_S_MAX, bracketed};
use crate::config::{Address, Server};
use crate::logic::value::one_line::beginning_on_one_line;
use crate::logic::value::oversize::ROW_BYTES_MAX;

/// Where a server is, for messages; no account, no password.
pub(super) fn label(server: &Server) -> String {
    match &server.address {
        Address::Tcp(host, port) => format!("{}:{port}", bracketed(host)),
        Address::Socket(path) => path.display().to_string(),
    }
}

/// The error in words, with the way out where there is a known one. The client's own text can hold what a server
/// sent, made harmless, but never a password.
pub(super) fn explained(error: &mysql::Error, server: &Server) -> String {
    let text = match error {
        error if bounded::is_too_large(error) => format!(
            "A row is larger than {} MiB, the most that cupid reads, whatever the server's max_allowed_packet is",
            ROW_BYTES_MAX >> 20
        ),
        mysql::Error::MySqlError(error) => format!("{} (error {})", error.message, error.code),
        mysql::Error::IoError(error) => error.to_string(),
        mysql::Error::DriverError(error) => no_connection(error),
        mysql::Error::CodecError(error) => error.to_string(),
        other => other.to_string(),
    };
    let text = shown(&text);
    let advice = advice(error, &text, server);
    format!("{text}{advice}")
}

/// Why there is no connection, without the address, which the message begins with.
fn no_connection(error: &DriverError) -> String {
    match error {
        DriverError::CouldNotConnect(Some((_, _, ErrorKind::ConnectionRefused))) => {
            "The connection is refused".into()
        }
        DriverError::CouldNotConnect(Some((_, reason, _))) => {
            format!("No connection: {reason}")
        }
        other => other.to_string(),
    }
}

/// The way out, where there is a known one. `text` is what the error says.
fn advice(error: &mysql::Error, text: &str, server: &Server) -> String {
    match error {
        mysql::Error::MySqlError(error) if matches!(error.code, 3118 | 3955 | 4150 | 4151) => {
            let account = &server.user;
            format!("; unlock {account:?} by ALTER USER … ACCOUNT UNLOCK, on MariaDB also by FLUSH PRIVILEGES")
        }
        mysql::Error::MySqlError(error) if matches!(error.code, 1820 | 1862) => {
            format!("; give {:?} a new password by ALTER USER", server.user)
        }
        mysql::Error::MySqlError(error) if error.code == 3159 => {
            "; the server takes encrypted connections only: set \"tls\": {\"ca\": \"/path/ca.pem\"}, or ssl-mode=REQUIRED \
            in dsn"
                .into()
        }
        mysql::Error::DriverError(DriverError::CouldNotConnect(Some((
            _,
            _,
            ErrorKind::ConnectionRefused,
        )))) if is_localhost(server) => {
            "; PHP takes `localhost` for the server's socket, cupid for this host's port: set unix_socket=/path in dsn in \
            place of the host, or check that the server is up and listens on the port"
                .into()
        }
        mysql::Error::MySqlError(error) if error.code == 1129 => {
            "; FLUSH HOSTS, or TRUNCATE performance_schema.host_cache, lets this host in again".into()
        }
        mysql::Error::MySqlError(error) if matches!(error.code, 1045 | 1698) => {
            format!(
                "; check user {:?} and its password, and whether it has to come over TLS (\"tls\", or ssl-mode=REQUIRED in dsn) \
                 or with a certificate",
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
            "; check that the server is up and that this host may connect to it".into()
        }
        _ => String::new(),
    }
}

fn is_localhost(server: &Server) -> bool {
    matches!(&server.address, Address::Tcp(host, _) if host.eq_ignore_ascii_case("localhost"))
}

/// What a server says, as a log can take it: one line, of a length that a person reads.
pub(super) fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 1_000;
    beginning_on_one_line(text, CHARS_MAX)
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
pub(super) fn leaves_session_usable(error: &mysql::Error) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn server(host: &str) -> Server {
        Server {
            address: Address::Tcp(host.into(), 1),
            user: "u".into(),
            password: String::new(),
            tls: None,
        }
    }

    #[test]
    fn a_server_that_wants_tls_is_told_with_the_keys_to_set() {
        for code in [1045, 3159] {
            let error = mysql::Error::MySqlError(mysql::MySqlError {
                state: "HY000".into(),
                message: "no".into(),
                code,
            });
            let text = explained(&error, &server("h"));
            for words in ["\"tls\"", "ssl-mode=REQUIRED in dsn"] {
                assert!(text.contains(words), "{text}");
            }
        }
    }

    #[test]
    fn phps_socket_is_named_where_localhost_refuses_and_nowhere_else() {
        for (host, kind, named) in [
            ("localhost", ErrorKind::ConnectionRefused, true),
            ("LOCALHOST", ErrorKind::ConnectionRefused, true),
            ("127.0.0.1", ErrorKind::ConnectionRefused, false),
            ("localhost", ErrorKind::TimedOut, false),
        ] {
            let failed = DriverError::CouldNotConnect(Some((host.into(), "no".into(), kind)));
            let text = explained(&mysql::Error::DriverError(failed), &server(host));
            assert_eq!(text.contains("unix_socket="), named, "{text}");
        }
    }
}
