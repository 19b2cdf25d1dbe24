//! Audits: a range of their own, a state of their own, the same eyes.

mod common;

use std::time::Duration;

use common::{Answer, Scene, assert_ids, wait_until};

#[test]
fn a_table_in_sync_is_0_and_silent() {
    let scene = Scene::in_sync(1..=3000);
    scene.cupid("reconcile").exits(0).assert_silent();
    assert_eq!(scene.receiver().count(), 0);
}

#[test]
fn differences_are_1_called_back_and_reported_and_the_checkpoint_of_run_stays() {
    let scene = Scene::in_sync(1..=3000);
    scene.run(0);
    let checkpoint = std::fs::read(scene.config.state_file("checkpoint.json")).unwrap();
    scene.db.exec("DELETE FROM des.user WHERE id = 7");
    scene
        .db
        .exec("UPDATE des.user SET name = 'other' WHERE id = 2900");
    let outcome = scene.cupid("reconcile").args("--report -").exits(1);
    let mut lines: Vec<&str> = outcome.stdout.lines().skip(1).collect();
    lines.sort_by_key(|line| line.contains(",missing,")); // Answers come in any order.
    assert_eq!(lines.len(), 2, "{}", outcome.stdout);
    assert!(lines[0].contains(",different,2900,") && lines[0].contains(",name,"));
    assert!(lines[1].contains(",missing,7,") && lines[1].ends_with(",delivered"));
    assert_ids(&scene.receiver().ids(), [7, 2900]);
    assert_eq!(
        std::fs::read(scene.config.state_file("checkpoint.json")).unwrap(),
        checkpoint
    );
}

#[test]
fn a_range_has_both_its_ends_and_nothing_more() {
    let scene = Scene::with_missing(1..=20);
    scene
        .cupid("reconcile")
        .args("--from-id 5 --to-id 9")
        .exits(1);
    assert_ids(&scene.receiver().ids(), 5..=9);
}

#[test]
fn an_audit_needs_neither_insert_nor_update() {
    let mut scene = Scene::with_missing(1..=3);
    scene.config.set("/src/insert", false);
    scene.cupid("reconcile").exits(1);
    assert_ids(&scene.receiver().ids(), 1..=3);
}

#[test]
fn a_dry_audit_sends_nothing_and_saves_nothing() {
    let scene = Scene::with_missing(1..=3);
    let before = scene.config.state_snapshot();
    let outcome = scene
        .cupid("reconcile")
        .args("--dry-run --report -")
        .exits(1);
    assert_eq!(outcome.stdout.matches(",dry-run").count(), 3);
    assert_eq!(
        (scene.receiver().count(), scene.config.state_snapshot()),
        (0, before)
    );
}

#[test]
fn an_audit_whose_time_is_up_goes_on_where_it_stopped() {
    let scene = Scene::in_sync(1..=60_000);
    scene.db.exec("DELETE FROM des.user WHERE id % 6000 = 0");
    let first = scene.cupid("reconcile").args("--for 60ms --json").exits(1);
    let compared = |json: &str| {
        let summary: serde_json::Value = serde_json::from_str(json).unwrap();
        (
            summary["compared"].as_u64().unwrap(),
            summary["interrupted"].as_bool().unwrap(),
        )
    };
    let (rows, interrupted) = compared(&first.stdout);
    assert!(interrupted && rows < 60_000, "{rows} rows were compared");
    let mut total = rows;
    for _ in 0..200 {
        let next = scene
            .cupid("reconcile")
            .args("--for 120ms --json --resume")
            .run();
        let (rows, interrupted) = compared(&next.stdout);
        total += rows;
        if !interrupted {
            assert_ids(&scene.receiver().ids(), (1..=10).map(|n| n * 6000));
            assert!(
                total <= 60_000,
                "{total} rows were compared, some of them twice"
            );
            return;
        }
    }
    panic!("The audit does not come to its end");
}

/// At this rate the audit would take minutes; it must end at once, and the next one goes on.
fn is_stopped_while_it_waits(options: &str) {
    let scene = Scene::in_sync(1..=6000);
    scene.db.exec("DELETE FROM des.user WHERE id = 3000");
    let audit = scene
        .cupid("reconcile")
        .args(&format!("--json --max-rate 20 {options}"))
        .limit(Duration::from_secs(60))
        .spawn();
    common::wait_until("the audit begins", Duration::from_secs(20), || {
        scene
            .config
            .state_file("reconcile.checkpoint.json")
            .exists()
    });
    std::thread::sleep(Duration::from_millis(1500));
    audit.signal("TERM");
    let outcome = audit.wait();
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    let summary: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(summary["interrupted"], true);
    assert!(summary["compared"].as_u64().unwrap() < 1000, "{summary}");
    let rest = scene
        .cupid("reconcile")
        .args(&format!("--resume {options}"))
        .exits(1);
    assert_eq!(scene.receiver().ids(), [3000], "{}", rest.stderr);
}

