//! A history whose threads wait for each other for ever ends the program, with a word on which it was.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Real time in which some call comes to its end, however busy the machine is.
const HANGS_AFTER: Duration = Duration::from_secs(120);
/// No history is being told.
const NONE: u64 = u64::MAX;

static SEED: AtomicU64 = AtomicU64::new(NONE);
static CALLS: AtomicU64 = AtomicU64::new(0);

/// Something goes on.
pub(crate) fn note_call() {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

/// While it lives, a history is being told.
pub(crate) struct Watched;

impl Watched {
    pub(crate) fn begin(seed: u64) -> Self {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| drop(std::thread::spawn(watch)));
        note_call();
        SEED.store(seed, Ordering::Relaxed);
        Self
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        SEED.store(NONE, Ordering::Relaxed);
    }
}

fn watch() {
    let mut before = 0;
    loop {
        std::thread::sleep(HANGS_AFTER);
        let (seed, calls) = (SEED.load(Ordering::Relaxed), CALLS.load(Ordering::Relaxed));
        if seed != NONE && calls == before {
            eprintln!("The history of seed {seed} hangs");
            std::process::exit(101);
        }
        before = calls;
    }
}
