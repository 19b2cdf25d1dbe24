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
mod audit;
mod callback;
mod deliver;
mod ended;
mod ledger;
mod look;
mod options;
mod owed;
mod pass;
mod progress;
mod recheck;
mod reconfirm;
mod report;
mod restart;
mod scan;
mod throttle;

pub use options::{Audit, Handling, IdRange, Method, Run};
pub use recheck::recheck;

use crate::config::Job;
use crate::error::Result;
use crate::logic::report::line::Fate;
use crate::logic::report::summary::Summary;
use crate::world::World;

use deliver::Delivery;
use ledger::Ledger;
use options::Asked;
use pass::Pass;
use progress::Progress;
use scan::Scanner;

/// One pass: owed callbacks first, then what is new, then what that made owed.
///
/// # Errors
/// When the source or the state cannot be read or written. Nothing was skipped then.
pub fn pass(job: &Job, world: &mut World<'_>, run: Run) -> Result<Summary> {
    let mut work = Work::begin(job, world, Asked::Run(run))?;
    work.deliver()?;
    work.scan_and_deliver()?;
    work.report_owed()?;
    Ok(work.end())
}

/// The same over a range of ids from end to end. Where that pays, both tables are read once, and only what is not known to
/// be equal is looked up; else every row is.
///
/// # Errors
/// As [`pass`].
pub fn audit(job: &Job, world: &mut World<'_>, audit: Audit) -> Result<Summary> {
    let spills = world.spills;
    let mut work = Work::begin(job, world, Asked::Audit(audit))?;
    work.progress.save_beginning(&work.pass, &work.ledger)?;
    work.deliver()?;
    let extra = audit::find_unequal(&work.pass, &mut work.progress, &audit, spills)?;
    work.scan_and_deliver()?;
    work.look_again()?;
    audit::report_extra(&work.pass, extra)?;
    work.report_owed()?;
    Ok(work.end())
}

/// Only delivers what is owed, now: who asks for it does not want to wait as long as an endpoint once asked for.
///
/// # Errors
/// As [`pass`].
pub fn retry(job: &Job, world: &mut World<'_>) -> Result<Summary> {
    let mut work = Work::begin(job, world, Asked::Retry)?;
    work.ledger.forget_waits();
    work.deliver()?;
    Ok(work.end())
}

/// The parts that a pass is made of.
struct Work<'a> {
    pass: Pass<'a>,
    ledger: Ledger<'a>,
    progress: Progress,
    delivery: Delivery<'a>,
}

impl<'a> Work<'a> {
    fn begin(job: &'a Job, world: &'a mut World<'_>, asked: Asked) -> Result<Self> {
        let World {
            tables,
            receivers,
            spills: _,
            store,
            clock,
            observer,
        } = world;
        let pass = Pass::new(job, tables, *clock, *observer, asked);
        let (ledger, loaded) = Ledger::load(job, &mut **store, *observer, clock.now_us())?;
        let progress = Progress::load(&pass, &ledger, loaded)?;
        Ok(Self {
            delivery: Delivery::new(&pass, receivers),
            pass,
            ledger,
            progress,
        })
    }

    /// Calls back what is owed. A dry run reports it instead.
    fn deliver(&mut self) -> Result<()> {
        let Self {
            pass,
            ledger,
            progress,
            delivery,
        } = self;
        if pass.asked.is_dry() {
            report::report_owed(pass, ledger, progress, Fate::DryRun)?;
            return ledger.forget_all();
        }
        let outcome = delivery.deliver(pass, ledger, progress);
        outcome.and(progress.save_with_outbox(pass, ledger))
    }

    /// Scans, settles and delivers, in turns when more is found than may be owed at once.
    fn scan_and_deliver(&mut self) -> Result<()> {
        self.progress.plan(&self.pass, &self.ledger)?;
        loop {
            let mut scanner = self.scanner();
            scanner.scan()?;
            scanner.settle()?;
            self.deliver()?;
            if self.progress.is_scanned() || self.has_to_wait() {
                return Ok(());
            }
        }
    }

    fn scanner(&mut self) -> Scanner<'_, 'a> {
        Scanner {
            pass: &self.pass,
            ledger: &self.ledger,
            progress: &mut self.progress,
        }
    }

    /// As much is owed as may be, or the time is over.
    fn has_to_wait(&mut self) -> bool {
        self.scanner().is_full() || self.pass.is_scan_over() || self.delivery.is_over()
    }

    /// What is left to the next pass, because it changed while it was looked at, an audit looks at itself.
    fn look_again(&mut self) -> Result<()> {
        if !self.progress.is_scanned() || self.progress.leaves_nothing() {
            return Ok(());
        }
        if self.has_to_wait() {
            self.pass.interrupt();
            return Ok(());
        }
        self.progress.go_back_to_saved();
        self.scan_and_deliver()
    }

    /// Writes what is still owed into the report.
    fn report_owed(&mut self) -> Result<()> {
        if self.pass.asked.reports() && !self.pass.asked.is_dry() {
            report::report_owed(&self.pass, &self.ledger, &self.progress, Fate::Owed)?;
        }
        self.progress.save_with_outbox(&self.pass, &self.ledger)
    }

    fn end(self) -> Summary {
        let is_over = self.pass.is_scan_over();
        let is_scanned = self.progress.is_scanned();
        let is_confirmed = self.progress.held() == 0;
        let left = self.ledger.left();
        let summary = self.pass.summary();
        Summary {
            owed: left.owed,
            too_large: left.too_large,
            paused: !is_scanned && !is_over,
            interrupted: summary.interrupted || !(is_scanned && is_confirmed) && is_over,
            ..summary
        }
    }
}
