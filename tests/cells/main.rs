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

/// Each pair of columns is one table, each pair of values one row; all that is wrong is said at once.
fn judge(pairs: &[Pair]) {
    let wrong: Vec<String> = pairs
        .iter()
        .flat_map(|pair| misjudged(pair, &json!("v")))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The same for one pair of columns under a rule.
fn judge_by_rule(pair: &Pair, rule: Value) {
    let mut column = rule;
    column["to"] = json!("v");
    let wrong = misjudged(pair, &column);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The pairs of values that cupid takes for what they are not. `column` is what the configuration says of the column.
fn misjudged(pair: &Pair, column: &Value) -> Vec<String> {
    let (left, right) = (pair.source, pair.destination);
    let db = Db::new(1);
    db.exec(&format!(
        "CREATE TABLE src.t (id INT PRIMARY KEY, v {left})"
    ));
    db.exec(&format!(
        "CREATE TABLE des.t (id INT PRIMARY KEY, v {right})"
    ));
    let values: Vec<_> = pair.equal.iter().chain(pair.different).collect();
    for (id, (source, destination)) in (1..).zip(&values) {
        db.exec(&format!("INSERT INTO src.t VALUES ({id}, {source})"));
        db.exec(&format!("INSERT INTO des.t VALUES ({id}, {destination})"));
    }
    let mut scene = Scene::bare(db);
    for pointer in ["/src", "/des/0"] {
        scene
            .config
            .set(&format!("{pointer}/table"), "t")
            .set(&format!("{pointer}/byColumn"), "id");
    }
    scene
        .config
        .set("/des/0/columns", json!({ "v": column }))
        .set("/confirmDelayMillisecond", 0);
    let outcome = scene.cupid("run").run();
    if outcome.code != Some(0) {
        return vec![format!(
            "{left} against {right}: exit status {:?}, {}",
            outcome.code, outcome.stderr
        )];
    }
    let called = scene.receiver().ids();
    let mut wrong = Vec::new();
    for (i, (source, destination)) in values.iter().enumerate() {
        let words = match (i < pair.equal.len(), called.contains(&(i as u64 + 1))) {
            (true, true) => "are equal and were called back",
            (false, false) => "differ and were not called back",
            _ => continue,
        };
        wrong.push(format!(
            "{left} {source:.80} and {right} {destination:.80} {words}"
        ));
    }
    wrong
}

#[test]
fn a_columns_rule_loosens_its_own_comparison() {
    let judge = |source, destination, equal, different, rule: Value| {
        judge_by_rule(&pair(source, destination, equal, different), rule);
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
