//! What is remembered, as `node_exporter`'s textfile collector reads it: the text format of Prometheus.
//!
//! HELP and TYPE stand once a family and are the same in the file of every configuration. Every series is there from the
//! first pass on, with 0 until there is something to say. Moments are Unix seconds; 0 is never, or nothing owed.

use std::fmt::Write as _;

use super::{AuditStats, DestinationStats, Stats};
use crate::logic::report::summary::{Counts, Pause};

/// What it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    /// The configuration's `name`.
    pub config: &'a str,
    /// The program's version.
    pub version: &'a str,
}

/// The file of passes.
#[must_use]
pub(crate) fn of_passes(stats: &Stats, about: About<'_>) -> String {
    let mut out = Text::new(about.config);
    out.family(
        "cupid_build_info",
        "gauge",
        "The program that wrote this file.",
    );
    out.add("cupid_build_info", &[("version", about.version)], "1");
    let passes = stats.passes;
    let family = "cupid_passes_total";
    out.family(family, "counter", "Passes that ended, by their result.");
    for (result, count) in [
        ("done", passes.done),
        ("attention", passes.attention),
        ("failed", passes.failed),
    ] {
        out.add(family, &[("result", result)], &count.to_string());
    }
    let family = "cupid_pass_duration_seconds";
    out.family(family, "summary", "How long passes took.");
    let duration = seconds(i64::try_from(passes.duration_us).unwrap_or(i64::MAX));
    out.add(&format!("{family}_sum"), &[], &duration);
    let count = passes.done + passes.attention + passes.failed;
    out.add(&format!("{family}_count"), &[], &count.to_string());
    let moment = |us: Option<i64>| seconds(us.unwrap_or(0));
    let family = "cupid_last_pass_timestamp_seconds";
    out.family(family, "gauge", "When the last pass ended.");
    let last_us = stats.last_pass.as_ref().map(|last| last.ended_us);
    out.add(family, &[], &moment(last_us));
    let family = "cupid_last_success_timestamp_seconds";
    out.family(
        family,
        "gauge",
        "When the last pass ended that did not fail.",
    );
    out.add(family, &[], &moment(stats.last_success_us));
    for (family, kind, help, value) in PER_DESTINATION {
        out.family(family, kind, help);
        for it in &stats.destinations {
            out.add(family, &[("destination", &it.name)], &value(it));
        }
    }
    differences(&mut out, stats);
    attempts(&mut out, stats);
    paused(&mut out, stats);
    out.text
}

/// One value of each destination: family, type, help, value.
type PerDestination = (
    &'static str,
    &'static str,
    &'static str,
    fn(&DestinationStats) -> String,
);

const PER_DESTINATION: [PerDestination; 8] = [
    (
        "cupid_destination_last_success_timestamp_seconds",
        "gauge",
        "When the last pass ended that read this destination to its end.",
        |it| seconds(it.last_success_us.unwrap_or(0)),
    ),
    (
        "cupid_rows_compared_total",
        "counter",
        "Source rows compared with this destination.",
        |it| it.counts.compared.to_string(),
    ),
    (
        "cupid_differences_agreed_total",
        "counter",
        "Rows that looked different first and agreed at the second look.",
        |it| it.counts.agreed_later.to_string(),
    ),
    (
        "cupid_callbacks_unrepaired_total",
        "counter",
        "Rows that still differed verifySecond after their callback was taken.",
        |it| it.counts.unrepaired.to_string(),
    ),
    (
        "cupid_callbacks_owed",
        "gauge",
        "Callbacks owed to this destination.",
        |it| it.owed.to_string(),
    ),
    (
        "cupid_callbacks_owed_oldest_timestamp_seconds",
        "gauge",
        "When the oldest owed callback was detected.",
        |it| seconds(it.owed_oldest_us.filter(|_| it.owed > 0).unwrap_or(0)),
    ),
    (
        "cupid_source_lag_rows",
        "gauge",
        "Ids of the source that this destination was not compared with yet.",
        |it| it.ids_behind.unwrap_or(0).to_string(),
    ),
    (
        "cupid_updates_compared_until_timestamp_seconds",
        "gauge",
        "Up to which moment of the source's clock updates were compared.",
        |it| seconds(it.updates_until_us.unwrap_or(0)),
    ),
];

fn differences(out: &mut Text, stats: &Stats) {
    let family = "cupid_differences_total";
    out.family(
        family,
        "counter",
        "Differences that were confirmed, by kind.",
    );
    for it in &stats.destinations {
        for (kind, count) in kinds(&it.counts).into_iter().take(3) {
            let labels = [("destination", it.name.as_str()), ("kind", kind)];
            out.add(family, &labels, &count.to_string());
        }
    }
}

