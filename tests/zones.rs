//! Source, destination and client in different time zones. MySQL keeps a TIMESTAMP as an instant and shows it in the
//! zone of whoever asks; a DATETIME is what its server's clock showed.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Db, Scene, Server};
use serde_json::json;

/// Databases on a server of their own, in this zone.
fn in_zone(zone: &str) -> Arc<Db> {
    let db = Db::on(Server::private(), 1);
    db.exec(&format!("SET GLOBAL time_zone = '{zone}'"));
    db.reconnect();
    db
}

#[test]
fn an_update_is_found_whatever_the_zones_of_server_and_client() {
    let db = in_zone("+08:00");
    for column in ["DATETIME", "TIMESTAMP"] {
        let mut scene = Scene::bare(Arc::clone(&db));
        for name in ["src.user", "des.user"] {
            db.exec(&format!("DROP TABLE IF EXISTS {name}"));
        }
        db.user_table();
        db.exec(&format!(
            "ALTER TABLE src.user MODIFY update_time {column} NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"
        ));
        db.add_users(1..=5);
        db.exec("UPDATE src.user SET update_time = NOW() - INTERVAL 1 HOUR");
        db.copy_users();
        scene.config.with_updates(1).set("/src/insert", false);
        let run = || scene.cupid("run").env("TZ", "America/New_York").exits(0);
        run().assert_silent();
        db.exec("UPDATE src.user SET name = 'new' WHERE id = 4");
        std::thread::sleep(Duration::from_millis(1100));
        run();
        run();
        assert_eq!(scene.receiver().ids(), [4], "{column}");
    }
}

#[test]
fn instants_on_servers_of_different_zones_agree() {
    let (here, there) = (in_zone("+08:00"), in_zone("-05:00"));
    let mut scene = Scene::bare(Arc::clone(&here));
    for (db, table) in [(&here, "src.t"), (&there, "des.t")] {
        db.exec(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, v TIMESTAMP NULL)"
        ));
    }
    here.exec("INSERT INTO src.t VALUES (1, '2024-01-01 08:00:00'), (2, '2024-01-01 08:00:00'), (3, NULL)");
    there.exec("INSERT INTO des.t VALUES (1, '2023-12-31 19:00:00'), (2, '2024-01-01 08:00:00'), (3, NULL)");
    for pointer in ["/src", "/des/0"] {
        scene
            .config
            .set(&format!("{pointer}/table"), "t")
            .set(&format!("{pointer}/byColumn"), "id");
    }
    scene
        .config
        .set_place("/des/0", &there, &there.copies[0])
        .set("/des/0/columns", json!({"v": "v"}));
    for command in ["run", "reconcile"] {
        let outcome = scene
            .cupid(command)
            .args("--dry-run --report -")
            .env("TZ", "America/New_York")
            .run();
        let ids: Vec<&str> = outcome
            .stdout
            .lines()
            .skip(1)
            .filter_map(|line| line.split(',').nth(4))
            .collect();
        assert_eq!(ids, ["2"], "{command}: {outcome:?}");
    }
}
