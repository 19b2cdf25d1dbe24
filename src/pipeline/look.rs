//! The two looks at a row: the first, fast and in batches, and the second, which reads whole rows again.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use rayon::prelude::*;

use super::aside::{self, Aside};
use super::pass::Pass;
use crate::error::{Error, Result};
use crate::locks::locked;
use crate::logic::compare::confirm::{Confirmation, Later, Sighting, confirm};
use crate::logic::compare::rows::{ColumnMap, Found, Matches, Verdict, compare};
use crate::logic::value::address::Address;
use crate::logic::value::cell::Cell;
use crate::logic::value::oversize::{Part, ROOM_BYTES, ROW_BYTES_MAX};
use crate::logic::value::row::{Row, cells_bytes, fingerprint};
use crate::world::{Destination, WholeRow, WholeRows};

/// Keys in one look-up.
const KEYS_PER_LOOKUP: usize = 512;
/// Rows of a second look, at the most, and the bytes that they may come to.
const WHOLE_ROWS_MAX: usize = 512;
const WHOLE_BYTES: usize = 8 << 20;
/// What one look-up of a batch may bring while other threads do the same.
const LOOKUP_BYTES: usize = 8 << 20;

/// What a first look saw in one destination.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    /// Rows whose copies are missing or different.
    pub(super) suspects: Vec<Sighting>,
    pub(super) compared: u64,
    pub(super) duplicate_keys: u64,
    pub(super) unfindable: Vec<(Address, String)>,
    pub(super) too_large: Vec<Aside>,
}

/// A row at the second look.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) whole: WholeRow,
    /// [`Row::fingerprint`] of it.
    pub(super) content: u64,
    pub(super) sighting: Sighting,
    pub(super) verdict: Verdict,
    /// The first copy, when there is one.
    pub(super) copy: Option<Vec<Cell>>,
    /// How many copies there are.
    pub(super) copies: usize,
}

impl Looked {
    /// The destination has several rows for the key.
    pub(super) fn is_duplicate(&self) -> bool {
        self.copies > 1
    }

    /// About how many bytes of memory it takes.
    pub(super) fn size_bytes(&self) -> usize {
        self.whole.size_bytes() + self.copy.as_deref().map_or(0, cells_bytes)
    }
}

/// What a second look came to. Ids that are in none of these are gone.
#[derive(Debug, Default)]
pub(super) struct SecondLook {
    pub(super) looked: HashMap<Address, Looked>,
    pub(super) too_large: HashMap<Address, Aside>,
    /// Memory had no room for them.
    pub(super) left: HashSet<Address>,
}

/// Which side failed a second look.
pub(super) enum LookError {
    Source(Error),
    Destination(Error),
}

/// How many rows to read whole at once: grows while they are small.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkRows {
    pub(super) now: usize,
    most: usize,
}

impl ChunkRows {
    pub(super) fn after(self, looked: &HashMap<Address, Looked>) -> Self {
        let bytes: usize = looked.values().map(Looked::size_bytes).sum();
        let fitting = WHOLE_BYTES / (bytes / looked.len().max(1)).max(1);
        Self {
            now: fitting.clamp(1, self.most).min(self.now * 8),
            ..self
        }
    }
}

