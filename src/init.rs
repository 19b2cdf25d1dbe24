//! What `cupid init` writes, decided from what two servers say of a table: facts in, choices out.
//!
//! The stages: [`choose`] decides, [`written`] makes the text of the configuration, [`said`] the
//! words about it. Nothing here asks a server or writes a file.

mod key;
mod pairs;
pub(crate) mod said;
#[cfg(test)]
mod tests;
pub(crate) mod written;

use crate::check::facts::{ColumnFacts, Filled, Index, TableFacts, same};
use crate::check::{about, create_index};
use crate::logic::value::cell::ColumnType;

use pairs::Line;

/// Columns that hold the time of the last change by their names, the likeliest first.
const UPDATE_NAMES: [&str; 14] = [
    "update_time",
    "updated_at",
    "gmt_modified",
    "updatetime",
    "updated",
    "update_at",
    "updated_time",
    "modify_time",
    "modified_at",
    "modified",
    "last_update",
    "last_updated",
    "last_modified",
    "mtime",
];

/// A table on its server.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The database alone.
    pub(crate) database: String,
    /// The table alone.
    pub(crate) table: String,
    /// `host:port` or the socket.
    pub(crate) server: String,
    /// What its server says of it.
    pub(crate) facts: TableFacts,
}

impl Found {
    /// `database.table`.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.database, self.table)
    }
}

/// What is written for one source table.
#[derive(Debug)]
pub(crate) struct Choices {
    /// `src.idColumn`, and its index; `None`: no integer key.
    pub(crate) id: Option<(String, String)>,
    /// `src.byColumn` and each copy's; `None`: no single column finds a row in every copy.
    pub(crate) key: Option<key::Key>,
    pub(crate) update: Update,
    /// In the order of the copies.
    pub(crate) copies: Vec<Copy>,
    /// What was decided and could have been decided otherwise, and what is left to the reader.
    pub(crate) to_decide: Vec<String>,
    /// What was left out, and why.
    pub(crate) skipped: Vec<String>,
}

/// `src.updateColumn`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Update {
    /// The column and its index.
    By(String, String),
    /// The column, and the statement that makes an index of it.
    WithoutIndex(String, String),
    /// No column holds a time of the last change.
    None,
}

/// The columns of one copy.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) lines: Vec<Line>,
}

impl Copy {
    /// How many columns are paired.
    pub(crate) fn paired(&self) -> usize {
        let is_pair = |line: &&Line| line.why_not.is_none();
        self.lines.iter().filter(is_pair).count()
    }
}

impl Choices {
    /// `cupid run` can work with what is written.
    pub(crate) fn is_complete(&self) -> bool {
        self.id.is_some() && self.key.is_some()
    }
}

/// Decides for a table and its copies.
///
/// # Errors
/// The tables have nothing in common that could be compared, as a sentence.
pub(crate) fn choose(source: &Found, copies: &[Found]) -> Result<Choices, String> {
    let id = id(&source.facts);
    let mut to_decide = Vec::new();
    let key = key::choose(source, copies, id.as_ref(), &mut to_decide);
    if id.is_none() {
        to_decide.push(no_id(source));
    }
    let update = update(source, &mut to_decide);
    let mut skipped = Vec::new();
    let mut chosen = Vec::new();
    for copy in copies {
        let lines = pairs::lines(&source.facts, &copy.facts, &copy.name());
        let found = Copy { lines };
        if found.paired() == 0 {
            return Err(no_pair(source, copy));
        }
        let is_one_of_several = copies.len() > 1;
        let prefix = if is_one_of_several {
            format!("{}: ", copy.name())
        } else {
            String::new()
        };
        for (list, words) in pairs::said(&found.lines, &copy.name()) {
            match list {
                pairs::List::ToDecide => to_decide.push(format!("{prefix}{words}")),
                pairs::List::Skipped => skipped.push(format!("{prefix}{words}")),
            }
        }
        chosen.push(found);
    }
    Ok(Choices {
        id,
        key,
        update,
        copies: chosen,
        to_decide,
        skipped,
    })
}

fn no_pair(source: &Found, copy: &Found) -> String {
    let names = |found: &Found| {
        let names = found.facts.columns.iter().map(|it| it.name.as_str());
        let names: Vec<&str> = names.take(50).collect();
        names.join(", ")
    };
    format!(
        "{} and {} have no column in common that can be compared: the first has {}, the second {}",
        source.name(),
        copy.name(),
        names(source),
        names(copy)
    )
}

