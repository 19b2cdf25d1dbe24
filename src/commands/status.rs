//! `cupid status`: checkpoint, how far behind the table it is, callbacks owed, the last run.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Connections, load, print_data, state_of};
use crate::cli::Status;
use crate::config::Job;
use crate::error::{Exit, Result};
use crate::io::signals::RealClock;
use crate::io::state_dir::StateDir;
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::owed::Owed;
use crate::logic::callback::recognise::{Recognised, recognise};
use crate::logic::notify::heartbeat::Beat;
use crate::logic::report::line::rfc3339;
use crate::logic::scan::bounds::Bounds;
use crate::logic::scan::checkpoint::{Checkpoint, Position};
use crate::logic::value::count::counted;
use crate::world::{Source as _, Store as _};

/// What a run leaves in the lock file.
pub(super) fn note(now_us: i64, exit: Exit, text: &str, beat: Option<Beat>) -> String {
    let mut note = json!({ "endedAt": rfc3339(now_us), "exit": exit as u8, "summary": text });
    if let Some(beat) = beat {
        note["heartbeat"] = json!(beat);
    }
    note.to_string() + "\n"
}

/// The last heartbeat, as the note of the last run has it.
pub(super) fn last_beat(state: &StateDir) -> Option<Beat> {
    let note: Value = serde_json::from_str(&state.last_run().ok()?).ok()?;
    serde_json::from_value(note.get("heartbeat")?.clone()).ok()
}

/// `cupid status`. Exit 1 when something is owed, a destination lags or ids went back.
pub(super) fn status(status: &Status, clock: &Arc<RealClock>) -> Result<Exit> {
    let job = load(&status.config)?;
    let mut state = state_of(&job).for_reading()?;
    let known = job.known_destinations();
    let Recognised {
        checkpoint, outbox, ..
    } = recognise(state.checkpoint()?, state.outbox()?, &known);
    let facts = Facts {
        checkpoint,
        outbox,
        last_run: serde_json::from_str(&state.last_run()?).ok(),
        former_owner: state.former_owner()?,
        bounds: Connections::new(&job, clock)?.source.bounds(),
        job: &job,
    };
    let text = if status.json {
        facts.json().to_string() + "\n"
    } else {
        facts.text()
    };
    print_data("Write the status", &text)?;
    let lagging = facts
        .checkpoint
        .as_ref()
        .is_some_and(|checkpoint| checkpoint.positions.len() > 1);
    let beyond = facts.positions().iter().any(|p| facts.is_beyond(p));
    Ok(
        if facts.outbox.is_empty() && !lagging && !beyond && facts.bounds.is_ok() {
            Exit::Done
        } else {
            Exit::Attention
        },
    )
}

struct Facts<'a> {
    job: &'a Job,
    checkpoint: Option<Checkpoint>,
    outbox: Outbox,
    last_run: Option<Value>,
    /// Whose state it is, when that configuration is gone.
    former_owner: Option<String>,
    bounds: Result<Bounds>,
}

/// The callbacks owed to one destination.
struct OwedTo<'a> {
    destination: &'a str,
    count: u64,
    oldest: &'a Owed,
}

