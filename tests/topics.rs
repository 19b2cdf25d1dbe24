//! The longer texts hold what they promise: they can be read, name every key, metric and message,
//! and their commands are commands.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::error::ErrorKind;
use cupid::cli::topics::TOPICS;

use common::Cupid;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn topic(name: &str) -> String {
    read(&format!("src/cli/topics/{name}.md"))
}

/// What people read about cupid: file and text.
fn texts() -> Vec<(String, String)> {
    let readmes = ["README.md", "examples/README.md"].map(str::to_owned);
    let topics = TOPICS
        .iter()
        .map(|topic| format!("src/cli/topics/{}.md", topic.name));
    let files = readmes.into_iter().chain(topics);
    files
        .map(|file| {
            let text = read(&file);
            (file, text)
        })
        .collect()
}

/// Every `.rs` below a folder.
fn sources(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("Read a folder of sources");
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("Read an entry").path();
        if path.is_dir() {
            found.extend(sources(path.to_str().expect("UTF-8")));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn words(text: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cupid"));
    command.args(text.split(' '));
    command
}

#[test]
fn each_topic_is_printed_within_80_columns() {
    let files = fs::read_dir(root().join("src/cli/topics")).expect("Read the topics");
    assert_eq!(files.count(), TOPICS.len(), "a file that is no topic");
    for topic in TOPICS {
        let text = topic.shown();
        let outcome = Cupid::program(
            &[],
            Path::new(env!("CARGO_BIN_EXE_cupid")),
            ["help", topic.name],
        )
        .exits(0);
        assert_eq!(
            (outcome.stdout.as_str(), ""),
            (text.as_str(), &*outcome.stderr)
        );
        assert!(text.starts_with(topic.about()) && text.lines().count() > 10);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", topic.name);
        }
    }
}

#[test]
fn help_lists_commands_and_topics_and_an_unknown_one_is_a_usage_error() {
    let program = Path::new(env!("CARGO_BIN_EXE_cupid"));
    let help = Cupid::program(&[], program, ["help"]).exits(0).stdout;
    let none = Cupid::program(&[], program, ["help", "nonsense"]).exits(64);
    for topic in TOPICS {
        let line = format!("\n  {:16}{}\n", topic.name, topic.about());
        assert!(help.contains(&line), "{line}{help}");
        assert!(none.stderr.contains(topic.name), "{}", none.stderr);
    }
    for command in ["run", "reconcile", "status", "help"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        assert!(none.stderr.contains(command), "{}", none.stderr);
    }
    let near = Cupid::program(&[], program, ["help", "calbacks"]).exits(64);
    assert!(near.stderr.contains("'callbacks'"), "{}", near.stderr);
    let of_command = Cupid::program(&[], program, ["help", "report", "merge"]).exits(0);
    assert!(of_command.stdout.contains("cupid report merge"));
}

#[test]
fn no_topic_has_the_name_of_a_command() {
    for topic in TOPICS {
        let outcome = words(&format!("{} --help", topic.name)).output();
        let code = outcome.expect("Start cupid").status.code();
        assert_eq!(code, Some(64), "{} is a command too", topic.name);
    }
}

/// The command lines of a text: indented lines, and what stands between backticks. The latter may
/// leave out what has to be typed: true.
fn commands(text: &str) -> Vec<(String, bool)> {
    let mut text = text.to_owned();
    // A backslash at its end joins a line with the next one.
    while let Some((before, after)) = text.split_once(" \\\n") {
        text = format!("{before} {}", after.trim_start());
    }
    let lines = text.lines().filter_map(|line| {
        let line = line.strip_prefix("    ")?.trim_start();
        let line = line
            .trim_start_matches("$ ")
            .trim_start_matches("* * * * *")
            .trim_start();
        Some((line.trim_start_matches("sudo -u cupid "), false))
    });
    let flat = text.replace('\n', " ");
    let inline = flat.split('`').skip(1).step_by(2);
    let all = lines.chain(inline.map(|it| (it, true)));
    let commands = all.filter(|(it, _)| it.starts_with("cupid "));
    commands
        .map(|(it, may_lack)| {
            let line = it.split(['#', '>', '|', '&']).next().unwrap_or(it);
            let line = line.split("  ").next().unwrap_or(line).trim();
            (line.to_owned(), may_lack)
        })
        .collect()
}

#[test]
fn what_the_texts_tell_to_type_is_a_command_line() {
    let mut seen = 0;
    for (file, text) in texts() {
        for (command, may_lack) in commands(&text) {
            let placeholder = |word: &&str| ["TOPIC", "COMMAND"].contains(word);
            if command.split(' ').any(|word| placeholder(&word)) {
                continue;
            }
            seen += 1;
            let parsed = cupid::cli::parse(command.split(' '));
            let Err(error) = parsed else { continue };
            let lacks = [
                ErrorKind::MissingRequiredArgument,
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
            ];
            assert!(
                !error.use_stderr() || may_lack && lacks.contains(&error.kind()),
                "{file}: {command}: {error}"
            );
        }
    }
    assert!(seen > 60, "only {seen} commands were read");
}

#[test]
fn what_the_texts_link_to_is_there() {
    for (file, text) in texts() {
        let folder = Path::new(&file).parent().expect("It is in a folder");
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().expect("A link ends");
            if link.starts_with("http") || link.starts_with('#') {
                continue;
            }
            let path = root().join(folder).join(link);
            assert!(path.exists(), "{file}: {link}");
        }
        for place in text.split('`').skip(1).step_by(2) {
            let is_path = ["examples/", "tests/", "scripts/", "src/"]
                .iter()
                .any(|start| place.starts_with(start));
            let place = place.split(' ').next().unwrap_or(place);
            assert!(
                !is_path || root().join(place).exists() || place.ends_with("callback_receiver"),
                "{file}: {place}"
            );
        }
    }
}

