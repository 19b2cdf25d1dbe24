//! Sessions on a server whose administrator has set everything that a session inherits against its readers.

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Callback, Db, Scene, Server};
use mysql::prelude::Queryable;

/// Every one of these would change a result, leave a transaction open or cut a session off.
const AGAINST_READERS: [&str; 22] = [
    "autocommit=0",
    "completion_type=CHAIN",
    "sql_select_limit=20",
    "max_join_size=10",
    "sql_big_selects=0",
    "sql_auto_is_null=1",
    "max_sort_length=64",
    "max_error_count=0",
    "lock_wait_timeout=1",
    "innodb_lock_wait_timeout=1",
    "wait_timeout=1",
    "net_write_timeout=1",
    "net_read_timeout=1",
    "group_concat_max_len=4",
    "div_precision_increment=0",
    "lc_time_names='de_DE'",
    "sql_buffer_result=1",
    "tx_isolation='SERIALIZABLE'",
    "time_zone='+08:00'",
    "system_versioning_asof='2020-01-01 00:00:00'",
    "init_connect='SET time_zone=''-03:00''; START TRANSACTION WITH CONSISTENT SNAPSHOT'",
    "sql_mode='ORACLE,EMPTY_STRING_IS_NULL,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,TRADITIONAL'",
];

/// Databases on a server of their own. The sessions of this test keep their own settings.
fn against_readers(copies: usize) -> Arc<Db> {
    let db = Db::on(Server::private(), copies);
    for setting in AGAINST_READERS {
        db.exec(&format!("SET GLOBAL {setting}"));
    }
    db
}

#[test]
fn a_server_set_against_its_readers_changes_no_row_and_no_body() {
    let mut scene = Scene::bare(against_readers(1));
    let columns: Vec<String> = (1..=43).map(|n| format!("c{n} VARCHAR(20)")).collect();
    for table in ["src.t", "des.t"] {
        scene.db.exec(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, {}) WITH SYSTEM VERSIONING",
            columns.join(", ")
        ));
    }
    let rows: Vec<String> = (1..=60).map(|id| format!("({id}, 'a\\\\b', '')")).collect();
    let rows = rows.join(",");
    scene
        .db
        .exec(&format!("INSERT INTO src.t (id, c1, c2) VALUES {rows}"));
    scene
        .db
        .exec("INSERT INTO des.t SELECT * FROM src.t WHERE id NOT IN (7, 50)");
    for place in ["/src", "/des/0"] {
        scene
            .config
            .set(&format!("{place}/table"), "t")
            .set(&format!("{place}/byColumn"), "id");
    }
    let all: serde_json::Map<_, _> = (1..=43)
        .map(|n| (format!("c{n}"), format!("c{n}").into()))
        .collect();
    scene.config.set("/des/0/columns", all);
    for command in [
        "run",
        "reconcile --method stream --extra",
        "reconcile --method checksum",
    ] {
        let (command, args) = command.split_once(' ').unwrap_or((command, ""));
        let code = i32::from(command == "reconcile");
        let outcome = scene.cupid(command).args(args).exits(code);
        let callbacks = scene.receiver().take();
        let mut ids: Vec<u64> = callbacks.iter().map(Callback::id).collect();
        ids.sort_unstable();
        assert_eq!(ids, [7, 50], "{command} {args}: {outcome:?}");
        let row = callbacks[0].body["srcColumn"].as_object().unwrap();
        assert_eq!((row.len(), &row["c1"]), (44, &"a\\b".into()));
    }
}

/// What is open on the server beside this session.
fn transactions(db: &Db) -> u64 {
    db.query("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> CONNECTION_ID()")[0]
}

#[test]
fn a_waiting_pass_blocks_no_alter_table() {
    let mut scene = Scene::bare(against_readers(2));
    scene.db.user_table();
    scene.db.add_users(1..=40);
    scene
        .config
        .with_updates(1)
        .set("/confirmDelayMillisecond", 400);
    scene.receivers[0].answer(|_| common::Answer::status(503));
    let running = scene.cupid("run").args("--every 100ms --for 5s").spawn();
    let began = Instant::now();
    let mut altered = 0;
    let mut session = scene.db.session();
    session
        .query_drop("SET autocommit=1, lock_wait_timeout=1")
        .unwrap();
    while began.elapsed() < Duration::from_secs(4) {
        for table in ["src.user", "des.user", "des2.user"] {
            let sql = scene
                .db
                .sql(&format!("ALTER TABLE {table} COMMENT 'no {altered}'"));
            session
                .query_drop(&sql)
                .unwrap_or_else(|error| panic!("{error} in {sql}"));
        }
        altered += 1;
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(altered > 10, "{altered}");
    // A statement is over in milliseconds; what is there ten times in a row stays.
    let open = (0..10).map(|_| {
        std::thread::sleep(Duration::from_millis(20));
        transactions(&scene.db)
    });
    assert_eq!(open.min(), Some(0), "no transaction stays open");
    let outcome = running.wait();
    assert!(scene.receivers[1].count() > 0, "{outcome:?}");
}
