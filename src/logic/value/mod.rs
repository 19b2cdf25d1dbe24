//! The content of a table: cells, rows, spans of ids, and how each is printed, quoted and measured.

pub mod address;
pub mod age;
pub mod cell;
pub mod charset;
pub mod count;
pub mod one_line;
pub mod oversize;
pub mod path_text;
pub mod print;
pub mod row;
pub mod shortened;
pub mod sql;
