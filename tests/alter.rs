//! Tables that change their shape: between two passes, and between reading the columns and using them.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Answer, Db, Scene, Server, wait_until};
use serde_json::{Value, json};

const AS_DATETIME: &str = "DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP";
const AS_TIMESTAMP: &str =
    "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP";

/// Five users in sync on a server of their own in this zone, whose update times are of this type.
fn users_in(zone: &str, update_time: &str) -> Scene {
    let db = Db::on(Server::private(), 1);
    db.exec(&format!("SET GLOBAL time_zone = '{zone}'"));
    db.reconnect();
    db.user_table();
    alter(&db, &format!("MODIFY update_time {update_time}"));
    let mut scene = users(db);
    scene.config.with_updates(1).set("/src/insert", false);
    scene.run(0).assert_silent();
    scene
}

fn users(db: Arc<Db>) -> Scene {
    db.add_users(1..=5);
    db.exec("UPDATE src.user SET update_time = NOW() - INTERVAL 1 HOUR");
    db.copy_users();
    let mut scene = Scene::bare(db);
    scene.config.set("/src/lateCommitSecond", 2);
    scene
}

fn alter(db: &Db, what: &str) {
    db.exec(&format!("ALTER TABLE src.user {what}"));
}

fn update(scene: &Scene, id: u64) {
    scene.db.exec(&format!(
        "UPDATE src.user SET name = 'new {id}' WHERE id = {id}"
    ));
    std::thread::sleep(Duration::from_millis(1100)); // The window ends at the column's last whole second.
}

#[test]
fn no_update_is_missed_when_the_update_column_changes_its_type() {
    for (before, after) in [(AS_TIMESTAMP, AS_DATETIME), (AS_DATETIME, AS_TIMESTAMP)] {
        let scene = users_in("+08:00", before);
        scene.repair();
        let run = scene.cupid("run").args("--every 100ms --for 6s").spawn();
        std::thread::sleep(Duration::from_millis(500));
        update(&scene, 2);
        alter(&scene.db, &format!("MODIFY update_time {after}"));
        update(&scene, 3);
        let limit = Duration::from_secs(20);
        wait_until("both are called back", limit, || {
            scene.receiver().ids().len() >= 2
        });
        let outcome = run.wait();
        assert_eq!(scene.receiver().ids(), [2, 3], "{after}: {outcome:?}");
        update(&scene, 4);
        scene.run(0);
        assert_eq!(
            scene.receiver().ids(),
            [2, 3, 4],
            "{after}, after a restart"
        );
    }
}

#[test]
fn no_update_is_missed_when_it_was_converted_in_another_zone_than_the_servers() {
    let scene = users_in("+08:00", AS_TIMESTAMP);
    scene.repair();
    update(&scene, 2); // No pass before the ALTER.
    let mut session = scene.db.session();
    let sql = scene.db.sql(&format!(
        "ALTER TABLE src.user MODIFY update_time {AS_DATETIME}"
    ));
    for sql in ["SET time_zone = '-10:00'".to_owned(), sql] {
        mysql::prelude::Queryable::query_drop(&mut session, sql).unwrap();
    }
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [2]);
    scene.run(0).assert_silent();
    assert_eq!(
        scene.receiver().ids(),
        [2],
        "the wide window is looked at once"
    );
}

#[test]
fn no_update_is_missed_when_the_servers_zone_changes() {
    let scene = users_in("+00:00", AS_DATETIME);
    update(&scene, 2);
    scene.db.exec("SET GLOBAL time_zone = '+08:00'");
    scene.db.reconnect();
    scene.run(0);
    update(&scene, 3);
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [2, 3]);
}

#[test]
fn columns_that_come_go_and_change_their_names_need_no_signal() {
    let mut scene = users(users_db());
    scene
        .db
        .exec("ALTER TABLE src.user ADD COLUMN note INT, ADD COLUMN extra INT");
    scene
        .config
        .set("/src/where", "name IS NOT NULL")
        .set("/des/0/where", "number <> ''");
    let run = scene.cupid("run").args("--every 100ms --for 5s").spawn();
    let limit = Duration::from_secs(20);
    let body_of = |id: u64| -> Value {
        scene.db.add_users([id]);
        wait_until("it is called back", limit, || {
            scene.receiver().ids().contains(&id)
        });
        let callbacks = scene.receiver().callbacks();
        let found = callbacks.iter().find(|callback| callback.id() == id);
        found.unwrap().body["srcColumn"].clone()
    };
    assert_eq!(body_of(6)["note"], Value::Null);
    alter(
        &scene.db,
        "DROP COLUMN note, CHANGE extra renamed INT, ADD COLUMN added INT DEFAULT 7 FIRST",
    );
    let body = body_of(7);
    assert_eq!((body.get("note"), body.get("extra")), (None, None));
    assert_eq!(
        (&body["added"], body.get("renamed")),
        (&json!(7), Some(&Value::Null))
    );
    scene.db.exec("DROP TABLE src.user");
    scene.db.exec("CREATE TABLE src.user (number VARCHAR(64) NOT NULL UNIQUE, id BIGINT PRIMARY KEY, name TEXT, avatar TEXT)");
    assert!(body_of(8).get("added").is_none());
    let outcome = run.wait();
    assert!(!outcome.stderr.contains("src.where"), "{outcome:?}");
}

