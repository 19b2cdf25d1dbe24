//! A report as one page for people who would rather look than read. It needs nothing but itself: no script, no picture,
//! no font, no address. Every text that comes from data goes through `escaped`.

mod samples;

use std::fmt::Write as _;

use crate::logic::report::digest::Digest;
use crate::logic::report::line::{Fate, Kind};
use crate::logic::report::summary::Summary;
use crate::logic::value::cell::Id;
use crate::logic::value::count::{counted, grouped};

/// Parts of the id range that are shown.
const PARTS: usize = 40;
/// Columns that have a bar of their own.
const COLUMN_BARS: usize = 25;
/// Height of the histogram, in its own units.
const HEIGHT: u64 = 1000;
const STYLE: &str = include_str!("page/page.css");

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
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{} · {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escaped(table),
        counted_rows(digest.total())
    );
    head(&mut html, digest, about, table);
    if digest.total() > 0 {
        tiles(&mut html, digest, about.summary);
        by_destination(&mut html, digest);
        by_column(&mut html, digest);
        by_id(&mut html, digest, about.id_range);
        samples::samples(&mut html, digest);
    }
    facts(&mut html, digest, about);
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

fn counted_rows(rows: u64) -> String {
    if rows == 0 {
        "no difference".into()
    } else {
        format!("{} to repair", counted(rows, "row"))
    }
}

fn head(html: &mut String, digest: &Digest, about: &About<'_>, table: &str) {
    push(
        html,
        format_args!(
            "<header>\n<p class=\"name\">cupid · {}</p>\n<h1>{}</h1>\n",
            escaped(&about.name),
            escaped(table)
        ),
    );
    let total = digest.total();
    let of_compared = about.summary.map_or_else(String::new, |summary| {
        format!(" of {} compared", grouped(summary.compared))
    });
    let unread = about.summary.map_or(&[][..], |summary| &summary.unread);
    let has_stopped = about
        .summary
        .is_some_and(|summary| summary.interrupted || summary.paused);
    let verdict = if total > 0 {
        format!(
            "<p class=\"verdict\"><b>{}</b>{of_compared} {} not what the source says</p>\n",
            counted(total, "row"),
            if total == 1 { "is" } else { "are" }
        )
    } else {
        let is_sure = unread.is_empty() && !has_stopped;
        let good = if is_sure { " good" } else { "" };
        format!("<p class=\"verdict{good}\">No difference{of_compared}</p>\n")
    };
    html.push_str(&verdict);
    if digest.rows.len() > 1
        || about
            .summary
            .is_some_and(|summary| summary.destinations > 1)
    {
        html.push_str("<p class=\"note\">A row counts once for each destination.</p>\n");
    }
    for unread in unread {
        push(
            html,
            format_args!(
                "<p class=\"warning\">{} could not be read: {}</p>\n",
                escaped(&unread.destination),
                escaped(&unread.reason)
            ),
        );
    }
    if has_stopped {
        html.push_str("<p class=\"warning\">The audit stopped before its end: this page shows what it had found.</p>\n");
    }
    html.push_str("</header>\n");
}

fn tiles(html: &mut String, digest: &Digest, summary: Option<&Summary>) {
    html.push_str("<div class=\"tiles\">\n");
    for kind in Kind::ALL {
        let count = digest.count(kind);
        if count > 0 {
            tile(html, kind.word(), count, kind.word());
        }
    }
    let fate = |fate| digest.fates.get(&fate).copied().unwrap_or(0);
    for (count, text) in [
        (fate(Fate::Delivered), "called back"),
        (fate(Fate::Owed), "callbacks still owed"),
        (
            summary.map_or(0, |summary| summary.agreed_later),
            "agreed at the second look",
        ),
    ] {
        if count > 0 {
            tile(html, "", count, text);
        }
    }
    html.push_str("</div>\n");
}

fn tile(html: &mut String, class: &str, count: u64, text: &str) {
    push(
        html,
        format_args!(
            "<div class=\"tile {class}\"><b>{}</b><span>{text}</span></div>\n",
            grouped(count)
        ),
    );
}

fn by_destination(html: &mut String, digest: &Digest) {
    html.push_str("<h2>By destination</h2>\n<div class=\"card\">\n<div class=\"bars\">\n");
    let of = |rows: &std::collections::BTreeMap<Kind, u64>| rows.values().sum::<u64>();
    let most = digest.rows.values().map(of).max().unwrap_or(1);
    let mut destinations: Vec<_> = digest.rows.iter().collect();
    destinations.sort_by_key(|(_, rows)| std::cmp::Reverse(of(rows)));
    for (name, rows) in destinations {
        let parts: Vec<(Kind, u64)> = rows.iter().map(|(&kind, &count)| (kind, count)).collect();
        bar(html, name, &parts, most);
    }
    html.push_str("</div>\n");
    keys(html, digest);
    html.push_str("</div>\n");
}

