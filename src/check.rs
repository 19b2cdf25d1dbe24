//! What `cupid check` advises: facts in, findings out.
//!
//! A finding names the configuration's key, its value, the consequence, and where possible the
//! statement that mends it. Nothing here asks a server or a clock, so a test can build every
//! finding.

mod columns;
mod copies;
mod destination;
mod endpoint;
pub(crate) mod facts;
mod files;
mod full_scan;
pub(crate) mod grants;
mod moments;
mod server;
pub(crate) mod shown;
mod source;
mod state;
mod table;
#[cfg(test)]
mod tests;

use crate::check::facts::{Facts, Plan};
use crate::config::Job;
use crate::error::Exit;
use crate::logic::value::count::counted;

/// How bad a finding is, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// Works, but slowly, or with more rights or less certainty than it should.
    Warning,
    /// `run` would refuse this configuration.
    Error,
    /// Could not be looked at, or state files that `run` cannot use.
    Failure,
}

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// How bad.
    pub level: Level,
    /// The configuration's key; empty when the text names it.
    pub key: String,
    /// What it holds and what is wrong with it.
    pub text: String,
    /// Statements or commands that help, one a line.
    pub remedy: Vec<String>,
}

/// Findings as they come.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(
        &mut self,
        level: Level,
        key: impl Into<String>,
        text: impl Into<String>,
    ) -> &mut Finding {
        let (key, text) = (key.into(), text.into());
        self.0.push(Finding {
            level,
            key,
            text,
            remedy: vec![],
        });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }
}

impl Finding {
    fn remedy(&mut self, line: impl Into<String>) -> &mut Self {
        self.remedy.push(line.into());
        self
    }
}

/// Everything there is to say, the worst first.
#[must_use]
pub(crate) fn advise(job: &Job, facts: &Facts, now_us: i64) -> Vec<Finding> {
    let mut findings = Findings::default();
    settings(job, &mut findings);
    server::advise(job, facts, &mut findings);
    match &facts.source {
        Ok(side) => source::advise(job, side, now_us, &mut findings),
        Err(reason) => unread("src.dsn".into(), reason, &mut findings),
    }
    for (number, (destination, side)) in
        job.destinations.iter().zip(&facts.destinations).enumerate()
    {
        let place = destination::Place {
            number,
            destination,
        };
        match side {
            Ok(side) => {
                let source = facts.source.as_ref().ok();
                destination::advise(job, &place, side, source, &mut findings);
            }
            Err(reason) => unread(place.key("dsn"), reason, &mut findings),
        }
        if let Some(reached) = facts.endpoints.get(number) {
            endpoint::advise(&place, reached, &mut findings);
        }
    }
    copies::advise(job, facts, &mut findings);
    files::advise(job, facts, &mut findings);
    state::advise(job, facts, &mut findings);
    let mut findings = findings.0;
    if exit(&findings) < Exit::Failed {
        findings.extend(refusals(facts));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    findings
}

/// The exit status that belongs to the worst finding.
#[must_use]
pub(crate) fn exit(findings: &[Finding]) -> Exit {
    match findings.iter().map(|finding| finding.level).max() {
        None | Some(Level::Ok | Level::Note) => Exit::Done,
        Some(Level::Warning) => Exit::Attention,
        Some(Level::Error) => Exit::Config,
        Some(Level::Failure) => Exit::Failed,
    }
}

fn unread(key: String, reason: &str, findings: &mut Findings) {
    findings.add(Level::Failure, key, reason);
}

/// What `run` would refuse although nothing here found it.
fn refusals(facts: &Facts) -> Vec<Finding> {
    let sides = std::iter::once(&facts.source).chain(&facts.destinations);
    let refusals = sides.filter_map(|side| side.as_ref().ok()?.refusal.as_ref());
    let findings = refusals.map(|refusal| {
        let (key, text) = by_key(refusal);
        Finding {
            level: Level::Error,
            key: key.into(),
            text: text.into(),
            remedy: vec![],
        }
    });
    findings.take(1).collect()
}

/// `src.dsn: is odd` as key and text; a sentence without a key has an empty one.
fn by_key(text: &str) -> (&str, &str) {
    match text.split_once(": ") {
        Some((key, rest)) if !key.contains(char::is_whitespace) => (key, rest),
        _ => ("", text),
    }
}

/// What the file alone tells.
fn settings(job: &Job, findings: &mut Findings) {
    for note in &job.notes {
        let (key, text) = by_key(note);
        findings.add(Level::Note, key, text);
    }
    if !job.source.insert && job.source.update.is_none() {
        findings.add(
            Level::Error,
            "src.insert",
            "holds false, and so does src.update; at least one of them should hold true, else there is nothing to look at",
        );
    }
    for (number, destination) in job.destinations.iter().enumerate() {
        let place = destination::Place {
            number,
            destination,
        };
        let callback = &destination.callback;
        let host = callback.url.strip_prefix("http://").map(host_of);
        if let Some(host) = host.filter(|host| callback.secrets.is_empty() && !is_loopback(host)) {
            findings.add(
                Level::Note,
                place.key("callbackNotification.url"),
                format!(
                    "rows go to {host} unencrypted and unsigned: whoever is on the way can read them, and the receiver cannot \
                     tell who sent them; https:// and callbackNotification.secret help"
                ),
            );
        }
        if destination.columns.is_empty() {
            findings.add(
                Level::Note,
                place.key("columns"),
                "holds {}: only missing rows are looked for, no column is compared",
            );
        }
    }
}

/// The host of what follows `http://`, without account and port.
fn host_of(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

/// The machine itself, as far as the name tells.
#[must_use]
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// `EXPLAIN: ALL, no index, 99,871 rows, Using where`.
fn explained(plan: &Plan) -> String {
    let key = plan
        .key
        .as_ref()
        .map_or("no index".to_owned(), |key| format!("index {key}"));
    let mut text = format!(
        "EXPLAIN: {}, {key}, {}",
        plan.access,
        counted(plan.rows, "row")
    );
    if !plan.extra.is_empty() {
        text.push_str(", ");
        text.push_str(&plan.extra);
    }
    text
}

/// The statement that adds an index over these columns.
pub(crate) fn create_index(database: &str, table: &str, columns: &[&str]) -> String {
    use crate::logic::value::sql::quoted;
    let list: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    format!(
        "CREATE INDEX {} ON {}.{} ({});",
        quoted(
            &format!("cupid_{}", columns[0])
                .chars()
                .take(64)
                .collect::<String>()
        ),
        quoted(database),
        quoted(table),
        list.join(", ")
    )
}

/// How many rows a table has, as far as the server knows.
pub(crate) fn about(rows: Option<u64>) -> String {
    rows.map_or("an unknown number of rows".into(), |rows| {
        format!("about {}", counted(rows, "row"))
    })
}
