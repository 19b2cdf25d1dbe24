//! The certificate authorities that the system trusts. The only file that names `openssl_probe`.

use std::path::PathBuf;

/// The file of the system's certificate authorities (PEM), or the one that `SSL_CERT_FILE` names.
#[must_use]
pub(super) fn system_authorities() -> Option<PathBuf> {
    openssl_probe::probe().cert_file
}
