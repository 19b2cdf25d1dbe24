//! Figures as a Markdown table.

use std::fmt;

/// Rows of a label and figures; the first one is the head.
pub(crate) struct Table<const FIGURES: usize>(Vec<(String, [String; FIGURES])>);

impl<const FIGURES: usize> Table<FIGURES> {
    pub(crate) fn new(label: &str, figures: [&str; FIGURES]) -> Self {
        Self(vec![(label.to_owned(), figures.map(str::to_owned))])
    }

    pub(crate) fn row(&mut self, label: &str, figures: [&dyn fmt::Display; FIGURES]) {
        let figures = figures.map(ToString::to_string);
        self.0.push((label.to_owned(), figures));
    }
}

impl<const FIGURES: usize> fmt::Display for Table<FIGURES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (label, figures)) in self.0.iter().enumerate() {
            writeln!(f, "| {label} | {} |", figures.join(" | "))?;
            if number == 0 {
                writeln!(f, "|---|{}", "---:|".repeat(FIGURES))?;
            }
        }
        Ok(())
    }
}
