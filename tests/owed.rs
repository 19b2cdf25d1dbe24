//! Owed callbacks: compared again before they are sent, one per destination and row, within the time that a run has.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Answer, Scene, assert_ids, wait_until};

#[test]
fn a_row_repaired_meanwhile_is_not_sent() {
    let scene = Scene::with_missing(1..=3);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    scene
        .db
        .exec("INSERT INTO des.user SELECT * FROM src.user WHERE id <> 2");
    scene.receiver().take();
    scene.receiver().answer(|_| Answer::ok());
    scene.retry(0);
    assert_eq!(
        (scene.receiver().ids(), scene.config.owed().len()),
        (vec![2], 0)
    );
}

#[test]
fn run_delivers_what_earlier_runs_owe() {
    let scene = Scene::with_missing(1..=3);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    scene.receiver().take();
    scene
        .db
        .exec("UPDATE src.user SET avatar = 'now.png' WHERE id = 3");
    scene.receiver().answer(|_| Answer::ok());
    scene.run(0);
    let callbacks = scene.receiver().callbacks();
    assert_eq!(scene.receiver().ids(), [1, 2, 3]);
    assert!(callbacks.iter().any(|c| c.text_of("avatar") == "now.png"));
}

/// Rows 1 to 3 are owed, and are looked for so long when they are gone.
fn owed_with_late_commit(late_second: u64) -> Scene {
    let mut scene = Scene::with_missing(1..=3);
    scene.config.set("/src/lateCommitSecond", late_second);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    scene.receiver().take();
    scene.receiver().answer(|_| Answer::ok());
    scene
}

#[test]
fn a_row_gone_from_the_source_is_dropped_where_none_is_waited_for() {
    let scene = owed_with_late_commit(0);
    scene.db.exec("DELETE FROM src.user WHERE id = 2");
    let outcome = scene.cupid("retry").arg("-v").exits(0);
    outcome.assert_says(&["id 2 is no longer owed: its source row is gone"]);
    assert_eq!(
        (scene.receiver().ids(), scene.config.owed().len()),
        (vec![1, 3], 0)
    );
}

#[test]
fn a_row_gone_from_the_source_stays_owed_for_the_time_of_late_commits_and_is_dropped_then() {
    let scene = owed_with_late_commit(2);
    scene.db.exec("DELETE FROM src.user WHERE id = 2");
    scene.cupid("run").arg("-v").exits(1).assert_says(&[
        "id 2",
        "gone for the moment",
        "1 still owed",
    ]);
    assert_eq!(scene.receiver().ids(), [1, 3]);
    scene.retry(1);
    let owed = scene.config.owed();
    assert!(owed.len() == 1 && owed[0]["goneUs"].is_i64(), "{owed:?}");
    scene.cupid("status").exits(1);
    std::thread::sleep(Duration::from_millis(2100));
    let outcome = scene.cupid("run").arg("-v").exits(0);
    outcome.assert_says(&["id 2 is no longer owed: its source row is gone"]);
    assert_eq!(
        (scene.receiver().count(), scene.config.owed().len()),
        (2, 0)
    );
}

#[test]
fn a_row_that_is_away_for_a_moment_is_called_back_when_it_is_there_again() {
    let scene = owed_with_late_commit(60);
    let away = "CREATE TABLE src.away AS SELECT * FROM src.user WHERE id IN (1, 3)";
    scene.db.exec(away);
    scene.db.exec("DELETE FROM src.user WHERE id IN (1, 3)"); // The source is a replica that is behind.
    scene.run(1);
    assert_eq!(scene.receiver().ids(), [2]);
    scene.db.exec("INSERT INTO src.user SELECT * FROM src.away");
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [1, 2, 3]);
    assert_eq!(scene.config.owed().len(), 0);
}

#[test]
fn a_row_that_leaves_the_condition_for_a_moment_is_called_back_when_it_is_in_it_again() {
    let mut scene = owed_with_late_commit(60);
    scene.config.set("/src/where", "name <> 'hidden'");
    scene
        .db
        .exec("UPDATE src.user SET name = 'hidden' WHERE id = 3");
    scene.run(1);
    scene
        .db
        .exec("UPDATE src.user SET name = 'seen' WHERE id = 3");
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [1, 2, 3]);
}

