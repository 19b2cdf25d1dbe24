//! Values as SQL: the corners of each type, what collations fold, bytes that are no characters, and random ones.

use std::fmt::Write as _;

use crate::rng::Rng;
use crate::types::{Kind, Type, Values, pick};

/// Texts that some collation takes for another of them, and texts that are taken for something else.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "", " ", "a", "A", "a ", "a  ", "A\t", "a\0", "b", "ab", "AB", "aB", "ch", "cH", "Ch", "CH",
    "c", "h", "ß", "ss", "SS", "ẞ", "é", "e", "É", "e\u{301}", "ê", "i", "I", "ı", "İ",
    "i\u{307}", "ö", "o", "oe", "Ö", "ø", "Ø", "æ", "Æ", "ae", "aa", "AA", "å", "Å", "\u{212B}",
    "ä", "ǆ", "ǅ", "Ǆ", "dž", "lj", "LJ", "ǉ", "ij", "ĳ", "ll", "LL", "ñ", "n", "th", "þ", "ð",
    "d", "đ", "w", "v", "y", "ü", "cs", "Cs", "ccs", "gy", "\u{FB01}", "fi", "ﾊ", "ハ", "は", "ば",
    "バ", "ー", "ァ", "ア", "中", "中文", "誠", "縗", "한", "ไทย", "ש", "ع", "Σ", "σ", "ς", "\u{212A}",
    "k", "K", "ſ", "s", "S", "š", "ž", "z", "Я", "я", "ё", "е", "Ё", "ґ", "г", "€", "?", "??",
    "😀", "🐙", "\u{AD}", "a\u{AD}", "\u{200B}", "\u{FEFF}", "\u{FFFD}", "\u{301}", "0", "00", "1",
    "1.0", "1e0", "-0", "+1", "007", "7", "10", "'", "\"", "\\", "%", "_", "\\N", "NULL", "null",
    "x y", "a-b", "ab-", "~", "¥", "‾", "@", "[", "#", "{\"a\":1}", "\n", "\u{A0}", "１", "Ⅷ",
    "ﾞ", "カ゛", "2024-01-02", "2024-01-02 03:04:05", "12:34:56", "0x41", "0.5", "1e400",
    "-838:59:59",
];

#[rustfmt::skip]
const MOMENTS: &[&str] = &[
    "0000-00-00 00:00:00", "2024-00-15 00:00:00", "2024-02-00 10:00:00", "0001-01-01 00:00:00",
    "1000-01-01 00:00:00", "1970-01-01 00:00:01", "1970-01-02 00:00:00",
    "2024-02-29 23:59:59.999999", "2024-02-29 23:59:59.5", "2024-02-29 23:59:59.499999",
    "2024-01-02 03:04:05", "2024-01-02 03:04:05.000001", "2024-01-02 03:04:05.123456",
    "2024-01-02 03:04:05.999", "2024-03-31 01:59:59", "2024-10-27 01:30:00",
    "2000-12-31 00:00:00", "2038-01-18 03:14:07", "9999-12-31 23:59:59.999999",
];

#[rustfmt::skip]
const SPANS: &[&str] = &[
    "00:00:00", "-00:00:00.000001", "00:00:00.5", "-00:00:01.5", "12:34:56.789",
    "23:59:59.999999", "24:00:00", "838:59:59", "-838:59:59", "838:14:05.6", "100:00:00.25",
];

#[rustfmt::skip]
const DOCUMENTS: &[&str] = &[
    "null", "true", "1", "1.0", "1.10", "0.1", "-0", "\"x\"", "\"é\"", "\"\\u00e9\"", "\"😀\"",
    "[]", "{}", "[1, 2, 3]", "[1,2,3]", "[3,2,1]", "{\"a\":1,\"b\":[1,2.50,null]}",
    "{\"b\":[1,2.5,null],\"a\":1}", "{\"a\":{\"a\":{}}}", "9007199254740993",
    "18446744073709551615", "12345678901234567890123", "1e10", "10000000000",
    "\"a\\nb\\\"\\\\\"", "{\"\":\"\"}", "{\"k\":\"1\"}", "{\"k\":1}", "{\"a\":1,\"a\":2}",
];

