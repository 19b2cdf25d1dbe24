//! When there is something to tell.
//!
//! One message is sent when trouble begins, with everything that is wrong at that moment. One an
//! hour follows while it lasts, and one when it is over. Trouble must last some time before it
//! counts. It is over when no trouble of any kind is left, so a receiver that takes one callback of
//! many ends nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::channel::{Channel, Robot};
use super::message::{Kind, Message};
use crate::logic::value::count::{counted, counted_as, grouped};

const MINUTE_US: i64 = 60_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;

/// So many passes failed in a row.
const PASSES_MIN: u64 = 3;
/// What is said of a scan that stopped early.
const SCAN_PAUSED: &str = "scan paused";
/// A destination is unread, or a scan paused, for so long.
const LASTING_MIN_US: i64 = 10 * MINUTE_US;
/// A callback was tried so often, as in the first cupid, or is owed for so long.
const TRIES_MIN: u64 = 10;
const OWED_MIN_US: i64 = 15 * MINUTE_US;

/// While trouble lasts, a channel is told again after this time. `ServerChan` takes few messages
/// a day.
const AGAIN_US: i64 = HOUR_US;
const AGAIN_SERVERCHAN_US: i64 = 6 * HOUR_US;
/// A message that could not be sent is followed by another one after this time.
const AGAIN_UNSENT_US: i64 = 5 * MINUTE_US;

/// How things stand after a pass. All moments are in microseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Situation {
    /// The passes that failed up to now, if the last one did.
    pub failed: Option<Failed>,
    /// The scan waits for a reason of the source.
    pub paused: Option<Lasting>,
    /// Each destination that the configuration names.
    pub destinations: Vec<Destination>,
    /// How many callbacks were delivered ever, as a counter.
    pub delivered: u64,
}

/// Passes that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// How many in a row.
    pub passes: u64,
    /// When the first of them ended.
    pub since_us: i64,
    /// What stopped the last one.
    pub reason: String,
}

/// Something that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// Since when.
    pub since_us: i64,
    /// Why.
    pub reason: String,
}

/// How one destination stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// Its name.
    pub name: String,
    /// It cannot be read.
    pub unread: Option<Lasting>,
    /// Its scan waits.
    pub paused: Option<Lasting>,
    /// Callbacks that were tried and not taken.
    pub owed: Option<Owed>,
    /// Rows that still differ although their callbacks were taken.
    pub unrepaired: Option<Unrepaired>,
}

/// Callbacks that were tried and not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// How many.
    pub count: u64,
    /// When the oldest was detected.
    pub oldest_us: i64,
    /// The tries of the one that was tried most.
    pub tries_max: u64,
    /// Such as `http://user-service/cupid answers 503`, without secrets.
    pub reason: String,
}

/// Rows that still differ although their callbacks were taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrepaired {
    /// How many.
    pub count: u64,
    /// Since when there are any.
    pub since_us: i64,
}

/// What was told. Kept from pass to pass, and from process to process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Told {
    /// Since when something is wrong; absent while all is well.
    since_us: Option<i64>,
    /// [`Situation::delivered`] when it began.
    delivered_before: u64,
    /// When each channel was told last, by its name.
    channels_us: BTreeMap<String, i64>,
}

/// Who tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Teller<'a> {
    /// The configuration's `name`.
    pub config: &'a str,
    /// The configuration's file.
    pub file: &'a str,
    /// The machine's name.
    pub host: &'a str,
}

/// A message and the names of the channels that it goes to, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Occasion {
    /// What is told.
    pub message: Message,
    /// To whom.
    pub channels: Vec<String>,
}

