//! Files that a command makes: whole, or as they were. And what is said when something is in the way.

mod common;

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Answer, Cupid, Scene, wait_until};

const HEADER: &str =
    "detected_at,source,destination,kind,id,key,column,source_value,destination_value,callback";
const MISSING: &str = "2024-01-02T03:04:05.000Z,my.user,copy1,missing,10,n10,,,,owed";

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An option and the file that it names, which holds yesterday's content.
fn yesterdays(scene: &Scene) -> Vec<(&'static str, PathBuf)> {
    let files = [
        ("--report", "r.csv"),
        ("--report", "r.jsonl"),
        ("--fix-sql", "fix.sql"),
        ("--html", "page.html"),
    ];
    files
        .map(|(option, name)| {
            let path = scene.config.folder().join(name);
            std::fs::write(&path, "yesterday\n").expect("Write a file");
            (option, path)
        })
        .to_vec()
}

fn partial(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.partial", path.display()))
}

#[test]
fn an_audit_that_fails_leaves_every_file_as_it_was() {
    let mut scene = Scene::in_sync(1..=3);
    let files = yesterdays(&scene);
    let intact = |scene: &Scene, options: &str, code: i32| {
        for (option, path) in &files {
            scene
                .cupid("reconcile")
                .args(options)
                .arg(option)
                .arg(path)
                .exits(code);
            assert_eq!(text(path), "yesterday\n", "{option} {options}");
            assert!(!partial(path).exists(), "{option} {options}");
        }
    };
    intact(&scene, "--resume", 2);
    intact(&scene, "--resume --dry-run", 2);
    scene.config.set("/des/0/columns/nothing", "like it");
    intact(&scene, "", 78);
    scene.config.remove("/des/0/columns/nothing");
    scene
        .config
        .set("/src/dsn", "mysql:host=127.0.0.1;port=1;dbname=my");
    intact(&scene, "", 2);
    intact(&scene, "--dry-run --for 5s", 2);
}

#[test]
fn a_copy_that_cannot_be_read_makes_a_report_incomplete() {
    let mut scene = Scene::with_copies(2);
    scene.db.add_users(1..=3);
    scene.db.copy_users();
    scene.db.exec("DELETE FROM des.user WHERE id = 2");
    scene
        .config
        .set("/des/1/dsn", "mysql:host=127.0.0.1;port=1;dbname=my");
    let files = yesterdays(&scene);
    let (_, report) = &files[0];
    let outcome = scene
        .cupid("reconcile")
        .arg("--report")
        .arg(report)
        .exits(1);
    outcome.assert_says(&["r.csv is left as it was", "r.csv.partial", "--resume"]);
    assert_eq!(text(report), "yesterday\n");
    assert!(text(&partial(report)).contains(",missing,2,n2,"));
}

/// Rows of which a small part is audited, so that they are looked up: what is found is told as it is found.
fn many() -> Scene {
    Scene::in_sync((1..=6_000).chain([1_000_000]))
}

