//! How findings are shown: groups for people, an array for programs.
//!
//! ```text
//! cannot run (1)
//!   src.idColumn  "nope" is no column of my.user
//! will hurt (1)
//!   src.updateColumn  holds "update_time", which no index begins with …
//!       CREATE INDEX `cupid_update_time` ON `my`.`user` (`update_time`);
//! 1 cannot run, 1 will hurt, 9 fine (-v shows them)
//! ```

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::{Finding, Level};
use crate::logic::value::count::grouped;
use crate::logic::value::one_line::on_one_line;

/// How much is shown, and on what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Looks {
    /// Lists what is fine, too.
    pub with_fine: bool,
    /// The headings are in colour.
    pub in_colour: bool,
}

/// What a finding is to the reader, the worst first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    CannotRun,
    WillHurt,
    GoodToKnow,
    Fine,
}

impl Group {
    const ALL: [Self; 4] = [
        Self::CannotRun,
        Self::WillHurt,
        Self::GoodToKnow,
        Self::Fine,
    ];

    fn of(finding: &Finding) -> Self {
        match finding.level {
            Level::Error | Level::Failure => Self::CannotRun,
            Level::Warning => Self::WillHurt,
            Level::Note => Self::GoodToKnow,
            Level::Ok => Self::Fine,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::CannotRun => "cannot run",
            Self::WillHurt => "will hurt",
            Self::GoodToKnow => "good to know",
            Self::Fine => "fine",
        }
    }

    fn style(self) -> Style {
        let colour = match self {
            Self::CannotRun => AnsiColor::Red,
            Self::WillHurt => AnsiColor::Yellow,
            Self::GoodToKnow => AnsiColor::Cyan,
            Self::Fine => AnsiColor::Green,
        };
        colour.on_default().bold()
    }
}

/// The findings in groups, and a line that counts them. A group without findings is left out.
#[must_use]
pub(crate) fn groups(findings: &[Finding], looks: Looks) -> String {
    let (mut text, mut counts) = (String::new(), Vec::new());
    for group in Group::ALL {
        let found: Vec<&Finding> = findings
            .iter()
            .filter(|it| Group::of(it) == group)
            .collect();
        if found.is_empty() {
            continue;
        }
        let (name, count) = (group.name(), grouped(found.len() as u64));
        let is_hidden = group == Group::Fine && !looks.with_fine;
        let hint = if is_hidden { " (-v shows them)" } else { "" };
        counts.push(format!("{count} {name}{hint}"));
        if is_hidden {
            continue;
        }
        let heading = format!("{name} ({count})");
        text += &painted(&heading, group.style(), looks.in_colour);
        text.push('\n');
        for finding in found {
            text += &one(finding);
        }
    }
    text + &counts.join(", ") + "\n"
}

/// A finding, its remedies below it.
fn one(finding: &Finding) -> String {
    let Finding {
        key, text, remedy, ..
    } = finding;
    let gap = if key.is_empty() { "" } else { "  " };
    let remedies = remedy
        .iter()
        .map(|line| format!("      {}\n", on_one_line(line)));
    let finding = format!("  {key}{gap}{}\n", on_one_line(text));
    finding + &remedies.collect::<String>()
}

/// The line above the findings of one of several configurations.
#[must_use]
pub(crate) fn heading(config: &str, looks: Looks) -> String {
    painted(&on_one_line(config), Style::new().bold(), looks.in_colour) + "\n"
}

