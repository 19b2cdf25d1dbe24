//! Ids that two rows share. A scan by id cannot go on behind one of them without skipping the
//! other.
//!
//! Rows come in the order of their ids, so a second row of an id comes right after the first. At a
//! batch's end one row more is asked for than is used.

use std::io::ErrorKind;

use crate::logic::value::cell::Id;

/// Several rows have this id.
#[derive(Debug)]
struct Shared(Id);

impl std::fmt::Display for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Several rows have the id {}", self.0)
    }
}

impl std::error::Error for Shared {}

/// The error of a second row of an id.
pub(super) fn shared(id: Id) -> mysql::Error {
    std::io::Error::new(ErrorKind::InvalidData, Shared(id)).into()
}

/// The id that several rows have, where that is the error.
pub(super) fn shared_id(error: &mysql::Error) -> Option<Id> {
    let mysql::Error::IoError(error) = error else {
        return None;
    };
    let shared: &Shared = error.get_ref()?.downcast_ref()?;
    Some(shared.0)
}

/// Sees ids in the order in which their rows are sent.
#[derive(Debug, Default)]
pub(super) struct Distinct {
    last: Option<Id>,
    shared: Option<Id>,
}

impl Distinct {
    /// The next row has this id.
    pub(super) fn see(&mut self, id: Id) {
        if self.last.replace(id) == Some(id) {
            self.shared.get_or_insert(id);
        }
    }

    /// The first id that a second row had.
    pub(super) fn shared(&self) -> Option<Id> {
        self.shared
    }

    /// Whether each row had an id of its own.
    pub(super) fn end(self) -> mysql::Result<()> {
        self.shared.map_or(Ok(()), |id| Err(shared(id)))
    }
}
