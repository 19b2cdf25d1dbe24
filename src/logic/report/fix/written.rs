//! Facts about writing to a table: writable columns, unique values, and the values that a condition
//! fixes.

use crate::logic::value::cell::ColumnType;
use crate::logic::value::sql::{portable_literal, quoted};

/// A destination's table as something is written to it. Empty where nothing is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// All of its columns, in table order.
    pub columns: Vec<WrittenColumn>,
    /// The columns of each unique index, the primary key's too.
    pub unique: Vec<Vec<UniquePart>>,
}

/// A column that is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub column_type: ColumnType,
    /// The same as the server says it, such as `enum('a','b')`.
    pub declared: String,
    /// The server computes it.
    pub is_generated: bool,
    /// It takes NULL.
    pub is_nullable: bool,
    /// An INSERT may leave it out.
    pub has_default: bool,
    /// The longest text or binary it takes, in characters or bytes.
    pub length_max: u64,
}

/// A column of a unique index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniquePart {
    /// Its name.
    pub column: String,
    /// How many characters of it are unique, where it is not all.
    pub prefix: Option<usize>,
}

impl Written {
    /// The column of this name, whose case does not count.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&WrittenColumn> {
        let name = name.to_lowercase();
        self.columns
            .iter()
            .find(|column| column.name.to_lowercase() == name)
    }

    /// Whether the server computes this column.
    #[must_use]
    pub fn is_generated(&self, name: &str) -> bool {
        self.column(name).is_some_and(|column| column.is_generated)
    }
}

