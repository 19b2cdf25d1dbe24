//! Choices for tables of all kinds, and the text that they give.

use super::written::{Account, Destination, Servers};
use super::*;

fn column(name: &str, declared: &str) -> ColumnFacts {
    let kind = declared.split(['(', ' ']).next().unwrap_or_default();
    let column_type = match kind {
        "int" | "bigint" => ColumnType::Int,
        "date" => ColumnType::Date,
        "datetime" => ColumnType::DateTime(0),
        "timestamp" => ColumnType::Timestamp(0),
        "decimal" => ColumnType::Decimal,
        _ => ColumnType::Text,
    };
    let has = |word: &str| declared.contains(word);
    ColumnFacts {
        name: name.into(),
        column_type,
        declared: declared.split(' ').next().unwrap_or_default().into(),
        nullable: has("null"),
        length: None,
        digits: None,
        scale: None,
        charset: None,
        collation: None,
        on_update: has("on update"),
        filled: if has("generated") {
            Filled::Generated
        } else if has("counted") {
            Filled::Counted
        } else {
            Filled::Given
        },
    }
}

/// Columns as `name type words`, indexes as `NAME(columns)`; PRIMARY and those that begin with `u`
/// are unique.
fn table(columns: &[&str], indexes: &[&str]) -> Found {
    let columns = columns.iter().map(|it| {
        let (name, declared) = it.split_once(' ').expect("A name and a type");
        column(name, declared)
    });
    let indexes = indexes.iter().map(|it| {
        let (name, columns) = it.split_once('(').expect("A name and columns");
        Index {
            name: name.into(),
            unique: name == "PRIMARY" || name.starts_with('u'),
            columns: columns
                .trim_end_matches(')')
                .split(',')
                .map(str::to_owned)
                .collect(),
            by_prefix: false,
        }
    });
    Found {
        database: "my".into(),
        table: "t".into(),
        server: "db1:3306".into(),
        facts: TableFacts {
            columns: columns.collect(),
            indexes: indexes.collect(),
            rows: Some(8_311_900),
            ..TableFacts::default()
        },
    }
}

fn copy_of(mut found: Found) -> Found {
    found.database = "my2".into();
    found
}

const USER: [&str; 5] = [
    "id bigint counted",
    "number varchar(64)",
    "name varchar(64) null",
    "avatar varchar(255) null",
    "update_time datetime on update",
];
const USER_KEYS: [&str; 3] = ["PRIMARY(id)", "uk(number)", "update_time(update_time)"];

fn user() -> Found {
    table(&USER, &USER_KEYS)
}

fn chosen(source: &Found, copy: &Found) -> Choices {
    choose(source, std::slice::from_ref(copy)).unwrap_or_else(|problem| panic!("{problem}"))
}

fn key(choices: &Choices) -> Option<(&str, &str)> {
    let key = choices.key.as_ref()?;
    Some((&key.source, &key.copies[0].1))
}

fn pairs(choices: &Choices) -> String {
    let pairs = choices.copies[0].lines.iter();
    let pairs = pairs.filter(|it| it.why_not.is_none());
    let names: Vec<&str> = pairs.map(|it| it.source.as_str()).collect();
    names.join(" ")
}

#[test]
fn the_words_are_those_of_the_contract() {
    let copy = copy_of(table(
        &[
            "id bigint",
            "number varchar(64)",
            "name varchar(64)",
            "avatar_url varchar(500)",
            "update_time datetime on update",
        ],
        &["PRIMARY(id)", "uk(number)"],
    ));
    let source = user();
    let choices = chosen(&source, &copy);
    assert_eq!(
        said::report(&source, &[copy], &choices),
        "source       my.t, about 8,311,900 rows: id (PRIMARY), updates by update_time (index update_time)\n\
         destination  my2.t, about 8,311,900 rows: found by number (UNIQUE), 3 of 5 columns paired by name\n\
         to decide    byColumn: number was taken (UNIQUE on both sides); id (PRIMARY on both sides) would do too\n\
         to decide    avatar VARCHAR(255) / avatar_url VARCHAR(500): same type, other name: left as a comment\n\
         skipped      update_time: set by the copy itself (ON UPDATE CURRENT_TIMESTAMP)\n"
    );
    let variables = ["CUPID_SRC_PASSWORD", "CUPID_DES_PASSWORD"].map(str::to_owned);
    assert_eq!(
        said::next(&variables, "/etc/cupid/user.env", "/etc/cupid/user.json"),
        "Next: CUPID_SRC_PASSWORD=… and CUPID_DES_PASSWORD=… in /etc/cupid/user.env (mode 0640), then: cupid check \
         /etc/cupid/user.json\n"
    );
}

