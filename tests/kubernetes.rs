//! What users copy from `examples/kubernetes/`: the configuration loads, the command runs, the pod is a careful one.
//! `scripts/test` validates the manifests against the schemas of Kubernetes besides.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{Cupid, Scene};

const CONFIG_KEY: &str = "  user.json: |\n";

fn manifest(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kubernetes");
    std::fs::read_to_string(folder.join(name)).expect("The manifest is there")
}

/// The document of this kind in the manifest of the pass.
fn document(kind: &str) -> String {
    document_of("cronjob.yaml", kind)
}

fn document_of(name: &str, kind: &str) -> String {
    let text = manifest(name);
    let mut of_kind = text
        .split("\n---\n")
        .filter(|document| document.contains(&format!("\nkind: {kind}\n")));
    let document = of_kind.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(of_kind.next().is_none(), "two of {kind}");
    document.to_owned()
}

/// What follows `key` on its line, which there is once.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let mut values = text
        .lines()
        .filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix(key));
    let value = values.next().unwrap_or_else(|| panic!("no {key}"));
    assert!(values.next().is_none(), "two of {key}");
    value.trim()
}

/// The list after `args:`, which may go over several lines.
fn args_of(document: &str) -> Vec<String> {
    let (_, rest) = document.split_once("args: ").expect("The arguments");
    let (list, _) = rest.split_once(']').expect("The end of the list");
    serde_json::from_str(&format!("{list}]")).expect("A list of strings")
}

#[test]
fn the_configuration_in_the_config_map_loads_with_the_variables_of_the_secret() {
    let map = document("ConfigMap");
    let (_, block) = map.split_once(CONFIG_KEY).expect("The configuration");
    let folder = tempfile::tempdir().expect("Create a folder");
    let path = folder.path().join("user.json");
    std::fs::write(&path, block).expect("Write the configuration");
    let text = manifest("cronjob.yaml");
    let secret = |name: &str| {
        text.contains(&format!("--from-literal={name}="))
            .then(|| "hidden".to_owned())
            .or_else(|| (name == "STATE_DIRECTORY").then(|| "/var/lib/cupid".to_owned()))
    };
    let job = cupid::config::load(&path, &secret).expect("The configuration is right");
    assert_eq!(
        job.source.state_dir,
        Path::new("/var/lib/cupid"),
        "the volume"
    );
    assert!(job.source.insert && job.source.update.is_some());
}

#[test]
fn the_jobs_command_runs_and_keeps_its_state_on_the_volume() {
    let cron = document("CronJob");
    assert_eq!(value(&cron, "command: "), "[\"/usr/bin/cupid\"]");
    let args = args_of(&cron);
    let mut scene = Scene::with_missing([1]);
    scene.config.remove("/src/cacheFilePath");
    let config = scene.config.path().display().to_string();
    let args = args.iter().map(|arg| match arg.as_str() {
        "/etc/cupid/user.json" => config.as_str(),
        "55s" => "2s",
        other => other,
    });
    let outcome = Cupid::new(args)
        .env("STATE_DIRECTORY", scene.config.state())
        .limit(Duration::from_secs(30))
        .exits(0);
    assert_eq!(scene.receiver().ids(), [1], "{}", outcome.stderr);
    assert!(scene.config.state_file("checkpoint.json").exists());
}

#[test]
fn two_pods_never_work_at_once_and_one_ends_before_the_next_begins() {
    let cron = document("CronJob");
    for (key, expected) in [
        ("schedule: ", "\"* * * * *\""),
        ("concurrencyPolicy: ", "Forbid"),
        ("restartPolicy: ", "Never"),
        ("backoffLimit: ", "0"),
    ] {
        assert_eq!(value(&cron, key), expected, "{key}");
    }
    assert!(cron.contains("\"--for\", \"55s\""));
}

#[test]
fn the_pods_may_do_nothing_but_their_work() {
    let audit = document_of("audit-job.yaml", "Job");
    let merge = document_of("audit-merge-job.yaml", "Job");
    for document in [&document("CronJob"), &audit, &merge] {
        for (key, expected) in [
            ("restartPolicy: ", "Never"),
            ("runAsNonRoot: ", "true"),
            ("readOnlyRootFilesystem: ", "true"),
            ("allowPrivilegeEscalation: ", "false"),
            ("automountServiceAccountToken: ", "false"),
            ("capabilities: ", "{drop: [ALL]}"),
            ("seccompProfile: ", "{type: RuntimeDefault}"),
            ("command: ", "[\"/usr/bin/cupid\"]"),
        ] {
            assert_eq!(value(document, key), expected, "{key}");
        }
        assert!(document.contains("requests: {cpu:") && document.contains("limits: {memory:"));
    }
    for document in [&document("CronJob"), &audit] {
        assert!(document.contains("- secretRef: {name: cupid-user}"));
    }
}

