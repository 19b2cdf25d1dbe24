//! Which configurations a command line means: files, and folders of them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::file::refusal;
use crate::error::Error;

/// The files that these paths mean, each once, in their order: a folder stands for its `*.json`, sorted by name. A folder
/// that holds none, or cannot be read, is an error with its path.
#[must_use]
pub fn files(paths: &[PathBuf]) -> Vec<Result<PathBuf, (PathBuf, Error)>> {
    let mut all: Vec<Result<PathBuf, (PathBuf, Error)>> = Vec::new();
    for path in paths {
        let found = if path.is_dir() {
            match of_folder(path) {
                Ok(files) => files.into_iter().map(Ok).collect(),
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
    all
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
}
