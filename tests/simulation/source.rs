//! The source as a process reads it.
//!
//! A key that is read with its row carries the row's version beside it, so that a look-up says which content the copy is
//! compared with. Where keys themselves are compared, while tables are read from end to end, it carries none.

use std::collections::BTreeSet;
use std::sync::MutexGuard;

use cupid::error::Result;
use cupid::logic::scan::bounds::Bounds;
use cupid::logic::scan::gaps::Span;
use cupid::logic::scan::load::{Load, LoadLimits};
use cupid::logic::scan::plan::{Request, What};
use cupid::logic::scan::trail::key_print;
use cupid::logic::scan::zone;
use cupid::logic::value::address::Address;
use cupid::logic::value::cell::{Cell, Column, ColumnType, Id};
use cupid::logic::value::oversize::Part;
use cupid::logic::value::print;
use cupid::logic::value::row::Row;
use cupid::world::{Batch, Sent, Shared, Source, Visitor, Weight, WholeRow, WholeRows};

use crate::broken::Broken;
use crate::model::{Model, Shape};
use crate::plan::{MS, Plan, SECOND};
use crate::table::{Content, SourceRow};
use crate::turns::Work;
use crate::view::{SOURCE, View, destination, turn_to, unreadable};

/// Versions are below, keys above.
const VERSIONS: i64 = 1 << 24;
/// So far above the ids lies the lowest cell of a key: a key that is the id tells a row from another one in another way.
const KEYS_FROM: i64 = 1 << 20;

/// A key without a version.
pub(crate) fn key_cell(key: i64) -> Cell {
    versioned(key, 0)
}

fn versioned(key: i64, v: i64) -> Cell {
    Cell::Int((KEYS_FROM + key) * VERSIONS + v)
}

/// The key and the version in a cell.
pub(crate) fn key_and_version(cell: &Cell) -> Option<(i64, i64)> {
    match *cell {
        Cell::Int(cell) => {
            let key = cell.div_euclid(VERSIONS) - KEYS_FROM;
            Some((key, cell.rem_euclid(VERSIONS)))
        }
        _ => None,
    }
}

pub(crate) fn cells(content: Content) -> Vec<Cell> {
    vec![Cell::Int(content.v), Cell::Int(content.w)]
}

pub(crate) fn small(id: Id) -> i64 {
    i64::try_from(id).unwrap_or(if id > 0 { i64::MAX } else { i64::MIN })
}

fn moment(us: i64) -> Cell {
    let at = chrono::DateTime::from_timestamp_micros(us).unwrap_or_default();
    Cell::DateTime(zone::fields(at.naive_utc()))
}

/// An update time as a cursor has it.
pub(crate) fn time_text(us: i64) -> String {
    print::text(&moment(us), ColumnType::DateTime(6)).into_owned()
}

pub(crate) fn row(model: &Model, id: i64, row: &SourceRow) -> Row {
    let key = model.plan.key_of(id);
    Row {
        id: Id::from(id),
        key: key.map_or(Cell::Null, |key| versioned(key, row.content.v)),
        updated: moment(said_us(model, row)),
        cells: cells(row.content),
    }
}

/// The value of the update column.
pub(crate) fn said_us(model: &Model, row: &SourceRow) -> i64 {
    row.updated_us - row.lag_us + model.shape.zone_us
}

fn by_spans(model: &Model, spans: &[Span], limit: usize) -> Vec<Row> {
    let of_span = |span: &Span| model.seen_between(small(span.from), small(span.to));
    let rows = spans.iter().flat_map(of_span).take(limit);
    rows.map(|(id, source)| row(model, id, source)).collect()
}

/// `zone_us` is what the process takes the values of the update column to be ahead.
fn window(model: &Model, request: &Request, zone_us: i64) -> Vec<Row> {
    let What::Updated {
        from_us,
        to_us,
        after,
    } = &request.what
    else {
        return vec![];
    };
    let precision = model.plan.precision;
    let floored = |us: i64| us - us.rem_euclid(precision);
    let mut from_us = floored(*from_us);
    if model.broken == Some(Broken::WindowTooShort) {
        from_us = to_us - SECOND;
    }
    let window = from_us + zone_us..=floored(*to_us) + zone_us;
    let mut found: Vec<(i64, i64, &SourceRow)> = model
        .seen()
        .map(|(id, source)| (said_us(model, source), id, source))
        .filter(|(said_us, ..)| window.contains(said_us))
        .collect();
    found.sort_unstable_by_key(|&(time, id, _)| (time, id));
    let comes_after = |&(time, id, _): &(i64, i64, &SourceRow)| {
        after
            .as_ref()
            .is_none_or(|after| (time_text(time), Id::from(id)) > (after.time.clone(), after.id))
    };
    let rows = found.into_iter().filter(comes_after).take(request.limit);
    rows.map(|(_, id, source)| row(model, id, source)).collect()
}

