//! The values of a row, free of MySQL.
//!
//! A [`Cell`] is one value as the server sent it, a [`ColumnType`] what its column was declared as. Both are needed
//! to judge or to print a value: `2024-01-02 00:00:00` prints differently as `DATE`, `DATETIME` and `DATETIME(3)`.

/// The value of a source table's increasing integer key. Wide enough for signed and for unsigned `BIGINT`.
pub type Id = i128;

/// One value of one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// SQL `NULL`.
    Null,
    /// An integer that fits in an `i64` (also `YEAR`; also small values of unsigned columns and of `BIT`).
    Int(i64),
    /// An integer above `i64::MAX` (unsigned `BIGINT`, `BIT(64)`). Never holds a value that `Int` could.
    UInt(u64),
    /// `FLOAT`.
    Float(f32),
    /// `DOUBLE`.
    Double(f64),
    /// `DECIMAL`, in the server's text, no digit lost.
    Decimal(Box<str>),
    /// Character data, decoded to Unicode: `CHAR`, `VARCHAR`, `TEXT`, `ENUM`, `SET`, `UUID`, `INET6`, and JSON text.
    Text(Box<str>),
    /// Binary data: `BINARY`, `VARBINARY`, `BLOB`, geometry; also text that is not valid UTF-8.
    Bytes(Box<[u8]>),
    /// `DATE`, `DATETIME` and `TIMESTAMP` by their calendar fields, so that zero dates stay what they are.
    DateTime(DateTime),
    /// `TIME` in microseconds, from -838:59:59 to 838:59:59.
    Time(i64),
}

/// Calendar fields as MySQL holds them: `0000-00-00` and `2024-00-15` are values of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct DateTime {
    /// 0 to 9999.
    pub year: u16,
    /// 0 to 12.
    pub month: u8,
    /// 0 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999,999.
    pub microsecond: u32,
}

/// What a column was declared as, as far as comparing and printing need to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// `TINYINT` to `BIGINT`, signed or not.
    Int,
    /// `YEAR`.
    Year,
    /// `BIT(n)`: an unsigned number.
    Bit,
    /// `DECIMAL`.
    Decimal,
    /// `FLOAT`.
    Float,
    /// `DOUBLE`.
    Double,
    /// `CHAR`, `VARCHAR` and the `TEXT` family, and types that read as text (`INET6`).
    Text,
    /// `ENUM`, by its text.
    Enum,
    /// `SET`, by its text.
    Set,
    /// `UUID` of MariaDB, read as text.
    Uuid,
    /// JSON, whether the server has a type for it (MySQL) or a checked text (MariaDB).
    Json,
    /// `BINARY`, `VARBINARY`, the `BLOB` family, geometry.
    Binary,
    /// `DATE`.
    Date,
    /// `DATETIME` with this many fraction digits (0 to 6).
    DateTime(u8),
    /// `TIMESTAMP` with this many fraction digits (0 to 6), read in UTC.
    Timestamp(u8),
    /// `TIME` with this many fraction digits (0 to 6).
    Time(u8),
}

/// A column's name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As the server spells it.
    pub name: String,
    /// As declared.
    pub column_type: ColumnType,
}
