//! `cupid status` on what real passes leave.

mod common;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::{Answer, Cupid, Scene, wait_until};
use serde_json::{Value, json};

#[track_caller]
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[track_caller]
fn status(scene: &Scene, code: i32) -> Value {
    parsed(&scene.cupid("status").arg("--json").exits(code).stdout)
}

/// The screen, without what a clock says.
#[track_caller]
fn screen(scene: &Scene, code: i32) -> String {
    scene.cupid("status").exits(code).stdout
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

/// The source's database on a server that is not there.
fn nobody(scene: &Scene, host: &str) -> String {
    format!("mysql:host={host};port=1;dbname={}", scene.db.source)
}

fn of_all(paths: &[&PathBuf]) -> Cupid {
    let words = [PathBuf::from("status")];
    Cupid::new(words.iter().chain(paths.iter().copied()))
}

/// The configuration under another name, with these changes, beside the first one.
fn another(scene: &Scene, name: &str, changes: &[(&str, Value)]) -> PathBuf {
    let mut value = scene.config.value.clone();
    value["name"] = json!(name);
    for (pointer, change) in changes {
        *value.pointer_mut(pointer).expect("There is such a key") = change.clone();
    }
    let folder = scene.config.folder().join("all");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.json"));
    fs::write(&path, value.to_string()).unwrap();
    path
}

#[test]
fn a_configuration_in_sync_is_ok() {
    let mut scene = Scene::in_sync(1..=30);
    scene.config.with_updates(5);
    scene.run(0);
    let state = scene.config.state();
    let text = screen(&scene, 0);
    assert_says(
        &text,
        &[
            "test          ok      ",
            &format!("state         {}, nobody at work\n", state.display()),
            "last pass     ",
            " ago: 30 rows compared, in sync, ",
            "last success  ",
            "new ids       up to 30, 0 behind",
            "updates       up to ",
            " s behind\n",
            "destination  state  owed  oldest  last hour         24 hours\n",
            "copy1        ok        0          ▁▁▁▁▁▁▁▁▁▁▁▁   0  0\n",
            "audit         none yet\n",
        ],
    );
    let json = status(&scene, 0);
    assert_eq!(json["state"], "ok");
    assert_eq!(json["stateDir"], json!(state));
    assert_eq!(json["lastPassAt"], json["lastSuccessAt"]);
    assert_eq!(json["lastRun"]["exit"], 0);
    assert_eq!(json["destinations"][0]["name"], "copy1");
    assert_eq!(json["destinations"][0]["idsBehind"], 0);
    assert!(json["destinations"][0]["updatesBehindMs"].is_u64());
}

#[test]
fn an_endpoint_that_refuses_is_named_with_what_to_type_until_it_takes() {
    let scene = Scene::with_missing(1..=3);
    scene.receiver().answer(|_| Answer::status(503));
    scene.run(1);
    let config = scene.config.path();
    let url = scene.receiver().url();
    let text = screen(&scene, 1);
    assert_says(
        &text,
        &[
            "test          OWED    ",
            "copy1        OWED      3  0 s     ▁▁▁▁▁▁▁▁▁▁▁█   3  3 missing\n",
            &format!("  copy1: {url} answers 503 since "),
            &format!("  cupid owed {}\n", config.display()),
        ],
    );
    let json = status(&scene, 1);
    let destination = &json["destinations"][0];
    assert_eq!(
        (&json["state"], &destination["state"]),
        (&json!("OWED"), &json!("OWED"))
    );
    assert_eq!(destination["owed"], 3);
    let since = destination["since"].clone();
    assert!(since.is_string() && destination["oldestDetectedAt"].is_string());
    assert_eq!(json["owed"][0]["count"], 3);
    // It goes on: the beginning stays.
    scene.run(1);
    assert_eq!(status(&scene, 1)["destinations"][0]["since"], since);
    scene.receiver().answer(|_| Answer::ok());
    scene.retry(0);
    let json = status(&scene, 0);
    assert_eq!(
        (&json["state"], &json["owedTotal"]),
        (&json!("ok"), &json!(0))
    );
}

#[test]
fn a_destination_that_is_down_is_unread_since_then_and_the_other_is_ok() {
    let mut scene = Scene::with_copies(2);
    scene.db.add_users(1..=5);
    scene.db.copy_users();
    scene.run(0);
    let dsn = scene.config.value["des"][1]["dsn"].clone();
    scene
        .config
        .set("/des/1/dsn", "mysql:host=127.0.0.1;port=1;dbname=des2");
    scene.db.add_users(6..=7);
    scene.db.copy_users();
    scene.run(1);
    let text = screen(&scene, 1);
    assert_says(
        &text,
        &[
            "test          UNREAD  ",
            "copy1        ok",
            "copy2        UNREAD ",
            "; goes on from id 6 when it answers\n",
            "new ids       up to 7, 0 behind",
        ],
    );
    let json = status(&scene, 1);
    let of = |json: &Value, number: usize| json["destinations"][number].clone();
    assert_eq!(
        (&of(&json, 0)["state"], &of(&json, 1)["state"]),
        (&json!("ok"), &json!("UNREAD"))
    );
    assert_eq!(of(&json, 1)["idsBehind"], 2);
    let error = of(&json, 1)["lastError"].clone();
    assert!(
        error.as_str().is_some_and(|it| it.contains("127.0.0.1:1")),
        "{error}"
    );
    scene.run(1);
    assert_eq!(of(&status(&scene, 1), 1)["since"], of(&json, 1)["since"]);
    scene.config.set("/des/1/dsn", dsn);
    scene.run(0);
    assert_eq!(status(&scene, 0)["state"], "ok");
}

#[test]
fn a_run_that_fails_is_failed_since_its_first_failure() {
    let mut scene = Scene::in_sync(1..=3);
    scene.run(0);
    let success = status(&scene, 0)["lastSuccessAt"].clone();
    scene.config.set("/src/dsn", nobody(&scene, "127.0.0.1"));
    for _ in 0..2 {
        scene.run(2);
    }
    let json = status(&scene, 1);
    assert_eq!(json["state"], "FAILED");
    assert_eq!(
        (&json["lastSuccessAt"], &json["lastRun"]["exit"]),
        (&success, &json!(2))
    );
    assert_eq!(json["destinations"][0]["idsBehind"], Value::Null);
    assert_says(
        &screen(&scene, 1),
        &[
            "test          FAILED  ",
            ", failed: ",
            "2 passes in a row, since ",
            ", ? behind",
        ],
    );
}

#[test]
fn a_folder_without_state_is_new_and_named() {
    let scene = Scene::in_sync(1..=3);
    let state = scene.config.state();
    for _ in 0..2 {
        let text = screen(&scene, 1);
        assert_says(
            &text,
            &[
                "NEW",
                &format!("{}, which holds no state of it", state.display()),
            ],
        );
        assert_eq!(status(&scene, 1)["state"], "NEW");
        let _ = fs::remove_dir(&state); // The second time there is not even a folder.
    }
    assert!(!state.exists(), "who only looks makes no folder");
}

#[test]
fn who_works_is_seen_without_disturbing_it() {
    let scene = Scene::in_sync(1..=3);
    let mut running = scene.cupid("run").args("--every 100ms").spawn();
    wait_until("the first pass has ended", Duration::from_secs(30), || {
        scene.config.history().is_some()
    });
    for _ in 0..20 {
        assert_says(&screen(&scene, 0), &["a run is at work"]);
    }
    assert_eq!(status(&scene, 0)["atWork"], true);
    assert!(running.is_running());
    running.kill();
    assert_says(&screen(&scene, 0), &["nobody at work"]);
}

#[test]
fn it_needs_no_secret_and_no_server() {
    let mut scene = Scene::with_missing(1..=3);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    scene
        .config
        .set("/src/password", "${CUPID_TEST_NOWHERE}")
        .set("/des/0/password", "${file:/nowhere/password}")
        .set(
            "/des/0/callbackNotification/secret",
            "${CUPID_TEST_NOWHERE}",
        );
    let text = screen(&scene, 1);
    assert_says(
        &text,
        &[
            "OWED",
            "not asked, for a secret of src is missing here",
            ", ? behind",
        ],
    );
    assert_eq!(status(&scene, 1)["idMax"], Value::Null);
    // An address that swallows every packet.
    let swallowing = nobody(&scene, "192.0.2.1");
    scene
        .config
        .set("/src/dsn", swallowing)
        .set("/src/password", "p");
    let began = Instant::now();
    let text = screen(&scene, 1);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert_says(&text, &["OWED", ", ? behind"]);
}

#[test]
fn several_are_a_line_each_the_worst_first_and_what_cannot_be_read_is_one_too() {
    let scene = Scene::in_sync(1..=3);
    let fine = another(&scene, "fine", &[]);
    let down = json!("mysql:host=127.0.0.1;port=1;dbname=src");
    let failed = another(&scene, "down", &[("/src/dsn", down)]);
    Cupid::of("run", &fine).exits(0);
    Cupid::of("run", &failed).exits(2);
    let broken = scene.config.folder().join("all/broken.json");
    fs::write(&broken, "{").unwrap();
    let new = another(&scene, "new", &[]);
    fs::write(
        scene.config.folder().join("all/notes.txt"),
        "no configuration",
    )
    .unwrap();
    let folder = scene.config.folder().join("all");
    let words = |text: &str| -> Vec<String> {
        let lines = text.lines().skip(1);
        lines
            .filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned))
            .collect()
    };
    let text = Cupid::of("status", &folder).exits(1).stdout;
    assert_eq!(
        words(&text)[..4],
        ["CONFIG", "FAILED", "NEW", "ok"],
        "{text}"
    );
    assert_says(
        &text,
        &[
            "config ",
            "last success",
            &broken.display().to_string(),
            "4 configurations: 1 cannot be read, 1 failed, 1 new, 1 ok\n",
        ],
    );
    // The same one by one, and twice is once.
    let all = [&fine, &failed, &broken, &new, &fine];
    let named = of_all(&all).exits(1).stdout;
    assert_eq!(words(&named), words(&text));
    let json = Cupid::of("status", &folder).arg("--json").exits(1).stdout;
    let states: Vec<Value> = json
        .lines()
        .map(|line| parsed(line)["state"].clone())
        .collect();
    assert_eq!(states.len(), 4);
    assert!(states.contains(&json!("CONFIG")), "{json}");
    of_all(&[&fine, &fine]).exits(0);
}

