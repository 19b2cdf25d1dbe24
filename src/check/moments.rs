//! The column of update times: its index, its zone, who sets it.

use super::full_scan::{FEW_ROWS, FullScan};
use super::table::Named;
use super::{Findings, Level, about, create_index, explained};
use crate::check::facts::{ColumnFacts, same};
use crate::config::refusals;
use crate::config::{Job, UpdateJob};
use crate::logic::scan::php_date::PhpDateFormat;
use crate::logic::scan::zone::{Zone, east_s, offset_text};
use crate::logic::value::cell::ColumnType;
use crate::logic::value::count::counted;

/// The column of update times.
pub(super) struct Moments<'a> {
    pub(super) table: &'a Named<'a>,
    pub(super) update: &'a UpdateJob,
    pub(super) column: &'a ColumnFacts,
}

impl Moments<'_> {
    pub(super) fn advise(&self, job: &Job, now_us: i64, findings: &mut Findings) {
        if format(self.update, self.column, findings) {
            self.index(job, findings);
            self.zone(now_us, findings);
            self.upkeep(findings);
        }
    }

    fn index(&self, job: &Job, findings: &mut Findings) {
        const KEY: &str = "src.updateColumn";
        let (facts, name) = (self.table.facts(), &self.column.name);
        let plan = self.table.side.plan.as_ref();
        let seconds = (self.update.scan + job.source.late_commit).as_secs();
        let shown = plan.map_or(String::new(), |plan| format!(" ({})", explained(plan)));
        let reads_much = plan.is_some_and(|plan| plan.reads_all() && plan.rows > FEW_ROWS);
        match facts.index_led_by(name) {
            None if !facts.is_view || reads_much => {
                let rows = facts.rows.max(plan.map(|plan| plan.rows));
                let FullScan { level, words } = FullScan::of(job, rows);
                let finding = findings.add(
                    level,
                    KEY,
                    format!(
                        "holds {name:?}, which no index begins with: every pass reads the whole table, {}, for the rows of the \
                         last {seconds} s{shown}{words}",
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
