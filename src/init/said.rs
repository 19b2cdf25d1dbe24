//! What `cupid init` says to a person about what it wrote.

use super::{Choices, Found, Update};
use crate::check::about;
use crate::logic::value::one_line::on_one_line;

/// A line for the source and each copy, then what is left to decide and what was left out.
pub(crate) fn report(source: &Found, copies: &[Found], choices: &Choices) -> String {
    let mut lines = vec![("source", of_source(source, choices))];
    for (number, copy) in copies.iter().enumerate() {
        lines.push(("destination", of_copy(source, copy, number, choices)));
    }
    let decide = choices.to_decide.iter().map(|it| ("to decide", it.clone()));
    let skipped = choices.skipped.iter().map(|it| ("skipped", it.clone()));
    lines.extend(decide.chain(skipped));
    lines
        .iter()
        .map(|(head, words)| line(head, words))
        .collect()
}

/// One line of words under a head.
pub(crate) fn line(head: &str, words: &str) -> String {
    format!("{head:<13}{}\n", on_one_line(words))
}

fn of_source(source: &Found, choices: &Choices) -> String {
    let id = match &choices.id {
        Some((column, index)) => format!("{column} ({index})"),
        None => "no integer key".into(),
    };
    let updates = match &choices.update {
        Update::By(column, index) => format!("updates by {column} ({index})"),
        Update::WithoutIndex(column, _) => format!("no updates: {column} has no index"),
        Update::None => "no updates".into(),
    };
    format!("{}, {}: {id}, {updates}", source.name(), rows(source))
}

fn of_copy(source: &Found, copy: &Found, number: usize, choices: &Choices) -> String {
    let key = choices.key.as_ref().and_then(|key| key.copies.get(number));
    let found = match key {
        Some((column, index)) => format!("found by {column} ({index})"),
        None => "found by no single column".into(),
    };
    format!(
        "{}, {}: {found}, {} of {} columns paired by name",
        copy.name(),
        rows(copy),
        choices.copies[number].paired(),
        source.facts.columns.len()
    )
}

fn rows(found: &Found) -> String {
    about(found.facts.rows_likely())
}

/// What to do next: fill in the variables, then look at it all.
pub(crate) fn next(variables: &[String], env_file: &str, config: &str) -> String {
    let mut filled: Vec<String> = variables.iter().map(|name| format!("{name}=…")).collect();
    let last = filled.pop().unwrap_or_default();
    let filled = if filled.is_empty() {
        last
    } else {
        format!("{} and {last}", filled.join(", "))
    };
    let words = format!("Next: {filled} in {env_file} (mode 0640), then: cupid check {config}");
    format!("{}\n", on_one_line(&words))
}
