//! `byColumn`: the column that finds a row in each copy.

use super::{Found, is_writable, label};
use crate::check::facts::{ColumnFacts, Filled, Index, TableFacts, same};
use crate::logic::compare::cells::never_equal;

/// How many other columns are named.
const OTHERS_MAX: usize = 3;

/// The chosen column.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// `src.byColumn`.
    pub(crate) source: String,
    /// `des[].byColumn` of each copy, and the index that finds it there.
    pub(crate) copies: Vec<(String, String)>,
    /// The index of the source, if there is one.
    of_source: Option<String>,
}

impl Key {
    /// `UNIQUE on both sides`.
    fn indexes(&self) -> String {
        let of_copies: Vec<&str> = self
            .copies
            .iter()
            .map(|(_, index)| index.as_str())
            .collect();
        let first = of_copies.first().copied().unwrap_or_default();
        let is_alike = of_copies.iter().all(|index| *index == first);
        let of_copies = if is_alike {
            first.to_owned()
        } else {
            of_copies.join(", ")
        };
        match &self.of_source {
            Some(own) if is_alike && own == first => format!("{own} on both sides"),
            Some(own) => format!("{own} in the source, {of_copies} in the copy"),
            None => format!("{of_copies} in the copy"),
        }
    }
}

/// Columns of the source that find a row in every copy, the best first: one that has a value in
/// each row, is unique in the copies, is a key of the business rather than a number of the
/// database, and is unique in the source.
pub(super) fn choose(
    source: &Found,
    copies: &[Found],
    id: Option<&(String, String)>,
    to_decide: &mut Vec<String>,
) -> Option<Key> {
    let table = &source.facts;
    let is_id = |column: &ColumnFacts| {
        column.filled == Filled::Counted
            || same(&column.name, "id")
            || id.is_some_and(|(id, _)| same(id, &column.name))
    };
    let mut keys: Vec<((bool, bool, bool, bool), Key)> = Vec::new();
    for column in table.columns.iter().filter(|it| is_writable(&it.name)) {
        let found: Option<Vec<(String, &Index)>> = copies
            .iter()
            .map(|copy| of_copy(column, &copy.facts))
            .collect();
        let Some(found) = found else { continue };
        let all_unique = found.iter().all(|(_, index)| is_alone(index));
        let is_unique = table.is_unique(&column.name);
        // An index that is not unique, or has more columns, helps where the source has no two rows
        // of a value.
        if !all_unique && !is_unique {
            continue;
        }
        let rank = (column.nullable, !all_unique, is_id(column), !is_unique);
        let index = table.index_led_by(&column.name);
        let key = Key {
            source: column.name.clone(),
            copies: found
                .into_iter()
                .map(|(name, index)| (name, label(index)))
                .collect(),
            of_source: index.map(label),
        };
        keys.push((rank, key));
    }
    keys.sort_by_key(|(rank, _)| *rank);
    let mut keys = keys.into_iter().map(|(_, key)| key);
    let Some(key) = keys.next() else {
        to_decide.push(no_key(source, copies));
        return None;
    };
    let others: Vec<Key> = keys.take(OTHERS_MAX).collect();
    if !others.is_empty() {
        let others: Vec<String> = others
            .iter()
            .map(|other| format!("{} ({})", other.source, other.indexes()))
            .collect();
        to_decide.push(format!(
            "byColumn: {} was taken ({}); {} would do too",
            key.source,
            key.indexes(),
            others.join(" or ")
        ));
    }
    Some(key)
}

/// The column of this name in a copy, and the index that begins with it.
fn of_copy<'c>(column: &ColumnFacts, copy: &'c TableFacts) -> Option<(String, &'c Index)> {
    let found = copy.column(&column.name)?;
    let index = copy.index_led_by(&found.name)?;
    let is_usable = is_writable(&found.name)
        && !index.by_prefix
        && !is_own_number(found)
        && never_equal(column.column_type, found.column_type).is_none();
    is_usable.then(|| (found.name.clone(), index))
}

/// The invisible primary key that MySQL adds by itself: each server numbers its rows on its own.
pub(super) fn is_own_number(column: &ColumnFacts) -> bool {
    column.filled == Filled::Counted && same(&column.name, "my_row_id")
}

fn is_alone(index: &Index) -> bool {
    index.unique && index.columns.len() == 1 && !index.by_prefix
}

fn no_key(source: &Found, copies: &[Found]) -> String {
    let has_all = |index: &&Index| {
        let mut columns = index.columns.iter();
        index.unique && columns.all(|it| source.facts.column(it).is_some())
    };
    let composite = copies
        .iter()
        .find_map(|copy| Some((copy, copy.facts.indexes.iter().find(has_all)?)));
    if let Some((copy, index)) = composite {
        return format!(
            "byColumn: only ({}) together are unique in {}, and this version of cupid finds a row by \
             one column",
            index.columns.join(", "),
            copy.name()
        );
    }
    let names: Vec<String> = copies.iter().map(Found::name).collect();
    format!(
        "byColumn: no column of {} has the name of one with a UNIQUE index in {}: set it by hand, or \
         add such an index",
        source.name(),
        names.join(" and in ")
    )
}
