//! `cupid owed`: what is owed is listed, shown, sent and dropped by whoever is called at three in the morning.

mod common;

use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Answer, Cupid, Outcome, Scene};
use serde_json::{Value, json};

/// Rows 1 to 3 are owed to two copies, `copy1` and `copy2`, whose receivers answered 503.
fn scene() -> Scene {
    let scene = Scene::with_copies(2);
    scene.db.add_users(1..=3);
    for receiver in &scene.receivers {
        receiver.answer(|_| Answer::status(503));
    }
    scene.run(1);
    for receiver in &scene.receivers {
        receiver.answer(|_| Answer::ok());
        receiver.take();
    }
    scene
}

/// `cupid owed CONFIG WORDS`.
fn owed(scene: &Scene, words: &str) -> Cupid {
    scene.cupid("owed").args(words)
}

/// What is owed, as `destination/id`.
fn keys(scene: &Scene) -> Vec<String> {
    let owed = scene.config.owed();
    let key = |owed: &Value| format!("{}/{}", owed["destination"].as_str().unwrap(), owed["id"]);
    let mut keys: Vec<String> = owed.iter().map(key).collect();
    keys.sort();
    keys
}

#[track_caller]
fn prints(outcome: &Outcome, words: &[&str]) {
    for word in words {
        assert!(
            outcome.stdout.contains(word),
            "{word:?}: {}",
            outcome.stdout
        );
    }
}

#[test]
fn the_list_has_a_line_for_each_callback_and_the_command_to_type() {
    let scene = scene();
    let list = owed(&scene, "").exits(1);
    let lines: Vec<&str> = list.stdout.lines().collect();
    assert_eq!(lines.len(), 8, "{}", list.stdout);
    let header: Vec<&str> = lines[0].split_whitespace().collect();
    let expected = "destination id key kind columns since tries last answer";
    assert_eq!(header.join(" "), expected);
    let first: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!(first[..4], ["copy1", "1", "n1", "missing"]);
    assert!(lines[1].ends_with("3  503"), "{}", lines[1]);
    let config = scene.config.path().display().to_string();
    let command = format!("6 owed. cupid owed {config} show copy1/1");
    assert_eq!(lines[7], command);
    assert_eq!(owed(&scene, "list").exits(1).stdout, list.stdout);
    prints(
        &owed(&scene, "--destination copy2").exits(1),
        &["3 owed.", "show copy2/1"],
    );
    let two = owed(&scene, "list --limit 2").exits(1);
    assert_eq!(two.stdout.lines().count(), 4);
    prints(&two, &["6 owed, the first 2 shown."]);
    assert_eq!(scene.receiver().count(), 0);
}

#[test]
fn json_prints_the_lines_of_the_file() {
    let scene = scene();
    let outcome = owed(&scene, "--json --limit 1").exits(1);
    let lines: Vec<Value> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines, scene.config.owed());
    let of_one = owed(&scene, "list --json --destination copy2").exits(1);
    assert_eq!(of_one.stdout.lines().count(), 3);
}

#[test]
fn the_list_needs_no_secret_and_no_server() {
    let mut scene = scene();
    for place in ["/src", "/des/0", "/des/1"] {
        let dsn = scene.config.value.pointer(&format!("{place}/dsn")).unwrap();
        let parts = dsn.as_str().unwrap().split(';');
        let parts = parts.filter(|part| !part.starts_with("port="));
        let dsn = format!("{};port=9", parts.collect::<Vec<_>>().join(";"));
        scene
            .config
            .set(&format!("{place}/dsn"), dsn)
            .set(&format!("{place}/password"), "${NO_SUCH_VARIABLE_OF_CUPID}");
    }
    let callback = "/des/0/callbackNotification";
    scene
        .config
        .set(&format!("{callback}/secret"), "${file:/no/such/file}");
    prints(&owed(&scene, "").exits(1), &["6 owed."]);
    owed(&scene, "show copy1/1").exits(78);
    let empty = Scene::with_missing(1..=3);
    prints(&owed(&empty, "").exits(0), &["Nothing is owed."]);
    assert_eq!(owed(&empty, "--json").exits(0).stdout, "");
}