#[test]
fn the_id_is_counted_by_the_server_or_the_only_integer_of_the_primary_key_or_called_id() {
    for (columns, indexes, expected) in [
        (vec!["id bigint counted"], vec!["PRIMARY(id)"], Some("id")),
        (
            vec!["a int", "n int counted"],
            vec!["PRIMARY(a)", "uk(n)"],
            Some("n"),
        ),
        // Partitioned tables have more columns in their keys.
        (
            vec!["n int counted", "day date"],
            vec!["PRIMARY(n,day)"],
            Some("n"),
        ),
        (vec!["a int"], vec!["PRIMARY(a)"], Some("a")),
        (
            vec!["a varchar(9)", "id int"],
            vec!["PRIMARY(a)", "uid(id)"],
            Some("id"),
        ),
        (
            vec!["a varchar(9)", "id int null"],
            vec!["PRIMARY(a)", "uid(id)"],
            None,
        ),
        (
            vec!["a varchar(9)", "id int"],
            vec!["PRIMARY(a)", "kid(id)"],
            None,
        ),
        (vec!["a int", "b int"], vec!["PRIMARY(a,b)"], None),
        (vec!["a decimal(9)"], vec!["PRIMARY(a)"], None),
        (vec!["id int"], vec![], None),
    ] {
        let source = table(&columns, &indexes);
        let choices = chosen(&source, &copy_of(source.clone()));
        let id = choices.id.as_ref().map(|(column, _)| column.as_str());
        assert_eq!(id, expected, "{columns:?} {indexes:?}");
        let is_told = choices
            .to_decide
            .iter()
            .any(|it| it.starts_with("idColumn: "));
        assert_eq!(is_told, id.is_none());
    }
}

#[test]
fn a_unique_key_of_the_business_goes_before_an_id_and_one_with_nulls_goes_last() {
    let columns = [
        "id int counted",
        "a varchar(9)",
        "b varchar(9)",
        "n varchar(9) null",
    ];
    let of = |keys: &[&str], copy_keys: &[&str]| {
        let copy = copy_of(table(&columns, copy_keys));
        let choices = chosen(&table(&columns, keys), &copy);
        key(&choices).map(|(name, index)| format!("{name} {index}"))
    };
    let all = ["PRIMARY(id)", "ua(a)", "ub(b)", "un(n)"];
    for (keys, copy_keys, expected) in [
        (&all[..], &all[..], Some("a UNIQUE")),
        (&all[..1], &all[..], Some("a UNIQUE")),
        (&["PRIMARY(id)", "ub(b)"], &all, Some("b UNIQUE")),
        (&all, &["PRIMARY(id)", "un(n)"], Some("id PRIMARY")),
        (&all, &["un(n)"], Some("n UNIQUE")),
        // An index that is not unique is enough where the source has each value once.
        (&all, &["kb(b)"], Some("b index kb")),
        (&["PRIMARY(id)"], &["kb(b)"], None),
        (&all, &["uab(a,b)"], Some("a index uab")),
        (&["PRIMARY(id)"], &["uab(a,b)"], None),
        (&all, &[], None),
    ] {
        let found = of(keys, copy_keys);
        assert_eq!(found.as_deref(), expected, "{keys:?} {copy_keys:?}");
    }
}

#[test]
fn one_key_serves_all_copies() {
    let copies = [["PRIMARY(id)", "ua(number)"], ["PRIMARY(id)", "kx(name)"]];
    let copies = copies.map(|keys| copy_of(table(&USER, &keys)));
    let choices = choose(&user(), &copies).unwrap();
    assert_eq!(key(&choices), Some(("id", "PRIMARY")));
}

#[test]
fn the_update_column_is_set_by_the_server_or_has_a_usual_name_and_an_index() {
    let by = |column: &str| Update::By(column.into(), format!("index k{column}"));
    for (columns, indexes, expected) in [
        (
            vec!["t timestamp on update", "updated_at datetime"],
            vec!["kt(t)", "kupdated_at(updated_at)"],
            by("t"),
        ),
        (
            vec!["s timestamp on update", "t datetime on update"],
            vec!["kt(t)"],
            by("t"),
        ),
        (
            vec!["updated_at datetime", "gmt_modified datetime"],
            vec!["kgmt_modified(gmt_modified)"],
            by("gmt_modified"),
        ),
        (
            vec!["UPDATED_AT datetime"],
            vec!["kUPDATED_AT(UPDATED_AT)"],
            by("UPDATED_AT"),
        ),
        (
            vec!["t timestamp", "created_at datetime"],
            vec!["kt(t)"],
            Update::None,
        ),
        (vec!["updated_at int"], vec!["k(updated_at)"], Update::None),
        (
            vec!["update_time datetime"],
            vec!["k(id,update_time)"],
            Update::WithoutIndex(
                "update_time".into(),
                "CREATE INDEX `cupid_update_time` ON `my`.`t` (`update_time`);".into(),
            ),
        ),
    ] {
        let columns: Vec<&str> = ["id int counted"].into_iter().chain(columns).collect();
        let indexes: Vec<&str> = ["PRIMARY(id)"].into_iter().chain(indexes).collect();
        let source = table(&columns, &indexes);
        let choices = chosen(&source, &copy_of(source.clone()));
        assert_eq!(choices.update, expected, "{columns:?}");
    }
}

