//! Mistakes ([`Broken`]) of a checkpoint.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cupid::logic::scan::checkpoint::Checkpoint;
use cupid::logic::scan::gaps::Gap;
use cupid::logic::value::cell::Id;

use crate::broken::Broken;
use crate::folder::RUN;
use crate::model::Model;

/// Spoils a checkpoint of `run` before it is saved.
pub(crate) fn spoil(model: &Model, checkpoint: &mut Checkpoint) {
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
