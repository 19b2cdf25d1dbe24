//! A pair of columns: types that can never agree, and destinations too narrow for the source.

use super::{Findings, Level};
use crate::check::facts::{ColumnFacts, ServerFacts};
use crate::logic::compare::cells::{Rule, never_equal};
use crate::logic::scan::zone::offset_text;
use crate::logic::value::cell::ColumnType;

/// One entry of `des[].columns` and what is known of both ends.
pub(super) struct Sides<'a> {
    pub(super) source: &'a ColumnFacts,
    pub(super) destination: &'a ColumnFacts,
    pub(super) source_server: &'a ServerFacts,
    pub(super) destination_server: &'a ServerFacts,
    pub(super) rule: &'a Rule,
}

pub(super) fn advise(key: &str, pair: &Sides<'_>, findings: &mut Findings) {
    let Sides {
        source,
        destination,
        rule,
        ..
    } = pair;
    let names = format!(
        "{} ({}) with {} ({})",
        source.name, source.declared, destination.name, destination.declared
    );
    if let Some(why) = never_equal(source.column_type, destination.column_type) {
        findings.add(Level::Warning, key, format!("compares {names}; {why}"));
        return;
    }
    zones(key, &names, pair, findings);
    if let Some(loss) = loss(source, destination) {
        findings.add(Level::Note, key, format!("compares {names}: {loss}"));
    }
    if let Some(charset) = lost_characters(source, destination) {
        let from = source.charset.as_deref().unwrap_or_default();
        findings.add(
            Level::Note,
            key,
            format!(
                "compares {names}: {charset} cannot hold every character of {from}, and lost \
                 characters differ"
            ),
        );
    }
    if source.nullable && !destination.nullable && !rule.null_equals_empty {
        findings.add(
            Level::Note,
            key,
            format!("compares {names}: the source may be NULL, the copy never is, and NULL equals only NULL"),
        );
    }
}

/// An instant against what a clock showed: each server prints in its own zone.
fn zones(key: &str, names: &str, pair: &Sides<'_>, findings: &mut Findings) {
    let is_instant = |column: &ColumnFacts| matches!(column.column_type, ColumnType::Timestamp(_));
    let is_clock = |column: &ColumnFacts| matches!(column.column_type, ColumnType::DateTime(_));
    let mixed = (is_instant(pair.source) && is_clock(pair.destination))
        || (is_clock(pair.source) && is_instant(pair.destination));
    let (here, there) = (pair.source_server, pair.destination_server);
    if let (Some(here_s), Some(there_s)) = (here.zone_east_s, there.zone_east_s)
        && mixed
        && here_s != there_s
    {
        findings.add(
            Level::Warning,
            key,
            format!(
                "compares {names} as each server prints them, and their zones differ: {} ({} now) and {} ({}); \
                 TIMESTAMP on both sides is compared as an instant",
                here.zone,
                offset_text(here_s),
                there.zone,
                offset_text(there_s)
            ),
        );
    }
}

/// What the destination cannot hold of the source's values.
fn loss(source: &ColumnFacts, destination: &ColumnFacts) -> Option<String> {
    const DIFFER: &str = "values that were cut off differ";
    use ColumnType::{Binary, DateTime, Decimal, Double, Enum, Float, Int, Text, Time, Timestamp};
    if let Some(spelling) = spelling(source.column_type, destination.column_type) {
        return Some(spelling);
    }
    match (source.column_type, destination.column_type) {
        (Text, Text) | (Binary, Binary) => {
            let (from, to) = (source.length?, destination.length?);
            (to < from)
                .then(|| format!("the copy holds {to} of {from} characters or bytes; {DIFFER}"))
        }
        (Enum, Text) => {
            let (from, to) = (source.length?, destination.length?);
            (to < from).then(|| {
                format!("the longest value has {from} characters, the copy holds {to}; {DIFFER}")
            })
        }
        (Decimal, Decimal) => {
            let (from, to) = (source.scale?, destination.scale?);
            let whole = |column: &ColumnFacts| Some(column.digits? - column.scale?);
            if to < from {
                return Some(format!(
                    "the copy holds {to} of {from} digits after the point; values that were rounded differ"
                ));
            }
            (whole(destination)? < whole(source)?).then(|| {
                "the copy holds fewer digits before the point; values that do not fit differ".into()
            })
        }
        (Int, Int) => {
            let (from, to) = (
                integer_range(&source.declared)?,
                integer_range(&destination.declared)?,
            );
            (from.0 < to.0 || from.1 > to.1)
                .then(|| format!("the copy holds {} to {}; values beyond differ", to.0, to.1))
        }
        (Decimal | Double | Float, Int) => {
            Some("the copy holds whole numbers; fractions differ".into())
        }
        (Double, Float) => Some("they are compared at FLOAT's precision, about 7 digits".into()),
        (DateTime(from) | Timestamp(from), DateTime(to) | Timestamp(to))
        | (Time(from), Time(to)) => (to < from).then(|| {
            format!("they are compared at the coarser precision, {to} digits of a second")
        }),
        (DateTime(_) | Timestamp(_), ColumnType::Date) => {
            Some("the copy holds no time of day; moments other than midnight differ".into())
        }
        _ => None,
    }
}

