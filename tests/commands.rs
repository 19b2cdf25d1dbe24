//! How `run` and `start` are told what to do: options, signals, the lock, spellings of the configuration.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{Answer, Cupid, Scene, assert_ids, wait_until};
use serde_json::{Value, json};

#[test]
fn json_puts_one_object_on_stdout() {
    let scene = Scene::with_missing(1..=3);
    let outcome = scene.cupid("run").arg("--json").exits(0);
    let summary: Value = serde_json::from_str(&outcome.stdout).expect("stdout is one JSON value");
    assert!(summary.is_object(), "{}", outcome.stdout);
}

#[test]
fn two_runs_at_once_are_refused_with_75_in_silence() {
    let mut scene = Scene::with_missing([1]);
    scene.config.set("/confirmDelayMillisecond", 4000);
    let first = scene.cupid("run").spawn();
    std::thread::sleep(Duration::from_secs(1));
    scene.cupid("run").exits(75).assert_silent();
    scene.cupid("retry").exits(75);
    assert_eq!(first.wait().code, Some(0));
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [1]);
}

#[test]
fn passes_repeat_with_every_and_end_with_for() {
    let scene = Scene::in_sync(1..=2);
    let run = scene.cupid("run").args("--every 200ms --for 3s").spawn();
    std::thread::sleep(Duration::from_secs(1));
    scene.db.add_users([3]);
    wait_until("a later pass finds the row", Duration::from_secs(2), || {
        scene.receiver().ids() == [3]
    });
    let outcome = run.wait();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(
        (2500..8000).contains(&outcome.took.as_millis()),
        "took {:?}",
        outcome.took
    );
}

#[test]
fn start_works_until_sigterm() {
    let scene = Scene::with_missing(1..=2);
    let run = scene.cupid("start").arg("2").spawn();
    wait_until("the start id is taken", Duration::from_secs(10), || {
        scene.receiver().ids() == [2]
    });
    scene.db.add_users([3]);
    wait_until("a new row is seen", Duration::from_secs(10), || {
        scene.receiver().ids() == [2, 3]
    });
    run.signal("TERM");
    let outcome = run.wait();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    scene.run(0);
    assert_eq!(
        scene.receiver().ids(),
        [2, 3],
        "run goes on where start ended"
    );
}

#[test]
fn sigterm_ends_a_run_early_and_the_next_run_goes_on() {
    let scene = Scene::with_missing(1..=300);
    scene
        .receiver()
        .answer(|_| Answer::Late(Duration::from_millis(100)));
    let run = scene.cupid("run").spawn();
    wait_until("callbacks flow", Duration::from_secs(10), || {
        scene.receiver().count() > 10
    });
    run.signal("TERM");
    let outcome = run.wait();
    assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
    scene.receiver().answer(|_| Answer::ok());
    scene.run_until_done(5);
    assert_ids(&scene.receiver().delivered_ids(), 1..=300);
}

#[test]
fn sigusr1_reads_the_configuration_again_before_the_next_pass() {
    let mut scene = Scene::in_sync(1..=2);
    let run = scene.cupid("start").spawn();
    wait_until("the first pass is saved", Duration::from_secs(10), || {
        scene.config.state_file("checkpoint.json").exists()
    });
    scene.config.set(
        "/des/0/callbackNotification/headers",
        json!({"X-Second": "yes"}),
    );
    scene.config.path();
    run.signal("USR1");
    std::thread::sleep(Duration::from_millis(500));
    scene.db.add_users([3]);
    wait_until("the new row is sent", Duration::from_secs(10), || {
        scene.receiver().count() == 1
    });
    assert_eq!(scene.receiver().callbacks()[0].header("x-second"), "yes");
    run.signal("INT");
    assert_eq!(run.wait().code, Some(0));
}

#[test]
fn a_mysql_url_serves_as_dsn() {
    let mut scene = Scene::with_missing([1]);
    for (pointer, database) in [("/src", &scene.db.source), ("/des/0", &scene.db.copies[0])] {
        let (host, port) = (&scene.db.server.host, scene.db.server.port);
        let url = format!(
            "mysql://{}:{}@{host}:{port}/{database}",
            scene.db.reader, scene.db.reader_password
        );
        scene.config.set(&format!("{pointer}/dsn"), url);
        scene
            .config
            .remove(&format!("{pointer}/user"))
            .remove(&format!("{pointer}/password"));
    }
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [1]);
}

#[test]
fn variables_of_the_environment_fill_the_configuration() {
    let mut scene = Scene::with_missing([1]);
    for pointer in ["/src/password", "/des/0/password"] {
        scene.config.set(pointer, "${CUPID_TEST_PASSWORD}");
    }
    scene
        .cupid("run")
        .env("CUPID_TEST_PASSWORD", &scene.db.reader_password)
        .exits(0);
    assert_eq!(scene.receiver().ids(), [1]);
}

#[test]
fn the_block_of_the_seed_works_once_its_values_are_filled_in() {
    let scene = Scene::with_missing([1]);
    let block = include_str!("data/seed.json")
        .replace(
            "host=127.0.0.1;port=3306",
            &format!(
                "host={};port={}",
                scene.db.server.host, scene.db.server.port
            ),
        )
        .replace("dbname=my2", &format!("dbname={}", scene.db.copies[0]))
        .replace("dbname=my;", &format!("dbname={};", scene.db.source))
        .replace(
            "\"user\": \"test\"",
            &format!("\"user\": \"{}\"", scene.db.reader),
        )
        .replace(
            "\"password\": \"test\"",
            &format!("\"password\": \"{}\"", scene.db.reader_password),
        )
        .replace(
            "127.0.0.1:20000/test/callback",
            scene.receiver().url().trim_start_matches("http://"),
        )
        .replace(
            "\"/tmp\"",
            &format!("\"{}\"", scene.config.state().display()),
        );
    let path = scene.config.write(block.as_bytes());
    Cupid::of("run", Path::new(&path)).exits(0);
    assert_eq!(scene.receiver().ids(), [1]);
    assert!(
        scene.config.state().join("config.checkpoint.json").exists(),
        "the name is the file's stem"
    );
}
