//! The state folder, and where the first run begins.

use super::{Findings, Level, about};
use crate::check::facts::{Facts, StateFacts};
use crate::config::Job;
use crate::logic::value::count::grouped_id;

const KEY: &str = "src.cacheFilePath";
/// A table that is compared as a whole in a moment.
const FEW_ROWS: u64 = 100_000;

pub(super) fn advise(job: &Job, facts: &Facts, findings: &mut Findings) {
    let StateFacts {
        of_another,
        unusable,
        has_checkpoint,
        beyond,
        ..
    } = &facts.state;
    if let Some(reason) = of_another {
        findings.add(Level::Error, "name", reason);
    }
    for reason in unusable {
        findings.add(Level::Failure, KEY, reason);
    }
    folder(job, &facts.state, findings);
    if let Some((compared, id_max)) = beyond {
        let compared = grouped_id(*compared);
        let now = id_max.map_or_else(
            || "is empty".to_owned(),
            |id| format!("went back, its highest id is {}", grouped_id(id)),
        );
        findings.add(
            Level::Warning,
            "src.table",
            format!(
                "{} {now}, and ids up to {compared} were compared: it was emptied, restored or replaced, or rows were \
                 deleted. The next run compares ids that come again; `cupid reconcile` compares all rows",
                job.source.table.name()
            ),
        );
    }
    let is_first = !has_checkpoint && of_another.is_none() && unusable.is_empty();
    if is_first && job.source.insert {
        first_run(job, facts, findings);
    }
}

/// The command as the owner of the state would type it.
fn as_owner(owner: u32, job: &Job) -> String {
    format!("sudo -u '#{owner}' cupid check {}", job.path.display())
}

fn folder(job: &Job, state: &StateFacts, findings: &mut Findings) {
    let folder = state.folder.display();
    match &state.unwritable {
        Some(reason) => {
            let whose = state.owner_and_user.map_or(String::new(), |(owner, user)| {
                format!(" (it belongs to user {owner}, and this is user {user})")
            });
            let finding = findings.add(
                Level::Failure,
                KEY,
                format!(
                    "{folder} cannot be written: {reason}{whose}; should be a folder that the account running cupid can write"
                ),
            );
            if let Some((owner, _)) = state.owner_and_user {
                finding.remedy(as_owner(owner, job));
            }
        }
        None if state.exists => {
            findings.add(Level::Ok, KEY, format!("{folder} can be written"));
            if let Some((owner, user)) = state.owner_and_user {
                findings
                    .add(
                        Level::Note,
                        KEY,
                        format!(
                            "{folder} belongs to user {owner}, and this is user {user}: a pass by hand would leave files there \
                             that user {owner} cannot write"
                        ),
                    )
                    .remedy(as_owner(owner, job));
            }
        }
        None => {
            findings.add(
                Level::Ok,
                KEY,
                format!("{folder} is not there yet; the first run creates it"),
            );
        }
    }
}

fn first_run(job: &Job, facts: &Facts, findings: &mut Findings) {
    let StateFacts {
        first_cupids_id,
        lowest_id,
        ..
    } = &facts.state;
    if let Some(id) = first_cupids_id {
        findings.add(
            Level::Note,
            KEY,
            format!("the first run takes over cupid.txt and starts at id {id}"),
        );
        return;
    }
    let start = job.source.start_id.unwrap_or(0);
    if let Some(lowest) = lowest_id.filter(|&lowest| lowest < start)
        && job.source.start_id.is_none()
    {
        findings.add(
            Level::Warning,
            "src.insertStartId",
            format!(
                "is not given, so the first run begins at id {start}, and the table has ids from {lowest} on; should hold \
                 {lowest} to compare all of them"
            ),
        );
    }
    let rows = facts.source.as_ref().ok().and_then(|side| side.table.rows);
    if start == 0 && rows.is_some_and(|rows| rows > FEW_ROWS) {
        findings.add(
            Level::Note,
            "src.insertStartId",
            format!(
                "the first run compares the whole table, {}; a start id, here or as --start-id, begins later",
                about(rows)
            ),
        );
    }
}
