//! What all stages of a pass share: the tables and how they are read, and what was counted.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::gate::Gate;
use super::options::Asked;
use super::throttle::Throttle;
use crate::config::{DestinationJob, Job};
use crate::error::{Error, Result};
use crate::locks::{into_inner, locked};
use crate::logic::report::notice::Notice;
use crate::logic::report::summary::{Counts, OfDestination, Scanned, Summary, Unread};
use crate::logic::scan::bounds::Bounds;
use crate::logic::scan::identity::DestinationId;
use crate::world::{Clock, Destination, Observer, Shared, Source, Tables};

/// A pass under way.
pub(super) struct Pass<'a> {
    pub(super) job: &'a Job,
    pub(super) asked: Asked,
    pub(super) tables: &'a Tables<'a>,
    pub(super) clock: &'a dyn Clock,
    pub(super) observer: &'a dyn Observer,
    /// How state files know the destinations.
    pub(super) ids: Vec<DestinationId>,
    /// Of the source's readers.
    pub(super) throttle: Throttle<'a>,
    /// Of those who read a whole destination.
    pub(super) destination_throttles: Vec<Throttle<'a>>,
    /// Held by whoever looks up rows that take much memory.
    pub(super) wide: Mutex<()>,
    workers: OnceLock<ThreadPool>,
    /// No batch is begun after this moment of the clock.
    scan_until_us: Option<i64>,
    began_us: i64,
    tally: Mutex<Tally>,
}