#[test]
fn pairs_have_one_name_and_types_that_can_agree() {
    let source = table(
        &[
            "id int counted",
            "Name varchar(9)",
            "born date",
            "sum int generated",
            "total int",
            "seen datetime",
            "my_row_id int counted",
            "userName varchar(9)",
            "only varchar(9)",
            "a${b} int",
        ],
        &["PRIMARY(id)"],
    );
    let copy = copy_of(table(
        &[
            "id int",
            "name varchar(20)",
            "born int",
            "sum int",
            "total int generated",
            "seen datetime on update",
            "my_row_id int counted",
            "user_name varchar(20)",
            "a${b} int",
        ],
        &["PRIMARY(id)"],
    ));
    let choices = chosen(&source, &copy);
    assert_eq!(pairs(&choices), "id Name");
    let said = choices.to_decide.join("\n") + "\n" + &choices.skipped.join("\n");
    for words in [
        "userName VARCHAR(9) / user_name VARCHAR(20): same type, other name: left as a comment",
        "born: DATE / INT: DATE holds a date and INT a number",
        "sum: a generated column",
        "total: a generated column of my2.t",
        "seen: set by the copy itself",
        "my_row_id: each server numbers its rows itself",
        "only: not in my2.t",
        "a${b}: a configuration takes ${ for a variable",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
    let nothing = copy_of(table(&["x int", "born int"], &[]));
    let refused = choose(&source, &[nothing]).unwrap_err();
    assert!(refused.contains("no column in common"), "{refused}");
}

fn servers(count: usize) -> Servers {
    let account = |database: &str| Account {
        dsn: format!("mysql://db1:3306/{database}"),
        database: Some(database.into()),
        user: "cupid".into(),
        variable: "CUPID_SRC_PASSWORD".into(),
    };
    let destinations = (0..count).map(|number| Destination {
        account: account("my2"),
        name: format!("copy{number}"),
        callback: Some("http://h/p".into()),
    });
    Servers {
        source: account("my"),
        destinations: destinations.collect(),
    }
}

/// What a configuration makes of a text; `common` lies beside it.
fn loaded(text: &str, common: Option<&str>) -> Result<crate::config::Job, crate::error::Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.json");
    std::fs::write(&path, text).unwrap();
    if let Some(common) = common {
        std::fs::write(folder.path().join(written::COMMON), common).unwrap();
    }
    let env = |name: &str| Some(format!("value of {name}"));
    crate::config::load(&path, &env)
}

#[test]
fn what_is_written_is_read_again_alone_and_in_two_files() {
    let odd = "a\"b\\ \u{1}\n*/ // 名";
    let mut source = user();
    source.facts.columns.push(column(odd, "varchar(9)"));
    let mut copy = copy_of(source.clone());
    for found in [&mut source, &mut copy] {
        found.table = "odd.`table".into();
    }
    copy.database = "other".into();
    let copies = [copy.clone(), copy];
    let choices = choose(&source, &copies).unwrap();
    let servers = servers(2);
    let alone = loaded(&written::alone(&servers, &source, &copies, &choices), None);
    let part = written::part(&servers, &source, &copies, &choices);
    let two = loaded(&part, Some(&written::common(&servers)));
    for job in [alone.unwrap(), two.unwrap()] {
        assert_eq!(job.source.table.name(), "my.odd.`table");
        assert_eq!(
            (job.source.id_column.as_str(), job.source.insert),
            ("id", true)
        );
        assert_eq!(job.source.update.unwrap().column, "update_time");
        assert_eq!(
            job.source.table.server.password,
            "value of CUPID_SRC_PASSWORD"
        );
        let names = job.destinations.iter().map(|it| it.name.as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["copy0", "copy1"]);
        let first = &job.destinations[0];
        assert_eq!(first.table.name(), "other.odd.`table");
        let columns = first.columns.iter().map(|it| it.source.as_str());
        assert_eq!(
            columns.collect::<Vec<_>>(),
            ["id", "number", "name", "avatar", odd]
        );
    }
}

#[test]
fn what_cannot_be_decided_is_a_comment_and_the_rest_is_there() {
    let source = table(
        &["a int", "b int", "updated_at datetime"],
        &["PRIMARY(a,b)"],
    );
    let copy = copy_of(source.clone());
    let choices = chosen(&source, &copy);
    assert!(!choices.is_complete());
    let mut servers = servers(1);
    servers.destinations[0].callback = None;
    let text = written::alone(&servers, &source, &[copy], &choices);
    let refused = loaded(&text, None).unwrap_err().to_string();
    for key in [
        "src.byColumn",
        "des[0].byColumn",
        "des[0].callbackNotification.url",
    ] {
        assert!(refused.contains(&format!("{key}: is missing")), "{refused}");
    }
    assert!(refused.contains("3 problems"), "{refused}");
    for words in [
        "\"insert\": false",
        "\"update\": false",
        "// CREATE INDEX `cupid_updated_at`",
    ] {
        assert!(text.contains(words), "{text}");
    }
}
