//! Tests over whole files.

mod extends;
mod notify;
mod refusals;
mod schema;
mod values;

use super::*;
use crate::error::Error;
use proptest::prelude::*;

/// The sample in the README of the first cupid, with its comments.
const SEED: &str = include_str!("seed.json");

/// The least that loads.
const LEAST: &str = r#"{
    "src": {"dsn": "mysql://u:p@db/my", "table": "t", "byColumn": "k", "cacheFilePath": "/var/lib/cupid"},
    "des": [{"dsn": "mysql://u:p@db2/my2", "table": "t2", "byColumn": "k2", "columns": {"a": "b"},
        "callbackNotification": {"url": "http://h/p"}}]
}"#;

fn env(name: &str) -> Option<String> {
    let value = match name {
        "CUPID_SRC_PASSWORD" | "CUPID_DES_PASSWORD" | "CUPID_CALLBACK_SECRET" => {
            "from the environment"
        }
        "TABLE" => "t_of_env",
        "EMPTY" => "",
        "DOLLAR" => "${TABLE}",
        _ => return None,
    };
    Some(value.into())
}

fn read_with(text: &str, path: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Job> {
    let surroundings = Surroundings {
        env,
        read_file: &|_| Err(std::io::ErrorKind::NotFound.into()),
        cores: 7,
        readable_by_others: true,
    };
    parse(text, Path::new(path), &surroundings)
}

fn read(text: &str) -> Job {
    read_with(text, "/etc/cupid/user.json", &env).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn problem(text: &str) -> String {
    match read_with(text, "/etc/cupid/user.json", &env) {
        Err(Error::Config { problem, .. }) => problem,
        other => panic!("{other:?}\n{text}"),
    }
}

/// The same for a command that needs no secret.
fn read_without_secrets(text: &str) -> Result<Job> {
    let surroundings = Surroundings {
        env: &|_| None,
        read_file: &|_| Err(std::io::ErrorKind::PermissionDenied.into()),
        cores: 7,
        readable_by_others: true,
    };
    let path = Path::new("/etc/cupid/user.json");
    parse_with(text, path, &surroundings, Secrets::Unneeded)
}

#[test]
fn a_command_that_needs_no_secret_needs_none_of_them() {
    const SECRETS: &str = r#"{
        "heartbeatUrl": "https://h/${BEAT}",
        "notify": [{"type": "serverchan", "sendKey": "${KEY}"}, {"type": "slack", "url": "${SLACK}"},
            {"type": "wecom", "key": "${KEY}"}, {"type": "dingtalk", "token": "${T}", "secret": "${S}"},
            {"type": "feishu", "url": "${URL}", "secret": "${file:/run/secrets/x}"},
            {"type": "webhook", "url": "https://${HOST}/p", "secret": "whsec_${S}"},
            {"type": "command", "command": ["page", "${TO}"]}],
        "src": {"dsn": "mysql://u:${PASSWORD}@db/my", "table": "t", "byColumn": "k", "cacheFilePath": "/s",
            "pushbearSendKey": "${KEY}"},
        "des": [{"dsn": "mysql:host=${HOST};dbname=my2", "user": "${USER}", "password": "${file:secret}",
            "table": "t2", "byColumn": "k2", "columns": {"a": "b"}, "callbackNotification": {
                "url": "${URL}", "secret": "whsec_${S}", "headers": {"Authorization": "Bearer ${TOKEN}"}}}]
    }"#;
    let job = read_without_secrets(SECRETS).unwrap();
    assert_eq!(job.source.state_dir, Path::new("/s"));
    assert_eq!(job.destinations[0].name, "my2.t2");
}

#[test]
fn what_decides_which_state_is_meant_is_needed_by_every_command() {
    for (from, to) in [
        ("/var/lib/cupid", "${FOLDER}"),
        (
            "t\", \"byColumn\": \"k\"",
            "${TABLE}\", \"byColumn\": \"k\"",
        ),
        ("mysql://u:p@db/my", "${DSN}"),
        ("mysql://u:p@db/my", "mysql://u:${NO NAME}@db/my"),
    ] {
        let error = read_without_secrets(&changed(from, to)).unwrap_err();
        assert!(
            error.to_string().contains("${") || error.to_string().contains("needs the"),
            "{error}"
        );
    }
}

/// The least file with one piece of text replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(LEAST.contains(from), "{from}");
    LEAST.replacen(from, to, 1)
}

/// The least file with one more key at a level.
fn with(level: &str, key_and_value: &str) -> String {
    let anchor = match level {
        "" => "\"src\":",
        "src" => "\"dsn\": \"mysql://u:p@db/my\"",
        "des" => "\"dsn\": \"mysql://u:p@db2/my2\"",
        "columns" => "\"a\": \"b\"",
        "callback" => "\"url\":",
        _ => panic!("{level}"),
    };
    changed(anchor, &format!("{key_and_value}, {anchor}"))
}

