//! Wrong input gives the documented exit status and a message that names what is wrong; never a panic, never a secret.

mod common;

use common::{Cupid, Scene};
use serde_json::json;

#[test]
fn a_wrong_command_line_is_64() {
    for args in [
        &["frobnicate"][..],
        &["run"],
        &["retry", "a", "b", "c"],
        &["run", "c.json", "--every", "soon"],
        &[],
    ] {
        let outcome = Cupid::new(args).run();
        assert_eq!(outcome.code, Some(64), "{args:?}: {outcome:?}");
        assert_ne!(outcome.stderr, "", "{args:?}");
        assert_eq!(outcome.stdout, "", "{args:?}");
    }
}

#[test]
fn help_version_and_completions_are_0_on_stdout() {
    for args in [
        &["help"][..],
        &["--help"],
        &["help", "run"],
        &["run", "--help"],
        &["--version"],
        &["completions", "bash"],
    ] {
        let outcome = Cupid::new(args).exits(0);
        assert!(
            outcome.stdout.contains("cupid") && outcome.stderr.is_empty(),
            "{args:?}: {outcome:?}"
        );
    }
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    let outcome = Cupid::new(["run", "/no/such/config.json"]).run();
    assert!(matches!(outcome.code, Some(64 | 78)), "{outcome:?}");
    outcome.assert_says(&["/no/such/config.json"]);
}

#[test]
fn a_file_that_is_not_the_configuration_is_78() {
    let scene = Scene::with_missing([1]);
    let contents: [&[u8]; 8] = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\"text\"",
        b"{\"src\": }",
        b"\xff\xfe{\"src\": 1}",
        b"{\"name\": \"\xc3\x28\"}",
    ];
    for bytes in contents {
        let path = scene.config.write(bytes);
        Cupid::of("run", &path)
            .exits(78)
            .assert_says(&["config.json"]);
    }
}

/// With this key set so, the message names these words.
#[track_caller]
fn refused(pointer: &str, value: impl Into<serde_json::Value>, words: &[&str]) {
    let mut scene = Scene::with_missing([1]);
    scene.config.set(pointer, value);
    scene.run(78).assert_says(words);
    assert_eq!(
        (
            scene.receiver().count(),
            scene.config.state_snapshot().len()
        ),
        (0, 0)
    );
}

#[test]
fn an_unknown_key_is_refused_with_a_suggestion() {
    refused("/src/updateColum", "x", &["updateColum", "updateColumn"]);
    refused("/workerNumer", 3, &["workerNumer", "workerNumber"]);
    refused(
        "/des/0/callbackNotification/secrett",
        "x",
        &["secrett", "secret"],
    );
    refused("/des/0/colums", json!({}), &["colums", "columns"]);
}

#[test]
fn a_value_of_the_wrong_kind_names_its_key_and_itself() {
    refused("/workerNumber", "many", &["workerNumber", "many"]);
    refused(
        "/confirmDelayMillisecond",
        -5,
        &["confirmDelayMillisecond", "-5"],
    );
    refused("/src/insert", 3, &["insert", "3"]);
    refused("/src/dsn", "pgsql:host=x", &["dsn", "pgsql"]);
    refused("/src/dsn", 7, &["dsn"]);
    refused("/src/cacheFilePath", false, &["cacheFilePath"]);
    refused("/des", json!([]), &["des"]);
    refused("/des/0/callbackNotification/url", "", &["url"]);
    refused("/des/0/callbackNotification/attempts", 0, &["attempts"]);
    refused(
        "/des/0/callbackNotification/concurrency",
        0,
        &["concurrency"],
    );
    refused("/name", "../evil", &["name", "../evil"]);
    refused(
        "/src/timeZone",
        "Mars/Olympus",
        &["timeZone", "Mars/Olympus"],
    );
}

#[test]
fn a_missing_key_is_named() {
    for (pointer, word) in [
        ("/src", "src"),
        ("/src/dsn", "dsn"),
        ("/src/table", "table"),
        ("/src/byColumn", "byColumn"),
        ("/des", "des"),
        ("/des/0/dsn", "dsn"),
        ("/des/0/columns", "columns"),
        ("/des/0/callbackNotification", "callbackNotification"),
        ("/des/0/callbackNotification/url", "url"),
        ("/src/user", "user"),
    ] {
        let mut scene = Scene::with_missing([1]);
        scene.config.remove(pointer);
        scene.run(78).assert_says(&[word]);
    }
}

#[test]
fn update_without_its_column_or_window_is_refused() {
    for key in ["updateColumn", "updateScanSecond"] {
        let mut scene = Scene::with_missing([1]);
        scene.config.with_updates(5).remove(&format!("/src/{key}"));
        scene.run(78).assert_says(&[key]);
    }
}

#[test]
fn a_missing_variable_is_named() {
    refused(
        "/src/password",
        "${CUPID_NO_SUCH_VARIABLE}",
        &["CUPID_NO_SUCH_VARIABLE"],
    );
}

/// With this key set so, what the servers say is reported with this name; 2 or 78.
#[track_caller]
fn refused_by_the_server(pointer: &str, value: impl Into<serde_json::Value>, word: &str) {
    let mut scene = Scene::with_missing([1]);
    scene.config.set(pointer, value);
    let outcome = scene.cupid("run").run();
    assert!(
        matches!(outcome.code, Some(2 | 78)),
        "{pointer}: {outcome:?}"
    );
    outcome.assert_says(&[word]);
    assert_eq!(
        (
            scene.receiver().count(),
            scene.config.state_snapshot().len()
        ),
        (0, 0),
        "{pointer}"
    );
}

