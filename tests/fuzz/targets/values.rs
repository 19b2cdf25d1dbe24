//! Types, cells and columns out of bytes.

use arbitrary::{Result, Unstructured};
use cupid::config::{Address, CallbackJob, DestinationJob, Server, TableJob};
use cupid::logic::callback::retry::RetryPolicy;
use cupid::logic::value::cell::{Cell, ColumnType, DateTime};
use cupid::logic::value::print;

const PLAIN: [ColumnType; 13] = [
    ColumnType::Int,
    ColumnType::Year,
    ColumnType::Bit,
    ColumnType::Decimal,
    ColumnType::Float,
    ColumnType::Double,
    ColumnType::Text,
    ColumnType::Enum,
    ColumnType::Set,
    ColumnType::Uuid,
    ColumnType::Json,
    ColumnType::Binary,
    ColumnType::Date,
];

/// The widest `TIME`, 838:59:59, in microseconds.
const SPAN_MAX_US: i64 = 3_020_399_000_000;

pub(super) fn column_type(u: &mut Unstructured<'_>) -> Result<ColumnType> {
    Ok(match u.int_in_range(0..=19)? {
        place @ 0..=12 => PLAIN[place],
        13..=15 => ColumnType::DateTime(u.int_in_range(0..=6)?),
        16..=17 => ColumnType::Timestamp(u.int_in_range(0..=6)?),
        _ => ColumnType::Time(u.int_in_range(0..=6)?),
    })
}

/// A cell that a server sends for a column of this type; never NULL.
pub(super) fn cell(u: &mut Unstructured<'_>, column_type: ColumnType) -> Result<Cell> {
    Ok(match column_type {
        ColumnType::Int if u.arbitrary()? => Cell::Int(u.arbitrary()?),
        ColumnType::Int | ColumnType::Bit => unsigned(u.arbitrary()?),
        ColumnType::Year => Cell::Int(u.int_in_range(1900..=2155)?),
        ColumnType::Decimal => Cell::Decimal(decimal(u)?.into()),
        ColumnType::Float => Cell::Float(
            Some(u.arbitrary()?)
                .filter(|f: &f32| f.is_finite())
                .unwrap_or(-0.0),
        ),
        ColumnType::Double => Cell::Double(
            Some(u.arbitrary()?)
                .filter(|f: &f64| f.is_finite())
                .unwrap_or(-0.0),
        ),
        ColumnType::Uuid => {
            let digits = format!("{:032x}", u.arbitrary::<u128>()?);
            let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
            Cell::Text(parts.join("-").into())
        }
        ColumnType::Binary => Cell::Bytes(u.arbitrary::<Vec<u8>>()?.into()),
        ColumnType::Text | ColumnType::Enum | ColumnType::Set | ColumnType::Json => text(u)?,
        ColumnType::Date => Cell::DateTime(DateTime {
            year: u.int_in_range(0..=9999)?,
            month: u.int_in_range(0..=12)?,
            day: u.int_in_range(0..=31)?,
            ..DateTime::default()
        }),
        ColumnType::DateTime(digits) | ColumnType::Timestamp(digits) => Cell::DateTime(DateTime {
            year: u.int_in_range(0..=9999)?,
            month: u.int_in_range(0..=12)?,
            day: u.int_in_range(0..=31)?,
            hour: u.int_in_range(0..=23)?,
            minute: u.int_in_range(0..=59)?,
            second: u.int_in_range(0..=59)?,
            microsecond: rounded(u.int_in_range(0..=999_999)?, digits),
        }),
        ColumnType::Time(digits) => {
            let span: i64 = u.int_in_range(0..=SPAN_MAX_US)?;
            let fraction = rounded(u32::try_from(span % 1_000_000).unwrap(), digits);
            let span = span / 1_000_000 * 1_000_000 + i64::from(fraction);
            Cell::Time(if u.arbitrary()? { -span } else { span })
        }
    })
}

/// Any cell at all, also one that no server sends.
pub(super) fn wild_cell(u: &mut Unstructured<'_>) -> Result<Cell> {
    Ok(match u.int_in_range(0..=10)? {
        0 => Cell::Null,
        1 => Cell::Int(u.arbitrary()?),
        2 => unsigned(u.arbitrary()?),
        3 => Cell::Float(u.arbitrary()?),
        4 => Cell::Double(u.arbitrary()?),
        5 => Cell::Decimal(u.arbitrary::<&str>()?.into()),
        6 => Cell::Text(u.arbitrary::<&str>()?.into()),
        7 => Cell::Bytes(u.arbitrary::<&[u8]>()?.into()),
        8 => Cell::DateTime(DateTime {
            year: u.arbitrary()?,
            month: u.arbitrary()?,
            day: u.arbitrary()?,
            hour: u.arbitrary()?,
            minute: u.arbitrary()?,
            second: u.arbitrary()?,
            microsecond: u.arbitrary()?,
        }),
        9 => Cell::Time(u.arbitrary()?),
        _ => Cell::Encoded(u.arbitrary::<&[u8]>()?.into()),
    })
}

