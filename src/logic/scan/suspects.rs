//! Ids that the first look of an audit did not find equal. Each is compared once, in order, and
//! then forgotten.
//!
//! There may be as many as the table has rows (an empty copy). So they are kept as spans, in
//! bounded memory and in a bounded file. When there are too many spans, the nearest are joined,
//! with the ids between them. Comparing an equal row costs time and does nothing else, so a span
//! that is too wide is only slower.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::logic::scan::gaps::Span;
use crate::logic::value::cell::Id;

/// Spans kept apart in memory: 16 MiB of them.
const SPANS_MAX: usize = 1 << 19;
/// Spans kept apart in the file, which is written anew several times a second.
const SAVED_SPANS_MAX: usize = 8_192;
/// Ids that wait to become spans.
const FRESH_MAX: usize = 1 << 16;

/// Takes ids in any order.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    /// Sorted, disjoint, not neighbours.
    spans: Vec<Span>,
    fresh: Vec<Id>,
    count: u64,
}

impl Collector {
    /// Adds an id; it may come twice.
    pub(crate) fn add(&mut self, id: Id) {
        self.fresh.push(id);
        if self.fresh.len() >= FRESH_MAX {
            self.settle();
        }
    }

    /// How many different ids were added; those that came after their neighbours were joined are not counted.
    #[must_use]
    pub(crate) fn count(&mut self) -> u64 {
        self.settle();
        self.count
    }

    /// What was added.
    #[must_use]
    pub(crate) fn into_suspects(mut self) -> Suspects {
        self.settle();
        Suspects::of_sorted(self.spans)
    }

    fn settle(&mut self) {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_unstable();
        fresh.dedup();
        fresh.retain(|&id| !holds(&self.spans, id));
        self.count += fresh.len() as u64;
        let mut spans = std::mem::take(&mut self.spans);
        spans.extend(fresh.into_iter().map(Span::of_one));
        self.spans = sorted(spans);
    }
}

/// Ids that are left to look at.
#[derive(Clone, Debug, Default)]
pub struct Suspects {
    /// Sorted and disjoint. A position is copied whenever it is saved; its suspects are not.
    spans: Arc<[Span]>,
    /// The first span of which anything is left.
    first: usize,
    /// Everything below has been looked at.
    next: Id,
    /// Ids in what is left.
    ids_left: u64,
}

impl Suspects {
    /// Of spans in any order.
    #[must_use]
    pub fn of_spans(spans: Vec<Span>) -> Self {
        Self::of_sorted(sorted(spans))
    }

    fn of_sorted(spans: Vec<Span>) -> Self {
        Self {
            ids_left: spans
                .iter()
                .fold(0, |sum, &span| ids_in(span).saturating_add(sum)),
            next: spans.first().map_or(0, |span| span.from),
            first: 0,
            spans: spans.into(),
        }
    }

    /// The next spans to look at, `limit` at the most.
    #[must_use]
    pub fn next(&self, limit: usize) -> Vec<Span> {
        self.left().take(limit).collect()
    }

    /// Every id up to and including this one has been looked at.
    pub fn forget_to(&mut self, id: Id) {
        if id < self.next {
            return;
        }
        while let Some(span) = self.spans.get(self.first).filter(|span| span.from <= id) {
            let read = Span {
                from: span.from.max(self.next),
                to: span.to.min(id),
            };
            self.ids_left = self.ids_left.saturating_sub(ids_in(read));
            if span.to > id {
                break;
            }
            self.first += 1;
        }
        self.next = id + 1;
    }

    /// All that either holds.
    #[must_use]
    pub fn union(self, other: &Self) -> Self {
        if other.is_empty() {
            return self;
        }
        Self::of_spans(self.left().chain(other.left()).collect())
    }

    /// True when nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first >= self.spans.len()
    }

    /// Ids in what is left, for people.
    #[must_use]
    pub fn ids_left(&self) -> u64 {
        self.ids_left
    }

    fn left(&self) -> impl Iterator<Item = Span> + '_ {
        let spans = self.spans.get(self.first..).unwrap_or_default();
        spans.iter().map(|&Span { from, to }| Span {
            from: from.max(self.next),
            to,
        })
    }
}

