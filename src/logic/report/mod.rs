//! Outputs for people and scripts: lines, sums, messages, the page, the statements, a recheck.

pub mod digest;
pub mod file;
pub mod fix;
pub mod line;
pub mod notice;
pub(crate) mod owed;
pub mod page;
pub(crate) mod progress;
pub mod recheck;
pub mod summary;
