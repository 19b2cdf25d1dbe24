//! The tables and endpoints of a configuration, as a pass meets them.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Job;
use crate::error::{Error, Result};
use crate::io::http::{Client, Post};
use crate::io::mysql::{MySqlDestination, MySqlSource, checksums_of};
use crate::io::signals::RealClock;
use crate::io::spill::TemporaryFiles;
use crate::logic::audit::shard::Shard;
use crate::logic::callback::retry::Answer;
use crate::world::{
    Callback, ChecksumOffers, Clock, Destination, Observer, Offer, Receiver, Store, Tables, World,
};

/// Opens no connection until one is needed.
pub(super) struct Connections {
    pub(super) job: Arc<Job>,
    pub(super) source: Arc<MySqlSource>,
    pub(super) destinations: Vec<MySqlDestination>,
    receivers: Vec<Endpoint>,
}

struct Endpoint(Client);

impl Receiver for Endpoint {
    fn post(&self, callback: &Callback, timeout: Duration) -> Answer {
        let Callback { body, headers } = callback;
        self.0.post(&Post { body, headers }, timeout)
    }
}

impl ChecksumOffers for Connections {
    fn offer(&self, destination: usize, seed: u64) -> Result<Offer<'_>> {
        checksums_of(&self.source, &self.destinations[destination], seed)
    }
}

impl Connections {
    pub(super) fn new(job: &Arc<Job>, clock: &Arc<RealClock>) -> Result<Self> {
        Self::of_shard(job, None, clock)
    }

    /// Of the source's rows only these.
    pub(super) fn of_shard(
        job: &Arc<Job>,
        shard: Option<Shard>,
        clock: &Arc<RealClock>,
    ) -> Result<Self> {
        let clock: Arc<dyn Clock + Send> = Arc::<RealClock>::clone(clock);
        let source = Arc::new(MySqlSource::new(Arc::clone(job), shard, clock));
        let destination =
            |number| MySqlDestination::new(Arc::clone(job), number, Arc::clone(&source));
        let receivers = job
            .destinations
            .iter()
            .enumerate()
            .map(|(number, destination)| {
                Client::new(&destination.callback)
                    .map(Endpoint)
                    .map_err(|problem| Error::Config {
                        path: job.path.clone(),
                        problem: format!("des[{number}].callbackNotification: {problem}"),
                    })
            });
        Ok(Self {
            job: Arc::clone(job),
            receivers: receivers.collect::<Result<_>>()?,
            destinations: (0..job.destinations.len()).map(destination).collect(),
            source,
        })
    }

    /// Whether each endpoint takes connections, all side by side.
    pub(super) fn endpoints(&self, timeout: Duration) -> Vec<std::result::Result<(), String>> {
        std::thread::scope(|scope| {
            let asked: Vec<_> = self
                .receivers
                .iter()
                .map(|Endpoint(client)| scope.spawn(move || client.reaches(timeout)))
                .collect();
            let unknown = |_| Err("the attempt ended in a panic".to_owned());
            asked
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(unknown))
                .collect()
        })
    }

    /// Forgets what is known of the tables' columns: an `ALTER TABLE` counts from the next pass on.
    pub(super) fn forget_columns(&mut self) {
        let source = Arc::new(self.source.anew());
        for destination in &mut self.destinations {
            *destination = destination.anew(Arc::clone(&source));
        }
        self.source = source;
    }

    /// The tables, for a pass that begins.
    pub(super) fn tables(&self) -> Tables<'_> {
        self.source.begin_pass();
        let destinations = self.destinations.iter();
        Tables {
            source: &*self.source,
            destinations: destinations.map(|it| it as &dyn Destination).collect(),
            checksums: self,
        }
    }

    /// All that a pass needs.
    pub(super) fn world<'a>(
        &'a self,
        store: &'a mut (dyn Store + Send),
        clock: &'a RealClock,
        observer: &'a dyn Observer,
    ) -> World<'a> {
        World {
            tables: self.tables(),
            receivers: self
                .receivers
                .iter()
                .map(|it| it as &dyn Receiver)
                .collect(),
            spills: &TemporaryFiles,
            store,
            clock,
            observer,
        }
    }
}
