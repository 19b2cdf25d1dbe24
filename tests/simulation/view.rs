//! The world as one process sees it: its clock, and who listens to what it says.

use std::cell::Cell;
use std::sync::MutexGuard;
use std::time::Duration;

use cupid::error::{Error, Result};
use cupid::logic::report::fix::Repair;
use cupid::logic::report::line::Line;
use cupid::logic::report::notice::Notice;
use cupid::world::{Clock, Observer};

use crate::broken::Broken;
use crate::model::Model;
use crate::sim::Sim;
use crate::threads::me;
use crate::turns::{Call, Work};

thread_local! {
    /// The destination that the thread last had to do with: a courier has to do with one.
    static DESTINATION: Cell<usize> = const { Cell::new(0) };
}

/// Everything that a process sees.
pub(crate) struct View<'s> {
    pub(crate) sim: &'s Sim,
    pub(crate) process: usize,
}

/// One destination and its receiver.
pub(crate) struct Side<'s> {
    pub(crate) view: &'s View<'s>,
    pub(crate) number: usize,
}

pub(crate) fn unreadable(what: &str) -> Error {
    Error::Database {
        operation: format!("Read {what}"),
        reason: "simulated".into(),
    }
}

/// Stands for the source, which a thread of its own reads from end to end.
pub(crate) const SOURCE: usize = usize::MAX;

/// The current thread has to do with this destination now.
pub(crate) fn turn_to(destination: usize) {
    DESTINATION.set(destination);
}

pub(crate) fn destination() -> usize {
    DESTINATION.get()
}

impl View<'_> {
    /// Makes a call. `None`: the process did not live to see its end.
    pub(crate) fn call(
        &self,
        name: &'static str,
        first: i64,
        work: Work,
    ) -> Option<MutexGuard<'_, Model>> {
        let call = Call {
            process: self.process,
            name,
            destination: destination(),
            first,
            sleeper: if let Work::Sleep(_) = work { me() } else { 0 },
        };
        let mut model = self.sim.take_turn(call, work);
        model.step(self.process).then_some(model)
    }
}

impl Model {
    /// Somebody sleeps: how long.
    pub(crate) fn sleep(&mut self, process: usize, us: i64) -> i64 {
        self.tell(|| format!("[{process}] sleep {us} us"));
        match self.broken {
            Some(Broken::NoConfirmDelay) => {
                self.processes[process].ahead_us += us;
                0
            }
            Some(Broken::Oversleeps) => 10 * us,
            _ => us,
        }
    }
}

impl Clock for View<'_> {
    fn now_us(&self) -> i64 {
        self.sim.model().machine_now_us(self.process)
    }

    fn sleep(&self, duration: Duration) {
        let us = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        drop(self.call("sleep", us, Work::Sleep(us)));
    }

    fn stopping(&self) -> bool {
        self.sim.model().stopping(self.process)
    }

    fn random(&self) -> f64 {
        self.sim.model().rng.fraction()
    }
}

impl Observer for View<'_> {
    fn report(&self, lines: &[Line]) -> Result<()> {
        self.sim.model().told(self.process, lines);
        Ok(())
    }

    fn wants_fixes(&self) -> bool {
        false
    }

    fn fix(&self, _repair: &Repair<'_>) -> Result<()> {
        Ok(())
    }

    fn progress(&self, _compared: u64, _ids_left: u64) {}

    fn tell(&self, notice: &Notice) {
        let process = self.process;
        let mut model = self.sim.model();
        if matches!(notice, Notice::RepeatedKeysUnknown { .. }) {
            model.repeated_unknown(process);
        }
        model.tell(|| format!("[{process}] {:?}: {notice}", notice.level()));
    }
}
