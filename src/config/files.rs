//! Which configurations a command line means: files, and folders of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::extends::{self, lasting};
use super::file::{self, refusal};
use super::json;
use crate::error::Error;

/// The files that these paths mean, each once, in their order: a folder stands for its `*.json` but
/// those that another file extends, sorted by name. A folder that holds none, or cannot be read, is
/// an error with its path.
///
/// A shell writes a folder's files out (`*.json`), so of files that are named a mere part of others
/// is left out, too: one without `src.table` or `des`.
#[must_use]
pub fn files(paths: &[PathBuf]) -> Vec<Result<PathBuf, (PathBuf, Error)>> {
    let mut all: Vec<Result<PathBuf, (PathBuf, Error)>> = Vec::new();
    let mut of_folders = BTreeSet::new();
    for path in paths {
        let found = if path.is_dir() {
            match of_folder(path) {
                Ok(files) => {
                    of_folders.extend(files.iter().cloned());
                    files.into_iter().map(Ok).collect()
                }
                Err(problem) => vec![Err((path.clone(), refusal(path, problem)))],
            }
        } else {
            vec![Ok(path.clone())]
        };
        for path in found {
            let is_known = |known: &Result<PathBuf, _>| {
                known
                    .as_ref()
                    .ok()
                    .zip(path.as_ref().ok())
                    .is_some_and(|(a, b)| a == b)
            };
            if !all.iter().any(is_known) {
                all.push(path);
            }
        }
    }
    let known: Vec<PathBuf> = all.iter().flatten().cloned().collect();
    let relations = Relations::read(&known);
    let is_left_out = |path: &PathBuf| {
        relations.is_extended(path) && (of_folders.contains(path) || relations.is_part(path))
    };
    all.retain(|found| !found.as_ref().is_ok_and(is_left_out));
    all
}

/// Which of several files extend which.
struct Relations {
    /// By what [`lasting`] makes of their paths.
    targets: BTreeMap<PathBuf, PathBuf>,
    /// Those that no pass could work on.
    parts: BTreeSet<PathBuf>,
}

impl Relations {
    /// A file that cannot be read extends nothing here; whoever loads it says why.
    fn read(paths: &[PathBuf]) -> Self {
        let mut relations = Self {
            targets: BTreeMap::new(),
            parts: BTreeSet::new(),
        };
        // A single file has nobody to extend it, and may be a pipe, which is read once.
        if paths.len() < 2 {
            return relations;
        }
        for path in paths.iter().filter(|path| path.is_file()) {
            let Ok((text, _)) = file::content(path) else {
                continue;
            };
            let Ok(object) = json::parse(&text) else {
                continue;
            };
            let env = |name: &str| std::env::var(name).ok();
            let surroundings = file::surroundings(&env, false);
            if let Ok(Some(target)) = extends::target(path, &object, &surroundings) {
                relations.targets.insert(lasting(path), lasting(&target));
            }
            let table = object.get_object("src").and_then(|src| src.get("table"));
            if table.is_none() || object.get("des").is_none() {
                relations.parts.insert(lasting(path));
            }
        }
        relations
    }

    /// Another file extends it. Files in a circle stay, so that somebody hears of it.
    fn is_extended(&self, path: &Path) -> bool {
        let path = lasting(path);
        let mut others = self.targets.iter().filter(|(_, target)| **target == path);
        others.any(|(other, _)| *other != path && !self.leads_to(&path, other))
    }

    fn is_part(&self, path: &Path) -> bool {
        self.parts.contains(&lasting(path))
    }

    fn leads_to(&self, from: &Path, to: &Path) -> bool {
        let mut at = from;
        for _ in 0..self.targets.len() {
            match self.targets.get(at) {
                Some(target) if target == to => return true,
                Some(target) => at = target,
                None => return false,
            }
        }
        false
    }
}

/// The most configurations of one process: each takes threads and connections.
const CONFIGURATIONS_MAX: usize = 256;