/// What is to be told after a pass that ended at `now_us`, and what is told with that.
#[must_use]
pub(crate) fn decide(
    told: &Told,
    situation: &Situation,
    channels: &[Channel],
    teller: Teller<'_>,
    now_us: i64,
) -> (Told, Option<Occasion>) {
    let troubles = troubles(situation, now_us);
    let Some(since_us) = told.since_us else {
        if !troubles.iter().any(|trouble| trouble.begins) {
            return (Told::default(), None);
        }
        let begun = Told {
            since_us: troubles.iter().map(|trouble| trouble.since_us).min(),
            delivered_before: situation.delivered,
            channels_us: BTreeMap::new(),
        };
        return tell(begun, &troubles, channels, teller, now_us);
    };
    if !troubles.is_empty() {
        return tell(told.clone(), &troubles, channels, teller, now_us);
    }
    let delivered = situation.delivered.saturating_sub(told.delivered_before);
    let recovered = recovered(teller, now_us.saturating_sub(since_us), delivered);
    let names = channels.iter().map(|channel| &channel.name);
    let told: Vec<String> = names
        .filter(|name| told.channels_us.contains_key(*name))
        .cloned()
        .collect();
    let occasion = (!told.is_empty()).then_some(Occasion {
        message: recovered,
        channels: told,
    });
    (Told::default(), occasion)
}

impl Told {
    /// A message of [`decide`] did not arrive: the next one is due sooner.
    pub fn not_sent(&mut self, channel: &Channel) {
        if let Some(told_us) = self.channels_us.get_mut(&channel.name) {
            *told_us = told_us.saturating_sub(again_us(channel) - AGAIN_UNSENT_US);
        }
    }
}

/// Tells the channels whose time has come.
fn tell(
    mut told: Told,
    troubles: &[Trouble],
    channels: &[Channel],
    teller: Teller<'_>,
    now_us: i64,
) -> (Told, Option<Occasion>) {
    let is_due = |channel: &&Channel| {
        told.channels_us.get(&channel.name).is_none_or(|told_us| {
            // A clock that was set back counts as time that passed.
            !(0..again_us(channel)).contains(&now_us.saturating_sub(*told_us))
        })
    };
    let due: Vec<String> = channels
        .iter()
        .filter(is_due)
        .map(|channel| channel.name.clone())
        .collect();
    if due.is_empty() {
        return (told, None);
    }
    for name in &due {
        told.channels_us.insert(name.clone(), now_us);
    }
    let occasion = Occasion {
        message: failing(teller, troubles),
        channels: due,
    };
    (told, Some(occasion))
}

fn again_us(channel: &Channel) -> i64 {
    match channel.robot {
        Robot::ServerChan { .. } => AGAIN_SERVERCHAN_US,
        _ => AGAIN_US,
    }
}

/// One thing that is wrong.
struct Trouble {
    since_us: i64,
    /// It has lasted long enough to be told.
    begins: bool,
    /// For the title, a few words.
    short: String,
    /// The whole sentence.
    line: String,
}

/// Everything that is wrong, the worst first.
fn troubles(situation: &Situation, now_us: i64) -> Vec<Trouble> {
    let Situation {
        failed,
        paused,
        destinations,
        delivered: _,
    } = situation;
    let subjects: Vec<String> = destinations
        .iter()
        .map(|d| format!("{}: ", d.name))
        .collect();
    let all = || subjects.iter().zip(destinations);
    let failed = failed.iter().map(|it| it.trouble(now_us));
    let unread = all().filter_map(|(subject, it)| {
        let unread = it.unread.as_ref()?;
        Some(unread.trouble(subject, "unread", now_us))
    });
    let owed = all().filter_map(|(subject, it)| Some(it.owed.as_ref()?.trouble(subject, now_us)));
    let unrepaired =
        all().filter_map(|(subject, it)| Some(it.unrepaired.as_ref()?.trouble(subject, now_us)));
    let paused = paused.iter().map(|it| it.trouble("", SCAN_PAUSED, now_us));
    let paused_at = all().filter_map(|(subject, it)| {
        let paused = it.paused.as_ref()?;
        Some(paused.trouble(subject, SCAN_PAUSED, now_us))
    });
    let all = failed.chain(unread).chain(owed).chain(unrepaired);
    all.chain(paused).chain(paused_at).collect()
}

