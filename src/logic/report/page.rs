//! A report as one page for people. It needs nothing but itself: no script, no picture, no font, no
//! address. The template escapes every text, so data cannot leave its place.

mod charts;
mod samples;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::charts::{by_column, by_destination, by_id, tiles};
use self::samples::samples;
use crate::logic::report::digest::Digest;
use crate::logic::report::summary::{Summary, Unread};
use crate::logic::value::cell::Id;
use crate::logic::value::count::{counted, grouped};

const STYLE: &str = include_str!("page/page.css");
/// Nothing is fetched and nothing runs, whatever the page should hold.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// What is known beside the report.
#[derive(Clone, Debug, Default)]
pub struct About<'a> {
    /// What the page is about, for its title: the configuration's name or the report's file.
    pub name: String,
    /// Names and values for people: tables, servers, time, version.
    pub facts: Vec<(&'static str, String)>,
    /// The ids that were looked at.
    pub id_range: Option<(Id, Id)>,
    /// The counts of the run.
    pub summary: Option<&'a Summary>,
}

/// The page.
#[must_use]
pub fn page(digest: &Digest, about: &About<'_>) -> String {
    let table = digest.source.as_deref().unwrap_or(&about.name);
    let page = html! {
        (DOCTYPE) "\n"
        html lang="en" {
            "\n"
            head {
                "\n" meta charset="utf-8";
                "\n" meta name="viewport" content="width=device-width, initial-scale=1";
                "\n" meta name="color-scheme" content="light dark";
                "\n" meta name="referrer" content="no-referrer";
                "\n" meta http-equiv="Content-Security-Policy" content=(POLICY);
                "\n" title { (table) " · " (counted_rows(digest.total())) }
                "\n" style { "\n" (PreEscaped(STYLE)) }
                "\n"
            }
            "\n"
            body {
                main {
                    "\n" (head(digest, about, table))
                    @if digest.total() > 0 {
                        "\n" (tiles(digest, about.summary))
                        "\n" (by_destination(digest))
                        "\n" (by_column(digest))
                        "\n" (by_id(digest, about.id_range))
                        "\n" (samples(digest))
                    }
                    "\n" (facts(digest, about))
                    "\n"
                }
            }
        }
        "\n"
    };
    // HTML has no such character, not even escaped.
    page.into_string().replace('\0', "\u{fffd}")
}

fn counted_rows(rows: u64) -> String {
    if rows == 0 {
        "no difference".into()
    } else {
        format!("{} to repair", counted(rows, "row"))
    }
}

fn head(digest: &Digest, about: &About<'_>, table: &str) -> Markup {
    let summary = about.summary;
    let unread: Vec<&Unread> = summary.iter().flat_map(|it| it.unread()).collect();
    let has_stopped =
        summary.is_some_and(|summary| summary.interrupted || summary.pause().is_some());
    let has_several = summary.is_some_and(|summary| summary.each.len() > 1);
    html! {
        header {
            p.name { "cupid · " (about.name) }
            h1 { (table) }
            "\n" (verdict(digest, summary, unread.is_empty() && !has_stopped))
            @if digest.rows.len() > 1 || has_several {
                "\n" p.note { "A row counts once for each destination." }
            }
            @for unread in unread {
                "\n" p.warning { (unread.destination) " could not be read: " (unread.reason) }
            }
            @if has_stopped {
                "\n" p.warning { "The audit stopped before its end: this page shows what it had found." }
            }
        }
    }
}

/// `is_sure`: everything was read.
fn verdict(digest: &Digest, summary: Option<&Summary>, is_sure: bool) -> Markup {
    let total = digest.total();
    let of_compared = summary.map_or_else(String::new, |summary| {
        format!(" of {} compared", grouped(summary.total().compared))
    });
    let are_not = if total == 1 { "is not" } else { "are not" };
    html! {
        @if total > 0 {
            p.verdict { b { (counted(total, "row")) } (of_compared) " " (are_not) " what the source says" }
        } @else {
            p.verdict.good[is_sure] { "No difference" (of_compared) }
        }
    }
}

fn facts(digest: &Digest, about: &About<'_>) -> Markup {
    html! {
        h2 { "About this report" }
        dl.card {
            @for (name, value) in &about.facts {
                "\n" dt { (name) } dd { (value) }
            }
            @if let Some((first, last)) = &digest.detected {
                "\n" dt { "Differences seen" } dd { (first) " to " (last) }
            }
        }
    }
}

#[cfg(test)]
mod tests;
