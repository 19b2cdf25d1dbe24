//! Asks for `heartbeatUrl`, beside the passes.

use std::thread::JoinHandle;
use std::time::Duration;

use super::http;
use crate::error::{Exit, Result};
use crate::logic::notify::heartbeat::{Beat, due, request};
use crate::logic::notify::{Answer, Hook};

/// The most that a heartbeat takes.
const TIME_MAX: Duration = Duration::from_secs(5);

/// The heartbeats of one process.
#[derive(Debug, Default)]
pub(crate) struct Heart {
    url: Option<Hook>,
    last: Option<Beat>,
    has_seen_a_pass: bool,
    under_way: Option<JoinHandle<()>>,
}

impl Heart {
    /// `url` is `heartbeatUrl`; without one, nothing beats.
    #[must_use]
    pub(crate) fn new(url: Option<Hook>) -> Self {
        Self {
            url,
            ..Self::default()
        }
    }

    /// Whether there is anything to do.
    #[must_use]
    pub(crate) fn beats(&self) -> bool {
        self.url.is_some()
    }

    /// What is known of the last heartbeat, also of an earlier process.
    pub(crate) fn remember(&mut self, last: Option<Beat>) {
        self.last = last;
    }

    /// Another address from now on.
    pub(crate) fn set_url(&mut self, url: Option<Hook>) {
        self.url = url;
    }

    /// Starts the heartbeat that is due after a pass, waits for nothing, and returns the last one.
    pub(crate) fn pass_ended(&mut self, exit: Exit, now_us: i64) -> Option<Beat> {
        self.has_seen_a_pass = true;
        let beat = due(self.last, exit, now_us);
        let (Some(url), Some(beat)) = (self.url.clone(), beat) else {
            return self.last;
        };
        self.last = Some(beat);
        let before = self.under_way.take();
        let work = move || {
            // In their order: the last one counts.
            if let Some(before) = before {
                let _ = before.join();
            }
            ask(&url, beat.good);
        };
        match std::thread::Builder::new().spawn(work) {
            Ok(thread) => self.under_way = Some(thread),
            Err(error) => log::info!("heartbeatUrl: not asked for: {error}"),
        }
        self.last
    }

    /// A command that failed before its first pass failed like a pass. Waits for the heartbeat that is under way.
    pub(crate) fn command_ended(&mut self, outcome: &Result<Exit>, now_us: i64) {
        if let (Err(error), false) = (outcome, self.has_seen_a_pass) {
            self.pass_ended(error.exit(), now_us);
        }
        if let Some(thread) = self.under_way.take() {
            let _ = thread.join();
        }
    }
}

/// What fails is no warning: whoever waits for heartbeats misses them, and tells.
fn ask(url: &Hook, good: bool) {
    let origin = &url.origin;
    match http::exchange(&request(url, good), TIME_MAX) {
        Answer::Http { status, .. } if (200..300).contains(&status) => {
            log::debug!("heartbeatUrl: {origin} took it");
        }
        Answer::Http { status, .. } => log::info!("heartbeatUrl: {origin} answers {status}"),
        Answer::Broken(reason) => log::info!("heartbeatUrl: {origin}: {reason}"),
        Answer::TimedOut | Answer::Exited { .. } => {
            log::info!("heartbeatUrl: {origin} does not answer within 5 s");
        }
    }
}
