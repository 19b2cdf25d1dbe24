//! Delivery: what is owed is looked at once more and sent, until it is taken, or the tries or the time are used up.
//!
//! Each destination has its own courier, so that one endpoint does not hold up another. A courier goes in rounds: a row
//! is tried once in a round, and what an endpoint refused waits for the next one. Before every try the row is read again
//! on both sides, so that a row repaired meanwhile is not sent and a row changed meanwhile is sent as it is now. The
//! outbox on disk shrinks only after the endpoint has taken a row: a process that is killed between sends it again,
//! under the same `webhook-id`. A row that was sent or that agrees counts as compared with that content only ([`super::ended`]).
//! A row whose copies have changed since they were found wrong is confirmed anew ([`super::doubt`]).

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::aside::Tries;
use super::look::{ChunkRows, LookError, Looked, SecondLook};
use super::{Mode, Pass, Shared, micros};
use crate::error::Result;
use crate::logic::callback::header;
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::owed::Owed;
use crate::logic::callback::payload::body;
use crate::logic::callback::retry::{self, Answer, Endpoint, Health};
use crate::logic::callback::signature;
use crate::logic::compare::rows::{ColumnMap, Verdict};
use crate::logic::report::line::Fate;
use crate::logic::value::cell::Id;
use crate::world::Callback;

/// While rows that are being sent take more bytes than this, no others are read.
const UNDER_WAY_BYTES: usize = 32 << 20;
/// How often the outbox on disk is brought up to date during a long delivery.
const SAVE_US: i64 = 2_000_000;

/// An owed callback that waits for its turn; there may be very many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) id: Id,
    /// Over all runs.
    pub(super) attempts: u32,
    /// In this run.
    pub(super) tries: u32,
    pub(super) not_before_us: i64,
    /// Its copies had changed once in this run.
    pub(super) was_doubted: bool,
}

/// An owed callback whose turn it is.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) owed: Owed,
    pub(super) due: Due,
}

/// A row that is to be sent.
struct Ready {
    task: Task,
    looked: Looked,
    /// `None` where it is not sure that the row has to be sent, or where it is too large.
    body: Option<Vec<u8>>,
}

impl Ready {
    /// About how many bytes of memory it takes.
    fn size_bytes(&self) -> usize {
        self.looked.size_bytes() + self.body.as_ref().map_or(0, Vec::capacity)
    }
}

/// What became of a row that a sender took.
enum Sent {
    /// The endpoint had paused, or the time was over.
    Not(Task),
    /// What differs now may be another change, on its way.
    Doubted(Task, Looked),
    /// The row is too large.
    Unsendable,
    Answered(Task, Looked, Answer),
}

