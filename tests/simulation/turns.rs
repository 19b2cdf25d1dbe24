//! Who gets on next, as the seed decides it: threads of one process, and two processes beside each other.
//!
//! Every call that takes time waits here until it is over. Once all other threads sleep ([`crate::threads`]), a waiting one
//! decides for all: calls that have come since are told how long they take, in an order that no machine has a say in;
//! then it becomes as late as the first of them is over, and that one gets on. So at any moment one thread runs, and
//! those that it wakes; calls overlap as they would in truth, and a seed replays exactly.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::Model;
use crate::sim::Sim;
use crate::threads::me;

/// Real time after which the thread on duty looks again whether all others sleep.
const LOOK_AGAIN: Duration = Duration::from_micros(100);
/// More than two processes have.
const THREADS_MAX: usize = 96;
/// Real time after which any waiting thread looks, should none be on duty any more.
const RELIEVE: Duration = Duration::from_millis(1);
/// How often the thread on duty looks before it waits, and how often it lets others run between.
const LOOKS: usize = 2;
const YIELDS: usize = 8;

/// A call, by what is asked for; no two are alike at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    pub(crate) process: usize,
    pub(crate) name: &'static str,
    pub(crate) destination: usize,
    /// The first id or key; how long a sleep is, as a thread may have had to do with nothing yet.
    pub(crate) first: i64,
    /// Two threads may sleep equally long: the one that was started first is the first. 0 for any other call.
    pub(crate) sleeper: u32,
}

/// What takes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// A process is started after so many microseconds.
    Start(i64),
    /// A query.
    Read,
    /// For so many microseconds.
    Sleep(i64),
    /// For so many microseconds at the most.
    Post { v: i64, timeout_us: i64 },
}

#[derive(Debug)]
struct Waiting {
    work: Work,
    /// When it is over, once that is decided.
    over_us: Option<i64>,
    thread: u32,
    bell: Arc<Condvar>,
}

/// Calls under way.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    waiting: BTreeMap<Call, Waiting>,
    given: Option<Call>,
    /// Who came last looks whether all others sleep.
    on_duty: Option<Call>,
    /// Counts arrivals and departures.
    changes: u64,
}

impl Turns {
    fn arrive(&mut self, call: Call, work: Work) -> Arc<Condvar> {
        let bell = Arc::new(Condvar::new());
        let waiting = Waiting {
            work,
            over_us: None,
            thread: me(),
            bell: Arc::clone(&bell),
        };
        let known = self.waiting.insert(call, waiting);
        assert!(known.is_none(), "{call:?} is asked for twice at a time");
        self.changes += 1;
        self.on_duty = Some(call);
        bell
    }

    /// True when it is the call's turn, which is used up by that.
    fn take(&mut self, call: Call) -> bool {
        if self.given != Some(call) {
            return false;
        }
        self.given = None;
        self.waiting.remove(&call);
        self.changes += 1;
        true
    }

    /// Who waits; no thread has the number 0.
    fn threads(&self) -> [u32; THREADS_MAX] {
        assert!(self.waiting.len() <= THREADS_MAX, "{:?}", self.waiting);
        let mut threads = [0; THREADS_MAX];
        for (place, waiting) in threads.iter_mut().zip(self.waiting.values()) {
            *place = waiting.thread;
        }
        threads
    }
}

impl Model {
    /// Lets the first call that is over get on. All threads sleep but the one that decides.
    fn decide(&mut self) {
        let is_new = |(&call, waiting): (&Call, &Waiting)| {
            waiting.over_us.is_none().then_some((call, waiting.work))
        };
        let new: Vec<(Call, Work)> = self.turns.waiting.iter().filter_map(is_new).collect();
        for (call, work) in new {
            let over_us = self.now_us + self.begin(call, work);
            if let Some(waiting) = self.turns.waiting.get_mut(&call) {
                waiting.over_us = Some(over_us);
            }
        }
        let over_us = |(&call, waiting): (&Call, &Waiting)| {
            let asleep = matches!(waiting.work, Work::Sleep(_)) && self.stopping(call.process);
            let at_once = self.is_over(call.process) || asleep;
            (waiting.over_us.filter(|_| !at_once), call)
        };
        let Some((over_us, next)) = self.turns.waiting.iter().map(over_us).min() else {
            return;
        };
        self.wait_until(over_us.unwrap_or(self.now_us));
        self.turns.given = Some(next);
        if let Some(waiting) = self.turns.waiting.get(&next) {
            waiting.bell.notify_one();
        }
    }
}

impl Sim {
    /// Waits until the call is over.
    pub(crate) fn take_turn(&self, call: Call, work: Work) -> MutexGuard<'_, Model> {
        let mut model = self.model();
        if model.is_over(call.process) {
            return model;
        }
        let bell = model.turns.arrive(call, work);
        let mut looks = 0;
        let mut is_late = false;
        while !model.turns.take(call) {
            let is_on_duty = model.turns.on_duty == Some(call) || is_late;
            if is_on_duty && model.turns.given.is_none() {
                let changes = model.turns.changes;
                let waiting = model.turns.threads();
                drop(model);
                let sleep = self.others_sleep(&waiting);
                model = self.model();
                if model.turns.changes != changes || model.turns.given.is_some() {
                    continue;
                }
                if sleep {
                    model.decide();
                    continue;
                }
                looks += 1;
                if looks < LOOKS {
                    drop(model);
                    (0..YIELDS).for_each(|_| std::thread::yield_now());
                    model = self.model();
                    continue;
                }
            }
            let wait = if is_on_duty { LOOK_AGAIN } else { RELIEVE };
            let waited = bell.wait_timeout(model, wait);
            let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            (model, is_late) = (woken, timeout.timed_out());
        }
        model
    }
}
