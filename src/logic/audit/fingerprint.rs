//! Fingerprints of keys and rows, for finding out cheaply that two rows agree.
//!
//! A fingerprint may only ever say "equal": the same bytes go in only for cells that [`crate::logic::compare::cells::Comparator`] calls
//! equal, and the hash (XXH3, 128 bits, with a seed of its own for each run) keeps different bytes apart but for a chance
//! of 2^-128. What differs here is not yet different; it is fetched again and judged by [`crate::logic::compare::rows`]. Every cell is
//! framed by a tag and its length, NULL by a tag of its own, so no value can reach into the next.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::logic::compare::rows::ColumnMap;
use crate::logic::value::cell::{CellRef, Cells, ColumnType, DateTime};

/// The form that both sides of a pair of columns are brought into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As they are.
    Plain,
    /// As `f32`: FLOAT against anything that is a number.
    Single,
    /// As `f64`: DOUBLE against anything but FLOAT.
    Double,
    /// Rounded down to so many fraction digits: what a coarser copy of a finer moment holds.
    Moment(u8),
}

impl Form {
    fn of(one: ColumnType, other: ColumnType) -> Self {
        let digits = |column_type| match column_type {
            ColumnType::DateTime(digits) | ColumnType::Timestamp(digits) => Some(digits),
            ColumnType::Date => Some(6),
            _ => None,
        };
        match (one, other) {
            (ColumnType::Float, _) | (_, ColumnType::Float) => Self::Single,
            (ColumnType::Double, _) | (_, ColumnType::Double) => Self::Double,
            _ => match (digits(one), digits(other)) {
                (Some(one), Some(other)) => Self::Moment(one.min(other)),
                _ => Self::Plain,
            },
        }
    }
}

/// Collations of the Unicode character sets that fold as [`KeyFold`] says, without the character set's name and without
/// `nopad`. Languages are rare here: many have contractions (`ch` is one letter in Czech, and `cH` is two).
const FOLDING_UNICODE: [&str; 14] = [
    "general_ci",
    "unicode_ci",
    "unicode_520_ci",
    "uca1400_ai_ci",
    "uca1400_as_ci",
    "0900_ai_ci",
    "0900_as_ci",
    "german2_ci",
    "persian_ci",
    "polish_ci",
    "roman_ci",
    "spanish_ci",
    "swedish_ci",
    "vietnamese_ci",
];
/// The same of the other character sets, with their names. Not cp866, in which `j` and `J` are two letters, nor latin7,
/// in which `t` and `T` are.
const FOLDING_OTHERS: [&str; 36] = [
    "armscii8_general_ci",
    "ascii_general_ci",
    "big5_chinese_ci",
    "cp1250_general_ci",
    "cp1251_bulgarian_ci",
    "cp1251_general_ci",
    "cp1251_ukrainian_ci",
    "cp1256_general_ci",
    "cp1257_general_ci",
    "cp850_general_ci",
    "cp852_general_ci",
    "cp932_japanese_ci",
    "dec8_swedish_ci",
    "eucjpms_japanese_ci",
    "euckr_korean_ci",
    "gb18030_chinese_ci",
    "gb2312_chinese_ci",
    "gbk_chinese_ci",
    "geostd8_general_ci",
    "greek_general_ci",
    "hebrew_general_ci",
    "hp8_english_ci",
    "keybcs2_general_ci",
    "koi8r_general_ci",
    "koi8u_general_ci",
    "latin1_danish_ci",
    "latin1_general_ci",
    "latin1_german1_ci",
    "latin1_german2_ci",
    "latin1_spanish_ci",
    "latin1_swedish_ci",
    "latin2_general_ci",
    "macroman_general_ci",
    "sjis_japanese_ci",
    "swe7_swedish_ci",
    "ujis_japanese_ci",
];
const UNICODE: [&str; 7] = [
    "utf8mb4", "utf8mb3", "utf8", "ucs2", "utf16", "utf16le", "utf32",
];

/// What of a key's text does not count for the destination's collation: ASCII letters' case, and spaces at the end. Only
/// what is known of a collation, for a fold that is coarser than the server's hides missing rows; one that is finer costs
/// look-ups. `tests/collations.rs` holds the lists against every collation of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyFold {
    /// ASCII upper and lower case are the same.
    pub case: bool,
    /// Spaces at the end do not count.
    pub padding: bool,
}

impl KeyFold {
    /// By the name of the key column's collation; empty for columns that have none.
    #[must_use]
    pub fn of_collation(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let known = Known::of(&name);
        let is_unpadded = name.contains("_nopad") || name.contains("_0900_");
        Self {
            case: known == Known::Folding,
            padding: known != Known::Nothing && !is_unpadded,
        }
    }
}