#[test]
fn what_is_no_configuration_is_said() {
    let scene = Scene::in_sync(1..=3);
    let empty = scene.config.folder().join("empty");
    fs::create_dir(&empty).unwrap();
    let outcome = Cupid::of("status", &empty).exits(78);
    outcome.assert_says(&["empty", "no configuration"]);
    let absent = scene.config.folder().join("absent.json");
    Cupid::of("status", &absent).exits(78);
    let plugin = Cupid::of("status", &absent).arg("--plugin").exits(3).stdout;
    assert_says(&plugin, &["CUPID UNKNOWN - ", "absent.json"]);
}

#[test]
fn a_history_that_is_lost_or_damaged_begins_anew_and_costs_nothing_else() {
    let scene = Scene::in_sync(1..=3);
    scene.run(0);
    let file = scene.config.state_file("stats.json");
    for damage in ["", "{", "[]", "{\"version\":9}", "\0\0\0"] {
        fs::write(&file, damage).unwrap();
        let json = status(&scene, 1);
        assert!(
            json["historyError"].is_string() && json["state"] == "STALE",
            "{json}"
        );
        assert_says(&screen(&scene, 1), &["history       ", "begins it anew"]);
        let outcome = scene.cupid("run").exits(0);
        outcome.assert_says(&["test.stats.json", "begins anew"]);
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        scene.run(0).assert_silent();
        assert_eq!(status(&scene, 0)["state"], "ok");
    }
    fs::remove_file(&file).unwrap();
    scene.run(0).assert_silent();
    // A file that cannot be written is a warning.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    scene.cupid("run").exits(0).assert_says(&["history"]);
}

