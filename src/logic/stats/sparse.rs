//! Counts in a file, without zeros, as most are 0.

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serializer};

use crate::logic::report::summary::Counts;

pub(super) fn serialize<S: Serializer>(counts: &Counts, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for (name, count) in counts.named() {
        if count > 0 {
            map.serialize_entry(name, &count)?;
        }
    }
    map.end()
}

pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Counts, D::Error> {
    Counts::deserialize(deserializer)
}
