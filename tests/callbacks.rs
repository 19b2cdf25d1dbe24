//! Callbacks to receivers that misbehave: every run ends in time, what failed is owed, and is delivered later as it is then.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Answer, Callback, Scene, assert_ids};

const ROWS: u64 = 300;

/// 300 missing rows, a receiver that misbehaves, then one that works.
fn survives(behaviour: impl Fn(&Callback) -> Answer + Send + Sync + 'static, fails: bool) {
    let mut scene = Scene::with_missing(1..=ROWS);
    scene
        .config
        .set("/des/0/callbackNotification/timeoutMillisecond", 300)
        .set("/deliverySecond", 10);
    scene.receiver().answer(behaviour);
    assert_bounded_and_delivered_later(&scene, fails);
}

fn assert_bounded_and_delivered_later(scene: &Scene, fails: bool) {
    let outcome = scene.cupid("run").run();
    assert!(
        outcome.took < Duration::from_secs(20),
        "the run took {:?}",
        outcome.took
    );
    if fails {
        assert_eq!(
            (outcome.code, scene.config.owed().len()),
            (Some(1), 300),
            "{}",
            outcome.stderr
        );
        assert_ne!(outcome.stderr, "", "a failure is said");
    } else {
        let owed = scene.config.owed().len();
        assert_eq!(
            outcome.code,
            Some(i32::from(owed > 0)),
            "{owed} owed: {}",
            outcome.stderr
        );
    }
    let delivered_before = scene.receiver().delivered_ids();
    scene.receiver().answer(|_| Answer::ok());
    scene.retry(0);
    assert_ids(&scene.receiver().delivered_ids(), 1..=ROWS);
    assert_eq!(scene.config.owed().len(), 0);
    let sent = scene.receiver().count();
    scene.retry(0);
    scene.run(0).assert_silent();
    assert_eq!(
        scene.receiver().count(),
        sent,
        "what is delivered is not sent again"
    );
    assert!(!fails || delivered_before.is_empty());
}

#[test]
fn status_500_is_a_failure() {
    survives(|_| Answer::status(500), true);
}

#[test]
fn status_404_is_a_failure() {
    survives(|_| Answer::status(404), true);
}

#[test]
fn status_301_is_a_failure_and_is_not_followed() {
    let elsewhere = common::Receiver::start();
    let url = elsewhere.url();
    survives(
        move |_| Answer::Status(301, vec![("Location", url.clone())]),
        true,
    );
    assert_eq!(elsewhere.count(), 0);
}

#[test]
fn status_307_is_not_followed_either() {
    let elsewhere = common::Receiver::start();
    let url = elsewhere.url();
    survives(
        move |_| Answer::Status(307, vec![("Location", url.clone())]),
        true,
    );
    assert_eq!(elsewhere.count(), 0);
}

#[test]
fn a_long_retry_after_does_not_hold_the_run() {
    let scene = Scene::with_missing(1..=ROWS);
    scene
        .receiver()
        .answer(|_| Answer::Status(429, vec![("Retry-After", "3600".to_owned())]));
    let outcome = scene.run(1);
    assert!(
        outcome.took < Duration::from_secs(20),
        "the run took {:?}",
        outcome.took
    );
    assert_eq!(scene.config.owed().len(), 300);
}

#[test]
fn what_a_busy_receiver_put_off_is_delivered_when_its_retry_after_is_over() {
    let scene = Scene::with_missing(1..=ROWS);
    scene
        .receiver()
        .answer(|_| Answer::Status(429, vec![("Retry-After", "3".to_owned())]));
    let outcome = scene.run(1);
    assert!(
        outcome.took < Duration::from_secs(20),
        "the run took {:?}",
        outcome.took
    );
    assert_eq!(scene.config.owed().len(), 300);
    scene.receiver().answer(|_| Answer::ok());
    std::thread::sleep(Duration::from_millis(3100));
    scene.retry(0);
    assert_ids(&scene.receiver().delivered_ids(), 1..=ROWS);
}

#[test]
fn an_endpoint_that_hangs_is_given_up() {
    survives(|_| Answer::Hang, true);
}

#[test]
fn an_answer_that_breaks_off_is_a_failure() {
    survives(|_| Answer::CloseHalfWay, true);
}

#[test]
fn an_endless_body_does_not_hold_the_run() {
    survives(|_| Answer::EndlessBody, false);
}

#[test]
fn a_receiver_that_refuses_every_third_row_gets_it_later() {
    survives(
        |callback| Answer::status(if callback.id() % 3 == 0 { 503 } else { 202 }),
        false,
    );
}

#[test]
fn a_receiver_that_is_down_gets_everything_once_it_is_back() {
    let scene = Scene::with_missing(1..=ROWS);
    scene.receiver().stop();
    let outcome = scene.run(1);
    assert!(
        outcome.took < Duration::from_secs(20),
        "the run took {:?}",
        outcome.took
    );
    assert_eq!(scene.config.owed().len(), 300);
    scene.retry(1);
    scene.receiver().restart();
    scene.retry(0);
    assert_ids(&scene.receiver().delivered_ids(), 1..=ROWS);
}

