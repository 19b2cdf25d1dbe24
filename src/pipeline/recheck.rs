//! The rows of an earlier report, compared again. Nothing is sent and nothing is saved.
//!
//! A row that is still wrong is compared once more after the confirmation delay, and so is one
//! whose source row is missing. Both may be on their way.

use super::look::{LookError, SecondLook};
use super::options::Asked;
use super::pass::Pass;
use crate::config::Job;
use crate::error::Result;
use crate::logic::compare::rows::Verdict;
use crate::logic::report::line::Fate;
use crate::logic::report::notice::Notice;
use crate::logic::report::recheck::{Counts, ReportedRow};
use crate::logic::value::address::Address;
use crate::world::{Clock, Observer, Tables};

/// What became of the rows of a report.
struct Recheck<'p, 'a> {
    pass: &'p Pass<'a>,
    counts: Counts,
    detected_us: i64,
}

/// Compares these rows. Stops before its end only when it is asked to.
///
/// # Errors
/// When the source cannot be read, or the new report cannot be written.
pub fn recheck(
    job: &Job,
    tables: &Tables<'_>,
    clock: &dyn Clock,
    observer: &dyn Observer,
    rows: &[ReportedRow],
    reports: bool,
) -> Result<Counts> {
    let pass = Pass::new(job, tables, clock, observer, Asked::Recheck { reports });
    let mut recheck = Recheck {
        pass: &pass,
        counts: Counts::default(),
        detected_us: clock.now_us(),
    };
    let left = recheck.look(rows, false)?;
    if !left.is_empty() {
        clock.sleep(job.confirm_delay);
    }
    recheck.look(&left, true)?;
    let mut counts = recheck.counts;
    let summary = pass.summary();
    counts.unread = summary.unread().cloned().collect();
    counts.duration_ms = summary.duration_ms;
    Ok(counts)
}

impl Recheck<'_, '_> {
    /// Looks at rows of all destinations. Returns those to look at once more.
    fn look(&mut self, rows: &[ReportedRow], is_last: bool) -> Result<Vec<ReportedRow>> {
        let mut left = Vec::new();
        for (number, destination) in self.pass.job.destinations.iter().enumerate() {
            let own = rows
                .iter()
                .filter(|row| row.destination == destination.name);
            let ids: Vec<Address> = own.map(|row| row.id).collect();
            let ids = self.look_at(number, ids, is_last)?;
            left.extend(ids.into_iter().map(|id| ReportedRow {
                destination: destination.name.clone(),
                id,
            }));
        }
        Ok(left)
    }

    fn look_at(
        &mut self,
        number: usize,
        mut ids: Vec<Address>,
        is_last: bool,
    ) -> Result<Vec<Address>> {
        let pass = self.pass;
        let (mut again, mut chunk_rows) = (Vec::new(), pass.first_chunk());
        while !ids.is_empty() {
            let is_unread = pass.is_unread(number);
            if is_unread || pass.clock.stopping() {
                self.counts.not_compared += ids.len() as u64;
                self.counts.is_stopped |= !is_unread;
                break;
            }
            let mut now: Vec<Address> = ids.drain(..chunk_rows.now.min(ids.len())).collect();
            let look = match pass.second_look(number, &now) {
                Ok(look) => look,
                Err(LookError::Source(error)) => return Err(error),
                Err(LookError::Destination(error)) => {
                    pass.mark_unread(number, &error);
                    self.counts.not_compared += now.len() as u64;
                    continue;
                }
            };
            chunk_rows = chunk_rows.after(&look.looked);
            let left = |id: &Address| look.left.contains(id);
            ids.splice(0..0, now.iter().copied().filter(left));
            now.retain(|id| !left(id));
            self.count(number, now, look, is_last, &mut again)?;
        }
        Ok(again)
    }

    /// What became of these rows. Those that may be on their way join `again`.
    fn count(
        &mut self,
        number: usize,
        ids: Vec<Address>,
        look: SecondLook,
        is_last: bool,
        again: &mut Vec<Address>,
    ) -> Result<()> {
        let SecondLook {
            mut looked,
            too_large,
            ..
        } = look;
        for id in ids {
            if let Some(aside) = too_large.get(&id) {
                self.pass.observer.tell(&Notice::NotCompared {
                    destination: self.pass.name(number).to_owned(),
                    id,
                    too_large: aside.too_large,
                });
                self.counts.not_compared += 1;
                continue;
            }
            let is_right = looked
                .get(&id)
                .is_some_and(|it| it.verdict == Verdict::Agree && !it.is_duplicate());
            if is_right {
                self.say_settled(number, id, "it was repaired meanwhile");
                self.counts.repaired += 1;
                continue;
            }
            if !is_last {
                again.push(id);
                continue;
            }
            let Some(looked) = looked.remove(&id) else {
                self.say_settled(number, id, "its source row is gone");
                self.counts.gone += 1;
                continue;
            };
            self.counts.still_different += 1;
            self.pass
                .report(number, self.detected_us, &looked, Fate::None)?;
        }
        Ok(())
    }

    fn say_settled(&self, number: usize, id: Address, reason: &'static str) {
        self.pass.observer.tell(&Notice::Settled {
            destination: self.pass.name(number).to_owned(),
            id,
            reason,
        });
    }
}
