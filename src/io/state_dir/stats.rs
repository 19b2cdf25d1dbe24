//! `<name>.stats.json`: history that nothing depends on. So it never fails a pass, and it is not
//! synced.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use super::super::replace::replace_unsynced;
use super::{StateDir, audit_name};
use crate::error::Result;
use crate::logic::audit::shard::Shard;
use crate::logic::stats::{AuditStats, Stats, TEXT_BYTES_MAX};

const EXTENSION: &str = "stats.json";

impl StateDir {
    /// What is remembered; begins anew where nothing is, and says so where that is a loss.
    #[must_use]
    pub fn stats(&self, now_us: i64) -> Stats {
        match self.stats_for_reading() {
            Ok(Some(stats)) => stats,
            Ok(None) => Stats::new(&self.source, now_us),
            Err(reason) => {
                log::warn!(
                    "State file {} {reason}. The history of passes begins anew; nothing else depends on it",
                    self.path(EXTENSION).display()
                );
                Stats::new(&self.source, now_us)
            }
        }
    }

    /// The same, without a word. `None`: there is no such file.
    ///
    /// # Errors
    /// Why the file is of no use, as the rest of a sentence about it.
    pub fn stats_for_reading(&self) -> std::result::Result<Option<Stats>, String> {
        let text = read(&self.path(EXTENSION))?;
        text.map(|text| Stats::parse(&text, &self.source))
            .transpose()
    }

    /// Replaces what is remembered. Where that fails, a warning is all that comes of it.
    pub fn save_stats(&self, stats: &mut Stats) {
        let text = stats.text();
        let saved = text
            .map_err(|error| error.to_string())
            .and_then(|text| self.replace_stats(&text).map_err(|error| error.to_string()));
        if let Err(reason) = saved {
            log::warn!("The history of passes is not saved: {reason}");
        }
    }

    /// What is remembered of the last audit of the whole table, or of a shard.
    #[must_use]
    pub fn audit_stats(&self, shard: Option<Shard>) -> Option<AuditStats> {
        let audit = self.named(&audit_name(&self.name, shard));
        AuditStats::parse(&read(&audit.path(EXTENSION)).ok()??)
    }

    /// The same of every audit that there is.
    #[must_use]
    pub fn all_audit_stats(&self) -> Vec<AuditStats> {
        let audits = self.audits(&[EXTENSION]).unwrap_or_default();
        let texts = audits.iter().filter_map(|audit| {
            let path = self.named(audit).path(EXTENSION);
            read(&path).ok().flatten()
        });
        texts.filter_map(|text| AuditStats::parse(&text)).collect()
    }

    /// Replaces what is remembered of the last audit. Where that fails, a warning is all that comes of it.
    pub fn save_audit_stats(&self, shard: Option<Shard>, stats: &AuditStats) {
        let audit = self.named(&audit_name(&self.name, shard));
        let saved = match stats.text() {
            Some(text) => audit.replace_stats(&text),
            None => return, // Its destinations have too long names.
        };
        if let Err(error) = saved {
            log::warn!("The history of audits is not saved: {error}");
        }
    }

    fn replace_stats(&self, text: &str) -> Result<()> {
        let path = self.path(EXTENSION);
        replace_unsynced(
            &path,
            &path.with_extension("json.new"),
            0o600,
            text.as_bytes(),
        )
    }
}

/// The text of a file; `None` where there is no such file.
fn read(path: &Path) -> std::result::Result<Option<String>, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read ({error})");
    let length = match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
        // Whoever opened a pipe would wait for a writer.
        Ok(file) if !file.is_file() => return Err("is no file".into()),
        Ok(file) => usize::try_from(file.len()).unwrap_or(usize::MAX),
    };
    let mut text = Vec::with_capacity(length.min(TEXT_BYTES_MAX) + 1);
    let file = File::open(path).map_err(unreadable)?;
    file.take(TEXT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut text)
        .map_err(unreadable)?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("is longer than {TEXT_BYTES_MAX} bytes"));
    }
    let text = String::from_utf8(text).map_err(|error| format!("is damaged ({error})"))?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::logic::report::summary::Summary;

    fn state(path: &Path) -> StateDir {
        StateDir::new(path, "user", "my.user")
    }

    #[test]
    fn what_is_remembered_comes_back_and_is_readable_by_its_owner_only() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = state(temporary.path());
        assert_eq!(folder.stats_for_reading(), Ok(None));
        let mut stats = folder.stats(7);
        stats.after_pass(&Ok(Summary::default()), 7, 8);
        folder.save_stats(&mut stats);
        assert_eq!(folder.stats_for_reading(), Ok(Some(stats)));
        let path = temporary.path().join("user.stats.json");
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_of_no_use_begins_anew() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = state(temporary.path());
        let path = temporary.path().join("user.stats.json");
        let foreign = Stats::new("my.other", 1).text().unwrap();
        let newer = foreign.replace("\"version\":1", "\"version\":2");
        let long = " ".repeat(TEXT_BYTES_MAX + 1);
        for (content, reason) in [
            (&b""[..], "is damaged"),
            (b"{}", "is damaged"),
            (b"\xff", "is damaged"),
            (b"{\"version\":1,\"source\":\"my.user\"", "is damaged"),
            (foreign.as_bytes(), "is about my.other, not my.user"),
            (newer.as_bytes(), "has version 2, not 1"),
            (long.as_bytes(), "is longer than 65536 bytes"),
        ] {
            std::fs::write(&path, content).unwrap();
            let found = folder.stats_for_reading().unwrap_err();
            assert!(found.starts_with(reason), "{found}");
            assert_eq!(folder.stats(9), Stats::new("my.user", 9));
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(folder.stats_for_reading().unwrap_err(), "is no file");
        folder.save_stats(&mut Stats::new("my.user", 9)); // It fails, and that is all.
    }
}
