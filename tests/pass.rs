//! One pass of `cupid run`: which rows it calls back for, and what the callback says.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::Scene;
use serde_json::json;

#[test]
fn a_missing_row_gives_a_callback_of_type_1_with_the_whole_source_row() {
    let scene = Scene::with_missing([7]);
    scene.run(0);
    let callbacks = scene.receiver().callbacks();
    assert_eq!(callbacks.len(), 1);
    let callback = &callbacks[0];
    assert_eq!(
        (callback.method.as_str(), callback.path.as_str()),
        ("POST", "/callback")
    );
    assert_eq!(callback.header("content-type"), "application/json");
    assert_eq!(callback.header("cupid-destination"), "copy1");
    assert_eq!(callback.header("cupid-attempt"), "1");
    assert!(!callback.header("webhook-id").is_empty());
    let sent: u64 = callback
        .header("webhook-timestamp")
        .parse()
        .expect("Unix seconds");
    let now = std::time::UNIX_EPOCH
        .elapsed()
        .expect("After 1970")
        .as_secs();
    assert!(sent.abs_diff(now) < 60, "webhook-timestamp {sent}");
    let update_time: Vec<String> = scene
        .db
        .query("SELECT CAST(update_time AS CHAR) FROM src.user");
    let row = json!({"id": 7, "number": "n7", "name": "Name 7", "avatar": "a7.png", "update_time": update_time[0]});
    assert_eq!(callback.body, json!({"type": 1, "srcColumn": row}));
    let places: Vec<_> = [
        "\"id\"",
        "\"number\"",
        "\"name\"",
        "\"avatar\"",
        "\"update_time\"",
    ]
    .map(|name| callback.text.find(name))
    .into();
    assert!(places.is_sorted(), "not in column order: {}", callback.text);
}

#[test]
fn a_different_row_gives_one_callback_of_type_2_however_many_columns_differ() {
    let scene = Scene::in_sync(1..=3);
    scene
        .db
        .exec("UPDATE des.user SET name = 'old', avatar = 'old' WHERE number = 'n2'");
    scene.run(0);
    let callbacks = scene.receiver().callbacks();
    assert_eq!(callbacks.len(), 1);
    assert_eq!(
        (callbacks[0].kind(), callbacks[0].text_of("name")),
        (2, "Name 2")
    );
    let columns = callbacks[0].header("cupid-columns");
    assert!(
        columns.contains("name") && columns.contains("avatar") && !columns.contains("number"),
        "{columns}"
    );
}

#[test]
fn tables_in_sync_give_exit_0_and_silence() {
    let scene = Scene::in_sync(1..=500);
    scene.run(0).assert_silent();
    scene.run(0).assert_silent();
    assert_eq!(scene.receiver().count(), 0);
}

#[test]
fn empty_tables_are_in_sync() {
    let scene = Scene::new();
    scene.run(0).assert_silent();
    scene.db.add_users([1]);
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [1]);
}

#[test]
fn each_of_two_destinations_gets_its_own_callbacks() {
    let scene = Scene::with_copies(2);
    scene.db.add_users(1..=4);
    scene.db.copy_users();
    scene
        .db
        .exec("DELETE FROM des.user WHERE number IN ('n1', 'n2')");
    scene
        .db
        .exec("UPDATE des2.user SET name = 'x' WHERE number IN ('n2', 'n3')");
    scene.run(0);
    assert_eq!(scene.receivers[0].ids(), [1, 2]);
    assert_eq!(scene.receivers[1].ids(), [2, 3]);
    assert!(
        scene.receivers[0]
            .callbacks()
            .iter()
            .all(|c| c.kind() == 1 && c.header("cupid-destination") == "copy1")
    );
    assert!(
        scene.receivers[1]
            .callbacks()
            .iter()
            .all(|c| c.kind() == 2 && c.header("cupid-destination") == "copy2")
    );
}

#[test]
fn a_second_run_over_a_settled_state_sends_nothing() {
    let mut scene = Scene::with_missing(1..=20);
    scene.config.with_updates(5);
    scene
        .db
        .exec("UPDATE src.user SET update_time = NOW() - INTERVAL 2 SECOND");
    scene.run(0);
    assert_eq!(scene.receiver().delivered_ids().len(), 20);
    scene.receiver().take();
    scene.run(0).assert_silent();
    scene.run(0).assert_silent();
    assert_eq!(scene.receiver().count(), 0);
}