/// The `AUTO_INCREMENT` column that leads an index, else the only column of an integer primary key,
/// else a unique integer named `id`.
fn id(table: &TableFacts) -> Option<(String, String)> {
    let integers = || {
        let columns = table.columns.iter();
        columns.filter(|it| it.column_type == ColumnType::Int && is_writable(&it.name))
    };
    let counted = integers().find(|it| it.filled == Filled::Counted);
    let primary = |column: &&ColumnFacts| {
        let index = table.index_led_by(&column.name);
        index.is_some_and(|it| it.name == "PRIMARY" && it.columns.len() == 1)
    };
    let named = |column: &&ColumnFacts| {
        same(&column.name, "id") && !column.nullable && table.is_unique(&column.name)
    };
    let column = counted
        .or_else(|| integers().find(primary))
        .or_else(|| integers().find(named))?;
    let index = table.index_led_by(&column.name)?;
    Some((column.name.clone(), label(index)))
}

fn no_id(source: &Found) -> String {
    let primary = source.facts.indexes.iter().find(|it| it.name == "PRIMARY");
    let has = primary.map_or("no primary key".into(), |index| {
        format!("PRIMARY ({})", index.columns.join(", "))
    });
    format!(
        "idColumn: {} has no increasing integer key, but {has}: \"insert\" is off, and this \
         version of cupid cannot watch the table",
        source.name()
    )
}

/// The column of the last change: one that the server sets before one of a usual name, one with an
/// index first.
fn update(source: &Found, to_decide: &mut Vec<String>) -> Update {
    let table = &source.facts;
    let is_moment = |it: &&ColumnFacts| {
        let column_type = it.column_type;
        matches!(
            column_type,
            ColumnType::DateTime(_) | ColumnType::Timestamp(_)
        ) && is_writable(&it.name)
    };
    let moments: Vec<&ColumnFacts> = table.columns.iter().filter(is_moment).collect();
    let set_by_server = moments.iter().filter(|it| it.on_update);
    let mut candidates: Vec<&ColumnFacts> = set_by_server.copied().collect();
    if candidates.is_empty() {
        let named = UPDATE_NAMES.iter();
        let named = named.filter_map(|name| moments.iter().find(|it| same(&it.name, name)));
        candidates.extend(named.copied());
    }
    candidates.sort_by_key(|it| table.index_led_by(&it.name).is_none());
    let Some((column, others)) = candidates.split_first() else {
        to_decide.push(no_update(source));
        return Update::None;
    };
    if !others.is_empty() {
        let others: Vec<&str> = others.iter().map(|it| it.name.as_str()).collect();
        to_decide.push(format!(
            "updateColumn: {} was taken; {} would do too",
            column.name,
            others.join(", ")
        ));
    }
    let Some(index) = table.index_led_by(&column.name) else {
        let statement = create_index(&source.database, &source.table, &[&column.name]);
        to_decide.push(format!(
            "updateColumn: no index begins with {}, and each pass would read all of {} ({}): \
             \"update\" is off until {}",
            column.name,
            source.name(),
            about(table.rows_likely()),
            statement.trim_end_matches(';')
        ));
        return Update::WithoutIndex(column.name.clone(), statement);
    };
    let index = match index.name.as_str() {
        "PRIMARY" => "PRIMARY".into(),
        name => format!("index {name}"),
    };
    Update::By(column.name.clone(), index)
}

/// Numbers and texts may hold a time in a form that cannot be known.
fn no_update(source: &Found) -> String {
    let likely = UPDATE_NAMES
        .iter()
        .find_map(|name| source.facts.column(name));
    match likely {
        Some(column) => format!(
            "updateColumn: {} {} may hold the time of the last change: \"update\" is off until \
             updateColumn and updateTimeFormate are set",
            column.name,
            shown_type(&column.declared)
        ),
        None => format!(
            "updateColumn: no column of {} says when a row was changed: \"update\" is off, and only \
             audits find lost updates",
            source.name()
        ),
    }
}

/// `PRIMARY`, `UNIQUE` or `index NAME`.
fn label(index: &Index) -> String {
    match (
        index.name.as_str(),
        index.unique && index.columns.len() == 1,
    ) {
        ("PRIMARY", _) => "PRIMARY".into(),
        (_, true) => "UNIQUE".into(),
        (name, false) => format!("index {name}"),
    }
}

/// `varchar(64)` as people write it; the members of an ENUM stay as they are.
fn shown_type(declared: &str) -> String {
    if declared.contains('\'') {
        let (kind, members) = declared.split_once('(').unwrap_or((declared, ""));
        return format!("{}({members}", kind.to_uppercase());
    }
    declared.to_uppercase()
}

/// A configuration takes `${` for the begin of a variable.
fn is_writable(name: &str) -> bool {
    !name.contains("${")
}
