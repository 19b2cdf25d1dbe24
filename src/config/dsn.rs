//! The address of a server: `mysql:host=…;port=…` as PDO writes it, or a URL.
//!
//! A DSN may hold a password, and a mistyped DSN may hold it anywhere. So no problem shows a part
//! of a DSN, except the name of a parameter that is nearly a known one.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Url;

use super::Address;
use super::tls::Mode;
use super::words::nearest;

const PORT: u16 = 3306;
const SHOULD: &str =
    "should be mysql:host=…;port=…;dbname=… or mysql://user:password@host:port/database";

/// Kinds of DSN that people may take for ours.
const OTHER_SCHEMES: [&str; 12] = [
    "dblib",
    "jdbc",
    "mariadb",
    "mysql2",
    "mysqli",
    "mysqlx",
    "oci",
    "odbc",
    "pgsql",
    "postgres",
    "postgresql",
    "sqlite",
];

/// What a DSN says.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Dsn {
    /// TCP or socket.
    pub(super) address: Address,
    /// Part of a URL only.
    pub(super) user: Option<String>,
    /// Part of a URL only.
    pub(super) password: Option<String>,
    /// `dbname`, or the path of a URL.
    pub(super) database: Option<String>,
    /// True for a URL.
    pub(super) is_url: bool,
    /// `ssl-mode` of a URL.
    pub(super) tls_mode: Option<Mode>,
    /// What an operator should know.
    pub(super) note: Option<&'static str>,
}

/// Reads a DSN of either form.
///
/// # Errors
///
/// What is wrong, without any part of the DSN that could be a password.
pub(super) fn parse(dsn: &str) -> Result<Dsn, String> {
    let dsn = dsn.trim();
    if dsn.starts_with("mysql://") {
        parse_url(dsn)
    } else if let Some(parameters) = dsn.strip_prefix("mysql:") {
        parse_pdo(parameters)
    } else {
        let scheme = dsn.split_once(':').map(|(scheme, _)| scheme);
        let kind = match scheme.filter(|scheme| OTHER_SCHEMES.contains(scheme)) {
            Some(scheme) => format!("a DSN of the kind {scheme:?}"),
            None => "another kind of DSN".into(),
        };
        Err(format!("holds {kind} (not shown); {SHOULD}"))
    }
}

fn parse_pdo(parameters: &str) -> Result<Dsn, String> {
    const KNOWN: [&str; 5] = ["host", "port", "dbname", "unix_socket", "charset"];
    let mut values: [Option<&str>; 5] = [None; 5];
    let may_show_names = !parameters.contains("user") && !parameters.contains("pass");
    for (index, parameter) in parameters.split(';').enumerate() {
        if parameter.trim().is_empty() {
            continue;
        }
        let number = index + 1;
        let (name, value) = parameter.split_once('=').ok_or_else(|| {
            format!("holds a DSN whose part {number} has no \"=\" (not shown); {SHOULD}")
        })?;
        let name = name.trim();
        if matches!(name, "user" | "password") {
            return Err(
                "holds an account in the DSN; should have it in the keys user and password".into(),
            );
        }
        let Some(known) = KNOWN.iter().position(|known| *known == name) else {
            return Err(unknown_parameter(name, number, &KNOWN, may_show_names));
        };
        if values[known].replace(value.trim()).is_some() {
            return Err(format!(
                "holds a DSN that names {name} twice; should name it once"
            ));
        }
    }
    let [host, port, database, socket, _charset] =
        values.map(|value| value.filter(|value| !value.is_empty()));
    let port = match port {
        None => PORT,
        Some(port) => parse_port(port).ok_or_else(|| {
            "holds a DSN with an invalid port; should be port=1 to port=65535".to_owned()
        })?,
    };
    let host = host.map(|host| {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        bare.unwrap_or(host)
    });
    let address = address(host, port, socket.map(str::to_owned))?;
    let local = host == Some("localhost") && matches!(address, Address::Tcp(..));
    Ok(Dsn {
        address,
        user: None,
        password: None,
        database: database.map(str::to_owned),
        is_url: false,
        tls_mode: None,
        note: local.then_some(
            "localhost is reached over TCP, where PHP took the Unix socket; name it with unix_socket=… if \
             the account is only allowed there",
        ),
    })
}

