//! `--fix-sql`: the statements that would repair the copies, which do when they are applied.

mod common;

use common::{Db, Scene};
use mysql::prelude::Queryable;
use serde_json::json;

/// The file's text after an audit that finds differences.
#[track_caller]
fn audited(scene: &Scene) -> String {
    let path = scene.config.folder().join("fix.sql");
    scene
        .cupid("reconcile")
        .args("--dry-run --fix-sql")
        .arg(&path)
        .exits(1);
    std::fs::read_to_string(path).expect("The statements are there")
}

/// What a person does with it, under an `sql_mode` of the server's.
fn apply(db: &Db, text: &str) {
    let mut session = db.session();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if line.starts_with("--") {
            continue;
        }
        assert!(line.ends_with(';'), "one statement a line: {line}");
        session
            .query_drop(line)
            .unwrap_or_else(|error| panic!("{error} in: {line}"));
    }
}

fn statements(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("/*")).collect()
}

#[test]
fn each_row_has_one_statement_and_after_them_the_audit_is_0() {
    let scene = Scene::in_sync(1..=5);
    scene
        .db
        .exec("UPDATE des.user SET name = NULL, avatar = 'a''b' WHERE id = 2");
    scene.db.exec("DELETE FROM des.user WHERE id = 3");
    let text = audited(&scene);
    let table = scene.db.sql("des.`user`");
    let expected = [
        format!(
            "/* copy1: different, id 2: avatar, name */ UPDATE {table} SET `avatar` = 'a2.png', `name` = 'Name 2' WHERE `number` = 'n2';"
        ),
        format!(
            "/* copy1: missing, id 3 */ INSERT INTO {table} (`avatar`, `name`, `number`) VALUES ('a3.png', 'Name 3', 'n3');"
        ),
    ];
    assert_eq!(statements(&text), expected, "{text}");
    assert!(text.contains(&format!("\n-- Destination copy1: table {table}\n")));
    apply(&scene.db, &text);
    scene.cupid("reconcile").exits(0);
}

#[test]
fn values_of_every_type_are_copied_exactly() {
    let mut scene = Scene::bare(Db::new(1));
    let columns = "u BIGINT UNSIGNED, f FLOAT, d DOUBLE, n DECIMAL(40,10), b BIT(10), y YEAR, t VARCHAR(200) CHARACTER SET utf8mb4, \
         l TEXT CHARACTER SET latin1, bin VARBINARY(20), da DATE, dt DATETIME(6), ts TIMESTAMP(3) NULL, ti TIME(2), \
         e ENUM('1','2','b\\'c'), s SET('x','y'), j JSON";
    scene.db.exec(&format!(
        "CREATE TABLE src.user (id BIGINT PRIMARY KEY, k VARBINARY(20) UNIQUE, {columns})"
    ));
    scene.db.exec(&format!(
        "CREATE TABLE des.user (nr INT AUTO_INCREMENT PRIMARY KEY, k VARBINARY(20) UNIQUE, {columns}, \
         touched TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3))"
    ));
    let mut session = scene.db.session();
    session.query_drop("SET NAMES utf8mb4").unwrap();
    session
        .query_drop("SET sql_mode='NO_BACKSLASH_ESCAPES'")
        .unwrap();
    let rows = [
        "(1, X'00ff', 18446744073709551615, 0.1, 1e300, 123456789012345678901234567890.0123456789, 513, 2024, 'o''k \\ 😀 %_\"`;--', 'é\\', X'005c27ff', '2024-02-29', '2024-01-02 03:04:05.123456', '2024-01-02 03:04:05.123', '-838:59:59', '2', 'x,y', '{\"a\": \"\\n\\\\\"}')",
        "(2, 'k''2', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        "(3, '', 0, -0.5, -1.5e-10, -1, 0, 0, '', ' ', '', '0000-00-00', '2024-00-00 00:00:00', '1970-01-02 00:00:01', '00:00:01.5', 'b''c', '', '[]')",
        "(4, '\\', 1, 1, 1, 1, 1, 1901, CONCAT('two\nlines', CHAR(0), CHAR(9)), 'x', '/* */', '9999-12-31', '9999-12-31 23:59:59', '2038-01-19 03:14:07', '12:00:00', '1', 'y', '1.50')",
    ];
    for row in rows {
        let sql = scene.db.sql(&format!("INSERT INTO src.user VALUES {row}"));
        session
            .query_drop(&sql)
            .unwrap_or_else(|error| panic!("{error} in {sql}"));
    }
    // Row 4 is there with every value wrong.
    scene.db.exec(
        "INSERT INTO des.user (k, u, t, e) SELECT k, 7, 'x', 'b\\'c' FROM src.user WHERE id = 4",
    );
    let names = "u f d n b y t l bin da dt ts ti e s j";
    let map: serde_json::Map<_, _> = names
        .split(' ')
        .map(|name| (name.to_owned(), json!(name)))
        .collect();
    scene
        .config
        .set("/src/byColumn", "k")
        .set("/des/0/byColumn", "k")
        .set("/des/0/columns", serde_json::Value::Object(map));
    let text = audited(&scene);
    assert_eq!(statements(&text).len(), 4, "{text}");
    assert!(!text.contains('\\'), "{text}");
    apply(&scene.db, &text);
    scene.cupid("reconcile").arg("--dry-run").exits(0);
}

