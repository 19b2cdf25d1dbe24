//! Owed callbacks with both their rows as they are now. Nothing is sent and nothing is saved.

use std::collections::{BTreeMap, VecDeque};

use super::look::{LookError, Looked, SecondLook};
use super::options::Asked;
use super::pass::Pass;
use crate::config::Job;
use crate::error::Result;
use crate::logic::callback::owed::Owed;
use crate::logic::callback::payload::body;
use crate::logic::compare::rows::Verdict;
use crate::logic::report::owed::{Compared, Rows};
use crate::logic::value::address::Address;
use crate::logic::value::oversize::TooLarge;
use crate::logic::value::print::report_text;
use crate::world::{Clock, Observer, Tables};

/// What the rows of an owed callback are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Now {
    /// They do not agree.
    Wrong(Rows),
    /// They agree: the next pass drops the callback.
    Agrees,
    /// The source row is not there.
    Gone,
    /// They are too large to be read.
    TooLarge(TooLarge),
    /// The destination cannot be read, or the configuration does not name it.
    Unread,
}

/// Reads the rows of these callbacks, and says what each came to, in their order.
///
/// # Errors
/// When the source cannot be read.
pub fn show(
    job: &Job,
    tables: &Tables<'_>,
    clock: &dyn Clock,
    observer: &dyn Observer,
    owed: &[Owed],
) -> Result<Vec<Now>> {
    let asked = Asked::Recheck { reports: false };
    let pass = Pass::new(job, tables, clock, observer, asked);
    let mut all = vec![Now::Unread; owed.len()];
    for number in 0..job.destinations.len() {
        let own = owed.iter().enumerate();
        let own = own.filter(|(_, owed)| owed.destination == pass.name(number));
        let places: BTreeMap<Address, usize> = own.map(|(place, owed)| (owed.id, place)).collect();
        pass.read_now(number, &places, &mut all)?;
    }
    Ok(all)
}

impl Pass<'_> {
    /// Reads rows of one destination, by id with their places in `all`.
    fn read_now(
        &self,
        number: usize,
        places: &BTreeMap<Address, usize>,
        all: &mut [Now],
    ) -> Result<()> {
        let mut chunk_rows = self.first_chunk();
        let mut rest: VecDeque<Address> = places.keys().copied().collect();
        while !rest.is_empty() {
            let ids: Vec<Address> = rest.drain(..chunk_rows.now.min(rest.len())).collect();
            let look = match self.second_look(number, &ids) {
                Ok(look) => look,
                Err(LookError::Source(error)) => return Err(error),
                Err(LookError::Destination(error)) => {
                    self.mark_unread(number, &error);
                    return Ok(());
                }
            };
            let SecondLook {
                looked,
                too_large,
                left,
            } = look;
            chunk_rows = chunk_rows.after(&looked);
            for id in ids {
                let now = if left.contains(&id) {
                    rest.push_back(id);
                    continue;
                } else if let Some(aside) = too_large.get(&id) {
                    Now::TooLarge(aside.too_large)
                } else if let Some(looked) = looked.get(&id) {
                    self.now(number, looked)?
                } else {
                    Now::Gone
                };
                all[places[&id]] = now;
            }
        }
        Ok(())
    }

    fn now(&self, number: usize, looked: &Looked) -> Result<Now> {
        let Some(kind) = looked.verdict.kind() else {
            return Ok(Now::Agrees);
        };
        if let Some(too_large) = looked.whole.too_large {
            return Ok(Now::TooLarge(too_large));
        }
        let map = self.destination(number).map()?;
        let differing: &[usize] = match &looked.verdict {
            Verdict::Different(pairs) => pairs,
            Verdict::Agree | Verdict::Missing => &[],
        };
        let columns = self.source().columns()?;
        let compared = columns
            .iter()
            .zip(looked.whole.sent())
            .map(|(column, cell)| {
                let pair = map.pairs.iter().position(|pair| {
                    let (one, other) = (pair.name.to_lowercase(), column.name.to_lowercase());
                    one == other
                });
                let copy = pair.zip(looked.copy.as_ref());
                Compared {
                    source: column.name.clone(),
                    source_value: report_text(cell, column.column_type).into_owned(),
                    destination: copy.map(|(pair, copy)| {
                        let cell = &copy[pair];
                        let pair = &map.pairs[pair];
                        let value = report_text(cell, pair.destination_type);
                        (pair.destination.clone(), value.into_owned())
                    }),
                    differs: pair.is_some_and(|pair| differing.contains(&pair)),
                }
            });
        let body = body(
            kind.callback_type(),
            columns,
            looked.whole.sent(),
            self.job.destinations[number].callback.numbers_as_strings,
        );
        Ok(Now::Wrong(Rows {
            columns: compared.collect(),
            copies: looked.copies,
            body: String::from_utf8_lossy(&body).into_owned(), // It is JSON.
        }))
    }
}
