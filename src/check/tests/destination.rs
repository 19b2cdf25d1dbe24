//! Destination tables, keys and pairs of columns.

use super::*;

#[test]
fn how_keys_find_rows() {
    assert_said(&[
        (
            |w| {
                drop_index(w.copy(), "number");
                reads_all(w.copy(), 48_000);
            },
            "error: des[0].byColumn (copy1): holds \"number\", which no index",
            &[
                "EXPLAIN: ALL",
                "48,000",
                "CREATE INDEX `cupid_number` ON `b`.`user` (`number`);",
            ],
        ),
        (
            |w| reads_all(w.copy(), 48_000),
            "warning: des[0].byColumn (copy1): the server does not use the index number",
            &["ANALYZE"],
        ),
        (
            |w| w.copy().table.indexes[1].unique = false,
            "note: des[0].byColumn (copy1)",
            &["not unique"],
        ),
        (
            |w| at(w.copy(), "number").collation = Some("utf8mb4_bin".into()),
            "note: des[0].byColumn (copy1): the key columns' collations differ",
            &["utf8mb4_general_ci", "utf8mb4_bin", "exact spelling"],
        ),
        (
            |w| at(w.source(), "number").collation = Some("utf8mb4_bin".into()),
            "note: des[0].byColumn (copy1): the key columns' collations differ",
            &["only in case"],
        ),
        (
            |w| at(w.copy(), "number").charset = Some("latin1".into()),
            "note: des[0].byColumn (copy1): number is latin1",
            &["utf8mb4"],
        ),
        (
            |w| retype(at(w.copy(), "number"), ColumnType::Int, "int(11)"),
            "note: des[0].byColumn (copy1)",
            &["varchar(64)", "int(11)", "'7a'", "finds no row"],
        ),
        (
            |w| retype(at(w.source(), "number"), ColumnType::Int, "int(11)"),
            "note: des[0].byColumn (copy1)",
            &["'07'"],
        ),
        (
            |w| {
                retype(at(w.source(), "number"), ColumnType::Int, "int(11)");
                retype(at(w.copy(), "number"), ColumnType::Date, "date");
            },
            "warning: des[0].byColumn (copy1)",
            &["no key can find a row"],
        ),
        (
            |w| retype(at(w.copy(), "number"), ColumnType::Json, "json"),
            "warning: des[0].byColumn (copy1)",
            &["json", "its spelling"],
        ),
        (
            |w| {
                retype(at(w.source(), "number"), ColumnType::Float, "float");
                retype(at(w.copy(), "number"), ColumnType::Double, "double");
            },
            "warning: des[0].byColumn (copy1)",
            &["float", "rounds to it"],
        ),
    ]);
}

#[test]
fn a_view_has_no_indexes_and_is_judged_by_its_plan() {
    fn is_view(side: &mut Side, index: &str) {
        side.table.is_view = true;
        drop_index(side, index);
    }
    for (quick, slow) in [
        (
            said(|w| is_view(w.copy(), "number")),
            said(|w| {
                is_view(w.copy(), "number");
                reads_all(w.copy(), 10_001);
            }),
        ),
        (
            said(|w| is_view(w.source(), "updated")),
            said(|w| {
                is_view(w.source(), "updated");
                reads_all(w.source(), 10_001);
            }),
        ),
    ] {
        assert!(quick.contains("a column of a view"), "{quick}");
        for words in ["no index begins", "not unique", "CREATE INDEX"] {
            assert!(!quick.contains(words), "{words}: {quick}");
        }
        assert!(slow.contains("which no index begins with"), "{slow}");
        assert!(!slow.contains("CREATE INDEX"), "{slow}");
    }
}

#[test]
fn a_table_wants_an_index_even_where_nothing_is_known_of_its_size() {
    for said in [
        said(|w| drop_index(w.copy(), "number")),
        said(|w| drop_index(w.source(), "updated")),
    ] {
        assert!(said.contains("which no index begins with"), "{said}");
        assert!(said.contains("CREATE INDEX"), "{said}");
    }
}

#[test]
fn a_few_rows_may_be_read_without_an_index() {
    for (few, many) in [
        (
            said(|w| reads_all(w.copy(), 1_000)),
            said(|w| reads_all(w.copy(), 1_001)),
        ),
        (
            said(|w| reads_all(w.source(), 10_000)),
            said(|w| reads_all(w.source(), 10_001)),
        ),
    ] {
        assert!(!few.contains("does not use the index"), "{few}");
        assert!(many.contains("does not use the index"), "{many}");
    }
}

