//! The state between runs: how far each destination's copy has been compared.
//!
//! A [`Position`] says: every row below it was compared with these destinations, or is remembered
//! in it. All destinations normally share one position. A destination that could not be read keeps
//! its own, older position, and a later pass scans from there. When it has caught up, the two
//! positions are equal and are joined. A destination that lags needs no other bookkeeping.

mod plausible;
mod seen;
#[cfg(test)]
mod seen_tests;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::logic::scan::gaps::Gaps;
use crate::logic::scan::identity::DestinationId;
use crate::logic::scan::suspects::Suspects;
use crate::logic::scan::trail::Trail;
use crate::logic::value::cell::Id;

pub use self::seen::{SEEN_MAX, Seen};

/// The version of the format that this program writes.
pub const VERSION: u64 = 2;
/// The farthest that two zones lie apart: a session's is `-13:59` to `+14:00` (MySQL Reference Manual, "MySQL Server
/// Time Zone Support").
pub const ZONES_APART_US: i64 = 28 * 3_600 * 1_000_000;
/// An update window in which nothing happened is saved this often.
const WINDOW_WORTH_SAVING_US: i64 = 10_000_000;

/// The content of `<name>.checkpoint.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checkpoint {
    /// Format version.
    pub version: u64,
    /// `database.table` of the source, so that another table's checkpoint is not taken for this one's.
    pub source: String,
    /// The configuration's file: whose state it is. `None`: an earlier version wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The source's server, as [`crate::logic::scan::identity::server`] spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_server: Option<String>,
    /// The destinations that the positions name; empty when an earlier version wrote it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<DestinationId>,
    /// Normally one; more while a destination lags.
    pub positions: Vec<Position>,
}

/// How far some destinations have been compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Position {
    /// Names of the destinations.
    pub destinations: Vec<String>,
    /// The next new id to look at; `None` before the first pass over new ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_id: Option<Id>,
    /// Ids below it that may still appear.
    #[serde(default, skip_serializing_if = "Gaps::is_empty")]
    pub gaps: Gaps,
    /// Ids below it that the first look of an audit did not find equal.
    #[serde(default, skip_serializing_if = "Suspects::is_empty")]
    pub suspects: Suspects,
    /// Updated rows; `None` before the first pass over them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdatePosition>,
    /// By which a pass notices that ids start again.
    #[serde(default, skip_serializing_if = "Trail::is_empty")]
    pub trail: Trail,
}

impl Position {
    /// Ids from this one on are new again.
    pub fn go_back(&mut self, next_id: Id) {
        self.next_id = Some(next_id);
        self.gaps.forget_from(next_id);
        self.trail.go_back(next_id);
    }

    /// How many ids lie between the next id to look at and the highest one; `None` before the first scan.
    #[must_use]
    pub fn ids_behind(&self, id_max: Option<Id>) -> Option<u64> {
        self.next_id.map(|next_id| {
            let left = id_max.map_or(0, |max| max.saturating_sub(next_id).saturating_add(1));
            u64::try_from(left.max(0)).unwrap_or(u64::MAX)
        })
    }

    /// The update window leaves this row out, and what it was compared with is not this content ([`Row::fingerprint`]).
    /// `None`: the row is gone.
    ///
    /// [`Row::fingerprint`]: crate::logic::value::row::Row::fingerprint
    #[must_use]
    pub fn remembers_other(&self, id: Id, content: Option<u64>) -> bool {
        let update = self.update.as_ref();
        update.is_some_and(|update| update.seen.is_other(id, content))
    }

    /// Forgets this row as compared, unless it was with this content. A source that is a replica behind
    /// another one shows an older row for a moment. What is decided then does not hold for the newer row.
    pub fn forget_other(&mut self, id: Id, content: Option<u64>) {
        if let Some(update) = &mut self.update {
            update.seen.forget_other(id, content);
        }
    }

    /// The highest id lies below what was compared. `start_id` is the configuration's.
    #[must_use]
    pub fn is_beyond(&self, id_max: Option<Id>, start_id: Id) -> bool {
        let is_back = |next_id| self.trail.is_back(next_id, id_max, start_id);
        self.next_id.is_some_and(is_back)
    }
}

/// How far the update window has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdatePosition {
    /// The end of the last complete window: the source server's clock, in microseconds since 1970.
    pub until_us: i64,
    /// A window that was left in the middle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Resume>,
    /// Rows that the next window will meet again.
    #[serde(default, skip_serializing_if = "Seen::is_empty")]
    pub seen: Seen,
    /// How the column said moments then: its type, and its zone where it holds local time. `None` where a version of
    /// cupid wrote this that did not note it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moments: Option<String>,
}

impl UpdatePosition {
    /// Nothing was updated before this moment of the server's clock, as far as windows are concerned.
    #[must_use]
    pub fn beginning(now_us: i64) -> Self {
        Self {
            until_us: now_us,
            resume: None,
            seen: Seen::default(),
            moments: None,
        }
    }

    /// From now on the column says moments so. Returns how it said them before, if otherwise.
    ///
    /// Rows that no window has met yet were written in the old way, and converted by a session in whatever zone: an
    /// `ALTER TABLE` leaves their moments up to [`ZONES_APART_US`] from where they were. A window that begins that much
    /// earlier meets them all, at once or when their moments have come. A place in the middle of a window means
    /// nothing any more.
    pub fn say_moments(&mut self, moments: &str) -> Option<String> {
        if self.moments.as_deref() == Some(moments) {
            return None;
        }
        let before = self.moments.replace(moments.to_owned());
        if before.is_some() {
            self.until_us = self.until_us.saturating_sub(ZONES_APART_US);
            self.resume = None;
        }
        before
    }
}

