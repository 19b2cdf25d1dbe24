//! What is checked whenever a file changes, after each run, and at the end.

use std::collections::BTreeSet;

use cupid::error::Exit;
use cupid::logic::report::summary::Summary;
use cupid::logic::scan::checkpoint::{Checkpoint, Position, UpdatePosition, ZONES_APART_US};
use cupid::logic::scan::gaps::HOLES_MAX;
use cupid::logic::value::cell::Id;

use crate::command::Command;
use crate::fact::Fact;
use crate::folder::RUN;
use crate::job::numbers;
use crate::model::Model;
use crate::process::SLACK_US;
use crate::source::{row, said_us, time_text};
use crate::table::SourceRow;

/// Ranges of `gaps.rs`, and one more.
const RANGES_MAX: usize = 65;

/// Since when a destination is looked after, as the checkpoint that first named it says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Since {
    /// New ids from this one on.
    from_id: Option<i64>,
    /// Updates from this moment on, on the source's clock, that became visible after this tick.
    updates: Option<(i64, u64)>,
}

impl Since {
    fn is_new(&self, id: i64) -> bool {
        self.from_id.is_some_and(|from_id| id >= from_id)
    }

    fn is_watched(&self, row: &SourceRow) -> bool {
        let (from_us, tick) = self.updates.unwrap_or((i64::MAX, 0));
        !row.jumped && row.updated_us >= from_us && row.tick >= tick
    }
}

/// These are in the outbox now.
pub(crate) fn owed(model: &mut Model, folder: usize, keys: impl Iterator<Item = (usize, i64)>) {
    let tick = model.next_tick();
    for (destination, id) in keys {
        let ledger = model.ledger(destination, id);
        if ledger.owed[folder] == 0 {
            ledger.owed[folder] = tick;
        }
        model.folders[folder].owed.insert((destination, id));
    }
}

/// The outbox is about to be replaced.
pub(crate) fn replaced(model: &mut Model, folder: usize, after: BTreeSet<(usize, i64)>) {
    let before = std::mem::take(&mut model.folders[folder].owed);
    for &(destination, id) in before.difference(&after) {
        let is_elsewhere = model.folders[1 - folder].owed.contains(&(destination, id));
        let ledger = model.ledger(destination, id);
        let settled = ledger.delivered.max(ledger.repaired_or_gone) > ledger.owed[folder];
        ledger.owed[folder] = 0;
        if !settled && !is_elsewhere {
            let text = format!("{id} is no longer owed to d{destination}");
            model.fail(Fact::NothingLost, text);
        }
    }
    // What an endpoint asked for is remembered with what is owed to it.
    for destination in 0..model.plan.destinations {
        if !after.iter().any(|&(number, _)| number == destination) {
            model.quiet.forget_of(folder, destination);
        }
    }
    owed(model, folder, after.into_iter());
}

/// A checkpoint of `run` is about to be the one on disk.
pub(crate) fn checkpoint(model: &mut Model, process: usize, checkpoint: &Checkpoint) {
    let is_first = model.folders[0].checkpoint.is_none();
    let numbers = numbers(checkpoint);
    for number in 0..model.plan.destinations {
        let mut positions = checkpoint.positions.iter();
        let is_it = |name: &String| numbers.get(name.as_str()) == Some(&number);
        match positions.find(|position| position.destinations.iter().any(is_it)) {
            None => model.since[number] = Since::default(),
            Some(position) => looked_after(model, process, number, position, is_first),
        }
    }
    for position in &checkpoint.positions {
        let (holes, ranges) = (position.gaps.holes.len(), position.gaps.ranges.len());
        if holes > HOLES_MAX || ranges > RANGES_MAX {
            model.fail(Fact::GapsBounded, format!("{holes} holes, {ranges} ranges"));
        }
        for name in &position.destinations {
            let Some(&destination) = numbers.get(name.as_str()) else {
                continue;
            };
            if let Some((id, why)) = passed(model, process, destination, position) {
                let text = format!("d{destination} did not answer for {id}, {why}");
                model.fail(Fact::CheckpointWaits, text);
            }
        }
    }
}

