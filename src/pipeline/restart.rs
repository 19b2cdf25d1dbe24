//! Ids that start again: a pass goes back to the highest id that is still the row that was
//! compared.
//!
//! [`crate::logic::scan::trail`] decides what the landmarks mean. Here they are read, the position
//! is moved back before the scan is planned, and people are told.

use super::options::Asked;
use super::pass::{Pass, micros};
use crate::error::Result;
use crate::logic::report::notice::{Notice, Restart};
use crate::logic::scan::bounds::Bounds;
use crate::logic::scan::checkpoint::Position;
use crate::logic::scan::gaps::Span;
use crate::logic::scan::plan::{Request, What};
use crate::logic::scan::trail::{Around, Finding, LOWEST_ID, MARKS_MAX, Start, without_wide_cells};
use crate::logic::value::cell::Id;
use crate::logic::value::row::Row;
use crate::world::Batch;

impl Pass<'_> {
    /// Moves a position back when ids that it has passed are there anew.
    pub(super) fn follow_ids(&self, position: &mut Position, bounds: Bounds) -> Result<()> {
        let Some(next_id) = position.next_id else {
            return Ok(());
        };
        let around = Around {
            next_id,
            bounds,
            start_id: self.job.source.start_id.unwrap_or(0),
            update: matches!(self.asked, Asked::Run(run) if run.update)
                && self.job.source.update.is_some()
                && position.update.is_some(),
        };
        let Some(doubt) = position.trail.doubt(around) else {
            return Ok(());
        };
        let spans = position.trail.spans(bounds.id_max);
        let what = if position.trail.needs_cells() {
            What::Suspects
        } else {
            What::Keys
        };
        let rows = self.landmarks(spans, what)?;
        let finding = position.trail.judge(doubt, &rows, around);
        let mut from = next_id;
        match finding {
            Finding::Unchanged | Finding::Emptied => {}
            Finding::AllGone(start) => self.look_for_late_rows(position, start, around),
            Finding::Again(Start::At(id)) => {
                from = id;
                position.go_back(from);
            }
            Finding::Again(Start::Lowest) => {
                from = self.lowest_id(bounds)?.unwrap_or(next_id);
                // No landmark is left that would tell when rows come below the lowest one.
                position.go_back(position.trail.first_id(around).min(from));
            }
        }
        if !finding.is_usual() {
            let is_news = position.trail.tell(finding, bounds.now_us);
            if is_news || finding != Finding::Emptied {
                let restart = Restart {
                    table: self.job.source.table.name(),
                    compared_to: next_id - 1,
                    id_max: bounds.id_max,
                    doubt,
                    finding,
                    from,
                };
                self.observer.tell(&Notice::Restarted { restart, is_news });
            }
        }
        Ok(())
    }

    /// Rows that were passed without being there are looked for as long as any that commit late.
    fn look_for_late_rows(&self, position: &mut Position, start: Start, around: Around) {
        let from = match start {
            Start::At(id) => id,
            Start::Lowest => position.trail.first_id(around),
        };
        let to = around.next_id - 1;
        let late_us = micros(self.job.source.late_commit);
        if late_us > 0 && from <= to {
            let due_us = around.bounds.now_us.saturating_add(late_us);
            position.gaps.reopen(Span { from, to }, due_us);
        }
    }

    /// All rows of these spans, each of one id.
    fn landmarks(&self, mut spans: Vec<Span>, what: fn(Vec<Span>) -> What) -> Result<Vec<Row>> {
        let mut found = Vec::new();
        while !spans.is_empty() {
            let (what, limit) = (what(spans.clone()), MARKS_MAX);
            let Batch { rows, is_cut, .. } = self.source().scan(&Request { what, limit }, &[])?;
            let read_to = rows.last().filter(|_| is_cut).map(|row| row.id);
            found.extend(rows.into_iter().map(without_wide_cells));
            spans.retain(|span| read_to.is_some_and(|read_to| span.from > read_to));
        }
        Ok(found)
    }

    /// The lowest id that `src.where` leaves; `None` where there is none up to the highest.
    fn lowest_id(&self, bounds: Bounds) -> Result<Option<Id>> {
        let Some(to) = bounds.id_max else {
            return Ok(None);
        };
        let from = LOWEST_ID.min(to);
        let what = What::New(Span { from, to });
        let rows = self.source().scan(&Request { what, limit: 1 }, &[])?.rows;
        Ok(Some(rows.first().map_or(to + 1, |row| row.id)))
    }
}
