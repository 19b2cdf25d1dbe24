//! What to scan next: holes below the highest id, new ids, the update window.
//!
//! A [`Scan`] turns a [`Position`] into requests, one batch each, and moves the position when the batch's rows are
//! known. Nothing is behind the position unless its batch was requested and came back, so a caller that saves the
//! position only after the batches before it were compared can be killed at any moment.
//!
//! * **Suspects** of an audit are looked at first, and forgotten as they are.
//! * **Ids** go from `next_id` to the highest id at the pass's start; what is missing on the way goes into [`crate::logic::scan::gaps::Gaps`].
//! * **Updates** go from the end of the last window, minus what may still come late, to the source server's clock at
//!   the pass's start, in the order (update time, id). The bounds are instants, so a pause of an hour makes a window
//!   of an hour, and they come from one clock, the server's. When that clock is set back, the window begins that much
//!   earlier.

use std::collections::VecDeque;

use crate::logic::scan::bounds::Bounds;
use crate::logic::scan::checkpoint::{Cursor, Position, Resume, SEEN_MAX, Seen, UpdatePosition};
use crate::logic::scan::gaps::Span;
use crate::logic::value::cell::{Cell, ColumnType, Id};
use crate::logic::value::row::Row;

/// What the configuration says about scanning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Look at new ids.
    pub insert: bool,
    /// Look at updated rows.
    pub update: bool,
    /// Where the first pass starts.
    pub start_id: Id,
    /// `src.lateCommitSecond`, in microseconds.
    pub late_commit_us: i64,
    /// `src.updateScanSecond`, in microseconds.
    pub update_scan_us: i64,
}

/// Rows in a batch, at the most.
pub const BATCH_ROWS_MAX: usize = 4_096;
/// A batch grows and shrinks towards this many bytes of row values.
const BATCH_BYTES: usize = 4 << 20;
/// Nothing is known of their width yet.
const BATCH_ROWS_FIRST: usize = 128;
const SPANS_PER_REQUEST: usize = 256;

/// One batch to read from the source.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Which rows.
    pub what: What,
    /// How many at the most; fewer coming back means that there are no more.
    pub limit: usize,
}

impl Request {
    /// An earlier pass noted the ids of its rows.
    #[must_use]
    pub fn is_of_known_ids(&self) -> bool {
        matches!(self.what, What::Holes(_) | What::Again(_))
    }
}

/// Which rows a batch holds.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Ids that were missing, in id order.
    Holes(Vec<Span>),
    /// Ids that the first look of an audit did not find equal, in id order.
    Suspects(Vec<Span>),
    /// Landmarks, in id order: nothing is read of their rows but id and key.
    Keys(Vec<Span>),
    /// A range that is read once more, in id order.
    Again(Span),
    /// New ids, in id order.
    New(Span),
    /// Rows whose update time lies between the two moments (microseconds since 1970, both inclusive, at the column's
    /// precision rounded down) and that come after the cursor in the order (update time, id).
    Updated {
        /// Window's begin.
        from_us: i64,
        /// Window's end.
        to_us: i64,
        /// The last row of the batch before.
        after: Option<Cursor>,
    },
}

/// One pass over one position.
#[derive(Clone, Debug)]
pub struct Scan {
    position: Position,
    bounds: Bounds,
    limits: Limits,
    todo: VecDeque<What>,
    /// Rows met so far in the window that is under way.
    met: Seen,
    batch_rows: usize,
    holes_left: usize,
}

impl Scan {
    /// Plans a pass that starts at `position`.
    #[must_use]
    pub fn new(mut position: Position, bounds: Bounds, limits: Limits) -> Self {
        let holes: Vec<Span> = position
            .gaps
            .holes
            .iter()
            .map(|gap| Span {
                from: gap.from,
                to: gap.to,
            })
            .collect();
        let mut todo: VecDeque<What> = holes
            .chunks(SPANS_PER_REQUEST)
            .map(|spans| What::Holes(spans.to_vec()))
            .collect();
        todo.extend(position.gaps.due_ranges(bounds.now_us).map(What::Again));
        if limits.insert {
            if position.next_id.is_none() {
                position.trail.begin(limits.start_id);
            }
            let next_id = *position.next_id.get_or_insert(limits.start_id);
            if bounds.id_max == Some(next_id - 1) && position.trail.lacks_top(bounds) {
                position.trail.reach(bounds);
            }
            if let Some(to) = bounds.id_max.filter(|&max| max >= next_id) {
                todo.push_back(What::New(Span { from: next_id, to }));
            }
        }
        let holes_left = todo
            .iter()
            .filter(|what| matches!(what, What::Holes(_)))
            .count();
        if limits.update {
            let first = UpdatePosition::beginning(bounds.now_us);
            todo.extend(windows(
                position.update.get_or_insert(first),
                bounds,
                limits,
            ));
        }
        Self {
            position,
            bounds,
            limits,
            todo,
            met: Seen::default(),
            batch_rows: BATCH_ROWS_FIRST,
            holes_left,
        }
    }

