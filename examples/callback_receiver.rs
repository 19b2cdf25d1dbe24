//! A receiver of cupid's callbacks, to read, to copy and to try cupid with.
//!
//! ```text
//! cargo run --example callback_receiver -- --listen 127.0.0.1:8080 --secret whsec_… \
//!     --des mysql://user:password@db2:3306/copies --table user --by number --columns number,name,avatar
//! ```
//!
//! Each callback holds the whole source row as it is now, so repairing is writing it, and writing it twice does no
//! harm: a callback may come again when its answer got lost. Answer 2xx only when the copy is really repaired; anything
//! else makes cupid try again later. Without `--des` this receiver only prints and counts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;
use cupid::logic::callback::signature::{Received, secret_bytes, verify};
use mysql::consts::CapabilityFlags;
use mysql::prelude::Queryable;
use mysql::{Opts, OptsBuilder, Params, Pool, PoolOpts};
use serde_json::Value;

const HEAD_BYTES_MAX: u64 = 16 * 1024;
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;
const CONNECTIONS_MAX: usize = 256;
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Standard Webhooks recommends to refuse old timestamps; five minutes is what its libraries do.
const TOLERANCE_S: u64 = 300;

/// Receives cupid's callbacks and repairs one destination table.
#[derive(Parser)]
struct Args {
    /// Where to listen; port 0 takes a free one. The first line of stdout tells which.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// The destination's `callbackNotification.secret`; without it every callback is believed.
    #[arg(long, env = "CUPID_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// The database to repair, for example `mysql://user:password@host:3306/db` or `mysql://user@localhost/db?socket=/run/mysqld.sock`.
    #[arg(long, requires_all = ["table", "by", "columns"])]
    des: Option<String>,
    /// The table to repair.
    #[arg(long)]
    table: Option<String>,
    /// The column that identifies a row, one of the columns.
    #[arg(long)]
    by: Option<String>,
    /// The columns to write; they have the same names on both sides.
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// Print no line per callback.
    #[arg(long)]
    quiet: bool,
}

/// What all connections share.
struct Receiver {
    secret: Option<Vec<u8>>,
    repair: Option<Repair>,
    by: String,
    quiet: bool,
    callbacks: AtomicUsize,
}

/// How to write one row.
struct Repair {
    pool: Pool,
    columns: Vec<String>,
    by: String,
    update: String,
    insert: String,
}

/// One request as it came.
struct Request {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let receiver = Arc::new(Receiver {
        secret: match &args.secret {
            Some(text) => Some(secret_bytes(text).ok_or("--secret is not base64 after whsec_")?),
            None => None,
        },
        repair: match &args.des {
            Some(url) => Some(Repair::new(url, &args)?),
            None => None,
        },
        by: args.by.unwrap_or_default(),
        quiet: args.quiet,
        callbacks: AtomicUsize::new(0),
    });
    let listener = TcpListener::bind(&args.listen)?;
    println!("listening on {}", listener.local_addr()?);
    for stream in listener.incoming().flatten() {
        // Above the limit a connection is closed at once; cupid comes back later.
        if Arc::strong_count(&receiver) > CONNECTIONS_MAX {
            continue;
        }
        let receiver = Arc::clone(&receiver);
        // What breaks a connection is the other side's affair.
        std::thread::spawn(move || receiver.serve(stream).ok());
    }
    Ok(())
}

impl Receiver {
    /// Answers the requests of one connection until either side closes it.
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(IDLE_MAX))?;
        stream.set_write_timeout(Some(IDLE_MAX))?;
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let (status, keep) = match Request::read(&mut reader)? {
                None => return Ok(()),
                Some(Ok(request)) => (self.answer(&request), true),
                // The rest of a request that was refused is not read, so the connection is of no more use.
                Some(Err(status)) => (status, false),
            };
            let length = if status == "204 No Content" {
                ""
            } else {
                "Content-Length: 0\r\n"
            };
            let keep_alive = if keep { "" } else { "Connection: close\r\n" };
            stream
                .write_all(format!("HTTP/1.1 {status}\r\n{length}{keep_alive}\r\n").as_bytes())?;
            if !keep {
                return Ok(());
            }
        }
    }

    fn answer(&self, request: &Request) -> &'static str {
        if !self.is_genuine(request) {
            return "401 Unauthorized";
        }
        let callback: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let (Some(kind), Some(row)) = (callback.get("type"), callback.get("srcColumn")) else {
            return "400 Bad Request";
        };
        let number = self.callbacks.fetch_add(1, Ordering::SeqCst) + 1;
        let result = self
            .repair
            .as_ref()
            .map_or(Ok(()), |repair| repair.write(row));
        if !self.quiet {
            let key = row.get(&self.by).unwrap_or(&Value::Null);
            let outcome = result.as_ref().err().map_or("ok", String::as_str);
            // Written in one piece; nobody listening to stdout is no reason to stop.
            let line = format!("{number} type {kind} key {key}: {outcome}\n");
            let _ = std::io::stdout().lock().write_all(line.as_bytes());
        }
        match result {
            Ok(()) => "204 No Content",
            Err(_) => "500 Internal Server Error",
        }
    }

    /// The body's bytes are what is signed: check them before parsing.
    fn is_genuine(&self, request: &Request) -> bool {
        let Some(secret) = &self.secret else {
            return true;
        };
        let Ok(timestamp_s) = request.header("webhook-timestamp").parse() else {
            return false;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now_s = now.map_or(0, |now| now.as_secs().cast_signed());
        let received = Received {
            id: request.header("webhook-id"),
            timestamp_s,
            signatures: request.header("webhook-signature"),
            body: &request.body,
        };
        verify(secret, &received, now_s, TOLERANCE_S).is_ok()
    }
}

