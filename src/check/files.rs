//! Files beside the tables: who can read the secrets, and whether metrics can be written.

use super::{Findings, Level};
use crate::check::facts::Facts;
use crate::config::Job;

/// A container's runtime mounts secrets here, readable by all of the container.
const MOUNTED: [&str; 2] = ["/run/", "/var/run/"];

pub(super) fn advise(job: &Job, facts: &Facts, findings: &mut Findings) {
    for path in &job.secrets_readable_by_others {
        let path = path.display();
        findings
            .add(
                Level::Warning,
                "",
                format!(
                    "{path} holds a password or a secret, and others than its owner can read it"
                ),
            )
            .remedy(format!("chmod 600 {path}"));
    }
    for path in &facts.open_secrets {
        let path = path.display().to_string();
        if MOUNTED.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        let text = format!("{path} holds secrets, and everybody on this machine can read it");
        findings
            .add(Level::Warning, "", text)
            .remedy(format!("chmod o= {path}"));
    }
    if let (Some(file), Some(reason)) = (&job.metrics_file, &facts.metrics_unwritable) {
        let file = file.display();
        findings.add(
            Level::Warning,
            "metricsFile",
            format!(
                "no file can be written beside {file}: {reason}; passes go on without metrics. The account running cupid \
                 should be able to write its folder"
            ),
        );
    }
}
