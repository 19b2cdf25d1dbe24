//! The longer texts: `cupid help TOPIC`.
//!
//! Each is a file in `topics/`, of Markdown that reads well as it stands: a title, headings,
//! paragraphs, lists and indented lines, 80 columns wide. The man pages are made of the same files.

/// A longer text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// What is typed.
    pub name: &'static str,
    /// Markdown; its first line is the title.
    text: &'static str,
}

macro_rules! topics {
    ($($name:ident)*) => {
        /// Every topic, by name.
        pub const TOPICS: &[Topic] = &[$(Topic {
            name: stringify!($name),
            text: include_str!(concat!("topics/", stringify!($name), ".md")),
        }),*];

        $(
            // Their indented lines are no Rust to be tested.
            #[cfg_attr(
                all(doc, not(doctest)),
                doc = include_str!(concat!("topics/", stringify!($name), ".md"))
            )]
            #[cfg_attr(not(all(doc, not(doctest))), doc = "A topic.")]
            #[allow(rustdoc::invalid_rust_codeblocks, reason = "they are text")]
            pub mod $name {}
        )*
    };
}

topics! {
    audits callbacks comparison configuration guarantees log metrics moving notifications operation
    scheduling secrets security state tables troubleshooting
}

/// A part of a topic, without its marks.
pub(super) enum Block<'t> {
    Heading(&'t str),
    /// Its lines as one.
    Paragraph(String),
    /// The same, behind a dash.
    Item(String),
    /// Lines that stay lines.
    Code(Vec<&'t str>),
}

impl Topic {
    /// The topic of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TOPICS.iter().copied().find(|topic| topic.name == name)
    }

    /// What it is about, in a few words.
    #[must_use]
    pub fn about(self) -> &'static str {
        let title = self.text.lines().next().unwrap_or_default();
        title.trim_start_matches("# ")
    }

    /// The text for a terminal.
    #[must_use]
    pub fn shown(self) -> String {
        let line = |line: &str| match (line.strip_prefix("# "), line.strip_prefix("## ")) {
            (Some(title), _) => format!("{title}\n"),
            (_, Some(heading)) => format!("{}\n", heading.to_uppercase()),
            _ => format!("{line}\n"),
        };
        self.text.lines().map(line).collect()
    }

    /// What follows the title.
    pub(super) fn blocks(self) -> Vec<Block<'static>> {
        let mut blocks: Vec<Block<'static>> = Vec::new();
        let mut is_new = true;
        for line in self.text.lines().skip(1) {
            let (words, is_code) = (line.trim(), line.starts_with("    "));
            match (words, blocks.last_mut()) {
                ("", last) => {
                    if let Some(Block::Code(lines)) = last {
                        lines.push("");
                    }
                    is_new = true;
                    continue;
                }
                (_, Some(Block::Code(lines))) if is_code => lines.push(&line[4..]),
                _ if is_code && is_new => blocks.push(Block::Code(vec![&line[4..]])),
                (_, Some(Block::Paragraph(text) | Block::Item(text)))
                    if !is_new && !words.starts_with("- ") =>
                {
                    text.push(' ');
                    text.push_str(words);
                }
                _ => blocks.push(begun(words)),
            }
            is_new = false;
        }
        blocks
    }
}

/// A block of its first line.
fn begun(words: &'static str) -> Block<'static> {
    if let Some(heading) = words.strip_prefix("## ") {
        Block::Heading(heading)
    } else if let Some(item) = words.strip_prefix("- ") {
        Block::Item(item.to_owned())
    } else {
        Block::Paragraph(words.to_owned())
    }
}

/// All topics, a line each.
pub(super) fn list() -> String {
    let lines = TOPICS
        .iter()
        .map(|topic| format!("  {:16}{}", topic.name, topic.about()));
    format!("Topics:\n{}", lines.collect::<Vec<_>>().join("\n"))
}
