//! Matches the destinations in state files with the destinations of the configuration.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::owed::Owed;
use crate::logic::scan::checkpoint::Checkpoint;
use crate::logic::scan::identity::{DestinationId, place_of};

/// A destination of the configuration.
#[derive(Clone, Debug)]
pub struct Known {
    /// As it is written down from now on.
    pub id: DestinationId,
    /// The name that state files without addresses call it by.
    pub name_before: String,
}

/// State files in the names of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognised {
    /// Its positions name destinations of the configuration, and others that are no longer in it.
    pub checkpoint: Option<Checkpoint>,
    /// Each callback is owed to a destination of the configuration, or to a name that none of them has.
    pub outbox: Outbox,
    /// The file of owed callbacks says something else.
    pub outbox_changed: bool,
    /// What an operator should hear.
    pub told: Vec<Told>,
}

/// What became of a destination that the state files name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is in another place.
    Moved {
        /// Its name now.
        destination: String,
        /// Where it was.
        from: String,
        /// Where it is now.
        to: String,
    },
    /// It has another name.
    Renamed {
        /// Its name now.
        destination: String,
        /// Its name before.
        before: String,
    },
}

/// Finds out which destinations the state files mean.
#[must_use]
pub fn recognise(
    checkpoint: Option<Checkpoint>,
    outbox: Outbox,
    configured: &[Known],
) -> Recognised {
    let current: Vec<&DestinationId> = configured.iter().map(|known| &known.id).collect();
    let saved = checkpoint
        .as_ref()
        .map_or(vec![], |checkpoint| checkpoint.destinations.clone());
    let found = matched(&saved, &current);
    let told = told(&saved, &found, &current);
    let recogniser = Recogniser {
        configured,
        saved: &saved,
        found: &found,
        is_first: checkpoint.is_none(),
    };
    let checkpoint = checkpoint.map(|checkpoint| recogniser.checkpoint(checkpoint));
    let (outbox, outbox_changed) = outbox.renamed(|owed| recogniser.owed(owed));
    Recognised {
        checkpoint,
        outbox,
        outbox_changed,
        told,
    }
}

/// Takes over callbacks that another process left owed. A name may mean another destination in each outbox, so each is
/// given the names of the configuration first. `checkpoint` is the one beside `outbox`. A row that both owe stays the
/// detection of `outbox`, which may have been sent.
#[must_use]
pub fn taken_over(
    checkpoint: Option<&Checkpoint>,
    outbox: Outbox,
    left: Outbox,
    configured: &[Known],
) -> Outbox {
    let renamed = |outbox| recognise(checkpoint.cloned(), outbox, configured).outbox;
    let mut all = renamed(outbox);
    for owed in renamed(left).lines() {
        all.adopt(owed.clone());
    }
    all
}

/// What decides, strongest first: what must be equal, and whether it may decide although several share it.
type Rule = (fn(&DestinationId) -> Option<String>, bool);

const RULES: [Rule; 6] = [
    (|id| Some(format!("{} {}", id.name, id.address())), true),
    (|id| Some(id.address()), true),
    (|id| Some(format!("{} {}", id.name, id.place())), true),
    (|id| Some(id.place()), false),
    // The address is another one: a server that moved.
    (|id| Some(id.name.clone()), true),
    // The same where the name is a default one: it may hold the address, and what else there is decides about it.
    (|id| has_default_name(id).then(|| id.table.clone()), false),
];

fn has_default_name(id: &DestinationId) -> bool {
    id.name == id.place() || id.name == id.address() || id.name == id.table.replace('`', "")
}

/// Which configured destination each saved one is. Each is taken once.
fn matched(saved: &[DestinationId], current: &[&DestinationId]) -> Vec<Option<usize>> {
    let mut found = vec![None; saved.len()];
    let mut taken = vec![false; current.len()];
    for (rule, decides_among_several) in RULES {
        let mut free: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, id) in current.iter().enumerate() {
            if let Some(value) = rule(id).filter(|_| !taken[number]) {
                free.entry(value).or_default().push(number);
            }
        }
        let mut open: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, id) in saved.iter().enumerate() {
            if let Some(value) = rule(id).filter(|_| found[number].is_none()) {
                open.entry(value).or_default().push(number);
            }
        }
        for (value, saved) in open {
            let Some(free) = free.get(&value) else {
                continue;
            };
            if !decides_among_several && (saved.len() > 1 || free.len() > 1) {
                continue;
            }
            for (saved, &free) in saved.into_iter().zip(free) {
                found[saved] = Some(free);
                taken[free] = true;
            }
        }
    }
    found
}

