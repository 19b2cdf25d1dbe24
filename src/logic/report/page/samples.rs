//! The first rows of each kind, with both values.

use maud::{Markup, html};

use crate::logic::report::digest::{Digest, SAMPLE_ROWS, Sample};
use crate::logic::value::count::{counted, grouped};
use crate::logic::value::print::REPORT_NULL;

pub(super) fn samples(digest: &Digest) -> Markup {
    html! {
        h2 { "The first rows" }
        @for (kind, rows) in &digest.samples {
            "\n"
            details.card open {
                summary {
                    span.swatch.(kind.word()) {} (kind.word()) span.note { (first_of(digest.count(*kind))) }
                }
                (table(rows))
            }
        }
    }
}

fn first_of(total: u64) -> String {
    if total > SAMPLE_ROWS as u64 {
        format!("the first {SAMPLE_ROWS} of {}", grouped(total))
    } else {
        counted(total, "row")
    }
}

fn table(rows: &[Sample]) -> Markup {
    let have_values = rows.iter().any(|row| !row.values.is_empty());
    html! {
        table {
            thead {
                tr {
                    th { "id" } th { "key" } th { "destination" }
                    @if have_values {
                        th { "column" } th { "in the source" } th { "in the copy" }
                    }
                }
            }
            tbody {
                @for row in rows {
                    (sample(row))
                }
            }
        }
    }
}

/// One line for each column that differs; what belongs to the row stands in the first one.
fn sample(row: &Sample) -> Markup {
    let Sample {
        destination,
        id,
        key,
        values,
    } = row;
    let of_row = [("id", id), ("key", key), ("destination", destination)];
    let lines = values.len().max(1);
    html! {
        @for line in 0..lines {
            "\n"
            tr class=[place(line, lines)] {
                @for (label, text) in of_row {
                    td.once data-label=(label) { @if line == 0 { (text) } }
                }
                @if let Some((column, source, copy)) = values.get(line) {
                    @let [source, copy] = marked(source, copy);
                    td data-label="column" { (column) }
                    td.value data-label="source" { span { (source) } }
                    td.value data-label="copy" { span { (copy) } }
                }
            }
        }
    }
}

/// The class of a line of a row: whether a line of it stands above, and whether one follows.
fn place(line: usize, lines: usize) -> Option<&'static str> {
    match (line > 0, line + 1 < lines) {
        (false, false) => None,
        (false, true) => Some("more"),
        (true, false) => Some("again"),
        (true, true) => Some("again more"),
    }
}

/// Two values of a report, what differs between their common beginning and end marked.
fn marked(source: &str, copy: &str) -> [Markup; 2] {
    let nothing = |value: &str| match value {
        REPORT_NULL => Some("NULL"),
        "" => Some("empty"),
        _ => None,
    };
    if nothing(source).is_some() || nothing(copy).is_some() {
        return [source, copy].map(|value| {
            html! {
                @if let Some(word) = nothing(value) { i { (word) } } @else { (plain(value)) }
            }
        });
    }
    let [a, b] = [source, copy].map(|value| plain(value).chars().collect::<Vec<char>>());
    let begin = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let rest = a[begin..].iter().rev().zip(b[begin..].iter().rev());
    let end = rest.take_while(|(a, b)| a == b).count();
    [a, b].map(|text| {
        let part = |from: usize, to: usize| text[from..to].iter().collect::<String>();
        let middle = part(begin, text.len() - end);
        html! {
            (part(0, begin))
            @if !middle.is_empty() { mark { (middle) } }
            (part(text.len() - end, text.len()))
        }
    })
}

/// Without the backslash that a report puts before one (see [`crate::logic::value::print::report_text`]).
fn plain(value: &str) -> &str {
    value.strip_prefix('\\').unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_marked_and_what_is_nothing_has_a_name() {
        for (source, copy, expected) in [
            ("abc", "axc", ["a<mark>b</mark>c", "a<mark>x</mark>c"]),
            ("ab", "abb", ["ab", "ab<mark>b</mark>"]),
            ("a<", "a>", ["a<mark>&lt;</mark>", "a<mark>&gt;</mark>"]),
            ("\\N", "", ["<i>NULL</i>", "<i>empty</i>"]),
            ("\\\\N", "N", ["<mark>\\</mark>N", "N"]),
            ("小明", "小红", ["小<mark>明</mark>", "小<mark>红</mark>"]),
        ] {
            let found = marked(source, copy).map(Markup::into_string);
            assert_eq!(found, expected, "{source} {copy}");
        }
    }
}