#[test]
fn a_row_that_is_written_anew_gives_its_copy_time_to_follow() {
    let mut scene = owed_with_late_commit(60);
    scene.config.set("/confirmDelayMillisecond", 2_000);
    scene.db.exec("DELETE FROM src.user WHERE id = 2");
    scene.run(1);
    scene.receiver().take();
    scene.db.add_users([2]);
    let run = scene.cupid("run").spawn();
    std::thread::sleep(Duration::from_millis(700));
    scene
        .db
        .exec("INSERT INTO des.user SELECT * FROM src.user WHERE id = 2");
    assert_eq!(run.wait().code, Some(0));
    assert_eq!(scene.receiver().count(), 0, "its copy was on its way");
}

#[test]
fn a_row_that_is_away_while_its_difference_is_confirmed_is_looked_for() {
    for kind in ["new", "updated"] {
        let mut scene = Scene::in_sync(1..=3);
        scene.config.set("/confirmDelayMillisecond", 1_500);
        if kind == "updated" {
            scene.config.with_updates(1).set("/src/insert", false);
        }
        scene.run(0).assert_silent();
        scene.receiver().take();
        match kind {
            "new" => scene.db.add_users([4]),
            _ => scene
                .db
                .exec("UPDATE src.user SET id = 4, name = 'x', update_time = NOW() WHERE id = 3"),
        }
        scene
            .db
            .exec("CREATE TABLE src.away AS SELECT * FROM src.user WHERE id = 4");
        let run = scene.cupid("run").spawn();
        std::thread::sleep(Duration::from_millis(700));
        scene.db.exec("DELETE FROM src.user WHERE id = 4");
        assert_eq!(run.wait().code, Some(0), "{kind}");
        assert_eq!(scene.receiver().count(), 0);
        scene.run(0);
        scene.db.exec("INSERT INTO src.user SELECT * FROM src.away");
        if kind == "updated" {
            let sql = "UPDATE src.user SET update_time = NOW() - INTERVAL 1 DAY WHERE id = 4";
            scene.db.exec(sql); // No window meets it.
        }
        scene.run(0);
        assert_eq!(scene.receiver().ids(), [4], "{kind}");
    }
}

#[test]
fn what_an_audit_left_owed_and_is_gone_is_looked_for_by_run() {
    let scene = Scene::with_missing(1..=2);
    scene.receiver().answer(|_| Answer::status(500));
    scene.cupid("reconcile").exits(1);
    scene
        .db
        .exec("CREATE TABLE src.away AS SELECT * FROM src.user WHERE id = 2");
    scene.db.exec("DELETE FROM src.user WHERE id = 2");
    scene.receiver().take();
    scene.repair();
    scene
        .cupid("reconcile")
        .exits(1)
        .assert_says(&["1 still owed"]);
    scene.run(1);
    assert_eq!(scene.receiver().ids(), [1]);
    scene.db.exec("INSERT INTO src.user SELECT * FROM src.away");
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [1, 2]);
}

/// Puts a row of `src.user` back as it was kept in this table, its update time included.
fn show(scene: &Scene, kept: &str) {
    let sql = format!("REPLACE INTO src.user SELECT * FROM src.{kept}");
    scene.db.exec(&sql);
}

/// Row 2 was changed a moment ago, in two steps that its copy did not get. `src.first` has it as its copy is, and
/// `src.second` and `src.third` as it was after each step.
fn changed_twice() -> Scene {
    let mut scene = Scene::in_sync(1..=3);
    scene.config.with_updates(5);
    scene.run(0);
    for (ago_second, name, kept) in [
        (4, "name", "first"),
        (2, "'second'", "second"),
        (0, "'third'", "third"),
    ] {
        let moment = format!("NOW() - INTERVAL {ago_second} SECOND");
        scene.db.exec(&format!(
            "UPDATE src.user SET name = {name}, update_time = {moment} WHERE id = 2"
        ));
        let rows = "SELECT * FROM src.user WHERE id = 2";
        scene.db.exec(&format!("CREATE TABLE src.{kept} AS {rows}"));
    }
    scene.receiver().answer(|_| Answer::status(500));
    scene
}

