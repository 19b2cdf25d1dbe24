//! An owed callback: a difference that was seen, confirmed and not yet delivered.
//!
//! It names the row and holds no copy of it. The row is always read again before it is sent, so an
//! old copy can never overwrite a newer one.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::logic::callback::retry::RETRY_AFTER_MAX;
use crate::logic::compare::rows::Kind;
use crate::logic::value::address::Address;
use crate::logic::value::oversize::TooLarge;
use crate::logic::value::shortened::shortened;

/// The version of the lines that this program writes.
pub const VERSION: u64 = 1;
/// In microseconds.
#[expect(clippy::cast_possible_truncation, reason = "an hour")]
const RETRY_AFTER_MAX_US: i64 = RETRY_AFTER_MAX.as_micros() as i64;
/// Longest key and error text kept for people, in characters.
const TEXT_MAX: usize = 200;

/// What is kept of a callback that was taken, until its row is compared once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verify {
    /// The row is compared from this moment on: microseconds since 1970, this machine's clock.
    pub at_us: i64,
    /// Fingerprint of the row that was sent.
    pub content: u64,
}

/// A line of `<name>.owed.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owed {
    /// Format version.
    pub version: u64,
    /// The destination's name.
    pub destination: String,
    /// Where the destination is ([`crate::logic::scan::identity::DestinationId::address`]). `None`: an earlier version wrote the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The destination's name when the difference was detected, where it is another one now: the `webhook-id` keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_as: Option<String>,
    /// The source row.
    pub id: Address,
    /// Its key as text, for people; shortened when long.
    pub key: String,
    /// What was wrong when last looked at.
    pub kind: Kind,
    /// The source columns that differed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// When it was detected: microseconds since 1970, this machine's clock. With the row's content it makes the
    /// `webhook-id`.
    pub detected_us: i64,
    /// Tries so far, over all runs.
    #[serde(default)]
    pub attempts: u32,
    /// The answer to the last try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Not to be tried before this moment (`Retry-After`): microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before_us: Option<i64>,
    /// Runs in which it was refused while other rows were taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused_runs: u32,
    /// Not to be tried before this moment, for it was refused while others were taken: microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at_us: Option<i64>,
    /// In the run of its last try the endpoint took nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_vain: bool,
    /// Fingerprint of the row's copies when they were last seen to differ. `None`: an earlier version wrote the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<u64>,
    /// From this moment on (microseconds since 1970, this machine's clock) copies that still look so differ for good;
    /// `None`: they do already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting_us: Option<i64>,
    /// Since when the source row is gone: microseconds since 1970, this machine's clock. It may be away
    /// for a moment, while the source is a replica that is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_us: Option<i64>,
    /// The row is set aside, for it is too large: nothing is sent until it can be read. Unless it is [`Part::Row`] that is
    /// too large, nobody knows whether the row is wrong, and `kind` says nothing.
    ///
    /// [`Part::Row`]: crate::logic::value::oversize::Part::Row
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub too_large: Option<TooLarge>,
    /// The callback was taken, and nothing is owed. The row is to be compared once more (`verifySecond`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
}

impl Owed {
    /// A new detection.
    #[must_use]
    pub fn new(
        destination: &str,
        id: impl Into<Address>,
        key: &str,
        kind: Kind,
        columns: Vec<String>,
        detected_us: i64,
    ) -> Self {
        Self {
            version: VERSION,
            destination: destination.into(),
            address: None,
            detected_as: None,
            id: id.into(),
            key: shortened(key, TEXT_MAX),
            kind,
            columns,
            detected_us,
            attempts: 0,
            last_error: None,
            not_before_us: None,
            refused_runs: 0,
            retry_at_us: None,
            in_vain: false,
            copies: None,
            lasting_us: None,
            gone_us: None,
            too_large: None,
            verify: None,
        }
    }

