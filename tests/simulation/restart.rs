//! Ids that start again, and rows that are away for a moment.

use crate::model::{Event, Model};
use crate::plan::{MS, SECOND};
use crate::table::Replica;

/// So far above the others is a huge id.
const HUGE: i64 = 50_000;

/// The source fails over to a replica that is behind, which catches up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Away {
    /// The last moment that the replica knows of.
    Behind,
    FailOver,
    CaughtUp,
}

/// A huge id.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Huge {
    Inserted,
    /// And the ids go on from here.
    Deleted {
        next_id: i64,
    },
}

impl Model {
    /// What the plan has in store.
    pub(crate) fn schedule_restarts(&mut self) {
        let away_us = self.plan.away_max();
        if self.plan.fails_over && away_us > 0 {
            let mut at_us = 0;
            for _ in 0..3 {
                at_us += self.rng.between(SECOND, 20 * SECOND);
                self.schedule(at_us, Event::Away(Away::Behind));
                at_us += self.rng.between(0, away_us / 2);
                self.schedule(at_us, Event::Away(Away::FailOver));
                at_us += self.rng.between(MS, away_us / 2);
                self.schedule(at_us, Event::Away(Away::CaughtUp));
            }
        }
        if self.plan.huge_ids {
            let at_us = self.rng.between(0, 20 * SECOND);
            self.schedule(at_us, Event::Huge(Huge::Inserted));
        }
    }

    pub(crate) fn go_away(&mut self, away: Away) {
        self.tell(|| format!("the source is away: {away:?}"));
        let (table, tick) = (&mut self.table, self.tick);
        match away {
            Away::Behind => {
                let rows = table.rows.clone();
                table.snapshot = Some(Replica { rows, tick });
            }
            Away::FailOver => table.stale = table.snapshot.take(),
            Away::CaughtUp => table.stale = None,
        }
    }

    pub(crate) fn huge(&mut self, huge: Huge) {
        if !self.writing && matches!(huge, Huge::Inserted) {
            return;
        }
        self.tell(|| format!("a huge id: {huge:?}"));
        match huge {
            Huge::Inserted => {
                let next_id = self.skip_to(0);
                self.skip_to(next_id + HUGE);
                self.insert_rows(1);
                let in_us = self.rng.between(0, 2 * self.plan.late.min(20 * SECOND));
                self.schedule(in_us, Event::Huge(Huge::Deleted { next_id }));
            }
            Huge::Deleted { next_id } => {
                self.remove_from(next_id, true);
            }
        }
    }

    /// TRUNCATE, and other rows instead.
    pub(crate) fn restart(&mut self) {
        let rows = self.table.rows.len() as u64;
        let is_copied = self.rng.chance(500);
        let count = self.rng.below(rows * 3 / 2 + 3);
        self.tell(|| format!("the source is truncated and gets {count} other rows"));
        let first_id = self.plan.first_id;
        self.remove_from(first_id, is_copied);
        self.table.keeps_rows = true;
        self.insert_rows(usize::try_from(count).unwrap_or(0));
    }
}
