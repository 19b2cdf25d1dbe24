//! The note in the lock file: how the last command ended, for the next one to read.

use serde_json::{Value, json};

use crate::error::{Exit, Result};
use crate::io::heartbeat::Heart;
use crate::io::state_dir::{Lock, StateDir};
use crate::logic::notify::heartbeat::Beat;
use crate::logic::report::line::rfc3339;
use crate::logic::report::summary::Summary;

/// Notes how something ended, and starts the heartbeat that is due. `exit_of` is the exit status of what came to its end.
pub(super) fn note(
    outcome: &Result<Summary>,
    exit_of: impl Fn(&Summary) -> Exit,
    lock: Option<&mut Lock>,
    heart: &mut Heart,
    now_us: i64,
) {
    let (exit, text) = match outcome {
        Ok(summary) => (exit_of(summary), summary.line()),
        Err(error) => (error.exit(), error.to_string()),
    };
    let beat = heart.pass_ended(exit, now_us);
    if let Some(lock) = lock {
        lock.note(&text_of(now_us, exit, &text, beat));
    }
}

/// The last heartbeat, as the note of the last run has it.
pub(super) fn last_beat(state: &StateDir) -> Option<Beat> {
    let note: Value = serde_json::from_str(&state.last_run().ok()?).ok()?;
    serde_json::from_value(note.get("heartbeat")?.clone()).ok()
}

fn text_of(now_us: i64, exit: Exit, text: &str, beat: Option<Beat>) -> String {
    let mut note = json!({ "endedAt": rfc3339(now_us), "exit": exit as u8, "summary": text });
    if let Some(beat) = beat {
        note["heartbeat"] = json!(beat);
    }
    note.to_string() + "\n"
}
