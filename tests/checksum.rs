//! Audits by checksums: as exact as reading, where the servers can do it, and said where not.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::{Db, Outcome, Scene, Server, assert_ids};

/// Users whose keys grow with their ids, in the source and the copy.
fn aligned(users: u64) -> Scene {
    let scene = Scene::with_missing(1..=users);
    scene
        .db
        .exec("UPDATE src.user SET number = LPAD(id, 9, '0')");
    scene.db.copy_users();
    scene
}

fn audit(scene: &Scene) -> Outcome {
    scene
        .cupid("reconcile")
        .args("--method checksum --dry-run --report -")
        .run()
}

/// The ids in a report's lines, in order.
fn ids(report: &str) -> Vec<u64> {
    let ids = report.lines().skip(1).map(|line| {
        let id = line.split(',').nth(4).expect("Ten fields");
        id.parse().expect("An id")
    });
    let mut ids: Vec<u64> = ids.collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_table_in_sync_is_0_and_silent() {
    let scene = aligned(30_000);
    scene
        .cupid("reconcile")
        .args("--method checksum")
        .exits(0)
        .assert_silent();
}

#[test]
fn what_is_wrong_anywhere_is_found_and_nothing_else() {
    let scene = aligned(30_000);
    for statement in [
        "UPDATE des.user SET name = CONCAT(name, 'x') WHERE number IN ('000000001', '000008193', '000030000')",
        "UPDATE des.user SET avatar = NULL WHERE number = '000012345'",
        "DELETE FROM des.user WHERE number BETWEEN '000020000' AND '000020099'",
        "UPDATE src.user SET number = 'elsewhere' WHERE id = 25000",
    ] {
        scene.db.exec(statement);
    }
    let outcome = audit(&scene);
    let summary = "30,000 rows compared, 101 missing, 4 different";
    assert!(outcome.stderr.contains(summary), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("read whole"), "{}", outcome.stderr);
    let lost = 20_000..=20_099;
    let expected = [1, 8_193, 12_345, 25_000, 30_000].into_iter().chain(lost);
    assert_ids(&ids(&outcome.stdout), expected);
}

#[test]
fn rows_that_only_the_copy_has_make_no_row_wrong() {
    let scene = aligned(10_000);
    scene.db.exec(
        "INSERT INTO des.user (number, name) VALUES ('000005000x', 'a'), ('zzz', 'b'), ('', 'c')",
    );
    assert_eq!(audit(&scene).code, Some(0));
}

/// Such rows have no place among the keys, so they stay with the rows before them, however short the parts are.
#[test]
fn many_rows_without_a_key_next_to_each_other_are_found_missing() {
    let scene = aligned(3_000);
    scene
        .db
        .exec("ALTER TABLE src.user MODIFY number VARCHAR(64) NULL");
    scene
        .db
        .exec("UPDATE src.user SET number = NULL WHERE id BETWEEN 1000 AND 1999");
    let outcome = audit(&scene);
    assert_ids(&ids(&outcome.stdout), 1_000..=1_999);
}

#[test]
fn keys_in_another_order_are_read_and_said_so() {
    let scene = Scene::with_missing(1..=80_000);
    scene
        .db
        .exec("UPDATE src.user SET number = LPAD(id * 48271 % 2147483647, 12, '0')");
    scene.db.copy_users();
    scene.db.exec(
        "UPDATE des.user SET name = 'x' WHERE number = LPAD(777 * 48271 % 2147483647, 12, '0')",
    );
    let outcome = audit(&scene);
    assert_eq!(ids(&outcome.stdout), [777]);
    let reason = "its keys do not grow with the source's ids";
    assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
}

#[test]
fn columns_that_servers_may_print_otherwise_are_read_and_said_so() {
    let mut scene = aligned(100);
    for table in ["src.user", "des.user"] {
        scene
            .db
            .exec(&format!("ALTER TABLE {table} ADD score FLOAT DEFAULT 1"));
    }
    scene
        .db
        .exec("UPDATE des.user SET score = 1.0000001 WHERE number = '000000050'");
    scene.config.set("/des/0/columns/score", "score");
    let outcome = audit(&scene);
    assert_eq!(ids(&outcome.stdout), [50]);
    let reason = "need not print the same value alike in columns score and score";
    assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
}

/// A server leaves what is too long out of a text, and says so in a warning: no sum counts then.
#[test]
fn a_row_too_long_for_a_checksum_is_looked_at() {
    // A limit below what the client takes: that of a private server.
    let db = Db::on(Server::private(), 1);
    let mut scene = Scene::bare(db);
    scene.db.user_table();
    scene.db.add_users(1..=100);
    scene
        .db
        .exec("UPDATE src.user SET number = LPAD(id, 9, '0')");
    scene.db.copy_users();
    let limit: Vec<u64> = scene.db.query("SELECT @@max_allowed_packet");
    let half = limit[0] / 2 - 1_000;
    for table in ["src.user", "des.user"] {
        scene.db.exec(&format!(
            "ALTER TABLE {table} ADD one LONGTEXT, ADD other LONGTEXT"
        ));
        let filled = format!("one = REPEAT('a', {half}), other = REPEAT('b', {half})");
        scene.db.exec(&format!(
            "UPDATE {table} SET {filled} WHERE number = '000000050'"
        ));
    }
    scene
        .db
        .exec("UPDATE des.user SET other = CONCAT(other, 'c') WHERE number = '000000050'");
    scene
        .config
        .set("/des/0/columns/one", "one")
        .set("/des/0/columns/other", "other");
    let outcome = audit(&scene);
    let wrong: Vec<&str> = outcome
        .stdout
        .lines()
        .filter(|line| line.contains(",000000050,other,"))
        .collect();
    assert_eq!(wrong.len(), 1, "{}", outcome.stderr);
}

#[test]
fn an_audit_that_is_stopped_goes_on_where_it_was() {
    let scene = aligned(30_000);
    scene
        .db
        .exec("UPDATE des.user SET name = 'x' WHERE number IN ('000000007', '000029999')");
    scene
        .cupid("reconcile")
        .args("--method checksum --for 1ms")
        .exits(1);
    scene
        .cupid("reconcile")
        .args("--method checksum --resume")
        .exits(1);
    assert_ids(&scene.receiver().ids(), [7, 29_999]);
}

/// A link to a server that carries a megabyte a second, for each connection, and counts what the server sends.
struct SlowLink {
    port: u16,
    sent_bytes: Arc<AtomicU64>,
}

impl SlowLink {
    fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("Listen");
        let port = listener.local_addr().expect("An address").port();
        let (host, server_port) = (server.host.clone(), server.port);
        let sent_bytes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&sent_bytes);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect((host.as_str(), server_port))
                    .expect("Connect to the server");
                let ends = (
                    client.try_clone().expect("A second handle"),
                    server.try_clone().expect("A second handle"),
                );
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || carry(server, client, Some(&counted)));
                std::thread::spawn(move || carry(ends.0, ends.1, None));
            }
        });
        Self { port, sent_bytes }
    }
}

