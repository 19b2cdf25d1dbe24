//! Texts cut to what a service takes, always between two characters.

/// Stands for what is cut off.
const ELLIPSIS: char = '…';

/// The text, or as much of its beginning as costs at most `max` with an ellipsis behind it.
pub(super) fn at(text: &str, max: usize, cost: impl Fn(char) -> usize) -> String {
    let whole: usize = text.chars().map(&cost).sum();
    if whole <= max {
        return text.to_owned();
    }
    let mut left = max.saturating_sub(cost(ELLIPSIS));
    let mut kept = String::new();
    for character in text.chars() {
        let Some(rest) = left.checked_sub(cost(character)) else {
            break;
        };
        left = rest;
        kept.push(character);
    }
    kept.push(ELLIPSIS);
    kept
}

/// Each character counts.
pub(super) fn characters(_: char) -> usize {
    1
}

/// Each byte of UTF-8 counts.
pub(super) fn bytes(character: char) -> usize {
    character.len_utf8()
}

/// Each byte counts that the character takes in a JSON string (RFC 8259, section 7).
pub(super) fn json_bytes(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}

/// Each byte counts that the character takes in a percent-encoded part of an address.
pub(super) fn percent_encoded_bytes(character: char) -> usize {
    match character {
        'A'..='Z' | 'a'..='z' | '0'..='9' | '-' | '.' | '_' | '~' => 1,
        other => 3 * other.len_utf8(),
    }
}
