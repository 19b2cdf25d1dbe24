//! State knows whose it is: two configurations of one name never take each other's state, and a configuration finds its own
//! again, wherever its file is.

mod common;

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Answer, Cupid, Outcome, Scene, findings, wait_until};
use serde_json::{Value, json};

/// Pair source tables with one copy each, configured in files of one name, which share a state folder.
struct Pair {
    scene: Scene,
    one: PathBuf,
    two: PathBuf,
}

impl Pair {
    /// Users 1 to 3 are missing, members 1 to 5.
    fn new(one: &str, two: &str) -> Self {
        let mut scene = Scene::with_missing(1..=3);
        scene.config.remove("/name");
        scene.db.exec("CREATE TABLE src.member LIKE src.user");
        scene.db.exec("CREATE TABLE des.member LIKE des.user");
        scene.db.exec("INSERT INTO src.member (id, number) VALUES (1, 'm1'), (2, 'm2'), (3, 'm3'), (4, 'm4'), (5, 'm5')");
        let one = put(&scene, one, &scene.config.value);
        let mut member = scene.config.value.clone();
        member["src"]["table"] = json!("member");
        member["des"][0]["table"] = json!("member");
        let two = put(&scene, two, &member);
        Self { scene, one, two }
    }

    fn state_files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.scene.config.state())
            .expect("List the state folder")
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[track_caller]
    fn refuses(&self, outcome: &Outcome) {
        outcome.assert_says(&[
            "another configuration (",
            self.one.to_str().unwrap(),
            "give this one a \"name\" of its own",
        ]);
    }
}

fn put(scene: &Scene, file: &str, value: &Value) -> PathBuf {
    let path = scene.config.folder().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).expect("Create a folder");
    std::fs::write(&path, value.to_string()).expect("Write a configuration");
    path
}

fn run(path: &Path, code: i32) -> Outcome {
    Cupid::of("run", path).exits(code)
}

#[test]
fn a_second_configuration_of_the_same_name_is_refused_by_every_command() {
    let two = Pair::new("one/user.json", "two/user.json");
    run(&two.one, 0);
    two.scene.receiver().take();
    let before = two.scene.config.state_snapshot();
    for args in [
        "run",
        "run --dry-run",
        "retry",
        "start",
        "status",
        "reconcile",
        "reconcile --dry-run",
    ] {
        let (command, rest) = args.split_once(' ').unwrap_or((args, ""));
        let outcome = Cupid::of(command, &two.two).args(rest).exits(78);
        two.refuses(&outcome);
    }
    let check = Cupid::of("check", &two.two).arg("--json").exits(78);
    let found = findings(&check.stdout, "error: name: another configuration (");
    assert!(
        found.len() == 1 && !check.stdout.contains("damaged"),
        "{check:?}"
    );
    assert!(
        two.scene.config.state_snapshot() == before,
        "nothing is touched"
    );
    assert_eq!(two.scene.receiver().count(), 0);
    let mut named: Value = serde_json::from_slice(&std::fs::read(&two.two).unwrap()).unwrap();
    named["name"] = json!("member");
    run(&put(&two.scene, "two/user.json", &named), 0);
    assert_eq!(two.scene.receiver().ids(), [1, 2, 3, 4, 5]);
}

#[test]
fn names_in_any_script_are_names_of_their_own() {
    let two = Pair::new("用户.json", "会员.json");
    run(&two.one, 0);
    run(&two.two, 0);
    assert_eq!(two.scene.receiver().ids(), [1, 1, 2, 2, 3, 3, 4, 5]);
    let files = two.state_files();
    assert!(
        files.contains(&"用户.checkpoint.json".to_owned()),
        "{files:?}"
    );
    assert!(
        files.contains(&"会员.checkpoint.json".to_owned()),
        "{files:?}"
    );
    // The same letters, decomposed as another system writes them.
    let (composed, decomposed) = ("Z\u{fc}rich.json", "Zu\u{308}rich.json");
    let path = put(&two.scene, composed, &two.scene.config.value);
    run(&path, 0);
    two.scene.receiver().take();
    let moved = path.with_file_name(decomposed);
    std::fs::rename(&path, &moved).unwrap();
    run(&moved, 0);
    assert_eq!(two.scene.receiver().count(), 0);
}

