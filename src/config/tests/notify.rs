//! `notify`, `heartbeatUrl` and `src.pushbearSendKey`.

use super::*;
use crate::logic::notify::{Hook, Robot, Secret, SigningKey};

/// The list of the documentation, with values.
const ALL: &str = r#""notify": [
    {"type": "serverchan", "sendKey": "SCTHIDDEN"},
    {"type": "wecom", "key": "HIDDEN-k"},
    {"type": "dingtalk", "token": "HIDDEN0a", "secret": "SECHIDDEN"},
    {"type": "feishu", "url": "https://open.feishu.cn/open-apis/bot/v2/hook/HIDDEN", "secret": "HIDDEN s"},
    {"type": "slack", "url": "https://hooks.slack.com/services/HIDDEN?a=1#x", "name": " team "},
    {"type": "webhook", "url": "http://h:8080", "secret": "whsec_AAEC"},
    {"type": "command", "command": ["/usr/local/bin/page", "--from", "cupid"]}
]"#;

fn channels(notify: &str) -> Vec<Channel> {
    read(&with("", notify)).channels
}

fn names(notify: &str) -> Vec<String> {
    channels(notify)
        .into_iter()
        .map(|channel| channel.name)
        .collect()
}

#[test]
fn every_type_is_read() {
    let robots: Vec<Robot> = channels(ALL)
        .into_iter()
        .map(|channel| channel.robot)
        .collect();
    let secret = |text: &str| Secret::new(text);
    let hook = |origin: &str, path: &str| Hook {
        origin: origin.into(),
        path: secret(path),
    };
    assert_eq!(
        robots[..6],
        [
            Robot::ServerChan {
                send_key: secret("SCTHIDDEN")
            },
            Robot::WeCom {
                key: secret("HIDDEN-k")
            },
            Robot::DingTalk {
                token: secret("HIDDEN0a"),
                secret: Some(secret("SECHIDDEN"))
            },
            Robot::Feishu {
                hook: hook("https://open.feishu.cn", "/open-apis/bot/v2/hook/HIDDEN"),
                secret: Some(secret("HIDDEN s"))
            },
            Robot::Slack {
                hook: hook("https://hooks.slack.com", "/services/HIDDEN?a=1")
            },
            Robot::Webhook {
                hook: hook("http://h:8080", "/"),
                key: Some(SigningKey::new(vec![0, 1, 2]))
            },
        ]
    );
    let Robot::Command { words } = &robots[6] else {
        panic!("{robots:?}");
    };
    let words: Vec<_> = words.iter().map(|word| word.value.as_str()).collect();
    assert_eq!(words, ["/usr/local/bin/page", "--from", "cupid"]);
    let job = read(&with("", ALL));
    assert!(!job.secrets_readable_by_others.is_empty());
    assert!(!format!("{job:?}").contains("HIDDEN"), "{job:?}");
}

