//! Killed at any instant, with servers that go and come back: every difference is delivered at least once.

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{Answer, Db, Scene, Server, assert_ids, wait_until};

fn assert_all_delivered(scene: &Scene, ids: std::ops::RangeInclusive<u64>) {
    let delivered: BTreeSet<u64> = scene.receiver().delivered_ids().into_iter().collect();
    let lost: Vec<u64> = ids.filter(|id| !delivered.contains(id)).collect();
    assert!(
        lost.is_empty(),
        "{} differences were never delivered, the first is {:?}",
        lost.len(),
        lost.first()
    );
}

/// Runs are killed at delays that sweep over the whole of a run, each with 50 new differences.
fn sweep(answer: impl Fn(&common::Callback) -> Answer + Send + Sync + 'static) {
    let scene = Scene::with_missing(1..=50);
    let took = scene.cupid("run").run().took + Duration::from_millis(20);
    scene.receiver().answer(answer);
    let kills = 40;
    let mut last = 50;
    for kill in 0..kills {
        scene.db.add_users(last + 1..=last + 50);
        last += 50;
        let run = scene.cupid("run").spawn();
        std::thread::sleep(took * kill / kills);
        run.kill();
        scene.config.assert_state_is_readable();
    }
    scene.receiver().answer(|_| Answer::ok());
    scene.run_until_done(10);
    assert_all_delivered(&scene, 1..=last);
    scene.receiver().take();
    scene.run(0).assert_silent();
    assert_eq!(scene.receiver().count(), 0, "once done, it stays done");
}

#[test]
fn kill_9_at_every_stage_of_a_run_loses_nothing() {
    sweep(|_| Answer::ok());
}

#[test]
fn kill_9_at_every_stage_with_a_receiver_that_refuses_half_loses_nothing() {
    sweep(|callback| Answer::status(if callback.id() % 2 == 0 { 500 } else { 200 }));
}

#[test]
fn kill_9_at_random_instants_under_load_loses_nothing() {
    let mut scene = Scene::with_missing(1..=3000);
    scene
        .config
        .with_updates(5)
        .set("/des/0/callbackNotification/attempts", 1);
    scene.receiver().answer(|callback| {
        if callback.id() % 7 == 0 {
            Answer::status(503)
        } else {
            Answer::Late(Duration::from_millis(2))
        }
    });
    let mut seed: u64 = 20_240_229; // xorshift, the same delays at every run of this test
    let mut last = 3000;
    for round in 0..25_u64 {
        let run = scene.cupid("run").spawn();
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        std::thread::sleep(Duration::from_millis(seed % 400));
        scene.db.add_users(last + 1..=last + 20);
        last += 20;
        scene.db.exec(&format!(
            "UPDATE src.user SET name = 'round {round}' WHERE id = {}",
            round + 1
        ));
        run.kill();
        scene.config.assert_state_is_readable();
    }
    scene.receiver().answer(|_| Answer::ok());
    std::thread::sleep(Duration::from_millis(1100));
    scene.run_until_done(10);
    assert_all_delivered(&scene, 1..=last);
    for round in 0..25_u64 {
        let id = round + 1;
        let newest = format!("round {round}");
        let callbacks = scene.receiver().callbacks();
        assert!(
            callbacks
                .iter()
                .any(|c| c.delivered() && c.id() == id && c.text_of("name") == newest),
            "the last content of row {id} was never delivered"
        );
    }
}

#[test]
fn a_database_killed_in_mid_scan_skips_nothing() {
    let server = Server::private();
    let db = Db::on(server.clone(), 1);
    db.user_table();
    let scene = Scene::bare(db);
    scene.db.add_users(1..=20_000);
    scene.db.copy_users();
    scene.db.exec("DELETE FROM des.user WHERE id % 100 = 0");
    let mut failures = 0;
    for delay_ms in [10, 40, 80, 160, 320] {
        let run = scene.cupid("run").spawn();
        std::thread::sleep(Duration::from_millis(delay_ms));
        server.kill();
        let outcome = run.wait();
        assert!(matches!(outcome.code, Some(0..=2)), "{outcome:?}");
        failures += u32::from(outcome.code == Some(2));
        scene.config.assert_state_is_readable();
        server.start();
        scene.db.reconnect();
    }
    assert!(failures > 0, "the server was never killed in time");
    scene.run_until_done(5);
    let expected: Vec<u64> = (1..=200).map(|n| n * 100).collect();
    assert_ids(&scene.receiver().delivered_ids(), expected);
}

