//! `des[]`.

use bigdecimal::BigDecimal;
use std::time::Duration;

use jsonc_parser::ast::Value;

use super::reader::{Reader, Text};
use super::words::{Show, describe, join};
use super::{CallbackJob, ColumnPair, DestinationJob, callback, table};
use crate::logic::compare::cells::Rule;

/// Reads `des[].name`, which the other destinations' names decide about too.
pub(super) fn read_name(reader: &Reader<'_>) -> Option<Text> {
    const SHOULD: &str =
        "should hold a name of 1 to 200 characters, none of them a control character";
    let name = reader.text("name", SHOULD)?;
    if name.value.chars().count() > 200 || name.value.chars().any(char::is_control) {
        reader.refuse("name", &name, SHOULD);
        return None;
    }
    Some(name)
}

/// Reads the rest of one of `des[]`; its names are left empty. `None` goes with a problem written down.
pub(super) fn read(reader: Reader<'_>, callback_delay: Duration) -> Option<DestinationJob> {
    let table = table::read(&reader);
    let columns = read_columns(&reader);
    let callback = read_callback(&reader, callback_delay);
    reader.finish();
    Some(DestinationJob {
        name: String::new(),
        name_before: String::new(),
        table: table?,
        columns: columns?,
        callback: callback?,
    })
}

fn read_callback(reader: &Reader<'_>, callback_delay: Duration) -> Option<CallbackJob> {
    const KEY: &str = "callbackNotification";
    const SHOULD: &str = "should hold an object {\"url\": \"…\"}";
    let object = reader.object(KEY, SHOULD);
    let object = reader.require(KEY, object, SHOULD)?;
    let reader = Reader::new(reader.context(), reader.path(KEY), object);
    callback::read(reader, callback_delay)
}

/// `columns` in the order of the file; `{}` looks for missing rows only, as in the first cupid.
fn read_columns(reader: &Reader<'_>) -> Option<Vec<ColumnPair>> {
    const SHOULD: &str = "should hold an object {\"source column\": \"destination column\"}, {} for missing rows only";
    let object = reader.object("columns", SHOULD);
    let object = reader.require("columns", object, SHOULD)?;
    let columns = reader.path("columns");
    // Only for its refusal of names written twice.
    let _ = Reader::new(reader.context(), columns.clone(), object);
    let mut pairs = Vec::new();
    for property in &object.properties {
        let name = property.name.as_str();
        let path = join(&columns, name);
        if name.trim().is_empty() || name.contains('\0') {
            let should = "is no column's name; should be the name of a source column";
            reader.context().problem(&path, should);
            continue;
        }
        if let Some((destination, rule)) = read_column(reader, &path, &property.value) {
            pairs.push(ColumnPair {
                source: name.to_owned(),
                destination,
                rule,
            });
        }
    }
    Some(pairs)
}

/// The destination column and the rule of one pair.
fn read_column(reader: &Reader<'_>, path: &str, value: &Value<'_>) -> Option<(String, Rule)> {
    const SHOULD: &str = "should hold the name of a destination column, or an object {\"to\": …}";
    let context = reader.context();
    match value {
        Value::StringLit(literal) => {
            let name = context.expand(path, &literal.value)?;
            if name.trim().is_empty() || name.contains('\0') {
                let holds = describe(value, Show::Value);
                context.problem(path, &format!("holds {holds}; {SHOULD}"));
                return None;
            }
            Some((name, Rule::default()))
        }
        Value::Object(object) => {
            let rule = Reader::new(context, path.to_owned(), object);
            let to =
                table::required_name(&rule, "to", "should hold the name of a destination column");
            let read = Rule {
                tolerance: read_tolerance(&rule),
                trim: rule.flag("trim", false),
                ignore_case: rule.flag("ignoreCase", false),
                null_equals_empty: rule.flag("nullEqualsEmpty", false),
            };
            rule.finish();
            Some((to?, read))
        }
        other => {
            let holds = describe(other, Show::Value);
            context.problem(path, &format!("holds {holds}; {SHOULD}"));
            None
        }
    }
}

/// `tolerance`, digit by digit as written: 0.1 is one tenth, not the nearest double.
fn read_tolerance(rule: &Reader<'_>) -> Option<BigDecimal> {
    let value = rule.value("tolerance")?;
    let path = rule.path("tolerance");
    let tolerance = match value {
        Value::NumberLit(literal) => parse_tolerance(literal.value),
        Value::StringLit(literal) => {
            let text = rule.context().expand(&path, &literal.value)?;
            parse_tolerance(text.trim())
        }
        _ => None,
    };
    if tolerance.is_none() {
        rule.problem(
            "tolerance",
            &format!(
                "holds {}; should hold a number from 0 up such as 0.01, with at most 100 digits",
                describe(value, Show::Value)
            ),
        );
    }
    tolerance
}

/// A number such as `0.01` or `1e-9`, from zero up. The bound keeps an exponent from asking for gigabytes of digits.
fn parse_tolerance(text: &str) -> Option<BigDecimal> {
    const DIGITS_MAX: usize = 100;
    let mantissa = text.split(['e', 'E']).next()?;
    if text.len() > DIGITS_MAX
        || !mantissa.starts_with(|c: char| c.is_ascii_digit())
        || !text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+'))
    {
        return None;
    }
    let number: BigDecimal = text.parse().ok()?;
    let (_, scale) = number.as_bigint_and_exponent();
    (scale.unsigned_abs() <= DIGITS_MAX as u64).then_some(number)
}
