//! Runs a program of this machine.
//!
//! The program gets a process group of its own, so its children end with it. It gets no output,
//! because a child could hold cupid's stdout and stderr open for ever.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::logic::notify::{Answer, CommandRequest};

/// When it is asked to end, and how long after that it has to.
const WORK_MAX: Duration = Duration::from_secs(4);
const GRACE: Duration = Duration::from_secs(1);

/// How soon its end is noticed.
const LOOK: Duration = Duration::from_millis(10);

/// Runs it to its end: by itself, by SIGTERM after 4 s, or by SIGKILL 1 s later.
pub(super) fn run(request: &CommandRequest) -> Answer {
    let Some((program, arguments)) = request.words.split_first() else {
        return Answer::Broken("There is no program to start".into());
    };
    let spawned = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return Answer::Broken(format!("Cannot be started: {error}")),
    };
    if let Some(mut stdin) = child.stdin.take() {
        let text = request.stdin.clone();
        // On its own thread, for a program that does not read would block the writer. Nobody waits
        // for it: the program's end ends it, and a program need not read.
        let writer = move || drop(stdin.write_all(text.as_bytes()));
        if let Err(error) = std::thread::Builder::new().spawn(writer) {
            end(&mut child, Signal::KILL, GRACE);
            return Answer::Broken(format!("Its input cannot be written: {error}"));
        }
    }
    if let Some(status) = wait(&mut child, WORK_MAX) {
        return Answer::Exited {
            code: status.code(),
        };
    }
    if !end(&mut child, Signal::TERM, GRACE) {
        end(&mut child, Signal::KILL, GRACE);
    }
    Answer::TimedOut
}

/// Sends a signal to the program and to what it started; whether the program ended then.
fn end(child: &mut Child, signal: Signal, patience: Duration) -> bool {
    // It is not waited for yet, so its number is still its own.
    let _ = kill_process_group(Pid::from_child(child), signal);
    wait(child, patience).is_some()
}

/// Waits for its end, but not longer than this.
fn wait(child: &mut Child, patience: Duration) -> Option<ExitStatus> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if began.elapsed() < patience => std::thread::sleep(LOOK),
            _ => return None,
        }
    }
}
