//! Rows of a copy that the source knows nothing of: those that share a key, and those whose key it does not have.

mod common;

use common::Scene;

/// The copy's key is not unique, and the rows of these ids are there twice.
fn with_duplicates(ids: &str) -> Scene {
    let scene = Scene::in_sync(1..=2000);
    scene
        .db
        .exec("ALTER TABLE des.user DROP KEY number, ADD KEY (number)");
    scene.db.exec(&format!("INSERT INTO des.user (number, name, avatar) SELECT number, name, avatar FROM src.user WHERE id IN ({ids})"));
    scene
}

#[test]
fn destination_rows_that_share_a_key_are_reported_once_a_key_and_never_called_back() {
    let scene = with_duplicates("7, 1900");
    scene
        .db
        .exec("INSERT INTO des.user (number, name) VALUES ('n7', 'third')");
    let outcome = scene.cupid("reconcile").args("--report -").exits(1);
    let lines: Vec<&str> = outcome.stdout.lines().skip(1).collect();
    assert_eq!(lines.len(), 2, "{}", outcome.stdout);
    assert!(lines[0].ends_with(",copy1,duplicate,7,n7,,,,none"));
    assert!(lines[1].ends_with(",copy1,duplicate,1900,n1900,,,,none"));
    assert_eq!(scene.receiver().count(), 0);
    let outcome = scene.cupid("reconcile").args("--dry-run --json").exits(1);
    let summary: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        (&summary["duplicateKeys"], &summary["agreedLater"]),
        (&2.into(), &0.into())
    );
}

#[test]
fn a_key_whose_rows_are_all_wrong_is_both_duplicate_and_different() {
    let scene = with_duplicates("7");
    scene
        .db
        .exec("UPDATE des.user SET name = 'x' WHERE number = 'n7'");
    let outcome = scene.cupid("reconcile").args("--report -").exits(1);
    assert_eq!(outcome.stdout.lines().count(), 3, "{}", outcome.stdout);
    assert!(outcome.stdout.contains(",duplicate,7,n7,,,,none"));
    assert!(outcome.stdout.contains(",different,7,n7,name,"));
    assert_eq!(scene.receiver().ids(), [7]);
}

#[test]
fn a_second_row_that_is_gone_at_the_second_look_is_no_duplicate() {
    let mut scene = with_duplicates("7");
    scene.config.set("/confirmDelayMillisecond", 1500);
    let audit = scene.cupid("reconcile").args("--report -").spawn();
    std::thread::sleep(std::time::Duration::from_millis(700));
    scene.db.exec("DELETE FROM des.user WHERE id > 2000");
    let outcome = audit.wait();
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 1));
}

#[test]
fn rows_that_only_the_copy_has_are_reported_when_asked_for_and_never_called_back() {
    let scene = Scene::in_sync(1..=3000);
    scene
        .db
        .exec("DELETE FROM src.user WHERE id IN (5, 2999, 3000)");
    scene.cupid("reconcile").exits(0).assert_silent();
    let outcome = scene.cupid("reconcile").args("--extra --report -").exits(1);
    let mut keys: Vec<&str> = outcome
        .stdout
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(
                (fields[3], fields[4], fields[6], fields[9]),
                ("extra", "", "", "none")
            );
            fields[5]
        })
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["n2999", "n3000", "n5"]);
    assert_eq!(scene.receiver().count(), 0);
}

#[test]
fn extra_rows_are_reported_beside_an_empty_source_and_by_an_audit_that_goes_on() {
    let scene = Scene::in_sync(1..=3);
    scene.db.exec("DELETE FROM src.user WHERE id = 2");
    let extra = |options: &str, code| {
        let outcome = scene.cupid("reconcile").args(options).exits(code);
        outcome.stdout.matches(",extra,").count()
    };
    scene.cupid("reconcile").exits(0);
    assert_eq!(
        extra("--resume --extra --report -", 1),
        1,
        "nothing is left but these"
    );
    scene.db.exec("DELETE FROM src.user");
    assert_eq!(extra("--extra --report -", 1), 3);
}

#[test]
fn a_key_that_only_the_copy_has_is_reported_once_however_many_rows_share_it() {
    // The second row of the key lies thousands of rows behind the first one.
    let scene = with_duplicates("1");
    scene.db.exec("DELETE FROM src.user WHERE id = 1");
    let outcome = scene.cupid("reconcile").args("--extra --report -").exits(1);
    let (lines, key) = (outcome.stdout.lines().skip(1), ",copy1,extra,,n1,");
    let lines: Vec<&str> = lines.filter(|line| line.contains(key)).collect();
    assert_eq!(lines.len(), 1, "{}", outcome.stdout);
}

#[test]
fn an_audit_whose_time_is_up_while_it_looks_for_extra_rows_stops_and_another_one_finds_them() {
    let scene = Scene::in_sync(1..=3000);
    scene
        .db
        .exec("DELETE FROM src.user WHERE id IN (5, 700, 1500, 2999)");
    // Reading takes 1.8 s at this rate, and reading again where something is missing one more.
    let outcome = scene
        .cupid("reconcile")
        .args("--extra --max-rate 1500 --for 2400ms --json")
        .exits(1);
    let summary: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(summary["interrupted"], true, "{summary}");
    let outcome = scene
        .cupid("reconcile")
        .args("--resume --extra --report -")
        .exits(1);
    assert_eq!(outcome.stdout.matches(",extra,").count(), 4);
}

#[test]
fn a_backlog_and_an_audit_are_read_no_faster_than_the_configuration_says() {
    let mut scene = Scene::in_sync(1..=1500);
    scene.config.set("/maxRowsPerSecond", 500);
    let duration_ms = |scene: &Scene, command: &str, args: &str| {
        let outcome = scene.cupid(command).args(args).exits(0);
        let summary: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(summary["compared"], 1500, "{summary}");
        summary["durationMs"].as_u64().unwrap()
    };
    // Three batches of 500 rows: each waits until the time of those before it is over.
    assert!(duration_ms(&scene, "run", "--json") >= 2000);
    let audit = "--json --method stream";
    assert!(duration_ms(&scene, "reconcile", audit) >= 2000);
    // What the command says goes first.
    scene.config.set("/maxRowsPerSecond", 1_000_000);
    let audit = format!("{audit} --max-rate 500");
    assert!(duration_ms(&scene, "reconcile", &audit) >= 2000);
}

#[test]
fn copies_without_a_row_that_memory_has_no_room_for_are_not_taken_for_looked_at() {
    let scene = Scene::in_sync(1..=25_000);
    let audit = || scene.cupid("reconcile").args("--from-id 25000 --extra");
    audit().exits(0).assert_silent();
    audit()
        .args("--memory 1M")
        .exits(1)
        .assert_says(&["did not fit in memory and were not checked", "--memory"]);
}

#[test]
fn who_asks_for_extra_rows_of_a_copy_that_cannot_be_read_from_end_to_end_is_told() {
    let scene = Scene::in_sync(1..=3);
    // The unique key of the user table would do.
    scene
        .db
        .exec("ALTER TABLE des.user DROP COLUMN id, DROP KEY number, ADD KEY (number)");
    scene.db.exec("DELETE FROM src.user WHERE id = 2");
    scene
        .cupid("reconcile")
        .arg("--extra")
        .exits(1)
        .assert_says(&["no primary key", "are not looked for"]);
    scene.cupid("reconcile").exits(0);
}
