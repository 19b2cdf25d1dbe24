//! What is checked whenever a file changes, after each pass, and at the end.

use std::collections::BTreeSet;

use cupid::error::Exit;
use cupid::logic::cell::{ColumnType, Id};
use cupid::logic::checkpoint::{Checkpoint, Position};
use cupid::logic::gaps::HOLES_MAX;
use cupid::logic::owed::Outbox;
use cupid::logic::print;
use cupid::logic::summary::Summary;

use crate::fact::Fact;
use crate::model::{Model, SourceRow};
use crate::sides::{SLACK_US, fingerprint};

/// Ranges of `gaps.rs`, and one more.
const RANGES_MAX: usize = 65;

fn number(name: &str) -> usize {
    name.trim_start_matches('d').parse().unwrap_or(0)
}

/// The owed callbacks on disk.
pub(crate) fn outbox(model: &Model) -> Result<Outbox, String> {
    let text = model.outbox_file.clone().unwrap_or_default();
    let text = String::from_utf8(text).map_err(|error| error.to_string())?;
    Outbox::parse(&text).map_err(|(line, why)| format!("line {line}: {why}"))
}

fn keys(outbox: &Outbox) -> BTreeSet<(usize, i64)> {
    let key = |owed: &cupid::logic::owed::Owed| {
        let id = i64::try_from(owed.id).unwrap_or(0);
        (number(&owed.destination), id)
    };
    outbox.iter().map(key).collect()
}

/// These are on disk now.
pub(crate) fn owed(model: &mut Model, outbox: &Outbox) {
    let tick = model.next_tick();
    for (destination, id) in keys(outbox) {
        let ledger = model.ledger(destination, id);
        if ledger.owed == 0 {
            ledger.owed = tick;
        }
    }
}

/// The outbox is about to be replaced.
pub(crate) fn replaced(model: &mut Model, text: &[u8]) {
    let Ok(before) = outbox(model) else { return };
    let Ok(after) = Outbox::parse(&String::from_utf8_lossy(text)) else {
        return model.fail(Fact::StateReadable, "The outbox is damaged".into());
    };
    for (destination, id) in keys(&before).difference(&keys(&after)) {
        let ledger = model.ledger(*destination, *id);
        let settled = ledger.delivered.max(ledger.repaired_or_gone) > ledger.owed;
        ledger.owed = 0;
        if !settled {
            let text = format!("{id} is no longer owed to d{destination}");
            model.fail(Fact::NothingLost, text);
        }
    }
    owed(model, &after);
}

/// A checkpoint is about to be the one on disk.
pub(crate) fn checkpoint(model: &mut Model, checkpoint: &Checkpoint) {
    if model.watched_from_us.is_none() && checkpoint.positions.iter().any(|p| p.update.is_some()) {
        let back_us = model.plan.back();
        model.watched_from_us = model.run.bounds_us.map(|bounds_us| bounds_us - back_us);
    }
    for position in &checkpoint.positions {
        let (holes, ranges) = (position.gaps.holes.len(), position.gaps.ranges.len());
        if holes > HOLES_MAX || ranges > RANGES_MAX {
            model.fail(Fact::GapsBounded, format!("{holes} holes, {ranges} ranges"));
        }
        for name in &position.destinations {
            let destination = number(name);
            if let Some((id, why)) = passed(model, destination, position) {
                let text = format!("d{destination} did not answer for {id}, {why}");
                model.fail(Fact::CheckpointWaits, text);
            }
        }
    }
}

