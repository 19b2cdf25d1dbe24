//! The values of a row, free of MySQL.
//!
//! A [`Cell`] is one value as the server sent it, a [`ColumnType`] what its column was declared as. Both are needed
//! to judge or to print a value: `2024-01-02 00:00:00` prints differently as `DATE`, `DATETIME` and `DATETIME(3)`.

/// The value of a source table's increasing integer key. Wide enough for signed and for unsigned `BIGINT`.
pub type Id = i128;

/// One value of one row.
pub type Cell = CellOf<Box<str>, Box<[u8]>>;

/// One value of a row that somebody else holds, text by its bytes as they were sent.
pub type CellRef<'a> = CellOf<&'a [u8], &'a [u8]>;

/// A value with its text and bytes, owned or lent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CellOf<Text, Bytes> {
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
    Decimal(Text),
    /// Character data, decoded to Unicode: `CHAR`, `VARCHAR`, `TEXT`, `ENUM`, `SET`, `UUID`, `INET6`, and JSON text.
    Text(Text),
    /// Binary data: `BINARY`, `VARBINARY`, `BLOB`, geometry; also text that is not valid UTF-8.
    Bytes(Bytes),
    /// `DATE`, `DATETIME` and `TIMESTAMP` by their calendar fields, so that zero dates stay what they are.
    DateTime(DateTime),
    /// `TIME` in microseconds, from -838:59:59 to 838:59:59.
    Time(i64),
    /// Text with something in it that is no character of Unicode: its character set's name, a zero byte, and its bytes
    /// ([`crate::logic::value::charset`]). It equals the same bytes of the same character set, and nothing else.
    Encoded(Bytes),
}

impl Cell {
    /// The value, lent.
    #[must_use]
    pub fn lent(&self) -> CellRef<'_> {
        match self {
            Self::Null => CellRef::Null,
            Self::Int(value) => CellRef::Int(*value),
            Self::UInt(value) => CellRef::UInt(*value),
            Self::Float(value) => CellRef::Float(*value),
            Self::Double(value) => CellRef::Double(*value),
            Self::Decimal(text) => CellRef::Decimal(text.as_bytes()),
            Self::Text(text) => CellRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => CellRef::Bytes(bytes),
            Self::Encoded(bytes) => CellRef::Encoded(bytes),
            Self::DateTime(at) => CellRef::DateTime(*at),
            Self::Time(value) => CellRef::Time(*value),
        }
    }
}

impl CellRef<'_> {
    /// A copy of the value; what should be text and is not becomes bytes.
    #[must_use]
    pub fn owned(self) -> Cell {
        let text = |bytes: &[u8], cell: fn(Box<str>) -> Cell| match std::str::from_utf8(bytes) {
            Ok(text) => cell(text.into()),
            Err(_) => Cell::Bytes(bytes.into()),
        };
        match self {
            Self::Null => Cell::Null,
            Self::Int(value) => Cell::Int(value),
            Self::UInt(value) => Cell::UInt(value),
            Self::Float(value) => Cell::Float(value),
            Self::Double(value) => Cell::Double(value),
            Self::Decimal(bytes) => text(bytes, Cell::Decimal),
            Self::Text(bytes) => text(bytes, Cell::Text),
            Self::Bytes(bytes) => Cell::Bytes(bytes.into()),
            Self::Encoded(bytes) => Cell::Encoded(bytes.into()),
            Self::DateTime(at) => Cell::DateTime(at),
            Self::Time(value) => Cell::Time(value),
        }
    }
}

/// The cells of a row, wherever they are kept.
pub trait Cells {
    /// The one at this place; NULL where there is none.
    fn cell(&self, at: usize) -> CellRef<'_>;
}

impl Cells for Vec<Cell> {
    fn cell(&self, at: usize) -> CellRef<'_> {
        self.get(at).map_or(CellOf::Null, Cell::lent)
    }
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

impl ColumnType {
    /// A number by its type, whatever may stand in its place.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::Int | Self::Year | Self::Bit | Self::Decimal | Self::Float | Self::Double
        )
    }

    /// A date, with or without a time.
    #[must_use]
    pub fn is_moment(self) -> bool {
        matches!(self, Self::Date | Self::DateTime(_) | Self::Timestamp(_))
    }
}

/// A column's name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As the server spells it.
    pub name: String,
    /// As declared.
    pub column_type: ColumnType,
}
