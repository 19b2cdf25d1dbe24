//! What the log says of lasting conditions: when one begins, once an hour while it lasts, and when
//! it is over.
//!
//! Passes follow each other every few seconds, often each in a process of its own, and nobody reads
//! the same line ten thousand times. A terminal is told each time.

use std::collections::BTreeMap;

use super::{DestinationStats, Paused, Said, Stats};
use crate::logic::report::line::clock_time;
use crate::logic::report::summary::Summary;
use crate::logic::value::age::age;
use crate::logic::value::count::{counted, grouped, grouped_id};

/// `metricsFile` cannot be written.
pub(super) const METRICS: &str = "metrics";
/// While it lasts, it is said again after this time.
const AGAIN_US: i64 = 3_600_000_000;

/// Something that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// Names it in [`Stats::said`].
    pub(super) key: String,
    /// Since when: microseconds since 1970.
    pub(super) since_us: i64,
    /// What is said of it.
    pub(super) text: String,
}

/// What is to be said after a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// It goes on.
    Wrong(String),
    /// It is over.
    Over(String),
}

/// Under which key it is remembered that something is owed to a destination.
pub(super) fn owed_key(destination: &DestinationStats) -> String {
    format!("owed {}", destination.name)
}

/// Whether a key is about one of these destinations, or about none.
pub(super) fn is_known(key: &str, destinations: &[DestinationStats]) -> bool {
    match key.split_once(' ') {
        Some(("owed" | "unread", name)) => destinations.iter().any(|it| it.name == name),
        Some(("paused", name)) => name == "source" || destinations.iter().any(|it| it.name == name),
        _ => true,
    }
}

/// Everything that is wrong after a pass. `summary` is there where the pass came to its end.
#[must_use]
pub(super) fn conditions(stats: &Stats, summary: Option<&Summary>, now_us: i64) -> Vec<Condition> {
    let mut all = Vec::new();
    let since = |since_us: i64| format!("since {}", clock_time(since_us, now_us));
    let mut add = |kind: &str, subject: &str, since_us: i64, text: String| {
        let (key, text) = match subject {
            "" => (kind.to_owned(), text),
            subject => (format!("{kind} {subject}"), format!("{subject}: {text}")),
        };
        all.push(Condition {
            key,
            since_us,
            text,
        });
    };
    if let Some(failed) = stats.failed.as_ref().filter(|_| summary.is_none()) {
        let times = match failed.passes {
            0 | 1 => String::new(),
            passes => format!(
                " ({} passes failed {})",
                grouped(passes),
                since(failed.since_us)
            ),
        };
        add(
            "failed",
            "",
            failed.since_us,
            format!("{}{times}", failed.reason),
        );
    }
    let Some(summary) = summary else {
        return all;
    };
    let paused = |it: Paused| {
        let (since, why) = (since(it.since_us), it.reason.words());
        format!("the scan is paused {since}: {why}")
    };
    if let Some(it) = stats.paused {
        add("paused", "source", it.since_us, paused(it));
    }
    if summary.rows_without_id > 0 {
        let rows = counted(summary.rows_without_id, "row");
        add(
            "no id",
            "source",
            now_us,
            format!(
                "{rows} cannot be compared: src.idColumn is NULL there. Fill it, or use a column that is NOT NULL"
            ),
        );
    }
    for it in &stats.destinations {
        if let Some(unread) = &it.unread {
            let goes_on = it.next_id.map_or(String::new(), |id| {
                format!(". It goes on from id {} when it answers", grouped_id(id))
            });
            let (since, why) = (since(unread.since_us), &unread.reason);
            let text = format!("cannot be read {since}: {why}{goes_on}");
            add("unread", &it.name, unread.since_us, text);
        }
        if it.owed > 0 {
            let of = summary.each.iter().find(|of| of.name == it.name);
            let aside = match of.map_or(0, |of| of.owed.too_large) {
                0 => String::new(),
                rows => format!(" ({} too large to be read)", grouped(rows)),
            };
            let refusing = it.refusing.as_ref();
            let oldest_us = it.owed_oldest_us.unwrap_or(now_us);
            let since_us = refusing.map_or(oldest_us, |refusing| refusing.since_us);
            let why = refusing.map_or(String::new(), |refusing| format!(": {}", refusing.reason));
            let text = format!("{}{aside} owed {}{why}", grouped(it.owed), since(since_us));
            add("owed", &it.name, since_us, text);
        }
        if let Some(pause) = it.paused {
            add("paused", &it.name, pause.since_us, paused(pause));
        }
    }
    if summary.owed_to_strangers > 0 {
        let callbacks = counted(summary.owed_to_strangers, "callback");
        let text = format!(
            "{callbacks} owed to destinations that the configuration no longer names. They are kept, see `cupid owed`"
        );
        add("strangers", "callbacks", now_us, text);
    }
    all
}

/// What of that is to be said now, and what is remembered of it. `always`: somebody looks, so it is said each time.
#[must_use]
pub(super) fn lines(
    said: &mut BTreeMap<String, Said>,
    conditions: &[Condition],
    is_complete: bool,
    always: bool,
    now_us: i64,
) -> Vec<Line> {
    let mut lines = Vec::new();
    for Condition {
        key,
        since_us,
        text,
    } in conditions
    {
        let known = said.get(key);
        // A clock that was set back counts as time that passed.
        let is_due = known.is_none_or(|it| !(0..AGAIN_US).contains(&(now_us - it.said_us)));
        let since_us = known.map_or(*since_us, |it| it.since_us.min(*since_us));
        if always || is_due {
            lines.push(Line::Wrong(text.clone()));
            let said_us = now_us;
            said.insert(key.clone(), Said { since_us, said_us });
        }
    }
    let goes_on = |key: &String| conditions.iter().any(|it| it.key == *key);
    said.retain(|key, it| {
        // Of the rest nobody knows after a pass that failed.
        if goes_on(key) || !is_complete {
            return true;
        }
        let after = age(now_us.saturating_sub(it.since_us));
        lines.extend(over(key, &after).map(Line::Over));
        false
    });
    lines
}

/// What is said when it is over. Only somebody who typed `cupid owed` ends what is owed to strangers.
fn over(key: &str, after: &str) -> Option<String> {
    let (kind, subject) = key.split_once(' ').unwrap_or((key, ""));
    Some(match (kind, subject) {
        (METRICS, _) => format!("metricsFile: can be written again after {after}"),
        ("failed", _) => format!("a pass succeeded again after {after}"),
        ("no", _) => format!("source: every row has an id again after {after}"),
        ("unread", name) => format!("{name}: can be read again after {after}"),
        ("owed", name) => format!("{name}: nothing is owed any more after {after}"),
        ("paused", name) => format!("{name}: the scan goes on after {after}"),
        (_, _) => return None,
    })
}

#[cfg(test)]
mod tests;
