//! SIGTERM and SIGINT ask to stop, SIGUSR1 to read the configuration again; time that listens to them.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::locks::locked;
use crate::world::Clock;

/// The real time. Within a pass it goes on evenly, even when somebody sets the machine's clock. Passes side by side have
/// clocks of their own ([`RealClock::another`]), which stop at the same signals.
#[derive(Debug)]
pub struct RealClock {
    anchor: Mutex<Anchor>,
    signals: Arc<Heard>,
    /// So often somebody asked to read the configuration again.
    reloads: Arc<AtomicU64>,
    /// So many of these were taken.
    reloads_taken: AtomicU64,
    /// When somebody last asked for the time, or wakes up.
    alive_us: AtomicI64,
    /// Of these passes alone.
    own_stop: AtomicBool,
}

/// What the process was asked for.
#[derive(Debug, Default)]
struct Heard {
    stop: Arc<AtomicBool>,
    alarm: Alarm,
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

    fn sleep(&self, duration: Duration) {
        let turn = locked(&self.turn);
        let outcome = self.rung.wait_timeout(turn, duration);
        drop(outcome.unwrap_or_else(PoisonError::into_inner));
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
        let signals = Arc::new(Heard::default());
        let stop = &signals.stop;
        for signal in [SIGTERM, SIGINT] {
            // In this order the second signal finds the flag set by the first.
            let ready = signal_hook::flag::register_conditional_shutdown(
                signal,
                128 + signal,
                Arc::clone(stop),
            )
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(stop)));
            if let Err(error) = ready {
                log::warn!("Listen to signal {signal}: {error}");
            }
        }
        // The flag is set before: of one signal, what was registered first is done first.
        let reloads = Arc::default();
        if let Err(error) = ring_at_signals(Arc::clone(&signals), Arc::clone(&reloads)) {
            log::warn!("Listen to SIGUSR1 and wake up at signals: {error}");
        }
        Self::hearing(signals, reloads)
    }

    fn hearing(signals: Arc<Heard>, reloads: Arc<AtomicU64>) -> Self {
        let anchor = Anchor::now();
        Self {
            anchor: Mutex::new(anchor),
            reloads,
            reloads_taken: AtomicU64::new(0),
            signals,
            alive_us: AtomicI64::new(anchor.wall_us),
            own_stop: AtomicBool::new(false),
        }
    }

    /// For other passes of this process. SIGUSR1 is this clock's alone; it hands it on.
    #[must_use]
    pub fn another(&self) -> Self {
        Self::hearing(Arc::clone(&self.signals), Arc::default())
    }

    /// Asks these passes alone to read their configuration again.
    pub fn ask_reload(&self) {
        self.reloads.fetch_add(1, Ordering::Relaxed);
        self.wake();
    }

    /// Asks these passes alone to stop.
    pub fn stop(&self) {
        self.own_stop.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Wakes everybody who sleeps between passes.
    pub fn wake(&self) {
        self.signals.alarm.ring();
    }

    /// When somebody last asked for the time; a moment that is yet to come while it sleeps between passes.
    #[must_use]
    pub fn alive_us(&self) -> i64 {
        self.alive_us.load(Ordering::Relaxed)
    }

    /// Sleeps between two passes: less when a signal came. The next pass begins with the time that the machine's clock
    /// shows then.
    pub fn sleep_between_passes(&self, duration: Duration) {
        let sleep_us = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let until_us = self.now_us().saturating_add(sleep_us);
        self.alive_us.store(until_us, Ordering::Relaxed);
        let alarm = &self.signals.alarm;
        alarm.sleep_while(duration, || !self.stopping() && !self.has_reload());
        *locked(&self.anchor) = Anchor::now();
    }

    /// The same, and also less when somebody wakes everybody.
    pub fn sleep_until_woken(&self, duration: Duration) {
        self.signals.alarm.sleep(duration);
    }

    fn has_reload(&self) -> bool {
        let reloads = self.reloads.load(Ordering::Relaxed);
        reloads != self.reloads_taken.load(Ordering::Relaxed)
    }

    /// True once after each SIGUSR1, or after somebody asked.
    #[must_use]
    pub fn take_reload(&self) -> bool {
        let reloads = self.reloads.load(Ordering::Relaxed);
        self.reloads_taken.swap(reloads, Ordering::Relaxed) != reloads
    }
}

fn ring_at_signals(heard: Arc<Heard>, reloads: Arc<AtomicU64>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGUSR1])?;
    let listen = move || {
        for signal in signals.forever() {
            if signal == SIGUSR1 {
                reloads.fetch_add(1, Ordering::Relaxed);
            }
            heard.alarm.ring();
        }
    };
    std::thread::Builder::new().spawn(listen)?;
    Ok(())
}

impl Clock for RealClock {
    fn now_us(&self) -> i64 {
        let now_us = locked(&self.anchor).now_us();
        self.alive_us.store(now_us, Ordering::Relaxed);
        now_us
    }

    fn sleep(&self, duration: Duration) {
        let alarm = &self.signals.alarm;
        alarm.sleep_while(duration, || !self.stopping());
    }

    fn stopping(&self) -> bool {
        self.signals.stop.load(Ordering::Relaxed) || self.own_stop.load(Ordering::Relaxed)
    }

    fn random(&self) -> f64 {
        fastrand::f64()
    }
}
