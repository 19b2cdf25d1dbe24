//! What happened in each of the last 60 minutes and 48 hours.
//!
//! Only minutes and hours in which something happened have a slot. The hours are kept beside the minutes, not made of them,
//! so that a file that had to be cut short still knows the day.

use serde::{Deserialize, Serialize};

use crate::logic::report::summary::Counts;

const MINUTE_US: i64 = 60_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;
/// How far back the slots go.
pub(crate) const MINUTES: usize = 60;
/// How far back the slots go.
pub(crate) const HOURS: usize = 48;

/// Counts of one minute or hour.
pub trait Slot: Copy + Default {
    /// The number of the minute or hour since 1970.
    fn at(&self) -> i64;
    /// The empty slot of a minute or hour.
    fn beginning(at: i64) -> Self;
    /// Adds another slot's counts.
    fn add(&mut self, other: &Self);
}

/// Slots of the last minutes and hours, the newest last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ring<S> {
    minutes: Vec<S>,
    hours: Vec<S>,
}

/// Passes. In the file: `[minute or hour, passes, failed]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(i64, u64, u64)", into = "(i64, u64, u64)")]
pub struct PassSlot {
    at: i64,
    /// All of them.
    pub passes: u64,
    /// Those that failed.
    pub failed: u64,
}

/// Rows of a destination. In the file: `[minute or hour, compared, missing, different, called back, dropped]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RowFields", into = "RowFields")]
pub struct RowSlot {
    at: i64,
    /// Source rows compared.
    pub compared: u64,
    /// Differences of this kind.
    pub missing: u64,
    /// Differences of this kind.
    pub different: u64,
    /// Callbacks that were taken.
    pub called_back: u64,
    /// Callbacks that were not needed any more.
    pub dropped: u64,
}

type RowFields = (i64, u64, u64, u64, u64, u64);

impl<S> Default for Ring<S> {
    fn default() -> Self {
        Self {
            minutes: vec![],
            hours: vec![],
        }
    }
}

impl<S: Slot> Ring<S> {
    /// Counts something that happens now. What is too old is forgotten, and so is what lies in the future, because the clock
    /// was set back.
    pub fn add(&mut self, now_us: i64, count: impl Fn(&mut S)) {
        add(
            &mut self.minutes,
            now_us.div_euclid(MINUTE_US),
            MINUTES,
            &count,
        );
        add(&mut self.hours, now_us.div_euclid(HOUR_US), HOURS, &count);
    }

    /// Each of the last 60 minutes, the oldest first; the last one is not over yet.
    #[must_use]
    pub fn last_minutes(&self, now_us: i64) -> [S; MINUTES] {
        dense(&self.minutes, now_us.div_euclid(MINUTE_US))
    }

    /// Each of the last 48 hours, the oldest first; the last one is not over yet.
    #[must_use]
    pub fn last_hours(&self, now_us: i64) -> [S; HOURS] {
        dense(&self.hours, now_us.div_euclid(HOUR_US))
    }

    /// The last 60 minutes.
    #[must_use]
    pub fn last_hour(&self, now_us: i64) -> S {
        sum(&self.last_minutes(now_us))
    }

    /// The last 24 hours.
    #[must_use]
    pub fn last_day(&self, now_us: i64) -> S {
        sum(&self.last_hours(now_us)[HOURS - 24..])
    }

    /// Forgets all but so many of the newest slots of each kind.
    pub(super) fn keep(&mut self, slots: usize) {
        for all in [&mut self.minutes, &mut self.hours] {
            let end = all.len().saturating_sub(slots);
            all.drain(..end);
        }
    }
}

fn add<S: Slot>(slots: &mut Vec<S>, now: i64, length: usize, count: &impl Fn(&mut S)) {
    slots.retain(|slot| is_within(slot.at(), now, length));
    if slots.last().is_none_or(|last| last.at() != now) {
        slots.push(S::beginning(now));
    }
    if let Some(last) = slots.last_mut() {
        count(last);
    }
}

fn is_within(at: i64, now: i64, length: usize) -> bool {
    let age = now
        .checked_sub(at)
        .and_then(|age| usize::try_from(age).ok());
    age.is_some_and(|age| age < length)
}

fn dense<S: Slot, const LENGTH: usize>(slots: &[S], now: i64) -> [S; LENGTH] {
    let mut dense = [S::default(); LENGTH];
    for slot in slots {
        let age = now
            .checked_sub(slot.at())
            .and_then(|age| usize::try_from(age).ok());
        let place = age.and_then(|age| (LENGTH - 1).checked_sub(age));
        if let Some(place) = place {
            dense[place].add(slot);
        }
    }
    dense
}

fn sum<S: Slot>(slots: &[S]) -> S {
    let mut sum = S::default();
    for slot in slots {
        sum.add(slot);
    }
    sum
}

impl Slot for PassSlot {
    fn at(&self) -> i64 {
        self.at
    }

    fn beginning(at: i64) -> Self {
        Self {
            at,
            ..Self::default()
        }
    }

    fn add(&mut self, other: &Self) {
        self.passes = self.passes.saturating_add(other.passes);
        self.failed = self.failed.saturating_add(other.failed);
    }
}

impl Slot for RowSlot {
    fn at(&self) -> i64 {
        self.at
    }

    fn beginning(at: i64) -> Self {
        Self {
            at,
            ..Self::default()
        }
    }

    fn add(&mut self, other: &Self) {
        let Self {
            at: _,
            compared,
            missing,
            different,
            called_back,
            dropped,
        } = self;
        for (count, more) in [
            (compared, other.compared),
            (missing, other.missing),
            (different, other.different),
            (called_back, other.called_back),
            (dropped, other.dropped),
        ] {
            *count = count.saturating_add(more);
        }
    }
}

impl RowSlot {
    /// Differences that lasted.
    #[must_use]
    pub fn differences(&self) -> u64 {
        self.missing.saturating_add(self.different)
    }

    /// What a pass counted.
    pub(super) fn count(&mut self, counts: &Counts) {
        self.add(&Self {
            at: 0,
            compared: counts.compared,
            missing: counts.missing,
            different: counts.different,
            called_back: counts.delivered,
            dropped: counts.dropped(),
        });
    }
}

impl From<(i64, u64, u64)> for PassSlot {
    fn from((at, passes, failed): (i64, u64, u64)) -> Self {
        Self { at, passes, failed }
    }
}

impl From<PassSlot> for (i64, u64, u64) {
    fn from(PassSlot { at, passes, failed }: PassSlot) -> Self {
        (at, passes, failed)
    }
}

impl From<RowFields> for RowSlot {
    fn from((at, compared, missing, different, called_back, dropped): RowFields) -> Self {
        Self {
            at,
            compared,
            missing,
            different,
            called_back,
            dropped,
        }
    }
}

impl From<RowSlot> for RowFields {
    fn from(slot: RowSlot) -> Self {
        let RowSlot {
            at,
            compared,
            missing,
            different,
            called_back,
            dropped,
        } = slot;
        (at, compared, missing, different, called_back, dropped)
    }
}
