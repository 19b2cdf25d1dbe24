//! Each kind of channel byte for byte, and its answers.

use super::message::Kind;
use super::*;

mod answers;
mod requests;

/// 2026-01-01T00:00:00Z, the moment of the known answers.
const NOW_US: i64 = 1_767_225_600_000_000;

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

fn hook(path: &str) -> Hook {
    Hook {
        origin: "https://robots.example".into(),
        path: secret(path),
    }
}

fn channel(robot: Robot) -> Channel {
    Channel {
        name: robot.type_name().into(),
        robot,
        base_url: None,
    }
}

/// One channel of each kind; every secret contains `hidden`.
fn all_kinds() -> Vec<Channel> {
    let word = |value: &str, shown: &str| Word {
        value: value.into(),
        shown: shown.into(),
    };
    [
        Robot::ServerChan {
            send_key: secret("SCThidden"),
        },
        Robot::WeCom {
            key: secret("hidden-key"),
        },
        Robot::DingTalk {
            token: secret("hidden-token"),
            secret: Some(secret("SEChidden")),
        },
        Robot::Feishu {
            hook: hook("/open-apis/bot/v2/hook/hidden-hook"),
            secret: Some(secret("hidden-secret")),
        },
        Robot::Slack {
            hook: hook("/services/T0/B0/hidden-hook"),
        },
        Robot::Webhook {
            hook: hook("/hook?token=hidden-token"),
            key: Some(SigningKey::new(b"hidden".to_vec())),
        },
        Robot::Command {
            words: vec![
                word("/usr/local/bin/page", "/usr/local/bin/page"),
                word("hidden-pager", "${PAGER}"),
            ],
        },
        Robot::PushBear {
            send_key: secret("hidden-bear"),
        },
    ]
    .map(channel)
    .into()
}

#[test]
fn no_secret_is_in_a_debug_text() {
    let message = Message::test("user", "host1");
    for channel in all_kinds() {
        let sent = request(&channel, &message, NOW_US, View::Service);
        let text = format!("{channel:?} {:?} {sent:?}", channel.robot);
        assert!(!text.contains("hidden"), "{text}");
    }
}

#[test]
fn a_message_is_bounded_and_holds_no_control_character() {
    let lines = (0..60).map(|n| format!("{n}\u{1b}[1m{}", "é".repeat(2_000)));
    let message = Message::new(Kind::Failing, "u\nser", "h", &"字".repeat(300), lines);
    assert_eq!(message.config(), "u ser");
    assert_eq!(message.title(), format!("{}…", "字".repeat(199)));
    assert_eq!(message.lines().len(), 50);
    assert_eq!(message.lines()[49], "… and 11 lines more");
    assert!(message.lines()[0].starts_with("0 [1mé"));
    assert!(
        message
            .lines()
            .iter()
            .all(|line| line.chars().count() <= 1_000)
    );
    let few = (0..50).map(|n| n.to_string());
    let whole = Message::new(Kind::Failing, "user", "h", "t", few);
    assert_eq!(whole.lines()[49], "49");
}
