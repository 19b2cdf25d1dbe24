//! A typed, strict reader over the JSON of the configuration.
//!
//! Each key is read once, by the code that knows its meaning. A key that nobody read is unknown,
//! and is refused with the nearest known one. A problem is noted and reading goes on, so an
//! operator sees all problems at once. A refusal shows values as the file has them, a variable by
//! its name. It never shows a password, a secret, a header or a DSN.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use jsonc_parser::ast::{Object, ObjectProp, Value};

use super::merge::Origins;
use super::variables::{Variables, is_reference};
use super::words::{Show, describe, join, nearest, one_line, quote};

/// Whether a command needs what `${NAME}` stands for in a password, a secret, an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrets {
    Needed,
    /// One that is missing is replaced by [`UNKNOWN`].
    Unneeded,
}

/// In place of a secret that is missing and that nobody needs. It is a host's name and base64 too.
const UNKNOWN: &str = "none";

/// What all readers of one configuration share.
pub(super) struct Context<'a> {
    variables: Variables<'a>,
    secrets: Secrets,
    problems: RefCell<Vec<String>>,
    /// Secrets that are missing and unneeded, as problems.
    missing: RefCell<Vec<String>>,
    notes: RefCell<Vec<String>>,
    origins: Origins,
    /// The numbers of the files with a secret in clear.
    with_secrets: RefCell<BTreeSet<usize>>,
}

impl<'a> Context<'a> {
    pub(super) fn new(variables: Variables<'a>, secrets: Secrets, origins: Origins) -> Self {
        Self {
            variables,
            secrets,
            problems: RefCell::default(),
            missing: RefCell::default(),
            notes: RefCell::default(),
            origins,
            with_secrets: RefCell::default(),
        }
    }

    /// Writes down a problem: the key's path and a sentence about it.
    pub(super) fn problem(&self, path: &str, problem: &str) {
        let sentence = self.sentence(path, problem);
        self.problems.borrow_mut().push(sentence);
    }

    fn sentence(&self, path: &str, problem: &str) -> String {
        let origin = self.origins.words(path);
        format!("{path}: {}", one_line(&format!("{problem}{origin}")))
    }

    /// Writes down something that `check` tells.
    pub(super) fn note(&self, note: String) {
        self.notes.borrow_mut().push(note);
    }

    /// Says that a file itself holds a password or a secret, under the key of this path.
    pub(super) fn secret_is_in_clear(&self, path: &str) {
        let number = self.origins.number(path);
        self.with_secrets.borrow_mut().insert(number);
    }

    /// An environment variable.
    pub(super) fn env(&self, name: &str) -> Option<String> {
        self.variables.env(name)
    }

    /// A secret is missing without which the source cannot be asked anything.
    pub(super) fn lacks_source_secret(&self) -> bool {
        let missing = self.missing.borrow();
        let mut of_source = missing.iter().filter(|it| it.starts_with("src."));
        of_source.any(|it| !it.starts_with("src.pushbearSendKey"))
    }

    /// The configuration's file.
    pub(super) fn file(&self) -> &Path {
        self.variables.file()
    }

    /// The files that secrets came from.
    pub(super) fn secret_files(&self) -> Vec<PathBuf> {
        self.variables.used()
    }

    /// The problems, the notes, and the numbers of the files with a secret in clear.
    pub(super) fn into_findings(self) -> (Vec<String>, Vec<String>, BTreeSet<usize>) {
        let mut problems = self.problems.into_inner();
        if !problems.is_empty() {
            problems.extend(self.missing.into_inner()); // One may be why there is a problem.
        }
        (
            problems,
            self.notes.into_inner(),
            self.with_secrets.into_inner(),
        )
    }

    /// Replaces each `${NAME}` and `${file:PATH}`; what they stand for is not searched again.
    pub(super) fn expand(&self, path: &str, written: &str) -> Option<String> {
        self.expand_as(path, written, Secrets::Needed)
    }

    /// The same in a key that may hold a secret.
    pub(super) fn expand_secret(&self, path: &str, written: &str) -> Option<String> {
        self.expand_as(path, written, self.secrets)
    }

    fn expand_as(&self, path: &str, written: &str, secrets: Secrets) -> Option<String> {
        let mut text = String::new();
        let mut rest = written;
        while let Some((before, after)) = rest.split_once("${") {
            text.push_str(before);
            // Without its end it is no name either.
            let (reference, after) = after.split_once('}').unwrap_or(("", ""));
            match self.variables.value(reference, self.origins.file(path)) {
                Ok(value) => text.push_str(&value),
                Err(problem) if secrets == Secrets::Unneeded && is_reference(reference) => {
                    let missing = self.sentence(path, &problem);
                    self.missing.borrow_mut().push(missing);
                    if text.is_empty() && path.to_lowercase().ends_with("url") {
                        text.push_str("https://");
                    }
                    text.push_str(UNKNOWN);
                }
                Err(problem) => {
                    self.problem(path, &problem);
                    return None;
                }
            }
            rest = after;
        }
        text.push_str(rest);
        Some(text)
    }
}

