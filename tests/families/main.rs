//! Source and destination on two servers that have as little in common as they can: families, versions, zones, `sql_mode`s,
//! character sets, collations. What the owner's code writes there from the callbacks is in sync, whichever way it is looked
//! at, and the least change of any value is found.
//!
//! The servers are those of `CUPID_TEST_DSN` and `CUPID_TEST_DESTINATION_DSN`; a private `MariaDB` stands in for either.

mod columns;
#[path = "../common/mod.rs"]
mod common;
mod keys;
mod servers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use columns::{EXACT, Kind, OTHERWISE};
use common::{Callback, Db, Outcome, Scene};
use mysql::Value;
use mysql::prelude::Queryable;
use serde_json::json;
use servers::{SOURCE_ZONE, Servers};

/// A source here, its copy there.
struct Apart {
    here: Arc<Db>,
    there: Arc<Db>,
    scene: Scene,
    /// Dropped last.
    _servers: Servers,
}

impl Apart {
    fn new() -> Self {
        let servers = Servers::set();
        let here = Db::on(Arc::clone(&servers.source), 1);
        let there = Db::on(Arc::clone(&servers.destination), 1);
        let mut scene = Scene::bare(Arc::clone(&here));
        scene
            .config
            .set_place("/des/0", &there, &there.copies[0])
            .set("/confirmDelayMillisecond", 0);
        for db in [&here, &there] {
            db.exec("SET time_zone = '+00:00'");
        }
        Self {
            here,
            there,
            scene,
            _servers: servers,
        }
    }

    /// Two tables `t`, made under their servers' own modes, and found by this column.
    fn tables(&mut self, source: &str, destination: &str, key: &str) {
        for (db, table, columns, charset) in [
            (&self.here, "src.t", source, "latin1"),
            (&self.there, "des.t", destination, "gbk"),
        ] {
            db.exec("SET sql_mode = @@GLOBAL.sql_mode");
            db.exec(&format!(
                "CREATE TABLE {table} ({columns}) CHARACTER SET {charset}"
            ));
            db.exec("SET sql_mode = ''");
        }
        for pointer in ["/src", "/des/0"] {
            self.scene
                .config
                .set(&format!("{pointer}/table"), "t")
                .set(&format!("{pointer}/byColumn"), key);
        }
    }

    /// A look at everything, as if it were the first.
    fn looks(&self, command: &str) -> (Outcome, Vec<Callback>) {
        self.scene.config.forget();
        let (command, args) = command.split_once(' ').unwrap_or((command, ""));
        let outcome = self.scene.cupid(command).args(args).run();
        (outcome, self.scene.receiver().take())
    }

    /// How many statements with these words the destination had from cupid.
    fn asked(&self, words: &str) -> u64 {
        let reader = &self.there.reader;
        let count: Vec<u64> = self.there.query(&format!(
            "SELECT COUNT(*) FROM mysql.general_log WHERE user_host LIKE '{reader}%' AND argument LIKE '%{words}%'"
        ));
        count[0]
    }
}

/// Every way to look at a whole table, and its exit status where something is wrong.
const LOOKS: [(&str, i32); 3] = [
    ("run", 0),
    ("reconcile --method stream", 1),
    ("reconcile --method checksum", 1),
];

/// A row whose column the test is about, and what that holds in the end.
struct Case {
    column: usize,
    value: &'static str,
    changed: &'static str,
}

/// One for each value of each column.
fn cases(kinds: &[Kind]) -> Vec<Case> {
    let cases = kinds.iter().enumerate().flat_map(|(column, kind)| {
        kind.values.iter().map(move |&(value, changed)| Case {
            column,
            value,
            changed,
        })
    });
    cases.collect()
}

fn names(kinds: &[Kind]) -> Vec<String> {
    (0..kinds.len())
        .map(|column| format!("c{column}"))
        .collect()
}

/// Two rows for each case, in the source only; those with the lower ids will be changed.
fn filled(kinds: &[Kind]) -> Apart {
    let mut apart = Apart::new();
    let (here, there) = (apart.here.is_mariadb(), apart.there.is_mariadb());
    let names = names(kinds);
    let declared = |of: &dyn Fn(&Kind) -> &'static str| {
        let columns = names.iter().zip(kinds);
        let columns = columns.map(|(name, kind)| format!("{name} {}", of(kind)));
        format!(
            "id INT PRIMARY KEY, {}",
            columns.collect::<Vec<_>>().join(", ")
        )
    };
    let (source, destination) = (
        declared(&|kind| kind.source(here)),
        declared(&|kind| kind.destination(there)),
    );
    apart.tables(&source, &destination, "id");
    let pairs: BTreeMap<&String, &String> = names.iter().map(|name| (name, name)).collect();
    apart.scene.config.set("/des/0/columns", json!(pairs));

    let cases = cases(kinds);
    let rows = cases.iter().chain(&cases).enumerate().map(|(at, case)| {
        let values = kinds.iter().enumerate().map(|(column, kind)| {
            if column == case.column {
                case.value
            } else {
                kind.values[at % kind.values.len()].0
            }
        });
        format!("({}, {})", at + 1, values.collect::<Vec<_>>().join(", "))
    });
    let rows: Vec<String> = rows.collect();
    apart
        .here
        .exec(&format!("INSERT INTO src.t VALUES {}", rows.join(", ")));
    apart
}

