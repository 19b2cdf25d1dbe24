//! What users copy from `examples/` works: the units verify, and every command line is run as it stands but for its paths.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::{Cupid, Scene, wait_until};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(example(name))
        .unwrap_or_else(|error| panic!("examples/{name}: {error}"))
}

/// What follows `key` at the start of a line.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    text.lines()
        .find_map(|line| line.strip_prefix(key))
        .unwrap_or_else(|| panic!("no line starts with {key}"))
}

/// A missing row, and a configuration whose passwords are variables that `secrets` (lines of NAME=value) fills in.
fn with_variables() -> (Scene, String) {
    let mut scene = Scene::with_missing([1]);
    let secrets = format!(
        "SRC_PASSWORD='{0}'\nDES_PASSWORD='{0}'\n",
        scene.db.reader_password
    );
    scene
        .config
        .set("/src/password", "${SRC_PASSWORD}")
        .set("/des/0/password", "${DES_PASSWORD}");
    (scene, secrets)
}

/// The line with this machine's paths in place of the installed ones.
fn here(line: &str, scene: &Scene) -> String {
    line.replace("/usr/bin/cupid", env!("CARGO_BIN_EXE_cupid"))
        .replace(
            "/etc/cupid/user.json",
            &scene.config.path().display().to_string(),
        )
        .replace(
            "/etc/cupid/user.env",
            &scene.config.folder().join("user.env").display().to_string(),
        )
}

fn run_in_shell(line: &str, scene: &Scene) -> common::Running {
    Cupid::program(&[], Path::new("/bin/sh"), ["-euc", line])
        .env("CREDENTIALS_DIRECTORY", scene.config.folder())
        .spawn()
}

#[test]
fn systemd_accepts_the_units() {
    let folder = tempfile::tempdir().expect("Create a folder");
    let units = ["cupid@.service", "cupid@.timer", "cupid.service"].map(|name| {
        // It asks for a program that is there.
        let unit = read(name).replace("/usr/bin/cupid", env!("CARGO_BIN_EXE_cupid"));
        let path = folder.path().join(name);
        std::fs::write(&path, unit).expect("Write the unit");
        path
    });
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .args(units)
        .output()
        .unwrap_or_else(|error| {
            panic!("Cannot run systemd-analyze ({error}): install systemd (scripts/test does)")
        });
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    // An unknown setting is a warning and exit status 0, so silence is asked for, about these units.
    let about: Vec<&str> = said.lines().filter(|line| line.contains("cupid")).collect();
    assert!(output.status.success() && about.is_empty(), "{said}");
}

#[test]
fn the_services_are_hardened() {
    for (name, own) in [
        (
            "cupid@.service",
            ["StateDirectory=cupid/%i", "SuccessExitStatus=1 75"],
        ),
        ("cupid.service", ["StateDirectory=cupid", "Type=notify"]),
    ] {
        let unit = read(name);
        let same = ["User=cupid", "ProtectSystem=strict", "NoNewPrivileges=yes"];
        for line in own.into_iter().chain(same) {
            let count = unit.lines().filter(|other| *other == line).count();
            assert_eq!(count, 1, "{name}: {line}");
        }
    }
}

#[test]
fn the_services_command_needs_no_shell_and_finds_its_secrets_beside_the_file() {
    let (scene, secrets) = with_variables();
    let beside = scene.config.path().with_extension("env");
    std::fs::write(beside, secrets).expect("Write the variables");
    let unit = read("cupid@.service").replace("%i", "user");
    let command = here(value(&unit, "ExecStart="), &scene);
    let words: Vec<&str> = command.split(' ').collect();
    let outcome = Cupid::program(&[], Path::new(words[0]), &words[1..]).exits(0);
    outcome.assert_silent();
    assert_eq!(scene.receiver().ids(), [1]);
}

