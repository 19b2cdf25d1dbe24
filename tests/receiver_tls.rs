//! Receivers at https: whom cupid trusts, who it is for them, and what is said where that fails.

mod common;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Authority, Scene, findings};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

/// An authority of the owner's own, certificates of two receivers and of a client.
fn authority() -> Authority {
    Authority::signing(&[
        ("server", "IP:127.0.0.1"),
        ("other", "DNS:elsewhere"),
        ("client", "DNS:cupid"),
    ])
}

impl Authority {
    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots
            .add(certificate(&self.file("ca.pem")))
            .expect("A certificate");
        roots
    }

    /// A receiver that shows this certificate, and takes everything.
    fn receiver(&self, name: &str, wants_client: bool) -> Receiver {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("TLS versions");
        let builder = if wants_client {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(self.roots().into(), provider);
            builder.with_client_cert_verifier(verifier.build().expect("A verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![certificate(&self.file(&format!("{name}.pem")))];
        let key = PrivateKeyDer::from_pem_file(self.file(&format!("{name}.key"))).expect("A key");
        let config = builder.with_single_cert(chain, key).expect("A certificate");
        Receiver::start(Arc::new(config))
    }
}

fn certificate(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).expect("A certificate")
}

struct Receiver {
    address: SocketAddr,
    taken: Arc<AtomicUsize>,
}

impl Receiver {
    fn start(config: Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("Listen");
        let address = listener.local_addr().expect("An address");
        let taken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).expect("A connection");
                if serve(StreamOwned::new(connection, stream)).is_ok() {
                    counter.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        Self { address, taken }
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

/// One request, answered 200.
fn serve(mut stream: StreamOwned<ServerConnection, TcpStream>) -> std::io::Result<()> {
    stream
        .sock
        .set_read_timeout(Some(Duration::from_secs(10)))?;
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    // Bodies of callbacks end the object of the row and their own.
    while !request.ends_with(b"}}") {
        match stream.read(&mut part)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            amount => request.extend_from_slice(&part[..amount]),
        }
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// One row is missing; its receiver is this one.
fn scene(receiver: &Receiver) -> Scene {
    let mut scene = Scene::with_missing([1]);
    let url = format!("https://{}/callback", receiver.address);
    scene
        .config
        .set("/des/0/callbackNotification/url", url)
        .set("/des/0/callbackNotification/attempts", 1);
    scene
}

fn last_error(scene: &Scene) -> String {
    let owed = scene.config.owed();
    owed[0]["lastError"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn an_authority_of_ones_own_is_trusted_where_it_is_named_and_only_for_its_hosts() {
    let authority = authority();
    let receiver = authority.receiver("server", false);
    let mut scene = scene(&receiver);
    scene.run(1);
    assert!(
        last_error(&scene).contains("UnknownIssuer"),
        "{}",
        last_error(&scene)
    );
    scene.config.set(
        "/des/0/callbackNotification/tls",
        json!({"ca": authority.file("ca.pem")}),
    );
    scene.retry(0);
    assert_eq!(receiver.taken(), 1);

    let other = authority.receiver("other", false);
    let mut scene = self::scene(&other);
    scene.config.set(
        "/des/0/callbackNotification/tls",
        json!({"ca": authority.file("ca.pem")}),
    );
    scene.run(1);
    assert!(
        last_error(&scene).contains("not valid for name"),
        "{}",
        last_error(&scene)
    );
    assert_eq!(other.taken(), 0);
    scene
        .config
        .set("/des/0/callbackNotification/tls", json!({"verify": false}));
    scene.retry(0);
    assert_eq!(other.taken(), 1);
}

#[test]
fn the_systems_authorities_are_trusted_by_default() {
    let authority = authority();
    let receiver = authority.receiver("server", false);
    let scene = scene(&receiver);
    let ca = authority.file("ca.pem");
    scene.cupid("run").env("SSL_CERT_FILE", ca).exits(0);
    assert_eq!(receiver.taken(), 1);
}

#[test]
fn a_receiver_that_wants_to_know_its_client_gets_its_certificate() {
    let authority = authority();
    let receiver = authority.receiver("server", true);
    let mut scene = scene(&receiver);
    let tls = |scene: &mut Scene, cert: &str, key: &str| {
        let file = |name: &str| authority.file(name);
        let tls = json!({"ca": file("ca.pem"), "cert": file(cert), "key": file(key)});
        scene.config.set("/des/0/callbackNotification/tls", tls);
    };
    scene.config.set(
        "/des/0/callbackNotification/tls",
        json!({"ca": authority.file("ca.pem")}),
    );
    scene.run(1);
    assert_eq!(receiver.taken(), 0);
    for (cert, key, words) in [
        ("client.pem", "other.key", "a key that is refused"),
        ("client.pem", "ca.pem", "no private key"),
        ("client.key", "client.key", "holds no certificate"),
    ] {
        tls(&mut scene, cert, key);
        let outcome = scene.retry(78);
        outcome.assert_says(&["des[0].callbackNotification: tls.", words]);
    }
    tls(&mut scene, "client.pem", "client.key");
    scene.retry(0);
    assert_eq!(receiver.taken(), 1);
}

#[test]
fn check_verifies_the_certificate_and_sends_nothing() {
    let authority = authority();
    let ca = json!({"ca": authority.file("ca.pem")});
    let key = "des[0].callbackNotification.url (copy1): ";
    for (name, tls, code, words) in [
        (
            "server",
            json!(null),
            1,
            "set \"ca\" in callbackNotification.tls",
        ),
        ("server", ca.clone(), 0, "its certificate is valid"),
        ("other", ca, 1, "not valid for name"),
        (
            "other",
            json!({"verify": false}),
            0,
            "its certificate is not verified",
        ),
    ] {
        let receiver = authority.receiver(name, false);
        let mut scene = scene(&receiver);
        if !tls.is_null() {
            scene.config.set("/des/0/callbackNotification/tls", tls);
        }
        let outcome = scene.check().exits(code);
        let level = if code == 0 { "ok" } else { "warning" };
        let found = findings(&outcome.stdout, &format!("{level}: {key}"));
        assert!(
            found.len() == 1 && found[0].0.contains(words),
            "{outcome:?}"
        );
        assert_eq!(receiver.taken(), 0);
    }
}
