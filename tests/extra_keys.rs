//! `--extra` reads a copy from end to end by whatever key puts its rows in an order.

mod common;

use common::{Db, Scene};

const ROWS: u32 = 900;
/// Several pages for so many rows.
const SLOWLY: &str = "--dry-run --extra --report - --max-rate 400";

/// A copy that lacks ids 7 and 450, differs in id 8, and alone has ids 5000 and 5001. `row` makes the values of `columns`
/// from an id.
fn drifted(columns: &str, row: &str) -> Scene {
    let mut scene = Scene::bare(Db::new(1));
    let mut session = scene.db.session();
    let numbers = format!(
        "WITH RECURSIVE n AS (SELECT 1 AS id UNION ALL SELECT id + 1 FROM n WHERE id < {ROWS}) SELECT id FROM n \
         UNION ALL SELECT 5000 UNION ALL SELECT 5001"
    );
    let into = if row.is_empty() { " (id, x)" } else { "" };
    for sql in [
        "SET sql_mode=''".to_owned(),
        "CREATE TABLE src.user (id INT PRIMARY KEY, x INT)".into(),
        format!("CREATE TABLE des.user (id INT NOT NULL, x INT, {columns})"),
        format!("INSERT INTO src.user SELECT id, 1 FROM ({numbers}) AS t WHERE id < 5000"),
        format!("INSERT INTO des.user{into} SELECT id, 1{row} FROM ({numbers}) AS t"),
        "DELETE FROM des.user WHERE id IN (7, 450)".into(),
        "UPDATE des.user SET x = 2 WHERE id = 8".into(),
    ] {
        let sql = scene.db.sql(&sql);
        mysql::prelude::Queryable::query_drop(&mut session, &sql)
            .unwrap_or_else(|error| panic!("{error} in: {sql}"));
    }
    scene
        .config
        .set("/src/byColumn", "id")
        .set("/des/0/byColumn", "id")
        .set("/des/0/columns", serde_json::json!({"x": "x"}));
    scene
}

#[track_caller]
fn is_read_from_end_to_end(columns: &str, row: &str) {
    let scene = drifted(columns, row);
    let outcome = scene.cupid("reconcile").args(SLOWLY).exits(1);
    assert!(
        !outcome.stderr.contains("not looked for"),
        "{columns}: {}",
        outcome.stderr
    );
    let mut found: Vec<String> = outcome
        .stdout
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            format!("{} {}", fields[3], fields[5])
        })
        .collect();
    found.sort();
    let expected = [
        "different 8",
        "extra 5000",
        "extra 5001",
        "missing 450",
        "missing 7",
    ];
    assert_eq!(found, expected, "{columns}: {}", outcome.stderr);
}

#[test]
fn a_primary_key_of_approximate_numbers_is_an_order() {
    is_read_from_end_to_end("k FLOAT PRIMARY KEY", ", id * 0.1 - 33");
    is_read_from_end_to_end("k DOUBLE PRIMARY KEY", ", id * 1e-7 / 3 - 0.00001");
    is_read_from_end_to_end("k FLOAT, PRIMARY KEY (k, id)", ", FLOOR(id / 300) * 0.1");
}

#[test]
fn a_primary_key_of_bits_is_an_order() {
    is_read_from_end_to_end("k BIT(40) PRIMARY KEY", ", id * 1000003");
    is_read_from_end_to_end("k BIT(64) PRIMARY KEY", ", 18446744073709551615 - id");
}

#[test]
fn a_primary_key_of_members_is_an_order() {
    let all: Vec<String> = (1..=64).map(|n| format!("'m{n}'")).collect();
    // By number z is before a; rows of one member fill a page.
    let own = "k ENUM('z','it''s','a','ü') NOT NULL, PRIMARY KEY (k, id)";
    is_read_from_end_to_end(own, ", 1 + FLOOR(id / 480)");
    is_read_from_end_to_end(own, ", 1 + id % 4");
    // The error value, beside members and beside a member that looks like it.
    is_read_from_end_to_end(
        "k ENUM('z','a') NOT NULL, PRIMARY KEY (k, id)",
        ", IF(id < 500, 0, id % 3)",
    );
    is_read_from_end_to_end("k ENUM('z','') NOT NULL, PRIMARY KEY (k, id)", ", id % 3");
    is_read_from_end_to_end(
        &format!("k SET({}) PRIMARY KEY", all[..13].join(",")),
        ", id",
    );
    // The highest bit is no sign.
    is_read_from_end_to_end(
        &format!("k SET({}) PRIMARY KEY", all.join(",")),
        ", CAST(IF(id % 2, id, 18446744073709551615 - id) AS UNSIGNED)",
    );
}

#[test]
fn a_unique_index_without_null_is_an_order() {
    is_read_from_end_to_end("UNIQUE (id)", "");
    is_read_from_end_to_end(
        "a VARCHAR(9) NOT NULL, b INT NOT NULL, n INT, UNIQUE n (n), UNIQUE p (a(2), b), UNIQUE z (b, a)",
        ", CONCAT('a', id % 5), id, NULL",
    );
    is_read_from_end_to_end(
        "k ENUM('y','x') NOT NULL, f FLOAT NOT NULL, UNIQUE (k, f)",
        ", 1 + id % 2, id * 0.3",
    );
    is_read_from_end_to_end(
        "k VARCHAR(9) COLLATE utf8mb4_general_ci NOT NULL UNIQUE",
        ", CONV(id, 10, 36)",
    );
}

#[test]
fn a_computed_key_is_an_order() {
    // MariaDB has no primary key of a computed column.
    if Db::new(1).is_mariadb() {
        is_read_from_end_to_end("k INT AS (id * 3) STORED, PRIMARY KEY (id), UNIQUE (k)", "");
        return;
    }
    is_read_from_end_to_end(
        "k INT AS (1000000 - id) STORED NOT NULL PRIMARY KEY, UNIQUE ((x + id * 10))",
        "",
    );
}

#[test]
fn without_an_order_the_reason_and_the_way_out_are_said() {
    let keys = [
        ("KEY (id)", ""),
        ("n INT, UNIQUE (n)", ", id"),
        ("t VARCHAR(30) NOT NULL, UNIQUE (t(9))", ", id"),
    ];
    for (columns, row) in keys {
        let scene = drifted(columns, row);
        let outcome = scene.cupid("reconcile").args("--dry-run --extra").exits(1);
        outcome.assert_says(&[
            "no primary key",
            "NOT NULL",
            "are not looked for",
            "ADD UNIQUE",
        ]);
    }
}