/// What is left counts, not what has been.
impl PartialEq for Suspects {
    fn eq(&self, other: &Self) -> bool {
        self.ids_left == other.ids_left && self.left().eq(other.left())
    }
}

/// `[[from, to], …]`, coarser than in memory when there are many.
impl Serialize for Suspects {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let spans = coarsened(self.left().collect(), SAVED_SPANS_MAX);
        serializer.collect_seq(spans.iter().map(|span| (span.from, span.to)))
    }
}

impl<'de> Deserialize<'de> for Suspects {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let pairs: Vec<(Id, Id)> = Vec::deserialize(deserializer)?;
        if pairs.iter().any(|(from, to)| from > to) {
            return Err(D::Error::custom(
                "`suspects` has a span that ends before it begins",
            ));
        }
        let spans = pairs.into_iter().map(|(from, to)| Span { from, to });
        Ok(Self::of_spans(spans.collect()))
    }
}

fn ids_in(span: Span) -> u64 {
    u64::try_from(span.to - span.from + 1).unwrap_or(u64::MAX)
}

fn holds(spans: &[Span], id: Id) -> bool {
    let at = spans.partition_point(|span| span.to < id);
    spans.get(at).is_some_and(|span| span.from <= id)
}

/// Sorted, disjoint, no neighbours, and no more than memory holds.
fn sorted(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| span.from); // The stable sort is the fast one here: it takes sorted parts as they are.
    coarsened(joined(spans, touching), SPANS_MAX)
}

/// Sorted spans, with bridges of these distances between them.
fn joined(spans: Vec<Span>, mut bridged: impl FnMut(Id) -> bool) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    for span in spans {
        match out.last_mut() {
            Some(last) if bridged(span.from - last.to) => last.to = last.to.max(span.to),
            _ => out.push(span),
        }
    }
    out
}

/// Nothing lies between the two.
fn touching(distance: Id) -> bool {
    distance <= 1
}

