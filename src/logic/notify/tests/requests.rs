use super::*;
use crate::logic::callback::signature::{Received, verify};

fn message() -> Message {
    let lines = ["one & \"two\" <b>", "三 [x](http://y)"].map(String::from);
    Message::new(Kind::Failing, "user", "host1", "[cupid] user: T & T", lines)
}

fn http(channel: &Channel, message: &Message) -> HttpRequest {
    match request(channel, message, NOW_US, View::Service) {
        Request::Http(request) => request,
        Request::Command(_) => panic!("{channel:?}"),
    }
}

/// The request must be a POST of JSON with this address and body.
#[track_caller]
fn assert_posts(robot: Robot, url: &str, body: &str) {
    let request = http(&channel(robot), &message());
    assert_eq!(request.method, Method::Post);
    assert_eq!(request.url, url);
    assert_eq!(request.body, body);
    let json = ("content-type", "application/json".to_owned());
    assert_eq!(request.headers, [json]);
}

#[test]
fn serverchan_takes_a_form_at_the_host_that_the_key_names() {
    for (key, url) in [
        ("SCT1x", "https://sctapi.ftqq.com/SCT1x.send"),
        (
            "sctp123tAbC",
            "https://123.push.ft07.com/send/sctp123tAbC.send",
        ),
        ("sctp123", "https://sctapi.ftqq.com/sctp123.send"),
        ("sctptAbC", "https://sctapi.ftqq.com/sctptAbC.send"),
    ] {
        let robot = Robot::ServerChan {
            send_key: secret(key),
        };
        let request = http(&channel(robot), &message());
        assert_eq!(request.url, url);
        assert_eq!(
            request.body,
            "title=%5Bcupid%5D+user%3A+T+%26+T&desp=one+%26+%22two%22+%26lt%3Bb%3E%0A%0A\
             %E4%B8%89+%5Bx%5D+%28http%3A%2F%2Fy%29"
        );
        let form = (
            "content-type",
            "application/x-www-form-urlencoded".to_owned(),
        );
        assert_eq!(request.headers, [form]);
    }
}

#[test]
fn wecom_takes_text() {
    assert_posts(
        Robot::WeCom {
            key: secret("k-1_2"),
        },
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k-1_2",
        "{\"msgtype\":\"text\",\"text\":{\"content\":\"[cupid] user: T & T\\n\
         one & \\\"two\\\" <b>\\n三 [x](http://y)\"}}",
    );
}

#[test]
fn dingtalk_takes_markdown_and_a_signature() {
    let body = "{\"msgtype\":\"markdown\",\"markdown\":{\"title\":\"[cupid] user: T & T\",\
                \"text\":\"### [cupid] user: T & T\\n\\none & \\\"two\\\" &lt;b>\\n\\n\
                三 [x] (http://y)\"}}";
    let url = "https://oapi.dingtalk.com/robot/send?access_token=0a1b";
    let robot = |text: Option<&str>| Robot::DingTalk {
        token: secret("0a1b"),
        secret: text.map(secret),
    };
    assert_posts(robot(None), url, body);
    let sign = "WqRwE26E5CxYGjFqhx%2B2yyo3peNrvAUu8ptyyREKKyk%3D";
    assert_posts(
        robot(Some("SECtest0123456789")),
        &format!("{url}&timestamp=1767225600000&sign={sign}"),
        body,
    );
}

#[test]
fn feishu_takes_text_and_a_signature() {
    let url = "https://robots.example/open-apis/bot/v2/hook/x";
    let text = "\"msg_type\":\"text\",\"content\":{\"text\":\"[cupid] user: T & T\\n\
                one & \\\"two\\\" <b>\\n三 [x](http://y)\"}}";
    let robot = |text: Option<&str>| Robot::Feishu {
        hook: hook("/open-apis/bot/v2/hook/x"),
        secret: text.map(secret),
    };
    assert_posts(robot(None), url, &format!("{{{text}"));
    let signed = "{\"timestamp\":\"1767225600\",\
                  \"sign\":\"hm9QDKjC+ecxOxpTkx3o/E8TJDhB/Fq5pPz6i8mf5Lw=\",";
    assert_posts(
        robot(Some("feishu-secret")),
        url,
        &format!("{signed}{text}"),
    );
}