/// The same value in another spelling, or nearly the same value: what chance alone seldom makes.
pub(super) fn respelled(u: &mut Unstructured<'_>, cell: &Cell) -> Result<Cell> {
    Ok(match cell {
        Cell::Decimal(text) if text.contains('.') => {
            Cell::Decimal(format!("{text}{}", u.choose(&["0", "00", "1"])?).into())
        }
        Cell::Decimal(text) => {
            Cell::Decimal(format!("{text}{}", u.choose(&[".0", ".00", ".1", "0"])?).into())
        }
        Cell::Float(value) => Cell::Float(*u.choose(&[-value, value.next_up()])?),
        Cell::Double(value) => Cell::Double(*u.choose(&[-value, value.next_up()])?),
        Cell::Text(text) => Cell::Text(
            match u.int_in_range(0..=4)? {
                0 => text.to_uppercase(),
                1 => format!("{text} "),
                2 => serde_json::from_str(text).map_or_else(
                    |_| text.to_string(),
                    |json: serde_json::Value| format!("{json:#}"),
                ),
                3 => return Ok(Cell::Bytes(text.as_bytes().into())),
                _ => text.replace('0', "00"),
            }
            .into(),
        ),
        Cell::Bytes(bytes) => match (std::str::from_utf8(bytes), u.arbitrary()?) {
            (Ok(text), true) => Cell::Text(text.into()),
            _ => Cell::Bytes(bytes.iter().rev().copied().collect()),
        },
        Cell::DateTime(at) => {
            let digits = u.int_in_range(0..=6)?;
            Cell::DateTime(DateTime {
                microsecond: rounded(at.microsecond, digits),
                ..*at
            })
        }
        other => other.clone(),
    })
}

/// The cell as the server would print it into a text column.
pub(super) fn printed(cell: &Cell, column_type: ColumnType) -> Cell {
    match cell {
        Cell::Null => Cell::Null,
        cell => Cell::Text(print::text(cell, column_type).into()),
    }
}

/// A destination that nobody connects to.
pub(super) fn destination(name: &str, by_column: &str) -> DestinationJob {
    DestinationJob {
        name: name.into(),
        name_before: name.into(),
        table: TableJob {
            server: Server {
                address: Address::Tcp("127.0.0.1".into(), 3306),
                user: String::new(),
                password: String::new(),
                tls: None,
            },
            database: "my2".into(),
            table: "user".into(),
            by_column: by_column.into(),
            condition: None,
        },
        columns: vec![],
        callback: callback("http://127.0.0.1:9/"),
    }
}

pub(super) fn callback(url: &str) -> CallbackJob {
    CallbackJob {
        url: url.into(),
        secrets: vec![],
        tls: None,
        headers: vec![],
        timeout: std::time::Duration::from_secs(60),
        policy: RetryPolicy::new(std::time::Duration::from_secs(1), std::num::NonZeroU32::MIN),
        concurrency: 1,
        numbers_as_strings: false,
        verify: std::time::Duration::ZERO,
    }
}

fn unsigned(value: u64) -> Cell {
    i64::try_from(value).map_or(Cell::UInt(value), Cell::Int)
}

fn rounded(microsecond: u32, digits: u8) -> u32 {
    let unit = 10_u32.pow(6 - u32::from(digits));
    microsecond / unit * unit
}

/// As a server prints `DECIMAL`: up to 65 digits, one before the point at least.
fn decimal(u: &mut Unstructured<'_>) -> Result<String> {
    let sign = if u.arbitrary()? { "-" } else { "" };
    let whole = u.arbitrary::<u128>()? >> u.int_in_range(0..=127)?;
    let places = u.int_in_range(0..=30)?;
    if places == 0 {
        return Ok(format!("{sign}{whole}"));
    }
    let fraction = format!("{:0places$}", u.arbitrary::<u64>()?);
    Ok(format!("{sign}{whole}.{}", &fraction[..places]))
}

/// Text, or bytes where it is no UTF-8, as from a column of a character set that cannot be converted.
fn text(u: &mut Unstructured<'_>) -> Result<Cell> {
    let bytes: &[u8] = u.arbitrary()?;
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => Cell::Text(text.into()),
        Err(_) => Cell::Bytes(bytes.into()),
    })
}