#[test]
fn a_mapped_time_of_the_last_update_stays_what_it_is() {
    let mut scene = Scene::in_sync(1..=3);
    scene
        .config
        .set("/des/0/columns/update_time", "update_time");
    scene
        .db
        .exec("UPDATE src.user SET update_time = '2020-01-02 03:04:05'");
    scene.db.copy_users();
    scene
        .db
        .exec("UPDATE des.user SET name = 'x', update_time = '2020-01-02 03:04:05' WHERE id = 2");
    apply(&scene.db, &audited(&scene));
    scene.cupid("reconcile").exits(0);
}

#[test]
fn the_destinations_condition_and_odd_names_are_kept() {
    let mut scene = Scene::with_copies(2);
    scene.db.add_users(1..=3);
    scene.db.copy_users();
    scene
        .db
        .exec("ALTER TABLE des2.user CHANGE name `na``me` VARCHAR(64)");
    scene.db.exec("DELETE FROM des.user WHERE id = 1");
    scene
        .db
        .exec("UPDATE des2.user SET `na``me` = 'x' WHERE id = 3");
    scene
        .config
        .set("/des/1/columns", json!({"name": "na`me"}))
        .set("/des/1/name", "odd */ name")
        .set("/des/1/where", "id > 0");
    let text = audited(&scene);
    let all = statements(&text);
    assert_eq!(all.len(), 2, "{text}");
    let odd = all.iter().find(|line| line.contains("UPDATE")).unwrap();
    assert!(odd.starts_with("/* odd * / name: different, id 3: name */ UPDATE"));
    assert!(odd.ends_with("SET `na``me` = 'Name 3' WHERE `number` = 'n3' AND (id > 0);"));
    apply(&scene.db, &text);
    scene.cupid("reconcile").exits(0);
}

#[test]
fn a_duplicate_is_a_comment_and_nothing_is_ever_deleted() {
    let scene = Scene::in_sync(1..=3);
    scene.db.exec("ALTER TABLE des.user DROP KEY number");
    scene
        .db
        .exec("INSERT INTO des.user (number, name) VALUES ('n2', 'other')");
    let text = audited(&scene);
    assert!(statements(&text).is_empty());
    assert!(text.contains("-- copy1: duplicate, id 2: 2 rows have the key 'n2'"));
}

