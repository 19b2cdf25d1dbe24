//! Several configurations, one line each.

use std::fmt::Write as _;

use super::State;
use super::decide::{DestinationStatus, Status};
use super::layout::{Column, fits, push_wrapped, seconds, table};
use crate::logic::value::age::age;
use crate::logic::value::count::{counted, grouped};
use crate::logic::value::one_line::on_one_line;

/// A line of the table.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) state: State,
    /// Cells behind the state, in the order of [`TITLES`].
    cells: [String; 7],
    reason: String,
}

const TITLES: [&str; 7] = [
    "last success",
    "ids behind",
    "s behind",
    "owed",
    "oldest",
    "1 h",
    "24 h",
];
/// The titles that each level leaves out, for narrower terminals. From level 1 on the reasons have lines of their own.
const LEFT_OUT: [&[usize]; 5] = [
    &[],
    &[],
    &[2, 5, 6],
    &[0, 1, 2, 5, 6],
    &[0, 1, 2, 3, 4, 5, 6],
];
/// Texts, not numbers: last success, oldest.
const TEXTS: [usize; 2] = [0, 4];

/// The table, the worst first. `unreadable` has files and what is wrong with them.
#[must_use]
pub(crate) fn table_of_all(
    all: &[Status<'_>],
    unreadable: &[(String, String)],
    width: Option<usize>,
) -> String {
    let mut rows: Vec<Row> = all.iter().map(Row::new).collect();
    rows.extend(unreadable.iter().map(|(config, reason)| Row {
        name: config.clone(),
        state: State::Config,
        cells: std::array::from_fn(|_| String::new()),
        reason: reason.clone(),
    }));
    rows.sort_by(|a, b| (a.state, &a.name).cmp(&(b.state, &b.name)));
    let tables = (0..LEFT_OUT.len()).map(|level| (level, table(&columns(&rows, level))));
    let mut fitting = tables.skip_while(|(_, lines)| !fits(lines, width));
    let last = LEFT_OUT.len() - 1;
    let (level, lines) = fitting
        .next()
        .unwrap_or_else(|| (last, table(&columns(&rows, last))));
    let mut out = String::new();
    let reasons = rows.iter().map(|row| row.reason.as_str());
    for (line, reason) in lines.iter().zip(std::iter::once("").chain(reasons)) {
        out.push_str(line);
        out.push('\n');
        if level > 0 && !reason.is_empty() {
            push_wrapped(&mut out, &format!("  {}", on_one_line(reason)), 4, width);
        }
    }
    push_wrapped(&mut out, &totals(&rows), 2, width);
    out
}

impl Row {
    fn new(status: &Status<'_>) -> Self {
        let Status {
            facts,
            state,
            reason,
            destinations,
            now_us,
        } = status;
        let ago = |at_us: i64| format!("{} ago", age(now_us.saturating_sub(at_us)));
        let past = facts.stats.as_ref();
        let success = past.and_then(|past| past.last_success_us);
        let owed = status.owed();
        let oldest = owed
            .oldest_us
            .map(|at_us| age(now_us.saturating_sub(at_us)));
        let ids = most(destinations, |it| it.ids_behind).map(grouped);
        let updates = most(destinations, |it| it.updates_behind_us).map(seconds);
        let unknown = || if facts.bounds.is_ok() { "" } else { "?" }.to_owned();
        let sum = |count: fn(&DestinationStatus) -> u64| {
            grouped(destinations.iter().map(count).sum::<u64>())
        };
        Self {
            name: facts.name.clone(),
            state: *state,
            cells: [
                success.map_or("never".into(), ago),
                ids.unwrap_or_else(unknown),
                updates.unwrap_or_else(unknown),
                grouped(owed.count),
                oldest.unwrap_or_default(),
                sum(|it| it.hour.differences()),
                sum(|it| it.day.differences()),
            ],
            reason: reason.clone(),
        }
    }
}

/// What the destination has that is furthest behind.
fn most<T: Ord>(
    destinations: &[DestinationStatus],
    of: impl Fn(&DestinationStatus) -> Option<T>,
) -> Option<T> {
    destinations.iter().filter_map(of).max()
}

fn columns(rows: &[Row], level: usize) -> Vec<Column> {
    let mut columns = vec![
        Column::text("config", rows.iter().map(|row| on_one_line(&row.name))),
        Column::text("state", rows.iter().map(|row| row.state.word().to_owned())),
    ];
    let shown = TITLES.into_iter().enumerate();
    for (number, title) in shown.filter(|(number, _)| !LEFT_OUT[level].contains(number)) {
        let cells = rows.iter().map(|row| row.cells[number].clone());
        columns.push(if TEXTS.contains(&number) {
            Column::text(title, cells)
        } else {
            Column::number(title, cells)
        });
    }
    if level == 0 {
        columns.push(Column::text(
            "",
            rows.iter().map(|row| on_one_line(&row.reason)),
        ));
    }
    columns
}

/// `3 configurations: 1 failed, 1 owes callbacks, 1 ok`.
fn totals(rows: &[Row]) -> String {
    let mut text = counted(rows.len() as u64, "configuration");
    let states = [
        (State::Config, "cannot be read", "cannot be read"),
        (State::Failed, "failed", "failed"),
        (State::Stale, "stale", "stale"),
        (
            State::Unread,
            "has an unread destination",
            "have an unread destination",
        ),
        (State::Paused, "paused", "paused"),
        (State::Owed, "owes callbacks", "owe callbacks"),
        (State::Behind, "behind", "behind"),
        (State::New, "new", "new"),
        (State::Ok, "ok", "ok"),
    ];
    let mut separator = ": ";
    for (state, one, many) in states {
        let count = rows.iter().filter(|row| row.state == state).count();
        if count > 0 {
            let word = if count == 1 { one } else { many };
            let _ = write!(text, "{separator}{count} {word}"); // Writing to a String cannot fail.
            separator = ", ";
        }
    }
    text
}