#[test]
fn a_row_whose_callback_ended_with_an_older_one_for_a_moment_is_called_back_when_it_is_back() {
    for (older, sent) in [("first", 0), ("second", 1)] {
        let scene = changed_twice();
        scene.run(1);
        scene.receiver().take();
        show(&scene, older); // The source is a replica that is behind.
        scene.receiver().answer(|_| Answer::ok());
        scene.retry(0);
        assert_eq!(scene.receiver().count(), sent, "{older}");
        scene.receiver().take();
        show(&scene, "third");
        scene.run(0);
        let callbacks = scene.receiver().callbacks();
        let names: Vec<&str> = callbacks.iter().map(|c| c.text_of("name")).collect();
        assert_eq!(names, ["third"], "{older}");
        scene.run(0);
        assert_eq!(scene.receiver().count(), 1, "{older}: once");
    }
}

#[test]
fn a_row_that_was_repaired_is_not_compared_again() {
    let scene = changed_twice();
    scene.run(1);
    let state = || std::fs::read_to_string(scene.config.state_file("checkpoint.json")).unwrap();
    let before = state();
    scene
        .db
        .exec("UPDATE des.user SET name = 'third' WHERE number = 'n2'");
    scene.retry(0);
    assert_eq!(state(), before, "retry has nothing to say of it");
}

#[test]
fn a_row_that_agreed_at_its_confirmation_as_an_older_one_is_called_back_when_it_is_back() {
    let mut scene = changed_twice();
    scene.config.set("/confirmDelayMillisecond", 1_500);
    scene.receiver().answer(|_| Answer::ok());
    let run = scene.cupid("run").spawn();
    std::thread::sleep(Duration::from_millis(700));
    show(&scene, "first");
    assert_eq!(run.wait().code, Some(0));
    assert_eq!(scene.receiver().count(), 0);
    show(&scene, "third");
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [2]);
}

#[test]
fn the_type_of_an_owed_callback_is_what_is_true_when_it_is_sent() {
    let scene = Scene::with_missing([1]);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    scene
        .db
        .exec("INSERT INTO des.user (number, name) VALUES ('n1', 'half')");
    scene.receiver().take();
    scene.receiver().answer(|_| Answer::ok());
    scene.retry(0);
    assert_eq!(scene.receiver().callbacks()[0].kind(), 2);
}

#[test]
fn a_retry_sends_the_row_as_it_is_then() {
    let scene = Scene::with_missing([1]);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    scene
        .db
        .exec("UPDATE src.user SET name = 'newer' WHERE id = 1");
    scene.receiver().take();
    scene.receiver().answer(|_| Answer::ok());
    scene.retry(0);
    assert_eq!(scene.receiver().callbacks()[0].text_of("name"), "newer");
}

#[test]
fn one_owed_line_stays_for_a_row_however_often_it_is_found() {
    let mut scene = Scene::with_missing(1..=2);
    scene.config.with_updates(5);
    scene.receiver().answer(|_| Answer::status(500));
    for round in 0..3 {
        scene.db.exec(&format!(
            "UPDATE src.user SET name = 'round {round}' WHERE id = 1"
        ));
        std::thread::sleep(Duration::from_millis(1100));
        scene.run(1);
        assert_eq!(scene.config.owed().len(), 2, "round {round}");
    }
    scene.receiver().take();
    scene.receiver().answer(|_| Answer::ok());
    scene.retry(0);
    let names: Vec<_> = scene
        .receiver()
        .callbacks()
        .iter()
        .map(|c| (c.id(), c.text_of("name").to_owned()))
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.contains(&(1, "round 2".to_owned())), "{names:?}");
}

#[test]
fn a_refusing_destination_does_not_hold_back_the_other() {
    let mut scene = Scene::with_copies(2);
    scene.db.add_users(1..=50);
    scene.receivers[0].answer(|_| Answer::Hang);
    scene
        .config
        .set("/des/0/callbackNotification/timeoutMillisecond", 300);
    scene.run(1);
    assert_ids(&scene.receivers[1].delivered_ids(), 1..=50);
    assert_eq!(scene.config.owed().len(), 50);
}

