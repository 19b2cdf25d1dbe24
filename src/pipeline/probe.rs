//! An endpoint that took nothing in the last run is asked for one row before anything else is sent.
//!
//! That row is the one that is owed for the longest time, whatever it waits for. When it is taken, everything goes. When
//! it is not, the endpoint is left alone until the next run: an outage costs a request a run and not a
//! time limit for each row. The oldest row may be one that is always refused, so now and then another row is tried
//! after it ([`Outbox::tried_less`](crate::logic::callback::outbox::Outbox::tried_less)).

use std::collections::VecDeque;
use std::sync::Mutex;

use super::callback::Sent;
use super::deliver::Courier;
use super::owed::{Due, OwedRows};
use crate::error::Result;
use crate::logic::callback::retry::Endpoint;
use crate::logic::value::address::Address;

impl Courier<'_, '_> {
    /// Sends the first of these rows that is still wrong, and perhaps another one. Returns whether the endpoint answered.
    pub(super) fn probe(&self, endpoint: &mut Endpoint, by_age: Vec<Address>) -> Result<bool> {
        let Some(oldest) = self.send_first(endpoint, by_age)? else {
            return Ok(false);
        };
        let OwedRows {
            pass,
            ledger,
            number,
            ..
        } = self.rows;
        if !endpoint.has_taken()
            && endpoint.retry_after().is_none()
            && let Some(other) = ledger.tried_less(number, pass.name(number), oldest)
        {
            self.send_first(endpoint, vec![other])?;
        }
        Ok(true)
    }

    /// Returns the row that the endpoint answered for.
    fn send_first(&self, endpoint: &mut Endpoint, ids: Vec<Address>) -> Result<Option<Address>> {
        let endpoint = &Mutex::new(endpoint);
        let mut queue: VecDeque<Due> = ids.into_iter().map(Due::new).collect();
        let mut chunk_rows = self.rows.pass.first_chunk();
        while let Some(looked) = self.rows.look(&mut queue, &mut chunk_rows)? {
            for (task, looked) in looked {
                match self.send(endpoint, self.ready(task, looked)?) {
                    Sent::Not(_) => return Ok(None),
                    Sent::Unsendable => {}
                    Sent::Doubted(task, looked) => drop(self.doubt(task, &looked)),
                    Sent::Answered(task, looked, answer) => {
                        let id = task.owed.id;
                        self.settle(task, &looked, &answer)?;
                        return Ok(Some(id));
                    }
                }
            }
            self.save_now_and_then()?;
        }
        Ok(None)
    }
}
