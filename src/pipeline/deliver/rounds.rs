//! Rounds over the owed rows of one endpoint. Each row is tried once in a round.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::sync::{Arc, Mutex};

use super::Courier;
use crate::error::Result;
use crate::locks::locked;
use crate::logic::callback::retry::{Endpoint, Health};
use crate::pipeline::callback::{Ready, Sent};
use crate::pipeline::owed::{Due, OwedRows};
use crate::pipeline::pass::micros;

/// While rows that are being sent take more bytes than this, no others are read.
const UNDER_WAY_BYTES: usize = 32 << 20;

impl Courier<'_, '_> {
    /// Tries everything until it is taken, or the tries or the time are used up.
    pub(super) fn run(&self, endpoint: &mut Endpoint, mut tasks: Vec<Due>) -> Result<()> {
        let OwedRows { pass, number, .. } = self.rows;
        let clock = pass.clock;
        let policy = &self.callback_job().policy;
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
                scope.spawn(move || self.send_each(endpoint, &ready, has_failed, &hand_back));
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

    /// Sends what is ready, and says what became of it and how many bytes it took.
    fn send_each(
        &self,
        endpoint: &Mutex<&mut Endpoint>,
        ready: &Mutex<impl Iterator<Item = Ready>>,
        has_failed: &AtomicBool,
        hand_back: &Sender<(usize, Sent)>,
    ) {
        let next = || locked(ready).next();
        while let Some(ready) = next() {
            let bytes = ready.size_bytes();
            let sent = if has_failed.load(Ordering::Relaxed) {
                Sent::Not(ready.task)
            } else {
                self.send(endpoint, ready)
            };
            let _ = hand_back.send((bytes, sent)); // Its other end is there until all have ended.
        }
    }
}
