//! A session that outlives its server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql::Conn;

use crate::common::Server;

/// The longest that a killed server is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Opened when it is needed, and again when it broke.
pub(crate) struct Session {
    server: Arc<Server>,
    conn: Option<Conn>,
}

impl Session {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        Self { server, conn: None }
    }

    /// Does this once. `None`: the server is gone or gave up the transaction, and so is whatever was not committed.
    pub(crate) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Conn) -> mysql::Result<T>,
    ) -> Option<T> {
        if self.conn.is_none() {
            self.conn = self.server.try_connect().ok();
        }
        match work(self.conn.as_mut()?) {
            Ok(value) => Some(value),
            Err(mysql::Error::MySqlError(error)) if !matches!(error.code, 1053 | 1205 | 1213) => {
                panic!("The test's own statement failed: {error}")
            }
            Err(_) => {
                self.conn = None; // The server rolls back what it held.
                None
            }
        }
    }

    /// Does this until it succeeds.
    pub(crate) fn insist<T>(&mut self, mut work: impl FnMut(&mut Conn) -> mysql::Result<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(value) = self.attempt(&mut work) {
                return value;
            }
            assert!(Instant::now() < end, "The test server did not come back");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
