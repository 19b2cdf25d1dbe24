//! The first rows of each kind, with both values.

use super::{escaped, push};
use crate::logic::report::digest::{Digest, SAMPLE_ROWS, Sample};
use crate::logic::value::count::{counted, grouped};
use crate::logic::value::print::REPORT_NULL;

pub(super) fn samples(html: &mut String, digest: &Digest) {
    html.push_str("<h2>The first rows</h2>\n");
    for (kind, rows) in &digest.samples {
        let total = digest.count(*kind);
        let first = if total > SAMPLE_ROWS as u64 {
            format!("the first {SAMPLE_ROWS} of {}", grouped(total))
        } else {
            counted(total, "row")
        };
        let values = rows.iter().any(|row| !row.values.is_empty());
        push(
            html,
            format_args!(
                "<details class=\"card\" open>\n<summary><span class=\"swatch {0}\"></span>{0}<span class=\"note\">{first}</span></summary>\n\
                 <table>\n<thead><tr><th>id<th>key<th>destination{1}</thead>\n<tbody>\n",
                kind.word(),
                if values {
                    "<th>column<th>in the source<th>in the copy"
                } else {
                    ""
                }
            ),
        );
        for row in rows {
            sample(html, row);
        }
        html.push_str("</tbody>\n</table>\n</details>\n");
    }
}

fn sample(html: &mut String, row: &Sample) {
    let Sample {
        destination,
        id,
        key,
        values,
    } = row;
    let lines = values.len().max(1);
    for line in 0..lines {
        let classes = match (line > 0, line + 1 < lines) {
            (false, false) => "",
            (false, true) => " class=\"more\"",
            (true, false) => " class=\"again\"",
            (true, true) => " class=\"again more\"",
        };
        push(html, format_args!("<tr{classes}>"));
        for (label, text) in [("id", id), ("key", key), ("destination", destination)] {
            let text = if line == 0 {
                escaped(text)
            } else {
                String::new()
            };
            push(
                html,
                format_args!("<td class=\"once\" data-label=\"{label}\">{text}</td>"),
            );
        }
        if let Some((column, source, copy)) = values.get(line) {
            let [source, copy] = marked(source, copy);
            push(
                html,
                format_args!(
                    "<td data-label=\"column\">{}</td><td class=\"value\" data-label=\"source\"><span>{source}</span></td>\
                     <td class=\"value\" data-label=\"copy\"><span>{copy}</span></td>",
                    escaped(column)
                ),
            );
        }
        html.push_str("</tr>\n");
    }
}

/// Two values of a report, what differs between their common beginning and end marked.
fn marked(source: &str, copy: &str) -> [String; 2] {
    let special = |value: &str| match value {
        REPORT_NULL => Some("<i>NULL</i>".to_owned()),
        "" => Some("<i>empty</i>".to_owned()),
        _ => None,
    };
    if let (None, None) = (special(source), special(copy)) {
        let [source, copy] = [plain(source), plain(copy)];
        let (a, b): (Vec<char>, Vec<char>) = (source.chars().collect(), copy.chars().collect());
        let begin = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
        let rest = a[begin..].iter().rev().zip(b[begin..].iter().rev());
        let end = rest.take_while(|(a, b)| a == b).count();
        return [a, b].map(|text| {
            let part = |from: usize, to: usize| escaped(&text[from..to].iter().collect::<String>());
            let middle = part(begin, text.len() - end);
            let middle = if middle.is_empty() {
                middle
            } else {
                format!("<mark>{middle}</mark>")
            };
            part(0, begin) + &middle + &part(text.len() - end, text.len())
        });
    }
    [source, copy].map(|value| special(value).unwrap_or_else(|| escaped(plain(value))))
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
            assert_eq!(marked(source, copy), expected, "{source} {copy}");
        }
    }
}
