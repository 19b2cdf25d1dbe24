//! When two cells are equal, on the real server: each row of a table is one pair of columns with values that must agree
//! and values that must not.

#[path = "../common/mod.rs"]
mod common;
mod numbers;
mod text;
mod times;

use common::{Db, Scene};
use serde_json::{Value, json};

/// Two column types and, as SQL, pairs of source and destination values.
struct Pair {
    source: &'static str,
    destination: &'static str,
    equal: &'static [(&'static str, &'static str)],
    different: &'static [(&'static str, &'static str)],
}

const fn pair(
    source: &'static str,
    destination: &'static str,
    equal: &'static [(&'static str, &'static str)],
    different: &'static [(&'static str, &'static str)],
) -> Pair {
    Pair {
        source,
        destination,
        equal,
        different,
    }
}

/// Each pair of columns is one table, each pair of values one row.
fn judge(pairs: &[Pair]) {
    for pair in pairs {
        judge_with(pair, &Value::Null);
    }
}

fn judge_with(pair: &Pair, rule: &Value) {
    let db = Db::new(1);
    db.exec(&format!(
        "CREATE TABLE src.t (id INT PRIMARY KEY, v {})",
        pair.source
    ));
    db.exec(&format!(
        "CREATE TABLE des.t (id INT PRIMARY KEY, v {})",
        pair.destination
    ));
    let values: Vec<_> = pair.equal.iter().chain(pair.different).collect();
    for (id, (source, destination)) in values.iter().enumerate() {
        db.exec(&format!("INSERT INTO src.t VALUES ({}, {source})", id + 1));
        db.exec(&format!(
            "INSERT INTO des.t VALUES ({}, {destination})",
            id + 1
        ));
    }
    let mut scene = Scene::bare(db);
    for pointer in ["/src", "/des/0"] {
        scene
            .config
            .set(&format!("{pointer}/table"), "t")
            .set(&format!("{pointer}/byColumn"), "id");
    }
    let mut column = json!({"to": "v"});
    if let Value::Object(rule) = rule {
        column
            .as_object_mut()
            .expect("An object")
            .extend(rule.clone());
        scene.config.set("/des/0/columns", json!({"v": column}));
    } else {
        scene.config.set("/des/0/columns", json!({"v": "v"}));
    }
    scene.config.set("/confirmDelayMillisecond", 0);
    let outcome = scene.cupid("run").run();
    assert_eq!(
        outcome.code,
        Some(0),
        "{} against {}: {}",
        pair.source,
        pair.destination,
        outcome.stderr
    );
    let called = scene.receiver().ids();
    for (i, (source, destination)) in values.iter().enumerate() {
        let expected = i >= pair.equal.len();
        let was = called.contains(&(i as u64 + 1));
        let (left, right) = (pair.source, pair.destination);
        assert_eq!(
            was, expected,
            "{left} {source:.80} against {right} {destination:.80}: called back?"
        );
    }
}

#[test]
fn a_columns_rule_loosens_its_own_comparison() {
    let judge = |source, destination, equal, different, rule: Value| {
        judge_with(&pair(source, destination, equal, different), &rule);
    };
    judge(
        "DECIMAL(10,4)",
        "DOUBLE",
        &[("1.0000", "1.005"), ("1.0000", "0.995")],
        &[("1.0000", "1.02"), ("1.0000", "NULL")],
        json!({"tolerance": 0.01}),
    );
    judge(
        "VARCHAR(9)",
        "VARCHAR(9)",
        &[("'a'", "' a  '"), ("'a'", "'a'")],
        &[("'a'", "'b'"), ("'a'", "'A'")],
        json!({"trim": true}),
    );
    judge(
        "VARCHAR(9)",
        "VARCHAR(9)",
        &[("'a'", "'A'"), ("'É'", "'é'")],
        &[("'a'", "'b'"), ("'e'", "'é'")],
        json!({"ignoreCase": true}),
    );
    judge(
        "VARCHAR(9)",
        "VARCHAR(9)",
        &[("''", "NULL"), ("NULL", "''"), ("NULL", "NULL")],
        &[("NULL", "'0'"), ("' '", "NULL")],
        json!({"nullEqualsEmpty": true}),
    );
    judge(
        "VARCHAR(9)",
        "VARCHAR(9)",
        &[("' A '", "'a'"), ("'  '", "NULL")],
        &[("'a'", "'b'")],
        json!({"trim": true, "ignoreCase": true, "nullEqualsEmpty": true}),
    );
}

#[test]
fn types_of_one_server_only_agree_with_themselves() {
    let mariadb = Db::new(0).is_mariadb();
    if mariadb {
        judge(&[
            pair(
                "UUID",
                "UUID",
                &[(
                    "'123e4567-e89b-12d3-a456-426655440000'",
                    "'123e4567-e89b-12d3-a456-426655440000'",
                )],
                &[(
                    "'123e4567-e89b-12d3-a456-426655440000'",
                    "'123e4567-e89b-12d3-a456-426655440001'",
                )],
            ),
            pair(
                "UUID",
                "CHAR(36)",
                &[(
                    "'123e4567-e89b-12d3-a456-426655440000'",
                    "'123e4567-e89b-12d3-a456-426655440000'",
                )],
                &[(
                    "'123e4567-e89b-12d3-a456-426655440000'",
                    "'123e4567-e89b-12d3-a456-426655440001'",
                )],
            ),
            pair(
                "INET6",
                "INET6",
                &[("'2001:db8::1'", "'2001:db8:0::1'")],
                &[("'2001:db8::1'", "'2001:db8::2'")],
            ),
            // MariaDB's JSON is checked text: decimals keep the digits that were written.
            pair(
                "JSON",
                "JSON",
                &[(
                    "'{\"n\": 0.10000000000000000001}'",
                    "'{\"n\":0.10000000000000000001}'",
                )],
                &[(
                    "'{\"n\": 0.10000000000000000001}'",
                    "'{\"n\": 0.10000000000000000002}'",
                )],
            ),
        ]);
    }
    judge(&[pair(
        "GEOMETRY",
        "GEOMETRY",
        &[(
            "ST_GeomFromText('POINT(1 2)')",
            "ST_GeomFromText('POINT(1 2)')",
        )],
        &[(
            "ST_GeomFromText('POINT(1 2)')",
            "ST_GeomFromText('POINT(2 1)')",
        )],
    )]);
}
