//! What a pass needs from the world, as small traits: tables, receivers, state files, a clock.
//!
//! `pipeline` is written against these, `io` implements them, and a simulation can too.

use std::time::Duration;

use crate::error::Result;
use crate::logic::audit::checksum::{Checksum, Chunk, KeyRange};
use crate::logic::audit::fingerprint::KeyFold;
use crate::logic::audit::pairing::Outgoing;
use crate::logic::audit::record::{Record, Side};
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::owed::Owed;
use crate::logic::callback::retry::Answer;
use crate::logic::compare::rows::{ColumnMap, Found};
use crate::logic::report::fix::Repair;
use crate::logic::report::fix::written::Written;
use crate::logic::report::line::Line;
use crate::logic::report::notice::Notice;
use crate::logic::scan::bounds::Bounds;
use crate::logic::scan::checkpoint::Checkpoint;
use crate::logic::scan::gaps::Span;
use crate::logic::scan::load::{Load, LoadLimits};
use crate::logic::scan::plan::Request;
use crate::logic::value::address::Address;
use crate::logic::value::cell::{Cell, CellRef, Cells, Column, Id};
use crate::logic::value::oversize::TooLarge;
use crate::logic::value::row::{Row, cells_bytes};

/// Everything outside the program that a pass touches.
pub struct World<'a> {
    /// The tables.
    pub tables: Tables<'a>,
    /// In the order of `des[]`.
    pub receivers: Vec<&'a dyn Receiver>,
    /// For what memory does not hold.
    pub spills: &'a dyn SpillSpace,
    /// The state folder.
    pub store: &'a mut (dyn Store + Send),
    /// Time.
    pub clock: &'a dyn Clock,
    /// People and reports.
    pub observer: &'a dyn Observer,
}

/// What is compared.
pub struct Tables<'a> {
    /// The source table.
    pub source: &'a dyn Source,
    /// In the order of `des[]`.
    pub destinations: Vec<&'a dyn Destination>,
    /// What two servers compute of their tables.
    pub checksums: &'a dyn ChecksumOffers,
}

/// A server that others use too.
pub trait Shared: Sync {
    /// How it is doing, as far as there are limits.
    ///
    /// # Errors
    /// When it cannot be asked: the account may lack the right to.
    fn load(&self, limits: LoadLimits) -> Result<Load>;
}

/// The source table.
pub trait Source: Shared {
    /// The server's clock, then the highest id.
    ///
    /// # Errors
    /// When the source cannot be read.
    fn bounds(&self) -> Result<Bounds>;

    /// How many rows have no id, and so are in no batch.
    ///
    /// # Errors
    /// When the source cannot be read.
    fn rows_without_id(&self) -> Result<u64>;

    /// How `src.updateColumn` says moments: its type, and its zone where it holds local time. When that changes, what was
    /// reckoned with its values does not count any more. `None` where updates are not looked at.
    ///
    /// # Errors
    /// When the source cannot be read.
    fn moments(&self) -> Result<Option<String>>;

    /// One batch of rows, in the order that its [`crate::logic::scan::plan::What`] says. Rows of these ids may be left out:
    /// they are known to be too large.
    ///
    /// # Errors
    /// When the source cannot be read.
    fn scan(&self, request: &Request, except: &[Address]) -> Result<Batch>;

    /// Shows every row of a span to `visitor`, in id order, up to `limit` rows. Returns how far it read when there may be
    /// more.
    ///
    /// # Errors
    /// When the source cannot be read.
    fn visit(&self, span: Span, limit: usize, visitor: &mut dyn Visitor) -> Result<Option<Id>>;

    /// The ids of the rows that have one of these keys.
    ///
    /// # Errors
    /// When the source cannot be read.
    fn ids_of(&self, keys: &[Cell]) -> Result<Vec<Id>>;

    /// Whole rows by id, as they are now, of as many of the first ids as fit into so many bytes.
    ///
    /// # Errors
    /// When the source cannot be read.
    fn whole_rows(&self, ids: &[Address], room_bytes: usize) -> Result<WholeRows>;

    /// How large these rows are, without reading them; ids that are gone are left out.
    ///
    /// # Errors
    /// When the source cannot be read.
    fn weigh(&self, ids: &[Address]) -> Result<Vec<Weight>>;

    /// The columns of a [`WholeRow`], in table order.
    ///
    /// # Errors
    /// When the source cannot be read.
    fn columns(&self) -> Result<&[Column]>;
}

/// Rows of the source.
#[derive(Debug, Default)]
pub struct Batch {
    /// No more of them than were asked for, and than memory has room for.
    pub rows: Vec<Row>,
    /// There may be more, although they are fewer than were asked for. There is at least one then.
    pub is_cut: bool,
    /// `rows` is a single row, without cells, for they are too large.
    pub too_large: Option<TooLarge>,
}