#[test]
fn ten_thousand_failing_rows_end_by_delivery_second() {
    let mut scene = Scene::with_missing(1..=10_000);
    scene.config.set("/deliverySecond", 3);
    // Not every row fails, so the endpoint is not simply given up.
    scene.receiver().answer(|callback| {
        if callback.id() % 2 == 0 {
            Answer::status(500)
        } else {
            Answer::Late(Duration::from_millis(5))
        }
    });
    let outcome = scene.run(1);
    assert!(
        outcome.took < Duration::from_secs(30),
        "the run took {:?}",
        outcome.took
    );
    // A callback cut off at the end of the time may have arrived and be owed all the same.
    let (owed, delivered) = (
        scene.config.owed().len(),
        scene.receiver().delivered_ids().len(),
    );
    assert!(
        (10_000..10_100).contains(&(owed + delivered)),
        "{owed} are owed, {delivered} delivered"
    );
    scene.receiver().answer(|_| Answer::ok());
    scene.run_until_done(20);
    assert_ids(&scene.receiver().delivered_ids(), 1..=10_000);
}

#[test]
fn callbacks_under_way_at_once_are_bounded_by_concurrency() {
    let mut scene = Scene::with_missing(1..=60);
    scene
        .config
        .set("/des/0/callbackNotification/concurrency", 3);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (inner_now, inner_most) = (Arc::clone(&now), Arc::clone(&most));
    scene.receiver().answer(move |_| {
        inner_most.fetch_max(
            inner_now.fetch_add(1, Ordering::SeqCst) + 1,
            Ordering::SeqCst,
        );
        std::thread::sleep(Duration::from_millis(20));
        inner_now.fetch_sub(1, Ordering::SeqCst);
        Answer::ok()
    });
    scene.run(0);
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[test]
fn start_delivers_once_the_receiver_is_back() {
    let scene = Scene::with_missing(1..=5);
    scene.receiver().stop();
    let run = scene.cupid("start").spawn();
    wait_until("five callbacks are owed", Duration::from_secs(20), || {
        scene.config.owed().len() == 5
    });
    scene.receiver().restart();
    wait_until("all are delivered", Duration::from_secs(30), || {
        scene.receiver().delivered_ids() == [1, 2, 3, 4, 5]
    });
    run.signal("TERM");
    assert_eq!(run.wait().code, Some(0));
}

#[test]
fn what_is_owed_to_a_destination_that_was_taken_out_does_not_pause_the_scan() {
    let mut scene = Scene::with_missing(1..=5);
    scene.config.set("/maxOwed", 3);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    assert!(scene.config.owed().len() >= 3);
    scene.receiver().take();
    scene.db.exec("CREATE TABLE des.another LIKE des.user");
    scene
        .config
        .set("/des/0/name", "another")
        .set("/des/0/table", "another");
    scene.db.add_users(6..=8);
    scene.receiver().answer(|_| Answer::ok());
    for _ in 0..3 {
        scene.run(1); // Something is owed still.
    }
    let ids = scene.receiver().ids();
    assert!((6..=8).all(|id| ids.contains(&id)), "{ids:?}");
}

/// Rows 1 to 4 are missing, and this row is always refused.
fn with_a_row_that_is_refused(refused: u64) -> Scene {
    let mut scene = Scene::with_missing(1..=4);
    scene
        .config
        .set("/callbackWorkerIntervalMillisecond", 2_000);
    scene.config.set("/des/0/callbackNotification/attempts", 1);
    scene.receiver().answer(move |callback| {
        if callback.id() == refused {
            Answer::status(422)
        } else {
            Answer::ok()
        }
    });
    scene
}

#[test]
fn a_row_that_is_refused_while_others_are_taken_waits_longer_from_run_to_run() {
    let scene = with_a_row_that_is_refused(2);
    scene.run(1);
    let wait_us = || {
        let owed = scene.config.owed();
        assert_eq!((owed.len(), &owed[0]["id"]), (1, &2.into()));
        let now_us = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_micros();
        owed[0]["retryAtUs"].as_i64().unwrap() - i64::try_from(now_us).unwrap()
    };
    let first_us = wait_us();
    assert!((0..=2_000_000).contains(&first_us), "{first_us}");
    scene.receiver().take();
    scene.db.add_users([5]);
    scene.run(1);
    assert_eq!(
        scene.receiver().ids(),
        [5],
        "it waits, and keeps nobody waiting"
    );
    let list = scene.cupid("owed").exits(1).stdout;
    assert!(list.contains("422; tried again from "), "{list}");
    scene.receiver().take();
    scene.retry(1);
    assert_eq!(scene.receiver().ids(), [2], "somebody asks for it");
    std::thread::sleep(Duration::from_millis(2_100));
    scene.receiver().take();
    scene.db.add_users([6]);
    scene.run(1);
    assert_eq!(scene.receiver().ids(), [2, 6]);
    let second_us = wait_us();
    assert!((1_500_000..=4_000_000).contains(&second_us), "{second_us}");
    scene.receiver().answer(|_| Answer::ok());
    scene.cupid("owed").args("send 2").exits(0);
    assert_eq!(scene.config.owed().len(), 0);
}

#[test]
fn an_endpoint_that_took_nothing_is_asked_for_its_oldest_row_and_then_gets_everything() {
    for down in [Answer::status(503), Answer::CloseHalfWay] {
        let mut scene = Scene::with_missing(1..=9);
        scene.config.set("/des/0/callbackNotification/attempts", 2);
        let answer = down.clone();
        scene.receiver().answer(move |_| answer.clone());
        scene.run(1);
        for _ in 0..2 {
            scene.receiver().take();
            scene.db.add_users([11]);
            scene.run(1);
            assert_eq!(scene.receiver().ids(), [1], "{down:?}");
            scene.db.exec("DELETE FROM src.user WHERE id = 11");
        }
        scene.receiver().take();
        scene.receiver().answer(|_| Answer::ok());
        scene.db.add_users([12]);
        scene.cupid("run").run();
        let ids = scene.receiver().ids();
        assert_eq!((ids[0], ids.len()), (1, 10), "{down:?}: {ids:?}");
    }
}

#[test]
fn rows_that_are_always_refused_starve_nobody_although_they_are_the_oldest() {
    let mut scene = Scene::with_missing(1..=2);
    scene.config.set("/des/0/callbackNotification/attempts", 1);
    scene.receiver().answer(|callback| {
        if callback.id() <= 2 {
            Answer::status(422)
        } else {
            Answer::ok()
        }
    });
    scene.run(1);
    scene.db.add_users([3]);
    for _ in 0..8 {
        scene.run(1);
    }
    assert_eq!(scene.receiver().delivered_ids(), [3]);
}

#[test]
fn an_endpoint_that_asked_for_a_pause_is_not_probed_before_it_is_over() {
    let scene = Scene::with_missing(1..=3);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    let wait = vec![("Retry-After", "3".to_owned())];
    scene
        .receiver()
        .answer(move |_| Answer::Status(503, wait.clone()));
    scene.run(1);
    scene.receiver().take();
    scene.receiver().answer(|_| Answer::ok());
    scene.run(1);
    assert_eq!(scene.receiver().count(), 0);
    std::thread::sleep(Duration::from_millis(3_100));
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [1, 2, 3]);
}

