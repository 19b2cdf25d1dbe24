//! What `check` learns from servers and files: plain facts, for [`super::advise`] to judge.

use std::path::PathBuf;

use crate::logic::scan::load::Lag;
use crate::logic::value::cell::ColumnType;

/// Everything that was looked at.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The source; `Err` when it cannot be read, in words.
    pub source: Result<Side, String>,
    /// Each of `des[]`.
    pub destinations: Vec<Result<Side, String>>,
    /// The endpoint of each of `des[]`: why no connection to it comes about, in words.
    pub endpoints: Vec<Result<(), String>>,
    /// Why no file can be written where `metricsFile` is.
    pub metrics_unwritable: Option<String>,
    /// Files of secrets that everybody on this machine may read.
    pub open_secrets: Vec<PathBuf>,
    /// The state folder.
    pub state: StateFacts,
}

/// A server and a table on it.
#[derive(Debug)]
pub(crate) struct Side {
    /// The server.
    pub server: ServerFacts,
    /// The table.
    pub table: TableFacts,
    /// How the server would run the query that a pass repeats: the update window of the source, the look-up of a
    /// batch of keys in a destination.
    pub plan: Option<Plan>,
    /// What `cupid run` refuses this table for, in its words: nothing that it refuses may pass here.
    pub refusal: Option<String>,
}

/// A server.
#[derive(Clone, Debug)]
pub(crate) struct ServerFacts {
    /// `host:port` or the socket.
    pub label: String,
    /// As the server says it.
    pub version: String,
    /// The host is another machine, as far as its name tells.
    pub remote: bool,
    /// The connection is encrypted.
    pub encrypted: bool,
    /// The server's clock less this machine's, in microseconds.
    pub ahead_us: i64,
    /// The server's default zone, as it names it.
    pub zone: String,
    /// Seconds east of UTC of that zone now; `None` when the server cannot convert.
    pub zone_east_s: Option<i32>,
    /// `'user'@'host'` as the server knows this account.
    pub account: String,
    /// How far its replication is behind, or why that cannot be asked; `None` without `maxLagSecond`.
    pub lag: Option<Result<Lag, Refused>>,
    /// Lines of `SHOW GRANTS`, which may hold password hashes.
    pub grants: Vec<String>,
}

/// A table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableFacts {
    /// `SELECT` from it works, or what the server says.
    pub readable: Option<Refused>,
    /// What the server says of `where`, when it refuses it.
    pub condition: Option<Refused>,
    /// A view has no indexes of its own.
    pub is_view: bool,
    /// No index of it can be unique without the columns that it is partitioned by.
    pub is_partitioned: bool,
    /// Source rows whose id is NULL.
    pub without_id: u64,
    /// The optimizer's estimate.
    pub rows: Option<u64>,
    /// In table order, invisible ones too; empty when there is no such table or this account may not see it.
    pub columns: Vec<ColumnFacts>,
    /// B-trees only.
    pub indexes: Vec<Index>,
    /// How many rows there are, counted up to [`TableFacts::COUNTED_MAX`]; `None`: not counted.
    pub counted: Option<u64>,
    /// The databases that this account sees; read only when the table is not there.
    pub databases: Vec<String>,
    /// Other tables of the database, for "did you mean"; read only when the table is not there.
    pub other_tables: Vec<String>,
}

/// A statement that the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// MySQL's error number.
    pub code: u16,
    /// The server's words.
    pub message: String,
}

/// A column.
#[derive(Clone, Debug)]
pub(crate) struct ColumnFacts {
    /// As the server spells it.
    pub name: String,
    /// How cupid reads it.
    pub column_type: ColumnType,
    /// As declared: `varchar(64)`.
    pub declared: String,
    /// May hold NULL.
    pub nullable: bool,
    /// Characters or bytes that fit.
    pub length: Option<u64>,
    /// Digits of a `DECIMAL`.
    pub digits: Option<u64>,
    /// Digits after its point.
    pub scale: Option<u64>,
    /// Of character data.
    pub charset: Option<String>,
    /// Of character data.
    pub collation: Option<String>,
    /// Set to the current time by every `UPDATE`.
    pub on_update: bool,
    /// Where its values come from.
    pub filled: Filled,
}

