//! Whether a row and its copy are the same: cell by cell, by the columns' types.

pub mod cells;
pub(crate) mod confirm;
mod json;
pub(crate) mod key;
mod moment;
pub(super) mod number;
pub mod rows;
