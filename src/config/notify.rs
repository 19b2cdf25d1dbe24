//! `notify[]`, `src.pushbearSendKey` and `heartbeatUrl`.

use jsonc_parser::ast::Value;
use url::Position;

use super::callback::{is_secret_header as names_a_secret, read_secret};
use super::reader::Reader;
use super::web_address;
use super::words::{Show, describe, nearest, one_line};
use crate::logic::notify::{Channel, Hook, Robot, Secret, SigningKey, Word};

const TYPES: [&str; 7] = [
    "serverchan",
    "wecom",
    "dingtalk",
    "feishu",
    "slack",
    "webhook",
    "command",
];

/// All channels are asked side by side, each by a thread.
const CHANNELS_MAX: usize = 50;
const NAME_CHARS_MAX: usize = 100;

const HOOK: &str = "should hold the robot's address, such as https://host/path";

/// Reads `notify`. `None` goes with a problem written down.
pub(super) fn read(root: &Reader<'_>) -> Option<Vec<Channel>> {
    if !root.has("notify") {
        root.value("notify");
        return Some(Vec::new());
    }
    let readers = root.list("notify", "should hold a list of objects [{…}]")?;
    if readers.len() > CHANNELS_MAX {
        let count = readers.len();
        root.problem(
            "notify",
            &format!("holds {count} channels; should hold {CHANNELS_MAX} at the most"),
        );
        return None;
    }
    let mut given: Vec<Option<String>> = Vec::new();
    let mut robots = Vec::new();
    for reader in readers {
        given.push(read_name(&reader, &given));
        robots.push(read_robot(reader));
    }
    let robots: Vec<_> = robots.into_iter().collect::<Option<_>>()?;
    let mut channels: Vec<Channel> = Vec::new();
    for (position, (robot, base_url)) in robots.into_iter().enumerate() {
        let name = given[position].clone().unwrap_or_else(|| {
            let kind = robot.type_name();
            let is_free = |name: &String| {
                let is_given = given.iter().flatten().any(|other| other == name);
                !is_given && channels.iter().all(|channel| &channel.name != name)
            };
            let numbered = (2_u32..).map(|number| format!("{kind}#{number}"));
            let mut names = std::iter::once(kind.to_owned()).chain(numbered);
            names.find(is_free).unwrap_or_default()
        });
        channels.push(Channel {
            name,
            robot,
            base_url,
        });
    }
    Some(channels)
}

/// Reads `src.pushbearSendKey`.
pub(super) fn read_pushbear(source: &Reader<'_>) -> Option<Channel> {
    let key = source.any_text(
        "pushbearSendKey",
        "should hold a key as text",
        Show::Nothing,
    )?;
    // The README of the first cupid says to leave it empty where nobody is to be told.
    if key.value.trim().is_empty() {
        return None;
    }
    source.context().note(
        "src.pushbearSendKey is read, but PushBear no longer delivers: a channel of ServerChan \
         replaces it, \"notify\": [{\"type\": \"serverchan\", \"sendKey\": \"…\"}], with a key from \
         https://sct.ftqq.com"
            .into(),
    );
    let robot = Robot::PushBear {
        send_key: Secret::new(key.value.trim()),
    };
    Some(Channel {
        name: robot.type_name().into(),
        robot,
        base_url: None,
    })
}

/// All channels; the one of `PushBear` is the last, and keeps out of the others' names.
pub(super) fn with_pushbear(mut channels: Vec<Channel>, pushbear: Option<Channel>) -> Vec<Channel> {
    if let Some(mut pushbear) = pushbear {
        while channels.iter().any(|channel| channel.name == pushbear.name) {
            pushbear.name.push_str("#2");
        }
        channels.push(pushbear);
    }
    channels
}