impl Pass<'_, '_> {
    /// Delivers everything that is due, all destinations side by side. A dry run reports it instead, and forgets it, so
    /// that its memory does not grow with what it finds.
    pub(super) fn deliver(&mut self) -> Result<()> {
        if self.options.mode == Mode::DryRun {
            self.tell_all(Some(Fate::DryRun))?;
            let mut shared = self.shared();
            let too_large = shared.outbox.too_large();
            shared.would_send += (shared.outbox.len() - too_large) as u64;
            shared.summary.too_large += too_large as u64;
            shared.outbox = Outbox::default();
            shared.strangers = 0;
            // For the store of an audit, which lets its progress pass only what was told.
            let Shared { store, outbox, .. } = &mut *shared;
            return store.replace_outbox(outbox);
        }
        if self.delivery_left_us <= 0 {
            return Ok(());
        }
        let began_us = self.clock.now_us();
        let deadline_us = began_us.saturating_add(self.delivery_left_us);
        let mut endpoints = std::mem::take(&mut self.endpoints);
        let this = &*self;
        let due = |number: usize| {
            let shared = this.shared();
            let owed = shared
                .outbox
                .due(&this.job.destinations[number].name, began_us);
            let tasks = owed.into_iter().map(|owed| Due {
                tries: *shared.tries.get(&(number, owed.id)).unwrap_or(&0),
                ..Due::new(owed)
            });
            tasks
                .filter(|task| task.tries < this.policies[number].attempts())
                .collect::<Vec<Due>>()
        };
        let work: Vec<(usize, &mut Endpoint, Vec<Due>)> = endpoints
            .iter_mut()
            .enumerate()
            .filter(|(number, endpoint)| !this.is_unread(*number) && !endpoint.given_up())
            .map(|(number, endpoint)| (number, endpoint, due(number)))
            .filter(|(_, _, tasks)| !tasks.is_empty())
            .collect();
        let courier = |number| Courier {
            pass: this,
            number,
            deadline_us,
        };
        let mut work = work.into_iter();
        // The last one is this thread's: with one destination there is no other.
        let own = work.next_back();
        let outcome = std::thread::scope(|scope| {
            let others: Vec<_> = work
                .map(|(number, endpoint, tasks)| {
                    scope.spawn(move || courier(number).run(endpoint, tasks))
                })
                .collect();
            let own = own.map_or(Ok(()), |(number, endpoint, tasks)| {
                courier(number).run(endpoint, tasks)
            });
            others.into_iter().map(joined).fold(own, Result::and)
        });
        self.endpoints = endpoints;
        self.delivery_left_us -= self.clock.now_us() - began_us;
        let saved = self.save_owed();
        outcome.and(saved)
    }
}

impl Due {
    pub(super) fn new(owed: &Owed) -> Self {
        Self {
            id: owed.id,
            attempts: owed.attempts,
            tries: 0,
            not_before_us: 0,
            was_doubted: false,
        }
    }
}

/// Delivers to one destination.
pub(super) struct Courier<'p, 'a, 'w> {
    pub(super) pass: &'p Pass<'a, 'w>,
    pub(super) number: usize,
    pub(super) deadline_us: i64,
}

