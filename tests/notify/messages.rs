//! What each service gets, and what is said of what it answers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::robot::{Reply, Request, Robot};
use super::*;

fn hmac_base64(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// One channel of each type that HTTP reaches, all at this address.
fn channels(url: &str) -> Value {
    json!([
        {"type": "serverchan", "sendKey": "SCThidden", "baseUrl": url},
        {"type": "serverchan", "sendKey": "sctp42thidden", "baseUrl": url, "name": "mobile"},
        {"type": "wecom", "key": "hidden-wecom", "baseUrl": url},
        {"type": "dingtalk", "token": "hidden-token", "secret": "SEChidden", "baseUrl": url},
        {"type": "feishu", "url": format!("{url}/hook/hidden-feishu"), "secret": "hidden-secret"},
        {"type": "slack", "url": "https://hooks.example/services/hidden-slack", "baseUrl": url},
        {"type": "webhook", "url": format!("{url}/any?token=hidden-any"), "secret": "whsec_aGlkZGVu"},
    ])
}

/// What each service answers when all is well.
fn taken(request: &Request) -> Reply {
    let body = if request.path.contains(".send") || request.path.starts_with("/hook/") {
        r#"{"code":0}"#
    } else if request.path.starts_with("/services/") {
        "ok"
    } else if request.path.starts_with("/any") {
        "whatever"
    } else {
        r#"{"errcode":0,"errmsg":"ok"}"#
    };
    Reply::Status(200, body.into())
}

#[test]
fn every_service_gets_its_own_bytes() {
    let robot = Robot::start(taken);
    let file = File::with(&channels(&robot.url()));
    let outcome = file.notify("--test").exits(0);
    assert_eq!(outcome.stderr, "");
    let names = [
        "serverchan",
        "mobile",
        "wecom",
        "dingtalk",
        "feishu",
        "slack",
        "webhook",
    ];
    assert_eq!(outcome.stdout.lines().count(), names.len(), "{outcome:?}");
    for name in names {
        let said = said_of(&outcome, name);
        assert!(
            said.starts_with("sent (0.") && said.ends_with(" s)"),
            "{said}"
        );
    }

    let requests = robot.requests();
    assert_eq!(requests.len(), names.len(), "each is asked once");
    let find = |path: &str| {
        let found = requests
            .iter()
            .find(|request| request.path.starts_with(path));
        found.unwrap_or_else(|| panic!("{path} is not in {requests:?}"))
    };
    let (title, line) = assert_webhook(find("/any?token=hidden-any"));
    let (title, line) = (title.as_str(), line.as_str());
    for path in ["/SCThidden.send", "/send/sctp42thidden.send"] {
        let request = find(path);
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("title", title)
            .append_pair("desp", line)
            .finish();
        assert_eq!(request.body, form);
        let content_type = request.header("content-type");
        assert_eq!(content_type, "application/x-www-form-urlencoded");
    }
    let text = quoted(&format!("{title}\n{line}"));
    let wecom = find("/cgi-bin/webhook/send?key=hidden-wecom");
    assert_eq!(
        wecom.body,
        format!("{{\"msgtype\":\"text\",\"text\":{{\"content\":{text}}}}}")
    );
    let dingtalk = find("/robot/send?access_token=hidden-token&timestamp=");
    let (_, signed) = dingtalk.path.split_once("&timestamp=").unwrap();
    let (ms, sign) = signed.split_once("&sign=").unwrap();
    let expected = hmac_base64("SEChidden", &format!("{ms}\nSEChidden"));
    let sign = percent_encoding::percent_decode_str(sign).decode_utf8();
    assert_eq!(sign.unwrap(), expected);
    assert_eq!(
        dingtalk.body,
        format!(
            "{{\"msgtype\":\"markdown\",\"markdown\":{{\"title\":{},\"text\":{}}}}}",
            quoted(title),
            quoted(&format!("### {title}\n\n{line}"))
        )
    );
    let feishu = find("/hook/hidden-feishu");
    let body: Value = serde_json::from_str(&feishu.body).unwrap();
    let s = body["timestamp"].as_str().unwrap();
    assert_eq!(ms[..s.len()], *s, "both are the time of this message");
    let sign = hmac_base64(&format!("{s}\nhidden-secret"), "");
    assert_eq!(
        feishu.body,
        format!(
            "{{\"timestamp\":\"{s}\",\"sign\":\"{sign}\",\"msg_type\":\"text\",\"content\":{{\"text\":{text}}}}}"
        )
    );
    let slack = find("/services/hidden-slack");
    assert_eq!(
        slack.body,
        format!("{{\"text\":{}}}", quoted(&format!("*{title}*\n{line}")))
    );
    for request in &requests {
        assert_eq!(request.method, "POST");
        assert!(request.header("user-agent").starts_with("cupid/"));
        let content_type = request.header("content-type");
        assert_eq!(
            content_type == "application/json",
            !request.path.contains(".send")
        );
    }
}

/// The webhook's request, of which title and line are returned: the other services get the same.
fn assert_webhook(webhook: &Request) -> (String, String) {
    let message: Value = serde_json::from_str(&webhook.body).unwrap();
    let title = message["data"]["title"].as_str().unwrap();
    let line = message["data"]["lines"][0].as_str().unwrap();
    assert!(
        title.starts_with("[cupid] user: ") && title.chars().count() <= 32,
        "{title}"
    );
    assert_eq!(message["data"]["lines"].as_array().unwrap().len(), 1);
    let host = quoted(message["data"]["host"].as_str().unwrap());
    let moment = message["timestamp"].as_str().unwrap();
    assert_eq!(
        webhook.body,
        format!(
            "{{\"type\":\"cupid.test\",\"timestamp\":\"{moment}\",\"data\":{{\"config\":\"user\",\
             \"host\":{host},\"title\":{},\"lines\":[{}]}}}}",
            quoted(title),
            quoted(line)
        )
    );
    let signed = format!(
        "{}.{}.{}",
        webhook.header("webhook-id"),
        webhook.header("webhook-timestamp"),
        webhook.body
    );
    let signature = format!("v1,{}", hmac_base64("hidden", &signed));
    assert_eq!(webhook.header("webhook-signature"), signature);
    (title.to_owned(), line.to_owned())
}

/// As JSON text.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn what_a_service_does_wrong_is_said_and_holds_up_no_other() {
    let elsewhere = Robot::answering(200, r#"{"errcode":0}"#);
    let to = elsewhere.url();
    let robot = Robot::start(move |request| {
        let key = request.path.rsplit('=').next().unwrap_or_default();
        match key {
            "hidden-hang" => Reply::Hang,
            "hidden-nonsense" => Reply::Nonsense,
            "hidden-html" => Reply::Status(200, "<html>hidden-html</html>".into()),
            "hidden-empty" => Reply::Status(200, String::new()),
            "hidden-endless" => Reply::Endless,
            "hidden-redirect" => Reply::Redirect(format!("{to}/?key=hidden")),
            "hidden-500" => Reply::Status(500, r#"{"errcode":0}"#.into()),
            "hidden-code" => Reply::Status(
                200,
                r#"{"errcode":45009,"errmsg":"api freq\u001b[31m out of limit"}"#.into(),
            ),
            "hidden-echo" => Reply::Status(
                200,
                r#"{"errcode":93000,"errmsg":"invalid webhook url key=hidden-echo"}"#.into(),
            ),
            _ => Reply::Status(200, r#"{"errcode":0,"errmsg":"ok"}"#.into()),
        }
    });
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let cases = [
        ("hang", "failed: no answer within 5 s"),
        ("nonsense", "failed: The answer is not valid HTTP/1.1"),
        ("html", "refused: status 200 without a code"),
        ("empty", "refused: status 200 without a code"),
        ("endless", "refused: status 200 without a code"),
        ("redirect", "refused: status 302"),
        ("500", "refused: status 500"),
        ("code", "refused: 45009, api freq [31m out of limit"),
        ("echo", "refused: 93000, and repeats a secret (not shown)"),
        ("nobody", "failed: The connection was refused"),
    ];
    let mut channels: Vec<Value> = cases
        .iter()
        .map(|(name, _)| {
            let url = if *name == "nobody" {
                &nobody
            } else {
                &robot.url()
            };
            json!({"type": "wecom", "key": format!("hidden-{name}"), "name": name, "baseUrl": url})
        })
        .collect();
    channels.push(json!({"type": "wecom", "key": "hidden-fine", "baseUrl": robot.url()}));
    let outcome = File::with(&json!(channels)).notify("--test").exits(1);
    for (name, expected) in cases {
        assert_eq!(said_of(&outcome, name), expected);
    }
    assert!(said_of(&outcome, "wecom").starts_with("sent ("));
    assert!(
        outcome.stdout.contains("too many messages in a minute"),
        "{outcome:?}"
    );
    assert!(
        outcome.stdout.contains("a redirect is not followed"),
        "{outcome:?}"
    );
    assert_eq!(elsewhere.requests().len(), 0, "no redirect is followed");
    assert_eq!(robot.requests().len(), cases.len(), "each is asked once");
    // 5 s for all of them side by side; the rest is a busy machine's.
    assert!(outcome.took < Duration::from_secs(15), "{outcome:?}");
}

#[test]
fn one_channel_can_be_tried_alone() {
    let robot = Robot::start(taken);
    let file = File::with(&channels(&robot.url()));
    let outcome = file.notify("--test --channel mobile").exits(0);
    assert!(said_of(&outcome, "mobile").starts_with("sent ("));
    assert_eq!(robot.paths(), ["/send/sctp42thidden.send"]);
    let outcome = file.notify("--test --channel slak").exits(64);
    outcome.assert_says(&[
        "--channel \"slak\": there is no such channel",
        "mobile, wecom",
    ]);
    file.notify("").exits(64);
    file.notify("--channel mobile").exits(64);
    assert_eq!(robot.requests().len(), 1);
}

#[test]
fn requests_are_shown_without_secrets_and_nothing_is_sent() {
    let robot = Robot::start(taken);
    let mut all = channels(&robot.url());
    let page = json!({"type": "command", "command": ["/no/such/page", "--to", "ops", "${PAGER}"]});
    all.as_array_mut().unwrap().push(page);
    let file = File::with(&all);
    let url = robot.url();
    for args in ["--print", "--test --print"] {
        let outcome = file.notify(args).env("PAGER", "hidden-pager").exits(0);
        for part in [
            &format!("serverchan\n    POST {url}/***.send\n"),
            &format!("wecom\n    POST {url}/cgi-bin/webhook/send?key=***\n"),
            &format!("dingtalk\n    POST {url}/robot/send?access_token=***&timestamp="),
            "&sign=***\n    content-type: application/json\n\n    {\"msgtype\":\"markdown\"",
            &format!("feishu\n    POST {url}/***\n"),
            "\"sign\":\"***\"",
            "webhook-signature: ***",
            "command\n    [\"/no/such/page\", \"--to\", \"ops\", \"${PAGER}\"]\n\n    {\"type\":\"cupid.test\"",
        ] {
            assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.stdout);
        }
    }
    assert_eq!(robot.requests().len(), 0);
}

#[test]
fn a_configuration_without_a_usable_channel_is_refused() {
    for (channels, words) in [
        (json!([]), "notify: holds no channel; should hold a list"),
        (
            json!([{"type": "wecom", "key": "${NOWHERE}"}]),
            "notify[0].key: needs the environment variable NOWHERE",
        ),
        (
            json!([{"type": "slak", "url": "hidden"}]),
            "notify[0].type: holds \"slak\"; should hold one of serverchan, wecom, dingtalk, feishu, slack, webhook, \
             command (did you mean slack?)",
        ),
        (
            json!([{"type": "slack", "url": "hidden"}]),
            "notify[0].url: holds no address with http:// or https:// (not shown)",
        ),
    ] {
        let file = File::with(&channels);
        for args in ["--test", "--print"] {
            file.notify(args).exits(78).assert_says(&[words]);
        }
    }
}
