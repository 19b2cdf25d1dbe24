//! Source and destination tables; the only folder that names the crate `mysql`.

mod bounded;
mod checksum;
mod clause;
mod connect;
mod decode;
mod destination;
mod ed25519;
mod errors;
pub(crate) mod inspect;
mod known;
mod layout;
mod load;
mod log_ins;
mod lookup;
mod parameters;
mod pieces;
mod plan;
mod refused;
mod schema;
mod selection;
mod session;
mod source;
mod stream;
mod survey;
mod unique;
mod wide;
mod wire;
mod written;

pub(crate) use checksum::checksums_of;
pub(crate) use connect::prepare_log_in;
pub(crate) use destination::MySqlDestination;
pub(crate) use source::MySqlSource;
pub(crate) use survey::{Needs, Survey};
