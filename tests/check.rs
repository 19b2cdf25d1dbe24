//! `cupid check` says in plain words what would go wrong or be slow, before it does.

mod common;

use std::os::unix::fs::PermissionsExt;

use common::{Cupid, Scene, findings};
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
fn people_read_groups_and_programs_an_array() {
    let mut scene = Scene::in_sync(1..=3);
    scene
        .config
        .with_updates(5)
        .set("/des/0/columns/name", "nmae");
    scene.db.exec("ALTER TABLE src.user DROP KEY update_time");
    let text = scene.cupid("check").exits(78).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "cannot run (1)", "{text}");
    assert!(lines[1].starts_with("  des[0].columns (copy1)  "), "{text}");
    assert_eq!(lines[2], "will hurt (1)", "{text}");
    assert!(lines[3].starts_with("  src.updateColumn  "), "{text}");
    assert!(lines[4].starts_with("      CREATE INDEX "), "{text}");
    let sum = lines.last().expect("A last line");
    assert!(
        sum.starts_with("1 cannot run, 1 will hurt") && sum.ends_with(" fine (-v shows them)"),
        "{text}"
    );
    let all = scene.cupid("check").arg("-v").exits(78).stdout;
    assert!(
        all.contains("\nfine (") && all.ends_with(" fine\n"),
        "{all}"
    );

    let array = scene.check().exits(78).stdout;
    let found = |level: &str| findings(&array, level).len();
    assert_eq!((found("error: "), found("warning: ")), (1, 1), "{array}");
    for word in ["cannot run", "config"] {
        assert!(!array.contains(word), "{array}");
    }
}

#[test]
fn several_configurations_are_one_array() {
    let scenes = [Scene::in_sync(1..=3), Scene::in_sync(1..=3)];
    let paths = scenes.each_ref().map(|scene| scene.config.path());
    std::fs::write(&paths[1], "{").expect("Write a configuration");
    let outcome = Cupid::of("check", &paths[0])
        .arg(&paths[1])
        .arg("--json")
        .exits(78);
    assert_eq!(outcome.stderr, "");
    let array: Vec<serde_json::Value> = serde_json::from_str(&outcome.stdout).expect("An array");
    let of = |path: &std::path::Path| {
        let name = path.to_str().expect("UTF-8");
        array.iter().filter(|it| it["config"] == name).count()
    };
    assert!(of(&paths[0]) > 3 && of(&paths[1]) == 1, "{outcome:?}");

    let outcome = Cupid::of("check", &paths[0]).arg(&paths[1]).exits(78);
    let names = paths.each_ref().map(|path| path.display().to_string());
    for name in &names {
        let lines = outcome.stdout.lines();
        assert_eq!(lines.filter(|line| line == name).count(), 1, "{outcome:?}");
    }
    assert!(outcome.stderr.contains(&names[1]), "{outcome:?}");
}

