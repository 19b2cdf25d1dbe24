//! One run of the program: what will happen to it, and what it has used.

use std::collections::HashMap;

/// How an endpoint answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    /// 2xx, but nothing is repaired.
    Idle,
    /// Anything.
    Moody,
    Refusing,
    Silent,
    Busy,
}

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) dead: bool,
    pub(crate) steps: u64,
    pub(crate) kill_at: u64,
    pub(crate) stop_at: u64,
    /// From this step on the source cannot be read.
    pub(crate) source_fails_at: u64,
    /// From this step on the state cannot be written.
    pub(crate) store_fails_at: u64,
    pub(crate) destinations_down: Vec<bool>,
    pub(crate) moods: Vec<Mood>,
    /// `cupid retry`.
    pub(crate) only_retry: bool,
    pub(crate) tries: HashMap<(usize, i64), u32>,
    /// Time spent on tables and files, and on anything else.
    pub(crate) reading_us: i64,
    pub(crate) other_us: i64,
    /// The source's clock when this run asked for it.
    pub(crate) bounds_us: Option<i64>,
    /// It ended and says that nothing is left to do.
    pub(crate) done: bool,
}

impl Run {
    /// A run in a healthy world.
    pub(crate) fn new(destinations: usize) -> Self {
        Self {
            dead: false,
            steps: 0,
            kill_at: u64::MAX,
            stop_at: u64::MAX,
            source_fails_at: u64::MAX,
            store_fails_at: u64::MAX,
            destinations_down: vec![false; destinations],
            moods: vec![Mood::Good; destinations],
            only_retry: false,
            tries: HashMap::new(),
            reading_us: 0,
            other_us: 0,
            bounds_us: None,
            done: false,
        }
    }
}
