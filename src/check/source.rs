//! The source table: what a scan by id and a window of updates need.

use super::full_scan::FullScan;
use super::moments::Moments;
use super::table::Named;
use super::{Findings, Level, about, create_index};
use crate::check::facts::{ColumnFacts, Index, Side, same};
use crate::config::Job;
use crate::config::refusals;
use crate::logic::value::cell::ColumnType;
use crate::logic::value::count::counted;

pub(super) fn advise(job: &Job, side: &Side, now_us: i64, findings: &mut Findings) {
    let table = Named {
        config: job,
        job: &job.source.table,
        side,
        key: &|name| format!("src.{name}"),
    };
    if !table.is_there(findings) {
        return;
    }
    let about_rows = about(side.table.rows);
    let kind = if side.table.is_view {
        "a view"
    } else {
        "a table"
    };
    findings.add(
        Level::Ok,
        "src.table",
        format!("{} is {kind} of {about_rows}", table.name()),
    );
    if let Some(id) = table.column("idColumn", &job.source.id_column, findings) {
        id_column(&table, id, job, findings);
    }
    if let Some(key) = table.column("byColumn", &job.source.table.by_column, findings) {
        by_column(&table, key, findings);
    }
    if let Some(update) = &job.source.update
        && let Some(column) = table.column("updateColumn", &update.column, findings)
    {
        let moments = Moments {
            table: &table,
            update,
            column,
        };
        moments.advise(job, now_us, findings);
    }
}

fn id_column(table: &Named<'_>, id: &ColumnFacts, job: &Job, findings: &mut Findings) {
    const KEY: &str = "src.idColumn";
    let (facts, name) = (table.facts(), &id.name);
    if id.column_type != ColumnType::Int {
        let finding = findings.add(Level::Error, KEY, refusals::no_integer(name, &id.declared));
        finding.text.push_str(&primary_key_instead(table, name));
        return;
    }
    if id.nullable {
        findings.add(
            Level::Warning,
            KEY,
            match facts.without_id {
                0 => format!("holds {name:?}, which may be NULL; rows without an id are never compared"),
                count => format!(
                    "holds {name:?}, which is NULL in {}: these are never compared, and every pass exits 1",
                    counted(count, "row")
                ),
            },
        );
    }
    if facts.is_view {
        findings.add(
            Level::Note,
            KEY,
            format!("holds {name:?}, a column of a view: that it is unique and indexed cannot be seen from here"),
        );
        return;
    }
    index_of_ids(table, name, job, findings);
}

fn index_of_ids(table: &Named<'_>, name: &str, job: &Job, findings: &mut Findings) {
    const KEY: &str = "src.idColumn";
    let facts = table.facts();
    match facts.index_led_by(name) {
        None => {
            let rows = about(facts.rows);
            let instead = primary_key_instead(table, name);
            let FullScan { level, words } = FullScan::of(job, facts.rows);
            findings
                .add(
                    level,
                    KEY,
                    format!(
                        "holds {name:?}, which no index begins with: MAX({name}) at every pass and every batch of new ids \
                         read the whole table, {rows}{words}{instead}"
                    ),
                )
                .remedy(unique_index(table, name));
        }
        Some(_) if !facts.is_unique(name) => {
            let instead = primary_key_instead(table, name);
            let text = format!(
                "holds {name:?}; ids must be unique, and no index makes them so: a pass stops at the first id that two rows \
                 share{instead}"
            );
            if facts.is_partitioned {
                findings.add(Level::Note, KEY, text);
            } else {
                findings
                    .add(Level::Warning, KEY, text)
                    .remedy(unique_index(table, name));
            }
        }
        Some(Index { name: index, .. }) => {
            findings.add(
                Level::Ok,
                KEY,
                format!("{name} is unique; scans by id use the index {index}"),
            );
        }
    }
}

fn unique_index(table: &Named<'_>, column: &str) -> String {
    create_index(&table.job.database, &table.job.table, &[column]).replacen(
        "CREATE INDEX",
        "CREATE UNIQUE INDEX",
        1,
    )
}

/// The primary key, when it would do as `src.idColumn`.
fn primary_key_instead(table: &Named<'_>, other_than: &str) -> String {
    let facts = table.facts();
    let primary = facts.indexes.iter().find(|index| index.name == "PRIMARY");
    let column = primary
        .and_then(|index| match index.columns.as_slice() {
            [only] => facts.column(only),
            _ => None,
        })
        .filter(|column| column.column_type == ColumnType::Int && !same(&column.name, other_than));
    column.map_or(String::new(), |column| {
        format!("; the primary key {} would do", column.name)
    })
}

fn by_column(table: &Named<'_>, key: &ColumnFacts, findings: &mut Findings) {
    const KEY: &str = "src.byColumn";
    let (facts, name) = (table.facts(), &key.name);
    if key.nullable {
        findings.add(
            Level::Note,
            KEY,
            format!("holds {name:?}, which may be NULL; NULL finds no row, so such rows are reported as missing in every destination"),
        );
    }
    if !facts.is_view && !facts.is_unique(name) {
        findings.add(
            Level::Note,
            KEY,
            format!("holds {name:?}, which is not unique: source rows that share a value are all compared with the same destination row"),
        );
    }
}