/// What the owner's code does with a callback: it writes the row there, in a session of the source's zone.
fn write(apart: &Apart, kinds: &[Kind], callbacks: &[Callback]) {
    let written: Vec<&str> = kinds.iter().map(|kind| kind.written).collect();
    let sql = format!("INSERT INTO des.t VALUES (?, {})", written.join(", "));
    apart
        .there
        .exec(&format!("SET time_zone = '{SOURCE_ZONE}'"));
    for callback in callbacks {
        assert_eq!(callback.kind(), 1, "{}", callback.text);
        let row = &callback.body["srcColumn"];
        let values = names(kinds).into_iter().map(|name| sent(&row[&name]));
        let values: Vec<Value> = std::iter::once(callback.id().into())
            .chain(values)
            .collect();
        apart.there.exec_with(&sql, values);
    }
    apart.there.exec("SET time_zone = '+00:00'");
}

fn sent(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::NULL,
        serde_json::Value::String(text) => Value::Bytes(text.clone().into_bytes()),
        serde_json::Value::Number(number) => {
            let integer = number.as_i64().map(Value::Int);
            let integer = integer.or_else(|| number.as_u64().map(Value::UInt));
            integer
                .or_else(|| number.as_f64().map(Value::Double))
                .expect("A number that a server can hold")
        }
        other => panic!("A callback holds {other}"),
    }
}

/// Nothing is said to be wrong, whichever way it is looked at.
#[track_caller]
fn assert_in_sync(apart: &Apart) {
    for (command, _) in LOOKS {
        let (outcome, callbacks) = apart.looks(command);
        let columns = columns_of(&callbacks);
        assert_eq!(
            outcome.code,
            Some(0),
            "{command}: {}, {columns:?}",
            outcome.stderr
        );
        assert!(callbacks.is_empty(), "{command}: {columns:?}");
    }
}

/// The columns that callbacks say to differ, by id.
fn columns_of(callbacks: &[Callback]) -> BTreeMap<u64, &str> {
    let columns = callbacks.iter().map(|callback| {
        let columns = callback.headers.get("cupid-columns");
        (callback.id(), columns.map_or("", String::as_str))
    });
    columns.collect()
}

/// Each case's value is changed at the destination; every look finds these rows and columns, no others, and sends what the
/// source holds.
fn assert_changes_are_found(apart: &Apart, kinds: &[Kind], bodies: &BTreeMap<u64, String>) {
    let (here, there) = (apart.here.is_mariadb(), apart.there.is_mariadb());
    let cases = cases(kinds);
    let names = names(kinds);
    for (id, case) in (1_u64..).zip(&cases) {
        let (name, changed) = (&names[case.column], case.changed);
        apart.there.exec(&format!(
            "UPDATE des.t SET {name} = {changed} WHERE id = {id}"
        ));
    }
    for (command, code) in LOOKS {
        let (outcome, callbacks) = apart.looks(command);
        let found = columns_of(&callbacks);
        let mut wrong = Vec::new();
        for (id, case) in (1_u64..).zip(&cases) {
            let said = found.get(&id).copied();
            if said != Some(names[case.column].as_str()) {
                let kind = &kinds[case.column];
                wrong.push(format!(
                    "{} {:.60} changed to {} {:.60}: said is {said:?}, column {} differs",
                    kind.source(here),
                    case.value,
                    kind.destination(there),
                    case.changed,
                    names[case.column]
                ));
            }
        }
        assert!(wrong.is_empty(), "{command}:\n{}", wrong.join("\n"));
        assert_eq!(
            found.len(),
            cases.len(),
            "{command} calls back others: {found:?}"
        );
        assert_eq!(
            callbacks.len(),
            cases.len(),
            "{command} calls back once a row"
        );
        assert_eq!(outcome.code, Some(code), "{command}: {}", outcome.stderr);
        for callback in &callbacks {
            assert_eq!(callback.kind(), 2, "{command}: {}", callback.text);
            let row = callback.body["srcColumn"].to_string();
            assert_eq!(bodies[&callback.id()], row, "{command}: the source's row");
        }
    }
}

