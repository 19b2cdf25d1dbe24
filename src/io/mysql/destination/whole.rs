//! A destination table that is read from end to end, in the order of a unique index, or why it cannot be.

use mysql::Conn;

use super::MySqlDestination;
use crate::config::SourceJob;
use crate::error::Result;
use crate::io::mysql::bounded;
use crate::io::mysql::stream::{Rows, Stream};
use crate::logic::audit::fingerprint::KeyFold;
use crate::world::{Place, Visitor, WholeTable};

/// Why a table is not read from end to end, and the way out.
const NO_ORDER: &str = "It has no primary key and no unique index of whole NOT NULL columns: add one to the copy, as in \
    ALTER TABLE … ADD UNIQUE (…)";
const NO_ORDER_IN_ZONE: &str = "It has a `where`, and no primary key and no unique index of whole NOT NULL columns without a \
    TIMESTAMP: add one to the copy, as in ALTER TABLE … ADD UNIQUE (…)";
const OTHER_TIMES: &str = "Its key is compared with a TIMESTAMP of the source, and is none itself: make it a TIMESTAMP in the copy, \
    or let src.byColumn name another key";
const NO_SHARDS: &str =
    "The rows of a shard are told from the others only by a primary key that is the source's id";

impl MySqlDestination {
    /// How the table is read from end to end, asked of the server once.
    pub(super) fn read_stream(&self) -> Result<&std::result::Result<Stream, &'static str>> {
        if let Some(stream) = self.stream.get() {
            return Ok(stream);
        }
        let job = &self.destination().table;
        let operation = format!("Read the primary key of {}", job.name());
        let table = &self.plan()?.table;
        let stream = self
            .sessions
            .run(&operation, |conn| Stream::read(conn, job, table))?;
        let SourceJob {
            table: source,
            id_column,
            ..
        } = &self.job.source;
        let stream = stream.ok_or(if table.is_in_zone {
            NO_ORDER_IN_ZONE
        } else {
            NO_ORDER
        });
        let stream = match self.source.shard() {
            // The source reads its keys as instants, and this one does not.
            _ if self.plan()?.prints_keys => Err(OTHER_TIMES),
            None => stream,
            Some(_) if source.by_column.to_lowercase() != id_column.to_lowercase() => {
                Err(NO_SHARDS)
            }
            Some(shard) => {
                stream.and_then(|stream| stream.of_shard(shard, &job.by_column).ok_or(NO_SHARDS))
            }
        };
        Ok(self.stream.get_or_init(|| stream))
    }
}

/// A destination whose rows have an order.
pub(super) struct Ordered<'a> {
    pub(super) destination: &'a MySqlDestination,
    pub(super) stream: &'a Stream,
}

impl WholeTable for Ordered<'_> {
    fn key_fold(&self) -> KeyFold {
        self.stream.fold
    }

    fn visit(
        &self,
        after: Option<&Place>,
        limit: usize,
        visitor: &mut dyn Visitor,
    ) -> Result<Option<Place>> {
        let Self {
            destination,
            stream,
        } = self;
        let (plan, job) = (destination.plan()?, &destination.destination().table);
        let rows = Rows::new(job, plan, stream);
        let operation = format!("Read all rows of {}", job.name());
        let mut last = None;
        let mut visit = |rows: &Rows<'_>, limit, last: &mut Option<Place>| {
            let mut work = |conn: &mut Conn| stream.visit(conn, rows, after, limit, visitor, last);
            destination.attempt(&mut work)
        };
        let outcome = match visit(&rows, limit, &mut last) {
            Err(error) if bounded::is_too_wide(&error) && last.is_some() => Ok(last),
            Err(error) if bounded::is_too_wide(&error) => {
                let rows = Rows::too_large(job, plan, stream);
                visit(&rows, 1, &mut last)
            }
            outcome => outcome,
        };
        outcome.map_err(|error| destination.failed(&operation, &error))
    }
}
