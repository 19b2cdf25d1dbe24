//! What `check` reads from a server: facts only, by statements that any account may run.

use mysql::prelude::Queryable;
use mysql::{Conn, Row, Value};

use super::bounded::{self, get};
use super::clause::table_name;
use super::errors::{label, shown};
use super::load;
use super::schema::Table;
use super::session::{NOW_US, Sessions};
use super::source::window::range;
use super::{MySqlDestination, MySqlSource};
use crate::check::facts::{
    ColumnFacts, Filled, Index, Plan, Refused, ServerFacts, Side, TableFacts, same,
};
use crate::check::is_loopback;
use crate::config::{Address, Job, Server, TableJob};
use crate::error::{Error, Result};
use crate::logic::scan::load::LoadLimits;
use crate::logic::value::cell::{Cell, ColumnType};
use crate::logic::value::sql::{literal, quoted};
use crate::world::{Clock, Source as _};

/// How many tables are read to suggest one.
const TABLES_MAX: usize = 1000;

/// The batches that are explained.
const EXPLAINED_ROWS: u64 = 1000;
const EXPLAINED_KEYS: i64 = 8;

/// A statement with its parameters.
type Query = (String, Vec<Value>);

/// The source as its server describes it.
///
/// # Errors
/// When it cannot be read at all.
pub(crate) fn source(source: &MySqlSource, job: &Job, clock: &dyn Clock) -> Result<Side> {
    let (table, limits) = (&job.source.table, job.load_limits);
    let mut side = side(&source.sessions, table, &[], limits, clock, || {
        window_query(source, job, clock.now_us())
    })?;
    if side.refusal.is_none() && side.table.readable.is_none() && side.table.condition.is_none() {
        side.table.without_id = source.rows_without_id()?;
    }
    Ok(side)
}

/// A destination as its server describes it.
///
/// # Errors
/// When it cannot be read at all.
pub(crate) fn destination(
    destination: &MySqlDestination,
    job: &Job,
    number: usize,
    source_is_read: bool,
    clock: &dyn Clock,
) -> Result<Side> {
    let limits = job.load_limits;
    let job = &job.destinations[number];
    let pairs = job.columns.iter().map(|pair| pair.destination.as_str());
    let columns: Vec<&str> = std::iter::once(job.table.by_column.as_str())
        .chain(pairs)
        .collect();
    side(
        &destination.sessions,
        &job.table,
        &columns,
        limits,
        clock,
        || {
            // It needs the source's types; a source that is down is not waited for once per destination.
            if source_is_read {
                look_up_query(destination, &job.table)
            } else {
                Ok(None)
            }
        },
    )
}

/// `columns` are those that must be readable; none means all.
fn side(
    sessions: &Sessions,
    table: &TableJob,
    columns: &[&str],
    limits: LoadLimits,
    clock: &dyn Clock,
    query: impl Fn() -> Result<Option<Query>>,
) -> Result<Side> {
    let server = sessions.run("Ask for the server's clock, zone and grants", |conn| {
        server_facts(conn, &table.server, limits, clock)
    })?;
    let name = table.name();
    let facts = sessions.run(&format!("Inspect {name}"), |conn| {
        table_facts(conn, table, columns)
    })?;
    let mut side = Side {
        server,
        table: facts,
        plan: None,
        refusal: None,
    };
    match query() {
        Ok(Some((sql, values)))
            if side.table.readable.is_none() && side.table.condition.is_none() =>
        {
            side.plan = sessions.run(&format!("Explain a query on {name}"), |conn| {
                explain(conn, &sql, values.clone())
            })?;
        }
        Ok(_) => {}
        Err(Error::Config { problem, .. }) => side.refusal = Some(problem),
        Err(error) => return Err(error),
    }
    Ok(side)
}

