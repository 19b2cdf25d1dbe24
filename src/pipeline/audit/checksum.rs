//! The first look of an audit over a slow link. Both servers sum up their tables, chunk by chunk,
//! and only chunks that disagree are looked at row by row.
//!
//! As with a stream, nothing here can report a difference. A chunk that agrees is done. A chunk
//! that disagrees is divided into shorter and shorter parts, and the ids of the last ones become
//! suspects. A destination without usable checksums, or whose keys do not grow with the source's
//! ids, is streamed instead.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::FirstLook;
use crate::error::{Error, Result};
use crate::logic::audit::checksum::{
    Alignment, Chunk, DIVIDED_PER_STATEMENT, KeyRange, Paver, SAMPLE_ROWS, Sample, Tile, Width,
};
use crate::logic::audit::pace::Stride;
use crate::logic::report::notice::Notice;
use crate::logic::scan::checkpoint::Position;
use crate::logic::scan::gaps::Span;
use crate::logic::scan::plan::{Request, What};
use crate::logic::scan::suspects::Suspects;
use crate::logic::value::cell::{Cell, CellRef, Cells, Id};
use crate::pipeline::options::Method;
use crate::pipeline::pass::Pass;
use crate::pipeline::throttle::Throttle;
use crate::world::{Checksums, Place, Visitor};

/// A statement may read so many rows at the most, about.
const STATEMENT_ROWS_MAX: usize = 1 << 17;
/// Those of the first one, of which nobody knows how wide they are.
const STATEMENT_ROWS_FIRST: usize = 1 << 13;

/// What checksums came to.
pub(super) struct Summed {
    /// The destinations that they were had of.
    pub(super) members: Vec<usize>,
    /// Up to here for each of them.
    pub(super) reached: Id,
    /// What is left to look at.
    pub(super) suspects: Suspects,
    /// Rows in that.
    pub(super) rows_left: u64,
    /// Source rows that were summed up, by destination.
    pub(super) rows: Vec<(usize, u64)>,
}

/// A destination that takes part.
struct Member<'a> {
    number: usize,
    checksums: Box<dyn Checksums + 'a>,
}

/// Chunks of the source, in order.
struct SourceChunks {
    chunks: Vec<Chunk>,
    read_to: Id,
}

/// What the two sides' checksums say about some chunks.
enum Said {
    /// Rows up to an id.
    Compared {
        reached: Id,
        rows: u64,
        suspects: Vec<(Span, u64)>,
    },
    /// Why there is nothing to be said.
    Nothing(String),
    /// A statement failed.
    Failed(Error),
}

/// What became of a member.
#[derive(Default)]
struct Outcome {
    reached: Option<Id>,
    rows: u64,
    suspects: Vec<(Span, u64)>,
    is_done: bool,
    refused: Option<String>,
}

impl FirstLook<'_, '_> {
    /// Sums up what can be, and pays, of this span.
    pub(super) fn sum_up(&self, position: &Position, span: Span) -> Result<Summed> {
        let (pass, audit) = (self.pass, self.audit);
        let mut members = Vec::new();
        let method = if audit.extra || audit.shard.is_some() {
            Method::Stream
        } else {
            audit.method
        };
        for (number, destination) in pass.job.destinations.iter().enumerate() {
            let is_here = position.destinations.contains(&destination.name);
            if !is_here || method == Method::Stream || pass.is_unread(number) {
                continue;
            }
            match pass.tables.checksums.offer(number, audit.seed) {
                Ok(Ok(checksums)) => {
                    let is_slow = || pass.is_slow(number, &*checksums, span);
                    if method == Method::Checksum || is_slow()? {
                        members.push(Member { number, checksums });
                    }
                }
                Ok(Err(reason)) => pass.say_streamed(number, method, &reason),
                // Whoever reads this destination next will say so, unless it is left alone.
                Err(error) => pass.mark_unread_if_silent(number, &error),
            }
        }
        let outcomes = pass.compare_sums(pass.without_void(span)?, &members)?;
        let mut summed = Summed {
            members: vec![],
            reached: span.to,
            suspects: Suspects::default(),
            rows_left: 0,
            rows: vec![],
        };
        let mut suspects = Vec::new();
        for (member, outcome) in members.iter().zip(outcomes) {
            if pass.is_unread(member.number) {
                continue;
            }
            if let Some(reason) = outcome.refused {
                pass.say_streamed(member.number, method, &reason);
                continue;
            }
            summed.rows.push((member.number, outcome.rows));
            summed.members.push(member.number);
            summed.reached = summed.reached.min(outcome.reached.unwrap_or(span.from - 1));
            suspects.extend(outcome.suspects);
        }
        suspects.sort_unstable_by_key(|(span, _): &(Span, u64)| span.from);
        suspects.dedup_by_key(|(span, _)| span.from);
        summed.rows_left = suspects.iter().map(|(_, rows)| rows).sum();
        let spans = suspects.into_iter().map(|(span, _)| span).collect();
        summed.suspects = Suspects::of_spans(spans);
        Ok(summed)
    }
}

