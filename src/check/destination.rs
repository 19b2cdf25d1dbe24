//! A destination table: finding rows by key, and the columns compared.

use super::full_scan::FullScan;
use super::table::Named;
use super::{Findings, Level, about, columns, create_index, explained};
use crate::check::facts::{ColumnFacts, Side};
use crate::config::refusals;
use crate::config::{DestinationJob, Job};
use crate::logic::compare::cells::never_equal;
use crate::logic::value::cell::ColumnType;
use crate::logic::value::sql::quoted;

/// A few look-ups by key read no more than this, whatever the server likes best.
const FEW_ROWS: u64 = 1_000;

/// Which of `des[]`.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) number: usize,
    pub(super) destination: &'a DestinationJob,
}

impl Place<'_> {
    /// `des[0].byColumn (copy1)`.
    pub(super) fn key(&self, name: &str) -> String {
        format!("des[{}].{name} ({})", self.number, self.destination.name)
    }
}

pub(super) fn advise(
    job: &Job,
    place: &Place<'_>,
    side: &Side,
    source: Option<&Side>,
    findings: &mut Findings,
) {
    let DestinationJob {
        table: table_job,
        columns: pairs,
        ..
    } = place.destination;
    let table = Named {
        config: job,
        job: table_job,
        side,
        key: &|name| place.key(name),
    };
    if !table.is_there(findings) {
        return;
    }
    findings.add(
        Level::Ok,
        place.key("table"),
        format!(
            "{} has {}; {}",
            table.name(),
            about(side.table.rows),
            match pairs.len() {
                0 => "only missing rows are looked for".to_owned(),
                1 => "1 column is compared".to_owned(),
                count => format!("{count} columns are compared"),
            }
        ),
    );
    let source_key = source.and_then(|source| source.table.column(&job.source.table.by_column));
    if let Some(key) = table.column("byColumn", &table_job.by_column, findings) {
        by_column(&table, key, source_key, job, findings);
        if let Some(source_key) = source_key {
            keys(&table, source_key, key, findings);
        }
    }
    compared(&table, job, place, source, findings);
}

/// The pairs of compared columns.
fn compared(
    table: &Named<'_>,
    job: &Job,
    place: &Place<'_>,
    source: Option<&Side>,
    findings: &mut Findings,
) {
    for pair in &place.destination.columns {
        let column = table.column("columns", &pair.destination, findings);
        let Some(source) = source.filter(|source| !source.table.columns.is_empty()) else {
            continue;
        };
        match (source.table.column(&pair.source), column) {
            (Some(from), Some(to)) => {
                let pair = columns::Sides {
                    source: from,
                    destination: to,
                    source_server: &source.server,
                    destination_server: &table.side.server,
                    rule: &pair.rule,
                };
                columns::advise(&place.key("columns"), &pair, findings);
            }
            (None, _) => {
                let names: Vec<&str> = source
                    .table
                    .columns
                    .iter()
                    .map(|c| c.name.as_str())
                    .collect();
                let source_name = job.source.table.name();
                let text = refusals::no_column(&pair.source, &source_name, &names);
                findings.add(Level::Error, place.key("columns"), text);
            }
            (Some(_), None) => {}
        }
    }
}

