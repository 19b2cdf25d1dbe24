//! Audits that share a table: each row is looked at by exactly one of them, whatever the table does.

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Answer, Db, Scene, Server, assert_ids, wait_until};

/// Lines of a report without the moment of their detection, sorted.
fn lines(report: &str) -> Vec<String> {
    let rest = |line: &str| {
        line.split_once(',')
            .expect("A line of a report")
            .1
            .to_owned()
    };
    let mut lines: Vec<String> = report.lines().skip(1).map(rest).collect();
    lines.sort_unstable();
    lines
}

fn ids(lines: &[String]) -> Vec<u64> {
    let id = |line: &String| {
        line.split(',')
            .nth(3)
            .and_then(|id| id.parse().ok())
            .expect("An id")
    };
    lines.iter().map(id).collect()
}

/// What one shard reports; it ends with 1 when that is anything.
#[track_caller]
fn part(scene: &Scene, index: usize, count: usize, options: &str) -> Vec<String> {
    let outcome = scene
        .cupid("reconcile")
        .args(&format!(
            "--dry-run --report - --shard {index}/{count} {options}"
        ))
        .run();
    let lines = lines(&outcome.stdout);
    let code = i32::from(!lines.is_empty());
    assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
    lines
}

/// Ids in a few blocks, and some far beyond.
fn uneven() -> Vec<u64> {
    let near = (1..=40_000).chain(90_000..=95_000);
    near.chain((1..=500).map(|n| n << 33 | 5)).collect()
}

/// The copy is found by a text, or by the id.
fn keyed_by(key: &str) -> Scene {
    let mut scene = Scene::in_sync(uneven());
    if key == "id" {
        scene
            .config
            .set("/src/byColumn", "id")
            .set("/des/0/byColumn", "id");
    }
    scene.db.exec("DELETE FROM des.user WHERE id % 97 = 5");
    scene
        .db
        .exec("UPDATE des.user SET name = 'x', avatar = NULL WHERE id % 101 = 5");
    scene
}

#[test]
fn the_parts_are_the_whole() {
    for key in ["number", "id"] {
        let scene = keyed_by(key);
        let folder = scene.config.folder();
        let whole = scene
            .cupid("reconcile")
            .args("--dry-run --report -")
            .exits(1);
        let mut rows = Vec::new();
        let mut files = Vec::new();
        for index in 0..3 {
            let file = folder.join(format!("part-{index}.csv"));
            let outcome = scene
                .cupid("reconcile")
                .args(&format!("--dry-run --json --shard {index}/3 --report"))
                .arg(&file)
                .exits(1);
            let summary: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
            rows.push(summary["compared"].as_u64().unwrap());
            files.push(file);
        }
        let all = uneven().len() as u64;
        assert_eq!(rows.iter().sum::<u64>(), all, "{key}: {rows:?}");
        assert!(rows.iter().all(|part| *part > all / 5), "{key}: {rows:?}");
        let merged = common::Cupid::new(["report", "merge"]);
        let merged = files.iter().fold(merged, common::Cupid::arg);
        let merged = merged.exits(0);
        assert!(lines(&merged.stdout).len() > 1_000);
        assert!(lines(&merged.stdout) == lines(&whole.stdout), "{key}");
    }
}

#[test]
fn every_row_is_found_once_while_the_table_grows() {
    let mut scene = Scene::with_missing(uneven());
    scene.config.set("/src/where", "id % 20 = 5");
    let is_wanted = |id: &u64| id % 20 == 5;
    let mut found: BTreeMap<u64, usize> = BTreeMap::new();
    for index in 0..5 {
        for id in ids(&part(&scene, index, 5, "")) {
            *found.entry(id).or_default() += 1;
        }
        let next = 5_000_000_000_000 + 60_000 * index as u64;
        scene
            .db
            .add_users((1..=4).map(|n| 95_000 + index as u64 * 4 + n));
        scene.db.add_users((next + 5..next + 60_000).step_by(100));
    }
    assert!(found.values().all(|times| *times == 1));
    let first: Vec<u64> = uneven().into_iter().filter(is_wanted).collect();
    let mut of_first: Vec<u64> = found.keys().copied().collect();
    of_first.retain(|id| first.binary_search(id).is_ok());
    assert_ids(&of_first, first);
    assert!(
        found.len() > of_first.len(),
        "new rows are some shard's too"
    );
}

#[test]
fn ids_are_shared_from_the_lowest_to_the_highest_that_there_can_be() {
    let mut scene = Scene::bare(Db::new(1));
    for (table, id) in [("low", "BIGINT"), ("high", "BIGINT UNSIGNED")] {
        for name in ["src", "des"] {
            scene.db.exec(&format!(
                "CREATE TABLE {name}.{table} (id {id} PRIMARY KEY, v INT)"
            ));
        }
    }
    let signed = "(-9223372036854775808, 1), (-70000, 2), (-1, 3), (0, 4), (20000, 5), (9223372036854775807, 6)";
    let unsigned = "(0, 1), (9223372036854775807, 2), (9223372036854775808, 3), (18446744073709551600, 4), \
                    (18446744073709551615, 5)";
    for name in ["src", "des"] {
        scene
            .db
            .exec(&format!("INSERT INTO {name}.low VALUES {signed}"));
        scene
            .db
            .exec(&format!("INSERT INTO {name}.high VALUES {unsigned}"));
    }
    scene
        .config
        .set("/src/byColumn", "id")
        .set("/des/0/byColumn", "id")
        .set("/des/0/columns", serde_json::json!({"v": "v"}));
    for (table, rows) in [("low", 6), ("high", 5)] {
        scene
            .config
            .set("/src/table", table)
            .set("/des/0/table", table);
        for missing in [false, true] {
            if missing {
                scene.db.exec(&format!("DELETE FROM des.{table}"));
            }
            let found: usize = (0..3).map(|index| part(&scene, index, 3, "").len()).sum();
            assert_eq!(found, if missing { rows } else { 0 }, "{table}");
        }
    }
}