#[test]
fn the_audits_pods_share_the_table_and_their_reports_become_one() {
    let mut scene = Scene::in_sync((1..=200_000).step_by(20));
    scene.db.exec("DELETE FROM des.user WHERE id % 1000 = 21");
    scene.config.remove("/src/cacheFilePath");
    let (config, folder) = (scene.config.path(), scene.config.folder());
    let cupid = |args: &[String], index: usize| {
        let args = args.iter().map(|arg| {
            arg.replace("$(JOB_COMPLETION_INDEX)", &index.to_string())
                .replace("/reports", &folder.display().to_string())
                .replace("/etc/cupid/user.json", &config.display().to_string())
        });
        // No folder can be made there, as where the root file system is read-only.
        Cupid::new(args).env("STATE_DIRECTORY", "/proc/nowhere")
    };
    let audit = document_of("audit-job.yaml", "Job");
    let pods: usize = value(&audit, "completions: ")
        .split(' ')
        .next()
        .and_then(|pods| pods.parse().ok())
        .expect("A number of pods");
    for index in 0..pods {
        let outcome = cupid(&args_of(&audit), index).run();
        assert!(matches!(outcome.code, Some(0 | 1)), "{outcome:?}");
    }
    assert_eq!(scene.receiver().count(), 0);
    // The pods are as many as the shards.
    cupid(&args_of(&audit), pods).exits(64);
    cupid(&args_of(&document_of("audit-merge-job.yaml", "Job")), 0).exits(0);
    let all = std::fs::read_to_string(folder.join("all.csv")).expect("The one report");
    let lines: Vec<&str> = all.lines().skip(1).collect();
    assert_eq!(lines.len(), 200, "{all}");
    assert!(lines.iter().all(|line| line.contains(",missing,")));
}

#[test]
fn a_shard_with_differences_is_done_and_one_that_failed_is_tried_again() {
    let audit = document_of("audit-job.yaml", "Job");
    assert_eq!(value(&audit, "completionMode: "), "Indexed");
    assert_eq!(value(&audit, "backoffLimitPerIndex: "), "2");
    let rules: Vec<&str> = audit
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("- action: "))
        .collect();
    assert_eq!(rules, ["Ignore", "FailIndex", "FailJob"]);
    let statuses: Vec<&str> = audit
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("onExitCodes: "))
        .collect();
    let of = |values: &str| format!("{{containerName: cupid, operator: In, values: [{values}]}}");
    assert_eq!(statuses, [of("1"), of("64, 78")]);
}

#[test]
fn what_is_mounted_and_claimed_is_there() {
    let cron = document("CronJob");
    let claim = document("PersistentVolumeClaim");
    let name = value(&claim, "name: ");
    assert_eq!(
        value(&cron, "persistentVolumeClaim: "),
        format!("{{claimName: {name}}}")
    );
    let map = document("ConfigMap");
    assert!(map.contains("metadata:\n  name: cupid-user\n"));
    assert_eq!(value(&cron, "configMap: "), "{name: cupid-user}");
    assert!(cron.contains("- {name: STATE_DIRECTORY, value: /var/lib/cupid}"));
    assert!(cron.contains("- {name: state, mountPath: /var/lib/cupid}"));
    let claim = document_of("audit-job.yaml", "PersistentVolumeClaim");
    let claimed = format!("{{claimName: {}}}", value(&claim, "name: "));
    for name in ["audit-job.yaml", "audit-merge-job.yaml"] {
        let job = document_of(name, "Job");
        assert_eq!(value(&job, "persistentVolumeClaim: "), claimed, "{name}");
        assert!(job.contains("- {name: reports, mountPath: /reports}"));
    }
    let audit = document_of("audit-job.yaml", "Job");
    assert_eq!(value(&audit, "configMap: "), "{name: cupid-user}");
    assert!(audit.contains("- {name: tmp, mountPath: /tmp}"));
}