fn by_column(
    table: &Named<'_>,
    key: &ColumnFacts,
    source_key: Option<&ColumnFacts>,
    job: &Job,
    findings: &mut Findings,
) {
    let (facts, name) = (table.facts(), &key.name);
    let plan = table.side.plan.as_ref();
    let shown = plan.map_or(String::new(), |plan| format!(" ({})", explained(plan)));
    let reads_much = plan.is_some_and(|plan| plan.reads_all() && plan.rows > FEW_ROWS);
    let here = (table.key)("byColumn");
    match facts.index_led_by(name) {
        None if !facts.is_view || reads_much => {
            let rows = facts.rows.max(plan.map(|plan| plan.rows));
            let FullScan { level, words } = FullScan::of(job, rows);
            let finding = findings.add(
                level,
                here,
                format!(
                    "holds {name:?}, which no index begins with: every batch of keys reads the whole table, {}{shown}{words}",
                    about(facts.rows)
                ),
            );
            if !facts.is_view {
                finding.remedy(create_index(&table.job.database, &table.job.table, &[name]));
            }
        }
        None => {
            findings.add(
                Level::Note,
                here,
                format!("holds {name:?}, a column of a view{shown}"),
            );
        }
        Some(index) if reads_much => {
            let (database, name) = (quoted(&table.job.database), quoted(&table.job.table));
            findings
                .add(
                    Level::Warning,
                    here,
                    format!(
                        "the server does not use the index {} for keys of type {}, but reads the whole table{shown}; either its \
                         statistics are old, or the types of the two key columns should be the same",
                        index.name,
                        source_key.map_or("the source", |source| source.declared.as_str()),
                    ),
                )
                .remedy(format!("ANALYZE TABLE {database}.{name};"));
        }
        Some(index) => {
            findings.add(
                Level::Ok,
                here,
                format!("look-ups by {name} use the index {}", index.name),
            );
        }
    }
    if !facts.is_view && !facts.is_unique(name) {
        findings.add(
            Level::Note,
            (table.key)("byColumn"),
            format!("holds {name:?}, which is not unique: where several rows share a key, one that is equal is enough"),
        );
    }
}

/// How values of one key column find rows by the other.
fn keys(table: &Named<'_>, source: &ColumnFacts, key: &ColumnFacts, findings: &mut Findings) {
    let here = (table.key)("byColumn");
    let pair = format!(
        "src.byColumn {} is {}, {} is {}",
        source.name, source.declared, key.name, key.declared
    );
    if never_equal(source.column_type, key.column_type).is_some() {
        findings.add(
            Level::Warning,
            here,
            format!("{pair}: no key can find a row"),
        );
        return;
    }
    let found = match (source.column_type.is_number(), key.column_type.is_number()) {
        (false, true) => Some(
            "'7', '07' and '7.0' all find 7; a key that is no number, such as '7a', finds no row",
        ),
        (true, false) => Some(
            "a number finds its plain text and the text that its server prints; 7 finds neither '07' nor '7.0' unless 7 \
             is printed so",
        ),
        _ => None,
    };
    if let Some(found) = found {
        findings.add(Level::Note, here.clone(), format!("{pair}: {found}"));
    }
    if let Some(doubt) = doubt(source.column_type, key.column_type) {
        findings.add(Level::Warning, here, format!("{pair}: {doubt}"));
    }
    collations(table, source, key, findings);
    if let Some(charset) = columns::lost_characters(source, key) {
        findings.add(
            Level::Note,
            (table.key)("byColumn"),
            format!(
                "{} is {charset}, which cannot hold every character of {}: rows with such keys are reported as missing",
                key.name,
                source.charset.as_deref().unwrap_or("the source")
            ),
        );
    }
    if let (Some(from), Some(to)) = (source.length, key.length)
        && to < from
        && !source.column_type.is_number()
    {
        findings.add(
            Level::Note,
            (table.key)("byColumn"),
            format!("{pair}: keys that are longer find no row"),
        );
    }
}

/// Why keys of these types may not find rows whose keys are equal.
fn doubt(source: ColumnType, destination: ColumnType) -> Option<&'static str> {
    use ColumnType::{Double, Float, Json};
    let either = |wanted| source == wanted || destination == wanted;
    if either(Json) {
        return Some(
            "a server finds a JSON document by its spelling at the best, not by its value; take a column of another type",
        );
    }
    let is_approximate = either(Float) || either(Double);
    (is_approximate && source != destination).then_some(
        "an approximate number equals every number that rounds to it, and is looked \
         for by its shortest digits only; take two columns of the same type",
    )
}

fn collations(table: &Named<'_>, source: &ColumnFacts, key: &ColumnFacts, findings: &mut Findings) {
    let (Some(from), Some(to)) = (&source.collation, &key.collation) else {
        return;
    };
    if from == to {
        return;
    }
    let effect = if to.ends_with("_ci") {
        "keys that differ only in case, and perhaps accents, find the same row"
    } else if to.ends_with("_bin") || to.ends_with("_cs") {
        "a key finds only its exact spelling"
    } else {
        "keys pair as it says"
    };
    findings.add(
        Level::Note,
        (table.key)("byColumn"),
        format!(
            "the key columns' collations differ: {} is {from}, {} is {to}; the destination's decides, so {effect}",
            source.name, key.name
        ),
    );
}
