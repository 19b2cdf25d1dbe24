//! Effects: tables, sockets, files, the terminal.

pub mod audit_state;
mod authorities;
pub mod console;
pub mod findings;
pub mod fix_file;
pub mod heartbeat;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod mysql;
pub mod notify;
pub mod output;
mod replace;
pub mod report;
pub mod service;
pub mod signals;
pub mod spill;
pub mod state_dir;