fn by_column(html: &mut String, digest: &Digest) {
    if digest.columns.is_empty() {
        return;
    }
    html.push_str("<h2>Columns that differ</h2>\n<div class=\"card\">\n<div class=\"bars\">\n");
    let mut columns: Vec<(&String, u64)> =
        digest.columns.iter().map(|(name, &n)| (name, n)).collect();
    columns.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let most = columns.first().map_or(1, |&(_, count)| count);
    for &(name, count) in columns.iter().take(COLUMN_BARS) {
        bar(html, name, &[(Kind::Different, count)], most);
    }
    html.push_str("</div>\n");
    if columns.len() > COLUMN_BARS {
        let more = counted((columns.len() - COLUMN_BARS) as u64, "more column");
        push(html, format_args!("<p class=\"note\">and {more}</p>\n"));
    }
    html.push_str("</div>\n");
}

/// A bar of parts, the longest of its chart when it comes to `most`.
fn bar(html: &mut String, label: &str, parts: &[(Kind, u64)], most: u64) {
    push(
        html,
        format_args!(
            "<div class=\"row\"><span class=\"label\">{}</span><span class=\"track\">",
            escaped(label)
        ),
    );
    for &(kind, count) in parts {
        // A sliver of a percent is still to be seen.
        let per_mille = (count.saturating_mul(1000) / most.max(1)).max(4);
        push(
            html,
            format_args!(
                "<span class=\"bar {0}\" style=\"width:{1}.{2}%\" title=\"{3} {0}\"></span>",
                kind.word(),
                per_mille / 10,
                per_mille % 10,
                grouped(count)
            ),
        );
    }
    let total = parts.iter().map(|&(_, count)| count).sum();
    push(
        html,
        format_args!(
            "</span><span class=\"number\">{}</span></div>\n",
            grouped(total)
        ),
    );
}

fn keys(html: &mut String, digest: &Digest) {
    html.push_str("<div class=\"keys\">");
    for kind in Kind::ALL {
        let count = digest.count(kind);
        if count > 0 {
            push(
                html,
                format_args!(
                    "<span><span class=\"swatch {0}\"></span>{0} {1}</span>",
                    kind.word(),
                    grouped(count)
                ),
            );
        }
    }
    html.push_str("</div>\n");
}

fn by_id(html: &mut String, digest: &Digest, range: Option<(Id, Id)>) {
    let Some(found) = digest.id_range() else {
        return;
    };
    let (low, high) = range.map_or(found, |(low, high)| (low.min(found.0), high.max(found.1)));
    let parts: Vec<(Kind, Vec<u64>)> = digest
        .places
        .iter()
        .map(|(&kind, places)| (kind, places.parts((low, high), PARTS)))
        .collect();
    let sum = |part: usize| parts.iter().map(|(_, counts)| counts[part]).sum::<u64>();
    let most = (0..PARTS).map(sum).max().unwrap_or(1).max(1);
    let width = (high - low) / PARTS as Id + 1;
    push(
        html,
        format_args!(
            "<h2>Where in the id range</h2>\n<figure class=\"card\">\n\
             <svg viewBox=\"0 0 {} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Rows by id\">\n",
            PARTS * 10
        ),
    );
    for part in 0..PARTS {
        let x = part * 10;
        let from = low + (high - low + 1) * part as Id / PARTS as Id;
        let to = (low + (high - low + 1) * (part + 1) as Id / PARTS as Id - 1).max(from);
        push(
            html,
            format_args!(
                "<g><title>ids {} to {}: {}</title><rect class=\"bed\" x=\"{x}\" y=\"0\" width=\"9\" height=\"{HEIGHT}\"/>",
                number(from),
                number(to),
                counted(sum(part), "row")
            ),
        );
        let mut top = HEIGHT;
        for (kind, counts) in parts.iter().filter(|(_, counts)| counts[part] > 0) {
            let height = (counts[part].saturating_mul(HEIGHT) / most).clamp(12, top.max(12));
            top = top.saturating_sub(height);
            push(
                html,
                format_args!(
                    "<rect class=\"{}\" x=\"{x}\" y=\"{top}\" width=\"9\" height=\"{height}\"/>",
                    kind.word()
                ),
            );
        }
        html.push_str("</g>\n");
    }
    push(
        html,
        format_args!(
            "</svg>\n<figcaption class=\"ends\"><span>{}</span><span>{}</span></figcaption>\n\
             <figcaption>Each bar is about {}; the highest stands for {}.</figcaption>\n</figure>\n",
            number(low),
            number(high),
            counted(u64::try_from(width).unwrap_or(u64::MAX), "id"),
            counted(most, "row")
        ),
    );
}

fn facts(html: &mut String, digest: &Digest, about: &About<'_>) {
    html.push_str("<h2>About this report</h2>\n<dl class=\"card\">\n");
    let mut fact = |name: &str, value: &str| {
        push(
            html,
            format_args!("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value)),
        );
    };
    for (name, value) in &about.facts {
        fact(name, value);
    }
    if let Some((first, last)) = &digest.detected {
        fact("Differences seen", &format!("{first} to {last}"));
    }
    html.push_str("</dl>\n");
}

/// An id with its digits in groups.
fn number(id: Id) -> String {
    u64::try_from(id).map_or_else(|_| id.to_string(), grouped)
}

/// Text as HTML shows it, in content and in attributes.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\0' => html.push('\u{fffd}'),
            _ => html.push(c),
        }
    }
    html
}

fn push(html: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = html.write_fmt(text); // Writing to a String cannot fail.
}

#[cfg(test)]
mod tests;
