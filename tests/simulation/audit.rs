//! What is checked of audits: whatever was there from an audit's begin to its end, over interruptions, was looked at, and
//! a difference that lasted as long was called back or told.

use std::collections::HashMap;

use cupid::logic::report::line::{Kind, Line};
use cupid::logic::report::summary::{Summary, Unread};
use cupid::logic::scan::checkpoint::{Checkpoint, Position};
use cupid::logic::value::cell::Cell;
use cupid::pipeline::Audit;

use crate::check::remembers;
use crate::copies::Copies;
use crate::fact::Fact;
use crate::job::numbers;
use crate::ledger::Ledger;
use crate::model::Model;
use crate::source::{key_and_version, small};
use crate::table::{Content, SourceRow};

/// An audit, from its begin through all processes that go on with it.
#[derive(Clone, Debug)]
pub(crate) struct Campaign {
    /// The tick of its begin.
    began: u64,
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
    pub(crate) destinations: Vec<usize>,
    dry: bool,
    tells: Tells,
}

/// What each process of an audit wrote into its report.
#[derive(Clone, Copy, Debug)]
struct Tells {
    differences: bool,
    /// Keys with several rows.
    repeated: bool,
    /// Rows that only a destination has.
    extra: bool,
}

/// What a process was shown of both tables while they were read from end to end.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// For each destination: the source is summed up for each of them.
    rows: Vec<HashMap<i64, Content>>,
    copies: Vec<HashMap<i64, Vec<Content>>>,
}

impl Campaign {
    fn is_in_range(&self, id: i64) -> bool {
        self.from.is_none_or(|from| from <= id) && self.to.is_none_or(|to| id <= to)
    }

    /// The row was there all the time.
    fn is_part(&self, id: i64, row: &SourceRow) -> bool {
        self.is_in_range(id) && row.there_since < self.began
    }
}

impl Model {
    /// A process begins an audit.
    pub(crate) fn begin_audit(&mut self, process: usize, audit: &Audit, destinations: &[usize]) {
        let shown = Shown {
            rows: vec![HashMap::new(); self.plan.destinations],
            copies: vec![HashMap::new(); self.plan.destinations],
        };
        let state = &mut self.processes[process];
        state.shown = shown;
        state.campaign = Some(Campaign {
            began: self.tick,
            from: audit.ids.from.map(small),
            to: audit.ids.to.map(small),
            destinations: destinations.to_vec(),
            dry: audit.handling.is_dry,
            tells: Tells {
                differences: audit.handling.reports,
                repeated: audit.handling.reports,
                extra: audit.handling.reports && audit.extra,
            },
        });
    }

    /// It goes on with one that was begun before.
    pub(crate) fn resume(&mut self, process: usize, campaign: Option<Campaign>) {
        let Some(begun) = self.processes[process].campaign.take() else {
            return;
        };
        self.processes[process].campaign = campaign.map(|campaign| Campaign {
            tells: Tells {
                differences: campaign.tells.differences && begun.tells.differences,
                repeated: campaign.tells.repeated && begun.tells.repeated,
                extra: campaign.tells.extra && begun.tells.extra,
            },
            ..campaign
        });
    }

    /// It says that it does not look for keys with several rows.
    pub(crate) fn repeated_unknown(&mut self, process: usize) {
        if let Some(campaign) = &mut self.processes[process].campaign {
            campaign.tells.repeated = false;
        }
    }

    /// The process was shown a source row, to compare it with those of a destination.
    pub(crate) fn visited(
        &mut self,
        process: usize,
        destination: usize,
        id: i64,
        content: Content,
    ) {
        self.processes[process].shown.rows[destination].insert(id, content);
        if let Some(key) = self.plan.key_of(id) {
            self.paired(process, destination, key);
        }
    }

    /// The process was shown the copies of a key.
    pub(crate) fn visited_copies(&mut self, process: usize, destination: usize, key: i64) {
        let copies = self.copies(destination, key).collect();
        let shown = &mut self.processes[process].shown;
        shown.copies[destination].insert(key, copies);
        self.paired(process, destination, key);
    }

    /// Rows that were shown with equal copies need not be looked at any more.
    fn paired(&mut self, process: usize, destination: usize, key: i64) {
        let tick = self.tick;
        let shown = &self.processes[process].shown;
        let Some(copies) = shown.copies[destination].get(&key) else {
            return;
        };
        let equal = |id: &i64| {
            let content = shown.rows[destination].get(id);
            content.is_some_and(|content| copies.contains(content))
        };
        let ids: Vec<i64> = self.plan.ids_of(key).filter(equal).collect();
        for id in ids {
            self.ledger(destination, id).audited = tick;
        }
    }

    /// Lines of an audit's report.
    pub(crate) fn told(&mut self, process: usize, lines: &[Line]) {
        if self.is_over(process) {
            return;
        }
        let tick = self.next_tick();
        for line in lines {
            self.tell(|| {
                format!(
                    "[{process}] {} {:?} {}{}",
                    line.destination, line.kind, line.id, line.key
                )
            });
            let destination = self.names[&line.destination];
            if line.kind == Kind::Extra {
                self.told_extra(process, destination, &line.key);
                continue;
            }
            let Ok(id) = line.id.parse() else {
                self.fail(Fact::AuditWhole, format!("A line names no row: {line:?}"));
                continue;
            };
            let looked = self.processes[process].looked.get(&(destination, id));
            if line.kind != Kind::Duplicate && looked.is_none_or(|looked| looked.agrees) {
                let text = format!("{id} is told, and agreed when last looked at: {looked:?}");
                self.fail(Fact::NothingFalse, text);
            }
            let ledger = self.ledger(destination, id);
            if line.kind == Kind::Duplicate {
                ledger.told_duplicate = tick;
            } else {
                ledger.told = tick;
            }
        }
    }

