//! The summary as `--json` writes it.

use serde::{Serialize, Serializer};

use super::{Counts, OfDestination, OwedCallbacks, Pause, Reached, Summary, Unread};
use crate::logic::report::line::rfc3339;
use crate::logic::value::cell::Id;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    name: &'a str,
    #[serde(flatten)]
    total: Counts,
    confirmed: u64,
    rows_without_id: u64,
    failed_tries: u64,
    owed: u64,
    too_large: u64,
    paused: bool,
    interrupted: bool,
    unread: Vec<&'a Unread>,
    destinations: usize,
    dry_run: bool,
    duration_ms: u64,
    per_destination: Vec<ShownDestination<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownDestination<'a> {
    name: &'a str,
    #[serde(flatten)]
    counts: Counts,
    owed: u64,
    too_large: u64,
    oldest_detected_at: Option<String>,
    last_answer: Option<&'a str>,
    unread: Option<&'a str>,
    paused: Option<Pause>,
    next_id: Option<Id>,
    ids_behind: Option<u64>,
    updates_until: Option<String>,
}

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let total = self.total();
        let shown = Shown {
            name: &self.name,
            // Rows that are gone were among the repaired ones before destinations were counted apart.
            total: Counts {
                repaired: total.dropped(),
                ..total
            },
            confirmed: total.confirmed(),
            rows_without_id: self.rows_without_id,
            failed_tries: total.failed_tries(),
            owed: self.owed(),
            too_large: self.too_large(),
            paused: self.pause().is_some(),
            interrupted: self.interrupted,
            unread: self.unread().collect(),
            destinations: self.each.len(),
            dry_run: self.dry_run,
            duration_ms: self.duration_ms,
            per_destination: self.each.iter().map(of_destination).collect(),
        };
        shown.serialize(serializer)
    }
}

fn of_destination(it: &OfDestination) -> ShownDestination<'_> {
    let OfDestination {
        name,
        counts,
        owed,
        last_answer,
        last_failure: _,
        unread,
        paused,
        position,
    } = it;
    let OwedCallbacks {
        count,
        too_large,
        oldest_us,
        ..
    } = owed;
    let Reached {
        next_id,
        ids_behind,
        updates_until_us,
        gaps: _,
    } = *position;
    ShownDestination {
        name,
        counts: *counts,
        owed: *count,
        too_large: *too_large,
        oldest_detected_at: oldest_us.map(rfc3339),
        last_answer: last_answer.as_deref(),
        unread: unread.as_ref().map(|unread| unread.reason.as_str()),
        paused: *paused,
        next_id,
        ids_behind,
        updates_until: updates_until_us.map(rfc3339),
    }
}
