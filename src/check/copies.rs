//! Copies that have far fewer rows than the source.

use super::destination::Place;
use super::{Findings, Level};
use crate::check::facts::{Facts, TableFacts};
use crate::config::Job;
use crate::logic::value::count::counted;

/// Fewer callbacks than this surprise nobody.
const FEW_ROWS: u64 = 100;
/// More of them keep a receiver busy.
const MANY_ROWS: u64 = 10_000;

pub(super) fn advise(job: &Job, facts: &Facts, findings: &mut Findings) {
    let Ok(source) = &facts.source else { return };
    let Some(rows) = source.table.rows_likely().filter(|&rows| rows >= FEW_ROWS) else {
        return;
    };
    for (number, (destination, side)) in
        job.destinations.iter().zip(&facts.destinations).enumerate()
    {
        let Ok(side) = side else { continue };
        // An estimate counts rows that a condition leaves out.
        let is_partial =
            job.source.table.condition.is_some() || destination.table.condition.is_some();
        let Some(lack) = lack(&side.table, rows, is_partial) else {
            continue;
        };
        let place = Place {
            number,
            destination,
        };
        let (name, about) = (destination.table.name(), counted(rows, "row"));
        let level = if rows < MANY_ROWS {
            Level::Note
        } else {
            Level::Warning
        };
        findings.add(
            level,
            place.key("table"),
            format!(
                "{name} {lack}, and the source has about {about}: {}",
                consequence(job, facts, lack == "is empty" && !is_partial)
            ),
        );
    }
}

/// `is empty`, `has about 12 rows`; `None` when there are about as many rows as in the source.
fn lack(copy: &TableFacts, source_rows: u64, is_partial: bool) -> Option<String> {
    if copy.readable.is_some() || copy.columns.is_empty() {
        return None;
    }
    match copy.rows_likely()? {
        // The estimate alone may be of the time before the table was filled.
        0 if copy.counted.is_some() => Some("is empty".into()),
        0 => None,
        few if few < source_rows / 2 && !is_partial => {
            Some(format!("has about {}", counted(few, "row")))
        }
        _ => None,
    }
}

fn consequence(job: &Job, facts: &Facts, is_all: bool) -> String {
    let state = &facts.state;
    let is_first = !state.has_checkpoint
        && state.first_cupids_id.is_none()
        && state.of_another.is_none()
        && state.unusable.is_empty();
    let begins_late = job.source.start_id.is_some_and(|start| start > 1);
    if !is_first || begins_late || !job.source.insert {
        return "`run` does not look at all of them; `cupid reconcile` finds what is missing"
            .into();
    }
    let many = if is_all { "as many" } else { "up to as many" };
    format!(
        "{many} callbacks will follow. To begin later, set src.insertStartId; or fill the copy first, and `cupid \
         reconcile --dry-run` says what is still missing"
    )
}
