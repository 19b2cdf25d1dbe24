//! One callback: the request for a row as it is now, and the consequence of its answer.

use std::sync::Mutex;
use std::time::Duration;

use super::deliver::Courier;
use super::look::Looked;
use super::owed::{Due, OwedRows, Task};
use super::pass::micros;
use super::report::differing;
use crate::config::CallbackJob;
use crate::error::Result;
use crate::locks::locked;
use crate::logic::callback::header;
use crate::logic::callback::owed::Owed;
use crate::logic::callback::payload::body;
use crate::logic::callback::retry::{self, Answer, Endpoint, Health};
use crate::logic::callback::signature;
use crate::logic::report::line::Fate;
use crate::logic::report::notice::Notice;
use crate::logic::value::cell::Cell;
use crate::world::Callback;

/// A row that is to be sent.
pub(super) struct Ready {
    pub(super) task: Task,
    looked: Looked,
    /// `None` where it is not sure that the row has to be sent, or where it is too large.
    body: Option<Vec<u8>>,
}

impl Ready {
    /// About how many bytes of memory it takes.
    pub(super) fn size_bytes(&self) -> usize {
        self.looked.size_bytes() + self.body.as_ref().map_or(0, Vec::capacity)
    }
}

/// What became of a row that a sender took.
pub(super) enum Sent {
    /// The endpoint had paused, or the time was over.
    Not(Task),
    /// What differs now may be another change, on its way.
    Doubted(Task, Looked),
    /// The row is too large.
    Unsendable,
    Answered(Task, Looked, Answer),
}