/// Until either end is closed.
fn carry(mut from: TcpStream, mut to: TcpStream, counted: Option<&AtomicU64>) {
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if let Some(sent_bytes) = counted {
            sent_bytes.fetch_add(count as u64, Ordering::Relaxed);
            std::thread::sleep(Duration::from_micros(count as u64));
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)); // They may be closed already.
}

#[test]
fn a_slow_link_is_noticed_and_spared() {
    let mut scene = aligned(60_000);
    scene
        .db
        .exec("UPDATE des.user SET name = 'x' WHERE number = '000012345'");
    let link = SlowLink::to(&scene.db.server);
    for (side, database) in [("src", &scene.db.source), ("des/0", &scene.db.copies[0])] {
        let dsn = format!("mysql:host=127.0.0.1;port={};dbname={database}", link.port);
        scene.config.set(&format!("/{side}/dsn"), dsn);
    }
    let sent_bytes = |options: &str| {
        let before = link.sent_bytes.load(Ordering::Relaxed);
        let outcome = scene
            .cupid("reconcile")
            .args("--dry-run --report -")
            .args(options)
            .exits(1);
        assert_eq!(ids(&outcome.stdout), [12_345], "{}", outcome.stderr);
        link.sent_bytes.load(Ordering::Relaxed) - before
    };
    let (chosen, read) = (sent_bytes(""), sent_bytes("--method stream"));
    assert!(chosen < read / 2, "{chosen} bytes of {read}");
}
