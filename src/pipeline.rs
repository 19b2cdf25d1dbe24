//! One pass, start to end. Read this first.
//!
//! What is guaranteed, and why the order is safe:
//!
//! 1. A row is behind the checkpoint only if every destination of its position answered for it; a destination that
//!    did not keeps its own, older position.
//! 2. A difference is on disk before the checkpoint passes its row: candidates wait in memory, behind a checkpoint that
//!    has not moved, until the second look; what is confirmed is appended to the outbox and synced; only then is the
//!    position saved that lies beyond. A process that is killed anywhere repeats work and loses none.
//! 3. What is sent was read from the source after the difference was confirmed, and compared once more on the way.
//! 4. A destination or an endpoint that fails is left for this pass, the others go on, and the summary says so. A source
//!    that fails ends the pass; the next one starts where this one did.

mod aside;
mod checksum;
mod deliver;
mod doubt;
mod ended;
mod extra;
mod feed;
mod look;
mod options;
mod recheck;
mod restart;
mod scan;
mod stream;
mod tell;
mod throttle;

pub use options::{Duplicates, Method, Mode, Options};
pub use recheck::recheck;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::config::{DestinationJob, Job, UpdateJob};
use crate::error::{Error, Result};
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::recognise::{Recognised, Told, recognise};
use crate::logic::callback::retry::{DELAY_MAX, Endpoint, RetryPolicy};
use crate::logic::report::summary::{Summary, Unread};
use crate::logic::scan::checkpoint::{Checkpoint, Position, UpdatePosition, VERSION, joined};
use crate::logic::scan::identity::DestinationId;
use crate::logic::scan::plan::Limits;
use crate::logic::scan::trail::Trail;
use crate::logic::value::cell::Id;
use crate::logic::value::count::counted;
use crate::world::{Clock, Destination, Observer, Receiver, Source, Store};

use ended::Ended;
use scan::Track;
use throttle::Throttle;

pub use stream::Streaming;

/// Everything outside the program that a pass touches.
pub struct World<'a> {
    /// The source table.
    pub source: &'a dyn Source,
    /// In the order of `des[]`.
    pub destinations: Vec<&'a dyn Destination>,
    /// In the same order.
    pub receivers: Vec<&'a dyn Receiver>,
    /// The state folder.
    pub store: &'a mut (dyn Store + Send),
    /// Time.
    pub clock: &'a dyn Clock,
    /// People and reports.
    pub observer: &'a dyn Observer,
}

/// One pass: owed callbacks first, then what is new, then what that made owed.
///
/// # Errors
/// When the source or the state cannot be read or written. Nothing was skipped then.
pub fn pass(job: &Job, world: &mut World<'_>, options: Options) -> Result<Summary> {
    let began_us = world.clock.now_us();
    let mut pass = Pass::load(job, world, options)?;
    pass.is_run = true;
    pass.deliver()?;
    pass.scan_and_deliver()?;
    pass.tell_owed()?;
    Ok(pass.finish(began_us))
}

/// The same over a range of ids from end to end. With `streaming` both tables are read once and only what is not known to
/// be equal is looked at; without it every row is looked up.
///
/// # Errors
/// As [`pass`].
pub fn audit(
    job: &Job,
    world: &mut World<'_>,
    options: Options,
    streaming: Option<&Streaming<'_>>,
) -> Result<Summary> {
    let began_us = world.clock.now_us();
    let mut pass = Pass::load(job, world, options)?;
    pass.save_beginning()?;
    pass.deliver()?;
    if let Some(streaming) = streaming {
        pass.stream(streaming)?;
    }
    pass.scan_and_deliver()?;
    pass.look_again()?;
    pass.tell_extra()?;
    pass.tell_owed()?;
    Ok(pass.finish(began_us))
}

/// Only delivers what is owed, now: who asks for it does not want to wait as long as an endpoint once asked for.
///
/// # Errors
/// As [`pass`].
pub fn retry(job: &Job, world: &mut World<'_>, options: Options) -> Result<Summary> {
    let began_us = world.clock.now_us();
    let mut pass = Pass::load(job, world, options)?;
    pass.is_run = true;
    pass.shared().outbox.forget_waits();
    pass.deliver()?;
    Ok(pass.finish(began_us))
}

