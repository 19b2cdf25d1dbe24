//! Properties over random rows: a row equals its own round trip through the server, any single change is seen, and what
//! is sent is what the server itself prints.

mod common;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{Db, Scene, assert_ids};
use mysql::Value;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

const ROWS: u64 = 400;

/// Columns, and the SQL that makes each a little different (never NULL, never what it was).
const COLUMNS: [(&str, &str, &str); 10] = [
    ("i", "BIGINT", "IF(i IS NULL, 7, i ^ 1)"),
    ("u", "BIGINT UNSIGNED", "IF(u IS NULL, 7, u ^ 1)"),
    (
        "d",
        "DECIMAL(65,30)",
        "IF(d IS NULL, 7, d + IF(d < 0, 1, -1) * 0.000000000000000000000000000001)",
    ),
    ("e", "DOUBLE", "IF(e IS NULL, 7, IF(e = 0, 1, e / 2))"),
    ("f", "FLOAT", "IF(f IS NULL, 7, IF(f = 0, 1, f / 2))"),
    (
        "t",
        "VARCHAR(300) COLLATE utf8mb4_bin",
        "IF(t IS NULL, '', CONCAT(t, ' '))",
    ),
    (
        "b",
        "VARBINARY(300)",
        "IF(b IS NULL, '', CONCAT(b, CHAR(0)))",
    ),
    (
        "s",
        "DATETIME(6)",
        "IF(s IS NULL, '2000-01-01', IF(MICROSECOND(s) = 0, s + INTERVAL 1 MICROSECOND, s - INTERVAL 1 MICROSECOND))",
    ),
    (
        "y",
        "DATE",
        "IF(y IS NULL, '2000-01-01', IF(y > '5000-01-01', y - INTERVAL 1 DAY, y + INTERVAL 1 DAY))",
    ),
    (
        "h",
        "TIME(3)",
        "IF(h IS NULL, '00:00:01', IF(h > 0, SUBTIME(h, '00:00:00.001'), ADDTIME(h, '00:00:00.001')))",
    ),
];

/// One value for each column; every tenth or so is NULL.
fn rows() -> Vec<Vec<Value>> {
    fn some<T: Into<Value> + std::fmt::Debug + 'static>(
        values: impl Strategy<Value = T> + 'static,
    ) -> BoxedStrategy<Value> {
        prop_oneof![1 => Just(Value::NULL), 9 => values.prop_map(Into::into)].boxed()
    }
    let row: Vec<BoxedStrategy<Value>> = vec![
        some(any::<i64>()),
        some(any::<u64>()),
        some("-?[1-9][0-9]{0,33}\\.[0-9]{30}"),
        some(
            prop::num::f64::NORMAL
                .prop_filter("MySQL's range", |x| x.abs() > 1e-300 && x.abs() < 1e300),
        ),
        some(
            prop::num::f32::NORMAL
                .prop_filter("MySQL's range", |x| x.abs() > 1e-30 && x.abs() < 1e30),
        ),
        some("\\PC{0,60}"),
        some(prop::collection::vec(any::<u8>(), 0..60)),
        some(
            "[1-9][0-9]{3}-(0[1-9]|1[0-2])-([01][1-9]|2[0-8]) ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\\.[0-9]{6}",
        ),
        some("[1-9][0-9]{3}-(0[1-9]|1[0-2])-([01][1-9]|2[0-8])"),
        some("-?[0-7][0-9]{2}:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}"),
    ];
    let mut runner = TestRunner::deterministic();
    (0..ROWS)
        .map(|_| row.new_tree(&mut runner).expect("A row").current())
        .collect()
}

