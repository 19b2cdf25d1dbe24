//! When two cells are equal, and why.
//!
//! A [`Comparator`] knows the two columns' types and the column's [`Rule`]; it judges by value, not by spelling:
//!
//! * NULL equals only NULL.
//! * Numbers agree by exact value at any size. An approximate number (`FLOAT`, `DOUBLE`) agrees with every number that
//!   rounds to it. Text agrees with a number when it reads as one, entirely.
//! * Text agrees by characters, binary by bytes, and both with each other when the bytes are the text's UTF-8.
//!   Text that has no character in Unicode agrees with the same bytes of the same character set only.
//!   Where one column is JSON, by JSON value; where one is a UUID, ignoring case, or with its 16 bytes.
//! * Dates, moments and spans agree at the coarser of the two precisions, cut off or rounded; with text as MySQL
//!   prints it.
//! * What has nothing in common, such as a date and a number, differs; [`never_equal`] says so beforehand.
//!
//! Cells decide which of these applies, types only add what cells do not tell (precision, JSON, UUID). So a cell that
//! does not fit its column is still judged, and source and destination may change places without changing the verdict.

use bigdecimal::BigDecimal;

use super::{json, moment};
use crate::logic::compare::number::{Number, Tolerance};
use crate::logic::value::cell::{Cell, ColumnType};

/// A column's exceptions from exact equality, all off by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// Numbers agree when they differ by no more than this.
    pub tolerance: Option<BigDecimal>,
    /// White space at both ends of text does not count.
    pub trim: bool,
    /// Upper and lower case of text count as the same.
    pub ignore_case: bool,
    /// NULL agrees with the empty string.
    pub null_equals_empty: bool,
}

/// Judges the cells of one pair of columns.
#[derive(Clone, Debug)]
pub struct Comparator {
    /// Fraction digits of a date or time in the source column.
    source_digits: u8,
    /// The same in the destination column.
    destination_digits: u8,
    meaning: TextMeaning,
    tolerance: Option<Tolerance>,
    trim: bool,
    ignore_case: bool,
    null_equals_empty: bool,
}

/// What text stands for in a pair of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextMeaning {
    Characters,
    Json,
    Uuid,
}

impl Comparator {
    /// Prepares for a source column, a destination column and the rule between them.
    #[must_use]
    pub fn new(source: ColumnType, destination: ColumnType, rule: &Rule) -> Self {
        let either = |wanted| source == wanted || destination == wanted;
        let Rule {
            tolerance,
            trim,
            ignore_case,
            null_equals_empty,
        } = rule;
        Self {
            source_digits: fraction_digits(source),
            destination_digits: fraction_digits(destination),
            meaning: if either(ColumnType::Json) {
                TextMeaning::Json
            } else if either(ColumnType::Uuid) {
                TextMeaning::Uuid
            } else {
                TextMeaning::Characters
            },
            tolerance: tolerance.as_ref().map(Tolerance::new),
            trim: *trim,
            ignore_case: *ignore_case,
            null_equals_empty: *null_equals_empty,
        }
    }

    /// Whether the destination's cell is a faithful copy of the source's.
    #[must_use]
    pub fn equal(&self, source: &Cell, destination: &Cell) -> bool {
        // Nearly every row takes this way: identical cells are equal by every rule.
        source == destination || self.equal_by_value(source, destination)
    }

    /// The rest: cells that differ in form.
    fn equal_by_value(&self, source: &Cell, destination: &Cell) -> bool {
        match (source, destination) {
            (Cell::Null, other) | (other, Cell::Null) => {
                self.null_equals_empty && self.characters(other).is_some_and(str::is_empty)
            }
            (Cell::Text(_) | Cell::Bytes(_), Cell::Text(_) | Cell::Bytes(_)) => {
                self.texts_equal(source, destination)
            }
            (Cell::DateTime(a), Cell::DateTime(b)) => {
                moment::moments_equal(*a, self.source_digits, *b, self.destination_digits)
            }
            (Cell::Time(a), Cell::Time(b)) => {
                moment::spans_equal(*a, self.source_digits, *b, self.destination_digits)
            }
            (Cell::DateTime(_) | Cell::Time(_), text) => {
                self.temporal_equals_text(source, self.source_digits, text)
            }
            (text, Cell::DateTime(_) | Cell::Time(_)) => {
                self.temporal_equals_text(destination, self.destination_digits, text)
            }
            _ => self.numbers_equal(source, destination),
        }
    }

