//! What `src` and each of `des[]` share: server, account, TLS, table, `byColumn`, `where`.

use super::dsn::{self, Dsn};
use super::reader::{Reader, Text};
use super::words::Show;
use super::{Server, TableJob, table_name, tls};

/// Reads the shared keys. `None` goes with a problem written down.
pub(super) fn read(reader: &Reader<'_>) -> Option<TableJob> {
    let dsn = read_dsn(reader);
    let account = read_account(reader, dsn.as_ref());
    let tls = tls::of_server(reader, dsn.as_ref());
    let names = read_table(reader, dsn.as_ref());
    let by_column = required_name(
        reader,
        "byColumn",
        "should hold the column that finds the destination row",
    );
    let condition = reader
        .text(
            "where",
            "should hold an SQL condition, or be left out for all rows",
        )
        .map(|text| text.value);
    let (user, password) = account?;
    let (database, table) = names?;
    Some(TableJob {
        server: Server {
            address: dsn?.address,
            user,
            password,
            tls: tls.ok()?,
        },
        database,
        table,
        by_column: by_column?,
        condition,
    })
}

/// A column's name that must be there.
pub(super) fn required_name(
    reader: &Reader<'_>,
    key: &'static str,
    should: &str,
) -> Option<String> {
    let text = reader.text(key, should);
    Some(reader.require(key, text, should)?.value)
}

fn read_dsn(reader: &Reader<'_>) -> Option<Dsn> {
    const SHOULD: &str =
        "should hold mysql:host=…;port=…;dbname=… or mysql://user:password@host:port/database";
    let text = reader.any_text("dsn", SHOULD, Show::Nothing);
    let text = reader.require("dsn", text, SHOULD)?;
    match dsn::parse(&text.value) {
        Ok(dsn) => {
            if let Some(note) = dsn.note {
                reader
                    .context()
                    .note(format!("{}: {note}", reader.path("dsn")));
            }
            if dsn.password.as_deref().is_some_and(|p| !p.is_empty()) && has_clear_password(&text) {
                let path = reader.path("dsn");
                reader.context().secret_is_in_clear(&path);
            }
            Some(dsn)
        }
        Err(problem) => {
            reader.problem("dsn", &problem);
            None
        }
    }
}

/// Whether the password of a URL stands in the file itself.
fn has_clear_password(text: &Text) -> bool {
    let account = text
        .written
        .rsplit_once('@')
        .map_or("", |(before, _)| before);
    match account
        .split_once("//")
        .and_then(|(_, account)| account.split_once(':'))
    {
        Some((_, password)) => !password.is_empty() && !password.contains("${"),
        // The colon itself comes from a variable.
        None => false,
    }
}

/// `user` and `password`, from the keys or from the URL.
fn read_account(reader: &Reader<'_>, dsn: Option<&Dsn>) -> Option<(String, String)> {
    const USER: &str = "should hold the name of the database account";
    const PASSWORD: &str = "should hold the password of the database account";
    let user = reader.account("user", USER).map(|text| text.value);
    let password = reader.any_text("password", PASSWORD, Show::Nothing);
    if let Some(password) = &password
        && !password.value.is_empty()
        && !password.written.contains("${")
    {
        let path = reader.path("password");
        reader.context().secret_is_in_clear(&path);
    }
    let password = password.map(|text| text.value);
    // Without a usable DSN it is not known whether the keys are needed.
    let dsn = dsn?;
    let user = merge(reader, "user", user, dsn.user.clone());
    let password = merge(reader, "password", password, dsn.password.clone());
    let user = reader.require("user", user, USER);
    let password = if dsn.is_url && !reader.has("password") {
        Some(password.unwrap_or_default())
    } else {
        reader.require("password", password, PASSWORD)
    };
    Some((user?, password?))
}

/// One value out of the key's and the URL's, which must not contradict each other.
fn merge(
    reader: &Reader<'_>,
    key: &'static str,
    own: Option<String>,
    url: Option<String>,
) -> Option<String> {
    if own.is_some() && url.is_some() && own != url {
        reader.problem(
            key,
            "differs from what the URL in dsn says (not shown); should stand in one of the two places",
        );
    }
    own.or(url)
}

/// Database and table, each without quotes.
fn read_table(reader: &Reader<'_>, dsn: Option<&Dsn>) -> Option<(String, String)> {
    const SHOULD: &str = "should hold table or database.table";
    let text = reader.text("table", SHOULD);
    let text = reader.require("table", text, SHOULD)?;
    let (database, table) = match table_name::parse(&text.value) {
        Ok(names) => names,
        Err(should) => {
            reader.refuse("table", &text, should);
            return None;
        }
    };
    // A DSN with a problem may well have named a database.
    let Some(database) = database.or(dsn?.database.clone()) else {
        reader.refuse(
            "table",
            &text,
            "should hold database.table, as dsn names no database",
        );
        return None;
    };
    Some((database, table))
}