#[test]
fn an_audit_at_a_low_rate_that_looks_rows_up_ends_at_once_when_asked_to() {
    is_stopped_while_it_waits("--from-id 2900 --to-id 4000");
}

#[test]
fn an_audit_at_a_low_rate_that_streams_ends_at_once_when_asked_to() {
    is_stopped_while_it_waits("");
}

#[test]
fn an_audit_that_was_killed_is_not_taken_for_the_one_before() {
    for options in ["", "--from-id 2 --to-id 100"] {
        let scene = Scene::in_sync(1..=3000);
        scene.cupid("reconcile").args(options).exits(0);
        let progress = scene.config.state_file("reconcile.checkpoint.json");
        let ended = std::fs::read(&progress).expect("The progress is there");
        scene.db.exec("DELETE FROM des.user WHERE id = 50");
        let audit = scene
            .cupid("reconcile")
            .args(&format!("--max-rate 1 {options}"))
            .spawn();
        common::wait_until("the audit begins", Duration::from_secs(20), || {
            std::fs::read(&progress).expect("The progress is there") != ended
        });
        audit.kill();
        scene
            .cupid("reconcile")
            .args(&format!("--resume {options}"))
            .exits(1);
        assert_eq!(scene.receiver().ids(), [50], "{options}");
    }
}

#[test]
fn nothing_of_thousands_of_differences_stays_in_the_state_of_an_audit_that_ended() {
    let mut scene = Scene::in_sync(1..=20_000);
    scene.config.set("/maxOwed", 1000);
    scene.db.exec("DELETE FROM des.user WHERE id % 5 = 0");
    let progress = || -> serde_json::Value {
        let path = scene.config.state_file("reconcile.checkpoint.json");
        let text = std::fs::read_to_string(path).expect("The progress is there");
        serde_json::from_str(&text).expect("It is JSON")
    };
    scene.receiver().answer(|_| Answer::status(500));
    scene.cupid("reconcile").exits(1);
    let position = &progress()["positions"][0];
    let left = position["suspects"]
        .as_array()
        .expect("Some are left")
        .len();
    assert!((1..4_000).contains(&left), "{left} spans");
    assert_eq!(position["nextId"], 20_001);
    scene.receiver().answer(|_| Answer::ok());
    while scene
        .cupid("reconcile")
        .args("--resume --json")
        .run()
        .stdout
        .contains("\"paused\":true")
    {}
    let mut ids = scene.receiver().delivered_ids();
    ids.sort_unstable();
    assert_ids(&ids, (1..=4_000).map(|n| n * 5));
    let position = &progress()["positions"][0];
    let fields: Vec<&String> = position.as_object().expect("A position").keys().collect();
    assert_eq!(fields, ["destinations", "nextId"], "{position}");
    let again = scene.cupid("reconcile").args("--resume --json").exits(0);
    assert!(again.stdout.contains("\"compared\":0,"), "{}", again.stdout);
}

#[test]
fn what_memory_does_not_hold_goes_to_files_and_is_still_paired() {
    let scene = Scene::in_sync(1..=60_000);
    // The copy's order is the reverse of the source's, so that half of all rows wait for their likes.
    scene
        .db
        .exec("UPDATE des.user SET id = 200000 - id ORDER BY id");
    scene
        .db
        .exec("DELETE FROM des.user WHERE number IN ('n7', 'n60000')");
    scene
        .db
        .exec("UPDATE des.user SET name = 'x' WHERE number = 'n30000'");
    // In the last batch of the copy, and in the first one.
    scene.db.exec("DELETE FROM src.user WHERE id IN (2, 59998)");
    let audit = || {
        scene
            .cupid("reconcile")
            .args("--method stream --memory 1M --dry-run")
    };
    audit()
        .env("TMPDIR", scene.config.folder().join("nowhere"))
        .exits(2)
        .assert_says(&["temporary file", "nowhere"]);
    let outcome = audit().args("--extra --report -").exits(1);
    let mut ids: Vec<&str> = outcome
        .stdout
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            if fields[3] == "extra" {
                fields[5]
            } else {
                fields[4]
            }
        })
        .collect();
    ids.sort_unstable();
    let expected = ["30000", "60000", "7", "n2", "n59998"];
    assert_eq!(ids, expected, "{}", outcome.stderr);
}

