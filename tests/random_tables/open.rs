//! Shapes of tables that the program is known to judge wrongly, each with the item of the list of faults that will mend it.
//! The list only shrinks. What is left at the end is a rule that the documentation tells.

use crate::case::Case;
use crate::truth::{Held, Truth};
use crate::types::Kind;
use crate::value::{Value, characters};

struct Shape {
    /// What is wrong.
    what: &'static str,
    is: fn(&Case, &Truth) -> bool,
}

const SHAPES: &[Shape] = &[
    Shape {
        what: "item 8: repeated keys that only their collation takes for the same",
        is: |_, truth| {
            let mut keys: Vec<&Value> = Vec::new();
            for row in &truth.destination {
                if !keys.contains(&&row.key) {
                    keys.push(&row.key);
                }
            }
            !truth.repeated.is_empty() && keys.len() == truth.destination.len()
        },
    },
    Shape {
        what: "item 13: an ENUM key that holds no member, beside a member that is empty",
        is: |case, truth| {
            let is_enum = case.key.destination.of.sql.starts_with("ENUM('x','','y')");
            let is_empty = |row: &Held| characters(&row.key).is_some_and(|text| text.is_empty());
            is_enum && truth.destination.iter().any(is_empty)
        },
    },
    Shape {
        what: "limit: DATETIME keys within a day of the ends of TIMESTAMP, on a server not in UTC",
        is: |case, truth| {
            let is_instant = |kind: &Kind| matches!(kind, Kind::Timestamp(_));
            let (one, other) = (&case.key.source.of.kind, &case.key.destination.of.kind);
            let is_at_an_end = |row: &Held| match &row.key {
                Value::Moment { printed, .. } => {
                    printed.starts_with("1970-01-0") || printed.starts_with("2038-01-1")
                }
                _ => false,
            };
            is_instant(one) != is_instant(other) && truth.source.iter().any(is_at_an_end)
        },
    },
];

/// What is known to be wrong with such tables.
pub(crate) fn known(case: &Case, truth: &Truth) -> Option<&'static str> {
    let shape = SHAPES.iter().find(|shape| (shape.is)(case, truth));
    shape.map(|shape| shape.what)
}
