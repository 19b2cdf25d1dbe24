//! The source table: what a scan by id and a window of updates need.

use super::table::Named;
use super::{Findings, Level, about, create_index, explained};
use crate::check::facts::{ColumnFacts, Index, Side, same};
use crate::config::refusals;
use crate::config::{Job, UpdateJob};
use crate::logic::scan::php_date::PhpDateFormat;
use crate::logic::scan::zone::{Zone, east_s, offset_text};
use crate::logic::value::cell::ColumnType;
use crate::logic::value::count::counted;

/// Below this the server may well prefer to read the whole table.
const FEW_ROWS: u64 = 10_000;

pub(super) fn advise(job: &Job, side: &Side, now_us: i64, findings: &mut Findings) {
    let table = Named {
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
        id_column(&table, id, findings);
    }
    if let Some(key) = table.column("byColumn", &job.source.table.by_column, findings) {
        by_column(&table, key, findings);
    }
    if let Some(update) = &job.source.update
        && let Some(column) = table.column("updateColumn", &update.column, findings)
        && format(update, column, findings)
    {
        let moments = Moments {
            table: &table,
            update,
            column,
        };
        moments.index(job, findings);
        moments.zone(now_us, findings);
        moments.upkeep(findings);
    }
}

fn id_column(table: &Named<'_>, id: &ColumnFacts, findings: &mut Findings) {
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
    index_of_ids(table, name, findings);
}