/// The statements of an audit, applied under the destination's own settings, repair everything.
fn assert_statements_repair(apart: &Apart) {
    let path = apart.scene.config.folder().join("fix.sql");
    let command = format!("reconcile --dry-run --fix-sql {}", path.display());
    let (outcome, _) = apart.looks(&command);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    let text = std::fs::read_to_string(path).expect("The statements are there");
    let mut session = apart.there.session();
    let own = "SET NAMES latin1, sql_mode = @@GLOBAL.sql_mode";
    for line in std::iter::once(own).chain(text.lines()) {
        if !line.is_empty() && !line.starts_with("--") {
            let said = session.query_drop(line);
            said.unwrap_or_else(|error| panic!("{error} in: {line:.300}"));
        }
    }
    assert_in_sync(apart);
}

/// The whole way: called back, written, in sync, changed, found, repaired.
fn goes_there_and_back(kinds: &[Kind]) -> Apart {
    let apart = filled(kinds);
    let (outcome, callbacks) = apart.looks("run");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let ids: BTreeSet<u64> = callbacks.iter().map(Callback::id).collect();
    let expected: BTreeSet<u64> = (1..).take(2 * cases(kinds).len()).collect();
    assert_eq!(ids, expected, "every row is missing");
    write(&apart, kinds, &callbacks);
    assert_in_sync(&apart);
    let bodies = callbacks
        .iter()
        .map(|callback| (callback.id(), callback.body["srcColumn"].to_string()));
    assert_changes_are_found(&apart, kinds, &bodies.collect());
    assert_statements_repair(&apart);
    apart
}

/// Texts of all rows, as one of the servers prints them.
fn printed(db: &Db, table: &str, columns: &[String]) -> Vec<Vec<Option<String>>> {
    let columns = columns.join(", ");
    let rows: Vec<mysql::Row> = db.query(&format!("SELECT {columns} FROM {table} ORDER BY id"));
    let texts = rows
        .into_iter()
        .map(|row| row.unwrap().into_iter().map(mysql::from_value).collect());
    texts.collect()
}

#[test]
fn every_type_goes_there_and_back_and_its_least_change_is_found() {
    let apart = goes_there_and_back(EXACT);
    // Not only cupid says so.
    let shown = names(EXACT);
    let shown = shown.iter().zip(EXACT).map(|(name, kind)| kind.shown(name));
    let (here, there): (Vec<String>, Vec<String>) = shown.map(|[one, other]| (one, other)).unzip();
    let rows = printed(&apart.here, "src.t", &here);
    assert_eq!(rows.len(), 2 * cases(EXACT).len());
    assert_eq!(rows, printed(&apart.there, "des.t", &there));
    // What every server prints alike is summed up: no row in sync is looked at.
    let (before, summed) = (apart.asked("` IN ("), apart.asked("SHA2("));
    assert!(before > 0, "the log tells what is looked up");
    let (outcome, _) = apart.looks("reconcile --method checksum");
    outcome.assert_silent();
    assert!(apart.asked("SHA2(") > summed, "the destination summed up");
    assert_eq!(apart.asked("` IN ("), before, "and looked nothing up");
}

#[test]
fn copies_of_another_kind_go_there_and_back_and_their_least_change_is_found() {
    let apart = goes_there_and_back(OTHERWISE);
    let (outcome, _) = apart.looks("reconcile --method checksum");
    outcome.assert_says(&["is read whole, without checksums"]);
}

#[test]
fn an_update_here_that_got_lost_on_its_way_there_is_found() {
    let mut apart = Apart::new();
    apart.tables(
        "id BIGINT PRIMARY KEY, number VARCHAR(64), name VARCHAR(64), \
         update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (update_time)",
        "number VARCHAR(64) PRIMARY KEY, name VARCHAR(64)",
        "number",
    );
    apart
        .scene
        .config
        .with_updates(5)
        .set("/src/insert", false)
        .set("/des/0/columns", json!({"name": "name"}));
    apart.here.exec("INSERT INTO src.t VALUES (1, 'é', 'a', NOW() - INTERVAL 1 DAY), (2, 'ü', 'b', NOW() - INTERVAL 1 DAY)");
    apart
        .there
        .exec("INSERT INTO des.t VALUES ('é', 'a'), ('ü', 'b')");
    let run = || {
        apart
            .scene
            .cupid("run")
            .env("TZ", "America/New_York")
            .exits(0)
    };
    run().assert_silent();
    apart.here.exec("UPDATE src.t SET name = 'é' WHERE id = 2");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    run();
    assert_eq!(apart.scene.receiver().ids(), [2]);
    assert_eq!(apart.scene.receiver().callbacks()[0].text_of("name"), "é");
}
