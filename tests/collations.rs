//! What cupid takes for the same in two keys, without asking a server, is the same for every server.

mod common;

use common::Db;
use cupid::logic::audit::fingerprint::{KeyFold, are_apart};

/// Texts of so many letters are tried in every case.
const LETTERS_MAX: u32 = 3;

/// Pairs of texts that are the same when ASCII case does not count.
fn in_other_case() -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for length in 1..=LETTERS_MAX {
        for number in 0..26_u32.pow(length) {
            let letter =
                |at| char::from(b'a' + u8::try_from(number / 26_u32.pow(at) % 26).unwrap());
            let text: String = (0..length).map(letter).collect();
            for upper in 1..1_u32 << length {
                let other = (0..).zip(text.chars()).map(|(at, letter)| {
                    if upper >> at & 1 == 1 {
                        letter.to_ascii_uppercase()
                    } else {
                        letter
                    }
                });
                pairs.push((text.clone(), other.collect()));
            }
        }
    }
    // Letters beside what is no letter, and beside those of other scripts, which contract with some.
    let others = (0..0x80)
        .chain(0xa0..0x250)
        .chain(0x370..0x460)
        .chain(0x1e80..0x1f00);
    for other in others
        .filter_map(char::from_u32)
        .filter(|c| !c.is_ascii_alphabetic())
    {
        for letter in 'a'..='z' {
            for text in [format!("{letter}{other}"), format!("{other}{letter}")] {
                let upper = text.replace(letter, &letter.to_uppercase().to_string());
                pairs.push((text, upper));
            }
        }
    }
    pairs
}

/// Pairs of texts that are the same when spaces at the end do not count.
fn with_spaces() -> Vec<(String, String)> {
    let characters = (0..0x80).chain(0xa0..0x250).filter_map(char::from_u32);
    let texts = characters.flat_map(|c| [c.to_string(), format!("a{c}"), format!("{c}a")]);
    let mut texts: Vec<String> = texts
        .map(|text| text.trim_end_matches(' ').into())
        .collect();
    texts.push(String::new());
    let padded = |text: String| [" ", "   "].map(|spaces| (text.clone(), text.clone() + spaces));
    texts.into_iter().flat_map(padded).collect()
}

fn fill(db: &Db, table: &str, pairs: &[(String, String)]) {
    db.exec(&format!(
        "CREATE TABLE {table} (a VARCHAR(9), b VARCHAR(9)) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
    ));
    let hex = |text: &str| -> String {
        let bytes: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        if bytes.is_empty() {
            "''".into()
        } else {
            format!("_utf8mb4 X'{}'", bytes.concat())
        }
    };
    for pairs in pairs.chunks(5_000) {
        let rows: Vec<String> = pairs
            .iter()
            .map(|(a, b)| format!("({},{})", hex(a), hex(b)))
            .collect();
        db.exec(&format!("INSERT INTO {table} VALUES {}", rows.join(",")));
    }
}

/// The first pair that this collation tells apart. Pairs that its character set cannot hold are none.
fn told_apart(db: &Db, table: &str, charset: &str, collation: &str) -> Option<(String, String)> {
    let text = |column: &str| format!("CONVERT({column} USING {charset})");
    let (a, b) = (text("a"), text("b"));
    let sql = format!(
        "SELECT HEX(a), HEX(b) FROM {table} WHERE {a} COLLATE {collation} <> {b} COLLATE {collation} \
         AND BINARY CONVERT({a} USING utf8mb4) = BINARY a AND BINARY CONVERT({b} USING utf8mb4) = BINARY b LIMIT 1"
    );
    db.query(&sql).into_iter().next()
}

/// Character set and collation.
fn collations(db: &Db) -> Vec<(String, String)> {
    let name = if db.is_mariadb() {
        "FULL_COLLATION_NAME"
    } else {
        "COLLATION_NAME"
    };
    db.query(&format!(
        "SELECT CHARACTER_SET_NAME, {name} FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
    ))
}

/// Texts of plain characters, no two of which are the same but for their case: all of one and of two, and of three of the
/// letters that some language contracts.
fn plain_texts() -> Vec<String> {
    let plain = || (b'0'..=b'9').chain(b'a'..=b'z').chain(*b"-_.:/@+,");
    let letters = || "acdeghijlnorstuz".chars();
    let one = plain().map(|a| char::from(a).to_string());
    let two = plain().flat_map(|a| plain().map(move |b| [a, b].map(char::from).iter().collect()));
    let three = letters().flat_map(|a| {
        letters().flat_map(move |b| letters().map(move |c| [a, b, c].iter().collect()))
    });
    one.chain(two).chain(three).collect()
}

#[test]
fn keys_that_are_said_to_be_apart_are_apart_for_the_server() {
    let db = Db::new(0);
    let texts = plain_texts();
    db.exec("CREATE TABLE src.plain (a VARCHAR(3)) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    let rows: Vec<String> = texts.iter().map(|text| format!("('{text}')")).collect();
    db.exec(&format!("INSERT INTO src.plain VALUES {}", rows.join(",")));
    let (mut wrong, mut known) = (Vec::new(), 0);
    for (charset, collation) in collations(&db) {
        if !are_apart(&collation, texts.iter().map(String::as_bytes)) {
            continue;
        }
        known += 1;
        let groups: Vec<usize> = db.query(&format!(
            "SELECT COUNT(DISTINCT CONVERT(a USING {charset}) COLLATE {collation}) FROM src.plain"
        ));
        if groups != [texts.len()] {
            wrong.push(collation);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(known > 60, "{known} collations are known");
}

#[test]
fn what_folds_in_the_client_folds_under_every_collation_that_is_said_to() {
    let db = Db::new(0);
    db.exec("SET SESSION sql_mode = ''");
    fill(&db, "src.cased", &in_other_case());
    fill(&db, "src.padded", &with_spaces());
    let collations = collations(&db);
    let (mut wrong, mut folding) = (Vec::new(), 0);
    for (charset, collation) in &collations {
        let fold = KeyFold::of_collation(collation);
        for (table, is_claimed) in [("src.cased", fold.case), ("src.padded", fold.padding)] {
            if is_claimed {
                folding += 1;
                let apart = told_apart(&db, table, charset, collation);
                wrong.extend(apart.map(|(a, b)| format!("{collation} tells {a} and {b} apart")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        folding > 60,
        "{folding} of {} collations fold",
        collations.len()
    );
}
