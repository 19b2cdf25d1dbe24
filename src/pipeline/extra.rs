//! Rows that only a destination has.
//!
//! A destination row is extra when the destination does not find it for any source row: under its own collation, which may
//! take for the same what the source tells apart, and tell apart what the source takes for the same. The pairing of an audit
//! leaves over the destination rows that no source row met. Their keys are read again; source rows that may find them are those
//! that the source finds for the same keys, and those that met no copy either. What none of these finds is looked at once more
//! at the audit's end, after the confirmation delay: still there, and still without a source row. It is reported, and nobody is
//! called back for it.

use std::collections::{HashMap, HashSet};

use super::Pass;
use super::feed::{BATCH_ROWS, Section};
use super::stream::Unmet;
use crate::error::Result;
use crate::logic::cell::{Cell, CellRef, Cells, ColumnType, Id};
use crate::logic::fingerprint::Fingerprinter;
use crate::logic::fix::{Fix, Wrong};
use crate::logic::gaps::Span;
use crate::logic::print;
use crate::logic::report::{Fate, Kind, Line, rfc3339};
use crate::logic::suspects::Suspects;
use crate::logic::window::{Request, What};
use crate::world::Visitor;

/// Extra rows of one destination that are told one by one; more are not looked for.
const EXTRA_MAX: usize = 100_000;

/// How often more rows are read for the keys of one section, and how many times as many.
const READS_AGAIN: usize = 3;
const MORE_ROWS: usize = 4;

/// Keys that only this destination has.
pub(super) struct Extra {
    number: usize,
    keys: Vec<Cell>,
    seen_us: i64,
}

impl Pass<'_, '_> {
    /// Which of the rows that met no source row are found for none. `suspects` are the source rows that met no copy.
    pub(super) fn look_for_extra(
        &mut self,
        unmet: Vec<Unmet>,
        suspects: &Suspects,
        seed: u64,
    ) -> Result<()> {
        for Unmet {
            number,
            fold,
            records,
            sections,
        } in unmet
        {
            let destination = self.destinations[number];
            let Ok(map) = destination.map() else { continue };
            let mut by_section: HashMap<i64, Vec<u128>> = HashMap::new();
            for record in records {
                by_section.entry(record.tag).or_default().push(record.key);
            }
            let mut wanted: Vec<(i64, Vec<u128>)> = by_section.into_iter().collect();
            wanted.sort_unstable();
            let (mut wanted, mut keys) = (wanted.into_iter().peekable(), Vec::new());
            let mut known = Vec::new();
            while let Some((section, prints)) = wanted.next() {
                let section = usize::try_from(section)
                    .ok()
                    .and_then(|at| sections.get(at));
                let maker = Fingerprinter::of_destination(map, fold, seed);
                let mut wanted_keys = WantedKeys::new(maker, prints);
                if let Some(section) = section
                    && let Err(error) = self.read_again(number, section, &mut wanted_keys)
                {
                    self.mark_unread(number, &error);
                    break;
                }
                known.append(&mut wanted_keys.known);
                if known.len() < KEYS_PER_LOOK && wanted.peek().is_some() {
                    continue;
                }
                let like = self.rows_like(&known)?;
                let Some(left) = self.not_found_for(number, like, std::mem::take(&mut known))?
                else {
                    break;
                };
                keys.extend(left);
                if keys.len() > EXTRA_MAX {
                    let name = &self.job.destinations[number].name;
                    self.observer.warn(&format!("Destination {name} has more than {EXTRA_MAX} extra rows; the others are not looked for"));
                    break;
                }
            }
            // Where only equal bytes are equal, a source row that finds one of these would have met it.
            if map.key_type == ColumnType::Text || map.key_type != map.destination_key_type {
                let left = self.not_found_for(number, suspects.clone(), keys)?;
                keys = left.unwrap_or_default();
            }
            self.extra.push(Extra {
                number,
                keys,
                seen_us: self.clock.now_us(),
            });
        }
        Ok(())
    }

    /// Reads a section again until all wanted keys are found: rows that have come since may have moved some of them behind its
    /// end, rows that have gone are not looked for further.
    fn read_again(&self, number: usize, section: &Section, keys: &mut WantedKeys) -> Result<()> {
        let throttle = &self.destination_throttles[number];
        let (mut rows, mut next) = (section.rows.max(1), section.began.clone());
        for _ in 0..READS_AGAIN {
            let limit = throttle.rows_at_once(rows);
            rows = (rows * MORE_ROWS).min(BATCH_ROWS);
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
                let like = self.rows_like(keys)?;
                let Some(keys) = self.not_found_for(number, like, keys.to_vec())? else {
                    break;
                };
                let Some(still) = self.spellings(number, &keys)? else {
                    break;
                };
                let key_type = self.destinations[number].map()?.destination_key_type;
                let still = keys
                    .iter()
                    .filter(|key| still.contains(&*print::report_text(key, key_type)));
                self.tell_keys(number, still.collect(), seen_us)?;
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

    /// Those of these keys of a destination that it does not find for any of these source rows; `None` when it cannot be read.
    fn not_found_for(
        &self,
        number: usize,
        mut rows_left: Suspects,
        mut keys: Vec<Cell>,
    ) -> Result<Option<Vec<Cell>>> {
        let key_type = self.destinations[number].map()?.destination_key_type;
        let spelling = |key: &Cell| print::report_text(key, key_type).into_owned();
        let mut left: HashSet<String> = keys.iter().map(spelling).collect();
        while !left.is_empty() && !rows_left.is_empty() {
            let spans = rows_left.next(KEYS_PER_LOOK);
            let end = spans.last().map_or(Id::MAX - 1, |span| span.to);
            let request = Request {
                what: What::Suspects(spans),
                limit: KEYS_PER_LOOK,
            };
            let rows = self.source.scan(&request)?;
            let is_cut = rows.len() >= KEYS_PER_LOOK;
            let read_to = rows.last().filter(|_| is_cut).map_or(end, |row| row.id);
            rows_left.forget_to(read_to);
            let wanted: Vec<Cell> = rows.into_iter().map(|row| row.key).collect();
            let Some(found) = self.spellings(number, &wanted)? else {
                return Ok(None);
            };
            for spelling in &found {
                left.remove(spelling);
            }
        }
        keys.retain(|key| left.contains(&spelling(key)));
        Ok(Some(keys))
    }

    /// The source rows that the source finds for these keys.
    fn rows_like(&self, keys: &[Cell]) -> Result<Suspects> {
        let ids = self.source.ids_of(keys)?.into_iter();
        let spans = ids.map(|id| Span { from: id, to: id });
        Ok(Suspects::of_spans(spans.collect()))
    }

    /// How the destination spells, in a report, what these keys find; `None` when it cannot be read.
    fn spellings(&self, number: usize, keys: &[Cell]) -> Result<Option<HashSet<String>>> {
        let destination = self.destinations[number];
        let key_type = destination.map()?.destination_key_type;
        let spelling = |key: &Cell| print::report_text(key, key_type).into_owned();
        match destination.spelled(&keys.iter().collect::<Vec<_>>()) {
            Ok(spelled) => Ok(Some(spelled.iter().map(spelling).collect())),
            Err(error) => {
                self.mark_unread(number, &error);
                Ok(None)
            }
        }
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

    fn row(&mut self, _: Id, key: CellRef<'_>, _: &dyn Cells) {
        if let Some(print) = self.maker.key(key).filter(|p| self.wanted.contains(p)) {
            self.fresh.push((print, key.owned()));
        }
    }
}
