//! The log: stderr, and a file for each configuration that has a `logDir`; the only file that names `env_logger`.
//!
//! A message goes to stderr in one of three shapes, by what stderr is, and to the file
//! of the configuration that it is about. Each thread knows which configuration that is
//! ([`set_subject`]). The file is opened anew when it was moved away, so logrotate needs no
//! `copytruncate`. What cannot be written is dropped: words never stop a pass.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal as _, Write};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use env_logger::fmt::Formatter;
use env_logger::{Builder, Logger, Target};
use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::error::{Error, Result};
use crate::locks::locked;

/// True when somebody looks at stderr.
#[must_use]
pub fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// How much is said on stderr. Without a terminal it is only what is wrong, so that cron sends no
/// mail otherwise. `RUST_LOG` takes precedence.
#[must_use]
pub fn level(verbose: u8, quiet: bool) -> LevelFilter {
    match (quiet, verbose) {
        (false, 0) if is_terminal() => LevelFilter::Info,
        (true, _) | (false, 0) => LevelFilter::Warn,
        (false, 1) => LevelFilter::Debug,
        (false, _) => LevelFilter::Trace,
    }
}

/// What a line of stderr looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// `user: search: …`, warnings and errors in colour unless `NO_COLOR`.
    Terminal,
    /// `<4>user: search: …`: sd-daemon(3). The journal has its own moments.
    Journal,
    /// `2026-01-01T00:00:00.123Z WARN user: search: …`.
    Stamped,
}

impl Shape {
    fn of_stderr() -> Self {
        if is_terminal() {
            Self::Terminal
        } else if is_journal() {
            Self::Journal
        } else {
            Self::Stamped
        }
    }
}

/// Whether fd 2 is the stream that `$JOURNAL_STREAM` names as `device:inode`: systemd.exec(5).
fn is_journal() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    let stderr = std::io::stderr().as_fd().try_clone_to_owned();
    let metadata = stderr.and_then(|stderr| File::from(stderr).metadata());
    metadata.is_ok_and(|it| named == format!("{}:{}", it.dev(), it.ino()))
}

