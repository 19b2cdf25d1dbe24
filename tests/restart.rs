//! Ids that start again: a table that was emptied, restored or replaced, and ids that are reused. What comes again is
//! compared, and nobody has to guess that it happened.

mod common;

use common::{Answer, Callback, Outcome, Scene, assert_ids};
use serde_json::Value;

/// Users with other numbers than those of [`common::Db::add_users`].
fn add_others(scene: &Scene, ids: impl IntoIterator<Item = i64>) {
    let rows: Vec<String> = ids
        .into_iter()
        .map(|id| format!("({id}, 'other{id}', 'Other {id}')"))
        .collect();
    let rows = rows.join(",");
    scene.db.exec(&format!(
        "INSERT INTO src.user (id, number, name) VALUES {rows}"
    ));
}

/// Compared up to the highest of these ids.
fn compared(ids: std::ops::RangeInclusive<u64>) -> Scene {
    let scene = Scene::in_sync(ids);
    scene.repair();
    scene.run(0).assert_silent();
    scene
}

#[track_caller]
fn status(scene: &Scene, code: i32) -> Value {
    let outcome = scene.cupid("status").arg("--json").exits(code);
    serde_json::from_str(&outcome.stdout).expect("The status is JSON")
}

fn ids_of(callbacks: &[Callback]) -> Vec<i64> {
    let id = |callback: &Callback| callback.body["srcColumn"]["id"].as_i64();
    let mut ids: Vec<i64> = callbacks.iter().filter_map(id).collect();
    ids.sort_unstable();
    ids
}

/// The next pass calls these back, and the ones after that have nothing to say.
#[track_caller]
fn calls_back(scene: &Scene, ids: impl IntoIterator<Item = u64>) -> Outcome {
    let outcome = scene.run(0);
    assert_ids(&scene.receiver().ids(), ids);
    scene.receiver().take();
    scene.run(0).assert_silent();
    assert_eq!(scene.receiver().count(), 0);
    assert_eq!(status(scene, 0)["checkpoint"][0]["idsWentBack"], false);
    outcome
}

#[test]
fn a_truncated_table_is_told_and_its_new_rows_are_compared() {
    let scene = compared(1..=1_000);
    scene.db.exec("TRUNCATE TABLE src.user");
    add_others(&scene, [1, 2]);
    let seen = status(&scene, 1);
    assert_eq!(seen["checkpoint"][0]["idsWentBack"], true);
    let text = scene.cupid("status").exits(1).stdout;
    assert!(text.contains("the highest id is only 2"), "{text}");
    let check = scene.check().run().stdout;
    assert!(
        check.contains("its highest id is 2, and ids up to 1,000"),
        "{check}"
    );
    let outcome = calls_back(&scene, [1, 2]);
    outcome.assert_says(&[
        "went back",
        "the highest one is 2",
        "up to 1,000",
        "from its beginning, id 1",
    ]);
    let check = scene.check().run().stdout;
    assert!(!check.contains("went back"), "{check}");
}

#[test]
fn a_table_that_is_emptied_once_more_before_it_was_compared_again_is_compared_from_its_first_id() {
    let scene = compared(1..=20);
    scene.db.exec("TRUNCATE TABLE src.user");
    add_others(&scene, [5, 6]);
    scene.db.exec("RENAME TABLE des.user TO des.away");
    scene.cupid("run").run().assert_says(&["beginning, id 5"]);
    scene.db.exec("TRUNCATE TABLE src.user");
    add_others(&scene, 1..=6);
    scene.db.exec("RENAME TABLE des.away TO des.user");
    calls_back(&scene, 1..=6);
}

#[test]
fn rows_that_commit_late_into_a_table_that_was_emptied_are_compared() {
    let scene = compared(1..=3);
    scene.db.exec("TRUNCATE TABLE src.user");
    add_others(&scene, 5..=9); // Others have ids from 1 on, in a transaction that is still open.
    scene.run(0);
    assert_ids(&scene.receiver().ids(), 5..=9);
    scene.receiver().take();
    add_others(&scene, [1, 3]);
    calls_back(&scene, [1, 3]);
}

#[test]
fn rows_that_come_again_with_the_same_keys_are_compared() {
    let scene = compared(1..=1_000);
    scene.db.exec("TRUNCATE TABLE src.user");
    scene.db.exec("TRUNCATE TABLE des.user");
    scene.db.add_users(1..=2);
    calls_back(&scene, [1, 2]).assert_says(&["went back"]);
}

#[test]
fn a_table_that_was_filled_beyond_the_checkpoint_is_compared_from_its_beginning() {
    for highest in [20, 21, 300] {
        let scene = compared(1..=20);
        scene.db.exec("TRUNCATE TABLE src.user");
        add_others(&scene, 1..=highest);
        let outcome = calls_back(&scene, 1..=highest.unsigned_abs());
        outcome.assert_says(&["started again"]);
    }
}