impl Pass<'_> {
    /// Looks at a batch in each of these destinations, all at once.
    pub(super) fn first_look(
        &self,
        rows: &[Row],
        members: &[usize],
    ) -> Result<Vec<(usize, Result<Sightings>)>> {
        let one = |&number: &usize| {
            let destination = self.destination(number);
            (
                number,
                sight_all(destination, rows, self.asked.tells_duplicates(), &self.wide),
            )
        };
        let lookups = members.len() * rows.len().div_ceil(KEYS_PER_LOOKUP);
        if lookups > 1 && self.job.workers > 1 {
            let workers = self.workers()?;
            Ok(workers.install(|| members.par_iter().map(one).collect()))
        } else {
            Ok(members.iter().map(one).collect())
        }
    }

    pub(super) fn first_chunk(&self) -> ChunkRows {
        let most = self.throttle.rows_at_once(WHOLE_ROWS_MAX);
        ChunkRows { now: 1, most }
    }

    /// Reads these rows again, whole, with their copies in one destination: at least one of them, and as many as memory
    /// has room for.
    pub(super) fn second_look(
        &self,
        number: usize,
        ids: &[Address],
    ) -> std::result::Result<SecondLook, LookError> {
        if ids.is_empty() {
            return Ok(SecondLook::default());
        }
        // A destination that cannot be read is found out before the source is asked anything.
        self.destination(number)
            .map()
            .map_err(LookError::Destination)?;
        let WholeRows { answered, rows } = self.whole_rows(ids).map_err(LookError::Source)?;
        let left = ids[answered.min(ids.len())..].iter().copied();
        self.compare_whole(number, rows, left.collect())
    }

    /// Compares rows with their copies in one destination. Those that there is no room for join those that are left.
    pub(super) fn compare_whole(
        &self,
        number: usize,
        rows: Vec<WholeRow>,
        left: HashSet<Address>,
    ) -> std::result::Result<SecondLook, LookError> {
        let destination = self.destination(number);
        let map = destination.map().map_err(LookError::Destination)?;
        let mut look = SecondLook {
            left,
            ..SecondLook::default()
        };
        let mut comparable = Vec::with_capacity(rows.len());
        for whole in rows {
            match whole.too_large {
                Some(too_large) if too_large.part != Part::Row => {
                    let (id, key) = (whole.row.address(), whole.row.key);
                    let aside = Aside { id, key, too_large };
                    look.too_large.insert(id, aside);
                }
                _ => comparable.push(whole),
            }
        }
        let keys: Vec<&Cell> = comparable.iter().map(|whole| &whole.row.key).collect();
        let mut found = find_at_least_one(destination, &keys).map_err(LookError::Destination)?;
        let unanswered = comparable.split_off(found.by_key.len().min(comparable.len()));
        look.left
            .extend(unanswered.iter().map(|whole| whole.row.address()));
        let mut copies = Copies::new(&found);
        let by_key = std::mem::take(&mut found.by_key);
        for (whole, matches) in comparable.into_iter().zip(&by_key) {
            let id = whole.row.address();
            if let Matches::TooLarge(bytes) = *matches {
                let aside = aside::of_copies(id, &whole.row.key, bytes);
                look.too_large.insert(id, aside);
                continue;
            }
            let verdict = compare(&whole.row.cells, &found, matches, map);
            let sighting = Sighting::new(&whole.row, &found, matches);
            let copy = copies.first(&mut found, matches);
            let looked = Looked {
                content: whole.row.fingerprint(),
                whole,
                sighting,
                verdict,
                copy,
                copies: matches.rows().len(),
            };
            look.looked.insert(id, looked);
        }
        // An id may be asked for twice.
        let SecondLook {
            looked,
            too_large,
            left,
        } = &mut look;
        left.retain(|id| !looked.contains_key(id) && !too_large.contains_key(id));
        Ok(look)
    }

    /// At least the first of these rows.
    fn whole_rows(&self, ids: &[Address]) -> Result<WholeRows> {
        let turn = self.throttle.turn();
        let mut whole = self.source().whole_rows(ids, ROOM_BYTES)?;
        if whole.answered == 0 {
            whole = self.source().whole_rows(&ids[..1], ROW_BYTES_MAX)?;
        }
        turn.took(whole.rows.len());
        Ok(whole)
    }
}

impl Pass<'_> {
    /// Judges rows that looked different, by their first look and the second one. Where these two do not suffice, the
    /// source row is read once more. Rows that are gone are in none of the three.
    pub(super) fn judge(
        &self,
        first: &[Sighting],
        looked: &HashMap<Address, Looked>,
    ) -> Result<HashMap<Address, Confirmation>> {
        let judge = |first: &Sighting, later: Later| {
            let now = looked.get(&first.id)?;
            let agrees = now.verdict == Verdict::Agree;
            Some((first.id, confirm(first, &now.sighting, agrees, later)))
        };
        let of_two = first.iter().filter_map(|first| judge(first, Later::Unread));
        let mut judged: HashMap<Address, Confirmation> = of_two.collect();
        let needs_later = |id: &Address| judged.get(id) == Some(&Confirmation::NeedsLaterLook);
        let unsure: Vec<&Sighting> = first.iter().filter(|it| needs_later(&it.id)).collect();
        let later = self.source_fingerprints(&unsure.iter().map(|it| it.id).collect::<Vec<_>>())?;
        let read = |id: &Address| {
            later
                .get(id)
                .map_or(Later::Gone, |&print| Later::Read(print))
        };
        judged.extend(unsure.into_iter().filter_map(|it| judge(it, read(&it.id))));
        Ok(judged)
    }

    /// The rows as they are now; those that are gone are left out.
    fn source_fingerprints(&self, ids: &[Address]) -> Result<HashMap<Address, u64>> {
        let mut prints = HashMap::with_capacity(ids.len());
        let mut left = ids;
        while !left.is_empty() {
            let WholeRows { answered, rows } = self.whole_rows(left)?;
            let print = |whole: &WholeRow| (whole.row.address(), fingerprint(&whole.row.cells));
            prints.extend(rows.iter().map(print));
            left = &left[answered.clamp(1, left.len())..];
        }
        Ok(prints)
    }
}

