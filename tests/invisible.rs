//! Columns that `SELECT *` leaves out are columns like the others: as id, key, update time, compared cell and in a body.

mod common;

use std::sync::Arc;

use common::{Db, Scene};
use serde_json::json;

/// Id, key, update time and compared columns are hidden, and some are generated.
const HIDDEN: &str = "(`no` BIGINT NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY,
     code VARCHAR(20) NOT NULL DEFAULT '' INVISIBLE UNIQUE, v INT, w INT INVISIBLE,
     twice INT AS (w * 2) VIRTUAL INVISIBLE, thrice INT AS (w * 3) STORED,
     seen DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP INVISIBLE, KEY (seen))";

/// Source and copy hold five equal rows, found by hidden columns only.
fn hidden() -> Scene {
    let db = Db::new(1);
    for table in ["src.h", "des.h"] {
        db.exec(&format!("CREATE TABLE {table} {HIDDEN}"));
        let rows: Vec<String> = (1..=5).map(|n| format!("({n},'c{n}',{n},{n})")).collect();
        let rows = rows.join(",");
        db.exec(&format!(
            "INSERT INTO {table} (`no`, code, v, w) VALUES {rows}"
        ));
    }
    of_table(db, "h", "no", "code")
}

fn of_table(db: Arc<Db>, table: &str, id: &str, key: &str) -> Scene {
    let mut scene = Scene::bare(db);
    for pointer in ["/src", "/des/0"] {
        scene
            .config
            .set(&format!("{pointer}/table"), table)
            .set(&format!("{pointer}/byColumn"), key);
    }
    scene.config.set("/src/idColumn", id).set(
        "/des/0/columns",
        json!({"v": "v", "w": "w", "twice": "twice"}),
    );
    scene
}

/// The body has these columns in this order.
#[track_caller]
fn assert_columns(callback: &common::Callback, names: &[&str]) {
    let row = callback.body["srcColumn"].as_object().unwrap();
    assert_eq!(row.len(), names.len(), "{}", callback.text);
    let places: Vec<_> = names
        .iter()
        .map(|name| callback.text.find(&format!("\"{name}\":")))
        .collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{}",
        callback.text
    );
}

#[test]
fn an_invisible_column_is_id_key_update_time_and_compared() {
    let mut scene = hidden();
    scene
        .config
        .set("/src/update", true)
        .set("/src/updateColumn", "seen")
        .set("/src/updateScanSecond", 5);
    scene.run(0).assert_silent();
    scene
        .db
        .exec("INSERT INTO src.h (code, v, w) VALUES ('c6', 6, 6)");
    scene.db.exec("UPDATE src.h SET w = 40 WHERE `no` = 4");
    scene.run(0);
    let callbacks = scene.receiver().callbacks();
    let body = |code: &str| {
        let of_row = |callback: &&common::Callback| callback.body["srcColumn"]["code"] == code;
        callbacks
            .iter()
            .find(of_row)
            .expect("It is called back")
            .clone()
    };
    assert_eq!(callbacks.len(), 2);
    let changed = body("c4");
    assert_columns(
        &changed,
        &["no", "code", "v", "w", "twice", "thrice", "seen"],
    );
    let row = &changed.body["srcColumn"];
    assert_eq!(
        (&row["no"], &row["twice"], &row["thrice"]),
        (&json!(4), &json!(80), &json!(120))
    );
    assert_eq!(body("c6").kind(), 1);
}

#[test]
fn audits_read_a_copy_by_its_invisible_key_and_find_what_only_it_has() {
    let scene = hidden();
    scene.db.exec("UPDATE des.h SET w = 0 WHERE `no` = 2");
    scene
        .db
        .exec("INSERT INTO des.h (code, v, w) VALUES ('gone', 9, 9)");
    scene.db.exec("DELETE FROM des.h WHERE `no` = 5");
    for method in ["--method auto", "--method stream", "--method checksum"] {
        let outcome = scene
            .cupid("reconcile")
            .args(&format!("--dry-run --extra --report - {method} -v"))
            .exits(1);
        let found: Vec<String> = outcome
            .stdout
            .lines()
            .skip(1)
            .map(|line| {
                line.split(',')
                    .skip(3)
                    .take(4)
                    .collect::<Vec<_>>()
                    .join(",")
            })
            .collect();
        let expected = [
            "different,2,c2,twice",
            "different,2,c2,w",
            "missing,5,c5,",
            "extra,,gone,",
        ];
        assert_eq!(found, expected, "{method}: {outcome:?}");
        assert!(!outcome.stderr.contains("no primary key"), "{outcome:?}");
    }
}