#[test]
fn tables_and_columns_of_the_source_that_are_not_there_are_named() {
    refused_by_the_server("/src/table", "no_table", "no_table");
    refused_by_the_server("/src/table", "no_database.user", "no_database");
    refused_by_the_server("/src/byColumn", "no_column", "no_column");
    refused_by_the_server("/src/idColumn", "no_id", "no_id");
    refused_by_the_server(
        "/des/0/columns/no_source_column",
        "name",
        "no_source_column",
    );
    refused_by_the_server("/src/where", "this is no condition", "src.where");
}

#[test]
fn an_update_column_that_is_not_there_is_named() {
    let mut scene = Scene::with_missing([1]);
    scene
        .config
        .with_updates(5)
        .set("/src/updateColumn", "no_time");
    let outcome = scene.cupid("run").run();
    assert!(matches!(outcome.code, Some(2 | 78)), "{outcome:?}");
    outcome.assert_says(&["no_time"]);
}

#[test]
fn an_id_column_that_is_no_integer_is_refused() {
    refused_by_the_server("/src/idColumn", "number", "number");
}

#[test]
fn tables_and_columns_of_a_destination_that_are_not_there_are_named() {
    for (pointer, value) in [
        ("/des/0/table", "no_table"),
        ("/des/0/byColumn", "no_column"),
        ("/des/0/columns/name", "no_name"),
    ] {
        let mut scene = Scene::with_missing([1]);
        scene.config.set(pointer, value);
        let outcome = scene.cupid("run").run();
        assert!(
            matches!(outcome.code, Some(1 | 2 | 78)),
            "{pointer}: {outcome:?}"
        );
        outcome.assert_says(&[value]);
        assert_eq!(
            scene.receiver().count(),
            0,
            "{pointer}: an unreadable copy is not an empty one"
        );
    }
}

#[test]
fn a_wrong_password_is_an_error_without_the_password() {
    // The harness refuses the word `hidden` in any output.
    refused_by_the_server("/src/password", "hidden-wrong", "denied");
    let mut scene = Scene::with_missing([1]);
    scene.config.set("/des/0/password", "hidden-wrong");
    let outcome = scene.cupid("run").run();
    assert!(matches!(outcome.code, Some(1 | 2)), "{outcome:?}");
    outcome.assert_says(&["denied"]);
    assert_eq!(scene.receiver().count(), 0);
}

#[test]
fn a_password_in_a_broken_url_is_not_printed() {
    for dsn in [
        "mysql://user:hidden-pw@:port/db",
        "mysql://user:hidden-pw@host:99999/db",
        "mysql://user:hidden-pw",
    ] {
        let mut scene = Scene::with_missing([1]);
        scene
            .config
            .set("/src/dsn", dsn)
            .remove("/src/user")
            .remove("/src/password");
        let outcome = scene.cupid("run").run();
        assert!(matches!(outcome.code, Some(2 | 78)), "{dsn}: {outcome:?}");
    }
}

#[test]
fn names_with_backticks_quotes_and_blanks_work() {
    let mut scene = Scene::new();
    for (short, database) in [("src", &scene.db.source), ("des", &scene.db.copies[0])] {
        scene.db.exec(&format!(
            "CREATE TABLE `{database}`.`od``d \"ta'ble` (`i``d` INT PRIMARY KEY, `k ey` VARCHAR(9) UNIQUE, `s``elect` TEXT, `order` INT)"
        ));
        let copy = if short == "src" {
            "(1, 'a', 'x', 1), (2, 'b', 'y', 2)"
        } else {
            "(1, 'a', 'x', 7)"
        };
        scene.db.exec(&format!(
            "INSERT INTO `{database}`.`od``d \"ta'ble` VALUES {copy}"
        ));
    }
    for pointer in ["/src", "/des/0"] {
        scene
            .config
            .set(&format!("{pointer}/table"), "`od``d \"ta'ble`");
        scene.config.set(&format!("{pointer}/byColumn"), "k ey");
    }
    scene.config.set("/src/idColumn", "i`d");
    scene.config.set(
        "/des/0/columns",
        json!({"s`elect": "s`elect", "order": "order"}),
    );
    scene.run(0);
    let mut kinds: Vec<_> = scene
        .receiver()
        .callbacks()
        .iter()
        .map(common::Callback::kind)
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [1, 2]);
}

#[test]
fn rows_with_megabytes_and_control_characters_are_compared() {
    let scene = Scene::new();
    scene.db.allow_wide_values();
    for name in ["src.user", "des.user"] {
        scene
            .db
            .exec(&format!("ALTER TABLE {name} MODIFY avatar LONGBLOB"));
    }
    scene.db.add_users(1..=3);
    scene
        .db
        .exec("UPDATE src.user SET avatar = REPEAT(CHAR(0), 2000000), name = '\\0\\n\\r\\t\\Z'");
    scene.db.copy_users();
    scene.db.exec(
        "UPDATE des.user SET avatar = CONCAT(REPEAT(CHAR(0), 1999999), 'x') WHERE number = 'n2'",
    );
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [2]);
}
