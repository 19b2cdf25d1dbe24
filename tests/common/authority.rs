//! An authority of a test's own, and certificates that it signs, by `openssl`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Its certificate is `ca.pem`.
pub(crate) struct Authority {
    folder: TempDir,
}

impl Authority {
    /// Signs `NAME.pem`, with `NAME.key`, for each name and its host, such as `IP:127.0.0.1` or `DNS:db`.
    pub(crate) fn signing(certificates: &[(&str, &str)]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("cupid-tls-")
            .tempdir()
            .expect("Create a folder");
        let authority = Self { folder };
        authority.request("-subj /CN=authority -keyout ca.key -out ca.pem");
        for (number, (name, host)) in (1..).zip(certificates) {
            authority.request(&format!(
                "-subj /CN={name} -set_serial {number} -CA ca.pem -CAkey ca.key -keyout {name}.key -out {name}.pem \
                 -addext basicConstraints=critical,CA:FALSE -addext subjectAltName={host}"
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

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
