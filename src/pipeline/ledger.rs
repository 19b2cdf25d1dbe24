//! The state of a configuration, in memory and on disk: checkpoint and outbox.
//!
//! Only this file knows whether the outbox on disk is up to date. A new callback is appended and
//! synced before [`Ledger::owe`] returns. So a checkpoint that is saved afterwards passes no
//! difference that only memory knows. Delivered and dropped callbacks leave the file later, all at
//! once. A process that is killed before that sends a callback again, and loses none.
//!
//! There are two locks, always taken in this order: the store's, while a file is written, and the
//! book's, for moments. So booking an answer never waits for a disk.

mod told;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use crate::config::Job;
use crate::error::Result;
use crate::locks::{into_inner, locked};
use crate::logic::callback::outbox::Outbox;
use crate::logic::callback::owed::Owed;
use crate::logic::callback::recognise::{Recognised, recognise};
use crate::logic::report::notice::Notice;
use crate::logic::report::summary::OwedCallbacks;
use crate::logic::scan::checkpoint::Checkpoint;
use crate::logic::value::address::Address;
use crate::logic::value::cell::Id;
use crate::logic::value::oversize::{Part, TooLarge};
use crate::world::{Observer, Store};

use told::{moved_source, notice_of};

/// How often the outbox on disk is brought up to date during a long delivery.
const SAVE_US: i64 = 2_000_000;

/// Checkpoint and outbox.
pub(super) struct Ledger<'a> {
    store: Mutex<&'a mut (dyn Store + Send)>,
    book: Mutex<Book>,
}

/// What is known of callbacks in this pass.
struct Book {
    outbox: Outbox,
    /// The file does not say what `outbox` says.
    is_changed: bool,
    saved_us: i64,
    /// What is to be sent, by destination and row, whatever the endpoints asked for; `None`: all that is due.
    chosen: Option<BTreeSet<(String, Address)>>,
    /// Callbacks that stay in the file until the checkpoint forgets their rows as compared.
    ended: Vec<Ended>,
    /// Tries of this run, by destination and row, until one succeeds: a pass delivers more than once, and may find a row
    /// anew that it dropped.
    tries: HashMap<(usize, Address), u32>,
    /// Rows that wait longer because of this run.
    backed_off: HashSet<(usize, Address)>,
    /// What a dry run has reported and forgotten, by destination.
    would_send: BTreeMap<String, OwedCallbacks>,
    /// What this pass delivered, by destination and row, with the fingerprint of the row that was sent.
    delivered: HashMap<(usize, Address), u64>,
}

/// A callback that ended with other content than its row is remembered to have been compared with ([`super::ended`]).
pub(super) struct Ended {
    pub(super) number: usize,
    pub(super) owed: Owed,
    /// `None`: the row is gone.
    pub(super) content: Option<u64>,
}

/// The checkpoint as the state folder has it.
pub(super) struct Loaded {
    /// As it is on disk.
    pub(super) saved: Option<Checkpoint>,
    /// In the names that the destinations have now.
    pub(super) checkpoint: Option<Checkpoint>,
}

