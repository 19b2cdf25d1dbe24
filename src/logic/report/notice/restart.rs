//! The message about a source whose ids went back or started again.

use std::fmt;

use crate::logic::scan::trail::{Doubt, Finding, Start};
use crate::logic::value::cell::Id;
use crate::logic::value::count::{counted, grouped_id};

/// Ids of the source that went back or started again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// `src.table`.
    pub table: String,
    /// Ids up to this one were compared.
    pub compared_to: Id,
    /// The highest id now.
    pub id_max: Option<Id>,
    /// Why the landmarks were read.
    pub doubt: Doubt,
    /// What they say.
    pub finding: Finding,
    /// Ids from here on are compared again.
    pub from: Id,
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            table,
            compared_to,
            id_max,
            doubt,
            finding,
            from,
        } = self;
        let compared = grouped_id(*compared_to);
        match (id_max, doubt) {
            (None, _) => write!(
                f,
                "{table} is empty, and ids up to {compared} were compared. "
            ),
            (Some(max), Doubt::WentBack) => write!(
                f,
                "ids of {table} went back: the highest one is {}, and ids up to {compared} were \
                 compared. ",
                grouped_id(*max)
            ),
            (Some(_), Doubt::MayBeOther) => write!(
                f,
                "ids of {table} started again: the rows up to id {compared} are not the rows that \
                 were compared. "
            ),
        }?;
        f.write_str("The table was emptied, restored or replaced, or rows were deleted. ")?;
        match finding {
            Finding::Unchanged | Finding::AllGone(_) | Finding::Emptied => {
                f.write_str("New rows are compared as they come")
            }
            Finding::Again(Start::Lowest) => write!(
                f,
                "No compared row is left, so the table is compared from its beginning, id {}",
                grouped_id(*from)
            ),
            Finding::Again(Start::At(_)) => {
                let ids = id_max.map_or(0, |max| max - from + 1).max(0);
                let ids = counted(u64::try_from(ids).unwrap_or(u64::MAX), "id");
                write!(
                    f,
                    "Ids from {} on are compared again ({ids} now). `cupid reconcile` compares \
                     all rows",
                    grouped_id(*from)
                )
            }
        }
    }
}
