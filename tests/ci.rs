//! Which tests `.ci/run` runs on which servers.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names in a list of `.ci/run`.
fn list(name: &str) -> BTreeSet<String> {
    let script = fs::read_to_string(root().join(".ci/run")).expect("Read .ci/run");
    let (_, rest) = script
        .split_once(&format!("\n{name}=("))
        .unwrap_or_else(|| panic!(".ci/run has no list {name}"));
    let (names, _) = rest.split_once(')').expect("A list ends");
    let all: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
    let set: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(all.len(), set.len(), "{name} names a test twice");
    set
}

/// Every integration test, and its source files.
fn tests() -> Vec<(String, Vec<PathBuf>)> {
    let files = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("Read a folder of tests");
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let is_source = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "rs");
    let of = |path: PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        if is_source(&path) {
            return Some((name, vec![path]));
        }
        let sources = path.join("main.rs").is_file().then(|| files(&path))?;
        Some((name, sources.into_iter().filter(is_source).collect()))
    };
    files(&root().join("tests"))
        .into_iter()
        .filter_map(of)
        .collect()
}

/// It works on the server that `CUPID_TEST_DSN` names.
fn is_on_the_shared_server(sources: &[PathBuf]) -> bool {
    const WAYS: [&str; 6] = [
        "Scene::new(",
        "Scene::with_",
        "Scene::in_sync(",
        "Db::new(",
        "Server::shared(",
        "CUPID_TEST_DSN",
    ];
    uses(sources, &WAYS)
}

fn uses(sources: &[PathBuf], words: &[&str]) -> bool {
    let text = |path| fs::read_to_string(path).expect("Read a test");
    let texts = sources.iter().map(text);
    texts
        .into_iter()
        .any(|text| words.iter().any(|word| text.contains(word)))
}

#[test]
fn every_test_is_in_one_of_the_two_lists() {
    let (everywhere, once) = (list("everywhere"), list("once"));
    let both: Vec<&String> = everywhere.intersection(&once).collect();
    assert!(both.is_empty(), "in both lists: {both:?}");
    let listed: BTreeSet<String> = everywhere.union(&once).cloned().collect();
    let there: BTreeSet<String> = tests().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        listed, there,
        "the lists of .ci/run and the tests that there are"
    );
    let hostile = list("hostile");
    let unknown: Vec<&String> = hostile.difference(&there).collect();
    assert!(unknown.is_empty(), "no such test: {unknown:?}");
}

#[test]
fn what_runs_on_each_server_uses_it_and_what_runs_once_does_not_tell_servers_apart() {
    let everywhere = list("everywhere");
    for (name, sources) in tests() {
        let is_own = name == "ci"; // It spells the words that it looks for.
        if everywhere.contains(&name) {
            assert!(
                is_on_the_shared_server(&sources),
                "{name} does not use the server that it is run on: it belongs to `once`"
            );
        } else if !is_own {
            assert!(
                !uses(&sources, &["is_mariadb()"]),
                "{name} expects something else of each family: it belongs to `everywhere`"
            );
        }
    }
}