    fn told_extra(&mut self, process: usize, destination: usize, key: &str) {
        let key = key
            .parse()
            .ok()
            .and_then(|key| key_and_version(&Cell::Int(key)));
        let Some((key, _)) = key else {
            return self.fail(Fact::AuditWhole, format!("A line names no key: {key:?}"));
        };
        let tick = self.tick;
        self.copies[destination].told_extra.insert(key, tick);
        let began = self.processes[process].began;
        let is_there = |id| self.row(id).is_some_and(|row| row.there_since < began);
        if self.plan.ids_of(key).any(is_there) {
            let text = format!("the key {key} is called extra, and the source has it");
            self.fail(Fact::NothingFalse, text);
        }
    }

    /// An audit's progress is about to be on disk.
    pub(crate) fn check_progress(&mut self, process: usize, progress: &Checkpoint) {
        let Some(campaign) = self.processes[process].campaign.clone() else {
            return;
        };
        let numbers = numbers(progress);
        for position in &progress.positions {
            for name in &position.destinations {
                let destination = numbers[name.as_str()];
                if let Some(id) = self.unanswered(&campaign, destination, Some(position)) {
                    let text = format!("d{destination} did not answer an audit for {id}");
                    self.fail(Fact::CheckpointWaits, text);
                }
            }
        }
    }

    /// A row that an audit has not looked at, of those that lie behind a position.
    fn unanswered(
        &self,
        campaign: &Campaign,
        destination: usize,
        position: Option<&Position>,
    ) -> Option<i64> {
        let next_id = position.map_or(i64::MAX, |position| small(position.next_id.unwrap_or(0)));
        let is_unanswered = |id: i64| {
            let ledger = self.ledgers[destination].get(&id);
            ledger.map_or(0, |ledger| ledger.audited) < campaign.began.max(1)
        };
        let is_remembered = |id| position.is_some_and(|position| remembers(position, id));
        let mut behind = self.rows().filter(|&(id, row)| {
            id < next_id && campaign.is_part(id, row) && is_unanswered(id) && !is_remembered(id)
        });
        behind.next().map(|(id, _)| id)
    }

    /// An audit came to its end.
    pub(crate) fn check_audit(&mut self, process: usize, summary: &Summary) {
        let Some(campaign) = self.processes[process].campaign.clone() else {
            return;
        };
        if summary.interrupted || summary.pause().is_some() {
            return;
        }
        for &destination in &campaign.destinations {
            let is_it = |unread: &Unread| self.names[&unread.destination] == destination;
            if summary.unread().any(is_it) {
                continue;
            }
            let wrong = self
                .unanswered(&campaign, destination, None)
                .map(|id| format!("was not looked at: {id}"))
                .or_else(|| self.untold(&campaign, destination))
                .or_else(|| self.untold_extra(&campaign, destination));
            if let Some(text) = wrong {
                self.fail(Fact::AuditWhole, format!("d{destination}: {text}"));
            }
        }
    }

    /// Nobody has written to the copies of this key since the audit began.
    fn stood_still(&self, campaign: &Campaign, destination: usize, key: i64) -> bool {
        let written = self.copies[destination].written.get(&key);
        written.copied().unwrap_or(0) < campaign.began
    }

    /// A difference that lasted all the time, and that nobody heard of.
    fn untold(&self, campaign: &Campaign, destination: usize) -> Option<String> {
        for (id, row) in self.rows() {
            let key = self.plan.key_of(id).unwrap_or(i64::MIN);
            let lasted = campaign.is_part(id, row)
                && row.tick < campaign.began
                && self.stood_still(campaign, destination, key);
            if !lasted {
                continue;
            }
            let agrees = self.agrees(destination, id, row.content);
            if !agrees && !self.is_heard_of(campaign, destination, id) {
                return Some(format!("nobody hears of {id}, which is {row:?}"));
            }
            let is_repeated = self.copies(destination, key).count() > 1;
            let told_duplicate = self.ledgers[destination]
                .get(&id)
                .map_or(0, |ledger| ledger.told_duplicate);
            if is_repeated && campaign.tells.repeated && told_duplicate < campaign.began {
                return Some(format!("the key of {id} has several rows, nobody is told"));
            }
        }
        None
    }

    /// Somebody was called back, or will be, or was told at least.
    fn is_heard_of(&self, campaign: &Campaign, destination: usize, id: i64) -> bool {
        let Ledger {
            told, delivered, ..
        } = self.ledgers[destination]
            .get(&id)
            .cloned()
            .unwrap_or_default();
        if campaign.dry {
            return told >= campaign.began || !campaign.tells.differences;
        }
        let mut folders = self.folders.iter();
        delivered >= campaign.began
            || folders.any(|folder| folder.owed.contains(&(destination, id)))
    }

    /// A row that only the destination had all the time.
    fn untold_extra(&self, campaign: &Campaign, destination: usize) -> Option<String> {
        if !campaign.tells.extra {
            return None;
        }
        let Copies {
            rows, told_extra, ..
        } = &self.copies[destination];
        let since = |at: Option<&u64>| at.is_some_and(|&at| at >= campaign.began);
        let lasted = |key: i64| {
            let is_there = self.plan.ids_of(key).any(|id| self.row(id).is_some());
            let is_seen = self.copies(destination, key).next().is_some();
            is_seen
                && !is_there
                && !since(self.table.left.get(&key))
                && self.stood_still(campaign, destination, key)
        };
        let untold = |key: &&i64| lasted(**key) && !since(told_extra.get(key));
        let key = rows.keys().find(untold)?;
        Some(format!("nobody is told that only it has the key {key}"))
    }
}
