//! How single values are meant.

use super::*;
use crate::logic::scan::zone::Zone;

#[test]
fn addresses_of_callbacks_get_their_scheme() {
    for (written, meant) in [
        (
            "127.0.0.1:20000/test/callback",
            Some("http://127.0.0.1:20000/test/callback"),
        ),
        ("//h/p", Some("http://h/p")),
        ("h", Some("http://h/")),
        ("localhost:8080", Some("http://localhost:8080/")),
        ("HTTPS://h/p?a=b://c", Some("https://h/p?a=b://c")),
        ("h/p?to=http://x", Some("http://h/p?to=http://x")),
        (
            "http://[::1]:80/回调#part",
            Some("http://[::1]/%E5%9B%9E%E8%B0%83"),
        ),
        ("ftp://h/p", None),
        ("unix:///run/x", None),
        ("http://", None),
        ("http:///p", None),
        ("/p", None),
        ("", None),
        (":80/p", None),
        ("h:0/p", None),
        ("h:70000/p", None),
        ("h:abc/p", None),
        ("http://u:HIDDEN@h/p", None),
        ("u:HIDDEN@h/p", None),
        ("a b/p", None),
    ] {
        let text = changed("http://h/p", written);
        if let Some(meant) = meant {
            assert_eq!(read(&text).destinations[0].callback.url, meant, "{written}");
            continue;
        }
        let problem = problem(&text);
        assert!(
            problem.contains("callbackNotification.url: "),
            "{written}: {problem}"
        );
        assert!(!problem.contains("HIDDEN"), "{problem}");
    }
}