/// The query that a pass repeats for updates, over the window of a pass at this time; `None` without updates.
fn window_query(source: &MySqlSource, job: &Job, now_us: i64) -> Result<Option<Query>> {
    let layout = source.layout()?;
    let (Some(column), Some(update)) = (&layout.update, &job.source.update) else {
        return Ok(None);
    };
    let back = update.scan + job.source.late_commit;
    let from_us = now_us - i64::try_from(back.as_micros()).unwrap_or(now_us);
    let (from, to) = source.window_bounds(column, layout.zone.as_deref(), from_us, now_us)?;
    let select = format!("SELECT {} {}", layout.scan_list, source.table_clause());
    let (time, id) = (quoted(&column.column.name), quoted(&layout.id.name));
    let values = vec![from, to, Value::UInt(EXPLAINED_ROWS)];
    Ok(Some((range(&select, &time, ">=", &id), values)))
}

/// The look-up of a batch of keys; the keys are not real ones.
fn look_up_query(destination: &MySqlDestination, table: &TableJob) -> Result<Option<Query>> {
    let plan = destination.plan()?;
    let keys: Vec<Cell> = (0..EXPLAINED_KEYS).map(|n| plan.lookup.sample(n)).collect();
    let places: Vec<_> = keys.iter().map(|key| plan.lookup.sql(key)).collect();
    let values = keys.iter().flat_map(|key| plan.lookup.values(key));
    let values: Vec<Value> = values.collect();
    let sql = destination.statement(plan, &quoted(&table.by_column), &places);
    Ok(Some((sql, values)))
}

fn server_facts(
    conn: &mut Conn,
    server: &Server,
    limits: LoadLimits,
    clock: &dyn Clock,
) -> mysql::Result<ServerFacts> {
    let asked_us = clock.now_us();
    let now: Option<i64> = bounded::first(conn.query_iter(format!("SELECT {NOW_US}"))?)?;
    let answered_us = clock.now_us();
    let middle_us = asked_us + (answered_us - asked_us) / 2;
    let row: Option<(String, String, String, String, Option<i32>)> = bounded::first(conn.query_iter(
        "SELECT VERSION(), CURRENT_USER(), @@GLOBAL.time_zone, @@system_time_zone, TIMESTAMPDIFF(SECOND, \
         UTC_TIMESTAMP(), CONVERT_TZ(UTC_TIMESTAMP(), '+00:00', @@GLOBAL.time_zone))",
    )?)?;
    let (version, account, global, system, zone_east_s) = row.unwrap_or_default();
    let cipher: Option<(String, String)> =
        bounded::first(conn.query_iter("SHOW SESSION STATUS LIKE 'Ssl_cipher'")?)?;
    let zone = if global.eq_ignore_ascii_case("system") {
        system
    } else {
        global
    };
    Ok(ServerFacts {
        label: label(server),
        version,
        remote: is_remote(&server.address),
        encrypted: cipher.is_some_and(|(_, cipher)| !cipher.is_empty()),
        ahead_us: now.map_or(0, |now_us| now_us - middle_us),
        zone,
        zone_east_s,
        account: quoted_account(&account),
        lag: match limits.lag_s {
            Some(_) => Some(refused(load::lag(conn))?),
            None => None,
        },
        // With those of the role in use, which `FOR CURRENT_USER()` leaves out on MariaDB.
        grants: refused(conn.query_iter("SHOW GRANTS").and_then(bounded::all))?.unwrap_or_default(),
    })
}

fn is_remote(address: &Address) -> bool {
    match address {
        Address::Socket(_) => false,
        Address::Tcp(host, _) => !is_loopback(host),
    }
}

/// `user@host` as `GRANT` takes it. A host holds no `@`.
fn quoted_account(account: &str) -> String {
    let (user, host) = account.rsplit_once('@').unwrap_or((account, "%"));
    format!("{}@{}", literal(user), literal(host))
}

