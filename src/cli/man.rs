//! Man pages: one of each command, and one of each topic.

use std::io::{Result, Write as _};

use clap::Command;
use clap_mangen::Man;
use roff::{Inline, Roff, bold, roman};

use super::topics::{Block, TOPICS, Topic};

/// A page: its file's name and its text.
pub type Page = (String, Vec<u8>);

/// The topic that is the page of the configuration's file format.
const OF_FILES: &str = "configuration";

/// Every page.
///
/// # Errors
/// None that a page in memory could meet; the libraries write to anything.
pub fn pages() -> Result<Vec<Page>> {
    let mut root = super::definition().disable_help_subcommand(true);
    root.build();
    let mut pages = Vec::new();
    of_command(&root, &mut pages)?;
    for topic in TOPICS {
        pages.push(of_topic(*topic, &format!("cupid-{}", topic.name), "7")?);
        if topic.name == OF_FILES {
            pages.push(of_topic(*topic, "cupid.json", "5")?);
        }
    }
    Ok(pages)
}

fn of_command(command: &Command, pages: &mut Vec<Page>) -> Result<()> {
    let shown = || command.get_subcommands().filter(|it| !it.is_hide_set());
    let man = Man::new(command.clone()).date("").manual("cupid");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if shown().next().is_some() {
        man.render_subcommands_section(&mut page)?;
    }
    let notes = command
        .get_after_long_help()
        .or(command.get_after_help())
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut roff = Roff::new();
    roff.control("SH", ["NOTES"]);
    lines(&mut roff, notes.lines());
    page.write_all(roff.to_roff().as_bytes())?;
    pages.push((man.get_filename(), page));
    shown().try_for_each(|command| of_command(command, pages))
}

/// A topic as a page of this name and section.
fn of_topic(topic: Topic, name: &str, section: &str) -> Result<Page> {
    let version = format!("cupid {}", env!("CARGO_PKG_VERSION"));
    let mut roff = Roff::new();
    roff.control("TH", [name, section, "", &version, "cupid"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{name} - {}", topic.about()))]);
    let mut is_under_heading = false;
    for block in topic.blocks() {
        if !is_under_heading && !matches!(block, Block::Heading(_)) {
            roff.control("SH", ["DESCRIPTION"]);
            is_under_heading = true;
        }
        match block {
            Block::Heading(heading) => {
                roff.control("SH", [heading.to_uppercase().as_str()]);
                is_under_heading = true;
            }
            Block::Paragraph(text) => {
                roff.control("PP", []);
                roff.text(inlines(&text));
            }
            Block::Item(text) => {
                roff.control("IP", ["-", "2"]);
                roff.text(inlines(&text));
            }
            Block::Code(code) => {
                roff.control("RS", ["4"]);
                lines(&mut roff, code);
                roff.control("RE", []);
            }
        }
    }
    let mut page = Vec::new();
    roff.to_writer(&mut page)?;
    Ok((format!("{name}.{section}"), page))
}

/// Lines as they stand.
fn lines<'l>(roff: &mut Roff, lines: impl IntoIterator<Item = &'l str>) {
    roff.control("PP", []);
    roff.control("nf", []);
    for line in lines {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}

/// What stands between backticks is bold.
fn inlines(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate();
    parts
        .map(|(index, part)| match index % 2 {
            0 => roman(part),
            _ => bold(part),
        })
        .collect()
}
