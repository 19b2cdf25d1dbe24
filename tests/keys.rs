//! How the destination row is found.

mod common;

use common::{Db, Scene};
use serde_json::{Value, json};

/// A source and a copy `t (id, k <type>, v)`, compared by `v` only.
fn keyed(source_key: &str, destination_key: &str) -> Scene {
    let db = Db::new(1);
    db.exec(&format!(
        "CREATE TABLE src.t (id INT PRIMARY KEY, k {source_key}, v VARCHAR(20), KEY (k))"
    ));
    db.exec(&format!(
        "CREATE TABLE des.t (k {destination_key}, v VARCHAR(20), KEY (k))"
    ));
    let mut scene = Scene::bare(db);
    for pointer in ["/src", "/des/0"] {
        scene
            .config
            .set(&format!("{pointer}/table"), "t")
            .set(&format!("{pointer}/byColumn"), "k");
    }
    scene.config.set("/des/0/columns", json!({"v": "v"}));
    scene
}

fn seen(scene: &Scene) -> Vec<(u64, u64)> {
    let mut seen: Vec<_> = scene
        .receiver()
        .callbacks()
        .iter()
        .map(|c| (c.id(), c.kind()))
        .collect();
    seen.sort_unstable();
    seen
}

#[test]
fn integer_keys_find_their_rows() {
    let scene = keyed("BIGINT UNSIGNED", "BIGINT UNSIGNED");
    scene.db.exec("INSERT INTO src.t VALUES (1, 10, 'a'), (2, 18446744073709551615, 'b'), (3, 30, 'c'), (4, 0, 'd')");
    scene
        .db
        .exec("INSERT INTO des.t VALUES (10, 'a'), (18446744073709551615, 'x'), (0, 'd')");
    scene.run(0);
    assert_eq!(seen(&scene), [(2, 2), (3, 1)]);
}

#[test]
fn a_number_finds_its_text() {
    let scene = keyed("INT", "VARCHAR(20)");
    scene
        .db
        .exec("INSERT INTO src.t VALUES (1, 10, 'a'), (2, 20, 'b')");
    scene.db.exec("INSERT INTO des.t VALUES ('10', 'a')");
    scene.run(0);
    assert_eq!(seen(&scene), [(2, 1)]);
}

#[test]
fn binary_keys_find_their_rows() {
    let scene = keyed("BINARY(16)", "BINARY(16)");
    for (id, hex) in [
        (1, "00112233445566778899aabbccddeeff"),
        (2, "ff000000000000000000000000000000"),
        (3, "27275c5c00000000000000000000005c"),
    ] {
        scene.db.exec(&format!(
            "INSERT INTO src.t VALUES ({id}, X'{hex}', 'v{id}')"
        ));
        if id != 2 {
            scene
                .db
                .exec(&format!("INSERT INTO des.t VALUES (X'{hex}', 'v{id}')"));
        }
    }
    scene.run(0);
    assert_eq!(seen(&scene), [(2, 1)]);
    assert_eq!(
        scene.receiver().callbacks()[0].text_of("k"),
        "/wAAAAAAAAAAAAAAAAAAAA==",
        "binary that is no UTF-8 is base64"
    );
}

#[test]
fn date_and_decimal_keys_find_their_rows() {
    for (key, one, two) in [
        ("DATE", "'2024-02-29'", "'2024-03-01'"),
        (
            "DATETIME(3)",
            "'2024-02-29 12:34:56.789'",
            "'2024-03-01 00:00:00.001'",
        ),
        (
            "DECIMAL(30,10)",
            "12345678901234567890.0123456789",
            "0.1000000000",
        ),
        ("CHAR(8)", "'ab'", "'cd'"),
        ("ENUM('x','y')", "'x'", "'y'"),
    ] {
        let scene = keyed(key, key);
        scene.db.exec(&format!(
            "INSERT INTO src.t VALUES (1, {one}, 'a'), (2, {two}, 'b')"
        ));
        scene
            .db
            .exec(&format!("INSERT INTO des.t VALUES ({one}, 'a')"));
        scene.run(0);
        assert_eq!(seen(&scene), [(2, 1)], "{key}");
    }
}

#[test]
fn the_destination_finds_keys_under_its_own_collation() {
    let scene = keyed(
        "VARCHAR(20) COLLATE utf8mb4_bin",
        "VARCHAR(20) COLLATE utf8mb4_general_ci",
    );
    scene.db.exec("INSERT INTO src.t VALUES (1, 'ABC', 'a'), (2, 'Ünï', 'b'), (3, 'pad', 'c'), (4, 'new', 'd')");
    scene
        .db
        .exec("INSERT INTO des.t VALUES ('abc', 'a'), ('uni', 'b'), ('PAD ', 'other')");
    scene.run(0);
    assert_eq!(seen(&scene), [(3, 2), (4, 1)]);
}

