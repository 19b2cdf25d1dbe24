//! Readers wait for a turn first: for the rate that they keep to, and in audits for a server that is loaded.

use std::sync::Mutex;
use std::time::Duration;

use super::gate::Gate;
use crate::locks::locked;
use crate::logic::audit::pace::Pace;
use crate::logic::report::summary::Pause;
use crate::world::Clock;

/// One table's readers, which may be several threads.
pub(super) struct Throttle<'w> {
    clock: &'w dyn Clock,
    /// `None`: as fast as it goes.
    pace: Option<Mutex<Pace>>,
    /// Of the table's server.
    gate: Option<Gate<'w>>,
    /// Readers wait while the server is to be spared; else who scans asks [`Throttle::look`].
    waits: bool,
}

/// The leave to read now.
pub(super) struct Turn<'t> {
    throttle: &'t Throttle<'t>,
    began_us: i64,
}

impl<'w> Throttle<'w> {
    pub(super) fn new(clock: &'w dyn Clock, rows_per_second: Option<u64>) -> Self {
        Self {
            clock,
            pace: rows_per_second.map(|rows| Mutex::new(Pace::new(rows))),
            gate: None,
            waits: false,
        }
    }

    /// The same for a server that is to be spared.
    pub(super) fn with_gate(self, gate: Gate<'w>, waits: bool) -> Self {
        Self {
            gate: Some(gate),
            waits,
            ..self
        }
    }

    /// Why the server is to be spared, as far as is known.
    pub(super) fn pause(&self) -> Option<Pause> {
        self.gate.as_ref().and_then(Gate::pause)
    }

    /// Looks whether the server is to be spared, for who does not wait.
    pub(super) fn look(&self) -> Option<Pause> {
        let gate = self.gate.as_ref().filter(|_| !self.waits);
        gate.and_then(Gate::look)
    }

    /// How many rows to read at once where up to `most` could be.
    pub(super) fn rows_at_once(&self, most: usize) -> usize {
        let pace = self.pace.as_ref();
        pace.map_or(most, |pace| locked(pace).rows_at_once(most))
    }

    /// Sleeps until it is time to read; not when the program was asked to stop.
    pub(super) fn turn(&self) -> Turn<'_> {
        if let Some(gate) = self.gate.as_ref().filter(|_| self.waits) {
            gate.wait();
        }
        if let Some(pace) = &self.pace {
            let wait_us = locked(pace).wait_us(self.clock.now_us());
            if wait_us > 0 {
                self.clock.sleep(Duration::from_micros(wait_us));
            }
        }
        Turn {
            throttle: self,
            began_us: self.clock.now_us(),
        }
    }
}

impl Turn<'_> {
    /// So many rows were read: in how many microseconds.
    pub(super) fn took(self, rows: usize) -> i64 {
        let Self { throttle, began_us } = self;
        if let Some(pace) = &throttle.pace {
            locked(pace).note(began_us, rows as u64);
        }
        throttle.clock.now_us() - began_us
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// Time that goes on while somebody sleeps, until the program is asked to stop.
    pub(in crate::pipeline) struct Hand {
        now_us: AtomicI64,
        stops_at_us: i64,
    }

    impl Hand {
        pub(in crate::pipeline) fn new(stops_at_us: i64) -> Self {
            Self {
                now_us: AtomicI64::new(0),
                stops_at_us,
            }
        }
    }

    impl Clock for Hand {
        fn now_us(&self) -> i64 {
            self.now_us.load(Ordering::Relaxed)
        }

        fn sleep(&self, duration: Duration) {
            let until_us = self.now_us() + i64::try_from(duration.as_micros()).unwrap();
            self.now_us
                .store(until_us.min(self.stops_at_us), Ordering::Relaxed);
        }

        fn stopping(&self) -> bool {
            self.now_us() >= self.stops_at_us
        }

        fn random(&self) -> f64 {
            0.0
        }
    }

    fn read(throttle: &Throttle<'_>, mut rows: usize) {
        while rows > 0 {
            let turn = throttle.turn();
            let batch = throttle.rows_at_once(300).min(rows);
            turn.took(batch);
            rows -= batch;
        }
    }

    #[test]
    fn whoever_reads_keeps_to_the_rate() {
        let clock = Hand::new(i64::MAX);
        let throttle = Throttle::new(&clock, Some(250));
        read(&throttle, 10_000);
        read(&throttle, 250);
        assert_eq!(clock.now_us(), 40_000_000);
    }

    #[test]
    fn without_a_limit_nobody_sleeps() {
        let clock = Hand::new(i64::MAX);
        read(&Throttle::new(&clock, None), 10_000);
        assert_eq!(clock.now_us(), 0);
    }

    #[test]
    fn nobody_sleeps_on_when_the_program_is_asked_to_stop() {
        let clock = Hand::new(1_500_000);
        read(&Throttle::new(&clock, Some(250)), 10_000);
        assert_eq!(clock.now_us(), 1_500_000);
    }
}