/// A text as the file has it and with its variables filled in.
pub(super) struct Text {
    /// As written: safe to show where the key is no secret.
    pub(super) written: String,
    /// As meant.
    pub(super) value: String,
}

/// One object of the file.
pub(super) struct Reader<'a> {
    context: &'a Context<'a>,
    path: String,
    values: BTreeMap<&'a str, &'a Value<'a>>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Reader<'a> {
    /// A reader of the object at `path`; the empty path is the whole file.
    pub(super) fn new(context: &'a Context<'a>, path: String, object: &'a Object<'a>) -> Self {
        let mut values = BTreeMap::new();
        for ObjectProp { name, value, .. } in &object.properties {
            if values.insert(name.as_str(), value).is_some() {
                context.problem(
                    &join(&path, name.as_str()),
                    "is written twice; should be written once",
                );
            }
        }
        Self {
            context,
            path,
            values,
            asked: RefCell::default(),
        }
    }

    pub(super) fn context(&self) -> &'a Context<'a> {
        self.context
    }

    /// The path of a key of this object, such as `des[0].table`.
    pub(super) fn path(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Writes down a problem with one key.
    pub(super) fn problem(&self, key: &str, problem: &str) {
        self.context.problem(&self.path(key), problem);
    }

    /// Writes down that a key holds a text that it should not.
    pub(super) fn refuse(&self, key: &str, text: &Text, should: &str) {
        self.problem(key, &format!("holds {}; {should}", quote(&text.written)));
    }

    /// A key's value, and from now on the key is known.
    pub(super) fn value(&self, key: &'static str) -> Option<&'a Value<'a>> {
        self.asked.borrow_mut().push(key);
        self.values.get(key).copied()
    }

    /// True when the file has this key, whatever it holds.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Writes down that a key is missing, unless it is there (and then its own problem is written down already).
    pub(super) fn require<T>(
        &self,
        key: &'static str,
        value: Option<T>,
        should: &str,
    ) -> Option<T> {
        if value.is_none() && !self.has(key) {
            self.problem(key, &format!("is missing; {should}"));
        }
        value
    }

    /// A text, not empty.
    pub(super) fn text(&self, key: &'static str, should: &str) -> Option<Text> {
        self.filled_text(key, should, Secrets::Needed)
    }

    /// The same for the name of an account, which may be kept where its password is.
    pub(super) fn account(&self, key: &'static str, should: &str) -> Option<Text> {
        self.filled_text(key, should, self.context.secrets)
    }

    fn filled_text(&self, key: &'static str, should: &str, secrets: Secrets) -> Option<Text> {
        let text = self.text_as(key, should, Show::Value, secrets)?;
        if text.value.trim().is_empty() {
            self.refuse(key, &text, should);
            return None;
        }
        if text.value.contains('\0') {
            self.refuse(key, &text, "should hold no NUL character");
            return None;
        }
        Some(text)
    }

    /// A text, perhaps empty.
    pub(super) fn any_text(&self, key: &'static str, should: &str, show: Show) -> Option<Text> {
        let secrets = match show {
            Show::Value => Secrets::Needed,
            Show::Nothing => self.context.secrets,
        };
        self.text_as(key, should, show, secrets)
    }

    /// A secret, or a list of secrets that is not empty, each with its key.
    pub(super) fn secret_texts(&self, key: &'static str, should: &str) -> Vec<(String, Text)> {
        let Some(Value::Array(array)) = self.values.get(key) else {
            let text = self.any_text(key, should, Show::Nothing);
            return text
                .map(|text| (key.to_owned(), text))
                .into_iter()
                .collect();
        };
        self.asked.borrow_mut().push(key);
        if array.elements.is_empty() {
            self.problem(key, &format!("holds an empty list; {should}"));
        }
        let texts = array.elements.iter().enumerate().map(|(index, value)| {
            let key = format!("{key}[{index}]");
            let Value::StringLit(literal) = value else {
                let holds = describe(value, Show::Nothing);
                self.problem(&key, &format!("holds {holds}; {should}"));
                return None;
            };
            let written = literal.value.to_string();
            let value = self.context.expand_secret(&self.path(&key), &written)?;
            Some((key, Text { written, value }))
        });
        texts.flatten().collect()
    }

    fn text_as(
        &self,
        key: &'static str,
        should: &str,
        show: Show,
        secrets: Secrets,
    ) -> Option<Text> {
        match self.value(key)? {
            Value::StringLit(literal) => {
                let path = self.path(key);
                let value = self.context.expand_as(&path, &literal.value, secrets)?;
                Some(Text {
                    written: literal.value.to_string(),
                    value,
                })
            }
            other => {
                self.problem(key, &format!("holds {}; {should}", describe(other, show)));
                None
            }
        }
    }

    /// A folder or file.
    pub(super) fn file(&self, key: &'static str, should: &str) -> Option<PathBuf> {
        Some(PathBuf::from(self.text(key, should)?.value))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str, default: bool) -> bool {
        match self.value(key) {
            None => default,
            Some(Value::BooleanLit(literal)) => literal.value,
            Some(other) => {
                let holds = describe(other, Show::Value);
                self.problem(
                    key,
                    &format!("holds {holds}; should hold true or false (without quotes)"),
                );
                default
            }
        }
    }

    /// A whole number within limits; `unit` completes "a whole number …", such as "of seconds".
    pub(super) fn whole(
        &self,
        key: &'static str,
        limits: RangeInclusive<u64>,
        unit: &str,
    ) -> Option<u64> {
        let limits = i128::from(*limits.start())..=i128::from(*limits.end());
        let number = self.integer(key, limits, unit)?;
        u64::try_from(number).ok()
    }

    /// The same, which may be below zero.
    pub(super) fn integer(
        &self,
        key: &'static str,
        limits: RangeInclusive<i128>,
        unit: &str,
    ) -> Option<i128> {
        let value = self.value(key)?;
        let number = match value {
            Value::NumberLit(literal) => literal.value.parse().ok(),
            _ => None,
        };
        if let Some(number) = number.filter(|number| limits.contains(number)) {
            return Some(number);
        }
        let unit = if unit.is_empty() {
            String::new()
        } else {
            format!("{unit} ")
        };
        self.problem(
            key,
            &format!(
                "holds {}; should hold a whole number {unit}from {} to {}",
                describe(value, Show::Value),
                limits.start(),
                limits.end()
            ),
        );
        None
    }

    /// An object.
    pub(super) fn object(&self, key: &'static str, should: &str) -> Option<&'a Object<'a>> {
        match self.value(key)? {
            Value::Object(object) => Some(object),
            other => {
                self.problem(
                    key,
                    &format!("holds {}; {should}", describe(other, Show::Nothing)),
                );
                None
            }
        }
    }

    /// A list of objects, each with a reader of its own.
    pub(super) fn list(&self, key: &'static str, should: &str) -> Option<Vec<Reader<'a>>> {
        let value = self.value(key)?;
        let Value::Array(array) = value else {
            let holds = describe(value, Show::Nothing);
            self.problem(key, &format!("holds {holds}; {should}"));
            return None;
        };
        let mut readers = Vec::new();
        for (index, element) in array.elements.iter().enumerate() {
            let path = format!("{}[{index}]", self.path(key));
            match element {
                Value::Object(object) => readers.push(Reader::new(self.context, path, object)),
                other => self.context.problem(
                    &path,
                    &format!(
                        "holds {}; should hold an object {{…}}",
                        describe(other, Show::Nothing)
                    ),
                ),
            }
        }
        Some(readers)
    }

    /// Takes every key as known, and only looks whether its variables have values.
    pub(super) fn accept_the_rest(self) {
        for (key, value) in &self.values {
            expand_all(self.context, &self.path(key), value);
        }
    }

    /// Refuses the keys that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for key in self.values.keys().filter(|key| !asked.contains(key)) {
            let known = match nearest(key, &asked) {
                Some(known) => format!("is no key of cupid; did you mean {known}?"),
                None => format!("is no key of cupid; known here are {}", asked.join(", ")),
            };
            self.problem(key, &known);
        }
    }
}

fn expand_all(context: &Context<'_>, path: &str, value: &Value<'_>) {
    match value {
        Value::StringLit(literal) => {
            context.expand(path, &literal.value);
        }
        Value::Array(array) => {
            for (index, element) in array.elements.iter().enumerate() {
                expand_all(context, &format!("{path}[{index}]"), element);
            }
        }
        Value::Object(object) => {
            for property in &object.properties {
                expand_all(
                    context,
                    &join(path, property.name.as_str()),
                    &property.value,
                );
            }
        }
        Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {}
    }
}
