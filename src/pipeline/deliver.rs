//! Delivery: what is owed is looked at once more and sent, until it is taken, or the tries or the time are used up.
//!
//! Each destination has its own courier, so that one endpoint does not hold up another. A courier goes in rounds: a row
//! is tried once in a round, and what an endpoint refused waits for the next one. Before every try the row is read again
//! on both sides, so that a row repaired meanwhile is not sent and a row changed meanwhile is sent as it is now. The
//! outbox on disk shrinks only after the endpoint has taken a row: a process that is killed between sends it again,
//! under the same `webhook-id`. A row that was sent or that agrees counts as compared with that content only
//! ([`super::ended`]). A row whose copies have changed since they were found wrong is confirmed anew
//! ([`super::reconfirm`]). A row that was refused while others were taken waits longer from run to run, and an endpoint
//! that took nothing is probed first ([`super::probe`]).

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Mutex};

use super::callback::{Ready, Sent};
use super::ledger::Ledger;
use super::owed::{Due, OwedRows};
use super::pass::{Pass, micros};
use super::progress::Progress;
use crate::config::CallbackJob;
use crate::error::Result;
use crate::locks::locked;
use crate::logic::callback::retry::{Endpoint, Health};
use crate::logic::report::notice::Notice;
use crate::logic::value::cell::Id;
use crate::world::Receiver;

/// While rows that are being sent take more bytes than this, no others are read.
const UNDER_WAY_BYTES: usize = 32 << 20;

/// The endpoints of a pass, and the time that it may spend on them.
pub(super) struct Delivery<'a> {
    receivers: &'a [&'a dyn Receiver],
    endpoints: Vec<Asked>,
    left_us: i64,
}

/// An endpoint in this run.
struct Asked {
    endpoint: Endpoint,
    /// It took nothing in the last run, and nothing in this one yet. `None`: it was not asked yet.
    is_doubtful: Option<bool>,
}

/// What an endpoint is to be sent.
enum Load {
    /// All of these.
    All(Vec<Due>),
    /// One of these, the oldest first; then everything when it is taken.
    Probe(Vec<Id>),
}

impl Load {
    fn is_empty(&self) -> bool {
        match self {
            Self::All(tasks) => tasks.is_empty(),
            Self::Probe(ids) => ids.is_empty(),
        }
    }
}

/// Delivers to one destination.
pub(super) struct Courier<'p, 'a> {
    pub(super) rows: OwedRows<'p, 'a>,
    pub(super) receiver: &'p dyn Receiver,
    pub(super) deadline_us: i64,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(pass: &Pass<'_>, receivers: &'a [&'a dyn Receiver]) -> Self {
        let destinations = pass.job.destinations.iter();
        let endpoint = |callback: &CallbackJob| Asked {
            endpoint: Endpoint::new(&callback.policy, callback.concurrency),
            is_doubtful: None,
        };
        Self {
            receivers,
            endpoints: destinations.map(|it| endpoint(&it.callback)).collect(),
            left_us: micros(pass.job.delivery_time),
        }
    }

    /// The time for it is used up.
    pub(super) fn is_over(&self) -> bool {
        self.left_us <= 0
    }

    /// Delivers everything that is due, all destinations side by side.
    pub(super) fn deliver(
        &mut self,
        pass: &Pass<'_>,
        ledger: &Ledger<'_>,
        progress: &Progress,
    ) -> Result<()> {
        if self.is_over() {
            return Ok(());
        }
        let began_us = pass.clock.now_us();
        let deadline_us = began_us.saturating_add(self.left_us);
        let tries_max = |number: usize| pass.job.destinations[number].callback.policy.attempts();
        let load = |number: usize, asked: &mut Asked| {
            let (name, tries_max) = (pass.name(number), tries_max(number));
            let took_nothing = || ledger.took_nothing(name);
            if *asked.is_doubtful.get_or_insert_with(took_nothing) {
                return Load::Probe(ledger.by_age(number, name, began_us, tries_max));
            }
            let due = ledger.due(number, name, began_us, tries_max);
            Load::All(due.into_iter().map(Due::new).collect())
        };
        let receivers = self.receivers;
        let endpoints = self.endpoints.iter_mut().enumerate();
        let mut work = endpoints
            .filter(|(number, asked)| !pass.is_unread(*number) && !asked.endpoint.given_up())
            .map(|(number, asked)| {
                let load = load(number, asked);
                (number, asked, load)
            })
            .filter(|(_, _, load)| !load.is_empty())
            .collect::<Vec<_>>()
            .into_iter();
        let run = |(number, asked, load): (usize, &mut Asked, Load)| {
            let rows = OwedRows {
                pass,
                ledger,
                progress,
                number,
            };
            let courier = Courier {
                rows,
                receiver: receivers[number],
                deadline_us,
            };
            let outcome = match load {
                Load::All(tasks) => courier.run(&mut asked.endpoint, tasks),
                Load::Probe(by_age) => courier.probe_and_run(asked, by_age, tries_max(number)),
            };
            courier.note_run(&asked.endpoint);
            outcome
        };
        // The last one is this thread's: with one destination there is no other.
        let own = work.next_back();
        let outcome = std::thread::scope(|scope| {
            let others: Vec<_> = work.map(|work| scope.spawn(move || run(work))).collect();
            let own = own.map_or(Ok(()), run);
            others.into_iter().map(joined).fold(own, Result::and)
        });
        self.left_us -= pass.clock.now_us() - began_us;
        outcome
    }
}

impl Courier<'_, '_> {
    /// Everything goes when a probe is taken.
    fn probe_and_run(&self, asked: &mut Asked, by_age: Vec<Id>, tries_max: u32) -> Result<()> {
        let OwedRows {
            pass,
            ledger,
            number,
            ..
        } = self.rows;
        let endpoint = &mut asked.endpoint;
        let has_answered = self.probe(endpoint, by_age)?;
        if endpoint.has_taken() {
            asked.is_doubtful = Some(false);
            let all = ledger.due(number, pass.name(number), i64::MAX, tries_max);
            return self.run(endpoint, all.into_iter().map(Due::new).collect());
        }
        if has_answered {
            endpoint.give_up();
            self.tell_given_up();
        }
        Ok(())
    }

