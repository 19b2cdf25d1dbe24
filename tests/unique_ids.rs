//! Ids that are not unique, and rows without one: no row is passed over without a word.

mod common;

use common::{Db, Scene, findings};
use serde_json::{Value, json};

/// A table whose key is led by an integer; source and copy hold these rows of `(id, part, code)`.
fn composite(rows: &str) -> Scene {
    let db = Db::new(1);
    for table in ["src.t", "des.t"] {
        db.exec(&format!(
            "CREATE TABLE {table} (id INT NOT NULL, part INT NOT NULL, code VARCHAR(20) NOT NULL UNIQUE, v INT DEFAULT 0, \
             seen DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (id, part), KEY (seen))"
        ));
        db.exec(&format!("INSERT INTO {table} (id, part, code) {rows}"));
    }
    of_table(db)
}

fn of_table(db: std::sync::Arc<Db>) -> Scene {
    let mut scene = Scene::bare(db);
    for pointer in ["/src", "/des/0"] {
        scene
            .config
            .set(&format!("{pointer}/table"), "t")
            .set(&format!("{pointer}/byColumn"), "code");
    }
    scene.config.set("/des/0/columns", json!({"v": "v"}));
    scene
}

/// `1, 2, … n` as a table `n (id)`.
fn numbers(n: u32) -> String {
    let digit = "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 \
                 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)";
    format!(
        "(SELECT 1+a.d+10*b.d+100*c.d+1000*e.d AS id FROM {digit} a, {digit} b, {digit} c, {digit} e HAVING id <= {n}) n"
    )
}

const WORDS: [&str; 4] = [
    "src.idColumn",
    "\"id\"",
    "several rows of",
    "AUTO_INCREMENT",
];

#[test]
fn a_second_row_of_an_id_stops_every_command_with_words() {
    // Pairs of rows for each id, of which the copy lacks all.
    let pairs = format!(
        "SELECT id, p, CONCAT(id, '-', p) FROM {}, (SELECT 1 p UNION SELECT 2) q",
        numbers(3000)
    );
    let scene = composite(&pairs);
    scene.db.exec("DELETE FROM des.t");
    for command in [
        "run",
        "reconcile",
        "reconcile --method stream",
        "reconcile --extra",
        "reconcile --from-id 10 --to-id 20",
        "reconcile --shard 0/2",
        "reconcile --max-rate 101",
    ] {
        let (name, args) = command.split_once(' ').unwrap_or((command, ""));
        let outcome = scene.cupid(name).args(args).args("--report -").exits(78);
        outcome.assert_says(&WORDS);
        assert_eq!(
            outcome.stdout.lines().skip(1).count(),
            0,
            "{command}: {outcome:?}"
        );
        assert_eq!(scene.receiver().count(), 0, "{command}");
    }
}

#[test]
fn a_second_row_of_an_id_is_met_at_a_batchs_edge_too() {
    // Batches begin with 128 rows and become four times as large; streams read 50,000 at once, here as many
    // as come before the second row.
    let scene = composite(&format!("SELECT id, 1, id FROM {}", numbers(2000)));
    for twice in [1, 127, 128, 129, 640, 641, 2000] {
        scene.config.forget();
        for table in ["src.t", "des.t"] {
            let second =
                format!("INSERT INTO {table} (id, part, code) VALUES ({twice}, 2, 'second')");
            scene
                .db
                .exec(&format!("DELETE FROM {table} WHERE part = 2"));
            scene.db.exec(&second); // Source and copy agree in all rows.
        }
        let outcome = scene.run(78);
        outcome.assert_says(&WORDS);
        outcome.assert_says(&[&format!("the id {twice};")]);
        if let Ok(text) = std::fs::read_to_string(scene.config.state_file("checkpoint.json")) {
            let checkpoint: Value = serde_json::from_str(&text).unwrap();
            let next = checkpoint["positions"][0]["nextId"].as_i64().unwrap();
            assert!(next <= twice, "the checkpoint passes {twice}: {text}");
        }
        // A batch has so many rows, so the second one comes right behind it.
        let rate = twice.clamp(100, 1_000);
        let args = format!("--max-rate {rate} --method stream --dry-run");
        let audit = scene.cupid("reconcile").args(&args);
        audit.exits(78).assert_says(&[&format!("the id {twice};")]);
    }
}

