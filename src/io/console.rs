//! Words and progress for people, on stderr; the only file that names `indicatif`.

use std::fs::OpenOptions;
use std::io::IsTerminal as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use log::{LevelFilter, Log, Metadata, Record};

use super::findings::Findings;
use crate::error::{Error, Result};
use crate::locks::locked;
use crate::logic::report::digest::Digest;
use crate::logic::report::fix::Repair;
use crate::logic::report::line::Line;
use crate::logic::report::notice::{Level, Notice};
use crate::logic::report::progress::Progress;
use crate::world::Observer;

/// Work that takes less time gets no bar.
const BAR_AFTER: Duration = Duration::from_millis(700);

/// True when somebody looks at stderr.
#[must_use]
pub fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// How much is said on stderr: without a terminal only what is wrong, so that cron sends no mail otherwise.
#[must_use]
pub fn level(verbose: u8, quiet: bool) -> LevelFilter {
    match (quiet, verbose) {
        (false, 0) if is_terminal() => LevelFilter::Info,
        (true, _) | (false, 0) => LevelFilter::Warn,
        (false, 1) => LevelFilter::Info,
        (false, _) => LevelFilter::Debug,
    }
}

/// Starts the log: stderr, and a file when the configuration has a `logDir`.
///
/// # Errors
/// When the file cannot be opened.
pub fn start_log(level: LevelFilter, file: Option<&Path>) -> Result<()> {
    let mut loggers = vec![
        env_logger::Builder::new()
            .filter_module("cupid", level)
            .format_target(false)
            .build(),
    ];
    if let Some(path) = file {
        let failed = |error: std::io::Error| Error::File {
            operation: "Open the log",
            path: path.to_owned(),
            reason: error.to_string(),
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            .open(path)
            .map_err(failed)?;
        let target = env_logger::Target::Pipe(Box::new(file));
        let level = level.max(LevelFilter::Info);
        loggers.push(
            env_logger::Builder::new()
                .filter_module("cupid", level)
                .format_target(false)
                .target(target)
                .build(),
        );
    }
    let highest = loggers
        .iter()
        .map(env_logger::Logger::filter)
        .max()
        .unwrap_or(LevelFilter::Off);
    if log::set_boxed_logger(Box::new(Both(loggers))).is_ok() {
        log::set_max_level(highest);
    }
    Ok(())
}

/// Says what stopped a command, where its log goes; a command without a log says it on stderr.
pub fn tell_failure(error: &Error) {
    if log::max_level() == LevelFilter::Off {
        let started = start_log(LevelFilter::Warn, None);
        debug_assert!(started.is_ok(), "no file is opened");
    }
    log::error!(target: "cupid", "{error}");
}

struct Both(Vec<env_logger::Logger>);

impl Log for Both {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.0.iter().any(|logger| logger.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        self.0.iter().for_each(|logger| logger.log(record));
    }

    fn flush(&self) {
        self.0.iter().for_each(Log::flush);
    }
}

/// Shows a pass to people and writes what it finds.
pub struct Console {
    findings: Findings,
    digest: Option<Mutex<Digest>>,
    began: Instant,
    bar: Mutex<Option<(ProgressBar, Progress)>>,
    with_bar: bool,
    has_compared: AtomicBool,
}

impl Console {
    /// `with_bar`: long work is worth a bar.
    #[must_use]
    pub fn new(findings: Findings, with_bar: bool) -> Self {
        Self {
            findings,
            digest: None,
            began: Instant::now(),
            bar: Mutex::new(None),
            with_bar: with_bar && is_terminal(),
            has_compared: AtomicBool::new(false),
        }
    }

    /// Adds to what a page needs.
    #[must_use]
    pub fn with_digest(self, digest: Option<Digest>) -> Self {
        Self {
            digest: digest.map(Mutex::new),
            ..self
        }
    }

    /// What was kept, when it was wanted.
    pub fn take_digest(&self) -> Option<Digest> {
        self.digest
            .as_ref()
            .map(|digest| std::mem::take(&mut *locked(digest)))
    }

    /// Whether rows were compared or something was found.
    #[must_use]
    pub fn has_compared(&self) -> bool {
        self.has_compared.load(Ordering::Relaxed)
    }

    /// The files of what was found.
    #[must_use]
    pub fn into_findings(self) -> Findings {
        self.findings
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        let bar = locked(&self.bar).take();
        if let Some((bar, _)) = bar {
            bar.finish_and_clear();
        }
    }

    /// Says something without tearing the bar.
    fn say(&self, level: log::Level, message: &str) {
        let bar = locked(&self.bar);
        let bar = bar.as_ref().map(|(bar, _)| bar.clone());
        match bar {
            Some(bar) => bar.suspend(|| log::log!(target: "cupid", level, "{message}")),
            None => log::log!(target: "cupid", level, "{message}"),
        }
    }
}

impl Observer for Console {
    fn report(&self, lines: &[Line]) -> Result<()> {
        if let Some(digest) = &self.digest {
            let mut digest = locked(digest);
            for line in lines {
                digest.add(line);
            }
        }
        self.has_compared.store(true, Ordering::Relaxed);
        self.findings.write(lines)
    }

    fn wants_fixes(&self) -> bool {
        self.findings.fixes.is_some()
    }

    fn fix(&self, repair: &Repair<'_>) -> Result<()> {
        self.findings.fix(repair)
    }

    fn progress(&self, compared: u64, ids_left: u64) {
        if compared > 0 {
            self.has_compared.store(true, Ordering::Relaxed);
        }
        let elapsed = self.began.elapsed();
        if !self.with_bar || elapsed < BAR_AFTER {
            return;
        }
        let mut bar = locked(&self.bar);
        let (bar, progress) = bar.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner().with_style(bar_style());
            (bar, Progress::default())
        });
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        bar.set_message(progress.line(compared, ids_left, elapsed_ms));
    }

    fn tell(&self, notice: &Notice) {
        let level = match notice.level() {
            Level::Warning => log::Level::Warn,
            Level::Info => log::Level::Info,
            Level::Detail => log::Level::Debug,
        };
        if level <= log::max_level() {
            self.say(level, &notice.to_string()); // A pass may call back 100,000 rows.
        }
    }
}

/// One line, cut at the terminal's width.
fn bar_style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{wide_msg}");
    style.unwrap_or_else(|_| ProgressStyle::default_spinner())
}