impl Courier<'_, '_, '_> {
    fn run(&self, endpoint: &mut Endpoint, mut tasks: Vec<Due>) -> Result<()> {
        let clock = self.pass.clock;
        let policy = &self.pass.policies[self.number];
        for round in 1.. {
            let began_us = clock.now_us();
            // What was not tried yet goes first: rows that are always refused must not hold up the others.
            tasks.sort_by_key(|task| (task.tries, task.attempts, task.id));
            let (now, later): (Vec<Due>, Vec<Due>) = tasks
                .into_iter()
                .partition(|task| task.not_before_us <= began_us);
            let untouched;
            (untouched, tasks) = self.round(endpoint, now, later)?;
            if self.pass.is_unread(self.number) {
                return Ok(()); // Its rows cannot be looked at before they are tried again.
            }
            let paused_for = endpoint.retry_after();
            if endpoint.next_round() == Health::GiveUp {
                let name = &self.pass.job.destinations[self.number].name;
                self.pass.observer.warn(&format!(
                    "The endpoint of {name} takes nothing; it is left alone until the next run, which goes on with what is owed"
                ));
                return Ok(());
            }
            let pause_us = micros(
                paused_for
                    .unwrap_or_default()
                    .max(policy.delay(round, clock.random())),
            );
            let of_endpoint =
                (!untouched.is_empty()).then(|| clock.now_us().saturating_add(pause_us));
            let of_rows = tasks.iter().map(|task| task.not_before_us).min();
            let Some(wake_us) = of_endpoint.or(of_rows) else {
                return Ok(());
            };
            // Who asked to be left alone is, also by rows whose own delay is over sooner.
            let wake_us = wake_us
                .max(paused_for.map_or(0, |wait| clock.now_us().saturating_add(micros(wait))));
            tasks.extend(untouched);
            if wake_us >= self.deadline_us {
                return Ok(());
            }
            clock.sleep(Duration::from_micros(
                wake_us.saturating_sub(clock.now_us()).max(0).unsigned_abs(),
            ));
            if clock.stopping() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// One round over these tasks. Returns those that were not reached because the endpoint paused, and `waiting` with
    /// those that failed and may be tried again.
    fn round(
        &self,
        endpoint: &mut Endpoint,
        now: Vec<Due>,
        waiting: Vec<Due>,
    ) -> Result<(Vec<Due>, Vec<Due>)> {
        let callback = &self.pass.job.destinations[self.number].callback;
        let senders = callback.concurrency.min(now.len());
        let endpoint = &Mutex::new(endpoint);
        let mut queue = VecDeque::from(now);
        let (mut untouched, mut again) = (Vec::new(), waiting);
        // Whatever fails, every answer that came is booked: a callback that was taken is not sent again.
        let mut book = |sent: Sent| {
            match sent {
                Sent::Not(task) => untouched.push(task.due),
                Sent::Unsendable => {}
                Sent::Doubted(task, looked) => again.extend(self.doubt(task, &looked)),
                Sent::Answered(task, looked, answer) => {
                    again.extend(self.settle(task, &looked, &answer)?);
                }
            }
            Ok(())
        };
        if senders > 1 {
            self.send_side_by_side(endpoint, senders, &mut queue, &mut book)?;
        } else {
            self.send_one_by_one(endpoint, &mut queue, &mut book)?;
        }
        untouched.extend(queue);
        Ok((untouched, again))
    }

    fn send_one_by_one(
        &self,
        endpoint: &Mutex<&mut Endpoint>,
        queue: &mut VecDeque<Due>,
        book: &mut dyn FnMut(Sent) -> Result<()>,
    ) -> Result<()> {
        let mut chunk_rows = self.pass.first_chunk();
        while let Some(looked) = self.look(queue, &mut chunk_rows)? {
            for (task, looked) in looked {
                book(self.send(endpoint, self.ready(task, looked)?))?;
            }
            self.save_now_and_then()?;
            if self.is_over() || locked(endpoint).health() != Health::Fine {
                break;
            }
        }
        Ok(())
    }

    /// This thread looks at the next rows, makes their bodies and books answers, others send. After an error nothing more
    /// is sent, and the answers to what is under way are still booked. One thread takes all the memory because an
    /// allocator keeps for each thread what that thread had once.
    fn send_side_by_side(
        &self,
        endpoint: &Mutex<&mut Endpoint>,
        senders: usize,
        queue: &mut VecDeque<Due>,
        book: &mut dyn FnMut(Sent) -> Result<()>,
    ) -> Result<()> {
        let has_failed = &AtomicBool::new(false);
        // Bytes of the rows that are handed out and not yet answered.
        let under_way = Cell::new(0_usize);
        std::thread::scope(|scope| {
            // A chunk is handed over when the one before is used up: no more than two are in memory.
            let (hand_over, chunks) = sync_channel::<Vec<Ready>>(0);
            let (hand_back, answers) = channel();
            let ready = Arc::new(Mutex::new(chunks.into_iter().flatten()));
            for _ in 0..senders {
                let (ready, hand_back) = (Arc::clone(&ready), hand_back.clone());
                scope.spawn(move || {
                    let next = || locked(&ready).next();
                    while let Some(ready) = next() {
                        let bytes = ready.size_bytes();
                        let sent = if has_failed.load(Ordering::Relaxed) {
                            Sent::Not(ready.task)
                        } else {
                            self.send(endpoint, ready)
                        };
                        let _ = hand_back.send((bytes, sent)); // Its other end is there until all have ended.
                    }
                });
            }
            drop((ready, hand_back)); // Each channel ends with its other end.
            let mut book_all = |answers: &mut dyn Iterator<Item = (usize, Sent)>| {
                let mut outcome = Ok(());
                for (bytes, sent) in answers {
                    under_way.set(under_way.get().saturating_sub(bytes));
                    outcome = outcome.and(book(sent));
                }
                outcome
            };
            let mut chunk_rows = self.pass.first_chunk();
            let mut hand_out = || {
                while let Some(looked) = self.look(queue, &mut chunk_rows)? {
                    let looked = looked.into_iter();
                    let ready = looked.map(|(task, looked)| self.ready(task, looked));
                    let ready: Vec<Ready> = ready.collect::<Result<_>>()?;
                    let bytes: usize = ready.iter().map(Ready::size_bytes).sum();
                    under_way.set(under_way.get() + bytes);
                    let handed = hand_over.send(ready);
                    while under_way.get() > UNDER_WAY_BYTES
                        && let Ok(sent) = answers.recv()
                    {
                        book_all(&mut std::iter::once(sent))?;
                    }
                    book_all(&mut answers.try_iter())?;
                    self.save_now_and_then()?;
                    let is_fine = locked(endpoint).health() == Health::Fine;
                    if handed.is_err() || self.is_over() || !is_fine {
                        break;
                    }
                }
                Ok(())
            };
            let outcome: Result<()> = hand_out();
            has_failed.store(outcome.is_err(), Ordering::Relaxed);
            drop(hand_over);
            outcome.and(book_all(&mut answers.iter()))
        })
    }

    fn is_over(&self) -> bool {
        self.pass.clock.stopping() || self.pass.clock.now_us() >= self.deadline_us
    }

    /// Looks again at the next tasks of the queue and drops those whose rows agree or are gone. `None` at its end, or
    /// when the destination cannot be read; what is left then stays owed.
    pub(super) fn look(
        &self,
        queue: &mut VecDeque<Due>,
        chunk_rows: &mut ChunkRows,
    ) -> Result<Option<Vec<(Task, Looked)>>> {
        loop {
            let due: Vec<Due> = queue.drain(..chunk_rows.now.min(queue.len())).collect();
            if due.is_empty() {
                return Ok(None);
            }
            let (tasks, look) = match self.look_at(self.tasks(due)) {
                Ok(looked) => looked,
                Err(LookError::Source(error)) => return Err(error),
                Err(LookError::Destination(error)) => {
                    self.pass.mark_unread(self.number, &error);
                    queue.clear();
                    return Ok(None);
                }
            };
            let SecondLook {
                mut looked,
                too_large,
                left,
            } = look;
            *chunk_rows = chunk_rows.after(&looked);
            let mut still = Vec::with_capacity(tasks.len());
            // From the end, so that rows which are left to the next look keep their order.
            for mut task in tasks.into_iter().rev() {
                let id = task.owed.id;
                if left.contains(&id) {
                    queue.push_front(task.due);
                    continue;
                }
                if let Some(aside) = too_large.get(&id) {
                    self.note_there(&mut task.owed, None, Some(aside.too_large));
                    continue;
                }
                match looked.remove(&id) {
                    Some(looked) if self.pass.is_wrong(&looked) => {
                        let copies = Some(looked.suspect.copies);
                        self.note_there(&mut task.owed, copies, looked.whole.too_large);
                        still.push((task, looked));
                    }
                    Some(looked) => self.drop_repaired(&task.owed, Some(&looked)),
                    None => self.note_gone(task),
                }
            }
            still.reverse();
            if !still.is_empty() {
                return Ok(Some(still));
            }
        }
    }

    /// Looks again at these rows, of those that were set aside only at what is worth a try. Returns those looked at.
    fn look_at(&self, tasks: Vec<Task>) -> std::result::Result<(Vec<Task>, SecondLook), LookError> {
        let (aside, mut tasks): (Vec<Task>, Vec<Task>) = tasks
            .into_iter()
            .partition(|task| task.owed.too_large.is_some());
        let Tries { whole, compared } = self.tries(aside)?;
        tasks.extend(whole);
        let ids: Vec<Id> = tasks.iter().map(|task| task.owed.id).collect();
        let mut look = self.pass.second_look(self.number, &ids)?;
        let SecondLook {
            looked,
            too_large,
            left,
        } = self.look_at_compared(&compared)?;
        look.looked.extend(looked);
        look.too_large.extend(too_large);
        look.left.extend(left);
        tasks.extend(compared);
        Ok((tasks, look))
    }

    /// Their entries in the outbox.
    fn tasks(&self, due: Vec<Due>) -> Vec<Task> {
        let name = &self.pass.job.destinations[self.number].name;
        let shared = self.pass.shared();
        let task = |due: Due| {
            let owed = shared.outbox.get(name, due.id)?.clone();
            Some(Task { owed, due })
        };
        due.into_iter().filter_map(task).collect()
    }

    /// The source row is not there now. It may be away for a moment, so it is looked for again for
    /// `lateCommitSecond`; a recheck, which has no later runs, looks twice.
    fn note_gone(&self, mut task: Task) {
        let pass = self.pass;
        let late_us = if pass.options.mode != Mode::Recheck {
            micros(pass.job.source.late_commit)
        } else if task.owed.gone_us.is_none() {
            i64::MAX
        } else {
            0
        };
        let was_gone = task.owed.gone_us;
        if task.owed.is_gone_for_good(pass.clock.now_us(), late_us) {
            return self.drop_repaired(&task.owed, None);
        }
        if was_gone != task.owed.gone_us {
            let Owed {
                destination, id, ..
            } = &task.owed;
            pass.observer.info(&format!(
                "The source row of id {id}, owed to {destination}, is gone for the moment; it is looked for again for lateCommitSecond"
            ));
            self.keep(task.owed);
        }
    }

    pub(super) fn keep(&self, owed: Owed) {
        let mut shared = self.pass.shared();
        shared.outbox.replace(owed);
        shared.outbox_changed = true;
    }

    /// Nothing is owed for this row any more: it agrees with its copy, or it is gone for good.
    fn drop_repaired(&self, owed: &Owed, agreed: Option<&Looked>) {
        let why = if agreed.is_some() {
            "it was repaired meanwhile"
        } else {
            "its source row is gone"
        };
        log_dropped(self.pass, owed, why);
        self.end(owed, agreed);
        let mut shared = self.pass.shared();
        shared.summary.repaired += 1;
        shared.summary.gone += u64::from(agreed.is_none());
    }

    /// Makes what is sent of a row. Of the row itself only what will be told stays in memory.
    fn ready(&self, mut task: Task, mut looked: Looked) -> Result<Ready> {
        let pass = self.pass;
        if looked.whole.too_large.is_some() || self.is_doubtful(&task, &looked) {
            let body = None;
            return Ok(Ready { task, looked, body });
        }
        let destination = &pass.job.destinations[self.number];
        let map = pass.destinations[self.number].map()?;
        let kind = looked.verdict.kind().unwrap_or(task.owed.kind);
        task.owed.kind = kind;
        task.owed.columns = differing(&looked.verdict, map);
        let body = body(
            kind.callback_type(),
            pass.source.columns()?,
            looked.whole.sent(),
            destination.callback.numbers_as_strings,
        );
        looked.whole.all = vec![];
        if !pass.options.report {
            looked.whole.row.cells = vec![];
            looked.copy = None;
        }
        let body = Some(body);
        Ok(Ready { task, looked, body })
    }

    /// Signs a body and says of which row it is.
    fn callback(&self, owed: &Owed, body: Vec<u8>) -> Callback {
        let pass = self.pass;
        let destination = &pass.job.destinations[self.number];
        let id = owed.webhook_id(&pass.job.name, &body);
        let timestamp_s = pass.clock.now_us().div_euclid(1_000_000);
        let mut headers = vec![
            ("webhook-timestamp", timestamp_s.to_string()),
            ("Cupid-Destination", header::text(&destination.name)),
            ("Cupid-Attempt", (owed.attempts + 1).to_string()),
        ];
        if !owed.columns.is_empty() {
            headers.push(("Cupid-Columns", header::list(&owed.columns)));
        }
        if let Some(secret) = &destination.callback.secret {
            headers.push((
                "webhook-signature",
                signature::signature(secret, &id, timestamp_s, &body),
            ));
        }
        headers.push(("webhook-id", id));
        Callback { body, headers }
    }

    /// Sends a row, unless the endpoint has paused, the time is over, or it is not sure that the row has to be sent.
    fn send(&self, endpoint: &Mutex<&mut Endpoint>, ready: Ready) -> Sent {
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
        let left_us = self.deadline_us.saturating_sub(self.pass.clock.now_us());
        let left = Duration::from_micros(left_us.max(0).unsigned_abs());
        let timeout = self.pass.job.destinations[self.number].callback.timeout;
        let answer = self.pass.receivers[self.number].post(&callback, timeout.min(left));
        locked(endpoint).record(&answer);
        Sent::Answered(task, looked, answer)
    }

    /// Books an answer. A task that may be tried again in this run comes back.
    fn settle(&self, mut task: Task, looked: &Looked, answer: &Answer) -> Result<Option<Due>> {
        let pass = self.pass;
        task.owed.attempts += 1;
        task.due.attempts = task.owed.attempts;
        task.due.tries += 1;
        let now_us = pass.clock.now_us();
        let verdict = retry::verdict(
            &pass.policies[self.number],
            task.due.tries,
            answer,
            pass.clock.random(),
        );
        if verdict == retry::Verdict::Delivered {
            self.end(&task.owed, Some(looked));
            let mut shared = pass.shared();
            let row = (self.number, task.owed.id);
            shared.tries.remove(&row);
            shared.delivered.insert(row, looked.suspect.source);
            shared.summary.delivered += 1;
            drop(shared);
            pass.tell(self.number, &task.owed, looked, Fate::Delivered)?;
            return Ok(None);
        }
        let mut shared = pass.shared();
        shared.outbox_changed = true;
        shared.summary.failed_tries += 1;
        shared
            .tries
            .insert((self.number, task.owed.id), task.due.tries);
        let not_before_us =
            retry::asked_to_wait(answer).map(|wait| now_us.saturating_add(micros(wait)));
        task.owed.failed(&answer.to_string(), not_before_us);
        let mut due = task.due;
        shared.outbox.replace(task.owed);
        Ok(match verdict {
            retry::Verdict::TryAgain { delay } => {
                due.not_before_us = now_us.saturating_add(micros(delay));
                Some(due)
            }
            retry::Verdict::StayOwed { .. } | retry::Verdict::Delivered => None,
        })
    }

    fn save_now_and_then(&self) -> Result<()> {
        let now_us = self.pass.clock.now_us();
        let mut shared = self.pass.shared();
        if now_us - shared.outbox_saved_us < SAVE_US {
            return Ok(());
        }
        shared.save_outbox(now_us)
    }
}

/// The names of the columns that differ.
pub(super) fn differing(verdict: &Verdict, map: &ColumnMap) -> Vec<String> {
    match verdict {
        Verdict::Different(pairs) => pairs
            .iter()
            .map(|&pair| map.pairs[pair].name.clone())
            .collect(),
        Verdict::Agree | Verdict::Missing => vec![],
    }
}

fn log_dropped(pass: &Pass<'_, '_>, owed: &Owed, why: &str) {
    let Owed {
        destination, id, ..
    } = owed;
    pass.observer.info(&if pass.options.mode == Mode::Recheck {
        format!("Nothing is left to repair in {destination} for id {id}: {why}")
    } else {
        format!("The callback owed to {destination} for id {id} is dropped: {why}")
    });
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A panic of a thread goes on in the one that waits for it.
fn joined<T>(handle: std::thread::ScopedJoinHandle<'_, T>) -> T {
    handle
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
