//! Shapes of tables that the program is known to judge wrongly, each with the item of the list of faults that will mend it.
//! The list only shrinks. What is left at the end is a rule that the documentation tells.

use crate::case::Case;
use crate::truth::{Held, Truth};
use crate::types::{Kind, Values};
use crate::value::Value;

struct Shape {
    /// What is wrong.
    what: &'static str,
    is: fn(&Case, &Truth) -> bool,
}

const SHAPES: &[Shape] = &[
    Shape {
        what: "item 6: text outside Unicode",
        is: |_, truth| {
            let rows = truth.source.iter().chain(&truth.destination);
            let mut values = rows.flat_map(|row| row.cells.iter().chain([&row.key]));
            values.any(|value| {
                matches!(
                    value,
                    Value::Text {
                        characters: None,
                        ..
                    }
                )
            })
        },
    },
    Shape {
        what: "item 7: keys beyond DECIMAL(65,30)",
        is: |case, _| {
            let is_beyond = |values: &Values| match *values {
                Values::Decimal(digits, scale) => digits - scale > 35 || scale > 30,
                _ => false,
            };
            is_beyond(&case.key.source.of.values) || is_beyond(&case.key.destination.of.values)
        },
    },
    Shape {
        what: "item 8: keys that only their collation takes for the same",
        is: |_, truth| {
            let distinct = |rows: &[Held]| {
                let mut keys: Vec<&Value> = Vec::new();
                for row in rows {
                    if !keys.contains(&&row.key) {
                        keys.push(&row.key);
                    }
                }
                keys.len()
            };
            !truth.repeated.is_empty() && distinct(&truth.destination) == truth.destination.len()
        },
    },
    Shape {
        what: "item 9: keys of two kinds",
        is: |case, _| {
            let (one, other) = (&case.key.source.of, &case.key.destination.of);
            let is_year = |values: &Values| *values == Values::Year;
            let is_text = |kind: &Kind| matches!(kind, Kind::Text(_));
            is_year(&one.values) != is_year(&other.values)
                || (one.kind != other.kind && !(is_text(&one.kind) && is_text(&other.kind)))
        },
    },
    Shape {
        what: "contract, reports: statements for a key of approximate numbers",
        is: |case, _| matches!(case.key.destination.of.kind, Kind::Float | Kind::Double),
    },
];

/// What is known to be wrong with such tables.
pub(crate) fn known(case: &Case, truth: &Truth) -> Option<&'static str> {
    let shape = SHAPES.iter().find(|shape| (shape.is)(case, truth));
    shape.map(|shape| shape.what)
}
