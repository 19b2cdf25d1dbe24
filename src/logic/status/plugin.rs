//! One line for Nagios and similar monitors, as the Monitoring Plugins Development Guidelines ask
//! for it: a word, a sentence, and figures behind a `|`.

use super::State;
use super::decide::Status;
use super::layout::seconds;
use crate::logic::value::count::counted;
use crate::logic::value::one_line::on_one_line;

/// What monitoring makes of the exit status of a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// 0
    Ok,
    /// 1
    Warning,
    /// 2
    Critical,
    /// 3
    Unknown,
}

impl Severity {
    /// Of a state.
    #[must_use]
    pub(crate) fn of(state: State) -> Self {
        match state {
            State::Ok => Self::Ok,
            State::Unread | State::Paused | State::Owed | State::Behind | State::New => {
                Self::Warning
            }
            State::Failed | State::Stale => Self::Critical,
            State::Config => Self::Unknown,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// The line, and how severe it is: as severe as the worst configuration.
#[must_use]
pub(crate) fn plugin(all: &[Status<'_>], unreadable: &[(String, String)]) -> (String, Severity) {
    let mut sentences: Vec<(State, &str, String)> = all
        .iter()
        .filter(|status| status.state != State::Ok)
        .map(|status| (status.state, status.facts.name.as_str(), status.sentence()))
        .collect();
    sentences.extend(unreadable.iter().map(|(config, reason)| {
        let sentence = format!("cannot be read: {reason}");
        (State::Config, config.as_str(), sentence)
    }));
    sentences.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    let severities = sentences.iter().map(|(state, ..)| Severity::of(*state));
    let severity = severities.max().unwrap_or(Severity::Ok);
    let text = if sentences.is_empty() {
        match all {
            [one] => format!("{} is ok", one.facts.name),
            _ => format!("{} are ok", counted(all.len() as u64, "configuration")),
        }
    } else {
        let sentences = sentences.iter();
        let sentences = sentences.map(|(_, name, sentence)| format!("{name} {sentence}"));
        sentences.collect::<Vec<_>>().join("; ")
    };
    // What stands behind the first bar is read as figures.
    let text = on_one_line(&text).replace('|', "/");
    let figures: Vec<String> = all.iter().flat_map(figures).collect();
    let bar = if figures.is_empty() { "" } else { " | " };
    let line = format!(
        "CUPID {} - {text}{bar}{}\n",
        severity.word(),
        figures.join(" ")
    );
    (line, severity)
}

/// `user_owed=3;;;0`: nothing to warn of, and 0 as the least that there can be.
fn figures(status: &Status<'_>) -> Vec<String> {
    let name = &status.facts.name;
    let mut figures = vec![format!("{name}_owed={};;;0", status.owed().count)];
    let past = status.facts.stats.as_ref();
    if let Some(at_us) = past.and_then(|past| past.last_success_us) {
        let ago_s = status.now_us.saturating_sub(at_us).max(0) / 1_000_000;
        figures.push(format!("{name}_last_success={ago_s}s;;;0"));
    }
    let each = || status.destinations.iter();
    if let Some(ids) = each().filter_map(|it| it.ids_behind).max() {
        figures.push(format!("{name}_ids_behind={ids};;;0"));
    }
    if let Some(us) = each().filter_map(|it| it.updates_behind_us).max() {
        figures.push(format!("{name}_updates_behind={}s;;;0", seconds(us)));
    }
    figures
}
