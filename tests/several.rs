//! Several configurations in one process: none holds up another, and the worst exit status counts.

mod common;

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use common::{Answer, Cupid, Scene, wait_until};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(30);

/// A folder with the configurations of these scenes, each under a name of its own.
fn folder(scenes: &mut [(&str, Scene)]) -> TempDir {
    let folder = tempfile::tempdir().expect("Create a folder");
    for (name, scene) in scenes {
        scene.config.set("/name", *name);
        put(&folder, name, scene);
    }
    folder
}

fn put(folder: &TempDir, name: &str, scene: &Scene) {
    let to = folder.path().join(format!("{name}.json"));
    std::fs::copy(scene.config.path(), to).expect("Copy the configuration");
}

fn run(folder: &TempDir) -> Cupid {
    Cupid::of("run", folder.path())
}

#[test]
fn a_folder_is_passed_side_by_side_and_the_worst_exit_counts() {
    let mut scenes = [
        ("a", Scene::with_missing([1])),
        ("b", Scene::with_missing([2])),
    ];
    let folder = folder(&mut scenes);
    run(&folder).exits(0).assert_silent();
    let [(_, a), (_, b)] = &mut scenes;
    assert_eq!((a.receiver().ids(), b.receiver().ids()), (vec![1], vec![2]));

    a.db.add_users([3]);
    a.receiver().answer(|_| Answer::status(500));
    run(&folder).exits(1).assert_says(&[" a: ", "1 owed"]);

    std::fs::write(folder.path().join("c.json"), "{").expect("Write");
    run(&folder).exits(78).assert_says(&["c.json"]);

    let dsn = b.config.value["src"]["dsn"].as_str().unwrap_or_default();
    let port = format!("port={}", b.db.server.port);
    let nobody = dsn.replace(&port, "port=1");
    assert_ne!(nobody, dsn);
    b.config.set("/src/dsn", nobody);
    put(&folder, "b", b);
    let outcome = run(&folder).exits(2);
    outcome.assert_says(&["c.json", " b: ", "127.0.0.1:1"]);
}

#[test]
fn what_goes_with_one_configuration_alone_is_refused_for_several() {
    let mut scenes = [("a", Scene::in_sync([1])), ("b", Scene::in_sync([1]))];
    let folder = folder(&mut scenes);
    run(&folder)
        .args("--start-id 5")
        .exits(64)
        .assert_says(&["single configuration"]);
    run(&folder)
        .args("--report -")
        .exits(64)
        .assert_says(&["single configuration"]);
    let empty = tempfile::tempdir().expect("Create a folder");
    run(&empty)
        .exits(78)
        .assert_says(&["holds no configuration"]);
}

#[test]
fn json_is_one_line_for_each() {
    let mut scenes = [("a", Scene::in_sync([1])), ("b", Scene::in_sync([1]))];
    let folder = folder(&mut scenes);
    let outcome = run(&folder).arg("--json").exits(0);
    let mut names: Vec<String> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|summary| summary["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn one_that_is_refused_holds_up_no_other_and_a_reload_follows_the_folder() {
    let mut scenes = [
        ("a", Scene::with_missing([1])),
        ("c", Scene::with_missing([3])),
    ];
    let (a_file, folder);
    {
        let [(_, a), (_, c)] = &mut scenes;
        a.config.set("/name", "a");
        c.config.set("/name", "c");
        folder = tempfile::tempdir().expect("Create a folder");
        put(&folder, "a", a);
        std::fs::write(folder.path().join("b.json"), "{").expect("Write");
        a_file = folder.path().join("a.json");
    }
    let [(_, a), (_, c)] = &scenes;
    let running = run(&folder).args("--every 100ms").spawn();
    wait_until("the first callback", LIMIT, || a.receiver().ids() == [1]);
    put(&folder, "c", c);
    running.signal("USR1");
    wait_until("a callback of the new one", LIMIT, || {
        c.receiver().ids() == [3]
    });
    std::fs::remove_file(&a_file).expect("Remove a configuration");
    running.signal("USR1");
    let is_locked = || {
        let name = a.config.state_file("lock").with_file_name("a.lock");
        let file = std::fs::File::open(name).expect("The lock");
        file.try_lock().is_err()
    };
    wait_until("the removed one is let go", LIMIT, || !is_locked());
    c.db.add_users([4]);
    wait_until("the other goes on", LIMIT, || c.receiver().ids() == [3, 4]);
    running.signal("TERM");
    let outcome = running.wait();
    assert_eq!(outcome.code, Some(78), "{}", outcome.stderr);
    let told = outcome.stderr.lines().count();
    assert_eq!(told, 1, "b.json, once\n{}", outcome.stderr);
}

/// What systemd would hear.
fn heard(socket: &UnixDatagram) -> String {
    let (mut part, mut all) = ([0; 4096], String::new());
    while let Ok(length) = socket.recv(&mut part) {
        all += &String::from_utf8_lossy(&part[..length]);
        all += "\n";
    }
    all
}

#[test]
fn a_service_of_type_notify_says_when_it_is_ready_how_it_goes_and_that_it_lives() {
    let mut scenes = [("a", Scene::with_missing([1])), ("b", Scene::in_sync([2]))];
    scenes[0].1.receiver().answer(|_| Answer::status(500));
    let folder = folder(&mut scenes);
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("Listen");
    socket
        .set_read_timeout(Some(Duration::from_millis(100)))
        .expect("A limit");
    let running = run(&folder)
        .args("--every 200ms")
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "1000000")
        .spawn();
    let mut all = String::new();
    wait_until("ready", LIMIT, || {
        all += &heard(&socket);
        all.contains("READY=1")
    });
    wait_until("the status and the watchdog", LIMIT, || {
        all += &heard(&socket);
        let status = "STATUS=2 configurations: 1 with something owed or unread, 1 ok";
        all.contains(status) && all.contains("WATCHDOG=1")
    });
    running.signal("TERM");
    assert_eq!(running.wait().code, Some(1));
    assert_eq!(all.matches("READY=1").count(), 1, "{all}");
}
