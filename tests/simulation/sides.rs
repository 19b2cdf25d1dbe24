//! The model behind the traits of `cupid::world`. Every call takes time, and may be the one at which the process dies.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cupid::error::{Error, Result};
use cupid::logic::cell::{Cell, Column, ColumnType, Id};
use cupid::logic::compare::{ColumnMap, Found, Matches, Pair};
use cupid::logic::equal::{Comparator, Rule};
use cupid::logic::fix::Fix;
use cupid::logic::gaps::Span;
use cupid::logic::print;
use cupid::logic::report::Line;
use cupid::logic::row::Row;
use cupid::logic::window::{Bounds, Request, What};
use cupid::logic::zone;
use cupid::world::{Clock, Destination, Observer, Source, WholeRow};

use crate::broken::Broken;
use crate::fact::Fact;
use crate::model::{Content, Model, SourceRow};
use crate::plan::{MS, SECOND};
use crate::reads::Read;

/// What a killed process unwinds with.
pub(crate) struct Killed;

/// More calls than any pass over so small a world needs.
const STEPS_MAX: u64 = 20_000;
/// Real time, after which the order of calls is not what this model takes it for.
const HANGS_AFTER: Duration = Duration::from_secs(60);
const KEY_FIRST: i64 = 1_000_000;

/// Everything that cupid sees.
pub(crate) struct Sim {
    model: Mutex<Model>,
    batch_read: Condvar,
    columns: Vec<Column>,
    map: ColumnMap,
}

/// One destination and its receiver.
pub(crate) struct Side<'s> {
    pub(crate) sim: &'s Sim,
    pub(crate) number: usize,
}

pub(crate) fn die() -> ! {
    std::panic::resume_unwind(Box::new(Killed))
}

pub(crate) fn unreadable(what: &str) -> Error {
    Error::Database {
        operation: format!("Read {what}"),
        reason: "simulated".into(),
    }
}

impl Sim {
    pub(crate) fn new(model: Model) -> Self {
        let column = |name: &str, column_type| Column {
            name: name.into(),
            column_type,
        };
        let pair = |name: &str, source_index| Pair {
            name: name.into(),
            destination: name.into(),
            in_server_zone: false,
            source_index,
            source_type: ColumnType::Int,
            destination_type: ColumnType::Int,
            comparator: Comparator::new(ColumnType::Int, ColumnType::Int, &Rule::default()),
        };
        Self {
            model: Mutex::new(model),
            batch_read: Condvar::new(),
            columns: vec![
                column("id", ColumnType::Int),
                column("k", ColumnType::Int),
                column("v", ColumnType::Int),
                column("w", ColumnType::Int),
                column("updated", ColumnType::DateTime(6)),
            ],
            map: ColumnMap {
                pairs: vec![pair("v", 0), pair("w", 1)],
                key_type: ColumnType::Int,
                destination_key_type: ColumnType::Int,
            },
        }
    }

    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more step of the process. True when it is the last one.
    pub(crate) fn enter(&self) -> (MutexGuard<'_, Model>, bool) {
        let mut model = self.model();
        if model.run.dead || model.failure.is_some() {
            drop(model);
            die();
        }
        model.run.steps += 1;
        if model.run.steps > STEPS_MAX {
            model.fail(Fact::PassEnds, format!("{STEPS_MAX} calls and no end"));
        }
        let last = model.run.steps >= model.run.kill_at;
        (model, last)
    }

    /// A call that either happens or not.
    pub(crate) fn call(&self) -> MutexGuard<'_, Model> {
        let (mut model, last) = self.enter();
        if last {
            model.run.dead = true;
            model.tell(|| "cupid is killed".into());
            drop(model);
            die();
        }
        model
    }

    /// A call to a table, which takes a little time.
    fn read(&self) -> MutexGuard<'_, Model> {
        let mut model = self.call();
        let latency_max = model.plan.latency_max;
        let latency_us = model.rng.between(1, latency_max);
        model.run.reading_us += latency_us;
        model.wait(latency_us);
        model
    }

    /// What happens side by side in the program has one order here: a batch that is looked up while the next one is read
    /// waits for that one.
    fn await_next_batch(&self) {
        let model = self.model();
        if !model.reads.is_beside_scanner() {
            return;
        }
        let is_coming =
            |model: &mut Model| !model.reads.ahead && !model.run.dead && model.failure.is_none();
        let waited = self
            .batch_read
            .wait_timeout_while(model, HANGS_AFTER, is_coming);
        let (mut model, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            let text = "A batch is looked up beside no scan".into();
            model.fail(Fact::PassEnds, text);
        }
    }

    fn read_source(&self) -> Result<MutexGuard<'_, Model>> {
        let model = self.read();
        if model.run.steps >= model.run.source_fails_at {
            return Err(unreadable("the source"));
        }
        Ok(model)
    }
}

