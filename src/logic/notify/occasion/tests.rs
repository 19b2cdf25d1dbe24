use super::super::channel::Secret;
use super::*;

const TELLER: Teller<'static> = Teller {
    config: "user",
    file: "/etc/cupid/user.json",
    host: "host1",
};

/// 2026-01-01T00:00:00Z.
const NOW_US: i64 = 1_767_225_600_000_000;

fn at_min(minutes: i64) -> i64 {
    NOW_US + minutes * MINUTE_US
}

fn channels() -> Vec<Channel> {
    let secret = || Secret::new("hidden");
    [
        ("wecom", Robot::WeCom { key: secret() }),
        ("serverchan", Robot::ServerChan { send_key: secret() }),
    ]
    .map(|(name, robot)| Channel {
        name: name.into(),
        robot,
        base_url: None,
    })
    .into()
}

fn well() -> Situation {
    Situation {
        destinations: vec![Destination {
            name: "search".into(),
            ..Destination::default()
        }],
        ..Situation::default()
    }
}

fn failed(passes: u64, since_min: i64) -> Situation {
    Situation {
        failed: Some(Failed {
            passes,
            since_us: at_min(since_min),
            reason: "db1:3306 refuses the connection".into(),
        }),
        ..well()
    }
}

fn lasting(since_min: i64) -> Lasting {
    Lasting {
        since_us: at_min(since_min),
        reason: "why".into(),
    }
}

/// A destination that is changed.
fn search(change: impl FnOnce(&mut Destination)) -> Situation {
    let mut situation = well();
    change(&mut situation.destinations[0]);
    situation
}

fn owed(tries_max: u64, oldest_min: i64) -> Situation {
    search(|search| {
        search.owed = Some(Owed {
            count: 3,
            oldest_us: at_min(oldest_min),
            tries_max,
            reason: "http://user-service/cupid answers 503".into(),
        });
    })
}

fn unrepaired(count: u64) -> Situation {
    search(|search| {
        search.unrepaired = Some(Unrepaired {
            count,
            since_us: NOW_US,
        });
    })
}

#[test]
fn trouble_is_told_when_it_is_no_hiccup_any_more() {
    let source_paused = |since_min| Situation {
        paused: Some(lasting(since_min)),
        ..well()
    };
    for (situation, title) in [
        (well(), None),
        (failed(2, -60), None),
        (failed(3, 0), Some("passes fail")),
        (search(|d| d.unread = Some(lasting(-9))), None),
        (
            search(|d| d.unread = Some(lasting(-10))),
            Some("search: unread"),
        ),
        (owed(9, -14), None),
        (owed(10, 0), Some("search: 3 owed")),
        (owed(1, -15), Some("search: 3 owed")),
        (search(|d| d.paused = Some(lasting(-9))), None),
        (
            search(|d| d.paused = Some(lasting(-10))),
            Some("search: scan paused"),
        ),
        (source_paused(-9), None),
        (source_paused(-10), Some("scan paused")),
        (unrepaired(0), None),
        (unrepaired(2), Some("search: 2 unrepaired")),
        // A moment of the future is a clock that was set back.
        (search(|d| d.unread = Some(lasting(30))), None),
    ] {
        let (told, occasion) = decide(&Told::default(), &situation, &channels(), TELLER, NOW_US);
        let actual = occasion.as_ref().map(|o| o.message.title().to_owned());
        let expected = title.map(|title| format!("[cupid] user: {title}"));
        assert_eq!(actual, expected, "{situation:?}");
        assert_eq!(told == Told::default(), title.is_none());
        if let Some(occasion) = occasion {
            assert_eq!(occasion.channels, ["wecom", "serverchan"]);
            assert_eq!(occasion.message.kind(), Kind::Failing);
        }
    }
}

/// What each channel hears as time goes by.
#[test]
fn it_is_told_again_while_it_lasts_and_once_when_it_is_over() {
    let both = &["wecom", "serverchan"][..];
    let mut told = Told::default();
    let mut delivered = 100;
    for (minute, situation, expected) in [
        (0, owed(3, 0), None),
        (
            15,
            owed(30, 0),
            Some(("[cupid] user: search: 3 owed", both)),
        ),
        // More trouble waits for the next message.
        (20, failed(5, 16), None),
        (74, failed(9, 16), None),
        (
            75,
            failed(9, 16),
            Some(("[cupid] user: passes fail", &both[..1])),
        ),
        (
            135,
            owed(60, 0),
            Some(("[cupid] user: search: 3 owed", &both[..1])),
        ),
        (
            375,
            owed(60, 0),
            Some(("[cupid] user: search: 3 owed", both)),
        ),
        // Below what begins trouble, and yet not over.
        (376, owed(1, 376), None),
        (377, search(|d| d.unread = Some(lasting(377))), None),
        (
            378,
            well(),
            Some((
                "[cupid] user: fine again after 6 h 18 min, 37 callbacks delivered",
                both,
            )),
        ),
        (379, well(), None),
        (380, owed(1, 379), None),
    ] {
        if minute > 15 {
            delivered = 137;
        }
        let situation = Situation {
            delivered,
            ..situation
        };
        // As it is kept between two processes.
        let kept = serde_json::to_string(&told).unwrap();
        let kept: Told = serde_json::from_str(&kept).unwrap();
        assert_eq!(kept, told);
        let (next, occasion) = decide(&kept, &situation, &channels(), TELLER, at_min(minute));
        told = next;
        let actual = occasion.as_ref().map(|o| {
            (
                o.message.title(),
                o.channels.iter().map(String::as_str).collect(),
            )
        });
        let expected = expected.map(|(title, channels)| (title, channels.to_vec()));
        assert_eq!(actual, expected, "minute {minute}");
    }
}

