//! What `cupid check` advises: whole tables that each pass reads, endpoints, empty copies, mistyped names, single
//! columns, files.

mod common;

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use common::{Db, Scene, Server, findings};
use serde_json::json;

/// The one finding that begins so, and its remedies.
#[track_caller]
fn only(scene: &Scene, code: i32, begin: &str) -> (String, Vec<String>) {
    let outcome = scene.check().exits(code);
    let mut found = findings(&outcome.stdout, begin);
    assert_eq!(found.len(), 1, "{begin}: {}", outcome.stdout);
    found.remove(0)
}

/// Nothing begins so.
#[track_caller]
fn none(scene: &Scene, code: i32, begin: &str) {
    let outcome = scene.check().exits(code);
    let found = findings(&outcome.stdout, begin);
    assert!(found.is_empty(), "{found:?}");
}

/// A source of so many rows, and the same in its copy.
fn large(rows: u64) -> Scene {
    let scene = Scene::in_sync(1..=rows);
    for table in ["src.user", "des.user"] {
        analyze(&scene.db, table);
    }
    scene
}

fn analyze(db: &Db, table: &str) {
    let _: Vec<(String, String, String, String)> = db.query(&format!("ANALYZE TABLE {table}"));
}

#[test]
fn a_full_scan_of_each_pass_is_refused_on_a_large_table_unless_it_is_allowed() {
    let mut scene = large(20_000);
    scene.config.with_updates(5);
    scene.db.exec("ALTER TABLE src.user DROP KEY update_time");
    let begin = "error: src.updateColumn: holds \"update_time\", which no index begins with";
    let (text, remedy) = only(&scene, 78, begin);
    assert!(text.contains("\"allowFullScan\": true"), "{text}");
    scene.run(0); // What it did before, it does.
    scene.config.set("/src/allowFullScan", true);
    only(&scene, 0, "note: src.updateColumn: holds \"update_time\"");
    scene.config.remove("/src/allowFullScan");
    scene.db.exec(&remedy[0]);
    none(&scene, 0, begin);
}

#[test]
fn a_full_scan_of_a_small_table_is_a_warning() {
    let mut scene = Scene::in_sync(1..=3);
    scene.config.with_updates(5);
    scene.db.exec("ALTER TABLE src.user DROP KEY update_time");
    let (text, _) = only(&scene, 1, "warning: src.updateColumn");
    assert!(text.contains("will do up to 10,000 rows"), "{text}");
}

#[test]
fn an_endpoint_that_refuses_or_is_not_there_is_a_warning_and_gets_no_request() {
    const KEY: &str = "des[0].callbackNotification.url (copy1)";
    let mut scene = Scene::in_sync(1..=3);
    only(&scene, 0, &format!("ok: {KEY}"));
    assert_eq!(scene.receiver().count(), 0);
    scene.receiver().stop();
    let (text, _) = only(&scene, 1, &format!("warning: {KEY}"));
    assert!(
        text.contains("refused") && text.contains("stay owed"),
        "{text}"
    );
    scene.config.set(
        "/des/0/callbackNotification/url",
        "http://no-such-host.invalid/x",
    );
    let (text, _) = only(&scene, 1, &format!("warning: {KEY}"));
    assert!(text.contains("no-such-host.invalid"), "{text}");
}

/// TLS is never answered there, so only the time limit ends the attempt.
#[test]
fn endpoints_that_are_silent_are_waited_for_side_by_side() {
    let mut scene = Scene::with_copies(3);
    let silent = TcpListener::bind("127.0.0.1:0").expect("Listen");
    let address = silent.local_addr().expect("An address");
    for copy in 0..3 {
        let key = format!("/des/{copy}/callbackNotification");
        scene
            .config
            .set(&format!("{key}/url"), format!("https://{address}/"))
            .set(&format!("{key}/timeoutMillisecond"), 1_500);
    }
    let began = Instant::now();
    let outcome = scene.check().exits(1);
    let found = findings(&outcome.stdout, "warning: des[");
    assert_eq!(found.len(), 3, "{outcome:?}");
    assert!(found[0].0.contains("no answer within 1.5 s"), "{found:?}");
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "one after the other"
    );
}

#[test]
fn an_empty_copy_is_told_with_what_follows_until_rows_were_compared() {
    let mut scene = Scene::with_missing(1..=300);
    let begin = "note: des[0].table (copy1): ";
    let (text, _) = only(&scene, 0, begin);
    assert!(
        text.contains("is empty") && text.contains("300 rows: as many callbacks will follow"),
        "{text}"
    );
    scene.db.copy_users();
    none(&scene, 0, begin);
    scene.run(0);
    scene.db.exec("DELETE FROM des.user");
    let (text, _) = only(&scene, 0, begin);
    assert!(text.contains("`cupid reconcile`"), "{text}");
    assert!(!text.contains("will follow"), "{text}");
    scene.config.set("/src/insert", false).with_updates(5);
    let (text, _) = only(&scene, 0, begin);
    assert!(!text.contains("will follow"), "{text}");
}

#[test]
fn an_empty_copy_of_a_large_source_is_a_warning() {
    let scene = Scene::with_missing(1..=20_000);
    analyze(&scene.db, "src.user");
    only(&scene, 1, "warning: des[0].table (copy1): ");
}

