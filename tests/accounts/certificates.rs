//! The server at hand, certificates for a private one, and what either is verified by.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use mysql::prelude::Queryable;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::common::Server;

/// Makes an authority and certificates of it, in a folder of its own.
pub(super) struct Authority {
    folder: TempDir,
}

impl Authority {
    pub(super) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("cupid-tls-")
            .tempdir()
            .expect("Create a folder");
        let authority = Self { folder };
        authority.request("-subj /CN=authority -keyout ca.key -out ca.pem");
        for (name, number) in [("server", "1"), ("client", "2")] {
            authority.request(&format!(
                "-subj /CN={name} -set_serial {number} -CA ca.pem -CAkey ca.key -keyout {name}.key -out {name}.pem \
                 -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1"
            ));
        }
        authority
    }

    fn request(&self, args: &str) {
        let made = Command::new("openssl")
            .current_dir(&self.folder)
            .args(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
                    .split(' '),
            )
            .args(args.split_whitespace())
            .stdin(Stdio::null())
            .output()
            .expect("openssl is installed");
        assert!(made.status.success(), "{made:?}");
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A private `MariaDB` with a certificate of this authority.
    pub(super) fn private_server(&self) -> Arc<Server> {
        let option = |name: &str, file: &str| format!("--{name}={}", self.file(file).display());
        let options = [
            option("ssl-ca", "ca.pem"),
            option("ssl-cert", "server.pem"),
            option("ssl-key", "server.key"),
        ];
        Server::private_with(&options.each_ref().map(String::as_str))
    }

    /// What verifies the certificate of a server that is not private: that of the authority that signed it, or itself where
    /// the server made it in memory. The name in it need not be the host's.
    fn verification(&self, server: &Server) -> Value {
        let said: Option<(String, Option<String>)> = server
            .connect()
            .query_first("SELECT @@datadir, @@ssl_ca")
            .expect("Ask for the authority");
        let (folder, file) = said.expect("One row");
        let ca = match file.filter(|file| !file.is_empty()) {
            Some(file) => Path::new(&folder).join(file),
            None => self.fetched(server),
        };
        assert!(ca.is_file(), "{} is not on this machine", ca.display());
        json!({"ca": ca, "verify": false})
    }

    /// The certificate that a server shows.
    fn fetched(&self, server: &Server) -> PathBuf {
        let shown = Command::new("openssl")
            .args(["s_client", "-starttls", "mysql", "-connect"])
            .arg(format!("{}:{}", server.host, server.port))
            .stdin(Stdio::null())
            .output()
            .expect("openssl is installed");
        let path = self.file("shown.pem");
        std::fs::write(&path, &shown.stdout).expect("Keep the certificate");
        path
    }
}

/// The server at hand, and how its certificate is verified.
pub(super) struct Host {
    pub(super) server: Arc<Server>,
    /// `tls` of the configuration.
    pub(super) tls: Value,
    /// That of private servers.
    pub(super) authority: Authority,
}

/// Shared by the tests that run at the same time.
pub(super) fn host() -> Arc<Host> {
    static HOST: Mutex<Weak<Host>> = Mutex::new(Weak::new());
    let mut shared = HOST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(host) = shared.upgrade() {
        return host;
    }
    let authority = Authority::new();
    let (server, tls) = if let Some(server) = Server::named_by("CUPID_TEST_DSN") {
        let tls = authority.verification(&server);
        (server, tls)
    } else {
        let tls = json!({"ca": authority.file("ca.pem")});
        (authority.private_server(), tls)
    };
    let host = Arc::new(Host {
        server,
        tls,
        authority,
    });
    *shared = Arc::downgrade(&host);
    host
}
