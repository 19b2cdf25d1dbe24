//! Keys that the copy's collation takes for others than it spells.

use std::collections::BTreeSet;

use super::{called, keyed};
use crate::common::Db;

#[test]
fn letters_that_a_collation_takes_for_others_in_another_case_are_not_folded() {
    let db = Db::new(0);
    let mut collations = vec![
        ("utf8mb4_czech_ci", "ch", "cH"),
        ("utf8mb4_danish_ci", "aa", "aA"),
        ("utf8mb4_spanish2_ci", "xll", "xlL"),
        ("utf8mb4_turkish_ci", "i", "I"),
        ("latin5_turkish_ci", "i", "I"),
        ("cp866_general_ci", "j", "J"),
        ("latin7_general_ci", "t", "T"),
    ];
    if db.is_mariadb() {
        collations.push(("utf8mb4_croatian_ci", "lj", "lJ"));
    } else {
        collations.push(("utf8mb4_hu_0900_ai_ci", "ccs", "cCs"));
    }
    for (collation, key, other) in collations {
        let charset = collation.split('_').next().unwrap_or_default();
        let column = format!("VARCHAR(9) CHARACTER SET {charset} COLLATE {collation}");
        let scene = keyed(&column, &[&column], "PRIMARY KEY");
        scene.db.exec(&format!(
            "INSERT INTO src.t VALUES (1, '{key}', 'a'), (2, 'b', 'a')"
        ));
        scene.db.exec(&format!(
            "INSERT INTO des.t VALUES ('{other}', 'a'), ('B', 'a')"
        ));
        let found = called(&scene);
        assert_eq!(found[0], BTreeSet::from([(1, 1)]), "{collation}");
    }
}

#[test]
fn each_of_two_keys_that_the_copy_takes_for_one_is_compared_with_the_rows_of_both() {
    // Told apart by plain letters, by other letters, and by a character that the collation ignores.
    for (collation, one, other) in [
        ("utf8mb4_general_ci", "_utf8mb4'abc'", "_utf8mb4'ABC'"),
        ("utf8mb4_general_ci", "_utf8mb4'été'", "_utf8mb4'ete'"),
        ("utf8mb4_unicode_ci", "_utf8mb4'ab'", "_utf8mb4 X'610162'"),
        ("utf8mb4_esperanto_ci", "_utf8mb4'i'", "_utf8mb4'I'"),
        ("latin1_swedish_ci", "_utf8mb4'é'", "_utf8mb4'E'"),
    ] {
        let charset = collation.split('_').next().unwrap_or_default();
        let copy = format!("VARCHAR(9) CHARACTER SET {charset} COLLATE {collation}");
        let scene = keyed(
            "VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            &[&copy],
            "KEY",
        );
        scene.db.exec(&format!(
            "INSERT INTO src.t VALUES (1, {one}, 'x'), (2, {other}, 'y'), (3, 'other', 'z')"
        ));
        scene.db.exec(&format!(
            "INSERT INTO des.t VALUES ({one}, 'y'), ({other}, 'x'), ('other', 'z')"
        ));
        let found = called(&scene);
        assert_eq!(found[0], BTreeSet::new(), "{collation}");
        let report = scene.cupid("reconcile").args("--report -").exits(1);
        let duplicates = report.stdout.matches(",duplicate,").count();
        assert_eq!(duplicates, 2, "{collation}: {}", report.stdout);
    }
}

#[test]
fn an_enum_or_a_set_is_found_by_its_text_whatever_its_number() {
    let db = Db::new(0);
    db.exec("SET sql_mode = ''");
    // The second empty value is no member. U+0001 is the same as nothing to this collation.
    let collation = "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";
    let columns = ["ENUM('x','')", "ENUM('x','y')", "SET('x','y')"];
    for (column, index) in columns
        .iter()
        .flat_map(|c| [(c, "KEY"), (c, "PRIMARY KEY")])
    {
        let scene = keyed("VARCHAR(9)", &[&format!("{column} {collation}")], index);
        let db = std::sync::Arc::clone(&scene.db);
        db.exec("SET sql_mode = ''");
        db.exec(
            "INSERT INTO src.t VALUES (1, '', 'b'), (2, _utf8mb4 X'01', 'b'), (3, 'x', 'c'), \
             (4, 'none', 'd'), (5, _utf8mb4 X'01', 'other')",
        );
        let mut different = BTreeSet::from([(4, 1), (5, 2)]);
        if column.starts_with("ENUM('x','')") {
            db.exec("INSERT INTO des.t VALUES ('', 'a')");
        }
        db.exec("INSERT INTO des.t VALUES ('none', 'b'), ('x', 'c')");
        if index == "KEY" {
            db.exec("UPDATE des.t SET v = 'e' WHERE v = 'c'");
            different.insert((3, 2));
        }
        assert_eq!(called(&scene)[0], different, "{column}, {index}");
    }
}