/// What was counted, and what was said of it.
pub(super) struct Tally {
    pub(super) summary: Summary,
    pub(super) warned_of_duplicates: HashSet<usize>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        job: &'a Job,
        tables: &'a Tables<'a>,
        clock: &'a dyn Clock,
        observer: &'a dyn Observer,
        asked: Asked,
    ) -> Self {
        let began_us = clock.now_us();
        let audit = asked.audit();
        let own_max = audit.and_then(|audit| audit.rows_per_second_max);
        let rows_per_second_max = own_max.or(job.rows_per_second_max);
        let for_time = audit.and_then(|audit| audit.for_time);
        let summary = Summary {
            name: job.name.clone(),
            each: job.destinations.iter().map(uncounted).collect(),
            dry_run: asked.is_dry(),
            scanned: asked.is_run().then(Scanned::default),
            ..Summary::default()
        };
        let scan_until_us = for_time.map(|time| began_us.saturating_add(micros(time)));
        let throttle = |server: &'a dyn Shared, subject: &str| {
            let throttle = Throttle::new(clock, rows_per_second_max);
            let ends = (clock, observer);
            let gate = Gate::new(server, subject, job.load_limits, ends, scan_until_us);
            throttle.with_gate(gate, audit.is_some())
        };
        let destinations = tables.destinations.iter().zip(&job.destinations);
        Self {
            job,
            asked,
            tables,
            clock,
            observer,
            ids: job.destinations.iter().map(DestinationJob::id).collect(),
            throttle: throttle(tables.source, "source"),
            destination_throttles: destinations
                .map(|(&server, of)| throttle(server, &of.name))
                .collect(),
            wide: Mutex::new(()),
            workers: OnceLock::new(),
            scan_until_us,
            began_us,
            tally: Mutex::new(Tally {
                summary,
                warned_of_duplicates: HashSet::new(),
            }),
        }
    }

    pub(super) fn source(&self) -> &'a dyn Source {
        self.tables.source
    }

    pub(super) fn destination(&self, number: usize) -> &'a dyn Destination {
        self.tables.destinations[number]
    }

    /// The destination's name.
    pub(super) fn name(&self, number: usize) -> &'a str {
        &self.job.destinations[number].name
    }

    /// How often a callback to this destination is tried in a run.
    pub(super) fn tries_max(&self, number: usize) -> u32 {
        self.job.destinations[number].callback.policy.attempts()
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.job.destinations.iter().position(|d| d.name == name)
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        locked(&self.tally)
    }

    /// Where the source is, up to the last id that was asked for.
    pub(super) fn bounds(&self) -> Result<Bounds> {
        let bounds = self.up_to_range(self.source().bounds()?);
        self.tally().summary.bounds = Some(bounds);
        Ok(bounds)
    }

    /// Without the ids above the last one that was asked for.
    pub(super) fn up_to_range(&self, bounds: Bounds) -> Bounds {
        let to = self.asked.audit().and_then(|audit| audit.ids.to);
        let id_max = bounds.id_max.map(|max| to.map_or(max, |to| to.min(max)));
        Bounds { id_max, ..bounds }
    }

    /// The threads that compare, `workerNumber` of them. Started when there is work for several: most passes find none.
    pub(super) fn workers(&self) -> Result<&ThreadPool> {
        if let Some(workers) = self.workers.get() {
            return Ok(workers);
        }
        let count = self.job.workers;
        let started = ThreadPoolBuilder::new().num_threads(count).build();
        let started = started.map_err(|error| Error::Threads {
            count,
            reason: error.to_string(),
        })?;
        Ok(self.workers.get_or_init(|| started))
    }

    /// Counts something at a destination.
    pub(super) fn count(&self, number: usize, count: impl FnOnce(&mut Counts)) {
        count(&mut self.tally().of(number).counts);
    }

    /// So many rows of the source are to be compared.
    pub(super) fn count_scanned(&self, are_new: bool, rows: usize) {
        if let Some(scanned) = &mut self.tally().summary.scanned {
            let count = if are_new {
                &mut scanned.new
            } else {
                &mut scanned.updated
            };
            *count += rows as u64;
        }
    }

    /// Of new ids a shard has its share; the suspects are all its own. `rows` were looked at without being counted yet.
    pub(super) fn show_progress(&self, rows: u64, suspects_left: u64, new_ids_left: u64) {
        let shard = self.asked.audit().and_then(|audit| audit.shard);
        let own_ids_left = shard.map_or(new_ids_left, |shard| shard.share(new_ids_left));
        let compared = self.tally().summary.total().compared.saturating_add(rows);
        self.observer
            .progress(compared, suspects_left.saturating_add(own_ids_left));
    }

    /// The destination could not be read: the rest of this pass leaves it alone.
    pub(super) fn mark_unread(&self, number: usize, error: &Error) {
        let mut tally = self.tally();
        let of = tally.of(number);
        if of.unread.is_none() {
            let destination = self.name(number).to_owned();
            let reason = error.to_string();
            self.observer.tell(&Notice::Unread {
                destination: destination.clone(),
                reason: reason.clone(),
            });
            of.unread = Some(Unread {
                destination,
                reason,
                exit: error.exit(),
            });
        }
    }

    /// For an error of one kind of statement, such as a checksum that takes too long: the destination
    /// may answer others, unless it does not answer at all.
    pub(super) fn mark_unread_if_silent(&self, number: usize, error: &Error) {
        if self.destination(number).is_silent() {
            self.mark_unread(number, error);
        }
    }

    pub(super) fn is_unread(&self, number: usize) -> bool {
        self.tally().of(number).unread.is_some()
    }

    /// Something was left that another pass has to do.
    pub(super) fn interrupt(&self) {
        self.tally().summary.interrupted = true;
    }

    /// Nothing more is to be read, although there may be more.
    pub(super) fn is_scan_over(&self) -> bool {
        let until_us = self.scan_until_us;
        self.clock.stopping() || until_us.is_some_and(|until_us| self.clock.now_us() >= until_us)
    }

    /// Sleeps until a moment of the clock, unless it is over.
    pub(super) fn sleep_until(&self, moment_us: i64) {
        let wait_us = moment_us.saturating_sub(self.clock.now_us());
        if wait_us > 0 {
            self.clock
                .sleep(Duration::from_micros(wait_us.unsigned_abs()));
        }
    }

    pub(super) fn summary(self) -> Summary {
        let duration_us = self.clock.now_us() - self.began_us;
        let tally = into_inner(self.tally);
        Summary {
            duration_ms: u64::try_from(duration_us / 1000).unwrap_or(0),
            ..tally.summary
        }
    }
}

impl Tally {
    pub(super) fn of(&mut self, number: usize) -> &mut OfDestination {
        &mut self.summary.each[number]
    }
}

fn uncounted(destination: &DestinationJob) -> OfDestination {
    OfDestination {
        name: destination.name.clone(),
        ..OfDestination::default()
    }
}

/// In microseconds.
pub(super) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
