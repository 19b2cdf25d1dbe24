//! Makes a failing case smaller as long as the same failure stays.

use std::time::{Duration, Instant};

use crate::bench::{Bench, Failure};
use crate::case::{Case, Column, Edit};

/// Tries at the most; each makes two tables and runs the program a few times.
const TRIES_MAX: usize = 400;
/// A program that does not end makes tries long.
const TIME_MAX: Duration = Duration::from_secs(90);

/// The smallest case found, and its failure.
pub(crate) fn reduced(bench: &mut Bench, case: Case, failure: Failure) -> (Case, Failure) {
    let mut reduction = Reduction {
        bench,
        case,
        failure,
        tries: 0,
        began: Instant::now(),
    };
    loop {
        let before = reduction.size();
        reduction.rows();
        reduction.edits();
        reduction.cells();
        reduction.indexes();
        reduction.options();
        if reduction.size() == before || reduction.is_over() {
            return (reduction.case, reduction.failure);
        }
    }
}

struct Reduction<'a> {
    bench: &'a mut Bench,
    case: Case,
    failure: Failure,
    tries: usize,
    began: Instant,
}

impl Reduction<'_> {
    fn is_over(&self) -> bool {
        self.tries >= TRIES_MAX || self.began.elapsed() > TIME_MAX
    }

    fn size(&self) -> usize {
        self.case.script().len()
    }

    /// Keeps the change when the failure stays.
    fn attempt(&mut self, change: impl FnOnce(&mut Case)) -> bool {
        if self.is_over() {
            return false;
        }
        self.tries += 1;
        let mut smaller = self.case.clone();
        change(&mut smaller);
        match self.bench.judge(&smaller) {
            Err(failure)
                if failure.command == self.failure.command
                    && failure.class == self.failure.class =>
            {
                self.case = smaller;
                self.failure = failure;
                true
            }
            _ => false,
        }
    }

    fn rows(&mut self) {
        let mut width = self.case.rows.len().div_ceil(2);
        while width > 0 {
            let mut at = 0;
            while at < self.case.rows.len() {
                let end = (at + width).min(self.case.rows.len());
                if !self.attempt(|case| drop(case.rows.drain(at..end))) {
                    at = end;
                }
            }
            width /= 2;
        }
    }

    fn edits(&mut self) {
        for at in (0..self.case.edits.len()).rev() {
            self.attempt(|case| drop(case.edits.remove(at)));
        }
    }

    fn cells(&mut self) {
        for at in (0..self.case.cells.len()).rev() {
            self.attempt(|case| {
                let name = case.cells.remove(at).source.name;
                let mentions = |index: &String| index.contains(&name);
                case.source_indexes.retain(|index| !mentions(index));
                case.destination_indexes.retain(|index| !mentions(index));
                if mentions(&case.id_index) {
                    case.id_index = "PRIMARY KEY (id)".into();
                }
                for row in &mut case.rows {
                    row.cells.remove(at);
                }
                case.edits.retain_mut(|edit| match edit {
                    Edit::Set { column, .. } | Edit::SetSource { column, .. } => *column != name,
                    Edit::Insert { cells, .. } => {
                        cells.remove(at);
                        true
                    }
                    _ => true,
                });
            });
        }
    }

    fn indexes(&mut self) {
        for at in (0..self.case.source_indexes.len()).rev() {
            self.attempt(|case| drop(case.source_indexes.remove(at)));
        }
        for at in (0..self.case.destination_indexes.len()).rev() {
            self.attempt(|case| drop(case.destination_indexes.remove(at)));
        }
        if self.case.id_index != "PRIMARY KEY (id)" {
            self.attempt(|case| case.id_index = "PRIMARY KEY (id)".into());
        }
        if self.case.nr_index != "PRIMARY KEY (nr)" {
            self.attempt(|case| {
                case.destination_indexes
                    .retain(|index| !index.starts_with("PRIMARY"));
                case.nr_index = "PRIMARY KEY (nr)".into();
            });
        }
    }

    fn options(&mut self) {
        if self.case.key_is_mapped {
            self.attempt(|case| case.key_is_mapped = false);
        }
        if self.case.id.of.sql != "INT" && !self.case.key_is_id {
            self.attempt(|case| case.id.of.sql = "BIGINT".into());
        }
        let columns: [fn(&mut Case, usize) -> Option<&mut Column>; 3] = [
            |case, at| (at == 0).then_some(&mut case.id),
            |case, at| {
                let rest = case.cells.iter_mut().map(|pair| &mut pair.source);
                std::iter::once(&mut case.key.source).chain(rest).nth(at)
            },
            |case, at| {
                let rest = case.cells.iter_mut().map(|pair| &mut pair.destination);
                std::iter::once(&mut case.key.destination)
                    .chain(rest)
                    .nth(at)
            },
        ];
        for column in columns {
            let mut at = 0;
            while let Some(now) = column(&mut self.case, at).cloned() {
                if now.invisible {
                    self.attempt(|case| {
                        if let Some(column) = column(case, at) {
                            column.invisible = false;
                        }
                    });
                }
                if now.generated.is_some() {
                    self.attempt(|case| {
                        if let Some(column) = column(case, at) {
                            column.generated = None;
                        }
                    });
                }
                at += 1;
            }
        }
    }
}
