//! cupid finds changes that got lost between a MySQL table and its copies, and calls back until they are repaired.

pub mod cli;
pub mod commands;
pub mod config;
pub mod error;
pub mod io;
pub mod logic;
pub mod pipeline;
pub mod world;