impl Model {
    /// The row is there. Later processes know it once this one has written that down.
    fn is_seen(&mut self, process: usize, id: i64) {
        if self.ledger(destination(), id).gone_us.is_some() {
            let there = &mut self.processes[process].there;
            there.insert((destination(), id));
        }
    }

    /// The row is not there: it may be dropped once it has been away for its time.
    fn is_gone(&mut self, process: usize, id: i64, tick: u64) {
        let now_us = self.now_us;
        let late_us = self.plan.late - 2 * self.plan.latency_max - 50 * MS;
        let clock_is_set = self.plan.machine_jumps > 0;
        let was_there = self.processes[process].there.remove(&(destination(), id));
        let ledger = self.ledger(destination(), id);
        ledger.gone_us = ledger.gone_us.filter(|_| !was_there);
        let since_us = *ledger.gone_us.get_or_insert(now_us);
        if clock_is_set || now_us - since_us >= late_us {
            ledger.repaired_or_gone = tick;
            ledger.settle(process);
        }
    }
}

impl View<'_> {
    /// Who asks for single rows finds out which are gone.
    fn note_gone(&self, model: &mut Model, spans: &[Span]) {
        let tick = model.next_tick();
        for span in spans.iter().filter(|span| span.from == span.to) {
            let id = small(span.from);
            if model.seen_row(id).is_none() {
                model.is_gone(self.process, id, tick);
            }
        }
    }

    pub(crate) fn read_source(
        &self,
        name: &'static str,
        first: i64,
    ) -> Result<MutexGuard<'_, Model>> {
        let model = self.call(name, first, Work::Read);
        let mut model = model.ok_or_else(|| unreadable("the source"))?;
        let process = &mut model.processes[self.process];
        if process.fate.source_down.contains(&process.steps) {
            process.failures.source = true;
            return Err(unreadable("the source"));
        }
        let read = self.shape(&mut model);
        if read != model.shape && model.broken != Some(Broken::AlterOverlooked) {
            let process = self.process;
            model.processes[process].failures.source = true;
            model.tell(|| format!("[{process}] {name}: the columns changed"));
            return Err(unreadable("the source: its columns changed"));
        }
        Ok(model)
    }

    /// The source's columns as this process knows them: as they were when it first needed them.
    fn shape(&self, model: &mut Model) -> Shape {
        let now = model.shape;
        *model.processes[self.process].shape.get_or_insert(now)
    }

    /// The row as the process takes it: values whose type has changed are others to it.
    fn known(&self, model: &mut Model, mut row: Row) -> Row {
        if self.shape(model) != model.shape {
            row.cells.reverse();
        }
        row
    }
}

impl Shared for View<'_> {
    fn load(&self, _: LoadLimits) -> Result<Load> {
        Ok(self.sim.model().load(self.process, 0))
    }
}