/// Where the values of a column come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// Whoever writes the row.
    Given,
    /// `AUTO_INCREMENT`.
    Counted,
    /// Other columns, stored or not.
    Generated,
}

/// An index.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    /// `PRIMARY` or its name.
    pub name: String,
    /// No two rows share all its columns.
    pub unique: bool,
    /// In order; an expression is empty.
    pub columns: Vec<String>,
    /// A column is indexed by its beginning only.
    pub by_prefix: bool,
}

/// A line of `EXPLAIN`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// `ALL`, `range`, `ref` …
    pub access: String,
    /// The index used.
    pub key: Option<String>,
    /// The rows that the server expects to read.
    pub rows: u64,
    /// `Using where; Using filesort` …
    pub extra: String,
}

/// The state folder and its files.
#[derive(Debug)]
pub(crate) struct StateFacts {
    /// Why the state files are not this configuration's.
    pub of_another: Option<String>,
    /// `src.cacheFilePath` or what stands for it.
    pub folder: PathBuf,
    /// It is there already.
    pub exists: bool,
    /// The user that it belongs to and the one who asks, by their numbers, where they differ.
    pub owner_and_user: Option<(u32, u32)>,
    /// Why no file can be written there.
    pub unwritable: Option<String>,
    /// Why a file there cannot be used.
    pub unusable: Vec<String>,
    /// There is a checkpoint.
    pub has_checkpoint: bool,
    /// The id in the first cupid's `cupid.txt`.
    pub first_cupids_id: Option<i128>,
    /// The highest id that was compared, where the table's is lower, and the table's.
    pub beyond: Option<(i128, Option<i128>)>,
    /// The lowest id of the table, where no run has begun.
    pub lowest_id: Option<i128>,
}

impl TableFacts {
    /// Rows are counted up to here, for estimates of small tables are often wrong.
    pub(crate) const COUNTED_MAX: u64 = 1_000;

    /// The rows that there are: counted where they are few, else as the server estimates them.
    #[must_use]
    pub(crate) fn rows_likely(&self) -> Option<u64> {
        match self.counted {
            Some(few) if few < Self::COUNTED_MAX => Some(few),
            Some(many) => self.rows.map(|rows| rows.max(many)),
            None => self.rows,
        }
    }

    /// The column of this name, whose case does not count.
    #[must_use]
    pub(crate) fn column(&self, name: &str) -> Option<&ColumnFacts> {
        self.columns.iter().find(|column| same(&column.name, name))
    }

    /// The best index whose first column this is: a unique one of this column alone before all others.
    #[must_use]
    pub(crate) fn index_led_by(&self, column: &str) -> Option<&Index> {
        let led = self.indexes.iter().filter(|index| {
            index
                .columns
                .first()
                .is_some_and(|first| same(first, column))
        });
        led.max_by_key(|index| index.is_unique_alone())
    }

    /// No two rows share a value of this column (NULL aside).
    #[must_use]
    pub(crate) fn is_unique(&self, column: &str) -> bool {
        self.index_led_by(column)
            .is_some_and(Index::is_unique_alone)
    }
}

impl Index {
    fn is_unique_alone(&self) -> bool {
        self.unique && self.columns.len() == 1 && !self.by_prefix
    }
}

impl Plan {
    /// No index narrows down what is read.
    #[must_use]
    pub(crate) fn reads_all(&self) -> bool {
        matches!(self.access.as_str(), "ALL" | "index")
    }
}

/// Names of columns are the same whatever their case (MySQL Reference Manual, "Identifier Case Sensitivity").
#[must_use]
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
