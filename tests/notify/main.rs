//! Notifications as they leave the program: `cupid notify` and the heartbeat, against services of
//! this machine.
//!
//! Every secret here contains `hidden`, and [`Cupid`] refuses any output that does.

#[path = "../common/mod.rs"]
mod common;

mod heartbeat;
mod messages;
mod passes;
mod programs;
mod robot;

use std::path::PathBuf;

use common::{Cupid, Outcome};
use serde_json::{Value, json};

/// A configuration with these channels, which names servers that are not there and passwords that
/// are nowhere.
struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn with(channels: &Value) -> Self {
        let folder = tempfile::tempdir().expect("Create a folder");
        let config = json!({
            "name": "user",
            "src": {"dsn": "mysql://u:${NOWHERE}@127.0.0.1:1/my", "table": "t", "byColumn": "k"},
            "des": [{"password": "${NOWHERE_EITHER}"}],
            "notify": channels,
        });
        std::fs::write(folder.path().join("user.json"), config.to_string())
            .expect("Write the configuration");
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("user.json")
    }

    fn notify(&self, args: &str) -> Cupid {
        Cupid::of("notify", &self.path()).args(args)
    }
}

/// What is said of one channel.
#[track_caller]
fn said_of<'a>(outcome: &'a Outcome, channel: &str) -> &'a str {
    let mut lines = outcome.stdout.lines();
    let line = lines.find_map(|line| line.strip_prefix(channel)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{channel} is not in {outcome:?}"))
        .trim_start()
}
