//! The owed rows of one destination, compared once more. Repaired rows are dropped, and rows that
//! are gone are waited for.

use std::collections::VecDeque;

use super::aside::Tries;
use super::ledger::Ledger;
use super::look::{ChunkRows, LookError, Looked, SecondLook};
use super::pass::{Pass, micros};
use super::progress::Progress;
use crate::error::Result;
use crate::logic::callback::owed::Owed;
use crate::logic::compare::rows::Verdict;
use crate::logic::report::notice::Notice;
use crate::logic::value::address::Address;

/// An owed callback that waits for its turn; there may be very many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) id: Address,
    pub(super) not_before_us: i64,
    /// Its copies had changed once in this run.
    pub(super) was_doubted: bool,
}

impl Due {
    /// Now.
    pub(super) fn new(id: Address) -> Self {
        Self {
            id,
            not_before_us: 0,
            was_doubted: false,
        }
    }
}

/// An owed callback whose turn it is.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) owed: Owed,
    pub(super) due: Due,
}

/// The rows that are owed to a destination.
pub(super) struct OwedRows<'p, 'a> {
    pub(super) pass: &'p Pass<'p>,
    pub(super) ledger: &'p Ledger<'a>,
    pub(super) progress: &'p Progress,
    pub(super) number: usize,
}

impl OwedRows<'_, '_> {
    /// Looks again at the next tasks of the queue and drops those whose rows agree or are gone. `None` at its end, or
    /// when the destination cannot be read; what is left then stays owed.
    pub(super) fn look(
        &self,
        queue: &mut VecDeque<Due>,
        chunk_rows: &mut ChunkRows,
    ) -> Result<Option<Vec<(Task, Looked)>>> {
        loop {
            let due: Vec<Due> = queue.drain(..chunk_rows.now.min(queue.len())).collect();
            if due.is_empty() {
                return Ok(None);
            }
            let (tasks, look) = match self.look_at(self.tasks(due)) {
                Ok(looked) => looked,
                Err(LookError::Source(error)) => return Err(error),
                Err(LookError::Destination(error)) => {
                    self.pass.mark_unread(self.number, &error);
                    queue.clear();
                    return Ok(None);
                }
            };
            *chunk_rows = chunk_rows.after(&look.looked);
            let still = self.sort(tasks, look, queue);
            if !still.is_empty() {
                return Ok(Some(still));
            }
        }
    }

    /// What became of these rows. Those that are still wrong are returned, those that there was no room for go back into
    /// the queue.
    fn sort(
        &self,
        tasks: Vec<Task>,
        look: SecondLook,
        queue: &mut VecDeque<Due>,
    ) -> Vec<(Task, Looked)> {
        let SecondLook {
            mut looked,
            too_large,
            left,
        } = look;
        let mut still = Vec::with_capacity(tasks.len());
        // From the end, so that rows which are left to the next look keep their order.
        for mut task in tasks.into_iter().rev() {
            let id = task.owed.id;
            if left.contains(&id) {
                queue.push_front(task.due);
                continue;
            }
            if let Some(aside) = too_large.get(&id) {
                self.note_there(&mut task.owed, None, Some(aside.too_large));
                continue;
            }
            match looked.remove(&id) {
                Some(looked) if looked.verdict != Verdict::Agree => {
                    let copies = Some(looked.sighting.copies);
                    self.note_there(&mut task.owed, copies, looked.whole.too_large);
                    still.push((task, looked));
                }
                Some(looked) => self.drop_repaired(&task.owed, Some(&looked)),
                None => self.note_gone(task),
            }
        }
        still.reverse();
        still
    }

    /// Looks again at these rows, of those that were set aside only at what is worth a try. Returns those looked at.
    fn look_at(&self, tasks: Vec<Task>) -> std::result::Result<(Vec<Task>, SecondLook), LookError> {
        let (aside, mut tasks): (Vec<Task>, Vec<Task>) = tasks
            .into_iter()
            .partition(|task| task.owed.too_large.is_some());
        let Tries { whole, compared } = self.tries(aside)?;
        tasks.extend(whole);
        let ids: Vec<Address> = tasks.iter().map(|task| task.owed.id).collect();
        let mut look = self.pass.second_look(self.number, &ids)?;
        let SecondLook {
            looked,
            too_large,
            left,
        } = self.look_at_compared(&compared)?;
        look.looked.extend(looked);
        look.too_large.extend(too_large);
        look.left.extend(left);
        tasks.extend(compared);
        Ok((tasks, look))
    }

    /// Their entries in the outbox.
    fn tasks(&self, due: Vec<Due>) -> Vec<Task> {
        let name = self.pass.name(self.number);
        let task = |due: Due| {
            let owed = self.ledger.get(name, due.id)?;
            Some(Task { owed, due })
        };
        due.into_iter().filter_map(task).collect()
    }

    /// The source row is not there now. It may be away for a moment, so it is looked for again for
    /// `lateCommitSecond`.
    fn note_gone(&self, mut task: Task) {
        let pass = self.pass;
        let late_us = micros(pass.job.source.late_commit);
        let was_gone = task.owed.gone_us;
        if task.owed.is_gone_for_good(pass.clock.now_us(), late_us) {
            return self.drop_repaired(&task.owed, None);
        }
        if was_gone != task.owed.gone_us {
            pass.observer.tell(&Notice::OwedRowGone {
                destination: task.owed.destination.clone(),
                id: task.owed.id,
            });
            self.ledger.put_back(task.owed);
        }
    }

    /// Nothing is owed for this row any more: it agrees with its copy, or it is gone for good.
    fn drop_repaired(&self, owed: &Owed, agreed: Option<&Looked>) {
        self.pass.observer.tell(&Notice::OwedDropped {
            destination: owed.destination.clone(),
            id: owed.id,
            is_gone: agreed.is_none(),
        });
        self.end(owed, agreed);
        self.pass.count(self.number, |counts| match agreed {
            Some(_) => counts.repaired += 1,
            None => counts.gone += 1,
        });
    }
}
