//! A path as text, and back. A path of any bytes can be written into a state file.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

/// The path as it is, but bytes that are no UTF-8 and percent signs are percent-encoded.
#[must_use]
pub(crate) fn text(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('%', "%25"));
        for byte in chunk.invalid() {
            let _ = write!(text, "%{byte:02X}"); // Writing to a String cannot fail.
        }
    }
    text
}

/// The path that [`text`] made such a text of.
#[must_use]
pub(crate) fn path(text: &str) -> PathBuf {
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_comes_back_as_it_was() {
        let odd = OsString::from_vec(b"/etc/\xff%41/\xe7\x94/user.json".to_vec());
        for (given, expected) in [
            (
                PathBuf::from("/etc/cupid/用户.json"),
                "/etc/cupid/用户.json",
            ),
            (PathBuf::from("/a%20b/%"), "/a%2520b/%25"),
            (PathBuf::from(odd), "/etc/%FF%2541/%E7%94/user.json"),
        ] {
            assert_eq!(text(&given), expected);
            assert_eq!(path(expected), given);
        }
    }
}
