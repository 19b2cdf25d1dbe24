//! What really happened: what was committed, what each copy got and when, what was lost on the way, what was called back.
//! Written by everybody who acts, read by the judge when all is over.
//!
//! Every change of any row has a version of its own, greater than all before; the row's name says it. Intervals of time
//! are taken so long that they hold what they stand for: from before a statement was sent until after it had returned.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::rng::Rng;

/// A committed change of one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) id: u64,
    /// The version that it was inserted with; its number says it.
    pub(crate) born: u64,
    pub(crate) version: u64,
    pub(crate) deletes: bool,
    /// When its COMMIT was sent.
    pub(crate) sent: Instant,
}

impl Change {
    /// The row's key in every copy.
    pub(crate) fn number(&self) -> String {
        format!("n{}", self.born)
    }

    pub(crate) fn name(&self) -> String {
        format!("v{}", self.version)
    }

    pub(crate) fn avatar(&self) -> String {
        format!("a{}.png", self.version)
    }
}

/// The version that a row's name says.
pub(crate) fn version_of(name: &str) -> Option<u64> {
    name.strip_prefix('v')?.parse().ok()
}

/// A copy, counted from 0, and the row's id.
pub(crate) type Place = (usize, u64);

/// How a loss ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Healer {
    /// A later change arrived.
    Copier,
    /// The owner wrote what a callback said.
    Owner,
}

/// A change that never arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loss {
    pub(crate) version: u64,
    pub(crate) inserts: bool,
    pub(crate) since: Instant,
    pub(crate) healed: Option<(Instant, Healer)>,
    /// Nobody changes the row until it is healed, so that only a callback can.
    pub(crate) frozen: bool,
}

/// A change that arrived later than cupid waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Late {
    pub(crate) version: u64,
    pub(crate) until: Instant,
}

/// A callback as the owner got it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) place: Place,
    pub(crate) version: u64,
    pub(crate) run: u64,
    pub(crate) at: Instant,
    /// Genuine, for the right copy, and of one version throughout.
    pub(crate) sound: bool,
    /// Answered 2xx, or would have been if the answer had not got lost.
    pub(crate) taken: bool,
}

/// One process of cupid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) began: Instant,
    /// Its passes go on for long: a callback is not as old as the process.
    pub(crate) repeats: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) transactions: u64,
    pub(crate) rolled_back: u64,
    pub(crate) changes: u64,
    pub(crate) held_longest: Duration,
    pub(crate) committed: HashSet<(u64, u64)>,
    pub(crate) gone: HashMap<u64, Instant>,
    pub(crate) losses: BTreeMap<Place, Vec<Loss>>,
    pub(crate) lates: BTreeMap<Place, Vec<Late>>,
    pub(crate) calls: Vec<Call>,
    pub(crate) runs: Vec<Run>,
    /// The version that each row was inserted with.
    born: HashMap<u64, u64>,
    ids: Vec<u64>,
    version: u64,
    claimed: HashSet<u64>,
    frozen: HashMap<u64, usize>,
}

/// All facts, under one lock.
pub(crate) struct Ledger {
    confirm_delay: Duration,
    facts: Mutex<Facts>,
}

impl Ledger {
    /// A table whose rows 1 to `rows` are in every copy, with versions equal to their ids.
    pub(crate) fn new(rows: u64, confirm_delay: Duration) -> Self {
        let facts = Facts {
            born: (1..=rows).map(|id| (id, id)).collect(),
            committed: (1..=rows).map(|id| (id, id)).collect(),
            ids: (1..=rows).collect(),
            version: rows,
            ..Facts::default()
        };
        Self {
            confirm_delay,
            facts: Mutex::new(facts),
        }
    }

    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn next_version(&self) -> u64 {
        let mut facts = self.facts();
        facts.version += 1;
        facts.version
    }

    /// One of the rows that nobody is changing, for the caller alone until [`Self::release`]: its id and when it was
    /// born. Every tenth time it is one of the five oldest, which so change again and again.
    pub(crate) fn claim(&self, rng: &mut Rng) -> Option<(u64, u64)> {
        let mut facts = self.facts();
        let among = if rng.chance(100) { 5 } else { facts.ids.len() };
        let at = usize::try_from(rng.below(among as u64)).ok()?;
        let id = *facts.ids.get(at)?;
        if facts.gone.contains_key(&id)
            || facts.frozen.contains_key(&id)
            || !facts.claimed.insert(id)
        {
            return None;
        }
        Some((id, facts.born[&id]))
    }

    pub(crate) fn release(&self, ids: impl IntoIterator<Item = u64>) {
        let mut facts = self.facts();
        for id in ids {
            facts.claimed.remove(&id);
        }
    }

    /// A transaction has committed. `loses` says of a change and a copy whether it never arrives there, and whether the
    /// row is left alone until it is healed. Releases the rows, and returns what each copy is to get.
    pub(crate) fn committed(
        &self,
        changes: &[Change],
        held: Duration,
        copies: usize,
        mut loses: impl FnMut(&Change, usize) -> Option<bool>,
    ) -> Vec<(usize, Change)> {
        let mut facts = self.facts();
        let mut to_send = Vec::new();
        facts.transactions += 1;
        facts.held_longest = facts.held_longest.max(held);
        for change in changes {
            let id = change.id;
            let inserts = change.born == change.version;
            facts.changes += 1;
            facts.claimed.remove(&id);
            if change.deletes {
                facts.gone.insert(id, Instant::now());
            } else {
                facts.committed.insert((id, change.version));
            }
            if inserts {
                facts.born.insert(id, change.born);
                facts.ids.push(id);
            }
            for copy in 0..copies {
                let Some(frozen) = loses(change, copy).filter(|_| !change.deletes) else {
                    to_send.push((copy, *change));
                    continue;
                };
                let lost = Loss {
                    version: change.version,
                    inserts,
                    since: change.sent,
                    healed: None,
                    frozen,
                };
                facts.losses.entry((copy, id)).or_default().push(lost);
                if frozen {
                    *facts.frozen.entry(id).or_default() += 1;
                }
            }
        }
        to_send
    }

    /// A copy holds this version now.
    pub(crate) fn arrived(&self, place: Place, version: u64, healer: Healer) {
        let now = Instant::now();
        let mut facts = self.facts();
        let Facts { losses, frozen, .. } = &mut *facts;
        let standing = losses.get_mut(&place).into_iter().flatten();
        for loss in standing.filter(|loss| loss.healed.is_none() && loss.version <= version) {
            loss.healed = Some((now, healer));
            if loss.frozen
                && let Some(count) = frozen.get_mut(&place.1)
            {
                *count -= 1;
                if *count == 0 {
                    frozen.remove(&place.1);
                }
            }
        }
    }

    /// The copier has brought this change.
    pub(crate) fn copied(&self, copy: usize, change: &Change) {
        let place = (copy, change.id);
        self.arrived(place, change.version, Healer::Copier);
        if change.sent.elapsed() >= self.confirm_delay {
            let late = Late {
                version: change.version,
                until: Instant::now(),
            };
            self.facts().lates.entry(place).or_default().push(late);
        }
    }

    /// A process of cupid is about to begin; its number.
    pub(crate) fn run(&self, repeats: bool) -> u64 {
        let mut facts = self.facts();
        facts.runs.push(Run {
            began: Instant::now(),
            repeats,
        });
        facts.runs.len() as u64 - 1
    }

    pub(crate) fn called(&self, call: Call) {
        self.facts().calls.push(call);
    }

    pub(crate) fn confirm_delay(&self) -> Duration {
        self.confirm_delay
    }
}
