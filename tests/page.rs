//! `--html` and `cupid report html`: one page that needs nothing but itself and in which data stay text.

mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use common::{Cupid, Scene};

/// Row 2 has a value that would be a script, row 3 is missing, row 4 is there twice.
fn drifted() -> Scene {
    let scene = Scene::in_sync(1..=500);
    scene.db.exec("ALTER TABLE des.user DROP KEY number");
    scene.db.exec(
        "UPDATE des.user SET name = '<script>alert(\"1\")</script>', avatar = NULL WHERE id = 2",
    );
    scene.db.exec("DELETE FROM des.user WHERE id = 3");
    scene
        .db
        .exec("INSERT INTO des.user (number, name, avatar) SELECT number, name, avatar FROM src.user WHERE id = 4");
    scene
}

/// Nothing is fetched and nothing runs.
#[track_caller]
fn assert_self_contained(html: &str) {
    for word in [
        "<script", "<img", "<link", "<iframe", "src=", "href=", "url(", "@import", "http://",
        "https://", "onload", "onerror",
    ] {
        assert!(!html.contains(word), "{word} in the page");
    }
    assert!(html.contains("default-src 'none'"));
    assert!(html.contains("prefers-color-scheme: dark") && html.contains("name=\"viewport\""));
}

fn read(path: &Path) -> String {
    let mode = std::fs::metadata(path)
        .expect("The page is there")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600, "it holds row values");
    std::fs::read_to_string(path).expect("The page is text")
}

#[test]
fn the_page_of_an_audit_has_its_totals_places_values_and_circumstances() {
    let scene = drifted();
    let path = scene.config.folder().join("drift.html");
    scene
        .cupid("reconcile")
        .args("--dry-run --html")
        .arg(&path)
        .exits(1);
    let html = read(&path);
    assert_self_contained(&html);
    for text in [
        "<b>3 rows</b> of 500 compared",
        "<b>1</b><span>missing</span>",
        "<b>1</b><span>different</span>",
        "<b>1</b><span>duplicate</span>",
        "<span class=\"label\">copy1</span>",
        "<span class=\"label\">avatar</span>",
        "<title>ids 1 to 12: 3 rows</title>",
        "<span>1</span><span>500</span>",
        "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;",
        "<i>NULL</i>",
        "<dt>Began</dt>",
        "none, a dry run",
        &format!("{}.user at ", scene.db.source),
    ] {
        assert!(html.contains(text), "{text} in {html}");
    }
    assert_eq!(html.matches("<title>ids ").count(), 40);
    assert!(!html.contains(&scene.db.reader_password));
}

#[test]
fn the_page_of_a_finished_report_shows_the_same() {
    let scene = drifted();
    let [csv, page] = ["drift.csv", "drift.html"].map(|name| scene.config.folder().join(name));
    scene
        .cupid("reconcile")
        .args("--dry-run --report")
        .arg(&csv)
        .exits(1);
    Cupid::new(["report", "html"])
        .arg(&csv)
        .arg("--output")
        .arg(&page)
        .exits(0)
        .assert_silent();
    let html = read(&page);
    assert_self_contained(&html);
    for text in [
        "<b>3 rows</b> are not",
        "<b>1</b><span>duplicate</span>",
        "&lt;script&gt;",
        "drift.csv",
    ] {
        assert!(html.contains(text), "{text} in {html}");
    }
}

#[test]
fn an_audit_in_sync_has_a_page_that_says_so() {
    let scene = Scene::in_sync(1..=3);
    let path = scene.config.folder().join("drift.html");
    scene
        .cupid("reconcile")
        .arg("--html")
        .arg(&path)
        .exits(0)
        .assert_silent();
    let html = read(&path);
    assert_self_contained(&html);
    assert!(html.contains("<p class=\"verdict good\">No difference of 3 compared</p>"));
}

#[test]
fn a_page_that_cannot_be_written_fails_before_the_audit() {
    let scene = Scene::with_missing([1]);
    let path = scene.config.folder().join("no/such/folder.html");
    scene
        .cupid("reconcile")
        .arg("--html")
        .arg(path)
        .exits(2)
        .assert_says(&["folder.html"]);
    assert_eq!(scene.receiver().count(), 0);
}
