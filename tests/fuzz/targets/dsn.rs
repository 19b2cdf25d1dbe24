//! Where a server is, in both spellings: what was written is what is meant, and no refusal shows a password.

use std::path::Path;

use arbitrary::{Result, Unstructured};
use cupid::config::{Address, Surroundings, TableJob, parse};
use cupid::error::Error;

/// Part of every password; a part of it is enough to be found in what is said.
const PASSWORD: &str = "Zq9Zq9Zq9Zq9Zq9Zq9";
const FOUND: &str = "Zq9Zq9";

pub(super) fn run(data: &[u8]) {
    let _ = case(&mut Unstructured::new(data));
}

fn case(u: &mut Unstructured<'_>) -> Result<()> {
    match u.int_in_range(0..=3)? {
        0 => well_formed_url(u),
        1 => well_formed_pdo(u),
        2 => mistyped(u),
        _ => {
            let text = u.arbitrary::<&str>()?;
            let _ = table(text, Some(("u", "p")));
            let _ = table(text, None);
            Ok(())
        }
    }
}

fn well_formed_url(u: &mut Unstructured<'_>) -> Result<()> {
    let host = *u.choose(&["db", "127.0.0.1", "[2001:db8::1]", "db.example.com"])?;
    let port: u16 = u.int_in_range(1..=u16::MAX)?;
    let (user, password) = (
        format!("u{}", u.arbitrary::<&str>()?),
        format!("{PASSWORD}{}", u.arbitrary::<&str>()?),
    );
    let dsn = format!(
        "mysql://{}:{}@{host}:{port}/my",
        encoded(&user),
        encoded(&password)
    );
    let usable = !(user.contains('\0') || password.contains('\0'));
    match table(&dsn, None) {
        Ok(table) => {
            assert_eq!(
                (table.server.user.as_str(), table.server.password.as_str()),
                (user.as_str(), password.as_str()),
                "{dsn}"
            );
            assert_eq!(
                table.server.address,
                Address::Tcp(host.trim_matches(['[', ']']).into(), port)
            );
            assert_eq!(table.database, "my");
        }
        Err(problem) => assert!(!usable, "{dsn}: {problem}"),
    }
    Ok(())
}

fn well_formed_pdo(u: &mut Unstructured<'_>) -> Result<()> {
    let port: u16 = u.int_in_range(1..=u16::MAX)?;
    let mut parts = [
        "host=db".to_owned(),
        format!("port={port}"),
        "dbname=my".to_owned(),
        "charset=utf8mb4".to_owned(),
    ];
    for place in (1..parts.len()).rev() {
        parts.swap(place, u.int_in_range(0..=place)?);
    }
    let dsn = format!("mysql:{}", parts.join(";"));
    let password = format!(
        "{PASSWORD}{}",
        u.arbitrary::<&str>()?.replace(['\0', '$'], "")
    );
    let table =
        table(&dsn, Some(("u", &password))).unwrap_or_else(|problem| panic!("{dsn}: {problem}"));
    assert_eq!(table.server.address, Address::Tcp("db".into(), port));
    assert_eq!(
        (table.database.as_str(), table.server.password.as_str()),
        ("my", password.as_str())
    );
    Ok(())
}

/// A DSN with a password that nobody encoded, or in a place where none belongs.
fn mistyped(u: &mut Unstructured<'_>) -> Result<()> {
    const SHAPES: [[&str; 2]; 9] = [
        ["mysql://user:", "@db:3306/my"],
        ["mysql://user:", "@/my?unix_socket=/run/s.sock"],
        ["mysql://user:", "db/my"],
        ["mysql:host=db;dbname=my;password=", ""],
        ["mysql:host=db;dbname=my;user=u;pasword=", ";port=1"],
        ["mysql:host=db;dbname=my;", ";port=1"],
        ["mysql:host=db;dbname=my;pw ", ""],
        ["mysql:", "@db/my"],
        ["pgsql://user:", "@db/my"],
    ];
    const PARTS: [&str; 16] = [
        "@", ":", "/", "?", "#", "&", "=", ";", "%", "%zz", "[", "]", "\\", " ", "x", "mysql://",
    ];
    let [before, after] = *u.choose(&SHAPES)?;
    let mut dsn = before.to_owned();
    for _ in 0..u.int_in_range(0..=3)? {
        dsn.push_str(u.choose(&PARTS)?);
    }
    dsn.push_str(PASSWORD);
    for _ in 0..u.int_in_range(0..=3)? {
        dsn.push_str(u.choose(&PARTS)?);
    }
    dsn.push_str(after);
    for account in [None, Some(("u", "p"))] {
        if let Err(problem) = table(&dsn, account) {
            assert!(
                !problem.contains(FOUND),
                "{dsn}: the refusal shows the password: {problem}"
            );
        }
    }
    Ok(())
}

/// `src` of a configuration with this DSN.
fn table(dsn: &str, account: Option<(&str, &str)>) -> std::result::Result<TableJob, String> {
    let text = |value: &str| serde_json::Value::from(value).to_string();
    let account = account.map_or_else(String::new, |(user, password)| {
        format!(r#""user": {}, "password": {},"#, text(user), text(password))
    });
    let config = format!(
        r#"{{"src": {{"dsn": {}, {account} "table": "user", "byColumn": "n", "insert": true, "cacheFilePath": "/s"}},
            "des": [{{"dsn": "mysql://u:p@db/my", "table": "user", "byColumn": "n", "columns": {{}}, "callbackNotification": {{"url": "h"}}}}]}}"#,
        text(dsn)
    );
    let surroundings = Surroundings {
        env: &|_| None,
        read_file: &|_| Err(std::io::ErrorKind::NotFound.into()),
        cores: 1,
        readable_by_others: true,
    };
    match parse(&config, Path::new("user.json"), &surroundings) {
        Ok(job) => {
            let shown = format!("{job:?}");
            assert!(
                !shown.contains(FOUND) || dsn_shows_it_elsewhere(&job.source.table),
                "{dsn}: shown in {shown}"
            );
            Ok(job.source.table)
        }
        Err(Error::Config { problem, .. }) => Err(problem),
        Err(other) => panic!("{dsn}: {other}"),
    }
}

/// A mistyped password may have become a host, a user or a database, which may be shown.
fn dsn_shows_it_elsewhere(table: &TableJob) -> bool {
    !table.server.password.contains(FOUND)
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
