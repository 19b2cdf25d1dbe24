//! The committed corpus of the fuzzers (`tests/fuzz`), given to what they fuzz once more: inputs that reach much of the
//! code, and every one that ever broke something.

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

#[path = "fuzz/targets/mod.rs"]
mod targets;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn no_input_of_the_corpus_breaks_a_promise() {
    let mut broken = Vec::new();
    for (name, _) in targets::ALL {
        let corpus = folder().join("corpus").join(name);
        let inputs = names(&corpus);
        assert!(!inputs.is_empty(), "{} is empty", corpus.display());
        for input in inputs {
            let data = std::fs::read(corpus.join(&input)).unwrap();
            if catch_unwind(|| targets::run(name, &data)).is_err() {
                broken.push(format!("{name}/{input}"));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "broken by {broken:?}; what was broken is said above"
    );
}

#[test]
fn each_target_has_a_fuzzer_and_each_corpus_a_target() {
    let targets: BTreeSet<String> = targets::ALL.map(|(name, _)| name.to_owned()).into();
    assert_eq!(names(&folder().join("corpus")), targets);
    let fuzzers: BTreeSet<String> = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&folder().join("bin")), fuzzers);
    let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for name in &targets {
        assert!(
            manifest.contains(&format!("path = \"bin/{name}.rs\"")),
            "{name}"
        );
        let fuzzer =
            std::fs::read_to_string(folder().join("bin").join(format!("{name}.rs"))).unwrap();
        assert!(
            fuzzer.contains(&format!("targets::run(\"{name}\", data)")),
            "{name}"
        );
    }
}
