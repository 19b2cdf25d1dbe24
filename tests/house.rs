//! The house: which part of the program may know which. A path in `src/` tells what may be imported there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. A part imports itself and what stands before it; parts of one line do not know each other.
const FLOORS: [&[&str]; 8] = [
    &["error", "locks"],
    &["logic"],
    &["config", "world"],
    &["pipeline", "check"],
    &["init"],
    &["io"],
    &["cli"],
    &["commands"],
];

/// The wings of `logic`, in the same manner.
const WINGS: [&str; 9] = [
    "value", "compare", "scan", "callback", "audit", "report", "notify", "stats", "status",
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

/// Every path of a `use`: `a::{b, c::{d, e}}` is `a::b`, `a::c::d` and `a::c::e`.
fn leaves(group: &str) -> Vec<String> {
    let Some((before, rest)) = group.split_once('{') else {
        return vec![group.trim().to_owned()];
    };
    let within = rest.rsplit_once('}').unwrap().0;
    let (mut depth, mut members) = (0, vec![String::new()]);
    for c in within.chars() {
        match c {
            ',' if depth == 0 => members.push(String::new()),
            _ => members.last_mut().unwrap().push(c),
        }
        depth += i32::from(c == '{') - i32::from(c == '}');
    }
    let leaves = members.iter().flat_map(|member| leaves(member));
    leaves
        .map(|leaf| format!("{}{leaf}", before.trim()))
        .collect()
}

/// The lines of a text with their numbers, without comments; each `use` on one line, with its paths written out.
fn lines_of(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().zip(1..);
    let mut lines = lines.filter(|(line, _)| !line.trim_start().starts_with("//"));
    let mut found = Vec::new();
    while let Some((line, number)) = lines.next() {
        let mut line = line.to_owned();
        let is_use = |word: Option<&str>| word == Some("use");
        let mut words = line.split_whitespace();
        let first = words.next();
        let of_visibility = first.is_some_and(|word| word.starts_with("pub"));
        if is_use(first) || of_visibility && is_use(words.next()) {
            while !line.ends_with(';') {
                line += lines.next().unwrap().0;
            }
            line = leaves(line.trim_end_matches(';')).join(" ");
        }
        found.push((number, line));
    }
    found
}

/// Every `crate::…` and `super::…` outside comments, by its path from the crate's root.
fn imports(file: &Path) -> Vec<Import> {
    let text = fs::read_to_string(file).unwrap();
    let here = module(file);
    let mut found = Vec::new();
    for (number, line) in lines_of(&text) {
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
                place: format!("{}:{}", file.display(), number),
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

/// The module that a path leads into: the longest beginning of it that is a file.
fn file_of<'m>(path: &[String], modules: &'m BTreeSet<Vec<String>>) -> Option<&'m Vec<String>> {
    (1..=path.len())
        .rev()
        .find_map(|length| modules.get(&path[..length]))
}

/// A module may use what contains it, and what contains it may use it: those two are read together.
#[test]
fn no_two_modules_of_logic_or_io_need_each_other() {
    let mut found = Vec::new();
    files(Path::new("src"), &mut found);
    let is_test = |module: &[String]| module.iter().any(|part| part.ends_with("tests"));
    let is_held = |module: &[String]| ["logic", "io"].iter().any(|part| module[0] == *part);
    let modules: BTreeSet<Vec<String>> = found
        .iter()
        .map(|file| module(file))
        .filter(|module| !module.is_empty() && is_held(module) && !is_test(module))
        .collect();
    let mut needs: BTreeMap<&Vec<String>, BTreeSet<&Vec<String>>> = BTreeMap::new();
    for file in &found {
        let Some(here) = modules.get(&module(file)) else {
            continue;
        };
        let needed = imports(file).into_iter();
        let needed = needed.filter_map(|import| file_of(&import.path, &modules));
        needs.insert(
            here,
            needed.filter(|there| !here.starts_with(there)).collect(),
        );
    }
    // What needs nothing, or nothing but what was taken away before, is in no circle.
    while let Some(free) = needs.iter().find_map(|(module, needed)| {
        needed
            .iter()
            .all(|there| !needs.contains_key(there))
            .then_some(*module)
    }) {
        needs.remove(free);
    }
    assert!(
        modules.len() > 100,
        "only {} modules were read",
        modules.len()
    );
    assert!(needs.is_empty(), "{:#?}", needs.keys());
}
