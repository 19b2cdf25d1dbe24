//! The types that columns may have, chosen at random from what a server has.

use crate::common::Db;
use crate::rng::Rng;

/// What a type's values are, as far as comparing needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `TINYINT` to `BIGINT`, `YEAR`, `BIT`, `DECIMAL`.
    Exact,
    Float,
    Double,
    /// In this character set; `ENUM`, `SET` and `INET6` too.
    Text(String),
    Binary,
    Date,
    DateTime(u8),
    Timestamp(u8),
    Time(u8),
    Json,
    Uuid,
}

/// Which values a column of the type is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Values {
    /// So many bits, with or without a sign.
    Integer(u32, bool),
    Year,
    /// So many digits, so many of them behind the point.
    Decimal(usize, usize),
    Approximate,
    /// At most so many characters.
    Text(usize),
    /// One of these.
    Member(&'static [&'static str]),
    /// Any of these.
    Members(&'static [&'static str]),
    /// At most so many bytes.
    Binary(usize),
    Date,
    DateTime,
    Timestamp,
    Time,
    Json,
    Uuid,
    Inet6,
}

/// A column's declared type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Type {
    pub(crate) sql: String,
    pub(crate) kind: Kind,
    pub(crate) values: Values,
    /// An index needs a length.
    pub(crate) is_long: bool,
}

/// Groups of types whose values can be equal, and whose choice is made first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Exact,
    Approximate,
    Text,
    Binary,
    Moment,
    Span,
    Json,
    Uuid,
}

/// What a server has.
#[derive(Clone, Debug)]
pub(crate) struct Has {
    pub(crate) is_mariadb: bool,
    pub(crate) uuid: bool,
    /// Digits behind the point of a DECIMAL.
    pub(crate) scale_max: usize,
    /// Character set and collation, as they are declared.
    pub(crate) collations: Vec<(String, String)>,
}

impl Has {
    pub(crate) fn of(db: &Db) -> Self {
        let is_mariadb = db.is_mariadb();
        let sql = if is_mariadb {
            "SELECT CHARACTER_SET_NAME, FULL_COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
        } else {
            "SELECT CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLLATIONS"
        };
        let collations: Vec<(String, String)> = db.query(&format!(
            "{sql} WHERE CHARACTER_SET_NAME <> 'binary' ORDER BY 1, 2"
        ));
        assert!(collations.len() > 200, "the server lists its collations");
        Self {
            is_mariadb,
            uuid: is_mariadb,
            scale_max: if is_mariadb { 38 } else { 30 },
            collations,
        }
    }

    /// Both servers have it.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let charsets: Vec<&String> = other
            .collations
            .iter()
            .map(|(charset, _)| charset)
            .collect();
        let collations = self.collations.iter();
        Self {
            is_mariadb: self.is_mariadb,
            uuid: self.uuid && other.uuid,
            scale_max: self.scale_max.min(other.scale_max),
            collations: collations
                .filter(|(charset, _)| charsets.contains(&charset))
                .cloned()
                .collect(),
        }
    }

    /// Half of them of the character sets that most tables have.
    fn collation(&self, rng: &mut Rng) -> (String, String) {
        let all = &self.collations;
        let usual: Vec<_> = all
            .iter()
            .filter(|(charset, _)| matches!(&**charset, "utf8mb4" | "utf8mb3" | "latin1" | "gbk"))
            .collect();
        if rng.chance(400) {
            (*pick(rng, &usual)).clone()
        } else {
            // Every character set alike, then every collation of it.
            let mut charsets: Vec<&String> = all.iter().map(|(charset, _)| charset).collect();
            charsets.dedup();
            let charset = *pick(rng, &charsets);
            let of_it: Vec<_> = all.iter().filter(|(one, _)| one == charset).collect();
            (*pick(rng, &of_it)).clone()
        }
    }
}

pub(crate) fn pick<'a, T>(rng: &mut Rng, choices: &'a [T]) -> &'a T {
    let at = usize::try_from(rng.below(choices.len() as u64)).unwrap_or(0);
    &choices[at]
}

const MEMBERS: &[&[&str]] = &[&["a", "bb", "c d"], &["1", "2", "10", "0"], &["x", "", "y"]];

/// A type of a family.
pub(crate) fn type_of(rng: &mut Rng, has: &Has, family: Family) -> Type {
    match family {
        Family::Exact => exact(rng, has),
        Family::Approximate => {
            let (name, kind) = if rng.chance(500) {
                ("FLOAT", Kind::Float)
            } else {
                ("DOUBLE", Kind::Double)
            };
            plain(name.to_owned(), kind, Values::Approximate)
        }
        Family::Text => text(rng, has),
        Family::Binary => binary(rng),
        Family::Moment => moment(rng),
        Family::Span => {
            let digits = digits(rng);
            plain(format!("TIME({digits})"), Kind::Time(digits), Values::Time)
        }
        Family::Json => Type {
            is_long: true,
            ..plain("JSON".into(), Kind::Json, Values::Json)
        },
        Family::Uuid if has.uuid => plain("UUID".into(), Kind::Uuid, Values::Uuid),
        Family::Uuid => plain("BINARY(16)".into(), Kind::Binary, Values::Uuid),
    }
}

