//! Servers and accounts.

use super::*;

fn granted(privileges: &str) -> String {
    said(|w| {
        w.source().server.grants = vec![format!("GRANT {privileges} ON `a`.* TO `r`@`%`")];
    })
}

#[test]
fn a_server_and_an_account_are_spoken_of_once() {
    let answers = |change: fn(&mut World)| said(change).matches(" answers ").count();
    assert_eq!(answers(|_| {}), 1);
    assert_eq!(
        answers(|w| w.copy().server.label = "elsewhere:3306".into()),
        2
    );
    assert_eq!(answers(|w| w.copy().server.account = "'s'@'%'".into()), 2);
}

#[test]
fn rows_that_travel_unencrypted_are_told() {
    const WORDS: &str = "rows travel unencrypted between";
    assert!(said(|w| w.source().server.remote = true).contains(WORDS));
    assert!(!said(|_| {}).contains(WORDS));
    let encrypted = said(|w| {
        w.source().server.remote = true;
        w.source().server.encrypted = true;
    });
    assert!(!encrypted.contains(WORDS));
    assert!(encrypted.contains(", encrypted"));
}

#[test]
fn a_certificate_that_is_not_verified_is_told() {
    let verified = |verify: bool| {
        said(|w| {
            let tls = format!(r#""tls": {{"ca": "/ca.pem", "verify": {verify}}}"#);
            w.source_key(&tls);
        })
    };
    assert!(verified(false).contains("does not verify the server's identity"));
    assert!(!verified(true).contains("does not verify the server's identity"));
}

#[test]
fn clocks_that_differ_by_more_than_two_seconds_are_told() {
    let ahead = |us| said(|w| w.source().server.ahead_us = us);
    assert!(ahead(2_000_001).contains("is 2 s ahead of this machine's"));
    assert!(ahead(-3_500_000).contains("is 3 s behind this machine's"));
    for us in [2_000_000, -2_000_000, 0] {
        assert!(!ahead(us).contains("the clock of"), "{us}");
    }
    let copys = said(|w| w.copy().server.ahead_us = 9_000_000);
    assert!(!copys.contains("the clock of"));
}

#[test]
fn mysql_is_named_and_mariadb_names_itself() {
    let version = |version: &str| said(|w| w.source().server.version = version.into());
    assert!(version("9.7.0").contains(": MySQL 9.7.0, zone"));
    assert!(version("11.8.2-MariaDB").contains(": 11.8.2-MariaDB, zone"));
}

#[test]
fn few_privileges_are_taken_away_and_for_many_there_is_another_account() {
    let six = "INSERT, UPDATE, DELETE, CREATE, DROP, INDEX";
    let few = granted(six);
    assert!(few.contains(&format!("REVOKE {six} ON `a`.* FROM 'r'@'%';")));
    assert!(few.contains("INSERT, UPDATE, DELETE, CREATE and 2 more on `a`.*"));
    assert!(!few.contains("CREATE USER"));
    let four = granted("INSERT, UPDATE, DELETE, CREATE");
    assert!(four.contains("DELETE, CREATE on `a`.*"));
    for much in [format!("{six}, ALTER"), "ALL PRIVILEGES".into()] {
        let many = granted(&much);
        assert!(!many.contains("REVOKE"), "{many}");
        assert!(many.contains("CREATE USER 'cupid_reader'@'%'"), "{many}");
    }
    let by_role = said(|w| {
        w.source().server.grants = vec![
            "GRANT `writer`@`%` TO `r`@`%`".into(),
            "GRANT INSERT ON `a`.* TO `r`@`%`".into(),
        ];
    });
    assert!(!by_role.contains("REVOKE") && by_role.contains("CREATE USER"));
    // Both tables are read by the same account.
    let tables = [
        "GRANT SELECT ON `a`.`user` TO 'cupid_reader'@'%';",
        "GRANT SELECT ON `b`.`user` TO 'cupid_reader'@'%';",
    ];
    assert!(tables.iter().all(|grant| by_role.contains(grant)));
    let others = said(|w| {
        w.copy().server.account = "'s'@'%'".into();
        w.source().server.grants = vec!["GRANT ALL PRIVILEGES ON *.* TO `r`@`%`".into()];
    });
    assert!(others.contains(tables[0]) && !others.contains(tables[1]));
}
