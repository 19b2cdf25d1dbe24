//! The README's five minutes, played on real servers: what it shows is what the program prints.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::{Cupid, Db, Receiver, Server};

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Each command of the README with the lines below it.
fn sessions(text: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        let Some(line) = line.strip_prefix("    ") else {
            is_open = false;
            continue;
        };
        if let Some(command) = line.strip_prefix("$ ") {
            found.push((command.to_owned(), Vec::new()));
            is_open = true;
        } else if is_open {
            found
                .last_mut()
                .expect("It is open")
                .1
                .push(line.to_owned());
        }
    }
    found
}

/// What is on a picture of a terminal.
fn picture(file: &str) -> Vec<String> {
    let svg = read(file);
    let lines = svg.lines().filter(|line| line.starts_with("<text"));
    let plain = |line: &str| {
        let mut text = String::new();
        for part in line.split('<').skip(1) {
            text += part.split_once('>').expect("A tag ends").1;
        }
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    };
    lines.map(plain).collect()
}

/// A line without what is different each time: ages, moments, how long it took.
fn lasting(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let mut kept: Vec<String> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let next = words.get(index + 1).map(|next| next.trim_end_matches(','));
        let is_time = word.contains(':') && word.trim_end_matches([':', ',']).ends_with('Z');
        let is_amount = is_number(word) && matches!(next, Some("s" | "ms" | "min"));
        let is_estimate = index > 0 && words[index - 1] == "about";
        let word = match () {
            () if is_amount || is_estimate && is_number(word) => "#",
            () if is_time && is_number(word) => "TIME",
            () if word.starts_with('▁') => "CHART",
            () => word,
        };
        kept.push(word.to_owned());
    }
    kept.join(" ")
}

/// The README's two tables, its configuration, and a receiver at its address.
struct Stage {
    db: std::sync::Arc<Db>,
    receiver: Receiver,
    folder: tempfile::TempDir,
}

impl Stage {
    fn new(readme: &str) -> Self {
        let db = Db::new(1);
        for statement in read("examples/user.sql").split(';') {
            let lines = statement.lines().filter(|line| !line.starts_with("--"));
            let statement = lines.collect::<Vec<_>>().join("\n");
            let is_of_administrator = ["CREATE DATABASE", "CREATE USER", "GRANT"]
                .iter()
                .any(|start| statement.trim().starts_with(start));
            if !is_of_administrator && !statement.trim().is_empty() {
                db.exec(&statement.replace("my2.", "des.").replace("my.", "src."));
            }
        }
        let folder = tempfile::tempdir().expect("Create a folder");
        let stage = Self {
            receiver: Receiver::start(),
            db,
            folder,
        };
        stage.receiver.stop();
        let (_, config) = readme
            .split_once("```json\n")
            .expect("It has a configuration");
        let (config, _) = config.split_once("```").expect("It ends");
        let mut config = config.to_owned();
        for (shown, here) in stage.places() {
            config = config.replace(&shown, &here);
        }
        let user = format!("\"user\": \"{}\"", stage.db.reader);
        fs::write(
            stage.path("user.json"),
            config.replace("\"user\": \"cupid\"", &user),
        )
        .expect("Write the configuration");
        let secrets = readme
            .lines()
            .filter_map(|line| line.strip_prefix("    CUPID_"));
        let secrets: Vec<String> = secrets.map(|line| format!("CUPID_{line}\n")).collect();
        assert_eq!(secrets.len(), 3, "{secrets:?}");
        let password = format!("'{}'", stage.db.reader_password);
        fs::write(
            stage.path("user.env"),
            secrets.concat().replace("'secret'", &password),
        )
        .expect("Write the secrets");
        fs::set_permissions(stage.path("user.env"), fs::Permissions::from_mode(0o600))
            .expect("Keep the secrets private");
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the README calls places, and what they are called here.
    fn places(&self) -> [(String, String); 4] {
        let Server { host, port, .. } = &*self.db.server;
        let address = |database: &str| format!("mysql:host={host};port={port};dbname={database}");
        let url = self.receiver.url();
        let url = url.trim_start_matches("http://").to_owned();
        [
            (
                "mysql:host=127.0.0.1;port=3306;dbname=my2".into(),
                address(&self.db.copies[0]),
            ),
            (
                "mysql:host=127.0.0.1;port=3306;dbname=my".into(),
                address(&self.db.source),
            ),
            ("127.0.0.1:20000/test/callback".into(), url.clone()),
            ("127.0.0.1:3306".into(), format!("{host}:{port}")),
        ]
    }

    /// What a command prints on a terminal, in the README's names, without what is different each time.
    fn printed(&self, command: &str) -> Vec<String> {
        let line = format!(
            "stty cols 100; cd {}; {}{}",
            self.folder.path().display(),
            env!("CARGO_BIN_EXE_cupid"),
            command.strip_prefix("cupid").expect("It is cupid")
        );
        let output = Cupid::program(&[], Path::new("script"), ["-qec", &line, "/dev/null"])
            .env("NO_COLOR", "1")
            .run();
        let mut text = output.stdout.replace('\r', "");
        text = text
            .replace(&self.db.copies[0], "my2")
            .replace(&self.db.source, "my");
        for (shown, here) in self.places() {
            text = text.replace(&here, &shown);
        }
        text.lines().map(lasting).collect()
    }
}

#[test]
fn the_readme_shows_what_the_program_prints() {
    let readme = read("README.md");
    let stage = Stage::new(&readme);
    let sessions = sessions(&readme);
    let mut seen = 0;
    for (command, shown) in &sessions {
        if command.contains("receiver.py") {
            stage.receiver.restart();
            continue;
        }
        let is_demo = command.contains("report.csv");
        if is_demo || !command.starts_with("cupid ") {
            continue;
        }
        let printed = stage.printed(command);
        for line in shown {
            let line = lasting(line);
            assert!(printed.contains(&line), "{command}: {line}\n{printed:#?}");
            seen += 1;
        }
        if command.starts_with("cupid owed") {
            // Where lines are broken depends on the port.
            let printed = stage.printed("cupid status user.json").join(" ");
            let shown = picture("examples/status.svg");
            let shown: Vec<String> = shown.iter().skip(1).map(|line| lasting(line)).collect();
            let shown = shown.join(" ");
            assert_eq!(shown, printed, "examples/status.svg");
        }
    }
    assert!(seen > 10, "only {seen} lines were compared");
}

#[test]
fn the_readme_is_what_a_newcomer_reads_in_five_minutes() {
    let readme = read("README.md");
    let (lines, words) = (readme.lines().count(), readme.split_whitespace().count());
    assert!(
        lines <= 200 && words <= 1_300,
        "{lines} lines, {words} words"
    );
}

#[test]
fn the_readme_has_the_exit_statuses_of_the_help() {
    let program = Path::new(env!("CARGO_BIN_EXE_cupid"));
    let help = Cupid::program(&[], program, ["--help"]).exits(0).stdout;
    let (_, statuses) = help.split_once("Exit status:\n").expect("It has them");
    let (statuses, _) = statuses.split_once("\n\n").expect("They end");
    let readme = read("README.md");
    assert_eq!(statuses.lines().count(), 6, "{statuses}");
    for status in statuses.lines() {
        let (code, text) = status.trim().split_once("  ").expect("A code and a text");
        let row = format!("\n| {code} | {text} |\n");
        assert!(readme.contains(&row), "{row}");
    }
}
