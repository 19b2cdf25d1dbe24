use super::*;
use proptest::prelude::*;

fn tcp(host: &str, port: u16) -> Address {
    Address::Tcp(host.into(), port)
}

fn socket(path: &str) -> Address {
    Address::Socket(path.into())
}

#[test]
fn a_pdo_dsn_is_read_in_any_order() {
    for (dsn, address, database) in [
        (
            "mysql:dbname=my;host=127.0.0.1;port=3306",
            tcp("127.0.0.1", 3306),
            Some("my"),
        ),
        ("mysql:host=db", tcp("db", 3306), None),
        (
            " mysql: port = 3307 ; host = db ; dbname = my ; charset = utf8 ; ",
            tcp("db", 3307),
            Some("my"),
        ),
        ("mysql:host=::1;port=1", tcp("::1", 1), None),
        ("mysql:host=[::1]", tcp("::1", 3306), None),
        (
            "mysql:unix_socket=/run/my.sock;dbname=my",
            socket("/run/my.sock"),
            Some("my"),
        ),
        (
            "mysql:host=localhost;unix_socket=/run/my.sock;port=",
            socket("/run/my.sock"),
            None,
        ),
    ] {
        let parsed = parse(dsn).unwrap();
        assert!(parsed.address == address, "{dsn}: {:?}", parsed.address);
        assert_eq!(parsed.database.as_deref(), database, "{dsn}");
        assert!(parsed.user.is_none() && parsed.password.is_none() && !parsed.is_url);
    }
}

#[test]
fn a_url_is_read_with_its_account() {
    for (dsn, address, user, password, database) in [
        (
            "mysql://u:p@db:3307/my",
            tcp("db", 3307),
            Some("u"),
            Some("p"),
            Some("my"),
        ),
        ("mysql://u@db", tcp("db", 3306), Some("u"), None, None),
        ("mysql://db/", tcp("db", 3306), None, None, None),
        (
            "mysql://a%40b:p%2F%3A%25%20q@db/my%20db",
            tcp("db", 3306),
            Some("a@b"),
            Some("p/:% q"),
            Some("my db"),
        ),
        (
            "mysql://u:a@b@db/my",
            tcp("db", 3306),
            Some("u"),
            Some("a@b"),
            Some("my"),
        ),
        (
            "mysql://u:%@db/my",
            tcp("db", 3306),
            Some("u"),
            Some("%"),
            Some("my"),
        ),
        (
            "mysql://u:p@[2001:db8::1]:3306/my",
            tcp("2001:db8::1", 3306),
            Some("u"),
            Some("p"),
            Some("my"),
        ),
        (
            "mysql://u:p@localhost/my?unix_socket=/run/my.sock",
            socket("/run/my.sock"),
            Some("u"),
            Some("p"),
            Some("my"),
        ),
        (
            "mysql://u:p@/my?socket=%2Frun%2Fmy.sock&charset=utf8",
            socket("/run/my.sock"),
            Some("u"),
            Some("p"),
            Some("my"),
        ),
        (
            "mysql:///my?socket=/run/my.sock",
            socket("/run/my.sock"),
            None,
            None,
            Some("my"),
        ),
    ] {
        let parsed = parse(dsn).unwrap_or_else(|problem| panic!("{dsn}: {problem}"));
        assert!(parsed.address == address, "{dsn}: {:?}", parsed.address);
        assert_eq!(parsed.user.as_deref(), user, "{dsn}");
        assert_eq!(parsed.password.as_deref(), password, "{dsn}");
        assert_eq!(parsed.database.as_deref(), database, "{dsn}");
    }
}

#[test]
fn a_wrong_dsn_is_refused_and_its_password_is_not_shown() {
    for (dsn, words) in [
        ("", "another kind"),
        ("pgsql:host=HIDDEN", "the kind \"pgsql\""),
        ("HIDDEN:host=db", "another kind"),
        ("mysql:", "without host"),
        ("mysql:host=;dbname=my", "without host"),
        ("mysql:HIDDEN", "has no \"=\""),
        ("mysql:host=db;prot=3306", "\"prot\"; did you mean port?"),
        ("mysql:host=db;persistent=1", "should have only host, port"),
        (
            "mysql:host=db;user=a;password=HIDDEN;HIDDEN=3",
            "keys user and password",
        ),
        ("mysql:HIDDEN=3;password=HIDDEN", "number 1, not shown"),
        (
            "mysql:host=db;dbname=my;HIDDEN=;port=1",
            "number 3, not shown",
        ),
        ("mysql://u:1?HIDDEN&x@db/my", "number 1, not shown"),
        ("mysql:host=db;port=HIDDEN", "invalid port"),
        ("mysql:host=db;port=0", "invalid port"),
        ("mysql:host=db;port=+1", "invalid port"),
        ("mysql:host=db;port=65536", "invalid port"),
        ("mysql:host=a;host=b", "names host twice"),
        ("mysql:host=db;unix_socket=/run/my.sock", "one of the two"),
        ("mysql://u:HIDDEN@db:99999/my", "invalid port"),
        ("mysql://u:HIDDEN@db:0/my", "port 0"),
        ("mysql://u:1/HIDDEN@db/my", "percent-encoded"),
        ("mysql://u:1?HIDDEN=1@db/my", "percent-encoded"),
        ("mysql://u:HID#DEN@db/my", "percent-encoded"),
        ("mysql://u:HIDDEN@/my", "without host"),
        ("mysql://u:HIDDEN@db/my?sockt=/x", "did you mean socket?"),
        (
            "mysql://u:HIDDEN@db/my?compress=1",
            "should have only unix_socket",
        ),
        ("mysql://u:HIDDEN@db/my?socket=/x", "one of the two"),
        ("mysql://", "without host"),
    ] {
        match parse(dsn) {
            Ok(parsed) => assert!(
                parsed.address == tcp(words, 3306),
                "{dsn}: {:?}",
                parsed.address
            ),
            Err(problem) => {
                assert!(problem.contains(words), "{dsn}: {problem}");
                assert!(
                    !problem.contains("HID") && !problem.contains("DEN"),
                    "{problem}"
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn any_account_survives_a_url(user in "\\PC{1,10}", password in "\\PC*", database in "[a-z]\\PC{0,9}") {
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let dsn = format!("mysql://{}:{}@db/{}", encode(&user), encode(&password), encode(&database));
        let parsed = parse(&dsn).unwrap();
        prop_assert_eq!(parsed.user.as_deref(), Some(&*user));
        prop_assert_eq!(parsed.password.unwrap_or_default(), password);
        prop_assert_eq!(parsed.database.as_deref(), Some(&*database));
    }

    #[test]
    fn any_text_is_a_dsn_or_a_refusal(text in "(mysql:(//)?)?\\PC*") {
        let _ = parse(&text);
    }
}
