//! The server at hand, certificates for a private one, and what either is verified by.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use mysql::prelude::Queryable;
use serde_json::{Value, json};

use super::common::{Authority, Server};

/// With a certificate for a server of this machine, and one for a client.
pub(super) fn authority() -> Authority {
    Authority::signing(&[("server", "IP:127.0.0.1"), ("client", "IP:127.0.0.1")])
}

impl Authority {
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
    let authority = authority();
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