#[rustfmt::skip]
const NUMBERS: &[&str] = &[
    "0", "-0.0", "1", "-1", "0.1", "0.5", "1.5", "-2.25", "100", "1e10", "123456.789",
    "16777216", "16777217", "33554435", "0.30000000000000004", "9007199254740993", "1e-10",
    "1e-45", "1.17549435e-38", "3.4028234e38", "-3.4028234e38", "1.7976931348623157e308",
    "5e-324", "2.2250738585072014e-308", "1e300", "3.14159265358979",
];

/// A value for a column of this type.
pub(crate) fn literal(rng: &mut Rng, of: &Type) -> String {
    match &of.values {
        Values::Integer(bits, signed) => integer(rng, *bits, *signed),
        Values::Year => rng.pick(&["0", "1901", "1970", "2024", "2155"]).to_owned(),
        Values::Decimal(digits, scale) => decimal(rng, *digits, *scale),
        Values::Approximate if rng.chance(600) => pick(rng, NUMBERS).to_string(),
        Values::Approximate => {
            format!(
                "{:e}",
                (rng.fraction() - 0.5) * 10_f64.powi(small(rng, -20, 20))
            )
        }
        Values::Text(length) => text(rng, of, *length),
        Values::Member(members) => format!("'{}'", pick(rng, members)),
        Values::Members(members) => {
            let chosen: Vec<&str> = members
                .iter()
                .copied()
                .filter(|_| rng.chance(500))
                .collect();
            format!("'{}'", chosen.join(","))
        }
        Values::Binary(length) => binary(rng, *length),
        Values::Date | Values::DateTime | Values::Timestamp => moment(rng),
        Values::Time if rng.chance(700) => format!("'{}'", pick(rng, SPANS)),
        Values::Time => format!(
            "'{}{:02}:{:02}:{:02}.{:06}'",
            rng.pick(&["", "-"]),
            rng.below(300),
            rng.below(60),
            rng.below(60),
            rng.below(1_000_000)
        ),
        Values::Json => format!("'{}'", pick(rng, DOCUMENTS).replace('\\', "\\\\")),
        Values::Uuid => {
            let low = rng.below(6);
            let text = format!("0a1b2c3d-4e5f-4a6b-8c7d-00000000000{low}");
            if of.kind == Kind::Uuid {
                format!("'{text}'")
            } else {
                format!("X'{}'", text.replace('-', ""))
            }
        }
        Values::Inet6 => rng
            .pick(&[
                "'::'",
                "'::1'",
                "'2001:db8::ff00:42:8329'",
                "'::ffff:192.0.2.1'",
            ])
            .to_owned(),
    }
}

fn small(rng: &mut Rng, from: i64, to: i64) -> i32 {
    i32::try_from(rng.between(from, to)).unwrap_or(0)
}

fn integer(rng: &mut Rng, bits: u32, signed: bool) -> String {
    let most = if signed {
        (1_i128 << (bits - 1)) - 1
    } else {
        (1_i128 << bits) - 1
    };
    let least = if signed { -most - 1 } else { 0 };
    let value = match rng.below(6) {
        0 => most,
        1 => least,
        2 => 1_i128 << rng.below(u64::from(bits)),
        3 => i128::from(rng.next()) % (most + 1),
        _ => i128::from(rng.below(40)) - if signed { 10 } else { 0 },
    };
    value.clamp(least, most).to_string()
}

fn decimal(rng: &mut Rng, digits: usize, scale: usize) -> String {
    let whole = digits - scale;
    let random = |rng: &mut Rng, count: usize| -> String {
        (0..count)
            .map(|_| rng.pick(&['0', '1', '5', '9', '3']))
            .collect()
    };
    let (before, after) = match rng.below(6) {
        0 => ("9".repeat(whole), "9".repeat(scale)),
        1 => (
            "0".repeat(whole),
            format!("{:0>scale$}", if scale > 0 { "1" } else { "" }),
        ),
        2 => (random(rng, whole), random(rng, scale)),
        _ => (rng.below(20).to_string(), random(rng, scale.min(2))),
    };
    let before = before.chars().rev().take(whole).collect::<Vec<_>>();
    let before: String = before.into_iter().rev().collect();
    let sign = rng.pick(&["", "", "-"]);
    let before = if before.is_empty() { "0" } else { &before };
    if after.is_empty() {
        format!("{sign}{before}")
    } else {
        format!("{sign}{before}.{after}")
    }
}

