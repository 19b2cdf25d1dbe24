//! The source table.

use super::*;

#[test]
fn what_a_scan_of_the_source_needs() {
    assert_said(&[
        (
            |w| drop_index(w.source(), "PRIMARY"),
            "error: src.idColumn: holds \"id\", which no index",
            &[
                "MAX(id)",
                "50,000 rows",
                "CREATE UNIQUE INDEX `cupid_id` ON `a`.`user` (`id`);",
            ],
        ),
        (
            |w| {
                drop_index(w.source(), "PRIMARY");
                w.source()
                    .table
                    .indexes
                    .push(index("PRIMARY", true, &["number", "id"]));
            },
            "error: src.idColumn: holds \"id\", which no index",
            &[],
        ),
        (
            |w| w.source().table.indexes[0].unique = false,
            "warning: src.idColumn: holds \"id\"; ids must be unique",
            &[
                "stops at the first id that two rows share",
                "CREATE UNIQUE INDEX",
            ],
        ),
        (
            |w| {
                w.source().table.indexes[0].unique = false;
                w.source().table.is_partitioned = true;
            },
            "note: src.idColumn: holds \"id\"; ids must be unique",
            &["stops at the first id that two rows share"],
        ),
        (
            |w| {
                at(w.source(), "id").nullable = true;
                w.source().table.without_id = 1234;
            },
            "warning: src.idColumn: holds \"id\", which is NULL in 1,234 rows",
            &["exits 1"],
        ),
        (
            |w| at(w.source(), "id").nullable = true,
            "warning: src.idColumn",
            &["NULL"],
        ),
        (
            |w| w.source_key(r#""idColumn": "number""#),
            "error: src.idColumn: holds \"number\", a column of type varchar(64)",
            &["integer", "the primary key id would do"],
        ),
        (
            |w| w.source_key(r#""idColumn": "ids""#),
            "error: src.idColumn",
            &["did you mean id?"],
        ),
        (
            |w| at(w.source(), "number").nullable = true,
            "note: src.byColumn",
            &["NULL finds no row"],
        ),
        (
            |w| drop_index(w.source(), "number"),
            "note: src.byColumn",
            &["not unique"],
        ),
        (
            |w| w.source().table.is_view = true,
            "note: src.idColumn",
            &["view"],
        ),
        (
            |w| {
                w.facts.state.has_checkpoint = false;
                w.source().table.rows = Some(3_000_000);
            },
            "note: src.insertStartId",
            &["3,000,000 rows", "--start-id"],
        ),
    ]);
}

#[test]
fn what_a_window_of_updates_needs() {
    assert_said(&[
        (
            |w| {
                drop_index(w.source(), "updated");
                reads_all(w.source(), 49_876);
            },
            "error: src.updateColumn: holds \"updated\", which no index",
            &[
                "last 65 s",
                "EXPLAIN: ALL, no index, 49,876 rows",
                "CREATE INDEX `cupid_updated` ON `a`.`user` (`updated`);",
            ],
        ),
        (
            |w| {
                w.source().table.indexes = vec![
                    index("PRIMARY", true, &["number"]),
                    index("i", true, &["id"]),
                ];
            },
            "error: src.updateColumn",
            &["(`updated`, `id`);"],
        ),
        (
            |w| reads_all(w.source(), 49_876),
            "warning: src.updateColumn: the server does not use the index updated",
            &["ANALYZE TABLE `a`.`user`;"],
        ),
        (
            |w| at(w.source(), "updated").on_update = false,
            "note: src.updateColumn",
            &["ON UPDATE"],
        ),
        (
            |w| at(w.source(), "updated").nullable = true,
            "note: src.updateColumn",
            &["NULL"],
        ),
        (
            |w| retype(at(w.source(), "updated"), ColumnType::Text, "varchar(20)"),
            "error: src.updateTimeFormate: is missing",
            &["updated"],
        ),
        (
            |w| retype(at(w.source(), "updated"), ColumnType::Int, "int(11)"),
            "note: src.updateTimeFormate: is not set",
            &["seconds since 1970"],
        ),
        (
            |w| retype(at(w.source(), "updated"), ColumnType::Json, "json"),
            "error: src.updateColumn",
            &["json", "DATETIME"],
        ),
        (
            |w| w.source_key(r#""updateTimeFormate": "U""#),
            "note: src.updateTimeFormate: is not needed",
            &["datetime"],
        ),
        (
            |w| w.source_key(r#""timeZone": "Asia/Shanghai""#),
            "warning: src.timeZone: holds Asia/Shanghai (+08:00 now)",
            &["UTC (+00:00)"],
        ),
        (
            |w| {
                w.source_key(r#""timeZone": "+08:00""#);
                retype(
                    at(w.source(), "updated"),
                    ColumnType::Timestamp(0),
                    "timestamp",
                );
            },
            "note: src.timeZone: is not needed",
            &["instants"],
        ),
    ]);
}

#[test]
fn another_primary_key_is_named_where_it_would_do() {
    type Change = fn(&mut World);
    let cases: [(Change, bool); 4] = [
        (|w| w.source_key(r#""idColumn": "number""#), true),
        // It is the column itself.
        (|w| w.source().table.indexes[0].unique = false, false),
        // It is no integer.
        (
            |w| {
                w.source_key(r#""idColumn": "name""#);
                w.source().table.indexes[0] = index("PRIMARY", true, &["number"]);
            },
            false,
        ),
        // It has two columns.
        (
            |w| {
                w.source_key(r#""idColumn": "number""#);
                w.source().table.indexes[0] = index("PRIMARY", true, &["id", "name"]);
            },
            false,
        ),
    ];
    for (number, (change, is_named)) in cases.into_iter().enumerate() {
        let said = said(change);
        assert!(said.contains("src.idColumn"), "{said}");
        assert_eq!(said.contains("would do"), is_named, "case {number}: {said}");
    }
}

#[test]
fn of_a_view_nobody_says_that_its_keys_are_not_unique() {
    let said = said(|w| {
        w.source().table.is_view = true;
        w.source().table.indexes.clear();
    });
    assert!(!said.contains("not unique"), "{said}");
}
