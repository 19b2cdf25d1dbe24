//! Which values of a destination's key column can belong to a source row's key.
//!
//! A key finds a row where their values are equal as cells are ([`crate::logic::compare::cells`]),
//! whatever the two columns' types. A server compares some pairs of types in another way: it takes
//! `7a` for the number 7, and finds `000007` by no number through an index. So a key is asked for
//! in the type of the searched column, in every spelling that a copy of it may have there. A value
//! that the column cannot hold finds no row, and is not asked for. The server decides which texts
//! are the same.

use crate::logic::compare::moment::{self, DIGITS_MAX};
use crate::logic::compare::number::Decimal;
use crate::logic::value::cell::{Cell, ColumnType, DateTime};
use crate::logic::value::charset::Encoded;
use crate::logic::value::print;

/// Digits of a DECIMAL at the most, before and after the point.
const DECIMAL_DIGITS_MAX: u8 = 65;

/// A key column, as far as finding rows by it depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyColumn {
    /// As declared; `DateTime` for a TIMESTAMP that is read as its server prints it.
    pub column_type: ColumnType,
    /// Of character data, else empty.
    pub charset: String,
    /// Digits of a DECIMAL.
    pub precision: u8,
    /// Of these, after the point.
    pub scale: u8,
    /// The digits that a ZEROFILL column prints at the least, else 0.
    pub zerofill: usize,
}

/// The values of a column that a copy of a key can have there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Spellings<'k> {
    /// The key's own value alone.
    Itself(&'k Cell),
    /// These; none when no row can have the key.
    Others(Vec<Cell>),
}

impl Spellings<'_> {
    /// One after the other.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cell> {
        let (own, others) = match self {
            Self::Itself(key) => (Some(*key), &[][..]),
            Self::Others(cells) => (None, &cells[..]),
        };
        own.into_iter().chain(others)
    }
}

/// The values of `to` that a copy of `key`, a value of `from`, can have. NULL has none.
#[must_use]
pub(crate) fn spellings<'k>(key: &'k Cell, from: &KeyColumn, to: &KeyColumn) -> Spellings<'k> {
    use ColumnType as T;
    let is_itself = match (key, to.column_type) {
        (Cell::Int(_) | Cell::UInt(_), T::Int | T::Bit)
        | (Cell::Text(_), T::Text | T::Enum | T::Set | T::Json)
        | (Cell::Bytes(_), T::Binary) => true,
        (Cell::Encoded(encoded), T::Text | T::Enum | T::Set | T::Json) => {
            Encoded::parse(encoded).charset == to.charset
        }
        _ => false,
    };
    if is_itself {
        return Spellings::Itself(key);
    }
    let mut cells = converted(key, from, to);
    let mut at = 0;
    while at < cells.len() {
        if cells[..at].contains(&cells[at]) {
            cells.remove(at);
        } else {
            at += 1;
        }
    }
    Spellings::Others(cells)
}

/// The values of a column of another type that stand for a key; one may come twice.
fn converted(key: &Cell, from: &KeyColumn, to: &KeyColumn) -> Vec<Cell> {
    use ColumnType as T;
    match (key, to.column_type) {
        (Cell::Null, _) => vec![],
        (Cell::Encoded(encoded), _) => {
            let Some(text) = Encoded::parse(encoded).characters else {
                return vec![];
            };
            let text = Cell::Text(text.into());
            spellings(&text, from, to).iter().cloned().collect()
        }
        (_, T::Int | T::Bit) => whole(key).and_then(integer).into_iter().collect(),
        (_, T::Year) => whole(key)
            .filter(is_year)
            .and_then(integer)
            .into_iter()
            .collect(),
        (_, T::Decimal) => decimals(key, to),
        (_, T::Float) => {
            let value = number(key).filter(|value: &f32| value.is_finite());
            value.map(Cell::Float).into_iter().collect()
        }
        (_, T::Double) => doubles(key),
        (Cell::Bytes(bytes), T::Text | T::Enum | T::Set | T::Json) => {
            let text = std::str::from_utf8(bytes).ok();
            text.map(|text| Cell::Text(text.into()))
                .into_iter()
                .collect()
        }
        (_, T::Text | T::Enum | T::Set | T::Json) => texts(key, from),
        (_, T::Binary) => {
            let uuid = uuid_bytes(key, from).map(|uuid| Cell::Bytes(uuid.into()));
            let texts = texts(key, from).into_iter();
            let texts =
                texts.filter_map(|text| Some(Cell::Bytes(characters(&text)?.as_bytes().into())));
            uuid.into_iter().chain(texts).collect()
        }
        (_, T::Uuid) => uuid(key).into_iter().collect(),
        (_, T::Date) => {
            let day = moment_of(key).filter(|at| *at == midnight(*at));
            day.map(Cell::DateTime).into_iter().collect()
        }
        (_, T::DateTime(digits) | T::Timestamp(digits)) => moments(key, digits),
        (_, T::Time(digits)) => spans(key, digits),
    }
}

/// The text of a cell that is text, or bytes that are.
fn characters(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) | Cell::Decimal(text) => Some(text),
        Cell::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// The number in the shortest digits that mean it.
fn digits(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Int(value) => Some(value.to_string()),
        Cell::UInt(value) => Some(value.to_string()),
        Cell::Float(value) if value.is_finite() => Some(format!("{value:e}")),
        Cell::Double(value) if value.is_finite() => Some(format!("{value:e}")),
        cell => characters(cell)
            .filter(|text| Decimal::parse(text).is_some())
            .map(str::to_owned),
    }
}