#[test]
fn without_cache_file_path_the_state_goes_to_the_services_state_directory() {
    let mut scene = Scene::with_missing([1]);
    scene.config.remove("/src/cacheFilePath");
    scene
        .cupid("run")
        .env("STATE_DIRECTORY", scene.config.state())
        .exits(0);
    assert!(scene.config.state_file("checkpoint.json").exists());
}

#[test]
fn the_crontab_line_runs() {
    let (scene, secrets) = with_variables();
    std::fs::write(scene.config.folder().join("user.env"), secrets).expect("Write the variables");
    let text = read("crontab");
    let line = value(&text, "* * * * * cupid ");
    assert!(line.ends_with("--every 2s --for 58s"), "{line}");
    let line = here(line, &scene).replace("--for 58s", "--for 3s");
    let outcome = run_in_shell(&line, &scene).wait();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(scene.receiver().ids(), [1]);
}

#[test]
fn the_supervisord_program_runs_until_its_stop_signal() {
    let scene = Scene::with_missing([1]);
    let text = read("supervisord.conf");
    let running = run_in_shell(
        &format!("exec {}", here(value(&text, "command="), &scene)),
        &scene,
    );
    wait_until("the callback comes", Duration::from_secs(20), || {
        scene.receiver().ids() == [1]
    });
    running.signal(value(&text, "stopsignal="));
    assert_eq!(running.wait().code, Some(0));
}

#[test]
fn logrotate_accepts_its_file() {
    let folder = tempfile::tempdir().expect("Create a folder");
    let copy = folder.path().join("cupid"); // logrotate refuses a file that others may write
    std::fs::write(&copy, read("logrotate.conf")).expect("Copy the file");
    let output = Command::new("logrotate")
        .args(["--debug", "--state"])
        .args([folder.path().join("state"), copy])
        .env(
            "PATH",
            format!(
                "{}:/usr/sbin:/sbin",
                std::env::var("PATH").unwrap_or_default()
            ),
        )
        .output()
        .unwrap_or_else(|error| {
            panic!("Cannot run logrotate ({error}): install it (scripts/test does)")
        });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("error"), "{said}");
}

/// Ends the receiver with the test, however that ends.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_callback_receiver_verifies_and_repairs() {
    // Next to the program; `cargo test` has built it, `cargo test --test examples` alone has not.
    let folder = Path::new(env!("CARGO_BIN_EXE_cupid"))
        .parent()
        .expect("The program lies in a folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--locked", "--example", "callback_receiver"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // What this test's own cargo says of its package counts as a change for dependencies that ask for it: they would be built
    // again now, and once more by the next cargo.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&*name);
        }
    }
    let built = cargo.status();
    assert!(built.expect("Start cargo").success());
    let program = folder.join("examples/callback_receiver");
    let mut scene = Scene::with_missing(1..=3);
    let receiver = Command::new(program)
        .args([
            "--secret",
            "hidden-secret",
            "--table",
            "user",
            "--by",
            "number",
        ])
        .args(["--columns", "number,name,avatar", "--quiet"])
        .args(["--des", &scene.db.server.url(&scene.db.copies[0])])
        .stdout(std::process::Stdio::piped())
        .spawn();
    let mut receiver = Ended(receiver.expect("Start the receiver"));
    let mut first = String::new();
    let stdout = receiver.0.stdout.take().expect("It is piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut first)
        .expect("The receiver says where it listens");
    let address = first
        .trim()
        .strip_prefix("listening on ")
        .expect("It says so");
    let callback = "/des/0/callbackNotification";
    scene
        .config
        .set(&format!("{callback}/url"), address)
        .set(&format!("{callback}/secret"), "another-hidden-secret");
    scene.run(1).assert_says(&["3 owed"]);
    scene
        .config
        .set(&format!("{callback}/secret"), "hidden-secret");
    scene.run(0);
    let repaired: Vec<(String,)> = scene.db.query("SELECT name FROM des.user ORDER BY number");
    assert_eq!(repaired.len(), 3);
    scene.cupid("reconcile").exits(0);
}
