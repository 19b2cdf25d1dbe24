//! All owed callbacks: one for each destination and source row. The newest detection wins.
//!
//! The file also holds callbacks that were taken and whose rows are to be compared once more. These
//! are no longer owed. Only [`Outbox::lines`] and [`Outbox::to_verify`] show them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::logic::callback::owed::{Owed, VERSION};
use crate::logic::value::address::Address;

/// How many times as often the oldest row has to be tried before another one is.
const TRIED_OFTENER: u32 = 8;

/// All owed callbacks of a configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outbox(BTreeMap<(String, Address), Owed>);

impl Outbox {
    /// Adds a detection. One that is owed already keeps its first detection and its tries, and takes everything else
    /// from the new one. Returns what is now owed, for the file, and whether it was not before.
    pub fn add(&mut self, owed: Owed) -> (&Owed, bool) {
        match self.0.entry((owed.destination.clone(), owed.id)) {
            Entry::Vacant(place) => (place.insert(owed), true),
            Entry::Occupied(place) if !place.get().is_owed() => {
                let known = place.into_mut();
                *known = owed;
                (known, true)
            }
            Entry::Occupied(place) => {
                let known = place.into_mut();
                *known = Owed {
                    detected_us: known.detected_us,
                    attempts: known.attempts,
                    last_error: known.last_error.take(),
                    not_before_us: known.not_before_us,
                    refused_runs: known.refused_runs,
                    retry_at_us: known.retry_at_us,
                    in_vain: known.in_vain,
                    detected_as: known.detected_as.take(),
                    ..owed
                };
                (known, false)
            }
        }
    }

    /// Takes over a callback of another outbox in which names mean the same destinations. A detection that is owed already
    /// stays the one it is. The later of both waits counts.
    pub fn adopt(&mut self, mut owed: Owed) {
        let Owed {
            not_before_us,
            gone_us,
            refused_runs,
            retry_at_us,
            in_vain,
            ..
        } = owed;
        if self.is_name_of_another(&owed)
            && let Some(address) = owed.address.clone()
        {
            // Two destinations that left the configuration had this name. Each keeps its callbacks.
            owed.rename(address.clone(), Some(address));
        }
        let key = (owed.destination.clone(), owed.id);
        if let Some(known) = self.0.get_mut(&key)
            && known.is_owed() != owed.is_owed()
        {
            // One of the two has not heard that it was taken, or that it is owed again.
            if owed.is_owed() {
                *known = owed;
            }
            return;
        }
        let known = self.0.entry(key).or_insert(owed);
        // A row that one of the two has not missed is gone only from the next look on.
        let gone = known.gone_us.zip(gone_us);
        known.gone_us = gone.map(|(one, other)| one.max(other));
        known.refused_runs = known.refused_runs.max(refused_runs);
        known.retry_at_us = known.retry_at_us.max(retry_at_us);
        known.in_vain |= in_vain;
        if let Some(not_before_us) = not_before_us {
            known.wait_until(not_before_us);
        }
    }

    /// The callback for this name and row is owed to another address.
    fn is_name_of_another(&self, owed: &Owed) -> bool {
        let known = self.0.get(&(owed.destination.clone(), owed.id));
        let address = known.and_then(|known| known.address.as_ref());
        address.is_some_and(|address| owed.address.as_ref().is_some_and(|own| own != address))
    }

    /// The same callbacks under other names: `rename` gives name and address of the destination that each is owed to. Two
    /// that become one stay the detection that comes first. Also returns whether anything changed.
    #[must_use]
    pub fn renamed(self, rename: impl Fn(&Owed) -> (String, Option<String>)) -> (Self, bool) {
        let mut renamed = Self::default();
        let mut changed = false;
        for mut owed in self.0.into_values() {
            let (name, address) = rename(&owed);
            changed |= name != owed.destination || address != owed.address;
            owed.rename(name, address);
            renamed.adopt(owed);
        }
        (renamed, changed)
    }

