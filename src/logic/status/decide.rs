//! Which state it is, and why.

use super::{Facts, State};
use crate::logic::report::summary::OwedCallbacks;
use crate::logic::scan::checkpoint::Position;
use crate::logic::stats::{DestinationStats, Lasting, Paused, RowSlot};
use crate::logic::value::age::age;
use crate::logic::value::cell::Id;
use crate::logic::value::count::{counted, counted_as};

/// So far behind is [`State::Behind`].
const BEHIND_IDS: u64 = 100_000;
const BEHIND_US: i64 = 15 * 60 * 1_000_000;
/// Cells of the picture of the last hour.
pub(super) const PICTURE_CELLS: usize = 12;

/// How a configuration stands.
#[derive(Debug)]
pub(crate) struct Status<'f> {
    /// What was found.
    pub facts: &'f Facts,
    /// The worst of its own state and its destinations'.
    pub state: State,
    /// Why, in a few words; empty where all is well.
    pub reason: String,
    /// In the order of `des[]`, then those that the configuration does not name and that are owed callbacks.
    pub destinations: Vec<DestinationStatus>,
    /// Microseconds since 1970.
    pub now_us: i64,
}

/// How a destination stands.
#[derive(Debug)]
pub(crate) struct DestinationStatus {
    /// Its name.
    pub name: String,
    /// The worst that is so.
    pub state: State,
    /// Since when: microseconds since 1970.
    pub since_us: Option<i64>,
    /// Why, as a sentence without the name.
    pub reason: Option<String>,
    /// What is owed to it.
    pub owed: OwedCallbacks,
    /// The next id to look at.
    pub next_id: Option<Id>,
    /// Ids between it and the source, where the source was asked.
    pub ids_behind: Option<u64>,
    /// Microseconds between its updates and the source's clock, where the source was asked.
    pub updates_behind_us: Option<i64>,
    /// Differences in twelfths of the last hour, the oldest first.
    pub picture: [u64; PICTURE_CELLS],
    /// The last hour.
    pub hour: RowSlot,
    /// The last 24 hours.
    pub day: RowSlot,
}

/// Decides how it stands. No pass for `stale_us` microseconds is too long.
#[must_use]
pub(crate) fn decide(facts: &Facts, stale_us: i64, now_us: i64) -> Status<'_> {
    let mut owed = OwedCallbacks::by_destination(facts.outbox.iter());
    let mut destinations: Vec<DestinationStatus> = facts
        .destinations
        .iter()
        .map(|name| destination(facts, name, owed.remove(name).unwrap_or_default(), now_us))
        .collect();
    destinations.extend(owed.into_iter().map(|(name, owed)| stranger(name, owed)));
    let own = own_state(facts, stale_us, now_us);
    let each = destinations.iter().map(|it| {
        let reason = it.reason.as_deref().unwrap_or_default();
        (it.state, format!("{}: {reason}", it.name))
    });
    let worst = own.into_iter().chain(each).min_by_key(|(state, _)| *state);
    let (state, reason) = worst.unwrap_or((State::Ok, String::new()));
    Status {
        facts,
        state,
        reason: if state == State::Ok {
            String::new()
        } else {
            reason
        },
        destinations,
        now_us,
    }
}

/// The state that is none of a single destination.
fn own_state(facts: &Facts, stale_us: i64, now_us: i64) -> Option<(State, String)> {
    let stats = facts.stats.as_ref();
    if let Some(failed) = stats.and_then(|stats| stats.failed.as_ref()) {
        return Some((State::Failed, failed.reason.clone()));
    }
    let Some(last) = stats.and_then(|stats| stats.last_pass.as_ref()) else {
        return Some(match facts.checkpoint {
            None => (State::New, "no pass has ended yet".into()),
            Some(_) => (State::Stale, "nobody knows when the last pass ended".into()),
        });
    };
    let ended_ago_us = now_us.saturating_sub(last.ended_us);
    if ended_ago_us >= stale_us {
        let reason = format!("the last pass ended {} ago", age(ended_ago_us));
        return Some((State::Stale, reason));
    }
    let paused = stats.and_then(|stats| stats.paused)?;
    Some((State::Paused, paused_text(paused)))
}

fn destination(facts: &Facts, name: &str, owed: OwedCallbacks, now_us: i64) -> DestinationStatus {
    let mut all = facts.stats.iter().flat_map(|it| &it.destinations);
    let past = all.find(|it| it.name == name);
    let position = facts.position(name);
    let bounds = facts.bounds.as_ref().ok();
    let ids_behind = bounds.and_then(|bounds| position?.ids_behind(bounds.id_max));
    let updates_behind_us = bounds.and_then(|bounds| {
        let update = position?.update.as_ref()?;
        Some(bounds.now_us.saturating_sub(update.until_us).max(0))
    });
    let (state, since_us, reason) = state_of(facts, past, position, &owed);
    let history = past.map(|past| &past.history);
    DestinationStatus {
        name: name.into(),
        state,
        since_us,
        reason,
        owed,
        next_id: position.and_then(|position| position.next_id),
        ids_behind,
        updates_behind_us,
        picture: history.map_or([0; PICTURE_CELLS], |history| {
            let minutes = history.last_minutes(now_us);
            let per_cell = minutes.len() / PICTURE_CELLS;
            std::array::from_fn(|cell| {
                let minutes = &minutes[cell * per_cell..(cell + 1) * per_cell];
                minutes.iter().map(RowSlot::differences).sum()
            })
        }),
        hour: history.map_or_else(RowSlot::default, |history| history.last_hour(now_us)),
        day: history.map_or_else(RowSlot::default, |history| history.last_day(now_us)),
    }
}

