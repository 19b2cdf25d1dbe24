//! Rows of the update window that were compared already: the next window meets them again.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::logic::value::cell::Id;

/// How many rows of the update window are remembered as compared; more are compared again.
pub const SEEN_MAX: usize = 20_000;

/// Rows already compared, by id and fingerprint of what was compared (update time included). Not the time alone: a
/// second change within the column's precision keeps the time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen(HashMap<Id, u64>);

impl Seen {
    /// Was this row compared with this content?
    #[must_use]
    pub fn contains(&self, id: Id, fingerprint: u64) -> bool {
        self.0.get(&id) == Some(&fingerprint)
    }

    /// Remembers a row, unless too many are remembered already.
    pub fn insert(&mut self, id: Id, fingerprint: u64) {
        if self.0.len() < SEEN_MAX || self.0.contains_key(&id) {
            self.0.insert(id, fingerprint);
        }
    }

    /// This row was compared, and not with this content.
    #[must_use]
    pub fn is_other(&self, id: Id, content: Option<u64>) -> bool {
        self.0.get(&id).is_some_and(|&known| content != Some(known))
    }

    /// Forgets a row that was compared with other content than this.
    pub fn forget_other(&mut self, id: Id, content: Option<u64>) {
        if self.is_other(id, content) {
            self.0.remove(&id);
        }
    }

    /// Number of rows remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Only what both remember alike.
    pub(super) fn intersection(mut self, other: &Self) -> Self {
        self.0
            .retain(|&id, &mut fingerprint| other.contains(id, fingerprint));
        self
    }
}

/// Twenty-four bytes a row in Base64: the id, then the fingerprint, both little-endian.
impl Serialize for Seen {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows: Vec<_> = self.0.iter().collect();
        rows.sort_unstable();
        let mut bytes = Vec::with_capacity(rows.len() * 24);
        for (id, fingerprint) in rows {
            bytes.extend_from_slice(&id.to_le_bytes());
            bytes.extend_from_slice(&fingerprint.to_le_bytes());
        }
        serializer.serialize_str(&BASE64.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64.decode(text).map_err(D::Error::custom)?;
        let (rows, rest) = bytes.as_chunks::<24>();
        if !rest.is_empty() {
            return Err(D::Error::custom("`seen` has an incomplete row"));
        }
        let decode = |row: &[u8; 24]| {
            let (id, fingerprint) = row.split_at(16);
            let id = Id::from_le_bytes(id.try_into().unwrap_or_default());
            (
                id,
                u64::from_le_bytes(fingerprint.try_into().unwrap_or_default()),
            )
        };
        Ok(Self(rows.iter().map(decode).collect()))
    }
}
