//! The result of a request.
//!
//! Robots also answer 200 when they refuse, with an error code in the body.

use serde_json::Value;

use super::channel::Robot;
use super::cut;
use crate::logic::value::one_line::on_one_line;

/// The longest words of a robot that are repeated, in characters.
const WORDS_CHARS_MAX: usize = 120;

/// What a service or a program answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An answer of HTTP.
    Http {
        /// Its status.
        status: u16,
        /// Its body, or the beginning of a long one.
        body: Vec<u8>,
    },
    /// The program ended by itself.
    Exited {
        /// Its exit status; `None` when a signal that is not cupid's ended it.
        code: Option<i32>,
    },
    /// No whole answer came in time, or the program did not end.
    TimedOut,
    /// The exchange failed, or the program could not be started. The reason is cupid's own words.
    Broken(String),
}

/// Why a message did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Such as `refused: 310000, keywords not in content`, one line without secrets.
    pub text: String,
    /// What the code means, or what helps.
    pub hint: Option<&'static str>,
}

impl Refusal {
    fn new(text: impl Into<String>, hint: Option<&'static str>) -> Self {
        let text = text.into();
        Self { text, hint }
    }
}

/// Whether the message arrived.
///
/// # Errors
/// Why it did not.
pub(crate) fn judge(robot: &Robot, answer: &Answer) -> Result<(), Refusal> {
    match answer {
        Answer::Http { status, body } => judge_http(robot, *status, body),
        Answer::Exited { code: Some(0) } => Ok(()),
        Answer::Exited { code: Some(code) } => {
            Err(Refusal::new(format!("failed: exit status {code}"), None))
        }
        Answer::Exited { code: None } => Err(Refusal::new("failed: a signal ended it", None)),
        Answer::TimedOut => {
            let text = match robot {
                Robot::Command { .. } => "failed: still at work after 4 s, and ended",
                _ => "failed: no answer within 5 s",
            };
            Err(Refusal::new(text, None))
        }
        Answer::Broken(reason) => Err(Refusal::new(format!("failed: {reason}"), None)),
    }
}

fn judge_http(robot: &Robot, status: u16, body: &[u8]) -> Result<(), Refusal> {
    let is_2xx = (200..300).contains(&status);
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let json = serde_json::from_str(text).unwrap_or(Value::Null);
    let by_status = || {
        let hint = match status {
            300..=399 => Some("a redirect is not followed; give the address that it leads to"),
            401 | 403 => Some("the service knows no such key, or it may not send"),
            404 | 410 => Some("the service knows no such address or key"),
            429 => Some("the service takes no more messages for the moment"),
            _ => None,
        };
        Err(Refusal::new(format!("refused: status {status}"), hint))
    };
    let is_taken = match robot {
        Robot::Webhook { .. } | Robot::Command { .. } => true,
        // Rocket.Chat answers in JSON.
        Robot::Slack { .. } if text.is_empty() || text == "ok" => true,
        Robot::Slack { .. } if json["success"] == Value::Bool(true) => true,
        Robot::Slack { .. } => {
            let words = if json.is_null() {
                text
            } else {
                words_of(&json)
            };
            return Err(Refusal::new(
                format!("refused: {status}{}", repeated(robot, words)),
                None,
            ));
        }
        _ => match code_of(robot, &json) {
            Some(0) => true,
            Some(code) => {
                return Err(Refusal::new(
                    format!("refused: {code}{}", repeated(robot, words_of(&json))),
                    meaning(robot, code),
                ));
            }
            None => false,
        },
    };
    match (is_2xx, is_taken) {
        (true, true) => Ok(()),
        (false, _) => by_status(),
        (true, false) => Err(Refusal::new(
            format!("refused: status {status} without a code"),
            Some("this is no answer of that service; is the address right?"),
        )),
    }
}

/// The code in a robot's answer.
fn code_of(robot: &Robot, json: &Value) -> Option<i64> {
    let code = |key: &str| json.get(key).and_then(Value::as_i64);
    match robot {
        Robot::WeCom { .. } | Robot::DingTalk { .. } => code("errcode"),
        Robot::Feishu { .. } if json.get("code").is_none() => code("StatusCode"),
        _ => code("code"),
    }
}

/// What a robot says to its code.
fn words_of(json: &Value) -> &str {
    ["errmsg", "msg", "message", "StatusMessage", "error"]
        .iter()
        .find_map(|key| json.get(key)?.as_str())
        .unwrap_or_default()
}

/// A robot's words as they may be repeated: one line of a bounded length, and none where they hold
/// a secret of the channel.
fn repeated(robot: &Robot, words: &str) -> String {
    let has_secret = robot
        .secrets()
        .iter()
        .any(|secret| !secret.is_empty() && words.contains(secret));
    match on_one_line(words).trim() {
        "" => String::new(),
        _ if has_secret => ", and repeats a secret (not shown)".into(),
        words => format!(", {}", cut::at(words, WORDS_CHARS_MAX, cut::characters)),
    }
}

/// What the common codes mean, by the services' own pages.
fn meaning(robot: &Robot, code: i64) -> Option<&'static str> {
    const TOO_MANY: &str = "too many messages in a minute; later ones are taken again";
    Some(match (robot, code) {
        (Robot::WeCom { .. }, 93_000) => {
            "WeCom knows no such key; copy it anew from the robot's address"
        }
        (Robot::DingTalk { .. }, 310_000) => {
            "the robot's security settings refuse it: they need the keyword cupid, \
             the right secret and clock, or this machine's address"
        }
        (Robot::DingTalk { .. }, 300_001 | 400_101) => {
            "DingTalk knows no such token; copy it anew from the robot's address"
        }
        (Robot::DingTalk { .. }, 400_102) => "the robot is switched off in its group",
        (Robot::Feishu { .. }, 19_001) => {
            "Feishu knows no such address; copy it anew from the robot"
        }
        (Robot::Feishu { .. }, 19_021) => {
            "the signature is refused: the secret or this machine's clock is wrong"
        }
        (Robot::Feishu { .. }, 19_022) => "the robot does not take this machine's address",
        (Robot::Feishu { .. }, 19_024) => "the robot needs a keyword; let it be cupid",
        (Robot::WeCom { .. }, 45_009)
        | (Robot::DingTalk { .. }, 130_101)
        | (Robot::Feishu { .. }, 9_499 | 11_232) => TOO_MANY,
        (Robot::ServerChan { .. }, 40_001) => {
            "ServerChan knows no such sendKey, or its messages of the day are used up"
        }
        (Robot::PushBear { .. }, _) => {
            "PushBear no longer delivers; a channel of the type serverchan replaces it"
        }
        _ => return None,
    })
}