#[test]
fn headings_are_in_colour_on_a_terminal_alone() {
    let scene = Scene::in_sync(1..=3);
    let line = format!(
        "{} check -v {}",
        env!("CARGO_BIN_EXE_cupid"),
        scene.config.path().display()
    );
    let on_a_terminal = |no_colour: &str| {
        let command = ["-qec", &line, "/dev/null"];
        let script = Cupid::program(&[], std::path::Path::new("script"), command);
        let script = script.env("NO_COLOR", no_colour).env("TERM", "xterm");
        script.exits(0).stdout
    };
    assert!(on_a_terminal("").contains("\x1b[32mfine ("));
    assert!(!on_a_terminal("1").contains('\x1b'));
    assert!(
        !scene
            .cupid("check")
            .arg("-v")
            .exits(0)
            .stdout
            .contains('\x1b')
    );
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
        let outcome = Cupid::of("check", &path).run();
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

/// `fault` is found so, with this exit status, and is gone when what the finding says was done.
fn is_repaired_by_its_own_remedy(fault: &str, begin: &str, code: i32) {
    let mut scene = Scene::in_sync(1..=3);
    scene.config.with_updates(5);
    scene
        .db
        .exec(&fault.replace("READER", &format!("'{}'@'%'", scene.db.reader)));
    let outcome = scene.check().exits(code);
    let found = findings(&outcome.stdout, begin);
    assert_eq!(found.len(), 1, "{begin}: {}", outcome.stdout);
    assert!(outcome.stderr.is_empty(), "{}", outcome.stderr);
    let statements = &found[0].1;
    assert!(!statements.is_empty(), "{}", outcome.stdout);
    for statement in statements {
        scene.db.exec(statement);
    }
    let after = scene.check().exits(0);
    assert!(
        findings(&after.stdout, begin).is_empty(),
        "{}",
        after.stdout
    );
}

#[test]
fn what_a_finding_says_to_do_helps() {
    for (fault, begin, code) in [
        (
            "ALTER TABLE src.user DROP KEY update_time",
            "warning: src.updateColumn: holds \"update_time\", which no index",
            1,
        ),
        (
            "ALTER TABLE des.user DROP KEY number",
            "warning: des[0].byColumn (copy1): holds \"number\", which no index",
            1,
        ),
        (
            "ALTER TABLE src.user MODIFY id BIGINT NOT NULL, DROP PRIMARY KEY",
            "warning: src.idColumn: holds \"id\", which no index",
            1,
        ),
        (
            "GRANT INSERT, DELETE ON src.* TO READER",
            "warning: src.user: ",
            1,
        ),
    ] {
        is_repaired_by_its_own_remedy(fault, begin, code);
    }
}

#[test]
fn a_missing_right_is_granted_by_the_statement_shown() {
    let scene = Scene::in_sync(1..=3);
    scene.db.exec(&format!(
        "REVOKE SELECT ON `{}`.* FROM '{}'@'%'",
        scene.db.copies[0], scene.db.reader
    ));
    let outcome = scene.check().exits(78);
    let found = findings(&outcome.stdout, "error: des[0].table (copy1): ");
    scene.db.exec(&found[0].1[0]);
    scene.check().exits(0);
}

#[test]
fn the_plan_of_the_query_is_shown() {
    let mut scene = Scene::in_sync(1..=3);
    scene.config.with_updates(5);
    scene.db.exec("ALTER TABLE src.user DROP KEY update_time");
    scene.db.exec("ALTER TABLE des.user DROP KEY number");
    let outcome = scene.check().exits(1);
    let explained = outcome.stdout.matches("(EXPLAIN: ALL, no index, ").count();
    assert_eq!(explained, 2, "{}", outcome.stdout);
}

#[test]
fn a_condition_that_the_server_refuses() {
    for (key, condition) in [("/src/where", "nmae <> ''"), ("/des/0/where", "name <>")] {
        let mut scene = Scene::in_sync(1..=3);
        scene.config.set(key, condition);
        let outcome = scene.check().exits(78);
        assert_eq!(
            findings(&outcome.stdout, "error: ").len(),
            1,
            "{}",
            outcome.stdout
        );
        assert!(outcome.stdout.contains(condition), "{}", outcome.stdout);
    }
}

#[test]
fn types_that_can_never_agree_are_a_warning() {
    let mut scene = Scene::in_sync(1..=3);
    scene.db.exec("ALTER TABLE des.user ADD age INT");
    scene.config.set("/des/0/columns/update_time", "age");
    let outcome = scene.check().exits(1);
    let found = findings(
        &outcome.stdout,
        "warning: des[0].columns (copy1): compares update_time",
    );
    assert_eq!(found.len(), 1, "{}", outcome.stdout);
}

#[test]
fn a_view_is_a_table_whose_indexes_are_not_seen() {
    let mut scene = Scene::in_sync(1..=3);
    scene
        .db
        .exec("CREATE VIEW des.people AS SELECT * FROM des.user");
    scene.config.set("/des/0/table", "people");
    let outcome = scene.check().exits(0);
    assert!(
        outcome.stdout.contains("a column of a view"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn state_files_that_cannot_be_used_are_2() {
    let scene = Scene::in_sync(1..=3);
    std::fs::write(scene.config.state_file("checkpoint.json"), "{").expect("Write a checkpoint");
    let outcome = scene.check().exits(2);
    assert_eq!(
        findings(&outcome.stdout, "error: src.cacheFilePath").len(),
        1,
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_state_folder_that_cannot_be_written_is_2() {
    let mut scene = Scene::in_sync(1..=3);
    scene.config.set("/src/cacheFilePath", "/proc/cupid");
    let outcome = scene.check().exits(2);
    assert_eq!(
        findings(&outcome.stdout, "error: src.cacheFilePath").len(),
        1,
        "{}",
        outcome.stdout
    );
}

#[test]
fn a_server_that_is_down_does_not_keep_the_others_from_being_checked() {
    let mut scene = Scene::with_copies(2);
    scene
        .config
        .set("/src/dsn", "mysql:host=127.0.0.1;port=1;dbname=x")
        .set("/des/1/byColumn", "nmber");
    let outcome = scene.check().exits(2);
    assert_eq!(
        findings(&outcome.stdout, "error: src.dsn").len(),
        1,
        "{}",
        outcome.stdout
    );
    assert_eq!(
        findings(&outcome.stdout, "ok: des[0].table (copy1)").len(),
        1,
        "{}",
        outcome.stdout
    );
    let named = findings(&outcome.stdout, "error: des[1].byColumn (copy2)");
    assert!(
        named[0].0.ends_with("did you mean number?"),
        "{}",
        outcome.stdout
    );
}
