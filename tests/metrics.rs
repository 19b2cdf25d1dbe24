//! `metricsFile`: what `node_exporter` and Prometheus read.

mod common;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{Answer, Scene};

/// A scene with a metrics file, and its path.
fn with_metrics(mut scene: Scene) -> (Scene, PathBuf) {
    let file = scene.config.folder().join("cupid.prom");
    scene
        .config
        .set("/metricsFile", file.to_str().expect("A path"));
    (scene, file)
}

fn text(file: &PathBuf) -> String {
    std::fs::read_to_string(file).expect("Read the metrics")
}

#[track_caller]
fn assert_has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|other| other == *line), "{line}\n{text}");
    }
}

/// `promtool` of Debian's package prometheus finds nothing wrong.
fn promtool(args: &[&str], stdin: Option<&PathBuf>) {
    let mut command = Command::new("promtool");
    command.args(args);
    if let Some(file) = stdin {
        command.stdin(Stdio::from(std::fs::File::open(file).expect("Open")));
    }
    let output = command
        .output()
        .expect("promtool is installed (scripts/test installs the package prometheus)");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{args:?}: {said}");
}

#[test]
fn the_file_counts_what_passes_did_also_those_that_failed() {
    let (mut scene, file) = with_metrics(Scene::with_missing([1, 2]));
    scene
        .receiver()
        .answer(|callback| Answer::status(if callback.id() == 1 { 503 } else { 200 }));
    scene.run(1);
    let first = text(&file);
    assert_has(
        &first,
        &[
            "cupid_passes_total{config=\"test\",result=\"attention\"} 1",
            "cupid_passes_total{config=\"test\",result=\"failed\"} 0",
            "cupid_rows_compared_total{config=\"test\",destination=\"copy1\"} 2",
            "cupid_differences_total{config=\"test\",destination=\"copy1\",kind=\"missing\"} 2",
            "cupid_callback_attempts_total{config=\"test\",destination=\"copy1\",result=\"delivered\"} 1",
            "cupid_callbacks_owed{config=\"test\",destination=\"copy1\"} 1",
            "cupid_source_lag_rows{config=\"test\",destination=\"copy1\"} 0",
        ],
    );
    promtool(&["check", "metrics"], Some(&file));
    let mode = std::fs::metadata(&file).expect("Look").permissions().mode();
    assert_eq!(mode & 0o777, 0o644);

    let port = format!("port={}", scene.db.server.port);
    let dsn = scene.config.value["src"]["dsn"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    scene.config.set("/src/dsn", dsn.replace(&port, "port=1"));
    scene.run(2);
    let failed = text(&file);
    assert_has(
        &failed,
        &[
            "cupid_passes_total{config=\"test\",result=\"failed\"} 1",
            "cupid_callbacks_owed{config=\"test\",destination=\"copy1\"} 1",
        ],
    );
}

#[test]
fn an_audit_writes_beside_it_a_dry_one_too() {
    let (scene, file) = with_metrics(Scene::in_sync(1..=3));
    scene.db.exec("DELETE FROM src.user WHERE id = 2");
    scene.cupid("reconcile").args("--dry-run --extra").exits(1);
    assert!(!file.exists());
    let beside = file.with_file_name("cupid.reconcile.prom");
    assert_has(
        &text(&beside),
        &[
            "cupid_audit_rows_compared{config=\"test\",destination=\"copy1\"} 2",
            "cupid_audit_differences{config=\"test\",destination=\"copy1\",kind=\"extra\"} 1",
            "cupid_audit_differences{config=\"test\",destination=\"copy1\",kind=\"missing\"} 0",
        ],
    );
    promtool(&["check", "metrics"], Some(&beside));
}

/// Debian's `node_exporter` while it reads the files of a folder.
struct NodeExporter(Child, SocketAddr);

impl NodeExporter {
    fn of(folder: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("Bind");
        let address = free.local_addr().expect("The address of a listener");
        drop(free);
        let child = Command::new("prometheus-node-exporter")
            .args(["--collector.disable-defaults", "--collector.textfile"])
            .arg(format!(
                "--collector.textfile.directory={}",
                folder.display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stderr(Stdio::null())
            .spawn()
            .expect("node_exporter is installed (scripts/test installs it)");
        Self(child, address)
    }

    /// Its `/metrics`, as Prometheus asks for them.
    fn metrics(&self) -> String {
        let began = Instant::now();
        let mut connection = loop {
            match TcpStream::connect(self.1) {
                Ok(connection) => break connection,
                Err(error) if began.elapsed() > Duration::from_secs(20) => panic!("{error}"),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        let mut answer = String::new();
        connection
            .write_all(b"GET /metrics HTTP/1.0\r\n\r\n")
            .and_then(|()| connection.read_to_string(&mut answer))
            .expect("Ask node_exporter");
        answer
    }
}

impl Drop for NodeExporter {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[test]
fn node_exporter_takes_the_files_of_two_configurations_and_an_audit() {
    let (one, file) = with_metrics(Scene::with_missing([1, 2]));
    one.run(0);
    one.cupid("reconcile").args("--dry-run").exits(1);
    let (mut two, other) = with_metrics(Scene::in_sync(1..=3));
    two.config.set("/name", "other");
    two.run(0);
    std::fs::copy(other, file.with_file_name("other.prom")).expect("Copy");
    let exporter = NodeExporter::of(one.config.folder());
    let metrics = exporter.metrics();
    assert_has(
        &metrics,
        &[
            "node_textfile_scrape_error 0",
            "cupid_passes_total{config=\"test\",result=\"done\"} 1",
            "cupid_passes_total{config=\"other\",result=\"done\"} 1",
            "cupid_audit_differences{config=\"test\",destination=\"copy1\",kind=\"missing\"} 2",
        ],
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_told_once_and_stops_no_pass() {
    let (mut scene, file) = with_metrics(Scene::with_missing([1]));
    let nowhere = file.with_file_name("no/such/cupid.prom");
    scene
        .config
        .set("/metricsFile", nowhere.to_str().expect("A path"));
    scene.run(0).assert_says(&["metricsFile: ", "no/such"]);
    assert_eq!(scene.receiver().ids(), [1]);
    scene.run(0).assert_silent();
    scene
        .config
        .set("/metricsFile", file.to_str().expect("A path"));
    scene
        .run(0)
        .assert_says(&["metricsFile: can be written again"]);
    scene.config.set("/metricsFile", "/tmp/cupid.txt");
    scene
        .run(78)
        .assert_says(&["metricsFile", "should hold a file whose name ends in .prom"]);
}

#[test]
fn the_alerts_fire_when_they_should_and_not_before() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/prometheus");
    promtool(&["check", "rules", &format!("{folder}/alerts.yml")], None);
    promtool(
        &["test", "rules", &format!("{folder}/alerts.test.yml")],
        None,
    );
}

#[test]
fn the_dashboard_asks_for_metrics_that_there_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/grafana/cupid.json");
    let dashboard = std::fs::read_to_string(path).expect("Read the dashboard");
    let value: serde_json::Value = serde_json::from_str(&dashboard).expect("JSON");
    assert!(
        value["panels"]
            .as_array()
            .is_some_and(|panels| panels.len() >= 5)
    );
    let (scene, file) = with_metrics(Scene::in_sync([1]));
    scene.run(0);
    scene.cupid("reconcile").exits(0);
    let all = text(&file) + &text(&file.with_file_name("cupid.reconcile.prom"));
    let mut names = 0;
    for rest in dashboard.split("cupid_").skip(1) {
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let name = format!("cupid_{}", &rest[..end]);
        assert!(all.contains(&format!("\n{name}{{")), "{name}");
        names += 1;
    }
    assert!(names >= 10, "{names}");
}
