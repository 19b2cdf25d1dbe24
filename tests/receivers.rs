//! The receivers in `examples/receivers` take what `cupid run` sends, and refuse what is not signed by
//! their secret. Each runs where its language is installed; where it is not, the test says so on stderr.

mod common;

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Scene, wait_until};

const SECRET: &str = "whsec_aGlkZGVuLXNlY3JldC1vZi1yZWNlaXZlcnM=";

/// Ends the receiver with the test, however that ends, and what it started (`go run`, `php -S`).
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

fn is_installed(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

/// Starts `PROGRAM ARGUMENT…`, where `PORT` stands for a free port, and sends it callbacks.
fn takes_callbacks(program: &str, arguments: &[&str]) {
    use std::os::unix::process::CommandExt as _;
    if !is_installed(program) {
        // Past the capture of the test runner: a case that did not run is never silent.
        let _ = writeln!(
            std::io::stderr(),
            "{} IS NOT INSTALLED: ITS RECEIVER WAS NOT RUN",
            program.to_uppercase()
        );
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("Find a free port")
        .port();
    let mut scene = Scene::with_missing([1, 2]);
    let log = scene.config.folder().join("receiver.log");
    let output = std::fs::File::create(&log).expect("Create the receiver's log");
    let receiver = Command::new(program)
        .args(
            arguments
                .iter()
                .map(|word| word.replace("PORT", &port.to_string())),
        )
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/receivers"))
        .env("CUPID_SECRET", SECRET)
        .stdout(output.try_clone().expect("Share the receiver's log"))
        .stderr(output)
        .process_group(0)
        .spawn();
    let _receiver = Ended(receiver.expect("Start the receiver"));
    wait_until("the receiver listens", Duration::from_secs(60), || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    let callback = "/des/0/callbackNotification";
    scene
        .config
        .set(
            &format!("{callback}/url"),
            format!("127.0.0.1:{port}/cupid"),
        )
        .set(&format!("{callback}/timeoutMillisecond"), 10_000)
        .set(&format!("{callback}/secret"), "another-hidden-secret");
    scene.run(1);
    assert_eq!(scene.config.owed().len(), 2, "{}", said());
    assert!(
        scene.config.owed()[0]["lastError"]
            .as_str()
            .is_some_and(|error| error.contains("401")),
        "{:?}: {}",
        scene.config.owed(),
        said()
    );
    scene.config.set(&format!("{callback}/secret"), SECRET);
    let outcome = scene.cupid("retry").run();
    assert_eq!(outcome.code, Some(0), "{}{}", outcome.stderr, said());
    let number: String = scene
        .db
        .query::<(String,)>("SELECT number FROM src.user WHERE id=2")[0]
        .0
        .clone();
    wait_until(
        "the receiver names the row",
        Duration::from_secs(10),
        || said().contains(&number),
    );
}

#[test]
fn the_receiver_in_python_takes_callbacks() {
    takes_callbacks("python3", &["receiver.py", "PORT"]);
}

#[test]
fn the_receiver_in_node_takes_callbacks() {
    takes_callbacks("node", &["receiver.mjs", "PORT"]);
}

#[test]
fn the_receiver_in_java_takes_callbacks() {
    takes_callbacks("java", &["Receiver.java", "PORT"]);
}

#[test]
fn the_receiver_in_go_takes_callbacks() {
    takes_callbacks("go", &["run", "receiver.go", "127.0.0.1:PORT"]);
}

#[test]
fn the_receiver_in_php_takes_callbacks() {
    takes_callbacks("php", &["-S", "127.0.0.1:PORT", "receiver.php"]);
}