#[test]
fn what_audits_left_owed_is_listed_and_sent() {
    let scene = Scene::with_missing(1..=2);
    scene.receiver().answer(|_| Answer::status(500));
    scene.cupid("reconcile").exits(1);
    prints(&owed(&scene, "").exits(1), &["copy1/1", "2 owed."]);
    scene.receiver().take();
    scene.receiver().answer(|_| Answer::ok());
    owed(&scene, "send 2").exits(0);
    assert_eq!(scene.receiver().ids(), [2]);
    assert_eq!(keys(&scene), ["copy1/1"]);
}

#[test]
fn show_has_both_rows_the_columns_that_differ_and_the_body_that_is_sent_then() {
    let scene = scene();
    scene
        .db
        .exec("INSERT INTO des.user (number, name, avatar) VALUES ('n2', 'other', 'a2.png')");
    scene
        .db
        .exec("UPDATE src.user SET name = 'new\x1b[2J', avatar = 'a2.png' WHERE id = 2");
    let shown = owed(&scene, "show copy1/2 copy1/3").exits(0);
    prints(
        &shown,
        &[
            "copy1/2\n",
            "*  name",
            "other",
            "503",
            "copy1/3\n",
            "no row of this key",
            "2026",
            "127.0.0.1",
        ],
    );
    assert!(!shown.stdout.contains("*  avatar") && !shown.stdout.contains('\x1b'));
    let bodies: Vec<&str> = shown
        .stdout
        .lines()
        .filter(|line| line.starts_with('{'))
        .collect();
    assert_eq!(bodies.len(), 2);
    assert_eq!(scene.receiver().count(), 0, "nothing was sent");
    let before = scene.config.state_snapshot();
    owed(&scene, "show copy1/2").exits(0);
    assert!(scene.config.state_snapshot() == before, "nothing is saved");
    owed(&scene, "send copy1/2 copy1/3").exits(0);
    let sent = scene.receiver().callbacks();
    let mut texts: Vec<&str> = sent.iter().map(|callback| callback.text.as_str()).collect();
    texts.sort_unstable();
    let mut bodies = bodies;
    bodies.sort_unstable();
    assert_eq!(texts, bodies);
}

#[test]
fn show_says_what_became_of_a_row() {
    let scene = scene();
    scene
        .db
        .exec("INSERT INTO des.user SELECT * FROM src.user WHERE id = 1");
    scene.db.exec("DELETE FROM src.user WHERE id = 2");
    scene.db.exec("RENAME TABLE des2.user TO des2.away");
    let shown = owed(&scene, "show copy1/1 copy1/2 copy2/3").exits(1);
    prints(
        &shown,
        &["agree now", "source row is not there", "cannot be read"],
    );
    shown.assert_says(&["copy2", "cannot be read"]);
}

#[test]
fn send_tries_what_it_is_told_now_whatever_the_endpoint_asked_for() {
    let scene = Scene::with_missing(1..=3);
    let wait = vec![("Retry-After", "3000".to_owned())];
    scene
        .receiver()
        .answer(move |_| Answer::Status(503, wait.clone()));
    scene.run(1);
    prints(&owed(&scene, "").exits(1), &["503; asked to wait until "]);
    scene.receiver().take();
    scene.receiver().answer(|callback| match callback.id() {
        3 => Answer::status(500),
        _ => Answer::ok(),
    });
    scene.run(1);
    assert_eq!(scene.receiver().count(), 0, "a pass waits");
    prints(&owed(&scene, "send 2").exits(0), &["1 called back"]);
    assert_eq!(scene.receiver().take().len(), 1);
    let left = owed(&scene, "send copy1/3").exits(1);
    prints(
        &left,
        &["1 still owed", "500", "1 owed. cupid owed", "show copy1/3"],
    );
    assert_eq!(keys(&scene), ["copy1/1", "copy1/3"]);
    scene.receiver().answer(|_| Answer::ok());
    owed(&scene, "send --all").exits(0);
    assert_eq!(keys(&scene).len(), 0);
    prints(&owed(&scene, "send --all").exits(0), &["Nothing is owed."]);
}

