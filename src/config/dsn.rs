//! Where a server is: `mysql:host=…;port=…` as PDO writes it, or a URL.
//!
//! A DSN may hold a password, and a mistyped one may hold it in any place. So no problem told here shows a part of a DSN,
//! except the name of a parameter that is nearly a known one.

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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tcp(host: &str, port: u16) -> Address {
        Address::Tcp(host.into(), port)
    }

    fn socket(path: &str) -> Address {
        Address::Socket(path.into())
    }

    #[test]
    fn a_pdo_dsn_is_read_in_any_order() {
        for (dsn, address, database) in [
            (
                "mysql:dbname=my;host=127.0.0.1;port=3306",
                tcp("127.0.0.1", 3306),
                Some("my"),
            ),
            ("mysql:host=db", tcp("db", 3306), None),
            (
                " mysql: port = 3307 ; host = db ; dbname = my ; charset = utf8 ; ",
                tcp("db", 3307),
                Some("my"),
            ),
            ("mysql:host=::1;port=1", tcp("::1", 1), None),
            ("mysql:host=[::1]", tcp("::1", 3306), None),
            (
                "mysql:unix_socket=/run/my.sock;dbname=my",
                socket("/run/my.sock"),
                Some("my"),
            ),
            (
                "mysql:host=localhost;unix_socket=/run/my.sock;port=",
                socket("/run/my.sock"),
                None,
            ),
        ] {
            let parsed = parse(dsn).unwrap();
            assert!(parsed.address == address, "{dsn}: {:?}", parsed.address);
            assert_eq!(parsed.database.as_deref(), database, "{dsn}");
            assert!(parsed.user.is_none() && parsed.password.is_none() && !parsed.is_url);
        }
    }

    #[test]
    fn a_url_is_read_with_its_account() {
        for (dsn, address, user, password, database) in [
            (
                "mysql://u:p@db:3307/my",
                tcp("db", 3307),
                Some("u"),
                Some("p"),
                Some("my"),
            ),
            ("mysql://u@db", tcp("db", 3306), Some("u"), None, None),
            ("mysql://db/", tcp("db", 3306), None, None, None),
            (
                "mysql://a%40b:p%2F%3A%25%20q@db/my%20db",
                tcp("db", 3306),
                Some("a@b"),
                Some("p/:% q"),
                Some("my db"),
            ),
            (
                "mysql://u:a@b@db/my",
                tcp("db", 3306),
                Some("u"),
                Some("a@b"),
                Some("my"),
            ),
            (
                "mysql://u:%@db/my",
                tcp("db", 3306),
                Some("u"),
                Some("%"),
                Some("my"),
            ),
            (
                "mysql://u:p@[2001:db8::1]:3306/my",
                tcp("2001:db8::1", 3306),
                Some("u"),
                Some("p"),
                Some("my"),
            ),
            (
                "mysql://u:p@localhost/my?unix_socket=/run/my.sock",
                socket("/run/my.sock"),
                Some("u"),
                Some("p"),
                Some("my"),
            ),
            (
                "mysql://u:p@/my?socket=%2Frun%2Fmy.sock&charset=utf8",
                socket("/run/my.sock"),
                Some("u"),
                Some("p"),
                Some("my"),
            ),
            (
                "mysql:///my?socket=/run/my.sock",
                socket("/run/my.sock"),
                None,
                None,
                Some("my"),
            ),
        ] {
            let parsed = parse(dsn).unwrap_or_else(|problem| panic!("{dsn}: {problem}"));
            assert!(parsed.address == address, "{dsn}: {:?}", parsed.address);
            assert_eq!(parsed.user.as_deref(), user, "{dsn}");
            assert_eq!(parsed.password.as_deref(), password, "{dsn}");
            assert_eq!(parsed.database.as_deref(), database, "{dsn}");
        }
    }

    #[test]
    fn a_wrong_dsn_is_refused_and_its_password_is_not_shown() {
        for (dsn, words) in [
            ("", "another kind"),
            ("pgsql:host=HIDDEN", "the kind \"pgsql\""),
            ("HIDDEN:host=db", "another kind"),
            ("mysql:", "without host"),
            ("mysql:host=;dbname=my", "without host"),
            ("mysql:HIDDEN", "has no \"=\""),
            ("mysql:host=db;prot=3306", "\"prot\"; did you mean port?"),
            ("mysql:host=db;persistent=1", "should have only host, port"),
            (
                "mysql:host=db;user=a;password=HIDDEN;HIDDEN=3",
                "keys user and password",
            ),
            ("mysql:HIDDEN=3;password=HIDDEN", "number 1, not shown"),
            (
                "mysql:host=db;dbname=my;HIDDEN=;port=1",
                "number 3, not shown",
            ),
            ("mysql://u:1?HIDDEN&x@db/my", "number 1, not shown"),
            ("mysql:host=db;port=HIDDEN", "invalid port"),
            ("mysql:host=db;port=0", "invalid port"),
            ("mysql:host=db;port=+1", "invalid port"),
            ("mysql:host=db;port=65536", "invalid port"),
            ("mysql:host=a;host=b", "names host twice"),
            ("mysql:host=db;unix_socket=/run/my.sock", "one of the two"),
            ("mysql://u:HIDDEN@db:99999/my", "invalid port"),
            ("mysql://u:HIDDEN@db:0/my", "port 0"),
            ("mysql://u:1/HIDDEN@db/my", "percent-encoded"),
            ("mysql://u:1?HIDDEN=1@db/my", "percent-encoded"),
            ("mysql://u:HID#DEN@db/my", "percent-encoded"),
            ("mysql://u:HIDDEN@/my", "without host"),
            ("mysql://u:HIDDEN@db/my?sockt=/x", "did you mean socket?"),
            (
                "mysql://u:HIDDEN@db/my?compress=1",
                "should have only unix_socket",
            ),
            ("mysql://u:HIDDEN@db/my?socket=/x", "one of the two"),
            ("mysql://", "without host"),
        ] {
            match parse(dsn) {
                Ok(parsed) => assert!(
                    parsed.address == tcp(words, 3306),
                    "{dsn}: {:?}",
                    parsed.address
                ),
                Err(problem) => {
                    assert!(problem.contains(words), "{dsn}: {problem}");
                    assert!(
                        !problem.contains("HID") && !problem.contains("DEN"),
                        "{problem}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_account_survives_a_url(user in "\\PC{1,10}", password in "\\PC*", database in "[a-z]\\PC{0,9}") {
            let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
            let dsn = format!("mysql://{}:{}@db/{}", encode(&user), encode(&password), encode(&database));
            let parsed = parse(&dsn).unwrap();
            prop_assert_eq!(parsed.user.as_deref(), Some(&*user));
            prop_assert_eq!(parsed.password.unwrap_or_default(), password);
            prop_assert_eq!(parsed.database.as_deref(), Some(&*database));
        }

        #[test]
        fn any_text_is_a_dsn_or_a_refusal(text in "(mysql:(//)?)?\\PC*") {
            let _ = parse(&text);
        }
    }
}
