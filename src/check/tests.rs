//! One thing changed in a sound world, and what is said of it.

use std::path::Path;

mod advice;
mod destination;
mod files;
mod server;
mod settings;
mod source;
mod state;

use super::*;
use crate::check::facts::{
    ColumnFacts, Filled, Index, Refused, ServerFacts, Side, StateFacts, TableFacts,
};
use crate::config::{Surroundings, parse};
use crate::logic::value::cell::ColumnType;

/// 2026-07-01 00:00:00 UTC.
const NOW_US: i64 = 1_782_864_000_000_000;

const CONFIG: &str = r#"{
    "name": "t",
    "src": {"dsn": "mysql:host=127.0.0.1;dbname=a", "user": "r", "password": "p", "table": "user", "byColumn": "number",
            "insert": true, "update": true, "updateColumn": "updated", "updateScanSecond": 5, "cacheFilePath": "/s"},
    "des": [{"name": "copy1", "dsn": "mysql:host=127.0.0.1;dbname=b", "user": "r", "password": "p", "table": "user",
             "byColumn": "number", "columns": {"name": "name"}, "callbackNotification": {"url": "http://127.0.0.1/x"}}]
}"#;

/// `warning: src.user: …`, the remedies below it.
impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error | Level::Failure => "error",
        };
        match self.key.as_str() {
            "" => write!(f, "{level}: {}", self.text)?,
            key => write!(f, "{level}: {key}: {}", self.text)?,
        }
        for line in &self.remedy {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

struct World {
    config: String,
    facts: Facts,
}

fn column(name: &str, column_type: ColumnType, declared: &str) -> ColumnFacts {
    let text = column_type == ColumnType::Text;
    ColumnFacts {
        name: name.into(),
        column_type,
        declared: declared.into(),
        nullable: false,
        length: text.then_some(64),
        digits: None,
        scale: None,
        charset: text.then(|| "utf8mb4".into()),
        collation: text.then(|| "utf8mb4_general_ci".into()),
        on_update: true,
        filled: Filled::Given,
    }
}

fn index(name: &str, unique: bool, columns: &[&str]) -> Index {
    Index {
        name: name.into(),
        unique,
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        by_prefix: false,
    }
}

fn side() -> Side {
    Side {
        server: ServerFacts {
            label: "127.0.0.1:3306".into(),
            version: "10.11.6-MariaDB".into(),
            remote: false,
            encrypted: false,
            ahead_us: 0,
            zone: "UTC".into(),
            zone_east_s: Some(0),
            account: "'r'@'%'".into(),
            lag: None,
            grants: vec!["GRANT SELECT ON `a`.* TO `r`@`%`".into()],
        },
        table: TableFacts {
            rows: Some(50_000),
            columns: vec![
                column("id", ColumnType::Int, "bigint(20)"),
                column("number", ColumnType::Text, "varchar(64)"),
                column("name", ColumnType::Text, "varchar(64)"),
                column("updated", ColumnType::DateTime(0), "datetime"),
            ],
            indexes: vec![
                index("PRIMARY", true, &["id"]),
                index("number", true, &["number"]),
                index("updated", false, &["updated"]),
            ],
            ..TableFacts::default()
        },
        plan: Some(Plan {
            access: "range".into(),
            key: Some("updated".into()),
            rows: 12,
            extra: "Using where".into(),
        }),
        refusal: None,
    }
}

impl World {
    fn sound() -> Self {
        Self {
            config: CONFIG.into(),
            facts: Facts {
                source: Ok(side()),
                destinations: vec![Ok(side())],
                endpoints: vec![Ok(())],
                metrics_unwritable: None,
                open_secrets: vec![],
                state: StateFacts {
                    of_another: None,
                    folder: "/s".into(),
                    exists: true,
                    owner_and_user: None,
                    unwritable: None,
                    unusable: vec![],
                    has_checkpoint: true,
                    first_cupids_id: None,
                    beyond: None,
                    lowest_id: None,
                },
            },
        }
    }

    fn source(&mut self) -> &mut Side {
        self.facts.source.as_mut().unwrap()
    }

    fn copy(&mut self) -> &mut Side {
        self.facts.destinations[0].as_mut().unwrap()
    }

    fn set(&mut self, from: &str, to: &str) {
        assert!(self.config.contains(from), "{from}");
        self.config = self.config.replacen(from, to, 1);
    }

    /// Sets a key of `src`.
    fn source_key(&mut self, pair: &str) {
        self.set("\"insert\"", &format!("{pair}, \"insert\""));
    }

    fn advice(&self) -> Vec<Finding> {
        let surroundings = Surroundings {
            env: &|_| None,
            read_file: &|_| Err(std::io::ErrorKind::NotFound.into()),
            cores: 1,
            readable_by_others: false,
        };
        let job = parse(&self.config, Path::new("/c.json"), &surroundings).unwrap();
        advise(&job, &self.facts, NOW_US)
    }
}

fn at<'a>(side: &'a mut Side, name: &str) -> &'a mut ColumnFacts {
    let columns = &mut side.table.columns;
    columns
        .iter_mut()
        .find(|column| column.name == name)
        .unwrap()
}

