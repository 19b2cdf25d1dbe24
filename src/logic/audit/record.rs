//! A row as the pairing of an audit knows it.

use crate::logic::value::cell::Id;

/// One row of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Fingerprint of the key.
    pub key: u128,
    /// Fingerprint of what is compared.
    pub row: u128,
    /// What finds the row again.
    pub tag: Tag,
}

/// What finds a row again: the id of a source row, the section of the table where a destination row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(u64);

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "64 bits hold every id of a table; whoever asks for it knows the column's sign"
)]
impl Tag {
    /// Of a source row: any value of BIGINT, signed or unsigned.
    #[must_use]
    pub fn of_id(id: Id) -> Self {
        Self(id as u64)
    }

    /// The inverse of [`Self::of_id`]: `is_unsigned` where ids of the table may be above the largest signed one.
    #[must_use]
    pub fn id(self, is_unsigned: bool) -> Id {
        if is_unsigned {
            Id::from(self.0)
        } else {
            Id::from(self.0 as i64)
        }
    }

    /// Of a destination row: the number of its section, counted from the table's beginning.
    #[must_use]
    pub fn of_section(section: usize) -> Self {
        Self(section as u64)
    }

    /// The inverse of [`Self::of_section`].
    #[must_use]
    pub fn section(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// Bytes of a [`Record`] outside memory.
pub const RECORD_BYTES: usize = 40;

impl Record {
    /// Little-endian, in the order of the fields.
    #[must_use]
    pub fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[..16].copy_from_slice(&self.key.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.row.to_le_bytes());
        bytes[32..].copy_from_slice(&self.tag.0.to_le_bytes());
        bytes
    }

    /// The inverse of [`Self::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Self {
        let (key, rest) = bytes.split_at(16);
        let (row, tag) = rest.split_at(16);
        // The three parts are 16, 16 and 8 bytes long.
        Self {
            key: u128::from_le_bytes(key.try_into().unwrap_or_default()),
            row: u128::from_le_bytes(row.try_into().unwrap_or_default()),
            tag: Tag(u64::from_le_bytes(tag.try_into().unwrap_or_default())),
        }
    }
}

/// Which table a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The source.
    Source,
    /// The destination.
    Destination,
}

impl Side {
    /// The other table.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Source => Self::Destination,
            Self::Destination => Self::Source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_from_its_bytes() {
        let record = Record {
            key: u128::MAX - 5,
            row: 7,
            tag: Tag::of_id(-9),
        };
        assert_eq!(Record::from_bytes(&record.to_bytes()), record);
    }

    #[test]
    fn a_tag_holds_every_id_of_a_table() {
        for id in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(Tag::of_id(id.into()).id(false), Id::from(id));
        }
        for id in [0, u64::MAX] {
            assert_eq!(Tag::of_id(id.into()).id(true), Id::from(id));
        }
        assert_eq!(Tag::of_section(7).section(), 7);
    }
}