#[test]
fn send_all_of_a_destination_leaves_the_other_alone() {
    let scene = scene();
    owed(&scene, "send --all --destination copy2").exits(0);
    assert_eq!(scene.receiver().count(), 0);
    assert_eq!(scene.receivers[1].ids(), [1, 2, 3]);
    assert_eq!(keys(&scene), ["copy1/1", "copy1/2", "copy1/3"]);
}

/// Since when the endpoints of these destinations refuse, as `status` says; `null` where they do not.
fn since(scene: &Scene) -> [Value; 2] {
    let outcome = scene.cupid("status").args("--json").run();
    let status: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    [0, 1].map(|number| status["destinations"][number]["since"].clone())
}

#[test]
fn status_knows_what_was_sent_and_what_was_dropped() {
    let scene = scene();
    assert!(since(&scene).iter().all(Value::is_string));
    owed(&scene, "send --all --destination copy1").exits(0);
    let [first, second] = since(&scene);
    assert!(first.is_null() && second.is_string(), "{first} {second}");
    owed(&scene, "drop --all --destination copy2 --yes").exits(0);
    assert!(since(&scene).iter().all(Value::is_null));
}

#[test]
fn a_row_that_was_repaired_is_not_sent_and_not_owed_any_more() {
    let scene = scene();
    scene.db.exec("INSERT INTO des.user SELECT * FROM src.user");
    owed(&scene, "send --all --destination copy1").exits(0);
    assert_eq!(scene.receiver().count(), 0);
    assert_eq!(keys(&scene).len(), 3);
}

#[test]
fn drop_prints_what_it_drops_and_nothing_brings_it_back_at_once() {
    let mut scene = scene();
    scene.config.with_updates(30);
    for receiver in &scene.receivers {
        receiver.answer(|_| Answer::status(503));
    }
    scene
        .db
        .exec("UPDATE src.user SET name = 'changed', update_time = NOW() WHERE id = 2");
    scene.run(1); // The window remembers row 2 as compared.
    let before = scene.config.owed();
    let dropped = owed(&scene, "drop copy1/2 copy2/3 --yes").exits(0);
    let lines = dropped.stdout.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<&Value> = lines.iter().map(|line| &line["id"]).collect();
    assert_eq!(ids, [&json!(2), &json!(3)]);
    assert!(
        lines.iter().all(|line| before.contains(line)),
        "as in the file"
    );
    assert_eq!(keys(&scene), ["copy1/1", "copy1/3", "copy2/1", "copy2/2"]);
    for receiver in &scene.receivers {
        receiver.answer(|_| Answer::ok());
        receiver.take();
    }
    scene.run(0);
    assert_eq!(
        scene.receiver().ids(),
        [1, 3],
        "the dropped row is forgotten"
    );
    assert_eq!(scene.receivers[1].ids(), [1, 2]);
}

#[test]
fn a_dropped_row_is_found_again_when_it_changes_and_by_an_audit() {
    let mut scene = scene();
    scene.config.with_updates(30);
    scene.run(0);
    for receiver in &scene.receivers {
        receiver.answer(|_| Answer::status(503));
    }
    scene
        .db
        .exec("UPDATE src.user SET name = 'one', update_time = NOW() WHERE id = 2");
    scene.run(1);
    owed(&scene, "drop --all --yes").exits(0);
    assert_eq!(keys(&scene).len(), 0);
    for receiver in &scene.receivers {
        receiver.answer(|_| Answer::ok());
        receiver.take();
    }
    scene.run(0);
    assert_eq!(scene.receiver().count(), 0);
    scene
        .db
        .exec("UPDATE src.user SET name = 'two' WHERE id = 2");
    scene
        .db
        .exec("UPDATE src.user SET update_time = NOW() WHERE id = 2");
    scene.run(0);
    let names = |scene: &Scene| -> Vec<String> {
        let taken = scene.receiver().take();
        taken
            .iter()
            .map(|it| it.text_of("name").to_owned())
            .collect()
    };
    assert_eq!(names(&scene), ["two"]);
    scene.cupid("reconcile").exits(1);
    assert_eq!(
        names(&scene).len(),
        3,
        "an audit finds all that are missing"
    );
}

