//! The two looks at a row: the first, fast and in batches, and the second, which reads whole rows again.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::{Duplicates, Pass};
use crate::error::{Error, Result};
use crate::logic::cell::{Cell, Id};
use crate::logic::compare::{ColumnMap, Found, Matches, Verdict, compare};
use crate::logic::row::{Row, cells_bytes, fingerprint};
use crate::world::{Destination, WholeRow};

/// Keys in one look-up.
const KEYS_PER_LOOKUP: usize = 512;
/// Rows of a second look, at the most, and the bytes that they may come to.
const WHOLE_ROWS_MAX: usize = 512;
const WHOLE_BYTES: usize = 8 << 20;

/// What a first look saw in one destination.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    /// Rows whose copies are missing or different.
    pub(super) suspects: Vec<Suspect>,
    pub(super) compared: u64,
    pub(super) duplicate_keys: u64,
    pub(super) unfindable: Vec<(Id, String)>,
}

/// A row that looked different, and what both sides held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suspect {
    pub(super) id: Id,
    /// Fingerprint of the source row.
    pub(super) source: u64,
    /// Fingerprint of its copies.
    pub(super) copies: u64,
    /// There are copies.
    is_copied: bool,
    /// What differs may already have been another change once, and is not given another pass for that.
    pub(super) is_last_look: bool,
}

impl Suspect {
    fn new(row: &Row, found: &Found, matches: &Matches) -> Self {
        let copies = matches.rows().iter().flat_map(|&row| &found.rows[row]);
        Self {
            id: row.id,
            source: fingerprint(&row.cells),
            copies: fingerprint(copies),
            is_copied: !matches.rows().is_empty(),
            is_last_look: false,
        }
    }
}

/// A row at the second look.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) whole: WholeRow,
    pub(super) suspect: Suspect,
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
    pub(super) fn after(self, looked: &HashMap<Id, Looked>) -> Self {
        let bytes: usize = looked
            .values()
            .map(|l| cells_bytes(&l.whole.all) + l.copy.as_deref().map_or(0, cells_bytes))
            .sum();
        let fitting = WHOLE_BYTES / (bytes / looked.len().max(1)).max(1);
        Self {
            now: fitting.clamp(1, self.most).min(self.now * 8),
            ..self
        }
    }
}

impl Pass<'_, '_> {
    /// Looks at a batch in each of these destinations, all at once.
    pub(super) fn first_look(
        &self,
        rows: &[Row],
        members: &[usize],
    ) -> Result<Vec<(usize, Result<Sightings>)>> {
        let one = |&number: &usize| {
            let destination = self.destinations[number];
            (
                number,
                sight_all(destination, rows, self.options.duplicates),
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

    /// Reads these rows again, whole, with their copies in one destination. Ids that are not in the answer are gone.
    pub(super) fn second_look(
        &self,
        number: usize,
        ids: &[Id],
    ) -> std::result::Result<HashMap<Id, Looked>, LookError> {
        let destination = self.destinations[number];
        let map = destination.map().map_err(LookError::Destination)?;
        let rows = self.whole_rows(ids).map_err(LookError::Source)?;
        let keys: Vec<&Cell> = rows.iter().map(|whole| &whole.row.key).collect();
        let found = destination.find(&keys).map_err(LookError::Destination)?;
        let looked = rows.into_iter().zip(&found.by_key).map(|(whole, matches)| {
            let verdict = compare(&whole.row.cells, &found, matches, map);
            let copy = matches.rows().first().map(|&row| found.rows[row].clone());
            let suspect = Suspect::new(&whole.row, &found, matches);
            (
                suspect.id,
                Looked {
                    whole,
                    suspect,
                    verdict,
                    copy,
                    copies: matches.rows().len(),
                },
            )
        });
        Ok(looked.collect())
    }

    fn whole_rows(&self, ids: &[Id]) -> Result<Vec<WholeRow>> {
        let turn = self.throttle.turn();
        let rows = self.source.whole_rows(ids)?;
        turn.took(rows.len());
        Ok(rows)
    }
}

impl Pass<'_, '_> {
    /// Of these suspects, seen first and now, those whose copies are being kept up to date: the copy has changed since,
    /// and so has the source row, even if only while both were being read. What differs now is then another change, on
    /// its way. A copy that stands still, or a source row that does, is a difference that lasts; but a copy may have been
    /// ahead of the source row as it was read first, so one that stands still while the source row changes is given one
    /// more pass.
    pub(super) fn on_their_way(&self, pairs: &[(Suspect, Suspect)]) -> Result<HashSet<Id>> {
        let moving = pairs
            .iter()
            .filter(|(first, now)| first.copies != now.copies);
        let (changed, steady): (Vec<_>, Vec<_>) =
            moving.partition(|(first, now)| first.source != now.source);
        let last_looks: HashSet<Id> = pairs
            .iter()
            .filter(|(first, _)| first.is_last_look)
            .map(|(first, _)| first.id)
            .collect();
        let maybe_ahead = pairs.iter().filter(|(first, now)| {
            let stood_still = first.is_copied && first.copies == now.copies;
            stood_still && first.source != now.source && !last_looks.contains(&first.id)
        });
        let mut on_their_way: HashSet<Id> = changed
            .into_iter()
            .chain(maybe_ahead)
            .map(|(first, _)| first.id)
            .collect();
        if !steady.is_empty() {
            let ids: Vec<Id> = steady.iter().map(|(first, _)| first.id).collect();
            let again: HashMap<Id, u64> = self
                .whole_rows(&ids)?
                .iter()
                .map(|whole| (whole.row.id, fingerprint(&whole.row.cells)))
                .collect();
            let changed = steady
                .into_iter()
                .filter(|(_, now)| again.get(&now.id) != Some(&now.source));
            on_their_way.extend(changed.map(|(first, _)| first.id));
        }
        Ok(on_their_way)
    }
}

fn sight_all(
    destination: &dyn Destination,
    rows: &[Row],
    duplicates: Duplicates,
) -> Result<Sightings> {
    if rows.is_empty() {
        return Ok(Sightings::default());
    }
    let map = destination.map()?;
    let one = |chunk| sight(destination, map, chunk, duplicates);
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
    } in parts?
    {
        all.suspects.extend(suspects);
        all.compared += compared;
        all.duplicate_keys += duplicate_keys;
        all.unfindable.extend(unfindable);
    }
    Ok(all)
}

fn sight(
    destination: &dyn Destination,
    map: &ColumnMap,
    rows: &[Row],
    duplicates: Duplicates,
) -> Result<Sightings> {
    let keys: Vec<&Cell> = rows.iter().map(|row| &row.key).collect();
    let found = destination.find(&keys)?;
    let mut seen = Sightings {
        compared: rows.len() as u64,
        ..Sightings::default()
    };
    for (row, matches) in rows.iter().zip(&found.by_key) {
        match matches {
            Matches::Many(_) => seen.duplicate_keys += 1,
            Matches::Unfindable(why) => seen.unfindable.push((row.id, why.clone())),
            Matches::None | Matches::One(_) => {}
        }
        let told = duplicates == Duplicates::Told && matches!(matches, Matches::Many(_));
        if told || compare(&row.cells, &found, matches, map) != Verdict::Agree {
            seen.suspects.push(Suspect::new(row, &found, matches));
        }
    }
    Ok(seen)
}
