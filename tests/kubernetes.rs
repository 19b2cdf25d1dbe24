//! What users copy from `examples/kubernetes/`: the configuration loads, the command runs, the pod is a careful one.
//! `scripts/test` validates the manifests against the schemas of Kubernetes besides.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{Cupid, Scene};

const CONFIG_KEY: &str = "  user.json: |\n";

fn manifest() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kubernetes/cronjob.yaml");
    std::fs::read_to_string(path).expect("The manifest is there")
}

/// The document of this kind.
fn document(kind: &str) -> String {
    let text = manifest();
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

#[test]
fn the_configuration_in_the_config_map_loads_with_the_variables_of_the_secret() {
    let map = document("ConfigMap");
    let (_, block) = map.split_once(CONFIG_KEY).expect("The configuration");
    let folder = tempfile::tempdir().expect("Create a folder");
    let path = folder.path().join("user.json");
    std::fs::write(&path, block).expect("Write the configuration");
    let text = manifest();
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
    let args: Vec<String> =
        serde_json::from_str(value(&cron, "args: ")).expect("A list of strings");
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
fn the_pod_may_do_nothing_but_its_work() {
    let cron = document("CronJob");
    for (key, expected) in [
        ("runAsNonRoot: ", "true"),
        ("readOnlyRootFilesystem: ", "true"),
        ("allowPrivilegeEscalation: ", "false"),
        ("automountServiceAccountToken: ", "false"),
        ("capabilities: ", "{drop: [ALL]}"),
        ("seccompProfile: ", "{type: RuntimeDefault}"),
    ] {
        assert_eq!(value(&cron, key), expected, "{key}");
    }
    assert!(cron.contains("requests: {cpu:") && cron.contains("limits: {memory:"));
    assert!(cron.contains("- secretRef: {name: cupid-user}"));
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
}