#[test]
fn slack_takes_entities() {
    assert_posts(
        Robot::Slack {
            hook: hook("/services/x"),
        },
        "https://robots.example/services/x",
        "{\"text\":\"*[cupid] user: T &amp; T*\\none &amp; \\\"two\\\" &lt;b&gt;\\n\
         三 [x](http://y)\"}",
    );
}

const WEBHOOK: &str = "\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"data\":{\"config\":\"user\",\
                       \"host\":\"host1\",\"title\":\"[cupid] user: T & T\",\
                       \"lines\":[\"one & \\\"two\\\" <b>\",\"三 [x](http://y)\"]}}";

#[test]
fn a_webhook_is_signed_as_standard_webhooks_says() {
    let of = |key: Option<&[u8]>| {
        channel(Robot::Webhook {
            hook: hook("/hook?a=1"),
            key: key.map(|key| SigningKey::new(key.to_vec())),
        })
    };
    let plain = http(&of(None), &message());
    assert_eq!(plain.url, "https://robots.example/hook?a=1");
    assert_eq!(
        plain.body,
        format!("{{\"type\":\"cupid.failing\",{WEBHOOK}")
    );
    let signed = http(&of(Some(b"key")), &message());
    assert_eq!(signed.headers[..3], plain.headers[..]);
    let header = |name: &str| {
        let mut headers = signed.headers.iter();
        headers.find(|header| header.0 == name).unwrap().1.as_str()
    };
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("webhook-timestamp"), "1767225600");
    let received = Received {
        id: header("webhook-id"),
        timestamp_s: 1_767_225_600,
        signatures: header("webhook-signature"),
        body: signed.body.as_bytes(),
    };
    assert_eq!(verify(b"key", &received, NOW_US / 1_000_000, 0), Ok(()));
    let id = |channel: &Channel, now_us| match request(channel, &message(), now_us, View::Person) {
        Request::Http(request) => request.headers[1].1.clone(),
        Request::Command(_) => panic!("{channel:?}"),
    };
    assert_eq!(id(&of(None), NOW_US), received.id);
    assert_ne!(id(&of(None), NOW_US + 1), received.id);
    let another = Channel {
        name: "webhook#2".into(),
        ..of(None)
    };
    assert_ne!(id(&another, NOW_US), received.id);
}

#[test]
fn a_command_reads_what_a_webhook_gets() {
    for (kind, name) in [
        (Kind::Failing, "cupid.failing"),
        (Kind::Recovered, "cupid.recovered"),
        (Kind::Test, "cupid.test"),
    ] {
        let lines = message().lines().to_vec();
        let message = Message::new(kind, "user", "host1", "[cupid] user: T & T", lines);
        let words = ["page", "$(reboot)"].map(|word| Word {
            value: word.into(),
            shown: word.into(),
        });
        let channel = channel(Robot::Command {
            words: words.into(),
        });
        let Request::Command(run) = request(&channel, &message, NOW_US, View::Service) else {
            panic!("{channel:?}");
        };
        assert_eq!(run.words, ["page", "$(reboot)"]);
        assert_eq!(run.stdin, format!("{{\"type\":\"{name}\",{WEBHOOK}"));
    }
}

#[test]
fn pushbear_takes_everything_in_the_address() {
    let robot = Robot::PushBear {
        send_key: secret("9724-0a"),
    };
    let request = http(&channel(robot), &message());
    assert_eq!(request.method, Method::Get);
    assert_eq!(
        request.url,
        "https://pushbear.ftqq.com/sub?sendkey=9724-0a&text=%5Bcupid%5D%20user%3A%20T%20%26%20T\
         &desp=one%20%26%20%22two%22%20%26lt%3Bb%3E%0A%0A%E4%B8%89%20%5Bx%5D%20%28http%3A%2F%2Fy%29"
    );
    assert_eq!((request.headers.len(), request.body.as_str()), (0, ""));
}

