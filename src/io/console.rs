//! Words and progress for people, on stderr; the only file that names `indicatif`.

use std::fmt::Write;
use std::fs::OpenOptions;
use std::io::IsTerminal as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};
use log::{LevelFilter, Log, Metadata, Record};

use super::fix_file::FixFile;
use super::report::Report;
use crate::error::{Error, Result};
use crate::logic::digest::Digest;
use crate::logic::fix::Fix;
use crate::logic::report::Line;
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
        (true, _) => LevelFilter::Error,
        (false, 0) if is_terminal() => LevelFilter::Info,
        (false, 0) => LevelFilter::Warn,
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

/// Shows a pass to people and writes its report.
pub struct Console {
    report: Option<Report>,
    fix_file: Option<FixFile>,
    digest: Option<Mutex<Digest>>,
    began: Instant,
    bar: Mutex<Option<ProgressBar>>,
    with_bar: bool,
}

impl Console {
    /// `with_bar`: long work is worth a bar.
    #[must_use]
    pub fn new(report: Option<Report>, with_bar: bool) -> Self {
        Self {
            report,
            fix_file: None,
            digest: None,
            began: Instant::now(),
            bar: Mutex::new(None),
            with_bar: with_bar && is_terminal(),
        }
    }

    /// Writes also the statements that would repair what is wrong.
    #[must_use]
    pub fn with_fixes(self, fix_file: Option<FixFile>) -> Self {
        Self { fix_file, ..self }
    }

    /// Keeps what a page needs.
    #[must_use]
    pub fn with_digest(self, wanted: bool) -> Self {
        Self {
            digest: wanted.then(Mutex::default),
            ..self
        }
    }

    /// What was kept, when it was wanted.
    pub fn take_digest(&self) -> Option<Digest> {
        self.digest.as_ref().map(|digest| {
            std::mem::take(&mut *digest.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        if let Some(bar) = self
            .bar
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            bar.finish_and_clear();
        }
    }

    /// Says something without tearing the bar.
    fn say(&self, level: log::Level, message: &str) {
        let bar = self
            .bar
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match bar {
            Some(bar) => bar.suspend(|| log::log!(target: "cupid", level, "{message}")),
            None => log::log!(target: "cupid", level, "{message}"),
        }
    }
}

impl Observer for Console {
    fn report(&self, lines: &[Line]) -> Result<()> {
        if let Some(digest) = &self.digest {
            let mut digest = digest.lock().unwrap_or_else(PoisonError::into_inner);
            for line in lines {
                digest.add(line);
            }
        }
        self.report
            .as_ref()
            .map_or(Ok(()), |report| report.write(lines))
    }

    fn fix(&self, fix: &Fix<'_>) -> Result<()> {
        self.fix_file
            .as_ref()
            .map_or(Ok(()), |file| file.write(fix))
    }

    fn progress(&self, compared: u64, ids_left: u64) {
        if !self.with_bar || self.began.elapsed() < BAR_AFTER {
            return;
        }
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = bar.get_or_insert_with(|| {
            ProgressBar::new(0)
                .with_elapsed(self.began.elapsed())
                .with_style(bar_style())
        });
        bar.set_length(compared.saturating_add(ids_left));
        bar.set_position(compared);
    }

    fn warn(&self, message: &str) {
        self.say(log::Level::Warn, message);
    }

    fn info(&self, message: &str) {
        self.say(log::Level::Info, message);
    }
}

fn bar_style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{bar:30} {human_pos} rows, {rate}, {eta} left");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate is not negative, and far from what u64 holds"
        )]
        let rate = HumanCount(state.per_sec() as u64);
        let _ = write!(out, "{rate}/s"); // A String takes everything.
    })
}