#[test]
fn no_shard_reads_the_whole_copy() {
    for key in ["number", "id"] {
        let db = Db::on(Server::private(), 1);
        db.user_table();
        db.add_users(1..=70_000);
        db.copy_users();
        let mut scene = Scene::bare(db);
        if key == "id" {
            scene
                .config
                .set("/src/byColumn", "id")
                .set("/des/0/byColumn", "id");
        }
        scene.db.exec("SET GLOBAL log_output = 'TABLE'");
        scene.db.exec("SET GLOBAL general_log = 1");
        scene.cupid("reconcile").args("--shard 1/4").exits(0);
        scene.db.exec("SET GLOBAL general_log = 0");
        let copy = &scene.db.copies[0];
        let queries: Vec<String> = scene.db.query(&format!(
            "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE command_type = 'Execute' \
             AND argument LIKE '%`{copy}`.`user`%'"
        ));
        assert!(!queries.is_empty());
        let by = if key == "id" { "% 4 = 1" } else { " IN (" };
        for query in queries {
            assert!(query.contains(by), "{query:.300}");
        }
    }
}

#[test]
fn shards_are_at_work_side_by_side_and_run_delivers_what_they_leave() {
    let mut scene = Scene::with_missing(1..=40_000);
    scene.config.set("/src/where", "id % 1000 = 7");
    scene.receiver().answer(|_| Answer::status(500));
    scene.config.set("/confirmDelayMillisecond", 1500);
    let running: Vec<_> = (0..2)
        .map(|index| {
            scene
                .cupid("reconcile")
                .args(&format!("--shard {index}/2"))
                .spawn()
        })
        .collect();
    for index in 0..2 {
        wait_until("the shard has its lock", Duration::from_secs(20), || {
            scene
                .config
                .state_file(&format!("reconcile.{index}of2.lock"))
                .exists()
        });
    }
    std::thread::sleep(Duration::from_millis(200));
    scene.cupid("reconcile").args("--shard 1/2").exits(75);
    for audit in running {
        let outcome = audit.wait();
        assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    }
    scene.receiver().take();
    scene.receiver().answer(|_| Answer::ok());
    scene.config.set("/src/insertStartId", 1_000_000);
    scene.run(0);
    let mut delivered = scene.receiver().ids();
    delivered.sort_unstable();
    assert_ids(&delivered, (0..40).map(|n| n * 1000 + 7));
    scene.run(0);
    assert_eq!(scene.receiver().count(), 40);
}

#[test]
fn start_delivers_what_an_audit_left() {
    let mut scene = Scene::with_missing([7]);
    scene.receiver().answer(|_| Answer::status(500));
    scene.cupid("reconcile").args("--shard 0/2").exits(1);
    scene.receiver().take();
    scene.receiver().answer(|_| Answer::ok());
    scene.config.set("/src/insertStartId", 1_000_000);
    let start = scene.cupid("start").spawn();
    wait_until("it is delivered", Duration::from_secs(30), || {
        scene.receiver().ids() == [7]
    });
    start.signal("TERM");
    assert_eq!(start.wait().code, Some(0));
}

#[test]
fn each_shard_goes_on_where_it_stopped_and_none_for_another() {
    let scene = Scene::in_sync(uneven());
    scene.db.exec("DELETE FROM des.user WHERE id % 500 = 5");
    let args = |index: usize, more: &str| format!("--shard {index}/2 --json {more}");
    scene.cupid("reconcile").args(&args(1, "")).exits(1);
    let of_1 = scene.receiver().take().len();
    scene
        .cupid("reconcile")
        .args(&args(0, "--resume"))
        .exits(2)
        .assert_says(&["no audit to go on with"]);
    let audit = scene
        .cupid("reconcile")
        .args(&args(0, "--max-rate 4000"))
        .limit(Duration::from_secs(120))
        .spawn();
    wait_until("it begins", Duration::from_secs(20), || {
        scene
            .config
            .state_file("reconcile.0of2.checkpoint.json")
            .exists()
    });
    std::thread::sleep(Duration::from_millis(1500));
    audit.signal("TERM");
    let stopped = audit.wait();
    assert!(
        stopped.stdout.contains("\"interrupted\":true"),
        "{stopped:?}"
    );
    scene.cupid("reconcile").args(&args(0, "--resume")).run();
    let missing = uneven().iter().filter(|id| *id % 500 == 5).count();
    assert_eq!(of_1 + scene.receiver().count(), missing);
}