impl Facts<'_> {
    fn owed(&self) -> Vec<OwedTo<'_>> {
        let mut all: Vec<OwedTo<'_>> = Vec::new();
        for owed in self.outbox.iter() {
            match all
                .last_mut()
                .filter(|to| to.destination == owed.destination)
            {
                Some(to) => {
                    to.count += 1;
                    if owed.detected_us < to.oldest.detected_us {
                        to.oldest = owed;
                    }
                }
                None => all.push(OwedTo {
                    destination: &owed.destination,
                    count: 1,
                    oldest: owed,
                }),
            }
        }
        all
    }

    /// Ids and microseconds between a position and the table.
    fn behind(&self, position: &Position) -> (Option<u64>, Option<i64>) {
        let Ok(bounds) = &self.bounds else {
            return (None, None);
        };
        let ids = position.next_id.map(|next_id| {
            let left = bounds.id_max.map_or(0, |max| max - next_id + 1).max(0);
            u64::try_from(left).unwrap_or(u64::MAX)
        });
        (
            ids,
            position
                .update
                .as_ref()
                .map(|update| (bounds.now_us - update.until_us).max(0)),
        )
    }

    /// The table's ids went back behind the position.
    fn is_beyond(&self, position: &Position) -> bool {
        let source = &self.job.source;
        let start_id = source.start_id.unwrap_or(0);
        let bounds = self.bounds.as_ref().ok().filter(|_| source.insert);
        bounds.is_some_and(|bounds| position.is_beyond(bounds.id_max, start_id))
    }

    /// What is said of that.
    fn beyond_text(&self) -> String {
        let id_max = self.bounds.as_ref().ok().and_then(|bounds| bounds.id_max);
        match id_max {
            Some(id) => format!("the highest id is only {id}: ids went back"),
            None => "the table is empty now".into(),
        }
    }

    fn positions(&self) -> &[Position] {
        self.checkpoint
            .as_ref()
            .map_or(&[], |checkpoint| &checkpoint.positions)
    }

    fn text(&self) -> String {
        let table = &self.job.source.table;
        let mut out = String::new();
        let mut line = |label: &str, text: &str| {
            let _ = writeln!(out, "{label:<11} {text}"); // Writing to a String cannot fail.
        };
        line(
            "config",
            &format!("{} ({})", self.job.name, self.job.path.display()),
        );
        if let Some(owner) = &self.former_owner {
            line(
                "state of",
                &format!("{owner}, which is gone; the next run takes it over"),
            );
        }
        line("source", &table.name());
        if let Err(error) = &self.bounds {
            line("unread", &error.to_string());
        }
        if self.checkpoint.is_none() {
            line("checkpoint", "none: the first run has not ended yet");
        }
        for position in self.positions() {
            let (ids, us) = self.behind(position);
            let mut parts = vec![];
            if let Some(next_id) = position.next_id {
                let behind = if self.is_beyond(position) {
                    format!(" ({})", self.beyond_text())
                } else {
                    ids.map_or(String::new(), |ids| {
                        format!(" ({} behind)", counted(ids, "id"))
                    })
                };
                parts.push(format!("next id {next_id}{behind}"));
            }
            if let Some(update) = &position.update {
                let behind = us.map_or(String::new(), |us| {
                    format!(" ({}.{} s behind)", us / 1_000_000, us / 100_000 % 10)
                });
                parts.push(format!(
                    "updates up to {}{behind}",
                    rfc3339(update.until_us)
                ));
            }
            if !position.gaps.is_empty() {
                let holes = position.gaps.holes.len() + position.gaps.ranges.len();
                parts.push(format!(
                    "{} below that may still be filled",
                    counted(holes as u64, "gap")
                ));
            }
            line(
                "checkpoint",
                &format!("{}: {}", position.destinations.join(", "), parts.join(", ")),
            );
        }
        if self.outbox.is_empty() {
            line("owed", "nothing");
        }
        for OwedTo {
            destination,
            count,
            oldest,
        } in self.owed()
        {
            let last = oldest
                .last_error
                .as_deref()
                .map_or(String::new(), |error| format!(", last answer: {error}"));
            line(
                "owed",
                &format!(
                    "{destination}: {}, the oldest detected {} and tried {} times{last}",
                    counted(count, "callback"),
                    rfc3339(oldest.detected_us),
                    oldest.attempts
                ),
            );
        }
        match &self.last_run {
            None => line("last run", "none"),
            Some(run) => {
                let field = |name: &str| run[name].as_str().unwrap_or("?").to_owned();
                line(
                    "last run",
                    &format!(
                        "{}, exit {}: {}",
                        field("endedAt"),
                        run["exit"],
                        field("summary")
                    ),
                );
            }
        }
        out
    }

    fn json(&self) -> Value {
        let table = &self.job.source.table;
        let positions = self.positions().iter().map(|position| {
            let (ids, us) = self.behind(position);
            json!({
                "destinations": position.destinations,
                "nextId": position.next_id,
                "idsBehind": ids,
                "idsWentBack": self.is_beyond(position),
                "updatesUntil": position.update.as_ref().map(|update| rfc3339(update.until_us)),
                "updatesBehindMs": us.map(|us| us / 1000),
                "gaps": position.gaps.holes.len() + position.gaps.ranges.len(),
            })
        });
        let owed = self.owed();
        let owed = owed.iter().map(
            |OwedTo {
                 destination,
                 count,
                 oldest,
             }| {
                json!({
                    "destination": destination,
                    "count": count,
                    "oldestDetectedAt": rfc3339(oldest.detected_us),
                    "oldestAttempts": oldest.attempts,
                    "oldestLastError": oldest.last_error,
                })
            },
        );
        json!({
            "name": self.job.name,
            "config": self.job.path,
            "formerConfig": self.former_owner,
            "source": table.name(),
            "sourceError": self.bounds.as_ref().err().map(ToString::to_string),
            "idMax": self.bounds.as_ref().ok().and_then(|bounds| bounds.id_max),
            "checkpoint": self.checkpoint.as_ref().map(|_| positions.collect::<Vec<_>>()),
            "owed": owed.collect::<Vec<_>>(),
            "owedTotal": self.outbox.len(),
            "lastRun": self.last_run,
        })
    }
}
