//! Counts of a pass, their text, their JSON and the exit status.

use serde::Serialize;

use crate::error::Exit;
use crate::logic::value::cell::Id;
use crate::logic::value::count::{counted, grouped};

/// What a pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The configuration's `name`.
    pub name: String,
    /// Source rows compared, each once for each destination.
    pub compared: u64,
    /// Rows that looked different at first and agreed, were gone or changed again at the second look.
    pub agreed_later: u64,
    /// Differences that were still there at the second look.
    pub confirmed: u64,
    /// Of those, rows that the destination lacks.
    pub missing: u64,
    /// Of those, rows that differ.
    pub different: u64,
    /// Keys for which a destination has several rows.
    pub duplicate_keys: u64,
    /// Rows that only a destination has, where an audit looked for them.
    pub extra: u64,
    /// Keys that a destination cannot look for.
    pub unfindable_keys: u64,
    /// Source rows without an id, which are not compared.
    pub rows_without_id: u64,
    /// Owed callbacks whose rows were found repaired or gone.
    pub repaired: u64,
    /// Of those, rows that are gone.
    pub gone: u64,
    /// Callbacks delivered.
    pub delivered: u64,
    /// Tries that failed.
    pub failed_tries: u64,
    /// Callbacks still owed.
    pub owed: u64,
    /// Rows that are set aside, for they are too large to be read.
    pub too_large: u64,
    /// True when the scan stopped early because `maxOwed` callbacks are owed.
    pub paused: bool,
    /// True when a signal, or the end of the time for it, stopped the scan early.
    pub interrupted: bool,
    /// Destinations that could not be read, with the reason.
    pub unread: Vec<Unread>,
    /// Number of destinations.
    pub destinations: usize,
    /// Nothing was sent and nothing saved.
    pub dry_run: bool,
    /// The highest id of the source, up to the last one that was asked for.
    #[serde(skip)]
    pub id_max: Option<Id>,
    /// How long the pass took.
    pub duration_ms: u64,
}

/// A destination that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// Its name.
    pub destination: String,
    /// Why.
    pub reason: String,
    /// The exit status that the reason has when no destination could be read.
    #[serde(skip)]
    pub exit: Exit,
}

impl Summary {
    /// The exit status of a pass that came to its end.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.unread.len() == self.destinations {
            self.unread
                .iter()
                .map(|unread| unread.exit)
                .max()
                .unwrap_or(Exit::Done)
        } else if !self.unread.is_empty()
            || self.owed + self.too_large > 0
            || self.paused
            || self.rows_without_id > 0
        {
            Exit::Attention
        } else {
            Exit::Done
        }
    }

    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let mut parts = vec![format!("{} compared", counted(self.compared, "row"))];
        let owed = if self.dry_run {
            "would be called back"
        } else {
            "still owed"
        };
        for (count, text) in [
            (self.missing, "missing"),
            (self.different, "different"),
            (self.agreed_later, "agreed at the second look"),
            (self.duplicate_keys, "duplicate in a destination"),
            (self.extra, "only in a destination"),
            (
                self.unfindable_keys,
                "with a key that a destination cannot look for",
            ),
            (self.rows_without_id, "without an id and not compared"),
            (self.repaired, "owed before and repaired meanwhile"),
            (self.delivered, "called back"),
            (self.failed_tries, "failed to be called back at a try"),
            (self.owed, owed),
            (self.too_large, "too large to be read"),
        ] {
            if count > 0 {
                parts.push(format!("{} {text}", grouped(count)));
            }
        }
        for unread in &self.unread {
            parts.push(format!("could not read {}", unread.destination));
        }
        if self.paused {
            parts.push("scan paused because maxOwed is reached".into());
        }
        if self.interrupted {
            parts.push("stopped before the end".into());
        }
        format!(
            "{}, {}.{:03} s",
            parts.join(", "),
            self.duration_ms / 1000,
            self.duration_ms % 1000
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unread(exit: Exit) -> Unread {
        Unread {
            destination: "d".into(),
            reason: "down".into(),
            exit,
        }
    }

    #[test]
    fn the_exit_status_says_what_is_left() {
        let two = Summary {
            destinations: 2,
            ..Summary::default()
        };
        assert_eq!(two.exit(), Exit::Done);
        assert_eq!(
            Summary {
                owed: 1,
                ..two.clone()
            }
            .exit(),
            Exit::Attention
        );
        assert_eq!(
            Summary {
                paused: true,
                ..two.clone()
            }
            .exit(),
            Exit::Attention
        );
        assert_eq!(
            Summary {
                unread: vec![unread(Exit::Failed)],
                ..two.clone()
            }
            .exit(),
            Exit::Attention
        );
        let all = vec![unread(Exit::Failed), unread(Exit::Config)];
        assert_eq!(Summary { unread: all, ..two }.exit(), Exit::Config);
    }

    #[test]
    fn the_line_names_what_there_was_and_nothing_else() {
        let quiet = Summary {
            compared: 1,
            duration_ms: 1_002,
            ..Summary::default()
        };
        assert_eq!(quiet.line(), "1 row compared, 1.002 s");
        let busy = Summary {
            compared: 12_345,
            missing: 1,
            agreed_later: 2,
            owed: 3,
            paused: true,
            interrupted: true,
            unread: vec![unread(Exit::Failed)],
            duration_ms: 45,
            ..Summary::default()
        };
        assert_eq!(
            busy.line(),
            "12,345 rows compared, 1 missing, 2 agreed at the second look, 3 still owed, could not read d, \
             scan paused because maxOwed is reached, stopped before the end, 0.045 s"
        );
        let dry = Summary {
            dry_run: true,
            ..busy
        };
        assert!(dry.line().contains(", 3 would be called back, "));
    }
}
