//! The fast first look of an audit: which rows are equal, without looking each of them up.
//!
//! Servers sum their tables up where that pays ([`checksum`]). Otherwise both tables are read once
//! and paired by fingerprints ([`stream`]). Every row that is not known to be equal at the end, or
//! at a stop, is noted in the position as a suspect. The scan then treats suspects like any rows:
//! looked up, compared, confirmed, called back. So nothing here can report a false difference, and
//! stopping anywhere misses none.

mod checksum;
mod extra;
mod readers;
mod stream;

use super::options::Audit;
use super::pass::Pass;
use super::progress::Progress;
use crate::error::Result;
use crate::logic::scan::gaps::Span;
use crate::world::SpillSpace;

pub(super) use extra::{Extra, report_extra};

/// The first look of an audit at its tables.
struct FirstLook<'p, 'a> {
    pass: &'p Pass<'a>,
    progress: &'p mut Progress,
    audit: &'p Audit,
    spills: &'p dyn SpillSpace,
}

/// Leaves in the one position what is not known to be equal. Does nothing, so that the scan looks everything up, where a
/// small part of a table was asked for, positions differ, or a destination cannot be read from end to end. Returns the keys
/// that only a destination had. An audit that was to look for them, and did not, has not come to its end.
pub(super) fn find_unequal(
    pass: &Pass<'_>,
    progress: &mut Progress,
    audit: &Audit,
    spills: &dyn SpillSpace,
) -> Result<Vec<Extra>> {
    let mut extra = Vec::new();
    let mut look = FirstLook {
        pass,
        progress,
        audit,
        spills,
    };
    let is_whole = look.find(&mut extra)?;
    if audit.extra && !is_whole {
        pass.interrupt();
    }
    Ok(extra)
}

impl FirstLook<'_, '_> {
    /// Returns whether the destinations were read to their ends.
    fn find(&mut self, extra: &mut Vec<Extra>) -> Result<bool> {
        let (pass, audit) = (self.pass, self.audit);
        let [position] = &self.progress.positions[..] else {
            return Ok(false);
        };
        let position = position.clone();
        let bounds = pass.source().bounds()?;
        if !audit.reads_whole_tables(bounds.id_max) {
            return Ok(false);
        }
        let id_max = pass.up_to_range(bounds).id_max;
        let from = position.next_id.unwrap_or(self.progress.start_id);
        // Also beside no row of the source there may be rows that only a destination has.
        let to = id_max.filter(|&max| max >= from);
        let Some(to) = to.or(audit.extra.then_some(from - 1)) else {
            return Ok(true);
        };
        let span = Span { from, to };
        let summed = self.sum_up(&position, span)?;
        let Some(members) = self.streamable(&position, &summed.members) else {
            return Ok(false);
        };
        let paired = self.pair(span, &members, &position)?;
        let mut suspects = paired.suspects;
        let mut read: Vec<usize> = members.iter().map(|member| member.number).collect();
        read.extend(&summed.members);
        for id in self.ids_of_repeated_keys(&read, &position)? {
            suspects.add(id);
        }
        // What is left to look at is counted when it is looked at.
        read.retain(|&number| !pass.is_unread(number));
        let left = suspects.count() + summed.rows_left;
        for number in read {
            let rows = paired.rows.iter().chain(&summed.rows);
            let own = rows.filter(|(of, _)| *of == number);
            let equal = own.map(|(_, rows)| rows).sum::<u64>().saturating_sub(left);
            pass.count(number, |counts| counts.compared += equal);
        }
        let suspects = suspects.into_suspects().union(&summed.suspects);
        if audit.extra {
            *extra = self.extra_keys(paired.unmatched, &suspects)?;
        }
        if let [position] = &mut self.progress.positions[..] {
            position.suspects = suspects.union(&position.suspects);
            position.next_id = Some(paired.reached.min(summed.reached) + 1);
        }
        Ok(paired.is_whole)
    }
}
