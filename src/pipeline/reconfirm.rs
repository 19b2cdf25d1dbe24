//! An owed callback is sent for the difference that was confirmed, not for another one.
//!
//! A repaired row may go on changing while its callback is still owed: the answer got lost, or this
//! process was killed before it noted the answer. Such a row looks wrong whenever a change is on
//! its way to the copy. So the look of the copy is kept with the callback. While it looks the same,
//! it is the same difference. When it has changed, and still differs, it gets the confirmation
//! delay like any new difference. A copy that goes on changing is being kept up to date, and waits
//! for a later pass.

use super::deliver::Courier;
use super::look::Looked;
use super::owed::{Due, Task};
use super::pass::micros;

impl Courier<'_, '_> {
    /// Whether this row may be on its way.
    pub(super) fn is_doubtful(&self, task: &Task, looked: &Looked) -> bool {
        let pass = self.rows.pass;
        !pass.job.confirm_delay.is_zero()
            && !task
                .owed
                .is_lasting(looked.sighting.copies, pass.clock.now_us())
    }

    /// Keeps in mind what the copies look like now. The row comes back when it is to be looked at again in this pass.
    pub(super) fn doubt(&self, mut task: Task, looked: &Looked) -> Option<Due> {
        let pass = self.rows.pass;
        let delay_us = micros(pass.job.confirm_delay);
        let over_us = task
            .owed
            .doubt(looked.sighting.copies, pass.clock.now_us(), delay_us);
        self.rows.ledger.put_back(task.owed);
        let due = Due {
            not_before_us: over_us,
            was_doubted: true,
            ..task.due
        };
        (!task.due.was_doubted).then_some(due)
    }
}