#[test]
fn a_state_that_is_another_ones_or_damaged_is_no_status() {
    let scene = Scene::in_sync(1..=3);
    scene.run(0);
    let other = another(&scene, "test", &[]);
    Cupid::of("status", &other).exits(78);
    fs::write(scene.config.state_file("checkpoint.json"), "{").unwrap();
    scene
        .cupid("status")
        .exits(2)
        .assert_says(&["checkpoint.json"]);
    let plugin = scene.cupid("status").arg("--plugin").exits(3).stdout;
    assert_says(&plugin, &["CUPID UNKNOWN - ", "checkpoint.json"]);
}

#[test]
fn the_plugin_has_a_line_with_figures_and_its_own_exit_status() {
    let mut scene = Scene::with_missing(1..=3);
    let line = |scene: &Scene, code: i32, words: &str| {
        let text = scene
            .cupid("status")
            .args("--plugin")
            .args(words)
            .exits(code)
            .stdout;
        assert_eq!(text.lines().count(), 1, "{text}");
        text
    };
    assert_says(&line(&scene, 1, ""), &["CUPID WARNING - test is NEW: "]);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    assert_says(
        &line(&scene, 1, ""),
        &[
            "CUPID WARNING - test owes 3 callbacks, the oldest ",
            " | test_owed=3;;;0 test_last_success=",
        ],
    );
    scene.receiver().answer(|_| Answer::ok());
    scene.run(0);
    assert_says(
        &line(&scene, 0, ""),
        &["CUPID OK - test is ok | test_owed=0;;;0"],
    );
    std::thread::sleep(Duration::from_millis(1_100));
    assert_says(
        &line(&scene, 2, "--stale 1s"),
        &["CUPID CRITICAL - test is STALE: "],
    );
    scene.config.set("/src/dsn", nobody(&scene, "127.0.0.1"));
    scene.run(2);
    assert_says(
        &line(&scene, 2, ""),
        &["CUPID CRITICAL - test failed, 1 pass in a row: "],
    );
}

