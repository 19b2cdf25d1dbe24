//! Pure decisions: no clock, no file, no socket, no log.

pub mod advice;
pub mod body;
pub mod cell;
pub mod checkpoint;
pub mod compare;
pub mod digest;
pub mod equal;
pub mod facts;
pub mod fix;
pub mod gaps;
mod json;
mod moment;
mod number;
pub mod owed;
pub mod page;
pub mod php_date;
pub mod print;
pub mod recheck;
pub mod report;
pub mod retry;
pub mod row;
pub mod signature;
pub mod sql;
pub mod summary;
pub mod window;
pub mod zone;
