//! State files: damaged, foreign, unwritable, and bounded. What cannot be read or saved stops the run and loses nothing.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use common::{Answer, Cupid, Scene, assert_ids};
use serde_json::Value;

/// A scene whose checkpoint says 1..=5 are done while 6..=8 are missing.
fn with_checkpoint() -> Scene {
    let scene = Scene::in_sync(1..=5);
    scene.run(0);
    scene.db.add_users(6..=8);
    scene
}

/// With this checkpoint nothing runs, nothing is sent, nothing is touched; with the old one back, all goes on.
#[track_caller]
fn refuses(damaged: &[u8]) {
    let scene = with_checkpoint();
    let path = scene.config.state_file("checkpoint.json");
    let sound = std::fs::read(&path).expect("Read the checkpoint");
    std::fs::write(&path, damaged).expect("Damage the checkpoint");
    let outcome = scene.run(2);
    outcome.assert_says(&["test.checkpoint.json"]);
    assert!(
        outcome.stderr.len() > 80,
        "the message says what to do: {}",
        outcome.stderr
    );
    assert_eq!(scene.receiver().count(), 0);
    assert_eq!(
        std::fs::read(&path).expect("Still there"),
        damaged,
        "the file is untouched"
    );
    std::fs::write(&path, sound).expect("Put the sound one back");
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [6, 7, 8]);
}

#[test]
fn an_empty_checkpoint_stops_the_run() {
    refuses(b"");
}

#[test]
fn a_truncated_checkpoint_stops_the_run() {
    let scene = with_checkpoint();
    let sound =
        std::fs::read(scene.config.state_file("checkpoint.json")).expect("Read the checkpoint");
    for length in [1, sound.len() / 2, sound.trim_ascii_end().len() - 1] {
        refuses(&sound[..length]);
    }
}

#[test]
fn a_foreign_checkpoint_stops_the_run() {
    for text in [
        "{\"a\":1}",
        "[]",
        "null",
        "7",
        "not json",
        "\u{0}\u{0}\u{0}\u{0}",
    ] {
        refuses(text.as_bytes());
    }
}

#[test]
fn a_checkpoint_of_a_newer_version_stops_the_run() {
    let scene = with_checkpoint();
    let sound =
        std::fs::read(scene.config.state_file("checkpoint.json")).expect("Read the checkpoint");
    let mut value: Value = serde_json::from_slice(&sound).expect("The checkpoint is JSON");
    let version = value["version"]
        .as_u64()
        .expect("The checkpoint has a numeric version");
    value["version"] = Value::from(version + 1000);
    refuses(value.to_string().as_bytes());
}

#[test]
fn a_checkpoint_that_is_a_folder_stops_the_run() {
    let scene = Scene::with_missing([1]);
    std::fs::create_dir(scene.config.state_file("checkpoint.json")).expect("Create a folder");
    scene.run(2);
    assert_eq!(scene.receiver().count(), 0);
}

#[test]
fn a_torn_last_line_of_the_owed_file_is_survived() {
    let scene = Scene::with_missing(1..=3);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    let path = scene.config.state_file("owed.jsonl");
    let sound = std::fs::read(&path).expect("Read the owed file");
    let last = sound
        .trim_ascii_end()
        .iter()
        .rposition(|byte| *byte == b'\n')
        .expect("Several lines")
        + 1;
    let torn = [sound.as_slice(), &sound[last..last + 10]].concat();
    std::fs::write(&path, torn).expect("Tear the last line");
    scene.receiver().answer(|_| Answer::ok());
    scene.retry(0);
    assert_eq!(
        (scene.receiver().delivered_ids(), scene.config.owed().len()),
        (vec![1, 2, 3], 0)
    );
}

#[test]
fn a_damaged_line_in_the_middle_of_the_owed_file_is_never_passed_over_in_silence() {
    let scene = Scene::with_missing(1..=3);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    let path = scene.config.state_file("owed.jsonl");
    let text = std::fs::read_to_string(&path).expect("Read the owed file");
    std::fs::write(&path, format!("{{\"half\": \n{text}")).expect("Damage the first line");
    scene.receiver().answer(|_| Answer::ok());
    let outcome = scene.cupid("retry").run();
    outcome.assert_says(&["test.owed.jsonl"]);
}

