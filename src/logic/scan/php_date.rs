//! PHP `date()` formats, as far as they can name a moment in a column.
//!
//! The update window is a condition on text or on a number: `column >= 'from' AND column <= 'to'`.
//! It finds the right rows only when the order of the text is the order of time. So a format must
//! have fields of fixed width from the largest unit (`Y`) down, without a gap. Every other format
//! is refused at load, because it would silently find nothing, or the wrong rows.
//!
//! Letters: <https://www.php.net/manual/en/datetime.format.php>.

use std::fmt::Write as _;

use chrono::{Datelike as _, NaiveDateTime, Timelike as _};

/// A checked format, such as `Y-m-d H:i:s`, `U` or `YmdHis`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhpDateFormat {
    pieces: Vec<Piece>,
    resolution_us: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Literal(char),
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Epoch,
}

impl PhpDateFormat {
    /// Checks a format.
    ///
    /// # Errors
    ///
    /// Words that say why this format cannot name a moment and what would do. They complete a sentence such as
    /// `updateTimeFormate holds "d/m/Y", but …`.
    pub fn parse(format: &str) -> Result<Self, String> {
        let pieces = pieces(format)?;
        let mut finest: Option<Piece> = None;
        for &piece in &pieces {
            if !matches!(piece, Piece::Literal(_)) {
                check_order(finest, piece)?;
                finest = Some(piece);
            }
        }
        let resolution_us = match finest {
            None => {
                return Err(
                    "it names no moment; should be such as Y-m-d H:i:s, YmdHis or U".into(),
                );
            }
            Some(Piece::Year | Piece::Month) => {
                return Err(
                    "it does not go down to the day, so every pass would read a whole month; \
                     should go on to the day at least, such as Y-m-d"
                        .into(),
                );
            }
            Some(finest) => finest.duration_us(),
        };
        Ok(Self {
            pieces,
            resolution_us,
        })
    }

    /// The text or number of a moment, rounded down to what the format can say.
    ///
    /// `local` is the moment in the column's zone, `epoch_us` the same moment in microseconds since 1970 UTC; a
    /// format reads one of the two. A later moment never gives a smaller text. Years outside 0 to 9999 and moments before
    /// 1970 are taken for the nearest that can be written; `U` has ten digits, and so sorts as text, from 2001 to 2286.
    #[must_use]
    pub fn format(&self, local: NaiveDateTime, epoch_us: i64) -> String {
        let local = Fields::of(local);
        let epoch_us = epoch_us.max(0);
        let microsecond = if self.is_epoch() {
            // Below 1,000,000, so the narrowing is exact.
            u32::try_from(epoch_us % 1_000_000).unwrap_or(0)
        } else {
            local.microsecond
        };
        let mut text = String::new();
        for piece in &self.pieces {
            // Writing to a String cannot fail.
            let _ = match piece {
                Piece::Literal(character) => write!(text, "{character}"),
                Piece::Year => write!(text, "{:04}", local.year),
                Piece::Month => write!(text, "{:02}", local.month),
                Piece::Day => write!(text, "{:02}", local.day),
                Piece::Hour => write!(text, "{:02}", local.hour),
                Piece::Minute => write!(text, "{:02}", local.minute),
                Piece::Second => write!(text, "{:02}", local.second),
                Piece::Millisecond => write!(text, "{:03}", microsecond / 1000),
                Piece::Microsecond => write!(text, "{microsecond:06}"),
                Piece::Epoch => write!(text, "{}", epoch_us / 1_000_000),
            };
        }
        text
    }

    /// True for `U`, `Uv`, `Uu` and the like: the text counts from 1970 UTC and no time zone matters.
    #[must_use]
    pub fn is_epoch(&self) -> bool {
        self.pieces.contains(&Piece::Epoch)
    }

    /// The smallest step that the format can tell apart, in microseconds: 1 for `u`, 86,400,000,000 for `Y-m-d`.
    #[must_use]
    pub fn resolution_us(&self) -> i64 {
        self.resolution_us
    }
}

impl Piece {
    /// How long the unit lasts, the finest of a format.
    fn duration_us(self) -> i64 {
        match self {
            // Never the finest of a format.
            Self::Literal(_) | Self::Year | Self::Month => 0,
            Self::Day => 86_400_000_000,
            Self::Hour => 3_600_000_000,
            Self::Minute => 60_000_000,
            Self::Second | Self::Epoch => 1_000_000,
            Self::Millisecond => 1_000,
            Self::Microsecond => 1,
        }
    }

    /// The unit and its letter, for messages.
    fn name(self) -> &'static str {
        match self {
            Self::Literal(_) => "plain text",
            Self::Year => "the year (Y)",
            Self::Month => "the month (m)",
            Self::Day => "the day (d)",
            Self::Hour => "the hour (H)",
            Self::Minute => "the minute (i)",
            Self::Second => "the second (s)",
            Self::Millisecond => "the millisecond (v)",
            Self::Microsecond => "the microsecond (u)",
            Self::Epoch => "the Unix time (U)",
        }
    }
}

