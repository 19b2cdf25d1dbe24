//! Words and progress for people, on stderr; the only file that names `indicatif`.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::findings::Findings;
use super::logging::{about, is_terminal, subject};
use crate::error::Result;
use crate::locks::locked;
use crate::logic::report::digest::Digest;
use crate::logic::report::fix::Repair;
use crate::logic::report::line::Line;
use crate::logic::report::notice::{Level, Notice};
use crate::logic::report::progress::Progress;
use crate::world::Observer;

/// Work that takes less time gets no bar.
const BAR_AFTER: Duration = Duration::from_millis(700);

/// How many characters a line of stdout has room for, where it is a terminal.
#[must_use]
pub(crate) fn stdout_width() -> Option<usize> {
    let stdout = std::io::stdout();
    let size = rustix::termios::tcgetwinsize(&stdout).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Whether stdout is a terminal that shows colours, and nobody set `NO_COLOR` (no-color.org).
#[must_use]
pub(crate) fn has_colour() -> bool {
    let is_refused = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    std::io::stdout().is_terminal() && !is_refused("NO_COLOR") && !is_dumb
}

/// Says on stderr what is no message of a log, such as a table of words.
pub(crate) fn tell_person(words: &str) {
    let _ = std::io::stderr().write_all(words.as_bytes()); // Nobody could be told.
}

/// Shows a pass to people and writes what it finds.
pub(crate) struct Console {
    /// What its messages are about. Threads of a pass have none of their own.
    subject: Option<Arc<str>>,
    findings: Findings,
    digest: Option<Mutex<Digest>>,
    began: Instant,
    bar: Mutex<Option<(ProgressBar, Progress)>>,
    with_bar: bool,
    has_compared: AtomicBool,
    without_lasting: bool,
}

impl Console {
    /// Its messages are about what this thread's are about. `with_bar`: long work is worth a bar.
    #[must_use]
    pub(crate) fn new(findings: Findings, with_bar: bool) -> Self {
        Self {
            subject: subject(),
            findings,
            digest: None,
            began: Instant::now(),
            bar: Mutex::new(None),
            with_bar: with_bar && is_terminal(),
            has_compared: AtomicBool::new(false),
            without_lasting: false,
        }
    }

    /// What lasts is told when the pass has ended ([`crate::logic::stats::Stats::say`]), and not as it is met.
    #[must_use]
    pub(crate) fn without_lasting(self, without_lasting: bool) -> Self {
        Self {
            without_lasting,
            ..self
        }
    }

    /// Adds to what a page needs.
    #[must_use]
    pub(crate) fn with_digest(self, digest: Option<Digest>) -> Self {
        Self {
            digest: digest.map(Mutex::new),
            ..self
        }
    }

    /// What was kept, when it was wanted.
    pub(crate) fn take_digest(&self) -> Option<Digest> {
        self.digest
            .as_ref()
            .map(|digest| std::mem::take(&mut *locked(digest)))
    }

    /// Whether rows were compared or something was found.
    #[must_use]
    pub(crate) fn has_compared(&self) -> bool {
        self.has_compared.load(Ordering::Relaxed)
    }

    /// The files of what was found.
    #[must_use]
    pub(crate) fn into_findings(self) -> Findings {
        self.findings
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        let bar = locked(&self.bar).take();
        if let Some((bar, _)) = bar {
            bar.finish_and_clear();
        }
    }

    /// Says something without tearing the bar.
    fn say(&self, level: log::Level, message: &str) {
        let bar = locked(&self.bar);
        let bar = bar.as_ref().map(|(bar, _)| bar.clone());
        let say = || log::log!(target: "cupid", level, "{message}");
        let say = || match &self.subject {
            Some(subject) => about(subject, say),
            None => say(),
        };
        match bar {
            Some(bar) => bar.suspend(say),
            None => say(),
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
            _ if self.without_lasting && notice.lasts() => log::Level::Debug,
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