/// No more than `most` spans (at least 4): where there are more, the nearest are joined until half as many are left, so
/// that it need not be done again soon.
fn coarsened(spans: Vec<Span>, most: usize) -> Vec<Span> {
    if spans.len() <= most {
        return spans;
    }
    let mut distances: Vec<Id> = spans
        .windows(2)
        .map(|pair| pair[1].from - pair[0].to)
        .collect();
    let bridges = spans.len() - most / 2;
    // The shortest distance that stays; some of those that are bridged may be as short.
    let (nearest, shortest, _) = distances.select_nth_unstable(bridges);
    let shortest = *shortest;
    let mut alike = nearest.iter().filter(|&&near| near == shortest).count();
    joined(spans, |distance| {
        let is_bridged = distance < shortest || (distance == shortest && alike > 0);
        alike -= usize::from(is_bridged && distance == shortest);
        is_bridged
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans(pairs: &[(Id, Id)]) -> Vec<Span> {
        pairs.iter().map(|&(from, to)| Span { from, to }).collect()
    }

    fn of(ids: impl IntoIterator<Item = Id>) -> Suspects {
        let mut collector = Collector::default();
        ids.into_iter().for_each(|id| collector.add(id));
        collector.into_suspects()
    }

    fn saved(suspects: &Suspects) -> Suspects {
        serde_json::from_str(&serde_json::to_string(suspects).unwrap()).unwrap()
    }

    #[test]
    fn ids_in_any_order_become_spans_and_are_forgotten_from_below() {
        let mut suspects = of([5, 1, 2, 9, 3, 2, -4]);
        assert_eq!(suspects.next(9), spans(&[(-4, -4), (1, 3), (5, 5), (9, 9)]));
        assert_eq!((suspects.next(2).len(), suspects.ids_left()), (2, 6));
        suspects.forget_to(2);
        assert_eq!(suspects.next(2), spans(&[(3, 3), (5, 5)]));
        suspects.forget_to(1);
        assert_eq!((suspects.ids_left(), &saved(&suspects)), (3, &suspects));
        suspects.forget_to(9);
        assert!(suspects.is_empty());
        assert_eq!(
            (
                suspects.ids_left(),
                serde_json::to_string(&suspects).unwrap()
            ),
            (0, "[]".into())
        );
    }

    #[test]
    fn what_comes_again_is_counted_once() {
        let mut collector = Collector::default();
        for (ids, count) in [(&[4, 5, 6, 5][..], 3), (&[4, 6, 7], 4), (&[3, 8, 20], 7)] {
            for &id in ids {
                collector.add(id);
            }
            assert_eq!(collector.count(), count, "{ids:?}");
        }
    }

    #[test]
    fn as_many_other_ids_are_others() {
        assert_ne!(of([1, 2]), of([1, 3]));
        assert_ne!(of([1]), of([1, 2]));
    }

    #[test]
    fn an_empty_copy_of_a_large_table_is_one_span() {
        let mut collector = Collector::default();
        for part in 0..64 {
            (0..10_000).for_each(|n| collector.add(n * 64 + part));
        }
        assert_eq!(collector.count(), 640_000);
        assert_eq!(collector.into_suspects().next(9), spans(&[(0, 639_999)]));
    }

    #[test]
    fn more_than_memory_holds_apart_are_joined_and_none_is_lost() {
        let many = Id::try_from(SPANS_MAX).unwrap() + 1_000;
        let suspects = of((0..many).map(|n| n * 100));
        let kept = suspects.next(usize::MAX);
        assert_eq!(kept.len(), SPANS_MAX / 2);
        assert!((0..many).all(|n| holds(&kept, n * 100)));
        assert!(!holds(&kept, (many - 1) * 100 - 50));
    }

    #[test]
    fn the_nearest_are_joined_and_of_those_equally_near_the_first() {
        let mut at = 0;
        let mut apart = vec![Span { from: 0, to: 0 }];
        for distance in [9, 2, 9, 2, 2, 9, 9, 9, 9, 9] {
            at += distance;
            apart.push(Span { from: at, to: at });
        }
        assert_eq!(coarsened(apart.clone(), 11), apart);
        let joined = spans(&[(0, 33), (42, 42), (51, 51), (60, 60), (69, 69)]);
        assert_eq!(coarsened(apart, 10), joined);
    }

    #[test]
    fn a_file_holds_few_spans_and_none_is_lost() {
        let suspects = of((0..100_000).map(|n| n * n));
        let text = serde_json::to_string(&suspects).unwrap();
        assert!(text.len() < 32 * SAVED_SPANS_MAX, "{} bytes", text.len());
        let kept = saved(&suspects).next(usize::MAX);
        assert_eq!(kept.len(), SAVED_SPANS_MAX / 2);
        assert!((0..100_000).all(|n| holds(&kept, n * n)));
        let few = of((0..8_192).map(|n| n * n * 2));
        assert_eq!(saved(&few), few, "there is room for all of them");
    }

    #[test]
    fn what_is_no_list_of_spans_is_refused() {
        for text in ["[[2, 1]]", "[[1]]", "[1]", "{}"] {
            assert!(serde_json::from_str::<Suspects>(text).is_err(), "{text}");
        }
        let unsorted: Suspects = serde_json::from_str("[[5, 6], [1, 9], [10, 10]]").unwrap();
        assert_eq!(unsorted.next(9), spans(&[(1, 10)]));
    }

    proptest! {
        #[test]
        fn a_union_has_what_is_left_of_both(
            one in proptest::collection::btree_set(0..200_i128, 0..50),
            other in proptest::collection::btree_set(0..200_i128, 0..50),
            forgotten in -1..200_i128,
        ) {
            let mut suspects = of(one.iter().copied());
            suspects.forget_to(forgotten);
            let all = suspects.union(&of(other.iter().copied()));
            let left = |id: &Id| one.contains(id) && *id > forgotten || other.contains(id);
            let expected: Vec<Id> = (0..200).filter(left).collect();
            let ids: Vec<Id> = all.next(usize::MAX).iter().flat_map(|s| s.from..=s.to).collect();
            prop_assert_eq!(all.ids_left(), ids.len() as u64);
            prop_assert_eq!(ids, expected);
        }
    }
}
