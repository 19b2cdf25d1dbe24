//! Command lines whose options are valid one by one and contradict each other.

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;

use super::{Command, Output, Owed, OwedList, Reconcile};

/// Why a command cannot be done as it is written.
pub(super) fn refusal(command: &Command) -> Option<(ErrorKind, String)> {
    let conflict = |problem| (ErrorKind::ArgumentConflict, problem);
    match command {
        Command::Start(start) => {
            let problem = start.check().err()?;
            Some((ErrorKind::ValueValidation, problem))
        }
        Command::Init(init) => {
            let problem = init.check().err()?;
            Some((ErrorKind::WrongNumberOfValues, problem))
        }
        Command::Run(run) => two_on_stdout(&run.output, &[]).map(conflict),
        Command::Recheck(recheck) => two_on_stdout(&recheck.output, &[]).map(conflict),
        Command::Reconcile(audit) => audit_refusal(audit).map(conflict),
        Command::Owed(owed) => misplaced_option(owed).map(conflict),
        _ => None,
    }
}

/// Two outputs would be mixed on stdout. `files` are further outputs by their options.
fn two_on_stdout(output: &Output, files: &[(&str, &Option<PathBuf>)]) -> Option<String> {
    let report = output.report.as_ref();
    let mut there = Vec::new();
    if report.is_some_and(|report| report.file.is_none()) {
        there.push("--report -".to_owned());
    }
    let dashes = files
        .iter()
        .filter(|(_, file)| file.as_deref() == Some(Path::new("-")));
    there.extend(dashes.map(|(option, _)| format!("{option} -")));
    if output.json {
        there.push("--json".to_owned());
    }
    let [one, other, ..] = there.as_slice() else {
        return None;
    };
    Some(format!(
        "{one} and {other} both write to stdout; give --report a file, or leave out one of the two"
    ))
}

fn audit_refusal(audit: &Reconcile) -> Option<String> {
    let files = [("--fix-sql", &audit.fix_sql), ("--html", &audit.html)];
    two_on_stdout(&audit.output, &files).or_else(|| {
        (audit.extra && audit.shard.is_some()).then(|| {
            "--extra cannot be used with --shard: a row that only a copy has is in no shard; \
             run `cupid reconcile CONFIG --extra` once, without --shard"
                .to_owned()
        })
    })
}

/// `owed CONFIG --limit 5 send`: the option would be read and not used.
fn misplaced_option(owed: &Owed) -> Option<String> {
    (owed.command.is_some() && owed.list != OwedList::default()).then(|| {
        "an option stands before the word that says what to do, such as `send`; \
         write options behind that word"
            .to_owned()
    })
}
