//! What the black-box tests share: a real server, fresh databases, a callback receiver, a configuration, the program.
//!
//! Every test owns its databases, its receiver, its state folder and its configuration, so all run at once.

// Each test binary compiles this module and uses a part of it.
#![allow(dead_code, unused_imports)]

mod authority;
mod config;
mod db;
mod findings;
mod program;
mod receiver;
mod scene;
mod server;

pub(crate) use authority::Authority;
pub(crate) use config::Config;
pub(crate) use db::{Db, USER_COLUMNS};
pub(crate) use findings::{Finding, findings};
pub(crate) use program::{Cupid, Outcome, Running};
pub(crate) use receiver::{Answer, Callback, Receiver};
pub(crate) use scene::{Scene, assert_ids, wait_until};
pub(crate) use server::Server;