    /// Puts back an entry as it is now.
    pub fn replace(&mut self, owed: Owed) {
        self.0.insert((owed.destination.clone(), owed.id), owed);
    }

    /// The same of an entry that was read a while ago, and not tried since. What [`Self::remove`] has given it counts.
    pub fn put_back(&mut self, mut owed: Owed) {
        let key = (owed.destination.clone(), owed.id);
        if let Some(known) = self.0.get(&key) {
            (owed.in_vain, owed.not_before_us) = (known.in_vain, known.not_before_us);
        }
        self.0.insert(key, owed);
    }

    /// Delivered, repaired, gone or dropped. What is known of the endpoint since its last try stays with what else is owed
    /// to it.
    pub fn remove(&mut self, owed: &Owed) {
        let Some(removed) = self.0.remove(&(owed.destination.clone(), owed.id)) else {
            return;
        };
        let first = (owed.destination.clone(), Address::FIRST);
        let own = self.0.range_mut(first..).map(|(_, next)| next);
        let mut own = own.take_while(|next| next.destination == owed.destination);
        if let Some(next) = own.find(|next| next.is_owed()) {
            next.in_vain |= removed.in_vain;
            if let Some(not_before_us) = removed.not_before_us {
                next.wait_until(not_before_us);
            }
        }
    }

    /// Waits that are longer than any that is believed were written down before this machine's clock was set back. They
    /// are forgotten before waits are compared, for the later one would win. Returns whether there were any.
    pub fn forget_waits_of_another_clock(&mut self, now_us: i64) -> bool {
        let mut were_any = false;
        for owed in self.0.values_mut() {
            were_any |= owed.forget_waits_of_another_clock(now_us);
        }
        were_any
    }

    /// Somebody wants everything tried now, whatever the endpoints asked for before and whatever they refused.
    pub fn forget_waits(&mut self) {
        for owed in self.0.values_mut() {
            (owed.not_before_us, owed.retry_at_us, owed.in_vain) = (None, None, false);
        }
    }

    /// What is owed for one row.
    #[must_use]
    pub fn get(&self, destination: &str, id: impl Into<Address>) -> Option<&Owed> {
        let known = self.0.get(&(destination.to_owned(), id.into()));
        known.filter(|owed| owed.is_owed())
    }

    /// Callbacks of a destination that were taken `verify_us` ago, whose rows are to be compared now.
    #[must_use]
    pub fn to_verify(&self, destination: &str, now_us: i64, verify_us: i64) -> Vec<&Owed> {
        let all = self.lines().filter(|owed| owed.destination == destination);
        all.filter(|owed| owed.is_to_verify(now_us, verify_us))
            .collect()
    }

    /// Forgets callbacks that were taken, unless their destination wants their rows compared. Returns whether there were
    /// any.
    pub fn forget_taken(&mut self, verifies: impl Fn(&str) -> bool) -> bool {
        let before = self.0.len();
        self.0
            .retain(|_, owed| owed.is_owed() || verifies(&owed.destination));
        self.0.len() < before
    }

    /// Number owed to a destination.
    #[must_use]
    pub fn owed_to(&self, destination: &str) -> usize {
        self.of(destination).count()
    }

    /// Number owed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Of these, rows that are too large to be read.
    #[must_use]
    pub fn too_large(&self) -> usize {
        self.iter().filter(|owed| owed.too_large.is_some()).count()
    }

    /// True when nothing is owed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Everything that is owed, by destination and id.
    pub fn iter(&self) -> impl Iterator<Item = &Owed> {
        self.lines().filter(|owed| owed.is_owed())
    }

    /// What the file holds, by destination and id: also what was taken and is to be verified.
    pub fn lines(&self) -> impl Iterator<Item = &Owed> {
        self.0.values()
    }

