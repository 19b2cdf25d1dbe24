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
    let mut reader = Reader::default();
    let end = text
        .chars()
        .fold(State::BeforeName, |state, c| reader.step(state, c));
    // The last line may lack its end, and a quote its partner.
    if !matches!(end, State::BeforeName | State::Name | State::Comment) {
        reader.end_of_value();
    }
    reader.values
}

#[derive(Default)]
struct Reader {
    values: BTreeMap<String, String>,
    name: String,
    value: String,
    /// How much of an unquoted value is more than blanks at its end.
    kept: usize,
}

impl Reader {
    /// Where the reader is after this character.
    fn step(&mut self, state: State, c: char) -> State {
        let is_blank = matches!(c, ' ' | '\t');
        let is_end = matches!(c, '\n' | '\r');
        match state {
            State::BeforeName if is_blank || is_end => State::BeforeName,
            State::BeforeName if matches!(c, '#' | ';') => State::Comment,
            State::BeforeName => {
                self.name = c.into();
                State::Name
            }
            State::Name | State::Comment if is_end => State::BeforeName,
            State::Name if c == '=' => {
                (self.value, self.kept) = (String::new(), 0);
                State::BeforeValue
            }
            State::Name => {
                self.name.push(c);
                State::Name
            }
            State::BeforeValue | State::Value if is_end => {
                self.end_of_value();
                State::BeforeName
            }
            State::BeforeValue if c == '\'' => State::SingleQuoted,
            State::BeforeValue if c == '"' => State::DoubleQuoted,
            State::BeforeValue | State::Value if c == '\\' => State::Escape,
            State::BeforeValue if is_blank => State::BeforeValue,
            State::BeforeValue | State::Value => {
                self.value.push(c);
                if !is_blank {
                    self.kept = self.value.len();
                }
                State::Value
            }
            // A line end after a backslash goes on in the next line.
            State::Escape => {
                if !is_end {
                    self.value.push(c);
                }
                self.kept = self.value.len();
                State::Value
            }
            State::SingleQuoted | State::DoubleQuoted | State::QuotedEscape => {
                self.step_within_quotes(state, c)
            }
            State::Comment => State::Comment,
        }
    }

    fn step_within_quotes(&mut self, state: State, c: char) -> State {
        match (state, c) {
            (State::SingleQuoted, '\'') | (State::DoubleQuoted, '"') => return State::BeforeValue,
            (State::DoubleQuoted, '\\') => return State::QuotedEscape,
            // A backslash at a line's end joins it with the next one; before any other character it stands for itself.
            (State::QuotedEscape, '\n') => {}
            (State::QuotedEscape, '"' | '\\' | '`' | '$') => self.value.push(c),
            (State::QuotedEscape, _) => self.value.extend(['\\', c]),
            _ => self.value.push(c),
        }
        self.kept = self.value.len();
        match state {
            State::QuotedEscape => State::DoubleQuoted,
            state => state,
        }
    }

    fn end_of_value(&mut self) {
        self.value.truncate(self.kept);
        let (name, value) = (self.name.trim_end(), std::mem::take(&mut self.value));
        self.values.insert(name.to_owned(), value);
    }
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