/// The destination is in the checkpoint.
fn looked_after(
    model: &mut Model,
    process: usize,
    number: usize,
    position: &Position,
    is_first: bool,
) {
    let tick = if is_first { 0 } else { model.tick };
    // What an ALTER had moved to another time before anybody looked is no update of that time.
    let tick = tick.max(model.table.altered);
    let back_us = model.plan.back();
    let now_us = model.processes[process].bounds_us.unwrap_or(i64::MAX);
    let since = &mut model.since[number];
    if since.from_id.is_none() {
        since.from_id = position.next_id.map(crate::source::small);
    }
    if let Some(UpdatePosition {
        until_us, resume, ..
    }) = &position.update
        && since.updates.is_none()
    {
        let until_us = resume.as_ref().map_or(*until_us, |resume| resume.to_us);
        since.updates = Some((until_us.min(now_us) - back_us, tick));
    }
}

/// What a position says of ids that are to be looked at again.
pub(crate) fn remembers(position: &Position, id: i64) -> bool {
    let id = Id::from(id);
    let mut gaps = position.gaps.holes.iter().chain(&position.gaps.ranges);
    let suspects = position.suspects.next(usize::MAX);
    gaps.any(|gap| (gap.from..=gap.to).contains(&id))
        || suspects
            .iter()
            .any(|span| (span.from..=span.to).contains(&id))
}

/// A row that the position says was compared and that was not.
fn passed(
    model: &Model,
    process: usize,
    destination: usize,
    position: &Position,
) -> Option<(i64, &'static str)> {
    let since = &model.since[destination];
    let process = &model.processes[process];
    let looks_at_ids = matches!(process.command, Command::Run { insert: true, .. });
    let restarted = model.table.restarted;
    // Ids that started again after the process asked for the highest one are the next pass's. So are
    // ids that started again out of sight of the replica that answered: the replica's highest id lies
    // beyond them. When the source has caught up, its highest id goes back, and a pass compares them.
    let is_next_pass = |row: &SourceRow| {
        restarted > 0
            && row.inserted > restarted
            && (!looks_at_ids || row.inserted > process.bounds)
    };
    for (id, source) in model.rows() {
        let ledger = model.ledgers[destination].get(&id);
        let answered_v = ledger.map_or(0, |ledger| ledger.answered_v);
        if model.folders[RUN].aside.contains(&(destination, id)) {
            continue;
        }
        let is_below = position.next_id.is_some_and(|next| Id::from(id) < next);
        let is_new =
            since.is_new(id) && !source.insert_jumped && !source.wandered && !is_next_pass(source);
        if is_below && is_new && answered_v < source.first_v && !remembers(position, id) {
            return Some((id, "whose id lies below the next one"));
        }
        let is_due = answered_v < source.content.v && since.is_watched(source);
        let Some(update) = position.update.as_ref().filter(|_| is_due) else {
            continue;
        };
        if let Some(why) = passed_window(model, id, source, update)
            && !remembers(position, id)
        {
            return Some((id, why));
        }
    }
    None
}

/// Why no window to come will find the row.
fn passed_window(
    model: &Model,
    id: i64,
    source: &SourceRow,
    update: &UpdatePosition,
) -> Option<&'static str> {
    let back_us = model.plan.back() + model.plan.precision;
    let said_us = said_us(model, source);
    let gone_by = |to_us: i64| said_us - model.shape.zone_us < to_us - back_us;
    // The next pass goes back when it finds that the column says moments otherwise.
    let is_altered = update.moments.as_ref() != Some(&model.shape.moments());
    let until_us = update.until_us - if is_altered { ZONES_APART_US } else { 0 };
    if gone_by(until_us) {
        return Some("whose update lies before any window to come");
    }
    if let Some(resume) = update.resume.as_ref().filter(|_| !is_altered) {
        let time = time_text(said_us);
        let place = (time.as_str(), Id::from(id));
        let is_before = place <= (resume.after.time.as_str(), resume.after.id);
        if is_before && gone_by(resume.to_us) {
            return Some("whose update lies before the cursor");
        }
    }
    let seen = &update.seen;
    let is_seen = !seen.is_empty() && {
        let row = row(model, id, source);
        seen.contains(Id::from(id), row.fingerprint())
    };
    is_seen.then_some("which is remembered as compared")
}