fn lasted_us(since_us: i64, now_us: i64) -> i64 {
    now_us.saturating_sub(since_us).max(0)
}

impl Failed {
    fn trouble(&self, now_us: i64) -> Trouble {
        let Self {
            passes,
            since_us,
            reason,
        } = self;
        let lasted = duration(lasted_us(*since_us, now_us));
        let passes_text = counted_as(*passes, "pass", "passes");
        Trouble {
            since_us: *since_us,
            begins: *passes >= PASSES_MIN,
            short: "passes fail".into(),
            line: format!("{passes_text} failed in a row, for {lasted}: {reason}"),
        }
    }
}

impl Lasting {
    fn trouble(&self, subject: &str, short: &str, now_us: i64) -> Trouble {
        let Self { since_us, reason } = self;
        let lasted_us = lasted_us(*since_us, now_us);
        let lasted = duration(lasted_us);
        Trouble {
            since_us: *since_us,
            begins: lasted_us >= LASTING_MIN_US,
            short: format!("{subject}{short}"),
            line: format!("{subject}{short} for {lasted}: {reason}"),
        }
    }
}

impl Owed {
    fn trouble(&self, subject: &str, now_us: i64) -> Trouble {
        let Self {
            count,
            oldest_us,
            tries_max,
            reason,
        } = self;
        let age_us = lasted_us(*oldest_us, now_us);
        Trouble {
            since_us: *oldest_us,
            begins: *tries_max >= TRIES_MIN || age_us >= OWED_MIN_US,
            short: format!("{subject}{} owed", grouped(*count)),
            line: format!(
                "{subject}{} owed, the oldest for {}, up to {}: {reason}",
                counted(*count, "callback"),
                duration(age_us),
                counted_as(*tries_max, "try", "tries")
            ),
        }
    }
}

impl Unrepaired {
    fn trouble(&self, subject: &str, now_us: i64) -> Trouble {
        let Self { count, since_us } = *self;
        Trouble {
            since_us,
            begins: count > 0,
            short: format!("{subject}{} unrepaired", grouped(count)),
            line: format!(
                "{subject}{} although the callbacks were taken, for {}",
                counted_as(count, "row still differs", "rows still differ"),
                duration(lasted_us(since_us, now_us))
            ),
        }
    }
}

fn failing(teller: Teller<'_>, troubles: &[Trouble]) -> Message {
    let Teller { config, file, host } = teller;
    let short = troubles
        .first()
        .map_or("", |trouble| trouble.short.as_str());
    let more = match troubles.len() {
        0 | 1 => String::new(),
        count => format!(", {} more", count - 1),
    };
    let mut lines: Vec<String> = troubles
        .iter()
        .map(|trouble| trouble.line.clone())
        .collect();
    lines.push(format!("On {host}: cupid status {file}"));
    let title = format!("[cupid] {config}: {short}{more}");
    Message::new(Kind::Failing, config, host, &title, lines)
}

fn recovered(teller: Teller<'_>, lasted_us: i64, delivered: u64) -> Message {
    let Teller { config, file, host } = teller;
    let after = duration(lasted_us.max(0));
    let delivered = match delivered {
        0 => String::new(),
        count => format!(", {} delivered", counted(count, "callback")),
    };
    let title = format!("[cupid] {config}: fine again after {after}{delivered}");
    let lines = [format!("On {host}: cupid status {file}")];
    Message::new(Kind::Recovered, config, host, &title, lines)
}

/// `12 s`, `41 min`, `2 h 5 min`, `3 d 4 h`: at most two units, cut off.
fn duration(us: i64) -> String {
    let s = us / 1_000_000;
    let (min, h, d) = (s / 60, s / 3_600, s / 86_400);
    let two = |large: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {small_unit}"),
    };
    match (d, h, min) {
        (1.., _, _) => two(d, "d", h % 24, "h"),
        (_, 1.., _) => two(h, "h", min % 60, "min"),
        (_, _, 1..) => format!("{min} min"),
        _ => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests;
