//! Messages about state that other servers or other names left.

use crate::config::Job;
use crate::logic::callback::recognise::Told;
use crate::logic::report::notice::Notice;
use crate::logic::scan::checkpoint::Checkpoint;

/// The table is the same, and its server is another one.
pub(super) fn moved_source(job: &Job, saved: Option<&Checkpoint>) -> Option<Notice> {
    let to = job.source.table.server.address.text();
    let from = saved?.source_server.clone()?;
    (from != to).then_some(Notice::SourceMoved { from, to })
}

/// What is told of a destination.
pub(super) fn notice_of(told: &Told) -> Notice {
    match told.clone() {
        Told::Moved {
            destination,
            from,
            to,
        } => Notice::DestinationMoved {
            destination,
            from,
            to,
        },
        Told::Renamed {
            destination,
            before,
        } => Notice::DestinationRenamed {
            destination,
            before,
        },
    }
}
