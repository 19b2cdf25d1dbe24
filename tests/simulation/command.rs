//! What the sub-commands do around a pass: lock, adopt, ask for what was asked for.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cupid::config::Job;
use cupid::error::{Error, Exit, Result};
use cupid::io::state_dir::ReadOnly;
use cupid::logic::audit::pairing::Outgoing;
use cupid::logic::audit::record::Record;
use cupid::logic::audit::record::Side as PairedSide;
use cupid::logic::report::summary::Summary;
use cupid::logic::value::cell::Id;
use cupid::pipeline::{self, Audit, Handling, IdRange, Method};
use cupid::world::{
    ChecksumOffers, Destination, Offer, Receiver, Spill, SpillSpace, Store, Tables, World,
};

use crate::check;
use crate::fact::Fact;
use crate::folder::{Disk, RUN};
use crate::job::span;
use crate::model::Model;
use crate::plan::SECOND;
use crate::rng::Rng;
use crate::sim::Sim;
use crate::turns::Work;
use crate::view::{Side, View, turn_to};

/// A sub-command.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Run { insert: bool, update: bool },
    Retry,
    Audit(Audit),
}

impl Command {
    /// Which folder's files it works with.
    pub(crate) fn folder(&self) -> usize {
        usize::from(matches!(self, Self::Audit(_)))
    }

    pub(crate) fn is_dry(&self) -> bool {
        matches!(self, Self::Audit(audit) if audit.handling.is_dry)
    }
}

/// A new audit, over a table with ids up to `high`.
pub(crate) fn new_audit(rng: &mut Rng, high: i64) -> Audit {
    let from = rng.chance(200).then(|| rng.between(1, high));
    let to = rng
        .chance(200)
        .then(|| rng.between(from.unwrap_or(1), high));
    Audit {
        ids: IdRange {
            from: from.map(Id::from),
            to: to.map(Id::from),
        },
        handling: Handling {
            is_dry: rng.chance(200),
            reports: rng.chance(700),
        },
        for_time: rng.chance(300).then(|| span(rng.between(0, 3 * SECOND))),
        rows_per_second_max: rng.chance(150).then(|| rng.pick(&[10, 100])),
        method: rng.pick(&[Method::Stream, Method::Checksum, Method::Auto]),
        extra: rng.chance(400),
        memory_bytes: rng.pick(&[0, 1 << 20]),
        seed: rng.next(),
        ..Audit::default()
    }
}

/// What progress has to be of, to be gone on with.
fn identity(audit: &Audit, destinations: &[usize], job: &Job) -> String {
    let places = job.destinations.iter().map(|d| d.id().place());
    let places: Vec<String> = places.collect();
    format!("audit of {:?} of {destinations:?} at {places:?}", audit.ids)
}

/// A process that is started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    /// From now, in microseconds.
    pub(crate) in_us: i64,
    pub(crate) process: usize,
}

/// Lets one process, or two beside each other, come to their ends.
pub(crate) fn perform(sim: &Sim, destinations: &[usize], first: Started, second: Option<Started>) {
    std::thread::scope(|scope| {
        if let Some(second) = second {
            scope.spawn(move || live(sim, destinations, second));
        }
        live(sim, destinations, first);
    });
}

/// The life of a process.
fn live(sim: &Sim, destinations: &[usize], started: Started) {
    let Started { in_us, process } = started;
    turn_to(0);
    let command = sim.model().processes[process].command.clone();
    let view = View { sim, process };
    let Some(mut model) = view.call("start", 0, Work::Start(in_us)) else {
        return;
    };
    model.is_there(process);
    model.tell(|| format!("== [{process}] {command:?} of {destinations:?} begins"));
    let is_busy = !command.is_dry() && model.folders[command.folder()].locked_by.is_some();
    drop(model);
    let perform = AssertUnwindSafe(|| performed(&view, &command, destinations));
    let outcome = catch_unwind(perform);
    let mut model = sim.model();
    model.ended(process, is_busy, outcome.ok());
}

