//! Effects: tables, sockets, files, the terminal.

pub(crate) mod audit_state;
mod authorities;
pub(crate) mod console;
pub(crate) mod findings;
pub(crate) mod fix_file;
pub(crate) mod heartbeat;
pub mod http;
pub mod logging;
pub(crate) mod metrics;
pub(crate) mod mysql;
pub(crate) mod new_file;
pub(crate) mod notify;
pub(crate) mod output;
pub(crate) mod password;
mod replace;
pub mod report;
pub(crate) mod service;
pub mod signals;
pub(crate) mod spill;
pub mod state_dir;
