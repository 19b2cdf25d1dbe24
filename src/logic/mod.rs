//! Pure decisions: no clock, no file, no socket, no log.

pub mod body;
pub mod cell;
pub mod compare;
pub mod equal;
mod json;
mod moment;
mod number;
pub mod php_date;
pub mod print;
pub mod retry;
pub mod signature;
