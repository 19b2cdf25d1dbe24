//! Passwords, secrets, tokens: nobody reads them in what cupid says or leaves behind, whether all goes well or nothing does.
//!
//! Every secret here contains `hidden`, and [`Cupid`] refuses any output that does; what lies in the test's folder is searched
//! besides.

mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::{Answer, Config, Cupid, Scene};
use serde_json::{Value, json};

/// The two ways to name a server.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Spelling {
    Pdo,
    Url,
}

const SPELLINGS: [Spelling; 2] = [Spelling::Pdo, Spelling::Url];

/// Two copies that lack rows 1 to 9 of 20, and a configuration full of secrets. The first copy's receiver refuses.
fn scene(spelling: Spelling) -> Scene {
    let mut scene = Scene::with_copies(2);
    scene.db.add_users(1..=20);
    scene.db.copy_users();
    for copy in ["des", "des2"] {
        scene
            .db
            .exec(&format!("DELETE FROM {copy}.user WHERE id < 10"));
        scene
            .db
            .exec(&format!("UPDATE {copy}.user SET name = 'x' WHERE id = 12"));
    }
    scene.receiver().answer(|_| Answer::status(500));
    let config = &mut scene.config;
    config.with_updates(5);
    for place in ["/src", "/des/0", "/des/1"] {
        spell(config, place, spelling, None);
    }
    for number in 0..2 {
        let url = format!("{}?token=hidden-token", scene.receivers[number].url());
        let callback = format!("/des/{number}/callbackNotification");
        config
            .set(&format!("{callback}/url"), url)
            .set(&format!("{callback}/secret"), "hidden-secret")
            .set(
                &format!("{callback}/headers"),
                json!({"Authorization": "Bearer hidden-bearer", "X-Api-Key": "${SECRET_OF_TEST}"}),
            );
    }
    let logs = config.folder().join("log");
    std::fs::create_dir(&logs).unwrap();
    config
        .set("/logDir", json!(logs))
        .set("/src/pushbearSendKey", "hidden-pushbear")
        .set(
            "/notify",
            json!([{"type": "slack", "url": "https://hooks.example/hidden-hook"}]),
        );
    scene
}