fn drop_index(side: &mut Side, name: &str) {
    side.table.indexes.retain(|index| index.name != name);
}

fn retype(column: &mut ColumnFacts, column_type: ColumnType, declared: &str) {
    column.column_type = column_type;
    column.declared = declared.into();
    column.length = None;
    column.charset = None;
    column.collation = None;
}

fn reads_all(side: &mut Side, rows: u64) {
    side.plan = Some(Plan {
        access: "ALL".into(),
        key: None,
        rows,
        extra: String::new(),
    });
}

#[test]
fn nothing_is_wrong_in_a_sound_world() {
    let findings = World::sound().advice();
    assert_eq!(exit(&findings), Exit::Done);
    assert!(
        findings.iter().all(|finding| finding.level == Level::Ok),
        "{findings:#?}"
    );
}

/// A change of the sound world, and what one finding then is: its beginning, and words of the rest.
type Case = (fn(&mut World), &'static str, &'static [&'static str]);

fn assert_said(cases: &[Case]) {
    for (number, (change, begin, words)) in cases.iter().enumerate() {
        let mut world = World::sound();
        change(&mut world);
        let said: Vec<String> = world.advice().iter().map(ToString::to_string).collect();
        let fits =
            |text: &String| text.starts_with(begin) && words.iter().all(|word| text.contains(word));
        assert!(
            said.iter().any(fits),
            "case {number}, {begin} {words:?}:\n{}",
            said.join("\n")
        );
    }
}

/// All that is said, with the statements that mend it.
fn said(change: impl Fn(&mut World)) -> String {
    let mut world = World::sound();
    change(&mut world);
    format!("{:?}", world.advice())
}

#[test]
fn a_refusal_is_told_where_nothing_is_unread() {
    let mut world = World::sound();
    world.source().refusal = Some("src.x: is odd".into());
    let says_it = |world: &World| {
        world
            .advice()
            .iter()
            .any(|found| found.text.contains("odd"))
    };
    assert!(says_it(&world));
    world.facts.destinations[0] = Err("Connection refused".into());
    assert!(!says_it(&world));
}

#[test]
fn either_insert_or_update_is_enough() {
    for off in [r#""insert": true"#, r#""update": true"#] {
        let mut world = World::sound();
        world.set(off, &off.replace("true", "false"));
        assert_ne!(exit(&world.advice()), Exit::Config, "{off}");
    }
}

#[test]
fn many_rows_that_an_index_finds_are_no_reason_to_warn() {
    let mut world = World::sound();
    for side in [&mut world.facts.source, &mut world.facts.destinations[0]] {
        side.as_mut().unwrap().plan.as_mut().unwrap().rows = 9_000_000;
    }
    assert_eq!(exit(&world.advice()), Exit::Done);
}

#[test]
fn a_plan_is_told_with_what_there_is_of_it() {
    let plan = |key: Option<&str>, rows, extra: &str| {
        explained(&Plan {
            access: "ref".into(),
            key: key.map(Into::into),
            rows,
            extra: extra.into(),
        })
    };
    assert_eq!(
        plan(Some("updated"), 1, "Using where"),
        "EXPLAIN: ref, index updated, 1 row, Using where"
    );
    assert_eq!(
        plan(None, 99_871, ""),
        "EXPLAIN: ref, no index, 99,871 rows"
    );
}

#[test]
fn no_password_hash_is_printed() {
    let mut world = World::sound();
    world.source().server.grants = vec![
        "GRANT ALL PRIVILEGES ON *.* TO `r`@`%` IDENTIFIED BY PASSWORD '*HIDDEN' WITH GRANT OPTION"
            .into(),
    ];
    assert!(!format!("{:?}", world.advice()).contains("HIDDEN"));
}

#[test]
fn the_worst_finding_decides_the_exit_status() {
    let mut world = World::sound();
    at(world.source(), "id").nullable = true;
    assert_eq!(exit(&world.advice()), Exit::Attention);
    world.set(r#"{"name": "name"}"#, r#"{"nme": "name"}"#);
    assert_eq!(exit(&world.advice()), Exit::Config);
    world.facts.destinations[0] = Err("Connection refused".into());
    let findings = world.advice();
    assert_eq!(exit(&findings), Exit::Failed);
    assert_eq!(
        findings[0].to_string(),
        "error: des[0].dsn (copy1): Connection refused"
    );
}

#[test]
fn a_key_is_told_from_a_sentence() {
    for (text, expected) in [
        ("src.x: is odd", ("src.x", "is odd")),
        ("it is odd: so", ("", "it is odd: so")),
        ("src.x is odd", ("", "src.x is odd")),
    ] {
        assert_eq!(by_key(text), expected);
    }
}

#[test]
fn a_host_is_found_in_an_address() {
    for (rest, host) in [
        ("shop.example.com:81/a@b", "shop.example.com"),
        ("u:p@shop/x", "shop"),
        ("[::1]:80/x", "::1"),
        ("127.0.0.1?x", "127.0.0.1"),
    ] {
        assert_eq!(host_of(rest), host);
    }
    assert!(is_loopback("::1") && is_loopback("Localhost") && !is_loopback("10.0.0.1"));
}
