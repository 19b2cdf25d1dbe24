//! One configuration on one screen.

use super::decide::{DestinationStatus, Status};
use super::layout::{
    Column, clock, differences, fits, padded, picture, push_wrapped, seconds, table, width,
};
use super::{Facts, State};
use crate::logic::scan::checkpoint::Position;
use crate::logic::stats::{AuditStats, LastAudit, LastPass};
use crate::logic::value::age::age;
use crate::logic::value::count::{counted, counted_as, grouped, grouped_id};
use crate::logic::value::one_line::on_one_line;

/// Where the texts behind the labels begin.
const LABEL_CELLS: usize = 14;

/// What a person reads. `width` is the terminal's, where there is one.
#[must_use]
pub(crate) fn screen(status: &Status<'_>, width: Option<usize>) -> String {
    let mut screen = Screen {
        status,
        width,
        out: String::new(),
    };
    screen.head();
    screen.passes();
    screen.positions();
    screen.out.push('\n');
    screen.destinations();
    screen.audit();
    screen.out
}

struct Screen<'s, 'f> {
    status: &'s Status<'f>,
    width: Option<usize>,
    out: String,
}

impl Screen<'_, '_> {
    fn line(&mut self, label: &str, text: &str) {
        let line = padded(label, LABEL_CELLS - 1) + " " + &on_one_line(text);
        push_wrapped(&mut self.out, &line, LABEL_CELLS, self.width);
    }

    fn ago(&self, at_us: i64) -> String {
        format!("{} ago", age(self.status.now_us.saturating_sub(at_us)))
    }

    fn since(&self, since_us: i64) -> String {
        format!("since {}", clock(since_us, self.status.now_us))
    }

    fn head(&mut self) {
        let Facts {
            name,
            config,
            source,
            server,
            state_dir,
            at_work,
            former_owner,
            bounds,
            has_state,
            stats_problem,
            ..
        } = self.status.facts;
        let state = self.status.state.word();
        self.line(name, &format!("{} {config}", padded(state, 7)));
        let unasked = bounds.as_ref().err();
        let unasked = unasked.map_or(String::new(), |reason| format!(" ({reason})"));
        self.line("source", &format!("{source} at {server}{unasked}"));
        let work = match (has_state, at_work) {
            (false, _) => "which holds no state of it",
            (true, true) => "a run is at work",
            (true, false) => "nobody at work",
        };
        self.line("state", &format!("{state_dir}, {work}"));
        if let Some(owner) = former_owner {
            let text = format!("{owner}, which is gone; the next run takes it over");
            self.line("state of", &text);
        }
        if let Some(problem) = stats_problem {
            let text = format!("{problem}; the next pass begins it anew");
            self.line("history", &text);
        }
    }

    fn passes(&mut self) {
        let stats = self.status.facts.stats.as_ref();
        let last = stats.and_then(|stats| stats.last_pass.as_ref());
        let last = match last {
            None => "none has ended yet".into(),
            Some(LastPass {
                ended_us,
                exit,
                text,
                ..
            }) => {
                let failed = if *exit > 1 { ", failed" } else { "" };
                format!("{}{failed}: {text}", self.ago(*ended_us))
            }
        };
        self.line("last pass", &last);
        let success = stats.and_then(|stats| stats.last_success_us);
        let success = success.map_or("none yet".into(), |at_us| self.ago(at_us));
        self.line("last success", &success);
        if let Some(failed) = stats.and_then(|stats| stats.failed.as_ref()) {
            let passes = counted_as(failed.passes, "pass", "passes");
            let text = format!("{passes} in a row, {}", self.since(failed.since_us));
            self.line("failed", &text);
        }
        if let Some(paused) = stats.and_then(|stats| stats.paused) {
            let key = paused.reason.key();
            let text = format!("{}: {key} is reached", self.since(paused.since_us));
            self.line("scan paused", &text);
        }
    }

    /// How far the foremost destination is; the others say where they are themselves.
    fn positions(&mut self) {
        let facts = self.status.facts;
        let positions = facts.checkpoint.iter().flat_map(|it| &it.positions);
        let Some(position) = positions.max_by_key(|it| it.next_id) else {
            return;
        };
        if let Some(next_id) = position.next_id.filter(|_| facts.insert) {
            let reached = if next_id == facts.start_id {
                format!("none yet, from {} on", grouped_id(next_id))
            } else {
                format!("up to {}", grouped_id(next_id.saturating_sub(1)))
            };
            let mut parts = vec![reached];
            parts.push(self.ids_behind(position));
            let gaps = position.gaps.count();
            if gaps > 0 {
                let gaps = counted(gaps, "gap");
                parts.push(format!("{gaps} that may still be filled"));
            }
            self.line("new ids", &parts.join(", "));
        }
        if let Some(update) = &position.update {
            let until = clock(update.until_us, self.status.now_us);
            let bounds = facts.bounds.as_ref().ok();
            let behind = bounds.map_or("?".into(), |bounds| {
                seconds(bounds.now_us.saturating_sub(update.until_us))
            });
            self.line("updates", &format!("up to {until}, {behind} s behind"));
        }
    }