impl Pass<'_> {
    /// From the first id that there is: an audit of everything begins where no id column does.
    fn without_void(&self, span: Span) -> Result<Span> {
        let (what, limit) = (What::New(span), 1);
        let rows = self.source().scan(&Request { what, limit }, &[])?.rows;
        Ok(Span {
            from: rows.first().map_or(span.to, |row| row.id),
            ..span
        })
    }

    fn say_streamed(&self, number: usize, method: Method, reason: &str) {
        self.observer.tell(&Notice::WithoutChecksums {
            destination: self.name(number).to_owned(),
            reason: reason.to_owned(),
            is_asked_for: method == Method::Checksum,
        });
    }

    /// Measures a few thousand rows: read, and then summed up where reading them took its time.
    fn is_slow(&self, number: usize, checksums: &dyn Checksums, span: Span) -> Result<bool> {
        let mut began_us = self.clock.now_us();
        let mut lap_us = || {
            let now_us = self.clock.now_us();
            now_us - std::mem::replace(&mut began_us, now_us)
        };
        // Rows so wide that not even these can be read at once are streamed, a few at a time.
        let Ok(Some(last)) = self.source().visit(span, SAMPLE_ROWS, &mut Unseen) else {
            return Ok(false);
        };
        let whole = self.destination(number).whole();
        let read = whole.and_then(|table| match table {
            Ok(table) => table.visit(None, SAMPLE_ROWS, &mut Unseen).map(drop),
            Err(_) => Ok(()),
        });
        let read_us = lap_us();
        if let Err(error) = read {
            self.mark_unread_if_silent(number, &error);
            return Ok(false);
        }
        if read_us <= crate::logic::audit::checksum::FAST_US {
            return Ok(false);
        }
        self.source().bounds()?;
        let round_trip_us = lap_us();
        let spans = [
            Span {
                from: span.from,
                to: last,
            },
            Span {
                from: last,
                to: last,
            },
        ];
        let keys = checksums.of_source(&spans)?.into_iter();
        let mut keys = keys.map(|chunk| Some(chunk.first_key).filter(|key| *key != Cell::Null));
        let (from, below) = (keys.next().flatten(), keys.next().flatten());
        if below.is_none() {
            return Ok(false);
        }
        if let Err(error) = checksums.of_destination(&[KeyRange { from, below }]) {
            self.mark_unread_if_silent(number, &error);
            return Ok(false);
        }
        let sample = Sample {
            read_us,
            summed_us: lap_us(),
            round_trip_us,
        };
        Ok(sample.is_for_checksums())
    }

    /// Both sides of all members at the same time; the one that is behind is waited for, so that they stay close together.
    fn compare_sums(&self, span: Span, members: &[Member<'_>]) -> Result<Vec<Outcome>> {
        let mut outcomes: Vec<Outcome> = members.iter().map(|_| Outcome::default()).collect();
        let is_over = || self.is_scan_over();
        std::thread::scope(|scope| -> Result<()> {
            let mut said = Vec::new();
            for Member { number, checksums } in members {
                let (to_comparer, chunks) = sync_channel(1);
                let (to_here, said_of_member) = sync_channel(1);
                let (throttle, is_over) = (&self.throttle, &is_over);
                // A destination that falls silent when the scan is over already is not asked anything else.
                let fails = move |error: &Error| self.mark_unread_if_silent(*number, error);
                scope.spawn(move || sum_source(&**checksums, span, throttle, &to_comparer));
                scope.spawn(move || compare(&**checksums, &chunks, &to_here, is_over, &fails));
                said.push(said_of_member);
            }
            while let Some(at) = behind(&outcomes).filter(|_| !is_over()) {
                let outcome = &mut outcomes[at];
                match said[at].recv() {
                    Ok(Said::Compared {
                        reached,
                        rows,
                        suspects,
                    }) => {
                        outcome.reached = Some(reached);
                        outcome.rows += rows;
                        outcome.suspects.extend(suspects);
                        let rows = outcomes.iter().map(|outcome| outcome.rows).max();
                        let ids_left = u64::try_from(span.to - reached).unwrap_or(0);
                        self.show_progress(rows.unwrap_or(0), 0, ids_left);
                    }
                    Ok(Said::Nothing(reason)) => {
                        outcome.refused = Some(reason);
                        outcome.is_done = true;
                    }
                    Ok(Said::Failed(error)) => {
                        outcome.refused = Some(error.to_string());
                        outcome.is_done = true;
                    }
                    Err(_) => outcome.is_done = true,
                }
            }
            Ok(())
        })?;
        Ok(outcomes)
    }
}

