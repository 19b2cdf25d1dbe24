//! Every row of a span of the source, shown one by one.

use mysql::prelude::Queryable as _;
use mysql::{Conn, Params, Value};

use super::MySqlSource;
use super::batches::Ask;
use crate::error::Result;
use crate::io::mysql::bounded;
use crate::io::mysql::layout::{Layout, Visited};
use crate::io::mysql::parameters::{id_of, id_value};
use crate::io::mysql::unique::Distinct;
use crate::logic::scan::gaps::Span;
use crate::logic::value::cell::{Cells as _, Id};
use crate::logic::value::sql::quoted;
use crate::world::Visitor;

impl MySqlSource {
    pub(super) fn visit_span(
        &self,
        span: Span,
        limit: usize,
        visitor: &mut dyn Visitor,
    ) -> Result<Option<Id>> {
        let layout = self.layout()?;
        let Some(piece) = self.piece(span)? else {
            visitor.restart();
            return Ok(None);
        };
        let id = quoted(&layout.id.name);
        let ask = Ask {
            rest: format!(
                "{}{id} BETWEEN ? AND ? ORDER BY {id} LIMIT ?",
                self.table_clause()
            ),
            values: vec![id_value(piece.from), id_value(piece.to)],
            is_by_id: true,
        };
        let mut shown = Shown::default();
        let outcome = self.attempt(&mut |conn: &mut Conn| {
            visitor.restart();
            shown = Shown::default();
            ask.show(conn, layout, limit, visitor, &mut shown)
        });
        let Shown {
            mut count,
            mut last,
        } = shown;
        let is_cut = match outcome {
            Ok(()) => false,
            Err(error) if bounded::is_too_wide(&error) => true,
            Err(error) => return Err(self.failed("all rows", &error)),
        };
        if is_cut
            && last.is_none()
            && let Some((row, _)) = self.first_of("all rows", layout, &ask)?
        {
            visitor.too_large(row.id, row.key.lent());
            (count, last) = (1, Some(row.id));
        }
        let is_full = is_cut || count >= limit;
        let read_to = last.filter(|_| is_full).unwrap_or(piece.to);
        let from = piece.from;
        self.pieces.has_read(Span { from, to: read_to }, count);
        Ok((read_to < span.to).then_some(read_to))
    }
}

/// What of a span was shown.
#[derive(Default)]
struct Shown {
    count: usize,
    /// The id of the last row.
    last: Option<Id>,
}

impl Ask {
    /// Shows rows, also those before one that there is no room for.
    fn show(
        &self,
        conn: &mut Conn,
        layout: &Layout,
        limit: usize,
        visitor: &mut dyn Visitor,
        shown: &mut Shown,
    ) -> mysql::Result<()> {
        let Visited { selection, id, key } = &layout.visited;
        let sql = format!("SELECT {} {}", selection.list(None), self.rest);
        let mut values = self.values.clone();
        values.push(Value::UInt(limit as u64 + 1)); // The last one may share its id with another one.
        let mut distinct = Distinct::default();
        let answer = conn.exec_iter(&sql, Params::Positional(values))?;
        let answer = layout.watch.fitting(answer, selection.described())?;
        let outcome = bounded::passing(answer, limit + 1, |row| {
            let row = selection.sent(&row);
            let row_id = id_of(row.cell(*id));
            if let Some(row_id) = row_id {
                distinct.see(row_id);
            }
            if shown.count == limit {
                return; // The first row of the next batch.
            }
            shown.count += 1;
            if let Some(row_id) = row_id {
                visitor.row(row_id, row.cell(*key), &row);
                shown.last = Some(row_id);
            }
        });
        if outcome.as_ref().err().is_none_or(bounded::is_too_wide) {
            distinct.end()?;
        }
        outcome
    }
}
