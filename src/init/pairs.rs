//! `des[].columns`: which columns are compared with which.

use super::key::is_own_number;
use super::{is_writable, shown_type};
use crate::check::facts::{ColumnFacts, Filled, TableFacts, same};
use crate::config::likeness;
use crate::logic::compare::cells::never_equal;

/// One line of `columns`.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) source: String,
    /// `None`: the copy has nothing like it.
    pub(crate) copy: Option<String>,
    /// Why it is left out; then it is a comment.
    pub(crate) why_not: Option<WhyNot>,
}

/// Why a column is not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WhyNot {
    /// The reader has to say whether they belong together; the two types.
    OtherName(String, String),
    /// The copy has none of its name.
    Absent,
    /// For good, in words.
    Unfit(String),
}

/// Where a line is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    ToDecide,
    Skipped,
}

/// A line for each column of the source, in its order.
pub(super) fn lines(source: &TableFacts, copy: &TableFacts, copy_name: &str) -> Vec<Line> {
    let mut free: Vec<&ColumnFacts> = copy
        .columns
        .iter()
        .filter(|it| source.column(&it.name).is_none() && unfit(it, copy_name).is_none())
        .collect();
    let columns = source.columns.iter().map(|column| {
        let line = |copy: Option<&ColumnFacts>, why_not| Line {
            source: column.name.clone(),
            copy: copy.map(|it| it.name.clone()),
            why_not,
        };
        if column.filled == Filled::Generated {
            let found = copy.column(&column.name);
            return line(found, Some(WhyNot::Unfit("a generated column".into())));
        }
        let Some(found) = copy.column(&column.name) else {
            let Some(position) = likest(column, &free) else {
                return line(None, Some(WhyNot::Absent));
            };
            let other = free.remove(position);
            let types = (shown_type(&column.declared), shown_type(&other.declared));
            return line(Some(other), Some(WhyNot::OtherName(types.0, types.1)));
        };
        let why = unfit(found, copy_name).or_else(|| unequal(column, found));
        line(Some(found), why.map(WhyNot::Unfit))
    });
    columns.collect()
}

/// Why a column of the copy is compared with none.
fn unfit(column: &ColumnFacts, copy_name: &str) -> Option<String> {
    let why = if column.filled == Filled::Generated {
        format!("a generated column of {copy_name}")
    } else if is_own_number(column) {
        "each server numbers its rows itself".into()
    } else if column.on_update {
        "set by the copy itself (ON UPDATE CURRENT_TIMESTAMP)".into()
    } else if !is_writable(&column.name) {
        "a configuration takes ${ for a variable".into()
    } else {
        return None;
    };
    Some(why)
}

fn unequal(source: &ColumnFacts, copy: &ColumnFacts) -> Option<String> {
    let why = never_equal(source.column_type, copy.column_type)?;
    let types = (shown_type(&source.declared), shown_type(&copy.declared));
    Some(format!("{} / {}: {why}", types.0, types.1))
}

/// The column of the same type whose name is nearest.
fn likest(column: &ColumnFacts, free: &[&ColumnFacts]) -> Option<usize> {
    let is_same_type = |other: &ColumnFacts| {
        let types = [column.column_type, other.column_type].map(|it| std::mem::discriminant(&it));
        types[0] == types[1]
    };
    let likely = free.iter().enumerate().filter_map(|(position, other)| {
        let likeness = likeness(&column.name, &other.name)?;
        is_same_type(other).then_some((position, likeness))
    });
    let best = likely.max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    Some(best.0)
}

/// What is said of the lines that are left out.
pub(super) fn said(lines: &[Line], copy_name: &str) -> Vec<(List, String)> {
    let mut said = Vec::new();
    let mut absent = Vec::new();
    for line in lines {
        let source = line.source.as_str();
        match (&line.why_not, &line.copy) {
            (None, _) => {}
            (Some(WhyNot::Absent), _) => absent.push(source),
            (Some(WhyNot::OtherName(one, other)), copy) => {
                let copy = copy.as_deref().unwrap_or_default();
                let words = format!(
                    "{source} {one} / {copy} {other}: same type, other name: left as a comment"
                );
                said.push((List::ToDecide, words));
            }
            (Some(WhyNot::Unfit(why)), Some(copy)) if !same(copy, source) => {
                said.push((List::Skipped, format!("{source} / {copy}: {why}")));
            }
            (Some(WhyNot::Unfit(why)), _) => {
                said.push((List::Skipped, format!("{source}: {why}")));
            }
        }
    }
    if !absent.is_empty() {
        let words = format!("{}: not in {copy_name}", absent.join(", "));
        said.push((List::Skipped, words));
    }
    said
}