#[test]
fn the_configuration_topic_names_every_key() {
    const ASKS: [&str; 14] = [
        ".text(",
        ".any_text(",
        ".account(",
        ".whole(",
        ".integer(",
        ".flag(",
        ".object(",
        ".list(",
        ".file(",
        ".value(",
        ".secret_texts(",
        "required_name(",
        "read_hook(",
        "read_key(",
    ];
    let text = topic("configuration");
    let mut seen = BTreeSet::new();
    for file in sources("src/config") {
        let is_test = file.ends_with("tests.rs") || file.ends_with("reader.rs");
        let source = fs::read_to_string(&file).expect("Read a source");
        let source = source
            .split("\nmod tests {")
            .next()
            .expect("It has a begin");
        for ask in ASKS.iter().filter(|_| !is_test) {
            for rest in source.split(ask).skip(1) {
                let arguments = rest.split(')').next().unwrap_or(rest);
                let first = arguments
                    .split(',')
                    .take(2)
                    .find_map(|argument| argument.trim().strip_prefix('"')?.strip_suffix('"'));
                seen.extend(first.filter(|key| !key.contains(' ')).map(str::to_owned));
            }
        }
    }
    assert!(seen.len() > 45, "only {seen:?} were read");
    for key in &seen {
        let is_named = [format!("`{key}`"), format!("\"{key}\":")]
            .iter()
            .any(|named| text.contains(named));
        assert!(is_named, "the topic does not name {key}");
    }
}

#[test]
fn the_metrics_topic_names_every_family() {
    let source = read("src/logic/stats/metrics.rs");
    let source = source
        .split("\n#[cfg(test)]")
        .next()
        .expect("It has a begin");
    let text = topic("metrics");
    let literals = source.split('"').skip(1).step_by(2);
    let names: BTreeSet<&str> = literals.filter(|it| it.starts_with("cupid_")).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(text.contains(&format!("`{name}`")), "{name}");
    }
}

