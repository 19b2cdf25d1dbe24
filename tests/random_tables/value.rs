//! What a column really holds, as its server says, and when two such values are equal: the contract, written down a second
//! time, as simply as possible.
//!
//! Rules that need an explanation, all of the contract (or of `logic::compare::cells`, which the contract leaves them to):
//!
//! * FLOAT and DOUBLE agree with every number that rounds to them.
//! * Text that is a number, entirely, agrees with a number; text that is a date or a time as MySQL prints it agrees with one.
//! * Bytes agree with the text whose UTF-8 they are, and a UUID with its 16 bytes.
//! * A coarser moment agrees with a finer one when it was cut off or rounded. DATE is its day's midnight, exactly.
//! * TIMESTAMP against DATETIME is what its server prints by default; against TIMESTAMP it is an instant.
//! * Text without a character in Unicode agrees with the same bytes in a column of the same character set, only.

use mysql::Value as Sent;

use crate::case::Column;
use crate::types::Kind;
use crate::values::hex;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    /// Sign, digits without zeros at either end, and the place of the point.
    Exact(Number),
    Float(f32),
    Double(f64),
    Text {
        charset: String,
        raw: Vec<u8>,
        characters: Option<String>,
    },
    Bytes(Vec<u8>),
    /// As printed: in UTC when it is an instant, and in its server's zone; fraction digits.
    Moment {
        instant: Option<String>,
        printed: String,
        digits: u8,
    },
    /// Microseconds, fraction digits.
    Span(i64, u8),
    Json(String),
    Uuid(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    digits: String,
    /// The value is 0.DIGITS times ten to the power of this.
    point: i64,
}

impl Number {
    /// `-12.30e4` and the like, nothing before or after.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (rest, None),
        };
        let exponent = match exponent {
            None => 0,
            Some(text) => {
                let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                text.parse::<i64>().ok()?
            }
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_start_matches('0');
        let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
        let point = i64::try_from(whole.len()).ok()? - zeros + exponent;
        let significant = significant.trim_end_matches('0');
        let is_zero = significant.is_empty();
        Some(Self {
            negative: negative && !is_zero,
            digits: significant.into(),
            point: if is_zero { 0 } else { point },
        })
    }

    /// All digits, no exponent.
    pub(crate) fn plain(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        if self.digits.is_empty() {
            "0".into()
        } else if self.point <= 0 {
            format!("{sign}0.{}{}", zeros(-self.point), self.digits)
        } else if self.point >= length {
            format!("{sign}{}{}", self.digits, zeros(self.point - length))
        } else {
            let (whole, fraction) = self
                .digits
                .split_at(usize::try_from(self.point).unwrap_or(0));
            format!("{sign}{whole}.{fraction}")
        }
    }

    /// As Rust reads it.
    fn text(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}0.{}0e{}", self.digits, self.point)
    }
}

/// The expressions that show a column, in a session in UTC and utf8mb4, by the prepared protocol.
pub(crate) fn shown(column: &Column) -> Vec<String> {
    let name = &column.name;
    match &column.of.kind {
        Kind::Exact if column.of.sql.starts_with("DECIMAL") => {
            vec![format!("CAST({name} AS CHAR)")]
        }
        Kind::Exact => vec![format!("CAST({name}+0 AS CHAR)")],
        Kind::Float | Kind::Double => vec![name.clone()],
        Kind::Text(charset) if charset == "inet6" => vec![format!("CAST({name} AS CHAR)")],
        Kind::Text(charset) => vec![
            format!("HEX({name})"),
            format!("HEX(CONVERT({name} USING utf8mb4))"),
            format!("HEX(CONVERT(CONVERT({name} USING utf8mb4) USING {charset}))"),
        ],
        Kind::Binary => vec![format!("HEX({name})")],
        Kind::Date | Kind::DateTime(_) | Kind::Time(_) | Kind::Uuid => {
            vec![format!("CAST({name} AS CHAR)")]
        }
        Kind::Timestamp(_) => vec![
            format!("CAST({name} AS CHAR)"),
            // The zero timestamp has no zone.
            format!(
                "CAST(IFNULL(CONVERT_TZ({name}, '+00:00', @@GLOBAL.time_zone), {name}) AS CHAR)"
            ),
        ],
        Kind::Json => vec![format!("CONVERT({name} USING utf8mb4)")],
    }
}

