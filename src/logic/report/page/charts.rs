//! Counts as tiles and bars: by destination, by column, and where in the id range they lie.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::logic::report::digest::Digest;
use crate::logic::report::line::{Fate, Kind};
use crate::logic::report::summary::Summary;
use crate::logic::value::cell::Id;
use crate::logic::value::count::{counted, grouped, grouped_id};

/// Parts of the id range that are shown.
const PARTS: usize = 40;
/// Columns that have a bar of their own.
pub(super) const COLUMN_BARS: usize = 25;
/// Height of the histogram, in its own units.
const HEIGHT: u64 = 1000;

pub(super) fn tiles(digest: &Digest, summary: Option<&Summary>) -> Markup {
    let kinds = Kind::ALL.map(|kind| (kind.word(), digest.count(kind), kind.word()));
    let fate = |fate| digest.fates.get(&fate).copied().unwrap_or(0);
    let agreed = summary.map_or(0, |summary| summary.total().agreed_later);
    let others = [
        ("", fate(Fate::Delivered), "called back"),
        ("", fate(Fate::Owed), "callbacks still owed"),
        ("", agreed, "agreed at the second look"),
    ];
    let all = kinds.into_iter().chain(others);
    html! {
        div.tiles {
            @for (class, count, text) in all.filter(|&(_, count, _)| count > 0) {
                "\n" div class={ "tile " (class) } { b { (grouped(count)) } span { (text) } }
            }
        }
    }
}

pub(super) fn by_destination(digest: &Digest) -> Markup {
    let of = |rows: &BTreeMap<Kind, u64>| rows.values().sum::<u64>();
    let most = digest.rows.values().map(of).max().unwrap_or(1);
    let mut destinations: Vec<_> = digest.rows.iter().collect();
    destinations.sort_by_key(|(_, rows)| Reverse(of(rows)));
    html! {
        h2 { "By destination" }
        div.card {
            div.bars {
                @for (name, rows) in destinations {
                    "\n" (bar(name, rows.iter().map(|(&kind, &count)| (kind, count)), most))
                }
            }
            (keys(digest))
        }
    }
}

pub(super) fn by_column(digest: &Digest) -> Markup {
    let mut columns: Vec<(&String, u64)> =
        digest.columns.iter().map(|(name, &n)| (name, n)).collect();
    columns.sort_by_key(|&(_, count)| Reverse(count));
    let most = columns.first().map_or(1, |&(_, count)| count);
    let more = columns.len().saturating_sub(COLUMN_BARS);
    html! {
        @if !columns.is_empty() {
            h2 { "Columns that differ" }
            div.card {
                div.bars {
                    @for &(name, count) in columns.iter().take(COLUMN_BARS) {
                        "\n" (bar(name, [(Kind::Different, count)], most))
                    }
                }
                @if more > 0 {
                    p.note { "and " (counted(more as u64, "more column")) }
                }
            }
        }
    }
}

/// A bar of parts, the longest of its chart when it comes to `most`.
fn bar(label: &str, parts: impl IntoIterator<Item = (Kind, u64)>, most: u64) -> Markup {
    let parts: Vec<_> = parts.into_iter().collect();
    let total = parts.iter().map(|&(_, count)| count).sum();
    // A sliver of a percent is still to be seen.
    let per_mille = |count: u64| (count.saturating_mul(1000) / most.max(1)).max(4);
    let width = |count| format!("width:{}.{}%", per_mille(count) / 10, per_mille(count) % 10);
    html! {
        div.row {
            span.label { (label) }
            span.track {
                @for (kind, count) in parts {
                    span.bar.(kind.word()) style=(width(count)) title={ (grouped(count)) " " (kind.word()) } {}
                }
            }
            span.number { (grouped(total)) }
        }
    }
}

fn keys(digest: &Digest) -> Markup {
    let kinds = Kind::ALL.map(|kind| (kind.word(), digest.count(kind)));
    html! {
        div.keys {
            @for (kind, count) in kinds.into_iter().filter(|&(_, count)| count > 0) {
                span { span.swatch.(kind) {} (kind) " " (grouped(count)) }
            }
        }
    }
}

pub(super) fn by_id(digest: &Digest, looked_at: Option<(Id, Id)>) -> Markup {
    let Some(found) = digest.id_range() else {
        return Markup::default();
    };
    let (low, high) = looked_at.map_or(found, |(low, high)| (low.min(found.0), high.max(found.1)));
    let histogram = Histogram::new(digest, low, high);
    let width = u64::try_from((high - low) / PARTS as Id + 1).unwrap_or(u64::MAX);
    html! {
        h2 { "Where in the id range" }
        figure.card {
            (histogram.drawing())
            figcaption.ends { span { (grouped_id(low)) } span { (grouped_id(high)) } }
            figcaption {
                "Each bar is about " (counted(width, "id"))
                "; the highest stands for " (counted(histogram.most, "row")) "."
            }
        }
    }
}

/// Rows by id.
struct Histogram {
    low: Id,
    high: Id,
    /// Of each kind, for each part of the range.
    counts: Vec<(Kind, Vec<u64>)>,
    /// Rows of the part that has most.
    most: u64,
}

impl Histogram {
    fn new(digest: &Digest, low: Id, high: Id) -> Self {
        let places = digest.places.iter();
        let counts = places.map(|(&kind, places)| (kind, places.parts((low, high), PARTS)));
        let mut histogram = Self {
            low,
            high,
            counts: counts.collect(),
            most: 1,
        };
        let highest = (0..PARTS).map(|part| histogram.rows(part)).max();
        histogram.most = highest.unwrap_or(1).max(1);
        histogram
    }

    fn rows(&self, part: usize) -> u64 {
        self.counts.iter().map(|(_, counts)| counts[part]).sum()
    }

    /// The first and the last id of a part.
    fn ids(&self, part: usize) -> (Id, Id) {
        let begin = |part: usize| self.low + (self.high - self.low + 1) * part as Id / PARTS as Id;
        (begin(part), (begin(part + 1) - 1).max(begin(part)))
    }

    fn drawing(&self) -> Markup {
        let view = format!("0 0 {} {HEIGHT}", PARTS * 10);
        html! {
            svg viewBox=(view) preserveAspectRatio="none" role="img" aria-label="Rows by id" {
                @for part in 0..PARTS {
                    "\n" (self.column(part))
                }
            }
        }
    }

    /// The kinds of a part, one upon the other.
    fn column(&self, part: usize) -> Markup {
        let (from, to) = self.ids(part);
        let mut top = HEIGHT;
        let boxes = self.counts.iter().filter(|(_, counts)| counts[part] > 0);
        let boxes = boxes.map(|(kind, counts)| {
            let height = counts[part].saturating_mul(HEIGHT) / self.most;
            let height = height.clamp(12, top.max(12));
            top = top.saturating_sub(height);
            (kind.word(), top, height)
        });
        html! {
            g {
                title { "ids " (grouped_id(from)) " to " (grouped_id(to)) ": " (counted(self.rows(part), "row")) }
                (rect("bed", part, 0, HEIGHT))
                @for (kind, top, height) in boxes {
                    (rect(kind, part, top, height))
                }
            }
        }
    }
}

fn rect(class: &str, part: usize, y: u64, height: u64) -> Markup {
    html! {
        rect.(class) x=(part * 10) y=(y) width="9" height=(height) {}
    }
}