#[test]
fn start_ids_come_from_cupid_txt_then_the_command_then_the_config_and_are_inclusive() {
    let start = |cupid_txt: Option<&str>, command: Option<&str>, insert_start_id: Option<u64>| {
        let mut scene = Scene::with_missing(1..=6);
        if let Some(text) = cupid_txt {
            std::fs::write(scene.config.state().join("cupid.txt"), text).expect("Write cupid.txt");
        }
        if let Some(id) = insert_start_id {
            scene.config.set("/src/insertStartId", id);
        }
        let cupid = scene.cupid("run");
        let cupid = if let Some(id) = command {
            cupid.arg("--start-id").arg(id)
        } else {
            cupid
        };
        cupid.exits(0);
        scene.receiver().ids()
    };
    assert_eq!(start(None, None, None), [1, 2, 3, 4, 5, 6]);
    assert_eq!(start(None, None, Some(3)), [3, 4, 5, 6]);
    assert_eq!(start(None, Some("4"), Some(3)), [4, 5, 6]);
    assert_eq!(start(Some("5"), Some("4"), Some(3)), [5, 6]);
}

#[test]
fn rows_that_arrive_within_the_confirmation_delay_cause_no_callback() {
    let mut scene = Scene::with_missing(1..=50);
    scene.config.set("/confirmDelayMillisecond", 2000);
    let run = scene.cupid("run").spawn();
    std::thread::sleep(Duration::from_millis(500));
    scene.db.copy_users();
    assert_eq!(run.wait().code, Some(0));
    assert_eq!(scene.receiver().count(), 0);
}

#[test]
fn a_writer_and_a_lagging_copier_beside_cupid_cause_no_callback() {
    let mut scene = Scene::in_sync(1..=10);
    scene
        .config
        .with_updates(2)
        .set("/confirmDelayMillisecond", 1500);
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (db, stop) = (Arc::clone(&scene.db), Arc::clone(&stop));
        std::thread::spawn(move || {
            let mut id = 10;
            while !stop.load(Ordering::SeqCst) {
                id += 1;
                db.add_users([id]);
                db.exec(&format!(
                    "UPDATE src.user SET name = 'New {id}' WHERE id = {}",
                    id / 2
                ));
                std::thread::sleep(Duration::from_millis(5));
            }
            id
        })
    };
    let copier = {
        let (db, stop) = (Arc::clone(&scene.db), Arc::clone(&stop));
        std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(200)); // the lag
                db.exec("REPLACE INTO des.user SELECT * FROM src.user");
            }
        })
    };
    let outcome = scene.cupid("run").args("--every 100ms --for 5s").run();
    stop.store(true, Ordering::SeqCst);
    let written = writer.join().expect("The writer ends");
    copier.join().expect("The copier ends");
    assert!(written > 100, "the writer wrote {written} rows only");
    let sent: Vec<String> = scene
        .receiver()
        .callbacks()
        .into_iter()
        .map(|c| format!("{:?} {}", c.headers, c.text))
        .collect();
    assert_eq!(
        (outcome.code, sent),
        (Some(0), vec![]),
        "{}",
        outcome.stderr
    );
}

#[test]
fn only_rows_that_the_conditions_select_are_compared() {
    let mut scene = Scene::in_sync(1..=4);
    scene.db.exec("UPDATE des.user SET name = 'x'");
    scene.config.set("/src/where", "id <> 2 OR name IS NULL");
    scene.config.set("/des/0/where", "number <> 'n3'");
    scene.run(0);
    let mut seen: Vec<_> = scene
        .receiver()
        .callbacks()
        .iter()
        .map(|c| (c.id(), c.kind()))
        .collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [(1, 2), (3, 1), (4, 2)],
        "row 2 is not selected; the copy of row 3 is as good as missing"
    );
}

#[test]
fn a_dry_run_changes_no_file_and_sends_nothing() {
    let scene = Scene::in_sync(1..=3);
    scene.run(0);
    let files = || (scene.config.state_snapshot(), scene.config.history());
    let before = files();
    scene.db.add_users(4..=6);
    let outcome = scene.cupid("run").args("--dry-run --report -").run();
    assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
    let rows: Vec<_> = outcome.stdout.lines().skip(1).collect();
    assert_eq!(rows.len(), 3, "{}", outcome.stdout);
    assert!(
        rows.iter().all(|row| row.ends_with(",dry-run")),
        "{}",
        outcome.stdout
    );
    assert_eq!(scene.receiver().count(), 0);
    assert!(files() == before, "a state file changed");
    scene.run(0);
    assert_eq!(
        scene.receiver().ids(),
        [4, 5, 6],
        "the dry run did not move the checkpoint"
    );
}

#[test]
fn a_first_dry_run_leaves_no_state_file() {
    let scene = Scene::with_missing(1..=3);
    scene.cupid("run").arg("--dry-run").run();
    assert_eq!(
        (
            scene.receiver().count(),
            scene.config.state_snapshot().len()
        ),
        (0, 0)
    );
}