/// A window that was left in the middle, at a batch's edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resume {
    /// The window's end.
    pub to_us: i64,
    /// The last row that was compared.
    pub after: Cursor,
}

/// A place in the order (update time, id): rows that share a timestamp are told apart by their id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The update column's value, as text.
    pub time: String,
    /// The id.
    pub id: Id,
}

/// Why a text is no checkpoint of this source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Not JSON, or not of this shape.
    Damaged(String),
    /// Written by a later version of cupid.
    Newer(u64),
    /// Of another source table.
    Foreign(String),
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Damaged(why) => write!(f, "It is damaged or not a checkpoint ({why})"),
            Self::Newer(version) => write!(
                f,
                "It has format version {version}, written by a newer cupid; this one reads {VERSION}"
            ),
            Self::Foreign(source) => write!(f, "It belongs to the source table {source:?}"),
        }
    }
}

impl Checkpoint {
    /// Reads a checkpoint of the table `source`.
    ///
    /// # Errors
    /// When the text is anything but a checkpoint of that table in a known version.
    pub fn parse(text: &str, source: &str) -> Result<Self, Unusable> {
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }
        let damaged = |error: serde_json::Error| Unusable::Damaged(error.to_string());
        let Version { version } = serde_json::from_str(text).map_err(damaged)?;
        if version > VERSION {
            return Err(Unusable::Newer(version));
        }
        let checkpoint: Self = serde_json::from_str(text).map_err(damaged)?;
        if checkpoint.source != source {
            return Err(Unusable::Foreign(checkpoint.source));
        }
        if checkpoint.positions.is_empty() {
            return Err(Unusable::Damaged("no position".into()));
        }
        if !checkpoint.positions.iter().all(Position::is_plausible) {
            return Err(Unusable::Damaged(
                "an id or a moment that no table has".into(),
            ));
        }
        if !checkpoint.describes_its_destinations() {
            return Err(Unusable::Damaged(
                "a destination without an address, or with two".into(),
            ));
        }
        Ok(checkpoint)
    }

    /// Each destination that a position names has one address, or none has.
    fn describes_its_destinations(&self) -> bool {
        let Self {
            destinations,
            positions,
            ..
        } = self;
        let names: HashSet<&str> = destinations.iter().map(|id| id.name.as_str()).collect();
        let mut of_positions = positions.iter().flat_map(|p| &p.destinations);
        names.len() == destinations.len()
            && (names.is_empty() || of_positions.all(|name| names.contains(name.as_str())))
    }

    /// The text of the file.
    ///
    /// # Errors
    /// Never in practice; the error is the serializer's.
    pub fn to_text(&self) -> serde_json::Result<String> {
        let mut text = serde_json::to_string(self)?;
        text.push('\n');
        Ok(text)
    }

    /// True when `next` differs in nothing but an empty window's end, and by less than is worth a write.
    #[must_use]
    pub fn is_nearly(&self, next: &Self) -> bool {
        let until = |p: &Position| p.update.as_ref().map_or(0, |update| update.until_us);
        let mut same = next.clone();
        if same.positions.len() != self.positions.len() {
            return false;
        }
        for (theirs, mine) in same.positions.iter_mut().zip(&self.positions) {
            if (until(theirs) - until(mine)).abs() >= WINDOW_WORTH_SAVING_US {
                return false;
            }
            if let (Some(theirs), Some(mine)) = (&mut theirs.update, &mine.update) {
                theirs.until_us = mine.until_us;
            }
        }
        same == *self
    }

    /// Positions for exactly the destinations `names`: those that the checkpoint does not know start where the
    /// foremost position is, those that are no longer configured are dropped.
    #[must_use]
    pub fn positions_of(&self, names: &[String]) -> Vec<Position> {
        let mut positions: Vec<Position> = self.positions.clone();
        for position in &mut positions {
            position.destinations.retain(|name| names.contains(name));
        }
        let new: Vec<String> = self.unknown(names);
        let foremost = positions
            .iter_mut()
            .max_by_key(|p| (p.next_id, p.update.as_ref().map(|u| u.until_us)));
        if let Some(foremost) = foremost {
            foremost.destinations.extend(new);
        }
        positions.retain(|position| !position.destinations.is_empty());
        positions
    }

    /// The destinations of `names` that the checkpoint has never seen.
    #[must_use]
    pub fn unknown(&self, names: &[String]) -> Vec<String> {
        let known = |name: &&String| !self.positions.iter().any(|p| p.destinations.contains(name));
        names.iter().filter(known).cloned().collect()
    }
}

/// Joins positions that have come to the same place.
#[must_use]
pub fn joined(positions: Vec<Position>) -> Vec<Position> {
    let place = |p: &Position| {
        (
            p.next_id,
            p.update
                .as_ref()
                .map(|u| (u.until_us, u.resume.clone(), u.moments.clone())),
        )
    };
    let mut out: Vec<Position> = Vec::new();
    for position in positions {
        match out
            .iter_mut()
            .find(|other| place(other) == place(&position))
        {
            Some(other) => {
                let Position {
                    destinations,
                    next_id: _,
                    gaps,
                    suspects,
                    update,
                    trail,
                } = position;
                other.destinations.extend(destinations);
                other.gaps = std::mem::take(&mut other.gaps).union(gaps);
                other.suspects = std::mem::take(&mut other.suspects).union(&suspects);
                if let (Some(mine), Some(theirs)) = (&mut other.update, update) {
                    mine.seen = std::mem::take(&mut mine.seen).intersection(&theirs.seen);
                }
                other.trail = std::mem::take(&mut other.trail).joined(trail, other.next_id);
            }
            None => out.push(position),
        }
    }
    out
}

#[cfg(test)]
mod tests;