#[test]
fn a_message_names_all_that_is_wrong_and_the_command_that_helps() {
    let mut situation = failed(1_200, -41);
    let search = &mut situation.destinations[0];
    search.unread = Some(lasting(-12));
    search.owed = owed(1, -125).destinations[0].owed.clone();
    search.unrepaired = unrepaired(1).destinations[0].unrepaired.clone();
    let (_, occasion) = decide(&Told::default(), &situation, &channels(), TELLER, NOW_US);
    let message = occasion.unwrap().message;
    assert_eq!(message.title(), "[cupid] user: passes fail, 3 more");
    assert_eq!(
        message.lines(),
        [
            "1,200 passes failed in a row, for 41 min: db1:3306 refuses the connection",
            "search: unread for 12 min: why",
            "search: 3 callbacks owed, the oldest for 2 h 5 min, up to 1 try: \
             http://user-service/cupid answers 503",
            "search: 1 row still differs although the callbacks were taken, for 0 s",
            "On host1: cupid status /etc/cupid/user.json",
        ]
    );
}

#[test]
fn a_message_that_did_not_arrive_is_followed_by_another_after_five_minutes() {
    let (mut told, first) = decide(&Told::default(), &failed(3, 0), &channels(), TELLER, NOW_US);
    assert!(first.is_some());
    for channel in channels() {
        told.not_sent(&channel);
    }
    let at = |told: &Told, minute| {
        let (told, occasion) = decide(told, &failed(9, 0), &channels(), TELLER, at_min(minute));
        (told, occasion.map(|occasion| occasion.channels))
    };
    assert_eq!(at(&told, 4).1, None);
    let (told, again) = at(&told, 5);
    assert_eq!(again, Some(vec!["wecom".into(), "serverchan".into()]));
    assert_eq!(at(&told, 64).1, None);
    assert_eq!(at(&told, 65).1, Some(vec!["wecom".into()]));
}

#[test]
fn a_channel_that_comes_later_is_told_at_once_and_one_that_heard_nothing_hears_no_end() {
    let all = channels();
    let (told, first) = decide(&Told::default(), &failed(3, 0), &all[..1], TELLER, NOW_US);
    assert_eq!(first.unwrap().channels, ["wecom"]);
    let (_, second) = decide(&told, &failed(4, 0), &all, TELLER, at_min(1));
    assert_eq!(second.unwrap().channels, ["serverchan"]);
    let (over, last) = decide(&told, &well(), &all, TELLER, at_min(1));
    let last = last.unwrap();
    assert_eq!(last.channels, ["wecom"]);
    assert_eq!(last.message.title(), "[cupid] user: fine again after 1 min");
    assert_eq!(last.message.kind(), Kind::Recovered);
    assert_eq!(over, Told::default());
    let (told, nobody) = decide(&Told::default(), &failed(3, 0), &[], TELLER, NOW_US);
    assert_eq!(nobody, None);
    assert_eq!(decide(&told, &well(), &all, TELLER, at_min(1)).1, None);
}

#[test]
fn a_clock_that_is_set_back_silences_nobody() {
    let (told, _) = decide(
        &Told::default(),
        &failed(3, 0),
        &channels(),
        TELLER,
        at_min(60),
    );
    let (_, occasion) = decide(&told, &failed(3, 0), &channels(), TELLER, NOW_US);
    assert!(occasion.is_some());
    let (_, over) = decide(&told, &well(), &channels(), TELLER, at_min(-60));
    assert!(
        over.unwrap()
            .message
            .title()
            .ends_with("fine again after 0 s")
    );
}

#[test]
fn what_was_told_is_read_also_where_a_part_is_missing() {
    let told: Told = serde_json::from_str(r#"{"sinceUs": 1, "new": 2}"#).unwrap();
    let (_, occasion) = decide(&told, &failed(1, 0), &channels(), TELLER, NOW_US);
    assert!(occasion.is_some());
}

#[test]
fn durations_have_two_units_at_the_most() {
    for (s, text) in [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (2_519, "41 min"),
        (3_600, "1 h"),
        (7_500, "2 h 5 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d"),
        (273_600, "3 d 4 h"),
    ] {
        assert_eq!(duration(s * 1_000_000), text);
    }
}
