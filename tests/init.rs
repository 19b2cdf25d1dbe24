//! `cupid init` writes configurations that `check` and `run` take as they are, and overwrites
//! nothing.

mod common;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Cupid, Outcome, Scene};

/// A folder of its own for files and state.
struct Desk {
    scene: Scene,
    folder: tempfile::TempDir,
}

impl Desk {
    fn of(scene: Scene) -> Self {
        let folder = tempfile::tempdir().expect("Create a folder");
        std::fs::create_dir(folder.path().join("state")).expect("Create a folder");
        Self { scene, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn dsn(&self, database: &str) -> String {
        let server = &self.scene.db.server;
        let (host, port) = (&server.host, server.port);
        format!("mysql://{}@{host}:{port}/{database}", self.scene.db.reader)
    }

    /// With the variables that the files name.
    fn with_passwords(&self, cupid: Cupid) -> Cupid {
        let password = &self.scene.db.reader_password;
        ["SRC", "DES", "DES2"]
            .iter()
            .fold(cupid, |cupid, side| {
                cupid.env(&format!("CUPID_{side}_PASSWORD"), password)
            })
            .env("STATE_DIRECTORY", self.path("state"))
    }

    /// `cupid init` from the source and all copies, with callbacks.
    fn init(&self, words: &[&str]) -> Cupid {
        let mut cupid = Cupid::new(["init", "--src", &self.dsn(&self.scene.db.source)]);
        for copy in &self.scene.db.copies {
            cupid = cupid.arg("--des").arg(self.dsn(copy));
        }
        cupid = cupid.arg("--callback").arg(self.scene.receiver().url());
        let cupid = words.iter().fold(cupid, Cupid::arg);
        self.with_passwords(cupid)
    }

    fn cupid(&self, command: &str, path: &Path) -> Cupid {
        self.with_passwords(Cupid::of(command, path))
    }

    /// `check` finds nothing and `run` ends well.
    #[track_caller]
    fn works(&self, path: &Path) -> Outcome {
        self.cupid("check", path).exits(0);
        self.cupid("run", path).exits(0)
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn two_tables_of_matching_names_are_watched_without_an_editor() {
    let desk = Desk::of(Scene::with_missing([1, 2]));
    let path = desk.path("user.json");
    let out = path.to_str().expect("UTF-8");
    let outcome = desk.init(&["--table", "user", "--output", out]).exits(0);
    assert_eq!(outcome.stdout, "");
    let (source, copy) = (&desk.scene.db.source, &desk.scene.db.copies[0]);
    outcome.assert_says(&[
        &format!("source       {source}.user, about 2 rows: id (PRIMARY), updates by update_time (index update_time)\n"),
        &format!("destination  {copy}.user, about 0 rows: found by number (UNIQUE), 4 of 5 columns paired by name\n"),
        "to decide    byColumn: number was taken (UNIQUE on both sides); id (PRIMARY on both sides) would do too\n",
        "skipped      update_time: set by the copy itself (ON UPDATE CURRENT_TIMESTAMP)\n",
        &format!("Next: CUPID_SRC_PASSWORD=… and CUPID_DES_PASSWORD=… in {}", desk.path("user.env").display()),
        &format!("(mode 0640), then: cupid check {out}\n"),
    ]);
    let mode = path.metadata().expect("It is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(read(&path).contains("\"password\": \"${CUPID_SRC_PASSWORD}\""));
    desk.works(&path);
    assert_eq!(desk.scene.receiver().ids(), [1, 2]);
    desk.scene.db.copy_users();
    desk.works(&path);
}

#[test]
fn the_configuration_goes_to_stdout_and_the_file_of_the_shell_is_named() {
    let desk = Desk::of(Scene::in_sync([1]));
    let outcome = desk.init(&["--table", "user"]).exits(0);
    outcome.assert_says(&["in user.env (mode 0640), then: cupid check user.json"]);
    let path = desk.path("by_shell.json");
    let line = format!(
        "\"$0\" init --src \"$1\" --table user --des \"$2\" --callback http://h/p > {}",
        path.display()
    );
    let (src, des) = (
        desk.dsn(&desk.scene.db.source),
        desk.dsn(&desk.scene.db.copies[0]),
    );
    let words = ["-c", &line, env!("CARGO_BIN_EXE_cupid"), &src, &des];
    let shell = Cupid::program(&[], Path::new("/bin/sh"), words);
    let said = desk.with_passwords(shell).exits(0);
    said.assert_says(&[
        &desk.path("by_shell.env").display().to_string(),
        &format!("cupid check {}\n", path.display()),
    ]);
    assert_eq!(
        read(&path).lines().count(),
        outcome.stdout.lines().count(),
        "{}",
        outcome.stdout
    );
    let path = desk.path("user.json");
    std::fs::write(&path, outcome.stdout).expect("Write the file");
    desk.works(&path);
}

/// Tables as those of sakila: keys of several columns, generated and invisible columns, other names
/// in the copies.
fn sakila() -> Scene {
    let scene = Scene::bare(common::Db::new(2));
    let statements = [
        "CREATE TABLE src.actor (actor_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, first_name VARCHAR(45) NOT NULL,
            last_name VARCHAR(45) NOT NULL, last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
            KEY idx_last_update (last_update))",
        "CREATE TABLE des.actor (actor_id SMALLINT UNSIGNED NOT NULL PRIMARY KEY, firstName VARCHAR(45), last_name VARCHAR(45),
            last_update TIMESTAMP NULL)",
        "CREATE TABLE des2.actor LIKE des.actor",
        "CREATE TABLE src.film (film_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, title VARCHAR(255) NOT NULL, minutes INT,
            hours INT AS (minutes / 60) STORED, hidden_note VARCHAR(20) INVISIBLE, release_year YEAR)",
        "CREATE TABLE des.film (film_id INT NOT NULL PRIMARY KEY, title VARCHAR(255) NOT NULL, minutes INT, hours INT,
            hidden_note VARCHAR(20) INVISIBLE, release_year DATE)",
        "CREATE TABLE src.film_actor (actor_id INT NOT NULL, film_id INT NOT NULL, last_update TIMESTAMP NOT NULL
            DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (actor_id, film_id))",
        "CREATE TABLE des.film_actor LIKE src.film_actor",
        "CREATE VIEW src.film_list AS SELECT title FROM src.film",
        "CREATE TABLE src.film_text (id INT PRIMARY KEY, note TEXT)",
        "CREATE TABLE des.film_text (x INT, y TEXT)",
        "INSERT INTO src.actor (first_name, last_name) VALUES ('A', 'B'), ('C', 'D')",
        "INSERT INTO des.actor SELECT * FROM src.actor",
        "INSERT INTO des2.actor SELECT * FROM src.actor",
        "INSERT INTO src.film (title, minutes) VALUES ('A', 90)",
        "INSERT INTO des.film (film_id, title, minutes, hours) SELECT film_id, title, minutes, hours FROM src.film",
    ];
    for statement in statements {
        scene.db.exec(statement);
    }
    scene
}

