//! The content of a table: cells, rows, spans of ids, and how each is printed, quoted and measured.

pub mod address;
pub(crate) mod age;
pub mod cell;
pub mod charset;
pub(crate) mod count;
pub(crate) mod one_line;
pub mod oversize;
pub(crate) mod path_text;
pub mod print;
pub mod row;
pub(crate) mod shortened;
pub(crate) mod sql;
