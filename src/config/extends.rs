//! `extends`: the files whose keys hold where a configuration has none.

use std::path::{Path, PathBuf};

use jsonc_parser::ast::Object;

use super::file::{self, refusal};
use super::merge::Origins;
use super::reader::{Context, Reader, Secrets};
use super::variables::Variables;
use super::{Surroundings, json};
use crate::error::Error;

/// So many files may stand behind a configuration.
const FILES_MAX: usize = 8;

/// A file that a configuration extends, directly or through another one.
pub(super) struct Extended {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// Its group or everyone can read it.
    pub(super) readable_by_others: bool,
}

/// The files behind the configuration `path`, whose content is `object`; the nearest is the first.
///
/// # Errors
/// [`crate::error::Error::Config`] that names the files on the way to the one with the problem.
pub(super) fn chain(
    path: &Path,
    object: &Object<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<Extended>, Error> {
    let mut found: Vec<Extended> = Vec::new();
    let mut seen = vec![lasting(path)];
    let mut next = target(path, object, surroundings).map_err(|problem| refusal(path, problem))?;
    while let Some(target_path) = next {
        let way = || {
            let known = found.iter().map(|it| it.path.as_path());
            let all = [path].into_iter().chain(known).chain([&*target_path]);
            route(&all.collect::<Vec<_>>())
        };
        let refuse = |problem: String| refusal(path, format!("extends: {}: {problem}", way()));
        if seen.contains(&lasting(&target_path)) {
            let problem = "Goes in a circle; no file should extend itself";
            return Err(refuse(problem.into()));
        }
        if found.len() == FILES_MAX {
            let problem = format!("Leads through more than {FILES_MAX} files; should be fewer");
            return Err(refuse(problem));
        }
        let (text, readable_by_others) = read(&target_path).map_err(refuse)?;
        let object = json::parse(&text).map_err(refuse)?;
        let after = target(&target_path, &object, surroundings).map_err(refuse)?;
        drop(object);
        seen.push(lasting(&target_path));
        found.push(Extended {
            path: target_path,
            text,
            readable_by_others,
        });
        next = after;
    }
    Ok(found)
}

/// The file that the configuration `path` extends; a relative one begins at its folder.
///
/// # Errors
/// What is wrong with the key.
pub(super) fn target(
    path: &Path,
    object: &Object<'_>,
    surroundings: &Surroundings<'_>,
) -> Result<Option<PathBuf>, String> {
    const SHOULD: &str = "should hold another configuration file, such as \"common.json\"";
    let Surroundings { env, read_file, .. } = surroundings;
    let variables = Variables::new(*env, *read_file, vec![path.to_owned()]);
    let context = Context::new(variables, Secrets::Needed, Origins::of(path));
    let root = Reader::new(&context, String::new(), object);
    if let Some(text) = root.text("extends", SHOULD) {
        let folder = path.parent().unwrap_or(Path::new(""));
        return Ok(Some(folder.join(text.value)));
    }
    let is_there = root.has("extends");
    drop(root);
    let (problems, ..) = context.into_findings();
    match problems.into_iter().find(|it| it.starts_with("extends: ")) {
        Some(problem) if is_there => Err(problem),
        _ => Ok(None),
    }
}

/// The file's text, and whether others can read it. A pipe or a device could keep the reader
/// waiting.
fn read(path: &Path) -> Result<(String, bool), String> {
    let found = std::fs::metadata(path);
    let found = found.map_err(|error| format!("Cannot be read: {error}"))?;
    if !found.is_file() {
        let kind = if found.is_dir() {
            "a folder"
        } else {
            "no regular file"
        };
        return Err(format!("Is {kind}; should be a configuration file"));
    }
    file::content(path)
}

/// The same file has the same one, whatever folders and links lead to it.
pub(super) fn lasting(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// `a.json extends b.json, which extends c.json`.
fn route(paths: &[&Path]) -> String {
    let names: Vec<String> = paths.iter().map(|it| it.display().to_string()).collect();
    match names.as_slice() {
        [first, rest @ ..] => format!("{first} extends {}", rest.join(", which extends ")),
        [] => String::new(),
    }
}
