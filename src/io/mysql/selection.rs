//! What of each row a statement selects: every expression once, however often it is used.

use mysql::{Row, Value};

use super::decode;
use super::wire::Described;
use crate::logic::value::cell::{Cell, CellRef, Cells, ColumnType};

/// Expressions in SQL, and the types of their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    expressions: Vec<String>,
    types: Vec<ColumnType>,
    described: Described,
}

impl Selection {
    /// Adds one at the end. `described` is what the server said of a column that is selected as it is.
    pub(super) fn push(
        &mut self,
        expression: String,
        column_type: ColumnType,
        described: Option<ColumnType>,
    ) {
        self.expressions.push(expression);
        self.types.push(column_type);
        self.described.push(described);
    }

    /// What the server said of the columns, in their order.
    pub(super) fn described(&self) -> &Described {
        &self.described
    }

    /// The place of an expression, which is added as by [`Self::push`] if it is not there yet.
    pub(super) fn place_of(
        &mut self,
        expression: &str,
        column_type: ColumnType,
        described: Option<ColumnType>,
    ) -> usize {
        let known = self
            .expressions
            .iter()
            .position(|known| known == expression);
        known.unwrap_or_else(|| {
            self.push(expression.to_owned(), column_type, described);
            self.types.len() - 1
        })
    }

    /// The list for `SELECT`, behind another expression where there is one.
    pub(super) fn list(&self, first: Option<&str>) -> String {
        let expressions = self.expressions.iter().map(String::as_str);
        let all: Vec<&str> = first.into_iter().chain(expressions).collect();
        all.join(", ")
    }

    /// The values of a row; NULL for what a server left out.
    pub(super) fn cells(
        &self,
        values: impl IntoIterator<Item = Value>,
    ) -> impl Iterator<Item = Cell> {
        let mut values = values.into_iter();
        self.types.iter().map(move |&column_type| {
            decode::cell(values.next().unwrap_or(Value::NULL), column_type)
        })
    }

    /// A row's cells where they are.
    pub(super) fn sent<'a>(&'a self, row: &'a Row) -> Sent<'a> {
        let types = &self.types;
        Sent { row, types }
    }
}

/// A row as it was sent.
pub(super) struct Sent<'a> {
    row: &'a Row,
    types: &'a [ColumnType],
}

impl Cells for Sent<'_> {
    fn cell(&self, at: usize) -> CellRef<'_> {
        match (self.row.as_ref(at), self.types.get(at)) {
            (Some(value), Some(&column_type)) => decode::lent(value, column_type),
            _ => CellRef::Null,
        }
    }
}
