//! One seed's history: runs over a world that gets worse and better, then quiet, then judgement.

use std::sync::{Mutex, PoisonError};

use crate::broken::Broken;
use crate::check;
use cupid::logic::value::cell::Id;
use cupid::pipeline::{Audit, IdRange};

use crate::command::{Command, Started, new_audit, perform};
use crate::fact::{Fact, Failure};
use crate::folder::AUDIT;
use crate::model::Model;
use crate::plan::{MS, Plan, SECOND};
use crate::process::Fate;
use crate::receiver::Mood;
use crate::sim::Sim;
use crate::watch::Watched;

/// Threads of other histories would seem to be at work in this one.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What became of a seed.
pub(crate) struct Told {
    pub(crate) failure: Option<Failure>,
    pub(crate) story: Vec<String>,
    /// Source rows, callbacks taken, calls: equal when a seed is replayed.
    pub(crate) figures: (usize, u64, u64),
}

pub(crate) fn tell(seed: u64, broken: Option<Broken>, telling: bool) -> Told {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let _watched = Watched::begin(seed);
    let model = Model::new(seed, broken, telling);
    let plan = model.plan;
    let sim = Sim::new(model);
    let mut configured: Vec<usize> = (0..plan.destinations).collect();
    for _ in 0..plan.passes {
        let (first, second) = {
            let mut model = sim.model();
            befall(&mut model, &mut configured);
            model.configure(&configured);
            let first = model.command(&configured);
            let first = model.started(0, first);
            let overlaps = model.rng.chance(plan.overlaps);
            let second = overlaps.then(|| {
                let in_us = model.rng.between(0, 2 * SECOND);
                let command = model.command(&configured);
                model.started(in_us, command)
            });
            (first, second)
        };
        perform(&sim, &configured, first, second);
        if sim.model().failure.is_some() {
            break;
        }
    }
    settle(&sim, &configured);
    let mut model = sim.model();
    if model.failure.is_none() {
        check::end(&mut model);
    }
    let delivered = model.ledgers.iter().flat_map(|l| l.values());
    Told {
        figures: (
            model.table.rows.len(),
            delivered.map(|l| l.delivered).sum(),
            model.tick,
        ),
        failure: model.failure.take(),
        story: model.story.take().unwrap_or_default(),
    }
}

/// Time goes by, somebody changes the configuration, sets the clock, restarts a receiver.
fn befall(model: &mut Model, configured: &mut Vec<usize>) {
    let Plan {
        pauses,
        machine_jumps,
        machine_jump_max,
        changes,
        identities,
        destinations,
        moods,
        ..
    } = model.plan;
    let gap_us = if model.rng.chance(pauses) {
        model.rng.between(10 * SECOND, 200 * SECOND)
    } else if model.rng.chance(200) {
        0
    } else {
        model.rng.between(0, 3 * SECOND)
    };
    model.slowness = if gap_us > 10 * SECOND { 10 } else { 1 };
    model.wait_until(model.now_us + gap_us);
    model.slowness = 1;
    if model.rng.chance(machine_jumps) {
        let now_us = model.now_us + model.machine_ahead_us;
        let jump_us = model.rng.between(-machine_jump_max, machine_jump_max);
        model.tell(|| format!("the machine's clock jumps by {jump_us} us"));
        model.quiet.clock_is_set(now_us, now_us + jump_us);
        model.machine_ahead_us += jump_us;
    }
    if model.rng.chance(model.plan.restarts) {
        model.restart();
    }
    let is_moving = model.is_moving(configured);
    if model.rng.chance(changes) && !is_moving {
        let at = usize::try_from(model.rng.below(destinations as u64)).unwrap_or(0);
        match configured.iter().position(|&number| number == at) {
            Some(place) if configured.len() > 1 => drop(configured.remove(place)),
            Some(_) => {}
            None if model.would_replace(configured, at) => {}
            None => configured.push(at),
        }
        model.tell(|| format!("the destinations are {configured:?} now"));
    }
    if model.identity_rng.chance(identities) && !is_moving {
        model.rewrite(configured);
    }
    for number in 0..destinations {
        if model.rng.chance(moods) {
            model.moods[number] = model.rng.pick(&[
                Mood::Good,
                Mood::Idle,
                Mood::Wrong,
                Mood::Moody,
                Mood::Moody,
                Mood::Refusing,
                Mood::Silent,
                Mood::Busy,
            ]);
        }
    }
}

impl Model {
    fn started(&mut self, in_us: i64, command: Command) -> Started {
        let fate = Fate::new(&self.plan, &mut self.rng);
        Started {
            in_us,
            process: self.start(command, fate),
        }
    }

    /// What is started next.
    fn command(&mut self, configured: &[usize]) -> Command {
        let plan = self.plan;
        if self.rng.chance(plan.audits) {
            return Command::Audit(self.audit(configured));
        }
        if self.rng.chance(plan.retries) {
            return Command::Retry;
        }
        let turn = if plan.in_turns { self.rng.below(3) } else { 0 };
        Command::Run {
            insert: plan.insert && turn != 1,
            update: plan.update && turn != 2,
        }
    }

    fn audit(&mut self, configured: &[usize]) -> Audit {
        let high = self.table.rows.last_key_value().map_or(1, |(&id, _)| id);
        let mut audit = new_audit(&mut self.rng, high);
        let begun = self.folders[AUDIT].campaign.as_ref();
        let begun = begun.filter(|campaign| campaign.destinations == configured);
        if let Some(campaign) = begun.filter(|_| self.rng.chance(600)) {
            audit.resume = true;
            audit.handling.is_dry = false;
            audit.ids = IdRange {
                from: campaign.from.map(Id::from),
                to: campaign.to.map(Id::from),
            };
        }
        audit
    }
}

/// Nothing is written any more and everything works: what has to be found is found now.
fn settle(sim: &Sim, configured: &[usize]) {
    let all: Vec<usize> = (0..sim.model().plan.destinations).collect();
    let healthy = |wait_us: i64| {
        let is_moving = sim.model().is_moving(configured);
        let destinations = if is_moving { configured } else { &all };
        let mut model = sim.model();
        model.writing = false;
        model.configure(destinations);
        model.plan.latency_max = MS;
        model.moods.fill(Mood::Good);
        let now_us = model.now_us;
        model.wait_until(now_us + wait_us);
        let (insert, update) = (model.plan.insert, model.plan.update);
        let process = model.start(Command::Run { insert, update }, Fate::none(all.len()));
        drop(model);
        perform(sim, destinations, Started { in_us: 0, process }, None);
        !is_moving && sim.model().processes[process].done
    };
    let late_us = sim.model().plan.late;
    healthy(late_us + 30 * SECOND);
    healthy(late_us + SECOND);
    for n in 0..150 {
        // An endpoint may have asked for a long wait before the clock was set back.
        let is_done = healthy(if n < 50 { 3 * SECOND } else { 120 * SECOND });
        let model = sim.model();
        let is_owed = model.folders.iter().any(|folder| !folder.owed.is_empty());
        if is_done && !is_owed || model.failure.is_some() {
            return;
        }
    }
    sim.model()
        .fail(Fact::PassEnds, "Callbacks stay owed for ever".into());
}
