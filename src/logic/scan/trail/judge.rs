//! What the landmarks say when they are looked at again: the same table, another one, or one of which the end is another.

use std::collections::HashMap;

use super::mark::{Mark, mark_of};
use super::{Around, Doubt, Finding, Start, Trail};
use crate::logic::value::cell::Id;
use crate::logic::value::row::Row;

/// So many ids below the highest one are compared again without much thought: one batch.
const MARGIN_IDS: Id = 4_096;
/// So many landmarks speak for a whole large table; fewer speak for what was compared since they began.
const MARKS_MANY: usize = 16;

/// A landmark, looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Same,
    Gone,
    /// The row is there, and its print cannot be told.
    Unknown,
    Other {
        print: u64,
    },
}

impl Trail {
    /// Judges by the rows that the landmarks' ids have now, and brings the trail up to date.
    pub fn judge(&mut self, doubt: Doubt, rows: &[Row], around: Around) -> Finding {
        let rows: HashMap<Id, &Row> = rows.iter().map(|row| (row.id, row)).collect();
        let sight = |mark: &Mark| self.sight(*mark, rows.get(&mark.id).copied());
        let sights: Vec<Sight> = self.marks.iter().map(sight).collect();
        let finding = match doubt {
            Doubt::WentBack => self.after_going_back(&sights, around),
            Doubt::MayBeOther => self.among_new_ids(&sights, around),
        };
        self.update(&sights, finding);
        if finding.is_usual() && around.bounds.id_max == Some(around.next_id - 1) {
            self.reach(around.bounds);
        }
        finding
    }

    fn sight(&self, mark: Mark, row: Option<&Row>) -> Sight {
        let Some(row) = row else { return Sight::Gone };
        match mark_of(row) {
            // Its kind, or what goes into its print, has changed with the configuration or the table.
            Some(now) if now.is_of_cells != mark.is_of_cells => Sight::Unknown,
            Some(_) if mark.is_of_cells && row.cells.len() != self.columns => Sight::Unknown,
            Some(now) if now.print == mark.print => Sight::Same,
            Some(now) => Sight::Other { print: now.print },
            None => Sight::Unknown,
        }
    }

    /// Landmarks above that one whose rows have other keys.
    fn others(&self, sights: &[Sight]) -> Vec<Id> {
        let from = agreed(sights).map_or(0, |at| at + 1);
        let above = self.marks.iter().zip(sights).skip(from);
        above
            .filter(|(mark, sight)| !mark.is_of_cells && matches!(sight, Sight::Other { .. }))
            .map(|(mark, _)| mark.id)
            .collect()
    }

    fn after_going_back(&self, sights: &[Sight], around: Around) -> Finding {
        let Some(max) = around.bounds.id_max else {
            return Finding::Emptied;
        };
        let floor = self.first_id(around);
        let margin = (max - MARGIN_IDS + 1).max(floor);
        let gone = around.next_id - 1 - max;
        if let Some(at) = agreed(sights) {
            let after = self.marks[at].id + 1;
            // Where most ids are gone, rows may have come again as they were.
            let is_refilled = gone > max - floor + 1;
            let start = if is_refilled {
                margin.min(after)
            } else {
                after
            };
            return Finding::Again(Start::At(start));
        }
        // Nothing that was compared is there. A large table of which only the latest rows are gone is
        // the same one all the same.
        let is_near = gone < MARGIN_IDS;
        let is_small = max <= MARGIN_IDS;
        Finding::Again(if self.others(sights).is_empty() && is_near && !is_small {
            Start::At(margin)
        } else {
            Start::Lowest
        })
    }

    fn among_new_ids(&self, sights: &[Sight], around: Around) -> Finding {
        let others = self.others(sights);
        let agreed = agreed(sights).map(|at| self.marks[at].id);
        let are_gone = !sights.is_empty() && sights.iter().all(|sight| *sight == Sight::Gone);
        match (others.first(), agreed) {
            (None, _) if are_gone => Finding::AllGone(self.beginning(self.marks[0].id, around)),
            (None, _) if self.is_other_by_cells(sights, around) => Finding::Again(Start::Lowest),
            (None, _) => Finding::Unchanged,
            (Some(_), Some(id)) => Finding::Again(Start::At(id + 1)),
            (Some(&first), None) => Finding::Again(self.beginning(first, around)),
        }
    }

    /// Where a table is compared from again of which no landmark is unchanged.
    fn beginning(&self, first_mark: Id, around: Around) -> Start {
        let is_small = around.bounds.id_max.is_some_and(|max| max <= MARGIN_IDS);
        if is_small || self.marks.len() >= MARKS_MANY {
            Start::Lowest
        } else {
            Start::At(self.from.unwrap_or(first_mark))
        }
    }

    /// Every landmark that is there has other columns than it had.
    fn is_other_by_cells(&self, sights: &[Sight], around: Around) -> bool {
        let is_small = around.bounds.id_max.is_some_and(|max| max <= MARGIN_IDS);
        let is_other = |sight: &Sight| matches!(sight, Sight::Other { .. });
        !around.update
            && !self.is_shaken
            && agreed(sights).is_none()
            && sights.iter().any(is_other)
            && (is_small || self.marks.len() >= MARKS_MANY)
    }

    fn update(&mut self, sights: &[Sight], finding: Finding) {
        let before = match finding {
            Finding::Emptied => return, // It may be filled again with what was there.
            Finding::Unchanged | Finding::AllGone(_) => Id::MAX,
            Finding::Again(Start::At(id)) => id,
            Finding::Again(Start::Lowest) => Id::MIN,
        };
        self.is_emptied = false;
        let was_by_cells = self.marks.iter().any(|mark| mark.is_of_cells);
        let met = agreed(sights).is_some();
        self.is_shaken = !met && (self.is_shaken || before == Id::MIN && was_by_cells);
        let marks = self.marks.iter().zip(sights).filter_map(|(mark, sight)| {
            let mark = match *sight {
                Sight::Gone | Sight::Unknown => return None,
                Sight::Same => *mark,
                Sight::Other { print } => Mark { print, ..*mark },
            };
            (mark.id < before).then_some(mark)
        });
        self.marks = marks.collect();
    }
}

/// The highest landmark that is unchanged.
fn agreed(sights: &[Sight]) -> Option<usize> {
    sights.iter().rposition(|&sight| sight == Sight::Same)
}