/// How many keys are still to be answered for with each of the rows that were found.
struct Copies(Vec<usize>);

impl Copies {
    fn new(found: &Found) -> Self {
        let mut keys_left = vec![0; found.rows.len()];
        for &row in found.by_key.iter().flat_map(Matches::rows) {
            keys_left[row] += 1;
        }
        Self(keys_left)
    }

    /// The first copy of a key. What no other key has is taken from its place, so that memory holds wide copies once.
    fn first(&mut self, found: &mut Found, matches: &Matches) -> Option<Vec<Cell>> {
        let mut first = None;
        for &row in matches.rows() {
            self.0[row] -= 1;
            let copy = if self.0[row] == 0 {
                std::mem::take(&mut found.rows[row])
            } else if first.is_none() {
                found.rows[row].clone()
            } else {
                continue;
            };
            first.get_or_insert(copy);
        }
        first
    }
}

fn sight_all(
    destination: &dyn Destination,
    rows: &[Row],
    tells_duplicates: bool,
    wide: &Mutex<()>,
) -> Result<Sightings> {
    if rows.is_empty() {
        return Ok(Sightings::default());
    }
    let map = destination.map()?;
    let one = |chunk| sight(destination, map, chunk, tells_duplicates, wide);
    let is_worker = rayon::current_thread_index().is_some();
    let parts: Result<Vec<Sightings>> = if is_worker {
        rows.par_chunks(KEYS_PER_LOOKUP).map(one).collect()
    } else {
        rows.chunks(KEYS_PER_LOOKUP).map(one).collect()
    };
    let mut all = Sightings::default();
    for Sightings {
        suspects,
        compared,
        duplicate_keys,
        unfindable,
        too_large,
    } in parts?
    {
        all.suspects.extend(suspects);
        all.compared += compared;
        all.duplicate_keys += duplicate_keys;
        all.unfindable.extend(unfindable);
        all.too_large.extend(too_large);
    }
    Ok(all)
}

/// The copies of as many of the first keys as there is room for, and at least of the first one.
fn find_at_least_one(destination: &dyn Destination, keys: &[&Cell]) -> Result<Found> {
    let found = destination.find(keys, ROOM_BYTES)?;
    if found.by_key.is_empty() && !keys.is_empty() {
        return destination.find(&keys[..1], ROW_BYTES_MAX);
    }
    Ok(found)
}

fn sight(
    destination: &dyn Destination,
    map: &ColumnMap,
    rows: &[Row],
    tells_duplicates: bool,
    wide: &Mutex<()>,
) -> Result<Sightings> {
    let mut seen = Sightings {
        compared: rows.len() as u64,
        ..Sightings::default()
    };
    let (mut left, mut room_bytes, mut alone) = (rows, LOOKUP_BYTES, None);
    while !left.is_empty() {
        let keys: Vec<&Cell> = left.iter().map(|row| &row.key).collect();
        let found = destination.find(&keys, room_bytes)?;
        let (now, later) = left.split_at(found.by_key.len().min(left.len()));
        if now.is_empty() && alone.is_none() {
            // Of all threads one at a time looks at rows so wide.
            alone = Some(locked(wide));
            room_bytes = ROW_BYTES_MAX;
            continue;
        }
        for (row, matches) in now.iter().zip(&found.by_key) {
            match matches {
                Matches::Many(_) => seen.duplicate_keys += 1,
                Matches::Unfindable(why) => seen.unfindable.push((row.address(), why.clone())),
                Matches::TooLarge(bytes) => {
                    seen.too_large
                        .push(aside::of_copies(row.address(), &row.key, *bytes));
                    continue;
                }
                Matches::None | Matches::One(_) => {}
            }
            let told = tells_duplicates && matches!(matches, Matches::Many(_));
            if told || compare(&row.cells, &found, matches, map) != Verdict::Agree {
                seen.suspects.push(Sighting::new(row, &found, matches));
            }
        }
        left = later;
    }
    Ok(seen)
}