fn scene() -> Scene {
    let db = Db::new(1);
    let columns: Vec<String> = COLUMNS
        .iter()
        .map(|(name, kind, _)| format!("{name} {kind}"))
        .collect();
    for name in ["src.t", "des.t"] {
        db.exec(&format!(
            "CREATE TABLE {name} (id INT PRIMARY KEY, {})",
            columns.join(", ")
        ));
    }
    for (id, mut row) in (1..=ROWS).zip(rows()) {
        row.insert(0, id.into());
        db.exec_with(
            "INSERT INTO src.t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        );
    }
    let mut scene = Scene::bare(db);
    for pointer in ["/src", "/des/0"] {
        scene
            .config
            .set(&format!("{pointer}/table"), "t")
            .set(&format!("{pointer}/byColumn"), "id");
    }
    let pairs: BTreeMap<&str, &str> = COLUMNS.iter().map(|(name, ..)| (*name, *name)).collect();
    scene
        .config
        .set("/des/0/columns", json!(pairs))
        .set("/confirmDelayMillisecond", 0);
    scene
}

#[test]
fn a_row_equals_its_own_round_trip_through_the_server() {
    let scene = scene();
    scene.db.exec("INSERT INTO des.t SELECT * FROM src.t");
    scene.run(0).assert_silent();
    assert_ids(&scene.receiver().ids(), []);
}

#[test]
fn any_change_of_one_cell_is_seen() {
    let scene = scene();
    scene.db.exec("INSERT INTO des.t SELECT * FROM src.t");
    for (i, (column, _, change)) in COLUMNS.iter().enumerate() {
        scene.db.exec(&format!(
            "UPDATE des.t SET {column} = {change} WHERE id % {} = {i}",
            COLUMNS.len()
        ));
    }
    scene.run(0);
    for callback in scene.receiver().callbacks() {
        let column = COLUMNS[usize::try_from(callback.id()).expect("Small") % COLUMNS.len()].0;
        assert_eq!(
            callback.header("cupid-columns"),
            column,
            "row {}",
            callback.id()
        );
    }
    assert_ids(&scene.receiver().ids(), 1..=ROWS);
}

/// `id`, then the columns but `e` and `f`, as the server prints them.
type Printed = (
    u64,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<Vec<u8>>,
    Option<String>,
    Option<String>,
    Option<String>,
);

#[test]
fn what_is_sent_is_what_the_server_prints() {
    let scene = scene();
    scene.run(0);
    assert_ids(&scene.receiver().ids(), 1..=ROWS);
    let printed: Vec<Printed> = scene.db.query(
        "SELECT id, CAST(i AS CHAR), CAST(u AS CHAR), CAST(d AS CHAR), t, b, CAST(s AS CHAR), CAST(y AS CHAR), CAST(h AS CHAR) FROM src.t",
    );
    let callbacks = scene.receiver().callbacks();
    let bodies: BTreeMap<u64, _> = callbacks
        .iter()
        .map(|c| (c.id(), &c.body["srcColumn"]))
        .collect();
    for (id, i, u, d, t, b, s, y, h) in printed {
        let body = bodies[&id];
        let number = |text: Option<String>| {
            text.map_or(json!(null), |text| {
                serde_json::from_str(&text).expect("A number")
            })
        };
        assert_eq!(
            (&body["i"], &body["u"]),
            (&number(i), &number(u)),
            "row {id}"
        );
        for (column, text) in [("d", d), ("t", t), ("s", s), ("y", y), ("h", h)] {
            assert_eq!(body[column], json!(text), "row {id} column {column}");
        }
        let bytes = b.map(|bytes| {
            String::from_utf8(bytes).unwrap_or_else(|error| STANDARD.encode(error.as_bytes()))
        });
        assert_eq!(body["b"], json!(bytes), "row {id} column b");
    }
    for (column, single) in [("e", false), ("f", true)] {
        let values: Vec<(u64, Option<f64>)> = scene
            .db
            .query(&format!("SELECT id, CAST({column} AS DOUBLE) FROM src.t"));
        for (id, value) in values {
            let sent = bodies[&id][column].as_f64();
            let same = match (sent, value) {
                #[allow(clippy::cast_possible_truncation, clippy::float_cmp)]
                // exactly this is asked
                (Some(sent), Some(value)) => {
                    if single {
                        sent as f32 == value as f32
                    } else {
                        sent == value
                    }
                }
                (sent, value) => sent == value,
            };
            assert!(
                same,
                "row {id} column {column}: sent {sent:?}, the server holds {value:?}"
            );
        }
    }
}