#[test]
fn start_outlives_a_restart_of_the_database() {
    let server = Server::private();
    let db = Db::on(server.clone(), 1);
    db.user_table();
    let scene = Scene::bare(db);
    scene.db.add_users(1..=3);
    let mut run = scene.cupid("start").spawn();
    wait_until("the first rows are sent", Duration::from_secs(20), || {
        scene.receiver().delivered_ids() == [1, 2, 3]
    });
    server.kill();
    std::thread::sleep(Duration::from_secs(2));
    server.start();
    scene.db.reconnect();
    assert!(run.is_running(), "start ended with the database");
    scene.db.add_users([4]);
    wait_until("a new row is sent", Duration::from_secs(60), || {
        scene.receiver().delivered_ids() == [1, 2, 3, 4]
    });
    run.signal("TERM");
    assert_eq!(run.wait().code, Some(0));
}

#[test]
fn a_destination_that_is_down_for_ten_runs_misses_nothing_and_holds_nobody_up() {
    let shaky = Server::private();
    let away = Db::on(shaky.clone(), 1);
    let mut scene = Scene::with_copies(2);
    away.exec(&format!(
        "CREATE TABLE des.user {}",
        "(number VARCHAR(64) PRIMARY KEY, name VARCHAR(64), avatar VARCHAR(255))"
    ));
    let dsn = format!(
        "mysql:host=127.0.0.1;port={};dbname={}",
        shaky.port, away.copies[0]
    );
    scene
        .config
        .set("/des/1/dsn", dsn)
        .set("/des/1/user", away.reader.as_str());
    scene
        .config
        .set("/des/1/password", away.reader_password.as_str());
    scene.config.with_updates(2);
    scene.db.add_users(1..=5);
    scene.run(0);
    assert_eq!(scene.receivers[1].ids(), [1, 2, 3, 4, 5]);
    shaky.kill();
    for round in 0..10 {
        let id = 10 + round;
        scene.db.add_users([id]);
        if round == 3 {
            scene
                .db
                .exec("UPDATE src.user SET name = 'while away' WHERE id = 2");
        }
        let outcome = scene.run(1);
        if round == 0 {
            outcome.assert_says(&["copy2: cannot be read since"]);
        } else {
            outcome.assert_silent();
        }
        assert!(
            outcome.took < Duration::from_secs(30),
            "run {round} took {:?}",
            outcome.took
        );
        let near = scene.receivers[0].delivered_ids();
        assert!(
            near.contains(&id),
            "run {round} did not serve the other destination"
        );
    }
    assert_eq!(
        scene.receivers[1].count(),
        5,
        "nothing is said of a copy that cannot be read"
    );
    shaky.start();
    away.reconnect();
    std::thread::sleep(Duration::from_millis(1100));
    scene.receivers[1].take();
    scene.run_until_done(3);
    let caught_up: BTreeSet<u64> = scene.receivers[1].delivered_ids().into_iter().collect();
    assert!((10..20).all(|id| caught_up.contains(&id)), "{caught_up:?}");
    let callbacks = scene.receivers[1].callbacks();
    assert!(
        callbacks
            .iter()
            .any(|c| c.id() == 2 && c.text_of("name") == "while away"),
        "the lost update: {caught_up:?}"
    );
    let near = scene.receivers[0].callbacks();
    assert_eq!(
        near.iter().filter(|c| c.id() == 15).count(),
        1,
        "the other destination hears of each row once"
    );
}

#[test]
fn an_unreachable_source_is_exit_2_and_sends_nothing() {
    let scene = Scene::with_missing([1]);
    let mut broken = Scene::new();
    broken.config.set(
        "/src/dsn",
        format!("mysql:host=127.0.0.1;port=1;dbname={}", scene.db.source),
    );
    broken.run(2).assert_says(&["127.0.0.1"]);
    assert_eq!(broken.receiver().count(), 0);
}