    /// A date or time of a column with so many fraction digits against a text, which may be more precise.
    fn temporal_equals_text(&self, temporal: &Cell, digits: u8, text: &Cell) -> bool {
        let Some(text) = self.characters(text) else {
            return false;
        };
        match temporal {
            Cell::DateTime(value) => moment::parse_moment(text).is_some_and(|text| {
                moment::moments_equal(text, moment::DIGITS_MAX, *value, digits)
            }),
            Cell::Time(value) => moment::parse_span(text)
                .is_some_and(|text| moment::spans_equal(text, moment::DIGITS_MAX, *value, digits)),
            _ => false,
        }
    }

    /// Two cells of which at least one is a number by its type.
    fn numbers_equal(&self, source: &Cell, destination: &Cell) -> bool {
        match (self.number(source), self.number(destination)) {
            (Some(a), Some(b)) => a.equal(&b) || self.tolerated(&a, &b),
            // MySQL holds neither NaN nor infinity; should it ever, then each is itself.
            _ => match (source, destination) {
                (Cell::Float(a), Cell::Float(b)) => a.is_nan() && b.is_nan(),
                (Cell::Double(a), Cell::Double(b)) => a.is_nan() && b.is_nan(),
                _ => false,
            },
        }
    }

    fn tolerated(&self, a: &Number<'_>, b: &Number<'_>) -> bool {
        let tolerance = self.tolerance.as_ref();
        tolerance.is_some_and(|tolerance| tolerance.covers(a, b))
    }

    fn number<'a>(&self, cell: &'a Cell) -> Option<Number<'a>> {
        match self.characters(cell) {
            Some(text) => Number::of_text(text),
            None => Number::of_cell(cell),
        }
    }

    /// Two cells of text or of bytes, not identical as they are.
    fn texts_equal(&self, source: &Cell, destination: &Cell) -> bool {
        if self.meaning == TextMeaning::Uuid
            && let (Cell::Text(text), Cell::Bytes(bytes)) | (Cell::Bytes(bytes), Cell::Text(text)) =
                (source, destination)
            && uuid_bytes(self.trimmed(text)).is_some_and(|uuid| uuid[..] == bytes[..])
        {
            return true;
        }
        let (Some(a), Some(b)) = (self.characters(source), self.characters(destination)) else {
            return false;
        };
        a == b
            || (self.ignore_case && equal_ignoring_case(a, b))
            || match self.meaning {
                TextMeaning::Characters => false,
                TextMeaning::Uuid => a.eq_ignore_ascii_case(b),
                TextMeaning::Json => json::equal(a, b),
            }
            || (self.tolerance.is_some() && self.numeric_texts_tolerated(a, b))
    }

    fn numeric_texts_tolerated(&self, a: &str, b: &str) -> bool {
        match (Number::of_text(a), Number::of_text(b)) {
            (Some(a), Some(b)) => a.equal(&b) || self.tolerated(&a, &b),
            _ => false,
        }
    }

    /// The characters that count in a cell of text, or of bytes that are text.
    fn characters<'a>(&self, cell: &'a Cell) -> Option<&'a str> {
        match cell {
            Cell::Text(text) => Some(self.trimmed(text)),
            Cell::Bytes(bytes) => std::str::from_utf8(bytes)
                .ok()
                .map(|text| self.trimmed(text)),
            _ => None,
        }
    }

    fn trimmed<'a>(&self, text: &'a str) -> &'a str {
        if self.trim { text.trim() } else { text }
    }
}

