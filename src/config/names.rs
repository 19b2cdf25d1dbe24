//! Names of state files.
//!
//! Letters and digits of any script stay as they are, with their marks: `用户`, `उपयोगकर्ता`,
//! `Zürich`. Upper and lower case stay apart. A name is in Unicode's Normalization Form C: a file
//! that is copied to another system may change its form, and must still find its state.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};

const CHARACTERS_MAX: usize = 100;
/// With the longest ending, `.reconcile.255of256.dry-run.checkpoint.json`, a file name has 255 bytes at the most.
const BYTES_MAX: usize = 200;

/// The text in Normalization Form C.
pub(super) fn normalized(text: &str) -> String {
    let normalizer = const { ComposingNormalizerBorrowed::new_nfc() };
    match normalizer.normalize(text) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    }
}

/// Whether a normalized text is a name.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= BYTES_MAX
        && text.chars().count() <= CHARACTERS_MAX
        && text.chars().all(is_in_names)
}

fn is_in_names(c: char) -> bool {
    let is_mark = || {
        let category = CodePointMapData::<GeneralCategory>::new().get(c);
        GeneralCategoryGroup::Mark.contains(category)
    };
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-') || is_mark()
}

/// The name that the stem of a file gives.
pub(super) fn of_stem(stem: &str) -> String {
    let mut name = String::new();
    let characters = normalized(stem);
    for c in characters.chars().take(CHARACTERS_MAX) {
        let c = if is_in_names(c) { c } else { '_' };
        if name.len() + c.len_utf8() > BYTES_MAX {
            break;
        }
        name.push(c);
    }
    name
}

/// The name that earlier versions made of it: all but ASCII letters and digits became `_`.
pub(super) fn of_stem_before(stem: &str) -> String {
    let is_kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let kept = |c: char| if is_kept(&c) { c } else { '_' };
    stem.chars().map(kept).take(CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_digits_of_any_script_stay() {
        for stem in [
            "用户",
            "会员",
            "Zürich",
            "उपयोगकर्ता",
            "пользователь-2",
            "مستخدم",
            "ผู้ใช้",
            "사용자",
            "٣",
            "a.b_c-D",
        ] {
            assert_eq!(of_stem(stem), stem);
            assert!(is_name(stem), "{stem}");
        }
        for (stem, name) in [
            ("my user", "my_user"),
            ("a/b", "a_b"),
            ("a\u{202e}b", "a_b"),
            ("a\u{200d}b", "a_b"),
            ("😀", "_"),
            ("a\nb", "a_b"),
        ] {
            assert_eq!(of_stem(stem), name);
            assert!(!is_name(stem), "{stem:?}");
        }
    }

    #[test]
    fn one_name_has_one_form() {
        let (composed, decomposed) = ("Zu\u{308}rich \u{ac00}", "Z\u{fc}rich \u{1100}\u{1161}");
        assert_ne!(composed, decomposed);
        assert_eq!(normalized(composed), normalized(decomposed));
        assert_eq!(of_stem(composed), "Z\u{fc}rich_\u{ac00}");
        assert_ne!(of_stem("User"), of_stem("user"));
    }

    #[test]
    fn a_name_fits_into_the_name_of_a_file() {
        for stem in ["x", "é", "用", "𝔘", "क\u{94d}"] {
            let name = of_stem(&stem.repeat(300));
            assert!(name.len() <= BYTES_MAX && name.chars().count() <= CHARACTERS_MAX);
            assert!(is_name(&name));
            assert!(!is_name(&(name + stem)));
        }
        let endings = BYTES_MAX + ".reconcile.255of256.dry-run.checkpoint.json".len();
        assert!(endings <= 255);
    }

    #[test]
    fn what_earlier_versions_made_of_a_name_is_known() {
        assert_eq!(of_stem_before("用户 1"), "___1");
        assert_eq!(of_stem_before(&"x".repeat(300)).len(), 100);
    }
}
