//! Servers that others use too are spared: a scan stops, and an audit waits, while one of them is loaded.
//!
//! A server is asked at most once a second. A pass asks when there is a backlog: after a full batch. So a pass that finds
//! little costs no statement more, and every pass gets on by one batch at least.

use std::sync::Mutex;
use std::time::Duration;

use super::pass::micros;
use crate::locks::locked;
use crate::logic::report::notice::Notice;
use crate::logic::report::summary::Pause;
use crate::logic::scan::load::{Excess, LoadLimits};
use crate::world::{Clock, Observer, Shared};

/// How long an answer counts.
const LOOK: Duration = Duration::from_secs(1);

/// Whether a server may be read on.
pub(super) struct Gate<'w> {
    server: &'w dyn Shared,
    /// As a log names it: `source`, or a destination.
    subject: String,
    limits: LoadLimits,
    clock: &'w dyn Clock,
    observer: &'w dyn Observer,
    /// Nobody waits any longer than this moment of the clock.
    until_us: Option<i64>,
    seen: Mutex<Seen>,
}

/// What was seen of the server.
#[derive(Default)]
struct Seen {
    /// `None`: nobody has looked yet.
    look_again_us: Option<i64>,
    pause: Option<Pause>,
    /// It cannot be asked, and that was said.
    is_unknown: bool,
}

impl<'w> Gate<'w> {
    pub(super) fn new(
        server: &'w dyn Shared,
        subject: &str,
        limits: LoadLimits,
        (clock, observer): (&'w dyn Clock, &'w dyn Observer),
        until_us: Option<i64>,
    ) -> Self {
        Self {
            server,
            subject: subject.to_owned(),
            limits,
            clock,
            observer,
            until_us,
            seen: Mutex::new(Seen::default()),
        }
    }

    /// Why the server is to be spared, as far as is known.
    pub(super) fn pause(&self) -> Option<Pause> {
        locked(&self.seen).pause
    }

    /// The same, after a look at the server where it is time for one.
    pub(super) fn look(&self) -> Option<Pause> {
        if self.limits.is_none() {
            return None;
        }
        let mut seen = locked(&self.seen);
        let now_us = self.clock.now_us();
        if seen.look_again_us.is_some_and(|at_us| now_us < at_us) {
            return seen.pause;
        }
        seen.pause = match self.server.load(self.limits) {
            Ok(load) => self.limits.excess(load).map(pause),
            Err(error) => {
                if !std::mem::replace(&mut seen.is_unknown, true) {
                    self.observer.tell(&Notice::LoadUnknown {
                        subject: self.subject.clone(),
                        reason: error.to_string(),
                    });
                }
                None
            }
        };
        let now_us = self.clock.now_us();
        seen.look_again_us = Some(now_us.saturating_add(micros(LOOK)));
        seen.pause
    }

    /// Waits until the server may be read on, the time is over, or the program was asked to stop.
    pub(super) fn wait(&self) {
        let Some(pause) = self.look() else { return };
        self.observer.tell(&Notice::Waits {
            subject: self.subject.clone(),
            pause,
        });
        let is_over = |now_us| self.until_us.is_some_and(|until_us| now_us >= until_us);
        while !self.clock.stopping() && !is_over(self.clock.now_us()) {
            self.clock.sleep(LOOK);
            if self.look().is_none() {
                self.observer.tell(&Notice::GoesOn {
                    subject: self.subject.clone(),
                });
                return;
            }
        }
    }
}

fn pause(excess: Excess) -> Pause {
    match excess {
        Excess::Threads => Pause::MaxThreadsRunning,
        Excess::Lag => Pause::MaxLagSecond,
    }
}
