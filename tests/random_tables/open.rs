//! Shapes of tables that the program is known to judge wrongly, each with the item of the list of faults that will mend it.
//! The list only shrinks. What is left at the end is a rule that the documentation tells.

use crate::case::Case;
use crate::truth::Truth;
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
            let pair = &case.key;
            is_beyond(&pair.source.of.values) || is_beyond(&pair.destination.of.values)
        },
    },
    Shape {
        what: "item 8: keys that only their collation takes for the same",
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
        what: "item 9: keys of two kinds, and TIME above 838 hours",
        is: |case, _| {
            let (one, other) = (&case.key.source.of, &case.key.destination.of);
            let is_year = |values: &Values| *values == Values::Year;
            let is_text = |kind: &Kind| matches!(kind, Kind::Text(_));
            is_year(&one.values) != is_year(&other.values)
                || (one.kind != other.kind && !(is_text(&one.kind) && is_text(&other.kind)))
                || matches!(one.kind, Kind::Time(_))
        },
    },
    Shape {
        what: "item 13: checksums of repeated BIT keys",
        is: |case, truth| {
            !truth.repeated.is_empty() && case.key.destination.of.sql.starts_with("BIT")
        },
    },
];

/// What is known to be wrong with such tables.
pub(crate) fn known(case: &Case, truth: &Truth) -> Option<&'static str> {
    let shape = SHAPES.iter().find(|shape| (shape.is)(case, truth));
    shape.map(|shape| shape.what)
}