#[test]
fn max_owed_holds_up_the_destination_that_is_owed_so_much_and_no_other() {
    let mut scene = Scene::with_copies(3);
    scene.config.set("/maxOwed", 50);
    scene.config.set("/des/0/callbackNotification/attempts", 1);
    scene.db.add_users(1..=3_000);
    scene.receivers[0].answer(|_| Answer::status(503));
    let outcome = scene.cupid("run").arg("--json").exits(1);
    let summary: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let destinations = summary["perDestination"].as_array().unwrap();
    let paused: Vec<&serde_json::Value> = destinations.iter().map(|it| &it["paused"]).collect();
    let expected = ["maxOwed".into(), serde_json::Value::Null];
    assert_eq!(paused, [&expected[0], &expected[1], &expected[1]]);
    outcome.assert_says(&["copy1: the scan is paused since"]);
    for receiver in &scene.receivers[1..] {
        assert_ids(&receiver.delivered_ids(), 1..=3_000);
        receiver.take();
    }
    let owed = scene.config.owed();
    assert!((50..3_000).contains(&owed.len()), "{}", owed.len());
    assert!(owed.iter().all(|owed| owed["destination"] == "copy1"));
    scene.db.add_users(3_001..=3_100);
    scene.run(1);
    for receiver in &scene.receivers[1..] {
        assert_ids(&receiver.delivered_ids(), 3_001..=3_100);
    }
    scene.receivers[0].take();
    scene.receivers[0].answer(|_| Answer::ok());
    scene.run_until_done(3);
    assert_ids(&scene.receivers[0].delivered_ids(), 1..=3_100);
}

