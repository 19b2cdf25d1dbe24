//! Delivery: owed rows are compared once more and sent, until they are taken, or the tries or the
//! time are used up.
//!
//! Each destination has its own courier, so one endpoint does not delay another. A courier goes in
//! rounds. A row is tried once in a round, and a refused row waits for the next one. Before every
//! try both rows are read again: a repaired row is not sent, and a changed row is sent as it is
//! now. The outbox on disk shrinks only after the endpoint has taken a row. A process that is
//! killed between sends it again, under the same `webhook-id`. A row that was sent or that agrees
//! counts as compared with that content only ([`super::ended`]). A row whose copies have changed
//! since they were found wrong is confirmed anew ([`super::reconfirm`]). A row that was refused
//! while other rows were taken waits longer from run to run. An endpoint that took nothing is
//! probed first ([`super::probe`]).

mod rounds;

use super::ledger::Ledger;
use super::owed::{Due, OwedRows};
use super::pass::{Pass, micros};
use super::progress::Progress;
use crate::config::CallbackJob;
use crate::error::Result;
use crate::logic::callback::retry::Endpoint;
use crate::logic::report::notice::Notice;
use crate::logic::value::address::Address;
use crate::world::Receiver;

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
    Probe(Vec<Address>),
}

impl Load {
    fn of(
        pass: &Pass<'_>,
        ledger: &Ledger<'_>,
        number: usize,
        asked: &mut Asked,
        now_us: i64,
    ) -> Self {
        let (name, tries_max) = (pass.name(number), pass.tries_max(number));
        let took_nothing = || ledger.took_nothing(name);
        if *asked.is_doubtful.get_or_insert_with(took_nothing) {
            return Self::Probe(ledger.by_age(number, name, now_us, tries_max));
        }
        let due = ledger.due(number, name, now_us, tries_max);
        Self::All(due.into_iter().map(Due::new).collect())
    }

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
        let receivers = self.receivers;
        let endpoints = self.endpoints.iter_mut().enumerate();
        let mut work = endpoints
            .filter(|(number, asked)| !pass.is_unread(*number) && !asked.endpoint.given_up())
            .map(|(number, asked)| {
                let load = Load::of(pass, ledger, number, asked, began_us);
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
                Load::Probe(by_age) => courier.probe_and_run(asked, by_age),
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
    fn probe_and_run(&self, asked: &mut Asked, by_age: Vec<Address>) -> Result<()> {
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
            let tries_max = pass.tries_max(number);
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
