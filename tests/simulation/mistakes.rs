//! Mistakes ([`Broken`]) of state files, as they are read and as they are saved.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cupid::logic::callback::outbox::Outbox;
use cupid::logic::callback::owed::Owed;
use cupid::logic::scan::checkpoint::Checkpoint;
use cupid::logic::scan::gaps::Gap;
use cupid::logic::scan::identity::DestinationId;
use cupid::logic::value::cell::Id;

use crate::broken::Broken;
use crate::folder::RUN;
use crate::model::Model;

/// Takes what is owed for something else than was written.
pub(crate) fn misread_outbox(model: &Model, outbox: &mut Outbox) {
    match model.broken {
        // What is set aside stays in the file: that it is not counted is another promise.
        Some(Broken::OutboxUnread) if outbox.too_large() == 0 => *outbox = Outbox::default(),
        Some(Broken::GoneForGood) => {
            change_each(outbox, |owed| owed.gone_us = owed.gone_us.map(|_| i64::MIN));
        }
        Some(Broken::OwedByOrder) => change_each(outbox, |owed| {
            if let Some(id) = id_by_name(model, &owed.destination) {
                owed.address = Some(id.address());
            }
        }),
        Some(Broken::OutageForgotten) => change_each(outbox, |owed| owed.in_vain = false),
        Some(Broken::WaitForgotten) => change_each(outbox, |owed| owed.retry_at_us = None),
        Some(Broken::DetectedAnew) => change_each(outbox, |owed| owed.detected_us += 1),
        _ => {}
    }
}

fn change_each(outbox: &mut Outbox, change: impl Fn(&mut Owed)) {
    for mut owed in outbox.clone().lines().cloned() {
        change(&mut owed);
        outbox.replace(owed);
    }
}

/// The destination that has this name now.
fn id_by_name(model: &Model, name: &str) -> Option<DestinationId> {
    let &number = model.names.get(name)?;
    let id = model.job(&[number]).destinations[0].id();
    Some(DestinationId {
        name: name.to_owned(),
        ..id
    })
}

/// Takes a checkpoint of `run` for something else than was written.
pub(crate) fn misread_checkpoint(model: &Model, checkpoint: &mut Checkpoint) {
    // Whom something is owed to is another promise, and the checkpoint says it where a server moved.
    let is_owed = model.folders.iter().any(|folder| !folder.owed.is_empty());
    if model.broken != Some(Broken::PositionsByOrder) || is_owed {
        return;
    }
    for id in &mut checkpoint.destinations {
        if let Some(now) = id_by_name(model, &id.name) {
            *id = now;
        }
    }
}

/// Spoils a checkpoint of `run` before it is saved.
pub(crate) fn spoil_checkpoint(model: &Model, checkpoint: &mut Checkpoint) {
    if model.broken == Some(Broken::SeenForEver) {
        keep_seen(model, checkpoint);
    }
    for position in &mut checkpoint.positions {
        if model.broken == Some(Broken::CheckpointAhead) {
            position.next_id = position.next_id.map(|id| id + 5);
        }
        if model.broken == Some(Broken::HolesForEver) {
            let next_id = position.next_id.and_then(|id| i64::try_from(id).ok());
            let known = |id: &i64| {
                let id = Id::from(*id);
                let mut holes = position.gaps.holes.iter();
                holes.any(|hole| (hole.from..=hole.to).contains(&id))
            };
            let missing = (0..next_id.unwrap_or(0))
                .filter(|id| known(id) || !model.table.rows.contains_key(id));
            let gap = |id| Gap {
                from: Id::from(id),
                to: Id::from(id),
                due_us: i64::MAX,
            };
            position.gaps.holes = missing.map(gap).collect();
        }
    }
}

/// Rows of `seen` as the checkpoint has it: 24 bytes each, of which the id takes 16.
fn seen_rows(text: &str) -> Vec<u8> {
    BASE64.decode(text).unwrap_or_default()
}

/// What the checkpoint before remembered as compared, and the new one does not.
fn keep_seen(model: &Model, checkpoint: &mut Checkpoint) {
    let before = model.folders[RUN].checkpoint.as_deref().unwrap_or("{}");
    let before: serde_json::Value = serde_json::from_str(before).unwrap_or_default();
    let Some(before) = before["positions"][0]["update"]["seen"].as_str() else {
        return;
    };
    // What one destination answered for says nothing about the others.
    if model.plan.destinations > 1 {
        return;
    }
    for update in checkpoint.positions.iter_mut().flat_map(|p| &mut p.update) {
        let now = serde_json::to_value(&update.seen).unwrap_or_default();
        let mut rows = seen_rows(now.as_str().unwrap_or_default());
        let known: HashSet<Vec<u8>> = rows.chunks(24).map(|row| row[..16].to_vec()).collect();
        for row in seen_rows(before).chunks(24) {
            if !known.contains(&row[..16]) {
                rows.extend(row);
            }
        }
        update.seen = serde_json::from_value(BASE64.encode(rows).into()).unwrap_or_default();
    }
}
