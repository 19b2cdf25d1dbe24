//! Keys of every pair of types, and keys that are hard to spell: each finds its row, and no other one, however the tables
//! are looked at.

mod collated;
#[path = "../common/mod.rs"]
mod common;
mod outside_unicode;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{Db, Scene, Server};
use serde_json::json;

/// Every way to look at a whole table.
const LOOKS: [&[&str]; 4] = [
    &["run"],
    &["reconcile", "--method", "stream"],
    &["reconcile", "--method", "checksum"],
    &["reconcile", "--method", "stream", "--extra"],
];

/// A source `t (id, k, v)` and copies `t (k, v)`, one for each key type, found by `k`, compared by `v`.
fn keyed(source: &str, copies: &[&str], index: &str) -> Scene {
    keyed_on(Db::new(copies.len()), source, copies, index)
}

fn keyed_on(db: Arc<Db>, source: &str, copies: &[&str], index: &str) -> Scene {
    db.exec(&format!(
        "CREATE TABLE src.t (id INT PRIMARY KEY, k {source}, v VARCHAR(20), KEY (k))"
    ));
    for (database, key) in db.copies.clone().iter().zip(copies) {
        db.exec(&format!(
            "CREATE TABLE `{database}`.t (k {key}, v VARCHAR(20), {index} (k))"
        ));
    }
    let mut scene = Scene::bare(db);
    scene.config.set("/confirmDelayMillisecond", 0);
    scene
        .config
        .set("/src/table", "t")
        .set("/src/byColumn", "k");
    for number in 0..copies.len() {
        scene
            .config
            .set(&format!("/des/{number}/table"), "t")
            .set(&format!("/des/{number}/byColumn"), "k")
            .set(&format!("/des/{number}/columns"), json!({"v": "v"}));
    }
    scene
}

/// Id and kind of each callback of each copy, as one look after another says; and that all say the same.
fn called(scene: &Scene) -> Vec<BTreeSet<(u64, u64)>> {
    let mut all: Option<Vec<BTreeSet<(u64, u64)>>> = None;
    for look in LOOKS {
        scene.config.forget();
        let outcome = scene.cupid(look[0]).args(&look[1..].join(" ")).run();
        assert!(matches!(outcome.code, Some(0 | 1)), "{look:?}: {outcome:?}");
        let found = scene.receivers.iter().map(|receiver| {
            let callbacks = receiver.take();
            callbacks.iter().map(|c| (c.id(), c.kind())).collect()
        });
        let found: Vec<BTreeSet<(u64, u64)>> = found.collect();
        match &all {
            Some(before) => assert_eq!(&found, before, "{look:?}: {}", outcome.stderr),
            None => all = Some(found),
        }
    }
    all.unwrap_or_default()
}

