//! The syntax of systemd's `EnvironmentFile=` (systemd.exec(5); `parse_env_file` in systemd's
//! `src/basic/env-file.c`), so that one file serves a unit and a shell.

use std::collections::BTreeMap;

/// Where in a line the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    BeforeName,
    Name,
    BeforeValue,
    Value,
    /// After a backslash outside quotes.
    Escape,
    SingleQuoted,
    DoubleQuoted,
    /// After a backslash within double quotes.
    QuotedEscape,
    Comment,
}

/// Names and values; of a name that comes twice the last value counts. A line without `=` and a
/// line that begins with `#` or `;` say nothing.
pub(super) fn parse(text: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let (mut name, mut value) = (String::new(), String::new());
    // How much of an unquoted value is more than blanks at its end.
    let mut kept = 0;
    let mut state = State::BeforeName;
    for c in text.chars() {
        let is_blank = matches!(c, ' ' | '\t');
        let is_end = matches!(c, '\n' | '\r');
        state = match state {
            State::BeforeName if is_blank || is_end => State::BeforeName,
            State::BeforeName if matches!(c, '#' | ';') => State::Comment,
            State::BeforeName => {
                name = c.into();
                State::Name
            }
            State::Name | State::Comment if is_end => State::BeforeName,
            State::Name if c == '=' => {
                (value, kept) = (String::new(), 0);
                State::BeforeValue
            }
            State::Name => {
                name.push(c);
                State::Name
            }
            State::BeforeValue | State::Value if is_end => {
                value.truncate(kept);
                values.insert(name.trim_end().to_owned(), std::mem::take(&mut value));
                State::BeforeName
            }
            State::BeforeValue if c == '\'' => State::SingleQuoted,
            State::BeforeValue if c == '"' => State::DoubleQuoted,
            State::BeforeValue | State::Value if c == '\\' => State::Escape,
            State::BeforeValue if is_blank => State::BeforeValue,
            State::BeforeValue | State::Value => {
                value.push(c);
                if !is_blank {
                    kept = value.len();
                }
                State::Value
            }
            // A line end after a backslash goes on in the next line.
            State::Escape => {
                if !is_end {
                    value.push(c);
                }
                kept = value.len();
                State::Value
            }
            State::SingleQuoted if c == '\'' => State::BeforeValue,
            State::DoubleQuoted if c == '"' => State::BeforeValue,
            State::DoubleQuoted if c == '\\' => State::QuotedEscape,
            State::SingleQuoted | State::DoubleQuoted => {
                value.push(c);
                kept = value.len();
                state
            }
            State::QuotedEscape => {
                match c {
                    '"' | '\\' | '`' | '$' => value.push(c),
                    '\n' => {}
                    other => value.extend(['\\', other]),
                }
                kept = value.len();
                State::DoubleQuoted
            }
            State::Comment => State::Comment,
        };
    }
    // The last line may lack its end, and a quote its partner.
    if !matches!(state, State::BeforeName | State::Name | State::Comment) {
        value.truncate(kept);
        values.insert(name.trim_end().to_owned(), value);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_means_what_systemd_takes_it_for() {
        let cases = [
            ("A=plain", "plain"),
            ("A=", ""),
            ("A = with blanks  \t", "with blanks"),
            ("A=two words", "two words"),
            ("A='single $x \"q\" \\n'", "single $x \"q\" \\n"),
            (r#"A="double \"q\" \$x \\ \n""#, r#"double "q" $x \ \n"#),
            ("A='one'\"two\"", "onetwo"),
            ("A=it's", "it's"),
            ("A=back\\slash\\ ", "backslash "),
            ("A=goes \\\non", "goes on"),
            ("A='two\nlines'", "two\nlines"),
            ("A=value # no comment", "value # no comment"),
            ("A=first\nA=last", "last"),
            ("A=windows\r\n", "windows"),
            ("A=é=ü", "é=ü"),
            ("A='  '", "  "),
            ("A=\"open ", "open "),
            ("A=at the end\\", "at the end"),
        ];
        for (text, expected) in cases {
            let found = parse(text).remove("A").unwrap_or_default();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn comments_and_lines_without_a_value_say_nothing() {
        let values = parse("# A=1\n; A=2\n\n  B=3\nnothing\nA\n=4\n");
        assert_eq!(values, BTreeMap::from([("B".to_owned(), "3".to_owned())]));
    }
}