#[test]
fn a_row_that_only_the_copy_has_is_a_comment_that_would_delete_it() {
    let mut scene = Scene::in_sync(1..=5);
    scene.db.exec("DELETE FROM src.user WHERE id IN (2, 4)");
    scene.config.set("/des/0/where", "id <> 4 -- not\n");
    let path = scene.config.folder().join("fix.sql");
    let outcome = scene
        .cupid("reconcile")
        .args("--dry-run --extra --report - --fix-sql")
        .arg(&path)
        .exits(1);
    assert_eq!(outcome.stdout.matches(",extra,,n2,").count(), 1);
    let text = std::fs::read_to_string(path).expect("The statements are there");
    let table = scene.db.sql("des.`user`");
    let heading = format!("\n-- Destination copy1: table {table}\n");
    let delete = format!(
        "-- /* copy1: extra */ DELETE FROM {table} WHERE `number` = 'n2' AND (id <> 4 -- not );\n"
    );
    assert!(text.ends_with(&(heading + &delete)), "{text}");
    apply(&scene.db, &text);
    let rows: Vec<i64> = scene.db.query("SELECT COUNT(*) FROM des.user");
    assert_eq!(rows, [5], "nothing is executed");
    // Without what makes it a comment, it does what it says.
    scene.config.set("/des/0/where", "id <> 4");
    let path = scene.config.folder().join("fix2.sql");
    scene
        .cupid("reconcile")
        .args("--dry-run --extra --fix-sql")
        .arg(&path)
        .exits(1);
    let text = std::fs::read_to_string(path).expect("The statements are there");
    apply(&scene.db, &text.replace("-- /*", "/*"));
    scene.cupid("reconcile").arg("--extra").exits(0);
    let rows: Vec<i64> = scene.db.query("SELECT id FROM des.user ORDER BY id");
    assert_eq!(rows, [1, 3, 4, 5]);
}

#[test]
fn nothing_is_executed_and_a_table_in_sync_leaves_the_preamble() {
    let scene = Scene::in_sync(1..=3);
    let path = scene.config.folder().join("fix.sql");
    scene
        .cupid("reconcile")
        .arg("--fix-sql")
        .arg(&path)
        .exits(0)
        .assert_silent();
    let text = std::fs::read_to_string(path).expect("The file is there");
    assert!(text.starts_with("-- ") && !text.contains("Destination"));
}

#[test]
fn local_times_and_instants_are_both_right_on_a_server_that_is_not_in_utc() {
    let db = Db::on(common::Server::private(), 1);
    db.exec("SET GLOBAL time_zone = '+08:00'");
    db.reconnect();
    let mut scene = Scene::bare(db);
    // An instant to an instant, local time to an instant, an instant to local time.
    for (table, a, b, c) in [
        ("src.user", "TIMESTAMP(3)", "DATETIME(3)", "TIMESTAMP(3)"),
        ("des.user", "TIMESTAMP(3)", "TIMESTAMP(3)", "DATETIME(3)"),
    ] {
        scene.db.exec(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, a {a} NULL, b {b} NULL, c {c} NULL)"
        ));
    }
    let moment = "'2024-01-02 03:04:05.678'";
    scene.db.exec(&format!(
        "INSERT INTO src.user VALUES (1, {moment}, {moment}, {moment}), (2, NULL, NULL, NULL), (3, {moment}, {moment}, {moment})"
    ));
    scene
        .db
        .exec("INSERT INTO des.user VALUES (3, NULL, NULL, NULL)");
    scene
        .config
        .set("/src/byColumn", "id")
        .set("/des/0/byColumn", "id")
        .set("/des/0/columns", json!({"a": "a", "b": "b", "c": "c"}));
    apply(&scene.db, &audited(&scene));
    scene.cupid("reconcile").exits(0);
    let as_there: Vec<String> = scene
        .db
        .query("SELECT CONCAT_WS(' ', a, b, c) FROM des.user WHERE id = 1");
    let moment = moment.trim_matches('\'');
    assert_eq!(as_there, [format!("{moment} {moment} {moment}")]);
}