#[test]
fn keys_that_are_too_long_for_the_copy_are_told() {
    let length = |w: &mut World, length| at(w.copy(), "number").length = Some(length);
    let (mut short, mut long) = (World::sound(), World::sound());
    length(&mut short, 63);
    length(&mut long, 64);
    assert!(format!("{:?}", short.advice()).contains("longer find no row"));
    assert_eq!(exit(&long.advice()), Exit::Done);
}

#[test]
fn pairs_of_columns_that_cannot_hold_the_same() {
    fn pair(w: &mut World, source: (ColumnType, &str), copy: (ColumnType, &str)) {
        retype(at(w.source(), "name"), source.0, source.1);
        retype(at(w.copy(), "name"), copy.0, copy.1);
    }
    use ColumnType::{Date, DateTime, Decimal, Int, Timestamp};
    const KEY: &str = "note: des[0].columns (copy1): compares name (";
    assert_said(&[
        (
            |w| pair(w, (Date, "date"), (Int, "int(11)")),
            "warning: des[0].columns (copy1): compares name (date) with name (int(11))",
            &["only when both are NULL"],
        ),
        (
            |w| at(w.copy(), "name").length = Some(10),
            KEY,
            &["10 of 64 characters"],
        ),
        (
            |w| {
                pair(w, (Decimal, "decimal(10,4)"), (Decimal, "decimal(10,2)"));
                (at(w.source(), "name").digits, at(w.source(), "name").scale) = (Some(10), Some(4));
                (at(w.copy(), "name").digits, at(w.copy(), "name").scale) = (Some(10), Some(2));
            },
            KEY,
            &["2 of 4 digits"],
        ),
        (
            |w| pair(w, (Int, "bigint(20)"), (Int, "int(11)")),
            KEY,
            &["-2147483648 to 2147483647"],
        ),
        (
            |w| pair(w, (Int, "int"), (Int, "int unsigned")),
            KEY,
            &["0 to 4294967295"],
        ),
        (
            |w| {
                pair(
                    w,
                    (DateTime(6), "datetime(6)"),
                    (DateTime(3), "datetime(3)"),
                );
            },
            KEY,
            &["coarser precision, 3 digits"],
        ),
        (
            |w| at(w.copy(), "name").charset = Some("utf8mb3".into()),
            KEY,
            &["utf8mb3 cannot hold"],
        ),
        (
            |w| at(w.source(), "name").nullable = true,
            KEY,
            &["never is"],
        ),
        (
            |w| {
                pair(w, (Timestamp(0), "timestamp"), (DateTime(0), "datetime"));
                w.copy().server.zone_east_s = Some(28_800);
                w.copy().server.zone = "Asia/Shanghai".into();
            },
            "warning: des[0].columns (copy1): compares name (timestamp)",
            &["zones differ", "Asia/Shanghai (+08:00)"],
        ),
        (
            |w| w.set(r#"{"name": "name"}"#, r#"{"nme": "nam"}"#),
            "error: des[0].columns (copy1): holds \"nme\"",
            &["a.user", "did you mean name?"],
        ),
        (
            |w| w.set(r#"{"name": "name"}"#, r#"{"nme": "nam"}"#),
            "error: des[0].columns (copy1): holds \"nam\"",
            &["b.user"],
        ),
    ]);
}

/// What is said of `name`, whose columns are of these types.
fn said_of(source: ColumnType, copy: ColumnType, change: fn(&mut World)) -> String {
    let mut world = World::sound();
    retype(at(world.source(), "name"), source, "source's");
    retype(at(world.copy(), "name"), copy, "copy's");
    change(&mut world);
    let findings = world.advice();
    let said = findings.iter().filter(|found| found.level != Level::Ok);
    said.map(ToString::to_string).collect()
}

#[test]
fn what_a_copy_cannot_hold_is_told_of_each_kind_of_columns() {
    use ColumnType::{Date, DateTime, Decimal, Double, Enum, Float, Int, Text, Time, Timestamp};
    fn lengths(world: &mut World) {
        at(world.source(), "name").length = Some(5);
        at(world.copy(), "name").length = Some(3);
    }
    fn alike(world: &mut World) {
        at(world.source(), "name").length = Some(3);
        at(world.copy(), "name").length = Some(3);
    }
    fn digits(world: &mut World, source: (u64, u64), copy: (u64, u64)) {
        let column = at(world.source(), "name");
        (column.digits, column.scale) = (Some(source.0), Some(source.1));
        let column = at(world.copy(), "name");
        (column.digits, column.scale) = (Some(copy.0), Some(copy.1));
    }
    fn declared(world: &mut World, source: &str, copy: &str) {
        at(world.source(), "name").declared = source.into();
        at(world.copy(), "name").declared = copy.into();
    }
    let same: fn(&mut World) = |_| {};
    for (source, copy, change, words) in [
        (
            Enum,
            Text,
            lengths as fn(&mut World),
            "has 5 characters, the copy holds 3",
        ),
        (
            Decimal,
            Decimal,
            |w| digits(w, (10, 2), (10, 4)),
            "fewer digits before",
        ),
        (Double, Int, same, "whole numbers"),
        (Float, Int, same, "whole numbers"),
        (Decimal, Int, same, "whole numbers"),
        (Double, Float, same, "FLOAT's precision"),
        (
            Int,
            Int,
            |w| declared(w, "int unsigned", "int"),
            "to 2147483647",
        ),
        (Time(6), Time(0), same, "coarser precision, 0 digits"),
        (Timestamp(3), Timestamp(0), same, "precision, 0 digits"),
        (DateTime(0), Date, same, "no time of day"),
        (Timestamp(0), Date, same, "no time of day"),
    ] {
        let said = said_of(source, copy, change);
        assert!(said.contains(words), "{source:?} {copy:?}: {said}");
    }
    for (source, copy, change) in [
        (Enum, Text, alike as fn(&mut World)),
        (Float, Double, same),
        (Date, DateTime(0), same),
        (Int, Decimal, same),
        (Int, Int, |w| declared(w, "int", "int")),
        (Decimal, Decimal, |w| digits(w, (10, 2), (10, 2))),
        (Decimal, Decimal, |w| digits(w, (4, 1), (6, 3))),
        (Time(0), Time(6), same),
        (DateTime(3), DateTime(3), same),
    ] {
        assert_eq!(said_of(source, copy, change), "", "{source:?} {copy:?}");
    }
}

#[test]
fn zones_matter_between_an_instant_and_what_a_clock_showed() {
    use ColumnType::{DateTime, Timestamp};
    fn elsewhere(world: &mut World) {
        world.copy().server.zone_east_s = Some(28_800);
    }
    let (instant, clock) = (Timestamp(0), DateTime(0));
    for (source, copy, matters) in [
        (instant, clock, true),
        (clock, instant, true),
        (instant, instant, false),
        (clock, clock, false),
    ] {
        let said = said_of(source, copy, elsewhere);
        assert_eq!(said.contains("their zones differ"), matters, "{said}");
    }
    assert_eq!(said_of(instant, clock, |_| {}), "", "they are the same");
}

#[test]
fn text_beside_another_type_is_explained() {
    assert_said(&[
        (
            |w| retype(at(w.copy(), "name"), ColumnType::Date, "date"),
            "note: des[0].columns (copy1): compares name (varchar(64)) with name (date)",
            &["as MySQL prints it"],
        ),
        (
            |w| retype(at(w.copy(), "name"), ColumnType::Int, "int(11)"),
            "note: des[0].columns (copy1): compares name (varchar(64)) with name (int(11))",
            &["reads as a number"],
        ),
    ]);
}

#[test]
fn what_fits_is_not_spoken_of() {
    let fits: [fn(&mut World); 5] = [
        |w| at(w.copy(), "name").length = Some(255),
        |w| at(w.source(), "name").charset = Some("latin1".into()),
        |w| {
            retype(at(w.source(), "name"), ColumnType::Int, "int(10) unsigned");
            retype(at(w.copy(), "name"), ColumnType::Int, "bigint(20)");
        },
        |w| w.source().server.ahead_us = 1_500_000,
        |w| w.source_key(r#""timeZone": "Europe/London", "lateCommitSecond": 1"#),
    ];
    for (number, change) in fits.iter().enumerate().take(4) {
        let mut world = World::sound();
        change(&mut world);
        let findings = world.advice();
        assert!(
            findings.iter().all(|finding| finding.level == Level::Ok),
            "{number}: {findings:#?}"
        );
    }
    // London is an hour ahead of UTC in July.
    let mut world = World::sound();
    fits[4](&mut world);
    assert_eq!(exit(&world.advice()), Exit::Attention);
}
