//! `cupid recheck`: the rows of an earlier report, compared again.

mod common;

use std::path::PathBuf;

use common::{Cupid, Scene};

/// Rows 2 and 5 differ (2 in two columns), row 3 is missing; and the report that says so.
fn audited() -> (Scene, PathBuf) {
    let scene = Scene::in_sync(1..=6);
    scene
        .db
        .exec("UPDATE des.user SET name = 'x', avatar = NULL WHERE id = 2");
    scene.db.exec("UPDATE des.user SET name = 'x' WHERE id = 5");
    scene.db.exec("DELETE FROM des.user WHERE id = 3");
    let report = scene.config.folder().join("drift.csv");
    scene
        .cupid("reconcile")
        .args("--dry-run --report")
        .arg(&report)
        .exits(1);
    (scene, report)
}

fn recheck(scene: &Scene, report: &PathBuf) -> Cupid {
    scene.cupid("recheck").arg(report)
}

#[test]
fn what_is_repaired_still_different_and_gone_is_told_and_nothing_is_sent_or_saved() {
    let (scene, report) = audited();
    scene
        .db
        .exec("UPDATE des.user SET name = 'Name 2', avatar = 'a2.png' WHERE id = 2");
    scene.db.exec("DELETE FROM src.user WHERE id = 3");
    let before = scene.config.state_snapshot();
    let outcome = recheck(&scene, &report).exits(1);
    assert_eq!(
        outcome.stdout,
        "3 rows of the report: 1 repaired, 1 still different, 1 gone\n"
    );
    assert_eq!(outcome.stderr, "");
    assert_eq!(
        (scene.receiver().count(), scene.config.state_snapshot()),
        (0, before)
    );
    recheck(&scene, &report)
        .arg("-v")
        .exits(1)
        .assert_says(&["id 2: it was repaired", "id 3: its source row is gone"]);
}

#[test]
fn all_repaired_is_0_and_rows_that_went_wrong_since_are_not_its_business() {
    let (scene, report) = audited();
    scene.db.copy_users();
    scene.db.exec("DELETE FROM des.user WHERE id = 6");
    let outcome = recheck(&scene, &report).arg("--json").exits(0);
    let counts: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    for (name, count) in [
        ("rows", 3),
        ("repaired", 3),
        ("stillDifferent", 0),
        ("gone", 0),
        ("notCompared", 0),
    ] {
        assert_eq!(counts[name], count, "{name} in {counts}");
    }
}

#[test]
fn what_still_differs_is_a_report_that_can_be_rechecked_again() {
    let (scene, report) = audited();
    scene
        .db
        .exec("UPDATE des.user SET name = 'Name 5' WHERE id = 5");
    scene
        .db
        .exec("UPDATE des.user SET name = 'Name 2' WHERE id = 2");
    let left = scene.config.folder().join("left.jsonl");
    recheck(&scene, &report).arg("--report").arg(&left).exits(1);
    let text = std::fs::read_to_string(&left).expect("The report is there");
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| ["kind", "id", "column", "callback"].map(|name| line[name].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ["different", "2", "avatar", "none"],
            ["missing", "3", "", "none"]
        ]
    );
    scene.db.copy_users();
    recheck(&scene, &left).exits(0);
}

#[test]
fn a_row_that_is_repaired_between_the_two_looks_is_repaired() {
    let (mut scene, report) = audited();
    scene.config.set("/confirmDelayMillisecond", 1500);
    let running = recheck(&scene, &report).spawn();
    std::thread::sleep(std::time::Duration::from_millis(700));
    scene.db.copy_users();
    assert_eq!(running.wait().code, Some(0));
}

#[test]
fn a_duplicate_is_repaired_when_its_key_has_one_row_left() {
    let scene = Scene::in_sync(1..=3);
    scene.db.exec("ALTER TABLE des.user DROP KEY number");
    scene.db.exec("INSERT INTO des.user (number, name, avatar) SELECT number, name, avatar FROM src.user WHERE id = 2");
    let report = scene.config.folder().join("drift.csv");
    scene
        .cupid("reconcile")
        .arg("--report")
        .arg(&report)
        .exits(1);
    let outcome = recheck(&scene, &report).args("--report -").exits(1);
    assert_eq!(outcome.stdout.lines().count(), 2, "{}", outcome.stdout);
    assert!(outcome.stdout.contains(",copy1,duplicate,2,n2,,,,none"));
    scene.db.exec("DELETE FROM des.user WHERE id > 3");
    recheck(&scene, &report).exits(0);
}

#[test]
fn a_destination_that_cannot_be_read_is_no_repair() {
    let (mut scene, report) = audited();
    scene.config.set("/des/0/password", "wrong");
    let outcome = recheck(&scene, &report).run();
    assert!(!matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
    assert!(outcome.stdout.contains("3 not compared"), "{outcome:?}");
}

#[test]
fn a_report_of_something_else_is_refused() {
    let (mut scene, report) = audited();
    scene.config.set("/des/0/name", "renamed");
    recheck(&scene, &report)
        .exits(2)
        .assert_says(&["drift.csv", "copy1", "renamed"]);
    std::fs::write(&report, "id\n1\n").expect("Write a file");
    recheck(&scene, &report)
        .exits(2)
        .assert_says(&["drift.csv", "line 1"]);
}