#[test]
fn of_two_updated_rows_of_an_id_none_is_left_out() {
    for seen in ["NOW()", "NOW() - INTERVAL id * part SECOND"] {
        let mut scene = composite("SELECT 7, 1, 'a' UNION ALL SELECT 7, 2, 'b'");
        scene
            .config
            .set("/src/insert", false)
            .set("/src/update", true)
            .set("/src/updateColumn", "seen")
            .set("/src/updateScanSecond", 60);
        scene.run(78).assert_says(&WORDS);
        scene.db.exec(&format!(
            "UPDATE src.t SET seen = {seen}, v = 1 WHERE code = 'b'"
        ));
        scene.run(78).assert_says(&WORDS);
        assert_eq!(scene.receiver().count(), 0);
    }
}

#[test]
fn a_partitioned_table_whose_ids_are_unique_works_as_ever() {
    let db = Db::new(1);
    for table in ["src.t", "des.t"] {
        db.exec(&format!(
            "CREATE TABLE {table} (id BIGINT NOT NULL AUTO_INCREMENT, day DATE NOT NULL, code VARCHAR(20) NOT NULL, v INT, \
             PRIMARY KEY (id, day), KEY (code)) PARTITION BY RANGE (TO_DAYS(day)) (PARTITION a VALUES LESS THAN \
             (TO_DAYS('2024-02-01')), PARTITION b VALUES LESS THAN MAXVALUE)"
        ));
        db.exec(&format!(
            "INSERT INTO {table} SELECT id, '2024-01-01' + INTERVAL id % 60 DAY, id, 1 FROM {}",
            numbers(3000)
        ));
    }
    db.exec("UPDATE des.t SET v = 2 WHERE id IN (128, 2000)");
    let scene = of_table(db);
    scene.run(0);
    assert_eq!(scene.receiver().ids(), [128, 2000]);
    for args in [
        "--dry-run",
        "--dry-run --shard 0/1",
        "--dry-run --max-rate 500",
    ] {
        let outcome = scene.cupid("reconcile").args(args).args("--json").exits(1);
        let summary: Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(summary["different"], 2, "{args}: {outcome:?}");
    }
    let outcome = scene.check().run();
    let found = findings(&outcome.stdout, "note:");
    assert!(
        found
            .iter()
            .any(|(line, _)| line.contains("ids must be unique")),
        "{outcome:?}"
    );
}

#[test]
fn rows_without_an_id_are_counted_and_told() {
    let db = Db::new(1);
    for table in ["src.t", "des.t"] {
        db.exec(&format!(
            "CREATE TABLE {table} (no INT AUTO_INCREMENT PRIMARY KEY, id INT NULL UNIQUE, code VARCHAR(20) UNIQUE, v INT)"
        ));
        db.exec(&format!(
            "INSERT INTO {table} (id, code, v) VALUES (1, 'a', 1), (2, 'b', 2)"
        ));
    }
    let mut scene = of_table(db);
    scene.run(0).assert_silent();
    scene.cupid("reconcile").args("--extra").exits(0);
    for table in ["src.t", "des.t"] {
        scene.db.exec(&format!(
            "INSERT INTO {table} (code, v) VALUES ('c', 3), ('d', 4)"
        ));
    }
    let words = [
        "2 rows",
        "cannot be compared",
        "src.idColumn",
        "\"id\"",
        "NULL",
    ];
    scene.cupid("reconcile").exits(1).assert_says(&words);
    let lasting = ["2 rows", "cannot be compared", "src.idColumn", "NULL"];
    scene.run(1).assert_says(&lasting);
    scene.run(1).assert_silent();
    let outcome = scene.cupid("reconcile").args("--extra --json").exits(1);
    let summary: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(
        (&summary["extra"], &summary["rowsWithoutId"]),
        (&json!(0), &json!(2))
    );
    let outcome = scene.check().run();
    assert!(outcome.stdout.contains("is NULL in 2 rows"), "{outcome:?}");
    scene.config.set("/src/where", "id IS NOT NULL");
    scene.run(0).assert_says(&["every row has an id again"]);
    scene.cupid("reconcile").exits(0);
}

#[test]
fn check_says_beforehand_that_ids_must_be_unique() {
    let scene = composite("SELECT 1, 1, 'a'");
    let outcome = scene.check().run();
    let found = findings(&outcome.stdout, "warning: src.idColumn");
    assert!(
        found
            .iter()
            .any(|(line, _)| line.contains("ids must be unique")),
        "{outcome:?}"
    );
    assert!(
        outcome.stdout.contains("CREATE UNIQUE INDEX"),
        "{outcome:?}"
    );
}