    /// Whether a callback is owed; else it was taken.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        self.verify.is_none()
    }

    /// It was taken, with a row of this content.
    #[must_use]
    pub fn taken(self, content: u64, now_us: i64, verify_us: i64) -> Self {
        let at_us = now_us.saturating_add(verify_us);
        Self {
            verify: Some(Verify { at_us, content }),
            last_error: None,
            not_before_us: None,
            refused_runs: 0,
            retry_at_us: None,
            in_vain: false,
            ..self
        }
    }

    /// It was taken, and its row is to be compared now. A wait that is longer than `verify_us` was written down before
    /// this machine's clock was set back.
    #[must_use]
    pub fn is_to_verify(&self, now_us: i64, verify_us: i64) -> bool {
        let longest_us = now_us.saturating_add(verify_us);
        self.verify
            .is_some_and(|verify| verify.at_us <= now_us || verify.at_us > longest_us)
    }

    /// The source row is gone. Returns whether it has been for `late_us`, and is not looked for any
    /// longer; otherwise the moment from which it is gone is kept.
    ///
    /// Time is this machine's: a source that fails over has another clock afterwards, and what is owed is
    /// looked at before the source is asked for its clock.
    pub fn is_gone_for_good(&mut self, now_us: i64, late_us: i64) -> bool {
        let since_us = self.gone_us.unwrap_or(now_us).min(now_us); // The clock may have been set back.
        self.gone_us = Some(since_us);
        now_us.saturating_sub(since_us) >= late_us
    }

    /// The source row is there. One that was gone is like a new one: its copy is given `delay_us` to be
    /// written, or to be removed, from the moment when it is read. `copies` is `None` where it was not
    /// read, because the row or its copies are too large. Returns whether the row was gone.
    pub fn is_back(&mut self, copies: Option<u64>, now_us: i64, delay_us: i64) -> bool {
        let was_gone = self.gone_us.take().is_some();
        if was_gone {
            self.copies = copies;
            let lasting_us = copies.map_or(i64::MAX, |_| now_us.saturating_add(delay_us));
            self.lasting_us = Some(lasting_us);
        }
        was_gone
    }

    /// Whether copies that look so now differ for good. When they have changed since they were last looked at, what
    /// differs now may be another change, on its way.
    #[must_use]
    pub fn is_lasting(&self, copies: u64, now_us: i64) -> bool {
        self.copies.is_none_or(|known| known == copies)
            && self.lasting_us.is_none_or(|at_us| at_us <= now_us)
    }

    /// The copies differ, but maybe not for good: gives them `delay_us` from the moment when they were first seen so.
    /// Returns when that is over.
    pub fn doubt(&mut self, copies: u64, now_us: i64, delay_us: i64) -> i64 {
        let seen_before = self.copies == Some(copies);
        let over_us = now_us.saturating_add(delay_us);
        let lasting_us = match self.lasting_us.filter(|_| seen_before) {
            Some(at_us) => at_us.min(over_us), // The clock may have been set back.
            None => over_us,
        };
        (self.copies, self.lasting_us) = (Some(copies), Some(lasting_us));
        lasting_us
    }

    /// Gives it to a destination of another name. What is sent stays the same detection.
    pub(super) fn rename(&mut self, name: String, address: Option<String>) {
        if self.destination != name {
            let before = std::mem::replace(&mut self.destination, name);
            self.detected_as.get_or_insert(before);
        }
        self.address = address;
    }

    /// Records a failed try.
    pub fn failed(&mut self, reason: &str, not_before_us: Option<i64>) {
        self.last_error = Some(shortened(reason, TEXT_MAX));
        self.not_before_us = not_before_us;
    }

    /// The endpoint asked not to be sent anything before this moment, whatever it asked for before.
    pub fn wait_until(&mut self, not_before_us: i64) {
        self.not_before_us = self.not_before_us.max(Some(not_before_us));
    }

    /// The endpoint still wants to be left alone. A wait that is longer than any that is believed was written down
    /// before this machine's clock was set back.
    #[must_use]
    pub fn waits(&self, now_us: i64) -> bool {
        let longest_us = now_us.saturating_add(RETRY_AFTER_MAX_US);
        self.not_before_us
            .is_some_and(|not_before_us| now_us < not_before_us && not_before_us <= longest_us)
    }

    /// Forgets waits that are longer than any that is believed. Returns whether there were any.
    pub(super) fn forget_waits_of_another_clock(&mut self, now_us: i64) -> bool {
        let longest_us = now_us.saturating_add(RETRY_AFTER_MAX_US);
        let mut were_any = false;
        for wait in [&mut self.not_before_us, &mut self.retry_at_us] {
            were_any |= wait.take_if(|until_us| *until_us > longest_us).is_some();
        }
        were_any
    }

    /// It was refused, in one more run, while others were taken: `wait_us` says how long it waits after so many of them.
    pub(super) fn back_off(&mut self, now_us: i64, wait_us: impl Fn(u32) -> i64) {
        self.refused_runs = self.refused_runs.saturating_add(1);
        self.retry_at_us = Some(now_us.saturating_add(wait_us(self.refused_runs)));
    }

    /// It waits for its next try. A wait that is longer than any was written down before the clock was set back.
    #[must_use]
    pub fn backs_off(&self, now_us: i64) -> bool {
        let longest_us = now_us.saturating_add(RETRY_AFTER_MAX_US);
        self.retry_at_us
            .is_some_and(|retry_at_us| now_us < retry_at_us && retry_at_us <= longest_us)
    }

    /// The `webhook-id` (Standard Webhooks 1.0.0: the idempotency key): new for each detection, the same for every
    /// try of it while the body is the same, also after a crash, because nothing but the detection and the body goes
    /// into it.
    #[must_use]
    pub fn webhook_id(&self, config_name: &str, body: &[u8]) -> String {
        use std::fmt::Write as _;
        let mut hash = Sha256::new();
        let destination = self.detected_as.as_ref().unwrap_or(&self.destination);
        for part in [config_name.as_bytes(), destination.as_bytes(), body] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(self.id.id().to_le_bytes());
        hash.update(self.detected_us.to_le_bytes());
        let mut id = String::from("msg_");
        for byte in &hash.finalize()[..16] {
            let _ = write!(id, "{byte:02x}"); // Writing to a String cannot fail.
        }
        id
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
pub(super) mod tests;