/// Rows 1 to 3 are missing, and what was taken is compared a second later.
fn verified() -> Scene {
    let mut scene = Scene::with_missing(1..=3);
    let key = "/des/0/callbackNotification/verifySecond";
    scene.config.set(key, 1);
    scene
}

#[test]
fn a_row_that_still_differs_after_its_callback_was_taken_is_owed_again_with_a_new_id() {
    let scene = verified();
    let run = scene.run(0);
    run.assert_silent();
    let kept = scene.config.owed();
    assert!(kept.iter().all(|line| line["verify"]["atUs"].is_i64()));
    assert_eq!(kept.len(), 3);
    scene.cupid("owed").exits(0);
    scene.retry(0);
    let first = scene.receiver().take();
    assert_eq!(first.len(), 3, "and not before its time");
    let repaired = "INSERT INTO des.user SELECT * FROM src.user WHERE id = 2";
    scene.db.exec(repaired);
    std::thread::sleep(Duration::from_millis(1_100));
    scene.receiver().answer(|_| Answer::status(500));
    let again = scene.run(1);
    again.assert_says(&["copy1", "2 rows", "still wrong 1 s after"]);
    let second = scene.receiver().take();
    let id = |callback: &common::Callback| callback.header("webhook-id").to_owned();
    let before: Vec<String> = first.iter().map(id).collect();
    assert!(
        second
            .iter()
            .all(|callback| !before.contains(&id(callback)))
    );
    assert!(second.iter().all(|callback| callback.id() != 2));
    let owed = scene.config.owed();
    assert_eq!(owed.len(), 2, "the repaired row is forgotten: {owed:?}");
    scene
        .db
        .exec("REPLACE INTO des.user SELECT * FROM src.user");
    scene.run(0);
    assert_eq!(scene.config.owed().len(), 0);
}

#[test]
fn a_row_that_was_repaired_in_time_is_forgotten_in_silence() {
    let scene = verified();
    scene.run(0);
    scene.db.exec("INSERT INTO des.user SELECT * FROM src.user");
    scene.receiver().take();
    std::thread::sleep(Duration::from_millis(1_100));
    scene.run(0).assert_silent();
    assert_eq!(
        (scene.receiver().count(), scene.config.owed().len()),
        (0, 0)
    );
}

#[test]
fn what_is_verified_is_no_difference_before_it_has_lasted() {
    let mut scene = verified();
    scene.config.set("/confirmDelayMillisecond", 2_000);
    scene.run(0);
    scene.receiver().take();
    std::thread::sleep(Duration::from_millis(1_100));
    let run = scene.cupid("run").spawn();
    std::thread::sleep(Duration::from_millis(700));
    // Its change was on its way.
    scene.db.exec("INSERT INTO des.user SELECT * FROM src.user");
    assert_eq!(run.wait().code, Some(0));
    assert_eq!(scene.receiver().count(), 0);
}

#[test]
fn what_was_taken_is_forgotten_when_nobody_wants_it_verified_any_more() {
    let mut scene = verified();
    scene.run(0);
    scene.receiver().take();
    let key = "/des/0/callbackNotification/verifySecond";
    scene.config.set(key, 0);
    std::thread::sleep(Duration::from_millis(1_100));
    scene.run(0);
    assert_eq!(
        (scene.receiver().count(), scene.config.owed().len()),
        (0, 0)
    );
}

#[test]
fn what_an_audit_had_taken_is_verified_by_run() {
    let scene = verified();
    scene.cupid("reconcile").exits(1);
    assert_eq!(scene.receiver().take().len(), 3);
    std::thread::sleep(Duration::from_millis(1_100));
    scene.cupid("run").run();
    let ids: std::collections::BTreeSet<u64> = scene.receiver().ids().into_iter().collect();
    assert_eq!(ids.len(), 3);
}
