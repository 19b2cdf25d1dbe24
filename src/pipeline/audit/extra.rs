//! Rows that only a destination has.
//!
//! A destination row is extra when the destination does not find it for any source row. The
//! destination's own collation decides. It may join keys that the source tells apart, and tell
//! apart keys that the source joins. The pairing of an audit leaves over the destination rows that
//! met no source row. Their keys are read again. A source row may find one of them when the source
//! finds it for the same key, or when it met no copy itself. A destination row that none of these
//! finds is looked at once more at the audit's end, after the confirmation delay. When it is still
//! there, and still without a source row, it is reported. It is never called back.

use std::collections::HashSet;

use super::FirstLook;
use super::readers::Section;
use super::stream::Unmatched;
use crate::error::Result;
use crate::logic::audit::fingerprint::Fingerprinter;
use crate::logic::audit::pace::STRIDE_ROWS_MAX;
use crate::logic::audit::record::Record;
use crate::logic::report::fix::Wrong;
use crate::logic::report::line::{Kind, Line};
use crate::logic::report::notice::Notice;
use crate::logic::scan::gaps::Span;
use crate::logic::scan::plan::{Request, What};
use crate::logic::scan::suspects::Suspects;
use crate::logic::value::cell::{Cell, CellRef, Cells, ColumnType, Id};
use crate::logic::value::print;
use crate::logic::value::row::fingerprint;
use crate::pipeline::pass::{Pass, micros};
use crate::world::{Batch, Place, Visitor};

/// Extra rows of one destination that are told one by one; more are not looked for.
const EXTRA_MAX: usize = 100_000;

/// For the keys of one section so many times its rows are read, in reads that grow by a factor.
const ROWS_AGAIN: usize = 21;
const MORE_ROWS: usize = 4;

/// Keys that only this destination has.
pub(in crate::pipeline) struct Extra {
    number: usize,
    keys: Vec<Cell>,
    seen_us: i64,
}

impl FirstLook<'_, '_> {
    /// Which of the rows that no source row met are found for none. `suspects` are the source rows that met no copy. What
    /// there is no time for is left to another audit.
    pub(super) fn extra_keys(
        &self,
        unmatched: Vec<Unmatched>,
        suspects: &Suspects,
    ) -> Result<Vec<Extra>> {
        let pass = self.pass;
        // The copy of a row that no scan meets is not extra; which one it is cannot be told by ids.
        if !unmatched.is_empty() && pass.source().rows_without_id()? > 0 {
            pass.interrupt();
            pass.observer.tell(&Notice::ExtraNeedsIds);
            return Ok(vec![]);
        }
        let mut extra = Vec::new();
        for unmatched in unmatched {
            let number = unmatched.number;
            if pass.is_unread(number) {
                continue;
            }
            let keys = pass.keys_found_for_none(unmatched, suspects, self.audit.seed)?;
            let seen_us = pass.clock.now_us();
            extra.push(Extra {
                number,
                keys,
                seen_us,
            });
        }
        Ok(extra)
    }
}

/// Looks again at the keys that only a destination had, and reports those that are still so.
pub(in crate::pipeline) fn report_extra(pass: &Pass<'_>, extra: Vec<Extra>) -> Result<()> {
    let delay_us = micros(pass.job.confirm_delay);
    let is_over = || pass.clock.stopping();
    for Extra {
        number,
        keys,
        seen_us,
    } in extra
    {
        if pass.is_unread(number) {
            continue;
        }
        if !keys.is_empty() {
            pass.sleep_until(seen_us.saturating_add(delay_us));
        }
        if is_over() {
            pass.interrupt();
            return Ok(());
        }
        for keys in keys.chunks(KEYS_PER_LOOK) {
            let like = pass.rows_like(number, keys)?;
            let keys = pass.not_found_for(number, like, keys.to_vec(), &is_over)?;
            let Some(keys) = keys else {
                break;
            };
            let Some(still) = pass.spellings(number, &keys) else {
                break;
            };
            let still = keys.iter().filter(|key| still.contains(&identity(key)));
            pass.report_keys(number, still.collect(), seen_us)?;
        }
    }
    Ok(())
}

/// Several rows of a key are one key, wherever they are.
fn keep_one_of_each(keys: &mut Vec<Cell>, maker: &mut Fingerprinter) {
    let mut told = HashSet::new();
    keys.retain(|key| maker.key(key.lent()).is_none_or(|print| told.insert(print)));
}