fn parse_url(dsn: &str) -> Result<Dsn, String> {
    const ADVICE: &str = "should be mysql://user:password@host:port/database, with @ : / ? # and % in user \
                          and password percent-encoded";
    // A socket needs no host, a URL with an account does.
    let hostless = dsn.strip_prefix("mysql://").and_then(|rest| {
        let (account, path) = rest.split_once("@/")?;
        Some(format!("mysql://{account}@localhost/{path}"))
    });
    let url = Url::parse(hostless.as_deref().unwrap_or(dsn))
        .map_err(|error| format!("holds an unusable URL (not shown): {error}; {ADVICE}"))?;
    let path = url.path();
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.contains('/') || path.contains('@') || url.fragment().is_some() {
        return Err(format!("holds an unusable URL (not shown); {ADVICE}"));
    }
    let (mut socket, mut tls_mode) = (None, None);
    for (index, parameter) in url.query().unwrap_or_default().split('&').enumerate() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name {
            "" | "charset" => {}
            "ssl-mode" if tls_mode.is_some() => {
                return Err("holds a DSN that names ssl-mode twice; should name it once".into());
            }
            "ssl-mode" if !value.contains('@') => tls_mode = Some(Mode::parse(value)?),
            "socket" | "unix_socket" => socket = Some(decode(value)?).filter(|s| !s.is_empty()),
            _ if value.contains('@') => {
                return Err(format!("holds an unusable URL (not shown); {ADVICE}"));
            }
            _ => {
                let known = ["unix_socket", "socket", "charset", "ssl-mode"];
                return Err(unknown_parameter(name, index + 1, &known, true));
            }
        }
    }
    let host = match url.host_str().unwrap_or_default() {
        "" => None,
        _ if hostless.is_some() => None,
        host => {
            let bare = host
                .strip_prefix('[')
                .and_then(|host| host.strip_suffix(']'));
            Some(decode(bare.unwrap_or(host))?)
        }
    };
    let port = match url.port() {
        Some(0) => return Err(format!("holds a URL with port 0 (not shown); {ADVICE}")),
        Some(port) => port,
        None => PORT,
    };
    Ok(Dsn {
        address: address(host.as_deref(), port, socket)?,
        user: Some(decode(url.username())?).filter(|user| !user.is_empty()),
        password: url.password().map(decode).transpose()?,
        database: Some(decode(path)?).filter(|database| !database.is_empty()),
        is_url: true,
        tls_mode,
        note: None,
    })
}

/// A socket stands alone or with `localhost`: with another host it would not be clear which server is meant.
fn address(host: Option<&str>, port: u16, socket: Option<String>) -> Result<Address, String> {
    match (host, socket) {
        (None | Some("localhost"), Some(socket)) => Ok(Address::Socket(PathBuf::from(socket))),
        (Some(_), Some(_)) => {
            Err("holds a DSN with a host and a Unix socket; should name one of the two".into())
        }
        (Some(host), None) => Ok(Address::Tcp(host.to_owned(), port)),
        (None, None) => Err(format!(
            "holds a DSN without host and without unix_socket; {SHOULD}"
        )),
    }
}

fn parse_port(port: &str) -> Option<u16> {
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|port| digits && *port > 0)
}

fn decode(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| "holds a URL whose percent-encoding is not UTF-8 (not shown)".into())
}

fn unknown_parameter(name: &str, number: usize, known: &[&str], may_show: bool) -> String {
    let plain = name.len() <= 20
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    match nearest(name, known) {
        Some(near) if may_show && plain => {
            format!("holds a DSN with the unknown parameter \"{name}\"; did you mean {near}?")
        }
        _ => format!(
            "holds a DSN with an unknown parameter (number {number}, not shown); should have only {}",
            known.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests;
