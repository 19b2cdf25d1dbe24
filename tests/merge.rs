//! `cupid report merge`: several reports as one.

mod common;

use std::path::PathBuf;

use common::{Cupid, Outcome};
use tempfile::TempDir;

const HEADER: &str =
    "detected_at,source,destination,kind,id,key,column,source_value,destination_value,callback";
const MISSING: &str = "2024-01-02T03:04:05.000Z,my.user,copy1,missing,10,n10,,,,owed";
const DIFFERENT: &str =
    "2024-01-02T03:04:05.000Z,my.user,copy1,different,9,n9,name,\"a,\"\"b\nc\",\\N,delivered";
const OTHER: &str = "2024-01-02T03:04:06.000Z,my.user,copy0,duplicate,11,n11,,,,none";

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("Create a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).expect("Write a report");
        self.path(name)
    }

    fn csv(&self, name: &str, lines: &[&str]) -> PathBuf {
        self.write(name, &format!("{HEADER}\n{}\n", lines.join("\n")))
    }

    fn merge(&self, names: &[&str]) -> Cupid {
        let paths = names.iter().map(|name| self.path(name).into_os_string());
        Cupid::new(
            ["report", "merge"]
                .map(Into::into)
                .into_iter()
                .chain(paths)
                .collect::<Vec<_>>(),
        )
    }

    /// Merging this text fails and says so.
    #[track_caller]
    fn refuses(&self, name: &str, text: &str, words: &[&str]) -> Outcome {
        self.write(name, text);
        let outcome = self.merge(&[name]).exits(2);
        outcome.assert_says(&[name]);
        outcome.assert_says(words);
        assert_eq!(outcome.stdout, "");
        outcome
    }
}

#[test]
fn reports_of_both_formats_become_one_in_a_stable_order_without_repetitions() {
    let files = Files::new();
    files.csv("a.csv", &[MISSING, DIFFERENT]);
    files.csv("b.csv", &[OTHER, MISSING]);
    files
        .merge(&["b.csv"])
        .arg("--output")
        .arg(files.path("b.jsonl"))
        .exits(0)
        .assert_silent();
    let expected = format!("{HEADER}\n{OTHER}\n{DIFFERENT}\n{MISSING}\n");
    assert_eq!(files.merge(&["a.csv", "b.jsonl"]).exits(0).stdout, expected);
    assert_eq!(
        files.merge(&["b.jsonl", "a.csv", "b.csv"]).exits(0).stdout,
        expected
    );
}

#[test]
fn the_output_may_be_one_of_the_files() {
    let files = Files::new();
    files.csv("a.csv", &[MISSING]);
    files.csv("b.csv", &[OTHER]);
    files
        .merge(&["a.csv", "b.csv"])
        .arg("--output")
        .arg(files.path("a.csv"))
        .exits(0);
    let text = std::fs::read_to_string(files.path("a.csv")).expect("The report is there");
    assert_eq!(text, format!("{HEADER}\n{OTHER}\n{MISSING}\n"));
}

#[test]
fn a_report_without_differences_merges_to_the_header_alone() {
    let files = Files::new();
    files.write("a.csv", &format!("{HEADER}\n"));
    files.write("b.jsonl", "");
    let outcome = files.merge(&["a.csv", "b.jsonl"]).exits(0);
    assert_eq!(outcome.stdout, format!("{HEADER}\n"));
}

#[test]
fn what_is_no_report_is_an_error_with_its_file_and_line() {
    let files = Files::new();
    let csv = |lines: &str| format!("{HEADER}\n{MISSING}\n{lines}");
    files.refuses("empty.csv", "", &["line 1", "header"]);
    files.refuses("other.csv", "a,b\n1,2\n", &["line 1", "header"]);
    files.refuses(
        "torn.csv",
        &csv("2024-01-02T03:04:05.000Z,my.us"),
        &["line 3", "2 fields", "10"],
    );
    files.refuses(
        "kind.csv",
        &csv(&MISSING.replace("missing", "lost")),
        &["line 3", "lost", "missing"],
    );
    files.refuses(
        "fate.csv",
        &csv(&MISSING.replace("owed", "lost")),
        &["line 3", "lost", "delivered"],
    );
    files.refuses("a.jsonl", "\n{}\n", &["line 2", "detected_at"]);
    files.refuses("b.jsonl", "nonsense\n", &["line 1"]);
    files
        .merge(&["absent.csv"])
        .exits(2)
        .assert_says(&["absent.csv"]);
}

#[test]
fn bytes_that_are_no_text_are_an_error_with_their_line() {
    let files = Files::new();
    let mut bytes = format!("{HEADER}\n{MISSING}\n").into_bytes();
    bytes.extend_from_slice(b"x,\xff,c,missing,1,,,,,none\n");
    std::fs::write(files.path("a.csv"), bytes).expect("Write a report");
    files
        .merge(&["a.csv"])
        .exits(2)
        .assert_says(&["a.csv", "line 3", "utf-8"]);
}
