//! What passes tell the channels.

use super::common::{Answer, Outcome, Scene};
use super::robot::Robot;
use super::*;

/// A configuration whose channel is this one.
fn scene(robot: &Robot) -> Scene {
    let mut scene = Scene::in_sync(1..=3);
    let channel = json!([{"type": "slack", "url": format!("{}/hidden-hook", robot.url())}]);
    scene.config.set("/notify", channel);
    scene
}

/// The texts that came.
fn texts(robot: &Robot) -> Vec<String> {
    let text = |body: &str| -> String {
        let body: Value = serde_json::from_str(body).expect("It is JSON");
        body["text"].as_str().expect("It has a text").to_owned()
    };
    robot.requests().iter().map(|it| text(&it.body)).collect()
}

#[track_caller]
fn fails(scene: &Scene, times: usize) -> Outcome {
    let mut outcome = scene.run(2);
    for _ in 1..times {
        outcome = scene.run(2);
    }
    outcome
}

#[test]
fn passes_that_fail_are_told_once_and_so_is_their_end() {
    let robot = Robot::answering(200, "ok");
    let mut scene = scene(&robot);
    scene.run(0).assert_silent();
    let dsn = scene.config.value["src"]["dsn"].clone();
    let down = format!("mysql:host=127.0.0.1;port=1;dbname={}", scene.db.source);
    scene.config.set("/src/dsn", down);
    fails(&scene, 2);
    assert_eq!(texts(&robot), Vec::<String>::new(), "it may be a hiccup");
    fails(&scene, 3);
    let told = texts(&robot);
    assert_eq!(told.len(), 1, "{told:?}");
    for part in [
        "[cupid] test: passes fail",
        "3 passes failed in a row",
        "cupid status ",
    ] {
        assert!(told[0].contains(part), "{part} is not in {}", told[0]);
    }
    scene.config.set("/src/dsn", dsn);
    scene.run(0).assert_silent();
    scene.run(0);
    let told = texts(&robot);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[1].contains("[cupid] test: fine again after "),
        "{}",
        told[1]
    );
}

#[test]
fn callbacks_that_are_refused_again_and_again_are_told_with_how_many_were_delivered_after_all() {
    let robot = Robot::answering(200, "ok");
    let mut scene = scene(&robot);
    scene.config.set("/des/0/callbackNotification/attempts", 10);
    scene.config.set("/callbackWorkerIntervalMillisecond", 1);
    scene.db.add_users(4..=5);
    scene.receiver().answer(|_| Answer::status(503));
    scene.run(1);
    let told = texts(&robot);
    assert_eq!(told.len(), 1, "{told:?}");
    let url = scene.receiver().url();
    for part in ["copy1: 2 owed", &format!("{url} answers 503"), "10 tries"] {
        assert!(told[0].contains(part), "{part} is not in {}", told[0]);
    }
    scene.receiver().answer(|_| Answer::ok());
    scene.retry(0);
    assert_eq!(texts(&robot).len(), 1, "a retry is no pass");
    scene.run(0);
    let told = texts(&robot);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].contains("2 callbacks delivered"), "{}", told[1]);
}

#[test]
fn a_message_that_does_not_arrive_is_a_warning_and_changes_no_exit_status() {
    let robot = Robot::answering(200, "invalid_token");
    let mut scene = scene(&robot);
    let down = format!("mysql:host=127.0.0.1;port=1;dbname={}", scene.db.source);
    scene.config.set("/src/dsn", down);
    let outcome = fails(&scene, 3);
    outcome.assert_says(&["notify: slack: refused"]);
    scene.cupid("run").args("--dry-run").exits(2);
    assert_eq!(robot.requests().len(), 1, "a dry run tells nobody");
}