fn painted(text: &str, style: Style, in_colour: bool) -> String {
    if in_colour {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}

/// The findings as elements of an array: `level` (error, warning, note, ok), `key`, `text`, `remedy`;
/// and `config` where there are several.
#[must_use]
pub(crate) fn elements(findings: &[Finding], config: Option<&str>) -> Vec<Value> {
    let elements = findings.iter().map(|finding| {
        let Finding {
            level,
            key,
            text,
            remedy,
        } = finding;
        let level = match level {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error | Level::Failure => "error",
        };
        // JSON does not escape every control character, and `cat` shows it on a terminal.
        let remedy: Vec<String> = remedy.iter().map(|line| on_one_line(line)).collect();
        let text = on_one_line(text);
        let mut value = json!({"level": level, "key": key, "text": text, "remedy": remedy});
        if let Some(config) = config {
            value["config"] = config.into();
        }
        value
    });
    elements.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(level: Level, key: &str, text: &str, remedy: &[&str]) -> Finding {
        Finding {
            level,
            key: key.into(),
            text: text.into(),
            remedy: remedy.iter().map(|&line| line.to_owned()).collect(),
        }
    }

    fn all() -> Vec<Finding> {
        vec![
            finding(Level::Failure, "src.dsn", "no answer", &[]),
            finding(Level::Error, "src.table", "no table", &["GRANT;"]),
            finding(
                Level::Warning,
                "des[0].byColumn (a)",
                "no index",
                &["CREATE", "ANALYZE"],
            ),
            finding(Level::Note, "", "an old\nkey", &[]),
            finding(Level::Ok, "src.dsn", "answers", &[]),
            finding(Level::Ok, "src.x", "is there", &[]),
        ]
    }

    #[test]
    fn findings_are_in_groups_and_counted() {
        let text = "\
cannot run (2)
  src.dsn  no answer
  src.table  no table
      GRANT;
will hurt (1)
  des[0].byColumn (a)  no index
      CREATE
      ANALYZE
good to know (1)
  an old key
";
        let shown = groups(&all(), Looks::default());
        let counts = "2 cannot run, 1 will hurt, 1 good to know, 2 fine";
        assert_eq!(shown, format!("{text}{counts} (-v shows them)\n"));
        let looks = Looks {
            with_fine: true,
            in_colour: false,
        };
        let fine = "fine (2)\n  src.dsn  answers\n  src.x  is there\n";
        assert_eq!(groups(&all(), looks), format!("{text}{fine}{counts}\n"));
    }

    #[test]
    fn an_empty_group_is_left_out_of_the_text_and_of_the_sum() {
        for (kept, shown) in [
            (0..1, "cannot run (1)\n  src.dsn  no answer\n1 cannot run\n"),
            (
                3..5,
                "good to know (1)\n  an old key\n1 good to know, 1 fine (-v shows them)\n",
            ),
            (4..6, "2 fine (-v shows them)\n"),
        ] {
            assert_eq!(groups(&all()[kept], Looks::default()), shown);
        }
    }

    #[test]
    fn only_headings_are_in_colour() {
        let looks = Looks {
            with_fine: true,
            in_colour: true,
        };
        let text = groups(&all(), looks);
        let coloured: Vec<&str> = text.lines().filter(|line| line.contains('\x1b')).collect();
        assert_eq!(coloured.len(), 4, "{text:?}");
        assert_eq!(coloured[0], "\x1b[1m\x1b[31mcannot run (2)\x1b[0m");
        assert_eq!(heading("/a.json", looks), "\x1b[1m/a.json\x1b[0m\n");
        assert_eq!(heading("/a.json", Looks::default()), "/a.json\n");
    }

    #[test]
    fn each_element_has_the_same_keys() {
        let all = all();
        let levels = ["error", "error", "warning", "note", "ok", "ok"];
        for config in [None, Some("/a.json")] {
            let found = elements(&all, config);
            for ((value, level), finding) in found.iter().zip(levels).zip(&all) {
                let mut expected = json!({
                    "level": level, "key": finding.key, "text": finding.text.replace('\n', " "),
                    "remedy": finding.remedy,
                });
                if let Some(config) = config {
                    expected["config"] = config.into();
                }
                assert_eq!(value, &expected);
            }
            assert_eq!(found.len(), all.len());
        }
    }
}
