//! Pairs of cells: equality is symmetric and reflexive, between cells of one type transitive; a rule only loosens it; what
//! has one fingerprint is equal; every cell can be printed and sent.

use arbitrary::{Result, Unstructured};
use cupid::logic::audit::fingerprint::{Fingerprinter, KeyFold};
use cupid::logic::callback::payload::body;
use cupid::logic::compare::cells::{Comparator, Rule, never_equal};
use cupid::logic::compare::rows::{ColumnMap, Found, Matches, Pair, Verdict, compare};
use cupid::logic::value::cell::{Cell, Column, ColumnType, DateTime};
use cupid::logic::value::print;

use super::values;

pub(super) fn run(data: &[u8]) {
    // Too few bytes make no case.
    let _ = case(&mut Unstructured::new(data));
}

fn case(u: &mut Unstructured<'_>) -> Result<()> {
    let types = [values::column_type(u)?, values::column_type(u)?];
    let rule = rule(u)?;
    match u.int_in_range(0..=3)? {
        0 => wild(types, &rule, &values::wild_cell(u)?, &values::wild_cell(u)?),
        1 => of_one_type(u, types[0])?,
        2 => exact_numbers(u)?,
        _ => as_sent(u, types, &rule)?,
    }
    Ok(())
}

/// Whatever the cells are, also ones that no server sends.
fn wild([one, other]: [ColumnType; 2], rule: &Rule, a: &Cell, b: &Cell) {
    let exact = Comparator::new(one, other, &Rule::default()).equal(a, b);
    let there = Comparator::new(one, other, rule).equal(a, b);
    let back = Comparator::new(other, one, rule).equal(b, a);
    assert_eq!(there, back, "not symmetric: {a:?} and {b:?}");
    assert!(there || !exact, "a rule made {a:?} and {b:?} differ");
    let same = Comparator::new(one, one, rule).equal(a, &a.clone());
    let not_a_number = matches!(a, Cell::Float(value) if value.is_nan())
        || matches!(a, Cell::Double(value) if value.is_nan());
    assert!(same || not_a_number, "{a:?} differs from itself");
    for (cell, column_type) in [(a, one), (b, other)] {
        assert!(
            print::report_text(cell, column_type) != "\\N" || *cell == Cell::Null,
            "{cell:?} looks like NULL"
        );
        for numbers_as_strings in [false, true] {
            let column = Column {
                name: "c".into(),
                column_type,
            };
            let sent = body(1, &[column], std::slice::from_ref(cell), numbers_as_strings);
            let read: serde_json::Value = serde_json::from_slice(&sent).expect("a body is JSON");
            assert_eq!(
                read["srcColumn"]["c"].is_null(),
                *cell == Cell::Null,
                "{cell:?}"
            );
        }
    }
}

/// Three cells of columns of one type.
fn of_one_type(u: &mut Unstructured<'_>, column_type: ColumnType) -> Result<()> {
    let a = values::cell(u, column_type)?;
    let b = if u.arbitrary()? {
        values::respelled(u, &a)?
    } else {
        values::cell(u, column_type)?
    };
    let c = if u.arbitrary()? {
        values::respelled(u, &b)?
    } else {
        values::cell(u, column_type)?
    };
    // The text of a UUID and its 16 bytes are two forms of which either may also be meant as it stands.
    if column_type == ColumnType::Uuid
        && [&a, &b, &c]
            .iter()
            .any(|cell| matches!(cell, Cell::Bytes(_)))
    {
        return Ok(());
    }
    transitive([column_type; 3], [&a, &b, &c]);
    Ok(())
}

/// Three exact numbers, each of a type of its own.
fn exact_numbers(u: &mut Unstructured<'_>) -> Result<()> {
    const EXACT: [ColumnType; 4] = [
        ColumnType::Int,
        ColumnType::Bit,
        ColumnType::Decimal,
        ColumnType::Year,
    ];
    let types = [*u.choose(&EXACT)?, *u.choose(&EXACT)?, *u.choose(&EXACT)?];
    let a = values::cell(u, types[0])?;
    let as_decimal = |cell: &Cell, column_type| match values::printed(cell, column_type) {
        Cell::Text(text) => Cell::Decimal(text),
        other => other,
    };
    let b = if u.arbitrary()? {
        as_decimal(&a, types[0])
    } else {
        values::cell(u, types[1])?
    };
    let c = if u.arbitrary()? {
        values::respelled(u, &b)?
    } else {
        values::cell(u, types[2])?
    };
    transitive(types, [&a, &b, &c]);
    Ok(())
}