#[test]
fn a_channel_without_a_name_is_called_by_its_type() {
    assert_eq!(
        names(ALL),
        [
            "serverchan",
            "wecom",
            "dingtalk",
            "feishu",
            "team",
            "webhook",
            "command"
        ]
    );
    assert_eq!(
        names(
            r#""notify": [
                {"type": "wecom", "key": "a"}, {"type": "wecom", "key": "b", "name": "wecom#2"},
                {"type": "wecom", "key": "c"}, {"type": "slack", "url": "https://h", "name": "wecom#4"},
                {"type": "wecom", "key": "d"}, {"type": "slack", "url": "https://h"}
            ]"#
        ),
        ["wecom", "wecom#2", "wecom#3", "wecom#4", "wecom#5", "slack"]
    );
    assert_eq!(names(r#""notify": []"#), Vec::<String>::new());
}

#[test]
fn the_key_of_the_first_cupid_is_a_channel_when_it_is_not_empty() {
    for (key, expected) in [("", &[][..]), (" ", &[]), ("9724-73bd", &["pushbear"])] {
        let job = read(&with("src", &format!(r#""pushbearSendKey": "{key}""#)));
        let names: Vec<_> = job.channels.iter().map(|channel| &channel.name).collect();
        assert_eq!(names, expected);
        let is_told = job.notes.iter().any(|note| {
            note.contains("PushBear no longer delivers") && note.contains("serverchan")
        });
        assert_eq!(is_told, !expected.is_empty());
    }
    let text = with("src", r#""pushbearSendKey": "x""#).replacen(
        "\"src\":",
        r#""notify": [{"type": "slack", "url": "https://h", "name": "pushbear"}], "src":"#,
        1,
    );
    let names: Vec<_> = read(&text).channels.into_iter().map(|c| c.name).collect();
    assert_eq!(names, ["pushbear", "pushbear#2"]);
}

#[test]
fn an_argument_is_shown_as_it_is_written_unless_it_looks_like_a_secret() {
    let channels = channels(
        r#""notify": [{"type": "command", "command":
            ["/opt/key/page", "--token", "abc", "--api-key=def", "${TABLE}", "--to", "ops", "--secret", "${TABLE}"]}]"#,
    );
    let Robot::Command { words } = &channels[0].robot else {
        panic!("{channels:?}");
    };
    let shown: Vec<_> = words.iter().map(|word| word.shown.as_str()).collect();
    assert_eq!(
        shown,
        [
            "/opt/key/page",
            "--token",
            "***",
            "***",
            "${TABLE}",
            "--to",
            "ops",
            "--secret",
            "${TABLE}"
        ]
    );
    let values: Vec<_> = words.iter().map(|word| word.value.as_str()).collect();
    assert_eq!(
        values,
        [
            "/opt/key/page",
            "--token",
            "abc",
            "--api-key=def",
            "t_of_env",
            "--to",
            "ops",
            "--secret",
            "t_of_env"
        ]
    );
}

#[test]
fn a_base_url_is_an_address_of_which_the_last_slash_does_not_count() {
    for (written, expected) in [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://proxy/robots/", "https://proxy/robots"),
    ] {
        let notify =
            format!(r#""notify": [{{"type": "wecom", "key": "k", "baseUrl": "{written}"}}]"#);
        assert_eq!(channels(&notify)[0].base_url.as_deref(), Some(expected));
    }
}

#[test]
fn a_heartbeat_has_an_address() {
    assert_eq!(read(LEAST).heartbeat, None);
    let hook = read(&with("", r#""heartbeatUrl": "https://hc/ping/1?x=2""#))
        .heartbeat
        .unwrap();
    assert_eq!(
        (hook.origin.as_str(), hook.path.expose()),
        ("https://hc", "/ping/1?x=2")
    );
}

/// A channel, and how its refusal begins.
const REFUSED: &[(&str, &str)] = &[
    (
        r#"{"type": "wecom"}"#,
        "notify[0].key: is missing; should hold what follows key=",
    ),
    (
        r#"{"type": "serverchan"}"#,
        "notify[0].sendKey: is missing; should",
    ),
    (
        r#"{"type": "dingtalk", "secret": "HIDDEN"}"#,
        "notify[0].token: is missing; should",
    ),
    (
        r#"{"type": "feishu"}"#,
        "notify[0].url: is missing; should hold the robot's address",
    ),
    (r#"{"type": "slack"}"#, "notify[0].url: is missing; should"),
    (
        r#"{"type": "webhook"}"#,
        "notify[0].url: is missing; should",
    ),
    (
        r#"{"type": "command"}"#,
        "notify[0].command: is missing; should hold a list of texts",
    ),
    (
        r#"{"type": "WeCon", "key": "HIDDEN"}"#,
        r#"notify[0].type: holds "WeCon"; should hold one of serverchan, wecom, dingtalk, feishu, slack, webhook, command (did you mean wecom?)"#,
    ),
    (
        r#"{"type": 3}"#,
        "notify[0].type: holds 3; should hold one of",
    ),
    (
        r#"{"type": "wecom", "key": "k", "nmae": "HIDDEN"}"#,
        "notify[0].nmae: is no key of cupid; did you mean name?",
    ),
    (
        r#"{"type": "wecom", "key": "k", "url": "http://HIDDEN"}"#,
        "notify[0].url: is no key",
    ),
    (
        r#"{"type": "wecom", "key": "https://qyapi.weixin.qq.com/?key=HIDDEN"}"#,
        "notify[0].key: holds no key (not shown)",
    ),
    (
        r#"{"type": "wecom", "key": ""}"#,
        "notify[0].key: holds no key (not shown)",
    ),
    (
        r#"{"type": "wecom", "key": ["HIDDEN"]}"#,
        "notify[0].key: holds a list; should",
    ),
    (
        r#"{"type": "wecom", "key": 4321}"#,
        "notify[0].key: holds a number (not shown); should",
    ),
    (
        r#"{"type": "slack", "url": "HIDDEN"}"#,
        "notify[0].url: holds no address with http://",
    ),
    (
        r#"{"type": "slack", "url": ""}"#,
        "notify[0].url: holds an empty text; should",
    ),
    (
        r#"{"type": "slack", "url": "ftp://HIDDEN"}"#,
        "notify[0].url: holds an address of another",
    ),
    (
        r#"{"type": "slack", "url": "https:///HIDDEN"}"#,
        "notify[0].url: holds an address without a host",
    ),
    (
        r#"{"type": "slack", "url": "https://h:0/HIDDEN"}"#,
        "notify[0].url: holds an address with port 0",
    ),
    (
        r#"{"type": "slack", "url": "https://u:HIDDEN@h/"}"#,
        "notify[0].url: holds an account",
    ),
    (
        r#"{"type": "slack", "url": "https://HIDDEN:x/"}"#,
        "notify[0].url: holds no usable address",
    ),
    (
        r#"{"type": "feishu", "url": "https://h", "secret": ""}"#,
        "notify[0].secret: holds an empty text",
    ),
    (
        r#"{"type": "webhook", "url": "https://h", "secret": "whsec_HIDDEN!"}"#,
        "notify[0].secret: holds nothing usable (not shown)",
    ),
    (
        r#"{"type": "command", "command": []}"#,
        "notify[0].command: holds an empty list; should",
    ),
    (
        r#"{"type": "command", "command": "page HIDDEN"}"#,
        "notify[0].command: holds text (not shown); should",
    ),
    (
        r#"{"type": "command", "command": [" "]}"#,
        "notify[0].command[0]: holds no usable text",
    ),
    (
        r#"{"type": "command", "command": ["a", "\u0000HIDDEN"]}"#,
        "notify[0].command[1]: holds no usable text",
    ),
    (
        r#"{"type": "command", "command": ["a", 3]}"#,
        "notify[0].command[1]: holds a number",
    ),
    (
        r#"{"type": "command", "command": ["a", "${NO}"]}"#,
        "notify[0].command[1]: needs the environment variable NO",
    ),
    (
        r#"{"type": "wecom", "key": "k", "baseUrl": "http://h/?HIDDEN"}"#,
        "notify[0].baseUrl: holds an address with a query",
    ),
    (
        r#"{"type": "wecom", "key": "k", "baseUrl": "h"}"#,
        "notify[0].baseUrl: holds no address with http://",
    ),
    (
        r#"{"type": "wecom", "key": "k", "name": "a\nb"}"#,
        r#"notify[0].name: holds "a\nb"; should"#,
    ),
    (
        r#"{"type": "wecom", "key": "k", "name": "a"}, {"type": "slack", "url": "https://h", "name": "a"}"#,
        r#"notify[1].name: holds "a"; should be a name that no other channel has"#,
    ),
];

#[test]
fn what_is_no_channel_is_refused_and_shows_no_secret() {
    for (channel, words) in REFUSED {
        let problem = problem(&with("", &format!(r#""notify": [{channel}]"#)));
        assert!(problem.starts_with(words), "{channel}\n{problem}");
        assert_eq!(problem.lines().count(), 1, "{problem}");
        assert!(
            !problem.contains("HIDDEN") && !problem.contains("4321"),
            "{problem}"
        );
    }
    let many = vec![r#"{"type": "wecom", "key": "k"}"#; 51].join(",");
    let problem = problem(&with("", &format!(r#""notify": [{many}]"#)));
    assert!(
        problem.starts_with("notify: holds 51 channels; should hold 50"),
        "{problem}"
    );
}

#[test]
fn what_is_no_heartbeat_is_refused_and_shows_no_secret() {
    for (value, words) in [
        (r#""HIDDEN""#, "heartbeatUrl: holds no address with http://"),
        (r#""https://u:HIDDEN@h""#, "heartbeatUrl: holds an account"),
        (
            r#"["https://HIDDEN"]"#,
            "heartbeatUrl: holds a list; should",
        ),
        (
            r#""${NO}""#,
            "heartbeatUrl: needs the environment variable NO",
        ),
    ] {
        let problem = problem(&with("", &format!(r#""heartbeatUrl": {value}"#)));
        assert!(
            problem.starts_with(words) && !problem.contains("HIDDEN"),
            "{problem}"
        );
    }
}

#[test]
fn notifications_are_read_without_a_server_and_without_its_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("user.json");
    let rest = r#""src": {"password": "${NO}", "pushbearSendKey": "x"}, "des": "anything""#;
    std::fs::write(&path, format!("{{{ALL}, {rest}}}")).unwrap();
    let Notifications { name, channels } = load_notifications(&path, &env).unwrap();
    assert_eq!((name.as_str(), channels.len()), ("user", 8));
    std::fs::write(&path, r#"{"notify": [{"type": "wecom", "key": "${NO}"}]}"#).unwrap();
    let error = load_notifications(&path, &env).unwrap_err().to_string();
    assert!(
        error.contains("notify[0].key: needs the environment variable NO"),
        "{error}"
    );
}