#[test]
fn the_last_audit_is_told_and_a_dry_one_leaves_nothing() {
    let scene = Scene::with_missing(1..=3);
    scene.repair();
    scene.run(0);
    scene.cupid("reconcile").arg("--dry-run").exits(0);
    assert_says(&screen(&scene, 0), &["audit         none yet"]);
    scene.db.exec("DELETE FROM des.user WHERE id = 2");
    scene.cupid("reconcile").exits(1);
    let text = screen(&scene, 0);
    assert_says(
        &text,
        &["audit         0 s ago, complete: 3 rows, 1 difference\n"],
    );
    let audit = &status(&scene, 0)["lastAudit"];
    assert_eq!(
        (&audit["complete"], &audit["compared"]),
        (&json!(true), &json!(3))
    );
}

#[test]
fn rows_are_counted_once_for_each_destination() {
    let scene = Scene::with_copies(2);
    scene.db.add_users(1..=300);
    scene.db.copy_users();
    let outcome = scene.cupid("run").args("-v --json").exits(0);
    outcome.assert_says(&["in sync: 300 new, 0 updated rows compared"]);
    let summary = parsed(&outcome.stdout);
    assert_eq!(
        (&summary["compared"], &summary["destinations"]),
        (&json!(300), &json!(2))
    );
    for number in 0..2 {
        assert_eq!(summary["perDestination"][number]["compared"], 300);
    }
    // An audit counts so too, by whichever way it looks.
    for method in ["stream", "checksum", "auto"] {
        let outcome = scene
            .cupid("reconcile")
            .args("--json --method")
            .arg(method)
            .exits(0);
        let summary = parsed(&outcome.stdout);
        assert_eq!(summary["compared"], 300, "{method}: {summary}");
        assert_eq!(
            summary["perDestination"][1]["compared"], 300,
            "{method}: {summary}"
        );
    }
}
