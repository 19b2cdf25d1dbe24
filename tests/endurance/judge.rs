//! Was everything that got lost called back, and nothing else?
//!
//! A callback is right when, at some moment since cupid can have looked at the row for the last time, a change of that
//! row was lost and had been for as long as cupid has to wait. It is excused when a change came so late that cupid could
//! not but take it for lost. Anything else is wrong. Whether all is well in the end, the tables themselves say.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::common::Db;
use crate::ledger::{Call, Facts, Healer, Ledger, Place};
use crate::table::Table;

/// A pass of a process that repeats looks at a row again before each try, and is not longer than this.
const PASS_MAX: Duration = Duration::from_secs(15);
/// Of what is wrong, so many are told.
const TOLD_MAX: usize = 20;
const MISSED: &str = "missed";
const FALSE: &str = "false";

/// What the judge found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) missing_rows: usize,
    pub(crate) stale_rows: usize,
    /// Lost changes that a later one made good before anybody was called.
    pub(crate) overtaken: usize,
    pub(crate) called_back: usize,
    pub(crate) tries: usize,
    pub(crate) taken: usize,
    /// Taken although the same content of the row had been taken before.
    pub(crate) repeated: usize,
    /// Called back because a change came too late.
    pub(crate) excused: usize,
    pub(crate) wrong: Vec<String>,
}

/// What is to be said of everything, when all is over.
pub(crate) fn judge(ledger: &Ledger, db: &Db) -> Findings {
    let mut findings = judge_facts(&ledger.facts(), ledger.confirm_delay());
    tables(db, &mut findings);
    findings
}

/// The same without a look into the tables.
pub(crate) fn judge_facts(facts: &Facts, confirm_delay: Duration) -> Findings {
    let mut findings = Findings::default();
    losses(facts, &mut findings);
    calls(facts, confirm_delay, &mut findings);
    older_after_newer(facts, &mut findings);
    findings
}

impl Findings {
    /// Figures, for people.
    pub(crate) fn table(&self, facts: &Facts) -> Table<1> {
        let false_calls = self
            .wrong
            .iter()
            .filter(|text| text.starts_with(FALSE))
            .count();
        let missed = self
            .wrong
            .iter()
            .filter(|text| text.starts_with(MISSED))
            .count();
        let mut table = Table::new("in the tables and at the endpoints", ["figure"]);
        table.row("transactions committed", [&facts.transactions]);
        table.row("rolled back", [&facts.rolled_back]);
        table.row("rows written", [&facts.changes]);
        table.row(
            "longest transaction",
            [&format!("{:.1} s", facts.held_longest.as_secs_f64())],
        );
        table.row("changes lost: missing rows", [&self.missing_rows]);
        table.row("changes lost: stale rows", [&self.stale_rows]);
        table.row("of these called back, and repaired", [&self.called_back]);
        table.row("of these made good by a later change", [&self.overtaken]);
        table.row("callbacks received, all tries", [&self.tries]);
        table.row("taken", [&self.taken]);
        table.row("taken again with the same content", [&self.repeated]);
        table.row(
            "for changes that came later than `confirmDelayMillisecond`",
            [&self.excused],
        );
        table.row("**missed changes**", [&missed]);
        table.row("**false callbacks**", [&false_calls]);
        table
    }

    /// Fails when anything is wrong.
    pub(crate) fn assert_right(&self) {
        let Self { wrong, .. } = self;
        let told = wrong.iter().take(TOLD_MAX).map(String::as_str);
        assert!(
            wrong.is_empty(),
            "{} things are wrong:\n{}",
            wrong.len(),
            told.collect::<Vec<_>>().join("\n")
        );
    }
}

/// Every loss is healed, and by a callback unless by a later change.
fn losses(facts: &Facts, findings: &mut Findings) {
    for (place, losses) in &facts.losses {
        for loss in losses {
            if loss.inserts {
                findings.missing_rows += 1;
            } else {
                findings.stale_rows += 1;
            }
            match loss.healed {
                Some((_, Healer::Owner)) => findings.called_back += 1,
                Some((_, Healer::Copier)) => findings.overtaken += 1,
                None => {
                    let text = format!("{MISSED}: {} of {}", loss.version, told(*place));
                    findings.wrong.push(text);
                }
            }
        }
    }
}