impl Pass<'_> {
    fn keys_found_for_none(
        &self,
        unmatched: Unmatched,
        suspects: &Suspects,
        seed: u64,
    ) -> Result<Vec<Cell>> {
        let Unmatched {
            number,
            key_fold,
            mut records,
            left_out,
            sections,
        } = unmatched;
        let Ok(map) = self.destination(number).map() else {
            return Ok(vec![]);
        };
        if left_out > 0 {
            self.tell_left_out(number, left_out);
        }
        let is_over = &|| self.is_scan_over();
        let mut maker = Fingerprinter::of_destination(map, key_fold, seed);
        records.sort_unstable_by_key(|record| record.tag);
        let mut wanted = records.chunk_by(|a, b| a.tag == b.tag).peekable();
        let (mut known, mut keys) = (Vec::new(), Vec::new());
        while let Some(records) = wanted.next() {
            if is_over() {
                self.interrupt();
                break;
            }
            let mut wanted_keys = WantedKeys::new(maker.clone(), records);
            if let Some(section) = records
                .first()
                .and_then(|it| sections.get(it.tag.section()))
                && let Err(error) = self.read_again(number, section, &mut wanted_keys)
            {
                self.mark_unread(number, &error);
                break;
            }
            known.append(&mut wanted_keys.known);
            if known.len() < KEYS_PER_LOOK && wanted.peek().is_some() {
                continue;
            }
            let like = self.rows_like(number, &known)?;
            match self.not_found_for(number, like, std::mem::take(&mut known), is_over)? {
                Some(left) => keys.extend(left),
                None => break,
            }
            if keys.len() > EXTRA_MAX {
                self.tell_extra_limited(number);
                break;
            }
        }
        keep_one_of_each(&mut keys, &mut maker);
        // Where only equal bytes are equal, a source row that finds one of these would have met it.
        if map.key_type != ColumnType::Text && map.key_type == map.destination_key_type {
            return Ok(keys);
        }
        let left = self.not_found_for(number, suspects.clone(), keys, is_over)?;
        Ok(left.unwrap_or_default())
    }

    fn tell_extra_limited(&self, number: usize) {
        self.observer.tell(&Notice::ExtraLimited {
            destination: self.name(number).to_owned(),
            limit: EXTRA_MAX,
        });
    }

    /// An audit that does not look at all of them has not come to its end.
    fn tell_left_out(&self, number: usize, left_out: usize) {
        self.interrupt();
        self.observer.tell(&Notice::UnmatchedLeftOut {
            destination: self.name(number).to_owned(),
            rows: left_out as u64,
        });
    }

    /// Reads a section again until all wanted keys are found: rows that have come since may have moved some of them behind its
    /// end, rows that have gone are not looked for further.
    fn read_again(&self, number: usize, section: &Section, keys: &mut WantedKeys) -> Result<()> {
        let throttle = &self.destination_throttles[number];
        let Ok(table) = self.destination(number).whole()? else {
            return Ok(());
        };
        let (mut rows, mut next) = (section.rows.max(1), section.began.clone());
        // However few of them a read brings.
        let mut left = rows * ROWS_AGAIN;
        while left > 0 {
            let limit = throttle.rows_at_once(rows);
            rows = (rows * MORE_ROWS).min(STRIDE_ROWS_MAX);
            let turn = throttle.turn();
            next = table.visit(next.as_ref(), limit, keys)?;
            let read = keys.keep();
            turn.took(read);
            left = left.saturating_sub(read.max(1));
            if next.is_none() || keys.wanted.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn report_keys(&self, number: usize, keys: Vec<&Cell>, seen_us: i64) -> Result<()> {
        self.count(number, |counts| counts.extra += keys.len() as u64);
        if !self.asked.reports() {
            return Ok(());
        }
        let lines = keys
            .iter()
            .map(|key| self.extra_line(number, key, seen_us))
            .collect::<Result<Vec<_>>>()?;
        self.observer.report(&lines)?;
        for key in keys {
            self.fix(number, Wrong::Extra(key), None)?;
        }
        Ok(())
    }

    /// Those of these keys of a destination that it does not find for any of these source rows; `None` when it cannot be read,
    /// or there is no time to.
    fn not_found_for(
        &self,
        number: usize,
        mut rows_left: Suspects,
        mut keys: Vec<Cell>,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Cell>>> {
        if self.is_unread(number) {
            return Ok(None);
        }
        let mut left: HashSet<u64> = keys.iter().map(identity).collect();
        while !left.is_empty() && !rows_left.is_empty() {
            if is_over() {
                self.interrupt();
                return Ok(None);
            }
            let spans = rows_left.next(KEYS_PER_LOOK);
            let end = spans.last().map_or(Id::MAX - 1, |span| span.to);
            let request = Request {
                what: What::Suspects(spans),
                limit: KEYS_PER_LOOK,
            };
            let Batch { rows, is_cut, .. } = self.source().scan(&request, &[])?;
            let is_cut = is_cut || rows.len() >= KEYS_PER_LOOK;
            let read_to = rows.last().filter(|_| is_cut).map_or(end, |row| row.id);
            rows_left.forget_to(read_to);
            let wanted: Vec<Cell> = rows.into_iter().map(|row| row.key).collect();
            let Some(found) = self.spellings(number, &wanted) else {
                return Ok(None);
            };
            for key in &found {
                left.remove(key);
            }
        }
        keys.retain(|key| left.contains(&identity(key)));
        Ok(Some(keys))
    }

    /// The source rows that the source finds for these keys of a destination, in all spellings that the destination takes
    /// for the same: the source may know one of them only.
    fn rows_like(&self, number: usize, keys: &[Cell]) -> Result<Suspects> {
        let mut spelled = keys.to_vec();
        match self
            .destination(number)
            .spelled(&keys.iter().collect::<Vec<_>>())
        {
            Ok(found) => spelled.extend(found),
            Err(error) => self.mark_unread(number, &error),
        }
        let ids = self.source().ids_of(&spelled)?.into_iter();
        let spans = ids.map(Span::of_one);
        Ok(Suspects::of_spans(spans.collect()))
    }

    /// The [`identity`] of each key of the destination that these keys find; `None` when it cannot be read.
    fn spellings(&self, number: usize, keys: &[Cell]) -> Option<HashSet<u64>> {
        let destination = self.destination(number);
        match destination.spelled(&keys.iter().collect::<Vec<_>>()) {
            Ok(spelled) => Some(spelled.iter().map(identity).collect()),
            Err(error) => {
                self.mark_unread(number, &error);
                None
            }
        }
    }

    fn extra_line(&self, number: usize, key: &Cell, seen_us: i64) -> Result<Line> {
        let map = self.destination(number).map()?;
        Ok(Line {
            key: print::report_text(key, map.destination_key_type).into_owned(),
            ..self.bare_line(number, seen_us, Kind::Extra)
        })
    }
}

/// Two keys that a report shows alike may be two; 64 bits tell them apart.
fn identity(key: &Cell) -> u64 {
    fingerprint([key])
}

/// Keys in one look-up.
const KEYS_PER_LOOK: usize = 512;

/// Keeps the keys whose fingerprints are wanted.
struct WantedKeys {
    maker: Fingerprinter,
    wanted: HashSet<u128>,
    /// Of the batch that is being read.
    fresh: Vec<(u128, Cell)>,
    /// Rows of that batch.
    rows: usize,
    known: Vec<Cell>,
}

impl WantedKeys {
    fn new(maker: Fingerprinter, wanted: &[Record]) -> Self {
        Self {
            maker,
            wanted: wanted.iter().map(|record| record.key).collect(),
            fresh: vec![],
            rows: 0,
            known: vec![],
        }
    }

    /// The batch is complete. Returns how many rows it had.
    fn keep(&mut self) -> usize {
        for (print, key) in self.fresh.drain(..) {
            if self.wanted.remove(&print) {
                self.known.push(key);
            }
        }
        std::mem::take(&mut self.rows)
    }
}

impl Visitor for WantedKeys {
    fn restart(&mut self) {
        self.fresh.clear();
        self.rows = 0;
    }

    fn row(&mut self, id: Id, key: CellRef<'_>, _: &dyn Cells) {
        self.too_large(id, key);
    }

    fn too_large(&mut self, _: Id, key: CellRef<'_>) {
        self.rows += 1;
        if let Some(print) = self.maker.key(key).filter(|p| self.wanted.contains(p)) {
            self.fresh.push((print, key.owned()));
        }
    }

    fn passed(&mut self, _: &dyn Fn() -> Place) {}
}