/// Whole rows of the source.
#[derive(Debug, Default)]
pub struct WholeRows {
    /// So many of the first ids have an answer: those of them that are not in `rows` are gone. It may be 0 where there is
    /// less room than [`crate::logic::value::oversize::ROW_BYTES_MAX`].
    pub answered: usize,
    /// In no order.
    pub rows: Vec<WholeRow>,
}

/// A source row with all its columns.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeRow {
    /// What is compared; without cells where these are too large.
    pub row: Row,
    /// Every column, in table order; none where the row is too large.
    pub all: Vec<Sent>,
    /// It cannot be sent.
    pub too_large: Option<TooLarge>,
}

/// A column as it is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent {
    /// As it is compared: this one of the row's cells.
    Compared(usize),
    /// Another one.
    Other(Cell),
}

impl WholeRow {
    /// The cells to send, in table order.
    #[must_use]
    pub fn sent(&self) -> Vec<&Cell> {
        let sent = self.all.iter().filter_map(|sent| match sent {
            Sent::Compared(at) => self.row.cells.get(*at),
            Sent::Other(cell) => Some(cell),
        });
        sent.collect()
    }

    /// About how many bytes of memory it takes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let others = self.all.iter().map(|sent| match sent {
            Sent::Compared(_) => 0,
            Sent::Other(cell) => cells_bytes(std::slice::from_ref(cell)),
        });
        self.row.size_bytes() + others.sum::<usize>()
    }
}

/// How large a source row is: bytes of values in the columns' own character sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// Its id.
    pub id: Address,
    /// Its key.
    pub key: Cell,
    /// Of its compared columns.
    pub compared_bytes: u64,
    /// Of all columns.
    pub row_bytes: u64,
}

/// Sees rows one by one.
pub trait Visitor {
    /// What was seen since the call of `visit` does not count; the batch begins anew, after a lost connection.
    fn restart(&mut self);

