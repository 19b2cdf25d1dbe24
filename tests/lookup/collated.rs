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