/// What is known of a collation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    /// It takes ASCII upper and lower case for the same.
    Folding,
    /// It tells apart whatever characters are not the same, but for spaces at the end.
    Binary,
}

impl Known {
    /// `name` is in lower case.
    fn of(name: &str) -> Self {
        let name = name.replace("_nopad", "");
        let Some((charset, rest)) = name.split_once('_') else {
            return Self::Nothing;
        };
        let is_unicode = UNICODE.contains(&charset);
        let is_folding = if is_unicode {
            FOLDING_UNICODE.contains(&rest)
        } else {
            FOLDING_OTHERS.contains(&&name[..])
        };
        let beside = |known: &&str| known.starts_with(&format!("{charset}_"));
        if is_folding {
            Self::Folding
        } else if rest == "bin" && (is_unicode || FOLDING_OTHERS.iter().any(beside)) {
            Self::Binary
        } else {
            Self::Nothing
        }
    }
}

/// The one of the folding collations in which other letters of ASCII are the same: `i` and `j`, `u` and `v`.
const COARSE: &str = "_roman_ci";

/// Whether a server with this collation tells all these keys apart. `false` where only the server knows.
#[must_use]
pub fn are_apart<'k>(collation: &str, keys: impl IntoIterator<Item = &'k [u8]>) -> bool {
    // What no collation contracts, expands or ignores.
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/@+, ".contains(byte);
    let collation = collation.to_ascii_lowercase();
    let known = Known::of(&collation);
    let is_coarse = collation.ends_with(COARSE);
    let mut seen = HashSet::new();
    keys.into_iter().all(|key| {
        let text = without_end(key, b' ');
        seen.insert(match known {
            Known::Binary => text.to_vec(),
            Known::Folding if !is_coarse && text.iter().all(is_plain) => text.to_ascii_lowercase(),
            _ => return false,
        })
    })
}

/// Makes the fingerprints of one side of one destination.
#[derive(Clone, Debug)]
pub struct Fingerprinter {
    seed: u64,
    fold: KeyFold,
    /// For each compared pair: the cell's place, and the form.
    cells: Vec<(usize, Form)>,
    buffer: Vec<u8>,
}

impl Fingerprinter {
    /// For source rows.
    #[must_use]
    pub fn of_source(map: &ColumnMap, fold: KeyFold, seed: u64) -> Self {
        let cells = map
            .pairs
            .iter()
            .map(|p| (p.source_index, Form::of(p.source_type, p.destination_type)));
        Self {
            seed,
            fold,
            cells: cells.collect(),
            buffer: Vec::new(),
        }
    }

    /// For the destination's rows, whose cells are in the order of the pairs.
    #[must_use]
    pub fn of_destination(map: &ColumnMap, fold: KeyFold, seed: u64) -> Self {
        let forms = map
            .pairs
            .iter()
            .map(|pair| Form::of(pair.source_type, pair.destination_type));
        Self {
            seed,
            fold,
            cells: forms.enumerate().collect(),
            buffer: Vec::new(),
        }
    }

    /// The fingerprint of a key; `None` for NULL, which finds nothing.
    pub fn key(&mut self, key: CellRef<'_>) -> Option<u128> {
        self.buffer.clear();
        match key {
            CellRef::Null => return None,
            CellRef::Text(text) => {
                let text = if self.fold.padding {
                    without_end(text, b' ')
                } else {
                    text
                };
                self.buffer.extend_from_slice(text);
                if self.fold.case {
                    self.buffer.make_ascii_lowercase();
                }
            }
            CellRef::Bytes(bytes) => self.buffer.extend_from_slice(bytes),
            // Its charset and its bytes after what no text begins with.
            CellRef::Encoded(bytes) => {
                self.buffer.push(0xff);
                self.buffer.extend_from_slice(bytes);
            }
            CellRef::Int(value) => write_display(&mut self.buffer, value),
            CellRef::UInt(value) => write_display(&mut self.buffer, value),
            other => write_cell(&mut self.buffer, other, Form::Plain),
        }
        Some(xxh3_128_with_seed(&self.buffer, self.seed))
    }

