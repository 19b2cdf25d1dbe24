//! Accounts of every authentication plugin that the server at hand has, over TCP, over its Unix socket and over TLS.
//!
//! The server is that of `CUPID_TEST_DSN`, which must be on this machine, else a private `MariaDB` with certificates.

mod certificates;
#[path = "../common/mod.rs"]
mod common;
mod plugins;

use std::sync::Arc;

use certificates::{authority, host};
use common::{Db, Scene, Server};
use plugins::{Account, PASSWORD, PLUGINS, Plugin, installed};
use serde_json::{Value, json};

/// How a server is reached.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Tcp,
    Socket,
    Tls,
}

const WAYS: [Way; 3] = [Way::Tcp, Way::Socket, Way::Tls];

/// Two users, of which the copy lacks one.
fn scene(server: &Arc<Server>) -> Scene {
    let scene = Scene::bare(Db::on(Arc::clone(server), 1));
    scene.db.user_table();
    scene.db.add_users(1..=1);
    scene.db.copy_users();
    scene.db.add_users(2..=2);
    scene
}

/// Source and copy by this account, on this way.
fn log_in_by(scene: &mut Scene, account: &str, way: Way, tls: &Value) {
    let socket: Vec<String> = scene.db.query("SELECT @@socket");
    for (place, database) in [
        ("/src", scene.db.source.clone()),
        ("/des/0", scene.db.copies[0].clone()),
    ] {
        let Server { host, port, .. } = &*scene.db.server;
        let dsn = match way {
            Way::Socket => format!("mysql:unix_socket={};dbname={database}", socket[0]),
            Way::Tcp | Way::Tls => format!("mysql:host={host};port={port};dbname={database}"),
        };
        scene
            .config
            .set(&format!("{place}/dsn"), dsn)
            .set(&format!("{place}/user"), account)
            .set(&format!("{place}/password"), PASSWORD);
        let pointer = format!("{place}/tls");
        if way == Way::Tls {
            scene.config.set(&pointer, tls.clone());
        } else if scene.config.value.pointer(&pointer).is_some() {
            scene.config.remove(&pointer);
        }
    }
}

/// A run fails, and says these words about the account's log-in.
#[track_caller]
fn assert_refused(scene: &Scene, words: &[&str]) {
    scene.config.forget();
    let outcome = scene.run(2);
    outcome.assert_says(words);
    assert_eq!(scene.receiver().count(), 0);
}

#[test]
fn every_plugins_account_gets_in_on_every_way() {
    let host = host();
    let mut scene = scene(&host.server);
    let db = Arc::clone(&scene.db);
    let plugins = PLUGINS
        .iter()
        .filter(|plugin| plugin.of_mariadb == db.is_mariadb());
    let mut ways = 0;
    for (number, plugin) in plugins.enumerate() {
        let Some(_installed) = installed(&db, plugin) else {
            continue;
        };
        for way in WAYS {
            let what = format!("{} over {way:?}", plugin.name);
            let how = if way == Way::Tls { "REQUIRE SSL" } else { "" };
            // A new account for each way: a server remembers whom it has let in, and asks less then.
            let tag = format!("{number}{way:?}");
            let account = Account::new(&db, plugin.name, &tag, how);
            log_in_by(&mut scene, &account.name, way, &host.tls);
            scene.config.forget();
            let checked = scene.check().exits(0);
            let is_encrypted = checked.stdout.contains(", encrypted");
            assert_eq!(is_encrypted, way == Way::Tls, "{what}: {}", checked.stdout);
            scene.run(0);
            let found: Vec<u64> = scene
                .receiver()
                .take()
                .iter()
                .map(common::Callback::id)
                .collect();
            assert_eq!(found, [2], "{what}");
            for password in ["hidden-other", ""] {
                scene
                    .config
                    .set("/src/password", password)
                    .set("/des/0/password", password);
                assert_refused(&scene, &[&account.name, "password"]);
            }
            ways += 1;
        }
    }
    assert!(ways >= WAYS.len(), "some plugin is there");
}

#[test]
fn a_plugin_that_is_not_spoken_is_refused_by_its_name_with_the_way_out() {
    let host = host();
    let mut scene = scene(&host.server);
    let db = Arc::clone(&scene.db);
    // The library, the plugin, what it asks the client for. Not `auth_pam`: without its tool it takes the server down.
    let (library, plugin, asked) = if db.is_mariadb() {
        (Some("auth_pam_v1"), "pam", "dialog")
    } else {
        (None, "sha256_password", "sha256_password")
    };
    let plugin = Plugin {
        of_mariadb: db.is_mariadb(),
        name: plugin,
        library,
        expected_from: Some((11, 0)).filter(|_| db.is_mariadb()),
    };
    let Some(_installed) = installed(&db, &plugin) else {
        return;
    };
    let account = if db.is_mariadb() {
        let name = format!("{}pam", db.reader);
        let account = Account { db: &db, name };
        account.create("IDENTIFIED VIA pam", "");
        account
    } else {
        Account::new(&db, plugin.name, "sha", "")
    };
    for way in [Way::Tcp, Way::Socket] {
        log_in_by(&mut scene, &account.name, way, &Value::Null);
        assert_refused(
            &scene,
            &[asked, &account.name, "caching_sha2_password", "ed25519"],
        );
    }
}

#[test]
fn a_certificate_of_another_authority_is_refused_with_the_way_out() {
    let host = host();
    let mut scene = scene(&host.server);
    let other = authority();
    let account = scene.db.reader.clone();
    for verify in [true, false] {
        let tls = json!({"ca": other.file("ca.pem"), "verify": verify});
        log_in_by(&mut scene, &account, Way::Tls, &tls);
        assert_refused(&scene, &["certificate", "\"ca\" in `tls`"]);
    }
}

#[test]
fn an_account_that_asks_for_a_certificate_gets_one() {
    let host = host();
    let mut scene = scene(&host.authority.private_server());
    let db = Arc::clone(&scene.db);
    let account = Account::new(&db, "mysql_native_password", "x", "REQUIRE X509");
    let file = |name: &str| host.authority.file(name);
    let own = json!({"ca": file("ca.pem"), "cert": file("client.pem"), "key": file("client.key")});
    log_in_by(&mut scene, &account.name, Way::Tls, &own);
    scene.run(0);
    assert_eq!(scene.receiver().take().len(), 1);
    log_in_by(
        &mut scene,
        &account.name,
        Way::Tls,
        &json!({"ca": file("ca.pem")}),
    );
    assert_refused(&scene, &[&account.name, "certificate"]);
}

#[test]
fn a_server_without_tls_gets_no_password() {
    let mut scene = scene(&Server::private_with(&["--skip-ssl"]));
    let account = scene.db.reader.clone();
    log_in_by(&mut scene, &account, Way::Tls, &json!({}));
    assert_refused(&scene, &["leave `tls` out"]);
}