    /// What the next run has to know of the endpoint.
    fn note_run(&self, endpoint: &Endpoint) {
        let OwedRows {
            pass,
            ledger,
            number,
            ..
        } = self.rows;
        let policy = &self.callback_job().policy;
        let wait_us = |runs| micros(policy.delay_over_runs(runs, pass.clock.random()));
        let (name, now_us) = (pass.name(number), pass.clock.now_us());
        ledger.note_run(number, name, endpoint.has_taken(), now_us, wait_us);
    }

    fn tell_given_up(&self) {
        let OwedRows { pass, number, .. } = self.rows;
        pass.observer.tell(&Notice::EndpointGivenUp {
            destination: pass.name(number).to_owned(),
        });
    }

    fn run(&self, endpoint: &mut Endpoint, mut tasks: Vec<Due>) -> Result<()> {
        let OwedRows { pass, number, .. } = self.rows;
        let clock = pass.clock;
        let policy = &pass.job.destinations[number].callback.policy;
        for round in 1.. {
            let began_us = clock.now_us();
            self.sort_by_tries(&mut tasks);
            let (now, later): (Vec<Due>, Vec<Due>) = tasks
                .into_iter()
                .partition(|task| task.not_before_us <= began_us);
            let untouched;
            (untouched, tasks) = self.round(endpoint, now, later)?;
            if pass.is_unread(number) {
                return Ok(()); // Its rows cannot be looked at before they are tried again.
            }
            let paused_for = endpoint.retry_after();
            if endpoint.next_round() == Health::GiveUp {
                self.tell_given_up();
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
            pass.sleep_until(wake_us);
            if clock.stopping() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What was tried least goes first: rows that are always refused must not hold up others.
    fn sort_by_tries(&self, tasks: &mut Vec<Due>) {
        let OwedRows {
            pass,
            ledger,
            number,
            ..
        } = self.rows;
        let ids = tasks.iter().map(|task| task.id);
        let tries = ledger.tries(number, pass.name(number), ids);
        let mut sorted: Vec<_> = tries.into_iter().zip(std::mem::take(tasks)).collect();
        sorted.sort_by_key(|(tries, task)| (*tries, task.id));
        tasks.extend(sorted.into_iter().map(|(_, task)| task));
    }

    /// One round over these tasks. Returns those that were not reached because the endpoint paused, and `waiting` with
    /// those that failed and may be tried again.
    fn round(
        &self,
        endpoint: &mut Endpoint,
        now: Vec<Due>,
        waiting: Vec<Due>,
    ) -> Result<(Vec<Due>, Vec<Due>)> {
        let callback = self.callback_job();
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
        let mut chunk_rows = self.rows.pass.first_chunk();
        while let Some(looked) = self.rows.look(queue, &mut chunk_rows)? {
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
            let mut chunk_rows = self.rows.pass.first_chunk();
            let mut hand_out = || {
                while let Some(looked) = self.rows.look(queue, &mut chunk_rows)? {
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

    pub(super) fn is_over(&self) -> bool {
        self.rows.pass.clock.stopping() || self.rows.pass.clock.now_us() >= self.deadline_us
    }

    pub(super) fn save_now_and_then(&self) -> Result<()> {
        let OwedRows { pass, ledger, .. } = &self.rows;
        ledger.save_now_and_then(pass.clock.now_us())
    }
}

/// A panic of a thread goes on in the one that waits for it.
fn joined<T>(handle: std::thread::ScopedJoinHandle<'_, T>) -> T {
    handle
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