#[test]
fn a_configuration_that_moved_keeps_its_state() {
    let two = Pair::new("one/user.json", "two/user.json");
    run(&two.one, 0);
    let moved = two.scene.config.folder().join("three/user.json");
    std::fs::create_dir(moved.parent().unwrap()).unwrap();
    std::fs::rename(&two.one, &moved).unwrap();
    let status = Cupid::of("status", &moved).exits(0);
    assert!(
        status.stdout.contains("one/user.json, which is gone"),
        "{}",
        status.stdout
    );
    let outcome = Cupid::of("run", &moved).arg("-v").exits(0);
    outcome.assert_says(&["one/user.json is gone", "three/user.json's from now on"]);
    assert_eq!(two.scene.receiver().ids(), [1, 2, 3]);
    // Another one at the old place is another one.
    std::fs::rename(&two.two, &two.one).unwrap();
    run(&two.one, 78).assert_says(&["three/user.json", "give this one a \"name\""]);
    assert!(!Cupid::of("status", &moved).exits(0).stdout.contains("gone"));
}

#[test]
fn links_and_relative_paths_lead_to_the_same_configuration() {
    let two = Pair::new("one/user.json", "two/user.json");
    let folder = two.scene.config.folder();
    std::fs::create_dir(folder.join("links")).unwrap();
    std::os::unix::fs::symlink(&two.one, folder.join("links/user.json")).unwrap();
    std::os::unix::fs::symlink(folder.join("one"), folder.join("current")).unwrap();
    std::fs::create_dir(folder.join("hard")).unwrap();
    std::fs::hard_link(&two.one, folder.join("hard/user.json")).unwrap();
    run(&two.one, 0);
    for path in [
        "links/user.json",
        "current/user.json",
        "hard/user.json",
        "one/../one/user.json",
    ] {
        run(&folder.join(path), 0);
    }
    let script = format!("cd '{}' && exec \"$@\"", folder.join("one").display());
    Cupid::under(&["sh", "-c", &script, "sh"], ["run", "user.json"]).exits(0);
    assert_eq!(two.scene.receiver().ids(), [1, 2, 3]);
    // A release that is replaced by the next one: the link is the same, the old file is still there.
    run(&folder.join("current/user.json"), 0);
    let mut next = two.scene.config.value.clone();
    next["confirmDelayMillisecond"] = json!(51);
    put(&two.scene, "release2/user.json", &next);
    std::fs::remove_file(folder.join("current")).unwrap();
    std::os::unix::fs::symlink(folder.join("release2"), folder.join("current")).unwrap();
    run(&folder.join("current/user.json"), 0);
    assert_eq!(two.scene.receiver().ids(), [1, 2, 3]);
}

#[test]
fn a_first_run_that_came_to_no_checkpoint_owns_the_name() {
    let two = Pair::new("one/user.json", "two/user.json");
    let mut unreachable: Value = two.scene.config.value.clone();
    unreachable["src"]["dsn"] = json!("mysql:host=127.0.0.1;port=1;dbname=x");
    put(&two.scene, "one/user.json", &unreachable);
    run(&two.one, 2);
    assert_eq!(two.state_files(), ["user.lock", "user.stats.json"]);
    two.refuses(&run(&two.two, 78));
    std::fs::remove_file(&two.one).unwrap();
    run(&two.two, 0);
}

#[test]
fn a_power_cut_that_loses_the_lock_file_loses_no_owner() {
    let two = Pair::new("one/user.json", "two/user.json");
    run(&two.one, 0);
    let lock = two.scene.config.state().join("user.lock");
    for lost in ["", "\0\0\0\0", "{\"conf"] {
        std::fs::write(&lock, lost).unwrap();
        two.refuses(&run(&two.two, 78));
    }
    std::fs::remove_file(&lock).unwrap();
    two.refuses(&run(&two.two, 78));
    run(&two.one, 0);
}

#[test]
fn a_lock_that_another_configuration_holds_is_said() {
    let two = Pair::new("one/user.json", "two/user.json");
    let mut running = Cupid::of("run", &two.one).args("--every 1s").spawn();
    wait_until("the first one works", Duration::from_secs(20), || {
        !two.scene.receiver().ids().is_empty()
    });
    two.refuses(&run(&two.two, 78));
    two.refuses(&Cupid::of("retry", &two.two).exits(78));
    run(&two.one, 75).assert_silent();
    assert!(running.is_running());
    running.kill();
}

