//! The same for programs.

use serde_json::{Value, json as object};

use super::decide::{DestinationStatus, Status};
use crate::logic::callback::owed::Owed;
use crate::logic::report::line::rfc3339;
use crate::logic::scan::checkpoint::Position;
use crate::logic::stats::AuditStats;

/// One object.
#[must_use]
pub(crate) fn json(status: &Status<'_>) -> Value {
    let facts = status.facts;
    let past = facts.stats.as_ref();
    let last = past.and_then(|past| past.last_pass.as_ref());
    let moment = |at_us: Option<i64>| at_us.map(rfc3339);
    let checkpoint = facts.checkpoint.as_ref().map(|checkpoint| {
        let positions = checkpoint.positions.iter();
        positions.map(|it| position(status, it)).collect::<Vec<_>>()
    });
    let destinations = status.destinations.iter().map(destination);
    let failed = past.and_then(|past| past.failed.as_ref());
    let audits = facts.audits.iter();
    let audits = audits.filter_map(|AuditStats { last, .. }| last.as_ref());
    let audit = audits.max_by_key(|last| last.ended_us).map(|last| {
        object!({
            "endedAt": rfc3339(last.ended_us),
            "complete": last.is_complete,
            "compared": last.rows(),
            "differences": last.differences(),
            "error": last.failed,
        })
    });
    object!({
        "name": facts.name,
        "config": facts.config,
        "state": status.state.word(),
        "reason": (!status.reason.is_empty()).then_some(&status.reason),
        "stateDir": facts.state_dir,
        "atWork": facts.at_work,
        "formerConfig": facts.former_owner,
        "source": facts.source,
        "sourceServer": facts.server,
        "sourceError": facts.bounds.as_ref().err(),
        "idMax": facts.bounds.as_ref().ok().and_then(|bounds| bounds.id_max),
        "lastPassAt": moment(last.map(|last| last.ended_us)),
        "lastSuccessAt": moment(past.and_then(|past| past.last_success_us)),
        "failedSince": moment(failed.map(|failed| failed.since_us)),
        "lastRun": last.map(|last| object!({
            "endedAt": rfc3339(last.ended_us),
            "exit": last.exit,
            "summary": last.text,
        })),
        "checkpoint": checkpoint,
        "destinations": destinations.collect::<Vec<_>>(),
        "owed": owed(status),
        "owedTotal": facts.outbox.len(),
        "lastAudit": audit,
        "historyError": facts.stats_problem,
    })
}

/// A configuration that cannot be read.
#[must_use]
pub(crate) fn unreadable(config: &str, reason: &str) -> Value {
    object!({
        "name": null,
        "config": config,
        "state": super::State::Config.word(),
        "reason": reason,
    })
}

fn position(status: &Status<'_>, position: &Position) -> Value {
    let facts = status.facts;
    let bounds = facts.bounds.as_ref().ok();
    let update = position.update.as_ref();
    let behind_us = bounds
        .zip(update)
        .map(|(bounds, update)| bounds.now_us.saturating_sub(update.until_us).max(0));
    object!({
        "destinations": position.destinations,
        "nextId": position.next_id,
        "idsBehind": bounds.and_then(|bounds| position.ids_behind(bounds.id_max)),
        "idsWentBack": facts.went_back(position).is_some(),
        "updatesUntil": update.map(|update| rfc3339(update.until_us)),
        "updatesBehindMs": behind_us.map(|us| us / 1000),
        "gaps": position.gaps.count(),
    })
}

fn destination(destination: &DestinationStatus) -> Value {
    let DestinationStatus {
        name,
        state,
        since_us,
        reason,
        owed,
        next_id,
        ids_behind,
        updates_behind_us,
        picture: _,
        hour,
        day,
    } = destination;
    object!({
        "name": name,
        "state": state.word(),
        "since": since_us.map(rfc3339),
        "lastError": reason,
        "owed": owed.count,
        "oldestDetectedAt": owed.oldest_us.map(rfc3339),
        "nextId": next_id,
        "idsBehind": ids_behind,
        "updatesBehindMs": updates_behind_us.map(|us| us / 1000),
        "lastHour": object!({"missing": hour.missing, "different": hour.different}),
        "lastDay": object!({"missing": day.missing, "different": day.different}),
    })
}

/// One entry for each destination that is owed something, with its oldest callback.
fn owed(status: &Status<'_>) -> Vec<Value> {
    let all = || status.facts.outbox.iter();
    let owing = status.destinations.iter().filter(|it| it.owed.count > 0);
    let entry = |it: &DestinationStatus| {
        let own = all().filter(|owed| owed.destination == it.name);
        let oldest = own.min_by_key(|owed| owed.detected_us)?;
        let Owed {
            detected_us,
            attempts,
            last_error,
            ..
        } = oldest;
        Some(object!({
            "destination": it.name,
            "count": it.owed.count,
            "oldestDetectedAt": rfc3339(*detected_us),
            "oldestAttempts": attempts,
            "oldestLastError": last_error,
        }))
    };
    owing.filter_map(entry).collect()
}