/// Splits a format as PHP does: a backslash makes the next character plain, and stands for itself at the end.
fn pieces(format: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        pieces.push(match character {
            '\\' => Piece::Literal(characters.next().unwrap_or('\\')),
            'Y' => Piece::Year,
            'm' => Piece::Month,
            'd' => Piece::Day,
            'H' => Piece::Hour,
            'i' => Piece::Minute,
            's' => Piece::Second,
            'v' => Piece::Millisecond,
            'u' => Piece::Microsecond,
            'U' => Piece::Epoch,
            '%' => {
                return Err(
                    "% belongs to strftime, this is a format of PHP's date(); should be such as \
                     Y-m-d H:i:s (a plain % is written \\%)"
                        .into(),
                );
            }
            letter if letter.is_ascii_alphabetic() => return Err(refusal(letter)),
            other => Piece::Literal(other),
        });
    }
    Ok(pieces)
}

/// Why a letter cannot be part of a text that sorts in the order of time.
fn refusal(letter: char) -> String {
    let (what, instead) = match letter {
        'y' => (
            "is a year of two digits, which starts again every century",
            "Y",
        ),
        'o' => (
            "is the year of the week, which is not the calendar's year",
            "Y",
        ),
        'x' | 'X' => ("is a year of changing width", "Y"),
        'n' => ("is a month without leading zero, so 10 sorts before 9", "m"),
        'M' | 'F' => (
            "is a month's name, and names do not sort in the order of time",
            "m",
        ),
        'j' => ("is a day without leading zero, so 10 sorts before 9", "d"),
        'D' | 'l' | 'N' | 'w' | 'S' | 'z' | 't' | 'W' | 'L' => {
            ("is no day of a month that sorts in the order of time", "d")
        }
        'g' | 'h' | 'a' | 'A' => (
            "belongs to the 12-hour clock, where 1 in the afternoon sorts before 11 in the morning",
            "H",
        ),
        'G' => ("is an hour without leading zero, so 10 sorts before 9", "H"),
        'B' => (
            "is Swatch Internet time, which is not a clock time",
            "H:i:s",
        ),
        'e' | 'I' | 'O' | 'P' | 'p' | 'T' | 'Z' | 'c' | 'r' => (
            "names a time zone, and times of different zones do not sort as text",
            "Y-m-d H:i:s, with the zone in src.timeZone",
        ),
        _ => {
            return format!(
                "{letter} is no letter of PHP's date(); should be such as Y-m-d H:i:s (a plain letter is \
                 written \\{letter})"
            );
        }
    };
    format!("{letter} {what}; should be {instead}")
}

/// Refuses a unit that does not follow directly on the one before it.
fn check_order(before: Option<Piece>, piece: Piece) -> Result<(), String> {
    let fits = match piece {
        Piece::Literal(_) => true,
        Piece::Year | Piece::Epoch => before.is_none(),
        Piece::Month => before == Some(Piece::Year),
        Piece::Day => before == Some(Piece::Month),
        Piece::Hour => before == Some(Piece::Day),
        Piece::Minute => before == Some(Piece::Hour),
        Piece::Second => before == Some(Piece::Minute),
        Piece::Millisecond | Piece::Microsecond => {
            matches!(before, Some(Piece::Second | Piece::Epoch))
        }
    };
    if fits {
        return Ok(());
    }
    let name = piece.name();
    Err(match before {
        None => format!(
            "it begins with {name}, and such a text does not sort in the order of time; should begin with \
             the year (Y), such as Y-m-d H:i:s, or be U"
        ),
        Some(before) => format!(
            "{name} comes after {}, and such a text does not sort in the order of time; should go from the \
             year down without a gap, such as Y-m-d H:i:s",
            before.name()
        ),
    })
}

/// A local time within the years that four digits can write.
struct Fields {
    year: i32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    microsecond: u32,
}

impl Fields {
    fn of(local: NaiveDateTime) -> Self {
        if local.year() < 0 {
            return Self {
                year: 0,
                month: 1,
                day: 1,
                hour: 0,
                minute: 0,
                second: 0,
                microsecond: 0,
            };
        }
        if local.year() > 9999 {
            return Self {
                year: 9999,
                month: 12,
                day: 31,
                hour: 23,
                minute: 59,
                second: 59,
                microsecond: 999_999,
            };
        }
        Self {
            year: local.year(),
            month: local.month(),
            day: local.day(),
            hour: local.hour(),
            minute: local.minute(),
            second: local.second(),
            // chrono counts on beyond 999,999 within a leap second.
            microsecond: (local.nanosecond() / 1000).min(999_999),
        }
    }
}

#[cfg(test)]
mod tests;
