//! What a callback's body and headers say, value by value.

mod common;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{Answer, Db, Scene};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};

/// 24 bytes in base64; the name makes any output of it fail the test.
const SECRET: &str = "whsec_hiddenhiddenhiddenhiddenhiddenhi";

#[test]
fn a_secret_signs_every_callback_as_standard_webhooks_does() {
    let mut scene = Scene::with_missing(1..=3);
    scene
        .config
        .set("/des/0/callbackNotification/secret", SECRET);
    scene.run(0);
    let key = STANDARD
        .decode(SECRET.trim_start_matches("whsec_"))
        .expect("base64");
    assert_eq!(scene.receiver().count(), 3);
    for callback in scene.receiver().callbacks() {
        let signed = format!(
            "{}.{}.{}",
            callback.header("webhook-id"),
            callback.header("webhook-timestamp"),
            callback.text
        );
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).expect("Any length will do");
        mac.update(signed.as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let signatures: Vec<_> = callback.header("webhook-signature").split(' ').collect();
        assert!(
            signatures.contains(&expected.as_str()),
            "{signatures:?} lacks {expected}"
        );
    }
}

#[test]
fn without_a_secret_there_is_no_signature() {
    let scene = Scene::with_missing([1]);
    scene.run(0);
    assert!(
        !scene.receiver().callbacks()[0]
            .headers
            .contains_key("webhook-signature")
    );
}

#[test]
fn secrets_appear_in_no_output_and_no_state_file() {
    let mut scene = Scene::with_missing(1..=3);
    scene
        .config
        .set("/des/0/callbackNotification/secret", SECRET);
    scene.config.set(
        "/des/0/callbackNotification/headers",
        json!({"Authorization": "Bearer hidden-token"}),
    );
    scene.config.set(
        "/logDir",
        scene.config.folder().join("log").display().to_string(),
    );
    std::fs::create_dir(scene.config.folder().join("log")).expect("Create the log folder");
    scene.receiver().answer(|_| Answer::status(401));
    // The harness refuses the word on stdout and stderr of every run.
    for command in ["run -v", "retry -v", "status", "check -v"] {
        let (command, options) = command.split_once(' ').unwrap_or((command, ""));
        scene.cupid(command).args(options).run();
    }
    assert_eq!(
        scene.receiver().callbacks()[0].header("authorization"),
        "Bearer hidden-token"
    );
    let mut files = scene.config.state_snapshot();
    let log =
        std::fs::read(scene.config.folder().join("log/cupid-test.log")).expect("The log is there");
    files.push(("the log".to_owned(), log));
    for (name, bytes) in files {
        assert!(
            !String::from_utf8_lossy(&bytes).contains("hidden"),
            "{name} holds a secret"
        );
    }
}

/// A source table with these columns beside `id` and `number`, one row of these values, an empty copy.
fn body_of(columns: &str, values: &str, numbers_as_strings: bool) -> Value {
    let db = Db::new(1);
    db.exec(&format!(
        "CREATE TABLE src.user (id INT PRIMARY KEY, number VARCHAR(9), {columns})"
    ));
    db.exec("CREATE TABLE des.user (number VARCHAR(9) PRIMARY KEY)");
    db.exec(&format!("INSERT INTO src.user VALUES (1, 'n', {values})"));
    let mut scene = Scene::bare(db);
    scene
        .config
        .set("/des/0/columns", json!({"number": "number"}));
    scene.config.set(
        "/des/0/callbackNotification/numbersAsStrings",
        numbers_as_strings,
    );
    scene.run(0);
    let callbacks = scene.receiver().callbacks();
    assert_eq!(callbacks.len(), 1, "{columns}");
    callbacks[0].body["srcColumn"].clone()
}

/// Parsed from text, because numbers compare by their digits.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn integers_and_floats_are_numbers_and_decimals_are_strings() {
    let body = body_of(
        "a BIGINT, b BIGINT UNSIGNED, c TINYINT, d DECIMAL(40,10), e DOUBLE, f FLOAT, g YEAR, h BIT(10)",
        "-9223372036854775808, 18446744073709551615, -1, 123456789012345678901234567890.0123456789, 0.1, 0.1, 2024, 513",
        false,
    );
    assert_eq!(body["a"], parsed("-9223372036854775808"));
    assert_eq!(body["b"], parsed("18446744073709551615"));
    assert_eq!(body["c"], parsed("-1"));
    assert_eq!(body["d"], "123456789012345678901234567890.0123456789");
    assert_eq!(body["e"].as_f64(), Some(0.1));
    assert_eq!(
        body["f"].to_string().parse(),
        Ok(0.1_f32),
        "FLOAT at its own precision: {}",
        body["f"]
    );
    assert_eq!((&body["g"], &body["h"]), (&parsed("2024"), &parsed("513")));
    assert!(body["e"].is_number() && body["f"].is_number());
}

#[test]
fn numbers_as_strings_quotes_them_as_the_first_cupid_did() {
    let body = body_of(
        "a BIGINT UNSIGNED, b DECIMAL(5,2), c INT",
        "18446744073709551615, 1.50, NULL",
        true,
    );
    let row =
        json!({"id": "1", "number": "n", "a": "18446744073709551615", "b": "1.50", "c": null});
    assert_eq!(body, row);
}

#[test]
fn dates_and_times_are_as_mysql_prints_them() {
    let body = body_of(
        "a DATE, b DATETIME, c DATETIME(3), d TIME, e TIME(6), f DATETIME, g DATE",
        "'2024-02-29', '2024-02-29 01:02:03', '2024-02-29 01:02:03.5', '-838:59:59', '00:00:01.000001', '0000-00-00', '2024-00-00'",
        false,
    );
    let row = json!({
        "id": 1, "number": "n", "a": "2024-02-29", "b": "2024-02-29 01:02:03", "c": "2024-02-29 01:02:03.500",
        "d": "-838:59:59", "e": "00:00:01.000001", "f": "0000-00-00 00:00:00", "g": "2024-00-00",
    });
    assert_eq!(body, row);
}

#[test]
fn text_is_text_whatever_its_charset_and_other_bytes_are_base64() {
    let body = body_of(
        "a VARCHAR(20) CHARACTER SET latin1, b VARCHAR(20) CHARACTER SET gbk, c TEXT, d VARBINARY(9), e BLOB, f ENUM('x','y'), g SET('p','q')",
        "'é', '中', '🐙\"\\\\\\n', 'plain', X'ff00', 'y', 'p,q'",
        false,
    );
    let row = json!({
        "id": 1, "number": "n", "a": "é", "b": "中", "c": "🐙\"\\\n", "d": "plain", "e": "/wA=", "f": "y", "g": "p,q",
    });
    assert_eq!(body, row);
}

#[test]
fn json_columns_are_text_and_null_is_null() {
    let body = body_of("a JSON, b JSON", "'{\"k\": 1}', NULL", false);
    let text = body["a"].as_str().expect("A JSON column is sent as text");
    assert_eq!(parsed(text), json!({"k": 1}));
    assert_eq!(body["b"], Value::Null);
}

#[test]
fn a_large_row_arrives_whole() {
    Db::new(1).allow_wide_values();
    let body = body_of("a LONGTEXT", "REPEAT('x', 3000000)", false);
    assert_eq!(body["a"].as_str().map(str::len), Some(3_000_000));
}