fn plain(sql: String, kind: Kind, values: Values) -> Type {
    Type {
        sql,
        kind,
        values,
        is_long: false,
    }
}

fn digits(rng: &mut Rng) -> u8 {
    rng.pick(&[0, 0, 1, 3, 6, 6])
}

fn sign(rng: &mut Rng) -> &'static str {
    rng.pick(&["", "", " UNSIGNED", " ZEROFILL"])
}

/// An integer that may be an id.
pub(crate) fn integer(rng: &mut Rng) -> Type {
    let (name, bits) = rng.pick(&[
        ("TINYINT", 8),
        ("SMALLINT", 16),
        ("MEDIUMINT", 24),
        ("INT", 32),
        ("BIGINT", 64),
        ("BIGINT", 64),
    ]);
    let sign = sign(rng);
    plain(
        format!("{name}{sign}"),
        Kind::Exact,
        Values::Integer(bits, sign.is_empty()),
    )
}

fn exact(rng: &mut Rng, has: &Has) -> Type {
    match rng.below(10) {
        0 => plain("YEAR".into(), Kind::Exact, Values::Year),
        1 => {
            let bits = rng.pick(&[1, 5, 8, 32, 63, 64]);
            plain(
                format!("BIT({bits})"),
                Kind::Exact,
                Values::Integer(bits, false),
            )
        }
        2..=5 => {
            let (digits, scale) = rng.pick(&[
                (1, 0),
                (5, 2),
                (10, 0),
                (20, 0),
                (20, 10),
                (30, 30),
                (35, 5),
                (60, 38),
                (65, 0),
                (65, 30),
                (65, 38),
            ]);
            let scale = scale.min(has.scale_max);
            plain(
                format!("DECIMAL({digits},{scale}){}", sign(rng)),
                Kind::Exact,
                Values::Decimal(digits, scale),
            )
        }
        _ => integer(rng),
    }
}

fn text(rng: &mut Rng, has: &Has) -> Type {
    let (charset, collation) = has.collation(rng);
    let of = format!("CHARACTER SET {charset} COLLATE {collation}");
    let length = rng.pick(&[1_usize, 2, 5, 20, 60]);
    let (name, values, is_long) = match rng.below(12) {
        0..=5 => (format!("VARCHAR({length})"), Values::Text(length), false),
        6..=7 => (format!("CHAR({length})"), Values::Text(length), false),
        8 => {
            let name = rng.pick(&["TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"]);
            (name.to_owned(), Values::Text(20), true)
        }
        9 if has.is_mariadb && has.uuid && rng.chance(300) => {
            return plain("INET6".into(), Kind::Text("inet6".into()), Values::Inet6);
        }
        9..=10 => {
            let members = rng.pick(MEMBERS);
            (
                format!("ENUM({})", quoted(members)),
                Values::Member(members),
                false,
            )
        }
        _ => {
            let members = rng.pick(&MEMBERS[..2]);
            (
                format!("SET({})", quoted(members)),
                Values::Members(members),
                false,
            )
        }
    };
    Type {
        sql: format!("{name} {of}"),
        kind: Kind::Text(charset),
        values,
        is_long,
    }
}

fn quoted(members: &[&str]) -> String {
    let members: Vec<String> = members.iter().map(|member| format!("'{member}'")).collect();
    members.join(",")
}

fn binary(rng: &mut Rng) -> Type {
    let length = rng.pick(&[1_usize, 4, 16, 40]);
    let (sql, is_long) = match rng.below(4) {
        0 => (format!("BINARY({length})"), false),
        1 => (rng.pick(&["TINYBLOB", "BLOB", "LONGBLOB"]).to_owned(), true),
        _ => (format!("VARBINARY({length})"), false),
    };
    Type {
        is_long,
        ..plain(sql, Kind::Binary, Values::Binary(length))
    }
}

fn moment(rng: &mut Rng) -> Type {
    let digits = digits(rng);
    match rng.below(5) {
        0 => plain("DATE".into(), Kind::Date, Values::Date),
        1..=2 => plain(
            format!("DATETIME({digits})"),
            Kind::DateTime(digits),
            Values::DateTime,
        ),
        _ => plain(
            format!("TIMESTAMP({digits})"),
            Kind::Timestamp(digits),
            Values::Timestamp,
        ),
    }
}