fn whole(key: &Cell) -> Option<i128> {
    let text = digits(key)?;
    Decimal::parse(&text)?.plain(20, 0)?.parse().ok()
}

fn integer(value: i128) -> Option<Cell> {
    let signed = i64::try_from(value).map(Cell::Int);
    signed
        .or_else(|_| u64::try_from(value).map(Cell::UInt))
        .ok()
}

/// A server takes 1 to 99 for years of two digits.
fn is_year(value: &i128) -> bool {
    *value == 0 || (1901..=2155).contains(value)
}

/// The number as an approximate one, rounded as the standard library does: correctly.
fn number<T: std::str::FromStr>(key: &Cell) -> Option<T> {
    digits(key)?.parse().ok()
}

/// An approximate number is copied by its shortest digits, or by those that its value has.
fn decimals(key: &Cell, to: &KeyColumn) -> Vec<Cell> {
    let whole_max = to.precision.saturating_sub(to.scale);
    let mut texts = vec![digits(key)];
    if let Cell::Float(value) = key {
        let value = format!("{:.*}", usize::from(to.scale), f64::from(*value));
        texts.push(
            Some(value)
                .filter(|value| number::<f32>(&Cell::Decimal(value[..].into())) == number(key)),
        );
    }
    let plain = |text: String| Decimal::parse(&text)?.plain(whole_max, to.scale);
    let texts = texts.into_iter().flatten().filter_map(plain);
    texts.map(|text| Cell::Decimal(text.into())).collect()
}

fn doubles(key: &Cell) -> Vec<Cell> {
    let widened = match key {
        Cell::Float(value) => Some(f64::from(*value)),
        _ => None,
    };
    let values = [widened, number(key)].into_iter().flatten();
    values
        .filter(|value| value.is_finite())
        .map(Cell::Double)
        .collect()
}

/// As its server prints it, and plainly.
fn texts(key: &Cell, from: &KeyColumn) -> Vec<Cell> {
    let mut texts = vec![print::text(key, from.column_type).into_owned()];
    match key {
        Cell::Text(_) => {}
        Cell::DateTime(at) => {
            let printed = print::text(key, ColumnType::DateTime(DIGITS_MAX)).into_owned();
            texts.push(without_idle_zeros(&printed).to_owned());
            if *at == midnight(*at) {
                texts.push(print::text(key, ColumnType::Date).into_owned());
            }
        }
        Cell::Time(_) => {
            let printed = print::text(key, ColumnType::Time(DIGITS_MAX)).into_owned();
            texts.push(without_idle_zeros(&printed).to_owned());
        }
        _ => {
            let digits = digits(key);
            let plain = digits.as_deref().and_then(Decimal::parse);
            let plain = plain.and_then(|n| n.plain(DECIMAL_DIGITS_MAX, DECIMAL_DIGITS_MAX));
            texts.extend(plain);
            let fraction = if from.scale > 0 {
                1 + usize::from(from.scale)
            } else {
                0
            };
            if from.zerofill > 0 {
                let printed = &texts[0];
                texts.push(format!(
                    "{printed:0>width$}",
                    width = from.zerofill + fraction
                ));
            }
        }
    }
    texts
        .into_iter()
        .map(|text| Cell::Text(text.into()))
        .collect()
}

fn without_idle_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

/// The 16 bytes of a UUID.
fn uuid_bytes(key: &Cell, from: &KeyColumn) -> Option<[u8; 16]> {
    match key {
        Cell::Text(text) if from.column_type == ColumnType::Uuid => {
            crate::logic::compare::cells::uuid_bytes(text)
        }
        _ => None,
    }
}

fn uuid(key: &Cell) -> Option<Cell> {
    if let Some(text) =
        characters(key).filter(|text| crate::logic::compare::cells::uuid_bytes(text).is_some())
    {
        return Some(Cell::Text(text.into()));
    }
    let Cell::Bytes(bytes) = key else {
        return None;
    };
    let number = u128::from_be_bytes((**bytes).try_into().ok()?);
    let hex = format!("{number:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    Some(Cell::Text(parts.join("-").into()))
}

fn midnight(at: DateTime) -> DateTime {
    DateTime {
        year: at.year,
        month: at.month,
        day: at.day,
        ..DateTime::default()
    }
}

fn moment_of(key: &Cell) -> Option<DateTime> {
    match key {
        Cell::DateTime(at) => Some(*at),
        key => characters(key).and_then(moment::parse_moment),
    }
}

/// Cut off, and rounded.
fn moments(key: &Cell, digits: u8) -> Vec<Cell> {
    let at = moment_of(key);
    let cut = at.map(|at| moment::truncate(at, digits));
    let rounded = at.and_then(|at| moment::round_half_up(at, digits));
    [cut, rounded]
        .into_iter()
        .flatten()
        .map(Cell::DateTime)
        .collect()
}

fn spans(key: &Cell, digits: u8) -> Vec<Cell> {
    let span = match key {
        Cell::Time(value) => Some(*value),
        key => characters(key).and_then(moment::parse_span),
    };
    let unit = 10_i64.pow(u32::from(DIGITS_MAX - digits.min(DIGITS_MAX)));
    let cut = |span: i64| span / unit * unit;
    let all = span
        .into_iter()
        .flat_map(|span| [cut(span), cut(span + span.signum() * (unit / 2))]);
    all.map(Cell::Time).collect()
}

#[cfg(test)]
mod tests;