fn users_db() -> Arc<Db> {
    let db = Db::new(1);
    db.user_table();
    db
}

#[test]
fn a_mapped_column_that_goes_is_refused_until_it_is_back() {
    let scene = users(users_db());
    scene.run(0).assert_silent();
    scene.repair();
    for (id, table) in [(6, "src.user"), (7, "des.user")] {
        let run = scene.cupid("run").args("--every 100ms --for 4s").spawn();
        std::thread::sleep(Duration::from_millis(400));
        let change = |from: &str, to: &str| {
            let sql = format!("ALTER TABLE {table} CHANGE {from} {to} VARCHAR(255)");
            scene.db.exec(&sql);
        };
        change("avatar", "portrait");
        let sql = format!("INSERT INTO src.user (id, number) VALUES ({id}, 'n{id}')");
        scene.db.exec(&sql);
        std::thread::sleep(Duration::from_millis(300));
        let before = scene.config.state_snapshot();
        std::thread::sleep(Duration::from_millis(800));
        assert_eq!(scene.config.state_snapshot(), before, "{table}");
        assert!(!scene.receiver().ids().contains(&id), "{table}");
        change("portrait", "avatar");
        let outcome = run.wait();
        assert_eq!(outcome.code, Some(0), "it goes on: {outcome:?}");
        outcome.assert_says(&["des[0].columns", "avatar", "portrait"]);
        assert!(scene.receiver().ids().contains(&id), "{table}");
    }
    scene.db.exec("ALTER TABLE src.user DROP COLUMN avatar");
    let before = scene.config.state_snapshot();
    scene.run(78).assert_says(&["des[0].columns", "avatar"]);
    assert_eq!(scene.config.state_snapshot(), before);
}

#[test]
fn a_compared_column_of_another_type_is_compared_by_it_from_the_next_pass_on() {
    let db = Db::new(1);
    for table in ["src.t", "des.t"] {
        db.exec(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, v VARCHAR(40))"
        ));
    }
    let mut scene = Scene::bare(db);
    for pointer in ["/src", "/des/0"] {
        scene
            .config
            .set(&format!("{pointer}/table"), "t")
            .set(&format!("{pointer}/byColumn"), "id");
    }
    scene.config.set("/des/0/columns", json!({"v": "v"}));
    let insert = |id: u32, source: &str, copy: &str| {
        scene
            .db
            .exec(&format!("INSERT INTO des.t VALUES ({id}, {copy})"));
        scene
            .db
            .exec(&format!("INSERT INTO src.t VALUES ({id}, {source})"));
        std::thread::sleep(Duration::from_millis(700));
    };
    let run = scene.cupid("run").args("--every 100ms --for 6s").spawn();
    insert(1, "'2024-01-01 00:00:00'", "'2024-01-01 00:00:00'");
    scene.db.exec("ALTER TABLE des.t MODIFY v DATETIME(3)");
    insert(2, "'2024-01-02 00:00:00'", "'2024-01-02'");
    scene.db.exec("ALTER TABLE src.t MODIFY v DATETIME");
    insert(3, "'2024-01-03'", "'2024-01-03 00:00:00.000'");
    for (table, column) in [("src.t", "VARCHAR(40)"), ("des.t", "DECIMAL(9,3)")] {
        scene.db.exec(&format!("DELETE FROM {table}"));
        scene
            .db
            .exec(&format!("ALTER TABLE {table} MODIFY v {column}"));
    }
    insert(4, "'1.20'", "1.2");
    let outcome = run.wait();
    assert_eq!(
        (outcome.code, scene.receiver().count()),
        (Some(0), 0),
        "{outcome:?}"
    );
}

/// A pass that reads the source's columns, is answered by the receiver, and only then looks at new ids: the ALTER comes
/// with the answer.
fn altered_within(statements: &'static [&'static str]) -> Scene {
    let scene = users(users_db());
    scene.run(0).assert_silent();
    scene
        .db
        .exec("UPDATE src.user SET update_time = NOW(), name = 'owed' WHERE id = 1");
    scene.db.add_users([6]);
    scene.receiver().answer(|_| Answer::status(503));
    scene.run(1);
    scene.receiver().take();
    scene.db.add_users([7]);
    let db = Arc::clone(&scene.db);
    scene.receiver().answer(move |callback| {
        if callback.id() == 6 {
            for statement in statements {
                db.exec(statement);
            }
        }
        Answer::ok()
    });
    scene
}