/// Text beside a type that it can only spell.
fn spelling(source: ColumnType, destination: ColumnType) -> Option<String> {
    use ColumnType::{Date, DateTime, Enum, Set, Text, Time, Timestamp};
    let is_text = |column_type| matches!(column_type, Text | Enum | Set);
    let other = match (is_text(source), is_text(destination)) {
        (true, false) => destination,
        (false, true) => source,
        _ => return None,
    };
    match other {
        Date | DateTime(_) | Timestamp(_) | Time(_) => {
            Some("the text agrees only where it is written as MySQL prints it".into())
        }
        _ if other.is_number() => Some("the text agrees only where it reads as a number".into()),
        _ => None,
    }
}

/// The least and the greatest value of `int(10) unsigned` and the like.
fn integer_range(declared: &str) -> Option<(i128, i128)> {
    let declared = declared.to_ascii_lowercase();
    let kind = declared.split(['(', ' ']).next()?;
    let bits = match kind {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        "bigint" => 64,
        _ => return None,
    };
    let unsigned = declared.contains("unsigned") || declared.contains("zerofill");
    Some(if unsigned {
        (0, (1 << bits) - 1)
    } else {
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    })
}

/// The destination's charset, when it cannot hold every character of the source's.
pub(super) fn lost_characters<'a>(
    source: &ColumnFacts,
    destination: &'a ColumnFacts,
) -> Option<&'a str> {
    let (from, to) = (source.charset.as_deref()?, destination.charset.as_deref()?);
    let all = |charset: &str| {
        matches!(
            charset,
            "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030"
        )
    };
    let most = |charset: &str| matches!(charset, "utf8" | "utf8mb3" | "ucs2");
    let spelt_otherwise = matches!((from, to), ("utf8", "utf8mb3") | ("utf8mb3", "utf8"));
    let fits =
        from == to || from == "ascii" || all(to) || (most(to) && !all(from)) || spelt_otherwise;
    (!fits).then_some(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::facts::Filled;

    #[test]
    fn what_whole_numbers_a_column_holds() {
        for (declared, range) in [
            ("tinyint(4)", Some((-128, 127))),
            ("tinyint unsigned", Some((0, 255))),
            ("smallint", Some((-32_768, 32_767))),
            ("mediumint(8) unsigned", Some((0, 16_777_215))),
            ("MEDIUMINT", Some((-8_388_608, 8_388_607))),
            ("int(10) zerofill", Some((0, 4_294_967_295))),
            ("bigint", Some((i64::MIN.into(), i64::MAX.into()))),
            ("bigint(20) unsigned", Some((0, u64::MAX.into()))),
            ("double", None),
        ] {
            assert_eq!(integer_range(declared), range, "{declared}");
        }
    }

    #[test]
    fn which_characters_a_copy_loses() {
        let column = |charset: Option<&str>| ColumnFacts {
            name: "name".into(),
            column_type: ColumnType::Text,
            declared: "varchar(64)".into(),
            nullable: false,
            length: Some(64),
            digits: None,
            scale: None,
            charset: charset.map(Into::into),
            collation: None,
            on_update: false,
            filled: Filled::Given,
        };
        for (from, to, loses) in [
            ("latin1", "latin1", false),
            ("latin1", "utf8mb4", false),
            ("latin1", "utf8mb3", false),
            ("utf8mb3", "ucs2", false),
            ("utf8", "utf8mb3", false),
            ("utf8mb3", "utf8", false),
            ("utf8mb4", "utf16", false),
            ("utf8mb4", "gb18030", false),
            ("ascii", "latin1", false),
            ("utf8mb4", "utf8mb3", true),
            ("utf16", "ucs2", true),
            ("utf8mb3", "latin1", true),
            ("latin1", "gbk", true),
        ] {
            let (source, copy) = (column(Some(from)), column(Some(to)));
            let lost = lost_characters(&source, &copy);
            assert_eq!(lost, Some(to).filter(|_| loses), "{from} {to}");
        }
        assert_eq!(
            lost_characters(&column(None), &column(Some("latin1"))),
            None
        );
    }

    #[test]
    fn what_text_beside_another_type_has_to_look_like() {
        use ColumnType::{
            Binary, Bit, Date, DateTime, Decimal, Double, Enum, Float, Int, Set, Text, Time,
            Timestamp, Year,
        };
        for text in [Text, Enum, Set] {
            for moment in [Date, DateTime(0), Timestamp(3), Time(6)] {
                for pair in [spelling(text, moment), spelling(moment, text)] {
                    assert!(pair.is_some_and(|said| said.contains("as MySQL prints")));
                }
            }
            for number in [Int, Year, Bit, Decimal, Float, Double] {
                for pair in [spelling(text, number), spelling(number, text)] {
                    assert!(pair.is_some_and(|said| said.contains("reads as a number")));
                }
            }
            assert_eq!(spelling(text, Binary), None);
            assert_eq!(spelling(text, Text), None);
        }
        assert_eq!(spelling(Int, Date), None);
    }
}
