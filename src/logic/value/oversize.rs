//! Rows that are too large to be read. Each is set aside, and all other rows go on.
//!
//! The limit is cupid's own, whatever the servers allow. Of one row, or of the copies of one row,
//! never more is kept.

use serde::{Deserialize, Serialize};

use crate::logic::value::count::grouped;

/// The largest row that is read, in bytes as it is sent; also the most that is kept of all copies of one row.
pub const ROW_BYTES_MAX: usize = 64 << 20;

/// What is kept of an answer of several rows, in bytes.
pub const ROOM_BYTES: usize = 16 << 20;

/// Why a row is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TooLarge {
    /// What of it is too large.
    pub part: Part,
    /// Bytes of its values, as its server counts them: in the columns' own character sets.
    pub bytes: u64,
}

/// What is read of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// The source row with all its columns, as a callback sends it. It can be compared.
    Row,
    /// The compared columns of the source row.
    Compared,
    /// The compared columns of its copies, all of them together.
    Copies,
}

impl TooLarge {
    /// Whether the same answer is to be expected of a row that has so many bytes now. Any size that differs is worth a
    /// try, and so is one that is far below the limit: another row may have been measured in this one's place. (A
    /// character that takes one byte at its server may take three on its way.)
    #[must_use]
    pub fn is_still(&self, bytes: u64) -> bool {
        self.bytes == bytes && bytes >= ROW_BYTES_MAX as u64 / 4
    }
}

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.part {
            Part::Row => "all its columns have",
            Part::Compared => "its compared columns have",
            Part::Copies => "its copies have",
        };
        let bytes = grouped(self.bytes);
        let mib = ROW_BYTES_MAX >> 20;
        write!(
            f,
            "{what} about {bytes} bytes, and cupid reads {mib} MiB at most"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_tried_again_when_its_size_has_changed_or_is_far_below_the_limit() {
        let limit = ROW_BYTES_MAX as u64;
        let of = |bytes| TooLarge {
            part: Part::Compared,
            bytes,
        };
        for (known, now, is_still) in [
            (limit + 1, limit + 1, true),
            (limit + 1, limit, false),
            (limit + 1, limit + 2, false),
            (limit / 4, limit / 4, true),
            (100, 100, false),
        ] {
            assert_eq!(of(known).is_still(now), is_still, "{known} {now}");
        }
    }
}