/// `extra` comes last: only audits look for such rows.
fn kinds(counts: &Counts) -> [(&'static str, u64); 4] {
    [
        ("missing", counts.missing),
        ("different", counts.different),
        ("duplicate", counts.duplicate_keys),
        ("extra", counts.extra),
    ]
}

fn attempts(out: &mut Text, stats: &Stats) {
    let family = "cupid_callback_attempts_total";
    out.family(
        family,
        "counter",
        "Callbacks that were tried, by their result.",
    );
    for it in &stats.destinations {
        for (result, count) in [
            ("delivered", it.counts.delivered),
            ("refused", it.counts.refused),
            ("timeout", it.counts.timed_out),
            ("broken", it.counts.broken),
        ] {
            let labels = [("destination", it.name.as_str()), ("result", result)];
            out.add(family, &labels, &count.to_string());
        }
    }
}

/// Reasons of the source have no destination, and none of them is that too much is owed.
fn paused(out: &mut Text, stats: &Stats) {
    let family = "cupid_scan_paused";
    out.family(family, "gauge", "1 while the scan waits for this reason.");
    let mut add = |destination: &str, reason: Pause, is_now: bool| {
        let labels = [("destination", destination), ("reason", reason.key())];
        out.add(family, &labels, if is_now { "1" } else { "0" });
    };
    let of_source = stats.paused.map(|paused| paused.reason);
    for reason in Pause::ALL.into_iter().filter(|it| *it != Pause::MaxOwed) {
        add("", reason, of_source == Some(reason));
    }
    for it in &stats.destinations {
        let of_destination = it.paused.map(|paused| paused.reason);
        for reason in Pause::ALL {
            add(&it.name, reason, of_destination == Some(reason));
        }
    }
}

/// The file of audits: what the last one found.
#[must_use]
pub(crate) fn of_audit(stats: &AuditStats, config: &str) -> String {
    let mut out = Text::new(config);
    let family = "cupid_audit_last_completion_timestamp_seconds";
    out.family(
        family,
        "gauge",
        "When the last audit ended that came to its end.",
    );
    out.add(family, &[], &seconds(stats.completed_us.unwrap_or(0)));
    let family = "cupid_audit_duration_seconds";
    out.family(family, "gauge", "How long the last audit took.");
    let last = stats.last.as_ref();
    let duration_us = last.map_or(0, |last| last.duration_us);
    let duration_us = i64::try_from(duration_us).unwrap_or(i64::MAX);
    out.add(family, &[], &seconds(duration_us));
    let destinations = || last.iter().flat_map(|last| &last.destinations);
    let family = "cupid_audit_rows_compared";
    out.family(family, "gauge", "Source rows that the last audit compared.");
    for it in destinations() {
        let compared = it.counts.compared.to_string();
        out.add(family, &[("destination", &it.name)], &compared);
    }
    let family = "cupid_audit_differences";
    out.family(
        family,
        "gauge",
        "Differences that the last audit found, by kind.",
    );
    for it in destinations() {
        for (kind, count) in kinds(&it.counts) {
            let labels = [("destination", it.name.as_str()), ("kind", kind)];
            out.add(family, &labels, &count.to_string());
        }
    }
    out.text
}

struct Text {
    config: String,
    text: String,
}

impl Text {
    fn new(config: &str) -> Self {
        Self {
            config: escaped(config),
            text: String::new(),
        }
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn add(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        let _ = write!(self.text, "{name}{{config=\"{}\"", self.config);
        for (label, value) in labels {
            let _ = write!(self.text, ",{label}=\"{}\"", escaped(value));
        }
        let _ = writeln!(self.text, "}} {value}");
    }
}

/// A label's value, as "Text format details" of Prometheus asks for it.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// `1767225600.123`.
fn seconds(us: i64) -> String {
    let ms = us.div_euclid(1_000);
    let (sign, ms) = (if ms < 0 { "-" } else { "" }, ms.unsigned_abs());
    match ms % 1_000 {
        0 => format!("{sign}{}", ms / 1_000),
        rest => format!("{sign}{}.{rest:03}", ms / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::stats::audit::AuditedDestination;
    use crate::logic::stats::{LastAudit, Paused};

    const ABOUT: About<'_> = About {
        config: "us\"er",
        version: "1.2.3",
    };

    fn stats() -> Stats {
        let mut stats = Stats::new("my.user", 0);
        stats.destinations = ["search", "a\\b"]
            .map(|name| DestinationStats {
                name: name.into(),
                ..DestinationStats::default()
            })
            .into();
        stats
    }

    /// Lines that say something, each series once, after their family's two lines.
    fn series(text: &str) -> Vec<&str> {
        let mut seen = std::collections::BTreeSet::new();
        let mut family = String::new();
        let mut series = vec![];
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                family = rest.split(' ').next().unwrap().to_owned();
                assert!(seen.insert(family.clone()), "{family} twice");
            } else if !line.starts_with('#') {
                let name = line.split('{').next().unwrap();
                assert!(name.starts_with(&family), "{line} in {family}");
                assert!(
                    seen.insert(line.split("} ").next().unwrap().to_owned()),
                    "{line}"
                );
                series.push(line);
            }
        }
        series
    }

    #[test]
    fn every_series_is_there_from_the_first_pass_on() {
        let new = of_passes(&stats(), ABOUT);
        let mut busy = stats();
        busy.passes.done = 7;
        busy.passes.duration_us = 1_500_000;
        busy.last_success_us = Some(1_767_225_600_123_456);
        busy.paused = Some(Paused {
            since_us: 1,
            reason: Pause::MaxLagSecond,
        });
        let search = &mut busy.destinations[0];
        (search.owed, search.owed_oldest_us) = (3, Some(60_000_000));
        search.counts.missing = 5;
        search.counts.timed_out = 2;
        let busy = of_passes(&busy, ABOUT);
        let names = |text: &str| -> Vec<String> {
            let name = |line: &&str| line.split("} ").next().map(str::to_owned);
            series(text).iter().filter_map(name).collect()
        };
        assert_eq!(names(&new), names(&busy));
        for line in [
            "cupid_build_info{config=\"us\\\"er\",version=\"1.2.3\"} 1",
            "cupid_passes_total{config=\"us\\\"er\",result=\"done\"} 7",
            "cupid_pass_duration_seconds_sum{config=\"us\\\"er\"} 1.500",
            "cupid_pass_duration_seconds_count{config=\"us\\\"er\"} 7",
            "cupid_last_success_timestamp_seconds{config=\"us\\\"er\"} 1767225600.123",
            "cupid_callbacks_owed{config=\"us\\\"er\",destination=\"search\"} 3",
            "cupid_callbacks_owed{config=\"us\\\"er\",destination=\"a\\\\b\"} 0",
            "cupid_callbacks_owed_oldest_timestamp_seconds{config=\"us\\\"er\",destination=\"search\"} 60",
            "cupid_differences_total{config=\"us\\\"er\",destination=\"search\",kind=\"missing\"} 5",
            "cupid_callback_attempts_total{config=\"us\\\"er\",destination=\"search\",result=\"timeout\"} 2",
            "cupid_scan_paused{config=\"us\\\"er\",destination=\"\",reason=\"maxLagSecond\"} 1",
            "cupid_scan_paused{config=\"us\\\"er\",destination=\"search\",reason=\"maxOwed\"} 0",
        ] {
            assert!(series(&busy).contains(&line), "{line}\n{busy}");
        }
    }

    #[test]
    fn an_audit_has_a_file_of_its_own_families() {
        let audit = AuditStats {
            version: 1,
            completed_us: Some(2_000_000),
            last: Some(LastAudit {
                ended_us: 2_000_000,
                duration_us: 1_000,
                is_complete: true,
                failed: None,
                destinations: vec![AuditedDestination {
                    name: "search".into(),
                    counts: Counts {
                        compared: 9,
                        extra: 2,
                        ..Counts::default()
                    },
                }],
            }),
        };
        let text = of_audit(&audit, "user");
        for line in [
            "cupid_audit_last_completion_timestamp_seconds{config=\"user\"} 2",
            "cupid_audit_duration_seconds{config=\"user\"} 0.001",
            "cupid_audit_rows_compared{config=\"user\",destination=\"search\"} 9",
            "cupid_audit_differences{config=\"user\",destination=\"search\",kind=\"extra\"} 2",
            "cupid_audit_differences{config=\"user\",destination=\"search\",kind=\"missing\"} 0",
        ] {
            assert!(series(&text).contains(&line), "{line}\n{text}");
        }
        let passes = of_passes(&stats(), ABOUT);
        let of_audits = |line: &&str| line.starts_with("cupid_audit");
        assert!(series(&text).iter().all(of_audits));
        assert!(!series(&passes).iter().any(of_audits));
    }
}
