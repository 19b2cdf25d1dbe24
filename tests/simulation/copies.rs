//! The copies of the table, and the copier, which is late, forgets, repeats itself and takes things out of their order.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Event, Model};
use crate::plan::{MS, SECOND};
use crate::table::Content;

/// One copy of the table.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    /// By key; several rows where something was inserted twice.
    pub(crate) rows: BTreeMap<i64, Vec<Content>>,
    /// When what a key has was last written.
    pub(crate) written: HashMap<i64, u64>,
    /// When a report last said of a key that only this copy has it.
    pub(crate) told_extra: HashMap<i64, u64>,
}

impl Model {
    /// What cupid may see of a key's copies.
    pub(crate) fn copies(
        &self,
        destination: usize,
        key: i64,
    ) -> impl DoubleEndedIterator<Item = Content> + '_ {
        let rows = self.copies[destination].rows.get(&key);
        let rows = rows.map_or(&[][..], Vec::as_slice).iter().copied();
        rows.filter(|&content| self.plan.is_in_destination(content))
    }

    /// One of the row's copies is equal.
    pub(crate) fn agrees(&self, destination: usize, id: i64, content: Content) -> bool {
        let key = self.plan.key_of(id);
        key.is_some_and(|key| self.copies(destination, key).any(|copy| copy == content))
    }

    /// A copy is written.
    pub(crate) fn apply(
        &mut self,
        destination: usize,
        id: i64,
        content: Option<Content>,
        twice: bool,
    ) {
        self.tell(|| format!("d{destination} has {id} {content:?}"));
        let Some(key) = self.plan.key_of(id) else {
            return; // Nobody finds it, so nobody can write over it.
        };
        let tick = self.next_tick();
        let Copies { rows, written, .. } = &mut self.copies[destination];
        written.insert(key, tick);
        let Some(content) = content else {
            rows.remove(&key);
            return;
        };
        let rows = rows.entry(key).or_default();
        if rows.is_empty() || twice {
            rows.push(content);
        } else {
            rows.fill(content);
        }
    }

    /// The copier hears of a change.
    pub(crate) fn copy(&mut self, destination: usize, id: i64, content: Option<Content>) {
        let plan = self.plan;
        let mut in_us = self.rng.between(0, plan.lag_max);
        let mut prompt = in_us < plan.confirm - MS;
        if self.writing && self.rng.chance(plan.delays) {
            in_us += self.rng.between(SECOND, 20 * SECOND);
            prompt = false;
        }
        let lost = self.rng.chance(plan.losses);
        let repeated = self.rng.chance(plan.repeats);
        let now_us = self.now_us;
        let earlier_us = self.ledger(destination, id).copied_us;
        if now_us + in_us <= earlier_us {
            if plan.in_order {
                in_us = earlier_us + 1 - now_us;
                prompt &= in_us < plan.confirm - MS;
            } else {
                prompt = false;
            }
        }
        let ledger = self.ledger(destination, id);
        ledger.copied_us = now_us + in_us;
        ledger.prompt &= prompt && !lost && !repeated;
        if lost {
            return self.tell(|| format!("d{destination} will never hear of {id} {content:?}"));
        }
        let apply = |twice| Event::Apply {
            destination,
            id,
            content,
            twice,
        };
        self.schedule(in_us, apply(false));
        if repeated {
            let again_us = in_us + self.rng.between(1, 5 * SECOND);
            let twice = self.rng.chance(self.plan.twice);
            self.schedule(again_us, apply(twice));
        }
    }
}
