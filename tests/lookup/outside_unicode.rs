//! Text and keys that have no character in Unicode.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{LOOKS, called, keyed};
use crate::common::{Db, Scene};

/// Character sets, one with a collation, with text that has no character in Unicode: such a text, another one, and plain text.
fn outside_unicode(is_mariadb: bool) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut all = vec![
        ("gbk", "A2E3", "A2E4"),
        ("gb2312", "A2A1", "A2A2"),
        ("big5", "A3C0", "A3C1"),
        ("sjis", "81AD", "81AE"),
        ("cp932", "81AD", "81AE"),
        ("euckr", "A2E8", "A2E9"),
        ("ujis", "A2AF", "8FA2AF"),
        ("eucjpms", "A2AF", "A2B0"),
        ("cp1251", "98", "619862"),
        ("cp1250", "81", "83"),
        ("cp1256", "8A", "8F"),
        ("cp1257", "81", "83"),
        ("greek", "A4", "AA"),
        ("hebrew", "A1", "BF"),
        ("tis620", "A0", "DB"),
        ("swe7", "80", "81"),
        ("dec8", "A4", "A6"),
        ("hp8", "FF", "61FF"),
        ("geostd8", "81", "83"),
        ("ucs2", "D800", "0061D801"),
        ("latin2 COLLATE latin2_czech_cs", "8B", "618C"),
    ];
    if is_mariadb {
        all.push(("ascii", "80", "C3A9"));
        all.push(("utf32", "0000D800", "0000D801"));
    } else {
        all.push(("gb18030", "8431FE30", "8431FE31"));
    }
    all
}

#[test]
fn text_outside_unicode_is_compared_by_its_bytes_and_called_back_as_it_is() {
    let is_mariadb = Db::new(0).is_mariadb();
    for (charset, one, other) in outside_unicode(is_mariadb) {
        let db = Db::new(3);
        let text = format!("VARCHAR(9) CHARACTER SET {charset}");
        db.exec(&format!(
            "CREATE TABLE src.t (id INT PRIMARY KEY, v {text})"
        ));
        for (database, column) in db.copies.iter().zip([
            text.clone(),
            "VARCHAR(9) CHARACTER SET utf8mb4".into(),
            "VARBINARY(9)".into(),
        ]) {
            db.exec(&format!(
                "CREATE TABLE `{database}`.t (id INT PRIMARY KEY, v {column})"
            ));
        }
        let value = |hex: &str| format!("CONVERT(X'{hex}' USING {})", name_of(charset));
        let (one_value, other_value) = (value(one), value(other));
        db.exec("SET sql_mode = ''");
        db.exec(&format!(
            "INSERT INTO src.t VALUES (1, {one_value}), (2, {one_value}), (3, '?'), (4, 'a?b'), (5, {one_value})"
        ));
        db.exec(&format!(
            "INSERT INTO des.t VALUES (1, {one_value}), (2, {other_value}), (3, '?'), (4, 'a?b'), (5, '?')"
        ));
        for copy in ["des2", "des3"] {
            db.exec(&format!(
                "INSERT INTO {copy}.t VALUES (1, '?'), (2, X'3f'), (3, '?'), (4, 'a?b'), (5, '')"
            ));
        }
        let stored: Vec<(String,)> = db.query("SELECT HEX(v) FROM src.t WHERE id = 1");
        assert_eq!(stored[0].0, one, "{charset}: the server keeps the bytes");
        let mut scene = Scene::bare(db);
        scene.config.set("/confirmDelayMillisecond", 0);
        scene
            .config
            .set("/src/table", "t")
            .set("/src/byColumn", "id");
        for number in 0..3 {
            scene
                .config
                .set(&format!("/des/{number}/table"), "t")
                .set(&format!("/des/{number}/byColumn"), "id")
                .set(&format!("/des/{number}/columns"), json!({"v": "v"}));
        }
        let report = scene.config.folder().join("report.csv");
        for look in LOOKS {
            scene.config.forget();
            let args = [&look[1..], &["--report", report.to_str().unwrap()]].concat();
            let outcome = scene.cupid(look[0]).args(&args.join(" ")).run();
            let called: Vec<BTreeSet<u64>> = scene
                .receivers
                .iter()
                .map(|receiver| receiver.ids().into_iter().collect())
                .collect();
            assert_eq!(
                called[0],
                BTreeSet::from([2, 5]),
                "{charset}: {look:?}: {outcome:?}"
            );
            assert_eq!(called[1], BTreeSet::from([1, 2, 5]), "{charset}: {look:?}");
            assert_eq!(called[2], BTreeSet::from([1, 2, 5]), "{charset}: {look:?}");
            for callback in scene.receivers[0].take() {
                let sent = &callback.body["srcColumn"]["v"];
                assert_eq!(sent, &Value::from(base64(one)), "{charset}");
            }
            for receiver in &scene.receivers {
                receiver.take();
            }
            let report = std::fs::read_to_string(&report).unwrap();
            let shown = format!("0x{}", one.to_lowercase());
            assert!(report.contains(&shown), "{charset}: {report}");
        }
    }
}

