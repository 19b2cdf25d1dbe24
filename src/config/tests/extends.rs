//! `extends`: which file a value comes from, and what is refused.

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::logic::scan::php_date::PhpDateFormat;

/// A folder with these files, of which the first is the configuration.
struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn load(&self) -> Result<Job> {
        load(&self.path("user.json"), &env)
    }

    fn job(&self) -> Job {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }

    /// What the refusal says, without this folder's name.
    fn problem(&self) -> String {
        match self.load() {
            Err(Error::Config { problem, .. }) => {
                problem.replace(&format!("{}/", self.0.path().display()), "")
            }
            other => panic!("{other:?}"),
        }
    }
}

const COMMON: &str = r#"{
    "$schema": "x", "workerNumber": 2, "maxOwed": 5,
    "src": {"dsn": "mysql://u:p@db/my", "byColumn": "id", "insert": true, "cacheFilePath": "/s",
        "update": true, "updateColumn": "t", "updateScanSecond": 9, "updateTimeFormate": "U"},
    "des": [
        {"name": "search", "dsn": "mysql://u:p@db2/my2", "table": "common", "byColumn": "id",
            "columns": {"a": "a", "b": "b"}, "callbackNotification": {"url": "http://h/common",
            "attempts": 7, "headers": {"X-A": "a", "X-B": "b"}}},
        {"name": "cache", "dsn": "mysql://u:p@db3/my3", "table": "cache"}]
}"#;

const OWN: &str = r#"{
    "extends": "common.json", "maxOwed": 6,
    "src": {"table": "user", "byColumn": "number", "updateTimeFormat": "YmdHis"},
    "des": [{"name": "search", "columns": {"c": "c"}, "callbackNotification": {"url": "http://h/own",
        "headers": {"X-C": "c"}}}]
}"#;

#[test]
fn keys_of_the_extended_file_hold_where_this_one_has_none() {
    let job = Files::new(&[("user.json", OWN), ("common.json", COMMON)]).job();
    assert_eq!(
        (job.name.as_str(), job.workers, job.owed_max),
        ("user", 2, 6)
    );
    let source = &job.source;
    assert_eq!(source.table.name(), "my.user");
    assert_eq!(source.table.by_column, "number");
    let update = source.update.as_ref().unwrap();
    assert_eq!(update.scan, Duration::from_secs(9));
    assert_eq!(update.format, PhpDateFormat::parse("YmdHis").ok());
    let [search] = job.destinations.as_slice() else {
        panic!("only those that this file names");
    };
    assert_eq!(
        (search.name.as_str(), search.table.name().as_str()),
        ("search", "my2.common")
    );
    let columns: Vec<_> = search
        .columns
        .iter()
        .map(|pair| pair.source.as_str())
        .collect();
    assert_eq!(columns, ["c"]);
    let callback = &search.callback;
    assert_eq!(
        (callback.url.as_str(), callback.policy.attempts()),
        ("http://h/own", 7)
    );
    assert_eq!(callback.headers, [("X-C".into(), "c".into())]);
}

#[test]
fn without_destinations_of_its_own_a_file_has_those_that_it_extends() {
    let own = r#"{"extends": "common.json", "src": {"table": "t"}}"#;
    let common = COMMON.replace(r#","table": "cache"}"#, "}").replace(
        r#"{"name": "cache", "dsn": "mysql://u:p@db3/my3", "table": "cache"}"#,
        "",
    );
    let files = Files::new(&[("user.json", own), ("common.json", &common)]);
    assert_eq!(files.job().destinations[0].name, "search");
}