#[test]
fn a_folder_has_a_file_for_each_table_and_one_that_they_share() {
    let desk = Desk::of(sakila());
    let folder = desk.path("all");
    let out = folder.to_str().expect("UTF-8");
    let outcome = desk
        .init(&["--table", "actor", "--table", "film%", "--output", out])
        .exits(1);
    let [source, copy, copy2] = [
        &desk.scene.db.source,
        &desk.scene.db.copies[0],
        &desk.scene.db.copies[1],
    ];
    outcome.assert_says(&[
        &format!("source       {source}.actor, about 2 rows: actor_id (PRIMARY), updates by last_update (index idx_last_update)\n"),
        &format!("to decide    {copy}.actor: first_name VARCHAR(45) / firstName VARCHAR(45): same type, other name: left as a comment\n"),
        &format!("source       {source}.film, about 1 row: film_id (PRIMARY), no updates\n"),
        "skipped      hours: a generated column\n",
        "skipped      release_year: YEAR",
        &format!("to decide    byColumn: only (actor_id, film_id) together are unique in {copy}.film_actor"),
        &format!("to decide    idColumn: {source}.film_actor has no increasing integer key, but PRIMARY (actor_id, film_id)"),
        &format!("skipped      there is no {copy2}.film at "),
        &format!("skipped      {source}.film_text and {copy}.film_text have no column in common"),
        &format!("CUPID_SRC_PASSWORD=…, CUPID_DES_PASSWORD=… and CUPID_DES2_PASSWORD=… in {out}/common.env (mode 0640), then: cupid check {out}\n"),
    ]);
    assert!(!outcome.stderr.contains("film_list"), "{}", outcome.stderr);
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("List the folder")
        .map(|entry| {
            entry
                .expect("List")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["actor.json", "common.json", "film.json", "film_actor.json"]
    );
    for name in ["actor.json", "film.json"] {
        assert!(read(&folder.join(name)).contains("\"extends\": \"common.json\""));
        desk.works(&folder.join(name));
    }
    desk.cupid("check", &folder.join("film_actor.json"))
        .exits(78);
    assert!(desk.scene.receiver().ids().is_empty());
    std::fs::remove_file(folder.join("film_actor.json")).expect("Remove a file");
    // Without the variables of the environment: one file of variables serves all tables.
    let password = &desk.scene.db.reader_password;
    let variables = ["SRC", "DES", "DES2"].map(|it| format!("CUPID_{it}_PASSWORD='{password}'\n"));
    std::fs::write(folder.join("common.env"), variables.concat()).expect("Write variables");
    Cupid::of("run", &folder)
        .env("STATE_DIRECTORY", desk.path("state"))
        .exits(0)
        .assert_silent();
    // A further table joins, and nothing is overwritten.
    std::fs::remove_file(folder.join("film.json")).expect("Remove a file");
    desk.init(&["--table", "film", "--table", "actor", "--output", out])
        .exits(64)
        .assert_says(&[&format!("--table: there is no {copy2}.film")]);
    desk.init(&["--table", "actor%", "--output", out])
        .exits(2)
        .assert_says(&["actor.json", "is there already"]);
    let before = read(&folder.join("common.json"));
    desk.init(&["--table", "film", "--table", "fil%", "--output", out])
        .exits(64);
    desk.init(&["--table", "f%m", "--output", out]).exits(0);
    assert_eq!(read(&folder.join("common.json")), before);
    assert!(folder.join("film.json").exists());
}

#[test]
fn a_percent_sign_alone_is_special_in_a_pattern() {
    let desk = Desk::of(Scene::bare(common::Db::new(1)));
    for table in ["a_1", "a_%", "ab1", "a|1", "A_3x"] {
        for side in ["src.", "des."] {
            let sql =
                format!("CREATE TABLE {side}`{table}` (id INT AUTO_INCREMENT PRIMARY KEY, x INT)");
            desk.scene.db.exec(&sql);
        }
    }
    let of = |pattern: &str, folder: &str| {
        let folder = desk.path(folder);
        let out = folder.to_str().expect("UTF-8");
        desk.init(&["--table", pattern, "--output", out]).exits(0);
        let entries = std::fs::read_dir(&folder).expect("List the folder");
        let names = entries.map(|it| it.expect("List").file_name().into_string().expect("UTF-8"));
        let mut names: Vec<String> = names.filter(|it| it != "common.json").collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(of("%a_1", "1"), "a_1.json");
    assert_eq!(of("a|%", "2"), "a_1.json");
    // A name that a file cannot have is replaced, and stands in the file as it is.
    let text = read(&desk.path("2").join("a_1.json"));
    assert!(text.contains("\"table\": \"a|1\""), "{text}");
    assert_eq!(of("%1", "3"), "a_1-2.json a_1.json ab1.json");
}

#[test]
fn an_update_column_without_an_index_is_off_with_the_statement_that_helps() {
    let desk = Desk::of(Scene::in_sync([1]));
    desk.scene
        .db
        .exec("ALTER TABLE src.user DROP KEY update_time");
    let path = desk.path("user.json");
    let out = path.to_str().expect("UTF-8");
    let outcome = desk.init(&["--table", "user", "--output", out]).exits(0);
    let statement = format!(
        "CREATE INDEX `cupid_update_time` ON `{}`.`user` (`update_time`)",
        desk.scene.db.source
    );
    outcome.assert_says(&["no updates: update_time has no index", &statement]);
    let text = read(&path);
    assert!(text.contains(&format!("// {statement};")), "{text}");
    desk.works(&path);
    desk.scene.db.exec(&statement);
    let text = text.replace("\"update\": false", "\"update\": true");
    std::fs::write(&path, text).expect("Write the file");
    desk.works(&path);
}

#[test]
fn without_a_source_the_example_is_written() {
    let example = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/user.json"));
    let outcome = Cupid::new(["init"]).exits(0);
    assert_eq!(
        (outcome.stdout, outcome.stderr),
        (example.clone(), String::new())
    );
    let folder = tempfile::tempdir().expect("Create a folder");
    let path = folder.path().join("mine.json");
    let write = || Cupid::new(["init", "--output"]).arg(&path);
    write().exits(0).assert_silent();
    assert_eq!(read(&path), example);
    write()
        .exits(2)
        .assert_says(&["mine.json", "is there already"]);
    assert_eq!(read(&path), example);
}

#[test]
fn without_an_address_for_callbacks_it_is_left_to_be_filled_in() {
    let desk = Desk::of(Scene::in_sync([1]));
    let (src, des) = (
        desk.dsn(&desk.scene.db.source),
        desk.dsn(&desk.scene.db.copies[0]),
    );
    let init = Cupid::new(["init", "--src", &src, "--table", "user", "--des", &des]);
    let outcome = desk.with_passwords(init).exits(1);
    outcome.assert_says(&[
        "to decide",
        "callbackNotification.url: --callback was not given",
    ]);
    let path = desk.path("user.json");
    std::fs::write(&path, &outcome.stdout).expect("Write the file");
    desk.cupid("check", &path)
        .exits(78)
        .assert_says(&["des[0].callbackNotification.url: is missing"]);
}

/// What is typed behind `cupid init`, the exit status, and what is said.
const WRONG: &[(&str, i32, &[&str])] = &[
    (
        "--src SRC --des DES --table actr",
        64,
        &["there is no", ".actr at", "did you mean actor?"],
    ),
    (
        "--src SRC --des DES --table film_list",
        64,
        &["film_list at", "is a view"],
    ),
    (
        "--src SRC --des DES --table film_text",
        64,
        &["no column in common", "id, note", "x, y"],
    ),
    (
        "--src SRC --des SRC --table actor",
        64,
        &["actor is given as its own copy"],
    ),
    (
        "--src SRC --des DES --table zzz% --output zzz/",
        64,
        &["zzz%", "no table of"],
    ),
    (
        "--src SRC --des DES --table film_t% --output zzz/",
        64,
        &["no table can be watched", "no column in common"],
    ),
    (
        "--src SRC --des DES --table a.b.c",
        64,
        &["--table holds \"a.b.c\"; should be table or database.table"],
    ),
    (
        "--src NOBODY --des DES --table actor",
        2,
        &["127.0.0.1:1", "refused"],
    ),
    (
        "--src SRC --des NOBODY --table actor",
        2,
        &["127.0.0.1:1", "refused"],
    ),
    (
        "--src STRANGER --des DES --table actor",
        2,
        &["stranger", "password"],
    ),
    (
        "--src mysql:host=h;dbname=x --des DES --table actor",
        64,
        &["--src holds a PDO DSN, which has no account; should be mysql://user@host:port/database"],
    ),
    (
        "--src SRC --des postgres://u@h/x --table actor",
        64,
        &["--des holds a DSN of the kind \"postgres\""],
    ),
    ("--src SRC --des DES", 64, &["--table"]),
    ("--src SRC --table actor", 64, &["--des"]),
    ("--des DES --table actor", 64, &["--src"]),
    (
        "--src SRC --des DES --table a --table b --output -",
        64,
        &["--output FOLDER"],
    ),
    (
        "--src SRC --des DES --table actor --callback ftp://x",
        64,
        &["--callback holds"],
    ),
    (
        "--src SRC --des DES --table actor --callback http://a --callback http://b",
        64,
        &["--callback is given 2 times"],
    ),
];

#[test]
fn what_is_wrong_is_said_and_nothing_is_written() {
    let desk = Desk::of(sakila());
    let (src, des) = (
        desk.dsn(&desk.scene.db.source),
        desk.dsn(&desk.scene.db.copies[0]),
    );
    let stranger = src.replace(&format!("//{}@", desk.scene.db.reader), "//stranger@");
    let folder = desk.folder.path().to_str().expect("UTF-8");
    let program = Path::new(env!("CARGO_BIN_EXE_cupid"));
    for (line, code, said) in WRONG {
        let mut words = vec!["init"];
        words.extend(line.split(' ').map(|word| match word {
            "SRC" => &*src,
            "DES" => &*des,
            "NOBODY" => "mysql://nobody@127.0.0.1:1/x",
            "STRANGER" => &*stranger,
            word => word,
        }));
        if !line.contains("--output") {
            words.extend(["--output", "out.json"]);
        }
        let cupid = Cupid::program(&["env", "-C", folder], program, words);
        let outcome = desk.with_passwords(cupid).exits(*code);
        outcome.assert_says(said);
        assert_eq!(outcome.stdout, "");
    }
    let entries = std::fs::read_dir(folder).expect("List the folder");
    let names: Vec<_> = entries.map(|it| it.expect("List").file_name()).collect();
    assert_eq!(names, ["state"]);
    let one = Cupid::new(["init", "--src", &src, "--des", &des, "--table", "actor"]);
    one.exits(64).assert_says(&[
        "CUPID_SRC_PASSWORD, which is not set",
        "or a line CUPID_SRC_PASSWORD=… in user.env",
    ]);
}

#[test]
fn a_password_of_the_command_line_is_used_and_not_written() {
    let desk = Desk::of(Scene::in_sync([1]));
    let db = &desk.scene.db;
    let with_password = |database: &str| {
        let account = format!("//{}:{}@", db.reader, db.reader_password);
        desk.dsn(database)
            .replace(&format!("//{}@", db.reader), &account)
    };
    let (src, des) = (with_password(&db.source), with_password(&db.copies[0]));
    let init = Cupid::new(["init", "--src", &src, "--table", "user", "--des", &des]);
    let url = desk.scene.receiver().url();
    let outcome = init.arg("--callback").arg(url).exits(0);
    let path = desk.path("user.json");
    std::fs::write(&path, outcome.stdout).expect("Write the file");
    desk.works(&path);
}

#[test]
fn a_terminal_is_asked_for_passwords_which_it_does_not_show() {
    let desk = Desk::of(Scene::in_sync([1]));
    let path = desk.path("user.json");
    let line = format!(
        "{} init --src {} --table user --des {} --callback http://h/p --output {}",
        env!("CARGO_BIN_EXE_cupid"),
        desk.dsn(&desk.scene.db.source),
        desk.dsn(&desk.scene.db.copies[0]),
        path.display()
    );
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script of util-linux");
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut part) = (String::new(), [0; 4096]);
    let mut asked = 0;
    loop {
        let length = screen.read(&mut part).unwrap_or(0);
        if length == 0 {
            break;
        }
        shown += &String::from_utf8_lossy(&part[..length]);
        let prompts = shown.matches("Password of ").count();
        if prompts > asked && shown.trim_end_matches(' ').ends_with(':') {
            asked = prompts;
            // The library asks first and turns the echo off right after it.
            std::thread::sleep(Duration::from_secs(1));
            writeln!(keys, "{}", desk.scene.db.reader_password).expect("Type");
        }
    }
    assert!(child.wait().expect("It ends").success(), "{shown}");
    assert_eq!(asked, 2, "{shown}");
    assert!(!shown.contains("hidden"), "{shown}");
    let text = read(&path);
    assert!(
        text.contains("${CUPID_DES_PASSWORD}") && !text.contains("hidden"),
        "{text}"
    );
}
