//! SIGTERM and SIGINT ask to stop, SIGUSR1 to read the configuration again; time that listens to them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::locks::locked;
use crate::world::Clock;

/// The real time. Within a pass it goes on evenly, even when somebody sets the machine's clock.
#[derive(Debug)]
pub struct RealClock {
    anchor: Mutex<Anchor>,
    stop: Arc<AtomicBool>,
    reload: Arc<AtomicBool>,
    alarm: Arc<Alarm>,
}

/// Wakes those who sleep when a signal has come.
#[derive(Debug, Default)]
struct Alarm {
    turn: Mutex<()>,
    rung: Condvar,
}

impl Alarm {
    fn ring(&self) {
        let _turn = locked(&self.turn); // Who looks at a flag in its turn is asleep by now, or saw it set.
        self.rung.notify_all();
    }

    fn sleep_while(&self, duration: Duration, go_on: impl Fn() -> bool) {
        let turn = locked(&self.turn);
        let outcome = self.rung.wait_timeout_while(turn, duration, |()| go_on());
        drop(outcome.unwrap_or_else(PoisonError::into_inner));
    }
}

/// What the machine's clock showed at an instant.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    at: Instant,
    wall_us: i64,
}

impl Anchor {
    fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            at: Instant::now(),
            wall_us: i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
        }
    }

    fn now_us(self) -> i64 {
        let since_us = i64::try_from(self.at.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.wall_us.saturating_add(since_us)
    }
}

impl RealClock {
    /// Begins to listen to signals. A second SIGTERM or SIGINT ends the process at once, as does the first one when
    /// listening is not possible.
    #[must_use]
    pub fn listening() -> Self {
        let (stop, reload) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicBool::new(false)),
        );
        for signal in [SIGTERM, SIGINT] {
            // In this order the second signal finds the flag set by the first.
            let ready = signal_hook::flag::register_conditional_shutdown(
                signal,
                128 + signal,
                Arc::clone(&stop),
            )
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)));
            if let Err(error) = ready {
                log::warn!("Listen to signal {signal}: {error}");
            }
        }
        if let Err(error) = signal_hook::flag::register(SIGUSR1, Arc::clone(&reload)) {
            log::warn!("Listen to SIGUSR1: {error}");
        }
        let alarm = Arc::new(Alarm::default());
        // Flags are set before: of one signal, what was registered first is done first.
        if let Err(error) = ring_at_signals(Arc::clone(&alarm)) {
            log::warn!("Wake up at signals: {error}");
        }
        Self {
            anchor: Mutex::new(Anchor::now()),
            stop,
            reload,
            alarm,
        }
    }

    /// Sleeps between two passes: less when a signal came. The next pass begins with the time that the machine's clock
    /// shows then.
    pub fn sleep_between_passes(&self, duration: Duration) {
        self.alarm.sleep_while(duration, || {
            !self.stopping() && !self.reload.load(Ordering::Relaxed)
        });
        *locked(&self.anchor) = Anchor::now();
    }

    /// True once after each SIGUSR1.
    #[must_use]
    pub fn take_reload(&self) -> bool {
        self.reload.swap(false, Ordering::Relaxed)
    }
}

fn ring_at_signals(alarm: Arc<Alarm>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGUSR1])?;
    let listen = move || signals.forever().for_each(|_| alarm.ring());
    std::thread::Builder::new().spawn(listen)?;
    Ok(())
}

impl Clock for RealClock {
    fn now_us(&self) -> i64 {
        let anchor = *locked(&self.anchor);
        anchor.now_us()
    }

    fn sleep(&self, duration: Duration) {
        self.alarm.sleep_while(duration, || !self.stopping());
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn random(&self) -> f64 {
        fastrand::f64()
    }
}