    /// What is owed to a destination and may be tried, in the order in which to try it: what was tried least comes first,
    /// so that rows which are always refused cannot keep others waiting. Nothing at all while the endpoint wants to be left
    /// alone.
    #[must_use]
    pub fn due(&self, destination: &str, now_us: i64) -> Vec<&Owed> {
        let mut due: Vec<&Owed> = self.of(destination).collect();
        if due.iter().any(|owed| owed.waits(now_us)) {
            return vec![];
        }
        due.retain(|owed| !owed.backs_off(now_us));
        due.sort_by_key(|owed| (owed.attempts, owed.id));
        due
    }

    /// The endpoint took nothing in the last run.
    #[must_use]
    pub fn took_nothing(&self, destination: &str) -> bool {
        self.of(destination).any(|owed| owed.in_vain)
    }

    /// What an endpoint that took nothing is to be asked for: what is owed to it, the oldest first. Nothing while it wants
    /// to be left alone.
    #[must_use]
    pub fn by_age(&self, destination: &str, now_us: i64) -> Vec<&Owed> {
        let mut all: Vec<&Owed> = self.of(destination).collect();
        if all.iter().any(|owed| owed.waits(now_us)) {
            return vec![];
        }
        all.sort_by_key(|owed| (owed.detected_us, owed.id));
        all
    }

    /// Beside the oldest row, which was refused: the row that was tried least, when the oldest one was tried much oftener.
    /// The oldest one may be refused for what it holds.
    #[must_use]
    pub fn tried_less(&self, destination: &str, oldest: Address) -> Option<&Owed> {
        let tries = self.get(destination, oldest)?.attempts;
        let all = self.of(destination);
        let others = all.filter(|owed| owed.id != oldest && owed.too_large.is_none());
        let least = others.min_by_key(|owed| (owed.attempts, owed.id))?;
        (tries / TRIED_OFTENER >= least.attempts.max(1)).then_some(least)
    }

    /// How an endpoint did in a run: it took something, or nothing, while it failed for these rows. `wait_us` says how long
    /// a row waits that was refused in so many runs. Returns whether that is news.
    pub fn note_run(
        &mut self,
        destination: &str,
        took_something: bool,
        failed: &[Address],
        now_us: i64,
        wait_us: impl Fn(u32) -> i64,
    ) -> bool {
        let mut is_news = false;
        if took_something {
            let all = self.0.values_mut();
            for owed in all.filter(|owed| owed.destination == destination) {
                is_news |= std::mem::take(&mut owed.in_vain);
            }
        }
        // One row that is refused says nothing about the endpoint.
        let is_in_vain = !took_something && failed.len() > 1;
        for &id in failed {
            let Some(owed) = self.0.get_mut(&(destination.to_owned(), id)) else {
                continue;
            };
            if took_something {
                owed.back_off(now_us, &wait_us);
                is_news = true;
            } else if is_in_vain {
                is_news |= !std::mem::replace(&mut owed.in_vain, true);
            }
        }
        is_news
    }

    fn of<'o>(&'o self, destination: &str) -> impl Iterator<Item = &'o Owed> + use<'o> {
        let name = destination.to_owned();
        let own = self.0.range((name.clone(), Address::FIRST)..);
        own.map(|(_, owed)| owed)
            .take_while(move |owed| owed.destination == name)
            .filter(|owed| owed.is_owed())
    }

    /// Reads the file's text. A line that is torn (the last one, after a crash) is left out: its difference is
    /// behind no checkpoint yet.
    ///
    /// # Errors
    /// The number of the first other line that cannot be read, and why.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut outbox = Self::default();
        let complete = text.rfind('\n').map_or("", |end| &text[..end]);
        for (number, line) in complete
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let owed: Owed =
                serde_json::from_str(line).map_err(|error| (number + 1, error.to_string()))?;
            if owed.version > VERSION {
                return Err((
                    number + 1,
                    format!(
                        "version {} was written by a newer cupid; this one reads {VERSION}",
                        owed.version
                    ),
                ));
            }
            outbox.replace(owed);
        }
        Ok(outbox)
    }
}

#[cfg(test)]
mod tests;
