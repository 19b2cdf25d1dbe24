//! Which rows a pass looks at: new ids, updates, and those whose transactions commit late.

mod common;

use std::time::Duration;

use common::{Scene, assert_ids, wait_until};
use mysql::prelude::Queryable;

/// Only updates; the rows of the scene are an hour old.
fn only_updates(ids: std::ops::RangeInclusive<u64>, scan_second: u64) -> Scene {
    let mut scene = Scene::in_sync(ids);
    scene
        .db
        .exec("UPDATE src.user SET update_time = NOW() - INTERVAL 1 HOUR");
    scene.db.copy_users();
    scene
        .config
        .with_updates(scan_second)
        .set("/src/insert", false);
    scene
}

#[test]
fn an_update_within_the_window_is_compared() {
    let scene = only_updates(1..=10, 5);
    scene.db.exec("UPDATE src.user SET name = 'new', update_time = NOW() - INTERVAL 1 SECOND WHERE id IN (3, 8)");
    scene.run(0);
    let mut seen: Vec<_> = scene
        .receiver()
        .callbacks()
        .iter()
        .map(|c| (c.id(), c.kind()))
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, [(3, 2), (8, 2)]);
    scene.run(0);
    assert_eq!(
        scene.receiver().count(),
        2,
        "not compared again at the same update time"
    );
}

#[test]
fn an_update_between_two_runs_is_compared_by_the_later_one() {
    let scene = only_updates(1..=10, 1);
    scene.run(0).assert_silent();
    std::thread::sleep(Duration::from_millis(1100));
    scene
        .db
        .exec("UPDATE src.user SET name = 'new' WHERE id = 4");
    std::thread::sleep(Duration::from_millis(2500));
    scene.run(0);
    assert_eq!(
        scene.receiver().ids(),
        [4],
        "the window starts where the last one ended, not one second ago"
    );
}

#[test]
fn a_bulk_update_that_gave_thousands_of_rows_one_timestamp_is_compared_whole() {
    let scene = only_updates(1..=7000, 5);
    scene
        .db
        .exec("UPDATE src.user SET name = 'bulk', update_time = NOW() - INTERVAL 1 SECOND");
    scene.run_until_done(10);
    assert_ids(&scene.receiver().ids(), 1..=7000);
}

#[test]
fn an_update_in_the_second_that_a_run_has_just_scanned_is_compared_by_the_next() {
    let scene = only_updates(1..=3, 5);
    scene.repair();
    scene
        .db
        .exec("UPDATE src.user SET name = 'first', update_time = NOW() WHERE id = 2");
    scene.run_until_done(5);
    // A row that shares the timestamp, committed after the run.
    scene.db.exec(
        "UPDATE src.user a JOIN src.user b ON b.id = 2 SET a.name = 'later', a.update_time = b.update_time WHERE a.id = 1",
    );
    std::thread::sleep(Duration::from_millis(1100));
    scene.run_until_done(5);
    let wrong: Vec<u64> = scene.db.query(
        "SELECT s.id FROM src.user s LEFT JOIN des.user d ON d.number = s.number WHERE NOT (d.name <=> s.name)",
    );
    assert_eq!(wrong, Vec::<u64>::new());
}

#[test]
fn timestamps_with_fractions_and_numbers_serve_as_update_column() {
    for (column, now, format) in [
        ("DATETIME(6)", "NOW(6)", None),
        ("TIMESTAMP(3) NULL", "NOW(3)", None),
        ("INT UNSIGNED", "UNIX_TIMESTAMP()", Some("U")),
        (
            "BIGINT",
            "CAST(DATE_FORMAT(NOW(), '%Y%m%d%H%i%s') AS UNSIGNED)",
            Some("YmdHis"),
        ),
        (
            "VARCHAR(20)",
            "DATE_FORMAT(NOW(), '%Y-%m-%d %H:%i:%s')",
            Some("Y-m-d H:i:s"),
        ),
    ] {
        let mut scene = only_updates(1..=5, 5);
        for name in ["src.user", "des.user"] {
            scene.db.exec(&format!("ALTER TABLE {name} DROP COLUMN update_time, ADD COLUMN changed {column}, ADD KEY (changed)"));
        }
        scene.config.set("/src/updateColumn", "changed");
        if let Some(format) = format {
            scene.config.set("/src/updateTimeFormate", format);
        }
        scene.db.exec(&format!(
            "UPDATE src.user SET name = 'new', changed = {now} WHERE id = 2"
        ));
        std::thread::sleep(Duration::from_millis(1100));
        scene.run(0);
        assert_eq!(scene.receiver().ids(), [2], "{column}");
    }
}

