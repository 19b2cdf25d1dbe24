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

/// A server in this zone; that of `CUPID_TEST_ZONED_DSN`, which may be changed, else a private one.
fn zoned(copies: usize, zone: &str) -> Arc<Db> {
    let server = Server::named_by("CUPID_TEST_ZONED_DSN").unwrap_or_else(Server::private);
    let db = Db::on(server, copies);
    db.exec(&format!("SET GLOBAL time_zone = '{zone}'"));
    db.reconnect();
    db
}

/// Conditions that hold for every row of this moment, and not in another zone.
const OF_THIS_MOMENT: [&str; 7] = [
    "c <= NOW() AND c > NOW() - INTERVAL 1 HOUR",
    "d = CURDATE()",
    "UNIX_TIMESTAMP(c) BETWEEN UNIX_TIMESTAMP() - 3600 AND UNIX_TIMESTAMP()",
    "t <= NOW() AND HOUR(t) = HOUR(c)",
    "DATE_FORMAT(t, '%Y-%m-%d %H') = DATE_FORMAT(c, '%Y-%m-%d %H')",
    "t > '2020-01-01 07:59:59' AND first = '2020-01-01 08:00:00'",
    "\"c\" <= NOW() AND a || b = 'ab'",
];

#[test]
fn a_condition_selects_what_it_selects_in_the_operators_own_client() {
    let db = zoned(1, "+08:00");
    db.exec("SET GLOBAL sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'");
    for (update_column, conditions) in [("t", &OF_THIS_MOMENT[..]), ("c", &OF_THIS_MOMENT[..1])] {
        for condition in conditions {
            let mut scene = Scene::bare(Arc::clone(&db));
            for table in ["src.t", "des.t"] {
                db.exec(&format!("DROP TABLE IF EXISTS {table}"));
                db.exec(&format!(
                    "CREATE TABLE {table} (id INT PRIMARY KEY, a CHAR(1) DEFAULT 'a', b CHAR(1) DEFAULT 'b', v INT, \
                     first TIMESTAMP NOT NULL DEFAULT '2020-01-01 08:00:00', d DATE, \
                     c DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (c), \
                     t TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (t))"
                ));
            }
            for place in ["/src", "/des/0"] {
                scene
                    .config
                    .set(&format!("{place}/table"), "t")
                    .set(&format!("{place}/byColumn"), "id")
                    .set(&format!("{place}/where"), *condition);
            }
            scene
                .config
                .with_updates(1)
                .set("/src/updateColumn", update_column)
                .set(
                    "/des/0/columns",
                    json!({"v": "v", "t": "t", "first": "first"}),
                );
            let insert = "INSERT INTO src.t (id, v, d) VALUES (1, 1, CURDATE()), (2, 2, CURDATE()), (3, 3, CURDATE())";
            db.exec(insert);
            // In neither table, and behind the checkpoint.
            db.exec("UPDATE src.t SET c = NOW() + INTERVAL 3 DAY, d = '2021-01-01', t = NOW() + INTERVAL 3 DAY + INTERVAL 2 HOUR, \
                     first = '2020-01-01 00:00:00', a = 'x' WHERE id = 3");
            let what = format!("{condition}, by {update_column}");
            scene.run(0);
            assert_eq!(scene.receiver().ids(), [1, 2], "{what}");
            assert_eq!(
                scene.receiver().callbacks()[0].body["srcColumn"]["first"],
                "2020-01-01 08:00:00",
                "{what}"
            );
            db.exec("INSERT INTO des.t SELECT * FROM src.t WHERE id < 3");
            for command in [
                "run",
                "reconcile --method stream",
                "reconcile --method checksum",
            ] {
                let (command, args) = command.split_once(' ').unwrap_or((command, ""));
                scene.cupid(command).args(args).exits(0);
            }
            scene.receiver().take();
            std::thread::sleep(Duration::from_millis(1100));
            db.exec("UPDATE src.t SET v = 20 WHERE id = 2");
            scene.run(0);
            assert_eq!(scene.receiver().ids(), [2], "{what}");
        }
    }
    db.exec("SET GLOBAL sql_mode = DEFAULT");
}

