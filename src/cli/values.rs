//! Numbers, files and durations as the command line writes them.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::logic::audit::shard::Shard;
use crate::logic::report::file::{ReportFile, ReportFormat};
use crate::pipeline::Method;

/// Reads an id: any value that an integer column can hold.
pub(super) fn parse_id(text: &str) -> Result<i128, String> {
    let limits = i128::from(i64::MIN)..=i128::from(u64::MAX);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let id = text
        .parse()
        .ok()
        .filter(|id| is_number && limits.contains(id));
    id.ok_or_else(|| {
        format!(
            "should be a whole number from {} to {}",
            limits.start(),
            limits.end()
        )
    })
}

pub(super) fn parse_report(text: &str) -> Result<ReportFile, String> {
    if text.is_empty() {
        return Err("should be a file's name, or - for stdout".into());
    }
    let file = (text != "-").then(|| PathBuf::from(text));
    let extension = file.as_ref().and_then(|file| file.extension());
    let format = if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl")) {
        ReportFormat::JsonLines
    } else {
        ReportFormat::Csv
    };
    Ok(ReportFile { file, format })
}

/// Reads `500ms`, `2s`, `5m`, `1h`, `2d` and sums from the largest unit down, such as `1h30m`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, u64); 5] = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    const DAYS_MAX: u64 = 31;
    const SHOULD: &str = "should be such as 500ms, 2s, 5m or 1h30m";
    let mut total_ms: u64 = 0;
    let mut units_left = UNITS.as_slice();
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_alphabetic()).len();
        let (unit, after) = after.split_at(letters);
        if number.is_empty() {
            return Err(SHOULD.into());
        }
        if unit.is_empty() && after.is_empty() {
            return Err(format!(
                "needs a unit; should be such as {text}s or {text}ms"
            ));
        }
        let index = units_left.iter().position(|(name, _)| *name == unit);
        let index = index.ok_or(SHOULD)?;
        let in_ms = number.parse::<u64>().ok();
        total_ms = in_ms
            .and_then(|number| number.checked_mul(units_left[index].1))
            .and_then(|ms| ms.checked_add(total_ms))
            .filter(|ms| *ms <= DAYS_MAX * 86_400_000)
            .ok_or_else(|| format!("is too long; should be at most {DAYS_MAX}d"))?;
        units_left = &units_left[index + 1..];
        rest = after;
    }
    match (text, total_ms) {
        ("", _) => Err(SHOULD.into()),
        (_, 0) => Err(format!("is no time at all; {SHOULD}")),
        (_, ms) => Ok(Duration::from_millis(ms)),
    }
}

/// Reads `0/8`.
pub(super) fn parse_shard(text: &str) -> Result<Shard, String> {
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| digits)
    };
    let parts = text.split_once('/');
    let numbers = parts.and_then(|(index, count)| Some((number(index)?, number(count)?)));
    let (index, count) =
        numbers.ok_or("should be I/N: part I of N, I from 0 to N-1, such as 0/8")?;
    Shard::new(index, count)
}

/// Reads a number of rows a second.
pub(super) fn parse_rate(text: &str) -> Result<u64, String> {
    const MAX: u64 = 1_000_000_000;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let rate = text.parse().ok().filter(|rate| (1..=MAX).contains(rate));
    rate.filter(|_| digits)
        .ok_or_else(|| format!("should be rows a second, such as 20000, from 1 to {MAX}"))
}

/// Reads the name of a way to audit.
pub(super) fn method_parser() -> impl TypedValueParser<Value = Method> {
    PossibleValuesParser::new(["auto", "stream", "checksum"]).map(|name| match name.as_str() {
        "stream" => Method::Stream,
        "checksum" => Method::Checksum,
        _ => Method::Auto,
    })
}

/// Reads `64M`, `2G`: at least 1M.
pub(super) fn parse_size(text: &str) -> Result<usize, String> {
    const SHOULD: &str = "should be such as 64M or 2G, from 1M to 1024G";
    let (number, unit) =
        text.split_at(text.len() - text.chars().next_back().map_or(0, char::len_utf8));
    let unit: usize = match unit {
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return Err(SHOULD.into()),
    };
    let size = number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(unit));
    size.filter(|size| (1 << 20..=1 << 40).contains(size))
        .ok_or_else(|| SHOULD.into())
}