impl Repair {
    fn new(des: &str, args: &Args) -> Result<Self, Box<dyn std::error::Error>> {
        let columns = args.columns.clone();
        let by = args.by.clone().unwrap_or_default();
        if !columns.contains(&by) {
            return Err("--by should be one of --columns".into());
        }
        let table = args.table.as_deref().unwrap_or_default();
        // `database.table` is two identifiers.
        let table = quoted(table).replace('.', "`.`");
        let key = quoted(&by);
        let list = |write: fn(String) -> String| {
            let written: Vec<_> = columns.iter().map(|column| write(quoted(column))).collect();
            written.join(", ")
        };
        Ok(Self {
            pool: connect(des)?,
            update: format!(
                "UPDATE {table} SET {} WHERE {key} = ?",
                list(|name| format!("{name} = ?"))
            ),
            insert: format!(
                "INSERT INTO {table} ({}) VALUES ({}) ON DUPLICATE KEY UPDATE {}",
                list(|name| name),
                list(|_| "?".to_owned()),
                list(|name| format!("{name} = VALUES({name})"))
            ),
            columns,
            by,
        })
    }

    /// Makes the copy of a row what the source row is.
    fn write(&self, row: &Value) -> Result<(), String> {
        let cell = |column: &String| {
            let value = row.get(column).map(sql_value);
            value.ok_or_else(|| format!("The callback lacks {column}"))
        };
        let values: Result<Vec<_>, _> = self.columns.iter().map(cell).collect();
        let values = values?;
        let key = cell(&self.by)?;
        let written = || -> mysql::Result<()> {
            let mut connection = self.pool.get_conn()?;
            let update = [&values[..], &[key]].concat();
            connection.exec_drop(&self.update, Params::Positional(update))?;
            if connection.affected_rows() == 0 {
                connection.exec_drop(&self.insert, Params::Positional(values))?;
            }
            Ok(())
        };
        written().map_err(|error| error.to_string())
    }
}

/// Several connections, since callbacks come from several at once.
fn connect(url: &str) -> Result<Pool, Box<dyn std::error::Error>> {
    let options = OptsBuilder::from_opts(Opts::from_url(url)?)
        // Statements stay prepared from one callback to the next.
        .pool_opts(PoolOpts::default().with_reset_connection(false))
        // An update of a row that is right already has found its row, too.
        .additional_capabilities(CapabilityFlags::CLIENT_FOUND_ROWS);
    Ok(Pool::new(options)?)
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Numbers and text go to the server as text: it converts them to the column's type without losing a digit.
/// Columns of binary data come as base64 and would have to be decoded here.
fn sql_value(value: &Value) -> mysql::Value {
    match value {
        Value::Null => mysql::Value::NULL,
        Value::String(text) => mysql::Value::from(text),
        other => mysql::Value::from(other.to_string()),
    }
}

impl Request {
    /// Reads one request: `None` when the connection is over, a status when it is refused.
    fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Result<Self, &'static str>>> {
        let mut head = Vec::new();
        let mut limited = reader.take(HEAD_BYTES_MAX);
        while !head.ends_with(b"\r\n\r\n") {
            if limited.read_until(b'\n', &mut head)? == 0 {
                let too_large = limited.limit() == 0;
                return Ok(too_large.then_some(Err("431 Request Header Fields Too Large")));
            }
        }
        let head = String::from_utf8_lossy(&head);
        let mut request = Self {
            headers: head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
            body: Vec::new(),
        };
        let Ok(length) = request.header("content-length").parse::<u64>() else {
            return Ok(Some(Err("411 Length Required")));
        };
        if length > BODY_BYTES_MAX {
            return Ok(Some(Err("413 Content Too Large")));
        }
        let read = reader.take(length).read_to_end(&mut request.body)?;
        Ok((read as u64 == length).then_some(Ok(request)))
    }

    /// Empty when there is no such header.
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map_or("", |(_, value)| value)
    }
}
