//! The configuration as meant: every string parsed, every default filled in, every limit known.

use std::path::PathBuf;
use std::time::Duration;

use crate::logic::callback::recognise::Known;
use crate::logic::callback::retry::RetryPolicy;
use crate::logic::compare::cells::Rule;
use crate::logic::notify::{Channel, Hook};
use crate::logic::report::fix::Target;
use crate::logic::scan::identity::{self, DestinationId};
use crate::logic::scan::load::LoadLimits;
use crate::logic::scan::php_date::PhpDateFormat;
use crate::logic::scan::zone::Zone;

/// Everything that one configuration file says.
#[derive(Clone, Debug)]
pub struct Job {
    /// `name`: names the state files; letters, digits and their marks in any script (NFC), `.`, `_`, `-` only.
    pub name: String,
    /// What earlier versions called it, where that is another name: they kept ASCII letters only.
    pub former_name: Option<String>,
    /// `workerNumber`: threads that compare, at least 1.
    pub workers: usize,
    /// `logDir`.
    pub log_dir: Option<PathBuf>,
    /// `metricsFile`; its name ends in `.prom`.
    pub metrics_file: Option<PathBuf>,
    /// `confirmDelayMillisecond`; zero turns confirmation off.
    pub confirm_delay: Duration,
    /// `deliverySecond`: the most that one pass spends on callbacks.
    pub delivery_time: Duration,
    /// `maxOwed`.
    pub owed_max: usize,
    /// `maxRowsPerSecond`: no more rows of a table are read in a second by passes and audits.
    pub rows_per_second_max: Option<u64>,
    /// `maxThreadsRunning` and `maxLagSecond`: scans stop and audits wait while a server is beyond.
    pub load_limits: LoadLimits,
    /// `src`.
    pub source: SourceJob,
    /// `des[]`, at least one, names unique.
    pub destinations: Vec<DestinationJob>,
    /// `notify[]`, and `src.pushbearSendKey` behind them; names unique.
    pub channels: Vec<Channel>,
    /// `heartbeatUrl`.
    pub heartbeat: Option<Hook>,
    /// The files, of this one and those that it extends, that hold a password or a secret in clear (not by `${NAME}`) and
    /// that others than their owner can read.
    pub secrets_readable_by_others: Vec<PathBuf>,
    /// The files beside it, and those of `${file:PATH}`, that values were read from.
    pub secret_files: Vec<PathBuf>,
    /// A secret of `src` is missing and was not needed, so the source cannot be asked anything.
    pub lacks_source_secret: bool,
    /// The file that this came from.
    pub path: PathBuf,
    /// The same, absolute: whose state files they are. Bytes that are no UTF-8 are percent-encoded.
    pub file: String,
    /// What to tell an operator who asks (`check`): keys that are read and ignored, services that are gone.
    pub notes: Vec<String>,
}

/// `src`.
#[derive(Clone, Debug)]
pub struct SourceJob {
    /// Server and table.
    pub table: TableJob,
    /// `src.idColumn`.
    pub id_column: String,
    /// `src.insertStartId`.
    pub start_id: Option<i128>,
    /// `src.insert`.
    pub insert: bool,
    /// `src.insertIntervalMillisecond`.
    pub insert_interval: Duration,
    /// `src.lateCommitSecond`.
    pub late_commit: Duration,
    /// `src.update…`, when `src.update` is true.
    pub update: Option<UpdateJob>,
    /// `src.updateIntervalMillisecond`.
    pub update_interval: Duration,
    /// `src.cacheFilePath` or what stands for it.
    pub state_dir: PathBuf,
    /// `src.allowFullScan`: `check` lets pass that each pass reads a whole large table.
    pub allow_full_scan: bool,
}

/// `src.update…`.
#[derive(Clone, Debug)]
pub struct UpdateJob {
    /// `src.updateColumn`.
    pub column: String,
    /// `src.updateScanSecond`.
    pub scan: Duration,
    /// `src.updateTimeFormate`, needed for columns that hold time as text or number.
    pub format: Option<PhpDateFormat>,
    /// `src.timeZone`; `None` is the source server's.
    pub time_zone: Option<Zone>,
}

/// A server, an account and a table: the part that source and destinations share.
#[derive(Clone, Debug)]
pub struct TableJob {
    /// Where the server is.
    pub server: Server,
    /// The part before the dot of `table`, else the DSN's database.
    pub database: String,
    /// The table alone, unquoted.
    pub table: String,
    /// `byColumn`.
    pub by_column: String,
    /// `where`: an SQL condition.
    pub condition: Option<String>,
}

/// How to reach a server.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// TCP or socket.
    pub address: Address,
    /// Account.
    pub user: String,
    /// Never printed: `Debug` leaves it out.
    pub password: String,
    /// `tls`; `None` is off.
    pub tls: Option<Tls>,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Host name or IP address (IPv6 without brackets), port.
    Tcp(String, u16),
    /// Path of a Unix socket.
    Socket(PathBuf),
}

