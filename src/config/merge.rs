//! Several files as one: a key of a file further back holds where no nearer file has it.
//!
//! Objects are merged key by key. `columns` and `headers` are taken whole, as are lists. The
//! entries of `des` are matched by `name`, and a further file adds none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jsonc_parser::ast::{Array, Object, ObjectProp, Value};

use super::words::{join, quote};

/// Objects whose keys are names of the user's own.
const WHOLE: [&str; 2] = ["columns", "headers"];
/// Each file has its own.
const OWN: [&str; 2] = ["$schema", "extends"];
/// Two spellings of one key.
const SPELLINGS: [&str; 2] = ["updateTimeFormate", "updateTimeFormat"];

/// Which file each value came from.
#[derive(Debug)]
pub(super) struct Origins {
    /// The configuration, and behind it the files that it extends.
    files: Vec<PathBuf>,
    /// The paths of values that came from another file than the first, by the number of the file.
    of: BTreeMap<String, usize>,
}

impl Origins {
    /// Everything came from one file.
    pub(super) fn of(path: &Path) -> Self {
        Self {
            files: vec![path.to_owned()],
            of: BTreeMap::new(),
        }
    }

    /// The number of the file that has the value at this path, such as `des[0].tls.ca`.
    pub(super) fn number(&self, path: &str) -> usize {
        let whole = [path.len()].into_iter();
        let ends = path.match_indices(['.', '[']).map(|(end, _)| end);
        let ends: Vec<usize> = ends.chain(whole).collect();
        let mut known = ends.into_iter().rev();
        known
            .find_map(|end| self.of.get(&path[..end]).copied())
            .unwrap_or(0)
    }

    /// The same, its path.
    pub(super) fn file(&self, path: &str) -> &Path {
        &self.files[self.number(path)]
    }

    /// ` (in common.json)`, where the value at this path is not in the configuration itself.
    pub(super) fn words(&self, path: &str) -> String {
        match self.number(path) {
            0 => String::new(),
            number => format!(" (in {})", self.files[number].display()),
        }
    }
}

/// What came of several files.
pub(super) struct Merged<'a> {
    pub(super) object: Object<'a>,
    pub(super) origins: Origins,
    /// Path and sentence.
    pub(super) problems: Vec<(String, String)>,
}

impl<'a> Merged<'a> {
    /// The configuration alone.
    pub(super) fn new(path: &Path, object: Object<'a>) -> Self {
        Self {
            object,
            origins: Origins::of(path),
            problems: Vec::new(),
        }
    }

    /// Takes from `further` what is not there yet.
    pub(super) fn fill(&mut self, path: &Path, further: Object<'a>) {
        let Self {
            object,
            origins,
            problems,
        } = self;
        origins.files.push(path.to_owned());
        let mut filling = Filling {
            number: origins.files.len() - 1,
            origins,
            problems,
        };
        filling.fill("", object, further);
    }
}

struct Filling<'m> {
    number: usize,
    origins: &'m mut Origins,
    problems: &'m mut Vec<(String, String)>,
}

impl Filling<'_> {
    fn problem(&mut self, path: String, problem: &str) {
        let file = self.origins.files[self.number].display();
        let problem = format!("{problem} (in {file})");
        self.problems.push((path, problem));
    }

    fn fill<'a>(&mut self, path: &str, own: &mut Object<'a>, further: Object<'a>) {
        let mut seen = BTreeSet::new();
        for property in further.properties {
            let name = property.name.as_str().to_owned();
            let at = join(path, &name);
            if !seen.insert(name.clone()) {
                self.problem(at, "is written twice; should be written once");
                continue;
            }
            if path.is_empty() && OWN.contains(&name.as_str()) {
                continue;
            }
            match own.properties.iter_mut().find(|it| is_same(it, &name)) {
                None => {
                    self.origins.of.insert(at, self.number);
                    own.properties.push(property);
                }
                Some(_) if WHOLE.contains(&name.as_str()) => {}
                Some(known) => match (&mut known.value, property.value) {
                    (Value::Object(own), Value::Object(further)) => self.fill(&at, own, further),
                    (Value::Array(own), Value::Array(further)) if at == "des" => {
                        self.destinations(own, further);
                    }
                    _ => {}
                },
            }
        }
    }

    /// Each own destination takes what it lacks from the further one of its name.
    fn destinations<'a>(&mut self, own: &mut Array<'a>, further: Array<'a>) {
        let mut by_name: BTreeMap<String, Object<'a>> = BTreeMap::new();
        for (index, element) in further.elements.into_iter().enumerate() {
            let Value::Object(object) = element else {
                self.problem(format!("des[{index}]"), "should hold an object {…}");
                continue;
            };
            let Some(name) = name_of(&object) else {
                continue; // No destination can mean it.
            };
            if by_name.insert(name.clone(), object).is_some() {
                let path = format!("des[{index}].name");
                let holds = quote(&name);
                let problem =
                    format!("holds {holds}; should be a name that no other destination has");
                self.problem(path, &problem);
            }
        }
        for (index, element) in own.elements.iter_mut().enumerate() {
            if let Value::Object(object) = element
                && let Some(further) = name_of(object).and_then(|name| by_name.remove(&name))
            {
                self.fill(&format!("des[{index}]"), object, further);
            }
        }
    }
}

fn is_same(property: &ObjectProp<'_>, name: &str) -> bool {
    let own = property.name.as_str();
    own == name || SPELLINGS.contains(&own) && SPELLINGS.contains(&name)
}

fn name_of(destination: &Object<'_>) -> Option<String> {
    let name = destination.get_string("name")?;
    Some(name.value.to_string())
}