impl Source for View<'_> {
    fn bounds(&self) -> Result<Bounds> {
        let mut model = self.read_source("bounds", 0)?;
        let now_us = model.source_now_us();
        model.processes[self.process].bounds_us = Some(now_us);
        // A replica that is behind answers as the source was, and does not know that ids started again since.
        let replica = model.table.stale.as_ref();
        model.processes[self.process].bounds = replica.map_or(model.tick, |replica| replica.tick);
        let last = model.table.seen().last_key_value();
        let key_max = last.map(|(&id, source)| row(&model, id, source).key);
        let key_max = key_max.filter(|key| *key != Cell::Null);
        let key_max = key_max.map(|key| key_print(&key));
        let mut id_max = last.map(|(&id, _)| id);
        if model.broken == Some(Broken::MaximumRemembered) {
            let highest = &mut model.highest;
            *highest = (*highest).max(id_max);
            id_max = *highest;
        }
        let id_max = id_max.map(Id::from);
        let process = self.process;
        model.tell(|| format!("[{process}] bounds: {now_us}, {id_max:?}"));
        Ok(Bounds {
            now_us,
            id_max,
            key_max,
        })
    }

    fn rows_without_id(&self) -> Result<u64> {
        Ok(0)
    }

    fn moments(&self) -> Result<Option<String>> {
        let mut model = self.sim.model();
        let shape = self.shape(&mut model);
        let is_forgotten = model.broken == Some(Broken::MeaningForgotten);
        Ok((!is_forgotten).then(|| shape.moments()))
    }

    fn scan(&self, request: &Request, except: &[Address]) -> Result<Batch> {
        let mut model = self.read_source("scan", 0)?;
        let rows = match &request.what {
            What::Holes(_) | What::Again(_) if model.broken == Some(Broken::HolesStayEmpty) => {
                vec![]
            }
            What::Keys(_) if model.broken == Some(Broken::LandmarksUnread) => vec![],
            What::Holes(spans) | What::Suspects(spans) | What::Keys(spans) => {
                by_spans(&model, spans, request.limit)
            }
            What::Again(span) | What::New(span) => by_spans(&model, &[*span], request.limit),
            What::Updated { .. } => {
                let zone_us = self.shape(&mut model).zone_us;
                window(&model, request, zone_us)
            }
        };
        let mut rows: Vec<Row> = rows
            .into_iter()
            .map(|row| self.known(&mut model, row))
            .collect();
        if let What::Suspects(spans) = &request.what {
            self.note_gone(&mut model, spans);
        }
        let is_full = rows.len() == request.limit;
        let mut is_cut = false;
        if rows.iter().any(|row| !except.contains(&row.address())) {
            let wanted = rows.len();
            rows.retain(|row| !except.contains(&row.address()));
            is_cut = is_full && rows.len() < wanted;
        }
        if !rows.is_empty() {
            let answered = model.answered_at_once(rows.len(), usize::MAX);
            is_cut |= answered < rows.len();
            rows.truncate(answered);
        }
        let giant = |row: &Row| {
            let content = model.seen_row(small(row.id))?.content;
            let giant = model.giant_row(content)?;
            (giant.part == Part::Compared).then_some(giant)
        };
        let at = rows.iter().position(|row| giant(row).is_some());
        let mut too_large = None;
        if let Some(at) = at {
            is_cut = true;
            let found = giant(&rows[at]).filter(|_| at == 0);
            rows.truncate(at.max(1));
            if found.is_some() {
                rows[0].cells = vec![];
                too_large = found;
            }
        }
        for row in rows.iter().filter(|row| row.key == Cell::Null) {
            let all = 0..model.plan.destinations;
            model.read_without_key(self.process, all, small(row.id));
        }
        let process = self.process;
        model.tell(|| {
            let ids: Vec<Id> = rows.iter().map(|row| row.id).take(20).collect();
            let what = format!("{:?}", request.what);
            let what = &what[..what.len().min(200)];
            format!("[{process}] scan {what}: {} rows {ids:?}", rows.len())
        });
        is_cut &= !rows.is_empty();
        Ok(Batch {
            rows,
            is_cut,
            too_large,
        })
    }

    fn visit(&self, span: Span, limit: usize, visitor: &mut dyn Visitor) -> Result<Option<Id>> {
        turn_to(SOURCE);
        let mut model = self.read_source("visit the source", small(span.from))?;
        let limit = model.rows_at_once(limit, model.table.rows.len());
        let rows = model.seen_between(small(span.from), small(span.to));
        let rows: Vec<(i64, Content)> = rows
            .take(limit)
            .map(|(id, row)| (id, row.content))
            .collect();
        let skips = model.broken == Some(Broken::RowsSkipped);
        let lost = model.rng.chance(50); // In the middle of the rows, and they are read again.
        visitor.restart();
        for (id, content) in rows.iter().take(if lost { limit / 2 } else { 0 }) {
            show(&model.plan, *id, *content, visitor);
        }
        if lost {
            visitor.restart();
        }
        for &(id, content) in &rows {
            if skips && content.v % 7 == 3 {
                continue;
            }
            show(&model.plan, id, content, visitor);
            for destination in 0..model.plan.destinations {
                model.visited(self.process, destination, id, content);
            }
        }
        let process = self.process;
        model.tell(|| format!("[{process}] visit the source from {}: {rows:?}", span.from));
        Ok(rows
            .last()
            .filter(|_| rows.len() >= limit)
            .map(|&(id, _)| Id::from(id)))
    }

    fn ids_of(&self, keys: &[Cell]) -> Result<Vec<Id>> {
        let model = self.read_source("ids of keys", 0)?;
        let keys = keys.iter().filter_map(key_and_version);
        let ids = keys.flat_map(|(key, _)| model.plan.ids_of(key));
        let ids = ids.filter(|&id| model.seen_row(id).is_some());
        Ok(ids.map(Id::from).collect())
    }

    fn weigh(&self, ids: &[Address]) -> Result<Vec<Weight>> {
        let ids: Vec<Id> = ids.iter().map(|it| it.id()).collect();
        let mut model = self.read_source("weigh rows", ids.first().map_or(0, |&id| small(id)))?;
        for id in ids.iter().map(|&id| small(id)) {
            if model.seen_row(id).is_some() {
                model.is_seen(self.process, id);
            }
        }
        let weight = |&id: &Id| {
            let source = model.seen_row(small(id))?;
            let giant = model.giant_row(source.content);
            let bytes_of = |is_so: fn(Part) -> bool| {
                let giant = giant.filter(|giant| is_so(giant.part));
                giant.map_or(1, |giant| giant.bytes)
            };
            Some(Weight {
                id: id.into(),
                key: row(&model, small(id), source).key,
                compared_bytes: bytes_of(|part| part == Part::Compared),
                row_bytes: bytes_of(|_| true),
            })
        };
        Ok(ids.iter().filter_map(weight).collect())
    }

    fn whole_rows(&self, ids: &[Address], room_bytes: usize) -> Result<WholeRows> {
        let ids: Vec<Id> = ids.iter().map(|it| it.id()).collect();
        let first = ids.first().map_or(0, |&id| small(id));
        let mut model = self.read_source("whole rows", first)?;
        let tick = model.next_tick();
        let mut answered = model.answered_at_once(ids.len(), room_bytes);
        let is_giant = |id: &Id| {
            let source = model.seen_row(small(*id));
            source.is_some_and(|source| model.giant_row(source.content).is_some())
        };
        if let Some(at) = ids[..answered].iter().position(is_giant) {
            answered = at.max(1); // Others are asked for without it.
        }
        let ids = &ids[..answered];
        let mut rows = Vec::with_capacity(ids.len());
        // Like a table, it has one row for an id that is asked for twice.
        for id in ids.iter().map(|&id| small(id)).collect::<BTreeSet<_>>() {
            let ignores = model.broken == Some(Broken::ConditionIgnored);
            let source = match model.seen_row(id) {
                None if ignores => model.table.seen().get(&id),
                source => source,
            };
            let Some(source) = source.copied() else {
                model.is_gone(self.process, id, tick);
                continue;
            };
            model.is_seen(self.process, id);
            let mut row = row(&model, id, &source);
            if let Some(too_large) = model.giant_row(source.content) {
                if too_large.part == Part::Compared {
                    row.cells = vec![];
                } else if row.key == Cell::Null {
                    let this = std::iter::once(destination());
                    model.read_without_key(self.process, this, id);
                }
                rows.push(WholeRow {
                    row: self.known(&mut model, row),
                    all: vec![],
                    too_large: Some(too_large),
                });
                continue;
            }
            if row.key == Cell::Null {
                let this = std::iter::once(destination());
                model.read_without_key(self.process, this, id);
            }
            let sent_v = model.ledger(destination(), id).sent_v;
            let old = model.broken == Some(Broken::OldCopySent) && sent_v > 0;
            let mut all = vec![
                Sent::Other(Cell::Int(id)),
                Sent::Other(row.key.clone()),
                Sent::Compared(0),
                Sent::Compared(1),
                Sent::Other(row.updated.clone()),
            ];
            if old {
                all[2] = Sent::Other(Cell::Int(sent_v));
            }
            let as_it_is = row.cells.clone();
            let row = self.known(&mut model, row);
            if row.cells != as_it_is && !old {
                all.swap(2, 3); // What is sent is right, wherever it is looked for.
            }
            rows.push(WholeRow {
                row,
                all,
                too_large: None,
            });
        }
        let process = self.process;
        model.tell(|| {
            let read = rows.iter().take(20);
            let read: Vec<_> = read.map(|w| (w.row.id, w.row.cells.first())).collect();
            format!("[{process}] whole rows: {read:?}")
        });
        Ok(WholeRows { answered, rows })
    }

    fn columns(&self) -> Result<&[Column]> {
        Ok(&self.sim.columns)
    }
}

fn show(plan: &Plan, id: i64, content: Content, visitor: &mut dyn Visitor) {
    let key = plan.key_of(id).map_or(Cell::Null, key_cell);
    visitor.row(Id::from(id), key.lent(), &cells(content));
}