/// A row that the position says was compared and that was not.
fn passed(model: &Model, destination: usize, position: &Position) -> Option<(i64, &'static str)> {
    let ledger = |id: &i64| model.ledgers[destination].get(id);
    for (id, row) in &model.rows {
        let answered = ledger(id).map_or(0, |ledger| ledger.answered);
        let remembered = || {
            let gaps = position.gaps.holes.iter().chain(&position.gaps.ranges);
            gaps.into_iter()
                .any(|gap| (gap.from..=gap.to).contains(&Id::from(*id)))
        };
        let is_below = position.next_id.is_some_and(|next| Id::from(*id) < next);
        if is_below
            && *id >= model.plan.start_id
            && !row.insert_jumped
            && answered <= row.inserted_tick
            && row.inserted_tick > 0
            && !remembered()
        {
            return Some((*id, "whose id lies below the next one"));
        }
        let Some(update) = &position.update else {
            continue;
        };
        if !is_watched(model, row) || answered > row.tick || remembered() {
            continue;
        }
        let gone_by =
            |to_us: i64| row.updated_us < to_us - model.plan.back() - model.plan.precision;
        if gone_by(update.until_us) {
            return Some((*id, "whose update lies before any window to come"));
        }
        if let Some(resume) = &update.resume {
            let time = chrono::DateTime::from_timestamp_micros(row.updated_us).unwrap_or_default();
            let cell =
                cupid::logic::cell::Cell::DateTime(cupid::logic::zone::fields(time.naive_utc()));
            let time = print::text(&cell, ColumnType::DateTime(6));
            let is_before =
                (time.as_ref(), Id::from(*id)) <= (resume.after.time.as_str(), resume.after.id);
            if is_before && gone_by(resume.to_us) {
                return Some((*id, "whose update lies before the cursor"));
            }
        }
        if update.seen.contains(Id::from(*id), fingerprint(*id, row)) {
            return Some((*id, "which is remembered as compared"));
        }
    }
    None
}

/// Its last change is one that the update window has to find.
fn is_watched(model: &Model, row: &SourceRow) -> bool {
    model.plan.update
        && !row.jumped
        && model
            .watched_from_us
            .is_some_and(|from_us| row.updated_us >= from_us)
}

/// A run came to its end, or was killed.
pub(crate) fn run(model: &mut Model) {
    let plan = &model.plan;
    let waits = if plan.owed_max < 1000 { 100 } else { 1 };
    let most_us = plan.delivery + waits * plan.confirm + SLACK_US;
    let other_us = model.run.other_us;
    if other_us > most_us {
        let text = format!("{other_us} us were spent on callbacks and sleep, of at most {most_us}");
        model.fail(Fact::PassEnds, text);
    }
}

/// A run came to its end.
pub(crate) fn summary(model: &mut Model, summary: &Summary) {
    let on_disk = outbox(model).map_or(0, |outbox| outbox.len() as u64);
    if summary.owed != on_disk {
        let text = format!("{} are owed, {on_disk} on disk", summary.owed);
        model.fail(Fact::ExitTrue, text);
    }
    let down = model.run.destinations_down.contains(&true);
    let healthy = on_disk == 0 && !summary.paused;
    if summary.exit() == Exit::Done && !healthy {
        model.fail(Fact::ExitTrue, format!("done, says {}", summary.line()));
    }
    if summary.exit() == Exit::Done && down && summary.compared > 0 && model.plan.destinations == 1
    {
        model.fail(Fact::ExitTrue, format!("done, says {}", summary.line()));
    }
}

/// The world is quiet and all passes are done.
pub(crate) fn end(model: &mut Model) {
    let mut missed = None;
    for (id, row) in &model.rows {
        for destination in 0..model.plan.destinations {
            let copy = model.copies[destination].get(id);
            let ledger = model.ledgers[destination].get(id);
            let v = row.content.v;
            let known =
                ledger.is_some_and(|ledger| ledger.agreed_v == v || ledger.delivered_v == v);
            let is_new =
                model.plan.insert && row.inserted && *id >= model.plan.start_id && !row.jumped;
            if copy != Some(&row.content) && !known && (is_new || is_watched(model, row)) {
                missed = Some(format!(
                    "{id} is {row:?} and {copy:?} in d{destination}: {ledger:?}"
                ));
            }
        }
    }
    if let Some(text) = missed {
        model.fail(Fact::NothingMissed, text);
    }
}