/// Ids up to 20 were compared; the table, whose key is the id, was emptied and filled anew beyond them.
fn filled_anew_and_keyed_by_id() -> Scene {
    let mut scene = Scene::in_sync(1..=20);
    scene.config.set("/src/byColumn", "id");
    scene.config.set("/des/0/byColumn", "id");
    scene.run(0).assert_silent();
    scene.db.exec("TRUNCATE TABLE src.user");
    add_others(&scene, 1..=30);
    scene
}

#[test]
fn where_the_key_is_the_id_a_table_that_was_filled_beyond_the_checkpoint_is_compared() {
    let scene = filled_anew_and_keyed_by_id();
    let outcome = scene.run(0);
    assert_ids(&scene.receiver().ids(), 1..=30);
    outcome.assert_says(&["started again"]);
    scene.db.add_users([31]);
    scene.db.copy_users();
    scene.run(0).assert_silent();
}

#[test]
fn rows_that_were_written_anew_before_updates_were_first_looked_at_are_compared() {
    let mut scene = filled_anew_and_keyed_by_id();
    scene
        .db
        .exec("UPDATE src.user SET update_time = NOW() - INTERVAL 1 HOUR");
    scene.config.with_updates(1);
    let outcome = scene.run(0);
    assert_ids(&scene.receiver().ids(), 1..=30);
    outcome.assert_says(&["started again"]);
}

#[test]
fn an_emptied_table_is_told_once_and_what_comes_is_compared() {
    let scene = compared(1..=50);
    scene.db.exec("TRUNCATE TABLE src.user");
    scene.run(0).assert_says(&[".user is empty", "up to 50"]);
    scene.run(0).assert_silent();
    let text = scene.cupid("status").exits(1).stdout;
    assert!(text.contains("the table is empty now"), "{text}");
    add_others(&scene, 1..=3);
    calls_back(&scene, 1..=3);
}

#[test]
fn a_huge_id_that_is_deleted_again_hides_no_row() {
    let scene = compared(1..=1_000);
    let huge = 1_000_000_000_000_u64;
    scene.db.add_users([huge]);
    scene.run(0);
    assert_eq!(scene.receiver().take().len(), 1);
    scene
        .db
        .exec(&format!("DELETE FROM src.user WHERE id = {huge}"));
    scene.db.exec("ALTER TABLE src.user AUTO_INCREMENT = 1001");
    scene.db.add_users([1_001, 1_002]);
    calls_back(&scene, [1_001, 1_002]).assert_says(&["the highest one is 1,002"]);
}

#[test]
fn ids_that_are_reused_are_compared() {
    for rest in [vec![10], vec![9, 10, 11, 12]] {
        let scene = compared(1..=10);
        scene
            .db
            .exec(&format!("DELETE FROM src.user WHERE id >= {}", rest[0]));
        let number = rest.len();
        for id in &rest {
            scene.db.exec(&format!(
                "INSERT INTO src.user (id, number) VALUES ({id}, 'reused {id} {number}')"
            ));
        }
        calls_back(&scene, rest).assert_says(&["started again"]);
    }
}

#[test]
fn a_replica_that_is_behind_is_told_and_catches_up() {
    let scene = compared(1..=9_000);
    scene
        .db
        .exec("CREATE TABLE src.held AS SELECT * FROM src.user WHERE id > 8998");
    scene.db.exec("DELETE FROM src.user WHERE id > 8998");
    let outcome = scene.run(0);
    outcome.assert_says(&["went back", "the highest one is 8,998"]);
    let again = outcome.stderr.split("Ids from ").nth(1).unwrap_or_default();
    assert!(again.starts_with("8,9"), "{}", outcome.stderr);
    scene.run(0).assert_silent();
    scene
        .db
        .exec("DELETE FROM des.user WHERE number IN ('n8999', 'n9000')");
    scene.db.exec("INSERT INTO src.user SELECT * FROM src.held");
    calls_back(&scene, [8_999, 9_000]).assert_silent();
}

#[test]
fn rows_that_are_deleted_one_by_one_at_the_end_are_told_once() {
    let scene = compared(1..=30);
    scene.db.exec("DELETE FROM src.user WHERE id = 30");
    scene.run(0).assert_says(&["the highest one is 29"]);
    for id in (25..30).rev() {
        scene
            .db
            .exec(&format!("DELETE FROM src.user WHERE id = {id}"));
        scene.run(0).assert_silent();
        status(&scene, 0);
    }
    scene.db.add_users([31]);
    calls_back(&scene, [31]).assert_silent();
}

