//! The only place that decides whether two rows agree.

/// In what way a destination's copy of a row is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The destination lacks the row; callback type 1.
    Missing,
    /// The destination has the row with other values; callback type 2.
    Different,
}

impl Kind {
    /// The number in a callback's `type`.
    #[must_use]
    pub fn callback_type(self) -> u8 {
        match self {
            Self::Missing => 1,
            Self::Different => 2,
        }
    }

    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Different => "different",
        }
    }
}