#[test]
fn secrets_are_decoded_as_standard_webhooks_says() {
    for (written, bytes) in [
        ("whsec_AAEC/w==", b"\x00\x01\x02\xff".as_slice()),
        ("plain text", b"plain text"),
    ] {
        let job = read(&with("callback", &format!(r#""secret": "{written}""#)));
        assert_eq!(job.destinations[0].callback.secrets, [bytes]);
    }
    let two = read(&with("callback", r#""secret": ["new", "whsec_AAEC/w=="]"#));
    assert_eq!(
        two.destinations[0].callback.secrets,
        [b"new".as_slice(), b"\x00\x01\x02\xff"]
    );
}

#[test]
fn columns_keep_the_order_of_the_file_and_may_be_none() {
    let job = read(&changed(
        r#"{"a": "b"}"#,
        r#"{"z": "1", "a": {"to": "2", "tolerance": "1e-3", "ignoreCase": true, "nullEqualsEmpty": true}, "m": "${TABLE}"}"#,
    ));
    let pairs: Vec<_> = job.destinations[0]
        .columns
        .iter()
        .map(|p| (&*p.source, &*p.destination))
        .collect();
    assert_eq!(pairs, [("z", "1"), ("a", "2"), ("m", "t_of_env")]);
    let rule = &job.destinations[0].columns[1].rule;
    assert_eq!(rule.tolerance, Some("0.001".parse().unwrap()));
    assert!(rule.ignore_case && rule.null_equals_empty && !rule.trim);
    assert!(
        read(&changed(r#"{"a": "b"}"#, "{}")).destinations[0]
            .columns
            .is_empty()
    );
}

#[test]
fn every_destination_has_a_name_of_its_own() {
    let destination = |(name, host, url): &(&str, &str, &str)| {
        format!(
            r#"{{{name} "dsn": "mysql://u@{host}/d", "table": "t", "byColumn": "k", "columns": {{}}, "callbackNotification": {{"url": "{url}"}}}}"#
        )
    };
    let file = |list: &[(&str, &str, &str)]| {
        let list: Vec<_> = list.iter().map(destination).collect();
        format!(
            r#"{{"src": {{"dsn": "mysql://u@h/d", "table": "t", "byColumn": "k", "cacheFilePath": "/s"}}, "des": [{}]}}"#,
            list.join(",")
        )
    };
    let names = |text: &str| {
        let destinations = read(text).destinations.into_iter();
        destinations
            .map(|d| (d.name, d.name_before))
            .collect::<Vec<_>>()
    };
    let pair = |(name, before): (&str, &str)| (name.to_owned(), before.to_owned());
    assert_eq!(names(&file(&[("", "h", "u")])), [pair(("d.t", "d.t"))]);
    let several = file(&[
        ("", "H1", "u"),
        ("", "h2:3307", "u"),
        ("\"name\": \"d.t#2\",", "h3", "u"),
        ("", "[0::1]", "u"),
        ("", "h2:3307", "v"),
    ]);
    let tag = |url: &str| crate::logic::scan::identity::tag(["k", "", url]);
    let [u, v] = ["http://u/", "http://v/"].map(|url| format!("h2:3307/d.t#{}", tag(url)));
    assert_eq!(
        names(&several),
        [
            ("h1:3306/d.t", "d.t"),
            (u.as_str(), "d.t#3"),
            ("d.t#2", "d.t#2"),
            ("[::1]:3306/d.t", "d.t#4"),
            (v.as_str(), "d.t#5"),
        ]
        .map(pair)
    );
    let file = |names: &[&str]| {
        file(
            &names
                .iter()
                .map(|&name| (name, "h", "u"))
                .collect::<Vec<_>>(),
        )
    };
    let alike = problem(&file(&["", ""]));
    assert!(
        alike.starts_with(
            "des[1].name: is missing, and nothing tells this destination from des[0]:"
        ),
        "{alike}"
    );
    let twice = problem(&file(&["\"name\": \"x\",", "\"name\": \"x\","]));
    assert_eq!(
        twice,
        "des[1].name: holds \"x\"; should be a name that no other destination has"
    );
}

#[test]
fn time_zones_are_names_or_offsets() {
    for (text, zone) in [
        ("UTC", Zone::Named(chrono_tz::UTC)),
        ("Asia/Shanghai", Zone::Named(chrono_tz::Asia::Shanghai)),
        ("+08:00", Zone::Fixed(28_800)),
        ("-03:30", Zone::Fixed(-12_600)),
    ] {
        let job = read(&with(
            "src",
            &format!(
                r#""update": true, "updateColumn": "u", "updateScanSecond": 5, "updateTimeFormat": "U", "timeZone": "{text}""#
            ),
        ));
        let update = job.source.update.unwrap();
        assert_eq!(update.time_zone, Some(zone));
        assert!(update.format.unwrap().is_epoch());
    }
}

#[test]
fn environment_variables_are_filled_in_once() {
    let job = read(&changed(
        r#""table": "t""#,
        r#""table": "a_${TABLE}${EMPTY}_b", "where": "${DOLLAR}""#,
    ));
    assert_eq!(job.source.table.table, "a_t_of_env_b");
    assert_eq!(job.source.table.condition.as_deref(), Some("${TABLE}"));
}

#[test]
fn a_file_with_secrets_in_clear_is_noticed() {
    let no_password = LEAST.replace("u:p@", "u@");
    for (text, in_clear) in [
        (no_password.clone(), false),
        (LEAST.to_owned(), true),
        (LEAST.replace("u:p@", "u:${CUPID_SRC_PASSWORD}@"), false),
        (LEAST.replace("u:p@", "${TABLE}:p@"), true),
        (
            no_password.replace(r#""table": "t","#, r#""table": "t", "password": "x","#),
            true,
        ),
        (
            no_password.replace(r#""table": "t","#, r#""table": "t", "password": "","#),
            false,
        ),
        (
            no_password.replace(r#""url""#, r#""secret": "x", "url""#),
            true,
        ),
        (
            no_password.replace(r#""url""#, r#""secret": "${TABLE}", "url""#),
            false,
        ),
        (
            no_password.replace(r#""url""#, r#""headers": {"Authorization": "x"}, "url""#),
            true,
        ),
        (
            no_password.replace(r#""url""#, r#""headers": {"X-Team": "x"}, "url""#),
            false,
        ),
    ] {
        let open = read(&text).secrets_readable_by_others;
        assert_eq!(!open.is_empty(), in_clear, "{text}");
    }
}

#[test]
fn the_name_comes_from_the_file() {
    for (path, name, notes) in [
        ("/etc/cupid/user.json", "user", 0),
        ("a.b.json", "a.b", 0),
        ("/x/用户 1.json", "用户_1", 1),
        ("/x/Zu\u{308}rich.json", "Z\u{fc}rich", 0),
    ] {
        let job = read_with(LEAST, path, &env).unwrap();
        assert_eq!(
            (job.name.as_str(), job.notes.len()),
            (name, notes),
            "{path}"
        );
    }
    for name in ["n-1_x.y", "用户"] {
        let job = read(&with("", &format!(r#""name": "{name}""#)));
        assert_eq!((job.name.as_str(), job.former_name), (name, None));
    }
    let former = |path| read_with(LEAST, path, &env).unwrap().former_name;
    assert_eq!(former("/x/用户.json").as_deref(), Some("__"));
    assert_eq!(former("/x/user 1.json"), None);
}

#[test]
fn the_state_folder_comes_from_the_environment_when_the_file_has_none() {
    let text = changed(r#", "cacheFilePath": "/var/lib/cupid""#, "");
    for (variables, dir) in [
        (
            vec![("STATE_DIRECTORY", "/var/lib/a:/var/lib/b"), ("HOME", "/h")],
            Some("/var/lib/a"),
        ),
        (
            vec![
                ("STATE_DIRECTORY", ""),
                ("XDG_STATE_HOME", "/x"),
                ("HOME", "/h"),
            ],
            Some("/x/cupid"),
        ),
        (
            vec![("XDG_STATE_HOME", "relative"), ("HOME", "/h")],
            Some("/h/.local/state/cupid"),
        ),
        (vec![("HOME", "")], None),
    ] {
        let env = |name: &str| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let read = read_with(&text, "c.json", &env);
        match dir {
            Some(dir) => {
                assert_eq!(read.unwrap().source.state_dir, Path::new(dir));
                // A unit and a shell see the same state.
                let in_etc = read_with(&text, "/etc/cupid/order.1.json", &env).unwrap();
                let expected = match variables[0] {
                    ("STATE_DIRECTORY", "/var/lib/a:/var/lib/b") => "/var/lib/a",
                    _ => "/var/lib/cupid/order.1",
                };
                assert_eq!(in_etc.source.state_dir, Path::new(expected));
                let elsewhere = read_with(&text, "/etc/cupid/old/c.json", &env).unwrap();
                assert_eq!(elsewhere.source.state_dir, Path::new(dir));
            }
            None => assert!(
                read.unwrap_err()
                    .to_string()
                    .contains("src.cacheFilePath: is missing")
            ),
        }
    }
}

#[test]
fn tls_is_verified_as_ssl_mode_or_the_object_says() {
    let tls = |dsn: &str, object: &str| {
        let dsn = format!(r#""mysql://u:p@db/my{dsn}"{object}"#);
        let job = read(&changed(r#""mysql://u:p@db/my""#, &dsn));
        let tls = job.source.table.server.tls;
        tls.map(|tls| (tls.verify, tls.ca.is_some()))
    };
    let (nothing, authority, identity) = (Verify::Nothing, Verify::Authority, Verify::Identity);
    for (dsn, object, expected) in [
        ("", "", None),
        ("?ssl-mode=DISABLED", "", None),
        ("?ssl-mode=REQUIRED", "", Some((nothing, false))),
        ("?ssl-mode=verify_ca", "", Some((authority, false))),
        ("?ssl-mode=VERIFY_IDENTITY", "", Some((identity, false))),
        (
            "?ssl-mode=VERIFY_CA",
            r#", "tls": {"ca": "/ca"}"#,
            Some((authority, true)),
        ),
        (
            "?ssl-mode=REQUIRED",
            r#", "tls": {"ca": "/ca"}"#,
            Some((nothing, true)),
        ),
        ("", r#", "tls": {}"#, Some((identity, false))),
        ("", r#", "tls": {"ca": "/ca"}"#, Some((identity, true))),
        (
            "",
            r#", "tls": {"ca": "/ca", "verify": false}"#,
            Some((authority, true)),
        ),
        ("", r#", "tls": {"verify": false}"#, Some((nothing, false))),
    ] {
        assert_eq!(tls(dsn, object), expected, "{dsn} {object}");
    }
}
