//! Foreign words, such as a server's, made safe for a log, a terminal or a comment: control
//! characters become blanks.

/// The text with a space in place of every line end and other control character.
#[must_use]
pub(crate) fn on_one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// The same of so many characters at the most.
#[must_use]
pub(crate) fn beginning_on_one_line(text: &str, chars_max: usize) -> String {
    on_one_line(text).chars().take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_is_blank() {
        assert_eq!(on_one_line("a\r\n\x1b[31m\u{9b}b\0"), "a   [31m b ");
        assert_eq!(beginning_on_one_line("小\n明白", 3), "小 明");
    }
}