impl WrittenColumn {
    /// What MySQL calls the implicit default of the type (MySQL Reference Manual, "Data Type Default Values"), for a column
    /// that has no other one; `None` where the type has none.
    #[must_use]
    pub fn implicit_default(&self) -> Option<&'static str> {
        let declared = self.declared.to_ascii_lowercase();
        let data_type = declared
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        match data_type {
            "inet6" => return Some("'::'"),
            "inet4" => return Some("'0.0.0.0'"),
            "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
            | "multipolygon" | "geometrycollection" | "geomcollection" | "vector" => return None,
            _ => {}
        }
        Some(match self.column_type {
            ColumnType::Int
            | ColumnType::Year
            | ColumnType::Bit
            | ColumnType::Decimal
            | ColumnType::Float
            | ColumnType::Double => "0",
            ColumnType::Enum => "1", // The place of the first member.
            ColumnType::Date => "'0000-00-00'",
            ColumnType::DateTime(_) | ColumnType::Timestamp(_) => "'0000-00-00 00:00:00'",
            ColumnType::Time(_) => "'00:00:00'",
            ColumnType::Json => "'null'",
            ColumnType::Uuid => "'00000000-0000-0000-0000-000000000000'",
            _ => "''",
        })
    }

    /// An ENUM that holds `''` only as the error value, which a strict session refuses.
    #[must_use]
    pub fn refuses_empty(&self) -> bool {
        let members = self.declared.split_once('(').map_or("", |(_, rest)| rest);
        let has_empty = members.starts_with("'',")
            || members.starts_with("'')")
            || members.contains(",'',")
            || members.ends_with(",'')");
        self.column_type == ColumnType::Enum && !members.is_empty() && !has_empty
    }

    /// What to join, and a value that no row has, so that the row gives up the one that it has; `None` where there is none to
    /// be had. `table` is quoted; `number` tells this row from others.
    #[must_use]
    pub fn free_value(&self, table: &str, number: u64) -> Option<(String, String)> {
        let own = quoted(&self.name);
        if self.is_nullable {
            return Some((String::new(), "NULL".into()));
        }
        let ends = format!(
            " JOIN (SELECT MIN({own}) AS cupid_low, MAX({own}) AS cupid_high FROM {table}) AS cupid_ends"
        );
        let beyond = |highest: String| {
            let above_or_below =
                format!("IF(cupid_high < {highest}, cupid_high + 1, cupid_low - 1)");
            Some((ends.clone(), above_or_below))
        };
        match self.column_type {
            ColumnType::Int => {
                let (lowest, highest) = self.integers()?;
                // Where both ends are taken: the first gap, found by way of the index.
                let gap = format!(
                    "(SELECT cupid_free FROM (SELECT a.{own} + 1 AS cupid_free FROM {table} AS a LEFT JOIN {table} AS b \
                     ON b.{own} = a.{own} + 1 WHERE a.{own} < {highest} AND b.{own} IS NULL ORDER BY a.{own} LIMIT 1) AS cupid_gap)"
                );
                let value = format!(
                    "IF(cupid_high < {highest}, cupid_high + 1, IF(cupid_low > {lowest}, cupid_low - 1, {gap}))"
                );
                Some((ends, value))
            }
            ColumnType::Year => beyond("2155".into()),
            ColumnType::Decimal => {
                let digits = self.declared.split_once('(')?.1.split_once(')')?.0;
                let mut digits = digits
                    .split(',')
                    .map(|digits| digits.trim().parse::<usize>());
                let (all, after) = (digits.next()?.ok()?, digits.next().unwrap_or(Ok(0)).ok()?);
                let before = all.checked_sub(after).filter(|&before| before > 0)?;
                beyond("9".repeat(before))
            }
            ColumnType::Float | ColumnType::Double => Some((
                ends,
                "IF(cupid_high < 1e30, ABS(cupid_high) * 2 + 1, cupid_low - ABS(cupid_low) - 1)"
                    .into(),
            )),
            ColumnType::Date => Some((ends, "cupid_low - INTERVAL 1 DAY".into())),
            ColumnType::DateTime(_) | ColumnType::Timestamp(_) => {
                Some((ends, "cupid_low - INTERVAL 1 SECOND".into()))
            }
            ColumnType::Uuid => Some((
                String::new(),
                format!(
                    "'ffffffff-ffff-4fff-8fff-{:012x}'",
                    number & 0xffff_ffff_ffff
                ),
            )),
            ColumnType::Text | ColumnType::Binary if self.length_max >= 6 => {
                let length = usize::try_from(self.length_max)
                    .unwrap_or(usize::MAX)
                    .min(17);
                let digits = format!("{number:016x}");
                Some((
                    String::new(),
                    portable_literal(&format!("~{}", &digits[17 - length..])),
                ))
            }
            _ => None,
        }
    }

    /// The lowest and the highest integer that the column holds.
    fn integers(&self) -> Option<(String, String)> {
        let declared = self.declared.to_ascii_lowercase();
        let data_type = declared.split([' ', '(']).next()?;
        let bits = match data_type {
            "tinyint" => 8,
            "smallint" => 16,
            "mediumint" => 24,
            "int" | "integer" => 32,
            "bigint" => 64,
            _ => return None,
        };
        let (lowest, highest) = if declared.contains("unsigned") {
            (0, (1_i128 << bits) - 1)
        } else {
            (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
        };
        Some((lowest.to_string(), highest.to_string()))
    }
}

/// What a condition says of the rows that meet it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// Columns, each with the literal that it has in every row.
    pub values: Vec<(String, String)>,
    /// The condition says more than that.
    pub has_more: bool,
}

impl Fixed {
    /// Reads conjuncts of the form `column = literal`; everything else is more than that.
    #[must_use]
    pub fn of(condition: &str) -> Self {
        let mut fixed = Self::default();
        let Some(conjuncts) = conjuncts(condition) else {
            fixed.has_more = true;
            return fixed;
        };
        for conjunct in conjuncts {
            match equation(conjunct) {
                Some(value) => fixed.values.push(value),
                None if without_parentheses(conjunct) != conjunct.trim() => {
                    let inner = Self::of(without_parentheses(conjunct));
                    fixed.values.extend(inner.values);
                    fixed.has_more |= inner.has_more;
                }
                None => fixed.has_more = true,
            }
        }
        fixed
    }
}

