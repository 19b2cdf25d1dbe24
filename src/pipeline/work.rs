//! The parts of a pass, and the steps that all kinds of it take.

use super::deliver::Delivery;
use super::ledger::Ledger;
use super::options::Asked;
use super::pass::Pass;
use super::progress::Progress;
use super::report;
use super::scan::Scanner;
use super::throttle::Throttle;
use crate::config::Job;
use crate::error::Result;
use crate::logic::report::line::Fate;
use crate::logic::report::summary::{Pause, Summary};
use crate::world::World;

/// The parts that a pass is made of.
pub(super) struct Work<'a> {
    pub(super) pass: Pass<'a>,
    pub(super) ledger: Ledger<'a>,
    pub(super) progress: Progress,
    delivery: Delivery<'a>,
}

impl<'a> Work<'a> {
    pub(super) fn begin(job: &'a Job, world: &'a mut World<'_>, asked: Asked) -> Result<Self> {
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
    pub(super) fn deliver(&mut self) -> Result<()> {
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
    pub(super) fn scan_and_deliver(&mut self) -> Result<()> {
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
        self.scanner().is_blocked() || self.pass.is_scan_over() || self.delivery.is_over()
    }

    /// What is left to the next pass, because it changed while it was looked at, an audit looks at itself.
    pub(super) fn look_again(&mut self) -> Result<()> {
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
    pub(super) fn report_owed(&mut self) -> Result<()> {
        if self.pass.asked.reports() && !self.pass.asked.is_dry() {
            report::report_owed(&self.pass, &self.ledger, &self.progress, Fate::Owed)?;
        }
        self.progress.save_with_outbox(&self.pass, &self.ledger)
    }

    pub(super) fn end(self) -> Summary {
        let is_over = self.pass.is_scan_over();
        let is_scanned = self.progress.is_scanned();
        let is_confirmed = self.progress.held() == 0;
        let mut owed = self.ledger.left();
        let of_source = self.pass.throttle.pause();
        let throttles = self.pass.destination_throttles.iter();
        let of_destinations: Vec<_> = throttles.map(Throttle::pause).collect();
        let mut summary = self.pass.summary();
        for (number, of) in summary.each.iter_mut().enumerate() {
            of.owed = owed.remove(&of.name).unwrap_or_default();
            of.position = self.progress.reached(number, &of.name, summary.bounds);
            let waits = !is_over && self.progress.waits(number);
            if waits && of_source.is_some() {
                summary.paused = of_source;
            } else if waits {
                of.paused = of_destinations[number].or(Some(Pause::MaxOwed));
            }
        }
        Summary {
            owed_to_strangers: owed.values().map(|owed| owed.count).sum(),
            interrupted: summary.interrupted || !(is_scanned && is_confirmed) && is_over,
            ..summary
        }
    }
}