/// Stops an audit in the middle, and goes on until it is complete.
fn stopped_and_gone_on_with(options: &str) {
    let scene = many();
    scene
        .db
        .exec("DELETE FROM des.user WHERE id IN (10, 3000, 5990)");
    scene
        .db
        .exec("UPDATE des.user SET name = 'x' WHERE id = 20");
    let files = yesterdays(&scene);
    let audit = |more: &str| {
        let mut command = scene
            .cupid("reconcile")
            .args("--to-id 6000")
            .args(options)
            .args(more);
        for (option, path) in files.iter().skip(1) {
            command = command.arg(option).arg(path);
        }
        command.limit(Duration::from_secs(120))
    };
    let running = audit("--max-rate 1000").spawn();
    let is_dry = options.contains("dry");
    let progress = scene.config.state_file(if is_dry {
        "reconcile.dry-run.checkpoint.json"
    } else {
        "reconcile.checkpoint.json"
    });
    wait_until("it begins", Duration::from_secs(60), || progress.exists());
    std::thread::sleep(Duration::from_millis(2500));
    running.signal("INT");
    let outcome = running.wait();
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    outcome.assert_says(&["left as it was", "partial", "--resume goes on"]);
    assert!(text(&partial(&files[1].1)).contains("\"10\""));
    for (_, path) in files.iter().skip(1) {
        assert_eq!(text(path), "yesterday\n");
        assert!(partial(path).exists(), "{}", path.display());
        // A process that was killed in the middle of a line.
        let mut torn = text(&partial(path));
        if path.ends_with("r.jsonl") {
            torn.push_str("{\"detected_at\":\"20");
        } else if path.ends_with("fix.sql") {
            torn.push_str("/* copy1: missing, id 3000 */ INSERT INTO `a` VALUES (1, 'x");
        }
        std::fs::write(partial(path), torn).expect("Write a file");
    }
    audit("--resume").exits(1);
    for (_, path) in files.iter().skip(1) {
        assert!(!partial(path).exists(), "{}", path.display());
    }
    let lines: Vec<serde_json::Value> = text(&files[1].1)
        .lines()
        .map(|line| serde_json::from_str(line).expect("A line of the report"))
        .collect();
    let mut ids: Vec<u64> = lines
        .iter()
        .map(|line| line["id"].as_str().unwrap_or_default().parse().unwrap_or(0))
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, [10, 20, 3000, 5990]);
    let statements = text(&files[2].1);
    assert_eq!(statements.matches("INSERT INTO").count(), 3, "{statements}");
    assert_eq!(statements.matches("UPDATE ").count(), 1, "{statements}");
    let page = text(&files[3].1);
    assert!(page.contains("<html") && page.contains("n10") && page.contains("n5990"));
}

#[test]
fn an_audit_that_was_stopped_leaves_what_it_found_and_the_next_one_goes_on_in_it() {
    stopped_and_gone_on_with("");
}

#[test]
fn a_dry_run_that_was_stopped_goes_on_too() {
    stopped_and_gone_on_with("--dry-run");
}

#[test]
fn a_dry_run_and_an_audit_do_not_go_on_with_each_other() {
    let scene = Scene::in_sync(1..=5_000);
    scene.db.exec("DELETE FROM des.user WHERE id = 4900");
    scene
        .cupid("reconcile")
        .args("--dry-run --max-rate 500 --for 1500ms")
        .exits(1)
        .assert_says(&["--resume goes on"]);
    scene
        .cupid("reconcile")
        .args("--resume")
        .exits(2)
        .assert_says(&["no audit to go on with"]);
    scene
        .cupid("reconcile")
        .args("--dry-run --resume --json")
        .exits(1);
    assert_eq!(scene.receiver().count(), 0);
    scene
        .cupid("reconcile")
        .args("--dry-run --resume")
        .exits(2)
        .assert_says(&["no audit to go on with"]);
}

#[test]
fn rows_that_were_owed_when_an_audit_stopped_are_told_once() {
    let scene = many();
    scene.db.exec("DELETE FROM des.user WHERE id IN (10, 5990)");
    scene.receiver().answer(|_| Answer::status(500));
    let report = scene.config.folder().join("r.csv");
    let fixes = scene.config.folder().join("fix.sql");
    let audit = |options: &str| {
        let command = scene
            .cupid("reconcile")
            .args("--to-id 6000")
            .args(options)
            .arg("--report")
            .arg(&report);
        command.arg("--fix-sql").arg(&fixes).exits(1)
    };
    audit("--max-rate 1000 --for 2s");
    assert!(text(&partial(&report)).contains(",missing,10,n10,,,,owed"));
    scene.receiver().answer(|_| Answer::ok());
    audit("--resume");
    let lines = text(&report);
    assert_eq!(lines.matches(",delivered").count(), 2, "{lines}");
    assert_eq!(lines.lines().count(), 3, "{lines}");
    assert_eq!(text(&fixes).matches("INSERT INTO").count(), 2);
}