#[test]
fn a_transaction_that_inserts_an_id_and_commits_after_a_later_id_was_scanned_is_compared() {
    let scene = Scene::in_sync(1..=99);
    let mut late = scene.db.session();
    late.query_drop("BEGIN").unwrap();
    late.query_drop(
        scene
            .db
            .sql("INSERT INTO src.user (id, number, name) VALUES (100, 'n100', 'late')"),
    )
    .unwrap();
    scene.db.add_users([101]);
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [101]);
    scene.run(0);
    late.query_drop("COMMIT").unwrap();
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [100, 101]);
    scene.run(0);
    assert_eq!(scene.receiver().count(), 2);
}

#[test]
fn several_late_ids_are_found_one_by_one_as_they_commit() {
    let scene = Scene::in_sync(1..=10);
    let mut sessions: Vec<_> = (0..3).map(|_| scene.db.session()).collect();
    for (i, session) in sessions.iter_mut().enumerate() {
        session.query_drop("BEGIN").unwrap();
        let id = 20 + 10 * i;
        session
            .query_drop(scene.db.sql(&format!(
                "INSERT INTO src.user (id, number) VALUES ({id}, 'n{id}')"
            )))
            .unwrap();
    }
    scene.db.add_users([15, 25, 50]);
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [15, 25, 50]);
    for (i, expected) in [(1, vec![30]), (2, vec![40]), (0, vec![20])] {
        scene.receiver().take();
        sessions[i].query_drop("COMMIT").unwrap();
        scene.run(0);
        assert_eq!(scene.receiver().ids(), expected);
    }
}

#[test]
fn an_id_that_was_rolled_back_is_forgotten_in_peace() {
    let mut scene = Scene::in_sync(1..=10);
    scene.config.set("/src/lateCommitSecond", 1);
    scene.db.exec("DELETE FROM src.user WHERE id = 5");
    scene.run(0).assert_silent();
    std::thread::sleep(Duration::from_millis(1500));
    scene.run(0).assert_silent();
    scene.db.add_users([11]);
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [11]);
}

#[test]
fn an_update_that_commits_after_its_window_is_compared() {
    let scene = only_updates(1..=10, 1);
    let mut late = scene.db.session();
    late.query_drop("BEGIN").unwrap();
    late.query_drop(
        scene
            .db
            .sql("UPDATE src.user SET name = 'late' WHERE id = 6"),
    )
    .unwrap();
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(1500));
        scene.run(0).assert_silent();
    }
    late.query_drop("COMMIT").unwrap();
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [6]);
}

#[test]
fn ids_in_steps_of_ten_keep_the_checkpoint_small_and_late_ones_found() {
    let mut scene = Scene::with_missing((0..5000).map(|n| n * 10 + 1));
    scene.config.set("/src/lateCommitSecond", 4);
    scene.db.copy_users();
    scene.repair();
    let mut late = scene.db.session();
    late.query_drop("BEGIN").unwrap();
    late.query_drop(
        scene
            .db
            .sql("INSERT INTO src.user (id, number) VALUES (50001, 'n50001')"),
    )
    .unwrap();
    scene.db.add_users([50011, 50021]);
    scene.run(0);
    let size = std::fs::metadata(scene.config.state_file("checkpoint.json"))
        .expect("The checkpoint is there")
        .len();
    assert!(size < 64 * 1024, "the checkpoint takes {size} bytes");
    late.query_drop("COMMIT").unwrap();
    // With so many gaps it may be looked for only once, at the end of `lateCommitSecond`.
    wait_until("the late row is found", Duration::from_secs(15), || {
        scene.run(0);
        scene.receiver().ids() == [50001, 50011, 50021]
    });
}

#[test]
fn a_table_larger_than_a_batch_is_scanned_whole_in_one_run() {
    let scene = Scene::in_sync(1..=25_000);
    let missing: Vec<u64> = (1..=25_000)
        .filter(|id| id % 997 == 0 || *id == 1 || *id == 25_000)
        .collect();
    let list: Vec<String> = missing.iter().map(|id| format!("'n{id}'")).collect();
    scene.db.exec(&format!(
        "DELETE FROM des.user WHERE number IN ({})",
        list.join(",")
    ));
    scene.run(0);
    assert_ids(&scene.receiver().ids(), missing);
}

#[test]
fn the_largest_unsigned_ids_are_scanned_too() {
    let scene = Scene::new();
    for name in ["src.user", "des.user"] {
        scene.db.exec(&format!(
            "ALTER TABLE {name} MODIFY id BIGINT UNSIGNED NOT NULL"
        ));
    }
    scene.db.add_users([1, u64::MAX - 1, u64::MAX]);
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [1, u64::MAX - 1, u64::MAX]);
    scene.run(0).assert_silent();
}