pub(super) fn table_facts(
    conn: &mut Conn,
    job: &TableJob,
    needed: &[&str],
) -> mysql::Result<TableFacts> {
    let TableJob {
        database, table, ..
    } = job;
    let columns = columns(conn, database, table)?;
    let known: Vec<String> = needed
        .iter()
        .filter(|name| columns.iter().any(|column| same(&column.name, name)))
        .map(|name| quoted(name))
        .collect();
    // `*` leaves out invisible columns, and `information_schema` those that this account may not read.
    let all = columns.iter().map(|column| quoted(&column.name));
    let list = match (needed, known.as_slice()) {
        ([], _) => std::iter::once("*".to_owned())
            .chain(all)
            .collect::<Vec<_>>()
            .join(", "),
        (_, []) => "1".to_owned(),
        (_, known) => known.join(", "),
    };
    let from = format!("FROM {}", table_name(job));
    let readable = probe(conn, &format!("SELECT {list} {from} LIMIT 0"))?;
    let condition = match &job.condition {
        Some(condition) if readable.is_none() => probe(
            conn,
            &format!("SELECT 1 {from} WHERE ({condition}) AND 1=1 LIMIT 0"),
        )?,
        _ => None,
    };
    let kind: Option<(String, Option<u64>, bool)> = bounded::first(conn.exec_iter(
        "SELECT TABLE_TYPE, TABLE_ROWS, COALESCE(CREATE_OPTIONS,'') LIKE '%partitioned%' FROM information_schema.TABLES WHERE TABLE_SCHEMA=? AND TABLE_NAME=?",
        (database, table),
    )?)?;
    let (kind, rows, is_partitioned) = kind.unwrap_or_default();
    let is_view = kind.to_ascii_uppercase().contains("VIEW");
    let (other_tables, databases) = if columns.is_empty() {
        neighbours(conn, database)?
    } else {
        (vec![], vec![])
    };
    let counted = if readable.is_none() && !is_view && !columns.is_empty() {
        count(conn, &from)?
    } else {
        None
    };
    Ok(TableFacts {
        readable,
        condition,
        is_partitioned,
        without_id: 0,
        is_view,
        rows,
        counted,
        databases,
        columns,
        indexes: indexes(conn, database, table)?,
        other_tables,
    })
}

/// The tables of the database, and the databases, that this account sees.
fn neighbours(conn: &mut Conn, database: &str) -> mysql::Result<(Vec<String>, Vec<String>)> {
    let tables = format!(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA=? LIMIT {TABLES_MAX}"
    );
    let databases = format!(
        "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN \
         ('information_schema', 'performance_schema', 'mysql', 'sys') LIMIT {TABLES_MAX}"
    );
    let tables = bounded::all(conn.exec_iter(tables, (database,))?)?;
    let databases = bounded::all(conn.query_iter(databases)?)?;
    Ok((tables, databases))
}

/// How many rows there are, up to a limit.
fn count(conn: &mut Conn, from: &str) -> mysql::Result<Option<u64>> {
    let some = format!("SELECT 1 {from} LIMIT {}", TableFacts::COUNTED_MAX);
    let sql = format!("SELECT COUNT(*) FROM ({some}) counted");
    let counted = conn.query_iter(sql).and_then(bounded::first);
    Ok(refused(counted)?.ok().flatten())
}

/// What the server says against a statement.
fn probe(conn: &mut Conn, sql: &str) -> mysql::Result<Option<Refused>> {
    // Prepared, so that a condition cannot smuggle in a second statement.
    let answer = conn.exec_iter(sql, ()).and_then(bounded::none);
    Ok(refused(answer)?.err())
}

/// The server's own refusals as values; a broken connection stays an error.
fn refused<T>(answer: mysql::Result<T>) -> mysql::Result<std::result::Result<T, Refused>> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(mysql::Error::MySqlError(error)) => Ok(Err(Refused {
            code: error.code,
            message: shown(&error.message),
        })),
        Err(other) => Err(other),
    }
}