#[test]
fn a_resume_without_its_file_replaces_nothing() {
    let mut scene = Scene::in_sync(1..=5_000);
    scene.db.exec("DELETE FROM des.user WHERE id = 4900");
    let (report, other) = (
        scene.config.folder().join("r.csv"),
        scene.config.folder().join("other.csv"),
    );
    let audit = |options: &str, file: &Path| {
        scene
            .cupid("reconcile")
            .args(options)
            .arg("--report")
            .arg(file)
    };
    audit("--dry-run --max-rate 500 --for 1500ms", &report).exits(1);
    std::fs::write(&other, "yesterday\n").expect("Write a file");
    audit("--dry-run --resume", &other)
        .exits(2)
        .assert_says(&["other.csv.partial", "not there"]);
    assert_eq!(text(&other), "yesterday\n");
    // Of another audit.
    std::fs::write(partial(&other), format!("{HEADER}\n{MISSING}\n")).expect("Write a file");
    audit("--dry-run --resume", &other).exits(2).assert_says(&[
        "other.csv.partial",
        "another audit",
        "my.user",
    ]);
    std::fs::write(partial(&other), "a,b\n1,2\n").expect("Write a file");
    audit("--dry-run --resume", &other)
        .exits(2)
        .assert_says(&["other.csv.partial", "no report"]);
    assert_eq!(text(&other), "yesterday\n");
    // While the source is down nothing is lost of what the stopped audit found.
    let found = text(&partial(&report));
    let dsn = scene.config.value["src"]["dsn"].clone();
    scene
        .config
        .set("/src/dsn", "mysql:host=127.0.0.1;port=1;dbname=my");
    scene
        .cupid("reconcile")
        .args("--dry-run --resume --report")
        .arg(&report)
        .exits(2);
    scene.config.set("/src/dsn", dsn);
    assert_eq!(text(&partial(&report)), found);
    let audit = scene.cupid("reconcile").args("--dry-run --resume --report");
    audit.arg(&report).exits(1);
    assert_eq!(text(&report).lines().count(), 2);
}

#[test]
fn two_outputs_to_one_file_are_refused() {
    let scene = Scene::in_sync(1..=3);
    let folder = scene.config.folder();
    std::fs::write(folder.join("a"), "yesterday\n").expect("Write a file");
    std::os::unix::fs::symlink("a", folder.join("b")).expect("Make a link");
    for (one, other) in [("a", "a"), ("a", "b"), ("new", "new.partial")] {
        scene
            .cupid("reconcile")
            .arg("--report")
            .arg(folder.join(one))
            .arg("--html")
            .arg(folder.join(other))
            .exits(64)
            .assert_says(&["--report", "--html", "a file of its own"]);
    }
    assert_eq!(text(&folder.join("a")), "yesterday\n");
    for options in [
        "--report - --fix-sql -",
        "--html - --json",
        "--report - --html -",
    ] {
        scene
            .cupid("reconcile")
            .args(options)
            .exits(64)
            .assert_says(&["stdout"]);
    }
    let outcome = scene.cupid("reconcile").args("--fix-sql -").exits(0);
    assert!(outcome.stdout.starts_with("-- "), "{}", outcome.stdout);
}

#[test]
fn a_report_of_run_is_appended_to() {
    let scene = Scene::in_sync(1..=4);
    scene.run(0);
    for name in ["r.csv", "r.jsonl"] {
        let path = scene.config.folder().join(name);
        scene.cupid("run").arg("--report").arg(&path).exits(0);
        let lines_at_begin = text(&path).lines().count();
        let ids = if name == "r.csv" { [11, 12] } else { [13, 14] };
        for (number, id) in ids.into_iter().enumerate() {
            scene.db.add_users([id]);
            scene.cupid("run").arg("--report").arg(&path).exits(0);
            assert_eq!(text(&path).lines().count(), lines_at_begin + number + 1);
            // A killed process.
            let torn = text(&path) + "2024-01-02T03:04:05.000Z,\"my\n";
            let torn = if name == "r.csv" {
                torn
            } else {
                text(&path) + "{\"dete"
            };
            std::fs::write(&path, torn).expect("Write a file");
        }
        scene.cupid("run").arg("--report").arg(&path).exits(0);
        assert_eq!(text(&path).lines().count(), lines_at_begin + 2);
        Cupid::new(["report", "merge"]).arg(&path).exits(0);
    }
    for (name, content) in [
        ("a.csv", "a,b\n1,2\n"),
        ("b.jsonl", "{\"a\": 1}\n"),
        ("c.jsonl", HEADER),
    ] {
        let path = scene.config.folder().join(name);
        std::fs::write(&path, content).expect("Write a file");
        let outcome = scene.cupid("run").arg("--report").arg(&path).exits(2);
        outcome.assert_says(&[name, "no report"]);
        assert_eq!(text(&path), content);
    }
}

