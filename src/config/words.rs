//! How refusals name keys and show what they hold.

use jsonc_parser::ast::Value;

/// Whether a refusal may show what a key holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Show {
    Value,
    Nothing,
}

/// The path of a key, such as `des[0].columns.name`.
pub(super) fn join(path: &str, key: &str) -> String {
    let key = one_line(key);
    if path.is_empty() {
        key
    } else {
        format!("{path}.{key}")
    }
}

/// The known name that an unknown one was probably meant to be.
pub(crate) fn nearest<'k>(unknown: &str, known: &[&'k str]) -> Option<&'k str> {
    let unknown = unknown.to_lowercase();
    known
        .iter()
        .map(|name| {
            let likeness = strsim::jaro_winkler(&unknown, &name.to_lowercase());
            (likeness, *name)
        })
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// How alike two names of columns are, up to 1; `None` when they are not.
pub(crate) fn likeness(one: &str, other: &str) -> Option<f64> {
    let [one, other] = [one, other].map(|name| name.to_lowercase().replace('_', ""));
    let (shorter, longer) = if one.len() < other.len() {
        (&one, &other)
    } else {
        (&other, &one)
    };
    let is_part = shorter.chars().count() > 2 && longer.contains(shorter.as_str());
    let likeness = strsim::jaro_winkler(&one, &other);
    (is_part || likeness >= 0.8).then_some(likeness)
}

/// What a key holds, for a refusal.
pub(super) fn describe(value: &Value<'_>, show: Show) -> String {
    let (text, kind) = match value {
        Value::StringLit(literal) => (quote(&literal.value), "text"),
        Value::NumberLit(literal) => (shorten(literal.value), "a number"),
        Value::BooleanLit(literal) => (literal.value.to_string(), "true or false"),
        Value::Object(_) => return "an object".into(),
        Value::Array(_) => return "a list".into(),
        Value::NullKeyword(_) => return "null".into(),
    };
    match (value, show) {
        (_, Show::Nothing) => format!("{kind} (not shown)"),
        (Value::StringLit(_), Show::Value) => format!("{text} (text)"),
        (_, Show::Value) => text,
    }
}

/// A text in quotes, on one line and not too long.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", shorten(&one_line(text)))
}

fn shorten(text: &str) -> String {
    const LENGTH_MAX: usize = 60;
    match text.char_indices().nth(LENGTH_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Control characters as escapes: each problem keeps to its line, and a terminal obeys nothing that a file says.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}
