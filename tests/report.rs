//! `--report`: one line per difference and column.

mod common;

use common::{Answer, Scene};
use serde_json::Value;

const HEADER: &str =
    "detected_at,source,destination,kind,id,key,column,source_value,destination_value,callback";

/// Row 2 differs in two columns (one of them NULL in the copy), row 3 is missing.
fn drifted() -> Scene {
    let scene = Scene::in_sync(1..=4);
    scene
        .db
        .exec("UPDATE des.user SET name = NULL, avatar = 'a,\"b' WHERE number = 'n2'");
    scene.db.exec("DELETE FROM des.user WHERE number = 'n3'");
    scene
}

/// The lines of a CSV report without `detected_at` and `source`, sorted.
fn lines(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut lines: Vec<Vec<String>> = reader
        .records()
        .map(|record| {
            record
                .expect("Well-formed CSV")
                .iter()
                .skip(2)
                .map(str::to_owned)
                .collect()
        })
        .collect();
    lines.sort();
    lines
}

fn expected(callback: &str) -> Vec<Vec<String>> {
    let line = |words: [&str; 7]| {
        words
            .into_iter()
            .chain([callback])
            .map(str::to_owned)
            .collect()
    };
    vec![
        line(["copy1", "different", "2", "n2", "avatar", "a2.png", "a,\"b"]),
        line(["copy1", "different", "2", "n2", "name", "Name 2", "\\N"]),
    ]
}

fn assert_report(text: &str, callback: &str) {
    assert_eq!(text.lines().next(), Some(HEADER));
    let lines = lines(text);
    assert_eq!(lines[..2], expected(callback)[..]);
    assert_eq!(lines.len(), 3, "{text}");
    let missing = &lines[2];
    assert_eq!(missing[..5], ["copy1", "missing", "3", "n3", ""], "{text}");
    assert_eq!(missing[7], callback);
}

#[test]
fn a_csv_report_has_one_line_per_difference_and_column() {
    let scene = drifted();
    let path = scene.config.folder().join("report.csv");
    scene.cupid("run").arg("--report").arg(&path).exits(0);
    assert_report(
        &std::fs::read_to_string(path).expect("The report is there"),
        "delivered",
    );
}

#[test]
fn a_dash_puts_the_report_on_stdout() {
    let scene = drifted();
    let outcome = scene.cupid("run").args("--report -").exits(0);
    assert_report(&outcome.stdout, "delivered");
}

#[test]
fn a_refused_callback_is_reported_as_owed() {
    let scene = drifted();
    scene.receiver().answer(|_| Answer::status(500));
    let outcome = scene.cupid("run").args("--report -").exits(1);
    assert_report(&outcome.stdout, "owed");
}

#[test]
fn jsonl_gives_one_object_a_line_with_the_same_fields() {
    let scene = drifted();
    let path = scene.config.folder().join("report.jsonl");
    scene.cupid("run").arg("--report").arg(&path).exits(0);
    let text = std::fs::read_to_string(path).expect("The report is there");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("A JSON object a line"))
        .collect();
    assert_eq!(lines.len(), 3, "{text}");
    for line in &lines {
        for field in HEADER.split(',') {
            assert!(line.get(field).is_some(), "no {field} in {line}");
        }
    }
    assert!(
        lines
            .iter()
            .any(|line| line["kind"] == "missing" && line["key"] == "n3"),
        "{text}"
    );
}

#[test]
fn a_report_in_sync_is_the_header_alone() {
    let scene = Scene::in_sync(1..=3);
    let outcome = scene.cupid("run").args("--report -").exits(0);
    assert_eq!(outcome.stdout.trim_end(), HEADER);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_and_skips_nothing() {
    let scene = drifted();
    let outcome = scene
        .cupid("run")
        .arg("--report")
        .arg(scene.config.folder().join("no/such/folder/r.csv"))
        .run();
    assert!(!matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
    outcome.assert_says(&["r.csv"]);
    scene.run(0);
    assert_eq!(scene.receiver().delivered_ids(), [2, 3]);
}
