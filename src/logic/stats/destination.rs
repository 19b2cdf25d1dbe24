//! What is remembered of one destination.

use serde::{Deserialize, Serialize};

use super::ring::{Ring, RowSlot};
use super::{Lasting, Paused, kept, paused, since};
use crate::logic::report::summary::{Counts, OfDestination, OwedCallbacks, Reached};
use crate::logic::value::cell::Id;

/// What is remembered of one destination. All moments are microseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DestinationStats {
    /// Its name.
    pub name: String,
    /// Where it is ([`crate::logic::scan::identity::DestinationId::address`]).
    pub address: String,
    /// All that was counted, in passes and retries.
    #[serde(default, with = "super::sparse")]
    pub counts: Counts,
    /// Rows that still differed some time after their callback was taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unrepaired: u64,
    /// Since when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrepaired_since_us: Option<i64>,
    /// When the last pass ended that read it, and did not stop before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success_us: Option<i64>,
    /// It cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Lasting>,
    /// Its scan waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Paused>,
    /// Its endpoint does not take what is sent to it: address and answer in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusing: Option<Lasting>,
    /// The endpoint refuses some callbacks and takes others.
    #[serde(default, skip_serializing_if = "is_false")]
    pub takes_others: bool,
    /// The last answer to a callback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_answer: Option<String>,
    /// Callbacks owed when the last pass ended.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub owed: u64,
    /// When the oldest of them was detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed_oldest_us: Option<i64>,
    /// The tries of the one that was tried most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed_tries_max: Option<u32>,
    /// The next id to look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_id: Option<Id>,
    /// Ids from there to the highest one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids_behind: Option<u64>,
    /// Updates are compared up to this moment of the source's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updates_until_us: Option<i64>,
    /// Rows of the last 60 minutes and 48 hours.
    #[serde(default)]
    pub history: Ring<RowSlot>,
}

impl DestinationStats {
    /// What a pass or a retry did.
    pub(super) fn add(&mut self, of: &OfDestination, now_us: i64) {
        let OfDestination {
            name: _,
            counts,
            owed,
            last_answer,
            last_failure,
            unread,
            paused: _,
            position,
        } = of;
        self.counts.add(counts);
        if *counts != Counts::default() {
            self.history.add(now_us, |slot| slot.count(counts));
        }
        self.owes(owed);
        self.note_answers(counts, last_failure.as_deref(), now_us);
        if counts.unrepaired > 0 {
            self.unrepaired = self.unrepaired.saturating_add(counts.unrepaired);
            self.unrepaired_since_us = Some(since(self.unrepaired_since_us, now_us));
        } else if self.owed == 0 {
            (self.unrepaired, self.unrepaired_since_us) = (0, None);
        }
        if let Some(answer) = last_answer {
            self.last_answer = Some(kept(answer));
        }
        self.unread = match (unread, self.unread.take()) {
            (Some(unread), before) => Some(Lasting {
                since_us: since(before.map(|before| before.since_us), now_us),
                reason: kept(&unread.reason),
            }),
            // A retry that had nothing to look at has read nothing.
            (None, before) if *counts == Counts::default() => before,
            (None, _) => None,
        };
        let Reached {
            next_id,
            ids_behind,
            updates_until_us,
            gaps: _,
        } = *position;
        self.next_id = next_id.or(self.next_id);
        self.ids_behind = ids_behind.or(self.ids_behind);
        self.updates_until_us = updates_until_us.or(self.updates_until_us);
    }

    fn owes(&mut self, owed: &OwedCallbacks) {
        let OwedCallbacks {
            count,
            too_large: _,
            oldest_us,
            tries_max,
            last_error: _,
        } = owed;
        self.owed = *count;
        self.owed_oldest_us = *oldest_us;
        self.owed_tries_max = (*count > 0).then_some(*tries_max);
    }

    /// This is left of what was owed, after somebody has sent or dropped some of it. Where that is nothing, nothing is
    /// refused any more.
    pub(super) fn is_left(&mut self, owed: &OwedCallbacks) {
        self.owes(owed);
        if self.owed == 0 {
            (self.refusing, self.takes_others) = (None, false);
            (self.unrepaired, self.unrepaired_since_us) = (0, None);
        }
    }

    /// Whether the endpoint takes what is sent to it. Where nothing was sent, it is as before.
    fn note_answers(&mut self, counts: &Counts, failure: Option<&str>, now_us: i64) {
        match failure {
            Some(failure) => {
                self.refusing = Some(Lasting {
                    since_us: since(self.refusing.as_ref().map(|it| it.since_us), now_us),
                    reason: kept(failure),
                });
                self.takes_others = counts.delivered > 0;
            }
            None if counts.delivered > 0 || self.owed == 0 => {
                self.refusing = None;
                self.takes_others = false;
            }
            None => {}
        }
    }

    /// What a pass found beside what a retry finds too.
    pub(super) fn after_scan(&mut self, of: &OfDestination, interrupted: bool, now_us: i64) {
        self.paused = paused(self.paused, of.paused, now_us);
        if of.unread.is_none() {
            self.unread = None;
            if !interrupted {
                self.last_success_us = Some(now_us);
            }
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_false(flag: &bool) -> bool {
    !flag
}
