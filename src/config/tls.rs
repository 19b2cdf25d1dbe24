//! `tls` of a server or a receiver, and `ssl-mode` of a DSN.

use super::dsn::Dsn;
use super::reader::Reader;
use super::{Address, Tls, Verify};

/// What is wrong was written down.
pub(super) struct Refused;

/// `src.tls`, `des[].tls` and `ssl-mode` in the URL of `dsn`. `Ok(None)` is off.
pub(super) fn of_server(reader: &Reader<'_>, dsn: Option<&Dsn>) -> Result<Option<Tls>, Refused> {
    let mode = dsn.and_then(|dsn| dsn.tls_mode);
    let read = read(reader)?;
    let is_verify_given = read.as_ref().is_some_and(|read| read.verify.is_some());
    let tls = match (mode, read) {
        (None, read) => read.map(Read::into_tls),
        (Some(_), Some(_)) if is_verify_given => {
            reader.problem(
                "tls.verify",
                "stands beside ssl-mode in dsn, which says the same; should be left out",
            );
            return Err(Refused);
        }
        (Some(Mode::Disabled), Some(_)) => {
            reader.problem(
                "tls",
                "stands beside ssl-mode=DISABLED in dsn; one of the two should be left out",
            );
            return Err(Refused);
        }
        (Some(Mode::Disabled), None) => None,
        (Some(Mode::On(verify)), read) => Some(read.unwrap_or_default().with(verify)),
    };
    let socket = |dsn: &Dsn| matches!(dsn.address, Address::Socket(_));
    if tls.is_some() && dsn.is_some_and(socket) {
        let (key, subject) = if reader.has("tls") {
            ("tls", "")
        } else {
            ("dsn", "asks for TLS, which ")
        };
        let problem = "is not possible over the Unix socket that dsn names; should be left out, or dsn should name a host";
        reader.problem(key, &format!("{subject}{problem}"));
        return Err(Refused);
    }
    Ok(tls)
}

/// `callbackNotification.tls`. `Ok(None)`: the system's authorities, if the address is https.
pub(super) fn of_receiver(reader: &Reader<'_>, url: &str) -> Result<Option<Tls>, Refused> {
    let Some(read) = read(reader)? else {
        return Ok(None);
    };
    if !url.starts_with("https:") {
        reader.problem(
            "tls",
            "has no effect on an address of http://; url should begin with https://, or tls should be left out",
        );
        return Err(Refused);
    }
    let tls = read.into_tls();
    // The HTTP client verifies a certificate and the host's name in it together, or nothing.
    if tls.verify == Verify::Authority {
        reader.problem(
            "tls.verify",
            "holds false beside ca; one of the two should be left out",
        );
        return Err(Refused);
    }
    Ok(Some(tls))
}

/// How a URL says `ssl-mode`, in MySQL's own names ("Command Options for Encrypted Connections").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// `DISABLED`.
    Disabled,
    /// `REQUIRED`, `VERIFY_CA`, `VERIFY_IDENTITY`.
    On(Verify),
}

impl Mode {
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        match text.to_ascii_uppercase().as_str() {
            "DISABLED" => Ok(Self::Disabled),
            "REQUIRED" => Ok(Self::On(Verify::Nothing)),
            "VERIFY_CA" => Ok(Self::On(Verify::Authority)),
            "VERIFY_IDENTITY" => Ok(Self::On(Verify::Identity)),
            "PREFERRED" => Err(
                "holds a DSN with ssl-mode=PREFERRED, which falls back to plain text; should have REQUIRED, VERIFY_CA, \
                 VERIFY_IDENTITY or DISABLED",
            ),
            _ => Err(
                "holds a DSN with another ssl-mode (not shown); should have DISABLED, REQUIRED, VERIFY_CA or \
                 VERIFY_IDENTITY",
            ),
        }
    }
}

/// The object as the file has it.
#[derive(Default)]
struct Read {
    ca: Option<std::path::PathBuf>,
    identity: Option<(std::path::PathBuf, std::path::PathBuf)>,
    verify: Option<bool>,
}

impl Read {
    /// Without `verify`, a certificate of a named authority still counts, for whatever host.
    fn into_tls(self) -> Tls {
        let verify = match (self.verify, &self.ca) {
            (Some(false), Some(_)) => Verify::Authority,
            (Some(false), None) => Verify::Nothing,
            (Some(true) | None, _) => Verify::Identity,
        };
        self.with(verify)
    }

    fn with(self, verify: Verify) -> Tls {
        let Self { ca, identity, .. } = self;
        Tls {
            ca,
            identity,
            verify,
        }
    }
}

fn read(reader: &Reader<'_>) -> Result<Option<Read>, Refused> {
    const SHOULD: &str =
        "should hold an object such as {\"ca\": \"/etc/ssl/ca.pem\"}, or be left out";
    let Some(object) = reader.object("tls", SHOULD) else {
        return if reader.has("tls") {
            Err(Refused)
        } else {
            Ok(None)
        };
    };
    let tls = Reader::new(reader.context(), reader.path("tls"), object);
    let ca = tls.file("ca", "should hold a PEM file");
    let cert = tls.file("cert", "should hold a PEM file");
    let key = tls.file("key", "should hold a PEM file");
    let verify = tls.flag("verify", true);
    let verify = tls.has("verify").then_some(verify);
    for (one, other) in [("cert", "key"), ("key", "cert")] {
        if tls.has(one) && !tls.has(other) {
            tls.problem(
                other,
                &format!("is missing; should hold a PEM file, as {one} is given"),
            );
        }
    }
    tls.finish();
    Ok(Some(Read {
        ca,
        identity: cert.zip(key),
        verify,
    }))
}
