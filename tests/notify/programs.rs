//! Channels of the type `command`.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::*;

/// A configuration whose only channel is this program, with these arguments.
fn file(script: &str, arguments: &[&str]) -> File {
    let file = File::with(&json!([]));
    let program = file.folder.path().join("page");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("Write the program");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700))
        .expect("Let it be started");
    let mut command = vec![program.display().to_string()];
    command.extend(arguments.iter().map(|&argument| argument.to_owned()));
    let config = json!({"notify": [{"type": "command", "command": command}]});
    std::fs::write(file.path(), config.to_string()).expect("Write the configuration");
    file
}

#[test]
fn a_program_reads_the_message_and_no_shell_reads_its_arguments() {
    let file = file(
        "cd \"$(dirname \"$0\")\"; printf '%s|' \"$@\" > args; cat > stdin; echo noise; echo noise >&2",
        &["a b", "$(touch injected)", "*"],
    );
    let outcome = file.notify("--test").exits(0);
    assert!(said_of(&outcome, "command").starts_with("sent ("));
    assert_eq!(
        (outcome.stdout.lines().count(), outcome.stderr.as_str()),
        (1, "")
    );
    let read = |name: &str| std::fs::read_to_string(file.folder.path().join(name)).unwrap();
    assert_eq!(read("args"), "a b|$(touch injected)|*|");
    assert!(!file.folder.path().join("injected").exists());
    let message: Value = serde_json::from_str(&read("stdin")).unwrap();
    assert_eq!(message["type"], "cupid.test");
    assert_eq!(message["data"]["config"], "user");
}

#[test]
fn a_program_that_fails_is_told() {
    for (script, expected) in [
        ("exit 3", "failed: exit status 3"),
        ("kill -9 $$", "failed: a signal ended it"),
        // It need not read.
        ("exec <&-; exit 4", "failed: exit status 4"),
    ] {
        let outcome = file(script, &[]).notify("--test").exits(1);
        assert_eq!(said_of(&outcome, "command"), expected);
    }
    let file = File::with(&json!([{"type": "command", "command": ["/no/such/program"]}]));
    let outcome = file.notify("--test").exits(1);
    let said = said_of(&outcome, "command");
    assert!(
        said.starts_with("failed: Cannot be started: No such file"),
        "{said}"
    );
}

#[test]
fn a_program_that_does_not_end_is_ended_with_all_that_it_started() {
    for (script, least_s) in [
        ("echo $$ > \"$0.pid\"; exec sleep 60", 4),
        (
            "trap '' TERM; sleep 60 & echo $! > \"$0.pid\"; while :; do wait; done",
            5,
        ),
    ] {
        let file = file(script, &[]);
        let outcome = file.notify("--test").exits(1);
        let said = said_of(&outcome, "command");
        assert_eq!(said, "failed: still at work after 4 s, and ended");
        assert!(outcome.took >= Duration::from_secs(least_s), "{outcome:?}");
        assert!(outcome.took < Duration::from_secs(15), "{outcome:?}");
        let pid = std::fs::read_to_string(file.folder.path().join("page.pid")).unwrap();
        let status = format!("/proc/{}/status", pid.trim());
        common::wait_until("the program is gone", Duration::from_secs(10), || {
            // A process that nobody waited for yet is gone, too.
            std::fs::read_to_string(&status).map_or(true, |status| status.contains("State:\tZ"))
        });
    }
}
