//! The text of a configuration, and of the files that it extends.

use std::path::{Path, PathBuf};

use super::extends::{Extended, chain};
use super::merge::Merged;
use super::reader::{Context, Reader, Secrets};
use super::variables::Variables;
use super::{Surroundings, file, json};
use crate::error::Result;

/// What was found beside the values.
pub(super) struct Findings {
    pub(super) notes: Vec<String>,
    pub(super) lacks_source_secret: bool,
    pub(super) secret_files: Vec<PathBuf>,
    /// Files that hold a secret in clear and that others than their owner can read.
    pub(super) open_files: Vec<PathBuf>,
}

/// Parses a text and lets `read` take from it what it wants; a problem refuses the text.
pub(super) fn read_text<T>(
    text: &str,
    path: &Path,
    surroundings: &Surroundings<'_>,
    secrets: Secrets,
    read: impl FnOnce(Reader<'_>) -> Option<T>,
) -> Result<(T, Findings)> {
    let refuse = |problem: String| file::refusal(path, problem);
    let object = json::parse(text).map_err(refuse)?;
    let extended = chain(path, &object, surroundings)?;
    let mut merged = Merged::new(path, object);
    for Extended { path, text, .. } in &extended {
        merged.fill(path, json::parse(text).map_err(refuse)?);
    }
    let behind = extended.iter().map(|it| it.path.clone());
    let files: Vec<PathBuf> = [path.to_owned()].into_iter().chain(behind).collect();
    let variables = Variables::new(surroundings.env, surroundings.read_file, files.clone());
    let context = Context::new(variables, secrets, merged.origins);
    for (path, problem) in &merged.problems {
        context.problem(path, problem);
    }
    let value = read(Reader::new(&context, String::new(), &merged.object));
    let lacks_source_secret = context.lacks_source_secret();
    let secret_files = context.secret_files();
    let (problems, notes, with_secrets) = context.into_findings();
    let behind = extended.iter().map(|it| it.readable_by_others);
    let readable: Vec<bool> = [surroundings.readable_by_others]
        .into_iter()
        .chain(behind)
        .collect();
    let is_open = |number: &usize| readable[*number];
    let open = with_secrets.into_iter().filter(is_open);
    let findings = Findings {
        notes,
        lacks_source_secret,
        secret_files,
        open_files: open.map(|number| files[number].clone()).collect(),
    };
    match (value, problems.as_slice()) {
        (Some(value), []) => Ok((value, findings)),
        (_, [one]) => Err(refuse(one.clone())),
        (_, many) => Err(refuse(format!(
            "{} problems\n{}",
            many.len(),
            many.join("\n")
        ))),
    }
}
