//! A report in small: counts, where in the id range the rows lie, and the first rows of each kind. However long the
//! report, it takes about the same memory.

use std::collections::BTreeMap;

use crate::logic::report::line::{Fate, Kind, Line};
use crate::logic::value::cell::Id;
use crate::logic::value::shortened::shortened;

/// Rows of each kind that are kept with their values.
pub const SAMPLE_ROWS: usize = 20;
/// Characters of a value that are kept.
const VALUE_CHARS: usize = 400;
/// Columns of one row that are kept.
const SAMPLE_COLUMNS: usize = 50;
/// Places that a histogram tells apart, at the most.
const PLACES_MAX: usize = 4096;

/// A report in small.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Digest {
    /// `database.table` of the source.
    pub source: Option<String>,
    /// The first and the last detection, RFC 3339.
    pub detected: Option<(String, String)>,
    /// Rows, by destination and kind. A row counts once for each.
    pub rows: BTreeMap<String, BTreeMap<Kind, u64>>,
    /// Rows, by column that differs.
    pub columns: BTreeMap<String, u64>,
    /// Rows, by what became of their callbacks.
    pub fates: BTreeMap<Fate, u64>,
    /// Where the rows lie.
    pub places: BTreeMap<Kind, Places>,
    /// The first rows of each kind.
    pub samples: BTreeMap<Kind, Vec<Sample>>,
    last: Option<(String, Kind, String, String)>,
}

/// A row with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The destination's name.
    pub destination: String,
    /// The source row's id.
    pub id: String,
    /// Its key.
    pub key: String,
    /// Column, value of the source, value of the destination, as in the report.
    pub values: Vec<(String, String, String)>,
}

impl Digest {
    /// Takes a line in. The lines of a row must follow each other.
    pub fn add(&mut self, line: &Line) {
        let Line {
            detected_at,
            source,
            destination,
            kind,
            id,
            key,
            column,
            source_value,
            destination_value,
            callback,
        } = line;
        let row = (destination.clone(), *kind, id.clone(), key.clone());
        if self.last.as_ref() != Some(&row) {
            self.last = Some(row);
            self.source.get_or_insert_with(|| source.clone());
            let then = || detected_at.clone();
            self.detected = Some(match self.detected.take() {
                Some((first, last)) => (first.min(then()), last.max(then())),
                None => (then(), then()),
            });
            let of_kind = self.rows.entry(destination.clone()).or_default();
            *of_kind.entry(*kind).or_default() += 1;
            *self.fates.entry(*callback).or_default() += 1;
            if let Some(id) = line.id_number() {
                self.places.entry(*kind).or_default().add(id);
            }
            let samples = self.samples.entry(*kind).or_default();
            if samples.len() < SAMPLE_ROWS {
                samples.push(Sample {
                    destination: destination.clone(),
                    id: id.clone(),
                    key: shortened(key, VALUE_CHARS),
                    values: vec![],
                });
            }
        }
        if column.is_empty() {
            return;
        }
        *self.columns.entry(column.clone()).or_default() += 1;
        let sample = self
            .samples
            .get_mut(kind)
            .and_then(|samples| samples.last_mut());
        let sample = sample.filter(|sample| {
            sample.destination == *destination
                && sample.id == *id
                && sample.values.len() < SAMPLE_COLUMNS
        });
        if let Some(sample) = sample {
            sample.values.push((
                column.clone(),
                shortened(source_value, VALUE_CHARS),
                shortened(destination_value, VALUE_CHARS),
            ));
        }
    }

    /// Rows of a kind.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        self.rows.values().filter_map(|rows| rows.get(&kind)).sum()
    }

    /// Rows of all kinds.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.rows.values().flat_map(BTreeMap::values).sum()
    }

    /// The lowest and the highest id, about.
    #[must_use]
    pub fn id_range(&self) -> Option<(Id, Id)> {
        let ranges = self.places.values().filter_map(Places::range);
        ranges.reduce(|(low, high), (l, h)| (low.min(l), high.max(h)))
    }
}

/// How many rows lie where: ids whose number without the lowest bits is the same are one place. When there are too many
/// places, one more bit is dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    bits_dropped: u32,
    counts: BTreeMap<Id, u64>,
    range: Option<(Id, Id)>,
}

impl Places {
    fn add(&mut self, id: Id) {
        let (low, high) = self.range.unwrap_or((id, id));
        self.range = Some((low.min(id), high.max(id)));
        *self.counts.entry(id >> self.bits_dropped).or_default() += 1;
        while self.counts.len() > PLACES_MAX {
            self.bits_dropped += 1;
            for (place, count) in std::mem::take(&mut self.counts) {
                *self.counts.entry(place >> 1).or_default() += count;
            }
        }
    }

    fn range(&self) -> Option<(Id, Id)> {
        self.range
    }