#[test]
fn a_lagging_destination_goes_back_too() {
    let scene = Scene::with_copies(2);
    scene.db.add_users(1..=100);
    scene.db.copy_users();
    scene.run(0).assert_silent();
    scene.db.exec("RENAME TABLE des2.user TO des2.away");
    scene.db.add_users(101..=110);
    scene
        .db
        .exec("INSERT INTO des.user SELECT * FROM src.user WHERE id > 100");
    scene.run(1);
    scene.db.exec("TRUNCATE TABLE src.user");
    add_others(&scene, 1..=5);
    scene.run(1);
    assert_ids(&scene.receivers[0].ids(), 1..=5);
    scene.db.exec("RENAME TABLE des2.away TO des2.user");
    scene.run(0);
    assert_ids(&scene.receivers[1].ids(), 1..=5);
    let positions = status(&scene, 0)["checkpoint"].clone();
    assert_eq!(positions.as_array().map(Vec::len), Some(1), "{positions}");
}

#[test]
fn a_gap_above_the_new_end_hides_nothing() {
    let scene = Scene::in_sync((1..=100).filter(|id| !(50..=60).contains(id)));
    scene.run(0).assert_silent(); // 50 to 60 may still appear.
    scene.db.exec("DELETE FROM src.user WHERE id > 20");
    scene.run(0);
    scene.receiver().take();
    scene.db.add_users([55, 99]);
    scene.db.exec("DELETE FROM des.user");
    let outcome = scene.run(0);
    let ids = scene.receiver().ids();
    assert!(
        ids.contains(&55) && ids.contains(&99),
        "{ids:?}\n{}",
        outcome.stderr
    );
}

#[test]
fn a_checkpoint_of_an_earlier_version_is_read_and_goes_back() {
    let scene = Scene::in_sync(1..=1_000);
    let name = scene.db.source.clone();
    let old = format!(
        r#"{{"version":1,"source":"{name}.user","positions":[{{"destinations":["copy1"],"nextId":1001}}]}}"#
    );
    std::fs::create_dir_all(scene.config.state()).expect("The state folder");
    std::fs::write(scene.config.state_file("checkpoint.json"), old).expect("An old checkpoint");
    scene.run(0).assert_silent();
    scene.db.exec("TRUNCATE TABLE src.user");
    add_others(&scene, [1, 2]);
    scene.run(0).assert_says(&["went back"]);
    assert_eq!(scene.receiver().ids(), [1, 2]);
}

#[test]
fn ids_below_zero_can_be_asked_for_and_start_again_like_others() {
    let first = |scene: &Scene, code| {
        let outcome = scene.cupid("run").args("--start-id -5").exits(code);
        (outcome, ids_of(&scene.receiver().take()))
    };
    let scene = Scene::new();
    add_others(&scene, [-7, -5, -1, 3]);
    assert_eq!(first(&scene, 0).1, [-5, -1, 3]);

    let mut scene = Scene::new();
    scene.config.set("/src/insertStartId", -5);
    add_others(&scene, [-7, -5, -1, 3]);
    scene.run(0);
    assert_eq!(ids_of(&scene.receiver().take()), [-5, -1, 3]);
    scene.db.exec("TRUNCATE TABLE src.user");
    add_others(&scene, [-9, -8]);
    scene.run(0).assert_says(&["the highest one is -8"]);
    assert_eq!(ids_of(&scene.receiver().take()), [-9, -8]);

    let scene = Scene::new();
    add_others(&scene, [-7, -5, 3]);
    std::fs::create_dir_all(scene.config.state()).expect("The state folder");
    std::fs::write(scene.config.state().join("cupid.txt"), "-5").expect("Write cupid.txt");
    scene.run(0);
    assert_eq!(ids_of(&scene.receiver().take()), [-5, 3]);

    let scene = Scene::new();
    add_others(&scene, [-7, 3]);
    let check = scene.check().run().stdout;
    assert!(check.contains("the table has ids from -7 on"), "{check}");
}

#[test]
fn a_start_id_above_all_ids_is_no_step_back() {
    let mut scene = Scene::in_sync(1..=5);
    scene.config.set("/src/insertStartId", 1_000);
    for _ in 0..2 {
        scene.run(0).assert_silent();
        assert_eq!(status(&scene, 0)["checkpoint"][0]["idsWentBack"], false);
    }
}

#[test]
fn a_dry_run_tells_and_moves_nothing() {
    let scene = compared(1..=10);
    scene.db.exec("TRUNCATE TABLE src.user");
    add_others(&scene, [1, 2]);
    for _ in 0..2 {
        let outcome = scene.cupid("run").arg("--dry-run").exits(1);
        outcome.assert_says(&["went back", "2 would be called back"]);
    }
    scene.receiver().answer(|_| Answer::ok());
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [1, 2]);
}
