//! Numbers of any type, compared by value.
//!
//! An exact number is compared digit by digit, where it stands in its text: nothing is converted, so nothing is
//! rounded, nothing is allocated, and an exponent of a billion costs as much as one of two.
//! An approximate number (`FLOAT`, `DOUBLE`) stands for every exact number that rounds to it.

use std::io::Write;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::{BigInt, Sign};

use crate::logic::value::cell::Cell;

/// Exponents beyond this are no number to us: no type of MySQL comes near, and positions stay within an `i64`.
const EXPONENT_MAX: i64 = 1_000_000_000_000_000;

/// For a tolerance, numbers count down to 10^-1000 and up to 10^1000. `DECIMAL` has 65 digits, `DOUBLE` ends at 10^308.
const PLACES_MAX: i64 = 1000;

/// A number in decimal notation: `0.<whole><fraction>` times 10 to the power of `point`.
#[derive(Clone, Copy, Debug)]
pub(in crate::logic) struct Decimal<'a> {
    text: &'a str,
    negative: bool,
    /// Significant digits before the point as written, without leading zeros.
    whole: &'a [u8],
    /// Significant digits after the point as written, without trailing zeros.
    fraction: &'a [u8],
    /// 0 for zero, which has no digits and no sign.
    point: i64,
}

impl<'a> Decimal<'a> {
    /// Reads an optional sign, digits with at most one point, and an optional exponent; nothing before or after.
    pub(in crate::logic) fn parse(text: &'a str) -> Option<Self> {
        let (negative, unsigned) = split_sign(text.as_bytes());
        let (whole, rest) = split_digits(unsigned);
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => split_digits(rest),
            rest => (&[][..], rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest {
            [] => Some(0),
            [b'e' | b'E', exponent @ ..] => parse_exponent(exponent)?,
            _ => return None,
        };

        let whole = strip_leading_zeros(whole);
        let fraction = strip_trailing_zeros(fraction);
        let (whole, fraction, point) = if whole.is_empty() {
            let significant = strip_leading_zeros(fraction);
            (whole, significant, -length(fraction) + length(significant))
        } else if fraction.is_empty() {
            (strip_trailing_zeros(whole), fraction, length(whole))
        } else {
            (whole, fraction, length(whole))
        };
        if whole.is_empty() && fraction.is_empty() {
            return Some(Self {
                text,
                negative: false,
                whole,
                fraction,
                point: 0,
            });
        }
        Some(Self {
            text,
            negative,
            whole,
            fraction,
            point: point + exponent?,
        })
    }

    /// Whether both are the same number, whatever their notation.
    pub(in crate::logic) fn equal(&self, other: &Decimal<'_>) -> bool {
        self.negative == other.negative
            && self.point == other.point
            && self.whole.len() + self.fraction.len() == other.whole.len() + other.fraction.len()
            && self.digits().eq(other.digits())
    }

    /// The number without an exponent and without idle zeros; `None` when it has more digits than these before the
    /// point, or after it.
    pub(in crate::logic) fn plain(&self, whole_max: u8, fraction_max: u8) -> Option<String> {
        let significant = length(self.whole) + length(self.fraction);
        if self.point > whole_max.into() || significant - self.point > fraction_max.into() {
            return None;
        }
        let mut digits = self.digits().map(char::from);
        let mut text = String::from(if self.negative { "-" } else { "" });
        if self.point <= 0 {
            text.push('0');
        }
        for _ in 0..self.point {
            text.push(digits.next().unwrap_or('0'));
        }
        if significant > self.point {
            text.push('.');
            (self.point..0).for_each(|_| text.push('0'));
            text.extend(digits);
        }
        Some(text)
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).copied()
    }

    /// The number down to 10^-[`PLACES_MAX`], or `None` when it is beyond 10^[`PLACES_MAX`]. `BigDecimal` writes out
    /// the zeros between two exponents when it subtracts, so it must never see an exponent that we did not bound.
    fn bounded(&self) -> Option<BigDecimal> {
        if self.point > PLACES_MAX {
            return None;
        }
        let kept = self.point.saturating_add(PLACES_MAX).max(0);
        let values: Vec<u8> = self
            .digits()
            .take(usize::try_from(kept).unwrap_or(0))
            .map(|digit| digit - b'0')
            .collect();
        if values.is_empty() {
            return Some(BigDecimal::default());
        }
        let sign = if self.negative {
            Sign::Minus
        } else {
            Sign::Plus
        };
        let digits = BigInt::from_radix_be(sign, &values, 10)?;
        Some(BigDecimal::new(digits, length(&values) - self.point))
    }
}

/// Finds the exponent: `None` when this is none, `Some(None)` when it is beyond every bound.
#[allow(clippy::option_option)] // Absurd is not wrong: `0e99999999999999999999` is zero.
fn parse_exponent(text: &[u8]) -> Option<Option<i64>> {
    let (negative, unsigned) = split_sign(text);
    let (digits, rest) = split_digits(unsigned);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let mut value = 0_i64;
    for digit in digits {
        value = value * 10 + i64::from(digit - b'0');
        if value > EXPONENT_MAX {
            return Some(None);
        }
    }
    Some(Some(if negative { -value } else { value }))
}

/// Whether there is a minus, and what follows the sign.
fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] | rest => (false, rest),
    }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