thread_local! {
    static SUBJECT: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// From now on the messages of this thread are about the configuration of this name.
pub fn set_subject(name: &Arc<str>) {
    SUBJECT.set(Some(Arc::clone(name)));
}

/// The configuration that the messages of this thread are about.
#[must_use]
pub fn subject() -> Option<Arc<str>> {
    SUBJECT.with_borrow(Clone::clone)
}

/// What `speak` says is about this configuration.
pub fn about(name: &Arc<str>, speak: impl FnOnce()) {
    let before = SUBJECT.replace(Some(Arc::clone(name)));
    speak();
    SUBJECT.set(before);
}

/// Everything that messages go to.
struct Sinks {
    level: LevelFilter,
    stderr: Logger,
    /// By the configuration's name.
    files: Mutex<HashMap<Arc<str>, Arc<Logger>>>,
}

static SINKS: OnceLock<Sinks> = OnceLock::new();

/// Starts the log on stderr. The first call decides the level.
pub fn start(level: LevelFilter) {
    let sinks = SINKS.get_or_init(|| {
        let shape = Shape::of_stderr();
        let mut builder = builder(level);
        builder.format(move |out, record| write_record(out, record, shape));
        Sinks {
            level,
            stderr: builder.build(),
            files: Mutex::default(),
        }
    });
    if log::set_logger(sinks).is_ok() {
        log::set_max_level(sinks.stderr.filter());
    }
}

/// The messages about a configuration go to this file too, from [`Level::Info`] on.
///
/// # Errors
/// When the file cannot be opened.
pub fn add_file(name: &Arc<str>, path: &Path) -> Result<()> {
    let Some(sinks) = SINKS.get() else {
        return Ok(()); // Nothing is said before `start`.
    };
    let file = LogFile::open(path).map_err(|error| Error::File {
        operation: "Open the log",
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let mut builder = builder(sinks.level.max(LevelFilter::Info));
    builder
        .target(Target::Pipe(Box::new(file)))
        .format(|out, record| write_record(out, record, Shape::Stamped));
    let logger = builder.build();
    log::set_max_level(log::max_level().max(logger.filter()));
    locked(&sinks.files).insert(Arc::clone(name), Arc::new(logger));
    Ok(())
}

/// Says what stopped a command, where its log goes; a command without a log says it on stderr.
pub fn tell_failure(error: &Error) {
    start(LevelFilter::Warn);
    log::error!(target: "cupid", "{error}");
}

fn builder(level: LevelFilter) -> Builder {
    let mut builder = Builder::new();
    match std::env::var("RUST_LOG") {
        Ok(filters) if !filters.is_empty() => builder.parse_filters(&filters),
        _ => builder.filter_module("cupid", level),
    };
    builder
}

fn write_record(out: &mut Formatter, record: &Record<'_>, shape: Shape) -> std::io::Result<()> {
    let mut text = String::new();
    if let Some(subject) = subject() {
        text = format!("{subject}: ");
    }
    text += &record.args().to_string();
    let level = record.level();
    match shape {
        Shape::Terminal if level <= Level::Warn => {
            let style = out.default_level_style(level);
            writeln!(out, "{style}{text}{style:#}")
        }
        Shape::Terminal => writeln!(out, "{text}"),
        Shape::Journal => {
            let priority = priority(level);
            text.lines()
                .try_for_each(|line| writeln!(out, "<{priority}>{line}"))
        }
        Shape::Stamped => {
            let stamp = out.timestamp_millis();
            writeln!(out, "{stamp} {level} {text}")
        }
    }
}

/// Of syslog, as sd-daemon(3) has them.
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

impl Log for Sinks {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        self.stderr.log(record);
        let file = subject().and_then(|name| locked(&self.files).get(&name).map(Arc::clone));
        if let Some(file) = file {
            file.log(record);
        }
    }

    fn flush(&self) {
        self.stderr.flush();
    }
}

/// A file that is opened anew when another one, or none, has its name.
struct LogFile {
    path: PathBuf,
    file: File,
    /// Device and inode.
    id: (u64, u64),
}

fn id_of(it: &std::fs::Metadata) -> (u64, u64) {
    (it.dev(), it.ino())
}

impl LogFile {
    fn open(path: &Path) -> std::io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            .open(path)?;
        Ok(Self {
            path: path.to_owned(),
            id: id_of(&file.metadata()?),
            file,
        })
    }

    fn was_moved(&self) -> bool {
        std::fs::metadata(&self.path).map_or(true, |now| id_of(&now) != self.id)
    }
}

impl Write for LogFile {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        // Where it cannot be opened anew, the file that was moved goes on.
        if self.was_moved()
            && let Ok(new) = Self::open(&self.path)
        {
            *self = new;
        }
        self.file.write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_moved_away_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("a.log"), folder.path().join("a.log.1"));
        let mut log = LogFile::open(&path).unwrap();
        log.write_all(b"one\n").unwrap();
        std::fs::rename(&path, &moved).unwrap();
        log.write_all(b"two\n").unwrap();
        std::fs::remove_file(&path).unwrap();
        log.write_all(b"three\n").unwrap();
        let text = |path| std::fs::read_to_string(path).unwrap();
        assert_eq!(
            (text(&moved), text(&path)),
            ("one\n".into(), "three\n".into())
        );
    }

    #[test]
    fn a_moved_file_whose_name_cannot_be_opened_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("a.log"), folder.path().join("a.log.1"));
        let mut log = LogFile::open(&path).unwrap();
        std::fs::rename(&path, &moved).unwrap();
        std::fs::create_dir(&path).unwrap();
        log.write_all(b"one\n").unwrap();
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), "one\n");
    }

    #[test]
    fn a_thread_speaks_of_its_own_configuration() {
        let (user, order): (Arc<str>, Arc<str>) = ("user".into(), "order".into());
        set_subject(&user);
        about(&order, || assert_eq!(subject().as_deref(), Some("order")));
        assert_eq!(subject().as_deref(), Some("user"));
        let other = std::thread::spawn(subject).join().unwrap();
        assert_eq!(other, None);
    }
}