/// Reads `heartbeatUrl`. The outer `None` goes with a problem written down.
// A problem and "off" are two answers, and an enum for this one place would say no more.
#[expect(clippy::option_option)]
pub(super) fn read_heartbeat(root: &Reader<'_>) -> Option<Option<Hook>> {
    let hook = read_hook(
        root,
        "heartbeatUrl",
        "should hold the address to ask for, such as https://host/path",
    );
    match hook {
        None if root.has("heartbeatUrl") => None,
        hook => Some(hook),
    }
}

fn read_name(reader: &Reader<'_>, taken: &[Option<String>]) -> Option<String> {
    let should =
        format!("should hold one line of 1 to {NAME_CHARS_MAX} characters, or be left out");
    let text = reader.text("name", &should)?;
    let name = text.value.trim();
    if name.chars().any(char::is_control) || name.chars().count() > NAME_CHARS_MAX {
        reader.refuse("name", &text, &should);
        return None;
    }
    if taken.iter().flatten().any(|other| other == name) {
        reader.refuse("name", &text, "should be a name that no other channel has");
        return None;
    }
    Some(name.to_owned())
}

/// The rest of one channel: its robot and `baseUrl`.
fn read_robot(reader: Reader<'_>) -> Option<(Robot, Option<String>)> {
    let should = format!("should hold one of {}", TYPES.join(", "));
    let kind = reader.text("type", &should);
    let kind = reader.require("type", kind, &should);
    let base_url = read_base_url(&reader);
    let robot = match kind.as_ref().map(|kind| kind.value.trim()) {
        Some("serverchan") => read_key(&reader, "sendKey", "should hold the SendKey")
            .map(|send_key| Robot::ServerChan { send_key }),
        Some("wecom") => read_key(
            &reader,
            "key",
            "should hold what follows key= in the robot's address",
        )
        .map(|key| Robot::WeCom { key }),
        Some("dingtalk") => {
            let should = "should hold what follows access_token= in the robot's address";
            let token = read_key(&reader, "token", should);
            let secret = read_signing_text(&reader);
            token.map(|token| Robot::DingTalk { token, secret })
        }
        Some("feishu") => {
            let hook = read_required_hook(&reader);
            let secret = read_signing_text(&reader);
            hook.map(|hook| Robot::Feishu { hook, secret })
        }
        Some("slack") => read_required_hook(&reader).map(|hook| Robot::Slack { hook }),
        Some("webhook") => {
            let hook = read_required_hook(&reader);
            let key = read_secret(&reader).map(SigningKey::new);
            hook.map(|hook| Robot::Webhook { hook, key })
        }
        Some("command") => read_command(&reader).map(|words| Robot::Command { words }),
        unknown => {
            if let (Some(text), Some(unknown)) = (&kind, unknown) {
                let near = nearest(unknown, &TYPES)
                    .map_or(String::new(), |near| format!(" (did you mean {near}?)"));
                reader.refuse("type", text, &format!("{should}{near}"));
            }
            // Which keys it may have depends on the type.
            reader.accept_the_rest();
            return None;
        }
    };
    reader.finish();
    Some((robot?, base_url))
}

/// A key or a token. What is copied together with more of an address is no key.
fn read_key(reader: &Reader<'_>, key: &'static str, should: &str) -> Option<Secret> {
    let text = reader.any_text(key, should, Show::Nothing);
    let text = reader.require(key, text, should)?;
    let value = text.value.trim();
    let is_key = !value.is_empty()
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~'));
    if !is_key {
        let problem = format!("holds no key (not shown); {should}: letters, digits, - and _");
        reader.problem(key, &problem);
        return None;
    }
    note_secret(reader, key, &text.written);
    Some(Secret::new(value))
}

/// `secret` of the robots that sign with its text.
fn read_signing_text(reader: &Reader<'_>) -> Option<Secret> {
    const SHOULD: &str = "should hold the secret of the robot's signatures, or be left out";
    let text = reader.any_text("secret", SHOULD, Show::Nothing)?;
    if text.value.trim().is_empty() {
        reader.problem("secret", &format!("holds an empty text; {SHOULD}"));
        return None;
    }
    note_secret(reader, "secret", &text.written);
    Some(Secret::new(text.value.trim()))
}

