//! `des[].callbackNotification`.

use std::num::NonZeroU32;
use std::time::Duration;

use jsonc_parser::ast::Value;

use super::reader::{Reader, Text};
use super::words::{Show, describe, join};
use super::{CallbackJob, in_memory, tls, web_address};
use crate::logic::callback::retry::RetryPolicy;
use crate::logic::callback::signature::secret_bytes;

/// Headers that cupid sets, and those that frame the body.
const OWN_HEADERS: [&str; 6] = [
    "content-type",
    "content-length",
    "content-encoding",
    "host",
    "transfer-encoding",
    "connection",
];
/// Tries of a row in one run.
const ATTEMPTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);

const OWN_PREFIXES: [&str; 2] = ["webhook-", "cupid-"];

/// Reads the object. `None` goes with a problem written down.
pub(super) fn read(reader: Reader<'_>, first_delay: Duration) -> Option<CallbackJob> {
    let url = read_url(&reader);
    let secrets = read_secrets(&reader);
    let tls = url.as_deref().map(|url| tls::of_receiver(&reader, url));
    let headers = read_headers(&reader);
    let timeout_ms = reader.whole("timeoutMillisecond", 1..=600_000, "of milliseconds");
    let attempts = reader.whole("attempts", 1..=100, "of tries");
    let attempts = attempts.and_then(|attempts| NonZeroU32::new(u32::try_from(attempts).ok()?));
    let attempts = attempts.unwrap_or(ATTEMPTS);
    let concurrency = reader.whole("concurrency", 1..=256, "of requests");
    let numbers_as_strings = reader.flag("numbersAsStrings", false);
    let verify_s = reader.whole("verifySecond", 0..=86_400, "of seconds");
    reader.finish();
    Some(CallbackJob {
        url: url?,
        secrets,
        tls: tls?.ok()?,
        headers,
        timeout: Duration::from_millis(timeout_ms.unwrap_or(10_000)),
        policy: RetryPolicy::new(first_delay, attempts),
        concurrency: concurrency.map_or(8, in_memory),
        numbers_as_strings,
        verify: Duration::from_secs(verify_s.unwrap_or(0)),
    })
}

fn read_url(reader: &Reader<'_>) -> Option<String> {
    const SHOULD: &str = "should hold an address such as http://127.0.0.1:20000/test/callback";
    // Not shown: keys of webhooks often stand in the path or in the query.
    let text = reader.any_text("url", SHOULD, Show::Nothing);
    let text = reader.require("url", text, SHOULD)?;
    match parse_url(text.value.trim()) {
        Ok(url) => Some(url),
        Err(problem) => {
            reader.problem("url", &format!("{problem}; {SHOULD}"));
            None
        }
    }
}

/// The address with its scheme, as it can be sent.
pub(super) fn parse_url(text: &str) -> Result<String, String> {
    let url = web_address::parse(text)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "holds an account in the address (not shown), which should stand in \
                    headers as \"Authorization\""
                .into(),
        );
    }
    Ok(url.into())
}

const SECRET: &str =
    "should hold a text that is not empty, or whsec_ and base64 (Standard Webhooks)";

/// `secret`: one, or a list of them while a new one takes the place of an old one.
fn read_secrets(reader: &Reader<'_>) -> Vec<Vec<u8>> {
    let texts = reader.secret_texts("secret", SECRET);
    let secrets = texts
        .iter()
        .filter_map(|(key, text)| usable(reader, key, text));
    secrets.collect()
}

/// A single `secret`: after `whsec_` base64 as in Standard Webhooks, else its bytes as they are.
pub(super) fn read_secret(reader: &Reader<'_>) -> Option<Vec<u8>> {
    let text = reader.any_text("secret", SECRET, Show::Nothing)?;
    usable(reader, "secret", &text)
}

fn usable(reader: &Reader<'_>, key: &str, text: &Text) -> Option<Vec<u8>> {
    let secret = secret_bytes(&text.value).unwrap_or_default();
    if secret.is_empty() {
        reader.problem(key, &format!("holds nothing usable (not shown); {SECRET}"));
        return None;
    }
    if !text.written.contains("${") {
        reader.context().secret_is_in_clear(&reader.path(key));
    }
    Some(secret)
}

fn read_headers(reader: &Reader<'_>) -> Vec<(String, String)> {
    let Some(object) = reader.object("headers", "should hold an object {\"Name\": \"value\"}")
    else {
        return Vec::new();
    };
    let path = reader.path("headers");
    let context = reader.context();
    let mut headers: Vec<(String, String)> = Vec::new();
    for property in &object.properties {
        let name = property.name.as_str();
        let path = join(&path, name);
        let refuse = |problem: &str| context.problem(&path, problem);
        if let Some(problem) = name_problem(name) {
            refuse(&problem);
            continue;
        }
        if headers
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
        {
            refuse("is written twice; should be written once");
            continue;
        }
        let Value::StringLit(literal) = &property.value else {
            let holds = describe(&property.value, Show::Nothing);
            refuse(&format!("holds {holds}; should hold a text"));
            continue;
        };
        let Some(value) = context.expand_secret(&path, &literal.value) else {
            continue;
        };
        let value = value.trim();
        if !value
            .bytes()
            .all(|b| (b' '..=b'~').contains(&b) || b == b'\t')
        {
            refuse(
                "holds a value (not shown) with line breaks or other than ASCII characters; should hold one line of ASCII",
            );
            continue;
        }
        if is_secret_header(name) && !value.is_empty() && !literal.value.contains("${") {
            context.secret_is_in_clear(&path);
        }
        headers.push((name.to_owned(), value.to_owned()));
    }
    headers
}

/// Why a header cannot have this name.
fn name_problem(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let is_own = OWN_HEADERS.contains(&lower.as_str())
        || OWN_PREFIXES.iter().any(|prefix| lower.starts_with(prefix));
    // RFC 9110, section 5.6.2.
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if is_own {
        Some("is a header that cupid sets itself; should be left out".into())
    } else if name.is_empty() || !name.bytes().all(is_token) {
        Some("is no header's name; should be such as X-Token".into())
    } else {
        None
    }
}

/// Headers whose value is usually a credential.
pub(super) fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["auth", "cookie", "token", "secret", "key", "password"]
        .iter()
        .any(|word| name.contains(word))
}
