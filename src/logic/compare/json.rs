//! JSON texts, compared by value.

use serde_json::Value;

use crate::logic::compare::number::Decimal;

/// Whether two texts are JSON of the same value: neither the order of keys nor spacing nor the notation of numbers
/// and of escapes counts; the order of an array does. False when one of them is no JSON, or is nested deeper than
/// `serde_json`'s 128 levels, which keeps the stack bounded (MySQL's own limit is 100).
pub(super) fn equal(a: &str, b: &str) -> bool {
    match (parse(a), parse(b)) {
        (Some(a), Some(b)) => values_equal(&a, &b),
        _ => false,
    }
}

fn parse(text: &str) -> Option<Value> {
    // With `arbitrary_precision`, an object with this key would be taken for a number.
    if text.contains("$serde_json::private::") {
        return None;
    }
    serde_json::from_str(text).ok()
}

fn values_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => numbers_equal(a.as_str(), b.as_str()),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| values_equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| values_equal(a, b)))
        }
        (a, b) => a == b,
    }
}

fn numbers_equal(a: &str, b: &str) -> bool {
    match (Decimal::parse(a), Decimal::parse(b)) {
        (Some(a), Some(b)) => a.equal(&b),
        _ => a == b, // An exponent beyond every bound.
    }
}
