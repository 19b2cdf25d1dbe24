//! What a pass is asked to do.

use crate::logic::value::cell::Id;

/// What one pass is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Look at new ids.
    pub insert: bool,
    /// Look at updated rows.
    pub update: bool,
    /// Where the very first pass starts.
    pub start_id: Option<Id>,
    /// What becomes of a difference.
    pub mode: Mode,
    /// Somebody wants to know each row that is wrong.
    pub report: bool,
    /// What becomes of keys for which a destination has several rows.
    pub duplicates: Duplicates,
    /// No batch is begun after this moment (this machine's clock, microseconds since 1970).
    pub scan_until_us: Option<i64>,
    /// No more rows of a table are read, whatever for.
    pub rows_per_second_max: Option<u64>,
}

/// How an audit finds out which rows are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// By checksums where the link is slow, else by reading.
    #[default]
    Auto,
    /// Both tables are read.
    Stream,
    /// Their servers sum them up, where they can.
    Checksum,
}

/// What becomes of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is called back.
    Deliver,
    /// It is reported. (That nothing is saved is the store's doing.)
    DryRun,
    /// It is what an earlier report told, and is told again when it is still there.
    Recheck,
}

/// What becomes of keys for which a destination has several rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// They are counted when first seen.
    Counted,
    /// They are looked at again, counted and told, each.
    Told,
}