#[test]
fn pipes_devices_and_stdout_are_written_as_it_comes() {
    let scene = Scene::in_sync(1..=3);
    scene.db.exec("DELETE FROM des.user WHERE id = 2");
    let outcome = scene
        .cupid("reconcile")
        .args("--dry-run --report /dev/stdout")
        .exits(1);
    assert_eq!(outcome.stdout.matches(",missing,2,").count(), 1);
    let pipe = scene.config.folder().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("Run mkfifo").success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::read_to_string(pipe).expect("Read the pipe"))
    };
    scene
        .cupid("reconcile")
        .args("--dry-run --fix-sql")
        .arg(&pipe)
        .exits(1);
    assert!(
        reader
            .join()
            .expect("The pipe is read")
            .contains("INSERT INTO")
    );
    assert!(
        std::fs::metadata(&pipe)
            .expect("The pipe is there")
            .file_type()
            .is_fifo()
    );
    assert!(!partial(&pipe).exists());
    scene
        .cupid("reconcile")
        .args("--dry-run --report /dev/full")
        .exits(2)
        .assert_says(&["/dev/full"]);
    scene
        .cupid("reconcile")
        .args("--dry-run --report /dev/null")
        .exits(1);
}

#[test]
fn what_is_redirected_by_a_shell_keeps_what_is_in_it() {
    let scene = Scene::in_sync(1..=3);
    scene.db.exec("DELETE FROM des.user WHERE id = 2");
    let path = scene.config.folder().join("all.txt");
    let script = r#"exec > "$OUT"; echo first; "$@" --dry-run --report /dev/stdout; echo last"#;
    let command = scene.config.path();
    Cupid::under(
        &["bash", "-c", script, "bash"],
        ["reconcile".into(), command.into_os_string()],
    )
    .env("OUT", &path)
    .exits(0);
    let all = text(&path);
    assert!(
        all.starts_with("first\n") && all.ends_with("last\n"),
        "{all}"
    );
    assert_eq!(all.lines().count(), 4, "{all}");
}

#[test]
fn a_full_disk_in_the_middle_leaves_the_file_and_no_half_line() {
    let scene = Scene::in_sync(1..=2_000);
    scene.db.exec("DELETE FROM des.user WHERE id > 100");
    let (_, report) = yesterdays(&scene).remove(0);
    let script = "trap '' XFSZ; ulimit -f 32; exec \"$@\"";
    let args = ["reconcile".into(), scene.config.path().into_os_string()];
    let outcome = Cupid::under(&["bash", "-c", script, "bash"], args)
        .args("--dry-run --report")
        .arg(&report)
        .exits(2);
    outcome.assert_says(&["Write the report", "r.csv"]);
    assert_eq!(text(&report), "yesterday\n");
    let found = text(&partial(&report));
    assert!(
        found.starts_with(HEADER) && found.ends_with(",dry-run\n"),
        "{found}"
    );
}