/// The value out of what these expressions gave.
pub(crate) fn value(column: &Column, mut sent: impl FnMut() -> Sent) -> Value {
    let texts: Vec<Sent> = shown(column).iter().map(|_| sent()).collect();
    if texts.contains(&Sent::NULL) {
        return Value::Null;
    }
    let text = |at: usize| match &texts[at] {
        Sent::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("{} is no text: {other:?}", column.name),
    };
    match &column.of.kind {
        Kind::Exact => Value::Exact(Number::parse(&text(0)).expect("A number")),
        Kind::Float => match texts[0] {
            Sent::Float(value) => Value::Float(value),
            ref other => panic!("{} is no FLOAT: {other:?}", column.name),
        },
        Kind::Double => match texts[0] {
            Sent::Double(value) => Value::Double(value),
            ref other => panic!("{} is no DOUBLE: {other:?}", column.name),
        },
        Kind::Text(charset) if charset == "inet6" => Value::Text {
            charset: charset.clone(),
            raw: text(0).into_bytes(),
            characters: Some(text(0)),
        },
        Kind::Text(charset) => {
            let (raw, utf8, back) = (unhex(&text(0)), unhex(&text(1)), unhex(&text(2)));
            // What has no character becomes a question mark, or the character for that; what comes back as it was had one.
            let is_unicode = charset.starts_with("utf") || matches!(&**charset, "ucs2" | "gb18030");
            let characters = String::from_utf8(utf8)
                .ok()
                .filter(|text| back == raw || !text.contains('?'))
                .filter(|text| is_unicode || !text.contains('\u{FFFD}'));
            Value::Text {
                charset: charset.clone(),
                raw,
                characters,
            }
        }
        Kind::Binary => Value::Bytes(unhex(&text(0))),
        Kind::Date => Value::Moment {
            instant: None,
            printed: format!("{} 00:00:00", text(0)),
            digits: 6,
        },
        Kind::DateTime(digits) => Value::Moment {
            instant: None,
            printed: text(0),
            digits: *digits,
        },
        Kind::Timestamp(digits) => Value::Moment {
            instant: Some(text(0)),
            printed: text(1),
            digits: *digits,
        },
        Kind::Time(digits) => Value::Span(span(&text(0)).expect("A time"), *digits),
        Kind::Json => Value::Json(text(0)),
        Kind::Uuid => Value::Uuid(text(0)),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| {
        let pair = std::str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(pair, 16).expect("Hexadecimal")
    });
    bytes.collect()
}

/// Microseconds.
fn span(text: &str) -> Option<i64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    let [hours, minutes, seconds] = parts[..] else {
        return None;
    };
    let is_printed = (1..=3).contains(&hours.len()) && minutes.len() == 2 && seconds.len() == 2;
    let numbers = [hours, minutes, seconds, fraction];
    if !is_printed || fraction.len() > 6 || numbers.iter().any(|n| !is_digits(n)) {
        return None;
    }
    let number = |text: &str| text.parse::<i64>().ok();
    let (minutes, seconds) = (number(minutes)?, number(seconds)?);
    if minutes > 59 || seconds > 59 {
        return None;
    }
    let micros = number(&format!("{fraction:0<6}"))?;
    let total = ((number(hours)? * 60 + minutes) * 60 + seconds) * 1_000_000 + micros;
    Some(if negative { -total } else { total })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a destination's value is a copy of the source's.
pub(crate) fn equal(source: &Value, destination: &Value) -> bool {
    one_way(source, destination) || one_way(destination, source)
}