/// Names the server of `src` or of a destination in this spelling, with another password if one is given.
fn spell(config: &mut Config, place: &str, spelling: Spelling, password: Option<&str>) {
    let part = |key: &str| {
        let value = config.value.pointer(&format!("{place}/{key}"));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let password = password.map_or_else(|| part("password"), str::to_owned);
    match spelling {
        Spelling::Pdo => {
            config.set(&format!("{place}/password"), password);
        }
        Spelling::Url => {
            let (user, dsn) = (part("user"), part("dsn"));
            let value = |name: &str| {
                let from = dsn.find(name).expect("the DSN has it") + name.len();
                dsn[from..].split(';').next().unwrap_or_default().to_owned()
            };
            let address = format!("{}:{}", value("host="), value("port="));
            let database = value("dbname=");
            config
                .set(
                    &format!("{place}/dsn"),
                    format!("mysql://{user}:{password}@{address}/{database}"),
                )
                .remove(&format!("{place}/user"))
                .remove(&format!("{place}/password"));
        }
    }
}

fn cupid(scene: &Scene, command: &str, args: &str) -> Cupid {
    let output = |name: &str| scene.config.folder().join(name).display().to_string();
    Cupid::new(command.split(' '))
        .arg(scene.config.path())
        .args(&args.replace("OUT/", &output("")))
        .env("SECRET_OF_TEST", "hidden-variable")
        .env("RUST_BACKTRACE", "1")
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Only the configuration holds secrets, and at least `files_min` other files are there and hold something.
#[track_caller]
fn assert_only_the_configuration_holds_secrets(scene: &Scene, files_min: usize) {
    let mut others = 0;
    for path in files(scene.config.folder()) {
        let bytes = std::fs::read(&path).unwrap();
        // With the dash: a page's style sheet has the word too.
        let has_secret = String::from_utf8_lossy(&bytes).contains("hidden-");
        let is_configuration = path.ends_with("config.json");
        assert_eq!(has_secret, is_configuration, "{}", path.display());
        others += usize::from(!is_configuration && !bytes.is_empty());
    }
    assert!(others >= files_min, "only {others} files were searched");
}

#[test]
fn no_command_that_works_tells_a_secret() {
    for spelling in SPELLINGS {
        let scene = scene(spelling);
        cupid(&scene, "check", "").run();
        cupid(&scene, "run", "-vv --report OUT/run.csv").exits(1);
        cupid(&scene, "run", "--json").exits(1);
        cupid(&scene, "retry", "-vv --json").exits(1);
        for words in [
            "",
            "--json",
            "show copy1/1 copy1/12",
            "send copy1/1 -vv",
            "drop copy1/1 --yes",
        ] {
            cupid(&scene, "owed", words).run();
        }
        cupid(&scene, "status", "").exits(1);
        cupid(&scene, "status", "--json").exits(1);
        let outputs =
            "--report OUT/audit.jsonl --html OUT/audit.html --fix-sql OUT/fix.sql --extra";
        cupid(&scene, "reconcile", &format!("-vv {outputs}")).exits(1);
        cupid(
            &scene,
            "recheck",
            "OUT/audit.jsonl --report OUT/left.csv -vv",
        )
        .exits(1);
        cupid(&scene, "run", "--every 100ms --for 1s -vv").run();
        let started = cupid(&scene, "start", "-vv").spawn();
        std::thread::sleep(std::time::Duration::from_millis(500));
        started.signal("TERM");
        started.wait();
        let output = |name: &str| scene.config.folder().join(name);
        Cupid::new(["report", "merge"])
            .arg(output("audit.jsonl"))
            .arg("--output")
            .arg(output("all.csv"))
            .exits(0);
        Cupid::new(["report", "html"])
            .arg(output("all.csv"))
            .arg("--output")
            .arg(output("all.html"))
            .exits(0);
        // Checkpoint, owed, lock, log, six outputs, the audit's state.
        assert_only_the_configuration_holds_secrets(&scene, 11);
        let log = std::fs::read_to_string(output("log/cupid-test.log")).unwrap();
        assert!(
            log.contains(" owed since "),
            "the log says something: {log}"
        );
    }
}

/// Every command that reads a configuration fails or copes, with this change to it.
fn every_command(scene: &Scene, codes: &[i32]) {
    let report = scene.config.folder().join("earlier.csv");
    let source = scene.db.source.clone();
    std::fs::write(
        &report,
        format!(
            "detected_at,source,destination,kind,id,key,column,source_value,destination_value,callback\n\
             2024-01-02T03:04:05.000Z,{source}.user,copy1,missing,1,n1,,,,none\n"
        ),
    )
    .unwrap();
    for (command, args) in [
        ("run", "-vv"),
        ("run", "--json"),
        ("run", "--dry-run --report -"),
        ("reconcile", "-vv"),
        ("reconcile", "--json"),
        ("recheck", "OUT/earlier.csv -vv"),
        ("retry", "-vv"),
        ("status", ""),
        ("status", "--json"),
        ("check", ""),
    ] {
        let outcome = cupid(scene, command, args).run();
        let code = outcome.code.expect("it ends by itself");
        assert!(codes.contains(&code), "{command} {args}: {outcome:?}");
    }
}

#[test]
fn no_wrong_password_and_no_unreachable_server_makes_it_tell_a_secret() {
    for spelling in SPELLINGS {
        for place in ["/src", "/des/0"] {
            let mut scene = scene(Spelling::Pdo);
            spell(&mut scene.config, place, spelling, Some("hidden-and-wrong"));
            every_command(&scene, &[0, 1, 2]);
            assert_only_the_configuration_holds_secrets(&scene, 2);

            let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let port = closed.local_addr().unwrap().port();
            drop(closed);
            let dsn = match spelling {
                Spelling::Pdo => format!("mysql:host=127.0.0.1;port={port};dbname=my"),
                Spelling::Url => format!("mysql://u:hidden-in-url@127.0.0.1:{port}/my"),
            };
            scene.config.set(&format!("{place}/dsn"), dsn);
            if spelling == Spelling::Pdo {
                scene
                    .config
                    .set(&format!("{place}/user"), "u")
                    .set(&format!("{place}/password"), "hidden-and-unreachable");
            }
            every_command(&scene, &[0, 1, 2]);
            assert_only_the_configuration_holds_secrets(&scene, 2);
        }
    }
}

#[test]
fn no_receiver_however_rude_makes_it_tell_a_secret() {
    let scene = scene(Spelling::Url);
    for answer in [
        Answer::CloseHalfWay,
        Answer::status(302),
        Answer::Status(401, vec![("WWW-Authenticate", "hidden-echo".into())]),
        Answer::Status(302, vec![("Location", "http://hidden-place/".into())]),
        Answer::Status(503, vec![("Retry-After", "hidden-number".into())]),
    ] {
        for receiver in &scene.receivers {
            let answer = answer.clone();
            receiver.answer(move |_| answer.clone());
        }
        cupid(&scene, "run", "-vv").exits(1);
        cupid(&scene, "retry", "-vv --json").exits(1);
        cupid(&scene, "status", "").exits(1);
        assert_only_the_configuration_holds_secrets(&scene, 3);
    }
    for receiver in &scene.receivers {
        receiver.stop();
    }
    cupid(&scene, "retry", "-vv").exits(1);
    assert_only_the_configuration_holds_secrets(&scene, 3);
}

#[test]
fn no_refused_configuration_shows_a_secret() {
    let callback = "/des/0/callbackNotification";
    for (place, value) in [
        ("/src/password", json!(["hidden-in-list"])),
        ("/src/password", json!({"hidden": 1})),
        (
            "/src/dsn",
            json!("mysql:host=127.0.0.1;dbname=my;password=hidden"),
        ),
        ("/src/dsn", json!("mysql:host=127.0.0.1;dbname=my;hidden")),
        (
            "/src/dsn",
            json!("mysql:host=127.0.0.1;dbname=my;hidden=;port=1"),
        ),
        ("/src/dsn", json!("mysql://user:hidden#1@127.0.0.1/my")),
        ("/src/dsn", json!("mysql://user:hidden/1@127.0.0.1/my")),
        ("/src/dsn", json!("mysql://user:1?hidden&x@127.0.0.1/my")),
        ("/src/dsn", json!("mysql://user:hidden@127.0.0.1:99999/my")),
        ("/src/dsn", json!("mysql://user:hidden@")),
        ("/src/dsn", json!("hidden://user:hidden@db/my")),
        ("/src/user", json!("${NO_SUCH_VARIABLE}")),
        ("/src/pasword", json!("hidden-under-another-key")),
        ("/des/0/dsn", json!("mysql://user:hidden#1@127.0.0.1/my")),
        (&format!("{callback}/secret"), json!("whsec_hidden!")),
        (&format!("{callback}/secret"), json!({"secret": "hidden"})),
        (&format!("{callback}/secrets"), json!("hidden")),
        (&format!("{callback}/headers"), json!(["hidden"])),
        (&format!("{callback}/headers/X-Key"), json!("hidden\nvalue")),
        (&format!("{callback}/headers/X-Key"), json!(["hidden"])),
        (&format!("{callback}/headers/Bad Name"), json!("hidden")),
        (
            &format!("{callback}/url"),
            json!("http://user:hidden@127.0.0.1/"),
        ),
        (&format!("{callback}/url"), json!("ftp://127.0.0.1/hidden")),
        (
            &format!("{callback}/url"),
            json!(["http://127.0.0.1/hidden"]),
        ),
        ("/notify", json!("hidden")),
    ] {
        let mut scene = scene(Spelling::Pdo);
        if place == "/src/dsn" {
            scene.config.remove("/src/password").remove("/src/user");
        }
        scene.config.set(place, value.clone());
        for command in ["run", "status", "check"] {
            let outcome = cupid(&scene, command, "").run();
            // The state can be read without a secret.
            let is_missing = command == "status" && value == "${NO_SUCH_VARIABLE}";
            let code = if is_missing { 1 } else { 78 };
            assert_eq!(outcome.code, Some(code), "{place} {value}: {outcome:?}");
        }
        assert_only_the_configuration_holds_secrets(&scene, 0);
    }
}

#[test]
fn no_slip_of_the_hand_beside_a_secret_shows_it() {
    let scene = scene(Spelling::Pdo);
    let text = std::fs::read_to_string(scene.config.path()).unwrap();
    let places: Vec<usize> = text.match_indices("hidden").map(|(at, _)| at).collect();
    assert!(places.len() > 10, "there are secrets to slip at");
    for at in places {
        let begin = text[..at].rfind('"').expect("a quote opens the text");
        let end = at + text[at..].find('"').expect("a quote closes it");
        for broken in [
            format!("{}{}", &text[..begin], &text[begin + 1..]),
            format!("{}{}", &text[..end], &text[end + 1..]),
            format!("{}\"{}", &text[..at], &text[at..]),
            text[..at + 6].to_owned(),
        ] {
            let path = scene.config.write(broken.as_bytes());
            Cupid::of("run", &path)
                .env("SECRET_OF_TEST", "hidden-variable")
                .exits(78);
        }
    }
}

#[test]
fn what_a_run_leaves_is_for_its_owner_only() {
    let scene = scene(Spelling::Url);
    let outputs =
        "--report OUT/audit.csv --html OUT/audit.html --fix-sql OUT/fix.sql --memory 1M --extra";
    // The usual umask, under which a file made without care is for everyone.
    cupid(&scene, "run", "--report OUT/run.jsonl").exits(1);
    cupid(&scene, "reconcile", outputs).exits(1);
    cupid(&scene, "recheck", "OUT/audit.csv --report OUT/left.csv").exits(1);
    let mut seen = 0;
    for path in files(scene.config.folder()) {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        // A log is also for the group that reads logs.
        let expected = match path.extension().and_then(|e| e.to_str()) {
            Some("log") => 0o640,
            _ => 0o600,
        };
        assert_eq!(mode, expected, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 11, "only {seen} files were looked at");
}

/// One missing row, and passwords that the configuration takes from somewhere else.
fn with_passwords(source: &str, destination: &str) -> Scene {
    let mut scene = Scene::with_missing([1]);
    scene
        .config
        .set("/src/password", source)
        .set("/des/0/password", destination);
    scene
}

#[test]
fn passwords_come_from_a_credential_and_from_the_file_beside_the_configuration() {
    let scene = with_passwords("${SRC_PASSWORD}", "${DES_PASSWORD}");
    let password = &scene.db.reader_password;
    let credentials = tempfile::tempdir().expect("Create a folder");
    std::fs::write(
        credentials.path().join("SRC_PASSWORD"),
        format!("{password}\n"),
    )
    .expect("Write the credential");
    let beside = scene.config.folder().join("config.env");
    std::fs::write(
        beside,
        format!("# secrets\nSRC_PASSWORD=wrong\nDES_PASSWORD='{password}'\n"),
    )
    .expect("Write the variables");
    scene
        .cupid("run")
        .env("CREDENTIALS_DIRECTORY", credentials.path())
        .exits(0);
    assert_eq!(scene.receiver().ids(), [1]);
}

#[test]
fn a_password_may_be_the_content_of_a_file() {
    let scene = with_passwords("${file:src.secret}", "${file:src.secret}");
    std::fs::write(
        scene.config.folder().join("src.secret"),
        format!("{}\n", scene.db.reader_password),
    )
    .expect("Write the secret");
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [1]);
}

#[test]
fn a_password_that_is_nowhere_is_refused_with_the_places_that_were_looked_in() {
    let scene = with_passwords("${SRC_PASSWORD}", "${file:/no/such/secret}");
    let credentials = tempfile::tempdir().expect("Create a folder");
    std::fs::create_dir(credentials.path().join("SRC_PASSWORD")).expect("Create a folder");
    let outcome = scene.cupid("run").exits(78);
    outcome.assert_says(&[
        "src.password: needs the environment variable SRC_PASSWORD",
        "CREDENTIALS_DIRECTORY is not set",
        "config.env (there is no such file)",
        "des[0].password: needs the file /no/such/secret, which cannot be read",
    ]);
    let outcome = scene
        .cupid("run")
        .env("CREDENTIALS_DIRECTORY", credentials.path())
        .exits(78);
    outcome.assert_says(&["SRC_PASSWORD cannot be read: Is a directory"]);
}