#[test]
fn a_mistyped_database_and_a_mistyped_table_are_named() {
    let mut scene = Scene::in_sync(1..=3);
    let named = format!("{}_search", scene.db.copies[0]);
    scene.db.exec(&format!("CREATE DATABASE `{named}`"));
    scene.db.exec(&format!(
        "GRANT SELECT ON `{named}`.* TO '{}'@'%'",
        scene.db.reader
    ));
    let mistyped = named.replace("search", "serach");
    scene.config.set("/des/0/table", format!("{mistyped}.user"));
    let outcome = scene.check().exits(78);
    scene.db.exec(&format!("DROP DATABASE `{named}`"));
    let found = findings(&outcome.stdout, "error: des[0].table (copy1)");
    assert_eq!(found.len(), 1, "{outcome:?}");
    assert!(
        found[0].0.contains(&format!("did you mean {named}?")),
        "{found:?}"
    );
    assert!(found[0].1.is_empty(), "{found:?}");

    scene.config.set("/des/0/table", "usr");
    let (text, _) = only(&scene, 78, "error: des[0].table (copy1)");
    assert!(text.contains("did you mean user?"), "{text}");
}

#[test]
fn a_column_that_may_not_be_read_is_granted_by_the_statement_shown() {
    let scene = Scene::in_sync(1..=3);
    let (copy, reader) = (&scene.db.copies[0], &scene.db.reader);
    scene
        .db
        .exec(&format!("REVOKE SELECT ON `{copy}`.* FROM '{reader}'@'%'"));
    scene.db.exec(&format!(
        "GRANT SELECT (number, name) ON `{copy}`.`user` TO '{reader}'@'%'"
    ));
    let (text, remedy) = only(&scene, 78, "error: des[0].columns (copy1)");
    assert!(
        text.contains("avatar") && text.contains("may not read"),
        "{text}"
    );
    for statement in &remedy {
        scene.db.exec(statement);
    }
    none(&scene, 0, "error: ");
    scene.run(0);
}

#[test]
fn a_source_of_which_not_all_columns_may_be_read_is_granted_as_a_whole() {
    let scene = Scene::in_sync(1..=3);
    let (source, reader) = (&scene.db.source, &scene.db.reader);
    scene.db.exec(&format!(
        "REVOKE SELECT ON `{source}`.* FROM '{reader}'@'%'"
    ));
    scene.db.exec(&format!(
        "GRANT SELECT (id, number, name, avatar) ON `{source}`.`user` TO '{reader}'@'%'"
    ));
    let (text, remedy) = only(&scene, 78, "error: src.table: ");
    assert!(text.contains("only id, number, name, avatar"), "{text}");
    scene.db.exec(&remedy[0]);
    none(&scene, 0, "error: ");
}

#[test]
fn a_folder_of_metrics_that_is_not_there_is_a_warning() {
    let mut scene = Scene::in_sync(1..=3);
    let folder = scene.config.folder().join("metrics");
    scene
        .config
        .set("/metricsFile", json!(folder.join("a.prom")));
    only(&scene, 1, "warning: metricsFile: ");
    fs::create_dir(&folder).expect("Create a folder");
    none(&scene, 0, "warning: ");
    assert_eq!(fs::read_dir(&folder).expect("Read it").count(), 0);
}

#[test]
fn secrets_that_everybody_can_read_are_a_warning_with_its_command() {
    let mut scene = Scene::in_sync(1..=3);
    let folder = scene.config.folder().to_owned();
    let password = scene.db.reader_password.clone();
    let files = [
        (
            folder.join("config.env"),
            format!("P='{password}'\n"),
            "${P}",
        ),
        (
            folder.join("password"),
            password.clone(),
            "${file:password}",
        ),
    ];
    for (path, content, reference) in &files {
        fs::write(path, content).expect("Write a secret");
        scene
            .config
            .set("/src/password", *reference)
            .set("/des/0/password", *reference);
        let mode = |mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("A mode");
        mode(0o644);
        let begin = format!("warning: {}", path.display());
        let (_, remedy) = only(&scene, 1, &begin);
        assert_eq!(remedy, [format!("chmod o= {}", path.display())]);
        mode(0o640);
        none(&scene, 0, &begin);
    }
}

/// A folder that the package would have made for the account of the units.
#[test]
fn a_state_folder_of_another_user_is_named_with_a_way_out() {
    let mut scene = Scene::in_sync(1..=3);
    let folder = scene.config.folder().join("of-another");
    fs::create_dir(&folder).expect("Create a folder");
    scene.config.set("/src/cacheFilePath", json!(folder));
    none(&scene, 0, "note: src.cacheFilePath");
    if std::os::unix::fs::chown(&folder, Some(4_321), None).is_err() {
        eprintln!("ONLY ROOT CAN GIVE A FOLDER AWAY: NOT TESTED");
        return;
    }
    let (text, remedy) = only(&scene, 0, "note: src.cacheFilePath: ");
    assert!(text.contains("belongs to user 4321"), "{text}");
    assert!(
        remedy[0].starts_with("sudo -u '#4321' cupid check "),
        "{remedy:?}"
    );
}

#[test]
fn localhost_that_refuses_is_told_with_phps_socket() {
    let mut scene = Scene::in_sync(1..=3);
    scene
        .config
        .set("/src/dsn", "mysql:host=localhost;port=1;dbname=x");
    let (text, _) = only(&scene, 2, "error: src.dsn: ");
    assert!(text.contains("unix_socket="), "{text}");
}

#[test]
fn a_server_that_takes_encrypted_connections_only_is_told_with_the_key_to_set() {
    let scene = Scene::bare(Db::on(Server::private(), 1));
    scene.db.user_table();
    none(&scene, 0, "error: ");
    scene.db.exec("SET GLOBAL require_secure_transport=ON");
    let outcome = scene.check().run();
    scene.db.exec("SET GLOBAL require_secure_transport=OFF");
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    let found = findings(&outcome.stdout, "error: src.dsn: ");
    let text = &found[0].0;
    for words in ["\"tls\"", "ssl-mode=REQUIRED"] {
        assert!(text.contains(words), "{text}");
    }
}