#[test]
fn any_2xx_is_a_success() {
    for status in [201, 202, 204] {
        let scene = Scene::with_missing(1..=3);
        scene.receiver().answer(move |_| Answer::status(status));
        scene.run(0);
        assert_eq!(
            (scene.receiver().ids(), scene.config.owed().len()),
            (vec![1, 2, 3], 0),
            "{status}"
        );
    }
}

#[test]
fn retry_after_is_honoured_within_the_run() {
    let scene = Scene::with_missing([1]);
    scene
        .receiver()
        .answer(|callback| match callback.header("cupid-attempt") {
            "1" => Answer::Status(429, vec![("Retry-After", "1".to_owned())]),
            _ => Answer::ok(),
        });
    scene.run_until_done(3);
    let callbacks = scene.receiver().callbacks();
    let pause = callbacks[1].at - callbacks[0].at;
    assert!(
        pause >= Duration::from_millis(950),
        "tried again after {pause:?}"
    );
}

#[test]
fn tries_within_a_run_are_counted_bounded_and_share_one_id() {
    let mut scene = Scene::with_missing([1]);
    scene.config.set("/des/0/callbackNotification/attempts", 4);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    let callbacks = scene.receiver().callbacks();
    let attempts: Vec<_> = callbacks
        .iter()
        .map(|c| c.header("cupid-attempt"))
        .collect();
    assert_eq!(attempts, ["1", "2", "3", "4"]);
    let ids: BTreeSet<_> = callbacks.iter().map(|c| c.header("webhook-id")).collect();
    assert_eq!(ids.len(), 1);
}

#[test]
fn the_webhook_id_stays_on_a_later_retry_while_the_content_does() {
    let scene = Scene::with_missing(1..=2);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    let first = ids_by_row(&scene.receiver().take());
    scene
        .db
        .exec("UPDATE src.user SET name = 'changed' WHERE id = 2");
    scene.receiver().answer(|_| Answer::ok());
    scene.retry(0);
    let callbacks = scene.receiver().take();
    let second = ids_by_row(&callbacks);
    assert_eq!(second[&1], first[&1], "same content, same id");
    assert_ne!(second[&2], first[&2], "new content, new id");
    let changed = callbacks
        .iter()
        .find(|c| c.id() == 2)
        .expect("Row 2 was sent");
    assert_eq!(changed.text_of("name"), "changed", "sent as it is now");
}

fn ids_by_row(callbacks: &[Callback]) -> BTreeMap<u64, String> {
    callbacks
        .iter()
        .map(|c| (c.id(), c.header("webhook-id").to_owned()))
        .collect()
}

#[test]
fn another_detection_of_the_same_row_has_another_webhook_id() {
    let mut scene = Scene::in_sync(1..=2);
    scene.config.with_updates(5).set("/src/insert", false);
    scene.repair();
    let mut seen = BTreeSet::new();
    for round in 1..=3 {
        // The same content each time, updated again and lost again.
        scene.db.exec(&format!(
            "UPDATE src.user SET name = 'again', update_time = NOW() - INTERVAL {} SECOND WHERE id = 1",
            4 - round
        ));
        scene
            .db
            .exec("UPDATE des.user SET name = 'lost' WHERE number = 'n1'");
        std::thread::sleep(Duration::from_millis(1200));
        scene.run(0);
        let callbacks = scene.receiver().take();
        assert_eq!(callbacks.len(), 1, "round {round}");
        assert!(
            seen.insert(callbacks[0].header("webhook-id").to_owned()),
            "round {round} reuses an id"
        );
    }
}

#[test]
fn a_row_that_was_not_reached_counts_no_try() {
    let mut scene = Scene::with_missing(1..=20);
    scene
        .config
        .set("/des/0/callbackNotification/concurrency", 1);
    let asked = AtomicUsize::new(0);
    scene
        .receiver()
        .answer(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
            3 => Answer::Status(429, vec![("Retry-After", "1".to_owned())]),
            _ => Answer::ok(),
        });
    scene.run_until_done(3);
    let again = scene.receiver().callbacks();
    let again = again.iter().filter(|c| c.header("cupid-attempt") != "1");
    assert_eq!(again.count(), 1, "only the row that was refused");
}

#[test]
fn a_callback_carries_the_moment_at_which_it_is_sent() {
    let mut scene = Scene::with_missing(1..=4);
    scene
        .config
        .set("/des/0/callbackNotification/concurrency", 1);
    scene.receiver().answer(|_| {
        std::thread::sleep(Duration::from_millis(1200));
        Answer::ok()
    });
    scene.run(0);
    let callbacks = scene.receiver().callbacks();
    let sent_s = |n: usize| -> i64 { callbacks[n].header("webhook-timestamp").parse().unwrap() };
    assert!(
        sent_s(3) - sent_s(1) >= 2,
        "2.4 s lie between the second and the fourth"
    );
}
