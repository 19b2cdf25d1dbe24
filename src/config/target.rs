//! A server as a command line names it: the DSN of a configuration, account included.

use std::path::{Path, PathBuf};

use url::Url;

use super::tls::Mode;
use super::variables::{Variables, path_beside};
use super::{Server, Tls, Verify, callback, dsn, file, names, table_name};

/// A server and an account; the password is apart.
#[derive(Clone)]
pub(crate) struct Target {
    /// Without a password.
    pub(crate) server: Server,
    /// The password in the DSN.
    pub(crate) password: Option<String>,
    /// The database of the DSN.
    pub(crate) database: Option<String>,
    /// The DSN without the account.
    pub(crate) dsn: String,
}

/// Reads a DSN with an account, `mysql://user@host:port/database`.
///
/// # Errors
/// What is wrong, without any part of the DSN that could be a password.
pub(crate) fn target(text: &str) -> Result<Target, String> {
    const SHOULD: &str = "should be mysql://user@host:port/database";
    let text = text.trim();
    let read = dsn::parse(text)?;
    let user = read.user.ok_or_else(|| {
        let kind = if read.is_url {
            "a URL without an account"
        } else {
            "a PDO DSN, which has no account"
        };
        format!("holds {kind}; {SHOULD}")
    })?;
    let tls = match read.tls_mode {
        None | Some(Mode::Disabled) => None,
        Some(Mode::On(verify)) => Some(verify),
    };
    Ok(Target {
        server: Server {
            address: read.address,
            user,
            password: String::new(),
            tls: tls.map(by_system),
        },
        password: read.password,
        database: read.database,
        dsn: without_account(text),
    })
}

/// Certificates are verified by the system's authorities.
fn by_system(verify: Verify) -> Tls {
    Tls {
        ca: None,
        identity: None,
        verify,
    }
}

/// The URL was read before, so it has the form of one.
fn without_account(url: &str) -> String {
    let rest = url.strip_prefix("mysql://").unwrap_or(url);
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let bare = format!("mysql://{host}{path}");
    Url::parse(&bare).map_or(bare, |url| url.to_string())
}

/// The database, if it is named, and the table of `table` or `database.table`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn table_of(text: &str) -> Result<(Option<String>, String), &'static str> {
    table_name::parse(text)
}

/// Refuses what `callbackNotification.url` would refuse.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_callback(url: &str) -> Result<(), String> {
    if url.contains("${") {
        return Ok(()); // It has no value yet.
    }
    callback::parse_url(url.trim()).map(drop)
}

/// What `${NAME}` stands for in the configuration `path`, which need not be there yet.
///
/// # Errors
/// The places that were looked in.
pub(crate) fn variable(
    name: &str,
    path: &Path,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let read_file = file::surroundings(env, false).read_file;
    Variables::new(env, read_file, vec![path.to_owned()]).value(name, path)
}

/// The file of variables beside a configuration.
pub(crate) fn file_of_variables(config: &Path) -> PathBuf {
    path_beside(config)
}

/// The stem of a file for a table: what a file's name cannot hold is replaced.
pub(crate) fn stem_of(table: &str) -> String {
    names::of_stem(table).trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_leaves_the_dsn() {
        for (text, dsn, password, database) in [
            ("mysql://u@db1/my", "mysql://db1/my", None, Some("my")),
            (
                "mysql://u:p%40%2F@db1:3307/my?ssl-mode=VERIFY_CA",
                "mysql://db1:3307/my?ssl-mode=VERIFY_CA",
                Some("p@/"),
                Some("my"),
            ),
            (
                "mysql://u:p@q@db1/my",
                "mysql://db1/my",
                Some("p@q"),
                Some("my"),
            ),
            ("mysql://u@[::1]", "mysql://[::1]", None, None),
            (
                "mysql://u:p@/my?unix_socket=%2Frun%2Fs",
                "mysql:///my?unix_socket=%2Frun%2Fs",
                Some("p"),
                Some("my"),
            ),
        ] {
            let found = target(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(found.dsn, dsn);
            assert_eq!(found.password.as_deref(), password);
            assert_eq!(found.database.as_deref(), database);
            assert_eq!(found.server.user, "u");
            let again = dsn::parse(&found.dsn).unwrap_or_else(|error| panic!("{dsn}: {error}"));
            assert!(again.address == found.server.address && again.user.is_none());
            assert!(again.password.is_none() && again.database == found.database);
        }
        for text in [
            "mysql://db1/my",
            "mysql:host=db1;dbname=my",
            "db1",
            "mysql://u:p/q@x/y",
        ] {
            let refused = target(text).err().expect(text);
            assert!(refused.starts_with("holds "), "{refused}");
        }
    }
}