#[test]
fn of_two_that_start_at_once_one_is_refused() {
    for _ in 0..10 {
        let two = Pair::new("one/user.json", "two/user.json");
        let started = [&two.one, &two.two].map(|path| Cupid::of("run", path).spawn());
        let mut codes = started.map(|run| run.wait().code.unwrap());
        codes.sort_unstable();
        assert_eq!(codes, [0, 78]);
        let ids = two.scene.receiver().ids();
        assert!(ids == [1, 2, 3] || ids == [1, 2, 3, 4, 5], "{ids:?}");
    }
}

#[test]
fn what_an_audit_of_another_configuration_left_owed_is_not_taken() {
    let two = Pair::new("one/user.json", "two/user.json");
    two.scene.receiver().answer(|_| Answer::status(500));
    Cupid::of("reconcile", &two.one).exits(1);
    let before = two.scene.config.state_snapshot();
    two.scene.receiver().answer(|_| Answer::ok());
    two.refuses(&run(&two.two, 78));
    two.refuses(&Cupid::of("reconcile", &two.two).exits(78));
    let after = two.scene.config.state_snapshot();
    assert!(after == before, "{after:?}");
    two.scene.receiver().take();
    Cupid::of("retry", &two.one).exits(0);
    assert_eq!(two.scene.receiver().ids(), [1, 2, 3]);
}

#[test]
fn a_dry_run_takes_nothing_for_its_own() {
    let two = Pair::new("one/user.json", "two/user.json");
    Cupid::of("run", &two.one).arg("--dry-run").exits(1);
    Cupid::of("status", &two.one).run();
    Cupid::of("check", &two.one).run();
    assert_eq!(two.state_files(), Vec::<String>::new());
    run(&two.two, 0);
}

#[test]
fn another_table_in_the_same_file_is_refused_with_a_way_out() {
    let mut scene = Scene::in_sync(1..=3);
    scene.run(0);
    scene.db.exec("CREATE TABLE src.other LIKE src.user");
    scene.config.set("/src/table", "other");
    scene
        .run(2)
        .assert_says(&["src.user", "a \"name\" of its own", "move the file away"]);
}

/// State of the version before: under the old name, without an owner.
fn make_old(two: &Pair, name: &str) {
    let state = two.scene.config.state();
    for (now, extension, key) in [
        ("checkpoint.json", "checkpoint.json", "config"),
        ("owed.jsonl", "failed.jsonl", "address"),
    ] {
        let from = state.join(format!("{name}.{now}"));
        let text = std::fs::read_to_string(&from).unwrap();
        let lines = text.lines().map(|line| {
            let mut value: Value = serde_json::from_str(line).unwrap();
            let object = value.as_object_mut().unwrap();
            object.remove(key).expect(key);
            object.remove("destinations");
            object.remove("sourceServer");
            value["version"] = json!(1);
            value.to_string() + "\n"
        });
        std::fs::write(
            state.join(format!("__.{extension}")),
            lines.collect::<String>(),
        )
        .unwrap();
        std::fs::remove_file(from).unwrap();
    }
    std::fs::remove_file(state.join(format!("{name}.lock"))).unwrap();
}

#[test]
fn state_under_the_name_of_earlier_versions_is_taken_over_by_the_configuration_it_belongs_to() {
    let two = Pair::new("用户.json", "会员.json");
    two.scene.receiver().answer(|_| Answer::status(500));
    run(&two.one, 1);
    make_old(&two, "用户");
    two.scene.receiver().take();
    // Nobody takes it who only looks.
    let status = Cupid::of("status", &two.one).exits(1);
    let is_owed = |line: &str| line.split_whitespace().skip(1).take(2).eq(["OWED", "3"]);
    assert!(status.stdout.lines().any(is_owed), "{}", status.stdout);
    let before = two.state_files();
    Cupid::of("run", &two.one).arg("--dry-run").exits(1);
    assert_eq!(two.state_files(), before);
    // It is not the other one's, which begins anew.
    two.scene.receiver().answer(|_| Answer::ok());
    run(&two.two, 0);
    assert_eq!(two.scene.receiver().ids(), [1, 2, 3, 4, 5]);
    two.scene.receiver().take();
    run(&two.one, 0).assert_says(&["\"__\"", "called \"用户\" from now on"]);
    assert_eq!(two.scene.receiver().ids(), [1, 2, 3], "what was owed");
    run(&two.one, 0).assert_silent();
    let files = two.state_files();
    assert!(
        !files.contains(&"__.checkpoint.json".to_owned()),
        "{files:?}"
    );
    let left = |file: &String| file.contains("failed") || file.starts_with("__.owed");
    assert!(!files.iter().any(left), "{files:?}");
}