#[test]
fn a_nearer_file_takes_precedence_and_paths_begin_at_the_file_that_names_them() {
    let job = Files::new(&[
        ("user.json", r#"{"extends": "a/near.json", "deliverySecond": 1}"#),
        (
            "a/near.json",
            r#"{"extends": "../far.json", "deliverySecond": 2, "maxOwed": 2, "src": {"table": "near"}}"#,
        ),
        (
            "far.json",
            &LEAST.replacen('{', r#"{"deliverySecond": 3, "maxOwed": 3, "workerNumber": 3,"#, 1),
        ),
    ])
    .job();
    let found = (job.delivery_time.as_secs(), job.owed_max, job.workers);
    assert_eq!(found, (1, 2, 3));
    assert_eq!(job.source.table.table, "near");
}

#[test]
fn secrets_are_looked_up_beside_each_file_the_nearest_first() {
    let common = COMMON
        .replace("u:p@db/", "u:${A}${B}${file:secret}@db/")
        .replace(
            "\"src\"",
            "\"notify\": [{\"type\": \"wecom\", \"key\": \"k\"}], \"src\"",
        );
    let files = Files::new(&[
        ("user.json", &OWN.replace("common.json", "c/common.json")),
        ("user.env", "A=own"),
        ("c/common.json", &common),
        ("c/common.env", "A=common\nB=-b-"),
        ("c/secret", "file\n"),
    ]);
    let job = files.job();
    assert_eq!(job.source.table.server.password, "own-b-file");
    let used = ["c/common.env", "c/secret", "user.env"].map(|name| files.path(name));
    assert_eq!(job.secret_files, used);
    assert_eq!(
        job.secrets_readable_by_others,
        [files.path("c/common.json")]
    );
    fs::remove_file(files.path("c/common.env")).unwrap();
    let problem = files.problem();
    let places = "a line B=… in user.env (it has none) or in c/common.env (there is no such file)";
    assert!(problem.contains(places), "{problem}");
}

#[test]
fn notifications_may_stand_in_the_extended_file() {
    let common = r#"{"notify": [{"type": "wecom", "key": "k"}]}"#;
    let files = Files::new(&[("user.json", OWN), ("common.json", common)]);
    let found = load_notifications(&files.path("user.json"), &env).unwrap();
    assert_eq!((found.name.as_str(), found.channels.len()), ("user", 1));
}

#[test]
fn a_problem_names_the_file_that_has_it() {
    for (from, to, expected) in [
        (
            r#""maxOwed": 5"#,
            r#""maxOwedd": 5"#,
            "maxOwedd: is no key of cupid; did you mean maxOwed? (in common.json)",
        ),
        (
            r#""attempts": 7"#,
            r#""attempts": 0"#,
            "des[0].callbackNotification.attempts: holds 0; should hold a whole number of tries from 1 to 100 (in common.json)",
        ),
        (
            r#""workerNumber": 2"#,
            r#""workerNumber": 2, "workerNumber": 3"#,
            "workerNumber: is written twice; should be written once (in common.json)",
        ),
        (
            r#""name": "cache""#,
            r#""name": "search""#,
            "des[1].name: holds \"search\"; should be a name that no other destination has (in common.json)",
        ),
        (
            "mysql://u:p@db/my",
            "mysql://u:${NO}@db/my",
            "(there is no such file) (in common.json)",
        ),
        (r#""byColumn": "id", "insert""#, r#""insert""#, ""),
    ] {
        assert!(COMMON.contains(from), "{from}");
        let common = COMMON.replacen(from, to, 1);
        let files = Files::new(&[("user.json", OWN), ("common.json", &common)]);
        if expected.is_empty() {
            files.job();
            continue;
        }
        let problem = files.problem();
        assert!(problem.contains(expected), "{problem}");
    }
    let own = OWN.replace("\"maxOwed\": 6", "\"maxOwed\": 0");
    let files = Files::new(&[("user.json", &own), ("common.json", COMMON)]);
    assert!(files.problem().ends_with("10000000"), "{}", files.problem());
}

#[test]
fn what_cannot_be_extended_is_refused_with_the_files_on_the_way() {
    let of = |name: &str| format!(r#"{{"extends": "{name}"}}"#);
    let own = of("common.json");
    for (common, expected) in [
        (
            None,
            "extends: user.json extends common.json: Cannot be read: No such file",
        ),
        (
            Some(of("user.json")),
            "extends: user.json extends common.json, which extends user.json: Goes in a circle; no file should extend itself",
        ),
        (
            Some(of("./common.json")),
            "extends: user.json extends common.json, which extends ./common.json: Goes in a circle",
        ),
        (
            Some(of("folder")),
            "extends: user.json extends common.json, which extends folder: Is a folder; should be a configuration file",
        ),
        (
            Some(of("pipe")),
            "which extends pipe: Is no regular file; should be",
        ),
        (
            Some("{".into()),
            "extends: user.json extends common.json: Is not valid JSON: ",
        ),
        (
            Some("[]".into()),
            "extends: user.json extends common.json: Holds no JSON object",
        ),
        (
            Some(r#"{"extends": ["a"]}"#.into()),
            "extends: user.json extends common.json: extends: holds a list; should hold another configuration file",
        ),
    ] {
        let files = Files::new(&[("user.json", &own), ("folder/x", "")]);
        let pipe = std::process::Command::new("mkfifo")
            .arg(files.path("pipe"))
            .status();
        assert!(pipe.unwrap().success());
        if let Some(common) = &common {
            fs::write(files.path("common.json"), common).unwrap();
        }
        let problem = files.problem();
        assert!(problem.contains(expected), "{problem}");
    }
    for (own, expected) in [
        (
            r#"{"extends": 5}"#,
            "extends: holds 5; should hold another configuration file",
        ),
        (r#"{"extends": ""}"#, "extends: holds \"\"; should hold"),
        (
            r#"{"extends": "${NO}"}"#,
            "extends: needs the environment variable NO",
        ),
        (
            r#"{"extends": "user.json"}"#,
            "extends: user.json extends user.json: Goes in a circle",
        ),
    ] {
        let problem = Files::new(&[("user.json", own)]).problem();
        assert!(problem.starts_with(expected), "{problem}");
    }
}

#[test]
fn a_long_way_has_an_end() {
    let names: Vec<String> = (0..20).map(|n| format!("{n}.json")).collect();
    let texts: Vec<String> = (0..20)
        .map(|n| format!(r#"{{"extends": "{}.json"}}"#, n + 1))
        .collect();
    let mut files: Vec<(&str, &str)> = vec![("user.json", r#"{"extends": "0.json"}"#)];
    files.extend(
        names
            .iter()
            .map(String::as_str)
            .zip(texts.iter().map(String::as_str)),
    );
    let problem = Files::new(&files).problem();
    assert!(
        problem.ends_with("8.json: Leads through more than 8 files; should be fewer"),
        "{problem}"
    );
}
