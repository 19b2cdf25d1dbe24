//! The address of a source row: what finds the row again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::logic::value::cell::Id;

/// Where a source row is: what callbacks, reports and second looks know it by. It says nothing about the order in which
/// rows are scanned, which is by [`Id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(Id);

impl Address {
    /// Before every other one.
    pub const FIRST: Self = Self(Id::MIN);

    /// The id, where that is what finds the row.
    #[must_use]
    pub fn id(self) -> Id {
        self.0
    }
}

impl From<Id> for Address {
    fn from(id: Id) -> Self {
        Self(id)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