#[test]
fn checksums_tell_texts_apart_that_their_server_converts_to_one() {
    for (charset, one, other) in outside_unicode(Db::new(0).is_mariadb()) {
        let column = format!("VARCHAR(9) CHARACTER SET {charset}");
        let db = Db::new(1);
        for table in ["src.t", "des.t"] {
            db.exec(&format!(
                "CREATE TABLE {table} (id INT PRIMARY KEY, v {column})"
            ));
            for (key, hex) in [(1, one), (2, if table == "src.t" { one } else { other })] {
                db.exec(&format!(
                    "INSERT INTO {table} VALUES ({key}, CONVERT(X'{hex}' USING {}))",
                    name_of(charset)
                ));
            }
        }
        let mut scene = Scene::bare(db);
        scene.config.set("/confirmDelayMillisecond", 0);
        scene
            .config
            .set("/src/table", "t")
            .set("/src/byColumn", "id")
            .set("/des/0/table", "t")
            .set("/des/0/byColumn", "id")
            .set("/des/0/columns", json!({"v": "v"}));
        let audit = scene.cupid("reconcile").args("--method checksum").exits(1);
        assert!(
            !audit.stderr.contains("without checksums"),
            "{charset}: {}",
            audit.stderr
        );
        assert_eq!(scene.receiver().ids(), [2], "{charset}");
    }
}

/// Without its collation.
fn name_of(charset: &str) -> &str {
    charset.split(' ').next().unwrap_or(charset)
}

/// Of bytes in hexadecimal.
fn base64(hex: &str) -> String {
    use ::base64::Engine;
    let bytes = (0..hex.len()).step_by(2);
    let bytes: Vec<u8> = bytes
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    ::base64::prelude::BASE64_STANDARD.encode(bytes)
}

#[test]
fn keys_outside_unicode_find_their_rows_and_a_table_in_their_order_is_read_to_its_end() {
    for (charset, collation) in [
        ("gbk", "gbk_chinese_ci"),
        ("gbk", "gbk_bin"),
        ("euckr", "euckr_bin"),
        ("cp932", "cp932_japanese_ci"),
        ("big5", "big5_bin"),
    ] {
        let column = format!("VARCHAR(9) CHARACTER SET {charset} COLLATE {collation}");
        let scene = keyed(&column, &[&column], "PRIMARY KEY");
        let db = Arc::clone(&scene.db);
        db.exec("SET sql_mode = ''");
        let pairs = (0xa1..=0xfe_u32)
            .flat_map(|lead| (0xa1..=0xfe_u32).map(move |trail| lead << 8 | trail));
        for chunk in pairs.collect::<Vec<_>>().chunks(2_000) {
            let rows = chunk
                .iter()
                .map(|pair| format!("({pair}, CONVERT(X'{pair:04x}' USING {charset}), 'a')"));
            let rows: Vec<String> = rows.collect();
            db.exec(&format!(
                "INSERT IGNORE INTO src.t VALUES {}",
                rows.join(",")
            ));
        }
        // What the server did not keep as it is, or takes for another one.
        db.exec("DELETE FROM src.t WHERE HEX(k) <> LPAD(HEX(id), 4, '0')");
        db.exec(
            "CREATE TABLE src.kept (id INT PRIMARY KEY) SELECT MIN(id) id FROM src.t GROUP BY k",
        );
        db.exec("DELETE FROM src.t WHERE id NOT IN (SELECT id FROM src.kept)");
        db.exec("INSERT INTO src.t VALUES (1, '?', 'a'), (2, '??', 'a')");
        db.exec("INSERT INTO des.t SELECT k, v FROM src.t");
        let ids: Vec<u64> = db.query(&format!(
            "SELECT id FROM src.t WHERE CONVERT(k USING utf8mb4) LIKE '%?%' AND id > 2 \
             OR HEX(CONVERT(CONVERT(k USING utf8mb4) USING {charset})) <> HEX(k) ORDER BY id"
        ));
        assert!(ids.len() > 5, "{collation}: {ids:?}");
        let (gone, changed) = (ids[1], ids[3]);
        db.exec(&format!("DELETE FROM des.t WHERE HEX(k) = '{gone:04X}'"));
        db.exec(&format!(
            "UPDATE des.t SET v = 'x' WHERE HEX(k) = '{changed:04X}'"
        ));
        db.exec("DELETE FROM des.t WHERE k = '??'");
        let found = called(&scene);
        let wanted = BTreeSet::from([(2, 1), (gone, 1), (changed, 2)]);
        assert_eq!(found[0], wanted, "{collation}");
    }
}

#[test]
fn what_a_character_set_shows_as_the_replacement_character_is_no_key_elsewhere() {
    // Big5 converts this one back too.
    let big5 = "VARCHAR(9) CHARACTER SET big5 COLLATE big5_bin";
    let copies = ["VARCHAR(9) CHARACTER SET utf8mb3", big5, "VARBINARY(9)"];
    let scene = keyed(big5, &copies, "KEY");
    let db = Arc::clone(&scene.db);
    db.exec("INSERT INTO src.t VALUES (1, CONVERT(X'A2CE' USING big5), 'a'), (2, 'b', 'a')");
    db.exec("INSERT INTO des.t VALUES (_utf8mb4 X'efbfbd', 'a'), ('b', 'a')");
    db.exec("INSERT INTO des2.t VALUES (CONVERT(X'A2CE' USING big5), 'a'), ('b', 'a')");
    db.exec("INSERT INTO des3.t VALUES (X'efbfbd', 'a'), ('b', 'a')");
    let missing = BTreeSet::from([(1, 1)]);
    assert_eq!(called(&scene), [missing.clone(), BTreeSet::new(), missing]);
}
