//! Callbacks that are owed: seen, confirmed, and not yet delivered.
//!
//! One per destination and source row, the newest detection wins. An entry names the row but holds no copy of it: what
//! is sent is always read again, so an old copy can never overwrite a newer one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::cell::Id;
use super::compare::Kind;
use super::retry::RETRY_AFTER_MAX;

/// The version of the lines that this program writes.
pub const VERSION: u64 = 1;
/// In microseconds.
#[expect(clippy::cast_possible_truncation, reason = "an hour")]
const RETRY_AFTER_MAX_US: i64 = RETRY_AFTER_MAX.as_micros() as i64;
/// Longest key and error text kept for people, in characters.
const TEXT_MAX: usize = 200;

/// A line of `<name>.failed.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owed {
    /// Format version.
    pub version: u64,
    /// The destination's name.
    pub destination: String,
    /// The source row.
    pub id: Id,
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
    /// Fingerprint of the row's copies when they were last seen to differ. `None`: an earlier version wrote the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<u64>,
    /// From this moment on (microseconds since 1970, this machine's clock) copies that still look so differ for good;
    /// `None`: they do already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting_us: Option<i64>,
}

impl Owed {
    /// A new detection.
    #[must_use]
    pub fn new(
        destination: &str,
        id: Id,
        key: &str,
        kind: Kind,
        columns: Vec<String>,
        detected_us: i64,
    ) -> Self {
        Self {
            version: VERSION,
            destination: destination.into(),
            id,
            key: shortened(key),
            kind,
            columns,
            detected_us,
            attempts: 0,
            last_error: None,
            not_before_us: None,
            copies: None,
            lasting_us: None,
        }
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

    /// Records a failed try.
    pub fn failed(&mut self, reason: &str, not_before_us: Option<i64>) {
        self.last_error = Some(shortened(reason));
        self.not_before_us = not_before_us;
    }

    /// The endpoint asked not to be sent anything before this moment, whatever it asked for before.
    pub fn wait_until(&mut self, not_before_us: i64) {
        self.not_before_us = self.not_before_us.max(Some(not_before_us));
    }

    /// The endpoint still wants to be left alone. A wait that is longer than any that is believed was written down
    /// before this machine's clock was set back.
    fn waits(&self, now_us: i64) -> bool {
        let longest_us = now_us.saturating_add(RETRY_AFTER_MAX_US);
        self.not_before_us
            .is_some_and(|not_before_us| now_us < not_before_us && not_before_us <= longest_us)
    }

    /// The `webhook-id` (Standard Webhooks 1.0.0: the idempotency key): new for each detection, the same for every
    /// try of it while the body is the same, also after a crash, because nothing but the detection and the body goes
    /// into it.
    #[must_use]
    pub fn webhook_id(&self, config_name: &str, body: &[u8]) -> String {
        use std::fmt::Write as _;
        let mut hash = Sha256::new();
        for part in [config_name.as_bytes(), self.destination.as_bytes(), body] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(self.id.to_le_bytes());
        hash.update(self.detected_us.to_le_bytes());
        let mut id = String::from("msg_");
        for byte in &hash.finalize()[..16] {
            let _ = write!(id, "{byte:02x}"); // Writing to a String cannot fail.
        }
        id
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

/// All owed callbacks of a configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outbox(BTreeMap<(String, Id), Owed>);

impl Outbox {
    /// Adds a detection. One that is owed already keeps its first detection and its tries, and takes everything else
    /// from the new one. Returns what is now owed, for the file, and whether it was not before.
    pub fn add(&mut self, owed: Owed) -> (&Owed, bool) {
        match self.0.entry((owed.destination.clone(), owed.id)) {
            Entry::Vacant(place) => (place.insert(owed), true),
            Entry::Occupied(place) => {
                let known = place.into_mut();
                *known = Owed {
                    detected_us: known.detected_us,
                    attempts: known.attempts,
                    last_error: known.last_error.take(),
                    not_before_us: known.not_before_us,
                    ..owed
                };
                (known, false)
            }
        }
    }

    /// Takes over what an audit left owed. What is owed already stays the detection that it is, and what the endpoint
    /// asked for counts. Returns what is now owed, for the file.
    pub fn adopt(&mut self, owed: &Owed) -> Owed {
        let not_before_us = owed.not_before_us;
        let key = (owed.destination.clone(), owed.id);
        let known = self.0.entry(key).or_insert_with(|| owed.clone());
        if let Some(not_before_us) = not_before_us {
            known.wait_until(not_before_us);
        }
        known.clone()
    }

    /// Puts back an entry as it is now.
    pub fn replace(&mut self, owed: Owed) {
        self.0.insert((owed.destination.clone(), owed.id), owed);
    }

    /// Delivered, repaired or gone. What the endpoint asked for at its last try it asked for all that is owed to it.
    pub fn remove(&mut self, owed: &Owed) {
        let removed = self.0.remove(&(owed.destination.clone(), owed.id));
        let Some(not_before_us) = removed.and_then(|removed| removed.not_before_us) else {
            return;
        };
        let first = (owed.destination.clone(), Id::MIN);
        let next = self.0.range_mut(first..).next().map(|(_, next)| next);
        if let Some(next) = next.filter(|next| next.destination == owed.destination) {
            next.wait_until(not_before_us);
        }
    }

    /// Somebody wants everything tried now, whatever the endpoints asked for before.
    pub fn forget_waits(&mut self) {
        self.0
            .values_mut()
            .for_each(|owed| owed.not_before_us = None);
    }

    /// What is owed for one row.
    #[must_use]
    pub fn get(&self, destination: &str, id: Id) -> Option<&Owed> {
        self.0.get(&(destination.to_owned(), id))
    }

    /// Number owed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when nothing is owed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything, by destination and id.
    pub fn iter(&self) -> impl Iterator<Item = &Owed> {
        self.0.values()
    }

    /// What is owed to a destination, in the order in which to try it: what was tried least comes first, so that rows
    /// which are always refused cannot keep others waiting. Nothing at all while the endpoint wants to be left alone.
    #[must_use]
    pub fn due(&self, destination: &str, now_us: i64) -> Vec<&Owed> {
        let mut due: Vec<&Owed> = self
            .iter()
            .filter(|owed| owed.destination == destination)
            .collect();
        if due.iter().any(|owed| owed.waits(now_us)) {
            return vec![];
        }
        due.sort_by_key(|owed| (owed.attempts, owed.id));
        due
    }

    /// Reads the file's text. A line that is torn (the last one, after a crash) is left out: its difference is
    /// behind no checkpoint yet.
    ///
    /// # Errors
    /// The number of the first other line that cannot be read, and why.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut outbox = Self::default();
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        for (number, line) in complete
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let owed: Owed =
                serde_json::from_str(line).map_err(|error| (number + 1, error.to_string()))?;
            if owed.version > VERSION {
                return Err((
                    number + 1,
                    format!(
                        "version {} was written by a newer cupid; this one reads {VERSION}",
                        owed.version
                    ),
                ));
            }
            outbox.replace(owed);
        }
        Ok(outbox)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owed(id: Id) -> Owed {
        Owed::new(
            "my2.user",
            id,
            "N-1",
            Kind::Different,
            vec!["name".into()],
            1_700_000_000_000_000,
        )
    }

    fn text(outbox: &Outbox) -> String {
        outbox
            .iter()
            .map(|owed| serde_json::to_string(owed).unwrap() + "\n")
            .collect()
    }

    #[test]
    fn the_newest_detection_wins_and_keeps_its_tries() {
        let mut outbox = Outbox::default();
        outbox.replace(Owed {
            attempts: 7,
            ..owed(1)
        });
        outbox.add(Owed {
            kind: Kind::Missing,
            detected_us: 5,
            ..owed(1)
        });
        let all: Vec<_> = outbox.iter().collect();
        assert_eq!(all.len(), 1);
        assert_eq!(
            (all[0].kind, all[0].attempts, all[0].detected_us),
            (Kind::Missing, 7, 1_700_000_000_000_000)
        );
    }

    #[test]
    fn the_file_comes_back_as_it_was_written_and_survives_a_torn_last_line() {
        let mut outbox = Outbox::default();
        outbox.replace(owed(1));
        outbox.replace(Owed {
            not_before_us: Some(9),
            last_error: Some("500".into()),
            ..owed(2)
        });
        let whole = text(&outbox);
        assert_eq!(Outbox::parse(&whole).unwrap(), outbox);
        let first_line = whole.find('\n').unwrap() + 1;
        for cut in first_line..whole.len() {
            assert_eq!(Outbox::parse(&whole[..cut]).unwrap().len(), 1, "{cut}");
        }
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_an_error() {
        let mut outbox = Outbox::default();
        outbox.replace(owed(1));
        let damaged = format!("{}{{\"x\n{}", text(&outbox), text(&outbox));
        assert_eq!(Outbox::parse(&damaged).unwrap_err().0, 2);
        let newer = text(&outbox).replace("\"version\":1", "\"version\":2");
        let two = format!("{}{newer}", text(&outbox));
        assert_eq!(Outbox::parse(&newer).unwrap_err().0, 1);
        assert_eq!(Outbox::parse(&two).unwrap_err().0, 2);
    }

    #[test]
    fn the_webhook_id_changes_with_the_detection_and_with_the_content() {
        let id = |owed: Owed, body: &[u8]| owed.webhook_id("user", body);
        let first = id(owed(1), b"{}");
        assert_eq!(
            first,
            id(
                Owed {
                    attempts: 3,
                    ..owed(1)
                },
                b"{}"
            )
        );
        let others = [
            id(owed(1), b"{ }"),
            id(owed(2), b"{}"),
            id(
                Owed {
                    detected_us: 1,
                    ..owed(1)
                },
                b"{}",
            ),
        ];
        assert!(!others.contains(&first));
    }

    #[test]
    fn rows_that_are_always_refused_do_not_keep_others_waiting() {
        let mut outbox = Outbox::default();
        outbox.replace(Owed {
            attempts: 3,
            ..owed(1)
        });
        outbox.replace(owed(2));
        let ids: Vec<Id> = outbox
            .due("my2.user", 0)
            .iter()
            .map(|owed| owed.id)
            .collect();
        assert_eq!(ids, [2, 1]);
    }

    #[test]
    fn an_endpoint_that_asked_to_be_left_alone_is_left_alone_until_then() {
        let mut outbox = Outbox::default();
        outbox.replace(Owed {
            not_before_us: Some(100),
            ..owed(1)
        });
        outbox.replace(owed(2));
        assert_eq!(outbox.due("my2.user", 99).len(), 0);
        assert_eq!(outbox.due("my2.user", 100).len(), 2);
    }

    #[test]
    fn copies_that_changed_have_to_differ_for_a_while_again() {
        let mut owed = Owed {
            copies: Some(1),
            ..owed(1)
        };
        assert!(owed.is_lasting(1, 0) && !owed.is_lasting(2, 0));
        assert_eq!(owed.doubt(2, 1000, 50), 1050);
        assert!(!owed.is_lasting(2, 1049) && owed.is_lasting(2, 1050));
        assert_eq!(owed.doubt(2, 1010, 50), 1050, "still the same doubt");
        assert_eq!(owed.doubt(2, 10, 50), 60, "the clock was set back");
        assert_eq!(owed.doubt(3, 40, 50), 90, "they changed once more");
    }

    #[test]
    fn a_line_of_an_earlier_version_is_not_doubted() {
        assert!(owed(1).is_lasting(1, 0));
    }

    #[test]
    fn what_is_settled_is_gone_and_a_failure_is_kept_with_its_reason() {
        let mut outbox = Outbox::default();
        assert!(outbox.is_empty());
        let (first, second) = (owed(1), owed(2));
        outbox.replace(first.clone());
        outbox.replace(second);
        assert!(!outbox.is_empty());
        outbox.remove(&first);
        assert_eq!(outbox.get("my2.user", 1), None);
        let mut left = outbox.get("my2.user", 2).unwrap().clone();
        left.failed("status 503", Some(100));
        assert_eq!(left.last_error.as_deref(), Some("status 503"));
        outbox.replace(left);
        assert!(outbox.due("my2.user", 99).is_empty());
        outbox.forget_waits();
        assert_eq!(outbox.due("my2.user", 99).len(), 1);
        assert!(outbox.due("another", 99).is_empty());
    }

    #[test]
    fn what_is_adopted_stays_the_detection_that_is_owed_already() {
        let mut outbox = Outbox::default();
        outbox.replace(owed(1));
        let of_audit = Owed {
            detected_us: 5,
            not_before_us: Some(100),
            ..owed(1)
        };
        let adopted = outbox.adopt(&of_audit);
        assert_eq!(
            adopted.webhook_id("user", b"{}"),
            owed(1).webhook_id("user", b"{}")
        );
        assert_eq!(adopted.not_before_us, Some(100));
        let new = Owed { id: 2, ..of_audit };
        assert_eq!(outbox.adopt(&new), new);
    }

    #[test]
    fn the_wish_of_an_endpoint_outlives_the_row_that_brought_it() {
        let mut outbox = Outbox::default();
        let busy = Owed {
            not_before_us: Some(100),
            ..owed(1)
        };
        let other = Owed {
            destination: "my3.user".into(),
            ..owed(1)
        };
        for owed in [busy.clone(), owed(2), other] {
            outbox.replace(owed);
        }
        outbox.remove(&busy);
        assert_eq!(outbox.due("my2.user", 99).len(), 0);
        assert_eq!(outbox.due("my2.user", 100).len(), 1);
        assert_eq!(outbox.due("my3.user", 99).len(), 1);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_wait_longer_than_the_longest() {
        let mut outbox = Outbox::default();
        outbox.replace(Owed {
            not_before_us: Some(RETRY_AFTER_MAX_US + 1),
            ..owed(1)
        });
        assert_eq!(outbox.due("my2.user", 0).len(), 1);
        assert_eq!(outbox.due("my2.user", 1).len(), 0);
    }

    #[test]
    fn long_keys_are_shortened_at_a_character() {
        let owed = Owed::new("d", 1, &"é".repeat(300), Kind::Missing, vec![], 0);
        assert_eq!(owed.key.chars().count(), TEXT_MAX + 1);
    }
}