#[test]
fn merged_reports_and_pages_replace_a_file_only_when_they_are_complete() {
    let scene = Scene::in_sync(1..=3);
    let folder = scene.config.folder();
    std::fs::write(folder.join("good.csv"), format!("{HEADER}\n{MISSING}\n")).expect("Write");
    std::fs::write(folder.join("bad.csv"), "a,b\n").expect("Write");
    let out = folder.join("out");
    std::fs::write(&out, "yesterday\n").expect("Write");
    for command in [["report", "merge"], ["report", "html"]] {
        let made = |name: &str, code| {
            let command = Cupid::new(command)
                .arg(folder.join(name))
                .arg("--output")
                .arg(&out);
            command.exits(code)
        };
        made("bad.csv", 2);
        made("absent.csv", 2);
        assert_eq!(text(&out), "yesterday\n");
    }
    let recheck = |report: &str, code| {
        let command = scene
            .cupid("recheck")
            .arg(folder.join(report))
            .arg("--report")
            .arg(&out);
        command.exits(code)
    };
    recheck("bad.csv", 2);
    recheck("good.csv", 2);
    assert_eq!(text(&out), "yesterday\n");
    std::fs::set_permissions(&out, std::fs::Permissions::from_mode(0o640)).expect("chmod");
    Cupid::new(["report", "merge"])
        .arg(folder.join("good.csv"))
        .arg("--output")
        .arg(&out)
        .exits(0);
    assert_eq!(text(&out).lines().count(), 2);
    let mode = std::fs::metadata(&out).expect("It is there").mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn a_file_in_a_folder_that_takes_no_other_is_written_over_in_the_end() {
    let folder = tempfile::tempdir().expect("Create a folder");
    let at = |name: &str| folder.path().join(name);
    let open = |path: &Path, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, permissions).expect("chmod");
    };
    std::fs::write(at("in.csv"), format!("{HEADER}\n{MISSING}\n")).expect("Write");
    std::fs::write(at("bad.csv"), "a,b\n").expect("Write");
    std::fs::copy(env!("CARGO_BIN_EXE_cupid"), at("cupid")).expect("Copy the program");
    std::fs::create_dir(at("closed")).expect("Create a folder");
    let out = at("closed").join("out.csv");
    std::fs::write(
        &out,
        "yesterday, which was longer than what there is today\n".repeat(9),
    )
    .expect("Write");
    for (path, mode) in [
        (folder.path(), 0o755),
        (&at("in.csv"), 0o644),
        (&at("bad.csv"), 0o644),
        (&at("cupid"), 0o755),
        (&at("closed"), 0o755),
        (&out, 0o666),
    ] {
        open(path, mode);
    }
    // As somebody who may write the file and not its folder: root may write everything, others' folders are closed.
    let is_root = std::fs::metadata("/proc/self").expect("Linux").uid() == 0;
    let other = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let wrapper: &[&str] = if is_root { &other } else { &[] };
    if !is_root {
        open(&at("closed"), 0o555);
    }
    let merge = |name: &str, code| {
        let command = Cupid::program(wrapper, &at("cupid"), ["report", "merge"]);
        command.arg(at(name)).arg("--output").arg(&out).exits(code)
    };
    let before = std::fs::metadata(&out).expect("It is there");
    merge("bad.csv", 2);
    assert!(text(&out).starts_with("yesterday"));
    merge("in.csv", 0);
    assert_eq!(text(&out), format!("{HEADER}\n{MISSING}\n"));
    let after = std::fs::metadata(&out).expect("It is there");
    assert_eq!((before.ino(), before.uid()), (after.ino(), after.uid()));
    Cupid::program(wrapper, &at("cupid"), ["report", "merge"])
        .arg(at("in.csv"))
        .arg("--output")
        .arg(at("closed").join("new.csv"))
        .exits(2)
        .assert_says(&["new.csv", "denied"]);
    open(&at("closed"), 0o755);
}

#[test]
fn passes_that_failed_are_not_forgotten_by_a_signal_between_them() {
    let mut scene = Scene::with_missing(1..=3);
    scene.receiver().answer(|_| Answer::status(500));
    let ended = |scene: &Scene, command: &str, exit: &str| {
        let running = scene.cupid(command);
        let running = match command {
            "run" => running.args("--every 1h"),
            _ => running,
        };
        let running = running.spawn();
        wait_until("a pass has ended", Duration::from_secs(60), || {
            std::fs::read_to_string(scene.config.state_file("lock"))
                .is_ok_and(|note| note.contains(exit))
        });
        std::thread::sleep(Duration::from_millis(300));
        running.signal("TERM");
        running.wait()
    };
    scene
        .config
        .set("/src/insertIntervalMillisecond", 3_600_000);
    for command in ["run", "start"] {
        let outcome = ended(&scene, command, "\"exit\":1");
        assert_eq!(outcome.code, Some(1), "{command}: {}", outcome.stderr);
    }
    scene
        .config
        .set("/src/dsn", "mysql:host=127.0.0.1;port=1;dbname=my");
    for command in ["run", "start"] {
        std::fs::remove_file(scene.config.state_file("lock")).expect("Remove the note");
        let outcome = ended(&scene, command, "\"exit\":2");
        assert_eq!(outcome.code, Some(2), "{command}: {}", outcome.stderr);
    }
}