fn calls(facts: &Facts, confirm_delay: Duration, findings: &mut Findings) {
    let mut taken: BTreeMap<(Place, u64), usize> = BTreeMap::new();
    findings.tries = facts.calls.len();
    for call in &facts.calls {
        if call.taken {
            *taken.entry((call.place, call.version)).or_default() += 1;
        }
        match verdict(facts, confirm_delay, call) {
            Ok(Cause::Loss) => {}
            Ok(Cause::Late) => findings.excused += 1,
            Err(why) => findings.wrong.push(format!(
                "{FALSE}: {} of {} in run {}: {why}; {}",
                call.version,
                told(call.place),
                call.run,
                history(facts, call)
            )),
        }
    }
    findings.taken = taken.values().sum();
    findings.repeated = findings.taken - taken.len();
}

enum Cause {
    Loss,
    Late,
}

fn verdict(facts: &Facts, confirm_delay: Duration, call: &Call) -> Result<Cause, &'static str> {
    let Call {
        place, version, at, ..
    } = *call;
    if !call.sound {
        return Err("its signature, its destination or its columns are wrong");
    }
    if !facts.committed.contains(&(place.1, version)) {
        return Err("this was never committed");
    }
    let earliest = earliest(facts, call);
    if facts
        .gone
        .get(&place.1)
        .is_some_and(|gone| *gone < earliest)
    {
        return Err("the row had been gone for long");
    }
    let losses = facts.losses.get(&place).into_iter().flatten();
    let mut losses = losses.filter(|loss| loss.version <= version);
    if losses.any(|loss| {
        let was_confirmed = loss.since + confirm_delay <= at;
        was_confirmed && loss.healed.is_none_or(|(healed, _)| healed >= earliest)
    }) {
        return Ok(Cause::Loss);
    }
    let mut lates = facts.lates.get(&place).into_iter().flatten();
    if lates.any(|late| late.version <= version && late.until >= earliest) {
        return Ok(Cause::Late);
    }
    Err("every change of it had arrived in time, or was healed before")
}

/// What had befallen the row, in seconds before it was called back.
fn history(facts: &Facts, call: &Call) -> String {
    let before = |at: Instant| {
        let at = call.at.checked_duration_since(at);
        at.map_or("after".into(), |at| format!("{:.3}", at.as_secs_f64()))
    };
    let losses = facts.losses.get(&call.place).into_iter().flatten();
    let losses = losses.map(|loss| {
        let healed = loss.healed.map(|(at, healer)| (before(at), healer));
        format!(
            "lost {} {}, healed {healed:?}",
            loss.version,
            before(loss.since)
        )
    });
    let lates = facts.lates.get(&call.place).into_iter().flatten();
    let lates = lates.map(|late| format!("late {} {}", late.version, before(late.until)));
    let began = before(earliest(facts, call));
    losses
        .chain(lates)
        .chain([format!("looked at since {began}")])
        .collect::<Vec<_>>()
        .join(", ")
}

/// When cupid looked at the row for the last time, at the earliest.
fn earliest(facts: &Facts, call: &Call) -> Instant {
    let run = facts.runs[usize::try_from(call.run).expect("A run's number")];
    match call.at.checked_sub(PASS_MAX) {
        Some(pass) if run.repeats => pass.max(run.began),
        _ => run.began,
    }
}

/// A row is sent as it is: what a later run sends is never older.
fn older_after_newer(facts: &Facts, findings: &mut Findings) {
    let mut by_place: BTreeMap<Place, Vec<&Call>> = BTreeMap::new();
    for call in &facts.calls {
        by_place.entry(call.place).or_default().push(call);
    }
    for (place, mut calls) in by_place {
        calls.sort_by_key(|call| (call.run, call.at));
        for pair in calls.windows(2) {
            if pair[1].version < pair[0].version {
                findings.wrong.push(format!(
                    "old: {} of {} was sent after {}",
                    pair[1].version,
                    told(place),
                    pair[0].version
                ));
            }
        }
    }
}

/// Source and copies agree, row by row, in both directions.
fn tables(db: &Db, findings: &mut Findings) {
    for copy in &db.copies {
        let found: Vec<String> = db.query(&format!(
            "SELECT CONCAT(s.number, ' is ', s.name, ' in the source, ', IFNULL(d.name, 'missing'), ' in {copy}')
             FROM src.user s LEFT JOIN `{copy}`.user d USING (number)
             WHERE NOT (s.name <=> d.name AND s.avatar <=> d.avatar)
             UNION ALL
             SELECT CONCAT(d.number, ' is only in {copy}')
             FROM `{copy}`.user d LEFT JOIN src.user s USING (number) WHERE s.number IS NULL"
        ));
        findings.wrong.extend(found);
    }
}

fn told((copy, id): Place) -> String {
    format!("row {id} in copy {}", copy + 1)
}