/// The member that has come least far.
fn behind(outcomes: &[Outcome]) -> Option<usize> {
    let left = outcomes
        .iter()
        .enumerate()
        .filter(|(_, outcome)| !outcome.is_done);
    left.min_by_key(|(_, outcome)| outcome.reached.unwrap_or(Id::MIN))
        .map(|(at, _)| at)
}

/// Sums the source up to its end, or until nobody listens.
fn sum_source(
    checksums: &dyn Checksums,
    span: Span,
    throttle: &Throttle<'_>,
    to: &SyncSender<Result<SourceChunks>>,
) {
    let (mut from, mut width) = (span.from, Width::default());
    let mut stride = Stride::new(STATEMENT_ROWS_FIRST, STATEMENT_ROWS_MAX);
    while from <= span.to {
        let turn = throttle.turn();
        let spans = width.spans(from, span.to, throttle.rows_at_once(stride.rows()));
        let read_to = spans.last().map_or(span.to, |last| last.to);
        let batch = checksums.of_source(&spans).map(|chunks| {
            let rows = chunks.iter().map(|chunk| chunk.checksum.rows).sum();
            let count = usize::try_from(rows).unwrap_or(usize::MAX);
            stride = stride.learnt(count, turn.took(count));
            width = width.learnt(spans.len(), rows);
            SourceChunks { chunks, read_to }
        });
        let is_last = batch.is_err();
        if to.send(batch).is_err() || is_last {
            return;
        }
        from = read_to + 1;
    }
}