/// A type, a value of it in SQL, and another one that no copy has.
type Member = (&'static str, &'static str, &'static str);

/// Each of these types as the source's key, with each of them as a copy's: the first values are equal as cells are.
fn each_finds_each(members: &[Member]) {
    let types: Vec<&str> = members.iter().map(|(key, ..)| *key).collect();
    for (source, present, absent) in members {
        let scene = keyed(source, &types, "KEY");
        let db = Arc::clone(&scene.db);
        db.exec("SET time_zone = '+00:00', sql_mode = ''");
        db.exec(&format!(
            "INSERT INTO src.t VALUES (1, {present}, 'a'), (2, {absent}, 'a'), (3, NULL, 'a')"
        ));
        for (database, (_, value, _)) in db.copies.iter().zip(members) {
            db.exec(&format!(
                "INSERT INTO `{database}`.t VALUES ({value}, 'a'), (NULL, 'a')"
            ));
        }
        for (key, found) in types.iter().zip(called(&scene)) {
            let expected = BTreeSet::from([(2, 1), (3, 1)]);
            assert_eq!(found, expected, "{source} in {key}");
        }
    }
}

#[test]
fn a_small_number_finds_its_row_whatever_the_two_columns_types() {
    each_finds_each(&[
        ("INT", "7", "8"),
        ("BIGINT UNSIGNED", "7", "8"),
        ("INT(6) UNSIGNED ZEROFILL", "7", "8"),
        ("BIT(9)", "7", "8"),
        ("DECIMAL(10,2)", "7", "8"),
        ("DECIMAL(9,0)", "7", "8"),
        ("FLOAT", "7", "8"),
        ("DOUBLE", "7", "8"),
        ("VARCHAR(20)", "'7'", "'8'"),
        ("CHAR(9) CHARACTER SET gbk", "'7'", "'8'"),
        ("VARCHAR(20) CHARACTER SET utf16", "'7'", "'8'"),
        ("VARBINARY(20)", "'7'", "'8'"),
        ("ENUM('7','8')", "'7'", "'8'"),
    ]);
}

#[test]
fn a_number_with_a_fraction_finds_its_row_whatever_the_two_columns_types() {
    each_finds_each(&[
        ("DECIMAL(10,2)", "-0.5", "0.25"),
        ("DECIMAL(60,30)", "-0.5", "0.25"),
        ("FLOAT", "-0.5", "0.25"),
        ("DOUBLE", "-0.5", "0.25"),
        ("VARCHAR(60)", "'-0.5'", "'0.25'"),
        ("VARBINARY(60)", "'-0.5'", "'0.25'"),
    ]);
}

#[test]
fn an_approximate_number_finds_its_row_whatever_the_two_columns_types() {
    each_finds_each(&[
        ("FLOAT", "0.1", "0.7"),
        ("DOUBLE", "0.1", "0.7"),
        ("DECIMAL(10,4)", "0.1", "0.7"),
        ("VARCHAR(60)", "'0.1'", "'0.7'"),
    ]);
}

#[test]
fn a_day_finds_its_row_whatever_the_two_columns_types() {
    each_finds_each(&[
        ("DATE", "'2024-02-29'", "'2024-03-01'"),
        ("DATETIME", "'2024-02-29'", "'2024-03-01'"),
        ("DATETIME(6)", "'2024-02-29'", "'2024-03-01'"),
        ("TIMESTAMP(3) NULL", "'2024-02-29'", "'2024-03-01'"),
        (
            "VARCHAR(30)",
            "'2024-02-29 00:00:00'",
            "'2024-03-01 00:00:00'",
        ),
        (
            "VARBINARY(30)",
            "'2024-02-29 00:00:00'",
            "'2024-03-01 00:00:00'",
        ),
    ]);
}

#[test]
fn a_span_of_time_finds_its_row_whatever_the_two_columns_types() {
    each_finds_each(&[
        ("TIME", "'-838:14:05'", "'00:00:01'"),
        ("TIME(1)", "'-838:14:05'", "'00:00:01'"),
        ("TIME(6)", "'-838:14:05'", "'00:00:01'"),
        ("VARCHAR(30)", "'-838:14:05'", "'00:00:01'"),
    ]);
}

#[test]
fn a_year_finds_its_row_whatever_the_two_columns_types() {
    each_finds_each(&[
        ("YEAR", "2024", "2025"),
        ("INT", "2024", "2025"),
        ("DECIMAL(6,1)", "2024", "2025"),
        ("VARCHAR(30)", "'2024'", "'2025'"),
        ("DOUBLE", "2024", "2025"),
    ]);
}

#[test]
fn numbers_with_zeros_before_them_are_found_as_they_are_printed() {
    for (source, copy, value, copied) in [
        ("INT(6) UNSIGNED ZEROFILL", "VARCHAR(20)", "7", "'000007'"),
        (
            "BIGINT(12) UNSIGNED ZEROFILL",
            "VARBINARY(20)",
            "7",
            "'000000000007'",
        ),
        (
            "DECIMAL(6,2) UNSIGNED ZEROFILL",
            "CHAR(20)",
            "1.5",
            "'0001.50'",
        ),
        ("VARCHAR(20)", "INT(6) UNSIGNED ZEROFILL", "'000007'", "7"),
        ("CHAR(20)", "BIGINT", "'007'", "7"),
        ("YEAR", "CHAR(4)", "0", "'0000'"),
        ("DECIMAL(8,3)", "VARCHAR(20)", "1.5", "'1.500'"),
        ("TIME(3)", "VARCHAR(20)", "'01:02:03.5'", "'01:02:03.5'"),
    ] {
        let scene = keyed(source, &[copy], "KEY");
        scene.db.exec("SET sql_mode = ''");
        scene
            .db
            .exec(&format!("INSERT INTO src.t VALUES (1, {value}, 'a')"));
        scene
            .db
            .exec(&format!("INSERT INTO des.t VALUES ({copied}, 'a')"));
        let found = called(&scene);
        assert!(found[0].is_empty(), "{source} {value} in {copy}: {found:?}");
    }
}

#[test]
fn text_that_is_no_number_finds_no_number() {
    let scene = keyed("VARCHAR(20)", &["INT", "DECIMAL(10,2)", "DOUBLE"], "KEY");
    scene.db.exec(
        "INSERT INTO src.t VALUES (1, '7a', 'a'), (2, 'abc', 'a'), (3, '07.0', 'a'), (4, '', 'a'), (5, ' 7', 'a')",
    );
    for database in &scene.db.copies {
        scene.db.exec(&format!(
            "INSERT INTO `{database}`.t VALUES (7, 'a'), (0, 'a')"
        ));
    }
    let wanted = BTreeSet::from([(1, 1), (2, 1), (4, 1), (5, 1)]);
    for called in called(&scene) {
        assert_eq!(called, wanted);
    }
}

#[test]
fn no_digit_of_a_decimal_key_is_lost() {
    let scale = if Db::new(0).is_mariadb() { 38 } else { 30 };
    let key = format!("DECIMAL(60,{scale})");
    let small = |digit: u8| format!("0.{}{digit}", "0".repeat(scale - 1));
    let whole_digits = 60 - scale;
    let large = "9".repeat(whole_digits);
    let larger = format!("{}8", "9".repeat(whole_digits - 1));
    let keys = [
        (1, small(1)),
        (2, "0".into()),
        (3, large.clone()),
        (4, format!("-{large}.5")),
        (5, small(2)),
        (6, larger),
    ];
    for index in ["PRIMARY KEY", "KEY"] {
        let scene = keyed(&key, &[&key], index);
        for (id, key) in &keys {
            scene
                .db
                .exec(&format!("INSERT INTO src.t VALUES ({id}, {key}, 'a')"));
        }
        // The copy lacks 1 and 6, and has 3 with another value.
        scene.db.exec(&format!(
            "INSERT INTO des.t VALUES (0, 'a'), ({large}, 'x'), (-{large}.5, 'a'), ({}, 'a')",
            small(2)
        ));
        let found = called(&scene);
        assert_eq!(
            found[0],
            BTreeSet::from([(1, 1), (3, 2), (6, 1)]),
            "{index}"
        );
    }
}

#[test]
fn a_table_in_the_order_of_long_decimals_is_read_to_its_end() {
    let scene = keyed("DECIMAL(65,10)", &["DECIMAL(65,10)"], "PRIMARY KEY");
    let key = |id: u32| format!("{}{id:05}.{id}", "7".repeat(48));
    let row = |id: u32| format!("({id}, {}, 'a')", key(id));
    let rows: Vec<String> = (1..=2_000).map(row).collect();
    scene
        .db
        .exec(&format!("INSERT INTO src.t VALUES {}", rows.join(",")));
    scene
        .db
        .exec("INSERT INTO des.t SELECT k, v FROM src.t WHERE id <> 700");
    assert_eq!(called(&scene)[0], BTreeSet::from([(700, 1)]));
}

#[test]
fn a_decimal_that_the_copy_cannot_hold_is_missing_there() {
    let scene = keyed("DECIMAL(20,4)", &["DECIMAL(5,2)"], "KEY");
    scene.db.exec(
        "INSERT INTO src.t VALUES (1, 1234.5, 'a'), (2, 0.001, 'a'), (3, 999.99, 'a'), (4, 1.2500, 'a')",
    );
    scene
        .db
        .exec("INSERT INTO des.t VALUES (999.99, 'a'), (0, 'a'), (1.25, 'a')");
    assert_eq!(called(&scene)[0], BTreeSet::from([(1, 1), (2, 1)]));
}

#[test]
fn times_of_a_copy_with_fewer_digits_are_found_cut_off_or_rounded() {
    let scene = keyed("DATETIME(3)", &["DATETIME", "VARCHAR(30)"], "KEY");
    scene.db.exec(
        "INSERT INTO src.t VALUES (1, '2024-12-31 23:59:59.6', 'a'), (2, '2024-01-01 00:00:00.7', 'a'), \
         (3, '2024-01-01 00:00:05.1', 'a')",
    );
    scene.db.exec("SET sql_mode = ''");
    scene
        .db
        .exec("INSERT INTO des.t VALUES ('2025-01-01', 'a'), ('2024-01-01', 'a'), ('2024-01-01 00:00:04', 'a')");
    scene.db.exec(
        "INSERT INTO des2.t VALUES ('2024-12-31 23:59:59.600', 'a'), ('2024-01-01 00:00:00.7', 'a')",
    );
    for called in called(&scene) {
        assert_eq!(called, BTreeSet::from([(3, 1)]));
    }
}

#[test]
fn spans_of_many_hours_are_found_with_their_fractions() {
    let scene = keyed("TIME(6)", &["TIME(6)", "TIME(1)"], "PRIMARY KEY");
    scene.db.exec(
        "INSERT INTO src.t VALUES (1, '838:14:05.6', 'a'), (2, '-838:59:58.9', 'a'), (3, '24:00:00.000001', 'a')",
    );
    for database in &scene.db.copies {
        scene.db.exec(&format!(
            "INSERT INTO `{database}`.t VALUES ('838:14:05.6', 'a'), ('-838:59:58.9', 'x')"
        ));
    }
    for called in called(&scene) {
        assert_eq!(called, BTreeSet::from([(2, 2), (3, 1)]));
    }
}

#[test]
fn a_timestamp_finds_what_its_server_prints_and_is_found_by_it() {
    let server = Server::private_with(&["--default-time-zone=+08:00"]);
    let types = [
        "TIMESTAMP NULL",
        "DATETIME",
        "VARCHAR(30)",
        "TIMESTAMP(3) NULL",
    ];
    for source in types {
        let db = Db::on(Arc::clone(&server), types.len());
        let scene = keyed_on(db, source, &types, "KEY");
        let db = Arc::clone(&scene.db);
        db.exec("SET time_zone = '+08:00', sql_mode = ''");
        // Eight hours apart, so that what is read as UTC is another key.
        db.exec(
            "INSERT INTO src.t VALUES (1, '2024-02-29 12:00:00', 'a'), (2, '2024-02-29 20:00:00', 'b'), \
             (3, '2024-02-29 04:00:00', 'c'), (4, '0000-00-00 00:00:00', 'd')",
        );
        for database in &db.copies {
            db.exec(&format!(
                "INSERT INTO `{database}`.t VALUES ('2024-02-29 12:00:00', 'a'), \
                 ('2024-02-29 20:00:00', 'x'), ('0000-00-00 00:00:00', 'd')"
            ));
        }
        for (key, found) in types.iter().zip(called(&scene)) {
            assert_eq!(found, BTreeSet::from([(2, 2), (3, 1)]), "{source} in {key}");
        }
    }
}

#[test]
fn a_moment_that_is_no_timestamp_on_its_server_finds_none() {
    for (zone, near, far) in [
        ("+05:30", "1970-01-01 00:00:01", "1970-01-01 05:30:01"),
        ("-09:00", "2038-01-19 03:14:07", "2038-01-18 18:14:07"),
    ] {
        let server = Server::private_with(&[&format!("--default-time-zone={zone}")]);
        for digits in ["", "(6)"] {
            let [source, copy] =
                ["DATETIME", "TIMESTAMP"].map(|name| format!("{name}{digits} NULL"));
            let scene = keyed_on(Db::on(Arc::clone(&server), 1), &source, &[&copy], "KEY");
            scene.db.exec("SET sql_mode = ''");
            // The copy prints what is far.
            scene.db.exec(&format!(
                "INSERT INTO src.t VALUES (1, '{near}', 'a'), (2, '{far}', 'b'), \
                 (3, '2024-02-29 12:00:00', 'c'), (4, '0000-00-00 00:00:00', 'd')"
            ));
            scene.db.exec(&format!(
                "INSERT INTO des.t VALUES ('{far}', 'b'), ('2024-02-29 12:00:00', 'x'), ('0000-00-00 00:00:00', 'd')"
            ));
            let expected = BTreeSet::from([(1, 1), (3, 2)]);
            assert_eq!(called(&scene)[0], expected, "{zone}, {source}");
        }
    }
}

#[test]
fn a_uuid_finds_its_bytes_and_its_text() {
    if !Db::new(0).is_mariadb() {
        return; // MySQL has no type for it.
    }
    let (text, hex) = (
        "'123e4567-e89b-12d3-a456-426655440000'",
        "X'123e4567e89b12d3a456426655440000'",
    );
    let members = [
        ("UUID", text),
        ("BINARY(16)", hex),
        ("CHAR(36)", text),
        ("VARBINARY(36)", text),
    ];
    for (source, value) in members {
        // Without a UUID on either side, bytes are no text.
        let others: Vec<_> = members
            .iter()
            .filter(|(key, _)| source == "UUID" || *key == "UUID")
            .collect();
        let types: Vec<&str> = others.iter().map(|(key, _)| *key).collect();
        let scene = keyed(source, &types, "KEY");
        scene
            .db
            .exec(&format!("INSERT INTO src.t VALUES (1, {value}, 'a')"));
        for (database, (_, value)) in scene.db.copies.iter().zip(&others) {
            scene
                .db
                .exec(&format!("INSERT INTO `{database}`.t VALUES ({value}, 'a')"));
        }
        for (key, called) in types.iter().zip(called(&scene)) {
            assert!(called.is_empty(), "{source} in {key}: {called:?}");
        }
    }
}
