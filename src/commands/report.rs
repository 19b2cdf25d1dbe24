//! `cupid report`: finished reports, without a database.

use crate::cli::{Html, Merge, Reports, ReportsCommand};
use crate::error::{Exit, Result};
use crate::io::output::Output;
use crate::io::report::{self, Report};
use crate::logic::report::digest::Digest;
use crate::logic::report::line::merged;
use crate::logic::report::page::{About, page};

/// `cupid report`.
pub(super) fn report(reports: &Reports) -> Result<Exit> {
    match &reports.command {
        ReportsCommand::Merge(args) => merge(args),
        ReportsCommand::Html(args) => html(args),
    }
}

/// Everything is read before anything is written, so that the output may be one of the files.
fn merge(args: &Merge) -> Result<Exit> {
    let mut lines = Vec::new();
    for file in &args.files {
        lines.extend(report::read(file)?);
    }
    let output = Report::open(&args.output)?;
    output.write(&merged(lines))?;
    output.into_output().complete()?;
    Ok(Exit::Done)
}

/// The page of a report. Sorting first brings the lines of a row together, whatever wrote them.
fn html(args: &Html) -> Result<Exit> {
    let mut digest = Digest::default();
    let lines = merged(report::read(&args.report)?);
    for line in &lines {
        digest.add(line);
    }
    let file = args.report.file.as_ref();
    let name = file.map_or("stdin".into(), |file| file.display().to_string());
    let destinations: Vec<&str> = digest.rows.keys().map(String::as_str).collect();
    let facts = vec![
        ("Report", name.clone()),
        ("Destinations", destinations.join(", ")),
        ("Lines", lines.len().to_string()),
        (
            "Page by",
            concat!("cupid ", env!("CARGO_PKG_VERSION")).into(),
        ),
    ];
    let about = About {
        name,
        facts,
        ..About::default()
    };
    let mut output = Output::create(&args.output, "Write the page")?;
    output.write(page(&digest, &about).as_bytes())?;
    output.complete()?;
    Ok(Exit::Done)
}