fn index_of_ids(table: &Named<'_>, name: &str, findings: &mut Findings) {
    const KEY: &str = "src.idColumn";
    let facts = table.facts();
    match facts.index_led_by(name) {
        None => {
            let rows = about(facts.rows);
            let instead = primary_key_instead(table, name);
            findings
                .add(
                    Level::Warning,
                    KEY,
                    format!(
                        "holds {name:?}, which no index begins with: MAX({name}) at every pass and every batch of new ids \
                         read the whole table, {rows}{instead}"
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

/// Whether the column can hold update times, given `updateTimeFormate`.
fn format(update: &UpdateJob, column: &ColumnFacts, findings: &mut Findings) -> bool {
    const KEY: &str = "src.updateTimeFormate";
    let (name, declared) = (&column.name, &column.declared);
    match (column.column_type, &update.format) {
        (ColumnType::Text, None) => {
            findings.add(Level::Error, KEY, refusals::no_format(name));
            return false;
        }
        (ColumnType::Int | ColumnType::Decimal, None) => {
            findings.add(
                Level::Note,
                KEY,
                format!("is not set, so {name} ({declared}) is read as seconds since 1970; YmdHis and the like say otherwise"),
            );
        }
        (ColumnType::DateTime(_) | ColumnType::Timestamp(_) | ColumnType::Date, Some(_)) => {
            findings.add(
                Level::Note,
                KEY,
                format!("is not needed and ignored: {name} is {declared}, which needs no format"),
            );
        }
        (
            ColumnType::Text
            | ColumnType::Int
            | ColumnType::Decimal
            | ColumnType::DateTime(_)
            | ColumnType::Timestamp(_)
            | ColumnType::Date,
            _,
        ) => {}
        _ => {
            findings.add(
                Level::Error,
                "src.updateColumn",
                refusals::no_time(name, declared),
            );
            return false;
        }
    }
    true
}

/// The column of update times.
struct Moments<'a> {
    table: &'a Named<'a>,
    update: &'a UpdateJob,
    column: &'a ColumnFacts,
}

impl Moments<'_> {
    fn index(&self, job: &Job, findings: &mut Findings) {
        const KEY: &str = "src.updateColumn";
        let (facts, name) = (self.table.facts(), &self.column.name);
        let plan = self.table.side.plan.as_ref();
        let seconds = (self.update.scan + job.source.late_commit).as_secs();
        let shown = plan.map_or(String::new(), |plan| format!(" ({})", explained(plan)));
        let reads_much = plan.is_some_and(|plan| plan.reads_all() && plan.rows > FEW_ROWS);
        match facts.index_led_by(name) {
            None if !facts.is_view || reads_much => {
                let finding = findings.add(
                    Level::Warning,
                    KEY,
                    format!(
                        "holds {name:?}, which no index begins with: every pass reads the whole table, {}, for the rows of the \
                         last {seconds} s{shown}",
                        about(facts.rows)
                    ),
                );
                if !facts.is_view {
                    finding.remedy(self.create_index(&job.source.id_column));
                }
            }
            None => {
                findings.add(
                    Level::Note,
                    KEY,
                    format!("holds {name:?}, a column of a view{shown}"),
                );
            }
            Some(index) if reads_much => {
                let TableNames { database, table } = self.names();
                findings
                    .add(
                        Level::Warning,
                        KEY,
                        format!(
                            "the server does not use the index {} for the rows of the last {seconds} s, but reads the whole \
                             table{shown}; either its statistics are old, or that many rows were updated",
                            index.name
                        ),
                    )
                    .remedy(format!("ANALYZE TABLE {database}.{table};"));
            }
            Some(index) => {
                let rows = plan.map_or(String::new(), |plan| {
                    format!(", about {}", counted(plan.rows, "row"))
                });
                findings.add(
                    Level::Ok,
                    KEY,
                    format!(
                        "every pass looks at the last {seconds} s of {name} by the index {}{rows}",
                        index.name
                    ),
                );
            }
        }
    }

    /// With the id behind it, unless `InnoDB` puts it there by itself.
    fn create_index(&self, id: &str) -> String {
        let (facts, name) = (self.table.facts(), self.column.name.as_str());
        let primary = facts.indexes.iter().find(|index| index.name == "PRIMARY");
        let id_follows =
            primary.is_some_and(|index| index.columns.first().is_some_and(|c| same(c, id)));
        let is_id = facts
            .column(id)
            .is_some_and(|id| id.column_type == ColumnType::Int);
        let columns: &[&str] = if id_follows || !is_id {
            &[name]
        } else {
            &[name, id]
        };
        create_index(&self.table.job.database, &self.table.job.table, columns)
    }

    fn names(&self) -> TableNames {
        use crate::logic::value::sql::quoted;
        TableNames {
            database: quoted(&self.table.job.database),
            table: quoted(&self.table.job.table),
        }
    }

    /// Local time says nothing of its zone.
    fn zone(&self, now_us: i64, findings: &mut Findings) {
        const KEY: &str = "src.timeZone";
        let server = &self.table.side.server;
        let (name, declared) = (&self.column.name, &self.column.declared);
        let instant = match (self.column.column_type, &self.update.format) {
            (ColumnType::Timestamp(_), _) => true,
            (ColumnType::DateTime(_) | ColumnType::Date, _) => false,
            (_, Some(format)) => PhpDateFormat::is_epoch(format),
            (_, None) => true,
        };
        match (self.update.time_zone, instant) {
            (Some(_), true) => {
                findings.add(
                    Level::Note,
                    KEY,
                    format!("is not needed and ignored: {name} ({declared}) holds instants, which have no zone"),
                );
            }
            (Some(zone), false) => self.configured_zone(zone, now_us, findings),
            (None, false) => {
                let east = server
                    .zone_east_s
                    .map_or(String::new(), |s| format!(" ({} now)", offset_text(s)));
                findings.add(
                    Level::Ok,
                    KEY,
                    format!(
                        "{name} ({declared}) is read as local time of the server's zone {}{east}",
                        server.zone
                    ),
                );
            }
            (None, true) => {}
        }
    }

    fn configured_zone(&self, zone: Zone, now_us: i64, findings: &mut Findings) {
        let server = &self.table.side.server;
        let ours_s = east_s(zone, now_us);
        if let Some(theirs_s) = server.zone_east_s.filter(|&theirs_s| theirs_s != ours_s) {
            findings.add(
                Level::Warning,
                "src.timeZone",
                format!(
                    "holds {zone} ({} now), while the server's own zone is {} ({}); right only if the application writes \
                     {} in {zone} itself, and not by NOW() or CURRENT_TIMESTAMP",
                    offset_text(ours_s),
                    server.zone,
                    offset_text(theirs_s),
                    self.column.name
                ),
            );
        }
    }

    /// A column that changes leave alone hides them.
    fn upkeep(&self, findings: &mut Findings) {
        const KEY: &str = "src.updateColumn";
        let ColumnFacts {
            name,
            declared,
            nullable,
            on_update,
            column_type,
            ..
        } = self.column;
        let can = matches!(
            column_type,
            ColumnType::DateTime(_) | ColumnType::Timestamp(_)
        );
        if can && !on_update && !self.table.facts().is_view {
            findings.add(
                Level::Note,
                KEY,
                format!(
                    "{name} is {declared} without ON UPDATE CURRENT_TIMESTAMP: an update that does not set it is not seen"
                ),
            );
        }
        if *nullable {
            findings.add(
                Level::Note,
                KEY,
                format!("{name} may be NULL: rows without an update time are seen as new only"),
            );
        }
    }
}

struct TableNames {
    database: String,
    table: String,
}
