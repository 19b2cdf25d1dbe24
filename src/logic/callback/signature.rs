//! Standard Webhooks 1.0.0 signatures.
//!
//! A receiver that knows the secret can tell that a callback came from cupid, unchanged and recently. Signed are
//! the message's id, the time of this try and the body's bytes (Standard Webhooks, "Signature scheme", symmetric).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The scheme's version: HMAC-SHA256.
const VERSION: &str = "v1";

/// The value of `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `{id}.{timestamp}.{body}`.
///
/// `timestamp_s` is in seconds since 1970, the value of `webhook-timestamp`.
#[must_use]
pub fn signature(secret: &[u8], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let code = mac(secret, id, timestamp_s, body).finalize().into_bytes();
    format!("{VERSION},{}", STANDARD.encode(code))
}

/// The key's bytes of a secret as people write it: base64 after `whsec_` (Standard Webhooks, "Signature scheme"), else the text
/// itself. `None` when what follows `whsec_` is not base64.
#[must_use]
pub fn secret_bytes(text: &str) -> Option<Vec<u8>> {
    match text.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).ok(),
        None => Some(text.as_bytes().to_vec()),
    }
}

/// Why a received message is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The timestamp is further from now than the tolerance: an old message sent again, or a wrong clock.
    Expired,
    /// No signature in the header is the right one.
    Forged,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Expired => "The timestamp is too far from now",
            Self::Forged => "No signature matches",
        })
    }
}

/// What a receiver has in hand about one message.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`, seconds since 1970.
    pub timestamp_s: i64,
    /// `webhook-signature`: one or more signatures with spaces between, as while a secret is replaced.
    pub signatures: &'a str,
    /// The body's bytes as they came.
    pub body: &'a [u8],
}

/// Checks a received message; comparing takes the same time whatever the content.
///
/// # Errors
/// When the time is further than `tolerance_s` from `now_s` (both ways), or no signature is right.
pub fn verify(
    secret: &[u8],
    received: &Received<'_>,
    now_s: i64,
    tolerance_s: u64,
) -> Result<(), Refusal> {
    let Received {
        id,
        timestamp_s,
        signatures,
        body,
    } = *received;
    if now_s.abs_diff(timestamp_s) > tolerance_s {
        return Err(Refusal::Expired);
    }
    let expected = mac(secret, id, timestamp_s, body);
    let matches = signatures
        .split_ascii_whitespace()
        .filter_map(|signature| signature.split_once(','))
        .filter(|(version, _)| *version == VERSION)
        .filter_map(|(_, code)| STANDARD.decode(code).ok())
        .any(|code| expected.clone().verify_slice(&code).is_ok());
    if matches {
        Ok(())
    } else {
        Err(Refusal::Forged)
    }
}

fn mac(secret: &[u8], id: &str, timestamp_s: i64, body: &[u8]) -> Hmac<Sha256> {
    // RFC 2104 section 2 takes keys of any length: long ones are hashed, short ones padded.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(timestamp_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published example of the specification's authors.
    const EXAMPLE: Received<'_> = Received {
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_s: 1_614_265_330,
        signatures: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        body: br#"{"test": 2432232314}"#,
    };

    fn example_secret() -> Vec<u8> {
        secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
    }

    #[test]
    fn a_refusal_says_what_is_wrong() {
        assert_eq!(
            Refusal::Expired.to_string(),
            "The timestamp is too far from now"
        );
        assert_eq!(Refusal::Forged.to_string(), "No signature matches");
    }

    #[test]
    fn the_published_example_is_reproduced() {
        assert_eq!(
            signature(
                &example_secret(),
                EXAMPLE.id,
                EXAMPLE.timestamp_s,
                EXAMPLE.body
            ),
            EXAMPLE.signatures
        );
    }

    /// Computed with Python's `hmac`.
    #[test]
    fn any_key_id_time_and_body_is_signed_as_python_does() {
        let all: Vec<u8> = (0..=255).collect();
        let body = r#"{"type":1,"srcColumn":{"name":"小明"}}"#;
        for (secret, id, timestamp_s, body, expected) in [
            (
                &b""[..],
                "",
                0,
                &b""[..],
                "v1,A6f2nN49Jdcn19OedbQNRKGG/vX+magIZxOQBQRhZBM=",
            ),
            (
                &[b'k'; 200],
                "cupid-1",
                -5,
                body.as_bytes(),
                "v1,c52Fv94QmIZUJax1yiueCGb5JmncvsrIeFudGjHR4XM=",
            ),
            (
                &all,
                "a.b",
                i64::MAX,
                &all,
                "v1,wcZYncPjkGKSLZSK45vuTlmGc0e1haIbzxLbww7l5Ho=",
            ),
        ] {
            assert_eq!(signature(secret, id, timestamp_s, body), expected);
        }
    }

    #[test]
    fn a_secret_is_base64_only_after_its_prefix() {
        assert_eq!(secret_bytes("whsec_AAEC"), Some(vec![0, 1, 2]));
        assert_eq!(secret_bytes("whsec_no base64"), None);
        assert_eq!(secret_bytes("AAEC"), Some(b"AAEC".to_vec()));
    }

    #[test]
    fn a_message_is_accepted_only_unchanged_and_in_time() {
        let secret = example_secret();
        let now_s = EXAMPLE.timestamp_s;
        let both = format!("v1,AAAA v1a,xyz {} v2,", EXAMPLE.signatures);
        for (received, now_s, expected) in [
            (EXAMPLE, now_s, Ok(())),
            (EXAMPLE, now_s + 300, Ok(())),
            (EXAMPLE, now_s - 300, Ok(())),
            (EXAMPLE, now_s + 301, Err(Refusal::Expired)),
            (EXAMPLE, now_s - 301, Err(Refusal::Expired)),
            (EXAMPLE, i64::MIN, Err(Refusal::Expired)),
            (
                Received {
                    signatures: &both,
                    ..EXAMPLE
                },
                now_s,
                Ok(()),
            ),
            (
                Received {
                    id: "msg_other",
                    ..EXAMPLE
                },
                now_s,
                Err(Refusal::Forged),
            ),
            (
                Received {
                    timestamp_s: now_s + 1,
                    ..EXAMPLE
                },
                now_s,
                Err(Refusal::Forged),
            ),
            (
                Received {
                    body: br#"{"test": 2432232315}"#,
                    ..EXAMPLE
                },
                now_s,
                Err(Refusal::Forged),
            ),
            (
                Received {
                    signatures: "v1,",
                    ..EXAMPLE
                },
                now_s,
                Err(Refusal::Forged),
            ),
            (
                Received {
                    signatures: "",
                    ..EXAMPLE
                },
                now_s,
                Err(Refusal::Forged),
            ),
        ] {
            assert_eq!(
                verify(&secret, &received, now_s, 300),
                expected,
                "{received:?}"
            );
        }
        assert_eq!(verify(b"wrong", &EXAMPLE, now_s, 300), Err(Refusal::Forged));
    }
}
