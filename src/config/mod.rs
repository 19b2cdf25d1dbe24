//! The configuration file: as written, then as meant.

mod job;

pub use job::*;
