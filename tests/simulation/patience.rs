//! How long an endpoint and a row are left alone, by what was written down when a process began.

use std::collections::{BTreeMap, BTreeSet};

use cupid::logic::callback::outbox::Outbox;

use crate::command::Command;
use crate::fact::Fact;
use crate::folder::key;
use crate::model::Model;
use crate::plan::SECOND;

/// The oldest row, and another one.
const PROBES_MAX: usize = 2;
/// No row waits longer: the clock was set back. (Less than an hour, for a process takes its time.)
const WAIT_MAX_US: i64 = 3_500 * SECOND;

/// What a process has to know of one destination's endpoint, and what it sent there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patience {
    /// It took nothing in the last run, and nothing since.
    is_in_vain: bool,
    /// Rows that it was asked for since.
    asked: BTreeSet<i64>,
    /// Until when rows wait, on the machine's clock.
    until_us: BTreeMap<i64, i64>,
}

impl Model {
    /// A process has read what is owed.
    pub(crate) fn begin_patience(&mut self, process: usize, outbox: &Outbox) {
        let mut all = vec![Patience::default(); self.plan.destinations];
        for owed in outbox.iter() {
            let (number, id) = key(owed);
            let patience = &mut all[number];
            patience.is_in_vain |= owed.in_vain;
            patience
                .until_us
                .extend(owed.retry_at_us.map(|at_us| (id, at_us)));
        }
        if matches!(self.processes[process].command, Command::Retry) {
            all.fill(Patience::default()); // Somebody asks for it.
        }
        self.processes[process].patience = all;
    }

    /// A row is sent.
    pub(crate) fn check_patience(&mut self, process: usize, number: usize, id: i64) {
        let now_us = self.machine_now_us(process);
        let Some(patience) = self.processes[process].patience.get_mut(number) else {
            return;
        };
        if patience.is_in_vain {
            patience.asked.insert(id);
            if patience.asked.len() > PROBES_MAX {
                let text = format!(
                    "d{number} took nothing and is asked for {:?}",
                    patience.asked
                );
                self.fail(Fact::Patient, text);
            }
            return;
        }
        let until_us = patience.until_us.get(&id).copied().unwrap_or(i64::MIN);
        if now_us < until_us && until_us - now_us < WAIT_MAX_US {
            let text = format!("{id} is sent to d{number} at {now_us} and waits until {until_us}");
            self.fail(Fact::Patient, text);
        }
    }

    /// A row was taken: everything goes, where nothing had been taken before.
    pub(crate) fn end_patience(&mut self, process: usize, number: usize) {
        if let Some(patience) = self.processes[process].patience.get_mut(number)
            && patience.is_in_vain
        {
            *patience = Patience::default();
        }
    }
}
