//! Configurations that share a file by `extends`: in a folder, over a reload, and with the state
//! that they have.

mod common;

use std::path::PathBuf;
use std::time::Duration;

use common::{Config, Cupid, Scene, wait_until};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(30);

/// Moves keys of a scene's configuration into `common.json` beside it.
fn share(config: &mut Config, keys: &[&str]) -> PathBuf {
    let mut common = json!({});
    for key in keys {
        let (of, name) = key.rsplit_once('/').expect("A pointer");
        let value = config.value.pointer(key).expect("A key").clone();
        if of.is_empty() {
            common[name] = value;
        } else {
            common[&of[1..]][name] = value;
        }
        config.remove(key);
    }
    config.set("/extends", "common.json");
    let path = config.path().with_file_name("common.json");
    std::fs::write(&path, common.to_string()).expect("Write the common file");
    path
}

#[test]
fn a_folder_and_a_shells_list_of_it_leave_the_shared_file_out() {
    let mut scene = Scene::with_missing([1]);
    let config = scene.config.path();
    let common = share(
        &mut scene.config,
        &["/src/dsn", "/src/user", "/src/password"],
    );
    let _ = scene.config.path();
    Cupid::of("check", &common).exits(78);
    for named in [
        vec![config.parent().unwrap().to_owned()],
        vec![common, config],
    ] {
        let mut status = Cupid::of("status", &named[0]);
        for path in &named[1..] {
            status = status.arg(path);
        }
        let stdout = status.run().stdout;
        assert!(
            stdout.contains("NEW") && !stdout.contains("CONFIG"),
            "{stdout}"
        );
    }
    let folder = scene.config.path().parent().unwrap().to_owned();
    Cupid::of("run", &folder).exits(0);
    assert_eq!(scene.receiver().ids(), [1]);
}

#[test]
fn state_stays_when_keys_move_into_a_shared_file() {
    let mut scene = Scene::with_missing([1]);
    scene.run(0);
    share(
        &mut scene.config,
        &["/src/dsn", "/src/user", "/src/password", "/src/insert"],
    );
    scene.db.add_users([2]);
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [1, 2]);
}

#[test]
fn a_reload_reads_the_shared_file_too_and_a_broken_one_leaves_the_old_in_force() {
    let mut scene = Scene::with_missing([1]);
    let logs = scene.config.folder().join("logs");
    std::fs::create_dir(&logs).expect("Create a folder");
    scene.config.set("/logDir", logs.to_str());
    let common = share(
        &mut scene.config,
        &["/src/insert", "/src/user", "/src/password"],
    );
    let text = std::fs::read_to_string(&common).expect("Read the common file");
    let running = scene.cupid("run").args("--every 100ms").spawn();
    wait_until("the first callback", LIMIT, || {
        scene.receiver().ids() == [1]
    });
    let reload = |content: &str, word: &str| {
        std::fs::write(&common, content).expect("Write the common file");
        running.signal("USR1");
        wait_until(word, LIMIT, || {
            let log = std::fs::read_to_string(logs.join("cupid-test.log"));
            log.is_ok_and(|log| log.contains(word))
        });
    };
    reload("{", "common.json: Is not valid JSON");
    let unknown = text.replacen('{', r#"{"src_": 1,"#, 1);
    reload(&unknown, "src_: is no key of cupid");
    scene.db.add_users([2]);
    wait_until("the old stays in force", LIMIT, || {
        scene.receiver().ids() == [1, 2]
    });
    let condition = text.replacen("\"insert\"", "\"where\": \"id > 3\", \"insert\"", 1);
    reload(&condition, "is read again");
    scene.db.add_users([3, 4]);
    wait_until("the new condition", LIMIT, || {
        scene.receiver().ids() == [1, 2, 4]
    });
    running.signal("TERM");
    let outcome = running.wait();
    assert_eq!(scene.receiver().ids(), [1, 2, 4], "{}", outcome.stderr);
}
