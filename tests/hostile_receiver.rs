//! A receiver that is not what it seems: endless, slow, with a certificate of its own making. It costs neither time nor memory
//! beyond a bound, gets no row that it should not get, and no row's value is ever a header.

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{Scene, assert_ids};

/// What a run of a few rows may take in memory.
const MEMORY_MIB_MAX: u64 = 128;

/// Each connection gets this once it has sent something, again and again until it goes away.
fn endless(start: &'static str, part: &'static [u8], pause: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 4096]);
                let mut sent = stream.write_all(start.as_bytes());
                while sent.is_ok() {
                    thread::sleep(pause);
                    sent = stream.write_all(part);
                }
            });
        }
    });
    address
}

#[test]
fn a_receiver_without_end_costs_neither_time_nor_memory() {
    const SOME: &[u8] = &[b'x'; 4096];
    const LINE: &[u8] = b"X-More: 0123456789012345678901234567890123456789\r\n";
    let (fast, slow) = (Duration::ZERO, Duration::from_millis(50));
    for (what, address, owed) in [
        ("a header", endless("HTTP/1.1 200 OK\r\n", LINE, fast), 3),
        ("a status line", endless("HTTP/1.1 200 ", SOME, fast), 3),
        (
            "a slow header",
            endless("HTTP/1.1 200 OK\r\n", b"X: y\r\n", slow),
            3,
        ),
        (
            "interim answers",
            endless("", b"HTTP/1.1 102 A\r\n\r\n", fast),
            3,
        ),
        (
            "a slow body",
            endless("HTTP/1.1 200 OK\r\n\r\n", b"x", slow),
            3,
        ),
        // The status is what counts, and it came.
        ("a body", endless("HTTP/1.1 200 OK\r\n\r\n", SOME, fast), 0),
    ] {
        let mut scene = Scene::with_missing(1..=3);
        scene
            .config
            .set("/deliverySecond", 5)
            .set(
                "/des/0/callbackNotification/url",
                format!("http://{address}/"),
            )
            .set("/des/0/callbackNotification/timeoutMillisecond", 400)
            .set("/des/0/callbackNotification/attempts", 2);
        let (outcome, peak_mib) = scene.cupid("run").spawn().ended();
        println!("{what}: {peak_mib} MiB, {:?}", outcome.took);
        assert_eq!(
            outcome.code,
            Some(i32::from(owed > 0)),
            "{what}: {outcome:?}"
        );
        assert_eq!(scene.config.owed().len(), owed, "{what}");
        assert!(peak_mib <= MEMORY_MIB_MAX, "{what}: {peak_mib} MiB");
    }
}

#[test]
fn no_value_of_a_row_and_no_name_becomes_a_header() {
    let mut scene = Scene::new();
    for database in ["src", "des"] {
        scene.db.exec(&format!(
            "ALTER TABLE {database}.user CHANGE avatar `av: é\r\nX-Column: 1` TEXT"
        ));
    }
    let evil = "x\r\nX-Value: 1\r\n\r\nPOST / HTTP/1.1\r\n";
    scene.db.exec_with(
        "INSERT INTO src.user VALUES (1, ?, ?, ?, NOW()), (2, 'n2', ?, ?, NOW())",
        (evil, evil, evil, evil, evil),
    );
    scene
        .db
        .exec("INSERT INTO des.user (id, number) VALUES (2, 'n2')");
    scene.config.set("/des/0/name", "d: é, X-Name");
    scene.config.set(
        "/des/0/columns",
        serde_json::json!({"name": "name", "av: é\r\nX-Column: 1": "av: é\r\nX-Column: 1"}),
    );
    scene.run(0);
    let callbacks = scene.receiver().callbacks();
    assert_ids(&scene.receiver().ids(), [1, 2]);
    for callback in callbacks {
        assert_eq!(callback.text_of("name"), evil);
        let names: BTreeSet<&str> = callback.headers.keys().map(String::as_str).collect();
        let known = [
            "accept",
            "accept-encoding",
            "content-length",
            "content-type",
            "cupid-attempt",
            "cupid-columns",
            "cupid-destination",
            "host",
            "user-agent",
            "webhook-id",
            "webhook-timestamp",
        ];
        assert!(names.is_subset(&known.into()), "{names:?}");
        assert!(callback.headers.values().all(|value| value.is_ascii()));
    }
}

/// `openssl s_server` with a certificate that it signed itself.
struct SelfSigned {
    server: Child,
    address: SocketAddr,
    output: Arc<std::sync::Mutex<Vec<u8>>>,
}

fn openssl(folder: &Path, args: &str) -> Command {
    let mut command = Command::new("openssl");
    command
        .current_dir(folder)
        .args(args.split(' '))
        .stdin(Stdio::null());
    command
}

impl SelfSigned {
    fn start(folder: &Path) -> Self {
        let made = openssl(
            folder,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
             -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem",
        )
        .output()
        .expect("openssl is installed");
        assert!(made.status.success(), "{made:?}");
        let mut server = openssl(
            folder,
            "s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem -naccept 100",
        )
        .stdin(Stdio::piped()) // At its end the server would end too.
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is installed");
        let mut stdout = BufReader::new(server.stdout.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "it listens");
            if let Some(address) = line.trim().strip_prefix("ACCEPT ") {
                break address.parse().unwrap();
            }
        };
        let output = Arc::default();
        let into: Arc<std::sync::Mutex<Vec<u8>>> = Arc::clone(&output);
        thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(amount @ 1..) = stdout.read(&mut part) {
                into.lock().unwrap().extend_from_slice(&part[..amount]);
            }
        });
        Self {
            server,
            address,
            output,
        }
    }

    fn heard(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()).into_owned()
    }
}

impl Drop for SelfSigned {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn a_certificate_that_nobody_trusts_gets_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = SelfSigned::start(folder.path());
    let mut scene = Scene::with_missing(1..=3);
    let url = format!("https://{}/", receiver.address);
    scene
        .config
        .set("/des/0/callbackNotification/url", url)
        .set("/des/0/callbackNotification/attempts", 1);
    scene.run(1);
    let owed = scene.config.owed();
    assert_eq!(owed.len(), 3);
    let reason = owed[0]["lastError"].as_str().unwrap_or_default();
    assert!(
        reason.contains("certificate") && reason.contains("UnknownIssuer"),
        "{reason}"
    );
    // Who trusts the certificate is let in, and heard: the receiver is one.
    let mut trusting = openssl(
        folder.path(),
        &format!(
            "s_client -connect {} -CAfile cert.pem -verify_return_error -quiet",
            receiver.address
        ),
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::null())
    .stderr(Stdio::null())
    .spawn()
    .unwrap();
    let mut stdin = trusting.stdin.take().unwrap();
    stdin.write_all(b"a word of somebody who trusts\n").unwrap();
    stdin.flush().unwrap();
    common::wait_until("the receiver hears", Duration::from_secs(30), || {
        receiver.heard().contains("a word of somebody who trusts")
    });
    trusting.kill().unwrap();
    trusting.wait().unwrap();
    assert!(!receiver.heard().contains("srcColumn"));
    assert!(!receiver.heard().contains("POST"));
}