    /// The rows in each of so many equal parts of a range; what lies outside counts at the nearest end.
    #[must_use]
    pub fn parts(&self, (low, high): (Id, Id), parts: usize) -> Vec<u64> {
        let mut counts = vec![0; parts];
        let width = (high - low).max(0) + 1;
        for (&place, &count) in &self.counts {
            let middle = (place << self.bits_dropped) + (1 << self.bits_dropped) / 2;
            // Below `width`, and so the quotient below `parts`.
            let offset = middle.clamp(low, high.max(low)) - low;
            counts[usize::try_from(offset * parts as Id / width).unwrap_or(0)] += count;
        }
        counts
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Seen so many milliseconds after the second as the id says.
    pub(in crate::logic) fn line(kind: Kind, id: Id, column: &str) -> Line {
        Line {
            detected_at: format!("2024-01-02T03:04:05.{:03}Z", id % 1000),
            source: "my.user".into(),
            destination: "d".into(),
            kind,
            id: id.to_string(),
            key: format!("n{id}"),
            column: column.into(),
            source_value: "a".into(),
            destination_value: "b".into(),
            callback: Fate::DryRun,
        }
    }

    #[test]
    fn a_row_counts_once_and_each_of_its_columns_too() {
        let mut digest = Digest::default();
        for line in [
            line(Kind::Different, 3, "a"),
            line(Kind::Different, 3, "b"),
            line(Kind::Different, 1, "a"),
            line(Kind::Missing, 2, ""),
        ] {
            digest.add(&line);
        }
        assert_eq!(
            (
                digest.count(Kind::Different),
                digest.count(Kind::Missing),
                digest.total()
            ),
            (2, 1, 3)
        );
        assert_eq!(digest.columns, [("a".into(), 2), ("b".into(), 1)].into());
        assert_eq!(digest.samples[&Kind::Different][0].values.len(), 2);
        assert_eq!(digest.id_range(), Some((1, 3)));
        assert_eq!(digest.source.as_deref(), Some("my.user"));
        let (first, last) = digest.detected.unwrap();
        assert!(first.contains(".001Z") && last.contains(".003Z"));
    }

    #[test]
    fn a_row_counts_once_for_each_destination_and_each_has_its_values() {
        let mut digest = Digest::default();
        for (id, destination) in [(1, "d"), (1, "e"), (2, "e")] {
            digest.add(&Line {
                destination: destination.into(),
                ..line(Kind::Different, id, "a")
            });
        }
        let counts = digest.rows.values().map(|rows| rows[&Kind::Different]);
        assert_eq!(counts.collect::<Vec<_>>(), [1, 2]);
        assert_eq!(digest.fates, [(Fate::DryRun, 3)].into());
        let samples = &digest.samples[&Kind::Different];
        assert!(samples.iter().all(|sample| sample.values.len() == 1));
    }

    #[test]
    fn a_sample_is_kept_short_and_holds_nothing_of_other_rows() {
        let mut digest = Digest::default();
        for column in 0..SAMPLE_COLUMNS + 5 {
            digest.add(&line(Kind::Different, 0, &format!("c{column}")));
        }
        let long = "é".repeat(VALUE_CHARS + 1);
        for id in 1..=Id::try_from(SAMPLE_ROWS).unwrap() {
            digest.add(&Line {
                source_value: long.clone(),
                ..line(Kind::Different, id, "a")
            });
        }
        let last = Id::try_from(SAMPLE_ROWS).unwrap() - 1;
        digest.add(&Line {
            destination: "e".into(),
            ..line(Kind::Different, last, "b")
        });
        let samples = &digest.samples[&Kind::Different];
        assert_eq!(samples.len(), SAMPLE_ROWS);
        assert_eq!(samples[0].values.len(), SAMPLE_COLUMNS);
        let (_, source, _) = &samples[1].values[0];
        assert_eq!(source.chars().count(), VALUE_CHARS + 1);
        assert!(source.ends_with('…'));
        assert_eq!(samples[SAMPLE_ROWS - 1].id, last.to_string());
        assert_eq!(samples[SAMPLE_ROWS - 1].values.len(), 1);
    }

    #[test]
    fn a_long_report_keeps_its_first_rows_and_bounded_places() {
        let mut digest = Digest::default();
        for id in 0..100_000 {
            digest.add(&line(Kind::Different, id * 1000, "a"));
        }
        let samples = &digest.samples[&Kind::Different];
        assert_eq!((samples.len(), samples[19].id.as_str()), (20, "19000"));
        assert!(samples.iter().all(|sample| sample.values.len() == 1));
        let places = &digest.places[&Kind::Different];
        assert!(places.counts.len() <= PLACES_MAX);
        let parts = places.parts((0, 99_999_000), 10);
        assert_eq!(parts.iter().sum::<u64>(), 100_000);
        assert!(
            parts.iter().all(|part| part.abs_diff(10_000) < 200),
            "{parts:?}"
        );
    }

    #[test]
    fn places_of_any_ids_are_counted() {
        let mut places = Places::default();
        for id in [Id::from(i64::MIN), 0, 0, Id::from(u64::MAX)] {
            places.add(id);
        }
        let range = places.range().unwrap();
        assert_eq!(places.parts(range, 3), [1, 2, 1]);
        assert_eq!(places.parts((5, 5), 1), [4]);
    }

    #[test]
    fn no_row_is_further_from_its_place_than_that_is_wide() {
        let most = Id::try_from(PLACES_MAX).unwrap();
        for (ids, width) in [(most, 1), (most * 2, 2)] {
            let mut places = Places::default();
            (0..ids).for_each(|id| places.add(id));
            let parts = places.parts((0, ids - 1), usize::try_from(ids).unwrap());
            let middles = (0..ids).map(|id| if id % width == width / 2 { width } else { 0 });
            assert!(parts.into_iter().map(Id::from).eq(middles));
        }
    }
}