/// Compares what the source's side sends with the destination's.
fn compare(
    checksums: &dyn Checksums,
    chunks: &Receiver<Result<SourceChunks>>,
    to: &SyncSender<Said>,
    is_over: &dyn Fn() -> bool,
    fails: &dyn Fn(&Error),
) {
    let mut paver = Paver::new(KeyRange::default());
    let mut alignment = Alignment::default();
    let mut read_to = None;
    loop {
        let batch = chunks.recv();
        let (tiles, is_last) = match batch {
            Ok(Ok(batch)) => {
                read_to = Some(batch.read_to);
                (paver.push(batch.chunks), false)
            }
            Ok(Err(error)) => {
                let _ = to.send(Said::Failed(error)); // Nobody listens: nobody wants to know.
                return;
            }
            Err(_) => {
                let last = std::mem::replace(&mut paver, Paver::new(KeyRange::default())).finish();
                (last.into_iter().collect(), true)
            }
        };
        let rows = tiles.iter().map(|tile| tile.chunk.checksum.rows).sum();
        let held = paver.held().map(|chunk| chunk.span.from - 1);
        let Some(reached) = held.or(read_to) else {
            return;
        };
        let said = match unequal(checksums, tiles, Some(&mut alignment))
            .and_then(|tiles| divided(checksums, tiles, is_over))
        {
            _ if alignment.is_lost() => {
                Said::Nothing("its keys do not grow with the source's ids".into())
            }
            Ok(suspects) => Said::Compared {
                reached,
                rows,
                suspects,
            },
            Err(error) => {
                fails(&error);
                Said::Failed(error)
            }
        };
        let is_last = is_last || !matches!(said, Said::Compared { .. });
        if to.send(said).is_err() || is_last {
            return;
        }
    }
}

/// The tiles that do not agree.
fn unequal(
    checksums: &dyn Checksums,
    tiles: Vec<Tile>,
    mut alignment: Option<&mut Alignment>,
) -> Result<Vec<Tile>> {
    if tiles.is_empty() {
        return Ok(tiles);
    }
    let ranges: Vec<KeyRange> = tiles.iter().map(|tile| tile.range.clone()).collect();
    let found = checksums.of_destination(&ranges)?;
    let mut unequal = Vec::new();
    for (tile, found) in tiles.into_iter().zip(found) {
        if let Some(alignment) = &mut alignment {
            alignment.note(&tile, found);
        }
        if !tile.chunk.checksum.agrees_with(found) {
            unequal.push(tile);
        }
    }
    Ok(unequal)
}

/// Short spans in which everything lies that these tiles do not agree about, and how many rows they have. Not as short when
/// the scan is over.
fn divided(
    checksums: &dyn Checksums,
    tiles: Vec<Tile>,
    is_over: &dyn Fn() -> bool,
) -> Result<Vec<(Span, u64)>> {
    let (mut suspects, mut left) = (Vec::new(), tiles);
    while !left.is_empty() {
        let (short, long): (Vec<Tile>, Vec<Tile>) = left
            .into_iter()
            .partition(|tile| tile.chunk.is_undivided() || is_over());
        let ids = |tile: Tile| (tile.chunk.span, tile.chunk.checksum.rows);
        suspects.extend(short.into_iter().map(ids));
        left = Vec::new();
        for tiles in long.chunks(DIVIDED_PER_STATEMENT) {
            let parts: Vec<Vec<Span>> = tiles.iter().map(|tile| tile.chunk.parts()).collect();
            let mut chunks = checksums.of_source(&parts.concat())?.into_iter();
            let mut smaller = Vec::new();
            for (tile, parts) in tiles.iter().zip(parts) {
                let mut paver = Paver::new(tile.range.clone());
                let mut own = paver.push(chunks.by_ref().take(parts.len()).collect());
                own.extend(paver.finish());
                match &own[..] {
                    // Rows without a key cannot be told apart by ranges of keys.
                    [same] if same.chunk.span == tile.chunk.span => {
                        suspects.extend(own.into_iter().map(ids));
                    }
                    _ => smaller.extend(own),
                }
            }
            left.extend(unequal(checksums, smaller, None)?);
        }
    }
    Ok(suspects)
}

/// Rows that are read for the time that it takes.
struct Unseen;

impl Visitor for Unseen {
    fn restart(&mut self) {}

    fn row(&mut self, _: Id, _: CellRef<'_>, _: &dyn Cells) {}

    fn too_large(&mut self, _: Id, _: CellRef<'_>) {}

    fn passed(&mut self, _: &dyn Fn() -> Place) {}
}
