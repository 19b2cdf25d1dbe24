//! The bytes that each kind of channel takes.
//!
//! Shapes and limits are those of the services' own pages, the signatures those that their pages
//! compute: `DingTalk` "Custom robot, security settings", Feishu "Custom bot usage guide",
//! Standard Webhooks 1.0.0.

mod body;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use super::channel::{Channel, Hook, Robot, Secret, SigningKey, Word};
use super::cut;
use super::message::Message;
use crate::logic::callback::signature::signature;

/// `ServerChan` takes titles of 32 characters and texts of 32 KiB.
const SERVERCHAN_TITLE_CHARS_MAX: usize = 32;
const SERVERCHAN_TEXT_BYTES_MAX: usize = 32 * 1024;
/// `PushBear` takes titles of 80 characters. The rest of its request stands in the address, of
/// which servers take 8 KiB.
const PUSHBEAR_TITLE_CHARS_MAX: usize = 80;
const PUSHBEAR_TEXT_BYTES_MAX: usize = 6 * 1024;

/// All but the unreserved characters of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Stands for a secret that is not shown.
const HIDDEN: &str = "***";

/// Who sees a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// The service: everything is in it.
    Service,
    /// A person: secrets and what is computed of them are `***`.
    Person,
}

/// What it takes to bring a message to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// One request.
    Http(HttpRequest),
    /// One program.
    Command(CommandRequest),
}

/// How a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Everything is in the address.
    Get,
    /// The message is in the body.
    Post,
}

/// One request of HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// How.
    pub method: Method,
    /// With scheme.
    pub url: String,
    /// Names in lower case. `User-Agent` and what frames the body are the client's.
    pub headers: Vec<(&'static str, String)>,
    /// Empty with [`Method::Get`].
    pub body: String,
}

/// One run of a program.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CommandRequest {
    /// The program and its arguments, at least one word. No shell reads them.
    pub words: Vec<String>,
    /// What it reads.
    pub stdin: String,
}

/// How `message` gets to `channel` at `now_us`, in microseconds since 1970.
#[must_use]
pub(crate) fn request(channel: &Channel, message: &Message, now_us: i64, view: View) -> Request {
    let base = |service: &str| match (&channel.base_url, view) {
        (Some(base), View::Service) => base.clone(),
        (Some(base), View::Person) => origin(base).to_owned(),
        (None, _) => service.to_owned(),
    };
    let hook = |hook: &Hook| format!("{}{}", base(&hook.origin), view.path(&hook.path));
    let http = match &channel.robot {
        Robot::ServerChan { send_key } => server_chan(send_key, message, &base, view),
        Robot::WeCom { key } => {
            let base = base("https://qyapi.weixin.qq.com");
            let url = format!("{base}/cgi-bin/webhook/send?key={}", view.encoded(key));
            post(url, JSON, body::wecom(message))
        }
        Robot::DingTalk { token, secret } => {
            let base = base("https://oapi.dingtalk.com");
            let token = view.encoded(token);
            let signed = secret.as_ref().map_or(String::new(), |secret| {
                let ms = now_us / 1_000;
                format!("&timestamp={ms}&sign={}", view.dingtalk_sign(secret, ms))
            });
            let url = format!("{base}/robot/send?access_token={token}{signed}");
            post(url, JSON, body::dingtalk(message))
        }
        Robot::Feishu { hook: at, secret } => {
            let timestamp_s = now_us / 1_000_000;
            let sign = secret
                .as_ref()
                .map(|secret| view.feishu_sign(secret, timestamp_s));
            post(hook(at), JSON, body::feishu(message, timestamp_s, sign))
        }
        Robot::Slack { hook: at } => post(hook(at), JSON, body::slack(message)),
        Robot::Webhook { hook: at, key } => {
            let body = body::webhook(message, now_us);
            let headers = webhook_headers(channel, key.as_ref(), &body, now_us, view);
            let HttpRequest {
                method, url, body, ..
            } = post(hook(at), JSON, body);
            HttpRequest {
                method,
                url,
                headers,
                body,
            }
        }
        Robot::PushBear { send_key } => pushbear(send_key, message, &base, view),
        Robot::Command { words } => {
            let word = |word: &Word| match view {
                View::Service => word.value.clone(),
                View::Person => word.shown.clone(),
            };
            return Request::Command(CommandRequest {
                words: words.iter().map(word).collect(),
                stdin: body::webhook(message, now_us),
            });
        }
    };
    Request::Http(http)
}

fn post(url: String, content_type: (&'static str, &str), body: String) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        url,
        headers: vec![(content_type.0, content_type.1.to_owned())],
        body,
    }
}

