//! The steps at which a process is killed. Of the system calls of a step strace lets none through: it sends SIGKILL when
//! the process is about to make the first one, so what comes before has happened and the step has not. Nothing of this
//! is in the program.

use std::path::Path;

use crate::owner::At;

/// Something that a pass does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) how: How,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    /// About to make this system call, for the nth time, on this state file; `""` is the folder, `None` any file.
    Call {
        call: &'static str,
        file: Option<&'static str>,
        nth: u32,
    },
    /// A callback has come to this point.
    Callback(At),
}

const fn on(name: &'static str, call: &'static str, file: &'static str) -> Step {
    Step {
        name,
        how: How::Call {
            call,
            file: Some(file),
            nth: 1,
        },
    }
}

const fn talking(name: &'static str, call: &'static str, nth: u32) -> Step {
    Step {
        name,
        how: How::Call {
            call,
            file: None,
            nth,
        },
    }
}

const fn callback(name: &'static str, at: At) -> Step {
    Step {
        name,
        how: How::Callback(at),
    }
}

/// In the order of a pass.
pub(crate) const STEPS: [Step; 20] = [
    on("taking the lock", "flock", "test.lock"),
    on("reading the checkpoint", "openat", "test.checkpoint.json"),
    talking("connecting to the source", "connect", 1),
    talking("waiting for an answer of the source", "recvfrom", 12),
    on(
        "appending to the owed callbacks",
        "write",
        "test.owed.jsonl",
    ),
    on("syncing the appended lines", "fdatasync", "test.owed.jsonl"),
    on(
        "creating the new checkpoint",
        "openat",
        "test.checkpoint.new",
    ),
    on("writing the new checkpoint", "write", "test.checkpoint.new"),
    on("syncing the new checkpoint", "fsync", "test.checkpoint.new"),
    on(
        "renaming the new checkpoint",
        "/^rename",
        "test.checkpoint.new",
    ),
    on("syncing the folder", "fsync", ""),
    callback("a callback sent, nothing done", At::Arrival),
    callback("a callback sent, the row repaired", At::Repair),
    on("creating the new owed callbacks", "openat", "test.owed.new"),
    on("syncing the new owed callbacks", "fsync", "test.owed.new"),
    on(
        "renaming the new owed callbacks",
        "/^rename",
        "test.owed.new",
    ),
    Step {
        name: "syncing the folder again",
        how: How::Call {
            call: "fsync",
            file: Some(""),
            nth: 2,
        },
    },
    on("emptying the lock file's note", "ftruncate", "test.lock"),
    on("writing the lock file's note", "write", "test.lock"),
    on("closing the lock", "close", "test.lock"),
];

/// Writes that fail as on a full disk.
pub(crate) const FULL_DISK: [(&str, &str); 7] = [
    ("write", "test.owed.jsonl"),
    ("fdatasync", "test.owed.jsonl"),
    ("openat", "test.checkpoint.new"),
    ("write", "test.checkpoint.new"),
    ("fsync", "test.checkpoint.new"),
    ("openat", "test.owed.new"),
    ("fsync", "test.owed.new"),
];

/// strace, doing this to a call on a state file; the program's own words follow.
pub(crate) fn strace(state: &Path, call: &str, file: Option<&str>, effect: &str) -> Vec<String> {
    let mut words: Vec<String> = ["strace", "-f", "-qq", "-o", "/dev/null"]
        .map(String::from)
        .into();
    if let Some(file) = file {
        let path = if file.is_empty() {
            state.to_owned()
        } else {
            state.join(file)
        };
        words.extend(["-P".into(), path.display().to_string()]);
    }
    words.extend(["-e".into(), format!("trace={call}")]);
    words.extend(["-e".into(), format!("inject={call}:{effect}")]);
    words
}
