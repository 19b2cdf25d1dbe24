//! The content of a notification, whatever the channel.

use super::cut;
use crate::logic::value::one_line::on_one_line;

/// The longest title, in characters.
const TITLE_CHARS_MAX: usize = 200;
/// The most lines.
const LINES_MAX: usize = 50;
/// The longest line, in characters.
const LINE_CHARS_MAX: usize = 1_000;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something is wrong, or still is.
    Failing,
    /// All is well again.
    Recovered,
    /// Somebody tries whether messages arrive.
    Test,
}

/// A title and lines without control characters, each of a bounded length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    kind: Kind,
    config: String,
    host: String,
    title: String,
    lines: Vec<String>,
}

impl Message {
    /// `config` is the configuration's `name`, `host` the name of the machine. What is too long is
    /// cut, and the last line says how many lines are left out.
    #[must_use]
    pub(crate) fn new(
        kind: Kind,
        config: &str,
        host: &str,
        title: &str,
        lines: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut lines: Vec<String> = lines
            .into_iter()
            .map(|line| one_line(&line, LINE_CHARS_MAX))
            .collect();
        if lines.len() > LINES_MAX {
            let left_out = lines.len() - (LINES_MAX - 1);
            lines.truncate(LINES_MAX - 1);
            lines.push(format!("… and {left_out} lines more"));
        }
        Self {
            kind,
            config: one_line(config, TITLE_CHARS_MAX),
            host: one_line(host, TITLE_CHARS_MAX),
            title: one_line(title, TITLE_CHARS_MAX),
            lines,
        }
    }

    /// What `cupid notify --test` sends.
    #[must_use]
    pub(crate) fn test(config: &str, host: &str) -> Self {
        let title = format!("[cupid] {config}: this is a test");
        let line = format!("cupid on {host} can reach this channel. Nothing is wrong.");
        Self::new(Kind::Test, config, host, &title, [line])
    }

    /// What it is about.
    #[must_use]
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The configuration's `name`.
    #[must_use]
    pub(crate) fn config(&self) -> &str {
        &self.config
    }

    /// The machine's name.
    #[must_use]
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The title, one line.
    #[must_use]
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// The body, line by line.
    #[must_use]
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }
}

fn one_line(text: &str, chars_max: usize) -> String {
    cut::at(&on_one_line(text), chars_max, cut::characters)
}