    /// The next batch, or `None` when the pass has seen everything.
    pub fn next_request(&mut self) -> Option<Request> {
        let what = if self.position.suspects.is_empty() {
            self.todo.pop_front()?
        } else {
            What::Suspects(self.position.suspects.next(SPANS_PER_REQUEST))
        };
        Some(Request {
            what,
            limit: self.batch_rows,
        })
    }

    /// True when everything was requested, and what was is behind the position.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.todo.is_empty() && self.position.suspects.is_empty()
    }

    /// Where the pass is: everything below was in a batch given to [`Self::advance`].
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Looks at this row once more in the next pass: it changed on both sides while its difference was being confirmed,
    /// so what differs now is another change, on its way.
    pub fn again(&mut self, id: Id) {
        self.position.gaps.again(id, self.due_again_us());
    }

    /// This row is left out of a window to come, and was compared with other content than this.
    #[must_use]
    pub fn remembers_other(&self, id: Id, content: Option<u64>) -> bool {
        self.met.is_other(id, content) || self.position.remembers_other(id, content)
    }

    /// Forgets this row as compared, unless it was with this content ([`Position::forget_other`]).
    pub fn forget_other(&mut self, id: Id, content: Option<u64>) {
        self.met.forget_other(id, content);
        self.position.forget_other(id, content);
    }

    /// Until when a row is looked for that is to be looked at again: it may be away for the moment. The next pass comes
    /// after this one's beginning, and looks once at least.
    #[must_use]
    pub fn due_again_us(&self) -> i64 {
        let late_us = self.limits.late_commit_us.max(1);
        self.bounds.now_us.saturating_add(late_us)
    }

    /// How many new ids lie between the position and the highest one, for people.
    #[must_use]
    pub fn ids_left(&self) -> u64 {
        let left = self.bounds.id_max.zip(self.position.next_id);
        let left = left
            .filter(|_| self.limits.insert)
            .map_or(0, |(max, next_id)| max - next_id + 1);
        u64::try_from(left.max(0)).unwrap_or(u64::MAX)
    }

    /// Moves the position past a batch and returns its rows that have to be compared. The next request may be asked
    /// for only after this.
    pub fn advance(&mut self, request: Request, rows: Vec<Row>) -> Vec<Row> {
        let full = rows.len() >= request.limit;
        let last_id = rows.last().filter(|_| full).map(|row| row.id);
        self.resize(&rows);
        match request.what {
            What::Holes(spans) => self.advance_holes(&spans, last_id, &rows),
            What::Keys(_) => {} // No scan asks for them.
            What::Suspects(spans) => {
                if let Some(id) = last_id.or(spans.last().map(|span| span.to)) {
                    self.position.suspects.forget_to(id);
                }
            }
            What::Again(span) => {
                let rest = rest_of(span, last_id);
                let read_to = rest.map_or(span.to, |rest| rest.from - 1);
                self.position
                    .gaps
                    .range_read(span.from, read_to, self.bounds.now_us);
                self.first(rest.map(What::Again));
            }
            What::New(span) => {
                let rest = rest_of(span, last_id);
                let read_to = rest.map_or(span.to, |rest| rest.from - 1);
                if self.limits.late_commit_us > 0 {
                    let due_us = self
                        .bounds
                        .now_us
                        .saturating_add(self.limits.late_commit_us);
                    let ids = rows.iter().map(|row| row.id);
                    self.position.gaps.note(
                        Span {
                            from: span.from,
                            to: read_to,
                        },
                        ids,
                        due_us,
                    );
                }
                self.position.next_id = Some(read_to + 1);
                self.position.trail.pass(&rows, read_to + 1);
                if self.bounds.id_max == Some(read_to) {
                    self.position.trail.reach(self.bounds);
                }
                self.first(rest.map(What::New));
                self.remember_new(&rows);
            }
            What::Updated {
                from_us,
                to_us,
                after: _,
            } => return self.advance_window(from_us, to_us, full, rows),
        }
        rows
    }

    fn first(&mut self, what: Option<What>) {
        if let Some(what) = what {
            self.todo.push_front(what);
        }
    }

    fn advance_holes(&mut self, spans: &[Span], last_id: Option<Id>, rows: &[Row]) {
        for row in rows {
            self.position.gaps.fill(row.id);
        }
        self.remember_new(rows);
        let rest: Vec<Span> = match last_id {
            Some(id) => spans
                .iter()
                .filter_map(|&span| rest_of(span, Some(id.max(span.from - 1))))
                .collect(),
            None => vec![],
        };
        if !rest.is_empty() {
            return self.first(Some(What::Holes(rest)));
        }
        self.holes_left -= 1;
        if self.holes_left == 0 {
            // Every hole that was due when the pass began has now had its last look.
            self.position.gaps.forget_due(self.bounds.now_us);
        }
    }

    /// A row compared as new need not be compared once more when its update time brings it into the window.
    fn remember_new(&mut self, rows: &[Row]) {
        let Some(update) = self.position.update.as_mut().filter(|_| self.limits.update) else {
            return;
        };
        if update.seen.len() + rows.len() > SEEN_MAX {
            update.seen = Seen::default(); // The window will hold the latest rows, not the first.
        }
        for row in rows {
            update.seen.insert(row.id, row.fingerprint());
        }
    }

    fn advance_window(
        &mut self,
        from_us: i64,
        to_us: i64,
        full: bool,
        mut rows: Vec<Row>,
    ) -> Vec<Row> {
        let last = rows.last().map(|row| Cursor {
            time: cursor_text(&row.updated),
            id: row.id,
        });
        let Some(update) = &mut self.position.update else {
            return rows;
        };
        rows.retain(|row| {
            let fingerprint = row.fingerprint();
            self.met.insert(row.id, fingerprint);
            self.position.trail.meet(row);
            !update.seen.contains(row.id, fingerprint)
        });
        if let Some(after) = last.filter(|_| full) {
            update.resume = Some(Resume {
                to_us,
                after: after.clone(),
            });
            self.todo.push_front(What::Updated {
                from_us,
                to_us,
                after: Some(after),
            });
        } else {
            *update = UpdatePosition {
                until_us: to_us,
                resume: None,
                seen: std::mem::take(&mut self.met),
                moments: update.moments.take(),
            };
        }
        rows
    }

    /// Keeps batches of wide rows small and batches of narrow rows large.
    fn resize(&mut self, rows: &[Row]) {
        let bytes: usize = rows.iter().map(Row::size_bytes).sum();
        if let Some(row_bytes) = bytes.checked_div(rows.len()) {
            let fitting = BATCH_BYTES / row_bytes.max(1);
            self.batch_rows = fitting
                .clamp(1, BATCH_ROWS_MAX)
                .min(self.batch_rows.saturating_mul(4));
        }
    }
}