/// However a read of a batch ends, who waits for it goes on.
struct Reading<'s>(&'s Sim);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.model().reads.ahead = true;
        self.0.batch_read.notify_all();
    }
}

fn small(id: Id) -> i64 {
    i64::try_from(id).unwrap_or(if id > 0 { i64::MAX } else { i64::MIN })
}

fn moment(us: i64) -> Cell {
    let at = chrono::DateTime::from_timestamp_micros(us).unwrap_or_default();
    Cell::DateTime(zone::fields(at.naive_utc()))
}

fn row(id: i64, row: &SourceRow) -> Row {
    Row {
        id: Id::from(id),
        key: Cell::Int(KEY_FIRST + id),
        updated: moment(row.updated_us),
        cells: vec![Cell::Int(row.content.v), Cell::Int(row.content.w)],
    }
}

fn id_of(key: &Cell) -> Option<i64> {
    match *key {
        Cell::Int(key) => Some(key - KEY_FIRST),
        _ => None,
    }
}

/// What the seen-set of a checkpoint would hold of this row.
pub(crate) fn fingerprint(id: i64, source: &SourceRow) -> u64 {
    row(id, source).fingerprint()
}

fn by_spans(model: &Model, spans: &[Span], limit: usize) -> Vec<Row> {
    let of_span = |span: &Span| model.rows.range(small(span.from)..=small(span.to));
    let rows = spans.iter().flat_map(of_span);
    rows.take(limit)
        .map(|(&id, source)| row(id, source))
        .collect()
}

fn window(model: &Model, request: &Request) -> Vec<Row> {
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
    let within = |source: &SourceRow| (from_us..=floored(*to_us)).contains(&source.updated_us);
    let mut found: Vec<(i64, i64)> = model
        .rows
        .iter()
        .filter(|(_, source)| within(source))
        .map(|(&id, source)| (source.updated_us, id))
        .collect();
    found.sort_unstable();
    let rows = found.into_iter().map(|(_, id)| row(id, &model.rows[&id]));
    let comes_after = |row: &Row| {
        after.as_ref().is_none_or(|after| {
            let time = print::text(&row.updated, ColumnType::DateTime(6));
            (time.as_ref(), row.id) > (after.time.as_str(), after.id)
        })
    };
    rows.filter(comes_after).take(request.limit).collect()
}

impl Source for Sim {
    fn bounds(&self) -> Result<Bounds> {
        let mut model = self.read_source()?;
        let now_us = model.source_now_us();
        model.run.bounds_us = Some(now_us);
        model.wait(10);
        let id_max = model.rows.last_key_value().map(|(&id, _)| Id::from(id));
        model.tell(|| format!("bounds: {now_us}, {id_max:?}"));
        Ok(Bounds { now_us, id_max })
    }

    fn scan(&self, request: &Request) -> Result<Vec<Row>> {
        self.model().reads.scan();
        let _reading = Reading(self);
        let mut model = self.read_source()?;
        let rows = match &request.what {
            What::Holes(_) | What::Again(_) if model.broken == Some(Broken::HolesStayEmpty) => {
                vec![]
            }
            What::Holes(spans) | What::Suspects(spans) => by_spans(&model, spans, request.limit),
            What::Again(span) | What::New(span) => by_spans(&model, &[*span], request.limit),
            What::Updated { .. } => window(&model, request),
        };
        let tick = model.next_tick();
        let read = |row: &Row| {
            let id = small(row.id);
            let content = model.rows[&id].content;
            (id, Read { content, tick })
        };
        let batch = rows.iter().map(read).collect();
        model.reads.scanned(batch);
        model.tell(|| {
            let ids: Vec<Id> = rows.iter().map(|row| row.id).take(20).collect();
            let what = format!("{:?}", request.what);
            format!(
                "scan {}: {} rows {ids:?}",
                &what[..what.len().min(200)],
                rows.len()
            )
        });
        Ok(rows)
    }