/// A process came to its end, or was killed.
pub(crate) fn time(model: &mut Model, process: usize) {
    let plan = model.plan;
    let state = &model.processes[process];
    let waits = match &state.command {
        Command::Audit(audit) if audit.rows_per_second_max.is_some() => return, // It sleeps as long as it reads.
        Command::Retry => 0,
        _ if plan.owed_max < 1000 => 100,
        Command::Run { .. } => 1,
        Command::Audit(_) => 2 + i64::try_from(plan.destinations).unwrap_or(1),
    };
    let most_us = plan.delivery + waits * plan.confirm + SLACK_US;
    let other_us = model.now_us - state.began_us - state.reading_us;
    if other_us > most_us {
        let text = format!("{other_us} us were spent on callbacks and sleep, of at most {most_us}");
        model.fail(Fact::PassEnds, text);
    }
}

/// A process came to its end, be it with an error.
pub(crate) fn taken(model: &mut Model, process: usize) {
    let state = &model.processes[process];
    if state.failures.files {
        return; // It could not write down what it knew.
    }
    let owed = &model.folders[state.command.folder()].owed;
    if let Some((number, id)) = state
        .taken
        .intersection(&owed.iter().copied().collect())
        .next()
    {
        let text = format!("{id} was taken by d{number} and is still owed");
        model.fail(Fact::TakenOnce, text);
    }
}

/// A process came to its end.
pub(crate) fn summary(model: &mut Model, process: usize, summary: &Summary) {
    let state = &model.processes[process];
    let on_disk = model.folders[state.command.folder()].owed.len() as u64;
    if state.command.is_dry() {
        return;
    }
    if summary.owed() != on_disk {
        let text = format!("{} are owed, {on_disk} on disk", summary.owed());
        model.fail(Fact::ExitTrue, text);
    }
    let is_healthy = on_disk == 0 && summary.pause().is_none();
    if summary.exit() == Exit::Done && !is_healthy {
        model.fail(Fact::ExitTrue, format!("done, says {}", summary.line()));
    }
    let down = &model.processes[process].fate.destinations_down;
    let is_always_down = down.iter().all(|down| *down == (0..u64::MAX));
    if summary.exit() == Exit::Done && is_always_down && summary.total().compared > 0 {
        model.fail(Fact::ExitTrue, format!("done, says {}", summary.line()));
    }
}

/// The world is quiet and all passes are done.
pub(crate) fn end(model: &mut Model) {
    let mut missed = None;
    for (id, row) in model.rows() {
        for destination in 0..model.plan.destinations {
            let ledger = model.ledgers[destination].get(&id);
            let v = row.content.v;
            let is_known =
                ledger.is_some_and(|ledger| ledger.agreed_v == v || ledger.delivered_v == v);
            let since = &model.since[destination];
            let is_new = row.is_as_inserted() && since.is_new(id) && !row.jumped && !row.wandered;
            let is_promised = is_new || since.is_watched(row);
            if is_promised && !is_known && !model.agrees(destination, id, row.content) {
                let key = model.plan.key_of(id).unwrap_or(i64::MIN);
                let copies = model.copies[destination].rows.get(&key);
                missed = Some(format!(
                    "{id} is {row:?} and {copies:?} in d{destination}: {ledger:?}"
                ));
            }
        }
    }
    if let Some(text) = missed {
        model.fail(Fact::NothingMissed, text);
    }
}