    /// A row: its id (0 in a destination), its key, and its compared cells.
    fn row(&mut self, id: Id, key: CellRef<'_>, cells: &dyn Cells);

    /// A row that is too large to be read: its id (0 in a destination) and its key.
    fn too_large(&mut self, id: Id, key: CellRef<'_>);

    /// Where that row was, in a destination.
    fn passed(&mut self, place: &dyn Fn() -> Place);
}

/// A place in a destination's own order.
#[derive(Clone, Debug, PartialEq)]
pub struct Place(pub Vec<Cell>);

/// One destination table.
pub trait Destination: Shared {
    /// Which columns it holds.
    ///
    /// # Errors
    /// When the destination, or the source's column types, cannot be read.
    fn map(&self) -> Result<&ColumnMap>;

    /// Whether its server let a time limit pass in this pass. No other question is answered then.
    fn is_silent(&self) -> bool;

    /// The table as one that is read from end to end.
    ///
    /// # Errors
    /// When the destination cannot be read.
    fn whole(&self) -> Result<Whole<'_>>;

    /// Keys that several rows share, `limit` at the most.
    ///
    /// # Errors
    /// When the destination cannot be read.
    fn repeated_keys(&self, limit: usize) -> Result<Vec<Cell>>;

    /// The rows that the destination itself finds for each of these keys, for as many of the first keys as their rows fit
    /// into so many bytes. That may be none where there is less room than [`crate::logic::value::oversize::ROW_BYTES_MAX`]. A
    /// NULL key finds nothing.
    ///
    /// # Errors
    /// When the destination cannot be read.
    fn find(&self, keys: &[&Cell], room_bytes: usize) -> Result<Found>;

    /// How many bytes the compared columns of all rows have that a key finds, without reading them.
    ///
    /// # Errors
    /// When the destination cannot be read.
    fn weigh(&self, key: &Cell) -> Result<u64>;

    /// What writing to the table depends on, for statements that somebody else runs.
    ///
    /// # Errors
    /// When the destination cannot be read.
    fn written(&self) -> Result<&Written>;

    /// The keys of all rows that these keys find, in no order, as the destination spells them: `café` may find `CAFE`.
    ///
    /// # Errors
    /// When the destination cannot be read.
    fn spelled(&self, keys: &[&Cell]) -> Result<Vec<Cell>>;
}

/// A table that is read from end to end; or why its rows have no order in which they could be read in batches, and the
/// way out.
pub type Whole<'a> = std::result::Result<Box<dyn WholeTable + 'a>, &'static str>;

/// A destination table that can be read from end to end.
pub trait WholeTable: Sync {
    /// What of a key's text the destination takes for the same.
    fn key_fold(&self) -> KeyFold;

    /// Shows rows to `visitor`, in the cheapest order, up to `limit` rows after a place. Returns the next place when
    /// there may be more.
    ///
    /// # Errors
    /// When the destination cannot be read.
    fn visit(
        &self,
        after: Option<&Place>,
        limit: usize,
        visitor: &mut dyn Visitor,
    ) -> Result<Option<Place>>;
}

/// Where records of an audit go that memory does not hold.
pub trait SpillSpace: Sync {
    /// A place for one destination's records. It is gone when it is dropped.
    fn open(&self) -> Box<dyn Spill>;
}

/// Records that memory does not hold.
pub trait Spill {
    /// Adds records to a partition.
    ///
    /// # Errors
    /// When they cannot be written.
    fn append(&mut self, outgoing: &Outgoing) -> Result<()>;

    /// All records of a partition, to be read once.
    ///
    /// # Errors
    /// When they cannot be read.
    fn take(&mut self, partition: usize, side: Side) -> Result<Vec<Record>>;
}

/// Which destinations the servers can compute checksums of.
pub trait ChecksumOffers: Sync {
    /// The two servers' own checksums of the source and of a destination, by its place in `des[]`, keyed by a number of
    /// this run; or why there are none.
    ///
    /// # Errors
    /// When either table's columns cannot be read.
    fn offer(&self, destination: usize, seed: u64) -> Result<Offer<'_>>;
}

/// Checksums, or the reason why there are none.
pub type Offer<'a> = std::result::Result<Box<dyn Checksums + 'a>, String>;

/// What two servers compute of a source and a destination; one statement a call.
pub trait Checksums: Sync {
    /// In the order of the spans.
    ///
    /// # Errors
    /// When the source cannot be read.
    fn of_source(&self, spans: &[Span]) -> Result<Vec<Chunk>>;

    /// In the order of the ranges. Rows whose key is NULL are in none of them.
    ///
    /// # Errors
    /// When the destination cannot be read.
    fn of_destination(&self, ranges: &[KeyRange]) -> Result<Vec<Checksum>>;
}

/// The owner's endpoint for one destination.
pub trait Receiver: Sync {
    /// One POST. A transport failure is an answer.
    fn post(&self, callback: &Callback, timeout: Duration) -> Answer;
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// JSON.
    pub body: Vec<u8>,
    /// `webhook-id`, `Cupid-Attempt` … (`Content-Type` and the configured ones are the client's).
    pub headers: Vec<(&'static str, String)>,
}

/// The state folder. Every call is durable when it returns.
pub trait Store {
    /// The checkpoint; `None` only when there is no file.
    ///
    /// # Errors
    /// When there is one and it cannot be used.
    fn checkpoint(&mut self) -> Result<Option<Checkpoint>>;

    /// The id in the first cupid's `cupid.txt`, when there is one.
    ///
    /// # Errors
    /// When there is one and it cannot be used.
    fn first_cupids_id(&mut self) -> Result<Option<Id>>;

    /// Replaces the checkpoint.
    ///
    /// # Errors
    /// When it cannot be saved; the old one is intact then.
    fn save_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<()>;

    /// The owed callbacks.
    ///
    /// # Errors
    /// When the file exists and cannot be used.
    fn outbox(&mut self) -> Result<Outbox>;

    /// Adds to the owed callbacks.
    ///
    /// # Errors
    /// When they cannot be saved.
    fn append_owed(&mut self, owed: &[Owed]) -> Result<()>;

    /// Replaces all owed callbacks.
    ///
    /// # Errors
    /// When they cannot be saved; the old file is intact then.
    fn replace_outbox(&mut self, outbox: &Outbox) -> Result<()>;
}

/// Time.
pub trait Clock: Sync {
    /// Microseconds since 1970.
    fn now_us(&self) -> i64;

    /// Sleeps, less when the program was asked to stop.
    fn sleep(&self, duration: Duration);

    /// True when the program was asked to stop.
    fn stopping(&self) -> bool;

    /// A random number in [0, 1).
    fn random(&self) -> f64;
}

/// What a pass tells people and files while it works.
pub trait Observer: Sync {
    /// Differences, as found.
    ///
    /// # Errors
    /// When the report cannot be written.
    fn report(&self, lines: &[Line]) -> Result<()>;

    /// Whether somebody wants the statements that would repair rows.
    fn wants_fixes(&self) -> bool;

    /// A row that is wrong, after its lines, where [`Self::wants_fixes`].
    ///
    /// # Errors
    /// When the statement that would repair it cannot be written.
    fn fix(&self, repair: &Repair<'_>) -> Result<()>;

    /// Rows compared so far, and how many ids there are left to look at.
    fn progress(&self, compared: u64, ids_left: u64);

    /// Something for an operator; goes to the log.
    fn tell(&self, notice: &Notice);
}