fn read_required_hook(reader: &Reader<'_>) -> Option<Hook> {
    let hook = read_hook(reader, "url", HOOK);
    reader.require("url", hook, HOOK)
}

fn read_hook(reader: &Reader<'_>, key: &'static str, should: &str) -> Option<Hook> {
    let text = reader.any_text(key, should, Show::Nothing)?;
    let hook = parse_hook(text.value.trim())
        .map_err(|problem| reader.problem(key, &format!("{problem}; {should}")))
        .ok()?;
    note_secret(reader, key, &text.written);
    Some(hook)
}

fn read_base_url(reader: &Reader<'_>) -> Option<String> {
    const SHOULD: &str = "should hold an address such as http://127.0.0.1:8080";
    let text = reader.any_text("baseUrl", SHOULD, Show::Nothing)?;
    let Hook { origin, path } = parse_hook(text.value.trim())
        .map_err(|problem| reader.problem("baseUrl", &format!("{problem}; {SHOULD}")))
        .ok()?;
    if path.expose().contains('?') {
        reader.problem(
            "baseUrl",
            &format!("holds an address with a query; {SHOULD}"),
        );
        return None;
    }
    Some(format!("{origin}{}", path.expose().trim_end_matches('/')))
}

/// An address with its scheme, in two parts.
fn parse_hook(text: &str) -> Result<Hook, String> {
    if !text.is_empty() && web_address::scheme(text).is_none() {
        return Err("holds no address with http:// or https:// (not shown)".into());
    }
    let url = web_address::parse(text)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds an account in the address (not shown), which would not be sent".into());
    }
    Ok(Hook {
        origin: url[..Position::BeforePath].to_owned(),
        path: Secret::new(&url[Position::BeforePath..]),
    })
}

/// `command`: the program and its arguments.
fn read_command(reader: &Reader<'_>) -> Option<Vec<Word>> {
    const SHOULD: &str =
        "should hold a list of texts: a program and its arguments, [\"/usr/local/bin/page\"]";
    let value = reader.value("command");
    let Value::Array(array) = reader.require("command", value, SHOULD)? else {
        let holds = value.map_or(String::new(), |value| describe(value, Show::Nothing));
        reader.problem("command", &format!("holds {holds}; {SHOULD}"));
        return None;
    };
    let mut words: Vec<Word> = Vec::new();
    let mut follows_a_secrets_name = false;
    for (position, element) in array.elements.iter().enumerate() {
        let path = format!("{}[{position}]", reader.path("command"));
        let Value::StringLit(literal) = element else {
            let holds = describe(element, Show::Nothing);
            let problem = format!("holds {holds}; should hold a text");
            reader.context().problem(&path, &problem);
            return None;
        };
        let value = reader.context().expand_secret(&path, &literal.value)?;
        if value.contains('\0') || (position == 0 && value.trim().is_empty()) {
            let problem = "holds no usable text; should hold a program or an argument";
            reader.context().problem(&path, problem);
            return None;
        }
        let is_variable = literal.value.contains("${");
        let names_one = position > 0 && names_a_secret(&literal.value);
        let is_secret =
            !is_variable && (follows_a_secrets_name || names_one && value.contains('='));
        follows_a_secrets_name = names_one && !value.contains('=');
        let shown = if is_secret {
            "***".into()
        } else {
            one_line(&literal.value)
        };
        words.push(Word { value, shown });
    }
    if words.is_empty() {
        reader.problem("command", &format!("holds an empty list; {SHOULD}"));
        return None;
    }
    Some(words)
}

fn note_secret(reader: &Reader<'_>, key: &str, written: &str) {
    if !written.contains("${") {
        reader.context().secret_is_in_clear(&reader.path(key));
    }
}
