//! The endpoints that callbacks go to, as far as a connection tells.

use super::destination::Place;
use super::{Findings, Level};
use crate::config::Verify;

pub(super) fn advise(place: &Place<'_>, reached: &Result<(), String>, findings: &mut Findings) {
    let callback = &place.destination.callback;
    let key = place.key("callbackNotification.url");
    let at = callback.shown_url();
    let verify = callback.tls.as_ref().map(|tls| tls.verify);
    match reached {
        Ok(()) => {
            let proof = match verify {
                _ if !callback.url.starts_with("https:") => "",
                Some(Verify::Nothing) => "; its certificate is not verified",
                _ => ", and its certificate is valid",
            };
            findings.add(Level::Ok, key, format!("{at} takes connections{proof}"));
        }
        Err(reason) => {
            findings.add(
                Level::Warning,
                key,
                format!("{at}: {reason}; {}", way_out(reason)),
            );
        }
    }
}

fn way_out(reason: &str) -> &'static str {
    match reason {
        _ if reason.contains("UnknownIssuer") || reason.contains("BadSignature") => {
            "set \"ca\" in callbackNotification.tls to the file of the authority that signed its certificate"
        }
        _ if reason.contains("not valid for name") => {
            "the url should have a host that its certificate names"
        }
        _ if reason.contains("xpired") => "its certificate should be renewed",
        _ if ["TLS", "corrupt message", "fatal alert"]
            .iter()
            .any(|words| reason.contains(words)) =>
        {
            "check that this port speaks https, and callbackNotification.tls"
        }
        _ if reason.contains("not found") => "check the host in the url and the name server",
        _ => "callbacks stay owed until the receiver is up and lets this host connect",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_a_way_out_of_its_own() {
        for (reason, words) in [
            ("TLS: invalid peer certificate: UnknownIssuer", "set \"ca\""),
            ("TLS: certificate not valid for name \"b\"", "host"),
            (
                "TLS: invalid peer certificate: certificate expired",
                "renewed",
            ),
            ("TLS: peer is incompatible", "speaks https"),
            (
                "received corrupt message of type InvalidContentType",
                "speaks https",
            ),
            ("received fatal alert: ProtocolVersion", "speaks https"),
            ("The host of the url was not found", "name server"),
            ("The connection was refused", "stay owed"),
            ("no answer within 5 s", "stay owed"),
        ] {
            assert!(way_out(reason).contains(words), "{reason}");
        }
    }
}