/// The key of `ServerChan` 3 names the account, whose name is the host's first label.
fn server_chan(
    send_key: &Secret,
    message: &Message,
    base: &dyn Fn(&str) -> String,
    view: View,
) -> HttpRequest {
    let key = view.encoded(send_key);
    let account = send_key.expose().strip_prefix("sctp").and_then(|rest| {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        (digits > 0 && rest[digits..].starts_with('t')).then(|| &rest[..digits])
    });
    let url = match account {
        Some(account) => {
            let base = base(&format!("https://{account}.push.ft07.com"));
            format!("{base}/send/{key}.send")
        }
        None => format!("{}/{key}.send", base("https://sctapi.ftqq.com")),
    };
    let title = cut::at(message.title(), SERVERCHAN_TITLE_CHARS_MAX, cut::characters);
    let mut lines = message.lines().to_vec();
    if title != message.title() {
        lines.insert(0, message.title().to_owned());
    }
    let text = cut::at(
        &body::markdown(&lines),
        SERVERCHAN_TEXT_BYTES_MAX,
        cut::bytes,
    );
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("title", &title)
        .append_pair("desp", &text)
        .finish();
    post(url, FORM, body)
}

/// Standard Webhooks.
fn webhook_headers(
    channel: &Channel,
    key: Option<&SigningKey>,
    body: &str,
    now_us: i64,
    view: View,
) -> Vec<(&'static str, String)> {
    let id = webhook_id(&channel.name, body, now_us);
    let timestamp_s = now_us / 1_000_000;
    let mut headers = vec![
        (JSON.0, JSON.1.to_owned()),
        ("webhook-id", id.clone()),
        ("webhook-timestamp", timestamp_s.to_string()),
    ];
    if let Some(key) = key {
        let signature = match view {
            View::Service => signature(key.expose(), &id, timestamp_s, body.as_bytes()),
            View::Person => HIDDEN.to_owned(),
        };
        headers.push(("webhook-signature", signature));
    }
    headers
}

/// Two messages of a channel differ in time, so their ids do.
fn webhook_id(name: &str, body: &str, now_us: i64) -> String {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update(now_us.to_be_bytes());
    hash.update(body.as_bytes());
    let mut id = String::from("msg_");
    for byte in &hash.finalize()[..16] {
        let _ = write!(id, "{byte:02x}"); // Writing to a String cannot fail.
    }
    id
}

fn pushbear(
    send_key: &Secret,
    message: &Message,
    base: &dyn Fn(&str) -> String,
    view: View,
) -> HttpRequest {
    let title = cut::at(message.title(), PUSHBEAR_TITLE_CHARS_MAX, cut::characters);
    let text = cut::at(
        &body::markdown(message.lines()),
        PUSHBEAR_TEXT_BYTES_MAX,
        cut::percent_encoded_bytes,
    );
    let url = format!(
        "{}/sub?sendkey={}&text={}&desp={}",
        base("https://pushbear.ftqq.com"),
        view.encoded(send_key),
        encoded(&title),
        encoded(&text)
    );
    HttpRequest {
        method: Method::Get,
        url,
        headers: vec![],
        body: String::new(),
    }
}

impl View {
    fn path(self, path: &Secret) -> &str {
        match self {
            Self::Service => path.expose(),
            Self::Person => "/***",
        }
    }

    fn encoded(self, secret: &Secret) -> String {
        match self {
            Self::Service => encoded(secret.expose()),
            Self::Person => HIDDEN.to_owned(),
        }
    }

    fn dingtalk_sign(self, secret: &Secret, ms: i64) -> String {
        let secret = secret.expose();
        match self {
            Self::Service => {
                let text = format!("{ms}\n{secret}");
                encoded(&hmac_base64(secret.as_bytes(), text.as_bytes()))
            }
            Self::Person => HIDDEN.to_owned(),
        }
    }

    fn feishu_sign(self, secret: &Secret, timestamp_s: i64) -> String {
        match self {
            Self::Service => {
                let key = format!("{timestamp_s}\n{}", secret.expose());
                hmac_base64(key.as_bytes(), b"")
            }
            Self::Person => HIDDEN.to_owned(),
        }
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn hmac_base64(key: &[u8], text: &[u8]) -> String {
    // RFC 2104 section 2 takes keys of any length: long ones are hashed, short ones padded.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let from = url.find("://").map_or(0, |at| at + 3);
    let end = url[from..].find('/').map_or(url.len(), |at| from + at);
    &url[..end]
}

/// As `cupid notify --print` shows it.
impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http(request) => {
                let method = match request.method {
                    Method::Get => "GET",
                    Method::Post => "POST",
                };
                write!(f, "{method} {}", request.url)?;
                for (name, value) in &request.headers {
                    write!(f, "\n{name}: {value}")?;
                }
                match request.body.as_str() {
                    "" => Ok(()),
                    body => write!(f, "\n\n{body}"),
                }
            }
            Self::Command(request) => {
                write!(f, "{:?}\n\n{}", request.words, request.stdin)
            }
        }
    }
}

// Addresses, headers and bodies hold keys and signatures.
impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for CommandRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommandRequest")
            .field("words", &self.words.len())
            .finish_non_exhaustive()
    }
}