#[test]
fn what_an_earlier_version_left_owed_in_its_file_is_delivered() {
    let scene = Scene::with_missing(1..=3);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    let (now, before) = (
        scene.config.state_file("owed.jsonl"),
        scene.config.state_file("failed.jsonl"),
    );
    std::fs::rename(&now, &before).expect("Give the file its earlier name");
    let files = || (scene.config.state_snapshot(), scene.config.history());
    let state = files();
    let status = scene.cupid("status").exits(1);
    assert!(status.stdout.contains('3'), "{status:?}");
    let dry = scene.cupid("run").args("--dry-run -v").exits(1);
    dry.assert_says(&["3 would be called back"]);
    assert!(files() == state, "who reads saves nothing");
    scene.receiver().take();
    scene.receiver().answer(|_| Answer::ok());
    scene.retry(0);
    assert_eq!(scene.receiver().delivered_ids(), [1, 2, 3]);
    assert!(!before.exists() && scene.config.owed().is_empty());
}

#[test]
fn state_files_are_private() {
    let scene = Scene::with_missing(1..=3);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    for extension in ["checkpoint.json", "owed.jsonl", "stats.json", "lock"] {
        let file = std::fs::metadata(scene.config.state_file(extension)).expect(extension);
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{extension}");
    }
    let leftovers: Vec<_> = std::fs::read_dir(scene.config.state())
        .expect("List the state folder")
        .map(|entry| entry.expect("List the state folder").file_name())
        .collect();
    assert_eq!(leftovers.len(), 4, "{leftovers:?}");
}

#[test]
fn a_missing_state_folder_is_made_or_refused_but_nothing_is_lost() {
    let scene = Scene::with_missing(1..=3);
    std::fs::remove_dir(scene.config.state()).expect("Remove the state folder");
    match scene.cupid("run").run().code {
        Some(0) => {}
        Some(2 | 78) => {
            assert_eq!(scene.receiver().count(), 0);
            std::fs::create_dir(scene.config.state()).expect("Create the state folder");
            scene.run(0);
        }
        code => panic!("exit status {code:?}"),
    }
    assert_eq!(scene.receiver().ids(), [1, 2, 3]);
}

#[test]
fn a_file_in_place_of_the_state_folder_stops_the_run() {
    let scene = Scene::with_missing(1..=3);
    std::fs::remove_dir(scene.config.state()).expect("Remove the state folder");
    std::fs::write(scene.config.state(), "").expect("Write a file in its place");
    scene.run(2).assert_says(&["state"]);
    assert_eq!(scene.receiver().count(), 0);
}

#[test]
fn a_read_only_state_folder_stops_the_run_and_skips_nothing() {
    let scene = with_checkpoint();
    let before = scene.config.state_snapshot();
    let (config, state) = (scene.config.path(), scene.config.state());
    let set_mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .expect("Change the mode");
    };
    // Modes do not bind root, so root runs the program as another user, who can read all of this and write none of it.
    set_mode(scene.config.folder(), 0o755);
    set_mode(&config, 0o644);
    let mut modes = Vec::new();
    for entry in std::fs::read_dir(&state).expect("List the state folder") {
        let path = entry.expect("List the state folder").path();
        modes.push((
            path.clone(),
            std::fs::metadata(&path)
                .expect("Ask for the mode")
                .permissions()
                .mode(),
        ));
        set_mode(&path, 0o444);
    }
    set_mode(&state, 0o555);
    let program = scene.config.folder().join("cupid");
    std::fs::copy(env!("CARGO_BIN_EXE_cupid"), &program).expect("Copy the program");
    set_mode(&program, 0o755);
    let id = Command::new("id").arg("-u").output().expect("Run id");
    let other_user: &[&str] = match id.stdout.trim_ascii() {
        b"0" => &[
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ],
        _ => &[],
    };
    let outcome =
        Cupid::program(other_user, &program, ["run".as_ref(), config.as_os_str()]).exits(2);
    outcome.assert_says(&["state"]);
    assert_eq!(
        scene.receiver().count(),
        0,
        "what cannot be saved is not begun"
    );
    set_mode(&state, 0o755);
    for (path, mode) in modes {
        set_mode(&path, mode);
    }
    assert!(
        scene.config.state_snapshot() == before,
        "the old state is intact"
    );
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [6, 7, 8]);
}