impl<'a> Ledger<'a> {
    /// Reads both files, in the names that the destinations have now.
    pub(super) fn load(
        job: &Job,
        store: &'a mut (dyn Store + Send),
        observer: &dyn Observer,
        now_us: i64,
    ) -> Result<(Self, Loaded)> {
        let saved = store.checkpoint()?;
        let known = job.known_destinations();
        let mut outbox = store.outbox()?;
        let had_other_waits = outbox.forget_waits_of_another_clock(now_us);
        let Recognised {
            checkpoint,
            outbox,
            outbox_changed,
            told,
        } = recognise(saved.clone(), outbox, &known);
        for notice in told
            .iter()
            .map(notice_of)
            .chain(moved_source(job, saved.as_ref()))
        {
            observer.tell(&notice);
        }
        if outbox_changed {
            store.replace_outbox(&outbox)?;
        }
        let mut outbox = outbox;
        let verifies = |name: &str| {
            let mut own = job.destinations.iter().filter(|it| it.name == name);
            own.any(|it| !it.callback.verify.is_zero())
        };
        let has_forgotten = outbox.forget_taken(verifies);
        let is_stranger = |owed: &&Owed| !known.iter().any(|it| it.id.name == owed.destination);
        let strangers = outbox.iter().filter(is_stranger).count();
        if strangers > 0 {
            observer.tell(&Notice::OwedToStrangers {
                count: strangers as u64,
                config: job.path.display().to_string(),
            });
        }
        let book = Book {
            outbox,
            is_changed: has_forgotten || had_other_waits,
            saved_us: now_us,
            chosen: None,
            ended: vec![],
            tries: HashMap::new(),
            backed_off: HashSet::new(),
            would_send: BTreeMap::new(),
            delivered: HashMap::new(),
        };
        let ledger = Self {
            store: Mutex::new(store),
            book: Mutex::new(book),
        };
        Ok((ledger, Loaded { saved, checkpoint }))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        locked(&self.book)
    }

    fn store(&self) -> MutexGuard<'_, &'a mut (dyn Store + Send)> {
        locked(&self.store)
    }

    /// The id in the first cupid's `cupid.txt`, when there is one.
    pub(super) fn first_cupids_id(&self) -> Result<Option<Id>> {
        self.store().first_cupids_id()
    }

    pub(super) fn save_checkpoint(&self, checkpoint: &Checkpoint) -> Result<()> {
        self.store().save_checkpoint(checkpoint)
    }

    /// Writes down what is newly owed, durably. Returns of each whether it was not owed before.
    pub(super) fn owe(&self, rows: Vec<Owed>) -> Result<Vec<bool>> {
        let mut book = self.book();
        let mut lines = Vec::with_capacity(rows.len());
        let mut are_new = Vec::with_capacity(rows.len());
        for owed in rows {
            let (owed, is_new) = book.outbox.add(owed);
            lines.push(owed.clone());
            are_new.push(is_new);
            book.is_changed |= !is_new; // The file will hold two lines for it.
        }
        drop(book);
        self.store().append_owed(&lines)?;
        Ok(are_new)
    }

    /// Keeps an entry as it is after a try.
    pub(super) fn keep(&self, owed: Owed) {
        let mut book = self.book();
        book.outbox.replace(owed);
        book.is_changed = true;
    }

    /// Keeps an entry that was looked at and not tried.
    pub(super) fn put_back(&self, owed: Owed) {
        let mut book = self.book();
        book.outbox.put_back(owed);
        book.is_changed = true;
    }

    /// Nothing is owed for this row any more. On disk it stays owed where the checkpoint has to be saved before.
    pub(super) fn end(&self, owed: &Owed, ended: Option<Ended>) {
        let mut book = self.book();
        book.outbox.remove(owed);
        book.is_changed = true;
        book.ended.extend(ended);
    }

    /// The callback was taken. The row had this fingerprint when it was sent.
    pub(super) fn note_delivered(&self, number: usize, id: Address, fingerprint: u64) {
        let mut book = self.book();
        book.tries.remove(&(number, id));
        book.delivered.insert((number, id), fingerprint);
    }

    /// What waits for the checkpoint.
    pub(super) fn take_ended(&self) -> Vec<Ended> {
        std::mem::take(&mut self.book().ended)
    }

    /// The checkpoint was not saved.
    pub(super) fn put_back_ended(&self, ended: Vec<Ended>) {
        self.book().ended = ended;
    }

    /// This pass delivered the row as it is.
    pub(super) fn was_delivered(&self, number: usize, id: Address, fingerprint: u64) -> bool {
        self.book().delivered.get(&(number, id)) == Some(&fingerprint)
    }