/// The parts that AND joins; `None` where another word joins parts, or a quote does not end.
fn conjuncts(condition: &str) -> Option<Vec<&str>> {
    let bytes = condition.as_bytes();
    let (mut parts, mut from, mut at, mut depth) = (Vec::new(), 0, 0, 0_usize);
    while at < bytes.len() {
        match bytes[at] {
            b'\'' | b'"' | b'`' => at = quote_end(bytes, at)?,
            b'(' => depth += 1,
            b')' => depth = depth.checked_sub(1)?,
            b'#' => return None,
            b'-' if condition[at..].starts_with("--") => return None,
            b'/' if condition[at..].starts_with("/*") => return None,
            b'|' if depth == 0 => return None,
            b'&' if depth == 0 && condition[at..].starts_with("&&") => {
                parts.push(&condition[from..at]);
                from = at + 2;
                at += 1;
            }
            byte if depth == 0 && byte.is_ascii_alphabetic() => {
                let is_in_word =
                    |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 128..);
                let length = bytes[at..]
                    .iter()
                    .take_while(|&&byte| is_in_word(byte))
                    .count();
                match condition[at..at + length].to_ascii_lowercase().as_str() {
                    "and" => {
                        parts.push(&condition[from..at]);
                        from = at + length;
                    }
                    "or" | "xor" | "not" | "between" | "case" => return None,
                    _ => {}
                }
                at += length - 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&condition[from..]);
    (depth == 0).then_some(parts)
}

/// The place of the quote that ends the one here. A backslash escapes but in a name.
fn quote_end(bytes: &[u8], begin: usize) -> Option<usize> {
    let quote = bytes[begin];
    let mut at = begin + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quote != b'`' => at += 1,
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 1,
            byte if byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

fn without_parentheses(text: &str) -> &str {
    let text = text.trim();
    let inner = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'));
    inner.map_or(text, str::trim)
}

/// `column = literal`, either way round, `column <=> literal`, `column IS NULL`.
fn equation(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    if let Some((column, rest)) = name_at_begin(text) {
        let rest = rest.trim_start();
        if rest
            .to_ascii_lowercase()
            .split_whitespace()
            .eq(["is", "null"])
        {
            return Some((column, "NULL".into()));
        }
        let literal = rest
            .strip_prefix("<=>")
            .or_else(|| rest.strip_prefix('='))?
            .trim();
        return is_literal(literal).then(|| (column, literal.to_owned()));
    }
    let (literal, column) = text.rsplit_once('=')?;
    let (column, rest) = name_at_begin(column.trim())?;
    let literal = literal.trim_end();
    let literal = literal.strip_suffix("<").unwrap_or(literal).trim();
    (rest.trim().is_empty() && is_literal(literal)).then(|| (column, literal.to_owned()))
}

/// A column's name, without what qualifies it, and what comes after it.
fn name_at_begin(text: &str) -> Option<(String, &str)> {
    let (name, rest) = if text.starts_with('`') {
        let end = quote_end(text.as_bytes(), 0)?;
        (text[1..end].replace("``", "`"), &text[end + 1..])
    } else {
        let is_first = |c: char| c.is_alphabetic() || matches!(c, '_' | '$');
        let end = text
            .find(|c: char| !(is_first(c) || c.is_ascii_digit()))
            .unwrap_or(text.len());
        if !text.starts_with(is_first) || is_literal(&text[..end]) {
            return None;
        }
        (text[..end].to_owned(), &text[end..])
    };
    match rest.strip_prefix('.') {
        Some(rest) => name_at_begin(rest),
        None => Some((name, rest)),
    }
}

/// A number, a text in single quotes, hexadecimal, a word for a value.
fn is_literal(text: &str) -> bool {
    let is_word = ["true", "false", "null"].contains(&text.to_ascii_lowercase().as_str());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && (unsigned.parse::<f64>().is_ok()
            || unsigned.strip_prefix("0x").is_some_and(|digits| {
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            }));
    let quoted = text
        .strip_prefix(['X', 'x', 'b', 'B', 'N', 'n'])
        .unwrap_or(text);
    let is_text =
        quoted.starts_with('\'') && quote_end(quoted.as_bytes(), 0) == Some(quoted.len() - 1);
    is_word || is_number || is_text
}

#[cfg(test)]
mod tests;