/// A zone whose clocks went back by an hour some minutes ago, from two hours east of UTC to one. Returns the moment.
fn clocks_went_back(db: &Db, minutes_ago: i64) -> i64 {
    let moment: Vec<i64> = db.query(&format!("SELECT UNIX_TIMESTAMP() - {minutes_ago} * 60"));
    let moment = moment[0];
    for sql in [
        "INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (9007, 'N')".to_owned(),
        format!("INSERT INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('Cupid/{moment}', 9007)"),
        "INSERT INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, `Offset`, Is_DST, Abbreviation) \
         VALUES (9007, 0, 7200, 1, 'S'), (9007, 1, 3600, 0, 'W')".to_owned(),
        format!("INSERT INTO mysql.time_zone_transition (Time_zone_id, Transition_time, Transition_type_id) \
                 VALUES (9007, 0, 0), (9007, {moment}, 1)"),
        format!("SET GLOBAL time_zone = 'Cupid/{moment}'"),
    ] {
        db.exec(&sql);
    }
    db.reconnect();
    moment
}

fn forget_zone(db: &Db) {
    db.exec("SET GLOBAL time_zone = SYSTEM");
    for table in [
        "time_zone",
        "time_zone_name",
        "time_zone_transition_type",
        "time_zone_transition",
    ] {
        db.exec(&format!(
            "DELETE FROM mysql.{table} WHERE Time_zone_id = 9007"
        ));
    }
}

#[test]
fn instants_stay_apart_in_the_hour_that_comes_twice() {
    let db = zoned(1, "SYSTEM");
    let moment = clocks_went_back(&db, 10);
    let mut scene = Scene::bare(Arc::clone(&db));
    for table in ["src.t", "des.t"] {
        db.exec(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, v INT, t TIMESTAMP(3) NULL, \
             u TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (u))"
        ));
    }
    for place in ["/src", "/des/0"] {
        scene
            .config
            .set(&format!("{place}/table"), "t")
            .set(&format!("{place}/byColumn"), "id")
            .set(
                &format!("{place}/where"),
                "u <= NOW() + INTERVAL 1 SECOND OR v > 0",
            );
    }
    scene
        .config
        .with_updates(1)
        .set("/src/updateColumn", "u")
        .set("/des/0/columns", json!({"v": "v", "t": "t"}));
    // Half an hour before and after: the server prints the same local time for both.
    db.exec("SET time_zone = '+00:00'");
    let insert = |table: &str, id: u64, instant: String| {
        db.exec(&format!(
            "INSERT INTO {table} (id, v, t) VALUES ({id}, 1, {instant})"
        ));
    };
    let instant = |minutes: i64| format!("FROM_UNIXTIME({}.25)", moment + minutes * 60);
    for (id, source, copy) in [(1, -30, -30), (2, -30, 30), (3, 30, -30), (4, 30, 30)] {
        insert("src.t", id, instant(source));
        insert("des.t", id, instant(copy));
    }
    insert("src.t", 5, "'0000-00-00'".into());
    insert("des.t", 5, "'0000-00-00'".into());
    let changed = [2, 3];
    for command in [
        "run",
        "reconcile --method stream",
        "reconcile --method checksum",
    ] {
        let (command, args) = command.split_once(' ').unwrap_or((command, ""));
        let code = i32::from(command == "reconcile");
        scene.cupid(command).args(args).exits(code);
        let mut ids = scene.receiver().ids();
        ids.sort_unstable();
        assert_eq!(ids, changed, "{command} {args}");
        scene.receiver().take();
    }
    // Updates of now, and late ones of the other hour.
    std::thread::sleep(Duration::from_millis(1100));
    scene.run(0);
    scene.receiver().take();
    db.exec("UPDATE src.t SET v = 2 WHERE id = 4");
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [4]);
    forget_zone(&db);
}
