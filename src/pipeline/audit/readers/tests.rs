use std::collections::HashSet;
use std::sync::mpsc::sync_channel;

use super::*;
use crate::logic::audit::fingerprint::KeyFold;
use crate::logic::compare::rows::ColumnMap;
use crate::logic::value::cell::{Cell, ColumnType};
use crate::pipeline::throttle::tests::Hand;

const ROWS: i64 = 7_000;
/// Every so many rows have no key.
const KEYLESS: i64 = 7;

/// A copy that loses the connection in the middle of every batch.
struct Shaky;

impl WholeTable for Shaky {
    fn key_fold(&self) -> KeyFold {
        KeyFold::default()
    }

    fn visit(
        &self,
        after: Option<&Place>,
        limit: usize,
        visitor: &mut dyn Visitor,
    ) -> Result<Option<Place>> {
        let first = match after.map(|Place(cells)| &cells[..]) {
            Some([Cell::Int(last)]) => last + 1,
            _ => 0,
        };
        let rows: Vec<i64> = (first..ROWS).take(limit).collect();
        for shown in [rows.len() / 2, rows.len()] {
            visitor.restart();
            for &row in &rows[..shown] {
                let key = Some(CellRef::Int(row)).filter(|_| row % KEYLESS != 0);
                visitor.row(0, key.unwrap_or(CellRef::Null), &vec![]);
                visitor.passed(&|| Place(vec![Cell::Int(row)]));
            }
        }
        let last = rows.last().filter(|_| rows.len() == limit);
        Ok(last.map(|&row| Place(vec![Cell::Int(row)])))
    }
}

/// A copy that takes every second place for one that lies before it.
struct Circling;

impl WholeTable for Circling {
    fn key_fold(&self) -> KeyFold {
        KeyFold::default()
    }

    fn visit(
        &self,
        after: Option<&Place>,
        _: usize,
        visitor: &mut dyn Visitor,
    ) -> Result<Option<Place>> {
        visitor.restart();
        let after = match after.map(|Place(cells)| &cells[..]) {
            Some([Cell::Int(last)]) => *last,
            _ => 0,
        };
        visitor.row(0, CellRef::Int(after), &vec![]);
        Ok(Some(Place(vec![Cell::Int((after + 1) % 9)])))
    }
}

#[test]
fn a_reader_that_goes_round_in_a_circle_stops_with_an_error() {
    let map = ColumnMap {
        pairs: vec![],
        key_type: ColumnType::Int,
        destination_key_type: ColumnType::Int,
    };
    let maker = Fingerprinter::of_destination(&map, KeyFold::default(), 7);
    let (to, batches) = sync_channel(1_000);
    let clock = Hand::new(i64::MAX);
    let throttle = Throttle::new(&clock, None);
    read_destination(&Circling, maker, &throttle, &to, |_| {});
    let said: Vec<Result<DestinationBatch>> = batches.try_iter().collect();
    assert!(said.len() < 40, "{} pages", said.len());
    let Some(Err(error)) = said.last() else {
        panic!("It ends as if all had been read");
    };
    assert!(error.to_string().contains("--from-id"), "{error}");
}

struct Keys(Fingerprinter, HashSet<u128>);

impl Visitor for Keys {
    fn restart(&mut self) {
        self.1.clear();
    }

    fn row(&mut self, _: Id, key: CellRef<'_>, _: &dyn Cells) {
        self.1.extend(self.0.key(key));
    }

    fn too_large(&mut self, _: Id, _: CellRef<'_>) {
        unreachable!("all rows are small")
    }

    fn passed(&mut self, _: &dyn Fn() -> Place) {}
}

#[test]
fn a_row_is_found_again_where_its_record_says_also_after_lost_connections() {
    let map = ColumnMap {
        pairs: vec![],
        key_type: ColumnType::Int,
        destination_key_type: ColumnType::Int,
    };
    let maker = Fingerprinter::of_destination(&map, KeyFold::default(), 7);
    let (to, batches) = sync_channel(100);
    let clock = Hand::new(i64::MAX);
    let throttle = Throttle::new(&clock, Some(3_000));
    read_destination(&Shaky, maker.clone(), &throttle, &to, |_| {});
    let (mut sections, mut records) = (vec![], vec![]);
    for batch in batches.try_iter() {
        let batch = batch.unwrap();
        sections.extend(batch.sections);
        records.extend(batch.records);
        assert_eq!(batch.is_last, records.len() == 6_000);
    }
    assert_eq!(records.len(), 6_000, "a row without a key has no record");
    let keys = sections.iter().map(|Section { began, rows }| {
        assert!(*rows <= SECTION_ROWS);
        let mut keys = Keys(maker.clone(), HashSet::new());
        Shaky.visit(began.as_ref(), *rows, &mut keys).unwrap();
        keys.1
    });
    let keys: Vec<HashSet<u128>> = keys.collect();
    for Record { key, tag, .. } in records {
        assert!(keys[tag.section()].contains(&key), "{tag:?}");
    }
}