/// What of `span` comes after `last_id`; `None` when the batch was the last.
fn rest_of(span: Span, last_id: Option<Id>) -> Option<Span> {
    last_id.filter(|&id| id < span.to).map(|id| Span {
        from: id + 1,
        to: span.to,
    })
}

/// The windows of one pass: what was left of one, then the one up to now.
fn windows(update: &UpdatePosition, bounds: Bounds, limits: Limits) -> Vec<What> {
    let back_us = limits.update_scan_us.saturating_add(limits.late_commit_us);
    let from = |until_us: i64| until_us.min(bounds.now_us).saturating_sub(back_us);
    let left = update
        .resume
        .as_ref()
        .map(|Resume { to_us, after }| What::Updated {
            from_us: from(update.until_us),
            to_us: *to_us,
            after: Some(after.clone()),
        });
    let until_us = update
        .resume
        .as_ref()
        .map_or(update.until_us, |resume| resume.to_us);
    let new = What::Updated {
        from_us: from(until_us),
        to_us: bounds.now_us,
        after: None,
    };
    left.into_iter().chain([new]).collect()
}

/// An update time as text that the server orders and compares like the column itself.
fn cursor_text(cell: &Cell) -> String {
    crate::logic::value::print::text(cell, ColumnType::DateTime(6)).into_owned()
}

#[cfg(test)]
mod tests;
