//! The bodies, with a message in them.

use serde::Serialize;

use super::super::cut;
use super::super::message::{Kind, Message};
use crate::logic::report::line::rfc3339;

/// `WeCom` takes texts of 2,048 bytes.
const WECOM_BYTES_MAX: usize = 2_048;
/// `DingTalk` takes bodies of 20,000 bytes; the text stands in it once, the title twice.
const DINGTALK_BYTES_MAX: usize = 18_000;
/// Feishu takes bodies of 20 KiB; what stands around the text takes less than 200 bytes.
const FEISHU_BYTES_MAX: usize = 20 * 1024 - 200;
/// Mattermost takes the least of those that take Slack's messages: 16,383 characters.
const SLACK_CHARS_MAX: usize = 16_000;
/// Title and body as one text.
fn text(message: &Message) -> String {
    let lines = std::iter::once(message.title()).chain(message.lines().iter().map(String::as_str));
    lines.collect::<Vec<_>>().join("\n")
}

/// The lines as paragraphs of Markdown, in which no line makes a link, a picture or HTML: their
/// words may come from a server.
pub(super) fn markdown(lines: &[String]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| line.replace("](", "] (").replace('<', "&lt;"))
        .collect();
    lines.join("\n\n")
}

pub(super) fn wecom(message: &Message) -> String {
    #[derive(Serialize)]
    struct Body {
        msgtype: &'static str,
        text: Content,
    }
    json(&Body {
        msgtype: "text",
        text: Content {
            content: cut::at(&text(message), WECOM_BYTES_MAX, cut::bytes),
        },
    })
}

#[derive(Serialize)]
struct Content {
    content: String,
}

pub(super) fn dingtalk(message: &Message) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        msgtype: &'static str,
        markdown: Markdown<'a>,
    }
    #[derive(Serialize)]
    struct Markdown<'a> {
        title: &'a str,
        text: String,
    }
    let title = message.title();
    let text = format!("### {title}\n\n{}", markdown(message.lines()));
    json(&Body {
        msgtype: "markdown",
        markdown: Markdown {
            title,
            text: cut::at(&text, DINGTALK_BYTES_MAX, cut::json_bytes),
        },
    })
}

pub(super) fn feishu(message: &Message, timestamp_s: i64, sign: Option<String>) -> String {
    #[derive(Serialize)]
    struct Body {
        #[serde(skip_serializing_if = "Option::is_none")]
        timestamp: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        sign: Option<String>,
        msg_type: &'static str,
        content: Text,
    }
    json(&Body {
        timestamp: sign.is_some().then(|| timestamp_s.to_string()),
        sign,
        msg_type: "text",
        content: Text {
            text: cut::at(&text(message), FEISHU_BYTES_MAX, cut::json_bytes),
        },
    })
}

#[derive(Serialize)]
struct Text {
    text: String,
}

/// Slack reads `<…>` as links and mentions, such as `<!channel>`.
pub(super) fn slack(message: &Message) -> String {
    let escaped = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let lines = message.lines().join("\n");
    let left = SLACK_CHARS_MAX.saturating_sub(escaped(message.title()).chars().count() + 3);
    let cost = |character: char| match character {
        '&' => 5,
        '<' | '>' => 4,
        _ => 1,
    };
    let lines = cut::at(&lines, left, cost);
    json(&Text {
        text: format!("*{}*\n{}", escaped(message.title()), escaped(&lines)),
    })
}

/// The body of webhooks, which commands read as well.
pub(super) fn webhook(message: &Message, now_us: i64) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        r#type: &'static str,
        timestamp: String,
        data: Data<'a>,
    }
    #[derive(Serialize)]
    struct Data<'a> {
        config: &'a str,
        host: &'a str,
        title: &'a str,
        lines: &'a [String],
    }
    json(&Body {
        r#type: match message.kind() {
            Kind::Failing => "cupid.failing",
            Kind::Recovered => "cupid.recovered",
            Kind::Test => "cupid.test",
        },
        timestamp: rfc3339(now_us),
        data: Data {
            config: message.config(),
            host: message.host(),
            title: message.title(),
            lines: message.lines(),
        },
    })
}

fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("texts and lists of texts are JSON")
}