fn transitive([one, two, three]: [ColumnType; 3], [a, b, c]: [&Cell; 3]) {
    let equal = |one, a, two, b| Comparator::new(one, two, &Rule::default()).equal(a, b);
    if equal(one, a, two, b) && equal(two, b, three, c) {
        assert!(
            equal(one, a, three, c),
            "not transitive: {a:?}, {b:?}, {c:?} as {one:?}, {two:?}, {three:?}"
        );
    }
}

/// A source row of one column and its copy, as two servers send them.
fn as_sent(u: &mut Unstructured<'_>, [one, other]: [ColumnType; 2], rule: &Rule) -> Result<()> {
    let source = if u.ratio(1, 8)? {
        Cell::Null
    } else {
        values::cell(u, one)?
    };
    let copy = match u.int_in_range(0..=5)? {
        0 => Cell::Null,
        1 => values::cell(u, other)?,
        2 => source.clone(),
        3 => values::printed(&source, one),
        _ => values::respelled(u, &source)?,
    };
    let comparator = Comparator::new(one, other, rule);
    let equal = comparator.equal(&source, &copy);
    let map = ColumnMap {
        pairs: vec![Pair {
            name: "c".into(),
            source_index: 0,
            source_type: one,
            destination: "c".into(),
            destination_type: other,
            in_server_zone: false,
            comparator,
        }],
        key_type: one,
        destination_key_type: other,
    };
    let seed = u.arbitrary()?;
    let of_source =
        Fingerprinter::of_source(&map, KeyFold::default(), seed).row(&vec![source.clone()]);
    let of_copy =
        Fingerprinter::of_destination(&map, KeyFold::default(), seed).row(&vec![copy.clone()]);
    let same = of_source == of_copy && fits(&copy, other);
    assert!(
        !same || equal,
        "one fingerprint, but {source:?} as {one:?} and {copy:?} as {other:?} differ"
    );
    if never_equal(one, other).is_some() && *rule == Rule::default() && fits(&copy, other) {
        assert!(
            !equal || source == Cell::Null,
            "{one:?} and {other:?} were said never to agree: {source:?}, {copy:?}"
        );
    }
    let found = Found {
        rows: vec![vec![copy]],
        by_key: vec![],
    };
    let verdict = compare(
        std::slice::from_ref(&source),
        &found,
        &Matches::One(0),
        &map,
    );
    assert_eq!(
        verdict,
        if equal {
            Verdict::Agree
        } else {
            Verdict::Different(vec![0])
        }
    );
    Ok(())
}

/// Whether a server sends such a cell for a column of this type.
fn fits(cell: &Cell, column_type: ColumnType) -> bool {
    let unit = |digits: u8| 10_u32.pow(6 - u32::from(digits.min(6)));
    match (cell, column_type) {
        (Cell::Null, _)
        | (Cell::Int(_) | Cell::UInt(_), ColumnType::Int | ColumnType::Bit)
        | (Cell::Int(_), ColumnType::Year)
        | (Cell::Float(_), ColumnType::Float)
        | (Cell::Double(_), ColumnType::Double)
        | (Cell::Decimal(_), ColumnType::Decimal)
        | (Cell::Bytes(_), ColumnType::Binary)
        | (Cell::Text(_) | Cell::Bytes(_), ColumnType::Text | ColumnType::Enum | ColumnType::Set) => {
            true
        }
        (Cell::DateTime(at), ColumnType::Date) => {
            *at == DateTime {
                year: at.year,
                month: at.month,
                day: at.day,
                ..DateTime::default()
            }
        }
        (Cell::DateTime(at), ColumnType::DateTime(digits) | ColumnType::Timestamp(digits)) => {
            at.microsecond.is_multiple_of(unit(digits))
        }
        (Cell::Time(span), ColumnType::Time(digits)) => span % i64::from(unit(digits)) == 0,
        _ => false,
    }
}

fn rule(u: &mut Unstructured<'_>) -> Result<Rule> {
    const TOLERANCES: [&str; 6] = ["0", "0.01", "1", "-1", "1e500", "1e-99999999"];
    if u.ratio(1, 2)? {
        return Ok(Rule::default());
    }
    let tolerance = if u.arbitrary()? {
        Some(u.choose(&TOLERANCES)?.parse().expect("a number"))
    } else {
        None
    };
    Ok(Rule {
        tolerance,
        trim: u.arbitrary()?,
        ignore_case: u.arbitrary()?,
        null_equals_empty: u.arbitrary()?,
    })
}