#[test]
fn drop_asks_on_a_terminal_and_needs_yes_without_one() {
    let scene = scene();
    owed(&scene, "drop copy1/1")
        .exits(64)
        .assert_says(&["--yes"]);
    assert_eq!(keys(&scene).len(), 6);
    let config = scene.config.path().display().to_string();
    let script = |answer: &str| {
        let command = format!("{} owed {config} drop --all", env!("CARGO_BIN_EXE_cupid"));
        let mut script = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Start script(1), which has a terminal");
        let mut input = script.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, answer.as_bytes()).unwrap();
        let output = script.wait_with_output().unwrap();
        drop(input);
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let (code, text) = script("n\n");
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("Drop 6 callbacks owed to copy1, copy2?"),
        "{text}"
    );
    assert_eq!(keys(&scene).len(), 6);
    let (code, text) = script("y\n");
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(keys(&scene).len(), 0);
}

#[test]
fn what_cannot_be_printed_is_not_dropped() {
    let scene = scene();
    let config = scene.config.path();
    let under = |script: &str| {
        Cupid::under(
            &["sh", "-c", script, "sh"],
            ["owed".as_ref(), config.as_os_str()],
        )
    };
    let full = under("\"$@\" drop --all --yes > /dev/full").exits(2);
    full.assert_says(&["stdout"]);
    assert_eq!(keys(&scene).len(), 6);
    let kept = scene.config.folder().join("dropped.jsonl");
    let to_file = format!("\"$@\" drop copy1/1 copy2/1 --yes > {}", kept.display());
    under(&to_file).exits(0);
    assert_eq!(std::fs::read_to_string(kept).unwrap().lines().count(), 2);
    assert_eq!(keys(&scene).len(), 4);
}

#[test]
fn a_key_that_says_nothing_clear_is_refused_with_the_way_out() {
    let scene = scene();
    for (words, expected) in [
        ("show copy1/33", "Did you mean copy1/3 or copy2/3?"),
        ("send 2", "copy1/2, copy2/2"),
        ("drop 77 --yes", "6 callbacks are owed: copy1/1, "),
        ("send --all --destination copy3", "There are copy1, copy2"),
        ("list --destination copy3", "There are copy1, copy2"),
        ("show copy1/[\"5\"]", "Nothing is owed under"),
    ] {
        let outcome = owed(&scene, words).exits(64);
        outcome.assert_says(&[expected]);
        assert_eq!(outcome.stdout, "");
    }
    assert_eq!(keys(&scene).len(), 6);
}

#[test]
fn what_is_owed_to_a_destination_that_was_taken_out_is_listed_and_can_be_dropped() {
    let mut scene = scene();
    let destinations = scene.config.value["des"].as_array_mut().unwrap();
    destinations.remove(1);
    let run = scene.run(1);
    run.assert_says(&["no longer names", "cupid owed"]);
    let list = owed(&scene, "--destination copy2").exits(1);
    prints(&list, &["no longer names the destination", "3 owed."]);
    owed(&scene, "send copy2/1")
        .exits(64)
        .assert_says(&["drop --all --destination copy2"]);
    prints(&owed(&scene, "show copy2/1").exits(1), &["copy2/1"]);
    owed(&scene, "send --all").exits(1);
    owed(&scene, "drop --all --destination copy2 --yes").exits(0);
    assert_eq!(keys(&scene).len(), 0);
    scene.run(0).assert_silent();
}

#[test]
fn send_and_drop_take_the_lock_and_who_only_reads_does_not() {
    let mut scene = scene();
    scene.config.set("/confirmDelayMillisecond", 4_000);
    scene.db.add_users([4]);
    let run = scene.cupid("run").spawn();
    std::thread::sleep(Duration::from_secs(1));
    owed(&scene, "send --all").exits(75).assert_silent();
    owed(&scene, "drop --all --yes").exits(75).assert_silent();
    owed(&scene, "list").run();
    run.wait();
}

#[test]
fn nothing_that_is_listed_or_shown_holds_a_token_of_the_address() {
    let mut scene = scene();
    let url = format!("{}?token=hidden-token", scene.receiver().url());
    scene.config.set("/des/0/callbackNotification/url", url);
    prints(&owed(&scene, "show copy1/1").exits(0), &["127.0.0.1", "?…"]);
    owed(&scene, "").exits(1);
    owed(&scene, "send --all").exits(0);
}
