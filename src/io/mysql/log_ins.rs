//! Log-ins of one job, and its servers that do not answer.
//!
//! This memory is shared by all tables and threads, because source and destinations often share an
//! account or a server. Log-ins by one account go one after the other, so a refusal is known before
//! a second log-in is tried ([`crate::logic::scan::log_in`]). A server that exceeded a time limit
//! is not waited for again in the same pass, for any table or statement.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mysql::{Conn, MySqlError};

use super::errors::is_passing;
use super::{connect, ed25519};
use crate::config::{Address, Server};
use crate::locks::locked;
use crate::logic::scan::log_in::Standing;

/// `ER_ACCESS_DENIED_ERROR`.
const ACCESS_DENIED: u16 = 1045;

/// The accounts and servers of a job. They are a few, so they are searched and not hashed.
#[derive(Default)]
pub(super) struct LogIns {
    accounts: Mutex<Vec<(Server, Arc<Mutex<Account>>)>>,
    silent: Mutex<Vec<(Address, Duration)>>,
}

/// One account on one server.
#[derive(Default)]
struct Account {
    standing: Standing,
    refusal: Option<MySqlError>,
}

impl LogIns {
    /// Another pass begins: refused accounts and silent servers are tried once more.
    pub(super) fn begin_pass(&self) {
        locked(&self.silent).clear();
        for (_, account) in &*locked(&self.accounts) {
            locked(account).standing.begin_pass();
        }
    }

    /// The server let this time limit pass without an answer.
    pub(super) fn note_silence(&self, server: &Server, limit: Duration) {
        locked(&self.silent).push((server.address.clone(), limit));
    }

    /// The time limit that the server let pass in this pass.
    pub(super) fn silence(&self, server: &Server) -> Option<Duration> {
        let silent = locked(&self.silent);
        let of_server = silent
            .iter()
            .find(|(address, _)| *address == server.address);
        of_server.map(|(_, limit)| *limit)
    }

    /// Logs in, unless the account was refused in this pass or is to be left alone for a while.
    pub(super) fn log_in(&self, server: &Server, now_us: i64) -> mysql::Result<Conn> {
        let account = self.account(server);
        let mut account = locked(&account);
        if let Some(refusal) = account.refusal(now_us) {
            return Err(refusal.into());
        }
        // Who waited for its turn need not wait for a silent server too.
        if let Some(limit) = self.silence(server) {
            return Err(connect::silent(limit));
        }
        let mut outcome = connect::log_in(server);
        if let Err(mysql::Error::MySqlError(error)) = &outcome
            && error.code == ACCESS_DENIED
            && !account.standing.was_refused()
            && ed25519::is_asked_for(server, connect::LOG_IN_TIMEOUT)
        {
            outcome = connect::log_in(server);
        }
        match &outcome {
            Ok(_) => account.standing.taken(),
            Err(error) if is_passing(error) => {}
            Err(mysql::Error::MySqlError(error)) => account.refused(error, now_us),
            Err(_) => {}
        }
        outcome
    }

    fn account(&self, server: &Server) -> Arc<Mutex<Account>> {
        let mut accounts = locked(&self.accounts);
        if let Some((_, account)) = accounts.iter().find(|(known, _)| known == server) {
            return Arc::clone(account);
        }
        let account = Arc::default();
        accounts.push((server.clone(), Arc::clone(&account)));
        account
    }
}

impl Account {
    fn refused(&mut self, error: &MySqlError, now_us: i64) {
        self.standing.refused(now_us);
        self.refusal = Some(error.clone());
    }

    /// Why no log-in is to be tried now.
    fn refusal(&self, now_us: i64) -> Option<MySqlError> {
        let refusal = self.refusal.clone();
        let refusal = refusal.filter(|_| !self.standing.may_try(now_us))?;
        let wait_s = self.standing.wait_us(now_us) / 1_000_000;
        let message = if wait_s > 0 {
            format!(
                "{}; not tried again for {wait_s} s, so that the account is not locked",
                refusal.message
            )
        } else {
            refusal.message
        };
        Some(MySqlError { message, ..refusal })
    }
}
