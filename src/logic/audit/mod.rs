//! Whole tables: fingerprints, pairs of rows, checksums, shards, and how fast they are read.

pub mod checksum;
pub mod fingerprint;
pub(crate) mod pace;
pub mod pairing;
mod queue;
pub mod record;
pub(crate) mod shard;
