//! Pure decisions: no clock, no file, no socket, no log.
//!
//! The wings are in the order of their imports. A wing imports itself and the wings before it, and
//! nothing above `logic`.

pub mod value;

pub mod compare;

pub mod scan;

pub mod callback;

pub mod audit;

pub mod report;

pub(crate) mod notify;

pub(crate) mod stats;

pub(crate) mod status;