impl Model {
    /// A process came to its end.
    fn ended(&mut self, process: usize, was_busy: bool, outcome: Option<Result<Summary>>) {
        let Some(outcome) = outcome else {
            return self.fail(Fact::NoPanic, "cupid panicked".into());
        };
        if self.is_over(process) {
            return;
        }
        self.processes[process].ended = Some(self.tick);
        check::time(self, process);
        check::taken(self, process);
        let is_refused = matches!(outcome, Err(Error::Locked(_)));
        let files = self.processes[process].files;
        if is_refused != was_busy || is_refused && files > 0 {
            let text = format!("beside another: {was_busy}, refused: {is_refused}, after {files}");
            self.fail(Fact::OneAtATime, text);
        }
        match outcome {
            Ok(summary) => {
                self.tell(|| format!("== [{process}] {}", summary.line()));
                self.processes[process].done = summary.exit() == Exit::Done;
                check::summary(self, process, &summary);
                self.check_audit(process, &summary);
            }
            Err(error) => {
                self.tell(|| format!("== [{process}] {error}"));
                let folder = self.processes[process].command.folder();
                if !is_refused {
                    self.quiet.forget(folder); // What the endpoints asked for may not have been written down.
                }
            }
        }
    }
}

/// What the program does between its begin and its end.
fn performed(view: &View<'_>, command: &Command, destinations: &[usize]) -> Result<Summary> {
    let folder = command.folder();
    let job = view.sim.model().job(destinations);
    let sides: Vec<Side<'_>> = destinations
        .iter()
        .map(|&number| Side { view, number })
        .collect();
    let mut disk = Disk {
        view,
        folder,
        identity: match command {
            Command::Audit(audit) => identity(audit, destinations, &job),
            _ => job.source.table.name(),
        },
        resume: matches!(command, Command::Audit(Audit { resume: true, .. })),
        appending: false,
    };
    let _lock = if command.is_dry() {
        None
    } else {
        Some(disk.lock()?)
    };
    if folder == RUN {
        disk.adopt_audit(&job.known_destinations())?;
    }
    let mut store: Box<dyn Store + Send> = if command.is_dry() {
        Box::new(ReadOnly(disk))
    } else {
        Box::new(disk)
    };
    let receivers = sides.iter().map(|side| side as &dyn Receiver).collect();
    let offers = Offers(&sides);
    let mut world = World {
        tables: Tables {
            source: view,
            destinations: sides.iter().map(|side| side as &dyn Destination).collect(),
            checksums: &offers,
        },
        receivers,
        spills: &InMemory,
        store: &mut *store,
        clock: view,
        observer: view,
    };
    match command {
        &Command::Run { insert, update } => {
            let run = pipeline::Run {
                insert,
                update,
                ..pipeline::Run::default()
            };
            pipeline::pass(&job, &mut world, run)
        }
        Command::Retry => {
            view.sim.model().quiet.forget(RUN); // Somebody asks for it, whatever the endpoints asked for.
            pipeline::retry(&job, &mut world)
        }
        Command::Audit(audit) => {
            view.sim
                .model()
                .begin_audit(view.process, audit, destinations);
            pipeline::audit(&job, &mut world, *audit)
        }
    }
}

/// What two servers compute.
struct Offers<'s>(&'s [Side<'s>]);

impl ChecksumOffers for Offers<'_> {
    fn offer(&self, destination: usize, seed: u64) -> Result<Offer<'_>> {
        self.0[destination].checksums(seed)
    }
}

struct InMemory;

impl SpillSpace for InMemory {
    fn open(&self) -> Box<dyn Spill> {
        Box::<Memory>::default()
    }
}

/// Spilled records.
#[derive(Default)]
struct Memory(HashMap<(usize, bool), Vec<Record>>);

impl Spill for Memory {
    fn append(&mut self, outgoing: &Outgoing) -> Result<()> {
        let Outgoing {
            partition,
            side,
            records,
        } = outgoing;
        let place = self.0.entry((*partition, *side == PairedSide::Source));
        place.or_default().extend(records);
        Ok(())
    }

    fn take(&mut self, partition: usize, side: PairedSide) -> Result<Vec<Record>> {
        let place = (partition, side == PairedSide::Source);
        Ok(self.0.remove(&place).unwrap_or_default())
    }
}