/// A pass under way.
struct Pass<'a, 'w> {
    job: &'a Job,
    /// How state files know the destinations.
    ids: Vec<DestinationId>,
    source: &'w dyn Source,
    destinations: &'a [&'w dyn Destination],
    receivers: &'a [&'w dyn Receiver],
    clock: &'w dyn Clock,
    observer: &'w dyn Observer,
    options: Options,
    /// Of the source's readers.
    throttle: Throttle<'w>,
    /// Of those who read a whole destination.
    destination_throttles: Vec<Throttle<'w>>,
    /// What several threads touch while callbacks are delivered.
    shared: Mutex<Shared<'a>>,
    /// Positions as loaded, until the scans are planned.
    positions: Vec<Position>,
    tracks: Vec<Track>,
    /// Positions of destinations that failed in this pass.
    left_behind: Vec<Position>,
    saved: Option<Checkpoint>,
    start_id: Id,
    /// The positions are those of `run`, which go on from pass to pass; rows may come late.
    is_run: bool,
    endpoints: Vec<Endpoint>,
    policies: Vec<RetryPolicy>,
    delivery_left_us: i64,
    /// Keys that only a destination had when an audit read it.
    extra: Vec<extra::Extra>,
    /// Held by whoever looks up rows that take much memory.
    wide: Mutex<()>,
    workers: OnceLock<ThreadPool>,
}

/// Held under one lock.
struct Shared<'a> {
    store: &'a mut (dyn Store + Send),
    outbox: Outbox,
    /// Of these, owed to destinations that the configuration does not name.
    strangers: usize,
    /// The file does not say what `outbox` says.
    outbox_changed: bool,
    outbox_saved_us: i64,
    /// Callbacks that stay in the file until the checkpoint forgets their rows as compared.
    ended: Vec<Ended>,
    /// What a dry run has reported and forgotten.
    would_send: u64,
    /// Tries in this run of what is still owed, by destination and row: a pass delivers more than once.
    tries: HashMap<(usize, Id), u32>,
    /// What this pass delivered, by destination and row, with the fingerprint of the row that was sent.
    delivered: HashMap<(usize, Id), u64>,
    summary: Summary,
    unread: HashSet<usize>,
    warned_of_duplicates: HashSet<usize>,
}

impl<'a, 'w> Pass<'a, 'w> {
    fn load(job: &'a Job, world: &'a mut World<'w>, options: Options) -> Result<Self> {
        let World {
            source,
            destinations,
            receivers,
            store,
            clock,
            observer,
        } = world;
        let names: Vec<String> = job.destinations.iter().map(|d| d.name.clone()).collect();
        let (saved, checkpoint, outbox) = read_state(job, &mut **store, *observer)?;
        let positions = positions_of(checkpoint.as_ref(), &names, options, *observer);
        let start_id = if positions.iter().any(|position| position.next_id.is_none()) {
            let found = store.first_cupids_id()?;
            if let Some(id) = found {
                observer.info(&format!(
                    "Starts at id {id}, where the first cupid's cupid.txt says"
                ));
            }
            found
                .or(options.start_id)
                .or(job.source.start_id)
                .unwrap_or(0)
        } else {
            0
        };
        let strangers = outbox
            .iter()
            .filter(|owed| !names.contains(&owed.destination))
            .count();
        if strangers > 0 {
            observer.warn(&format!(
                "{strangers} callbacks are owed to destinations that the configuration does not name; they are kept"
            ));
        }
        let mut policies = Vec::with_capacity(names.len());
        for destination in &job.destinations {
            let policy = RetryPolicy::new(
                job.callback_delay,
                DELAY_MAX.max(job.callback_delay),
                destination.callback.attempts,
            )
            .map_err(|problem| Error::Config {
                path: job.path.clone(),
                problem,
            })?;
            policies.push(policy);
        }
        let endpoints = policies
            .iter()
            .zip(&job.destinations)
            .map(|(p, d)| Endpoint::new(p, d.callback.concurrency))
            .collect();
        let summary = Summary {
            name: job.name.clone(),
            destinations: names.len(),
            dry_run: options.mode == Mode::DryRun,
            ..Summary::default()
        };
        let shared = Shared {
            store: &mut **store,
            outbox,
            strangers,
            outbox_changed: false,
            outbox_saved_us: clock.now_us(),
            ended: vec![],
            would_send: 0,
            tries: HashMap::new(),
            delivered: HashMap::new(),
            summary,
            unread: HashSet::new(),
            warned_of_duplicates: HashSet::new(),
        };
        let clock = *clock;
        let throttle = || Throttle::new(clock, options.rows_per_second_max);
        Ok(Self {
            job,
            ids: job.destinations.iter().map(DestinationJob::id).collect(),
            source: *source,
            destinations,
            receivers,
            clock,
            observer: *observer,
            options,
            throttle: throttle(),
            destination_throttles: names.iter().map(|_| throttle()).collect(),
            shared: Mutex::new(shared),
            positions,
            tracks: vec![],
            left_behind: vec![],
            saved,
            start_id,
            is_run: false,
            endpoints,
            policies,
            delivery_left_us: micros(job.delivery_time),
            extra: vec![],
            wide: Mutex::new(()),
            workers: OnceLock::new(),
        })
    }