#[test]
fn two_source_keys_that_the_destination_takes_for_one_are_each_compared_with_its_row() {
    let scene = keyed(
        "VARCHAR(20) COLLATE utf8mb4_bin",
        "VARCHAR(20) COLLATE utf8mb4_general_ci",
    );
    scene
        .db
        .exec("INSERT INTO src.t VALUES (1, 'abc', 'same'), (2, 'ABC', 'same'), (3, 'Abc', 'not')");
    scene.db.exec("INSERT INTO des.t VALUES ('aBc', 'same')");
    scene.run(0);
    assert_eq!(seen(&scene), [(3, 2)]);
}

#[test]
fn of_duplicate_keys_in_the_destination_one_equal_row_is_enough() {
    let scene = keyed("VARCHAR(20)", "VARCHAR(20)");
    scene
        .db
        .exec("INSERT INTO src.t VALUES (1, 'one', 'a'), (2, 'two', 'b'), (3, 'three', 'c')");
    scene.db.exec("INSERT INTO des.t VALUES ('one', 'x'), ('one', 'a'), ('two', 'x'), ('two', 'y'), ('three', 'c')");
    let outcome = scene.run(0);
    assert_eq!(seen(&scene), [(2, 2)]);
    outcome.assert_says(&["duplicate"]);
}

#[test]
fn a_null_key_finds_nothing_and_stops_nothing() {
    let scene = keyed("VARCHAR(20)", "VARCHAR(20)");
    scene.db.exec(
        "INSERT INTO src.t VALUES (1, NULL, 'a'), (2, 'two', 'b'), (3, 'NULL', 'c'), (4, '', 'd')",
    );
    scene
        .db
        .exec("INSERT INTO des.t VALUES (NULL, 'a'), ('NULL', 'c'), ('', 'd')");
    scene.run(0);
    assert_eq!(seen(&scene), [(1, 1), (2, 1)]);
    let callbacks = scene.receiver().callbacks();
    let null = callbacks.iter().find(|c| c.id() == 1).expect("Seen above");
    assert_eq!(null.body["srcColumn"]["k"], Value::Null);
}

#[test]
fn quotes_backslashes_and_any_character_in_a_key_find_their_row() {
    let scene = keyed("VARCHAR(60)", "VARCHAR(60)");
    let keys = [
        "it's",
        "back\\slash",
        "per%cent_",
        "\"double\"",
        "semi;-- #",
        "new\nline",
        "nul\0byte",
        "中文 🐙",
        "?",
        " lead",
    ];
    for (id, key) in keys.iter().enumerate() {
        scene
            .db
            .exec_with("INSERT INTO src.t VALUES (?, ?, 'v')", (id, key));
        scene
            .db
            .exec_with("INSERT INTO des.t VALUES (?, 'v')", (key,));
    }
    scene.run(0).assert_silent();
    assert_eq!(seen(&scene), []);
}

#[test]
fn a_key_that_the_destinations_charset_cannot_express_is_reported_and_stops_nothing() {
    let scene = keyed("VARCHAR(20)", "VARCHAR(20) CHARACTER SET latin1");
    scene.db.exec(
        "INSERT INTO src.t VALUES (1, 'a', 'a'), (2, '中文🐙', 'b'), (3, 'é', 'c'), (4, 'd', 'd')",
    );
    scene
        .db
        .exec("INSERT INTO des.t VALUES ('a', 'a'), ('é', 'c')");
    let outcome = scene.cupid("run").run();
    assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
    let seen = seen(&scene);
    assert!(
        seen.contains(&(4, 1)),
        "the row after it is compared: {seen:?}"
    );
    assert!(!seen.iter().any(|(id, _)| [1, 3].contains(id)), "{seen:?}");
    assert!(
        seen.contains(&(2, 1)) || outcome.stderr.contains("中文"),
        "the row is reported: {seen:?} {}",
        outcome.stderr
    );
}

#[test]
fn many_duplicate_source_keys_are_each_judged() {
    let scene = keyed("VARCHAR(20)", "VARCHAR(20)");
    let rows: Vec<String> = (1..=2000)
        .map(|id| format!("({id}, 'k{}', '{}')", id % 10, id % 2))
        .collect();
    scene
        .db
        .exec(&format!("INSERT INTO src.t VALUES {}", rows.join(",")));
    for k in 0..10 {
        scene
            .db
            .exec(&format!("INSERT INTO des.t VALUES ('k{k}', '{}')", k % 2));
    }
    scene.run(0).assert_silent();
    assert_eq!(seen(&scene), []);
}
