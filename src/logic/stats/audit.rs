//! What is remembered of the last audit. It has a file of its own, because an audit works beside passes.

use serde::{Deserialize, Serialize};

use super::{TEXT_BYTES_MAX, VERSION, kept};
use crate::error::Result;
use crate::logic::report::summary::{Counts, Summary};

/// `<name>.reconcile.stats.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditStats {
    /// Format version.
    pub version: u64,
    /// When the last audit ended that came to its end: microseconds since 1970.
    #[serde(default)]
    pub completed_us: Option<i64>,
    /// The last one.
    #[serde(default)]
    pub last: Option<LastAudit>,
}

/// An audit that ended, or was stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastAudit {
    /// When: microseconds since 1970.
    pub ended_us: i64,
    /// How long it worked, with all parts that `--resume` added to it.
    pub duration_us: u64,
    /// It came to its end, at every destination.
    pub is_complete: bool,
    /// What stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// What was counted.
    pub destinations: Vec<AuditedDestination>,
}

/// What an audit counted at one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditedDestination {
    /// Its name.
    pub name: String,
    /// What was counted.
    #[serde(with = "super::sparse")]
    pub counts: Counts,
}

impl LastAudit {
    /// Rows compared: those of the destination that most rows were compared with.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let compared = self.destinations.iter().map(|it| it.counts.compared);
        compared.max().unwrap_or(0)
    }

    /// Differences of all kinds at all destinations.
    #[must_use]
    pub fn differences(&self) -> u64 {
        let of = |Counts {
                      missing,
                      different,
                      duplicate_keys,
                      extra,
                      ..
                  }: &Counts| { missing + different + duplicate_keys + extra };
        self.destinations.iter().map(|it| of(&it.counts)).sum()
    }
}

impl AuditStats {
    /// Reads a file; `None` where it is of no use.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let stats: Self = serde_json::from_str(text).ok()?;
        (stats.version == VERSION).then_some(stats)
    }

    /// The file's text; `None` where it would be too long.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let text = serde_json::to_string(self).ok()?;
        (text.len() <= TEXT_BYTES_MAX).then_some(text)
    }

    /// What is remembered after an audit that came to an end or was stopped. `before` is given where it went on with an
    /// earlier part.
    #[must_use]
    pub fn after(
        before: Option<Self>,
        resumes: bool,
        outcome: &Result<Summary>,
        is_complete: bool,
        began_us: i64,
        now_us: i64,
    ) -> Self {
        let (completed_us, earlier) =
            before.map_or((None, None), |before| (before.completed_us, before.last));
        let earlier = earlier.filter(|_| resumes);
        let duration_us = now_us.saturating_sub(began_us).max(0).unsigned_abs();
        let mut last = LastAudit {
            ended_us: now_us,
            duration_us: duration_us
                .saturating_add(earlier.as_ref().map_or(0, |it| it.duration_us)),
            is_complete,
            failed: outcome.as_ref().err().map(|error| kept(&error.to_string())),
            destinations: earlier.map_or(vec![], |earlier| earlier.destinations),
        };
        for of in outcome.iter().flat_map(|summary| &summary.each) {
            let known = last.destinations.iter_mut().find(|it| it.name == of.name);
            match known {
                Some(known) => known.counts.add(&of.counts),
                None => last.destinations.push(AuditedDestination {
                    name: of.name.clone(),
                    counts: of.counts,
                }),
            }
        }
        Self {
            version: VERSION,
            completed_us: if is_complete {
                Some(now_us)
            } else {
                completed_us
            },
            last: Some(last),
        }
    }
}