#[test]
fn a_base_url_replaces_the_services_own() {
    for (number, path) in [
        (0, "/SCThidden.send"),
        (1, "/cgi-bin/webhook/send?key=hidden-key"),
        (2, "/robot/send?access_token=hidden-token&timestamp="),
        (3, "/open-apis/bot/v2/hook/hidden-hook"),
        (4, "/services/T0/B0/hidden-hook"),
        (5, "/hook?token=hidden-token"),
        (7, "/sub?sendkey=hidden-bear&text="),
    ] {
        let channel = Channel {
            base_url: Some("http://127.0.0.1:8080/x".into()),
            ..all_kinds()[number].clone()
        };
        let url = http(&channel, &message()).url;
        assert!(
            url.starts_with(&format!("http://127.0.0.1:8080/x{path}")),
            "{url}"
        );
    }
}

#[test]
fn what_is_shown_has_no_secret_and_nothing_else_is_lost() {
    let shown: Vec<String> = all_kinds()
        .iter()
        .map(|channel| request(channel, &message(), NOW_US, View::Person).to_string())
        .collect();
    for text in &shown {
        assert!(!text.contains("hidden"), "{text}");
    }
    for (number, first) in [
        (0, "POST https://sctapi.ftqq.com/***.send"),
        (
            1,
            "POST https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=***",
        ),
        (
            2,
            "POST https://oapi.dingtalk.com/robot/send?access_token=***&timestamp=1767225600000&sign=***",
        ),
        (3, "POST https://robots.example/***"),
        (4, "POST https://robots.example/***"),
        (5, "POST https://robots.example/***"),
        (6, "[\"/usr/local/bin/page\", \"${PAGER}\"]"),
        (
            7,
            "GET https://pushbear.ftqq.com/sub?sendkey=***&text=%5Bcupid%5D%20user%3A%20T%20%26%20T",
        ),
    ] {
        assert!(shown[number].starts_with(first), "{}", shown[number]);
    }
    assert!(shown[3].contains("\"sign\":\"***\""), "{}", shown[3]);
    assert!(shown[5].contains("webhook-signature: ***"), "{}", shown[5]);
    assert!(
        shown[6].ends_with(&format!("\n\n{{\"type\":\"cupid.failing\",{WEBHOOK}")),
        "{}",
        shown[6]
    );
}

/// What a service takes at the most, with texts that cost as much as there is.
#[test]
fn what_is_too_long_is_cut_between_two_characters() {
    for part in ["字", "\"", "&", "é", "😀", "x", "<"] {
        let lines = vec![part.repeat(1_000); 50];
        let message = Message::new(Kind::Failing, "user", "h", &part.repeat(300), lines);
        let value = |number: usize| -> serde_json::Value {
            serde_json::from_str(&http(&all_kinds()[number], &message).body).unwrap()
        };
        let form = http(&all_kinds()[0], &message).body;
        let form: Vec<_> = url::form_urlencoded::parse(form.as_bytes()).collect();
        assert_eq!(form[0].1, format!("{}…", part.repeat(31)));
        // The whole title is then the first line.
        assert!(form[1].1.len() <= 32 * 1024 && form[1].1.ends_with('…'));
        let wecom = value(1);
        let content = wecom["text"]["content"].as_str().unwrap();
        assert!(
            (2_045..=2_048).contains(&content.len()),
            "{}",
            content.len()
        );
        for (number, bytes) in [(2, 20_000), (3, 20 * 1024)] {
            let length = http(&all_kinds()[number], &message).body.len();
            assert!(
                (bytes - 2_500..=bytes).contains(&length),
                "{number}: {length}"
            );
        }
        let slack = value(4)["text"].as_str().unwrap().chars().count();
        assert!(slack <= 16_383, "{slack}");
        let pushbear = http(&all_kinds()[7], &message).url.len();
        assert!(pushbear <= 8 * 1024, "{pushbear}");
        assert_eq!(value(5)["data"]["lines"].as_array().unwrap().len(), 50);
    }
}

#[test]
fn a_title_that_was_cut_is_whole_in_the_text() {
    let title = "[cupid] user: fine again after 41 min, 37 callbacks delivered";
    let message = Message::new(Kind::Recovered, "user", "h", title, ["line".into()]);
    let form = http(&all_kinds()[0], &message).body;
    let form: Vec<_> = url::form_urlencoded::parse(form.as_bytes()).collect();
    assert_eq!(form[0].1, "[cupid] user: fine again after …");
    assert_eq!(form[1].1, format!("{title}\n\nline"));
}