impl<'p> Courier<'p, '_> {
    pub(super) fn callback_job(&self) -> &'p CallbackJob {
        let OwedRows { pass, number, .. } = self.rows;
        &pass.job.destinations[number].callback
    }

    /// Makes what is sent of a row. Of the row itself only what will be reported stays in memory.
    pub(super) fn ready(&self, mut task: Task, mut looked: Looked) -> Result<Ready> {
        if looked.whole.too_large.is_some() || self.is_doubtful(&task, &looked) {
            let body = None;
            return Ok(Ready { task, looked, body });
        }
        let OwedRows { pass, number, .. } = self.rows;
        let map = pass.destination(number).map()?;
        let kind = looked.verdict.kind().unwrap_or(task.owed.kind);
        task.owed.kind = kind;
        task.owed.columns = differing(&looked.verdict, map);
        let body = body(
            kind.callback_type(),
            pass.source().columns()?,
            looked.whole.sent(),
            self.callback_job().numbers_as_strings,
        );
        looked.whole.all = vec![];
        if !pass.asked.reports() {
            looked.whole.row.cells = vec![];
            looked.copy = None;
        }
        let body = Some(body);
        Ok(Ready { task, looked, body })
    }

    /// Signs a body and says of which row it is.
    fn callback(&self, owed: &Owed, body: Vec<u8>) -> Callback {
        let OwedRows { pass, number, .. } = self.rows;
        let id = owed.webhook_id(&pass.job.name, &body);
        let timestamp_s = pass.clock.now_us().div_euclid(1_000_000);
        let mut headers = vec![
            ("webhook-timestamp", timestamp_s.to_string()),
            ("Cupid-Destination", header::text(pass.name(number))),
            ("Cupid-Attempt", (owed.attempts + 1).to_string()),
        ];
        if !owed.columns.is_empty() {
            headers.push(("Cupid-Columns", header::list(&owed.columns)));
        }
        let secrets = self.callback_job().secrets.iter();
        let signatures: Vec<String> = secrets
            .map(|secret| signature::signature(secret, &id, timestamp_s, &body))
            .collect();
        if !signatures.is_empty() {
            headers.push(("webhook-signature", signatures.join(" ")));
        }
        headers.push(("webhook-id", id));
        Callback { body, headers }
    }

    /// Sends a row, unless the endpoint has paused, the time is over, or it is not sure that the row has to be sent.
    pub(super) fn send(&self, endpoint: &Mutex<&mut Endpoint>, ready: Ready) -> Sent {
        let Ready { task, looked, body } = ready;
        if locked(endpoint).health() != Health::Fine || self.is_over() {
            return Sent::Not(task);
        }
        if looked.whole.too_large.is_some() {
            return Sent::Unsendable;
        }
        let Some(body) = body else {
            return Sent::Doubted(task, looked);
        };
        let callback = self.callback(&task.owed, body);
        let left_us = self
            .deadline_us
            .saturating_sub(self.rows.pass.clock.now_us());
        let left = Duration::from_micros(left_us.max(0).unsigned_abs());
        let timeout = self.callback_job().timeout;
        let answer = self.receiver.post(&callback, timeout.min(left));
        locked(endpoint).record(&answer);
        Sent::Answered(task, looked, answer)
    }

    /// For the summary.
    fn note_answer(&self, answer: &Answer) {
        let OwedRows { pass, number, .. } = self.rows;
        let failure = (!answer.is_success()).then(|| {
            let url = self.callback_job().shown_url();
            answer.sentence(&url)
        });
        let mut tally = pass.tally();
        let of = tally.of(number);
        of.last_answer = Some(answer.to_string());
        of.last_failure = failure.or(of.last_failure.take());
    }

    /// The row is compared once more, where that is wanted. A NULL key finds no copy, whoever repaired it.
    fn verify_later(&self, owed: &Owed, looked: &Looked) {
        let verify = self.callback_job().verify;
        if !verify.is_zero() && looked.whole.row.key != Cell::Null {
            let OwedRows { pass, ledger, .. } = self.rows;
            let taken = owed
                .clone()
                .taken(looked.content, pass.clock.now_us(), micros(verify));
            ledger.keep(taken);
        }
    }

    /// Books an answer. A task that may be tried again in this run comes back.
    pub(super) fn settle(
        &self,
        mut task: Task,
        looked: &Looked,
        answer: &Answer,
    ) -> Result<Option<Due>> {
        let OwedRows {
            pass,
            ledger,
            number,
            ..
        } = self.rows;
        let tries = ledger.count_try(number, &mut task.owed);
        self.note_answer(answer);
        let policy = &self.callback_job().policy;
        let verdict = retry::verdict(policy, tries, answer, pass.clock.random());
        let (id, kind) = (task.owed.id, task.owed.kind);
        if verdict == retry::Verdict::Delivered {
            pass.observer.tell(&Notice::CalledBack {
                destination: pass.name(number).to_owned(),
                id,
                kind: kind.into(),
                answer: answer.to_string(),
            });
            self.rows.end(&task.owed, Some(looked));
            ledger.note_delivered(number, task.owed.id, looked.sighting.source);
            pass.count(number, |counts| counts.delivered += 1);
            self.verify_later(&task.owed, looked);
            let detected_us = task.owed.detected_us;
            pass.report(number, detected_us, looked, Fate::Delivered)?;
            return Ok(None);
        }
        pass.observer.tell(&Notice::NotTaken {
            destination: pass.name(number).to_owned(),
            id,
            kind: kind.into(),
            answer: answer.to_string(),
            tries: task.owed.attempts,
        });
        pass.count(number, |counts| match answer {
            Answer::Status { .. } => counts.refused += 1,
            Answer::TimedOut => counts.timed_out += 1,
            Answer::Broken(_) => counts.broken += 1,
        });
        let now_us = pass.clock.now_us();
        let asked = retry::asked_to_wait(answer);
        let not_before_us = asked.map(|wait| now_us.saturating_add(micros(wait)));
        task.owed.failed(&answer.to_string(), not_before_us);
        ledger.keep(task.owed);
        Ok(match verdict {
            retry::Verdict::TryAgain { delay } => Some(Due {
                not_before_us: now_us.saturating_add(micros(delay)),
                ..task.due
            }),
            retry::Verdict::StayOwed { .. } | retry::Verdict::Delivered => None,
        })
    }
}
