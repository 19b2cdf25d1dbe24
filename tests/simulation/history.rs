//! One seed's history: passes over a world that gets worse and better, then quiet, then judgement.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cupid::error::Exit;
use cupid::pipeline::{self, Mode, Options, World};
use cupid::world::{Destination, Receiver};

use crate::broken::Broken;
use crate::check;
use crate::fact::{Fact, Failure};
use crate::model::Model;
use crate::plan::{MS, SECOND};
use crate::reads::Reads;
use crate::run::{Mood, Run};
use crate::sides::{Killed, Side, Sim};
use crate::store::Disk;

/// What became of a seed.
pub(crate) struct Told {
    pub(crate) failure: Option<Failure>,
    pub(crate) story: Vec<String>,
    /// Source rows, callbacks taken, calls: equal when a seed is replayed.
    pub(crate) figures: (usize, u64, u64),
}

pub(crate) fn tell(seed: u64, broken: Option<Broken>, telling: bool) -> Told {
    let mut model = Model::new(seed, broken, telling);
    let plan = model.plan.clone();
    model.tell(|| format!("{plan:?}"));
    let sim = Sim::new(model);
    let job = plan.job();
    for _ in 0..plan.passes {
        befall(&sim);
        pass(&sim, &job);
    }
    settle(&sim, &job);
    let mut model = sim.model();
    if model.failure.is_none() {
        check::end(&mut model);
    }
    let delivered = model.ledgers.iter().flat_map(|l| l.values());
    Told {
        figures: (
            model.rows.len(),
            delivered.map(|l| l.delivered).sum(),
            model.tick,
        ),
        failure: model.failure.take(),
        story: model.story.take().unwrap_or_default(),
    }
}

/// Time goes by, and the next run's fate is decided.
fn befall(sim: &Sim) {
    let mut model = sim.model();
    let plan = model.plan.clone();
    let gap_us = if model.rng.chance(plan.pauses) {
        model.rng.between(10 * SECOND, 200 * SECOND)
    } else {
        model.rng.between(0, 3 * SECOND)
    };
    model.wait(gap_us);
    if plan.jump != 0 && model.rng.chance(100) {
        let now_us = model.machine_now_us();
        for quiet_until_us in &mut model.quiet_until_us {
            if *quiet_until_us <= now_us {
                *quiet_until_us = i64::MIN; // It stays over, even if the clock goes back.
            }
        }
        model.machine_ahead_us += model.rng.between(-5 * SECOND, 5 * SECOND);
    }
    let moods = std::mem::take(&mut model.run.moods);
    let mut run = Run::new(plan.destinations);
    let soon = |rng: &mut crate::rng::Rng, chance| {
        let most = rng.pick(&[10, 40, 150]);
        let at = rng.below(most) + 1;
        if rng.chance(chance) { at } else { u64::MAX }
    };
    run.kill_at = soon(&mut model.rng, plan.kills);
    run.stop_at = soon(&mut model.rng, plan.stops);
    run.source_fails_at = soon(&mut model.rng, plan.errors);
    run.store_fails_at = soon(&mut model.rng, plan.errors);
    run.only_retry = model.rng.chance(80);
    for down in &mut run.destinations_down {
        *down = model.rng.chance(plan.outages);
    }
    run.moods = moods;
    for mood in &mut run.moods {
        if model.rng.chance(plan.moods) {
            *mood = model.rng.pick(&[
                Mood::Good,
                Mood::Idle,
                Mood::Moody,
                Mood::Moody,
                Mood::Refusing,
                Mood::Silent,
                Mood::Busy,
            ]);
        }
    }
    model.run = run;
}

/// Nothing is written any more and everything works: what has to be found is found now.
fn settle(sim: &Sim, job: &cupid::config::Job) {
    let healthy = |wait_us: i64| {
        let mut model = sim.model();
        model.writing = false;
        model.plan.latency_max = MS;
        model.wait(wait_us);
        model.run = Run::new(model.plan.destinations);
        drop(model);
        pass(sim, job);
    };
    for _ in 0..3 {
        healthy(SECOND);
    }
    let late_us = sim.model().plan.late;
    healthy(late_us + 30 * SECOND);
    for _ in 0..3 {
        healthy(late_us + SECOND);
    }
    for _ in 0..300 {
        let model = sim.model();
        let owed = check::outbox(&model).map_or(0, |outbox| outbox.len());
        if owed == 0 && model.run.done || model.failure.is_some() {
            return;
        }
        drop(model);
        healthy(3 * SECOND);
    }
    sim.model()
        .fail(Fact::PassEnds, "Callbacks stay owed for ever".into());
}

fn pass(sim: &Sim, job: &cupid::config::Job) {
    let mut model = sim.model();
    if model.failure.is_some() {
        return;
    }
    let in_turns = model.plan.in_turns && model.writing;
    let turn = model.rng.below(3);
    let options = Options {
        insert: model.plan.insert && (!in_turns || turn != 1),
        update: model.plan.update && (!in_turns || turn != 2),
        start_id: None,
        mode: Mode::Deliver,
        report: false,
        scan_until_us: None,
        rows_per_second_max: None,
        duplicates: pipeline::Duplicates::Counted,
    };
    let only_retry = model.run.only_retry;
    model.reads = Reads::default();
    if only_retry {
        model.quiet_until_us.fill(i64::MIN); // Somebody asks for it, and the wishes of before are forgotten.
    }
    model.tell(|| format!("== a run begins, only_retry: {only_retry}, {options:?}"));
    drop(model);
    let sides: Vec<Side<'_>> = (0..job.destinations.len())
        .map(|number| Side { sim, number })
        .collect();
    let mut disk = Disk {
        sim,
        appending: false,
    };
    let run = || {
        let mut world = World {
            source: sim,
            destinations: sides.iter().map(|side| side as &dyn Destination).collect(),
            receivers: sides.iter().map(|side| side as &dyn Receiver).collect(),
            store: &mut disk,
            clock: sim,
            observer: sim,
        };
        if only_retry {
            pipeline::retry(job, &mut world, options)
        } else {
            pipeline::pass(job, &mut world, options)
        }
    };
    let outcome = catch_unwind(AssertUnwindSafe(run));
    let mut model = sim.model();
    check::run(&mut model);
    match outcome {
        Ok(Ok(summary)) => {
            model.tell(|| format!("== {}", summary.line()));
            model.run.done = summary.exit() == Exit::Done;
            check::summary(&mut model, &summary);
        }
        Ok(Err(error)) => {
            model.tell(|| format!("== {error}"));
            model.quiet_until_us.fill(i64::MIN); // What the endpoints asked for may not have been written down.
        }
        Err(payload) if payload.is::<Killed>() => model.quiet_until_us.fill(i64::MIN),
        Err(_) => model.fail(Fact::NoPanic, "cupid panicked".into()),
    }
}
