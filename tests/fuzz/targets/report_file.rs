//! Report files of whatever origin, as `recheck`, `report merge` and `report html` read them.

use cupid::io::report::parse;
use cupid::logic::report::digest::Digest;
use cupid::logic::report::file::ReportFormat;
use cupid::logic::report::line::{Line, merged};
use cupid::logic::report::page::{About, page};
use cupid::logic::report::recheck::rows;

use super::report_lines::comes_back;

/// The elements of a page; nothing that a report holds adds another.
const ELEMENTS: [&str; 33] = [
    "!doctype",
    "b",
    "body",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "g",
    "h1",
    "h2",
    "head",
    "header",
    "html",
    "i",
    "main",
    "mark",
    "meta",
    "p",
    "rect",
    "span",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "title",
    "tr",
];

pub(super) fn run(data: &[u8]) {
    let Some((&how, bytes)) = data.split_first() else {
        return;
    };
    let format = if how.is_multiple_of(2) {
        ReportFormat::Csv
    } else {
        ReportFormat::JsonLines
    };
    let lines = match parse(bytes, format) {
        Ok(lines) => lines,
        Err((line, why)) => {
            assert!(
                line >= 1 && !why.is_empty(),
                "a refusal names a line: {line}, {why:?}"
            );
            return;
        }
    };
    comes_back(&lines);
    if let Ok(rows) = rows(&lines, "my.user", &["d", "e"]) {
        assert!(rows.rows.len() as u64 + rows.extra <= lines.len() as u64);
    }
    let merged_lines = merged(lines.clone());
    assert_eq!(
        merged(merged_lines.clone()),
        merged_lines,
        "merging twice changes nothing"
    );
    assert!(
        lines.iter().all(|line| merged_lines.contains(line)),
        "merging loses no line"
    );
    shown(&merged_lines);
}

fn shown(lines: &[Line]) {
    let mut digest = Digest::default();
    for line in lines {
        digest.add(line);
    }
    let html = page(
        &digest,
        &About {
            name: "report".into(),
            ..About::default()
        },
    );
    for tag in html.split('<').skip(1) {
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '!')
            .map(|c| c.to_ascii_lowercase()) // `<!DOCTYPE html>`
            .collect();
        assert!(
            ELEMENTS.contains(&name.as_str()),
            "the page has an element of {:?}",
            &tag.chars().take(60).collect::<String>()
        );
    }
}
