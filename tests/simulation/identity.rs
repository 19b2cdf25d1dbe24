//! Somebody writes the destinations of the configuration otherwise: in another order, under other names, on other servers.

use std::collections::BTreeSet;

use cupid::config::{DestinationJob, Job};
use cupid::logic::scan::checkpoint::Checkpoint;
use cupid::logic::scan::identity::DestinationId;

use crate::folder::{AUDIT, RUN};
use crate::job::job;
use crate::model::Model;

impl Model {
    /// The configuration with these destinations, as they are written now.
    pub(crate) fn job(&self, destinations: &[usize]) -> Job {
        job(&self.plan, &self.entries, destinations, self.broken)
    }

    /// These are the destinations from now on.
    pub(crate) fn configure(&mut self, destinations: &[usize]) {
        let job = self.job(destinations);
        let names = job.destinations.into_iter().map(|job| job.name);
        self.names = names.zip(destinations.iter().copied()).collect();
    }

    /// Changes one thing about them.
    pub(crate) fn rewrite(&mut self, configured: &mut [usize]) {
        let is_known = self.is_known(configured);
        let mut pick =
            |count: usize| usize::try_from(self.identity_rng.below(count as u64)).unwrap_or(0);
        let (one, other) = (pick(configured.len()), pick(configured.len()));
        let (number, other_number) = (configured[one], configured[other]);
        match pick(4) {
            0 => configured.swap(one, other),
            1 => {
                let given = self
                    .rng
                    .pick(&[None, None, Some("x"), Some("y"), Some("z")]);
                let is_taken = self.entries.iter().any(|entry| entry.given == given);
                if given.is_none() || !is_taken {
                    self.entries[number].given = given;
                }
            }
            2 => {
                let given = self.entries[number].given;
                self.entries[number].given = self.entries[other_number].given;
                self.entries[other_number].given = given;
            }
            // What an audit owes to an address that nobody has any more stays owed. A run that took it over and was
            // killed before its first checkpoint has written down no destination, and knows no more than the audit.
            _ if is_known && self.folders[AUDIT].owed.is_empty() => self.entries[number].moves += 1,
            _ => {}
        }
        let entries = &self.entries;
        let told = format!("the destinations are {configured:?} of {entries:?} now");
        self.tell(|| told);
    }

    /// A destination is somewhere where the checkpoint does not know it. Whoever changes more until it does makes two
    /// changes at once, of which nobody can tell what became of what.
    pub(crate) fn is_moving(&self, configured: &[usize]) -> bool {
        let (is, saved) = self.written(configured, DestinationId::place);
        saved.is_some_and(|saved| !is.is_subset(&saved))
    }

    /// The checkpoint still knows a destination that was taken out. One that is added looks like that one on another server.
    pub(crate) fn would_replace(&self, configured: &[usize], added: usize) -> bool {
        let with_it = [configured, &[added]].concat();
        let (are, saved) = self.written(&with_it, DestinationId::place);
        saved.is_some_and(|saved| !saved.is_subset(&are))
    }

    /// The checkpoint knows these destinations, and no others. It knows their names too, which tell what moved. Without
    /// one nothing is known, which is as good while nothing is owed.
    fn is_known(&self, configured: &[usize]) -> bool {
        let both = |id: &DestinationId| format!("{} at {}", id.name, id.place());
        let (is, saved) = self.written(configured, both);
        saved.map_or(self.folders[RUN].owed.is_empty(), |saved| is == saved)
    }

    /// What the configuration says of the destinations, and what the checkpoint says.
    fn written(
        &self,
        configured: &[usize],
        what: impl Fn(&DestinationId) -> String,
    ) -> (BTreeSet<String>, Option<BTreeSet<String>>) {
        let job = self.job(configured);
        let text = self.folders[RUN].checkpoint.as_ref();
        let checkpoint =
            text.and_then(|text| Checkpoint::parse(text, &job.source.table.name()).ok());
        let ids = job.destinations.iter().map(DestinationJob::id);
        let saved = checkpoint.map(|checkpoint| {
            let ids = checkpoint.destinations.iter();
            ids.map(&what).collect()
        });
        (ids.map(|id| what(&id)).collect(), saved)
    }
}
