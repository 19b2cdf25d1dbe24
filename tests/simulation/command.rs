//! What the sub-commands do around a pass: lock, adopt, ask for what was asked for.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cupid::config::Job;
use cupid::error::{Error, Exit, Result};
use cupid::io::state_dir::ReadOnly;
use cupid::logic::audit::pairing::{Record, Side as PairedSide, Spill};
use cupid::logic::report::summary::Summary;
use cupid::logic::value::cell::Id;
use cupid::pipeline::{self, Duplicates, Method, Mode, Options, Streaming, World};
use cupid::world::{Destination, Receiver, Store};

use crate::check;
use crate::fact::Fact;
use crate::folder::{Disk, RUN};
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

/// Options of `cupid reconcile`.
#[derive(Clone, Debug)]
pub(crate) struct Audit {
    pub(crate) resume: bool,
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
    pub(crate) dry: bool,
    pub(crate) report: bool,
    /// `--for`, in microseconds.
    pub(crate) for_us: Option<i64>,
    /// `--max-rate`.
    pub(crate) rows_per_second_max: Option<u64>,
    /// Both tables are read from end to end.
    pub(crate) streams: Option<Streams>,
}

/// How an audit reads whole tables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streams {
    method: Method,
    extra: bool,
    memory_bytes: usize,
    seed: u64,
}

impl Command {
    /// Which folder's files it works with.
    pub(crate) fn folder(&self) -> usize {
        usize::from(matches!(self, Self::Audit(_)))
    }

    pub(crate) fn is_dry(&self) -> bool {
        matches!(self, Self::Audit(Audit { dry: true, .. }))
    }
}

impl Audit {
    pub(crate) fn looks_for_extra(&self) -> bool {
        self.streams.is_some_and(|streams| streams.extra)
    }

    /// A new one, over a table with ids up to `high`.
    pub(crate) fn new(rng: &mut Rng, high: i64) -> Self {
        let from = rng.chance(200).then(|| rng.between(1, high));
        let to = rng
            .chance(200)
            .then(|| rng.between(from.unwrap_or(1), high));
        Self {
            resume: false,
            from,
            to,
            dry: rng.chance(200),
            report: rng.chance(700),
            for_us: rng.chance(300).then(|| rng.between(0, 3 * SECOND)),
            rows_per_second_max: rng.chance(150).then(|| rng.pick(&[10, 100])),
            streams: rng.chance(700).then(|| Streams {
                method: rng.pick(&[Method::Stream, Method::Checksum, Method::Auto]),
                extra: rng.chance(500),
                memory_bytes: rng.pick(&[0, 1 << 20]),
                seed: rng.next(),
            }),
        }
    }

    /// What progress has to be of, to be gone on with.
    fn identity(&self, destinations: &[usize], job: &Job) -> String {
        let Self { from, to, .. } = self;
        let places = job.destinations.iter().map(|d| d.id().place());
        let places: Vec<String> = places.collect();
        format!("audit from {from:?} to {to:?} of {destinations:?} at {places:?}")
    }
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
    let view = View {
        sim,
        process,
        to_id: match &command {
            Command::Audit(audit) => audit.to,
            _ => None,
        },
    };
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
            Command::Audit(audit) => audit.identity(destinations, &job),
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
    let mut world = World {
        source: view,
        destinations: sides.iter().map(|side| side as &dyn Destination).collect(),
        receivers: sides.iter().map(|side| side as &dyn Receiver).collect(),
        store: &mut *store,
        clock: view,
        observer: view,
    };
    let options = Options {
        insert: true,
        update: false,
        start_id: None,
        mode: Mode::Deliver,
        report: false,
        duplicates: Duplicates::Counted,
        scan_until_us: None,
        rows_per_second_max: None,
    };
    match command {
        &Command::Run { insert, update } => {
            let options = Options {
                insert,
                update,
                ..options
            };
            pipeline::pass(&job, &mut world, options)
        }
        Command::Retry => {
            view.sim.model().quiet.forget(RUN); // Somebody asks for it, whatever the endpoints asked for.
            pipeline::retry(&job, &mut world, options)
        }
        Command::Audit(audit) => {
            let mut model = view.sim.model();
            model.begin_audit(view.process, audit, destinations);
            let now_us = model.machine_now_us(view.process);
            drop(model);
            let options = Options {
                start_id: (!audit.resume).then(|| Id::from(audit.from.unwrap_or(i64::MIN))),
                mode: if audit.dry {
                    Mode::DryRun
                } else {
                    Mode::Deliver
                },
                report: audit.report,
                duplicates: Duplicates::Told,
                scan_until_us: audit.for_us.map(|for_us| now_us + for_us),
                rows_per_second_max: audit.rows_per_second_max,
                ..options
            };
            let streaming = audit.streams.map(|streams| Streaming {
                method: streams.method,
                memory_bytes: streams.memory_bytes,
                seed: streams.seed,
                spill: &|| Box::<Memory>::default() as Box<dyn Spill>,
                extra: streams.extra,
            });
            pipeline::audit(&job, &mut world, options, streaming.as_ref())
        }
    }
}

/// Spilled records.
#[derive(Default)]
struct Memory(HashMap<(usize, bool), Vec<Record>>);

impl Spill for Memory {
    fn append(&mut self, partition: usize, side: PairedSide, records: &[Record]) -> Result<()> {
        let place = self.0.entry((partition, side == PairedSide::Source));
        place.or_default().extend(records);
        Ok(())
    }

    fn take(&mut self, partition: usize, side: PairedSide) -> Result<Vec<Record>> {
        let place = (partition, side == PairedSide::Source);
        Ok(self.0.remove(&place).unwrap_or_default())
    }
}