#[test]
fn the_sample_of_the_first_cupid_loads() {
    let job = read(SEED);
    assert_eq!(job.name, "user");
    assert_eq!(job.workers, 3);
    assert_eq!(job.log_dir.as_deref(), Some(Path::new("/tmp")));
    assert_eq!(job.source.table.database, "my");
    assert_eq!(
        job.source.table.server.address,
        Address::Tcp("127.0.0.1".into(), 3306)
    );
    assert_eq!(job.source.table.server.password, "test");
    assert_eq!(job.source.id_column, "id");
    assert!(job.source.insert);
    let update = job.source.update.unwrap();
    assert_eq!(update.column, "update_time");
    assert_eq!(update.scan, Duration::from_secs(5));
    assert_eq!(update.format.unwrap().resolution_us(), 1_000_000);
    let [destination] = job.destinations.as_slice() else {
        panic!()
    };
    assert_eq!(destination.name, "my2.user");
    let columns: Vec<_> = destination
        .columns
        .iter()
        .map(|pair| pair.source.as_str())
        .collect();
    assert_eq!(columns, ["number", "name", "avatar"]);
    assert_eq!(
        destination.callback.url,
        "http://127.0.0.1:20000/test/callback"
    );
    assert!(!job.secrets_readable_by_others.is_empty());
    let notes = job.notes.join("\n");
    assert!(
        notes.contains("taskWorkerIntervalMillisecond") && notes.contains("serverchan"),
        "{notes}"
    );
    assert!(!notes.contains("9724"), "{notes}");
}

#[test]
fn the_example_loads_and_its_secrets_are_not_in_clear() {
    let job = read(include_str!("../../../examples/user.json"));
    assert!(job.secrets_readable_by_others.is_empty());
    assert_eq!(job.notes, Vec::<String>::new());
    assert_eq!(job.source.table.server.password, "from the environment");
    let destination = &job.destinations[0];
    assert_eq!(destination.table.server.password, "from the environment");
    assert_eq!(destination.callback.secrets, [b"from the environment"]);
    assert_eq!(
        destination.columns[3]
            .rule
            .tolerance
            .as_ref()
            .unwrap()
            .to_string(),
        "0.01"
    );
    assert!(destination.columns[1].rule.trim);
}

#[test]
fn defaults_are_those_of_the_table() {
    let job = read(LEAST);
    assert_eq!(job.workers, 7);
    assert_eq!(job.log_dir, None);
    assert_eq!(job.confirm_delay, Duration::from_secs(1));
    assert_eq!(job.delivery_time, Duration::from_secs(60));
    assert_eq!(job.owed_max, 100_000);
    assert_eq!(job.rows_per_second_max, None);
    assert_eq!(job.path, Path::new("/etc/cupid/user.json"));
    let source = job.source;
    assert_eq!(
        (source.start_id, source.insert, source.update.is_none()),
        (None, false, true)
    );
    assert_eq!(source.insert_interval, Duration::from_secs(2));
    assert_eq!(source.update_interval, Duration::from_secs(2));
    assert_eq!(source.late_commit, Duration::from_secs(60));
    assert!(!source.allow_full_scan);
    let callback = &job.destinations[0].callback;
    assert_eq!(callback.policy.delay(1, 1.0), Duration::from_secs(1));
    assert_eq!(
        (callback.timeout, callback.policy.attempts()),
        (Duration::from_secs(10), 3)
    );
    assert_eq!(
        (callback.concurrency, callback.numbers_as_strings),
        (8, false)
    );
    assert!(callback.secrets.is_empty() && callback.headers.is_empty());
}

#[test]
fn keys_of_the_update_scan_may_hold_anything_while_it_is_off() {
    let job = read(&with(
        "src",
        r#""update": false, "updateTimeFormate": "", "updateColumn": """#,
    ));
    assert!(job.source.update.is_none());
}

#[test]
fn a_file_is_loaded_and_its_mode_is_looked_at() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("user.json");
    assert!(
        load(&path, &env)
            .unwrap_err()
            .to_string()
            .contains("Cannot be read")
    );
    std::fs::write(&path, LEAST).unwrap();
    for (mode, readable) in [(0o600, false), (0o640, true), (0o604, true), (0o622, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(
            load(&path, &env).unwrap().secrets_readable_by_others == [path.clone()],
            readable,
            "{mode:o}"
        );
    }
    std::fs::write(&path, b"{\"\xff\": 1}").unwrap();
    assert_eq!(
        load(&path, &env).unwrap_err().exit(),
        crate::error::Exit::Config
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let _ = read_with(&text, "c.json", &env);
    }

    #[test]
    fn a_damaged_file_is_read_or_refused_with_a_problem(at in 0..SEED.len(), to in "[\\PC\\n]{0,3}", cut in 0_usize..20) {
        let start = (0..=at).rev().find(|at| SEED.is_char_boundary(*at)).unwrap();
        let end = (start + cut..=SEED.len()).find(|at| SEED.is_char_boundary(*at)).unwrap_or(SEED.len());
        let text = format!("{}{to}{}", &SEED[..start], &SEED[end..]);
        if let Err(Error::Config { problem, .. }) = read_with(&text, "c.json", &env) {
            prop_assert!(!problem.is_empty() && !problem.starts_with("0 "), "{}", problem);
        }
    }
}
