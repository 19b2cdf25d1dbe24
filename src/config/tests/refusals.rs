//! What is refused, and in which words.

use super::*;

/// Where a key is added to the least file, the key, and the words of its refusal.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "src",
        r#""updateScanSecond": "abc""#,
        r#"src.updateScanSecond: holds "abc" (text); should hold a whole number of seconds from 1 to 31536000"#,
    ),
    (
        "",
        r#""workerNumber": "4""#,
        r#"workerNumber: holds "4" (text); should hold a whole number"#,
    ),
    ("", r#""workerNumber": 0"#, "workerNumber: holds 0; should"),
    (
        "",
        r#""workerNumber": 1.5"#,
        "workerNumber: holds 1.5; should",
    ),
    (
        "",
        r#""workerNumber": -1"#,
        "workerNumber: holds -1; should",
    ),
    (
        "",
        r#""workerNumber": null"#,
        "workerNumber: holds null; should",
    ),
    (
        "",
        r#""workerNumber": 99999999999999999999999"#,
        "workerNumber: holds 99999999999999999999999; should",
    ),
    (
        "",
        r#""confirmDelayMillisecond": 600001"#,
        "from 0 to 600000",
    ),
    (
        "",
        r#""deliverySecond": true"#,
        "deliverySecond: holds true; should",
    ),
    ("", r#""maxOwed": []"#, "maxOwed: holds a list; should"),
    (
        "",
        r#""maxThreadsRunning": 0"#,
        "maxThreadsRunning: holds 0; should hold a whole number of threads from 1 to 100000",
    ),
    (
        "",
        r#""maxLagSecond": "x""#,
        r#"maxLagSecond: holds "x" (text); should"#,
    ),
    (
        "",
        r#""maxRowsPerSecond": 0"#,
        "maxRowsPerSecond: holds 0; should hold a whole number of rows a second from 1 to 100000000",
    ),
    (
        "",
        r#""metricsFile": "/m/cupid.txt""#,
        r#"metricsFile: holds "/m/cupid.txt"; should hold a file whose name ends in .prom"#,
    ),
    (
        "",
        r#""logDir": """#,
        r#"logDir: holds ""; should hold a folder"#,
    ),
    ("", r#""name": "a/b""#, r#"name: holds "a/b"; should hold"#),
    ("", r#""name": "用户 1""#, "name: holds"),
    ("", r#""name": "..\u202e""#, "name: holds"),
    (
        "",
        r#""workerNumbr": 3"#,
        "workerNumbr: is no key of cupid; did you mean workerNumber?",
    ),
    (
        "",
        r#""zzz": 3"#,
        "zzz: is no key of cupid; known here are name, workerNumber",
    ),
    (
        "",
        r#""workerNumber": 3, "workerNumber": 3"#,
        "workerNumber: is written twice",
    ),
    (
        "",
        r#""notify": [{"type": "slak"}]"#,
        "notify[0].type: holds \"slak\"; should hold one of serverchan, wecom, dingtalk, feishu, slack, webhook, command (did you mean slack?)",
    ),
    ("", r#""notify": [{}]"#, "notify[0].type: is missing"),
    (
        "",
        r#""notify": [{"type": "slack", "url": "${NO}"}]"#,
        "notify[0].url: needs the environment variable NO",
    ),
    (
        "",
        r#""notify": ["slack"]"#,
        "notify[0]: holds text (not shown); should hold an object",
    ),
    (
        "src",
        r#""insert": "false""#,
        r#"src.insert: holds "false" (text); should hold true or false"#,
    ),
    (
        "src",
        r#""allowFullScan": 1"#,
        "src.allowFullScan: holds 1; should hold true or false",
    ),
    (
        "src",
        r#""insertStartId": -9223372036854775809"#,
        "src.insertStartId: holds -9223372036854775809; should hold a whole number from -9223372036854775808 to 18446744073709551615",
    ),
    ("src", r#""update": true"#, "src.updateColumn: is missing"),
    (
        "src",
        r#""update": true"#,
        "src.updateScanSecond: is missing",
    ),
    (
        "src",
        r#""update": true, "updateTimeFormate": "d/m/Y""#,
        r#"src.updateTimeFormate: holds "d/m/Y"; it begins with"#,
    ),
    (
        "src",
        r#""update": true, "updateTimeFormate": "U", "updateTimeFormat": "Uv""#,
        "src.updateTimeFormat: holds \"Uv\"; should be the same",
    ),
    (
        "src",
        r#""timeZone": "Asia/Shangai""#,
        "did you mean Asia/Shanghai?",
    ),
    (
        "src",
        r#""timeZone": "+14:01""#,
        "src.timeZone: holds \"+14:01\"; should",
    ),
    ("src", r#""timeZone": "+8""#, "src.timeZone: holds"),
    (
        "src",
        r#""tls": true"#,
        "src.tls: holds true or false (not shown); should hold an object",
    ),
    ("src", r#""tls": {"cert": "/c"}"#, "src.tls.key: is missing"),
    (
        "callback",
        r#""tls": {"ca": "/ca.pem"}"#,
        "des[0].callbackNotification.tls: has no effect on an address of http://",
    ),
    (
        "callback",
        r#""secret": []"#,
        "des[0].callbackNotification.secret: holds an empty list",
    ),
    (
        "callback",
        r#""secret": ["good", ""]"#,
        "des[0].callbackNotification.secret[1]: holds nothing usable (not shown)",
    ),
    (
        "callback",
        r#""secret": ["good", 7]"#,
        "des[0].callbackNotification.secret[1]: holds a number (not shown)",
    ),
    (
        "src",
        r#""tls": {"verfy": false}"#,
        "src.tls.verfy: is no key of cupid; did you mean verify?",
    ),
    ("src", r#""where": 1"#, "src.where: holds 1; should"),
    (
        "src",
        r#""user": "other""#,
        "src.user: differs from what the URL in dsn says",
    ),
    (
        "src",
        r#""idColumn": "${NO_SUCH}""#,
        "src.idColumn: needs the environment variable NO_SUCH, which is not set",
    ),
    (
        "src",
        r#""idColumn": "${}""#,
        "src.idColumn: holds \"${\" without the name",
    ),
    (
        "src",
        r#""idColumn": "${A""#,
        "src.idColumn: holds \"${\" without the name",
    ),
    (
        "des",
        r#""updateColumn": "x""#,
        "des[0].updateColumn: is no key of cupid; known here are name, dsn",
    ),
    (
        "des",
        r#""name": "a\nb""#,
        r#"des[0].name: holds "a\nb"; should"#,
    ),
    ("columns", r#""c": 3"#, "des[0].columns.c: holds 3; should"),
    (
        "columns",
        r#""c": """#,
        "des[0].columns.c: holds \"\" (text); should",
    ),
    ("columns", r#""": "c""#, "is no column's name"),
    (
        "columns",
        r#""a": "c""#,
        "des[0].columns.a: is written twice",
    ),
    ("columns", r#""c": {}"#, "des[0].columns.c.to: is missing"),
    (
        "columns",
        r#""c": {"to": "c", "tolerence": 1}"#,
        "des[0].columns.c.tolerence: is no key of cupid; did you mean tolerance?",
    ),
    (
        "columns",
        r#""c": {"to": "c", "tolerance": -1}"#,
        "des[0].columns.c.tolerance: holds -1; should",
    ),
    (
        "columns",
        r#""c": {"to": "c", "tolerance": "1,5"}"#,
        "des[0].columns.c.tolerance: holds \"1,5\" (text); should",
    ),
    (
        "columns",
        r#""c": {"to": "c", "tolerance": 1e999999999}"#,
        "des[0].columns.c.tolerance: holds 1e999999999; should",
    ),
    (
        "columns",
        r#""c": {"to": "c", "trim": 1}"#,
        "des[0].columns.c.trim: holds 1; should hold true or false",
    ),
    (
        "callback",
        r#""timeoutMilisecond": 1"#,
        "des[0].callbackNotification.timeoutMilisecond: is no key of cupid; did you mean timeoutMillisecond?",
    ),
    (
        "callback",
        r#""concurrency": 257"#,
        "des[0].callbackNotification.concurrency: holds 257; should hold a whole number of requests from 1 to 256",
    ),
    ("callback", r#""attempts": 0"#, "attempts: holds 0; should"),
    (
        "callback",
        r#""headers": {"Content-Type": "x"}"#,
        "headers.Content-Type: is a header that cupid sets itself",
    ),
    (
        "callback",
        r#""headers": {"WebHook-Id": "x"}"#,
        "cupid sets itself",
    ),
    (
        "callback",
        r#""headers": {"Cupid-X": "x"}"#,
        "cupid sets itself",
    ),
    (
        "callback",
        r#""headers": {"a b": "x"}"#,
        "is no header's name",
    ),
    (
        "callback",
        r#""headers": {"X-A": "x", "x-a": "y"}"#,
        "headers.x-a: is written twice",
    ),
];

#[test]
fn every_refusal_names_its_key_and_what_it_should_hold() {
    for (level, key, words) in REFUSED {
        let problem = problem(&with(level, key));
        assert!(problem.contains(words), "{key}:\n{problem}");
        assert!(!problem.starts_with("0 "), "{key}:\n{problem}");
    }
}

#[test]
fn what_is_missing_or_wrong_in_a_required_key_is_named() {
    for (from, to, words) in [
        (
            r#""dsn": "mysql://u:p@db/my", "#,
            "",
            "src.dsn: is missing; should hold mysql:",
        ),
        (r#", "byColumn": "k""#, "", "src.byColumn: is missing"),
        (r#""table": "t", "#, "", "src.table: is missing"),
        (
            r#""table": "t", "#,
            r#""table": "a.b.c", "#,
            "src.table: holds \"a.b.c\"; should be",
        ),
        (
            "@db/my",
            "@db",
            "src.table: holds \"t\"; should hold database.table, as dsn names no database",
        ),
        (
            r#""mysql://u:p@db/my""#,
            r#""mysql:host=db;dbname=my""#,
            "src.user: is missing",
        ),
        (
            r#""mysql://u:p@db/my""#,
            r#""mysql:host=db;dbname=my", "user": "u""#,
            "src.password: is missing",
        ),
        (
            r#""mysql://u:p@db/my""#,
            r#""mysql://u@localhost/my?socket=/s", "tls": {}"#,
            "src.tls: is not possible over the Unix socket",
        ),
        (
            r#""mysql://u:p@db/my""#,
            r#""mysql://db/my""#,
            "src.user: is missing",
        ),
        (
            r#""columns": {"a": "b"},"#,
            "",
            "des[0].columns: is missing",
        ),
        (
            r#""url": "http://h/p""#,
            "",
            "des[0].callbackNotification.url: is missing",
        ),
        (
            r#"{"url": "http://h/p"}"#,
            r#""http://h/p""#,
            "des[0].callbackNotification: holds text (not shown); should hold an object",
        ),
        (r#""src": {"#, r#""source": {"#, "src: is missing"),
        (
            r#""des": ["#,
            r#""des": {}, "x": ["#,
            "des: holds an object; should hold a list",
        ),
        (
            r#""des": ["#,
            r#""des": [], "x": ["#,
            "des: holds no destination",
        ),
    ] {
        let problem = problem(&changed(from, to));
        assert!(problem.contains(words), "{from} → {to}:\n{problem}");
    }
}

#[test]
fn all_problems_are_told_at_once_one_per_line() {
    let text =
        with("", r#""workerNumber": 0, "name": "", "zzz": 1"#).replace("http://h/p", "ftp://h");
    let problem = problem(&text);
    let lines: Vec<_> = problem.lines().collect();
    assert_eq!(lines.len(), 5, "{problem}");
    assert_eq!(lines[0], "4 problems");
    assert!(
        lines[1].starts_with("name: ") && lines[4].starts_with("zzz: "),
        "{problem}"
    );
}

#[test]
fn passwords_and_secrets_are_never_shown() {
    for (level, key) in [
        ("src", r#""password": "HIDDEN""#),
        ("src", r#""password": ["HIDDEN"]"#),
        ("src", r#""passwrod": "HIDDEN""#),
        ("src", r#""pushbearSendKey": {"a": "HIDDEN"}"#),
        ("callback", r#""secret": "whsec_HIDDEN!""#),
        ("callback", r#""headers": {"X-Token": "HIDDEN\r\nX: y"}"#),
        ("callback", r#""headers": {"X-Token": ["HIDDEN"]}"#),
        ("callback", r#""secret": 4321, "headers": "HIDDEN""#),
    ] {
        let problem = problem(&with(level, key));
        assert!(
            !problem.contains("HIDDEN") && !problem.contains("4321"),
            "{problem}"
        );
    }
    let with_clear_url = changed("mysql://u:p@db/my", "mysql://u:HIDDEN@db:port/my");
    assert!(!problem(&with_clear_url).contains("HIDDEN"));
    let job = read(
        &with(
            "callback",
            r#""secret": "HIDDEN", "headers": {"X": "HIDDEN"}"#,
        )
        .replace(":p@", ":HIDDEN@"),
    );
    assert!(!format!("{job:?}").contains("HIDDEN"));
}

#[test]
fn only_comments_and_trailing_commas_are_added_to_json() {
    read(
        &LEAST
            .replace("}]", "},],")
            .replace("{\"a\"", "/* x */ {// y\n\"a\""),
    );
    read(&format!("\u{feff}{LEAST}"));
    for text in [
        "",
        "[]",
        "3",
        "{",
        "{'src': 1}",
        "{src: 1}",
        "{\"a\": 1 \"b\": 2}",
        "{\"a\": 0x1}",
        "{\"a\": .5}",
        "{\"a\": +1}",
        "{\"a\": NaN}",
        "{\"a\": \"\\x41\"}",
        "{} {}",
        "{\"a\": \"x",
    ] {
        let problem = problem(text);
        assert!(
            problem.starts_with("Is not valid JSON: ")
                || problem.starts_with("Holds no JSON object"),
            "{text}: {problem}"
        );
    }
}

#[test]
fn ssl_mode_and_tls_do_not_contradict_each_other() {
    for (dsn, words) in [
        (
            r#""mysql://u@localhost/my?socket=/s&ssl-mode=required""#,
            "src.dsn: asks for TLS, which is not possible over the Unix socket",
        ),
        (
            r#""mysql://u:p@db/my?ssl-mode=PREFERRED""#,
            "src.dsn: holds a DSN with ssl-mode=PREFERRED, which falls back to plain text",
        ),
        (
            r#""mysql://u:p@db/my?ssl-mode=VERIFY_CAA""#,
            "src.dsn: holds a DSN with another ssl-mode (not shown); should have DISABLED",
        ),
        (
            r#""mysql://u:p@db/my?sslmode=REQUIRED""#,
            "did you mean ssl-mode?",
        ),
        (
            r#""mysql://u:p@db/my?ssl-mode=REQUIRED&ssl-mode=DISABLED""#,
            "src.dsn: holds a DSN that names ssl-mode twice",
        ),
        (
            r#""mysql://u:p@db/my?ssl-mode=DISABLED", "tls": {}"#,
            "src.tls: stands beside ssl-mode=DISABLED in dsn",
        ),
        (
            r#""mysql://u:p@db/my?ssl-mode=VERIFY_CA", "tls": {"verify": false}"#,
            "src.tls.verify: stands beside ssl-mode in dsn",
        ),
    ] {
        let problem = problem(&changed(r#""mysql://u:p@db/my""#, dsn));
        assert!(problem.contains(words), "{dsn}:\n{problem}");
    }
}