/// Fraction digits of a temporal column. A `DATE` is its day's midnight exactly, so it counts as fully precise.
fn fraction_digits(column_type: ColumnType) -> u8 {
    match column_type {
        ColumnType::DateTime(digits) | ColumnType::Timestamp(digits) | ColumnType::Time(digits) => {
            digits.min(moment::DIGITS_MAX)
        }
        _ => moment::DIGITS_MAX,
    }
}

/// Reads a moment as MySQL prints it.
#[must_use]
pub fn moment_of_text(text: &str) -> Option<crate::logic::value::cell::DateTime> {
    moment::parse_moment(text)
}

/// By Unicode's lower case, character by character; both small sigmas are the lower case of one capital.
fn equal_ignoring_case(a: &str, b: &str) -> bool {
    fn lower(text: &str) -> impl Iterator<Item = char> {
        text.chars()
            .flat_map(char::to_lowercase)
            .map(|character| if character == 'ς' { 'σ' } else { character })
    }
    lower(a).eq(lower(b))
}

/// The 16 bytes of a UUID in its usual text of 36 characters.
pub(super) fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    if text.len() != 36 || [8, 13, 18, 23].iter().any(|dash| text[*dash] != b'-') {
        return None;
    }
    let mut nibbles = text.iter().filter(|byte| **byte != b'-').map(|byte| {
        let digit = char::from(*byte).to_digit(16)?;
        u8::try_from(digit).ok()
    });
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = nibbles.next()?? << 4 | nibbles.next()??;
    }
    nibbles.next().is_none().then_some(bytes)
}

/// Says in plain words why two columns of these types can never agree, or `None` when they can.
#[must_use]
pub fn never_equal(source: ColumnType, destination: ColumnType) -> Option<String> {
    let (a, b) = (family(source), family(destination));
    if a == b || a == Family::Words || b == Family::Words {
        return None;
    }
    if let (Family::Json, Family::Number) | (Family::Number, Family::Json) = (a, b) {
        return None;
    }
    Some(format!(
        "{} holds {} and {} {}: they agree only when both are NULL",
        declared(source),
        a.contents(),
        declared(destination),
        b.contents()
    ))
}

/// Types whose values can be the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Number,
    Moment,
    Span,
    Uuid,
    Json,
    /// Text and binary can spell all others.
    Words,
}

impl Family {
    fn contents(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Moment => "a date",
            Self::Span => "a time without a date",
            Self::Uuid => "a UUID",
            Self::Json => "a JSON document",
            Self::Words => "text",
        }
    }
}

fn family(column_type: ColumnType) -> Family {
    match column_type {
        ColumnType::Int
        | ColumnType::Year
        | ColumnType::Bit
        | ColumnType::Decimal
        | ColumnType::Float
        | ColumnType::Double => Family::Number,
        ColumnType::Date | ColumnType::DateTime(_) | ColumnType::Timestamp(_) => Family::Moment,
        ColumnType::Time(_) => Family::Span,
        ColumnType::Uuid => Family::Uuid,
        ColumnType::Json => Family::Json,
        ColumnType::Text | ColumnType::Enum | ColumnType::Set | ColumnType::Binary => Family::Words,
    }
}

fn declared(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Int => "INT",
        ColumnType::Year => "YEAR",
        ColumnType::Bit => "BIT",
        ColumnType::Decimal => "DECIMAL",
        ColumnType::Float => "FLOAT",
        ColumnType::Double => "DOUBLE",
        ColumnType::Text => "a text column",
        ColumnType::Enum => "ENUM",
        ColumnType::Set => "SET",
        ColumnType::Uuid => "UUID",
        ColumnType::Json => "JSON",
        ColumnType::Binary => "a binary column",
        ColumnType::Date => "DATE",
        ColumnType::DateTime(_) => "DATETIME",
        ColumnType::Timestamp(_) => "TIMESTAMP",
        ColumnType::Time(_) => "TIME",
    }
}

#[cfg(test)]
mod tests;