#[test]
fn words_that_cannot_be_written_stop_nothing() {
    let scene = Scene::in_sync(1..=3);
    scene.db.exec("DELETE FROM des.user WHERE id = 2");
    scene.receiver().answer(|_| Answer::status(500));
    let config = scene.config.path();
    let absent = scene.config.folder().join("absent.json");
    for to in ["2>/dev/full", "2>&-", "2>&1 | true; exit ${PIPESTATUS[0]}"] {
        let script = format!("\"$@\" {to}");
        for (command, file, code) in [
            ("run", &config, 1),
            ("run", &absent, 78),
            ("reconcile", &config, 1),
            ("status", &absent, 78),
            ("nonsense", &config, 64),
        ] {
            let args = [command.into(), file.clone().into_os_string()];
            Cupid::under(&["bash", "-c", &script, "bash"], args).exits(code);
        }
    }
    for to in [">/dev/full", ">&-"] {
        let script = format!("\"$@\" {to}");
        let code = if to == ">&-" { 1 } else { 2 };
        let args = |command: &str| [command.into(), config.clone().into_os_string()];
        Cupid::under(&["bash", "-c", &script, "bash"], args("run"))
            .arg("--json")
            .exits(code);
        let outcome = Cupid::under(&["bash", "-c", &script, "bash"], args("status")).exits(code);
        assert_eq!(outcome.stderr.is_empty(), code == 1, "{}", outcome.stderr);
    }
}

#[test]
fn the_last_error_goes_to_the_log_file_too() {
    let mut scene = Scene::in_sync(1..=3);
    let logs = scene.config.folder().join("log");
    scene.config.set("/logDir", logs.to_str().expect("UTF-8"));
    scene
        .config
        .set("/src/dsn", "mysql:host=127.0.0.1;port=1;dbname=my");
    let outcome = scene.run(2);
    outcome.assert_says(&["127.0.0.1:1", "error"]);
    let log = text(&logs.join("cupid-test.log"));
    assert!(log.contains("127.0.0.1:1"), "{log}");
}

#[test]
fn quiet_still_says_what_is_wrong() {
    let scene = Scene::with_missing(1..=3);
    scene.receiver().answer(|_| Answer::status(500));
    scene
        .cupid("run")
        .arg("-q")
        .exits(1)
        .assert_says(&["3 owed"]);
    scene.receiver().answer(|_| Answer::ok());
    scene.cupid("retry").arg("-q").exits(0).assert_silent();
}

#[test]
fn rows_that_only_a_copy_has_are_said() {
    let scene = Scene::in_sync(1..=3);
    scene.db.exec("DELETE FROM src.user WHERE id = 2");
    for options in ["--extra", "--extra -q", "--extra --dry-run"] {
        let outcome = scene.cupid("reconcile").args(options).exits(1);
        outcome.assert_says(&["1 only in a destination"]);
    }
}

#[test]
fn the_comma_of_a_columns_name_is_no_separator() {
    let mut scene = Scene::in_sync(1..=1);
    for table in ["src.user", "des.user"] {
        scene.db.exec(&format!(
            "ALTER TABLE {table} CHANGE name `a, 100%` VARCHAR(64)"
        ));
    }
    scene
        .db
        .exec("UPDATE des.user SET `a, 100%` = 'x', avatar = 'y'");
    scene.config.remove("/des/0/columns/name");
    scene.config.set("/des/0/columns/a, 100%", "a, 100%");
    scene.run(0);
    let callbacks = scene.receiver().take();
    assert_eq!(callbacks[0].header("cupid-columns"), "a%2C%20100%25,avatar");
}