/// `tls`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The authority to trust (PEM); `None`: the system's.
    pub ca: Option<PathBuf>,
    /// Client certificate and key (PEM).
    pub identity: Option<(PathBuf, PathBuf)>,
    /// What is verified.
    pub verify: Verify,
}

/// What a server has to prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// Nothing: any certificate is accepted.
    Nothing,
    /// An authority has signed its certificate, for whatever host.
    Authority,
    /// An authority has signed its certificate for this host.
    Identity,
}

/// One of `des[]`.
#[derive(Clone, Debug)]
pub struct DestinationJob {
    /// `des[].name`, else [`crate::logic::scan::identity::names`] finds one.
    pub name: String,
    /// The name that earlier versions gave: state files without addresses know it by this.
    pub name_before: String,
    /// Server and table.
    pub table: TableJob,
    /// `des[].columns` in the order of the file.
    pub columns: Vec<ColumnPair>,
    /// `des[].callbackNotification`.
    pub callback: CallbackJob,
}

/// One entry of `des[].columns`.
#[derive(Clone, Debug)]
pub struct ColumnPair {
    /// Source column.
    pub source: String,
    /// Destination column.
    pub destination: String,
    /// When the two agree although they are not equal.
    pub rule: Rule,
}

/// `des[].callbackNotification`.
#[derive(Clone)]
pub struct CallbackJob {
    /// With scheme.
    pub url: String,
    /// Standard Webhooks secrets, decoded; each signs. Never printed: `Debug` leaves them out.
    pub secrets: Vec<Vec<u8>>,
    /// `tls`; `None`: the system's authorities.
    pub tls: Option<Tls>,
    /// Extra headers, checked to be valid and none of those that cupid sets itself.
    pub headers: Vec<(String, String)>,
    /// `timeoutMillisecond`, for the whole exchange.
    pub timeout: Duration,
    /// `attempts`, the tries of one row in one run, and `callbackWorkerIntervalMillisecond` between them.
    pub policy: RetryPolicy,
    /// `concurrency`: requests under way at once, 1 to 256.
    pub concurrency: usize,
    /// `numbersAsStrings`.
    pub numbers_as_strings: bool,
    /// `verifySecond`: so long after it was taken a row is compared once more; zero: it is not.
    pub verify: Duration,
}

impl TableJob {
    /// `database.table`: in messages and reports, and by which a checkpoint knows its source.
    #[must_use]
    pub fn name(&self) -> String {
        let Self {
            database, table, ..
        } = self;
        format!("{database}.{table}")
    }
}

impl Job {
    /// The destinations, as state files know them and as they knew them.
    #[must_use]
    pub fn known_destinations(&self) -> Vec<Known> {
        let known = |destination: &DestinationJob| Known {
            id: destination.id(),
            name_before: destination.name_before.clone(),
        };
        self.destinations.iter().map(known).collect()
    }
}

impl Address {
    /// The same text however the configuration spells it: `host:port`, or the path of the socket.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Tcp(host, port) => identity::server(host, *port),
            Self::Socket(path) => path.display().to_string(),
        }
    }
}

impl DestinationJob {
    /// The table, for statements that would repair it.
    #[must_use]
    pub fn target(&self) -> Target<'_> {
        Target {
            name: &self.name,
            database: &self.table.database,
            table: &self.table.table,
            by_column: &self.table.by_column,
            condition: self.table.condition.as_deref(),
        }
    }

    /// How state files know it.
    #[must_use]
    pub fn id(&self) -> DestinationId {
        let Self {
            name,
            name_before: _,
            table,
            columns,
            callback,
        } = self;
        let TableJob {
            server,
            database,
            table,
            by_column,
            condition,
        } = table;
        let mut pairs: Vec<[&str; 2]> = columns
            .iter()
            .map(|pair| [pair.source.as_str(), pair.destination.as_str()])
            .collect();
        pairs.sort_unstable();
        let condition = condition.as_deref().unwrap_or_default();
        let parts = [by_column.as_str(), condition, callback.url.as_str()];
        DestinationId {
            name: name.clone(),
            server: server.address.text(),
            table: identity::table(database, table),
            tag: identity::tag(parts.into_iter().chain(pairs.into_iter().flatten())),
        }
    }
}

impl CallbackJob {
    /// The address as people may see it. Tokens often stand in the query.
    #[must_use]
    pub fn shown_url(&self) -> String {
        match self.url.split_once('?') {
            Some((address, _)) => format!("{address}?…"),
            None => self.url.clone(),
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            address,
            user,
            password: _,
            tls,
        } = self;
        f.debug_struct("Server")
            .field("address", address)
            .field("user", user)
            .field("tls", tls)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for CallbackJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallbackJob")
            .field("url", &self.url)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