/// The first words behind the subject of every message.
fn beginnings() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let files = ["src/logic/report", "src/logic/stats"]
        .map(sources)
        .concat();
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        let source = fs::read_to_string(file).expect("Read a source");
        let source = source
            .split("\nmod tests {")
            .next()
            .expect("It has a begin");
        for subject in [
            "\"{destination}: ",
            "\"source: ",
            "\"callbacks: ",
            "\"{name}: ",
        ] {
            for rest in source.split(subject).skip(1) {
                let words = rest
                    .split(['"', '{', '\\', ':', '.', ','])
                    .next()
                    .unwrap_or(rest);
                found.insert(words.trim().to_owned());
            }
        }
    }
    found.remove("");
    found
}

#[test]
fn the_log_topic_explains_every_message() {
    let text = topic("log").replace("\n  ", " ").replace('\n', " ");
    let beginnings = beginnings();
    assert!(beginnings.len() > 20, "{beginnings:?}");
    for beginning in beginnings {
        let start: Vec<&str> = beginning.split(' ').take(3).collect();
        assert!(text.contains(&start.join(" ")), "{beginning:?}");
    }
}

#[test]
fn the_texts_use_plain_words() {
    const UNPLAIN: [&str; 8] = [
        "likewise",
        "those that",
        "had of",
        "no copy at all",
        "the other ones",
        "thereof",
        "what of",
        "so to speak",
    ];
    let mut texts = texts();
    texts.push(("src/cli/examples.rs".into(), read("src/cli/examples.rs")));
    for (file, text) in texts {
        for words in UNPLAIN {
            assert!(!text.to_lowercase().contains(words), "{file}: {words}");
        }
    }
}

#[test]
fn man_writes_a_page_for_each_command_and_topic_that_groff_takes() {
    let folder = tempfile::tempdir().expect("Create a folder");
    let to = folder.path().join("man");
    let dir = to.to_str().expect("UTF-8");
    let program = Path::new(env!("CARGO_BIN_EXE_cupid"));
    Cupid::program(&[], program, ["man", "--dir", dir])
        .exits(0)
        .assert_silent();
    let mut pages: Vec<String> = TOPICS
        .iter()
        .map(|it| format!("cupid-{}.7", it.name))
        .collect();
    pages.extend(
        [
            "cupid.1",
            "cupid-run.1",
            "cupid-report-merge.1",
            "cupid-owed-drop.1",
            "cupid.json.5",
        ]
        .map(str::to_owned),
    );
    for page in &pages {
        assert!(to.join(page).is_file(), "{page}");
    }
    for entry in fs::read_dir(&to).expect("Read the pages") {
        let path = entry.expect("Read an entry").path();
        let output = Command::new("groff")
            .args(["-man", "-Tutf8", "-Kutf8", "-ww", "-rLL=120n"])
            .arg(&path)
            .output()
            .unwrap_or_else(|error| panic!("Cannot run groff ({error}): install groff-base"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && said.is_empty(),
            "{}: {said}",
            path.display()
        );
    }
    let page = Cupid::program(&[], program, ["man"]).exits(0).stdout;
    assert!(page.contains(".SH SYNOPSIS"), "{page}");
}

#[test]
fn help_and_pages_that_cannot_be_written_are_errors() {
    for (arguments, to) in [
        (["help", "callbacks"].as_slice(), "/dev/full"),
        (&["help"], "/dev/full"),
        (&["run", "--help"], "/dev/full"),
        (&["--version"], "/dev/full"),
        (&["man"], "/dev/full"),
        (&["man", "--dir", "/dev/null/man"], "/dev/null"),
        (&["completions", "bash"], "/dev/full"),
    ] {
        let script = format!("\"$@\" > {to}");
        let outcome = Cupid::under(&["sh", "-c", &script, "sh"], arguments).exits(2);
        assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
        assert!(!outcome.stderr.is_empty(), "{arguments:?} says nothing");
    }
}
