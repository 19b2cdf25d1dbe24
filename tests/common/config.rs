//! A configuration file in a folder of its own, with the state folder beside it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Db, Receiver, Server};

/// The configuration of a test, to be changed by [`Config::set`]. Its name is `test`.
pub(crate) struct Config {
    pub(crate) value: Value,
    folder: TempDir,
}

impl Config {
    /// New ids of the user table, every destination with its receiver, short waits, no updates.
    ///
    /// With fewer receivers than destinations the last one serves the rest.
    pub(crate) fn new(db: &Db, receivers: &[&Receiver]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("cupid-test-")
            .tempdir()
            .expect("Create a folder");
        let account = |database: &str| {
            json!({
                "dsn": dsn(db, database),
                "user": db.reader,
                "password": db.reader_password,
                "table": "user",
                "byColumn": "number",
            })
        };
        let mut source = account(&db.source);
        source["insert"] = json!(true);
        source["insertIntervalMillisecond"] = json!(100);
        source["updateIntervalMillisecond"] = json!(100);
        source["cacheFilePath"] = json!(folder.path().join("state"));
        let destinations: Vec<Value> = (0..db.copies.len())
            .map(|i| {
                let mut destination = account(&db.copies[i]);
                let receiver = receivers[i.min(receivers.len() - 1)];
                destination["name"] = json!(format!("copy{}", i + 1));
                destination["columns"] =
                    json!({"number": "number", "name": "name", "avatar": "avatar"});
                destination["callbackNotification"] =
                    json!({"url": receiver.url(), "timeoutMillisecond": 3000});
                destination
            })
            .collect();
        std::fs::create_dir(folder.path().join("state")).expect("Create the state folder");
        let value = json!({
            "name": "test",
            "workerNumber": 2,
            "callbackWorkerIntervalMillisecond": 20,
            "confirmDelayMillisecond": 50,
            "src": source,
            "des": destinations,
        });
        Self { value, folder }
    }

    /// Sets the value at a JSON pointer such as `/des/0/columns/number`, making objects on the way.
    pub(crate) fn set(&mut self, pointer: &str, value: impl Into<Value>) -> &mut Self {
        let mut place = &mut self.value;
        for step in pointer.split('/').skip(1) {
            place = match place {
                Value::Array(items) => {
                    &mut items[step.parse::<usize>().expect("An index of an array")]
                }
                other => &mut other[step],
            };
        }
        *place = value.into();
        self
    }

    /// Moves `/src` or one of `/des` to a database of another server.
    pub(crate) fn set_place(&mut self, pointer: &str, db: &Db, database: &str) -> &mut Self {
        self.set(&format!("{pointer}/dsn"), dsn(db, database))
            .set(&format!("{pointer}/user"), db.reader.as_str())
            .set(&format!("{pointer}/password"), db.reader_password.as_str())
    }

    /// Removes the key at a JSON pointer.
    pub(crate) fn remove(&mut self, pointer: &str) -> &mut Self {
        let (parent, key) = pointer.rsplit_once('/').expect("A JSON pointer");
        let object = self
            .value
            .pointer_mut(parent)
            .and_then(Value::as_object_mut);
        object
            .expect("The parent is an object")
            .remove(key)
            .expect("The key is there");
        self
    }

    /// Updated rows too, by `update_time`, windows reaching back so many seconds.
    pub(crate) fn with_updates(&mut self, scan_second: u64) -> &mut Self {
        self.set("/src/update", true)
            .set("/src/updateColumn", "update_time")
            .set("/src/updateScanSecond", scan_second)
    }

    /// Writes the file as it is meant now and returns its path.
    pub(crate) fn path(&self) -> PathBuf {
        self.write(
            serde_json::to_string_pretty(&self.value)
                .expect("JSON can be written")
                .as_bytes(),
        )
    }

    /// Writes these bytes in place of the configuration.
    pub(crate) fn write(&self, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join("config.json");
        std::fs::write(&path, bytes).expect("Write the configuration");
        // It holds passwords, and `check` warns of files that others can read.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
            .expect("Keep the configuration private");
        path
    }

    /// The folder that holds everything of this test.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Empties the state folder, as if nothing had ever run.
    pub(crate) fn forget(&self) {
        std::fs::remove_dir_all(self.state()).expect("Remove the state folder");
        std::fs::create_dir(self.state()).expect("Create the state folder");
    }

    /// `checkpoint.json` gives `<state>/test.checkpoint.json`.
    pub(crate) fn state_file(&self, extension: &str) -> PathBuf {
        self.state().join(format!("test.{extension}"))
    }

    /// The owed callbacks, one JSON value each; a missing file owes nothing.
    pub(crate) fn owed(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.state_file("owed.jsonl")).unwrap_or_default();
        let parse = |line| {
            serde_json::from_str(line)
                .unwrap_or_else(|e| panic!("Owed line is no JSON ({e}): {line}"))
        };
        text.lines().map(parse).collect()
    }

    /// The checkpoint parses; so does every owed line but a torn last one.
    #[track_caller]
    pub(crate) fn assert_state_is_readable(&self) {
        if let Ok(bytes) = std::fs::read(self.state_file("checkpoint.json")) {
            serde_json::from_slice::<Value>(&bytes).expect("The checkpoint is whole");
        }
        let text = std::fs::read_to_string(self.state_file("owed.jsonl")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            serde_json::from_str::<Value>(line).expect("An owed line is whole");
        }
    }

    /// What is remembered of passes; `None` where there is none.
    pub(crate) fn history(&self) -> Option<Vec<u8>> {
        std::fs::read(self.state_file("stats.json")).ok()
    }

    /// Name and content of every state file that a pass depends on.
    pub(crate) fn state_snapshot(&self) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(self.state())
            .expect("List the state folder")
            .map(|entry| entry.expect("List the state folder"))
            .map(|entry| {
                (
                    entry.file_name().to_string_lossy().into_owned(),
                    entry.path(),
                )
            })
            .filter(|(name, _)| {
                ![".lock", ".stats.json"]
                    .iter()
                    .any(|end| name.ends_with(end))
            })
            .map(|(name, path)| (name, std::fs::read(path).expect("Read a state file")))
            .collect();
        files.sort();
        files
    }
}

fn dsn(db: &Db, database: &str) -> String {
    let Server { host, port, .. } = &*db.server;
    format!("mysql:host={host};port={port};dbname={database}")
}