fn state_of(
    facts: &Facts,
    stats: Option<&DestinationStats>,
    position: Option<&Position>,
    owed: &OwedCallbacks,
) -> (State, Option<i64>, Option<String>) {
    if let Some(Lasting { since_us, reason }) = stats.and_then(|stats| stats.unread.as_ref()) {
        return (State::Unread, Some(*since_us), Some(reason.clone()));
    }
    if let Some(paused) = stats.and_then(|stats| stats.paused) {
        return (
            State::Paused,
            Some(paused.since_us),
            Some(paused_text(paused)),
        );
    }
    if owed.count > 0 {
        let refusing = stats.and_then(|stats| stats.refusing.as_ref());
        let since_us = refusing.map_or(owed.oldest_us, |it| Some(it.since_us));
        let others = stats.filter(|stats| stats.takes_others);
        let others = others.map_or("", |_| ", and others are taken,");
        let reason = match (refusing, &owed.last_error) {
            (Some(it), _) => format!("{}{others}", it.reason),
            (None, Some(error)) => format!("the last answer was: {error}"),
            (None, None) if owed.too_large == owed.count => "the rows are too large".into(),
            (None, None) => "not tried yet".into(),
        };
        return (State::Owed, since_us, Some(reason));
    }
    let Some(position) = position else {
        return match facts.checkpoint {
            Some(_) => (State::Ok, None, None), // It was added; the next pass begins with it.
            None => (State::New, None, None),
        };
    };
    match behind(facts, stats, position) {
        Some(reason) => (State::Behind, None, Some(reason)),
        None => (State::Ok, None, None),
    }
}

/// Why it is far behind, if it is. Where the source was not asked, the last pass knew.
fn behind(facts: &Facts, stats: Option<&DestinationStats>, position: &Position) -> Option<String> {
    if let Some(text) = facts.went_back(position) {
        return Some(text);
    }
    let bounds = facts.bounds.as_ref().ok();
    let ids = match bounds {
        Some(bounds) => position.ids_behind(bounds.id_max),
        None => stats.and_then(|stats| stats.ids_behind),
    };
    if let Some(ids) = ids.filter(|&ids| facts.insert && ids >= BEHIND_IDS) {
        return Some(format!("{} behind", counted(ids, "id")));
    }
    let until_us = position.update.as_ref().map(|update| update.until_us)?;
    let us = bounds?.now_us.saturating_sub(until_us);
    (us >= BEHIND_US).then(|| format!("updates {} behind", age(us)))
}

/// A destination that the configuration does not name.
fn stranger(name: String, owed: OwedCallbacks) -> DestinationStatus {
    DestinationStatus {
        name,
        state: State::Owed,
        since_us: owed.oldest_us,
        reason: Some("the configuration no longer names it".into()),
        owed,
        next_id: None,
        ids_behind: None,
        updates_behind_us: None,
        picture: [0; PICTURE_CELLS],
        hour: RowSlot::default(),
        day: RowSlot::default(),
    }
}

fn paused_text(paused: Paused) -> String {
    format!("scan paused because {} is reached", paused.reason.key())
}

impl Facts {
    /// Where a destination is.
    pub(super) fn position(&self, name: &str) -> Option<&Position> {
        let positions = self.checkpoint.iter().flat_map(|it| &it.positions);
        let mut own = positions.filter(|it| it.destinations.iter().any(|it| it == name));
        own.next()
    }

    /// What is to be said where the table's ids went back behind a position.
    pub(super) fn went_back(&self, position: &Position) -> Option<String> {
        let bounds = self.bounds.as_ref().ok().filter(|_| self.insert)?;
        if !position.is_beyond(bounds.id_max, self.start_id) {
            return None;
        }
        Some(match bounds.id_max {
            Some(id) => format!("the highest id is only {id}: ids went back"),
            None => "the table is empty now".into(),
        })
    }
}

impl Status<'_> {
    /// Callbacks owed to all destinations.
    #[must_use]
    pub(crate) fn owed(&self) -> OwedCallbacks {
        let mut all = OwedCallbacks::default();
        for destination in &self.destinations {
            all.add(destination.owed.clone());
        }
        all
    }

    /// In a few words, what the state means: `owes 3 callbacks, the oldest 12 min`.
    #[must_use]
    pub(crate) fn sentence(&self) -> String {
        let owed = self.owed();
        match self.state {
            State::Owed => {
                let oldest = owed.oldest_us.map_or(String::new(), |oldest_us| {
                    let age = age(self.now_us.saturating_sub(oldest_us));
                    format!(", the oldest {age}")
                });
                format!("owes {}{oldest}", counted(owed.count, "callback"))
            }
            State::Ok => "is ok".into(),
            State::Failed => {
                let stats = self.facts.stats.as_ref();
                let failed = stats.and_then(|stats| stats.failed.as_ref());
                let passes = failed.map_or(1, |failed| failed.passes);
                let passes = counted_as(passes, "pass", "passes");
                format!("failed, {passes} in a row: {}", self.reason)
            }
            State::Unread => format!("cannot read {}", self.reason),
            State::Config | State::Stale | State::Paused | State::Behind | State::New => {
                format!("is {}: {}", self.state.word(), self.reason)
            }
        }
    }
}
