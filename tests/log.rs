//! Where words go, and what they look like: a terminal, a pipe, the journal, a file.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::{Answer, Cupid, Db, Outcome, Scene, Server};

const LIMIT: Duration = Duration::from_secs(20);

/// A scene in which one callback is owed.
fn owing() -> Scene {
    let scene = Scene::with_missing([2]);
    scene.receiver().answer(|_| Answer::status(503));
    scene
}

/// `cupid COMMAND CONFIG` in a shell that runs `"$@"`.
fn in_shell(script: &str, command: &str, config: &Path) -> Cupid {
    let args = [command.as_ref(), config.as_os_str()];
    Cupid::under(&["bash", "-c", script, "bash"], args)
}

/// On a terminal of its own; what it says goes to stdout, as `script` has it.
fn on_terminal(command: &str, config: &Path) -> Cupid {
    let script = r#"printf -v command '%q ' "$@"; script -qec "$command" /dev/null"#;
    in_shell(script, command, config)
}

/// `2026-01-01T00:00:00.123Z WARN test: …`
fn is_stamped(line: &str, rest: &str) -> bool {
    let stamp = line.split(' ').next().unwrap_or_default();
    stamp.len() == 24 && stamp.ends_with('Z') && line[24..].starts_with(rest)
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn a_pipe_gets_a_stamp_a_level_and_the_configurations_name() {
    let scene = owing();
    let outcome = scene.run(1);
    for line in lines(&outcome.stderr) {
        assert!(is_stamped(line, " WARN test: "), "{line}");
    }
    assert_ne!(outcome.stderr, "");
}

#[test]
fn the_journal_gets_a_priority_and_no_stamp() {
    let scene = owing();
    let script = r#"JOURNAL_STREAM=$(stat -L -c %d:%i /dev/fd/2) "$@""#;
    let outcome = in_shell(script, "run", &scene.config.path()).exits(1);
    for line in lines(&outcome.stderr) {
        assert!(line.starts_with("<4>test: "), "{line}");
    }
    let mut scene = scene;
    let nobody = "mysql:host=127.0.0.1;port=1;dbname=my";
    scene.config.set("/src/dsn", nobody);
    scene.config.forget();
    let outcome = in_shell(script, "run", &scene.config.path()).exits(2);
    for line in lines(&outcome.stderr) {
        assert!(line.starts_with("<3>test: "), "{line}");
    }
    // A variable that was inherited names another stream.
    let script = r#"JOURNAL_STREAM=1:1 "$@""#;
    let outcome = in_shell(script, "run", &scene.config.path()).exits(2);
    assert!(is_stamped(&outcome.stderr, " ERROR test: "), "{outcome:?}");
}

#[test]
fn a_terminal_gets_no_stamp_and_colour_only_without_no_color() {
    let scene = owing();
    let outcome = on_terminal("run", &scene.config.path()).exits(1);
    let said = outcome.stdout;
    assert!(said.contains("\u{1b}["), "{said:?}");
    let outcome = on_terminal("run", &scene.config.path())
        .env("NO_COLOR", "1")
        .exits(1);
    let said = outcome.stdout;
    assert!(!said.contains('\u{1b}'), "{said:?}");
    for line in lines(&said) {
        assert!(line.starts_with("test: "), "{line:?}");
    }
}

#[test]
fn rust_log_takes_precedence() {
    let said = |level: &str| {
        let outcome = owing().cupid("run").env("RUST_LOG", level).exits(1);
        outcome.stderr
    };
    assert_eq!(said("off"), "");
    let detailed = said("debug");
    let row = " DEBUG test: copy1: id 2, missing, was not taken at try 1: status 503";
    assert!(detailed.contains(row), "{detailed}");
}

#[test]
fn verbose_names_each_row_that_is_called_back_and_the_answer() {
    let scene = Scene::with_missing([2, 4]);
    let outcome = scene.cupid("run").arg("-v").exits(0);
    for id in [2, 4] {
        let said = format!("test: copy1: id {id}, missing, is called back: status 200");
        assert!(outcome.stderr.contains(&said), "{}", outcome.stderr);
    }
}

#[test]
fn a_log_file_that_logrotate_moves_away_is_opened_anew_while_the_program_runs() {
    let mut scene = Scene::in_sync(1..=3);
    let logs = scene.config.folder().join("log");
    scene.config.set("/logDir", logs.to_str().expect("A path"));
    let (log, moved) = (logs.join("cupid-test.log"), logs.join("cupid-test.log.1"));
    let text = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let running = scene.cupid("run").args("--every 50ms").spawn();
    common::wait_until("a pass in the log", LIMIT, || {
        scene
            .db
            .exec("UPDATE src.user SET name = CONCAT(name, 'x')");
        !text(&log).is_empty()
    });
    std::fs::rename(&log, &moved).expect("Move the log away");
    common::wait_until("a pass in the new log", LIMIT, || {
        scene
            .db
            .exec("UPDATE src.user SET name = CONCAT(name, 'x')");
        !text(&log).is_empty()
    });
    let _: Outcome = running.kill();
    for line in lines(&(text(&moved) + &text(&log))) {
        assert!(line[24..].contains(" test: "), "{line}");
    }
}

#[test]
fn what_lasts_is_said_once_and_when_it_is_over_and_a_terminal_is_told_each_time() {
    let scene = owing();
    let address = scene.receiver().url();
    let first = scene.run(1);
    let said = " WARN test: copy1: 1 owed since ";
    assert!(first.stderr.contains(said), "{}", first.stderr);
    assert!(
        first.stderr.contains(&format!(": {address} answers 503")),
        "{}",
        first.stderr
    );
    scene.run(1).assert_silent();
    let config = scene.config.path();
    for _ in 0..2 {
        let seen = on_terminal("run", &config).exits(1).stdout;
        assert!(seen.contains("copy1: 1 owed since "), "{seen}");
    }
    scene.repair();
    let mut over = String::new();
    common::wait_until("the callback is taken", LIMIT, || {
        let outcome = scene.cupid("run").run();
        over += &outcome.stderr;
        outcome.code == Some(0)
    });
    assert!(
        over.contains("copy1: nothing is owed any more after "),
        "{over}"
    );
    scene.run(0).assert_silent();
    let seen = on_terminal("run", &config).exits(0).stdout;
    assert!(
        seen.contains("test: in sync: 0 new, 0 updated rows compared, next id 3, "),
        "{seen}"
    );
}

#[test]
fn a_source_that_is_down_is_said_once_by_passes_that_repeat() {
    let db = Db::on(Server::private(), 1);
    let scene = Scene::bare(Arc::clone(&db));
    db.user_table();
    db.add_users([1]);
    db.copy_users();
    scene.run(0);
    db.server.kill();
    for _ in 0..2 {
        scene.run(2).assert_says(&["ERROR test: "]);
    }
    let running = scene.cupid("run").args("--every 100ms").spawn();
    std::thread::sleep(Duration::from_secs(2));
    db.server.start();
    common::wait_until("a pass succeeds", LIMIT, || {
        let text = std::fs::read_to_string(scene.config.state_file("stats.json"));
        text.is_ok_and(|text| text.contains(r#""failed":null"#))
    });
    running.signal("TERM");
    let outcome = running.wait();
    let [first, last] = lines(&outcome.stderr)[..] else {
        panic!("two lines: {}", outcome.stderr);
    };
    assert!(is_stamped(first, " ERROR test: "), "{first}");
    assert!(
        is_stamped(last, " WARN test: a pass succeeded again after "),
        "{last}"
    );
}
