//! A pass in one line.

use super::{Counts, Pause, Scanned, Summary};
use crate::error::Exit;
use crate::logic::value::count::{counted, grouped, grouped_id};

/// Destinations that compared different numbers of rows are named one by one up to this many.
const NAMED_MAX: usize = 4;

impl Summary {
    /// What a terminal shows of a pass.
    #[must_use]
    pub fn pass_line(&self) -> String {
        match self.scanned.filter(|_| self.is_in_sync()) {
            Some(scanned) => self.in_sync_text(scanned),
            None => self.line(),
        }
    }

    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        let total = self.total();
        let mut parts = vec![self.compared_text()];
        let owed = if self.dry_run {
            "would be called back"
        } else {
            "still owed"
        };
        for (count, text) in [
            (total.missing, "missing"),
            (total.different, "different"),
            (total.agreed_later, "agreed at the second look"),
            (total.duplicate_keys, "duplicate in a destination"),
            (total.extra, "only in a destination"),
            (
                total.unfindable_keys,
                "with a key that a destination cannot look for",
            ),
            (self.rows_without_id, "without an id and not compared"),
            (total.dropped(), "owed before and repaired meanwhile"),
            (total.delivered, "called back"),
            (total.unrepaired, "taken before and not repaired"),
            (total.failed_tries(), "failed to be called back at a try"),
            (self.owed(), owed),
            (self.too_large(), "too large to be read"),
        ] {
            if count > 0 {
                parts.push(format!("{} {text}", grouped(count)));
            }
        }
        for unread in self.unread() {
            parts.push(format!("could not read {}", unread.destination));
        }
        parts.extend(self.pauses());
        if self.interrupted {
            parts.push("stopped before the end".into());
        }
        if self.is_in_sync() && total.compared > 0 {
            parts.push("in sync".into());
        }
        format!("{}, {}", parts.join(", "), self.duration_text())
    }

    fn duration_text(&self) -> String {
        format!(
            "{}.{:03} s",
            self.duration_ms / 1000,
            self.duration_ms % 1000
        )
    }

    /// Which scans stopped early, and why.
    fn pauses(&self) -> Vec<String> {
        if let Some(pause) = self.paused {
            return vec![format!("scan paused because {} is reached", pause.key())];
        }
        let of = |pause: Pause| {
            let paused = self.each.iter().filter(|it| it.paused == Some(pause));
            let names: Vec<&str> = paused.map(|it| it.name.as_str()).collect();
            let (names, key) = (names.join(", "), pause.key());
            (!names.is_empty()).then(|| format!("scan of {names} paused because {key} is reached"))
        };
        Pause::ALL.into_iter().filter_map(of).collect()
    }

    /// Every row that was compared agreed at once, and nothing is left.
    fn is_in_sync(&self) -> bool {
        let total = self.total();
        let only_compared = Counts {
            compared: total.compared,
            ..Counts::default()
        };
        self.exit() == Exit::Done && !self.interrupted && total == only_compared
    }

    /// `in sync: 0 new, 3 updated rows compared, next id 300,001, 0.011 s`.
    fn in_sync_text(&self, Scanned { new, updated }: Scanned) -> String {
        let next_ids = self.each.iter().filter_map(|it| it.position.next_id);
        let next_id = next_ids
            .min()
            .map_or(String::new(), |id| format!(", next id {}", grouped_id(id)));
        format!(
            "in sync: {} new, {} compared{next_id}, {}",
            grouped(new),
            counted(updated, "updated row"),
            self.duration_text()
        )
    }

    /// How many rows were compared, with which destinations. A row counts once, however many copies it has.
    fn compared_text(&self) -> String {
        let counts = || self.each.iter().map(|it| it.counts.compared);
        let (least, most) = (counts().min().unwrap_or(0), counts().max().unwrap_or(0));
        let rows = counted(most, "row");
        match self.each.len() {
            0 | 1 => format!("{rows} compared"),
            _ if most == 0 => format!("{rows} compared"),
            destinations if least == most => {
                format!("{rows} compared with each of {destinations} destinations")
            }
            2..=NAMED_MAX => {
                let each = self.each.iter().enumerate().map(|(number, it)| {
                    let rows = match number {
                        0 => format!("{} compared", counted(it.counts.compared, "row")),
                        _ => grouped(it.counts.compared),
                    };
                    format!("{rows} with {}", it.name)
                });
                each.collect::<Vec<_>>().join(", ")
            }
            destinations => format!(
                "{} to {rows} compared with each of {destinations} destinations",
                grouped(least)
            ),
        }
    }
}
