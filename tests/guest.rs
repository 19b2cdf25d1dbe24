//! `maxThreadsRunning` and `maxLagSecond`: servers that others use too are spared.

mod common;

use std::thread::JoinHandle;

use common::{Scene, wait_until};
use mysql::prelude::Queryable as _;
use serde_json::Value;

/// Keeps a thread of the server running until it is dropped.
struct Busy(u32, JoinHandle<()>);

impl Busy {
    fn on(scene: &Scene) -> Self {
        let mut session = scene.db.session();
        let id = session.connection_id();
        let thread = std::thread::spawn(move || {
            let _ = session.query_drop("SELECT SLEEP(600)"); // It is killed.
        });
        let sql = format!(
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {id} AND INFO LIKE '%SLEEP%'"
        );
        wait_until(
            "the server is busy",
            std::time::Duration::from_secs(30),
            || scene.db.query::<u64>(&sql) == [1],
        );
        Self(id, thread)
    }

    fn end(self, scene: &Scene) {
        scene.db.exec(&format!("KILL {}", self.0));
        self.1.join().expect("The session ends");
    }
}

fn json_of(scene: &Scene, command: &str, args: &str, code: i32) -> Value {
    let outcome = scene.cupid(command).args(args).exits(code);
    serde_json::from_str(&outcome.stdout).expect("JSON")
}

#[test]
fn a_backlog_waits_for_a_loaded_server_and_every_pass_gets_on() {
    let mut scene = Scene::in_sync(1..=1000);
    scene.config.set("/maxThreadsRunning", 1);
    let busy = Busy::on(&scene);
    let first = json_of(&scene, "run", "--json", 1);
    assert_eq!(first["paused"], true, "{first}");
    let compared = first["compared"].as_u64().expect("A number");
    assert!((1..1000).contains(&compared), "{first}");
    let second = json_of(&scene, "run", "--json", 1);
    let next = |summary: &Value| summary["perDestination"][0]["nextId"].as_u64();
    assert!(next(&second) > next(&first), "{first} {second}");
    let status = scene.cupid("status").exits(1);
    let reason = "maxThreadsRunning is reached";
    for word in ["PAUSED", reason] {
        assert!(status.stdout.contains(word), "{}", status.stdout);
    }
    busy.end(&scene);
    scene.config.set("/maxThreadsRunning", 100_000);
    let last = json_of(&scene, "run", "--json", 0);
    assert_eq!(last["paused"], false, "{last}");
    assert_eq!(next(&last), Some(1001), "{last}");
}

#[test]
fn what_is_owed_is_delivered_while_the_scan_is_paused() {
    let mut scene = Scene::with_missing(1..=600);
    scene.config.set("/maxThreadsRunning", 1);
    let busy = Busy::on(&scene);
    scene.run(1);
    let delivered = scene.receiver().count();
    assert!((1..600).contains(&delivered), "{delivered}");
    assert!(scene.config.owed().is_empty());
    busy.end(&scene);
}

#[test]
fn an_audit_waits_for_a_loaded_server() {
    let mut scene = Scene::in_sync(1..=1000);
    scene.config.set("/maxThreadsRunning", 1);
    let busy = Busy::on(&scene);
    let outcome = scene
        .cupid("reconcile")
        .args("--dry-run --method stream --for 2s -v --json")
        .exits(1);
    outcome.assert_says(&["the audit waits: more threads are running than maxThreadsRunning says"]);
    let summary: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(summary["interrupted"], true, "{summary}");
    busy.end(&scene);
    scene.config.set("/maxThreadsRunning", 100_000);
    scene
        .cupid("reconcile")
        .args("--dry-run --method stream")
        .exits(0)
        .assert_silent();
}

#[test]
fn a_lag_that_nobody_may_ask_for_is_told_with_the_grant_and_stops_nothing() {
    let mut scene = Scene::in_sync(1..=1000);
    scene.config.set("/maxLagSecond", 5);
    let outcome = scene.cupid("run").args("--json").exits(0);
    outcome
        .assert_says(&["source: its server is not spared, because nobody knows how loaded it is"]);
    let findings = json_of(&scene, "check", "--json", 1);
    let of_lag = |findings: &Value| -> Vec<Value> {
        let all = findings.as_array().expect("A list").iter();
        all.filter(|it| it["key"] == "maxLagSecond")
            .cloned()
            .collect()
    };
    let found = of_lag(&findings);
    assert_eq!(found[0]["level"], "warning", "{findings}");
    let grant = found[0]["remedy"][0].as_str().expect("A statement");
    scene.db.exec(grant);
    let found = of_lag(&json_of(&scene, "check", "--json", 0));
    assert_eq!(found[0]["level"], "note", "{found:?}");
    scene.config.forget();
    scene.run(0).assert_silent();
}

#[test]
fn a_pass_without_a_backlog_asks_nothing_more() {
    let mut scene = Scene::in_sync(1..=50);
    scene
        .config
        .set("/maxThreadsRunning", 1)
        .set("/maxLagSecond", 5);
    let busy = Busy::on(&scene);
    scene.run(0).assert_silent();
    busy.end(&scene);
}
