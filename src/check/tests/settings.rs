//! Servers, accounts, settings, tables and state: a finding each.

use super::*;
use crate::check::facts::Refused;

#[test]
fn servers_and_accounts() {
    assert_said(&[
        (
            |w| {
                w.source().server.grants = vec![
                    "GRANT SELECT, INSERT ON `a`.* TO `r`@`%` IDENTIFIED BY PASSWORD '*HIDDEN'"
                        .into(),
                ];
            },
            "warning: src.user: 'r'@'%' may do more than read: INSERT on `a`.*",
            &["REVOKE INSERT ON `a`.* FROM 'r'@'%';"],
        ),
        (
            |w| w.source().server.grants = vec!["GRANT ALL PRIVILEGES ON *.* TO `r`@`%`".into()],
            "warning: src.user",
            &[
                "CREATE USER 'cupid_reader'@'%' IDENTIFIED BY '…';",
                "GRANT SELECT ON `a`.`user` TO 'cupid_reader'@'%';",
                "GRANT SELECT ON `b`.`user` TO 'cupid_reader'@'%';",
            ],
        ),
        (
            |w| w.source().server.remote = true,
            "note: src.tls: is not set",
            &["unencrypted"],
        ),
        (
            |w| w.source().server.ahead_us = -7_000_000,
            "note: src.dsn: the clock",
            &["7 s behind"],
        ),
    ]);
}

#[test]
fn settings_tables_and_state() {
    assert_said(&[
        (
            |w| w.set("http://127.0.0.1/x", "http://shop.example.com:81/KEY"),
            "note: des[0].callbackNotification.url (copy1): rows go to shop.example.com unencrypted",
            &[],
        ),
        (
            |w| {
                w.set(r#""insert": true"#, r#""insert": false"#);
                w.set(r#""update": true"#, r#""update": false"#);
            },
            "error: src.insert: holds false",
            &[],
        ),
        (
            |w| {
                w.copy().table.columns.clear();
                w.copy().table.other_tables = vec!["users".into(), "orders".into()];
                w.copy().table.readable = Some(Refused {
                    code: 1146,
                    message: "no".into(),
                });
            },
            "error: des[0].table (copy1): holds \"b.user\"",
            &["did you mean users?"],
        ),
        (
            |w| {
                w.copy().table.columns.clear();
                w.copy().table.readable = Some(Refused {
                    code: 1142,
                    message: "denied".into(),
                });
            },
            "error: des[0].table (copy1): 'r'@'%' may not read b.user",
            &["GRANT SELECT ON `b`.`user` TO 'r'@'%';"],
        ),
        (
            |w| {
                w.copy().table.readable = Some(Refused {
                    code: 1143,
                    message: "denied".into(),
                });
            },
            "error: des[0].table (copy1): 'r'@'%' may not read every column of b.user",
            &["GRANT SELECT ON `b`.`user` TO 'r'@'%';"],
        ),
        (
            |w| {
                w.source().server.grants = vec![
                    "GRANT `role`@`%` TO `r`@`%`".into(),
                    "GRANT UPDATE ON `a`.* TO `r`@`%`".into(),
                ];
            },
            "warning: src.user: 'r'@'%' may do more than read: UPDATE on `a`.*",
            &["CREATE USER 'cupid_reader'@'%'"],
        ),
        (
            |w| {
                w.source_key(r#""where": "a =""#);
                w.source().table.condition = Some(Refused {
                    code: 1064,
                    message: "syntax".into(),
                });
            },
            "error: src.where: holds \"a =\"",
            &["syntax"],
        ),
        (
            |w| w.facts.state.unwritable = Some("Permission denied".into()),
            "error: src.cacheFilePath: /s cannot be written: Permission denied",
            &[],
        ),
        (
            |w| {
                w.facts.state.has_checkpoint = false;
                w.facts.state.first_cupids_id = Some(42);
            },
            "note: src.cacheFilePath",
            &["cupid.txt", "id 42"],
        ),
        (
            |w| w.source().refusal = Some("src.x: is odd".into()),
            "error: src.x: is odd",
            &[],
        ),
    ]);
}