    /// The fingerprint of what is compared.
    pub fn row(&mut self, cells: &dyn Cells) -> u128 {
        self.buffer.clear();
        for &(index, form) in &self.cells {
            write_cell(&mut self.buffer, cells.cell(index), form);
        }
        xxh3_128_with_seed(&self.buffer, self.seed)
    }
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "both sides are rounded to what the approximate column can hold"
)]
fn write_cell(buffer: &mut Vec<u8>, cell: CellRef<'_>, form: Form) {
    match (cell, form) {
        (CellRef::Null, _) => buffer.push(0),
        (CellRef::Int(value), Form::Single) => single(buffer, value as f32),
        (CellRef::UInt(value), Form::Single) => single(buffer, value as f32),
        (CellRef::Double(value), Form::Single) => single(buffer, value as f32),
        (CellRef::Float(value), Form::Single | Form::Plain | Form::Moment(_)) => {
            single(buffer, value);
        }
        (CellRef::Decimal(text), Form::Single) => match number(text) {
            Some(value) => single(buffer, value),
            None => framed(buffer, text),
        },
        (CellRef::Int(value), Form::Double) => double(buffer, value as f64),
        (CellRef::UInt(value), Form::Double) => double(buffer, value as f64),
        (CellRef::Double(value), _) => double(buffer, value),
        (CellRef::Float(value), Form::Double) => double(buffer, f64::from(value)),
        (CellRef::Decimal(text), Form::Double) => match number(text) {
            Some(value) => double(buffer, value),
            None => framed(buffer, text),
        },
        (CellRef::Int(value), _) => integer(buffer, value),
        (CellRef::UInt(value), _) => integer(buffer, value),
        (CellRef::Decimal(text), _) => framed(buffer, plain_decimal(text)),
        (CellRef::Text(bytes) | CellRef::Bytes(bytes), _) => framed(buffer, bytes),
        (CellRef::Encoded(bytes), _) => {
            buffer.push(6);
            framed(buffer, bytes);
        }
        (CellRef::DateTime(at), form) => moment(buffer, &at, form),
        (CellRef::Time(value), _) => {
            buffer.push(5);
            buffer.extend_from_slice(&value.to_le_bytes());
        }
    }
}

/// The tag of numbers that are not approximate, text and bytes: where their bytes are the same they are equal.
const EXACT: u8 = 1;

fn framed(buffer: &mut Vec<u8>, bytes: &[u8]) {
    let mut frame = [EXACT; 9];
    frame[1..].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
    buffer.extend_from_slice(&frame);
    buffer.extend_from_slice(bytes);
}

fn integer(buffer: &mut Vec<u8>, value: impl std::fmt::Display) {
    let at = buffer.len() + 1;
    buffer.extend_from_slice(&[EXACT, 0, 0, 0, 0, 0, 0, 0, 0]);
    write_display(buffer, value);
    let length = (buffer.len() - at - 8) as u64;
    buffer[at..at + 8].copy_from_slice(&length.to_le_bytes());
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn write_display(buffer: &mut Vec<u8>, value: impl std::fmt::Display) {
    use std::io::Write as _;
    let _ = write!(buffer, "{value}"); // Into a Vec: cannot fail.
}

fn single(buffer: &mut Vec<u8>, value: f32) {
    buffer.push(2);
    let value = if value == 0.0 { 0.0 } else { value }; // -0 is 0
    buffer.extend_from_slice(&value.to_bits().to_le_bytes());
}

fn double(buffer: &mut Vec<u8>, value: f64) {
    buffer.push(3);
    let value = if value == 0.0 { 0.0 } else { value };
    buffer.extend_from_slice(&value.to_bits().to_le_bytes());
}

fn moment(buffer: &mut Vec<u8>, at: &DateTime, form: Form) {
    let DateTime {
        year,
        month,
        day,
        hour,
        minute,
        second,
        microsecond,
    } = *at;
    let step = match form {
        Form::Moment(digits) => 10_u32.pow(6 - u32::from(digits.min(6))),
        _ => 1,
    };
    buffer.push(4);
    buffer.extend_from_slice(&year.to_le_bytes());
    buffer.extend_from_slice(&[month, day, hour, minute, second]);
    buffer.extend_from_slice(&(microsecond / step).to_le_bytes());
}

/// `1.20` and `1.2000` as `1.2`, `-0.0` as `0`.
#[must_use]
pub fn plain_decimal(text: &[u8]) -> &[u8] {
    let text = if text.contains(&b'.') {
        let text = without_end(text, b'0');
        text.strip_suffix(b".").unwrap_or(text)
    } else {
        text
    };
    match text {
        b"-0" | b"" | b"-" => b"0",
        text => text,
    }
}

/// Without what is at the end as often as it is there.
fn without_end(text: &[u8], end: u8) -> &[u8] {
    let length = text.iter().rposition(|&byte| byte != end);
    &text[..length.map_or(0, |last| last + 1)]
}

#[cfg(test)]
mod tests;