#[test]
fn an_audit_of_another_range_or_configuration_is_not_gone_on_with() {
    let mut scene = Scene::in_sync(1..=3);
    scene
        .cupid("reconcile")
        .args("--resume")
        .exits(2)
        .assert_says(&["no audit", "--resume"]);
    scene.cupid("reconcile").exits(0);
    scene.cupid("reconcile").args("--resume").exits(0);
    scene
        .cupid("reconcile")
        .args("--resume --to-id 2")
        .exits(2)
        .assert_says(&["another range", "--resume"]);
    scene.config.set("/src/where", "id > 1");
    scene
        .cupid("reconcile")
        .args("--resume")
        .exits(2)
        .assert_says(&["another configuration"]);
}

#[test]
fn what_an_audit_leaves_owed_is_delivered_by_run() {
    let scene = Scene::in_sync(1..=3);
    scene.run(0);
    scene.db.exec("DELETE FROM des.user WHERE id = 2");
    scene.receiver().answer(|_| Answer::status(500));
    scene.cupid("reconcile").exits(1);
    scene.receiver().take();
    scene.receiver().answer(|_| Answer::ok());
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [2]);
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [2]);
}

#[test]
fn two_audits_of_one_configuration_are_75_and_an_audit_beside_a_run_is_not() {
    let mut scene = Scene::with_missing(1..=3);
    scene.config.set("/confirmDelayMillisecond", 1500);
    let audit = scene.cupid("reconcile").spawn();
    common::wait_until(
        "the audit has its lock",
        std::time::Duration::from_secs(10),
        || scene.config.state_file("reconcile.lock").exists(),
    );
    std::thread::sleep(std::time::Duration::from_millis(200));
    scene.cupid("reconcile").exits(75);
    scene.run(0);
    assert_eq!(audit.wait().code, Some(1));
}

#[test]
fn an_audit_that_is_stopped_before_it_has_looked_twice_is_not_in_sync() {
    let mut scene = Scene::with_missing(1..=3);
    scene.config.set("/confirmDelayMillisecond", 60_000);
    let audit = scene.cupid("reconcile").arg("--json").spawn();
    let progress = scene.config.state_file("reconcile.checkpoint.json");
    wait_until("the audit has begun", Duration::from_secs(60), || {
        progress.exists()
    });
    std::thread::sleep(Duration::from_millis(500)); // Most likely it waits for its second look now.
    audit.signal("TERM");
    let outcome = audit.wait();
    assert_eq!(outcome.code, Some(1), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("\"interrupted\":true"));
    assert_eq!(scene.receiver().count(), 0);
}

#[test]
fn a_row_that_goes_on_changing_while_an_audit_looks_is_looked_at_once_more() {
    let mut scene = Scene::in_sync(1..=3);
    scene.config.set("/confirmDelayMillisecond", 3000);
    scene
        .db
        .exec("UPDATE des.user SET name = 'ahead' WHERE id = 2");
    let audit = scene.cupid("reconcile").spawn();
    std::thread::sleep(Duration::from_millis(1500));
    scene
        .db
        .exec("UPDATE src.user SET name = 'new' WHERE id = 2");
    std::thread::sleep(Duration::from_secs(3)); // The second look has seen another change, and a third goes on.
    scene
        .db
        .exec("UPDATE des.user SET name = 'new' WHERE id = 2");
    let outcome = audit.wait();
    assert_eq!((outcome.code, scene.receiver().count()), (Some(0), 0));
}

#[test]
fn a_copy_in_another_order_and_in_another_case_is_in_sync() {
    let scene = Scene::in_sync(1..=5000);
    scene.db.exec("UPDATE des.user SET number = UPPER(number)");
    scene
        .db
        .exec("ALTER TABLE des.user DROP COLUMN id, ADD COLUMN u CHAR(32) NOT NULL");
    scene.db.exec("UPDATE des.user SET u = REVERSE(number)");
    scene.db.exec("ALTER TABLE des.user ADD PRIMARY KEY (u)");
    let mut scene = scene;
    scene.config.remove("/des/0/columns/number");
    scene
        .cupid("reconcile")
        .args("--extra --memory 1M")
        .exits(0)
        .assert_silent();
}