fn strip_leading_zeros(digits: &[u8]) -> &[u8] {
    let start = digits.iter().position(|digit| *digit != b'0');
    &digits[start.unwrap_or(digits.len())..]
}

fn strip_trailing_zeros(digits: &[u8]) -> &[u8] {
    let last = digits.iter().rposition(|digit| *digit != b'0');
    &digits[..last.map_or(0, |last| last + 1)]
}

fn length(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX) // No slice is longer than isize::MAX.
}

/// A number of any type of MySQL.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number<'a> {
    /// Every integer, of either sign, up to 64 bits.
    Integer(i128),
    /// `FLOAT`; never NaN or infinite.
    Float(f32),
    /// `DOUBLE`; never NaN or infinite.
    Double(f64),
    /// `DECIMAL`, or text that reads as a number.
    Decimal(Decimal<'a>),
}

impl<'a> Number<'a> {
    /// The number that a cell of a numeric type holds; `None` for every other cell.
    pub(super) fn of_cell(cell: &'a Cell) -> Option<Self> {
        match cell {
            Cell::Int(value) => Some(Self::Integer(i128::from(*value))),
            Cell::UInt(value) => Some(Self::Integer(i128::from(*value))),
            Cell::Float(value) if value.is_finite() => Some(Self::Float(*value)),
            Cell::Double(value) if value.is_finite() => Some(Self::Double(*value)),
            Cell::Decimal(text) => Self::of_text(text),
            _ => None,
        }
    }

    /// The number that a text reads as.
    pub(super) fn of_text(text: &'a str) -> Option<Self> {
        Decimal::parse(text).map(Self::Decimal)
    }

    /// Whether both are the same number, at the precision of the less precise type. 0 and -0 are the same.
    #[allow(clippy::float_cmp)] // Equality at a type's precision is what is asked.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // Rounding to that precision is the rule.
    pub(super) fn equal(&self, other: &Number<'_>) -> bool {
        match (self, other) {
            (Number::Integer(a), Number::Integer(b)) => a == b,
            (Number::Float(a), Number::Float(b)) => a == b,
            (Number::Double(a), Number::Double(b)) => a == b,
            (Number::Decimal(a), Number::Decimal(b)) => a.equal(b),
            // What is out of FLOAT's range rounds to infinity, which no `Number` is.
            (Number::Float(a), Number::Double(b)) | (Number::Double(b), Number::Float(a)) => {
                *a == *b as f32
            }
            (Number::Float(a), Number::Integer(b)) | (Number::Integer(b), Number::Float(a)) => {
                *a == *b as f32
            }
            (Number::Double(a), Number::Integer(b)) | (Number::Integer(b), Number::Double(a)) => {
                *a == *b as f64
            }
            // The standard library rounds correctly however long the text is.
            (Number::Float(a), Number::Decimal(b)) | (Number::Decimal(b), Number::Float(a)) => {
                b.text.parse::<f32>().is_ok_and(|rounded| *a == rounded)
            }
            (Number::Double(a), Number::Decimal(b)) | (Number::Decimal(b), Number::Double(a)) => {
                b.text.parse::<f64>().is_ok_and(|rounded| *a == rounded)
            }
            (Number::Integer(a), Number::Decimal(b)) | (Number::Decimal(b), Number::Integer(a)) => {
                let mut buffer = [0; 40];
                Decimal::parse(write_integer(*a, &mut buffer)).is_some_and(|a| a.equal(b))
            }
        }
    }

    /// The number in decimal, an approximate one by the shortest digits that round to it.
    fn bounded(&self) -> Option<BigDecimal> {
        match self {
            Number::Integer(value) => Some(BigDecimal::from(*value)),
            Number::Float(value) => Decimal::parse(&format!("{value:e}"))?.bounded(),
            Number::Double(value) => Decimal::parse(&format!("{value:e}"))?.bounded(),
            Number::Decimal(value) => value.bounded(),
        }
    }
}

/// Writes an integer without allocating; 39 digits and a sign are the most.
fn write_integer(value: i128, buffer: &mut [u8; 40]) -> &str {
    let mut rest = &mut buffer[..];
    let written = match write!(rest, "{value}") {
        Ok(()) => 40 - rest.len(),
        Err(_) => 0,
    };
    std::str::from_utf8(&buffer[..written]).unwrap_or_default()
}

/// How far two numbers may lie apart, checked once for a column.
#[derive(Clone, Debug)]
pub(super) struct Tolerance(BigDecimal);

impl Tolerance {
    pub(super) fn new(tolerance: &BigDecimal) -> Self {
        let (digits, scale) = tolerance.as_bigint_and_exponent();
        let text = format!("{digits}e{}", -i128::from(scale));
        let bounded = match Decimal::parse(&text) {
            Some(decimal) => decimal.bounded(),
            None if scale > 0 => Some(BigDecimal::default()),
            None => None,
        };
        // Farther than any two bounded numbers can lie apart.
        let everything = || BigDecimal::new(BigInt::from(1), -(PLACES_MAX + 1));
        Self(bounded.unwrap_or_else(everything))
    }

    /// Whether two numbers, not equal by themselves, lie no farther apart than this.
    pub(super) fn covers(&self, a: &Number<'_>, b: &Number<'_>) -> bool {
        match (a.bounded(), b.bounded()) {
            (Some(a), Some(b)) => (a - b).abs() <= self.0,
            _ => false,
        }
    }
}