/// Words, cut by the server to what the column holds, or bytes of the column's own character set.
fn text(rng: &mut Rng, of: &Type, length: usize) -> String {
    let Kind::Text(charset) = &of.kind else {
        return "''".into();
    };
    match rng.below(10) {
        0..=5 => {
            let mut word = rng.pick(WORDS).to_owned();
            if rng.chance(250) {
                word.push_str(rng.pick(WORDS));
            }
            word_literal(&word)
        }
        6 => {
            let count = rng.below(length as u64 + 1);
            let word: String = (0..count)
                .map(|_| char::from(b'a' + u8::try_from(rng.below(26)).unwrap_or(0)))
                .collect();
            word_literal(&word)
        }
        7 => {
            // A character of anywhere, often one that few charsets have.
            let range = rng.pick(&[0x80_u64, 0x250, 0x600, 0x3100, 0x1_0000, 0x11_0000]);
            let character = u32::try_from(rng.below(range))
                .ok()
                .and_then(char::from_u32);
            word_literal(&character.unwrap_or('x').to_string())
        }
        _ => {
            let count = rng.below(length.min(3) as u64) + 1;
            let bytes: String = (0..count).fold(String::new(), |mut bytes, _| {
                let _ = write!(bytes, "{}", code(rng, charset)); // Into a String: cannot fail.
                bytes
            });
            format!("_{charset} X'{bytes}'")
        }
    }
}

pub(crate) fn word_literal(word: &str) -> String {
    format!("_utf8mb4 X'{}'", hex(word.as_bytes()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // Into a String: cannot fail.
        text
    })
}

/// A code of a character set, as hexadecimal; not all are characters. One that the server calls malformed makes no row.
fn code(rng: &mut Rng, charset: &str) -> String {
    let two = |rng: &mut Rng| {
        let lead = 0x81 + rng.below(0x7E);
        let trail = if rng.chance(500) {
            0xA1 + rng.below(0x5E)
        } else {
            0x40 + rng.below(0xBF)
        };
        format!("{lead:02x}{trail:02x}")
    };
    match charset {
        "utf8mb3" | "utf8mb4" => {
            let character = u32::try_from(rng.below(0x3100))
                .ok()
                .and_then(char::from_u32);
            hex(character.unwrap_or('x').to_string().as_bytes())
        }
        "ucs2" | "utf16" => format!("{:04x}", rng.below(0xD800)),
        "utf16le" => format!("{:02x}{:02x}", rng.below(256), rng.below(0xD8)),
        "utf32" => format!("{:08x}", rng.below(0xD800)),
        "gb18030" if rng.chance(300) => format!(
            "{:02x}{:02x}{:02x}{:02x}",
            0x81 + rng.below(0x7E),
            0x30 + rng.below(10),
            0x81 + rng.below(0x7E),
            0x30 + rng.below(10)
        ),
        "ujis" | "eucjpms" if rng.chance(200) => {
            format!(
                "8f{:02x}{:02x}",
                0xA1 + rng.below(0x5E),
                0xA1 + rng.below(0x5E)
            )
        }
        "gbk" | "gb18030" | "big5" | "sjis" | "cp932" | "euckr" | "gb2312" | "ujis" | "eucjpms"
            if rng.chance(800) =>
        {
            two(rng)
        }
        _ => format!("{:02x}", rng.below(256)),
    }
}

fn binary(rng: &mut Rng, length: usize) -> String {
    if rng.chance(300) {
        let word = pick(rng, WORDS);
        let bytes = &word.as_bytes()[..word.len().min(length)];
        return format!("X'{}'", hex(bytes));
    }
    let count = rng.below(length.min(6) as u64 + 1);
    let bytes: Vec<u8> = (0..count)
        .map(|_| rng.pick(&[0, 0, 0x20, 0x41, 0x61, 0x7F, 0x80, 0xE9, 0xFF]))
        .collect();
    format!("X'{}'", hex(&bytes))
}

fn moment(rng: &mut Rng) -> String {
    if rng.chance(700) {
        return format!("'{}'", pick(rng, MOMENTS));
    }
    format!(
        "'{}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}'",
        1971 + rng.below(60),
        1 + rng.below(12),
        1 + rng.below(28),
        rng.below(24),
        rng.below(60),
        rng.below(60),
        rng.below(1_000_000)
    )
}
