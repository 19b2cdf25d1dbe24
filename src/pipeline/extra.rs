//! Rows that only a destination has.
//!
//! The pairing of an audit leaves over the destination rows that no source row met. Their keys are read again, and those
//! that the source does not have are looked at once more at the audit's end, after the confirmation delay: still there,
//! and still without a source row. They are reported, and nobody is called back for them.

use std::collections::{HashMap, HashSet};

use super::Pass;
use super::feed::BATCH_ROWS;
use super::stream::Unmet;
use crate::error::Result;
use crate::logic::cell::{Cell, Id};
use crate::logic::fingerprint::Fingerprinter;
use crate::logic::fix::{Fix, Wrong};
use crate::logic::print;
use crate::logic::report::{Fate, Kind, Line, rfc3339};
use crate::world::{Place, Visitor};

/// Extra rows of one destination that are told one by one; more are not looked for.
const EXTRA_MAX: usize = 100_000;

/// Batches that are read for the keys of one.
const BATCHES_AGAIN: usize = 3;

/// Keys that only this destination has.
pub(super) struct Extra {
    number: usize,
    keys: Vec<Cell>,
    seen_us: i64,
}

impl Pass<'_, '_> {
    /// Which of the rows that met no source row have keys that the source lacks.
    pub(super) fn look_for_extra(&mut self, unmet: Vec<Unmet>, seed: u64) -> Result<()> {
        for Unmet {
            number,
            fold,
            records,
            places,
        } in unmet
        {
            let destination = self.destinations[number];
            let Ok(map) = destination.map() else { continue };
            let mut by_batch: HashMap<i64, Vec<u128>> = HashMap::new();
            for record in records {
                by_batch.entry(record.tag).or_default().push(record.key);
            }
            let mut batches: Vec<(i64, Vec<u128>)> = by_batch.into_iter().collect();
            batches.sort_unstable();
            let mut keys = Vec::new();
            for (batch, wanted) in batches {
                let place = usize::try_from(batch)
                    .ok()
                    .and_then(|at| places.get(at))
                    .and_then(Option::as_ref);
                let maker = Fingerprinter::of_destination(map, fold, seed);
                let mut wanted_keys = WantedKeys::new(maker, wanted);
                if let Err(error) = self.read_again(number, place, &mut wanted_keys) {
                    self.mark_unread(number, &error);
                    break;
                }
                keys.extend(self.source.lacking(&wanted_keys.known)?);
                if keys.len() > EXTRA_MAX {
                    let name = &self.job.destinations[number].name;
                    self.observer.warn(&format!("Destination {name} has more than {EXTRA_MAX} extra rows; the others are not looked for"));
                    break;
                }
            }
            self.extra.push(Extra {
                number,
                keys,
                seen_us: self.clock.now_us(),
            });
        }
        Ok(())
    }

    /// Reads a batch again until all wanted keys are found: rows that have come since may have moved some of them into
    /// the next batch, rows that have gone are not looked for further.
    fn read_again(
        &self,
        number: usize,
        place: Option<&Place>,
        keys: &mut WantedKeys,
    ) -> Result<()> {
        let throttle = &self.destination_throttles[number];
        let limit = throttle.rows_at_once(BATCH_ROWS);
        let mut next = place.cloned();
        for _ in 0..BATCHES_AGAIN {
            let turn = throttle.turn();
            next = self.destinations[number].visit(next.as_ref(), limit, keys)?;
            turn.took(limit);
            keys.keep();
            if next.is_none() || keys.wanted.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Looks again at the keys that only a destination had, and tells those that are still so.
    pub(super) fn tell_extra(&mut self) -> Result<()> {
        let delay_us = super::micros(self.job.confirm_delay);
        for Extra {
            number,
            keys,
            seen_us,
        } in std::mem::take(&mut self.extra)
        {
            let wait_us = seen_us
                .saturating_add(delay_us)
                .saturating_sub(self.clock.now_us());
            if wait_us > 0 && !keys.is_empty() {
                self.clock
                    .sleep(std::time::Duration::from_micros(wait_us.unsigned_abs()));
            }
            if self.clock.stopping() {
                self.shared().summary.interrupted = true;
                return Ok(());
            }
            for keys in keys.chunks(KEYS_PER_LOOK) {
                let keys = self.source.lacking(keys)?;
                let wanted: Vec<&Cell> = keys.iter().collect();
                let found = match self.destinations[number].find(&wanted) {
                    Ok(found) => found,
                    Err(error) => {
                        self.mark_unread(number, &error);
                        break;
                    }
                };
                let still = keys
                    .iter()
                    .zip(&found.by_key)
                    .filter(|(_, matches)| !matches.rows().is_empty());
                self.tell_keys(number, still.map(|(key, _)| key).collect(), seen_us)?;
            }
        }
        Ok(())
    }

    fn tell_keys(&self, number: usize, keys: Vec<&Cell>, seen_us: i64) -> Result<()> {
        self.shared().summary.extra += keys.len() as u64;
        if !self.options.report {
            return Ok(());
        }
        let lines = keys
            .iter()
            .map(|key| self.extra_line(number, key, seen_us))
            .collect::<Result<Vec<_>>>()?;
        self.observer.report(&lines)?;
        for key in keys {
            self.observer.fix(&Fix {
                destination: &self.job.destinations[number],
                map: self.destinations[number].map()?,
                wrong: Wrong::Extra(key),
            })?;
        }
        Ok(())
    }

    fn extra_line(&self, number: usize, key: &Cell, seen_us: i64) -> Result<Line> {
        let table = &self.job.source.table;
        let map = self.destinations[number].map()?;
        Ok(Line {
            detected_at: rfc3339(seen_us),
            source: table.name(),
            destination: self.job.destinations[number].name.clone(),
            kind: Kind::Extra,
            id: String::new(),
            key: print::report_text(key, map.destination_key_type).into_owned(),
            column: String::new(),
            source_value: String::new(),
            destination_value: String::new(),
            callback: Fate::None,
        })
    }
}

/// Keys in one look-up.
const KEYS_PER_LOOK: usize = 512;

/// Keeps the keys whose fingerprints are wanted.
struct WantedKeys {
    maker: Fingerprinter,
    wanted: HashSet<u128>,
    /// Of the batch that is being read.
    fresh: Vec<(u128, Cell)>,
    known: Vec<Cell>,
}

impl WantedKeys {
    fn new(maker: Fingerprinter, wanted: Vec<u128>) -> Self {
        Self {
            maker,
            wanted: wanted.into_iter().collect(),
            fresh: vec![],
            known: vec![],
        }
    }

    /// The batch is complete.
    fn keep(&mut self) {
        for (print, key) in self.fresh.drain(..) {
            if self.wanted.remove(&print) {
                self.known.push(key);
            }
        }
    }
}

impl Visitor for WantedKeys {
    fn restart(&mut self) {
        self.fresh.clear();
    }

    fn row(&mut self, _: Id, key: &Cell, _: &[Cell]) {
        if let Some(print) = self.maker.key(key).filter(|p| self.wanted.contains(p)) {
            self.fresh.push((print, key.clone()));
        }
    }
}