/// The same where each of them has to be there.
///
/// # Errors
/// The first problem with a folder, or that there are too many.
pub fn configurations(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let found = files(paths).into_iter();
    let files: Vec<PathBuf> = found
        .collect::<Result<_, _>>()
        .map_err(|(_, error)| error)?;
    if files.len() > CONFIGURATIONS_MAX {
        let problem = format!(
            "{} configurations are more than one process takes, {CONFIGURATIONS_MAX}; should be shared among several",
            files.len()
        );
        return Err(refusal(&paths[0], problem));
    }
    Ok(files)
}

fn of_folder(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error: std::io::Error| format!("Cannot be listed: {error}");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let is_json = path.extension().is_some_and(|it| it == "json");
        if !is_json || is_hidden {
            continue;
        }
        match std::fs::metadata(&path) {
            Ok(found) if found.is_dir() => {}
            // A link that leads nowhere is a mistake that somebody wants to see.
            Ok(_) => files.push(path),
            Err(error) if error.kind() == ErrorKind::NotFound => files.push(path),
            Err(error) => return Err(unreadable(error)),
        }
    }
    files.sort();
    if files.is_empty() {
        return Err("Is a folder that holds no configuration (*.json)".into());
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_its_json_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["b.json", "a.json", ".hidden.json", "c.txt", "a.env"] {
            std::fs::write(path(name), "").unwrap();
        }
        std::fs::create_dir(path("folder.json")).unwrap();
        let paths = [path("b.json"), folder.path().to_owned(), path("absent")];
        let found: Vec<PathBuf> = files(&paths).into_iter().map(Result::unwrap).collect();
        assert_eq!(found, [path("b.json"), path("a.json"), path("absent")]);
        let none = files(&[path("folder.json")]).remove(0);
        assert!(none.unwrap_err().1.to_string().contains("no configuration"));
    }

    /// A folder with these files; `None` extends nothing.
    fn folder(files: &[(&str, Option<&str>)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, extends) in files {
            let extends = extends.map(|it| format!("\"extends\": \"{it}\", "));
            let text = format!(
                "{{{}\"src\": {{\"insert\": true}}}}",
                extends.unwrap_or_default()
            );
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn names(paths: &[PathBuf]) -> Vec<String> {
        let found = files(paths).into_iter().map(Result::unwrap);
        let names = found.map(|path| path.file_name().unwrap().display().to_string());
        names.collect()
    }

    #[test]
    fn what_another_file_of_the_folder_extends_is_no_configuration() {
        for (given, expected) in [
            (
                vec![("common.json", None), ("a.json", Some("common.json"))],
                vec!["a.json"],
            ),
            (
                vec![
                    ("a.json", Some("b.json")),
                    ("b.json", Some("./c.json")),
                    ("c.json", None),
                ],
                vec!["a.json"],
            ),
            (
                vec![("a.json", Some("absent.json")), ("b.json", None)],
                vec!["a.json", "b.json"],
            ),
            // Circles stay, so that they are refused.
            (vec![("a.json", Some("a.json"))], vec!["a.json"]),
            (
                vec![("a.json", Some("b.json")), ("b.json", Some("a.json"))],
                vec!["a.json", "b.json"],
            ),
            (
                vec![("a.json", Some("b.json")), ("b.json", Some("b.json"))],
                vec!["a.json"],
            ),
            (vec![("common.json", None)], vec!["common.json"]),
        ] {
            let folder = folder(&given);
            assert_eq!(names(&[folder.path().to_owned()]), expected, "{given:?}");
        }
    }

    #[test]
    fn of_files_that_are_named_only_a_mere_part_is_left_out() {
        let folder = folder(&[("common.json", None), ("a.json", Some("common.json"))]);
        let named = ["a.json", "common.json"].map(|name| folder.path().join(name));
        assert_eq!(names(&named), ["a.json"]);
        assert_eq!(names(&named[1..]), ["common.json"]);
        std::fs::write(&named[1], r#"{"src": {"table": "t"}, "des": []}"#).unwrap();
        assert_eq!(names(&named), ["a.json", "common.json"]);
        assert_eq!(names(&[folder.path().to_owned()]), ["a.json"]);
    }
}
