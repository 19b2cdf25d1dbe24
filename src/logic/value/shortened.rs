//! Texts for people, cut to a length.

/// The text, or its first characters and `…`.
#[must_use]
pub(crate) fn shortened(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_a_character() {
        assert_eq!(shortened("中文", 2), "中文");
        assert_eq!(shortened("中文字", 2), "中文…");
        assert_eq!(shortened("a", 0), "…");
    }
}
