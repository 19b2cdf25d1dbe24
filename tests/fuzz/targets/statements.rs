//! The statements that would repair a copy: a value, from whatever server, cannot leave its place in one.

use arbitrary::{Result, Unstructured};
use cupid::logic::compare::cells::{Comparator, Rule};
use cupid::logic::compare::rows::{ColumnMap, Pair, Verdict};
use cupid::logic::report::fix::{Fix, Wrong};
use cupid::logic::value::cell::{Cell, ColumnType};
use cupid::logic::value::row::Row;

use super::values;

pub(super) fn run(data: &[u8]) {
    let _ = case(&mut Unstructured::new(data));
}

fn case(u: &mut Unstructured<'_>) -> Result<()> {
    let types = [values::column_type(u)?, values::column_type(u)?];
    let verdict = match u.int_in_range(0..=2)? {
        0 => Verdict::Missing,
        1 => Verdict::Agree,
        _ => Verdict::Different(vec![0]),
    };
    let [key, cell] = [values::wild_cell(u)?, values::wild_cell(u)?];
    let plain = |cell: &Cell| {
        if *cell == Cell::Null {
            Cell::Null
        } else {
            Cell::Int(1)
        }
    };
    let harmless = shapes(types, &verdict, &plain(&key), &plain(&cell));
    let written = shapes(types, &verdict, &key, &cell);
    assert_eq!(
        written, harmless,
        "{key:?} and {cell:?} as {types:?} change what the statement is"
    );
    Ok(())
}

/// What is left of the statements when literals are taken out.
fn shapes(types: [ColumnType; 2], verdict: &Verdict, key: &Cell, cell: &Cell) -> [String; 2] {
    let [source_type, destination_type] = types;
    let destination = values::destination("d", "n");
    let map = ColumnMap {
        pairs: vec![Pair {
            name: "c".into(),
            source_index: 0,
            source_type,
            destination: "c".into(),
            destination_type,
            in_server_zone: false,
            comparator: Comparator::new(source_type, destination_type, &Rule::default()),
        }],
        key_type: source_type,
        destination_key_type: destination_type,
    };
    let row = Row {
        id: 7,
        key: key.clone(),
        updated: Cell::Null,
        cells: vec![cell.clone()],
    };
    let copies = Wrong::Copies {
        row: &row,
        verdict,
        copies: 1,
    };
    [copies, Wrong::Extra(key)].map(|wrong| {
        let fix = Fix {
            target: destination.target(),
            map: &map,
            wrong,
        };
        shape(&fix.statement())
    })
}

/// What follows the name of a character set, as in `_gbk X'a2e3'`.
fn after_introducer(rest: &str) -> &str {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let name = rest.strip_prefix('_').unwrap_or_default();
    name.trim_start_matches(is_name)
}

/// Reads SQL as a server does under either reading of the backslash: there is none in a literal.
fn shape(statement: &str) -> String {
    assert!(
        !statement.contains(char::is_control),
        "{statement:?} is more than one line"
    );
    let mut shape = String::new();
    let mut rest = statement;
    while let Some(character) = rest.chars().next() {
        let literal = if rest.starts_with('\'')
            || rest.starts_with("X'")
            || after_introducer(rest).starts_with(" X'")
        {
            let begin = rest.find('\'').map_or(0, |at| at + 1);
            let mut end = begin;
            loop {
                end += rest[end..].find('\'').expect("a literal ends") + 1;
                if !rest[end..].starts_with('\'') {
                    break;
                }
                end += 1;
            }
            assert!(
                !rest[begin..end].contains('\\'),
                "a backslash in {statement:?}"
            );
            end
        } else if rest
            .trim_start_matches(['-', '+', '.'])
            .starts_with(|c: char| c.is_ascii_digit())
        {
            let after = |c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
            rest.find(after).unwrap_or(rest.len())
        } else {
            0
        };
        if literal > 0 {
            shape.push('?');
            rest = &rest[literal..];
        } else {
            shape.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    shape
}
