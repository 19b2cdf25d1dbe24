//! Names in the headers of a callback, where only printable ASCII is allowed. Every other character
//! is percent-encoded, and so is `%`, so decoding gives the name back (RFC 3986, section 2.1).

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What cannot stand in a header, and `%`.
const TEXT: &AsciiSet = &CONTROLS.add(b'%');
/// In a list a comma stands between names, and blanks beside it do not count.
const ITEM: &AsciiSet = &TEXT.add(b',').add(b' ');

/// One name.
#[must_use]
pub(crate) fn text(name: &str) -> String {
    utf8_percent_encode(name, TEXT).to_string()
}

/// Names, separated by commas; a name's own comma is encoded.
#[must_use]
pub(crate) fn list(names: &[String]) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|name| utf8_percent_encode(name, ITEM).to_string())
        .collect();
    names.join(",")
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_readable_where_they_can_be() {
        let names = ["name", "价格", "100%", "a,b", " a\tb\u{7f} "].map(String::from);
        assert_eq!(
            list(&names),
            "name,%E4%BB%B7%E6%A0%BC,100%25,a%2Cb,%20a%09b%7F%20"
        );
        assert_eq!(text("my db, 100%\n"), "my db, 100%25%0A");
        assert_eq!(list(&[]), "");
    }

    proptest! {
        #[test]
        fn a_list_gives_its_names_back(names in proptest::collection::vec(any::<String>(), 1..5)) {
            let header = list(&names);
            prop_assert!(header.bytes().all(|byte| matches!(byte, b'!'..=b'~')));
            let decoded: Vec<String> = header
                .split(',')
                .map(|name| percent_decode_str(name).decode_utf8().unwrap().into_owned())
                .collect();
            prop_assert_eq!(decoded, names);
        }
    }
}