#[test]
fn an_alter_within_a_pass_stops_it_and_moves_nothing_past_it() {
    let cases: [&[&str]; 4] = [
        &["ALTER TABLE src.user MODIFY name DATETIME NULL DEFAULT NULL"],
        &["ALTER TABLE src.user MODIFY avatar VARBINARY(255)"],
        &["ALTER TABLE src.user MODIFY number BIGINT"],
        &["ALTER TABLE src.user CHANGE avatar portrait VARCHAR(255)"],
    ];
    for statements in cases {
        let scene = {
            let scene = altered_within(statements);
            scene
                .db
                .exec("UPDATE src.user SET name = NULL, number = id");
            scene
                .db
                .exec("UPDATE des.user SET name = NULL, number = id");
            scene
        };
        let outcome = scene.run(2);
        outcome.assert_says(&[
            "columns of",
            "changed while they were read",
            "the next pass",
        ]);
        let positions = scene.config.state_snapshot();
        let text = String::from_utf8_lossy(&positions[0].1);
        assert!(text.contains("\"nextId\":7"), "{statements:?}: {text}");
        assert_eq!(scene.receiver().ids(), [6], "{statements:?}");
    }
}

#[test]
fn a_column_that_is_dropped_within_a_pass_is_not_blamed_on_the_condition() {
    let mut scene = altered_within(&["ALTER TABLE src.user DROP COLUMN avatar"]);
    scene.config.set("/src/where", "id > 0");
    let outcome = scene.run(2);
    outcome.assert_says(&["columns of", "changed while they were read"]);
    assert!(!outcome.stderr.contains("src.where"), "{outcome:?}");
}

#[test]
fn the_bodies_of_a_pass_have_the_columns_that_there_are() {
    let mut scene = users(users_db());
    scene.config.set("/confirmDelayMillisecond", 1500);
    scene.db.add_users([6]);
    let run = scene.cupid("run").spawn();
    std::thread::sleep(Duration::from_millis(700));
    alter(&scene.db, "ADD COLUMN added INT DEFAULT 7");
    assert_eq!(run.wait().code, Some(2));
    assert_eq!(scene.receiver().count(), 0);
    scene.run(0);
    assert_eq!(scene.receiver().take()[0].body["srcColumn"]["added"], 7);
}

#[test]
fn a_copy_that_is_altered_within_a_pass_is_left_for_the_next_one() {
    let mut scene = users(users_db());
    scene.config.set("/confirmDelayMillisecond", 1500);
    scene.db.add_users([6]);
    let run = scene.cupid("run").spawn();
    std::thread::sleep(Duration::from_millis(700));
    scene
        .db
        .exec("ALTER TABLE des.user MODIFY avatar VARBINARY(255)");
    let outcome = run.wait();
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    outcome.assert_says(&["copy1", "changed while they were read"]);
    assert_eq!(scene.receiver().count(), 0);
    scene
        .db
        .exec("ALTER TABLE des.user MODIFY avatar VARCHAR(255)");
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [6]);
}

#[test]
fn an_audit_that_meets_an_alter_can_be_resumed() {
    let mut scene = users(users_db());
    scene.config.set("/confirmDelayMillisecond", 1500);
    scene
        .db
        .exec("UPDATE des.user SET name = 'wrong' WHERE id = 3");
    let audit = scene.cupid("reconcile").spawn();
    std::thread::sleep(Duration::from_millis(800));
    alter(&scene.db, "MODIFY name VARBINARY(64)");
    let outcome = audit.wait();
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    outcome.assert_says(&["changed while they were read"]);
    alter(&scene.db, "MODIFY name VARCHAR(64)");
    scene.cupid("reconcile").args("--resume").exits(1);
    assert_eq!(scene.receiver().ids(), [3]);
}

#[test]
fn a_view_that_is_defined_anew_is_read_anew() {
    let mut scene = users(users_db());
    scene
        .db
        .exec("CREATE VIEW src.v AS SELECT id, number, name, avatar, 1 AS one FROM src.user");
    scene.config.set("/src/table", "v");
    let run = scene.cupid("run").args("--every 100ms --for 3s").spawn();
    std::thread::sleep(Duration::from_millis(600));
    scene.db.exec(
        "CREATE OR REPLACE VIEW src.v AS SELECT CAST(id AS SIGNED) AS id, number, CONCAT(name, '') AS name, avatar, NULL AS none, \
         NOW() AS two FROM src.user",
    );
    scene.db.add_users([6]);
    let outcome = run.wait();
    assert_eq!(
        (outcome.code, scene.receiver().ids()),
        (Some(0), vec![6]),
        "{outcome:?}"
    );
    let body = &scene.receiver().take()[0].body["srcColumn"];
    assert!(body.get("one").is_none() && body["none"].is_null() && body["two"].is_string());
}