    fn whole_rows(&self, ids: &[Id]) -> Result<Vec<WholeRow>> {
        let mut model = self.read_source()?;
        let tick = model.next_tick();
        let mut rows = Vec::with_capacity(ids.len());
        let mut batch = HashMap::new();
        // Like a table, it has one row for an id that is asked for twice.
        for id in ids.iter().map(|&id| small(id)).collect::<BTreeSet<_>>() {
            let Some(source) = model.rows.get(&id).copied() else {
                for destination in 0..model.plan.destinations {
                    model.ledger(destination, id).repaired_or_gone = tick;
                }
                continue;
            };
            let content = source.content;
            batch.insert(id, Read { content, tick });
            let sent_v = model.ledger(0, id).sent_v;
            let old = model.broken == Some(Broken::OldCopySent) && sent_v > 0;
            let row = row(id, &source);
            let all = vec![
                Cell::Int(id),
                row.key.clone(),
                Cell::Int(if old { sent_v } else { source.content.v }),
                Cell::Int(source.content.w),
                row.updated.clone(),
            ];
            rows.push(WholeRow { row, all });
        }
        model.reads.whole(batch);
        model.tell(|| {
            let read: Vec<_> = rows
                .iter()
                .take(20)
                .map(|w| (w.row.id, &w.row.cells[0]))
                .collect();
            format!("whole rows: {read:?}")
        });
        Ok(rows)
    }

    fn ids_of(&self, keys: &[Cell]) -> Result<Vec<Id>> {
        let model = self.read_source()?;
        let ids = keys.iter().filter_map(id_of);
        let ids = ids.filter(|id| model.rows.contains_key(id));
        Ok(ids.map(Id::from).collect())
    }

    fn lacking(&self, keys: &[Cell]) -> Result<Vec<Cell>> {
        let model = self.read_source()?;
        let has = |key: &&Cell| id_of(key).is_some_and(|id| model.rows.contains_key(&id));
        Ok(keys.iter().filter(|key| !has(key)).cloned().collect())
    }

    fn columns(&self) -> Result<&[Column]> {
        Ok(&self.columns)
    }
}

impl Destination for Side<'_> {
    fn map(&self) -> Result<&ColumnMap> {
        Ok(&self.sim.map)
    }

    fn find(&self, keys: &[&Cell]) -> Result<Found> {
        self.sim.await_next_batch();
        let mut model = self.sim.read();
        if model.run.destinations_down[self.number] {
            return Err(unreadable("a destination"));
        }
        let blind = model.broken == Some(Broken::BlindLook) && model.rng.chance(50);
        let tick = model.next_tick();
        let mut found = Found::default();
        let ids: Vec<i64> = keys.iter().filter_map(|key| id_of(key)).collect();
        let compared = model.reads.compared(&ids);
        for id in ids {
            let copy = model.copies[self.number].get(&id).copied();
            let read = compared.get(&id).copied();
            let Some(Read {
                content,
                tick: read_tick,
            }) = read
            else {
                let text = format!("{id} is looked up, but was not read");
                model.fail(Fact::CheckpointWaits, text);
                continue;
            };
            let ledger = model.ledger(self.number, id);
            ledger.read = Some(content);
            ledger.answered = ledger.answered.max(read_tick);
            ledger.agrees = copy == Some(content);
            if ledger.agrees {
                ledger.agreed_v = content.v;
                ledger.repaired_or_gone = tick;
            }
            let mut matches = Matches::None;
            if let Some(Content { v, w }) = copy.filter(|_| !blind) {
                matches.push(found.rows.len());
                found.rows.push(vec![Cell::Int(v), Cell::Int(w)]);
            }
            found.by_key.push(matches);
        }
        model.tell(|| format!("find {} keys in d{}", keys.len(), self.number));
        Ok(found)
    }
}

impl Clock for Sim {
    fn now_us(&self) -> i64 {
        self.model().machine_now_us()
    }

    fn sleep(&self, duration: Duration) {
        let mut model = self.call();
        if model.run.steps >= model.run.stop_at {
            return;
        }
        let us = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        model.tell(|| format!("sleep {us} us"));
        match model.broken {
            Some(Broken::NoConfirmDelay) => model.machine_ahead_us += us,
            Some(Broken::Oversleeps) => {
                model.run.other_us += 10 * us;
                model.wait(10 * us);
            }
            _ => {
                model.run.other_us += us;
                model.wait(us);
            }
        }
    }

    fn stopping(&self) -> bool {
        let mut model = self.model();
        model.reads.ahead = false; // It is asked before each batch.
        model.run.steps >= model.run.stop_at
    }

    fn random(&self) -> f64 {
        self.model().rng.fraction()
    }
}

impl Observer for Sim {
    fn report(&self, _lines: &[Line]) -> Result<()> {
        Ok(())
    }

    fn fix(&self, _fix: &Fix<'_>) -> Result<()> {
        Ok(())
    }

    fn progress(&self, _compared: u64, _ids_left: u64) {}

    fn warn(&self, message: &str) {
        self.model().tell(|| format!("warning: {message}"));
    }

    fn info(&self, message: &str) {
        self.model().tell(|| format!("info: {message}"));
    }
}

/// What a careful reader adds to a limit.
pub(crate) const SLACK_US: i64 = 50 * MS;
