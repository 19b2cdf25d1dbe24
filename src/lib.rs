//! cupid finds changes that got lost between a MySQL table and its copies.

pub mod cli;
pub mod config;
pub mod error;
pub mod io;
pub mod logic;
