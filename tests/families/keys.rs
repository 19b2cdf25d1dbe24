//! Keys in two character sets and collations: which row belongs to a key is what the destination's own collation says.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Apart, LOOKS};

/// Two key columns, keys of the source, and the keys of the destination that are there.
struct Keys {
    source: &'static str,
    destination: &'static str,
    /// As SQL; the last says whether the destination finds one by the other.
    rows: &'static [(&'static str, Option<&'static str>, bool)],
}

/// `NO PAD` stands for a collation of the destination's family under which spaces at the end count.
const KEYS: [Keys; 9] = [
    Keys {
        source: "VARCHAR(20) CHARACTER SET latin1",
        destination: "VARCHAR(20) CHARACTER SET gbk",
        rows: &[
            ("'abc'", Some("'ABC'"), true),
            ("'é'", Some("'é'"), true),
            ("'pad'", Some("'pad  '"), true),
            ("'Å'", None, false),
            ("'it''s'", Some("'it''s'"), true),
        ],
    },
    Keys {
        source: "VARCHAR(20) CHARACTER SET gbk COLLATE gbk_bin",
        destination: "VARCHAR(20) CHARACTER SET utf8mb4",
        rows: &[
            ("'誠縗'", Some("'誠縗'"), true),
            ("'中文'", Some("'中闻'"), false),
            ("'a'", Some("'A'"), true),
            ("'e'", Some("'É'"), true),
        ],
    },
    Keys {
        source: "VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin",
        destination: "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        rows: &[
            ("'ABC'", Some("'abc'"), true),
            ("'Ünï'", Some("'uni'"), true),
            ("'pad '", Some("'PAD'"), true),
            ("'lost'", None, false),
        ],
    },
    Keys {
        source: "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        destination: "VARCHAR(20) CHARACTER SET latin1",
        rows: &[
            ("'é'", Some("'É'"), true),
            ("'€'", Some("'€'"), true),
            ("'🐙'", None, false),
            ("'誠'", None, false),
            ("'?'", Some("'?'"), true),
        ],
    },
    Keys {
        source: "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
        destination: "VARCHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin",
        rows: &[
            ("'a'", Some("'A'"), false),
            ("'b'", Some("'b '"), true),
            ("'🐙'", None, false),
            ("'\\\\'", Some("'\\\\'"), true),
        ],
    },
    Keys {
        source: "CHAR(20) CHARACTER SET latin1",
        destination: "VARCHAR(20) NO PAD",
        rows: &[
            ("'a'", Some("'a '"), false),
            ("'b '", Some("'b'"), true),
            ("'é'", Some("'é'"), true),
        ],
    },
    Keys {
        source: "VARCHAR(20) CHARACTER SET gbk",
        destination: "VARBINARY(20)",
        rows: &[
            ("'誠'", Some("X'e8aaa0'"), true),
            ("'a'", Some("'A'"), false),
            ("'b'", Some("'b '"), false),
        ],
    },
    Keys {
        source: "BIGINT UNSIGNED",
        destination: "VARCHAR(30) CHARACTER SET utf16",
        rows: &[
            ("18446744073709551615", Some("'18446744073709551615'"), true),
            ("7", Some("'7'"), true),
            ("8", Some("'9'"), false),
        ],
    },
    Keys {
        source: "ENUM('誠','b') CHARACTER SET gbk",
        destination: "CHAR(4) CHARACTER SET utf8mb3",
        rows: &[("'誠'", Some("'誠'"), true), ("'b'", Some("'c'"), false)],
    },
];

#[test]
fn a_key_finds_its_row_under_the_collation_there() {
    for keys in KEYS {
        judge(&keys);
    }
}

fn judge(keys: &Keys) {
    let mut apart = Apart::new();
    let unpadded = if apart.there.is_mariadb() {
        "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_nopad_ci"
    } else {
        "CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci"
    };
    let destination = keys.destination.replace("NO PAD", unpadded);
    apart.tables(
        &format!("id INT PRIMARY KEY, k {}, v INT, KEY (k)", keys.source),
        &format!("nr INT AUTO_INCREMENT PRIMARY KEY, k {destination}, v INT, KEY (k)"),
        "k",
    );
    apart.scene.config.set("/des/0/columns", json!({"v": "v"}));
    // The last row of each is found, but differs.
    let last = keys.rows.len();
    let mut expected = BTreeMap::new();
    for (id, (source, there, is_found)) in (1..).zip(keys.rows) {
        apart
            .here
            .exec(&format!("INSERT INTO src.t VALUES ({id}, {source}, 1)"));
        let value = if id == last { 2 } else { 1 };
        if let Some(there) = there {
            apart.there.exec(&format!(
                "INSERT INTO des.t (k, v) VALUES ({there}, {value})"
            ));
        }
        if !is_found || id == last {
            expected.insert(id as u64, if *is_found { 2 } else { 1 });
        }
    }
    for (command, code) in LOOKS {
        let (outcome, callbacks) = apart.looks(command);
        let found = callbacks.iter().map(|call| (call.id(), call.kind()));
        let found: BTreeMap<u64, u64> = found.collect();
        let (source, stderr) = (keys.source, &outcome.stderr);
        assert_eq!(
            found, expected,
            "{command}: {source} against {destination}: {stderr}"
        );
        assert_eq!(callbacks.len(), expected.len(), "{command}");
        assert_eq!(outcome.code, Some(code), "{command}: {stderr}");
    }
}
