//! TLS of https receivers: which certificates are trusted, and cupid's own.

use std::path::Path;

use rustls::ClientConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use ureq::http::Uri;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::config::{Tls, Verify};
use crate::io::authorities::system_authorities;

/// The settings of a receiver.
///
/// # Errors
/// Names the key, what its file holds and what it should hold.
pub(super) fn settings(uri: &Uri, tls: Option<&Tls>) -> Result<TlsConfig, String> {
    let Some(Tls {
        ca,
        identity,
        verify,
    }) = tls
    else {
        return Ok(by_system(uri));
    };
    let settings = match ca {
        Some(path) => with_authorities(&certificates("tls.ca", path)?),
        None => by_system(uri),
    };
    let identity = identity.as_ref();
    let identity = identity
        .map(|(cert, key)| read_identity(cert, key))
        .transpose()?;
    let builder = TlsConfig::builder()
        .root_certs(settings.root_certs().clone())
        .client_cert(identity)
        .disable_verification(*verify == Verify::Nothing);
    Ok(builder.build())
}

/// The system's authorities; where it has none, the public ones that are built in. Nothing is read for plain http.
pub(super) fn by_system(uri: &Uri) -> TlsConfig {
    let is_https = uri.scheme_str() == Some("https");
    let path = is_https.then(system_authorities).flatten();
    let found = path.and_then(|path| certificates("tls.ca", &path).ok());
    found.map_or_else(TlsConfig::default, |found| with_authorities(&found))
}

fn with_authorities(certificates: &[Certificate<'static>]) -> TlsConfig {
    let roots = RootCerts::new_with_certs(certificates);
    TlsConfig::builder().root_certs(roots).build()
}

/// All certificates of a PEM file; at least one.
fn certificates(key: &str, path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let pem = read(key, path)?;
    let items = ureq::tls::parse_pem(&pem);
    let certificates = items.filter_map(|item| match item {
        Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    // What is in it has to be a certificate, and not only framed as one.
    let mut roots = rustls::RootCertStore::empty();
    let (usable, _) =
        roots.add_parsable_certificates(certificates.iter().map(|it| it.der().to_vec().into()));
    if usable == 0 {
        let path = path.display();
        return Err(format!(
            "{key}: {path} holds no certificate; should hold one or several in PEM, -----BEGIN CERTIFICATE-----"
        ));
    }
    Ok(certificates)
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| {
        let path = path.display();
        format!("{key}: {path} cannot be read: {error}; should be a file in PEM")
    })
}

/// `ureq` panics at a key that is not the certificate's, so that is found out here.
fn read_identity(cert_path: &Path, key_path: &Path) -> Result<ClientCert, String> {
    let chain = certificates("tls.cert", cert_path)?;
    let unusable = |reason: &str| {
        let path = key_path.display();
        format!("tls.key: {path} holds {reason}; should hold the private key of tls.cert in PEM")
    };
    let pem = read("tls.key", key_path)?;
    let der = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| unusable("no private key"))?;
    let key = PrivateKey::from_pem(&pem).map_err(|_| unusable("no private key"))?;
    let provider = rustls::crypto::ring::default_provider();
    let accepted = ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .map(|builder| builder.with_root_certificates(rustls::RootCertStore::empty()))
        .and_then(|builder| {
            let chain = chain.iter().map(|it| it.der().to_vec().into()).collect();
            builder.with_client_auth_cert(chain, der)
        });
    accepted.map_err(|error| unusable(&format!("a key that is refused ({error})")))?;
    Ok(ClientCert::new_with_certs(&chain, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_certificate_is_refused_by_its_key_and_path() {
        let uri = Uri::from_static("https://h/p");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let framed = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (content, words) in [
            ("", "holds no certificate"),
            ("no PEM", "holds no certificate"),
            (framed, "holds no certificate"),
        ] {
            std::fs::write(&path, content).unwrap();
            for (ca, identity, key) in [
                (Some(path.clone()), None, "tls.ca: "),
                (None, Some((path.clone(), path.clone())), "tls.cert: "),
            ] {
                let verify = Verify::Identity;
                let tls = Tls {
                    ca,
                    identity,
                    verify,
                };
                let problem = settings(&uri, Some(&tls)).unwrap_err();
                assert!(
                    problem.starts_with(key) && problem.contains(words),
                    "{problem}"
                );
                assert!(problem.contains("ca.pem"), "{problem}");
            }
        }
        let tls = Tls {
            ca: Some(folder.path().to_owned()),
            identity: None,
            verify: Verify::Identity,
        };
        let problem = settings(&uri, Some(&tls)).unwrap_err();
        assert!(problem.contains("cannot be read"), "{problem}");
    }
}
