//! Files beside the tables.

use super::*;

#[test]
fn secrets_that_everybody_can_read_are_a_warning() {
    assert_said(&[(
        |w| w.facts.open_secrets = vec!["/etc/cupid/user.env".into()],
        "warning: /etc/cupid/user.env holds secrets, and everybody",
        &["chmod o= /etc/cupid/user.env"],
    )]);
    for mounted in ["/run/secrets/x", "/var/run/secrets/x"] {
        let said = said(|w| w.facts.open_secrets = vec![mounted.into()]);
        assert!(!said.contains("everybody"), "{said}");
    }
}

#[test]
fn metrics_that_cannot_be_written_are_a_warning() {
    assert_said(&[(
        |w| {
            w.set(
                r#""name": "t""#,
                r#""name": "t", "metricsFile": "/m/t.prom""#,
            );
            w.facts.metrics_unwritable = Some("No such file or directory".into());
        },
        "warning: metricsFile: no file can be written beside /m/t.prom: No such file",
        &["passes go on"],
    )]);
}

#[test]
fn a_state_folder_of_another_user_is_told() {
    assert_said(&[
        (
            |w| w.facts.state.owner_and_user = Some((999, 0)),
            "note: src.cacheFilePath: /s belongs to user 999, and this is user 0",
            &["sudo -u '#999' cupid check /c.json"],
        ),
        (
            |w| {
                w.facts.state.owner_and_user = Some((999, 1000));
                w.facts.state.unwritable = Some("Permission denied".into());
            },
            "error: src.cacheFilePath: /s cannot be written: Permission denied (it belongs to user 999, and this is user 1000)",
            &["sudo -u '#999'"],
        ),
    ]);
}
