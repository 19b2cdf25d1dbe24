//! `heartbeatUrl`.

use std::time::Duration;

use super::common::{Scene, wait_until};
use super::robot::{Reply, Robot};
use super::*;

fn scene(robot: &Robot) -> Scene {
    let mut scene = Scene::in_sync(1..=3);
    let url = format!("{}/hidden-heart?x=1", robot.url());
    scene.config.set("/heartbeatUrl", url);
    scene
}

const GOOD: &str = "/hidden-heart?x=1";
const FAIL: &str = "/hidden-heart/fail?x=1";

#[test]
fn a_heartbeat_follows_passes_once_a_minute_and_at_once_when_things_change() {
    let robot = Robot::answering(200, "OK");
    let mut scene = scene(&robot);
    scene.cupid("run").args("--dry-run").exits(0);
    assert_eq!(
        robot.paths(),
        Vec::<String>::new(),
        "a dry run sends nothing"
    );
    scene.run(0).assert_silent();
    scene.run(0);
    scene.retry(0);
    scene.cupid("run").args("--every 50ms --for 500ms").exits(0);
    assert_eq!(robot.paths(), [GOOD], "once a minute, over processes too");
    let dsn = scene.config.value["src"]["dsn"].clone();
    let nowhere = "mysql:host=127.0.0.1;port=1;dbname=my";
    scene.config.set("/src/dsn", nowhere);
    scene.run(2);
    scene.run(2);
    assert_eq!(robot.paths(), [GOOD, FAIL]);
    scene.config.set("/src/dsn", dsn);
    scene.run(0);
    assert_eq!(robot.paths(), [GOOD, FAIL, GOOD]);
    // Nothing to look at: refused, although the configuration could be read.
    scene.config.set("/src/insert", false);
    scene.run(78);
    assert_eq!(robot.paths(), [GOOD, FAIL, GOOD, FAIL]);
    for request in robot.requests() {
        assert_eq!(
            (request.method.as_str(), request.body.as_str()),
            ("GET", "")
        );
    }
}

#[test]
fn start_beats_as_well() {
    let robot = Robot::answering(200, "OK");
    let scene = scene(&robot);
    let started = scene.cupid("start").spawn();
    wait_until("a heartbeat came", Duration::from_secs(30), || {
        !robot.paths().is_empty()
    });
    std::thread::sleep(Duration::from_millis(500));
    started.signal("TERM");
    assert_eq!(started.wait().code, Some(0));
    assert_eq!(robot.paths(), [GOOD]);
}

#[test]
fn a_heartbeat_that_hangs_holds_up_no_other_run_and_fails_none() {
    let robot = Robot::start(|_| Reply::Hang);
    let scene = scene(&robot);
    let hanging = scene.cupid("run").spawn();
    wait_until("it asks", Duration::from_secs(30), || {
        !robot.paths().is_empty()
    });
    // The pass is over, and so is its lock.
    wait_until("the lock is free", Duration::from_secs(3), || {
        scene.cupid("run").run().code == Some(0)
    });
    let outcome = hanging.wait();
    assert_eq!(outcome.code, Some(0));
    outcome.assert_silent();
    assert!(outcome.took < Duration::from_secs(20), "{outcome:?}");
    assert_eq!(robot.paths(), [GOOD]);
}

#[test]
fn a_heartbeat_that_is_refused_fails_no_run_and_is_seen_in_the_log() {
    let robot = Robot::answering(404, "hidden words");
    let scene = scene(&robot);
    let outcome = scene.cupid("run").args("-v").exits(0);
    outcome.assert_says(&["heartbeatUrl", "answers 404"]);
    let mut unreachable = Scene::in_sync(1..=3);
    unreachable
        .config
        .set("/heartbeatUrl", "http://127.0.0.1:1/hidden-heart");
    unreachable.run(0).assert_silent();
}

#[test]
fn an_unusable_address_is_refused_without_being_shown() {
    let mut scene = Scene::in_sync(1..=1);
    for value in [
        json!("hidden-heart"),
        json!("https://u:hidden@h/"),
        json!(["hidden"]),
    ] {
        scene.config.set("/heartbeatUrl", value);
        scene.run(78).assert_says(&["heartbeatUrl: holds"]);
    }
}