#[allow(clippy::float_cmp, reason = "equality is what is asked")]
fn one_way(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Null, Value::Null) => true,
        (Value::Null, _) | (_, Value::Null) => false,
        (Value::Exact(a), Value::Exact(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Double(a), Value::Double(b)) => a == b,
        #[allow(clippy::cast_possible_truncation, reason = "at FLOAT's precision")]
        (Value::Float(a), Value::Double(b)) => *a == *b as f32,
        (Value::Float(a), Value::Exact(b)) => b.text().parse() == Ok(*a),
        (Value::Double(a), Value::Exact(b)) => b.text().parse() == Ok(*a),
        (Value::Float(a), text) => number_in(text).is_some_and(|text| text.parse() == Ok(*a)),
        (Value::Double(a), text) => number_in(text).is_some_and(|text| text.parse() == Ok(*a)),
        (Value::Exact(a), text) => {
            number_in(text).is_some_and(|text| Number::parse(&text).as_ref() == Some(a))
        }
        (
            Value::Text {
                charset,
                raw,
                characters,
            },
            Value::Text {
                charset: other_charset,
                raw: other_raw,
                characters: other_characters,
            },
        ) => match (characters, other_characters) {
            (Some(one), Some(other)) => one == other,
            (None, None) => charset == other_charset && raw == other_raw,
            _ => false,
        },
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (
            Value::Text {
                characters: Some(text),
                ..
            },
            Value::Bytes(bytes),
        ) => text.as_bytes() == bytes,
        (Value::Json(a), other) => characters(other).is_some_and(|b| *a == b || same_json(a, &b)),
        (Value::Uuid(a), Value::Uuid(b)) => a.eq_ignore_ascii_case(b),
        (Value::Uuid(a), Value::Bytes(bytes)) if bytes.len() == 16 => {
            a.replace('-', "").to_lowercase() == hex(bytes)
        }
        (Value::Uuid(a), text) => characters(text).is_some_and(|b| a.eq_ignore_ascii_case(&b)),
        (
            Value::Moment {
                instant,
                printed,
                digits,
            },
            Value::Moment {
                instant: other_instant,
                printed: other_printed,
                digits: other_digits,
            },
        ) => match (instant, other_instant) {
            (Some(a), Some(b)) => same_moment(a, *digits, b, *other_digits),
            _ => same_moment(printed, *digits, other_printed, *other_digits),
        },
        (
            Value::Moment {
                printed, digits, ..
            },
            text,
        ) => characters(text)
            .filter(|text| is_moment(text))
            .is_some_and(|text| {
                let text = if text.len() == 10 {
                    text + " 00:00:00"
                } else {
                    text
                };
                same_moment(printed, *digits, &text, 6)
            }),
        (Value::Span(a, digits), Value::Span(b, other_digits)) => {
            same_span(*a, *digits, *b, *other_digits)
        }
        (Value::Span(a, digits), text) => characters(text)
            .and_then(|text| span(&text))
            .is_some_and(|b| same_span(*a, *digits, b, 6)),
        _ => false,
    }
}

/// The characters of text, of JSON, and of bytes that are UTF-8.
pub(crate) fn characters(value: &Value) -> Option<String> {
    match value {
        Value::Text { characters, .. } => characters.clone(),
        Value::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::Json(text) => Some(text.clone()),
        _ => None,
    }
}

fn number_in(value: &Value) -> Option<String> {
    characters(value).filter(|text| Number::parse(text).is_some())
}

/// `2024-01-02`, with or without ` 03:04:05`, that with or without a fraction.
fn is_moment(text: &str) -> bool {
    let (date, clock) = text.split_once(' ').unwrap_or((text, "00:00:00"));
    let parts: Vec<&str> = date.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_date = lengths == [4, 2, 2] && parts.iter().all(|part| is_digits(part));
    is_date
        && parts[1] <= "12"
        && parts[2] <= "31"
        && clock
            .split(':')
            .next()
            .is_some_and(|h| h.len() == 2 && h <= "23")
        && span(clock).is_some()
}

/// With as many fraction digits as the coarser has: cut off, or rounded half up.
fn same_moment(a: &str, a_digits: u8, b: &str, b_digits: u8) -> bool {
    let (fine, coarse, digits) = if a_digits > b_digits {
        (a, b, b_digits)
    } else {
        (b, a, a_digits)
    };
    let (fine, coarse) = (full(fine), full(coarse));
    let kept = 20 + usize::from(digits);
    let cut = format!("{:0<26}", &fine[..kept]);
    if cut == coarse {
        return true;
    }
    // Rounded up: the next unit, counted from the epoch, where there is one.
    let unit = 10_i64.pow(6 - u32::from(digits));
    let (Some(fine), Some(coarse)) = (micros(&fine), micros(&coarse)) else {
        return false;
    };
    (fine + unit / 2).div_euclid(unit) * unit == coarse
}

fn full(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}.{fraction:0<6}")
}

/// Microseconds since 1970; `None` for days that are in no calendar.
fn micros(text: &str) -> Option<i64> {
    let moment = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.6f").ok()?;
    Some(moment.and_utc().timestamp_micros())
}

fn same_span(a: i64, a_digits: u8, b: i64, b_digits: u8) -> bool {
    let (fine, coarse, digits) = if a_digits > b_digits {
        (a, b, b_digits)
    } else {
        (b, a, a_digits)
    };
    let unit = 10_i64.pow(6 - u32::from(digits));
    let near = |fine: i64| fine / unit * unit == coarse;
    near(fine) || near(fine + fine.signum() * (unit / 2))
}

fn same_json(a: &str, b: &str) -> bool {
    fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
        use serde_json::Value as J;
        match (a, b) {
            (J::Number(a), J::Number(b)) => {
                Number::parse(&a.to_string()) == Number::parse(&b.to_string())
            }
            (J::Array(a), J::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (J::Object(a), J::Object(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
            }
            (a, b) => a == b,
        }
    }
    match (serde_json::from_str(a), serde_json::from_str(b)) {
        (Ok(a), Ok(b)) => same(&a, &b),
        _ => false,
    }
}