    /// The ids owed to a destination that are due, in the order in which they are tried, of those that were tried less
    /// often in this run than `tries_max` says.
    pub(super) fn due(
        &self,
        number: usize,
        destination: &str,
        now_us: i64,
        tries_max: u32,
    ) -> Vec<Address> {
        let book = self.book();
        let due = match &book.chosen {
            None => book.outbox.due(destination, now_us),
            Some(chosen) => {
                let mut all = book.outbox.due(destination, i64::MAX);
                all.retain(|owed| chosen.contains(&(owed.destination.clone(), owed.id)));
                all
            }
        };
        let due = due.into_iter();
        let due = due.filter(|owed| book.tries(number, owed.id) < tries_max);
        due.map(|owed| owed.id).collect()
    }

    /// The endpoint took nothing in the last run, and nobody chose what to send.
    pub(super) fn took_nothing(&self, destination: &str) -> bool {
        let book = self.book();
        book.chosen.is_none() && book.outbox.took_nothing(destination)
    }

    /// The ids owed to a destination whose endpoint took nothing, the oldest first.
    pub(super) fn by_age(
        &self,
        number: usize,
        destination: &str,
        now_us: i64,
        tries_max: u32,
    ) -> Vec<Address> {
        let book = self.book();
        let all = book.outbox.by_age(destination, now_us).into_iter();
        let all = all.filter(|owed| book.tries(number, owed.id) < tries_max);
        all.map(|owed| owed.id).collect()
    }

    /// A row to try when the oldest one was refused.
    pub(super) fn tried_less(
        &self,
        number: usize,
        destination: &str,
        oldest: Address,
    ) -> Option<Address> {
        let book = self.book();
        let other = book.outbox.tried_less(destination, oldest)?.id;
        (book.tries(number, other) == 0).then_some(other)
    }

    /// How an endpoint did in this run so far. `wait_us` says how long a row waits that was refused in so many runs.
    pub(super) fn note_run(
        &self,
        number: usize,
        destination: &str,
        took_something: bool,
        now_us: i64,
        wait_us: impl Fn(u32) -> i64,
    ) {
        let mut book = self.book();
        let tried = book.tries.keys().filter(|(its, _)| *its == number);
        let mut failed: Vec<Address> = tried.map(|&(_, id)| id).collect();
        failed.sort_unstable();
        if took_something {
            // Once in a run.
            failed.retain(|&id| book.backed_off.insert((number, id)));
        }
        let outbox = &mut book.outbox;
        let is_news = outbox.note_run(destination, took_something, &failed, now_us, wait_us);
        book.is_changed |= is_news;
    }

    /// Counts a try of this row. Returns how many there were in this run.
    pub(super) fn count_try(&self, number: usize, owed: &mut Owed) -> u32 {
        owed.attempts += 1;
        let mut book = self.book();
        let tries = book.tries.entry((number, owed.id)).or_default();
        *tries += 1;
        *tries
    }

    /// Everything owed to a destination, whatever its endpoint asked for.
    pub(super) fn all(&self, destination: &str) -> Vec<Address> {
        let book = self.book();
        let all = book.outbox.due(destination, i64::MAX).into_iter();
        all.map(|owed| owed.id).collect()
    }

    /// What was taken of a destination and is to be verified now.
    pub(super) fn to_verify(&self, destination: &str, now_us: i64, verify_us: i64) -> Vec<Owed> {
        let book = self.book();
        let all = book.outbox.to_verify(destination, now_us, verify_us);
        all.into_iter().cloned().collect()
    }

    /// The entry of a row, when there still is one.
    pub(super) fn get(&self, destination: &str, id: Address) -> Option<Owed> {
        self.book().outbox.get(destination, id).cloned()
    }

    /// How often each row was tried, in this run and in all.
    pub(super) fn tries(
        &self,
        number: usize,
        destination: &str,
        ids: impl Iterator<Item = Address>,
    ) -> Vec<(u32, u32)> {
        let book = self.book();
        let tries = |id| {
            let owed = book.outbox.get(destination, id);
            (book.tries(number, id), owed.map_or(0, |owed| owed.attempts))
        };
        ids.map(tries).collect()
    }

