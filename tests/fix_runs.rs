//! `--fix-sql`, given to the plain client: every statement runs as it is, and the next audit finds nothing.

mod common;

use std::io::Write as _;
use std::process::{Command, Stdio};

use common::{Config, Db, Scene};
use serde_json::{Value, json};

/// What an operator does with the file, under the server's own `sql_mode`. What the client says against it.
fn apply(db: &Db, text: &str) -> Result<(), String> {
    let url = mysql::Opts::from_url(&db.server.url("")).expect("An address");
    let mut command = Command::new("mariadb");
    command
        .args(["--no-defaults", "--protocol=tcp"])
        .arg(format!("--host={}", db.server.host))
        .arg(format!("--port={}", db.server.port))
        .arg(format!("--user={}", url.get_user().unwrap_or_default()));
    if let Some(password) = url.get_pass() {
        command.env("MYSQL_PWD", password);
    }
    let mut client = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Start the client");
    let mut stdin = client.stdin.take().expect("stdin is a pipe");
    // A client that ends early says why.
    let _ = stdin.write_all(text.as_bytes());
    drop(stdin);
    let output = client.wait_with_output().expect("Wait for the client");
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The same tables on both sides, but for what `source` and `copy` add.
fn tables(columns: &str) -> [String; 2] {
    ["src", "des"].map(|side| format!("CREATE TABLE {side}.user (id INT PRIMARY KEY, {columns})"))
}

fn pairs(names: &str) -> Value {
    let pairs = names.split(' ').map(|name| (name.to_owned(), json!(name)));
    Value::Object(pairs.collect())
}

/// Two sides with differences.
fn drifted(setup: &[String], key: &str, columns: &str, more: impl FnOnce(&mut Config)) -> Scene {
    let mut scene = Scene::bare(Db::new(1));
    let mut session = scene.db.session();
    for sql in setup {
        let sql = scene.db.sql(sql);
        mysql::prelude::Queryable::query_drop(&mut session, &sql)
            .unwrap_or_else(|error| panic!("{error} in: {sql}"));
    }
    scene
        .config
        .set("/src/byColumn", key)
        .set("/des/0/byColumn", key)
        .set("/des/0/columns", pairs(columns));
    more(&mut scene.config);
    scene
}

fn statements(scene: &Scene, options: &str) -> String {
    let path = scene.config.folder().join("fix.sql");
    scene
        .cupid("reconcile")
        .args("--dry-run --fix-sql")
        .arg(&path)
        .args(options)
        .exits(1);
    std::fs::read_to_string(path).expect("The statements are there")
}

/// Applies the statements and audits again. Returns them.
#[track_caller]
fn repaired(scene: &Scene) -> String {
    let text = statements(scene, "");
    if let Err(error) = apply(&scene.db, &text) {
        panic!("{error} in:\n{text}");
    }
    let outcome = scene.cupid("reconcile").args("--dry-run --report -").run();
    assert_eq!(outcome.code, Some(0), "{}\nafter:\n{text}", outcome.stdout);
    text
}

#[track_caller]
fn repairs(setup: &[String], key: &str, columns: &str) -> String {
    repaired(&drifted(setup, key, columns, |_| ()))
}

/// `id` and one unique column, on the source as it shall be and on the copy as it is.
#[track_caller]
fn trades(column: &str, rows: &[(&str, &str)]) -> String {
    let mut setup = tables(column).to_vec();
    for (id, (wanted, held)) in rows.iter().enumerate() {
        setup.push(format!("INSERT INTO src.user VALUES ({id}, {wanted})"));
        if !held.is_empty() {
            setup.push(format!("INSERT INTO des.user VALUES ({id}, {held})"));
        }
    }
    let columns = column.split(", UNIQUE(").next().unwrap_or_default();
    let names: Vec<&str> = columns
        .split(", ")
        .filter_map(|part| part.split(' ').next())
        .collect();
    repairs(&setup, "id", &names.join(" "))
}

#[test]
fn rows_that_swap_a_unique_value_are_repaired_whatever_its_type() {
    for (column, one, other) in [
        ("u INT UNIQUE", "1", "2"),
        ("u INT NOT NULL UNIQUE", "1", "2"),
        ("u TINYINT NOT NULL UNIQUE", "127", "-128"),
        (
            "u BIGINT UNSIGNED NOT NULL UNIQUE",
            "18446744073709551615",
            "5",
        ),
        ("u VARCHAR(20) NOT NULL UNIQUE", "'a'", "'b'"),
        (
            "u CHAR(6) CHARACTER SET latin1 NOT NULL UNIQUE",
            "'a'",
            "'b'",
        ),
        ("u VARBINARY(16) NOT NULL UNIQUE", "X'00ff'", "X'01'"),
        ("u DECIMAL(4,2) NOT NULL UNIQUE", "99.99", "1"),
        ("u DOUBLE NOT NULL UNIQUE", "0.1", "-1e200"),
        ("u DATE NOT NULL UNIQUE", "'2024-01-01'", "'2024-01-02'"),
        (
            "u DATETIME(3) NOT NULL UNIQUE",
            "'2024-01-01 00:00:00.5'",
            "'2024-01-02 00:00:00'",
        ),
        ("u YEAR NOT NULL UNIQUE", "2155", "1999"),
        ("u ENUM('a','b') UNIQUE", "'a'", "'b'"),
        ("u BIT(3) UNIQUE", "1", "2"),
    ] {
        trades(column, &[(one, other), (other, one)]);
    }
}

#[test]
fn chains_and_circles_of_unique_values_are_repaired() {
    let column = "u VARCHAR(20) NOT NULL UNIQUE";
    // A chain in the wrong order, a circle of three, a swap, a new row that takes what another one gives up.
    let text = trades(
        column,
        &[
            ("'b'", "'a'"),
            ("'c'", "'b'"),
            ("'d'", "'c'"),
            ("'k'", "'l'"),
            ("'l'", "'m'"),
            ("'m'", "'k'"),
            ("'x'", "'y'"),
            ("'y'", "'x'"),
            ("'a'", ""),
        ],
    );
    assert_eq!(text.matches("gives up a unique value").count(), 2, "{text}");
    // Several columns, one of which stays; two indexes that are traded the other way round.
    trades(
        "a INT NOT NULL, b VARCHAR(9) NOT NULL, UNIQUE(a, b)",
        &[
            ("1, 'x'", "1, 'y'"),
            ("1, 'y'", "1, 'x'"),
            ("2, 'x'", "2, 'z'"),
        ],
    );
    trades(
        "a INT UNIQUE, b VARCHAR(9) UNIQUE",
        &[
            ("1, 'x'", "2, 'y'"),
            ("2, 'z'", "3, 'x'"),
            ("3, 'y'", "1, 'z'"),
        ],
    );
    // The unique column is not alone, and another one is traded by spellings that the collation takes for the same.
    trades(
        "u VARCHAR(20) COLLATE utf8mb4_general_ci UNIQUE, x INT",
        &[("'A', 1", "'b', 2"), ("'B', 3", "'á', 4")],
    );
    // NULL is nobody's.
    trades(
        "u INT UNIQUE",
        &[("NULL", "1"), ("1", "NULL"), ("2", "NULL")],
    );
}

#[test]
fn what_the_server_computes_is_not_written() {
    let columns = "a INT, v INT AS (a * 2) VIRTUAL, s VARCHAR(20) AS (CONCAT('k', a)) STORED";
    let plain = "a INT, v INT, s VARCHAR(20)";
    let setup = |key: &str| {
        vec![
            format!("CREATE TABLE src.user (id INT PRIMARY KEY, {plain})"),
            format!("CREATE TABLE des.user (id INT AUTO_INCREMENT PRIMARY KEY, {columns}, {key})"),
            "INSERT INTO src.user VALUES (1, 5, 10, 'k5'), (2, 6, 12, 'k6'), (3, 7, 14, 'k7')"
                .into(),
            "INSERT INTO des.user (id, a) VALUES (2, 9), (3, 7)".into(),
        ]
    };
    repairs(&setup("KEY(a)"), "id", "a v s");
    // The key is computed itself.
    let mut setup = setup("UNIQUE(s)");
    setup.push("DELETE FROM des.user".into());
    repairs(&setup, "s", "a v");
    // What cannot be repaired by writing is said, and nothing fails.
    let scene = drifted(
        &[
            format!("CREATE TABLE src.user (id INT PRIMARY KEY, {plain})"),
            format!("CREATE TABLE des.user (id INT PRIMARY KEY, {columns})"),
            "INSERT INTO src.user VALUES (1, 5, 11, 'k5')".into(),
            "INSERT INTO des.user (id, a) VALUES (1, 5)".into(),
        ],
        "id",
        "a v",
        |_| (),
    );
    let text = statements(&scene, "");
    assert!(
        text.contains("-- copy1: different, id 1: v: computed by the server"),
        "{text}"
    );
    apply(&scene.db, &text).expect("The statements run");
}

#[test]
fn a_key_of_approximate_numbers_finds_its_row() {
    for (source, copy) in [
        ("FLOAT", "FLOAT"),
        ("DOUBLE", "DOUBLE"),
        ("FLOAT", "FLOAT UNIQUE"),
    ] {
        let text = repairs(
            &[
                format!("CREATE TABLE src.user (id INT PRIMARY KEY, k {source}, x INT)"),
                format!("CREATE TABLE des.user (id INT AUTO_INCREMENT PRIMARY KEY, k {copy}, x INT)"),
                "INSERT INTO src.user VALUES (1, 0.1, 1), (2, -3.14159, 2), (3, 16777216, 3), (4, 1e30, 4), (5, 1e-30, 5), (6, 0, 6)"
                    .into(),
                "INSERT INTO des.user (k, x) SELECT k, 0 FROM src.user WHERE id <> 3".into(),
            ],
            "k",
            "x",
        );
        assert_eq!(text.matches("UPDATE").count(), 5, "{text}");
    }
}

#[test]
fn the_error_value_of_an_enum_is_copied() {
    let text = repairs(
        &[
            tables("e ENUM('a','b'), f ENUM('','b'), x INT")[0].clone(),
            tables("e ENUM('b','a'), f ENUM('','b'), x INT")[1].clone(),
            "SET sql_mode=''".into(),
            "INSERT INTO src.user VALUES (1, 'zzz', '', 1), (2, 'zzz', 'b', 2), (3, 'a', '', 3)"
                .into(),
            "INSERT INTO des.user VALUES (2, 'a', '', 1)".into(),
        ],
        "id",
        "e f x",
    );
    // Only where it is needed, and never for the statements after it.
    assert_eq!(text.matches("SET sql_mode = 'ALLOW").count(), 2, "{text}");
    assert_eq!(text.matches("SET sql_mode = 'STRICT").count(), 3, "{text}");
}

#[test]
fn new_rows_meet_the_condition_of_the_destination() {
    let scene = drifted(
        &[
            "CREATE TABLE src.user (id INT PRIMARY KEY, x INT)".into(),
            "CREATE TABLE des.user (id INT, tenant INT, kind VARCHAR(9) NOT NULL, gone DATETIME, x INT, PRIMARY KEY(tenant, id))"
                .into(),
            "INSERT INTO src.user VALUES (1, 1), (2, 2), (3, 3)".into(),
            "INSERT INTO des.user VALUES (1, 5, 'it''s', NULL, 0), (2, 6, 'it''s', NULL, 7)".into(),
        ],
        "id",
        "x",
        |config| {
            config.set("/des/0/where", "tenant=5 AND (kind = 'it''s' AND gone IS NULL)");
        },
    );
    repaired(&scene);
    let rows: Vec<String> = scene
        .db
        .query("SELECT CONCAT_WS(' ', tenant, id, kind, x) FROM des.user ORDER BY tenant, id");
    assert_eq!(
        rows,
        ["5 1 it's 1", "5 2 it's 2", "5 3 it's 3", "6 2 it's 7"]
    );
    // What no value follows from is said.
    let scene = drifted(
        &[
            "CREATE TABLE src.user (id INT PRIMARY KEY, x INT)".into(),
            "CREATE TABLE des.user (id INT PRIMARY KEY, x INT, tenant INT DEFAULT 8)".into(),
            "INSERT INTO src.user VALUES (1, 1)".into(),
        ],
        "id",
        "x",
        |config| {
            config.set("/des/0/where", "tenant > 7");
        },
    );
    let text = repaired(&scene);
    assert!(
        text.contains("see that the row meets tenant > 7 */ INSERT"),
        "{text}"
    );
}

#[test]
fn columns_of_the_copy_that_need_a_value_get_the_types_own() {
    let own = "n INT NOT NULL, d DECIMAL(5,2) NOT NULL, t TEXT NOT NULL, b VARBINARY(5) NOT NULL, e ENUM('a','b') NOT NULL, \
               da DATE NOT NULL, dt DATETIME(3) NOT NULL, ti TIME NOT NULL, j JSON NOT NULL, s SET('x') NOT NULL, \
               bi BIT(3) NOT NULL, y YEAR NOT NULL, f FLOAT NOT NULL, u INT NOT NULL DEFAULT 7, c VARCHAR(5) NOT NULL";
    let text = repairs(
        &[
            "CREATE TABLE src.user (id INT PRIMARY KEY, x INT)".into(),
            format!("CREATE TABLE des.user (id INT PRIMARY KEY, x INT NOT NULL, {own})"),
            "INSERT INTO src.user VALUES (1, 1), (2, 2)".into(),
        ],
        "id",
        "x",
    );
    assert!(text.contains("n has no default"), "{text}");
    assert!(!text.contains("u has no default"), "{text}");
}

#[test]
fn values_of_odd_types_and_places_are_copied() {
    let columns = "b BIT(10), bi BINARY(4), bl BLOB, j JSON, da DATE, dt DATETIME(6), e ENUM('x','y'), s SET('p','q'), \
                   f FLOAT, t TEXT, n DECIMAL(30,10), y YEAR, ti TIME(2)";
    let names = "b bi bl j da dt e s f t n y ti";
    let mut setup = tables(columns).to_vec();
    setup.push("SET sql_mode='NO_BACKSLASH_ESCAPES,ALLOW_INVALID_DATES'".into());
    setup.push("SET NAMES utf8mb4".into());
    setup.push(
        "INSERT INTO src.user VALUES (1, 513, X'00ff0a00', X'27005c', '{\"a\": \"\\n\\\\\"}', '0000-00-00', '2024-00-31 00:00:00', 'y', \
         'p,q', 0.1, CONCAT('it''s \\ 😀', CHAR(10), CHAR(0), '; -- /* x */'), -12345678901234567890.0123456789, 0, '-838:59:59')"
            .into(),
    );
    setup.push("INSERT INTO src.user (id) VALUES (2), (3)".into());
    setup.push("INSERT INTO src.user SELECT 4, b, bi, bl, j, da, dt, e, s, f, t, n, y, ti FROM src.user WHERE id = 1".into());
    setup.push("INSERT INTO des.user (id, t) VALUES (3, 'x'), (4, NULL)".into());
    repairs(&setup, "id", names);
    // Hidden columns are named, so they are written.
    repairs(
        &[
            "CREATE TABLE src.user (id INT PRIMARY KEY, h INT)".into(),
            "CREATE TABLE des.user (id INT PRIMARY KEY, h INT INVISIBLE)".into(),
            "INSERT INTO src.user VALUES (1, 1), (2, 2)".into(),
            "INSERT INTO des.user (id, h) VALUES (1, 9)".into(),
        ],
        "id",
        "h",
    );
}

#[test]
fn keys_that_several_rows_share_and_constraints_are_no_obstacle() {
    let scene = drifted(
        &[
            "CREATE TABLE des.kind (k INT PRIMARY KEY)".into(),
            "INSERT INTO des.kind VALUES (1), (2)".into(),
            "CREATE TABLE src.user (id INT PRIMARY KEY, k INT, x INT)".into(),
            "CREATE TABLE des.user (nr INT AUTO_INCREMENT PRIMARY KEY, id INT, k INT, x INT CHECK (x > 0), KEY(id), \
             FOREIGN KEY (k) REFERENCES des.kind (k))"
                .into(),
            "INSERT INTO src.user VALUES (1, 1, 1), (2, 2, 2)".into(),
            "INSERT INTO des.user (id, k, x) VALUES (1, 2, 9), (1, 1, 8)".into(),
        ],
        "id",
        "k x",
        |_| (),
    );
    apply(&scene.db, &statements(&scene, "")).expect("The statements run");
    let outcome = scene
        .cupid("reconcile")
        .args("--dry-run --report -")
        .exits(1);
    let lines: Vec<&str> = outcome.stdout.lines().skip(1).collect();
    assert!(
        lines.len() == 1 && lines[0].contains(",duplicate,1,"),
        "only that there are two is left: {lines:?}"
    );
}

#[test]
fn an_extra_row_that_has_a_unique_value_is_named() {
    let mut setup = tables("u INT UNIQUE").to_vec();
    setup.push("INSERT INTO src.user VALUES (1, 1), (2, 2)".into());
    setup.push("INSERT INTO des.user VALUES (1, 1), (9, 2)".into());
    let scene = drifted(&setup, "id", "u", |_| ());
    let text = statements(&scene, "--extra");
    let refused = apply(&scene.db, &text).expect_err("The extra row has the value");
    assert!(refused.contains("1062"), "{refused}");
    assert!(
        text.contains("error 1062, such a row has the unique value"),
        "{text}"
    );
    let delete = text.lines().find(|line| line.contains("DELETE FROM"));
    let delete = delete.and_then(|line| line.strip_prefix("-- "));
    apply(&scene.db, delete.expect("The DELETE is there")).expect("It runs");
    apply(&scene.db, &text).expect("The statements run");
    scene.cupid("reconcile").args("--dry-run --extra").exits(0);
}

#[test]
fn statements_to_stdout_are_in_their_order_too() {
    let mut setup = tables("u INT NOT NULL UNIQUE").to_vec();
    setup.push("INSERT INTO src.user VALUES (1, 1), (2, 2), (3, 3)".into());
    setup.push("INSERT INTO des.user VALUES (2, 3), (3, 2)".into());
    let scene = drifted(&setup, "id", "u", |_| ());
    let outcome = scene
        .cupid("reconcile")
        .args("--dry-run --fix-sql -")
        .exits(1);
    assert!(!outcome.stdout.contains("-- cupid"), "{}", outcome.stdout);
    apply(&scene.db, &outcome.stdout).expect("The statements run");
    scene.cupid("reconcile").arg("--dry-run").exits(0);
}
