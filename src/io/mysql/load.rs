//! How a server is doing: running threads, and how far its replication is behind.

use mysql::prelude::Queryable as _;
use mysql::{Column, Conn, Value};

use super::bounded;
use crate::logic::scan::load::{Lag, Load, LoadLimits};

/// The error number of a statement that a server does not know.
const UNKNOWN_STATEMENT: u16 = 1064;

/// More channels than any replica has.
const CHANNELS_MAX: usize = 10_000;

/// Asks for what there are limits of: one statement each.
pub(super) fn load(conn: &mut Conn, limits: LoadLimits) -> mysql::Result<Load> {
    let mut load = Load::default();
    if limits.threads_running.is_some() {
        let sql = "SHOW GLOBAL STATUS LIKE 'Threads_running'";
        let row: Option<(String, u64)> = bounded::first(conn.query_iter(sql)?)?;
        load.threads_running = row.map_or(0, |(_, threads)| threads);
    }
    if limits.lag_s.is_some() {
        load.lag = lag(conn)?;
    }
    Ok(load)
}

/// MariaDB has a word of its own for all its channels; MySQL had another one before 8.0.22.
pub(super) fn lag(conn: &mut Conn) -> mysql::Result<Lag> {
    let mut statements = [
        "SHOW ALL SLAVES STATUS",
        "SHOW REPLICA STATUS",
        "SHOW SLAVE STATUS",
    ]
    .into_iter()
    .peekable();
    while let Some(sql) = statements.next() {
        match channels(conn, sql) {
            Err(mysql::Error::MySqlError(error))
                if error.code == UNKNOWN_STATEMENT && statements.peek().is_some() => {}
            other => return other,
        }
    }
    Ok(Lag::NoReplica)
}

/// `Seconds_Behind_Source`, which MariaDB and MySQL before 8.0.22 call `Seconds_Behind_Master`: NULL where a channel does
/// not replicate.
fn channels(conn: &mut Conn, sql: &str) -> mysql::Result<Lag> {
    let mut furthest = Lag::NoReplica;
    bounded::each(conn.query_iter(sql)?, CHANNELS_MAX, |row| {
        let mut names = row.columns_ref().iter().map(Column::name_str);
        let at = names.position(|name| name.starts_with("Seconds_Behind_"));
        let lag_s: Option<u64> = match at.and_then(|at| row.as_ref(at)) {
            Some(Value::Bytes(digits)) => {
                str::from_utf8(digits).ok().and_then(|it| it.parse().ok())
            }
            _ => None,
        };
        furthest = furthest.max(lag_s.map_or(Lag::Stopped, Lag::Seconds));
    })?;
    Ok(furthest)
}