    /// Somebody wants these tried now, by destination and row, whatever the endpoints asked for before, and nothing else.
    pub(super) fn choose(&self, chosen: BTreeSet<(String, Address)>) {
        self.book().chosen = Some(chosen);
    }

    /// Somebody wants everything tried now, whatever the endpoints asked for before.
    pub(super) fn forget_waits(&self) {
        self.book().outbox.forget_waits();
    }

    /// How many callbacks are owed, to whomever.
    pub(super) fn owed_count(&self) -> usize {
        self.book().outbox.len()
    }

    /// How many callbacks are owed to a destination.
    pub(super) fn owed_to(&self, destination: &str) -> usize {
        self.book().outbox.owed_to(destination)
    }

    /// Of these destinations all have it set aside that the compared columns of these rows are too large.
    pub(super) fn aside_for_all(&self, destinations: &[&str]) -> Vec<Address> {
        let book = self.book();
        let is_unread = |owed: &&Owed| {
            let part = owed.too_large.map(|TooLarge { part, .. }| part);
            part == Some(Part::Compared)
        };
        let mut counts: HashMap<Address, usize> = HashMap::new();
        for owed in book.outbox.iter().filter(is_unread) {
            if destinations.contains(&owed.destination.as_str()) {
                *counts.entry(owed.id).or_default() += 1;
            }
        }
        let of_all = |&(_, count): &(Address, usize)| count == destinations.len();
        let of_all = counts.into_iter().filter(of_all).map(|(id, _)| id);
        let mut ids: Vec<Address> = of_all.collect();
        ids.sort_unstable();
        ids
    }

    /// A dry run has reported everything and forgets it, so that its memory does not grow with what it finds.
    pub(super) fn forget_all(&self) -> Result<()> {
        let mut book = self.book();
        let owed = OwedCallbacks::by_destination(book.outbox.iter());
        for (destination, mut owed) in owed {
            owed.count -= owed.too_large; // They would not be sent.
            book.would_send.entry(destination).or_default().add(owed);
        }
        book.outbox = Outbox::default();
        drop(book);
        // For the store of an audit, which lets its progress pass only what was told.
        self.store().replace_outbox(&Outbox::default())
    }

    /// Brings the file up to date, but for what has to stay owed on disk for now.
    pub(super) fn save(&self, now_us: i64) -> Result<()> {
        // The store first: what is owed after the copy was taken is appended after the copy was written.
        let mut store = self.store();
        let mut book = self.book();
        book.saved_us = now_us;
        if !book.is_changed {
            return Ok(());
        }
        let mut outbox = book.outbox.clone();
        for Ended { owed, .. } in &book.ended {
            outbox.adopt(owed.clone());
        }
        let is_all = book.ended.is_empty();
        book.is_changed = false;
        drop(book);
        let saved = store.replace_outbox(&outbox);
        if saved.is_err() || !is_all {
            self.book().is_changed = true;
        }
        saved
    }

    /// The same, unless it was done a moment ago.
    pub(super) fn save_now_and_then(&self, now_us: i64) -> Result<()> {
        if now_us - self.book().saved_us < SAVE_US {
            return Ok(());
        }
        self.save(now_us)
    }

    /// What is left when a pass ends, by destination.
    pub(super) fn left(self) -> BTreeMap<String, OwedCallbacks> {
        let book = into_inner(self.book);
        let is_chosen = |owed: &&Owed| {
            let chosen = book.chosen.as_ref();
            chosen.is_none_or(|chosen| chosen.contains(&(owed.destination.clone(), owed.id)))
        };
        let owed = OwedCallbacks::by_destination(book.outbox.iter().filter(is_chosen));
        let mut left = book.would_send;
        for (destination, owed) in owed {
            left.entry(destination).or_default().add(owed);
        }
        left
    }
}

impl Book {
    fn tries(&self, number: usize, id: Address) -> u32 {
        self.tries.get(&(number, id)).copied().unwrap_or(0)
    }
}