#[test]
fn check_and_refusals_list_invisible_columns() {
    let mut scene = hidden();
    let outcome = scene.check().run();
    assert!(outcome.stdout.contains("no is unique"), "{outcome:?}");
    scene.config.set("/src/idColumn", "nope");
    scene
        .run(78)
        .assert_says(&["no, code, v, w, twice, thrice, seen"]);
}

/// MySQL makes such a key by itself, and may hide it from `information_schema` too.
#[test]
fn a_generated_invisible_primary_key_is_found_although_the_server_hides_it() {
    let db = Db::new(1);
    if db.is_mariadb() {
        // MariaDB makes none; a key of that name stands for it.
        for table in ["src.g", "des.g"] {
            db.exec(&format!(
                "CREATE TABLE {table} (my_row_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY, code VARCHAR(20))"
            ));
        }
    } else {
        let mut session = db.session();
        let make = "SET SESSION sql_generate_invisible_primary_key = ON";
        mysql::prelude::Queryable::query_drop(&mut session, make).unwrap();
        for table in ["src.g", "des.g"] {
            let sql = db.sql(&format!("CREATE TABLE {table} (code VARCHAR(20))"));
            mysql::prelude::Queryable::query_drop(&mut session, sql).unwrap();
        }
    }
    db.exec("INSERT INTO src.g (code) VALUES ('a'), ('b'), ('c')");
    db.exec("INSERT INTO des.g (code) VALUES ('a'), ('b')");
    let mut scene = of_table(db, "g", "my_row_id", "my_row_id");
    scene.config.set("/des/0/columns", json!({"code": "code"}));
    scene.run(0);
    assert_eq!(
        scene.receiver().take()[0].body["srcColumn"],
        json!({"my_row_id": 3, "code": "c"})
    );
    let outcome = scene
        .cupid("reconcile")
        .args("--dry-run --extra --report -")
        .exits(1);
    assert!(outcome.stdout.contains(",missing,3,3,"), "{outcome:?}");
}

#[test]
fn a_system_versioned_table_is_read_by_what_is_alive() {
    let db = Db::new(1);
    if !db.is_mariadb() {
        return; // MySQL has none.
    }
    let declared = "id INT PRIMARY KEY, v INT, began TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE, \
        ended TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME(began, ended)";
    for (table, columns) in [("a", "id INT PRIMARY KEY, v INT"), ("b", declared)] {
        for side in ["src", "des"] {
            db.exec(&format!(
                "CREATE TABLE {side}.{table} ({columns}) WITH SYSTEM VERSIONING"
            ));
            db.exec(&format!(
                "INSERT INTO {side}.{table} (id, v) VALUES (1, 1), (2, 2), (3, 3)"
            ));
            db.exec(&format!("UPDATE {side}.{table} SET v = v + 1"));
        }
        db.exec(&format!("UPDATE src.{table} SET v = 9 WHERE id = 3"));
        let mut scene = of_table(Arc::clone(&db), table, "id", "id");
        scene.config.set("/des/0/columns", json!({"v": "v"}));
        let outcome = scene.cupid("reconcile").args("--extra --json -v").exits(1);
        let summary: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(
            (&summary["different"], &summary["extra"]),
            (&json!(1), &json!(0)),
            "{table}"
        );
        assert!(!outcome.stderr.contains("no primary key"), "{outcome:?}");
        // What the owner declared is part of the row, what the server keeps for itself is not.
        let expected: &[&str] = if table == "a" {
            &["id", "v"]
        } else {
            &["id", "v", "began", "ended"]
        };
        assert_columns(&scene.receiver().take()[0], expected);
        let outcome = scene.check().run();
        assert!(outcome.stdout.contains("id is unique"), "{outcome:?}");
    }
}