    fn shared(&self) -> MutexGuard<'_, Shared<'a>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Scans, settles and delivers, in turns when more is found than may be owed at once.
    fn scan_and_deliver(&mut self) -> Result<()> {
        self.plan_scans()?;
        loop {
            self.scan()?;
            self.settle()?;
            self.deliver()?;
            if self.is_scanned() || self.is_full() || self.is_out_of_time() {
                return Ok(());
            }
        }
    }

    /// What is left to the next pass, because it changed while it was looked at, an audit looks at itself.
    fn look_again(&mut self) -> Result<()> {
        if !self.is_scanned() || self.tracks.iter().all(Track::leaves_nothing) {
            return Ok(());
        }
        if self.is_full() || self.is_out_of_time() {
            self.shared().summary.interrupted = true;
            return Ok(());
        }
        let tracks = std::mem::take(&mut self.tracks);
        self.positions = tracks.iter().map(Track::saved).collect();
        self.scan_and_deliver()
    }

    /// The threads that compare, `workerNumber` of them. Started when there is work for several: most passes find none.
    fn workers(&self) -> Result<&ThreadPool> {
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

    /// Asks the source where it is, plans one scan for each position, and writes down where a first scan begins, so that
    /// the next pass begins there too when this one is killed or a destination cannot be read.
    fn plan_scans(&mut self) -> Result<()> {
        let bounds = self.source.bounds()?;
        self.tell_rows_without_id()?;
        let source = &self.job.source;
        let limits = Limits {
            insert: self.options.insert,
            update: self.options.update && source.update.is_some(),
            start_id: self.start_id,
            late_commit_us: if self.is_run {
                micros(source.late_commit)
            } else {
                0
            },
            update_scan_us: source
                .update
                .as_ref()
                .map_or(0, |UpdateJob { scan, .. }| micros(*scan)),
        };
        let moments = if limits.update {
            self.source.moments()?
        } else {
            None
        };
        for mut position in std::mem::take(&mut self.positions) {
            if self.is_run && self.options.insert {
                self.follow_ids(&mut position, bounds)?;
            }
            if let Some(moments) = &moments {
                let update = position
                    .update
                    .get_or_insert_with(|| UpdatePosition::beginning(bounds.now_us));
                if let Some(before) = update.say_moments(moments) {
                    self.observer.info(&format!(
                        "src.updateColumn was {before} and is {moments}: updates are looked for from 28 hours earlier, once"
                    ));
                }
            }
            let number = |name: &String| self.job.destinations.iter().position(|d| d.name == *name);
            let members = position.destinations.iter().filter_map(number).collect();
            self.tracks.push(Track::new(
                members,
                position,
                bounds,
                limits,
                self.clock.now_us(),
            ));
        }
        self.save()
    }

    /// No scan by id meets such a row, and no window either.
    fn tell_rows_without_id(&self) -> Result<()> {
        let count = self.source.rows_without_id()?;
        let told = std::mem::replace(&mut self.shared().summary.rows_without_id, count);
        if count > told {
            let (table, id) = (self.job.source.table.name(), &self.job.source.id_column);
            self.observer.warn(&format!(
                "{} of {table} cannot be compared: src.idColumn, {id:?}, is NULL there. Fill it, or use a column that is \
                 NOT NULL",
                counted(count, "row")
            ));
        }
        Ok(())
    }

    /// Writes down where this pass begins, so that one that goes on after it was killed does not take an earlier pass
    /// for it.
    fn save_beginning(&mut self) -> Result<()> {
        for position in &mut self.positions {
            position.next_id.get_or_insert(self.start_id);
        }
        self.save()
    }

    /// Of new ids a shard has its share; the suspects are all its own.
    fn progress(&self, compared: u64, suspects_left: u64, new_ids_left: u64) {
        let shard = self.job.source.shard;
        let own_ids_left = shard.map_or(new_ids_left, |shard| shard.share(new_ids_left));
        self.observer
            .progress(compared, suspects_left.saturating_add(own_ids_left));
    }

    /// The destination could not be read: the rest of this pass leaves it alone.
    fn mark_unread(&self, number: usize, error: &Error) {
        let mut shared = self.shared();
        if shared.unread.insert(number) {
            let destination = self.job.destinations[number].name.clone();
            let reason = error.to_string();
            self.observer.warn(&format!(
                "Destination {destination} cannot be read and is left for a later pass: {reason}"
            ));
            shared.summary.unread.push(Unread {
                destination,
                reason,
                exit: error.exit(),
            });
        }
    }

    /// For an error of one kind of statement, such as a checksum that takes too long: the destination
    /// may answer others, unless it does not answer at all.
    fn mark_unread_if_silent(&self, number: usize, error: &Error) {
        if self.destinations[number].is_silent() {
            self.mark_unread(number, error);
        }
    }

    fn is_unread(&self, number: usize) -> bool {
        self.shared().unread.contains(&number)
    }

    /// So many callbacks are owed that scanning on would only add to them.
    fn is_full(&self) -> bool {
        let held: usize = self.tracks.iter().map(Track::held).sum();
        let shared = self.shared();
        // What nobody will ever deliver must not hold up the scan for ever.
        let owed = shared.outbox.len() - shared.strangers;
        owed + held >= self.job.owed_max
    }

    fn is_scanned(&self) -> bool {
        self.tracks.iter().all(Track::is_done)
    }

    fn is_out_of_time(&self) -> bool {
        self.is_scan_over() || self.delivery_left_us <= 0
    }

    /// Nothing more is to be read, although there may be more.
    fn is_scan_over(&self) -> bool {
        let until_us = self.options.scan_until_us;
        self.clock.stopping() || until_us.is_some_and(|until_us| self.clock.now_us() >= until_us)
    }

    /// Saves where the tracks are, unless it is where they were: on a quiet table a few seconds more or less of an
    /// empty window are not worth a write, and the next window simply begins earlier.
    fn save(&mut self) -> Result<()> {
        let tracks = self.tracks.iter().map(Track::saved);
        let others = self.left_behind.iter().chain(&self.positions);
        let all = tracks.chain(others.cloned());
        let mut positions = joined(
            all.filter(|position| !position.destinations.is_empty())
                .collect(),
        );
        if !self.is_run {
            // An audit ends, so its ids do not start again.
            for position in &mut positions {
                position.trail = Trail::default();
            }
        }
        let table = &self.job.source.table;
        let checkpoint = Checkpoint {
            version: VERSION,
            source: table.name(),
            config: Some(self.job.file.clone()),
            source_server: Some(table.server.address.text()),
            destinations: self.ids.clone(),
            positions,
        };
        if self
            .saved
            .as_ref()
            .is_some_and(|saved| saved.is_nearly(&checkpoint))
        {
            return Ok(());
        }
        self.shared().store.save_checkpoint(&checkpoint)?;
        self.saved = Some(checkpoint);
        Ok(())
    }

    fn finish(self, began_us: i64) -> Summary {
        let scanned = self.is_scanned();
        let confirmed = self.tracks.iter().all(|track| track.held() == 0);
        let over = self.is_scan_over();
        let now_us = self.clock.now_us();
        let Shared {
            mut summary,
            outbox,
            would_send,
            ..
        } = self
            .shared
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        summary.owed = outbox.len() as u64 + would_send;
        summary.too_large += outbox.too_large() as u64;
        summary.paused = !scanned && !over;
        summary.interrupted |= !(scanned && confirmed) && over;
        summary.duration_ms = u64::try_from((now_us - began_us) / 1000).unwrap_or(0);
        summary
    }
}

/// The checkpoint as it is on disk, then checkpoint and outbox in the names that the destinations have now.
fn read_state(
    job: &Job,
    store: &mut dyn Store,
    observer: &dyn Observer,
) -> Result<(Option<Checkpoint>, Option<Checkpoint>, Outbox)> {
    let saved = store.checkpoint()?;
    let Recognised {
        checkpoint,
        outbox,
        outbox_changed,
        told,
    } = recognise(saved.clone(), store.outbox()?, &job.known_destinations());
    for told in told.iter().chain(&moved_source(job, saved.as_ref())) {
        match told {
            Told::Info(text) => observer.info(text),
            Told::Warning(text) => observer.warn(text),
        }
    }
    if outbox_changed {
        store.replace_outbox(&outbox)?;
    }
    Ok((saved, checkpoint, outbox))
}

/// The table is the same, and its server is another one.
fn moved_source(job: &Job, saved: Option<&Checkpoint>) -> Option<Told> {
    let table = &job.source.table;
    let server = table.server.address.text();
    let before = saved?.source_server.as_ref()?;
    (*before != server).then(|| {
        Told::Warning(format!(
            "The source {} moved from {before} to {server}. Its checkpoint is kept. `cupid reconcile` compares what lies before",
            table.name()
        ))
    })
}

/// Where each destination is to go on.
fn positions_of(
    saved: Option<&Checkpoint>,
    names: &[String],
    options: Options,
    observer: &dyn Observer,
) -> Vec<Position> {
    let Some(checkpoint) = saved else {
        return vec![Position {
            destinations: names.to_vec(),
            ..Position::default()
        }];
    };
    if options.start_id.is_some() {
        observer.info("The start id is not used: there is a checkpoint, and it goes before");
    }
    for name in checkpoint.unknown(names) {
        observer.warn(&format!(
            "Destination {name} is new and starts where the others are; `cupid reconcile` compares what lies before"
        ));
    }
    checkpoint.positions_of(names)
}

fn micros(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