fn told(saved: &[DestinationId], found: &[Option<usize>], current: &[&DestinationId]) -> Vec<Told> {
    let mut told = vec![];
    for (was, number) in saved.iter().zip(found) {
        let Some(is) = number.map(|number| current[number]) else {
            continue;
        };
        if was.place() != is.place() {
            told.push(Told::Moved {
                destination: is.name.clone(),
                from: was.place(),
                to: is.place(),
            });
        } else if was.name != is.name {
            told.push(Told::Renamed {
                destination: is.name.clone(),
                before: was.name.clone(),
            });
        }
    }
    told
}

struct Recogniser<'a> {
    configured: &'a [Known],
    saved: &'a [DestinationId],
    /// What each of `saved` is now.
    found: &'a [Option<usize>],
    is_first: bool,
}

impl Recogniser<'_> {
    fn checkpoint(&self, mut checkpoint: Checkpoint) -> Checkpoint {
        for position in &mut checkpoint.positions {
            let names = std::mem::take(&mut position.destinations);
            let names = names.iter().filter_map(|name| self.position_name(name));
            position.destinations = names.collect();
        }
        checkpoint
    }

    /// What a position's destination is called now. `None`: its name is another one's now.
    fn position_name(&self, name: &str) -> Option<String> {
        let now = match self.saved.iter().position(|id| id.name == name) {
            Some(at) => self.found[at],
            None => self.named_before(name),
        };
        match now {
            Some(number) => Some(self.configured[number].id.name.clone()),
            None => (!self.is_configured(name)).then(|| name.to_owned()),
        }
    }

    /// Name and address of an owed callback.
    fn owed(&self, owed: &Owed) -> (String, Option<String>) {
        if let Some(number) = self.owed_to(owed) {
            let id = &self.configured[number].id;
            return (id.name.clone(), Some(id.address()));
        }
        let address = owed.address.clone();
        // Nobody else may have its name.
        let free = std::iter::once(owed.destination.clone())
            .chain(address.as_deref().map(|it| place_of(it).to_owned()))
            .chain(address.clone())
            .find(|name| !self.is_configured(name));
        let numbered = || {
            let mut numbered =
                (2..).map(|n| format!("{}#{n}", address.as_deref().unwrap_or(&owed.destination)));
            numbered.find(|name| !self.is_configured(name))
        };
        let name = free.or_else(numbered);
        (name.unwrap_or_else(|| owed.destination.clone()), address)
    }

    fn owed_to(&self, owed: &Owed) -> Option<usize> {
        let Some(address) = &owed.address else {
            return self.named_before(&owed.destination);
        };
        let is_saved = |id: &DestinationId| id.name == owed.destination && id.address() == *address;
        if let Some(at) = self.saved.iter().position(is_saved) {
            return self.found[at];
        }
        let same_name = |&number: &usize| self.configured[number].id.name == owed.destination;
        let by = |is_it: &dyn Fn(&DestinationId) -> bool| -> Vec<usize> {
            let numbers = 0..self.configured.len();
            numbers
                .filter(|&number| is_it(&self.configured[number].id))
                .collect()
        };
        let exactly = by(&|id| id.address() == *address);
        if let Some(&first) = exactly.first() {
            return exactly.iter().copied().find(same_name).or(Some(first));
        }
        let there = by(&|id| id.place() == place_of(address));
        match there.as_slice() {
            [only] => Some(*only),
            // Nothing is known of this address. The name may be another destination's by now, unless this is the first
            // look at all.
            [] if self.is_first => (0..self.configured.len()).find(same_name),
            several => several.iter().copied().find(same_name),
        }
    }

    /// The destination that a state file without addresses calls so.
    fn named_before(&self, name: &str) -> Option<usize> {
        let mut configured = self.configured.iter();
        configured
            .position(|known| known.name_before == name)
            .or_else(|| {
                self.configured
                    .iter()
                    .position(|known| known.id.name == name)
            })
    }

    fn is_configured(&self, name: &str) -> bool {
        self.configured.iter().any(|known| known.id.name == name)
    }
}
