//! `cupid check` says in plain words what would go wrong or be slow, before it does.

mod common;

use std::os::unix::fs::PermissionsExt;

use common::Scene;
use serde_json::json;

/// What `check` says of this scene, in lower case, and its exit status.
fn check(scene: &Scene) -> (String, Option<i32>) {
    let outcome = scene.cupid("check").run();
    assert_eq!(
        (
            scene.receiver().count(),
            scene.config.state_snapshot().len()
        ),
        (0, 0),
        "check only looks"
    );
    (
        format!("{}{}", outcome.stdout, outcome.stderr).to_lowercase(),
        outcome.code,
    )
}

/// After `change`, check names all these words, which it did not all name before.
fn finds(change: impl FnOnce(&mut Scene), words: &[&str]) {
    let mut scene = Scene::in_sync(1..=3);
    scene.config.with_updates(5);
    let (before, code) = check(&scene);
    assert_eq!(code, Some(0), "{before}");
    change(&mut scene);
    let (after, _) = check(&scene);
    for word in words {
        assert!(
            after.contains(&word.to_lowercase()),
            "check does not name {word:?}: {after}"
        );
    }
    assert_ne!(before, after);
}

#[test]
fn a_sound_configuration_is_0_and_nothing_is_sent_or_saved() {
    let mut scene = Scene::with_missing([1]);
    scene.config.with_updates(5);
    let (said, code) = check(&scene);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn an_update_column_without_an_index() {
    finds(
        |scene| scene.db.exec("ALTER TABLE src.user DROP KEY update_time"),
        &["update_time", "index"],
    );
}

#[test]
fn a_key_of_the_copy_without_an_index() {
    finds(
        |scene| scene.db.exec("ALTER TABLE des.user DROP KEY number"),
        &["number", "index"],
    );
}

#[test]
fn columns_whose_types_can_never_agree() {
    finds(
        |scene| {
            scene.db.exec("ALTER TABLE des.user ADD born DATE");
            scene.config.set("/des/0/columns/name", "born");
        },
        &["name", "born"],
    );
}

#[test]
fn key_columns_whose_collations_differ() {
    finds(
        |scene| {
            scene.db.exec("ALTER TABLE des.user MODIFY number VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL");
        },
        &["number", "collation"],
    );
}

#[test]
fn an_account_that_may_do_more_than_select() {
    finds(
        |scene| {
            scene.db.exec(&format!(
                "GRANT INSERT, DELETE ON `{}`.* TO '{}'@'%'",
                scene.db.source, scene.db.reader
            ));
        },
        &["select", "insert"],
    );
}

#[test]
fn an_account_that_may_not_select() {
    let scene = Scene::in_sync(1..=3);
    scene.db.exec(&format!(
        "REVOKE SELECT ON `{}`.* FROM '{}'@'%'",
        scene.db.copies[0], scene.db.reader
    ));
    let (said, code) = check(&scene);
    assert!(
        code != Some(0) && said.contains("copy1"),
        "{code:?}: {said}"
    );
}

#[test]
fn a_password_in_a_file_that_others_can_read() {
    let scene = Scene::in_sync(1..=3);
    let path = scene.config.path();
    let said = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
            .expect("Change the mode");
        let outcome = common::Cupid::of("check", &path).run();
        format!("{}{}", outcome.stdout, outcome.stderr).to_lowercase()
    };
    let (private, public) = (said(0o600), said(0o644));
    assert!(
        public.contains("password") && public.contains("read"),
        "{public}"
    );
    assert_ne!(private, public);
}

#[test]
fn the_notification_service_that_is_gone() {
    finds(
        |scene| {
            scene.config.set("/src/pushbearSendKey", "9724-0123");
        },
        &["pushbear"],
    );
}

#[test]
fn a_copy_that_cannot_be_reached() {
    let mut scene = Scene::in_sync(1..=3);
    scene
        .config
        .set("/des/0/dsn", "mysql:host=127.0.0.1;port=1;dbname=x");
    let (said, code) = check(&scene);
    assert!(
        code != Some(0) && said.contains("copy1"),
        "{code:?}: {said}"
    );
}

#[test]
fn several_faults_are_all_named_at_once() {
    let mut scene = Scene::in_sync(1..=3);
    scene.config.set(
        "/des/0/columns",
        json!({"name": "no_such_a", "avatar": "no_such_b"}),
    );
    let (said, code) = check(&scene);
    assert_ne!(code, Some(0));
    assert!(
        said.contains("no_such_a") && said.contains("no_such_b"),
        "{said}"
    );
}