    fn ids_behind(&self, position: &Position) -> String {
        let facts = self.status.facts;
        if let Some(text) = facts.went_back(position) {
            return text;
        }
        let bounds = facts.bounds.as_ref().ok();
        let ids = bounds.and_then(|bounds| position.ids_behind(bounds.id_max));
        format!("{} behind", ids.map_or("?".into(), grouped))
    }

    fn destinations(&mut self) {
        let all = &self.status.destinations;
        let widest = (0..3).map(|level| table(&self.columns(level)));
        let mut lines = widest.skip_while(|lines| !fits(lines, self.width));
        let lines = lines.next().unwrap_or_else(|| table(&self.columns(3)));
        for line in lines {
            self.out.push_str(&line);
            self.out.push('\n');
        }
        for destination in all {
            if let Some(text) = self.detail(destination) {
                push_wrapped(&mut self.out, &format!("  {text}"), 4, self.width);
            }
        }
    }

    /// Fewer with each level, for narrower terminals.
    fn columns(&self, level: usize) -> Vec<Column> {
        let all = || self.status.destinations.iter();
        let now_us = self.status.now_us;
        let state = |it: &DestinationStatus| match (it.state, it.since_us) {
            (State::Unread | State::Paused, Some(since_us)) => {
                let age = age(now_us.saturating_sub(since_us));
                format!("{} {age}", it.state.word())
            }
            (state, _) => state.word().into(),
        };
        let oldest = |it: &DestinationStatus| {
            let oldest_us = it.owed.oldest_us;
            oldest_us.map_or(String::new(), |at_us| age(now_us.saturating_sub(at_us)))
        };
        let most = all().map(|it| it.hour.differences()).max().unwrap_or(0);
        let digits = grouped(most).len().max(3);
        let hour = |it: &DestinationStatus| {
            let count = grouped(it.hour.differences());
            format!("{} {count:>digits$}", picture(&it.picture))
        };
        let mut columns = vec![
            Column::text("destination", all().map(|it| on_one_line(&it.name))),
            Column::text("state", all().map(state)),
            Column::number("owed", all().map(|it| grouped(it.owed.count))),
        ];
        if level < 3 {
            columns.push(Column::text("oldest", all().map(oldest)));
        }
        match level {
            0 | 1 => columns.push(Column::text("last hour", all().map(hour))),
            2 => columns.push(Column::number(
                "1 h",
                all().map(|it| grouped(it.hour.differences())),
            )),
            _ => {}
        }
        if level == 0 {
            columns.push(Column::text(
                "24 hours",
                all().map(|it| differences(&it.day)),
            ));
        }
        columns
    }

    /// What is wrong with a destination, since when, and what to type.
    fn detail(&self, destination: &DestinationStatus) -> Option<String> {
        let DestinationStatus {
            name,
            state,
            since_us,
            reason,
            next_id,
            ..
        } = destination;
        let reason = on_one_line(reason.as_deref()?);
        let since = since_us.map_or(String::new(), |at_us| format!(" {}", self.since(at_us)));
        let name = on_one_line(name);
        Some(match state {
            State::Owed => {
                let config = shell_word(&self.status.facts.config);
                let text = format!("{name}: {reason}{since}");
                format!(
                    "{}  cupid owed {config}",
                    padded(&text, 62.max(width(&text)))
                )
            }
            State::Unread => {
                let next = next_id.map_or(String::new(), |id| {
                    let id = grouped_id(id);
                    format!("; goes on from id {id} when it answers")
                });
                format!("{name}: {reason}{since}{next}")
            }
            _ => format!("{name}: {reason}{since}"),
        })
    }

    fn audit(&mut self) {
        let audits = self.status.facts.audits.iter();
        let last = audits.filter_map(|AuditStats { last, .. }| last.as_ref());
        let text = match last.max_by_key(|last| last.ended_us) {
            None => "none yet".into(),
            Some(last) => self.audit_text(last),
        };
        self.line("audit", &text);
    }

    fn audit_text(&self, last: &LastAudit) -> String {
        let ended = match (&last.failed, last.is_complete) {
            (Some(reason), _) => return format!("{}, failed: {reason}", self.ago(last.ended_us)),
            (None, true) => "complete",
            (None, false) => "stopped before its end",
        };
        format!(
            "{}, {ended}: {}, {}",
            self.ago(last.ended_us),
            counted(last.rows(), "row"),
            counted(last.differences(), "difference")
        )
    }
}

/// A word as a shell reads it.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
