//! The house: which part of the program may know which. A path in `src/` tells what may be imported there.

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A part imports itself and what stands before it; parts of one line do not know each other.
const FLOORS: [&[&str]; 7] = [
    &["error", "locks"],
    &["logic"],
    &["config", "world"],
    &["pipeline", "check"],
    &["io"],
    &["cli"],
    &["commands"],
];

/// The wings of `logic`, in the same manner.
const WINGS: [&str; 7] = [
    "value", "compare", "scan", "callback", "audit", "report", "notify",
];

/// A part that another one names.
struct Import {
    /// File and line.
    place: String,
    /// `logic::scan::plan` …
    path: Vec<String>,
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The module that a file is: `src/logic/scan/plan.rs` is `logic`, `scan`, `plan`.
fn module(file: &Path) -> Vec<String> {
    let within = file.strip_prefix("src").unwrap().with_extension("");
    let mut parts: Vec<String> = within
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if matches!(
        parts.last().map(String::as_str),
        Some("mod" | "lib" | "main")
    ) {
        parts.pop();
    }
    parts
}

/// Every `crate::…` and `super::…` outside comments, by its path from the crate's root.
fn imports(file: &Path) -> Vec<Import> {
    let text = fs::read_to_string(file).unwrap();
    let here = module(file);
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for word in line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
            let mut parts = word.split("::").peekable();
            let mut path: Vec<String> = match parts.peek() {
                Some(&"crate") => {
                    parts.next();
                    vec![]
                }
                Some(&"super") => here.clone(),
                _ => continue,
            };
            while parts.peek() == Some(&"super") {
                parts.next();
                path.pop();
            }
            path.extend(parts.filter(|part| !part.is_empty()).map(str::to_owned));
            found.push(Import {
                place: format!("{}:{}", file.display(), number + 1),
                path,
            });
        }
    }
    found
}

fn all_imports() -> Vec<(Vec<String>, Import)> {
    let mut found = Vec::new();
    files(Path::new("src"), &mut found);
    let each = found.iter().flat_map(|file| {
        let module = module(file);
        imports(file)
            .into_iter()
            .map(move |import| (module.clone(), import))
    });
    each.collect()
}

#[test]
fn no_part_imports_what_stands_above_it() {
    let floor = |part: &str| FLOORS.iter().position(|parts| parts.contains(&part));
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (module, import) in all_imports() {
        let (Some(own), Some(other)) = (module.first(), import.path.first()) else {
            continue;
        };
        let (Some(here), Some(there)) = (floor(own), floor(other)) else {
            continue;
        };
        seen += 1;
        if own != other && there >= here {
            wrong.push(import.place);
        }
    }
    assert!(seen > 500, "only {seen} imports were read");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_wing_of_logic_imports_a_later_one() {
    let wing = |path: &[String]| {
        let name = path.get(1).filter(|_| path[0] == "logic")?;
        WINGS.iter().position(|wing| wing == name)
    };
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (module, import) in all_imports() {
        let Some(here) = wing(&module) else { continue };
        let Some(there) = wing(&import.path) else {
            continue;
        };
        seen += 1;
        if there > here {
            wrong.push(import.place);
        }
    }
    assert!(seen > 100, "only {seen} imports were read");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_module_stands_in_a_part_and_each_module_of_logic_in_a_wing() {
    let mut found = Vec::new();
    files(Path::new("src"), &mut found);
    for file in &found {
        let module = module(file);
        let Some(part) = module.first() else { continue };
        assert!(
            FLOORS.iter().any(|parts| parts.contains(&part.as_str())),
            "{} is in no part",
            file.display()
        );
        if part == "logic" && module.len() > 1 {
            assert!(
                WINGS.contains(&module[1].as_str()),
                "{} is in no wing",
                file.display()
            );
        }
    }
}
