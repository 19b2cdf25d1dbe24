//! Text that has no character in Unicode. gbk, cp1251 and many other character sets can hold it.
//!
//! A server that converts such text puts `?` or U+FFFD in its place, and two different texts become
//! one. So a column of such a character set is selected as [`characters`]: its text in UTF-8 where
//! every character has one, otherwise its bytes behind a mark. The mark names the character set, so
//! equal bytes of two character sets are two values.

use crate::logic::value::sql::quoted;

/// What bytes of text begin with; UTF-8 never does.
const MARK: u8 = 0xff;

/// Character sets in which every text that a column can hold has its characters in Unicode, and comes back from there as
/// it was (MariaDB and MySQL; `tests/charsets.rs` asks them). What is not named here is read with more care.
const WHOLE: [&str; 17] = [
    "utf8mb4", "utf8mb3", "utf8", "utf16", "utf16le", "latin1", "latin2", "latin5", "latin7",
    "cp850", "cp852", "cp866", "koi8r", "koi8u", "keybcs2", "macce", "macroman",
];

/// The collation whose own table of characters lacks some that its character set has.
const NOT_WHOLE: &str = "latin2_czech_cs";

/// Whether a server can convert every text of this character set to Unicode and back, where a column has this collation.
/// `MariaDB` lets ASCII have 256 characters.
#[must_use]
pub fn is_whole(charset: &str, collation: &str, is_mariadb: bool) -> bool {
    let is_known = WHOLE.contains(&charset) || (charset == "ascii" && !is_mariadb);
    is_known && collation != NOT_WHOLE
}

/// The column's text in UTF-8, as far as its server can convert it, in SQL.
fn converted(name: &str, charset: &str) -> String {
    // A lone surrogate is a character of UCS-2 and UTF-32 to the servers, and of UTF-16 it is not.
    match charset {
        "ucs2" | "utf32" => format!("CONVERT(CONVERT({name} USING utf16) USING utf8mb4)"),
        _ => format!("CONVERT({name} USING utf8mb4)"),
    }
}

/// `text` in UTF-8, or where `is_odd` the bytes of the column behind the mark, in SQL. A text that is longer than the server
/// can handle makes a condition NULL, and is sent as it is: the server then refuses to send it.
fn marked_where(is_odd: &str, head: &str, name: &str, text: &str) -> String {
    format!(
        "IFNULL(IF({is_odd},CONCAT(X'{MARK:02x}',{head},X'00',CONVERT({name} USING binary)),NULL),\
         CONVERT({text} USING binary))"
    )
}

/// The condition under which a column's text has something in it that is no character of Unicode, in SQL.
fn is_outside(name: &str, charset: &str) -> String {
    let text = converted(name, charset);
    if charset == "ascii" {
        return format!("CONVERT({text} USING binary)<>CONVERT({name} USING binary)");
    }
    let shown = if has_replacement_character(charset) {
        text
    } else {
        format!("REPLACE({text},_utf8mb4 X'efbfbd','')")
    };
    format!("CHAR_LENGTH(REPLACE({shown},'?',''))<>CHAR_LENGTH(REPLACE({name},'?',''))")
}

/// U+FFFD is a character of this character set. To others it stands for what is none, and big5 even converts it back.
fn has_replacement_character(charset: &str) -> bool {
    matches!(charset, "ucs2" | "utf32" | "gb18030")
}

/// The expression that reads a text column of a character set that is not whole.
#[must_use]
pub fn characters(column: &str, charset: &str) -> String {
    let name = quoted(column);
    let text = converted(&name, charset);
    marked_where(
        &is_outside(&name, charset),
        &format!("'{charset}'"),
        &name,
        &text,
    )
}

/// The same for a column of keys. Texts that do not come back from Unicode as they were (sjis has two backslashes) are
/// marked too, with their characters in the mark: as a parameter they would be another key.
#[must_use]
pub fn key_characters(column: &str, charset: &str) -> String {
    if charset == "ascii" {
        return characters(column, charset);
    }
    let name = quoted(column);
    let text = converted(&name, charset);
    let mut is_odd = format!(
        "CONVERT(CONVERT({text} USING {charset}) USING binary)<>CONVERT({name} USING binary)"
    );
    if !has_replacement_character(charset) {
        is_odd = format!("{is_odd} OR LOCATE(X'efbfbd',CONVERT({text} USING binary))");
    }
    let is_outside = is_outside(&name, charset);
    let head = format!("IF({is_outside},'{charset}',CONCAT('{charset}=',HEX({text})))");
    marked_where(&is_odd, &head, &name, &text)
}

/// What follows the mark: the character set's name, a zero byte, and the bytes of the text. `None` for plain characters.
#[must_use]
pub fn marked(bytes: &[u8]) -> Option<&[u8]> {
    let [MARK, encoded @ ..] = bytes else {
        return None;
    };
    let end = encoded.iter().position(|&byte| byte == 0)?;
    let head = encoded[..end].split(|&byte| byte == b'=').next()?;
    is_name(head).then_some(encoded)
}

/// A character set's name becomes a part of statements.
fn is_name(text: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    !text.is_empty() && text.iter().all(is_part)
}

/// What [`marked`] text is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded<'a> {
    /// Its character set; empty where the mark names none.
    pub charset: &'a str,
    /// Its characters, where it has some.
    pub characters: Option<String>,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl<'a> Encoded<'a> {
    /// Takes it apart.
    #[must_use]
    pub fn parse(encoded: &'a [u8]) -> Self {
        let end = encoded.iter().position(|&byte| byte == 0).unwrap_or(0);
        let (head, bytes) = encoded.split_at(end);
        let head = std::str::from_utf8(head).unwrap_or_default();
        let (charset, hex) = match head.split_once('=') {
            Some((charset, hex)) => (charset, Some(hex)),
            None => (head, None),
        };
        Self {
            charset: if is_name(charset.as_bytes()) {
                charset
            } else {
                ""
            },
            characters: hex.and_then(of_hexadecimal),
            bytes: bytes.get(1..).unwrap_or_default(),
        }
    }
}

fn of_hexadecimal(hex: &str) -> Option<String> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let bytes: Option<Vec<u8>> = hex
        .as_bytes()
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_taken_apart() {
        assert_eq!(marked(b"abc"), None);
        for no_mark in [&b"\xffabc"[..], b"\xff\0a", b"\xff' OR 1\0a", b"\xff=61\0a"] {
            assert_eq!(marked(no_mark), None);
        }
        let encoded = marked(b"\xffgbk\0\xa2\0\xe3").map(Encoded::parse);
        let expected = Encoded {
            charset: "gbk",
            characters: None,
            bytes: b"\xa2\0\xe3",
        };
        assert_eq!(encoded, Some(expected));
        let encoded = marked(b"\xffsjis=615C\0a\\").map(Encoded::parse);
        let expected = Encoded {
            charset: "sjis",
            characters: Some("a\\".into()),
            bytes: b"a\\",
        };
        assert_eq!(encoded, Some(expected));
    }

    #[test]
    fn a_broken_mark_is_no_character() {
        for encoded in [
            &b"\0"[..],
            b"=\0",
            b"gbk=0\0a",
            b"gbk=zz\0a",
            b"gbk=ff\0a",
            b"\xff\0",
        ] {
            assert_eq!(Encoded::parse(encoded).characters.unwrap_or_default(), "");
        }
    }
}
