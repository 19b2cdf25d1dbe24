//! Where the source is when a pass begins.

use crate::logic::value::cell::Id;

/// The source's clock and highest id when a pass begins; the clock is read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Microseconds since 1970.
    pub now_us: i64,
    /// `None`: the table is empty.
    pub id_max: Option<Id>,
    /// The fingerprint of the key of the row that has the highest id ([`crate::logic::scan::trail::key_print`]).
    pub key_max: Option<u64>,
}