fn columns(conn: &mut Conn, database: &str, table: &str) -> mysql::Result<Vec<ColumnFacts>> {
    let described = Table::read(conn, database, table)?;
    let rows: Vec<Row> = bounded::all(conn.exec_iter(
        "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, \
         CHARACTER_SET_NAME, COLLATION_NAME, EXTRA FROM information_schema.COLUMNS WHERE TABLE_SCHEMA=? AND TABLE_NAME=? \
         ORDER BY ORDINAL_POSITION",
        (database, table),
    )?)?;
    let facts = rows.into_iter().filter_map(|row| {
        let text = |at: usize| get::<String>(&row, at);
        let number = |at: usize| get::<u64>(&row, at);
        let name = text(0)?;
        let column = described.column(&name)?;
        let is_decimal = column.column_type == ColumnType::Decimal;
        let extra = text(8).unwrap_or_default().to_ascii_lowercase();
        Some(ColumnFacts {
            column_type: column.column_type,
            declared: text(1).unwrap_or_default(),
            nullable: text(2).is_some_and(|nullable| nullable == "YES"),
            length: number(3),
            digits: number(4).filter(|_| is_decimal),
            scale: number(5).filter(|_| is_decimal),
            charset: text(6),
            collation: text(7),
            on_update: extra.contains("on update"),
            filled: filled(&extra),
            name,
        })
    });
    Ok(facts.collect())
}

/// By `EXTRA`, in lower case. MySQL calls a default that is an expression `DEFAULT_GENERATED`.
fn filled(extra: &str) -> Filled {
    let has = |words: &str| extra.contains(words);
    if has("virtual generated") || has("stored generated") || has("persistent") {
        Filled::Generated
    } else if has("auto_increment") {
        Filled::Counted
    } else {
        Filled::Given
    }
}

fn indexes(conn: &mut Conn, database: &str, table: &str) -> mysql::Result<Vec<Index>> {
    // MariaDB adds the end of a row's life to the unique indexes of a system-versioned table; rows that are alive share it.
    let parts: Vec<(String, bool, Option<String>, bool)> = bounded::all(conn.exec_iter(
        "SELECT INDEX_NAME, NON_UNIQUE=0, COLUMN_NAME, SUB_PART IS NOT NULL FROM information_schema.STATISTICS s \
         WHERE TABLE_SCHEMA=? AND TABLE_NAME=? AND INDEX_TYPE='BTREE' AND NOT EXISTS(SELECT 1 FROM \
         information_schema.COLUMNS c WHERE c.TABLE_SCHEMA=s.TABLE_SCHEMA AND c.TABLE_NAME=s.TABLE_NAME AND \
         c.COLUMN_NAME=s.COLUMN_NAME AND c.GENERATION_EXPRESSION='ROW END') ORDER BY INDEX_NAME, SEQ_IN_INDEX",
        (database, table),
    )?)?;
    let mut indexes: Vec<Index> = Vec::new();
    for (name, unique, column, by_prefix) in parts {
        let column = column.unwrap_or_default();
        match indexes.last_mut().filter(|index| index.name == name) {
            Some(index) => {
                index.columns.push(column);
                index.by_prefix |= by_prefix;
            }
            None => indexes.push(Index {
                name,
                unique,
                columns: vec![column],
                by_prefix,
            }),
        }
    }
    Ok(indexes)
}

/// The first line, which is the table's own where it is no view.
fn explain(conn: &mut Conn, sql: &str, values: Vec<Value>) -> mysql::Result<Option<Plan>> {
    let explained = conn
        .exec_iter(format!("EXPLAIN FORMAT=TRADITIONAL {sql}"), values)
        .and_then(bounded::first);
    // A view may be selected from but not explained.
    let row: Option<Row> = refused(explained)?.ok().flatten();
    Ok(row.map(|row| {
        let text = |name: &str| row.get_opt::<Option<String>, _>(name)?.ok().flatten();
        Plan {
            access: text("type").unwrap_or_default(),
            key: text("key"),
            rows: row
                .get_opt::<Option<u64>, _>("rows")
                .and_then(|rows| rows.ok().flatten())
                .unwrap_or(0),
            extra: text("Extra").unwrap_or_default(),
        }
    }))
}