/// Files may not grow beyond `blocks` of 512 bytes: a write fails as on a full disk (EFBIG in place of ENOSPC).
fn on_a_full_disk(scene: &Scene, blocks: u32) -> Cupid {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let config = scene.config.path();
    Cupid::under(
        &["sh", "-c", &script, "sh"],
        ["run".as_ref(), config.as_os_str()],
    )
}

#[test]
fn a_full_disk_stops_the_run_and_skips_nothing() {
    for blocks in [0, 1, 4] {
        let scene = with_checkpoint();
        let before = scene.config.state_snapshot();
        scene.db.add_users(9..=3000);
        scene.receiver().stop();
        on_a_full_disk(&scene, blocks).exits(2);
        let after = scene.config.state_snapshot();
        for file in &before {
            assert!(
                after.contains(file),
                "{} changed under a limit of {blocks} blocks",
                file.0
            );
        }
        scene.receiver().restart();
        scene.run_until_done(5);
        let mut ids = scene.receiver().delivered_ids();
        ids.retain(|id| *id > 5);
        assert_ids(&ids, 6..=3000);
    }
}

#[test]
fn a_full_disk_under_owed_callbacks_keeps_them() {
    let scene = Scene::with_missing(1..=2000);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    assert_eq!(scene.config.owed().len(), 2000);
    scene.db.add_users(2001..=4000);
    on_a_full_disk(&scene, 8).exits(2);
    assert_eq!(scene.config.owed().len(), 2000, "no owed callback is lost");
    scene.receiver().answer(|_| Answer::ok());
    scene.run_until_done(5);
    assert_ids(&scene.receiver().delivered_ids(), 1..=4000);
}

#[test]
fn max_owed_bounds_the_files_and_everything_is_delivered_later() {
    let mut scene = Scene::with_missing(1..=30_000);
    scene.config.set("/maxOwed", 1000);
    scene.receiver().stop();
    for run in 1..=4 {
        scene.run(1);
        let owed = scene.config.owed().len();
        assert!(
            (1000..=15_000).contains(&owed),
            "{owed} callbacks are owed after run {run}"
        );
    }
    scene.receiver().restart();
    scene.run_until_done(60);
    assert_ids(&scene.receiver().delivered_ids(), 1..=30_000);
}

#[test]
fn status_tells_what_is_owed_and_changes_nothing() {
    let scene = Scene::with_missing(1..=42);
    scene.receiver().answer(|_| Answer::status(500));
    scene.run(1);
    let before = scene.config.state_snapshot();
    let sent = scene.receiver().count();
    let outcome = scene.cupid("status").run();
    assert!(outcome.stdout.contains("42"), "{outcome:?}");
    assert!(scene.config.state_snapshot() == before && scene.receiver().count() == sent);
}

#[test]
fn status_before_the_first_run_is_no_error() {
    let scene = Scene::with_missing(1..=3);
    let outcome = scene.cupid("status").run();
    assert!(
        matches!(outcome.code, Some(0 | 1)) && !outcome.stdout.is_empty(),
        "{outcome:?}"
    );
}

#[test]
fn two_configurations_share_a_state_folder_without_meeting() {
    let mut scene = Scene::with_missing(1..=3);
    scene.run(0);
    scene.config.set("/name", "other");
    scene.run(0);
    assert_eq!(
        scene.receiver().ids(),
        [1, 1, 2, 2, 3, 3],
        "each has a checkpoint of its own"
    );
}
